//! Nothing secret enters the facts: every text is looked through on its way in, and kept without what was found.

use crate::facts::value::Value;
use crate::secrets::{Found, Key, Kind, Named, Rules, literals, named, redact};
use std::collections::{BTreeMap, HashMap};
use std::ops::Range;

/// Columns that hold words of people or code.
struct Watched {
    table: &'static str,
    /// Which object a secret in it belongs to: its kind, the columns of its oid, of a column's number, and of the name
    /// of the policy, constraint or trigger.
    object_kind: &'static str,
    object: &'static str,
    number: &'static str,
    part: &'static str,
    /// Column, what it is to a reader, what it is to the rules.
    texts: &'static [(&'static str, &'static str, Kind)],
}

const WATCHED: &[Watched] = &[
    watched(
        "functions",
        "function",
        "oid",
        "",
        "",
        &[
            ("source", "function body", Kind::Sql),
            ("argument_defaults", "argument default", Kind::Sql),
            ("comment", "comment", Kind::Text),
            ("search_path", "setting of a function", Kind::Text),
        ],
    ),
    watched(
        "columns",
        "relation",
        "relation",
        "number",
        "",
        &[("default_expression", "column default", Kind::Sql), ("comment", "comment", Kind::Text)],
    ),
    watched("definitions", "relation", "relation", "", "", &[("definition", "view", Kind::Sql)]),
    watched("relations", "relation", "oid", "", "", &[("comment", "comment", Kind::Text)]),
    watched("schemas", "schema", "oid", "", "", &[("comment", "comment", Kind::Text)]),
    watched("roles", "role", "oid", "", "", &[("comment", "comment", Kind::Text)]),
    watched(
        "policies",
        "relation",
        "relation",
        "",
        "name",
        &[
            ("using_expression", "policy", Kind::Sql),
            ("check_expression", "policy", Kind::Sql),
            ("comment", "comment", Kind::Text),
        ],
    ),
    watched("constraints", "relation", "relation", "", "name", &[("definition", "constraint", Kind::Sql)]),
    watched(
        "indexes",
        "relation",
        "relation",
        "",
        "name",
        &[("expressions", "index", Kind::Sql), ("predicate", "index", Kind::Sql)],
    ),
    watched("rules", "relation", "relation", "", "name", &[("definition", "rule", Kind::Sql)]),
    watched("inheritance", "relation", "child", "", "", &[("bound", "partition bound", Kind::Sql)]),
    watched(
        "publication_relations",
        "relation",
        "relation",
        "",
        "",
        &[("row_filter", "publication filter", Kind::Sql)],
    ),
    watched("enum_labels", "type", "type_oid", "", "type", &[("label", "enum label", Kind::Text)]),
    watched("settings", "setting", "", "", "name", &[("value", "setting", Kind::Text)]),
    watched("role_settings", "role", "role", "", "name", &[("value", "setting of a role", Kind::Text)]),
    // All options come once more among the surfaces; here they are only hidden.
    watched(
        "foreign_servers",
        "foreign server",
        "oid",
        "",
        "name",
        &[("host", "", Kind::Text), ("dbname", "", Kind::Text)],
    ),
    watched("types", "type", "oid", "", "", &[("comment", "", Kind::Text)]),
    watched("ddl", "object", "object", "", "", &[("text", "", Kind::Sql)]),
    watched("domain_checks", "type", "", "", "", &[("definition", "", Kind::Sql)]),
    watched("user_mappings", "foreign server", "server", "", "", &[("remote_user", "", Kind::Text)]),
];

const fn watched(
    table: &'static str,
    object_kind: &'static str,
    object: &'static str,
    number: &'static str,
    part: &'static str,
    texts: &'static [(&'static str, &'static str, Kind)],
) -> Watched {
    Watched { table, object_kind, object, number, part, texts }
}

/// Texts that something beside them calls a secret, whatever they look like: table, column of the name, column of the text. Names
/// may be a JSON array: one of them is enough.
const NAMED: &[(&str, &str, &str)] =
    &[("columns", "name", "default_expression"), ("functions", "argument_names", "argument_defaults")];

/// Tables whose rows are objects with a name of their own, and what each is.
const OWN_NAMES: &[(&str, &str)] = &[
    ("relations", "relation"),
    ("columns", "relation"),
    ("policies", "relation"),
    ("constraints", "relation"),
    ("indexes", "relation"),
    ("rules", "relation"),
    ("triggers", "object"),
    ("functions", "function"),
    ("schemas", "schema"),
    ("roles", "role"),
    ("types", "type"),
    ("databases", "database"),
    ("foreign_servers", "foreign server"),
    ("publications", "object"),
    ("subscriptions", "object"),
    ("event_triggers", "object"),
];

/// Columns of any table that hold names. A secret has no business there either, and is not kept.
const NAMING: &[&str] = &[
    "name",
    "schema",
    "type",
    "domain",
    "signature",
    "argument_names",
    "argument_types",
    "returns",
    "role",
    "database",
    "role_name",
    "object",
    "needs",
];

/// Texts that are looked through and not kept at all: see `surfaces.sql`.
pub(super) const SURFACES: &str = "surfaces";

/// Where a secret was found.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    place: String,
    object_kind: String,
    object: i64,
    column_number: i64,
    part: String,
    rule: String,
    title: String,
}

/// Looks texts through.
pub(super) struct Guard<'r> {
    rules: &'r Rules,
    key: Key,
    /// How many values, and the least of their fingerprints.
    hits: BTreeMap<Place, (u64, String)>,
    /// Numbers different secrets of one rule, so that they stay different where they were compared.
    numbers: HashMap<String, Vec<String>>,
}

/// Where the watched columns of one answer stand.
#[derive(Default)]
pub(super) struct Columns {
    watched: Option<&'static Watched>,
    width: usize,
    /// Positions of names; of the object's own, which table it is of.
    names: Vec<usize>,
    own: Option<(usize, &'static str)>,
    object: Option<usize>,
    number: Option<usize>,
    part: Option<usize>,
    language: Option<usize>,
    /// Position, reader's word, kind.
    texts: Vec<(usize, &'static str, Kind)>,
    /// Position of the name of one of these, and of the text.
    named: Option<(usize, usize)>,
}

impl Columns {
    pub(super) fn of(table: &str, header: &[(String, bool)]) -> Self {
        let at = |name: &str| header.iter().position(|(column, _)| column == name);
        let names = NAMING.iter().filter_map(|name| at(name)).collect();
        let own = OWN_NAMES.iter().find(|(of, _)| *of == table).and_then(|(_, kind)| Some((at("name")?, *kind)));
        let width = header.len();
        let Some(watched) = WATCHED.iter().find(|watched| watched.table == table) else {
            return Self { width, names, own, object: at("oid"), ..Self::default() };
        };
        Self {
            watched: Some(watched),
            width,
            names,
            own,
            object: at(watched.object),
            number: at(watched.number),
            part: at(watched.part),
            language: at("language"),
            texts: watched.texts.iter().filter_map(|(name, place, kind)| Some((at(name)?, *place, *kind))).collect(),
            named: NAMED.iter().find(|(of, ..)| *of == table).and_then(|(_, name, text)| Some((at(name)?, at(text)?))),
        }
    }
}

impl<'r> Guard<'r> {
    pub(super) fn new(rules: &'r Rules) -> Self {
        Self { rules, key: Key::of_this_run(), hits: BTreeMap::new(), numbers: HashMap::new() }
    }

    /// Takes what is secret out of the last row of `values`.
    pub(super) fn row(&mut self, columns: &Columns, values: &mut [Value]) {
        let row = values.len() - columns.width;
        let values = &mut values[row..];
        self.names(columns, values);
        let Some(watched) = columns.watched else { return };
        let number = |at: Option<usize>| at.map_or(0, |at| values[at].number());
        let (object, column_number) = (number(columns.object), number(columns.number));
        let part = columns.part.and_then(|at| values[at].text()).unwrap_or_default().to_owned();
        let foreign = columns.language.and_then(|at| values[at].text()).is_some_and(|l| l != "sql" && l != "plpgsql");
        let called_secret =
            |(name, text): (usize, usize)| values[name].text().is_some_and(is_called_secret).then_some(text);
        let called_secret = columns.named.and_then(called_secret);
        for &(at, place, kind) in &columns.texts {
            let kind = if foreign && kind == Kind::Sql { Kind::OtherCode } else { kind };
            let Some(text) = values[at].text() else { continue };
            let mut found = self.rules.find(text, kind);
            if called_secret == Some(at) {
                self.called_secret(
                    (place, watched.object_kind, object, column_number, part.as_str()),
                    text,
                    &mut found,
                );
            }
            if found.is_empty() {
                continue;
            }
            for hit in found.iter().filter(|hit| hit.tell && !place.is_empty()) {
                let where_ = (place, watched.object_kind, object, column_number, part.as_str());
                self.hits.record(where_, hit, &self.key.fingerprint(&text[hit.place.clone()]));
            }
            let numbers = &mut self.numbers;
            let key = &self.key;
            let redacted = redact(text, &found, |hit, secret| name(numbers, hit, key.fingerprint(secret)));
            values[at] = Value::Text(redacted);
        }
    }

    /// Takes secrets out of names. Where they are compared, in expressions, they are taken out the same way.
    fn names(&mut self, columns: &Columns, values: &mut [Value]) {
        for &at in &columns.names {
            let Some((hits, redacted)) = values[at].text().and_then(|name| self.without(name)) else { continue };
            if let Some((_, kind)) = columns.own.filter(|(own, _)| *own == at) {
                let number = |at: Option<usize>| at.map_or(0, |at| values[at].number());
                let (object, column) = (number(columns.object), number(columns.number));
                for [rule, title, fingerprint] in &hits {
                    self.hits.count(("name", kind, object, column, redacted.as_str()), rule, title, fingerprint);
                }
            }
            values[at] = Value::Text(redacted);
        }
    }

    /// A name without the secrets in it, and what they were; none where there is none.
    fn without(&mut self, text: &str) -> Option<(Vec<[String; 3]>, String)> {
        if !may_hold_secret(text) {
            return None;
        }
        let mut found = self.rules.find(text, Kind::Text);
        // No name is in doubt: what a rule takes for a secret, if only a likely one, is not called so by chance.
        found.retain(|hit| hit.rule.is_some());
        if found.is_empty() {
            return None;
        }
        let (numbers, key) = (&mut self.numbers, &self.key);
        let mut hits = Vec::new();
        let redacted = redact(text, &found, |hit, secret| {
            let fingerprint = key.fingerprint(secret);
            if let Some(rule) = hit.rule.filter(|_| hit.tell) {
                hits.push([rule.id.clone(), rule.title.clone(), fingerprint.clone()]);
            }
            name(numbers, hit, fingerprint)
        });
        Some((hits, redacted))
    }

    /// What no rule knows and its name gives away.
    fn called_secret(&mut self, at: Where<'_>, text: &str, found: &mut Vec<Found<'_>>) {
        let known = |place: &Range<usize>| {
            found.iter().any(|hit| hit.tell && hit.place.start < place.end && place.start < hit.place.end)
        };
        // Defaults are SQL whatever the language of the function.
        let new: Vec<_> = literals(text)
            .into_iter()
            .filter(|place| !known(place) && crate::secrets::is_secret_of_its_name(&text[place.clone()]))
            .collect();
        for place in new {
            // A word is a state: 'not-set'. It is hidden, and no finding.
            if crate::secrets::is_random(&text[place.clone()]) {
                self.hits.by_name(at, &self.key.fingerprint(&text[place.clone()]));
            }
            found.retain(|hit| hit.place.end <= place.start || place.end <= hit.place.start);
            found.push(Found { rule: None, place, tell: false });
        }
        found.sort_by_key(|hit| hit.place.start);
    }

    /// Looks through a row of `surfaces`: place, object kind, object, column, part, name, text, code.
    pub(super) fn surface(&mut self, row: &[Value]) {
        let [place, kind, object, column, part, name, text, code] = row else { return };
        let word = |value: &Value| value.text().unwrap_or_default().to_owned();
        let (place, kind, part, name, value) = (word(place), word(kind), word(part), word(name), word(text));
        let part = self.without(&part).map_or(part, |(_, redacted)| redacted);
        let text = if name.is_empty() { value.clone() } else { format!("{name}={value}") };
        let how = if code.number() == 1 { Kind::Sql } else { Kind::Text };
        let found = self.rules.find(&text, how);
        let where_ = (place.as_str(), kind.as_str(), object.number(), column.number(), part.as_str());
        let mut told = false;
        for hit in found.iter().filter(|hit| hit.tell) {
            told = true;
            self.hits.record(where_, hit, &self.key.fingerprint(&text[hit.place.clone()]));
        }
        let by_name = || matches!(named(&name), Some(Named::Secret | Named::Key));
        if !told && by_name() && crate::secrets::is_secret_of_its_name(&value) {
            self.hits.by_name(where_, &self.key.fingerprint(&value));
        }
    }

    /// Looks through a sampled value; whether a rule found something in it.
    pub(super) fn value(&mut self, relation: i64, column: i64, text: &str) -> bool {
        let found = self.rules.find(text, Kind::Text);
        let mut told = false;
        for hit in found.iter().filter(|hit| hit.tell) {
            told = true;
            let where_ = ("row", "relation", relation, column, "");
            self.hits.record(where_, hit, &self.key.fingerprint(&text[hit.place.clone()]));
        }
        told
    }

    /// Rows of `secrets`.
    pub(super) fn into_rows(self) -> Vec<Vec<Option<String>>> {
        let row = |(place, (count, fingerprint)): (Place, (u64, String))| {
            vec![
                Some(place.place),
                Some(place.object_kind),
                Some(place.object.to_string()),
                Some(place.column_number.to_string()),
                Some(place.part).filter(|part| !part.is_empty()),
                Some(place.rule),
                Some(place.title),
                Some(count.to_string()),
                Some(fingerprint),
            ]
        };
        self.hits.into_iter().map(row).collect()
    }
}

/// Long enough, and no plain words: cheap to ask of every name there is.
fn may_hold_secret(name: &str) -> bool {
    let any = |test: fn(&u8) -> bool| name.as_bytes().iter().any(test);
    name.len() >= 16 && (any(u8::is_ascii_digit) || any(u8::is_ascii_uppercase) && any(u8::is_ascii_lowercase))
}

/// A name, or one of a JSON array of names, that says secret or key.
fn is_called_secret(name: &str) -> bool {
    let says = |name: &str| matches!(named(name), Some(Named::Secret | Named::Key));
    match serde_json::from_str::<Vec<String>>(name) {
        Ok(names) => names.iter().any(|name| says(name)),
        Err(_) => says(name),
    }
}

type Where<'a> = (&'a str, &'a str, i64, i64, &'a str);

/// Counts hits.
trait Record {
    fn record(&mut self, at: Where<'_>, hit: &Found<'_>, fingerprint: &str);
    fn by_name(&mut self, at: Where<'_>, fingerprint: &str);
    fn count(&mut self, at: Where<'_>, rule: &str, title: &str, fingerprint: &str);
}

impl Record for BTreeMap<Place, (u64, String)> {
    fn record(&mut self, at: Where<'_>, hit: &Found<'_>, fingerprint: &str) {
        if let Some(rule) = hit.rule {
            self.count(at, &rule.id, &rule.title, fingerprint);
        }
    }

    fn by_name(&mut self, at: Where<'_>, fingerprint: &str) {
        self.count(at, "secret-by-name", "a value for something called a secret", fingerprint);
    }

    fn count(&mut self, at: Where<'_>, rule: &str, title: &str, fingerprint: &str) {
        let (place, object_kind, object, column_number, part) = at;
        let place = Place {
            place: place.to_owned(),
            object_kind: object_kind.to_owned(),
            object,
            column_number,
            part: part.to_owned(),
            rule: rule.to_owned(),
            title: title.to_owned(),
        };
        let (count, least) = self.entry(place).or_insert_with(|| (0, fingerprint.to_owned()));
        *count += 1;
        if fingerprint < least.as_str() {
            fingerprint.clone_into(least);
        }
    }
}

/// `[redacted:stripe-secret-key]`, `[redacted:stripe-secret-key:2]` for the next one of its kind.
fn name(numbers: &mut HashMap<String, Vec<String>>, hit: &Found<'_>, fingerprint: String) -> String {
    let rule = hit.rule.map_or("literal", |rule| rule.id.as_str());
    let known = numbers.entry(rule.to_owned()).or_default();
    let number = known.iter().position(|other| *other == fingerprint).unwrap_or_else(|| {
        known.push(fingerprint);
        known.len() - 1
    });
    if number == 0 { format!("[redacted:{rule}]") } else { format!("[redacted:{rule}:{}]", number + 1) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::needs;
    use crate::facts::Facts;
    use std::collections::BTreeSet;

    /// Text columns of collected tables that hold a name, or one of a few words: nothing that anybody writes at length. All columns of
    /// a table where only the table is named.
    const NAMES: &[&str] = &[
        "target",
        // Words of govctl's own; what a server said is checked where it is written.
        "unseen",
        "remarks",
        "databases.name",
        "schemas.name schemas.provenance",
        "relations.schema relations.name relations.kind relations.persistence relations.provenance",
        // Filled from `definitions`.
        "relations.definition",
        "columns.name columns.type columns.type_name columns.type_kind columns.identity",
        "enum_labels.schema enum_labels.type",
        "types.schema types.name types.kind types.provenance",
        "domain_checks.domain",
        "indexes.name indexes.method",
        "constraints.name constraints.kind constraints.on_delete constraints.on_update",
        "policies.name policies.command",
        "policy_dependencies.object_kind",
        "roles.name roles.valid_until roles.provenance",
        "role_settings.name",
        "grants.object_kind grants.privilege",
        "default_privileges.object_kind default_privileges.privilege",
        "parameters.name",
        "functions.schema functions.name functions.signature functions.kind functions.language functions.volatility functions.returns",
        "functions.argument_names functions.argument_types functions.settings functions.provenance",
        "languages.name",
        "triggers.name triggers.enabled triggers.timing triggers.update_columns",
        "event_triggers.name event_triggers.event event_triggers.enabled",
        "rules.name rules.event rules.enabled",
        "view_dependencies.object_kind",
        "partition_keys.strategy",
        "foreign_servers.name foreign_servers.wrapper",
        "publications.name publications.publishes",
        "subscriptions.name",
        "replication_slots.name replication_slots.kind replication_slots.plugin replication_slots.database",
        "extensions.name extensions.version",
        "settings.name settings.source settings.context",
        "scheduled_jobs.schedule scheduled_jobs.role_name scheduled_jobs.database",
        // Made by the guard and the sample.
        "secrets",
        "sampled_shapes",
        "sampled_words",
        // Words and moments of govctl's own.
        "first_actors",
        "ddl.object_kind",
        // From the files of migrations: names, and texts that `Rules::hide` has been through.
        "migrations",
        "transitions",
        "regressions",
        "isolation_gaps",
        "migration_faults",
        "migration_secrets",
        "wide_grants",
        "introductions",
        "replay_differences",
    ];

    /// Text columns of the collected tables, as `table.column`.
    async fn texts() -> BTreeSet<String> {
        let mut facts = Facts::empty().await.unwrap();
        let sql = "select t.name, c.name from pragma_table_list t join pragma_table_info(t.name) c where lower(c.type) = 'text'";
        let all: Vec<(String, String)> = sqlx::query_as(sql).fetch_all(facts.connection()).await.unwrap();
        let collected = |table: &str| needs::tables().any(|known| known.name == table && !known.derived);
        all.into_iter()
            .filter(|(table, _)| collected(table))
            .map(|(table, column)| format!("{table}.{column}"))
            .collect()
    }

    #[tokio::test]
    async fn every_text_is_looked_through_or_is_a_name() {
        let texts = texts().await;
        assert!(texts.len() > 100 && texts.contains("functions.source"), "{texts:?}");
        let watched: BTreeSet<String> = WATCHED
            .iter()
            .flat_map(|watched| watched.texts.iter().map(|(column, ..)| format!("{}.{column}", watched.table)))
            .filter(|column| !column.starts_with("definitions."))
            .collect();
        let named: BTreeSet<&str> = NAMES.iter().flat_map(|line| line.split(' ')).collect();
        let is_name = |column: &str| named.contains(column) || named.contains(column.split('.').next().unwrap());
        for column in &texts {
            assert!(
                watched.contains(column) != is_name(column),
                "{column} is a text of the facts: list it in WATCHED, or in NAMES where it can hold nothing but a name"
            );
        }
        assert!(watched.is_subset(&texts), "watched and gone: {:?}", watched.difference(&texts).collect::<Vec<_>>());
        for column in named.into_iter().filter(|name| name.contains('.')) {
            assert!(texts.contains(column), "{column} is gone");
        }
    }
}
