//! What a document is made of beside its fields, laid out once for every choice of them: most candidates fail, and fail
//! fast.

use super::document::{Document, is_renamed, laid};
use super::members::{Constant, Place, Spelled};
use super::naming::Naming;
use super::writing::Written;
use crate::chain::json_form::{Escaped, Style};

/// Names, the place of the previous hash, a member that is always the same.
pub(super) struct Trial {
    naming: Naming,
    place: Place,
    constant: Option<Constant>,
    /// Which spelling of the previous hash stands outside.
    outside: usize,
    /// Keys in quotes, as JSON has them and as Python prints them: of each field, of the previous hash, of the constant, of
    /// the document where the previous hash is beside it.
    quoted: [Vec<Vec<u8>>; 2],
    /// Members by their keys.
    sorted: Vec<usize>,
    /// Members with one key, as bits.
    alike: Vec<u32>,
    /// A key that styles write in different ways.
    is_odd: bool,
}

impl Trial {
    /// One for each spelling of the previous hash.
    pub(super) fn all(naming: &Naming, place: &Place, constant: Option<&Constant>, outsides: usize) -> Vec<Self> {
        let spellings = match place {
            Place::Before(_) | Place::Behind(_) | Place::Both(..) => outsides,
            _ => outsides.min(1),
        };
        (0..spellings).map(|outside| Self::new(naming, place, constant, outside)).collect()
    }

    fn new(naming: &Naming, place: &Place, constant: Option<&Constant>, outside: usize) -> Self {
        let previous = place.name().unwrap_or_default();
        let beside = if let Place::Beside { document, .. } = place { document } else { "" };
        let constant_key = constant.map_or("", |constant| constant.key.as_str());
        let keys: Vec<&str> = naming.keys.iter().map(String::as_str).chain([previous, constant_key, beside]).collect();
        let quoted = |style: Style| {
            let one = |key: &&str| {
                let mut quoted = Vec::with_capacity(key.len() + 2);
                style.string(key, &mut quoted);
                quoted
            };
            keys.iter().map(one).collect()
        };
        let mut sorted: Vec<usize> = (0..keys.len()).collect();
        sorted.sort_by_key(|member| keys[*member]);
        let pairs = (0..keys.len()).flat_map(|a| (0..a).map(move |b| (a, b)));
        let alike = pairs.filter(|(a, b)| keys[*a] == keys[*b]).map(|(a, b)| 1 << a | 1 << b).collect();
        let is_plain = |key: &&str| key.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        Self {
            quoted: [quoted(Style::compact(true)), quoted(Style::REPR)],
            sorted,
            alike,
            is_odd: !keys.iter().all(is_plain),
            naming: naming.clone(),
            place: place.clone(),
            constant: constant.cloned(),
            outside,
        }
    }

    /// Writes the document of these fields; `false` where it cannot be, or is another's.
    pub(super) fn write(
        &self,
        order: &[usize],
        written: &Written,
        spelled: &Spelled,
        sorted: bool,
        out: &mut Vec<u8>,
    ) -> bool {
        out.clear();
        if self.is_odd || self.naming.is_list {
            let document = self.document(order, written, spelled, sorted);
            document.as_ref().inspect(|document| document.write(out));
            return document.is_some();
        }
        let fields = self.naming.keys.len();
        let (previous, constant) = (fields, fields + 1);
        let mask: u32 = order.iter().map(|field| 1 << field).sum();
        if self.naming.other != 0 && self.naming.other & mask == 0 || is_renamed(&self.naming, mask) {
            return false;
        }
        let is_within = self.place.key().is_some();
        if sorted && (!self.place.is_of_sorted() || self.constant.as_ref().is_some_and(|constant| constant.first)) {
            return false;
        }
        let all = mask | u32::from(is_within) << previous | u32::from(self.constant.is_some()) << constant;
        if self.alike.iter().any(|alike| all & alike == *alike) {
            return false;
        }
        let outside = &spelled.outside[self.outside].1;
        if let Place::Before(between) | Place::Both(between, _) = self.place {
            out.extend_from_slice(outside);
            out.extend_from_slice(between.as_bytes());
        }
        let style = written.style;
        let is_repr = style.escaped == Escaped::Repr;
        let within = if is_repr { &spelled.repr.1 } else { &spelled.plain.1 };
        let quoted = &self.quoted[usize::from(is_repr)];
        let is_beside = matches!(self.place, Place::Beside { .. });
        let is_before = is_beside && self.place.is_before(style.sorted);
        let key = |lead: &str, member: usize, out: &mut Vec<u8>| {
            out.extend_from_slice(lead.as_bytes());
            out.extend_from_slice(&quoted[member]);
            out.extend_from_slice(style.colon.as_bytes());
        };
        if is_before {
            key("{", previous, out);
            out.extend_from_slice(within);
            key(style.comma, constant + 1, out);
        } else if is_beside {
            key("{", constant + 1, out);
        }
        out.push(b'{');
        let open = out.len();
        let mut push = |member: usize| {
            if out.len() > open {
                out.extend_from_slice(style.comma.as_bytes());
            }
            out.extend_from_slice(&quoted[member]);
            out.extend_from_slice(style.colon.as_bytes());
            out.extend_from_slice(match (written.bytes.get(member), &self.constant) {
                (Some(bytes), _) => bytes,
                (None, Some(of)) if member == constant => of.value.as_bytes(),
                (None, _) => within,
            });
        };
        if sorted {
            self.sorted.iter().filter(|member| all >> **member & 1 == 1).for_each(|member| push(*member));
        } else {
            let constant_first = self.constant.as_ref().is_some_and(|constant| constant.first);
            if constant_first {
                push(constant);
            }
            let at = match self.place {
                Place::First(_) => 0,
                Place::BeforeLast(_) => order.len().saturating_sub(1),
                _ => order.len(),
            };
            order[..at].iter().for_each(|field| push(*field));
            if is_within {
                push(previous);
            }
            order[at..].iter().for_each(|field| push(*field));
            if self.constant.is_some() && !constant_first {
                push(constant);
            }
        }
        out.push(b'}');
        if is_beside {
            if !is_before {
                key(style.comma, previous, out);
                out.extend_from_slice(within);
            }
            out.push(b'}');
        }
        if let Place::Behind(between) = self.place {
            out.extend_from_slice(between.as_bytes());
            out.extend_from_slice(outside);
        }
        true
    }

    /// The same, as what a formula is made of.
    pub(super) fn document<'a>(
        &'a self,
        order: &[usize],
        written: &'a Written,
        spelled: &'a Spelled,
        sorted: bool,
    ) -> Option<Document<'a>> {
        let mask: u32 = order.iter().map(|field| 1 << field).sum();
        let Self { naming, place, constant, outside, .. } = self;
        if naming.other != 0 && naming.other & mask == 0 || is_renamed(naming, mask) {
            return None;
        }
        let members = laid(order, naming.keys.len(), naming, place, constant.as_ref(), sorted)?;
        Some(Document { members, naming, place, written, spelled, outside: &spelled.outside[*outside], tag: &[] })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chain::recipe::Piece;

    #[test]
    fn what_is_written_fast_is_what_the_formula_says() {
        let bytes: Vec<Vec<u8>> = ["1", "\"x\"", "null"].map(|text| text.as_bytes().to_vec()).into();
        let named = |keys: [&str; 3], other| Naming { keys: keys.map(str::to_owned).into(), is_list: false, other };
        let namings = [
            named(["id", "actor", "action"], 0),
            named(["id", "prev", "zeta"], 2),
            Naming { is_list: true, ..named(["", "", ""], 0) },
            named(["a/b", "a", "c"], 0),
        ];
        let places = [
            Place::Before("|"),
            Place::Behind(""),
            Place::Both(":", "prev".to_owned()),
            Place::First("prev".to_owned()),
            Place::Last("prev".to_owned()),
            Place::BeforeLast("prev".to_owned()),
            Place::Beside { previous: "prev".to_owned(), document: "data", first: true },
            Place::Beside { previous: "prev".to_owned(), document: "data", first: false },
            Place::Beside { previous: "prev".to_owned(), document: "record", first: false },
            Place::Nowhere,
        ];
        let constant = |first| Some(Constant { key: "v".to_owned(), value: "1", first });
        let piece = |text: &str| (Piece::literal(text), text.as_bytes().to_vec());
        let spelled = Spelled { outside: vec![piece("00ff")], plain: piece("\"00ff\""), repr: piece("'00ff'") };
        let mut tried = 0;
        for style in [Style::compact(true), Style::compact(false), Style::REPR, Style::python(true)] {
            let pieces = bytes.iter().map(|_| Piece::literal("")).collect();
            let written = Written { style, pieces, bytes: bytes.clone() };
            for naming in &namings {
                for place in &places {
                    for constant in [None, constant(true), constant(false)] {
                        let trial = Trial::new(naming, place, constant.as_ref(), 0);
                        for order in [&[0, 1, 2][..], &[2, 0], &[1]] {
                            for sorted in [true, false] {
                                let (mut fast, mut slow) = (Vec::new(), Vec::new());
                                let is = trial.write(order, &written, &spelled, sorted, &mut fast);
                                let document = trial.document(order, &written, &spelled, sorted);
                                assert_eq!(is, document.is_some(), "{naming:?} {place:?} {constant:?} {order:?}");
                                if let Some(document) = document {
                                    document.write(&mut slow);
                                    assert_eq!(String::from_utf8(fast), String::from_utf8(slow));
                                    tried += 1;
                                }
                            }
                        }
                    }
                }
            }
        }
        assert!(tried > 500, "{tried}");
    }
}
