//! Signed notes and their keys, as C2SP `signed-note`, `tlog-checkpoint` and `tlog-cosignature` define
//! them: text, an empty line, signatures.

use super::encoding::{base64, from_base64};
use super::validity::Validity;
use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};
use jiff::Timestamp;
use sha2::{Digest, Sha256};

/// Who signs: the type of a key, as the formats number it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Who keeps the log: Ed25519 over the text.
    Log = 1,
    /// Who saw it, and when: `tlog-cosignature`, `cosignature/v1`.
    Witness = 4,
}

impl Role {
    const fn of(byte: u8) -> Option<Self> {
        match byte {
            1 => Some(Self::Log),
            4 => Some(Self::Witness),
            _ => None,
        }
    }
}

/// A key that signs.
pub struct Secret {
    name: String,
    role: Role,
    key: SigningKey,
}

/// A key that verifies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Public {
    name: String,
    role: Role,
    key: VerifyingKey,
    /// When it signs.
    pub validity: Validity,
}

impl Secret {
    /// A new key of 32 random bytes.
    pub fn new(name: &str, role: Role, seed: &[u8; 32]) -> Self {
        Self { name: name.to_owned(), role, key: SigningKey::from_bytes(seed) }
    }

    /// `PRIVATE+KEY+name+id+base64`.
    pub fn parse(text: &str) -> Option<Self> {
        let rest = text.trim().strip_prefix("PRIVATE+KEY+")?;
        let (name, rest) = rest.split_once('+')?;
        let (_, key) = rest.split_once('+')?;
        let bytes = from_base64(key)?;
        let (role, seed) = bytes.split_first()?;
        let seed: [u8; 32] = seed.try_into().ok()?;
        let parsed = Self::new(name, Role::of(*role)?, &seed);
        (parsed.text() == text.trim()).then_some(parsed)
    }

    /// The same as text.
    pub fn text(&self) -> String {
        let bytes = [&[self.role as u8][..], &self.key.to_bytes()].concat();
        format!("PRIVATE+KEY+{}+{:08x}+{}", self.name, self.public().id(), base64(&bytes))
    }

    /// The key that verifies what this one signs.
    pub fn public(&self) -> Public {
        let key = self.key.verifying_key();
        Public { name: self.name.clone(), role: self.role, key, validity: Validity::default() }
    }

    /// What it signs as.
    pub fn role(&self) -> Role {
        self.role
    }

    /// The text, which ends in a newline, with a signature.
    pub fn sign(&self, text: &str, now: Timestamp) -> String {
        format!("{text}\n{}", self.line(text, now))
    }

    /// The line of a signature. A witness says when; for a log `now` plays no part.
    pub fn line(&self, text: &str, now: Timestamp) -> String {
        let time = u64::try_from(now.as_second()).unwrap_or(0);
        let mut bytes = self.public().id().to_be_bytes().to_vec();
        if self.role == Role::Witness {
            bytes.extend(time.to_be_bytes());
        }
        bytes.extend(self.key.sign(&signed(self.role, time, text)).to_bytes());
        format!("\u{2014} {} {}\n", self.name, base64(&bytes))
    }
}

/// The bytes that a key of this role signs.
fn signed(role: Role, time: u64, text: &str) -> Vec<u8> {
    match role {
        Role::Log => text.as_bytes().to_vec(),
        Role::Witness => format!("cosignature/v1\ntime {time}\n{text}").into_bytes(),
    }
}

impl Public {
    /// `name+id+base64`, and below it the lines of its [`Validity`].
    pub fn parse(text: &str) -> Option<Self> {
        let mut lines = text.trim().lines();
        let line = lines.next()?.trim();
        let (name, rest) = line.split_once('+')?;
        let (id, key) = rest.split_once('+')?;
        let bytes = from_base64(key)?;
        let (role, key) = bytes.split_first()?;
        let key = VerifyingKey::from_bytes(key.try_into().ok()?).ok()?;
        let parsed = Self { name: name.to_owned(), role: Role::of(*role)?, key, validity: Validity::parse(lines)? };
        (format!("{:08x}", parsed.id()) == id).then_some(parsed)
    }

    /// The same as text.
    pub fn text(&self) -> String {
        format!("{}+{:08x}+{}{}", self.name, self.id(), base64(&self.typed()), self.validity.text())
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What it signs as.
    pub fn role(&self) -> Role {
        self.role
    }

    /// The same key, of the same name, whatever its time.
    pub fn is_same(&self, other: &Self) -> bool {
        (&self.name, self.role, self.key) == (&other.name, other.role, other.key)
    }

    fn typed(&self) -> Vec<u8> {
        [&[self.role as u8][..], self.key.as_bytes()].concat()
    }

    /// The first four bytes of a hash of name and key.
    fn id(&self) -> u32 {
        let hash = Sha256::new().chain_update(&self.name).chain_update([b'\n']).chain_update(self.typed()).finalize();
        u32::from_be_bytes([hash[0], hash[1], hash[2], hash[3]])
    }
}

/// A note that was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// With its last newline.
    pub text: String,
    signatures: Vec<(String, u32, Vec<u8>)>,
}

impl Note {
    /// Text, an empty line, signature lines.
    pub fn parse(note: &str) -> Option<Self> {
        let end = note.rfind("\n\n")? + 1;
        let (text, lines) = (&note[..end], &note[end + 1..]);
        let line = |line: &str| {
            let (name, signature) = line.strip_prefix("\u{2014} ")?.split_once(' ')?;
            let bytes = from_base64(signature)?;
            let (id, signature) = bytes.split_first_chunk::<4>()?;
            Some((name.to_owned(), u32::from_be_bytes(*id), signature.to_vec()))
        };
        let signatures = lines.lines().map(line).collect::<Option<Vec<_>>>()?;
        (!signatures.is_empty()).then(|| Self { text: text.to_owned(), signatures })
    }

    /// Whether this key signed it, in its time or not. Signatures of others are passed over.
    pub fn is_signed_by(&self, key: &Public) -> bool {
        self.signatures.iter().any(|signature| self.verified(key, signature).is_some())
    }

    /// When a witness first signed it, by its own clock.
    pub fn seen_by(&self, witness: &Public) -> Option<Timestamp> {
        self.signatures.iter().filter_map(|signature| self.verified(witness, signature)?).min()
    }

    /// The time in a signature, where it is one of this key.
    fn verified(&self, key: &Public, (name, id, bytes): &(String, u32, Vec<u8>)) -> Option<Option<Timestamp>> {
        if *name != key.name || *id != key.id() {
            return None;
        }
        let (time, signature) = match key.role {
            Role::Log => (None, bytes.as_slice()),
            Role::Witness => {
                let (time, signature) = bytes.split_first_chunk::<8>()?;
                (Some(u64::from_be_bytes(*time)), signature)
            }
        };
        let signature = Signature::from_slice(signature).ok()?;
        key.key.verify_strict(&signed(key.role, time.unwrap_or(0), &self.text), &signature).ok()?;
        match time {
            None => Some(None),
            Some(time) => Some(Some(Timestamp::from_second(i64::try_from(time).ok()?).ok()?)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_note_is_signed_read_and_refused() {
        let secret = Secret::new("example.com/log", Role::Log, &[7; 32]);
        let public = Public::parse(&secret.public().text()).unwrap();
        let written = secret.sign("example.com/log\n3\nAAAA\n", Timestamp::UNIX_EPOCH);
        let note = Note::parse(&written).unwrap();
        assert_eq!(note.text, "example.com/log\n3\nAAAA\n");
        assert!(note.is_signed_by(&public));
        assert!(!Note::parse(&written.replace("\n3\n", "\n4\n")).unwrap().is_signed_by(&public));
        assert!(!note.is_signed_by(&Secret::new("example.com/log", Role::Log, &[8; 32]).public()));
        assert_eq!(Secret::parse(&secret.text()).unwrap().text(), secret.text());
        assert!(Note::parse("no note").is_none() && Public::parse("a+b+c").is_none());
    }

    #[test]
    fn the_key_of_the_specification_is_read() {
        // The example of golang.org/x/mod/sumdb/note, which C2SP signed-note follows.
        let key = Public::parse("PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW").unwrap();
        let note = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n\n\
                    \u{2014} PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n";
        assert!(Note::parse(note).unwrap().is_signed_by(&key));
    }

    #[test]
    fn a_witness_says_when() {
        let (log, witness) = (Secret::new("log", Role::Log, &[7; 32]), Secret::new("witness", Role::Witness, &[9; 32]));
        let at = Timestamp::from_second(1_679_315_147).unwrap();
        let text = "example.com/log\n3\nAAAA\n";
        let written = log.sign(text, at) + &witness.line(text, at);
        let note = Note::parse(&written).unwrap();
        let key = Public::parse(&witness.public().text()).unwrap();
        assert_eq!((key.role(), note.seen_by(&key)), (Role::Witness, Some(at)));
        assert!(note.is_signed_by(&log.public()) && note.seen_by(&log.public()).is_none());
        // The same key does not vouch as a log for what it signed as a witness, nor for another time.
        assert!(!note.is_signed_by(&Secret::new("witness", Role::Log, &[9; 32]).public()));
        let later = Timestamp::from_second(1_679_315_148).unwrap();
        let forged = written.replace(&witness.line(text, at)[14..30], &witness.line(text, later)[14..30]);
        assert!(forged == written || Note::parse(&forged).unwrap().seen_by(&key).is_none());
        assert_eq!(Secret::parse(&witness.text()).unwrap().role(), Role::Witness);
    }
}
