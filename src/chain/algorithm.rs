//! Hash functions that chains in the wild are made of, and the digests they give.

use blake2::digest::consts::U32;
use blake2::{Blake2b, Blake2b512, Blake2s256};
use hmac::{Hmac, KeyInit, Mac, SimpleHmac};
use md5::Md5;
use sha1::Sha1;
use sha2::{Sha224, Sha256, Sha384, Sha512};
use sha3::{Keccak256, Sha3_256, Sha3_512};
use std::fmt;

/// A hash function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Algorithm {
    /// 16 bytes; broken.
    Md5,
    /// 20 bytes; broken.
    Sha1,
    /// 28 bytes.
    Sha224,
    /// 32 bytes; what nearly every chain uses.
    Sha256,
    /// 48 bytes.
    Sha384,
    /// 64 bytes.
    Sha512,
    /// 32 bytes (FIPS 202).
    Sha3_256,
    /// 64 bytes (FIPS 202).
    Sha3_512,
    /// 32 bytes: SHA-3 as it was before the standard.
    Keccak256,
    /// 32 bytes (RFC 7693).
    Blake2b256,
    /// 64 bytes (RFC 7693).
    Blake2b512,
    /// 32 bytes (RFC 7693).
    Blake2s256,
    /// The SHA-256 of the bytes of a SHA-256.
    Sha256Twice,
    /// The SHA-256 of the hex of a SHA-256.
    Sha256OfHex,
    /// The first 16 bytes of a SHA-256: 32 digits.
    Sha256Cut,
    /// The first 8 bytes of a SHA-256: 16 digits, which collide by chance among billions.
    Sha256Short,
    /// 32 bytes; under a key of 32 bytes its own keyed mode.
    Blake3,
}

impl Algorithm {
    /// All of them, the commonest first.
    pub const ALL: [Self; 17] = [
        Self::Sha256,
        Self::Sha512,
        Self::Md5,
        Self::Sha1,
        Self::Sha384,
        Self::Sha224,
        Self::Sha3_256,
        Self::Sha3_512,
        Self::Blake2b256,
        Self::Blake2b512,
        Self::Sha256Twice,
        Self::Sha256OfHex,
        Self::Sha256Cut,
        Self::Keccak256,
        Self::Blake2s256,
        Self::Blake3,
        Self::Sha256Short,
    ];

    /// What nearly every chain of that length is made of; the others are looked for when these explain nothing.
    pub const fn is_usual(self) -> bool {
        matches!(
            self,
            Self::Md5 | Self::Sha1 | Self::Sha224 | Self::Sha256 | Self::Sha384 | Self::Sha512 | Self::Sha256Short
        )
    }

    /// Bytes of a digest.
    pub const fn length(self) -> usize {
        match self {
            Self::Sha256Short => 8,
            Self::Md5 | Self::Sha256Cut => 16,
            Self::Sha1 => 20,
            Self::Sha224 => 28,
            Self::Sha256
            | Self::Sha3_256
            | Self::Keccak256
            | Self::Blake2b256
            | Self::Blake2s256
            | Self::Blake3
            | Self::Sha256Twice
            | Self::Sha256OfHex => 32,
            Self::Sha384 => 48,
            Self::Sha512 | Self::Sha3_512 | Self::Blake2b512 => 64,
        }
    }

    /// As pgcrypto's `digest` and everybody else calls it.
    pub fn named(name: &str) -> Option<Self> {
        let name = name.to_ascii_lowercase().replace(['-', '_'], "");
        Self::ALL.into_iter().find(|algorithm| algorithm.name().replace('-', "") == name)
    }

    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Md5 => "md5",
            Self::Sha1 => "sha1",
            Self::Sha224 => "sha224",
            Self::Sha256 => "sha256",
            Self::Sha384 => "sha384",
            Self::Sha512 => "sha512",
            Self::Sha3_256 => "sha3-256",
            Self::Sha3_512 => "sha3-512",
            Self::Keccak256 => "keccak-256",
            Self::Blake2b256 => "blake2b-256",
            Self::Blake2b512 => "blake2b-512",
            Self::Blake2s256 => "blake2s-256",
            Self::Sha256Twice => "sha256-twice",
            Self::Sha256OfHex => "sha256-of-hex",
            Self::Sha256Cut => "sha256-128",
            Self::Sha256Short => "sha256-64",
            Self::Blake3 => "blake3",
        }
    }

    /// Collisions can be made.
    pub const fn is_broken(self) -> bool {
        matches!(self, Self::Md5 | Self::Sha1)
    }

    /// The digest of some bytes; with a key, their HMAC (RFC 2104).
    pub fn digest(self, key: Option<&[u8]>, bytes: &[u8]) -> Digest {
        match self {
            Self::Md5 => plain_or::<Md5, Hmac<Md5>>(key, bytes),
            Self::Sha1 => plain_or::<Sha1, Hmac<Sha1>>(key, bytes),
            Self::Sha224 => plain_or::<Sha224, Hmac<Sha224>>(key, bytes),
            Self::Sha256 => plain_or::<Sha256, Hmac<Sha256>>(key, bytes),
            Self::Sha384 => plain_or::<Sha384, Hmac<Sha384>>(key, bytes),
            Self::Sha512 => plain_or::<Sha512, Hmac<Sha512>>(key, bytes),
            Self::Sha3_256 => plain_or::<Sha3_256, SimpleHmac<Sha3_256>>(key, bytes),
            Self::Sha3_512 => plain_or::<Sha3_512, SimpleHmac<Sha3_512>>(key, bytes),
            Self::Keccak256 => plain_or::<Keccak256, SimpleHmac<Keccak256>>(key, bytes),
            Self::Blake2b256 => plain_or::<Blake2b<U32>, SimpleHmac<Blake2b<U32>>>(key, bytes),
            Self::Blake2b512 => plain_or::<Blake2b512, SimpleHmac<Blake2b512>>(key, bytes),
            Self::Blake2s256 => plain_or::<Blake2s256, SimpleHmac<Blake2s256>>(key, bytes),
            Self::Sha256Twice => Self::Sha256.digest(None, Self::Sha256.digest(key, bytes).bytes()),
            Self::Sha256OfHex => Self::Sha256.digest(None, Self::Sha256.digest(key, bytes).hex().as_bytes()),
            Self::Sha256Cut => Digest::new(&Self::Sha256.digest(key, bytes).bytes()[..16]),
            Self::Sha256Short => Digest::new(&Self::Sha256.digest(key, bytes).bytes()[..8]),
            Self::Blake3 => match key.map(<&[u8; 32]>::try_from) {
                None => Digest::new(blake3::hash(bytes).as_bytes()),
                Some(Ok(key)) => Digest::new(blake3::keyed_hash(key, bytes).as_bytes()),
                Some(Err(_)) => Digest::new(&[]),
            },
        }
    }
}

fn plain_or<D: sha2::Digest, M: Mac + KeyInit>(key: Option<&[u8]>, bytes: &[u8]) -> Digest {
    let Some(key) = key else { return Digest::new(&D::digest(bytes)) };
    // An HMAC key may have any length.
    let Ok(mut mac) = <M as KeyInit>::new_from_slice(key) else { return Digest::new(&[]) };
    mac.update(bytes);
    Digest::new(&mac.finalize().into_bytes())
}

/// The longest digest.
const LONGEST: usize = 64;

/// The bytes of a hash, without an allocation.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Digest {
    bytes: [u8; LONGEST],
    length: u8,
}

impl Digest {
    /// Takes at most 64 bytes; what is longer is no digest and is cut.
    #[inline]
    pub fn new(from: &[u8]) -> Self {
        let length = from.len().min(LONGEST);
        let mut bytes = [0; LONGEST];
        bytes[..length].copy_from_slice(&from[..length]);
        Self { bytes, length: u8::try_from(length).unwrap_or(0) }
    }

    /// Its bytes.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes[..usize::from(self.length)]
    }

    /// The same; quick to say of two that are not, as a search asks of millions: they differ from the start.
    #[inline]
    pub fn is(&self, other: &Self) -> bool {
        self.bytes[..8] == other.bytes[..8] && self == other
    }

    /// In lower-case hex.
    pub fn hex(&self) -> String {
        super::encoding::hex(self.bytes())
    }

    /// The first eight digits, for sentences.
    pub fn brief(&self) -> String {
        self.hex().chars().take(8).collect()
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.hex())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digests_are_those_of_the_standards() {
        let hex = |algorithm: Algorithm| algorithm.digest(None, b"abc").hex();
        assert_eq!(hex(Algorithm::Md5), "900150983cd24fb0d6963f7d28e17f72");
        assert_eq!(hex(Algorithm::Sha1), "a9993e364706816aba3e25717850c26c9cd0d89d");
        assert!(
            hex(Algorithm::Sha256).starts_with("ba7816bf8f01cfea") && hex(Algorithm::Sha512).starts_with("ddaf35a1")
        );
        assert!(hex(Algorithm::Sha3_256).starts_with("3a985da74fe225b2"));
        assert!(hex(Algorithm::Keccak256).starts_with("4e03657aea45a94f"));
        assert!(hex(Algorithm::Blake2b512).starts_with("ba80a53f981c4d0d"));
        assert!(hex(Algorithm::Blake2b256).starts_with("bddd813c634239723171ef3fee98579b"));
        assert!(hex(Algorithm::Blake2s256).starts_with("508c5e8c327c14e2"));
        assert!(hex(Algorithm::Sha256Twice).starts_with("4f8b42c22dd3729b"));
        assert_eq!(hex(Algorithm::Sha256Cut), hex(Algorithm::Sha256)[..32]);
        assert_eq!(hex(Algorithm::Sha256Short), hex(Algorithm::Sha256)[..16]);
        assert!(hex(Algorithm::Blake3).starts_with("6437b3ac38465133ffb63b75273a8db5"));
        // RFC 4231, test case 2
        let mac = Algorithm::Sha256.digest(Some(b"Jefe"), b"what do ya want for nothing?");
        assert_eq!(mac.hex(), "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
        for algorithm in Algorithm::ALL {
            assert_eq!(algorithm.digest(None, b"").bytes().len(), algorithm.length());
            assert_eq!(Algorithm::named(&algorithm.name().to_uppercase()), Some(algorithm));
        }
    }
}
