//! The outline of a document: what is the same for every way to write its values.

use super::members::Spelled;
use super::writing::Written;
use crate::chain::json_form::{Escaped, Style};
use crate::chain::recipe::Piece;

/// What stands at one place of a document.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Slot {
    /// A field.
    Field(usize),
    /// The same in another spelling: a document by its digest, a label in other letters.
    Other(usize),
    /// The previous hash as a member.
    #[default]
    Previous,
    /// The same beside the document: in which spelling?
    Outside(usize),
}

/// One member.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    /// Its key.
    pub key: String,
    /// Its value.
    pub slot: Slot,
    /// The object it is in, and its key there.
    pub group: Option<(String, String)>,
}

/// Where the previous hash is.
#[derive(Clone, Debug)]
pub(super) enum Stand {
    /// A member under this key: so many before it, or behind it.
    Before(String, usize),
    Behind(String, usize),
    /// Before the document, or behind it, with this between: in which spelling?
    Outside {
        first: bool,
        between: &'static str,
        spelling: usize,
    },
    Nowhere,
}

#[derive(Clone, Debug)]
enum Part {
    Text(Vec<u8>),
    Value(Slot),
}

/// A document but for its values.
#[derive(Clone, Debug)]
pub(super) struct Outline(Vec<Part>);

/// The other spelling of a field, where it has one, as a piece and as the row has it.
pub(super) type Other = Option<(Piece, Vec<u8>)>;

/// A row in one way, and where documents and labels have another spelling, that.
pub(super) struct Values<'a> {
    /// Each field.
    pub written: &'a Written,
    /// Its other spelling.
    pub others: &'a [Other],
    /// The previous hash.
    pub spelled: &'a Spelled,
}

impl Values<'_> {
    /// The piece and the bytes of a slot; none where there is no other spelling.
    fn bytes(&self, slot: Slot) -> Option<&[u8]> {
        Some(match slot {
            Slot::Field(field) => &self.written.bytes[field],
            Slot::Other(field) => &self.others[field].as_ref()?.1,
            Slot::Previous if self.is_repr() => &self.spelled.repr.1,
            Slot::Previous => &self.spelled.plain.1,
            Slot::Outside(spelling) => &self.spelled.outside[spelling].1,
        })
    }

    fn piece(&self, slot: Slot) -> Option<&Piece> {
        Some(match slot {
            Slot::Field(field) => &self.written.pieces[field],
            Slot::Other(field) => &self.others[field].as_ref()?.0,
            Slot::Previous if self.is_repr() => &self.spelled.repr.0,
            Slot::Previous => &self.spelled.plain.0,
            Slot::Outside(spelling) => &self.spelled.outside[spelling].0,
        })
    }

    fn is_repr(&self) -> bool {
        self.written.style.escaped == Escaped::Repr
    }
}

/// A document whose members are in no objects, as its outline writes it, but without one: most candidates fail, and fail fast.
/// The previous hash stands under this key, behind so many members. `false` where a value has no such spelling.
pub(super) fn write_flat(
    members: &[&Entry],
    previous: Option<(&str, usize)>,
    stand: &Stand,
    style: Style,
    values: &Values<'_>,
    out: &mut Vec<u8>,
) -> bool {
    out.clear();
    let outside = |is_first: bool| match stand {
        Stand::Outside { first, between, spelling } if *first == is_first => {
            Some((between.as_bytes(), values.bytes(Slot::Outside(*spelling)).unwrap_or_default()))
        }
        _ => None,
    };
    if let Some((between, hash)) = outside(true) {
        out.extend_from_slice(hash);
        out.extend_from_slice(between);
    }
    out.push(b'{');
    let mut number = 0;
    let mut push = |key: &str, slot: Slot, out: &mut Vec<u8>| {
        if number > 0 {
            out.extend_from_slice(style.comma.as_bytes());
        }
        number += 1;
        style.line(1, out);
        style.string(key, out);
        out.extend_from_slice(style.colon.as_bytes());
        values.bytes(slot).is_some_and(|bytes| {
            out.extend_from_slice(bytes);
            true
        })
    };
    let is_at = |at: usize| previous.filter(|(_, place)| *place == at);
    for (at, entry) in members.iter().enumerate() {
        if let Some((key, _)) = is_at(at) {
            push(key, Slot::Previous, out);
        }
        if !push(&entry.key, entry.slot, out) {
            return false;
        }
    }
    if let Some((key, _)) = is_at(members.len()) {
        push(key, Slot::Previous, out);
    }
    style.line(0, out);
    out.push(b'}');
    if let Some((between, hash)) = outside(false) {
        out.extend_from_slice(between);
        out.extend_from_slice(hash);
    }
    true
}

impl Stand {
    /// The key of the previous hash, and behind how many members it stands.
    pub(super) fn previous(&self, members: &[&Entry], sorted: bool) -> Option<(&str, usize)> {
        let (key, at) = match self {
            Self::Before(key, at) => (key, (*at).min(members.len())),
            Self::Behind(key, at) => (key, members.len().saturating_sub(*at)),
            _ => return None,
        };
        Some((key, if sorted { members.partition_point(|entry| entry.key < *key) } else { at }))
    }
}

impl Outline {
    /// A document of these members, the previous hash where it stands; none where two have one key.
    pub(super) fn of(members: &[Entry], stand: &Stand, style: Style) -> Option<Self> {
        let previous = |key: &String| Entry { key: key.clone(), slot: Slot::Previous, group: None };
        let mut entries: Vec<Entry> = members.to_vec();
        match stand {
            Stand::Before(key, at) => entries.insert((*at).min(members.len()), previous(key)),
            Stand::Behind(key, at) => entries.insert(members.len().saturating_sub(*at), previous(key)),
            _ => {}
        }
        let mut parted: Vec<(String, Vec<Entry>)> = Vec::with_capacity(entries.len());
        for entry in entries {
            let (key, is_group) = entry.group.as_ref().map_or((&entry.key, false), |(group, _)| (group, true));
            match parted.iter_mut().find(|(known, _)| known == key) {
                Some((_, of)) if is_group && of[0].group.is_some() => of.push(entry),
                Some(_) => return None,
                None => parted.push((key.clone(), vec![entry])),
            }
        }
        if style.sorted {
            parted.sort_by(|a, b| a.0.cmp(&b.0));
            let inner = |entry: &Entry| entry.group.as_ref().map(|(_, key)| key.clone());
            parted.iter_mut().for_each(|(_, of)| of.sort_by_cached_key(inner));
        }
        let mut parts = Vec::with_capacity(2 * members.len() + 6);
        if let Stand::Outside { first: true, between, spelling } = stand {
            parts.extend([Part::Value(Slot::Outside(*spelling)), Part::Text(between.as_bytes().to_vec())]);
        }
        let mut open = b"{".to_vec();
        style.line(1, &mut open);
        parts.push(Part::Text(open));
        let mut lead = Vec::new();
        let key = |lead: &mut Vec<u8>, number: usize, depth: usize, key: &str| {
            if number > 0 {
                lead.extend_from_slice(style.comma.as_bytes());
                style.line(depth, lead);
            }
            style.string(key, lead);
            lead.extend_from_slice(style.colon.as_bytes());
        };
        for (number, (name, of)) in parted.iter().enumerate() {
            key(&mut lead, number, 1, name);
            for (inner, entry) in of.iter().enumerate() {
                if let Some((_, name)) = &entry.group {
                    if inner == 0 {
                        lead.push(b'{');
                        style.line(2, &mut lead);
                    }
                    key(&mut lead, inner, 2, name);
                }
                parts.extend([Part::Text(std::mem::take(&mut lead)), Part::Value(entry.slot)]);
            }
            if of[0].group.is_some() {
                style.line(1, &mut lead);
                lead.push(b'}');
            }
        }
        style.line(0, &mut lead);
        lead.push(b'}');
        parts.push(Part::Text(lead));
        if let Stand::Outside { first: false, between, spelling } = stand {
            parts.extend([Part::Text(between.as_bytes().to_vec()), Part::Value(Slot::Outside(*spelling))]);
        }
        Some(Self(parts))
    }

    /// Writes the document of these values; `false` where one has no such spelling.
    pub(super) fn write(&self, values: &Values<'_>, out: &mut Vec<u8>) -> bool {
        out.clear();
        self.0.iter().all(|part| match part {
            Part::Text(text) => {
                out.extend_from_slice(text);
                true
            }
            Part::Value(slot) => values.bytes(*slot).is_some_and(|bytes| {
                out.extend_from_slice(bytes);
                true
            }),
        })
    }

    /// The same as pieces.
    pub(super) fn pieces(&self, values: &Values<'_>) -> Vec<Piece> {
        let piece = |part: &Part| match part {
            Part::Text(text) => Some(Piece::Literal(text.clone())),
            Part::Value(slot) => values.piece(*slot).cloned(),
        };
        self.0.iter().filter_map(piece).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_of_one_word_are_an_object() {
        let bytes: Vec<Vec<u8>> = ["\"u1\"", "\"user\"", "\"pay\""].map(|text| text.as_bytes().to_vec()).into();
        let piece = |text: &str| (Piece::literal(text), text.as_bytes().to_vec());
        let spelled = Spelled { outside: vec![piece("00ff")], plain: piece("\"00ff\""), repr: piece("'00ff'") };
        let entry = |field: usize, key: &str, group: Option<&str>| Entry {
            key: key.to_owned(),
            slot: Slot::Field(field),
            group: group.map(|inner| ("actor".to_owned(), inner.to_owned())),
        };
        let entries = [entry(1, "actor_type", Some("type")), entry(2, "act", None), entry(0, "actor_id", Some("id"))];
        let written = |style: Style, stand: &Stand| {
            let pieces = bytes.iter().map(|bytes| Piece::Literal(bytes.clone())).collect();
            let written = Written { style, pieces, bytes: bytes.clone() };
            let values = Values { written: &written, others: &[None, None, None], spelled: &spelled };
            let outline = Outline::of(&entries, stand, style)?;
            let mut out = Vec::new();
            assert!(outline.write(&values, &mut out));
            let literal = |piece: &Piece| if let Piece::Literal(text) = piece { text.clone() } else { Vec::new() };
            assert_eq!(outline.pieces(&values).iter().flat_map(literal).collect::<Vec<u8>>(), out);
            String::from_utf8(out).ok()
        };
        assert_eq!(
            written(Style::compact(false), &Stand::Behind("prev".into(), 0)).as_deref(),
            Some(r#"{"actor":{"type":"user","id":"u1"},"act":"pay","prev":"00ff"}"#)
        );
        assert_eq!(
            written(Style::python(true), &Stand::Outside { first: true, between: "|", spelling: 0 }).as_deref(),
            Some(r#"00ff|{"act": "pay", "actor": {"id": "u1", "type": "user"}}"#)
        );
        assert_eq!(
            written(Style::compact(true).lined(2), &Stand::Nowhere).as_deref(),
            Some("{\n  \"act\": \"pay\",\n  \"actor\": {\n    \"id\": \"u1\",\n    \"type\": \"user\"\n  }\n}")
        );
        // What is written fast is the same.
        let flat = [entry(1, "b", None), entry(2, "a", None), entry(0, "d", None)];
        let members: Vec<&Entry> = flat.iter().collect();
        let pieces = bytes.iter().map(|bytes| Piece::Literal(bytes.clone())).collect();
        let style = Style::python(false).lined(4);
        let of = Written { style, pieces, bytes: bytes.clone() };
        let values = Values { written: &of, others: &[None, None, None], spelled: &spelled };
        for stand in [
            Stand::Before("c".into(), 1),
            Stand::Behind("c".into(), 1),
            Stand::Outside { first: false, between: ":", spelling: 0 },
            Stand::Nowhere,
        ] {
            let (mut fast, mut slow) = (Vec::new(), Vec::new());
            let outline = Outline::of(&flat, &stand, style).unwrap();
            assert!(outline.write(&values, &mut slow));
            assert!(write_flat(&members, stand.previous(&members, false), &stand, style, &values, &mut fast));
            assert_eq!(String::from_utf8(fast), String::from_utf8(slow));
        }
        // Two of one key.
        assert_eq!(written(Style::compact(false), &Stand::Before("act".into(), 1)), None);
    }
}
