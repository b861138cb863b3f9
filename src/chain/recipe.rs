//! A recipe: how a row becomes bytes, and the bytes a hash.
//!
//! A formula is an algorithm over pieces. Pieces that govctl understands are written in Rust from the binary values;
//! others are expressions that the server renders, one more column of the same COPY; in the last resort the server
//! gives the whole hash. All of them meet in one type, so that one engine verifies every layout.

use super::algorithm::{Algorithm, Digest};
use super::encoding;
use super::form::{self, Form};
use super::value::{Fields, Kind};

/// A column of the stream the recipe reads.
#[derive(Clone, Debug, PartialEq)]
pub struct Item {
    /// SQL over `t` (and `e`, the table beside it).
    pub sql: String,
    /// What its binary form means.
    pub kind: Kind,
    /// The column it is, where it is one.
    pub column: Option<String>,
}

/// What a null contributes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Null {
    /// The whole preimage is null: so is the hash, and the row has none.
    All,
    /// These bytes.
    Bytes(Vec<u8>),
}

/// A part of a preimage.
#[derive(Clone, Debug, PartialEq)]
pub enum Piece {
    /// Always the same bytes.
    Literal(Vec<u8>),
    /// A value.
    Item {
        /// Its number in the stream.
        at: usize,
        /// Its spelling.
        form: Form,
        /// What a null is.
        null: Null,
    },
    /// Items `0..count` with their lengths, as COPY sends them: recipe v1.
    Frames(usize),
    /// The hash of the row before, where no column repeats it.
    Last {
        /// Its spelling.
        form: Form,
        /// What the first row has instead.
        genesis: Vec<u8>,
    },
    /// Pieces with a separator between those that are not null: `concat_ws`.
    Joined(Vec<u8>, Vec<Self>),
    /// Bytes and what they lead to; null where that is.
    Led(Vec<u8>, Box<Self>),
    /// A digest of pieces that no column stores: its hex, or its bytes.
    Hashed {
        /// With what.
        algorithm: Algorithm,
        /// In hex.
        hex: bool,
        /// Of what.
        of: Vec<Self>,
    },
}

/// What a row is verified with beside its own values.
#[derive(Clone, Copy, Debug, Default)]
pub struct Context<'a> {
    /// The hash of the row before, for pieces that need it.
    pub last: Option<&'a Digest>,
    /// The secret of a keyed chain.
    pub key: Option<&'a [u8]>,
    /// Takes the place of an item: the previous hash a row should have named.
    pub instead: Option<(usize, Option<&'a [u8]>)>,
}

/// The source of a formula that nobody wrote down.
pub const SEARCHED: &str = "found by search";

/// One way to hash a row.
#[derive(Clone, Debug, PartialEq)]
pub struct Formula {
    /// With what.
    pub algorithm: Algorithm,
    /// An HMAC under the chain's key.
    pub keyed: bool,
    /// Of what.
    pub pieces: Vec<Piece>,
    /// The text is cast to bytea, so that backslashes in it are read.
    pub unescaped: bool,
    /// The server computes the hash itself, in this item; pieces are then empty.
    pub computed: Option<usize>,
    /// Where the formula comes from, in words.
    pub source: String,
}

impl Formula {
    /// Pieces under an algorithm.
    pub fn new(algorithm: Algorithm, pieces: Vec<Piece>, source: impl Into<String>) -> Self {
        Self { algorithm, keyed: false, pieces, unescaped: false, computed: None, source: source.into() }
    }

    /// Nobody wrote it down: it fits the rows that were looked at.
    pub fn is_searched(&self) -> bool {
        self.source.starts_with(SEARCHED)
    }

    /// Needs the rows in order.
    pub fn needs_last(&self) -> bool {
        fn any(pieces: &[Piece]) -> bool {
            pieces.iter().any(|piece| match piece {
                Piece::Last { .. } => true,
                Piece::Hashed { of, .. } => any(of),
                _ => false,
            })
        }
        any(&self.pieces)
    }

    /// The hash of a row; none where the formula gives null or the row does not fit it. `buffer` is scratch space.
    pub fn hash(
        &self,
        items: &[Item],
        fields: &Fields,
        tuple: &[u8],
        context: &Context<'_>,
        buffer: &mut Vec<u8>,
    ) -> Option<Digest> {
        if let Some(at) = self.computed {
            return encoding::decode(fields.get(tuple, at)?, items[at].kind == Kind::Bytes).map(|(digest, _)| digest);
        }
        buffer.clear();
        if !self.pieces.iter().all(|piece| piece.write(items, fields, tuple, context, buffer)) {
            return None;
        }
        let key = if self.keyed { Some(context.key?) } else { None };
        if self.unescaped {
            return Some(self.algorithm.digest(key, &form::bytea_input(buffer)?));
        }
        Some(self.algorithm.digest(key, buffer))
    }

    /// The items it reads.
    pub fn reads(&self) -> Vec<usize> {
        let mut read = Vec::new();
        self.pieces.iter().for_each(|piece| piece.reads(&mut read));
        read.extend(self.computed);
        read
    }

    /// Those with a spelling of this sort.
    pub fn spelled(&self, test: fn(&Form) -> bool) -> Vec<usize> {
        let mut found = Vec::new();
        self.pieces.iter().for_each(|piece| piece.spelled(test, &mut found));
        found
    }
}

impl Piece {
    /// An item whose null makes everything null.
    pub fn item(at: usize, form: Form) -> Self {
        Self::Item { at, form, null: Null::All }
    }

    /// Text.
    pub fn literal(text: &str) -> Self {
        Self::Literal(text.as_bytes().to_vec())
    }

    /// The pieces in it.
    pub fn within(&mut self) -> &mut [Self] {
        match self {
            Self::Joined(_, pieces) | Self::Hashed { of: pieces, .. } => pieces,
            Self::Led(_, piece) => std::slice::from_mut(&mut **piece),
            _ => &mut [],
        }
    }

    fn spelled(&self, test: fn(&Form) -> bool, found: &mut Vec<usize>) {
        match self {
            Self::Item { at, form, .. } if test(form) => found.push(*at),
            Self::Joined(_, pieces) | Self::Hashed { of: pieces, .. } => {
                pieces.iter().for_each(|piece| piece.spelled(test, found));
            }
            Self::Led(_, piece) => piece.spelled(test, found),
            _ => {}
        }
    }

    fn reads(&self, read: &mut Vec<usize>) {
        match self {
            Self::Item { at, .. } => read.push(*at),
            Self::Frames(count) => read.extend(0..*count),
            Self::Joined(_, pieces) => pieces.iter().for_each(|piece| piece.reads(read)),
            Self::Led(_, piece) => piece.reads(read),
            Self::Hashed { of, .. } => of.iter().for_each(|piece| piece.reads(read)),
            Self::Literal(_) | Self::Last { .. } => {}
        }
    }

    /// Appends the piece; `false` where it is null.
    pub(super) fn write(
        &self,
        items: &[Item],
        fields: &Fields,
        tuple: &[u8],
        context: &Context<'_>,
        out: &mut Vec<u8>,
    ) -> bool {
        match self {
            Self::Literal(bytes) => {
                out.extend_from_slice(bytes);
                true
            }
            Self::Item { at, form, null } => {
                let value = match context.instead {
                    Some((item, value)) if item == *at => value,
                    _ => fields.get(tuple, *at),
                };
                match (value, null) {
                    (Some(value), _) => form.write(items[*at].kind, value, out),
                    (None, Null::Bytes(bytes)) => {
                        out.extend_from_slice(bytes);
                        true
                    }
                    (None, Null::All) => false,
                }
            }
            Self::Frames(count) => {
                out.extend_from_slice(fields.frames(tuple, *count));
                true
            }
            Self::Last { form, genesis } => match context.last {
                Some(last) => form.write(Kind::Bytes, last.bytes(), out),
                None => {
                    out.extend_from_slice(genesis);
                    true
                }
            },
            Self::Led(lead, piece) => {
                out.extend_from_slice(lead);
                piece.write(items, fields, tuple, context, out)
            }
            Self::Hashed { algorithm, hex, of } => {
                let mut inner = Vec::new();
                if !of.iter().all(|piece| piece.write(items, fields, tuple, context, &mut inner)) {
                    return false;
                }
                let digest = algorithm.digest(None, &inner);
                if *hex {
                    encoding::push_hex(digest.bytes(), out);
                } else {
                    out.extend_from_slice(digest.bytes());
                }
                true
            }
            Self::Joined(separator, pieces) => {
                let mut first = true;
                for piece in pieces {
                    let start = out.len();
                    if !first {
                        out.extend_from_slice(separator);
                    }
                    if piece.write(items, fields, tuple, context, out) {
                        first = false;
                    } else {
                        out.truncate(start);
                    }
                }
                true
            }
        }
    }
}
