//! The previous hash beside a digest of the row that no column stores.

use super::tries::Left;
use super::{Search, Under};
use crate::chain::algorithm::{Algorithm, Digest};
use crate::chain::encoding;
use crate::chain::form::Form;
use crate::chain::recipe::{Formula, Piece};
use std::rc::Rc;

/// What stands around a digest.
#[derive(Clone, Debug)]
pub(in crate::chain::discover) struct Outer {
    previous: Piece,
    bytes: Vec<u8>,
    between: &'static str,
    /// The previous hash stands first.
    first: bool,
    /// The digest is in hex.
    hex: bool,
}

impl Outer {
    /// The text that is hashed in the end.
    pub(super) fn around(&self, inner: &Digest) -> Vec<u8> {
        let mut digest = Vec::with_capacity(64);
        if self.hex {
            encoding::push_hex(inner.bytes(), &mut digest);
        } else {
            digest.extend_from_slice(inner.bytes());
        }
        let between = self.between.as_bytes();
        if self.first {
            [&self.bytes[..], between, &digest].concat()
        } else {
            [&digest[..], between, &self.bytes].concat()
        }
    }

    /// The same as pieces.
    pub(super) fn pieces(&self, algorithm: Algorithm, of: Vec<Piece>) -> Vec<Piece> {
        let digest = Piece::Hashed { algorithm, hex: self.hex, of };
        let between = Piece::literal(self.between);
        if self.first {
            vec![self.previous.clone(), between, digest]
        } else {
            vec![digest, between, self.previous.clone()]
        }
    }
}

impl Search<'_> {
    /// Lists and documents behind a digest.
    pub(super) fn inner(&self, target: usize, algorithms: &[Under], left: &mut Left) -> Option<Formula> {
        if !self.chained {
            return None;
        }
        let mut outer = Vec::new();
        for (form, hex, ways) in [
            (Form::Text, true, &[("", true), ("|", true), (":", true), ("", false)][..]),
            (Form::Digest, false, &[("", true), ("", false)]),
        ] {
            let previous = self.previous(form, b"");
            let bytes = self.bytes(target, &previous)?;
            outer.extend(ways.iter().map(|(between, first)| Outer {
                previous: previous.clone(),
                bytes: bytes.clone(),
                between,
                first: *first,
                hex,
            }));
        }
        let within = Search { chained: false, outer, tried: Rc::default(), ..self.clone() };
        let mut half = left.share(32);
        within.lists(target, algorithms, &mut half).or_else(|| {
            half.add(left.share(32));
            *left = half;
            within.members(target, algorithms, left)
        })
    }
}
