//! How a chain is verified, said so that somebody else can do the same: columns, order, and how each row is hashed.

use super::definition::Chain;
use super::form::Form;
use super::ranges;
use super::recipe::{Formula, Item, Null, Piece};
use super::v1;
use crate::error::Stop;
use crate::secrets::{Kind, Rules, redact};
use crate::target::refusal;
use serde::Serialize;
use sqlx::{AssertSqlSafe, PgConnection};

/// A chain and its server, for an auditor. No row is in it; what code holds of secrets is redacted.
#[derive(Clone, Debug, Serialize)]
pub struct Described {
    schema: &'static str,
    /// `schema.table`.
    pub table: String,
    /// The column of a row's own hash.
    pub column: Option<String>,
    previous: Option<String>,
    order: Vec<String>,
    partition: Vec<String>,
    /// What was read.
    pub stream: String,
    /// A row holds if one of them gives its hash.
    formulas: Vec<Said>,
    /// Digests beside the chain that it vouches for.
    digests: Vec<Digest>,
    uncovered: Vec<String>,
    time_zone: String,
    server: Option<Server>,
    /// `verify.py` reads the stream as it is.
    #[serde(skip)]
    pub is_v1: bool,
}

#[derive(Clone, Debug, Serialize)]
struct Said {
    algorithm: &'static str,
    keyed: bool,
    from: String,
    /// What is hashed, one piece after the other.
    of: Vec<String>,
}

#[derive(Clone, Debug, Serialize)]
struct Digest {
    column: String,
    is_payload: bool,
    formulas: Vec<Said>,
}

#[derive(Clone, Debug, Serialize, sqlx::FromRow)]
struct Server {
    version: String,
    database: String,
    role: String,
    system_identifier: Option<String>,
    standby: bool,
    read_at: String,
}

impl Described {
    /// Says it; of the server what it tells this role.
    ///
    /// # Errors
    /// The session is lost.
    pub async fn new(connection: &mut PgConnection, chain: &Chain, rules: &Rules) -> Result<Self, Stop> {
        let name = |at: &usize| chain.items[*at].column.clone().unwrap_or_else(|| chain.items[*at].sql.clone());
        let says = |formulas: &[Formula]| formulas.iter().map(|formula| said(formula, &chain.items, rules)).collect();
        let digest = |commitment: &super::definition::Commitment| Digest {
            column: commitment.column.clone(),
            is_payload: commitment.is_payload,
            formulas: says(&commitment.formulas),
        };
        let is_v1 = chain.partition.is_empty() && chain.formulas.iter().all(is_v1);
        Ok(Self {
            schema: "govctl.chain-recipe/1",
            table: chain.relation.shown(),
            column: chain.column(chain.hash).map(|column| column.name.clone()),
            previous: chain.prev.as_ref().map(name),
            order: chain.order.iter().map(name).collect(),
            partition: chain.partition.iter().map(name).collect(),
            stream: code(&stream(chain, is_v1), rules),
            formulas: says(&chain.formulas),
            digests: chain.commitments.iter().map(digest).collect(),
            uncovered: chain.uncovered.clone(),
            time_zone: chain.time_zone.clone(),
            server: server(connection).await?,
            is_v1,
        })
    }
}

/// The tag, the previous hash, the frames, and nothing else.
fn is_v1(formula: &Formula) -> bool {
    matches!(formula.pieces.as_slice(), [Piece::Literal(tag), Piece::Item { .. }, Piece::Frames(_)] if *tag == v1::TAG)
}

/// In recipe v1 the hashed columns come first, then the previous hash, then the row's own.
fn stream(chain: &Chain, is_v1: bool) -> String {
    let frames = chain.formulas.iter().flat_map(|formula| &formula.pieces).find_map(|piece| match piece {
        Piece::Frames(count) => Some(*count),
        _ => None,
    });
    match (frames.filter(|_| is_v1), chain.prev) {
        (Some(count), Some(prev)) => {
            let items = (0..count).chain([prev, chain.hash]).map(|at| chain.items[at].sql.as_str());
            let select = items.collect::<Vec<_>>().join(", ");
            format!("select {select} from {} order by {}", chain.from(), ranges::order_by(chain))
        }
        _ => ranges::query(chain, None),
    }
}

fn said(formula: &Formula, items: &[Item], rules: &Rules) -> Said {
    let mut of: Vec<String> = formula.pieces.iter().map(|piece| words(piece, items, rules)).collect();
    if let Some(at) = formula.computed {
        of.push(format!("the server computes the whole: {}", code(&items[at].sql, rules)));
    }
    if formula.unescaped {
        of.push("all of it cast from text to bytea, which reads backslashes".to_owned());
    }
    Said { algorithm: formula.algorithm.name(), keyed: formula.keyed, from: formula.source.clone(), of }
}

fn words(piece: &Piece, items: &[Item], rules: &Rules) -> String {
    let bytes = |bytes: &[u8]| match std::str::from_utf8(bytes) {
        Ok(text) if !text.chars().any(char::is_control) => format!("{:?}", rules.hide(text)),
        _ => format!("the bytes {}", super::encoding::hex(bytes)),
    };
    match piece {
        Piece::Literal(literal) if *literal == v1::TAG => format!("the bytes {}", super::encoding::hex(literal)),
        Piece::Literal(literal) => bytes(literal),
        Piece::Item { at, form, null } => {
            let item = &items[*at];
            let what = item.column.clone().unwrap_or_else(|| code(&item.sql, rules));
            let null = match null {
                Null::All => String::new(),
                Null::Bytes(instead) => format!(", {} where it is null", bytes(instead)),
            };
            format!("{what} {}{null}", spelling(form))
        }
        Piece::Frames(count) => {
            let names = items[..*count].iter().map(|item| item.column.clone().unwrap_or_else(|| item.sql.clone()));
            format!("each with its length as int4 before it: {}", names.collect::<Vec<_>>().join(", "))
        }
        Piece::Last { form, genesis } => {
            format!("the hash of the row before {}, {} in the first row", spelling(form), bytes(genesis))
        }
        Piece::Led(lead, piece) => format!("{} and {}", bytes(lead), words(piece, items, rules)),
        Piece::Hashed { algorithm, hex, of } => {
            let inner: Vec<String> = of.iter().map(|piece| words(piece, items, rules)).collect();
            let how = if *hex { "in hex" } else { "as bytes" };
            format!("the {} {how} of [{}]", algorithm.name(), inner.join("; "))
        }
        Piece::Joined(separator, pieces) => {
            let inner: Vec<String> = pieces.iter().map(|piece| words(piece, items, rules)).collect();
            format!("those that are not null of [{}] with {} between them", inner.join("; "), bytes(separator))
        }
    }
}

fn spelling(form: &Form) -> String {
    match form {
        Form::Text => "as text".to_owned(),
        Form::Raw => "as the server sends it".to_owned(),
        Form::Hex => "in hex".to_owned(),
        Form::Digest => "as bytes".to_owned(),
        Form::Base64 => "in base64".to_owned(),
        Form::Framed => "with its length as int4 before it".to_owned(),
        other => format!("as {other:?}"),
    }
}

fn code(sql: &str, rules: &Rules) -> String {
    redact(sql, &rules.find(sql, Kind::Sql), |_, _| "[redacted]".to_owned())
}

async fn server(connection: &mut PgConnection) -> Result<Option<Server>, Stop> {
    let of = |identifier: &str| {
        format!(
            "select pg_catalog.current_setting('server_version') version, pg_catalog.current_database()::text as database,
               current_user::text as role, {identifier} system_identifier, pg_catalog.pg_is_in_recovery() standby,
               pg_catalog.to_char(pg_catalog.now() at time zone 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"') read_at"
        )
    };
    let run = async |connection: &mut PgConnection, sql: &str| {
        sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).execute(connection).await.map_err(refusal::lost)
    };
    run(&mut *connection, "savepoint server").await?;
    let whole = of("(select c.system_identifier::text from pg_catalog.pg_control_system() c)");
    let (found, back) = match sqlx::query_as(AssertSqlSafe(whole)).fetch_one(&mut *connection).await {
        Ok(found) => (Some(found), "release savepoint server"),
        Err(_) => (None, "rollback to savepoint server; release savepoint server"),
    };
    run(&mut *connection, back).await?;
    if found.is_some() {
        return Ok(found);
    }
    let plain = of("null::text");
    sqlx::query_as(AssertSqlSafe(plain)).fetch_optional(connection).await.map_err(refusal::lost)
}
