//! Tells whether two places hold the same secret, without holding it.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// Whoever keeps fingerprints comparable between runs sets this; without it each run has a key of its own, which is
/// forgotten, and a fingerprint cannot be tried against a list of likely passwords.
const VARIABLE: &str = "GOVCTL_FINGERPRINT_KEY";

/// The key of fingerprints.
#[derive(Clone)]
pub struct Key(Hmac<Sha256>);

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Key(…)")
    }
}

impl Key {
    /// That of the environment, else a random one.
    pub fn of_this_run() -> Self {
        match std::env::var(VARIABLE) {
            Ok(key) if !key.is_empty() => Self::new(key.as_bytes()),
            _ => {
                let mut random = [0; 32];
                // Without randomness the run goes on: fingerprints then tell no more than before, and still no value.
                let _ = getrandom::fill(&mut random);
                Self::new(&random)
            }
        }
    }

    fn new(key: &[u8]) -> Self {
        Self(Hmac::new_from_slice(key).expect("a key of HMAC has any length"))
    }

    /// 64 bits of HMAC-SHA-256, in hex.
    pub fn fingerprint(&self, value: &str) -> String {
        let mut mac = self.0.clone();
        mac.update(value.as_bytes());
        mac.finalize().into_bytes().iter().take(8).map(|byte| format!("{byte:02x}")).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_values_have_equal_fingerprints_under_one_key_alone() {
        let (one, other) = (Key::new(b"one"), Key::new(b"other"));
        assert_eq!(one.fingerprint("x"), one.fingerprint("x"));
        assert_ne!(one.fingerprint("x"), one.fingerprint("y"));
        assert_ne!(one.fingerprint("x"), other.fingerprint("x"));
        assert_eq!(one.fingerprint("x").len(), 16);
    }
}
