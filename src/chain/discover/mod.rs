//! Finds chains without being told: the pair and the order from the data, the formula from whoever writes it, else by search.

mod absent;
mod beginning;
mod coverage;
mod declared;
mod evaluate;
mod formula;
mod layout;
mod otherwise;
mod pair;
mod search;
pub(crate) mod written;

use super::algorithm::Digest;
use super::definition::Chain;
use super::encoding;
use super::genesis;
use super::items::{Column, Items};
use super::none;
use super::recipe::Formula;
use super::relation::{Library, Relation};
use super::stream;
use super::value::{Kind, Row};
use crate::config;
use crate::error::Stop;
use evaluate::Sample;
use layout::Layout;
use pair::Pair;
use sqlx::PgConnection;

pub use layout::{Key, key};

/// What a table turned out to be.
#[derive(Debug)]
pub enum Found {
    /// Chains.
    Chains(Vec<Chain>),
    /// Nothing in it links its rows.
    Nothing,
    /// It could not be looked at, and what would let govctl look.
    Hidden {
        /// What stands in the way.
        why: String,
        /// What would remove it.
        needs: String,
    },
    /// A chain by its columns, without a row.
    Empty(Vec<Chain>),
}

/// What discovery may use beside the database.
#[derive(Clone, Copy, Debug)]
pub struct Means<'a> {
    /// Functions of the database.
    pub library: &'a Library,
    /// What the configuration says of this table.
    pub declared: Option<&'a config::Chain>,
    /// The secret of keyed chains.
    pub key: Option<&'a [u8]>,
    /// The table was asked for by name.
    pub named: bool,
    /// Who is asking, for the grant that would help.
    pub role: &'a str,
}

/// Rows of a sample.
const SAMPLE: usize = 1200;

/// Looks at one table.
///
/// # Errors
/// The session is lost.
pub async fn discover(connection: &mut PgConnection, relation: &Relation, means: &Means<'_>) -> Result<Found, Stop> {
    if let Some(hidden) = hidden(relation, means) {
        return Ok(hidden);
    }
    let items = every_column(relation);
    let select = items.list.iter().map(|item| item.sql.as_str()).collect::<Vec<_>>().join(", ");
    let rows = match sample(connection, relation, &select, &format!("{} t", relation.sql())).await {
        Ok(rows) => rows,
        Err(error) if crate::target::refusal::is_lost(&error) => return Err(crate::target::refusal::lost(error)),
        Err(error) => {
            let why = error.as_database_error().map_or_else(|| error.to_string(), |error| error.message().to_owned());
            return Ok(Found::Hidden { why, needs: format!("grant select on {} to {}", relation.sql(), means.role) });
        }
    };
    let digests = pair::digests(&relation.columns, &rows);
    let mut pairs = pair::find(&relation.columns, &digests);
    if let Some(declared) = means.declared {
        declare(relation, declared, &mut pairs);
    }
    if pairs.is_empty() {
        pairs.extend(by_name(relation, &digests, &rows, means));
    }
    if let (true, Some(hidden)) = (pairs.is_empty(), unrepeated(relation, &digests, &rows, means)) {
        return Ok(hidden);
    }
    let mut chains = Vec::new();
    for pair in &pairs {
        let layout = declared_layout(relation, means.declared)
            .or_else(|| {
                let found = layout::find(&relation.columns, &rows, &digests, pair)?;
                Some(layout::indexed(&relation.columns, &relation.indexes, &rows, pair, found))
            })
            .or_else(|| fallback_layout(relation));
        let Some(layout) = layout else { continue };
        let chain = chain(connection, relation, means, pair, &layout, &rows, &digests).await?;
        // Without links and without a formula a column of digests is only that.
        let builds = !pair.guessed || chain.formulas.iter().any(Formula::needs_last);
        if pair.prev.is_some() || !chain.formulas.is_empty() && builds || means.declared.is_some() {
            chains.push(chain);
        }
    }
    Ok(match (chains.is_empty(), rows.is_empty()) {
        // Either it is none, or its hashes are not understood.
        (true, _) if rows.len() > 3 && none::looks_chained(relation) => Found::Hidden {
            why: "its columns are named like those of a hash chain, and no digest of 8 bytes or more in them links its rows"
                .to_owned(),
            needs: format!(
                "say in govctl.yaml what its columns are: chains: [{{table: {}, prev: …, hash: …, order: […]}}]",
                relation.shown()
            ),
        },
        (true, _) => Found::Nothing,
        (false, true) => Found::Empty(chains),
        (false, false) => Found::Chains(chains),
    })
}

fn hidden(relation: &Relation, means: &Means<'_>) -> Option<Found> {
    let role = crate::check::quote::ident(means.role);
    let hidden = |why: String, needs: String| Some(Found::Hidden { why, needs });
    if matches!(relation.kind, 'v' | 'm' | 'f') {
        let kind = match relation.kind {
            'v' => "a view",
            'm' => "a materialized view",
            _ => "a foreign table",
        };
        return hidden(
            format!("{} is {kind}: what it shows is not what is stored", relation.shown()),
            "name the table that holds the rows with --table".to_owned(),
        );
    }
    if !relation.reachable {
        return hidden(
            format!("permission to use the schema {} was refused", relation.schema),
            format!("grant usage on schema {} to {role}", crate::check::quote::ident(&relation.schema)),
        );
    }
    if relation.hides_rows {
        return hidden(
            format!("row-level security may hide rows of {} from {}", relation.shown(), means.role),
            format!("alter role {role} bypassrls, or run as a role that no policy of {} binds", relation.sql()),
        );
    }
    if !relation.refused.is_empty() {
        return hidden(
            format!("permission to read {} of {} was refused", relation.refused.join(", "), relation.shown()),
            format!("grant select on {} to {role}", relation.sql()),
        );
    }
    None
}

/// A stream of every column, in the order of the table.
fn every_column(relation: &Relation) -> Items {
    let mut items = Items::new(relation.columns.clone());
    for column in &relation.columns {
        items.column(&column.key());
    }
    items
}

/// Rows from the beginning, the middle and the end of the table: neighbours, as they were written.
async fn sample(
    connection: &mut PgConnection,
    relation: &Relation,
    select: &str,
    from: &str,
) -> Result<Vec<Row>, sqlx::Error> {
    if relation.kind == 'p' || relation.estimate < 3000.0 {
        return stream::rows(connection, &format!("select {select} from {from} limit {}", SAMPLE * 2)).await;
    }
    let mut rows = stream::rows(connection, &format!("select {select} from {from} limit {SAMPLE}")).await?;
    for share in ["0.5", "0.97"] {
        let start = format!(
            "(select pg_catalog.format('(%s,0)', (pg_catalog.pg_relation_size({}::int8::oid) / \
             pg_catalog.current_setting('block_size')::int8 * {share})::int8)::pg_catalog.tid)",
            relation.oid
        );
        let query = format!("select {select} from {from} where t.ctid >= {start} limit {}", SAMPLE / 2);
        rows.extend(stream::rows(connection, &query).await?);
    }
    Ok(rows)
}

/// A table without links may still be a chain: by its names, or because a trigger hashes into it.
fn by_name(relation: &Relation, digests: &[pair::Digests], rows: &[Row], means: &Means<'_>) -> Option<Pair> {
    let holds = |column: &Column| matches!(column.kind, Kind::Text | Kind::Bytes | Kind::Rendered);
    let numbered = || relation.columns.iter().enumerate();
    let prev = numbered().find(|(_, column)| {
        holds(column) && pair::names_before(&column.name) && super::source::is_hash_name(&column.name)
    });
    let of_chain = |name: &str| {
        ["chain", "row", "entry", "event", "record", "integrity", "current", "this", "own"]
            .iter()
            .any(|w| name.contains(w))
    };
    let candidates = numbered().filter(|(at, column)| {
        holds(column)
            && super::source::is_hash_name(&column.name)
            && prev.is_none_or(|(prev, _)| prev != *at)
            && !pair::names_before(&column.name)
            && (rows.is_empty() || digests.iter().any(|digests| digests.column == *at))
    });
    let mut candidates: Vec<_> = candidates.collect();
    candidates.sort_by_key(|(_, column)| {
        let name = column.name.to_ascii_lowercase();
        (
            name.contains("payload") || name.contains("content") || name.contains("password"),
            !of_chain(&name),
            name != "hash",
        )
    });
    match prev {
        // One row, or none, links nothing; but these names say what they are for.
        Some((prev, _)) if rows.len() < 3 || means.named => {
            let (hash, _) = candidates.first()?;
            Some(Pair { prev: Some(prev), hash: *hash, links: Vec::new(), guessed: false })
        }
        Some(_) => None,
        None if rows.is_empty() => None,
        None => {
            let hashes: Vec<String> =
                digests.iter().map(|digests| relation.columns[digests.column].name.clone()).collect();
            let writes_chain = |name: &str| {
                let found = written::candidates(relation, means.library, name, None, &hashes);
                found.iter().any(|candidate| {
                    candidate.expression.iter().any(|token| matches!(token, super::source::token::Token::Previous(_)))
                })
            };
            let known = candidates
                .iter()
                .find(|(_, column)| writes_chain(&column.name))
                .or_else(|| candidates.iter().find(|(_, column)| column.name.contains("chain") || means.named));
            let guessed = known.is_none();
            let (hash, _) = known
                .or_else(|| candidates.iter().find(|(_, column)| column.name == "hash" || of_chain(&column.name)))?;
            Some(Pair { prev: None, hash: *hash, links: Vec::new(), guessed })
        }
    }
}

/// A log whose rows name hashes of rows before them that no column holds.
fn unrepeated(relation: &Relation, digests: &[pair::Digests], rows: &[Row], means: &Means<'_>) -> Option<Found> {
    let name = relation.name.to_ascii_lowercase();
    let is_log = ["audit", "log", "ledger", "chain", "journal", "event", "block", "history"];
    let (_, column) =
        digests.iter().map(|digests| (digests, &relation.columns[digests.column])).find(|(of, column)| {
            let mut values: Vec<_> = of.values.iter().flatten().collect();
            values.sort_unstable();
            values.dedup();
            // Passwords have previous hashes, too.
            pair::names_before(&column.name) && !column.name.contains("pass") && values.len() * 10 > rows.len() * 8
        })?;
    let is_said = is_log.iter().any(|word| name.contains(word)) || none::names_previous_hash(&column.name);
    (rows.len() > 3 && (means.named || is_said)).then(|| Found::Hidden {
        why: format!("the rows of {} name hashes in {} that no column holds", relation.shown(), column.name),
        needs: format!(
            "say in govctl.yaml which column holds the hash of a row: chains: [{{table: {}, prev: {}, hash: …}}]",
            relation.shown(),
            column.name
        ),
    })
}

/// The configuration has the last word on which columns are meant.
fn declare(relation: &Relation, declared: &config::Chain, pairs: &mut Vec<Pair>) {
    let number = |name: &Option<String>| {
        name.as_ref().and_then(|name| relation.columns.iter().position(|column| column.name == *name))
    };
    let Some(hash) = number(&declared.hash) else { return };
    let prev = number(&declared.prev);
    let known = pairs.iter().find(|pair| pair.hash == hash && pair.prev == prev).cloned();
    *pairs = vec![known.unwrap_or(Pair { prev, hash, links: Vec::new(), guessed: false })];
}

fn declared_layout(relation: &Relation, declared: Option<&config::Chain>) -> Option<Layout> {
    let declared = declared.filter(|declared| !declared.order.is_empty())?;
    let numbers = |names: &[String]| -> Option<Vec<usize>> {
        names.iter().map(|name| relation.columns.iter().position(|column| column.name == *name)).collect()
    };
    Some(Layout::of(numbers(&declared.order)?, numbers(&declared.partition)?))
}

/// Where nothing is linked: a sequence, else the primary key, else the first time.
fn fallback_layout(relation: &Relation) -> Option<Layout> {
    let numbered = || relation.columns.iter().enumerate();
    let by_sequence =
        numbered().find(|(_, column)| column.sequenced || column.name.contains("seq") && column.kind == Kind::Int);
    let by_key = || {
        let key = relation.indexes.first().filter(|index| index.unique && index.columns.len() == 1)?;
        numbered().find(|(_, column)| column.name == key.columns[0] && column.kind == Kind::Int)
    };
    let by_time = || numbered().find(|(_, column)| column.kind.is_time());
    let (order, _) = by_sequence.or_else(by_key).or_else(by_time)?;
    Some(Layout::of(vec![order], Vec::new()))
}

/// Everything about one pair.
async fn chain(
    connection: &mut PgConnection,
    relation: &Relation,
    means: &Means<'_>,
    pair: &Pair,
    layout: &Layout,
    rows: &[Row],
    digests: &[pair::Digests],
) -> Result<Chain, Stop> {
    let items = every_column(relation);
    let hash_name = &relation.columns[pair.hash].name;
    let chain = Chain {
        relation: relation.clone(),
        beside: None,
        items: items.list.clone(),
        prev: pair.prev,
        hash: pair.hash,
        partition: layout.partition.clone(),
        order: layout.order.clone(),
        formulas: Vec::new(),
        commitments: Vec::new(),
        genesis: genesis::known(&written::constants(relation, means.library), relation, hash_name),
        time_zone: "UTC".to_owned(),
        sequenced: layout.order.iter().any(|at| relation.columns[*at].sequenced)
            || means.library.functions.iter().any(|function| {
                relation.triggers.iter().any(|trigger| trigger.function == function.name)
                    && function.source.contains("nextval")
            }),
        watched: Vec::new(),
        unexplained: None,
        uncovered: Vec::new(),
        notes: Vec::new(),
    };
    formula::find(connection, chain, means, rows, digests, pair.guessed).await
}

/// The sample in the order of the chain, with the hash of the row before each.
fn in_order(columns: &[Column], rows: &[Row], layout: &Layout, hash: usize, prev: Option<usize>) -> Sample {
    let mut sample = Sample { rows: Vec::new(), hashes: Vec::new(), before: Vec::new() };
    let digest = |row: &Row, at: usize| -> Option<Digest> {
        encoding::decode(row.get(at)?, columns.get(at)?.kind == Kind::Bytes).map(|(digest, _)| digest)
    };
    for group in layout::sorted(columns, rows, &layout.order, &layout.partition) {
        let mut last = None;
        for number in group {
            let row = &rows[number];
            let own = digest(row, hash);
            sample.hashes.push(own);
            sample.before.push(match prev {
                Some(prev) => digest(row, prev),
                None => last,
            });
            sample.rows.push(row.clone());
            last = own;
        }
    }
    sample
}
