//! Rows written a few at a time, so that nobody waits for long.

use super::change::Statement;
use super::ddl::Name;
use super::guard;
use super::harden::left::MARK;
use super::order::WAIT;
use crate::check::quote::literal;

/// Pages of 8 KiB in one transaction: about a thousand rows.
const PAGES: u32 = 32;

/// One anonymous block that walks the table, or each of its partitions, page by page (TID range scans, from
/// PostgreSQL 14), and commits after each. `set`: `set a = …`; `from`: what else is read; `todo`: which rows, of `t`;
/// `held`: the column that takes no NULL once all is done, or is left without a value where nothing says one, if it is
/// there: until then, rows must not be hidden from whoever runs it, or nothing would be filled in, and said to be done.
///
/// It waits less than a second for a lock and then lets others go first: a deadlock with the application is never the
/// application's to lose. A second run finds nothing to do.
pub(crate) fn fill(table: &Name, set: &str, from: Option<&str>, todo: &str, held: Option<&str>) -> String {
    let from = from.map(|from| format!(" from {from}")).unwrap_or_default();
    let update = format!(
        "update only %1$s t {}{} where t.ctid >= %2$L::tid and t.ctid < %3$L::tid and {}",
        escaped(set),
        escaped(&from),
        escaped(todo)
    );
    let hidden = held.map_or_else(String::new, |column| {
        format!(
            "
    continue when exists (select from pg_catalog.pg_attribute where attrelid = part and attname = {}
      and (attnotnull or pg_catalog.col_description({}, attnum) like {}));
    if pg_catalog.row_security_active(part) then
      raise exception 'row security hides rows of % from %: run this as a role that sees all of them', part, current_user;
    end if;",
            literal(column),
            guard::oid(table),
            literal(&format!("%{MARK}"))
        )
    });
    let body = format!(
        "declare
  part regclass;
  page bigint;
  last_page bigint;
  changed bigint;
  written bigint;
begin
  perform set_config('lock_timeout', '500ms', false), set_config('statement_timeout', '0', false);
  for part in
    select relid from pg_catalog.pg_partition_tree({oid}) where isleaf
    union select {oid} where {oid} is not null
  loop{hidden}
    -- A row that somebody writes meanwhile may move to a page that was passed: once more, until there is nothing to do.
    loop
      page := 0;
      changed := 0;
      last_page := pg_catalog.pg_relation_size(part) / pg_catalog.current_setting('block_size')::bigint;
      while page <= last_page loop
        begin
          execute format({update},
            part, format('(%s,0)', page), format('(%s,0)', page + {PAGES}));
          get diagnostics written = row_count;
          changed := changed + written;
          page := page + {PAGES};
        exception when lock_not_available or deadlock_detected then
          perform pg_catalog.pg_sleep(0.1);
        end;
        commit;
      end loop;
      exit when changed = 0;
    end loop;
  end loop;
end",
        oid = guard::oid(table),
        update = literal(&update),
    );
    let tag = guard::tag(&body);
    format!("do {tag}\n{body} {tag}")
}

/// A statement that has to see every row of these tables, whose policies bind their owner as well: bound, it would find
/// nothing to do, and say that it did everything. FORCE is lifted for the while; a run that was torn is run again.
pub(crate) fn unbound(statement: String, forced: &[Name]) -> Vec<Statement> {
    let of = |word: &str| {
        let each = forced.iter().flat_map(move |table| {
            [format!("set lock_timeout = '{WAIT}'"), format!("alter table {table} {word} row level security")]
        });
        each.map(|sql| Statement::undone_by(sql, "")).collect::<Vec<_>>()
    };
    let mut statements = of("no force");
    statements.push(Statement::undone_by(statement, ""));
    statements.extend(of("force"));
    statements
}

/// `format` takes a percent sign for its own.
fn escaped(sql: &str) -> String {
    sql.replace('%', "%%")
}
