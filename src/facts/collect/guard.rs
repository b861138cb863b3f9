//! Nothing secret enters the facts: every text is looked through on its way in, and kept without what was found.

use super::value::Filled;
use super::watched::Columns;
use crate::facts::value::Value;
use crate::secrets::{Found, Key, Kind, Named, Rules, literals, named, redact};
use std::collections::{BTreeMap, HashMap};
use std::ops::Range;

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
    /// Secrets that were names, and what stands for them. PostgreSQL makes further names of a name, which no rule knows.
    named: BTreeMap<String, String>,
}

impl<'r> Guard<'r> {
    pub(super) fn new(rules: &'r Rules) -> Self {
        Self { rules, key: Key::of_this_run(), hits: BTreeMap::new(), numbers: HashMap::new(), named: BTreeMap::new() }
    }

    /// Takes out what is secret.
    pub(super) fn rows(&mut self, found: &mut Filled) {
        let columns = Columns::of(found.table, &found.header);
        found.values.chunks_mut(found.header.len()).for_each(|row| self.row(&columns, row));
    }

    /// Looks through what is not kept at all.
    pub(super) fn surfaces(&mut self, found: &Filled) {
        found.rows().for_each(|row| self.surface(row));
    }

    fn row(&mut self, columns: &Columns, values: &mut [Value]) {
        self.names(columns, values);
        self.known_names(values);
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

    /// Takes out what was a name before: `⋅_pkey`, `nextval('⋅_id_seq')`.
    fn known_names(&self, values: &mut [Value]) {
        for (secret, shown) in &self.named {
            for value in values.iter_mut() {
                if let Some(redacted) =
                    value.text().filter(|text| text.contains(secret)).map(|t| t.replace(secret, shown))
                {
                    *value = Value::Text(redacted);
                }
            }
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
        let (numbers, key, names) = (&mut self.numbers, &self.key, &mut self.named);
        let mut hits = Vec::new();
        let redacted = redact(text, &found, |hit, secret| {
            let fingerprint = key.fingerprint(secret);
            if let Some(rule) = hit.rule.filter(|_| hit.tell) {
                hits.push([rule.id.clone(), rule.title.clone(), fingerprint.clone()]);
            }
            let shown = name(numbers, hit, fingerprint);
            names.insert(secret.to_owned(), shown.clone());
            shown
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
    fn surface(&mut self, row: &[Value]) {
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
