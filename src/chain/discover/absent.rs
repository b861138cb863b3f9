//! What a program leaves out of a preimage with all that belongs to it: nulls, as `JSON.stringify` drops what is undefined and
//! `concat_ws` what is null; for some what is empty, too.
//!
//! A formula is found on a full row. Where no row is full, as of two columns one always is null, it is found without
//! what its row had not, and grows by that on the rows it leaves over.

use super::evaluate::Sample;
use super::search::{clocks, names};
use crate::chain::form::{Form, Fraction};
use crate::chain::items::Column;
use crate::chain::json_form::Style;
use crate::chain::recipe::{Formula, Item, Null, Piece};
use crate::chain::value::Kind;

/// Rows on which a formula grows.
const ROWS: usize = 12;

/// Columns by which it may grow on one row.
const MOST: usize = 2;

/// Of so many rows that a formula explains one at most may have what it does not read: somebody may have put it there.
const SELDOM: usize = 10;

/// What becomes of a value that is not there.
#[derive(Clone, Copy, PartialEq)]
enum Absent {
    /// It has a word.
    Said,
    /// It is left out.
    Dropped,
    /// So is what is empty.
    Omitted,
}

/// The formula that leaves out what the rows leave out: of each member as they show it.
pub(super) fn left_out(sample: &Sample, formula: Formula, items: &[Item], key: Option<&[u8]>) -> Formula {
    let Some(parted) = Parted::of(&formula) else { return formula };
    let count = |formula: &Formula| sample.matches(formula, items, key).into_iter().filter(|matches| *matches).count();
    let said = count(&formula);
    if said == sample.explainable() {
        return formula;
    }
    let all = |absent| vec![absent; parted.members.len()];
    let mut best = (said, all(Absent::Said));
    for absent in [Absent::Dropped, Absent::Omitted] {
        let explained = count(&parted.formula(&formula, &all(absent)));
        if explained > best.0 {
            best = (explained, all(absent));
        }
    }
    // One member may have a word for nothing where others are left out.
    for at in 0..parted.members.len() {
        for absent in [Absent::Said, Absent::Dropped, Absent::Omitted] {
            let mut other = best.1.clone();
            if other[at] != absent {
                other[at] = absent;
                let explained = count(&parted.formula(&formula, &other));
                if explained > best.0 {
                    best = (explained, other);
                }
            }
        }
    }
    if best.0 == said { formula } else { parted.formula(&formula, &best.1) }
}

/// Fewer rows than are sampled of a table: all of them.
const WHOLE: usize = 1000;

/// Where rows were updated, a null that no other row has says nothing of how nulls are hashed: what its row held may have been
/// the very word. Its row is then not explained, and is weighed as others are that have something new.
pub(super) fn unproven(sample: &Sample, formulas: &mut [Formula], items: &[Item], prev: Option<usize>) {
    if sample.rows.len() > WHOLE {
        return;
    }
    let is_alone = |at: usize| sample.rows.iter().filter(|row| row.get(at).is_none()).take(2).count() == 1;
    for formula in formulas.iter_mut().filter(|formula| formula.is_searched()) {
        let alone: Vec<usize> = formula.reads().into_iter().filter(|at| prev != Some(*at) && is_alone(*at)).collect();
        no_word(&mut formula.pieces, &alone, items);
    }
}

fn no_word(pieces: &mut [Piece], of: &[usize], items: &[Item]) {
    for piece in pieces {
        if let Piece::Item { at, form, null } = piece
            && of.contains(at)
            && matches!(null, Null::Bytes(word) if is_value(items[*at].kind, form, word))
        {
            *null = Null::All;
        }
        no_word(piece.within(), of, items);
    }
}

/// A value of this kind may be written as this word.
fn is_value(kind: Kind, form: &Form, word: &[u8]) -> bool {
    match (kind, form) {
        (_, Form::Json(..)) if kind.is_text() => word.starts_with(b"\""),
        _ if kind.is_text() => true,
        (Kind::Json | Kind::Jsonb, _) => serde_json::from_slice::<serde_json::Value>(word).is_ok(),
        (Kind::Int | Kind::Rendered, _) => word.first().is_some_and(u8::is_ascii_digit),
        (Kind::Bool, Form::Bool(yes, no)) => [*yes, *no].contains(&std::str::from_utf8(word).unwrap_or("?")),
        _ => matches!(word, b"true" | b"false"),
    }
}

/// A formula as members with something between them, and what stands around all of them.
struct Parted {
    before: Vec<Piece>,
    between: Vec<u8>,
    members: Vec<Piece>,
    after: Vec<Piece>,
}

impl Parted {
    fn of(formula: &Formula) -> Option<Self> {
        let pieces = &formula.pieces;
        if let Some(at) = pieces.iter().position(|piece| matches!(piece, Piece::Joined(..)))
            && let Piece::Joined(between, members) = &pieces[at]
        {
            let (before, after) = (pieces[..at].to_vec(), pieces[at + 1..].to_vec());
            return Some(Self { before, between: between.clone(), members: members.clone(), after });
        }
        if let Some((open, close)) = document(pieces) {
            let mut members = Vec::new();
            let mut between: &[u8] = b",";
            for pair in pieces[open + 1..close].chunks(2) {
                let [Piece::Literal(lead), value] = pair else { return None };
                // The comma of the style stands before every member but the first.
                let key = lead.iter().position(|byte| *byte == b'"')?;
                if !members.is_empty() {
                    between = &lead[..key];
                }
                members.push(Piece::Led(lead[key..].to_vec(), Box::new(value.clone())));
            }
            let (before, after) = (pieces[..=open].to_vec(), pieces[close..].to_vec());
            return Some(Self { before, between: between.to_vec(), members, after });
        }
        let Piece::Literal(between) = pieces.get(1)? else { return None };
        let is = |(at, piece): (usize, &Piece)| (at % 2 == 1) == matches!(piece, Piece::Literal(_));
        let same = pieces.iter().skip(1).step_by(2).all(|piece| *piece == Piece::Literal(between.clone()));
        (same && pieces.iter().enumerate().all(is)).then(|| Self {
            before: Vec::new(),
            between: between.clone(),
            members: pieces.iter().step_by(2).cloned().collect(),
            after: Vec::new(),
        })
    }

    /// The formula of members of which each leaves out what it does.
    fn formula(&self, of: &Formula, absent: &[Absent]) -> Formula {
        let members = self.members.iter().zip(absent).map(|(member, absent)| without(member, *absent)).collect();
        let joined = std::iter::once(Piece::Joined(self.between.clone(), members));
        let pieces = self.before.iter().cloned().chain(joined).chain(self.after.iter().cloned()).collect();
        Formula { pieces, ..of.clone() }
    }
}

fn without(member: &Piece, absent: Absent) -> Piece {
    match (member, absent) {
        (Piece::Led(lead, value), _) => Piece::Led(lead.clone(), Box::new(without(value, absent))),
        (Piece::Item { at, form, .. }, Absent::Dropped) => Piece::item(*at, form.clone()),
        (Piece::Item { at, form, .. }, Absent::Omitted) => Piece::item(*at, Form::Present(Box::new(form.clone()))),
        (member, _) => member.clone(),
    }
}

/// The formula with columns that are null where it fits, found on rows it leaves over.
pub(super) fn grown(
    sample: &Sample,
    mut formula: Formula,
    items: &[Item],
    columns: &[Column],
    fields: &[usize],
    key: Option<&[u8]>,
) -> Formula {
    let mut buffer = Vec::new();
    for _ in 0..ROWS {
        let Some(parted) = Parted::of(&formula) else { return formula };
        let matches = sample.matches(&formula, items, key);
        let read = formula.reads();
        let explained = matches.iter().filter(|matches| **matches).count();
        let is_new = |field: &usize| {
            let has = |row: &usize| matches[*row] && sample.rows[*row].get(*field).is_some();
            !read.contains(field) && (0..matches.len()).filter(has).count() * SELDOM <= explained
        };
        let new: Vec<usize> = fields.iter().copied().filter(is_new).collect();
        let has = |row: usize| -> Vec<usize> {
            new.iter().copied().filter(|field| sample.rows[row].get(*field).is_some()).collect()
        };
        let left = (0..matches.len()).filter(|row| !matches[*row] && sample.hashes[*row].is_some());
        let mut left: Vec<(Vec<usize>, usize)> = left.map(|row| (has(row), row)).collect();
        left.retain(|(new, _)| (1..=MOST).contains(&new.len()));
        left.sort();
        left.sort_by_key(|(new, _)| new.len());
        left.dedup_by(|a, b| a.0 == b.0);
        let dropped = vec![Absent::Dropped; parted.members.len()];
        let grown = left.into_iter().take(ROWS).find_map(|(new, row)| {
            let explains =
                |formula: &Formula, buffer: &mut Vec<u8>| sample.matches_row(formula, items, key, row, buffer);
            let mut bases = vec![parted.formula(&formula, &dropped)];
            for (number, field) in new.iter().enumerate() {
                let is_last = number + 1 == new.len();
                let mut longer = Vec::new();
                for base in &bases {
                    for other in with(base, *field, items, &columns[*field], is_last && number == 0) {
                        if is_last && explains(&other, &mut buffer) {
                            return Some(other);
                        }
                        longer.extend((!is_last).then_some(other));
                    }
                }
                bases = longer;
            }
            None
        });
        let grown = grown.map(|other| left_out(sample, other, items, key));
        match grown.filter(|other| sample.matches(other, items, key).into_iter().filter(|it| *it).count() > explained) {
            Some(other) => formula = other,
            None => return formula,
        }
    }
    formula
}

/// The formula with one more member: in every place, by every name, in every spelling.
fn with(formula: &Formula, at: usize, items: &[Item], column: &Column, every_name: bool) -> Vec<Formula> {
    let Some(parted) = Parted::of(formula) else { return Vec::new() };
    let leads: Vec<&[u8]> = parted.members.iter().filter_map(lead).collect();
    let kind = items[at].kind;
    let mut values = Vec::new();
    let styles = parted.members.iter().find_map(style);
    let clock = parted.members.iter().find_map(|member| match value(member) {
        Piece::Item { at, form, .. } if items[*at].kind.is_time() => Some(form.clone()),
        _ => None,
    });
    match styles.filter(|_| leads.len() == parted.members.len()) {
        Some(style) if kind.is_document() => {
            values.extend([style.sorted, !style.sorted].map(|sorted| Form::Rewritten(Style { sorted, ..style })));
        }
        Some(_) if kind.is_time() => values.extend(clock),
        Some(style) => {
            values.push(Form::Json(style, None));
            if kind == Kind::Rendered {
                values.extend([Fraction::Needed, Fraction::One].map(Form::Number));
                values.push(Form::Text);
            }
        }
        None if kind.is_document() => {
            values.push(Form::Text);
            values.extend(Style::ALL.map(Form::Rewritten));
        }
        None if kind.is_time() => values.extend(clock.map_or_else(clocks, |clock| vec![clock])),
        None => values.push(Form::Text),
    }
    let mut keys: Vec<Option<Vec<u8>>> = vec![None];
    if let Some(example) = leads.first() {
        // As the style writes what stands behind a key.
        let colon = example.iter().rposition(|byte| *byte == b'"').map_or(&b":"[..], |end| &example[end + 1..]);
        let quote = |name: String| Some([b"\"", name.as_bytes(), b"\"", colon].concat());
        let all = names(column);
        keys = all.into_iter().take(if every_name { usize::MAX } else { 3 }).map(quote).collect();
    }
    let is_sorted = leads.len() > 2 && leads.is_sorted();
    let mut all = Vec::new();
    for key in &keys {
        let places: Vec<usize> = match key {
            Some(key) if is_sorted => vec![leads.partition_point(|lead| *lead < key.as_slice())],
            _ => (0..=parted.members.len()).collect(),
        };
        for form in &values {
            let item = Piece::item(at, form.clone());
            let member = match key {
                Some(key) => Piece::Led(key.clone(), Box::new(item)),
                None => item,
            };
            for place in &places {
                let mut members = parted.members.clone();
                members.insert(*place, member.clone());
                let parted = Parted {
                    before: parted.before.clone(),
                    between: parted.between.clone(),
                    members,
                    after: parted.after.clone(),
                };
                let said = vec![Absent::Said; parted.members.len()];
                all.push(parted.formula(formula, &said));
            }
        }
    }
    all
}

/// Where the document of a formula begins and ends; of two the one within, which has the fields.
pub(super) fn document(pieces: &[Piece]) -> Option<(usize, usize)> {
    // Members may have lines of their own.
    let is = |piece: &Piece, around: u8| matches!(piece, Piece::Literal(text) if text.trim_ascii() == [around]);
    let open = pieces.iter().rposition(|piece| is(piece, b'{'))?;
    let close = pieces[open..].iter().position(|piece| is(piece, b'}'))?;
    Some((open, open + close))
}

fn lead(member: &Piece) -> Option<&[u8]> {
    match member {
        Piece::Led(lead, _) => Some(lead),
        _ => None,
    }
}

fn value(member: &Piece) -> &Piece {
    match member {
        Piece::Led(_, value) => value,
        member => member,
    }
}

/// The style in which a member is written.
fn style(member: &Piece) -> Option<Style> {
    match value(member) {
        Piece::Item { form: Form::Json(style, _) | Form::Quoted(style, _), .. } => Some(*style),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chain::algorithm::Algorithm;
    use crate::chain::recipe::SEARCHED;

    #[test]
    fn members_are_parted_from_what_stands_around() {
        let item = |at| Piece::Item { at, form: Form::Text, null: Null::Bytes(b"null".to_vec()) };
        let formula = |pieces| Formula::new(Algorithm::Sha256, pieces, SEARCHED);
        let object = vec![
            Piece::literal("{"),
            Piece::literal("\"a\":"),
            item(0),
            Piece::literal(", \"b\":"),
            item(1),
            Piece::literal("}"),
        ];
        let parted = Parted::of(&formula(object)).unwrap();
        assert_eq!((parted.between.as_slice(), parted.members.len()), (&b", "[..], 2));
        assert_eq!(
            without(&parted.members[1], Absent::Dropped),
            Piece::Led(b"\"b\":".to_vec(), Box::new(Piece::item(1, Form::Text)))
        );
        let list = vec![item(0), Piece::literal("|"), item(1)];
        assert_eq!(Parted::of(&formula(list)).unwrap().between, b"|");
        assert!(
            Parted::of(&formula(vec![item(0), Piece::literal("|"), item(1), Piece::literal(","), item(2)])).is_none()
        );
    }
}
