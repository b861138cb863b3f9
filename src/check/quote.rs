//! Names and texts as PostgreSQL reads them in SQL.

use crate::ui::clean::is_hostile;
use std::collections::HashSet;
use std::sync::LazyLock;

/// Words that PostgreSQL 14 to 18 do not take as a bare name everywhere.
const KEYWORDS: &str = "\
    all analyse analyze and any array as asc asymmetric authorization between bigint binary bit boolean both case \
    cast char character check coalesce collate collation column concurrently constraint create cross \
    current_catalog current_date current_role current_schema current_time current_timestamp current_user dec \
    decimal default deferrable desc distinct do else end except exists extract false fetch float for foreign \
    freeze from full grant greatest group grouping having ilike in initially inner inout int integer intersect \
    interval into is isnull join json json_array json_arrayagg json_exists json_object json_objectagg json_query \
    json_scalar json_serialize json_table json_value lateral leading least left like limit localtime \
    localtimestamp merge_action national natural nchar none normalize not notnull null nullif numeric offset on \
    only or order out outer overlaps overlay placing position precision primary real references returning right \
    row select session_user setof similar smallint some substring symmetric system_user table tablesample then \
    time timestamp to trailing treat trim true union unique user using values varchar variadic verbose when where \
    window with xmlattributes xmlconcat xmlelement xmlexists xmlforest xmlnamespaces xmlparse xmlpi xmlroot \
    xmlserialize xmltable";

/// An identifier, quoted unless it is plain lower case and no keyword; like `quote_ident`. One with characters that nobody
/// sees is written by their code points, so that SQL can be read, and copied from a terminal: see "Identifiers and Key
/// Words" in PostgreSQL's documentation, section 4.1.1.
pub fn ident(name: &str) -> String {
    static RESERVED: LazyLock<HashSet<&str>> = LazyLock::new(|| KEYWORDS.split_ascii_whitespace().collect());
    let mut characters = name.chars();
    let plain = characters.next().is_some_and(|first| first.is_ascii_lowercase() || first == '_')
        && characters.all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
        && !RESERVED.contains(name);
    let quoted = name.replace('"', "\"\"");
    if plain {
        name.to_owned()
    } else if name.contains(is_hostile) {
        format!("U&\"{}\"", escaped(&quoted.replace('\\', "\\\\"), |code| format!("\\+{code:06x}")))
    } else {
        format!("\"{quoted}\"")
    }
}

/// The text with whatever would not be seen, or break the line, written as its code point.
fn escaped(text: &str, escape: impl Fn(u32) -> String) -> String {
    text.chars().map(|c| if is_hostile(c) { escape(c.into()) } else { c.to_string() }).collect()
}

/// A name with its schema, where it has one.
pub fn relation(schema: Option<&str>, name: &str) -> String {
    schema.map_or_else(|| ident(name), |schema| format!("{}.{}", ident(schema), ident(name)))
}

/// A string constant that means the same whatever `standard_conforming_strings` says; like `quote_literal`.
pub fn literal(text: &str) -> String {
    let quoted = text.replace('\'', "''");
    if quoted.contains(|c| c == '\\' || is_hostile(c)) {
        format!("E'{}'", escaped(&quoted.replace('\\', "\\\\"), |code| format!("\\U{code:08x}")))
    } else {
        format!("'{quoted}'")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifiers_are_quoted_where_postgres_needs_it() {
        for (name, quoted) in [
            ("orders", "orders"),
            ("_a1", "_a1"),
            ("order", "\"order\""),
            ("Orders", "\"Orders\""),
            ("1st", "\"1st\""),
            ("a\"; drop table x; --", "\"a\"\"; drop table x; --\""),
            ("a$b", "\"a$b\""),
            ("tête", "\"tête\""),
            ("", "\"\""),
            ("a\nb\"\\", r#"U&"a\+00000ab""\\""#),
        ] {
            assert_eq!(ident(name), quoted);
        }
    }

    #[test]
    fn literals_survive_quotes_and_backslashes() {
        assert_eq!(literal("it's"), "'it''s'");
        assert_eq!(literal(r"a\'b"), r"E'a\\''b'");
        assert_eq!(literal("a\u{1b}b"), r"E'a\U0000001bb'");
    }
}
