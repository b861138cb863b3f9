//! Rows that name a row of another table: identifiers are compared, and only counts are kept.

use super::plan::{Column, Table};
use super::shape::digest;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// Identifiers of one column that are kept until all tables were read.
const KEPT: usize = 256;

/// Identifiers in the sampled rows. Numbers are not compared: each table has a row 7.
#[derive(Default)]
pub(super) struct References {
    /// Tables in which an identifier is the primary key of a row.
    rows: HashMap<u128, BTreeSet<i64>>,
    /// By table and column.
    named: BTreeMap<(i64, i64), BTreeSet<u128>>,
}

impl References {
    /// Looks for identifiers in a value: itself, or strings of a document.
    pub(super) fn look(&mut self, table: &Table, column: &Column, value: &str) {
        let relation = table.candidate.root;
        let strings: Box<dyn Iterator<Item = &str>> = match value.trim_start().starts_with(['{', '[']) {
            true => Box::new(value.split('"')),
            false => Box::new(std::iter::once(value)),
        };
        for id in strings.filter_map(identifier) {
            if column.is_identity {
                self.rows.entry(id).or_default().insert(relation);
            }
            let named = self.named.entry((relation, column.root_number)).or_default();
            if named.len() < KEPT {
                named.insert(id);
            }
        }
    }

    /// Rows of `sampled_references`.
    pub(super) fn into_rows(self) -> Vec<Vec<Option<String>>> {
        let mut found: BTreeMap<(i64, i64, i64), u64> = BTreeMap::new();
        for ((relation, column), ids) in &self.named {
            let others = ids.iter().filter_map(|id| self.rows.get(id)).flatten().filter(|other| *other != relation);
            for other in others {
                *found.entry((*relation, *column, *other)).or_default() += 1;
            }
        }
        let row = |((relation, column, other), count): ((i64, i64, i64), u64)| {
            [relation.to_string(), column.to_string(), other.to_string(), count.to_string()].map(Some).to_vec()
        };
        found.into_iter().map(row).collect()
    }
}

/// Lengths of identifiers that programs make up so that no two are alike: ULID, CUID, KSUID, nanoid, `org_…`.
const MADE_UP: std::ops::RangeInclusive<usize> = 16..=64;

/// What tells one row from all others, whichever table it is in: a UUID in any letter case, or a word that a program made up.
fn identifier(text: &str) -> Option<u128> {
    let is_word = |text: &str| text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-');
    let made_up =
        |text: &str| MADE_UP.contains(&text.len()) && text.bytes().any(|b| b.is_ascii_digit()) && is_word(text);
    uuid(text).or_else(|| made_up(text).then(|| digest(text).into()))
}

/// As PostgreSQL writes a UUID: <https://www.postgresql.org/docs/current/datatype-uuid.html>.
fn uuid(text: &str) -> Option<u128> {
    let groups: Vec<&str> = text.split('-').collect();
    let are_groups = text.len() == 36 && groups.iter().map(|group| group.len()).eq([8, 4, 4, 4, 12]);
    are_groups.then(|| u128::from_str_radix(&groups.concat(), 16).ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::{identifier, uuid};

    #[test]
    fn words_that_programs_make_up_are_identifiers() {
        for text in ["01ARZ3NDEKTSV4RRFFQ69G5FAV", "cl9ebqhxk00003b600tymydho", "org_2abCdEfGhIjKlMnOpQr"] {
            assert!(identifier(text).is_some(), "{text}");
        }
        for text in ["42", "1700000000", "a sentence of 7 words", "ada1@example.com.example", "subscription_plan"] {
            assert_eq!(identifier(text), None, "{text}");
        }
    }

    #[test]
    fn a_uuid_is_one_in_either_case() {
        assert_eq!(uuid("00000000-0000-4000-8000-00000000000A"), Some(0x4000_8000_0000_0000_000a));
        for text in [
            "",
            "00000000-0000-4000-8000-00000000000",
            "0000000000-00-4000-8000-00000000000a",
            "+0000000-0000-4000-8000-00000000000g",
        ] {
            assert_eq!(uuid(text), None, "{text}");
        }
    }
}
