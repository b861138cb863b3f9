//! Rows that name a row of another table: identifiers are compared, and only counts are kept.

use super::plan::{Column, Table};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// Identifiers of one column that are kept until all tables were read.
const KEPT: usize = 256;

/// UUIDs of the sampled rows. Numbers are not compared: each table has a row 7.
#[derive(Default)]
pub(super) struct References {
    /// Tables in which a UUID is the primary key of a row.
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
        for id in strings.filter_map(uuid) {
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

/// As PostgreSQL writes a UUID: <https://www.postgresql.org/docs/current/datatype-uuid.html>.
fn uuid(text: &str) -> Option<u128> {
    let groups: Vec<&str> = text.split('-').collect();
    let are_groups = text.len() == 36 && groups.iter().map(|group| group.len()).eq([8, 4, 4, 4, 12]);
    are_groups.then(|| u128::from_str_radix(&groups.concat(), 16).ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::uuid;

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
