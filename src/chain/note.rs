//! Signed notes and their keys, as C2SP `signed-note` and `tlog-checkpoint` define them: text, an empty line, signatures.

use super::encoding::{base64, from_base64};
use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};
use sha2::{Digest, Sha256};

/// Ed25519, as the key formats number it.
const ED25519: u8 = 1;

/// A key that signs.
pub struct Secret {
    name: String,
    key: SigningKey,
}

/// A key that verifies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Public {
    name: String,
    key: VerifyingKey,
}

impl Secret {
    /// A new key of 32 random bytes.
    pub fn new(name: &str, seed: &[u8; 32]) -> Self {
        Self { name: name.to_owned(), key: SigningKey::from_bytes(seed) }
    }

    /// `PRIVATE+KEY+name+id+base64`.
    pub fn parse(text: &str) -> Option<Self> {
        let rest = text.trim().strip_prefix("PRIVATE+KEY+")?;
        let (name, rest) = rest.split_once('+')?;
        let (_, key) = rest.split_once('+')?;
        let bytes = from_base64(key)?;
        let (kind, seed) = bytes.split_first()?;
        let seed: [u8; 32] = seed.try_into().ok()?;
        let parsed = (*kind == ED25519).then(|| Self::new(name, &seed))?;
        (parsed.text() == text.trim()).then_some(parsed)
    }

    /// The same as text.
    pub fn text(&self) -> String {
        let bytes = [&[ED25519][..], &self.key.to_bytes()].concat();
        format!("PRIVATE+KEY+{}+{:08x}+{}", self.name, self.public().id(), base64(&bytes))
    }

    /// The key that verifies what this one signs.
    pub fn public(&self) -> Public {
        Public { name: self.name.clone(), key: self.key.verifying_key() }
    }

    /// The text, which ends in a newline, with a signature.
    pub fn sign(&self, text: &str) -> String {
        format!("{text}\n{}", self.line(text))
    }

    /// The line of a signature.
    pub fn line(&self, text: &str) -> String {
        let signature = self.key.sign(text.as_bytes());
        let bytes = [&self.public().id().to_be_bytes()[..], &signature.to_bytes()].concat();
        format!("\u{2014} {} {}\n", self.name, base64(&bytes))
    }
}

impl Public {
    /// `name+id+base64`.
    pub fn parse(text: &str) -> Option<Self> {
        let (name, rest) = text.trim().split_once('+')?;
        let (id, key) = rest.split_once('+')?;
        let bytes = from_base64(key)?;
        let (kind, key) = bytes.split_first()?;
        let key = VerifyingKey::from_bytes(key.try_into().ok()?).ok()?;
        let parsed = Self { name: name.to_owned(), key };
        (*kind == ED25519 && format!("{:08x}", parsed.id()) == id).then_some(parsed)
    }

    /// The same as text.
    pub fn text(&self) -> String {
        format!("{}+{:08x}+{}", self.name, self.id(), base64(&self.typed()))
    }

    /// Who holds it.
    pub fn name(&self) -> &str {
        &self.name
    }

    fn typed(&self) -> Vec<u8> {
        [&[ED25519][..], self.key.as_bytes()].concat()
    }

    /// The first bytes of the hash of name and key.
    fn id(&self) -> u32 {
        let hash = Sha256::new().chain_update(&self.name).chain_update([b'\n']).chain_update(self.typed()).finalize();
        u32::from_be_bytes([hash[0], hash[1], hash[2], hash[3]])
    }
}

/// A note that was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// What is signed, with its last newline.
    pub text: String,
    /// Name, key id and signature of each line.
    signatures: Vec<(String, u32, Vec<u8>)>,
}

impl Note {
    /// Reads a note; none where it is none.
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

    /// Whether this key signed it.
    pub fn is_signed_by(&self, key: &Public) -> bool {
        self.signatures.iter().any(|(name, id, signature)| {
            *name == key.name
                && *id == key.id()
                && Signature::from_slice(signature)
                    .is_ok_and(|signature| key.key.verify_strict(self.text.as_bytes(), &signature).is_ok())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_note_is_signed_read_and_refused() {
        let secret = Secret::new("example.com/log", &[7; 32]);
        let public = Public::parse(&secret.public().text()).unwrap();
        let written = secret.sign("example.com/log\n3\nAAAA\n");
        let note = Note::parse(&written).unwrap();
        assert_eq!(note.text, "example.com/log\n3\nAAAA\n");
        assert!(note.is_signed_by(&public));
        assert!(!Note::parse(&written.replace("\n3\n", "\n4\n")).unwrap().is_signed_by(&public));
        assert!(!note.is_signed_by(&Secret::new("example.com/log", &[8; 32]).public()));
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
}
