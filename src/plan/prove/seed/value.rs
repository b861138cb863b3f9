//! Values by type: different for each table, tenant and row, and others where the first are refused.

use super::table::{Column, Table, literals};
use jiff::{SignedDuration, Timestamp};
use sha2::{Digest, Sha256};
use std::sync::LazyLock;

/// Which row of which tenant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    /// 0 or 1.
    pub(super) tenant: usize,
    pub(super) row: usize,
}

/// A tenant's own name for itself, by the type of a key. The same in every table.
pub(super) fn of_tenant(type_name: &str, tenant: usize) -> Option<String> {
    Some(match type_name {
        "uuid" => format!("{0}0000000-0000-4000-8000-00000000000{1}", ["a", "b"][tenant % 2], tenant + 1),
        "int2" => (tenant + 1).to_string(),
        "int4" | "int8" | "numeric" | "oid" => format!("{}1", number_mark(tenant)),
        "text" | "varchar" | "bpchar" | "citext" | "name" => mark(tenant).to_owned(),
        _ => return None,
    })
}

/// What stands in texts of a tenant, and nowhere else.
pub(in crate::plan::prove) fn mark(tenant: usize) -> &'static str {
    ["tenant-a", "tenant-b"][tenant % 2]
}

/// How numbers of a tenant begin, where they may be that large; three digits more fit into an `int4`.
pub(in crate::plan::prove) fn number_mark(tenant: usize) -> &'static str {
    ["77100000", "77200000"][tenant % 2]
}

/// A column's name, in letters and digits.
fn plain_name(column: &Column) -> String {
    column.name.chars().filter(char::is_ascii_alphanumeric).take(12).collect::<String>().to_lowercase()
}

/// A number of its own for each table, column and row; small, for the sake of checks and short columns.
fn number(table: &Table, place: Place) -> usize {
    let turn = usize::try_from(table.oid).unwrap_or(0) % 50;
    turn * 4 + place.tenant * 2 + place.row + 1
}

/// 32 hex digits.
fn digits(table: &Table, column: &Column, place: Place) -> String {
    let what = format!("{} {} {} {}", table.plain, column.name, place.tenant, place.row);
    Sha256::digest(what).iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}

/// A moment ago, the same throughout a run: policies may show what is new.
static NOW: LazyLock<Timestamp> = LazyLock::new(Timestamp::now);

/// The `attempt`th value that could stand in a column, over and over; none where its type is not known, and at times where
/// a column may be without one.
pub(super) fn candidate(
    table: &Table,
    column: &Column,
    labels: &[String],
    place: Place,
    attempt: usize,
) -> Option<String> {
    let listed = listed(table, column);
    let number = number(table, place);
    let all: Vec<String> = match column.type_kind.as_str() {
        "enum" => labels.to_vec(),
        "array" => vec!["{}".to_owned()],
        "range" => vec!["empty".to_owned(), "{}".to_owned()],
        "composite" => return None,
        _ => by_type(table, column, number, place)?,
    };
    // What a check or a bound names comes first; of several, each row has its own.
    let mut ordered: Vec<_> = listed.iter().cycle().skip(place.row).take(listed.len()).cloned().collect();
    let turn = if column.type_kind == "enum" { place.row % all.len().max(1) } else { 0 };
    ordered.extend(all.iter().cycle().skip(turn).take(all.len()).cloned());
    let most = length(&column.r#type);
    ordered.retain(|value| most.is_none_or(|most| value.chars().count() <= most));
    let turns = ordered.len() + usize::from(!column.not_null);
    ordered.into_iter().nth(attempt % turns.max(1))
}

/// The length of `character varying(9)`.
fn length(r#type: &str) -> Option<usize> {
    let inner = r#type.strip_prefix("character")?.split_once('(')?.1;
    inner.split_once(')')?.0.parse().ok()
}

fn by_type(table: &Table, column: &Column, number: usize, place: Place) -> Option<Vec<String>> {
    let digits = digits(table, column, place);
    let words = |all: &[&str]| all.iter().map(|word| (*word).to_owned()).collect();
    let day = place.tenant * 2 + place.row + 1;
    Some(match column.type_name.as_str() {
        "uuid" => vec![format!(
            "{}-{}-4{}-8{}-{}",
            &digits[..8],
            &digits[8..12],
            &digits[13..16],
            &digits[17..20],
            &digits[20..32]
        )],
        "bool" => words(&["false", "true"]),
        "int2" | "int4" | "int8" | "numeric" | "oid" | "money" => {
            let large = (771_000_000 + 1_000_000 * (place.tenant % 2) + number).to_string();
            let mut all = vec![
                large,
                number.to_string(),
                day.to_string(),
                "0".into(),
                "1".into(),
                "2".into(),
                "100".into(),
                "1000000".into(),
                "-1".into(),
            ];
            // What another table refers to is not tried again by whoever refers to it: it fits at once.
            if column.type_name == "int2" {
                all.retain(|value| value.parse::<i16>().is_ok());
            }
            all
        }
        "float4" | "float8" => vec![format!("0.{number}"), number.to_string(), "0".into(), "1".into(), "-1".into()],
        "text" | "varchar" | "citext" | "name" => vec![
            // Whoever sees it sees whose it is.
            format!("{}-{}-{number}", mark(place.tenant), plain_name(column)),
            format!("{}{number}", plain_name(column)),
            number.to_string(),
            format!("seed{number}@example.com"),
            format!("https://example.com/{number}"),
            digits.clone(),
            format!("{digits}{digits}"),
            format!("A{number}"),
            String::from(char::from(b'a' + u8::try_from(number % 26).unwrap_or(0))),
            format!("sha256:{digits}{digits}"),
            String::new(),
        ],
        "bpchar" => {
            vec![digits[..1].to_owned(), format!("{digits}{digits}"), digits[..2].to_owned(), "EUR".into(), "x".into()]
        }
        "char" => vec![digits[..1].to_owned()],
        "bytea" => vec![format!("\\x{digits}"), format!("\\x{digits}{digits}"), "\\x".into()],
        "timestamptz" | "timestamp" => vec![
            (*NOW - SignedDuration::from_mins(i64::try_from(day).unwrap_or(1))).to_string(),
            format!("2026-01-0{day} 03:04:05"),
            format!("2999-01-0{day} 00:00:00"),
            format!("2000-01-0{day} 00:00:00"),
        ],
        "date" => vec![format!("2026-01-0{day}"), format!("2999-01-0{day}"), format!("2000-01-0{day}")],
        "time" | "timetz" => vec![format!("0{day}:00:00")],
        "interval" => vec![format!("{day} days")],
        "json" | "jsonb" => words(&["{}", "[]", "\"x\""]),
        "inet" | "cidr" => vec![format!("10.0.0.{}", number % 250)],
        "macaddr" => vec![format!("08:00:2b:01:02:{:02x}", number % 256)],
        "xml" => words(&["<a/>"]),
        "point" => vec![format!("({number},1)")],
        "bit" | "varbit" => words(&["0", "1"]),
        "tsvector" | "tsquery" => words(&["a"]),
        "ltree" => vec![format!("n{number}")],
        "hstore" => words(&[""]),
        "vector" | "halfvec" => {
            let size: usize = literals(&column.r#type).first()?.parse().ok()?;
            vec![format!("[{}]", vec!["0.1"; size.min(16_000)].join(","))]
        }
        _ => return None,
    })
}

/// Constants that a check over the column alone, or the bound of a partition, names.
fn listed(table: &Table, column: &Column) -> Vec<String> {
    let bounds = table.bounds.iter().filter(|(number, _)| *number == column.number).map(|(_, value)| value.clone());
    let checks = table.checks.iter().filter(|check| check.columns == [column.number]);
    let lists = checks.filter(|check| check.definition.contains("ANY (") || check.definition.contains(" = '"));
    // Those of a pattern or a comparison with a function are none.
    let lists = lists.filter(|check| !check.definition.contains('~') && !check.definition.contains("<> ALL"));
    bounds.chain(lists.flat_map(|check| literals(&check.definition))).collect()
}
