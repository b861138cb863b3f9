//! Which rows of which tables are read, and with which statement.

use super::super::value::Filled;
use super::OfRows;
use crate::check::quote;
use crate::error::Stop;
use crate::facts::Facts;
use crate::secrets::named;
use sqlx::AssertSqlSafe;
use std::collections::{BTreeMap, HashMap, HashSet};

/// Rows of one table.
pub(super) const ROWS: u64 = 1_000;

/// Bytes of all tables together, and the most and the least of one.
const ALL_BYTES: usize = 64 << 20;
const MOST_BYTES: usize = 1 << 20;
const LEAST_BYTES: usize = 16 << 10;

/// Bytes of one value; a longer one is cut.
const VALUE_BYTES: usize = 16 << 10;

/// A table of more rows than this is sampled by pages, so that not only its oldest rows are seen.
const MANY_ROWS: i64 = 20_000;

/// Partitions of one table: the last ones by name, which are as a rule the youngest.
const PARTITIONS: usize = 4;

/// Tables of extensions whose rows are the user's: queues of requests and jobs.
const OTHERS: &str = "(r.schema = 'net' and r.name in ('http_request_queue', '_http_response')) or (r.schema = 'cron' and r.name = 'job_run_details')";

/// What is read of a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Look {
    /// Only whether there is a value.
    Nulls,
    /// Its beginning, as text.
    Text,
    /// Which row of another table it may name.
    Identity,
    /// How many days ago it is.
    Days,
}

/// A column of a table.
#[derive(Clone, Debug)]
pub(super) struct Column {
    pub(super) number: i64,
    /// Its number in the table that is partitioned.
    pub(super) root_number: i64,
    name: String,
    type_name: String,
    pub(super) look: Look,
    pub(super) is_secret_by_name: bool,
    pub(super) is_binary: bool,
    /// The whole primary key.
    pub(super) is_identity: bool,
}

/// A table that may hold rows of the user's.
#[derive(Clone, Debug)]
pub(super) struct Candidate {
    pub(super) oid: i64,
    /// Itself, or what it is a partition of.
    pub(super) root: i64,
    schema: String,
    name: String,
    rows: i64,
    columns: Vec<Column>,
}

impl Candidate {
    /// As SQL names it.
    pub(super) fn quoted(&self) -> String {
        quote::relation(Some(&self.schema), &self.name)
    }
}

/// A table with the columns that may be read.
#[derive(Clone, Debug)]
pub(super) struct Table {
    pub(super) candidate: Candidate,
    pub(super) columns: Vec<Column>,
    /// It is known to have no row, and need not be read.
    pub(super) is_empty: bool,
}

/// "1 table", "2 tables".
pub(super) fn tables(count: usize) -> String {
    if count == 1 { "1 table".to_owned() } else { format!("{count} tables") }
}

/// Bytes of each of so many tables.
pub(super) fn budget(tables: usize) -> usize {
    (ALL_BYTES / tables.max(1)).clamp(LEAST_BYTES, MOST_BYTES)
}

/// From the facts: tables and materialized views, of partitioned ones a few partitions.
pub(super) async fn candidates(facts: &mut Facts) -> Result<Vec<Candidate>, Stop> {
    let sql = format!(
        "with recursive up (oid, root) as (
           select oid, oid from relations where is_partition = 0
           union all
           select i.child, up.root from up join inheritance i on i.parent = up.oid
             join relations r on r.oid = i.child and r.is_partition = 1)
         select r.oid, coalesce(up.root, r.oid) as root, r.schema, r.name, r.rows_estimate
         from relations r left join up on up.oid = r.oid
         where r.kind in ('table', 'materialized view') and r.persistence <> 'temporary'
           and (r.provenance = 'user' or {OTHERS})
         order by root, r.name desc, r.oid"
    );
    // AssertSqlSafe: constants.
    let relations: Vec<(i64, i64, String, String, i64)> =
        sqlx::query_as(AssertSqlSafe(sql)).fetch_all(facts.connection()).await?;
    let mut columns = columns(facts).await?;
    let mut found = Vec::new();
    for (oid, root, schema, name, rows) in relations {
        let Some(mut of_table) = columns.remove(&oid) else { continue };
        if root != oid {
            let of_root = columns.get(&root).map(Vec::as_slice).unwrap_or_default();
            for column in &mut of_table {
                let same = of_root.iter().find(|other| other.name == column.name);
                column.root_number = same.map_or(column.number, |other| other.number);
            }
        }
        found.push(Candidate { oid, root, schema, name, rows, columns: of_table });
    }
    let mut taken: HashMap<i64, usize> = HashMap::new();
    let is_named = |name: &String| !name.contains("[redacted:");
    found.retain(|candidate| {
        let names = [&candidate.schema, &candidate.name].into_iter().chain(candidate.columns.iter().map(|c| &c.name));
        if !names.into_iter().all(is_named) {
            return false;
        }
        let taken = taken.entry(candidate.root).or_default();
        *taken += 1;
        *taken <= PARTITIONS
    });
    Ok(found)
}

/// Columns of all relations, in their order.
async fn columns(facts: &mut Facts) -> Result<HashMap<i64, Vec<Column>>, Stop> {
    const IDENTITIES: &str = "select k.relation, min(kc.column_number)
         from constraints k join constraint_columns kc on kc.constraint_oid = k.oid
         where k.kind = 'primary key' group by k.oid having count(*) = 1";
    let identities: Vec<(i64, i64)> = sqlx::query_as(IDENTITIES).fetch_all(facts.connection()).await?;
    let identities: HashMap<i64, i64> = identities.into_iter().collect();
    type Line = (i64, i64, String, String, String);
    let sql = "select relation, number, name, type_name, type_kind from columns order by relation, number";
    let lines: Vec<Line> = sqlx::query_as(sql).fetch_all(facts.connection()).await?;
    let mut columns: HashMap<i64, Vec<Column>> = HashMap::new();
    for (relation, number, name, type_name, type_kind) in lines {
        let look = look(&name, &type_name, &type_kind);
        columns.entry(relation).or_default().push(Column {
            number,
            root_number: number,
            is_secret_by_name: named(&name).is_some(),
            is_binary: type_name == "bytea",
            is_identity: identities.get(&relation) == Some(&number),
            name,
            type_name,
            look,
        });
    }
    Ok(columns)
}

fn look(name: &str, type_name: &str, type_kind: &str) -> Look {
    const TEXTS: [&str; 15] = [
        "text", "varchar", "bpchar", "name", "citext", "json", "jsonb", "xml", "bytea", "hstore", "_text", "_varchar",
        "_json", "_jsonb", "tsvector",
    ];
    const MOMENTS: [&str; 14] = [
        "_at",
        "_on",
        "_until",
        "_date",
        "expires",
        "expiry",
        "expiration",
        "created",
        "updated",
        "rotated",
        "revoked",
        "reviewed",
        "timestamp",
        "_time",
    ];
    match type_name {
        "uuid" => Look::Identity,
        _ if TEXTS.contains(&type_name) || type_kind == "enum" => Look::Text,
        "timestamptz" | "timestamp" | "date"
            if !name.contains("birth") && MOMENTS.iter().any(|end| name.to_lowercase().ends_with(end)) =>
        {
            Look::Days
        }
        _ => Look::Nulls,
    }
}

/// What the connected role may read of them, and rows of `unseen` for what it may not.
pub(super) fn readable(candidates: Vec<Candidate>, rows: &OfRows) -> (Vec<Table>, Vec<Vec<Option<String>>>) {
    let mut rights: HashMap<i64, (bool, bool, Vec<i64>)> = HashMap::new();
    let mut me = "";
    for row in rows.readable.iter().flat_map(Filled::rows) {
        let [oid, usage, whole, bound, role, columns] = row else { continue };
        let [usage, whole, bound] = [usage, whole, bound].map(|flag| flag.text() == Some("t"));
        let columns = columns.text().unwrap_or_default().split(',').filter_map(|number| number.parse().ok());
        let columns = columns.filter(|_| usage).collect();
        me = role.text().unwrap_or_default();
        rights.insert(oid.number(), (usage && whole, bound, columns));
    }
    let empty: HashSet<i64> = rows.empty.iter().flat_map(Filled::rows).map(|row| row[0].number()).collect();
    let mut tables_to_read = Vec::new();
    let mut refused: BTreeMap<String, usize> = BTreeMap::new();
    let mut bound = 0;
    for candidate in candidates {
        let Some((whole, is_bound, some)) = rights.get(&candidate.oid) else { continue };
        let columns: Vec<_> =
            candidate.columns.iter().filter(|column| *whole || some.contains(&column.number)).cloned().collect();
        if columns.len() < candidate.columns.len() {
            *refused.entry(candidate.schema.clone()).or_default() += 1;
        }
        if columns.is_empty() {
            continue;
        }
        if *is_bound {
            bound += 1;
            continue;
        }
        let is_empty = empty.contains(&candidate.oid);
        tables_to_read.push(Table { candidate, columns, is_empty });
    }
    let me = quote::ident(me);
    let mut unseen: Vec<_> = refused
        .into_iter()
        .map(|(schema, count)| {
            let schema = quote::ident(&schema);
            let why = format!("rows of {} in {schema} may not be read, or not all of their columns", tables(count));
            let needs = format!(
                "grant usage on schema {schema} to {me}; grant select on all tables in schema {schema} to {me}; or --no-data"
            );
            super::row(None, why, needs)
        })
        .collect();
    if bound > 0 {
        let why = format!("row-level security hides rows of {} from this role", tables(bound));
        unseen.push(super::row(None, why, format!("alter role {me} bypassrls; or --no-data")));
    }
    (tables_to_read, unseen)
}

impl Table {
    /// Only some of its pages are read.
    pub(super) fn is_part(&self) -> bool {
        self.candidate.rows > MANY_ROWS
    }

    /// First column: which values are missing, a digit a column; then what is looked at. The running total bounds the bytes.
    pub(super) fn sql(&self, budget: usize) -> String {
        let name = |column: &Column| format!("s.{}", quote::ident(&column.name));
        let nulls: Vec<_> =
            self.columns.iter().map(|column| format!("({} is null)::int::text", name(column))).collect();
        let mut looked = Vec::new();
        let mut names = Vec::new();
        let mut lengths = vec!["0".to_owned()];
        for column in self.columns.iter().filter(|column| column.look != Look::Nulls) {
            let alias = format!("c{}", column.number);
            let expression = expression(&name(column), column);
            if column.look == Look::Text {
                lengths.push(format!("coalesce(octet_length({expression}), 0)"));
            }
            looked.push(format!(", {expression} as {alias}"));
            names.push(format!(", {alias}"));
        }
        let pages = if self.is_part() {
            // As many pages as hold the rows wanted, and some more.
            let share = (120.0 * ROWS as f64 / self.candidate.rows as f64 * 4.0).clamp(0.001, 100.0);
            format!(" tablesample system ({share:.3}) repeatable (1)")
        } else {
            String::new()
        };
        format!(
            "select nulls{} from (select {} as nulls{}, {} as length, sum({}) over (rows unbounded preceding) as total \
             from only {} s{pages} limit {ROWS}) counted where total - length <= {budget}",
            names.concat(),
            nulls.join(" || "),
            looked.concat(),
            lengths.join(" + "),
            lengths.join(" + "),
            self.candidate.quoted(),
        )
    }
}

/// A value as text, cut. What is kept compressed beside its table is fetched no further than needed.
fn expression(name: &str, column: &Column) -> String {
    match (column.look, column.type_name.as_str()) {
        (Look::Days, "date") => {
            format!("case when isfinite({name}) then (current_date - {name})::text end")
        }
        (Look::Days, _) => format!(
            "case when isfinite({name}) then floor(extract(epoch from (now() - {name})) / 86400)::bigint::text end"
        ),
        (Look::Identity, _) => format!("{name}::text"),
        (_, "bytea") => format!("encode(substr({name}, 1, {VALUE_BYTES}), 'escape')"),
        (_, "text" | "varchar" | "bpchar" | "name" | "citext") => format!("left({name}::text, {VALUE_BYTES})"),
        _ => format!("case when pg_column_size({name}) <= {} then left({name}::text, {VALUE_BYTES}) end", 256 << 10),
    }
}
