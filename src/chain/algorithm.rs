//! Hash functions that chains in the wild are made of, and the digests they give.

use hmac::{Hmac, KeyInit, Mac};
use md5::Md5;
use sha1::Sha1;
use sha2::digest::Digest as _;
use sha2::{Sha224, Sha256, Sha384, Sha512};
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
}

impl Algorithm {
    /// All of them, the commonest first.
    pub const ALL: [Self; 6] = [Self::Sha256, Self::Sha512, Self::Md5, Self::Sha1, Self::Sha384, Self::Sha224];

    /// Bytes of a digest.
    pub const fn length(self) -> usize {
        match self {
            Self::Md5 => 16,
            Self::Sha1 => 20,
            Self::Sha224 => 28,
            Self::Sha256 => 32,
            Self::Sha384 => 48,
            Self::Sha512 => 64,
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
        }
    }

    /// Collisions can be made.
    pub const fn is_broken(self) -> bool {
        matches!(self, Self::Md5 | Self::Sha1)
    }

    /// The digest of some bytes; with a key, their HMAC (RFC 2104).
    pub fn digest(self, key: Option<&[u8]>, bytes: &[u8]) -> Digest {
        match self {
            Self::Md5 => key.map_or_else(|| Digest::new(&Md5::digest(bytes)), |key| mac::<Hmac<Md5>>(key, bytes)),
            Self::Sha1 => key.map_or_else(|| Digest::new(&Sha1::digest(bytes)), |key| mac::<Hmac<Sha1>>(key, bytes)),
            Self::Sha224 => {
                key.map_or_else(|| Digest::new(&Sha224::digest(bytes)), |key| mac::<Hmac<Sha224>>(key, bytes))
            }
            Self::Sha256 => {
                key.map_or_else(|| Digest::new(&Sha256::digest(bytes)), |key| mac::<Hmac<Sha256>>(key, bytes))
            }
            Self::Sha384 => {
                key.map_or_else(|| Digest::new(&Sha384::digest(bytes)), |key| mac::<Hmac<Sha384>>(key, bytes))
            }
            Self::Sha512 => {
                key.map_or_else(|| Digest::new(&Sha512::digest(bytes)), |key| mac::<Hmac<Sha512>>(key, bytes))
            }
        }
    }
}

fn mac<M: Mac + KeyInit>(key: &[u8], bytes: &[u8]) -> Digest {
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
        // RFC 4231, test case 2
        let mac = Algorithm::Sha256.digest(Some(b"Jefe"), b"what do ya want for nothing?");
        assert_eq!(mac.hex(), "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
        for algorithm in Algorithm::ALL {
            assert_eq!(algorithm.digest(None, b"").bytes().len(), algorithm.length());
            assert_eq!(Algorithm::named(&algorithm.name().to_uppercase()), Some(algorithm));
        }
    }
}
