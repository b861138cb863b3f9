//! Rows that refer to nothing: every table that has some is named at once, with the answer to write.

use crate::check::quote::{ident, literal};
use crate::plan::guard;
use crate::plan::structures::{Hop, Uncertain, scalar};

/// What is said where rows of these tables refer to nothing by which they could get what they are going to be held to. Tables that
/// have the key already were looked at when they got it.
///
/// `shared`: tables of which the owner has said before that such rows of theirs are everybody's.
pub(super) fn sentence(tables: &[&Uncertain], shared: &[String]) -> Option<String> {
    if tables.is_empty() {
        return None;
    }
    let said: Vec<_> = shared.iter().map(|table| literal(&scalar(table))).collect();
    let looks: String = tables.iter().map(|table| look(table)).collect();
    Some(format!(
        "
    found := '{{}}';
    shared := array[{}]::text[];{looks}
    if found <> '{{}}' then
      told := array_append(told, array_to_string(found, '; ') || ': nothing says whose these rows are, so no tenant will see them. Fill that in '
        || 'first. Where a table holds the same for every tenant, list it under plan.shared in govctl.yaml; where these rows alone are everybody''s to '
        || 'read, beside those of tenants, write this in it and plan again: plan: {{shared_rows: ['
        || array_to_string(shared, ', ') || ']}}');
    end if;",
        said.join(", ")
    ))
}

/// Remembers the table, where it has no key yet and has such rows.
fn look(it: &Uncertain) -> String {
    let said = format!("{} has rows {}", it.table.name, in_words(&it.hops, ""));
    format!(
        "
    if not exists (select from pg_catalog.pg_attribute where attrelid = {} and attname = {} and not attisdropped) then
      if exists (select from {} t0 where {}) then
        found := array_append(found, {});
        shared := array_append(shared, {});
      end if;
    end if;",
        guard::oid(&it.table),
        literal(&it.key),
        it.table,
        lacks(&it.hops, 0),
        literal(&said),
        literal(&scalar(&it.said()))
    )
}

/// That no reference of a row leads to a key. `depth`: that of the row's own alias.
fn lacks(hops: &[Hop], depth: usize) -> String {
    let none = |hop: &Hop| {
        let mut one: Vec<_> =
            hop.may_be_empty.iter().map(|column| format!("t{depth}.{} is null", ident(column))).collect();
        if !hop.further.is_empty() {
            let next = depth + 1;
            let pair = |(own, other): &(String, String)| format!("t{next}.{} = t{depth}.{}", ident(other), ident(own));
            let on = hop.columns.iter().map(pair).collect::<Vec<_>>().join(" and ");
            one.push(format!("exists (select from {} t{next} where {on} and {})", hop.to, lacks(&hop.further, next)));
        }
        format!("({})", one.join(" or "))
    };
    hops.iter().map(none).collect::<Vec<_>>().join(" and ")
}

/// The same in words. `of`: of which table's rows, where it is not the first.
fn in_words(hops: &[Hop], of: &str) -> String {
    let one = |hop: &Hop| {
        let mut one = Vec::new();
        if !hop.may_be_empty.is_empty() {
            one.push(format!("without {}", hop.may_be_empty.join(" and ")));
        }
        if !hop.further.is_empty() {
            one.push(in_words(&hop.further, &hop.to.name));
        }
        one.join(", or ")
    };
    let words = hops.iter().map(one).collect::<Vec<_>>().join(", and ");
    match of {
        "" => words,
        _ if words.starts_with("that lead") => words,
        _ => format!("that lead to rows of {of} {words}"),
    }
}
