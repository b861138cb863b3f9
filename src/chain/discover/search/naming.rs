//! What programs call the columns of a table in the documents they hash.

use crate::chain::items::Column;

/// Keys for all fields.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Naming {
    /// One for each field; none of them in a list.
    pub keys: Vec<String>,
    /// A list has no keys.
    pub is_list: bool,
    /// Fields whose key is not their column's name.
    pub other: u32,
}

/// What is meant by a column whose name has one of these words, and what else it is called.
const MEANINGS: [(&[&str], &[&str]); 9] = [
    (
        &["created", "timestamp", "time", "ts", "occurred", "recorded", "logged", "happened", "inserted", "at", "date"],
        &["timestamp", "ts", "at", "time", "created_at", "occurred_at", "createdAt", "date"],
    ),
    (
        &["actor", "user", "principal", "agent", "subject"],
        &["actor", "user", "user_id", "actor_id", "userId", "actorId", "agent"],
    ),
    (
        &["payload", "details", "detail", "data", "metadata", "meta", "body", "content", "event", "changes", "context"],
        &["payload", "data", "details", "detail", "metadata", "meta", "body", "content", "event", "event_data"],
    ),
    (
        &["seq", "sequence", "index", "idx", "id", "position", "number", "height"],
        &["seq", "sequence", "index", "id", "idx", "n", "position", "event_id"],
    ),
    (
        &["action", "event", "operation", "op", "verb"],
        &["action", "event", "event_type", "type", "kind", "op", "operation"],
    ),
    (&["type", "kind"], &["type", "kind", "event_type", "event", "action"]),
    (
        &["resource", "entity", "target", "object", "record"],
        &["resource", "entity", "target", "object", "resource_id", "entity_id", "target_id"],
    ),
    (
        &["tenant", "org", "organization", "organisation", "company", "workspace"],
        &["tenant", "tenant_id", "org", "org_id", "tenantId"],
    ),
    (
        &["reason", "note", "comment", "outcome", "result", "status"],
        &["reason", "note", "comment", "result", "outcome", "status"],
    ),
];

/// Most names for one field.
const MOST: usize = 10;

/// What a column may be called, its own name left out.
pub(super) fn aliases(column: &Column) -> Vec<String> {
    let name = worded(&column.name);
    let words: Vec<&str> = name.split('_').collect();
    let mut found: Vec<String> = Vec::new();
    // Without what says its type, and without what says its table.
    for end in ["_id", "_at", "_json", "_type", "_text", "_name", "_uuid", "_ref"] {
        found.extend(name.strip_suffix(end).map(str::to_owned));
    }
    if words.len() > 1 {
        found.push(words[words.len() - 1].to_owned());
    }
    for (of, names) in MEANINGS {
        if words.iter().any(|word| of.contains(word)) {
            found.extend(names.iter().map(|name| (*name).to_owned()));
        }
    }
    let mut seen = Vec::new();
    found.retain(|alias| {
        *alias != column.name && !seen.contains(alias) && {
            seen.push(alias.clone());
            true
        }
    });
    found.truncate(MOST);
    found
}

/// The names of the columns, the same in camel case, none at all, and as Go and C# call members.
pub(super) fn plain(columns: &[&Column]) -> Vec<Naming> {
    let names: Vec<String> = columns.iter().map(|column| column.name.clone()).collect();
    let camels: Vec<String> = names.iter().map(|name| camelled(name)).collect();
    let own = Naming { keys: names, is_list: false, other: 0 };
    let camel = Naming {
        other: own.keys.iter().zip(&camels).enumerate().filter(|(_, (a, b))| a != b).map(|(bit, _)| 1 << bit).sum(),
        keys: camels,
        is_list: false,
    };
    let pascal =
        Naming { keys: own.keys.iter().map(|name| pascalled(name)).collect(), is_list: false, other: u32::MAX };
    let list = Naming { keys: vec![String::new(); columns.len()], is_list: true, other: 0 };
    if camel.other == 0 { vec![own, list, pascal] } else { vec![own, camel, list, pascal] }
}

/// Up to two fields by other names.
pub(super) fn renamed(columns: &[&Column], of: &Naming, two: bool) -> Vec<Naming> {
    let others: Vec<Vec<String>> = columns.iter().map(|column| aliases(column)).collect();
    let with = |naming: &Naming, bit: usize, name: &String| {
        let mut naming = naming.clone();
        naming.keys[bit].clone_from(name);
        naming.other |= 1 << bit;
        naming
    };
    let mut all = Vec::new();
    for (bit, names) in others.iter().enumerate() {
        for name in names.iter().filter(|name| **name != of.keys[bit]) {
            let one = with(of, bit, name);
            if two {
                for (second, names) in others.iter().enumerate().skip(bit + 1) {
                    all.extend(names.iter().take(4).map(|name| with(&one, second, name)));
                }
            } else {
                all.push(one);
            }
        }
    }
    all.retain(|naming| (1..naming.keys.len()).all(|at| !naming.keys[..at].contains(&naming.keys[at])));
    all
}

/// `previous_hash` as `PreviousHash`.
pub(super) fn pascalled(name: &str) -> String {
    let camel = camelled(name);
    let mut letters = camel.chars();
    letters.next().map(|letter| letter.to_ascii_uppercase()).into_iter().chain(letters).collect()
}

/// `createdAt` as `created_at`.
pub(super) fn worded(name: &str) -> String {
    let mut words = String::with_capacity(name.len() + 4);
    let mut small = false;
    for letter in name.chars() {
        if letter.is_uppercase() && small {
            words.push('_');
        }
        small = letter.is_lowercase();
        words.extend(letter.to_lowercase());
    }
    words
}

/// `previous_hash` as `previousHash`.
pub(super) fn camelled(name: &str) -> String {
    let mut words = name.split('_');
    let mut camel = words.next().unwrap_or_default().to_owned();
    for word in words {
        let mut letters = word.chars();
        camel.extend(letters.next().map(|letter| letter.to_ascii_uppercase()));
        camel.push_str(letters.as_str());
    }
    camel
}
