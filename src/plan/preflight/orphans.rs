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
    let alias = |at: usize| format!("t{at}");
    let joins: String = it
        .hops
        .iter()
        .enumerate()
        .take(it.hops.len() - 1)
        .map(|(at, hop)| join(hop, &alias(at), &alias(at + 1)))
        .collect();
    let (mut empty, mut without) = (Vec::new(), Vec::new());
    for (at, hop) in it.hops.iter().enumerate() {
        empty.extend(hop.may_be_empty.iter().map(|column| format!("{}.{} is null", alias(at), ident(column))));
        let columns = hop.may_be_empty.join(" and ");
        match at {
            _ if columns.is_empty() => {}
            0 => without.push(format!("without {columns}")),
            _ => without.push(format!("that lead to rows of {} without {columns}", hop.from.name)),
        }
    }
    let said = format!("{} has rows {}", it.table.name, without.join(", or "));
    format!(
        "
    if not exists (select from pg_catalog.pg_attribute where attrelid = {} and attname = {} and not attisdropped) then
      if exists (select from {} t0{joins} where {}) then
        found := array_append(found, {});
        shared := array_append(shared, {});
      end if;
    end if;",
        guard::oid(&it.table),
        literal(&it.key),
        it.table,
        empty.join(" or "),
        literal(&said),
        literal(&scalar(&it.said()))
    )
}

fn join(hop: &Hop, here: &str, there: &str) -> String {
    let pair = |(own, other): &(String, String)| format!("{there}.{} = {here}.{}", ident(other), ident(own));
    let on = hop.columns.iter().map(pair).collect::<Vec<_>>().join(" and ");
    format!(" left join {} {there} on {on}", hop.to)
}
