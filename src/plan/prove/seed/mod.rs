//! Rows for two tenants in every table, each tenant's own along every foreign key.
//!
//! A value follows from table, column, tenant and row alone, so that a reference needs no look at what it refers to. What
//! the server refuses is tried again with other values; a table that takes none is said.

pub(super) mod partitions;
mod settle;
mod table;
mod value;

use super::apply::run;
use crate::check::quote::{ident, literal};
use crate::error::Stop;
use crate::facts::Facts;
use crate::facts::derive::tenancy;
use crate::target::refusal;
use sqlx::postgres::PgRow;
use sqlx::{AssertSqlSafe, PgConnection, Row};
use std::collections::{BTreeMap, HashMap, HashSet};
use table::{Column, Table};
use value::Place;
pub(super) use value::{mark, number_mark};

/// Rows of each tenant in each table, where a unique key allows two.
const ROWS: usize = 2;

/// How often a row is tried.
const ATTEMPTS: usize = 24;

/// A table with rows of both tenants in it.
#[derive(Clone, Debug)]
pub(super) struct Seeded {
    /// For SQL.
    pub(super) sql: String,
    /// For a reader.
    pub(super) plain: String,
    /// An expression over its columns that tells its rows apart.
    pub(super) identity: String,
    /// Its value for the rows of either tenant.
    pub(super) rows: [Vec<String>; 2],
    /// Columns and values of one more row of either tenant, as constants.
    pub(super) more: [Vec<(String, String)>; 2],
}

/// Two tenants: what each calls itself.
#[derive(Clone, Debug, Default)]
pub(super) struct Tenants {
    /// The value of its key.
    pub(super) keys: [String; 2],
    /// The value of the key of a person of it.
    pub(super) persons: [String; 2],
}

/// What was put in.
#[derive(Debug, Default)]
pub(super) struct Seed {
    pub(super) tables: Vec<Seeded>,
    pub(super) tenants: Tenants,
    /// The superuser who put them in.
    pub(super) superuser: String,
    /// Tables that took no rows, and why.
    pub(super) refused: Vec<(String, String)>,
}

/// What all tables share.
struct Plot {
    tables: BTreeMap<i64, Table>,
    /// Columns that say whose a row is, and whether that is a tenant (else a person).
    keys: HashMap<(i64, i64), bool>,
    labels: HashMap<i64, Vec<String>>,
    /// Columns that get a value wherever they may do without one, by table.
    held: HashSet<(String, String)>,
    /// The table of persons, and the column that names one.
    persons: Option<(i64, i64)>,
}

/// Puts rows into every table that is empty, `but` those named. `held`: columns that a plan holds to have a value, by table.
pub(super) async fn seed(
    facts: &mut Facts,
    connection: &mut PgConnection,
    but: &HashSet<String>,
    held: HashSet<(String, String)>,
) -> Result<Seed, Stop> {
    let plot = Plot { held, ..Plot::read(facts).await? };
    let mut seed = Seed { tenants: plot.tenants(), ..Seed::default() };
    // Triggers and foreign keys are silent; those that are always on are not.
    run(connection, "set session_replication_role = replica; set client_min_messages = error".to_owned()).await?;
    for table in plot.tables.values().filter(|table| !but.contains(&table.plain)) {
        match plot.fill(table, connection).await? {
            Ok(seeded) => seed.tables.push(seeded),
            Err(why) => seed.refused.push((table.plain.clone(), why)),
        }
    }
    plot.settle(&mut seed, connection).await?;
    run(connection, "reset all".to_owned()).await?;
    Ok(seed)
}

impl Plot {
    async fn read(facts: &mut Facts) -> Result<Self, Stop> {
        let tables = table::tables(facts).await?;
        let keys: Vec<(i64, i64, String)> = sqlx::query_as("select relation, column_number, role from tenant_keys")
            .fetch_all(facts.connection())
            .await?;
        let labels: Vec<(i64, String)> =
            sqlx::query_as("select type_oid, label from enum_labels order by type_oid, position")
                .fetch_all(facts.connection())
                .await?;
        let mut by_type = HashMap::<_, Vec<_>>::new();
        for (of, label) in labels {
            by_type.entry(of).or_default().push(label);
        }
        const PERSONS: [&str; 15] = [
            "users",
            "user",
            "profiles",
            "profile",
            "people",
            "persons",
            "person",
            "employees",
            "employee",
            "staff",
            "appusers",
            "userprofiles",
            "useraccounts",
            "accounts",
            "members",
        ];
        let plain = |name: &str| name.to_lowercase().replace(['_', '-', ' '], "");
        let rank = |table: &Table| PERSONS.iter().position(|name| *name == plain(&table.name));
        // What names a person by another column than its key says whose member somebody is.
        let is_link = |table: &Table| {
            let key = table.keys.first();
            table.columns.iter().any(|it| {
                tenancy::PERSONS.contains(&tenancy::plain(&it.name).as_str())
                    && !key.is_some_and(|key| key.contains(&it.number))
            })
        };
        let is_tenants = |oid| keys.iter().any(|(of, _, role)| *of == oid && role == "tenant table");
        let persons = tables.values().filter(|it| it.has_primary_key && rank(it).is_some());
        let persons = persons.filter(|it| !is_link(it) && !is_tenants(it.oid));
        // Of a key with the tenant in it, the rest names the person.
        let is_tenant = |oid, number| keys.iter().any(|(of, key, role)| *of == oid && *key == number && role != "user");
        // Else the one that columns named after a person refer to most.
        let referred = |table: &Table| {
            let refers = tables.values().flat_map(|from| from.references.iter().map(move |it| (from, it)));
            let by_name = |(from, it): &(&Table, &table::Reference)| {
                let own = it.columns.first().and_then(|(own, _)| from.column(*own));
                it.table == table.oid
                    && from.oid != table.oid
                    && own.is_some_and(|own| tenancy::PERSONS.contains(&tenancy::plain(&own.name).as_str()))
            };
            refers.filter(by_name).count()
        };
        let most = || tables.values().filter(|it| it.has_primary_key && referred(it) > 0).max_by_key(|it| referred(it));
        let persons = persons.min_by_key(|table| rank(table)).or_else(most).and_then(|it| {
            let key = it.keys.first()?;
            Some((it.oid, *key.iter().find(|number| !is_tenant(it.oid, **number)).or(key.first())?))
        });
        let keys = keys.into_iter().map(|(relation, number, role)| ((relation, number), role != "user")).collect();
        Ok(Self { tables, keys, labels: by_type, held: HashSet::new(), persons })
    }

    /// The type that most keys of tenants have, or of persons.
    fn usual(&self, tenants: bool) -> Option<&str> {
        let mut types = HashMap::<&str, usize>::new();
        for ((relation, number), _) in self.keys.iter().filter(|(_, of_tenant)| **of_tenant == tenants) {
            if let Some(column) = self.tables.get(relation).and_then(|table| table.column(*number)) {
                *types.entry(&column.type_name).or_default() += 1;
            }
        }
        types.into_iter().max_by_key(|(name, count)| (*count, *name)).map(|(name, _)| name)
    }

    fn key_of(&self, tenant: usize) -> String {
        value::of_tenant(self.usual(true).unwrap_or("uuid"), tenant).unwrap_or_default()
    }

    /// A person where no table has persons: called what the tenant is, as far as the type goes.
    fn alone(&self, type_name: &str, tenant: usize) -> Option<String> {
        match type_name {
            "text" | "varchar" | "bpchar" | "citext" => Some(self.key_of(tenant)),
            other => value::of_tenant(other, tenant),
        }
    }

    /// What the tenants call themselves where a session says who it is.
    fn tenants(&self) -> Tenants {
        let key = |tenant| self.key_of(tenant);
        let person = |tenant| {
            let Some((table, number)) = self.persons else { return self.alone(self.usual(false)?, tenant) };
            let column = self.tables.get(&table)?.column(number)?;
            self.value(self.tables.get(&table)?, column, Place { tenant, row: 0 }, 0, &mut Vec::new())
        };
        Tenants { keys: [key(0), key(1)], persons: [0, 1].map(|tenant| person(tenant).unwrap_or_else(|| key(tenant))) }
    }

    /// What stands in a column: what it refers to, whose it is, or any value of its type.
    fn value(
        &self,
        table: &Table,
        column: &Column,
        place: Place,
        attempt: usize,
        path: &mut Vec<(i64, i64)>,
    ) -> Option<String> {
        if path.contains(&(table.oid, column.number)) {
            return None;
        }
        path.push((table.oid, column.number));
        // A text names a person of any key.
        let names = |own: &Column| own.type_name == column.type_name || column.type_name == "text";
        let refers = table.references.iter().find_map(|reference| {
            let (_, other) = reference.columns.iter().find(|(own, _)| *own == column.number)?;
            let target = self.tables.get(&reference.table)?;
            Some((target, target.column(*other)?))
        });
        let found = match (refers, self.keys.get(&(table.oid, column.number))) {
            // Where a check wants one of two references, the other is empty.
            (Some(_), _) if attempt % 2 == 1 && !column.not_null => None,
            // Every row refers to the first of its tenant; a row that refers to its own table, to itself or to nothing.
            (Some((target, other)), _) if target.oid != table.oid => {
                self.value(target, other, Place { row: 0, ..place }, 0, path)
            }
            (Some(_), _) if !column.not_null => None,
            (Some((_, other)), _) => self.value(table, other, place, attempt, path),
            (None, Some(true)) => value::of_tenant(&column.type_name, place.tenant),
            (None, Some(false)) => match self.persons() {
                Some((persons, _)) if persons.oid == table.oid => self.candidate(table, column, place, attempt),
                Some((persons, own)) if names(own) => self.value(persons, own, Place { row: 0, ..place }, 0, path),
                Some(_) => value::of_tenant(&column.type_name, place.tenant),
                None => self.alone(&column.type_name, place.tenant),
            },
            // Frameworks that declare no foreign keys mean the same persons. Where one may be there only once, the next row has another.
            (None, None) if attempt == 0 && is_person(column) => match self.persons() {
                Some((persons, own)) if persons.oid != table.oid && names(own) => {
                    self.value(persons, own, Place { row: 0, ..place }, 0, path)
                }
                Some(_) => self.candidate(table, column, place, attempt),
                None => self.alone(&column.type_name, place.tenant),
            },
            (None, None) => self.candidate(table, column, place, attempt),
        };
        path.pop();
        found
    }

    /// The table of persons, and its column that names one.
    fn persons(&self) -> Option<(&Table, &Column)> {
        let (oid, number) = self.persons?;
        let table = self.tables.get(&oid)?;
        Some((table, table.column(number)?))
    }

    fn candidate(&self, table: &Table, column: &Column, place: Place, attempt: usize) -> Option<String> {
        let labels = self.labels.get(&column.type_oid).map(Vec::as_slice).unwrap_or_default();
        value::candidate(table, column, labels, place, attempt)
    }

    /// A column is left to itself where nothing asks for a value.
    fn is_wanted(&self, table: &Table, column: &Column) -> bool {
        let in_key = table.keys.iter().any(|key| key.contains(&column.number));
        let refers = table.references.iter().any(|it| it.columns.iter().any(|(own, _)| *own == column.number));
        let bound = table.bounds.iter().any(|(number, _)| *number == column.number);
        let is_key = self.keys.contains_key(&(table.oid, column.number));
        let held = self.held.contains(&(table.plain.clone(), column.name.clone()));
        !column.is_generated
            && (in_key || refers || bound || is_key || held || (column.not_null && !column.has_default))
    }

    async fn fill(&self, table: &Table, connection: &mut PgConnection) -> Result<Result<Seeded, String>, Stop> {
        let identity = self.identity(table);
        let mut seeded = Seeded {
            sql: table.sql.clone(),
            plain: table.plain.clone(),
            identity,
            rows: [Vec::new(), Vec::new()],
            more: [Vec::new(), Vec::new()],
        };
        for tenant in 0..2 {
            for row in 0..=ROWS {
                let place = Place { tenant, row };
                // One more than is put in, for somebody to try.
                if row == ROWS {
                    seeded.more[tenant] = self.line(table, place, &HashMap::new());
                    continue;
                }
                match self.put(table, place, &seeded.identity, connection).await? {
                    Ok(identity) => seeded.rows[tenant].push(identity),
                    Err(why) if row == 0 => return Ok(Err(why)),
                    Err(_) => {}
                }
            }
        }
        Ok(Ok(seeded))
    }

    /// Columns with a value, each as a constant.
    fn line(&self, table: &Table, place: Place, attempts: &HashMap<i64, usize>) -> Vec<(String, String)> {
        // What policies ask about stands in every other row: a hole may be where it is NULL, or where it is not.
        let is_asked = |column: &Column| {
            place.row.is_multiple_of(2) && !column.is_generated && !column.has_default && table.is_asked(column)
        };
        let wanted = table.columns.iter().filter(|column| {
            self.is_wanted(table, column) || is_asked(column) || attempts.contains_key(&column.number)
        });
        let pair = |column: &Column| {
            let attempt = attempts.get(&column.number).copied().unwrap_or(0);
            let value = self.value(table, column, place, attempt, &mut Vec::new());
            (ident(&column.name), value.map_or_else(|| "null".to_owned(), |value| literal(&value)))
        };
        wanted.map(pair).collect()
    }

    /// Puts one row in; gives its identity, or why there is none.
    async fn put(
        &self,
        table: &Table,
        place: Place,
        identity: &str,
        connection: &mut PgConnection,
    ) -> Result<Result<String, String>, Stop> {
        let mut attempts = HashMap::<i64, usize>::new();
        let mut why = String::new();
        for _ in 0..ATTEMPTS {
            let (columns, values): (Vec<_>, Vec<_>) = self.line(table, place, &attempts).into_iter().unzip();
            let what = match columns.is_empty() {
                true => "default values".to_owned(),
                false => format!("({}) overriding system value values ({})", columns.join(", "), values.join(", ")),
            };
            let sql = format!("insert into {} {what} returning {identity}", table.sql);
            // AssertSqlSafe: quoted names and constants, on a throwaway database.
            let error = match sqlx::raw_sql(AssertSqlSafe(sql)).fetch_optional(&mut *connection).await {
                Ok(row) => {
                    let text = row.and_then(|row: PgRow| row.try_get::<String, _>(0).ok());
                    return Ok(text.ok_or_else(|| "rows put into it do not arrive".to_owned()));
                }
                Err(error) if refusal::is_lost(&error) => return Err(refusal::lost(error)),
                Err(error) => error,
            };
            why = super::copy::said(&error);
            let Some(error) = error.as_database_error() else { break };
            if !self.learn(table, error, &mut attempts) {
                break;
            }
        }
        Ok(Err(why))
    }

    /// Which columns to try other values in. False where a refusal says nothing of any.
    fn learn(&self, table: &Table, error: &dyn sqlx::error::DatabaseError, attempts: &mut HashMap<i64, usize>) -> bool {
        let code = error.code().unwrap_or_default();
        let named = table.checks.iter().find(|check| Some(check.name.as_str()) == error.constraint());
        let postgres = error.try_downcast_ref::<sqlx::postgres::PgDatabaseError>();
        let column =
            postgres.and_then(|error| table.columns.iter().find(|it| Some(it.name.as_str()) == error.column()));
        let of_type = postgres.and_then(sqlx::postgres::PgDatabaseError::data_type);
        let wanted: Vec<i64> = match (code.as_ref(), named, column) {
            ("23514", Some(check), _) => check.columns.clone(),
            ("23514", ..) if of_type.is_some() => {
                let last = |it: &Column| it.r#type.rsplit('.').next().map(|name| name.trim_matches('"').to_owned());
                table.columns.iter().filter(|it| last(it).as_deref() == of_type).map(|it| it.number).collect()
            }
            ("23502", _, Some(column)) => vec![column.number],
            // Too long, or not of the form: of those that hold a value, any.
            ("22001" | "22P02" | "22003" | "22026" | "22000", ..) => {
                table.columns.iter().filter(|it| self.is_wanted(table, it)).map(|it| it.number).collect()
            }
            _ => return false,
        };
        // One at a time, the one that was changed least; of a reference, the value is not its own, but it may be empty.
        let free = wanted.into_iter().filter(|number| {
            let refers = table.references.iter().any(|it| it.columns.iter().any(|(own, _)| own == number));
            let may_be_empty = table.column(*number).is_some_and(|column| !column.not_null) && code == "23514";
            (!refers || may_be_empty) && !self.keys.contains_key(&(table.oid, *number))
        });
        let Some(number) = free.min_by_key(|number| attempts.get(number).copied().unwrap_or(0)) else { return false };
        let next = attempts
            .get(&number)
            .map_or(usize::from(table.column(number).is_some_and(|it| self.is_wanted(table, it))), |it| it + 1);
        attempts.insert(number, next);
        true
    }

    /// Primary key, else every column that is written: as one text.
    fn identity(&self, table: &Table) -> String {
        let by_key = table.keys.first().filter(|_| table.has_primary_key);
        let columns: Vec<_> = match by_key {
            Some(key) => key.iter().filter_map(|number| table.column(*number)).collect(),
            None => table.columns.iter().filter(|column| self.is_wanted(table, column)).collect(),
        };
        if columns.is_empty() {
            return "''::text".to_owned();
        }
        let parts: Vec<_> = columns.iter().map(|column| format!("{}::text", ident(&column.name))).collect();
        format!("pg_catalog.concat_ws(' | ', {})", parts.join(", "))
    }
}

/// One more row of either tenant for each table, as the tables are now.
pub(super) async fn more(facts: &mut Facts) -> Result<HashMap<String, [Vec<(String, String)>; 2]>, Stop> {
    let plot = Plot::read(facts).await?;
    let lines = |table: &Table| {
        let line = |tenant| plot.line(table, Place { tenant, row: ROWS }, &HashMap::new());
        (table.plain.clone(), [line(0), line(1)])
    };
    Ok(plot.tables.values().map(lines).collect())
}

/// What names a person, beside a tenant.
fn is_person(column: &Column) -> bool {
    matches!(tenancy::plain(&column.name).as_str(), "userid" | "memberid" | "personid" | "profileid")
}
