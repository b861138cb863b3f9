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
        &["timestamp", "ts", "createdAt", "created_at", "at", "time", "occurred_at", "date"],
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
    // What an instant is called says nothing of it: "created" stands for no time.
    if column.kind.is_time() {
        found.extend(MEANINGS[0].1.iter().map(|name| (*name).to_owned()));
    }
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

/// Everything that a column may be called.
pub(in crate::chain::discover) fn names(column: &Column) -> Vec<String> {
    let mut names = vec![column.name.clone(), camelled(&column.name), pascalled(&column.name)];
    let others = aliases(column);
    names.extend(others.iter().map(|name| camelled(name)));
    names.extend(others);
    names
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
    // Go writes an abbreviation in capitals.
    let go = Naming { keys: pascal.keys.iter().map(|name| abbreviated(name)).collect(), ..pascal.clone() };
    let list = Naming { keys: vec![String::new(); columns.len()], is_list: true, other: 0 };
    let mut all = vec![own];
    all.extend((camel.other != 0).then_some(camel));
    all.push(list);
    all.extend((go != pascal).then_some(go));
    all.push(pascal);
    all
}

/// Up to two fields by other names, the likeliest first, each with its rank.
pub(super) fn renamed(columns: &[&Column], of: &Naming, two: bool) -> Vec<(usize, Naming)> {
    let is_camel = of.other != 0;
    let others: Vec<Vec<(usize, String)>> = columns
        .iter()
        .enumerate()
        .map(|(bit, column)| {
            let mut names: Vec<String> = aliases(column);
            if is_camel {
                names.iter_mut().for_each(|name| *name = camelled(name));
            }
            names.retain(|name| *name != of.keys[bit]);
            names.into_iter().enumerate().map(|(number, name)| (rank(column, number), name)).collect()
        })
        .collect();
    let with = |naming: &Naming, bit: usize, name: &String| {
        let mut naming = naming.clone();
        naming.keys[bit].clone_from(name);
        naming.other |= 1 << bit;
        naming
    };
    let mut all = Vec::new();
    for (bit, names) in others.iter().enumerate() {
        for (rank, name) in names {
            let one = with(of, bit, name);
            if two {
                for (second, names) in others.iter().enumerate().skip(bit + 1) {
                    all.extend(names.iter().take(4).map(|(other, name)| (rank * other, with(&one, second, name))));
                }
            } else {
                all.push((*rank, one));
            }
        }
    }
    all.retain(|(_, naming)| (1..naming.keys.len()).all(|at| !naming.keys[..at].contains(&naming.keys[at])));
    all.sort_by_key(|(rank, _)| *rank);
    all
}

/// How seldom a column has this one of its other names: most have another for its time, many for its document, or who did it.
fn rank(column: &Column, number: usize) -> usize {
    let name = worded(&column.name);
    let is_actor = || name.split('_').any(|word| MEANINGS[1].0.contains(&word));
    match column.kind {
        kind if kind.is_time() => 2 + number,
        kind if kind.is_document() => 3 + 2 * number,
        _ if is_actor() => 4 + 2 * number,
        _ => 5 + 3 * number,
    }
}

/// How the words of a name are set apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Convention {
    /// It has one word.
    Any,
    /// `prev_hash`
    Snake,
    /// `prevHash`
    Camel,
    /// `PrevHash`
    Pascal,
}

impl Convention {
    /// Of these names: that of the first that has one.
    pub(super) fn of<'a>(names: impl IntoIterator<Item = &'a str>) -> Self {
        let one = |name: &str| match name {
            name if name.contains('_') => Some(Self::Snake),
            name if name.starts_with(char::is_uppercase) => Some(Self::Pascal),
            name if name.contains(char::is_uppercase) => Some(Self::Camel),
            _ => None,
        };
        names.into_iter().find_map(one).unwrap_or(Self::Any)
    }

    /// One program may name both so.
    pub(super) fn suits(self, other: Self) -> bool {
        match (self, other) {
            (Self::Pascal, other) | (other, Self::Pascal) => other == Self::Pascal,
            (Self::Any, _) | (_, Self::Any) => true,
            (one, other) => one == other,
        }
    }
}

/// `TenantId` as `TenantID`.
fn abbreviated(name: &str) -> String {
    let whole = |rest: &str| rest.chars().next().is_none_or(char::is_uppercase);
    let mut out = String::with_capacity(name.len());
    let mut rest = name;
    while let Some(letter) = rest.chars().next() {
        let short = ["Id", "Ip", "Url", "Uuid"].into_iter().find(|of| rest.strip_prefix(of).is_some_and(whole));
        let length = short.map_or(letter.len_utf8(), str::len);
        match short {
            Some(short) => out.push_str(&short.to_uppercase()),
            None => out.push(letter),
        }
        rest = &rest[length..];
    }
    out
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chain::value::Kind;

    fn column(name: &str, kind: Kind) -> Column {
        Column { name: name.into(), kind, type_name: String::new(), beside: false, not_null: false, sequenced: false }
    }

    #[test]
    fn other_names_come_by_how_usual_they_are() {
        let columns = [column("id", Kind::Int), column("actor", Kind::Text), column("ts", Kind::Timestamptz)];
        let columns: Vec<&Column> = columns.iter().collect();
        let own = &plain(&columns)[0];
        let first: Vec<String> =
            renamed(&columns, own, false).into_iter().take(4).map(|(_, naming)| naming.keys.join(" ")).collect();
        assert_eq!(first, ["id actor timestamp", "id actor createdAt", "id user ts", "id actor created_at"]);
        let two = renamed(&columns, own, true);
        assert!(two.iter().take(3).any(|(rank, naming)| *rank == 8 && naming.keys.join(" ") == "id user timestamp"));
        assert!(two.windows(2).all(|two| two[0].0 <= two[1].0));
    }

    #[test]
    fn names_are_of_one_convention() {
        assert_eq!(Convention::of(["id", "tenant_id"]), Convention::Snake);
        assert_eq!(Convention::of(["id", "actor"]), Convention::Any);
        assert!(Convention::Any.suits(Convention::Camel) && !Convention::Snake.suits(Convention::Camel));
        assert!(!Convention::Any.suits(Convention::Pascal));
        assert_eq!(abbreviated("TenantIdIpIdle"), "TenantIDIPIdle");
    }
}
