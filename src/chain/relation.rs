//! What the catalogs say of a table that may hold a chain.

use super::items::Column;
use super::source::machine::Function;
use super::value::Kind;
use crate::check::quote;
use crate::error::Stop;
use crate::target::refusal;
use sqlx::{PgConnection, Row};

/// A table, and what stands in the way of reading it.
#[derive(Clone, Debug)]
pub struct Relation {
    /// Its number in the catalogs.
    pub oid: u32,
    /// Schema.
    pub schema: String,
    /// Name.
    pub name: String,
    /// `pg_class.relkind`.
    pub kind: char,
    /// In the order of the table.
    pub columns: Vec<Column>,
    /// Columns the role may not read.
    pub refused: Vec<String>,
    /// The role may use the schema.
    pub reachable: bool,
    /// Row security hides rows from this role.
    pub hides_rows: bool,
    /// Rows, as the statistics estimate them.
    pub estimate: f64,
    /// Columns of each index that keeps order, the unique ones first.
    pub indexes: Vec<Index>,
    /// Functions of its INSERT triggers: schema and name, and whether each fires in an ordinary session.
    pub triggers: Vec<Trigger>,
    /// Rows that were ever updated or deleted, by the statistics.
    pub changed: i64,
}

/// A btree over plain columns.
#[derive(Clone, Debug)]
pub struct Index {
    /// Its columns.
    pub columns: Vec<String>,
    /// No two rows are equal in them.
    pub unique: bool,
}

/// A trigger that fires for inserted rows.
#[derive(Clone, Debug)]
pub struct Trigger {
    /// Its name.
    pub name: String,
    /// Schema and name of its function.
    pub function: (String, String),
    /// `tgenabled`: O, A, R or D.
    pub enabled: char,
    /// What the function is given: `TG_ARGV`.
    pub arguments: Vec<String>,
}

impl Relation {
    /// `schema.name`, for people and for JSON.
    pub fn shown(&self) -> String {
        format!("{}.{}", self.schema, self.name)
    }

    /// The same for SQL.
    pub fn sql(&self) -> String {
        quote::relation(Some(&self.schema), &self.name)
    }

    /// A column.
    pub fn column(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|column| column.name == name)
    }
}

/// Tables worth a look when none is named: those with a column that by its name holds a hash. A partition is part of its table.
const CANDIDATES: &str = r"
    select c.oid::int8 from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
    where c.relkind in ('r', 'p', 'f') and not c.relispartition and c.relpersistence <> 't'
      and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
      and exists (
        select from pg_catalog.pg_attribute a join pg_catalog.pg_type y on y.oid = a.atttypid
        where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
          and (case when y.typbasetype <> 0 then y.typbasetype else y.oid end) in (17, 25, 1042, 1043)
          and a.attname ~* '(hash|digest|checksum|signature|hmac|seal|fingerprint|huella|chain|sha(1|256|512)|(^|_)(prev|sig|link)(_|$))')
    order by n.nspname, c.relname";

/// The tables a run looks at: those named, else the candidates.
///
/// # Errors
/// A name that is no table, or that several tables have.
pub async fn find(connection: &mut PgConnection, names: &[String]) -> Result<Vec<u32>, Stop> {
    if names.is_empty() {
        let rows = sqlx::query_scalar::<_, i64>(CANDIDATES).fetch_all(connection).await.map_err(refusal::lost)?;
        return Ok(rows.into_iter().filter_map(|oid| u32::try_from(oid).ok()).collect());
    }
    let mut found = Vec::new();
    for name in names {
        let sql = "
            select c.oid::int8 from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
            where c.relkind in ('r', 'p', 'f', 'v', 'm')
              and (n.nspname || '.' || c.relname = $1 or c.relname = $1 and n.nspname !~ '^pg_' and n.nspname <> 'information_schema')
            order by (n.nspname || '.' || c.relname = $1) desc, n.nspname = 'public' desc";
        let name_ = name.replace('"', "");
        let rows =
            sqlx::query_scalar::<_, i64>(sql).bind(&name_).fetch_all(&mut *connection).await.map_err(refusal::lost)?;
        match rows.as_slice() {
            [] => {
                let help = "name it as schema.table; govctl verify-chain without --table lists the chains it finds";
                return Err(Stop::usage(format!("there is no table {name}"), help));
            }
            [first, ..] => found.extend(u32::try_from(*first)),
        }
    }
    found.dedup();
    Ok(found)
}

/// Reads what the catalogs say of one table.
pub async fn read(connection: &mut PgConnection, oid: u32) -> Result<Relation, Stop> {
    let lost = refusal::lost;
    let sql = "
        select n.nspname::text, c.relname::text, c.relkind::text, c.reltuples::float8,
          -- Null where it was dropped since.
          coalesce(pg_catalog.has_schema_privilege(n.oid, 'USAGE'), false),
          coalesce(pg_catalog.row_security_active(c.oid), false),
          (select coalesce(sum(s.n_tup_upd + s.n_tup_del), 0)::int8 from pg_catalog.pg_stat_all_tables s
           where s.relid = c.oid or s.relid in (select i.inhrelid from pg_catalog.pg_inherits i where i.inhparent = c.oid)),
          (select sum(p.reltuples)::float8 from pg_catalog.pg_inherits i join pg_catalog.pg_class p on p.oid = i.inhrelid
           where i.inhparent = c.oid and p.reltuples > 0),
          -- Of a table that was never analysed the size is known.
          case when c.relkind = 'r' and c.reltuples <= 0 then pg_catalog.pg_relation_size(c.oid) / 200 else 0 end::float8
        from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace where c.oid = $1::int8::oid";
    let row = sqlx::query(sql).bind(i64::from(oid)).fetch_one(&mut *connection).await.map_err(lost)?;
    let kind: String = row.get(2);
    let mut relation = Relation {
        oid,
        schema: row.get(0),
        name: row.get(1),
        kind: kind.chars().next().unwrap_or('r'),
        columns: Vec::new(),
        refused: Vec::new(),
        reachable: row.get(4),
        hides_rows: row.get(5),
        estimate: row.get::<f64, _>(3).max(row.get::<Option<f64>, _>(7).unwrap_or(0.0)).max(row.get(8)),
        indexes: Vec::new(),
        triggers: Vec::new(),
        changed: row.get(6),
    };
    let sql = "
        select a.attname::text, coalesce(b.typname, y.typname)::text, coalesce(b.typtype, y.typtype) = 'e', a.attnotnull,
          coalesce(pg_catalog.has_column_privilege(a.attrelid, a.attnum, 'SELECT'), false),
          a.attidentity <> '' or coalesce(pg_catalog.pg_get_expr(d.adbin, d.adrelid), '') like '%nextval(%'
        from pg_catalog.pg_attribute a join pg_catalog.pg_type y on y.oid = a.atttypid
        left join pg_catalog.pg_type b on b.oid = y.typbasetype and y.typtype = 'd'
        left join pg_catalog.pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
        where a.attrelid = $1::int8::oid and a.attnum > 0 and not a.attisdropped order by a.attnum";
    for row in sqlx::query(sql).bind(i64::from(oid)).fetch_all(&mut *connection).await.map_err(lost)? {
        let (name, type_name): (String, String) = (row.get(0), row.get(1));
        if !row.get::<bool, _>(4) {
            relation.refused.push(name);
            continue;
        }
        relation.columns.push(Column {
            kind: Kind::of(&type_name, row.get(2)),
            name,
            type_name,
            beside: false,
            not_null: row.get(3),
            sequenced: row.get(5),
        });
    }
    let sql = "
        select array(select a.attname::text from pg_catalog.unnest(i.indkey::int2[]) with ordinality k(n, place)
            join pg_catalog.pg_attribute a on a.attrelid = i.indrelid and a.attnum = k.n where k.place <= i.indnkeyatts order by k.place),
          i.indisunique
        from pg_catalog.pg_index i join pg_catalog.pg_class c on c.oid = i.indexrelid join pg_catalog.pg_am m on m.oid = c.relam
        where i.indrelid = $1::int8::oid and i.indisvalid and i.indpred is null and m.amname = 'btree' and 0 <> all (i.indkey::int2[])
        order by i.indisprimary desc, i.indisunique desc";
    for row in sqlx::query(sql).bind(i64::from(oid)).fetch_all(&mut *connection).await.map_err(lost)? {
        relation.indexes.push(Index { columns: row.get(0), unique: row.get(1) });
    }
    let sql = "
        select t.tgname::text, n.nspname::text, p.proname::text, t.tgenabled::text, t.tgargs
        from pg_catalog.pg_trigger t join pg_catalog.pg_proc p on p.oid = t.tgfoid
        join pg_catalog.pg_namespace n on n.oid = p.pronamespace
        where t.tgrelid = $1::int8::oid and not t.tgisinternal and t.tgtype & 4 = 4 order by t.tgname";
    for row in sqlx::query(sql).bind(i64::from(oid)).fetch_all(&mut *connection).await.map_err(lost)? {
        let enabled: String = row.get(3);
        relation.triggers.push(Trigger {
            name: row.get(0),
            function: (row.get(1), row.get(2)),
            enabled: enabled.chars().next().unwrap_or('O'),
            arguments: arguments(row.get(4)),
        });
    }
    Ok(relation)
}

/// Each ends in a zero byte.
fn arguments(bytes: &[u8]) -> Vec<String> {
    let mut arguments: Vec<String> =
        bytes.split(|byte| *byte == 0).map(|argument| String::from_utf8_lossy(argument).into_owned()).collect();
    arguments.pop();
    arguments
}

/// What formulas may be found in, and called from: functions of this database, and views over chains.
#[derive(Clone, Debug, Default)]
pub struct Library {
    /// SQL and PL/pgSQL functions.
    pub functions: Vec<Function>,
    /// Expressions of generated columns, by table.
    pub generated: Vec<(u32, String, String)>,
    /// Schema of pgcrypto.
    pub pgcrypto: Option<String>,
    /// Tables whose triggers run a function, by its name.
    pub triggers: Vec<(u32, (String, String))>,
}

/// Reads all of them at once.
pub async fn library(connection: &mut PgConnection) -> Result<Library, Stop> {
    let lost = refusal::lost;
    let mut library = Library::default();
    let sql = "
        select n.nspname::text, p.proname::text, l.lanname::text, p.prosrc,
          coalesce(p.proargnames[1:p.pronargs], '{}'),
          array(select pg_catalog.format_type(y, null) from pg_catalog.unnest(p.proargtypes::oid[]) y)
        from pg_catalog.pg_proc p join pg_catalog.pg_namespace n on n.oid = p.pronamespace
        join pg_catalog.pg_language l on l.oid = p.prolang
        where l.lanname in ('sql', 'plpgsql') and n.nspname not in ('pg_catalog', 'information_schema') and p.prosrc <> ''
          and not exists (select from pg_catalog.pg_depend d where d.classid = 'pg_catalog.pg_proc'::pg_catalog.regclass
                          and d.objid = p.oid and d.deptype = 'e')
        order by n.nspname, p.proname, p.oid limit 20000";
    for row in sqlx::query(sql).fetch_all(&mut *connection).await.map_err(lost)? {
        let (names, types): (Vec<String>, Vec<String>) = (row.get(4), row.get(5));
        let name = |at: usize| names.get(at).cloned().unwrap_or_default();
        library.functions.push(Function {
            name: (row.get(0), row.get(1)),
            language: row.get(2),
            source: row.get(3),
            parameters: types.into_iter().enumerate().map(|(at, kind)| (name(at), kind)).collect(),
        });
    }
    let sql = "
        select a.attrelid::int8, a.attname::text, coalesce(pg_catalog.pg_get_expr(d.adbin, d.adrelid), '')
        from pg_catalog.pg_attribute a join pg_catalog.pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
        where a.attgenerated <> ''";
    for row in sqlx::query(sql).fetch_all(&mut *connection).await.map_err(lost)? {
        let oid = u32::try_from(row.get::<i64, _>(0)).unwrap_or(0);
        library.generated.push((oid, row.get(1), row.get(2)));
    }
    let sql = "
        select t.tgrelid::int8, n.nspname::text, p.proname::text from pg_catalog.pg_trigger t
        join pg_catalog.pg_proc p on p.oid = t.tgfoid join pg_catalog.pg_namespace n on n.oid = p.pronamespace
        where not t.tgisinternal and t.tgtype & 4 = 4 order by t.oid";
    for row in sqlx::query(sql).fetch_all(&mut *connection).await.map_err(lost)? {
        let oid = u32::try_from(row.get::<i64, _>(0)).unwrap_or(0);
        library.triggers.push((oid, (row.get(1), row.get(2))));
    }
    let sql =
        "select n.nspname::text from pg_catalog.pg_extension x join pg_catalog.pg_namespace n on n.oid = x.extnamespace
               where x.extname = 'pgcrypto'";
    library.pgcrypto = sqlx::query_scalar(sql).fetch_optional(connection).await.map_err(lost)?;
    Ok(library)
}
