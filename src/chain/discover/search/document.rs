//! A document laid out: its members in their order, and what stands around them.

use super::members::{Constant, Place, Spelled};
use super::naming::Naming;
use super::writing::Written;
use crate::chain::form::Form;
use crate::chain::json_form::Escaped;
use crate::chain::recipe::Piece;

/// One member of a document.
#[derive(Clone, Copy, Debug)]
pub(super) enum Member<'a> {
    Field(usize),
    Previous(&'a str),
    Constant(&'a str, &'static str),
}

impl<'a> Member<'a> {
    fn key(&self, naming: &'a Naming) -> &'a str {
        match self {
            Self::Field(field) => &naming.keys[*field],
            Self::Previous(key) | Self::Constant(key, _) => key,
        }
    }
}

/// Members in their order; none where two would have one key.
pub(super) fn laid<'a>(
    order: &[usize],
    previous: usize,
    naming: &'a Naming,
    place: &'a Place,
    constant: Option<&'a Constant>,
    sorted: bool,
) -> Option<Vec<Member<'a>>> {
    // Where keys are sorted there is one place.
    if sorted && (!place.is_of_sorted() || naming.is_list || constant.is_some_and(|constant| constant.first)) {
        return None;
    }
    let key = place.key();
    let mut members: Vec<Member<'_>> = Vec::with_capacity(order.len() + 2);
    members.extend(order.iter().map(|field| match key {
        Some(key) if *field == previous => Member::Previous(key),
        _ => Member::Field(*field),
    }));
    if let Some(key) = key
        && !order.contains(&previous)
    {
        let at = match place {
            Place::First(_) => 0,
            Place::BeforeLast(_) => members.len().checked_sub(1)?,
            _ => members.len(),
        };
        members.insert(at, Member::Previous(key));
    }
    if let Some(constant) = constant {
        if naming.is_list {
            return None;
        }
        let at = if constant.first { 0 } else { members.len() };
        members.insert(at, Member::Constant(&constant.key, constant.value));
    }
    if naming.is_list {
        return Some(members);
    }
    if sorted {
        members.sort_unstable_by(|a, b| a.key(naming).cmp(b.key(naming)));
        let alike = |two: &[Member<'_>]| two[0].key(naming) == two[1].key(naming);
        return (!members.windows(2).any(alike)).then_some(members);
    }
    let taken = |at: usize| members[..at].iter().any(|other| other.key(naming) == members[at].key(naming));
    (1..members.len()).all(|at| !taken(at)).then_some(members)
}

/// A name was given to a field that is left out, beside others: the same as without.
pub(super) fn is_renamed(naming: &Naming, mask: u32) -> bool {
    naming.other.count_ones() <= 2 && naming.other & !mask != 0
}

/// All of one document.
pub(super) struct Document<'a> {
    pub(super) members: Vec<Member<'a>>,
    pub(super) naming: &'a Naming,
    pub(super) place: &'a Place,
    pub(super) written: &'a Written,
    pub(super) spelled: &'a Spelled,
    pub(super) outside: &'a (Piece, Vec<u8>),
    pub(super) tag: &'a [u8],
}

/// A part of what stands around a document.
enum Beside<'a> {
    Text(Vec<u8>),
    Previous(&'a (Piece, Vec<u8>)),
}

impl Beside<'_> {
    fn write(&self, out: &mut Vec<u8>) {
        match self {
            Self::Text(text) => out.extend_from_slice(text),
            Self::Previous((_, bytes)) => out.extend_from_slice(bytes),
        }
    }

    fn piece(self) -> Piece {
        match self {
            Self::Text(text) => Piece::Literal(text),
            Self::Previous((piece, _)) => piece.clone(),
        }
    }
}

impl Document<'_> {
    fn within(&self) -> &(Piece, Vec<u8>) {
        if self.written.style.escaped == Escaped::Repr { &self.spelled.repr } else { &self.spelled.plain }
    }

    fn around(&self) -> (&'static str, &'static str) {
        match (self.naming.is_list, self.written.style.escaped) {
            (true, Escaped::Repr) => ("(", ")"),
            (true, _) => ("[", "]"),
            (false, _) => ("{", "}"),
        }
    }

    /// What stands around the document, where it is a member beside the previous hash.
    fn beside(&self) -> [Vec<Beside<'_>>; 2] {
        let Place::Beside { previous, document, .. } = self.place else { return Default::default() };
        let style = self.written.style;
        let key = |open: &str, key: &str| {
            let mut lead = open.as_bytes().to_vec();
            style.string(key, &mut lead);
            lead.extend_from_slice(style.colon.as_bytes());
            Beside::Text(lead)
        };
        // Where keys are sorted, the first of two places stands for both.
        if self.place.is_before(style.sorted) {
            let open = vec![key("{", previous), Beside::Previous(self.within()), key(style.comma, document)];
            [open, vec![Beside::Text(b"}".to_vec())]]
        } else {
            let close = vec![key(style.comma, previous), Beside::Previous(self.within()), Beside::Text(b"}".to_vec())];
            [vec![key("{", document)], close]
        }
    }

    fn lead(&self, number: usize, member: &Member<'_>, out: &mut Vec<u8>) {
        let style = self.written.style;
        if number > 0 {
            out.extend_from_slice(style.comma.as_bytes());
        }
        if !self.naming.is_list {
            style.string(member.key(self.naming), out);
            out.extend_from_slice(style.colon.as_bytes());
        }
    }

    pub(super) fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(self.tag);
        if let Place::Before(between) | Place::Both(between, _) = self.place {
            out.extend_from_slice(&self.outside.1);
            out.extend_from_slice(between.as_bytes());
        }
        let [before, behind] = self.beside();
        before.iter().for_each(|beside| beside.write(out));
        let (open, close) = self.around();
        out.extend_from_slice(open.as_bytes());
        for (number, member) in self.members.iter().enumerate() {
            self.lead(number, member, out);
            match member {
                Member::Field(field) => out.extend_from_slice(&self.written.bytes[*field]),
                Member::Previous(_) => out.extend_from_slice(&self.within().1),
                Member::Constant(_, value) => out.extend_from_slice(value.as_bytes()),
            }
        }
        out.extend_from_slice(close.as_bytes());
        behind.iter().for_each(|beside| beside.write(out));
        if let Place::Behind(between) = self.place {
            out.extend_from_slice(between.as_bytes());
            out.extend_from_slice(&self.outside.1);
        }
    }

    /// The same as pieces: an opening, a literal before each value, a closing.
    pub(super) fn pieces(&self) -> Vec<Piece> {
        let mut pieces = Vec::new();
        if !self.tag.is_empty() {
            pieces.push(Piece::Literal(self.tag.to_vec()));
        }
        if let Place::Before(between) | Place::Both(between, _) = self.place {
            pieces.extend([self.outside.0.clone(), Piece::literal(between)]);
        }
        let [before, behind] = self.beside();
        pieces.extend(before.into_iter().map(Beside::piece));
        let listed: Box<[String]> = self.members.iter().map(|member| member.key(self.naming).to_owned()).collect();
        let (open, close) = self.around();
        pieces.push(Piece::literal(open));
        for (number, member) in self.members.iter().enumerate() {
            let mut lead = Vec::new();
            self.lead(number, member, &mut lead);
            pieces.push(Piece::Literal(lead));
            pieces.push(match member {
                Member::Field(field) => match &self.written.pieces[*field] {
                    // The names are those of this document.
                    Piece::Item { at, form: Form::Listed(style, _), null } => {
                        Piece::Item { at: *at, form: Form::Listed(*style, listed.clone()), null: null.clone() }
                    }
                    piece => piece.clone(),
                },
                Member::Previous(_) => self.within().0.clone(),
                Member::Constant(_, value) => Piece::literal(value),
            });
        }
        pieces.push(Piece::literal(close));
        pieces.extend(behind.into_iter().map(Beside::piece));
        if let Place::Behind(between) = self.place {
            pieces.extend([Piece::literal(between), self.outside.0.clone()]);
        }
        pieces
    }
}
