//! Rows that one formula leaves over though nobody changed them: a whole second, a null or a missing offset is written
//! otherwise than the rest.

use super::absent;
use super::evaluate::Sample;
use super::search::clocks;
use crate::chain::form::{Form, Fraction};
use crate::chain::json_form::{Escaped, Style};
use crate::chain::recipe::{Formula, Item, Null, Piece};
use crate::chain::time;
use crate::chain::value::Kind;

/// Rows that are looked at.
const ROWS: usize = 40;

/// What a null may be written as.
const NOTHING: [&str; 24] = [
    "",
    "\"\"",
    "null",
    "None",
    "NULL",
    "undefined",
    "nil",
    "<nil>",
    "-",
    "N/A",
    "n/a",
    "none",
    "NONE",
    "0",
    "{}",
    "[]",
    "\\N",
    "<null>",
    "(null)",
    "unknown",
    "system",
    "anonymous",
    "false",
    "\0",
];

/// Nulls of one row that are told apart: each may be written in a way of its own.
const APART: usize = 2;

/// Adds formulas that differ from a known one in the spelling of one kind of value, and explain rows it leaves over.
pub(super) fn spelled(sample: &Sample, formulas: &mut Vec<Formula>, items: &[Item], key: Option<&[u8]>) {
    let mut buffer = Vec::new();
    let Some(first) = formulas.first().cloned() else { return };
    let mut explains = |formula: &Formula, row: usize| sample.matches_row(formula, items, key, row, &mut buffer);
    let open: Vec<usize> = (0..sample.rows.len())
        .filter(|row| sample.hashes[*row].is_some() && !formulas.iter().any(|formula| explains(formula, *row)))
        .take(ROWS)
        .collect();
    if open.is_empty() {
        return;
    }
    let others = others(&first, items);
    for row in open {
        if formulas.iter().any(|formula| explains(formula, row)) {
            continue;
        }
        let other = others.iter().find(|other| explains(other, row)).cloned();
        let other = other.or_else(|| {
            let values = &sample.rows[row];
            let nulls = first.reads().into_iter().filter(|at| values.get(*at).is_none()).collect::<Vec<_>>();
            each_null(&first, &nulls).into_iter().find(|other| explains(other, row))
        });
        formulas.extend(other);
    }
}

/// Most formulas that are made of two others.
const CROSSED: usize = 12;

/// Most formulas to which numbers of fewer zeros are added.
const MOST: usize = 24;

/// Adds what two formulas of one shape come to together: values as the one spells them, nulls as the other. The rows that
/// were looked at may have had a whole second, and a null, and no row both.
pub(super) fn crossed(formulas: &mut Vec<Formula>) {
    let known = formulas.len();
    for values in 0..known {
        for nulls in 0..known {
            let (of, other) = (&formulas[values], &formulas[nulls]);
            let alike = (of.algorithm, of.keyed, of.pieces.len()) == (other.algorithm, other.keyed, other.pieces.len());
            if !alike || !of.is_searched() || !other.is_searched() || formulas.len() >= known + CROSSED {
                continue;
            }
            let both = of.pieces.iter().zip(&other.pieces).map(|pair| match pair {
                (Piece::Item { at, form, .. }, Piece::Item { at: other, null, .. }) if at == other => {
                    Some(Piece::Item { at: *at, form: form.clone(), null: null.clone() })
                }
                (piece, other) => (piece == other).then(|| piece.clone()),
            });
            let Some(pieces) = both.collect::<Option<Vec<_>>>() else { continue };
            if formulas.iter().all(|formula| formula.pieces != pieces) {
                formulas.push(Formula { pieces, ..formulas[values].clone() });
            }
        }
    }
}

/// The formula with all its times in another spelling, or with another word for nothing.
fn others(formula: &Formula, items: &[Item]) -> Vec<Formula> {
    let with = |change: &dyn Fn(&mut Piece) -> bool| changed(formula, change);
    let clocks = clocks().into_iter().filter_map(|clock| {
        with(&|piece| match piece {
            Piece::Item { at, form, .. } if items[*at].kind.is_time() => {
                match (form, &clock) {
                    (Form::Json(_, within), Form::Time(clock)) => *within = Some(clock.clone()),
                    (Form::Json(..), _) => return false,
                    (form, clock) => *form = clock.clone(),
                }
                true
            }
            _ => false,
        })
    });
    let nothing = NOTHING.into_iter().filter_map(|word| {
        with(&|piece| match piece {
            Piece::Item { null, .. } => {
                *null = Null::Bytes(word.as_bytes().to_vec());
                true
            }
            _ => false,
        })
    });
    other_digits(formula).chain(clocks).chain(nothing).collect()
}

/// The formula with another piece for each that `change` changes; none where there is none.
fn changed(formula: &Formula, change: &dyn Fn(&mut Piece) -> bool) -> Option<Formula> {
    fn each(pieces: &mut [Piece], change: &dyn Fn(&mut Piece) -> bool) -> bool {
        let mut any = false;
        for piece in pieces {
            any |= change(piece);
            any |= each(piece.within(), change);
        }
        any
    }
    let mut other = formula.clone();
    each(&mut other.pieces, change).then_some(other)
}

/// The same clock with other digits: one that no list has.
fn other_digits(formula: &Formula) -> impl Iterator<Item = Formula> {
    const DIGITS: [time::Fraction; 7] = [
        time::Fraction::Fixed(3),
        time::Fraction::Fixed(6),
        time::Fraction::Fixed(0),
        time::Fraction::Trimmed,
        time::Fraction::Python,
        time::Fraction::Thirds,
        time::Fraction::ThirdsOfMinute,
    ];
    DIGITS.into_iter().filter_map(|fraction| {
        changed(formula, &|piece| match piece {
            Piece::Item { form, .. } => form.clock().is_some_and(|clock| {
                let changed = clock.fraction != fraction;
                clock.fraction = fraction;
                changed
            }),
            _ => false,
        })
    })
}

/// The formula with numbers as a program prints them that computes: with fewer zeros than the column holds.
fn printed(formula: &Formula, items: &[Item]) -> impl Iterator<Item = Formula> {
    let is_printed = |at: usize| items[at].kind == Kind::Rendered;
    [Fraction::Needed, Fraction::One].into_iter().filter_map(move |end| {
        with_forms(formula, &|at, form| match form {
            Form::Text | Form::Number(_) if is_printed(at) => Some(Form::Number(end)),
            Form::Json(style, _) if is_printed(at) => Some(Form::Quoted(*style, Box::new(Form::Number(end)))),
            _ => None,
        })
    })
}

/// Adds numbers with fewer zeros, though no row that was looked at has them: a decimal keeps the digits that somebody wrote, the
/// column always as many as it has. It is the same number, so nothing that was changed is let through.
pub(super) fn fewer_zeros(formulas: &mut Vec<Formula>, items: &[Item]) {
    let searched = formulas.iter().filter(|formula| formula.is_searched());
    let others: Vec<Formula> = searched.flat_map(|formula| printed(formula, items)).collect();
    for other in others {
        if formulas.len() < MOST && !formulas.contains(&other) {
            formulas.push(other);
        }
    }
}

/// The formula with a word of its own for each of these nulls.
fn each_null(formula: &Formula, nulls: &[usize]) -> Vec<Formula> {
    if nulls.len() > APART {
        return Vec::new();
    }
    nulls.iter().fold(vec![formula.clone()], |formulas, null_at| {
        let worded = |formula: Formula| {
            NOTHING.into_iter().map(move |word| {
                let other = formula.clone();
                let worded = changed(&other, &|piece| match piece {
                    Piece::Item { at, null, .. } if at == null_at => {
                        *null = Null::Bytes(word.as_bytes().to_vec());
                        true
                    }
                    _ => false,
                });
                worded.unwrap_or(other)
            })
        };
        formulas.into_iter().flat_map(worded).collect()
    })
}

/// A row without an accent does not tell how accents are written, nor one with a fraction how whole numbers are: the first of
/// those that explain most.
pub(super) fn best_written(sample: &Sample, formula: Formula, items: &[Item], key: Option<&[u8]>) -> Formula {
    let matches =
        |formula: &Formula| sample.matches(formula, items, key).into_iter().filter(|matches| *matches).count();
    let best = |formula: Formula, others: Vec<Formula>| {
        let first = (matches(&formula), formula);
        let others = others.into_iter().map(|other| (matches(&other), other));
        others.fold(first, |best, other| if other.0 > best.0 { other } else { best }).1
    };
    let others = ordered_otherwise(&formula, items);
    let formula = best(formula, others);
    let formula = match listed_otherwise(&formula, items) {
        Some(other) => best(formula, vec![other]),
        None => formula,
    };
    let others = escaped_otherwise(&formula);
    let formula = best(formula, others);
    let others = numbered_otherwise(&formula, items);
    let formula = best(formula, others);
    let others = other_digits(&formula).collect();
    let formula = best(formula, others);
    absent::left_out(sample, formula, items, key)
}

/// The formula with another form of each value for which there is one.
fn with_forms(formula: &Formula, other: &dyn Fn(usize, &Form) -> Option<Form>) -> Option<Formula> {
    fn change(pieces: &mut [Piece], other: &dyn Fn(usize, &Form) -> Option<Form>) -> bool {
        let mut changed = false;
        for piece in pieces {
            if let Piece::Item { at, form, .. } = piece
                && let Some(new) = other(*at, form)
            {
                *form = new;
                changed = true;
            }
            changed |= change(piece.within(), other);
        }
        changed
    }
    let mut formula = formula.clone();
    change(&mut formula.pieces, other).then_some(formula)
}

/// The same formula by serialisers that escape other characters.
fn escaped_otherwise(formula: &Formula) -> Vec<Formula> {
    let with = |style: Style| {
        with_forms(formula, &|_, form| {
            let like = |old: &Style| {
                (old.comma, old.colon, old.sorted) == (style.comma, style.colon, style.sorted) && *old != style
            };
            match form {
                Form::Json(old, clock) if like(old) => Some(Form::Json(style, clock.clone())),
                Form::Rewritten(old) if like(old) => Some(Form::Rewritten(style)),
                Form::Digested(of) => match &**of {
                    Form::Rewritten(old) if like(old) => Some(Form::Digested(Box::new(Form::Rewritten(style)))),
                    _ => None,
                },
                _ => None,
            }
        })
    };
    let all = Style::ALL.into_iter();
    all.chain([true, false].map(|sorted| Style { escaped: Escaped::Net, ..Style::compact(sorted) }))
        .filter_map(with)
        .collect()
}

/// The same document by a program that says which members it has, at every depth.
fn listed_otherwise(formula: &Formula, items: &[Item]) -> Option<Formula> {
    let pieces = &formula.pieces;
    let (open, close) = absent::document(pieces)?;
    let leads = pieces.get(open + 1..close)?.iter().step_by(2);
    let key = |piece: &Piece| match piece {
        Piece::Literal(lead) => {
            serde_json::from_slice::<String>(lead.strip_prefix(b",").unwrap_or(lead).strip_suffix(b":")?).ok()
        }
        _ => None,
    };
    let names: Box<[String]> = leads.map(key).collect::<Option<_>>()?;
    let style = Style::compact(true);
    with_forms(formula, &|at, form| match form {
        Form::Json(old, _) | Form::Rewritten(old) if *old == style && items[at].kind.is_document() => {
            Some(Form::Listed(style, names.clone()))
        }
        _ => None,
    })
}

/// The same formula with the keys of documents within in the other order: that of the alphabet, or the stored one.
fn ordered_otherwise(formula: &Formula, items: &[Item]) -> Vec<Formula> {
    let turned = |style: &Style| Style { sorted: !style.sorted, ..*style };
    let other = |at: usize, form: &Form| match form {
        Form::Json(style, clock) if items[at].kind.is_document() => Some(Form::Json(turned(style), clock.clone())),
        Form::Rewritten(style) => Some(Form::Rewritten(turned(style))),
        Form::Digested(of) => match &**of {
            Form::Rewritten(style) => Some(Form::Digested(Box::new(Form::Rewritten(turned(style))))),
            _ => None,
        },
        Form::Quoted(style, inner) => match &**inner {
            Form::Rewritten(inner) => Some(Form::Quoted(*style, Box::new(Form::Rewritten(turned(inner))))),
            _ => None,
        },
        _ => None,
    };
    with_forms(formula, &other).into_iter().collect()
}

/// The same formula by languages that print whole numbers, and what is false, in another way.
fn numbered_otherwise(formula: &Formula, items: &[Item]) -> Vec<Formula> {
    let number = |new: Form| {
        with_forms(formula, &|at, form| match form {
            Form::Text | Form::Number(_) if items[at].kind == Kind::Rendered && *form != new => Some(new.clone()),
            _ => None,
        })
    };
    let words = |new: Form| {
        with_forms(formula, &|_, form| match form {
            Form::Bool(..) if *form != new => Some(new.clone()),
            _ => None,
        })
    };
    let numbers = [Form::Number(Fraction::One), Form::Number(Fraction::Needed), Form::Text];
    numbers
        .into_iter()
        .filter_map(number)
        .chain([Form::Bool("1", "0"), Form::Bool("1", "")].into_iter().filter_map(words))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chain::algorithm::Algorithm;
    use crate::chain::recipe::SEARCHED;

    #[test]
    fn a_whole_second_and_a_null_come_together() {
        let formula = |form: Form, null: &str| {
            let item = |at, form| Piece::Item { at, form, null: Null::Bytes(null.as_bytes().to_vec()) };
            Formula::new(Algorithm::Sha256, vec![item(0, form), Piece::literal("|"), item(1, Form::Text)], SEARCHED)
        };
        let mut formulas = vec![formula(Form::Epoch(1), ""), formula(Form::Text, "{}")];
        crossed(&mut formulas);
        assert_eq!(formulas[2..], [formula(Form::Epoch(1), "{}"), formula(Form::Text, "")]);
        // Another shape has nothing to do with it.
        let mut apart = vec![formulas[0].clone(), Formula::new(Algorithm::Sha256, vec![Piece::literal("|")], SEARCHED)];
        crossed(&mut apart);
        assert_eq!(apart.len(), 2);
    }

    #[test]
    fn a_decimal_may_have_fewer_zeros_than_its_column() {
        let item = |kind| Item { sql: "t.c".into(), kind, column: Some("c".into()) };
        let items = [item(Kind::Rendered), item(Kind::Text)];
        let style = Style::python(true);
        let formula = |at| {
            let value = Piece::item(at, Form::Json(style, None));
            Formula::new(Algorithm::Sha256, vec![Piece::literal("{"), value], SEARCHED)
        };
        let mut formulas = vec![formula(0), formula(1)];
        fewer_zeros(&mut formulas, &items);
        let written = |formula: &Formula| {
            let mut out = Vec::new();
            let Some(Piece::Item { form, .. }) = formula.pieces.last() else { return String::new() };
            form.write(Kind::Rendered, b"340.50", &mut out);
            String::from_utf8(out).unwrap_or_default()
        };
        assert_eq!(formulas[2..].iter().map(written).collect::<Vec<_>>(), [r#""340.5""#, r#""340.5""#]);
        // What somebody declared is what they said.
        let mut declared = vec![Formula { source: "govctl.yaml".into(), ..formula(0) }];
        fewer_zeros(&mut declared, &items);
        assert_eq!(declared.len(), 1);
    }
}
