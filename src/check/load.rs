//! One YAML file, raw, then as a valid [`Check`].

use super::{AXES, Axis, Check, CheckId, CheckSource, ProofCase, SEVERITIES, needs, verify};
use crate::config;
use crate::facts::Facts;
use crate::yaml::{Fields, Mistake, Mistakes, Node, Place, Reader, Value};
use std::path::Path;
use std::sync::Arc;

const KEYS: [&str; 17] = [
    "id",
    "title",
    "axis",
    "stage",
    "severity",
    "covers",
    "controls",
    "why",
    "limits",
    "sql",
    "identity",
    "finding",
    "fix",
    "ask",
    "default",
    "single_tenant",
    "proof",
];
const PROOF_KEYS: [&str; 5] = ["bad", "finds", "good", "since", "config"];
/// Reads a check and holds its SQL and its templates against the schema of the facts.
/// `id` is what the path says, `path` how the file is called in messages. Reports every mistake at once.
pub async fn load(id: &CheckId, path: &str, text: &str, facts: &mut Facts) -> Result<Check, Mistakes> {
    let check = parse(id, path, text)?;
    let mistakes = verify::mistakes(&check, facts).await;
    if mistakes.is_empty() { Ok(check) } else { Err(Mistakes::new(path, text, mistakes)) }
}

/// Reads a check; whether its SQL fits the facts is not looked at.
pub fn parse(id: &CheckId, path: &str, text: &str) -> Result<Check, Mistakes> {
    let fail = |mistakes| Mistakes::new(path, text, mistakes);
    let root = Node::parse(text).map_err(|mistake| fail(vec![mistake]))?;
    let reader = Reader::default();
    let check = reader.fields(&root, "a check", &KEYS).and_then(|fields| read(&reader, &fields, id, path, text));
    let mistakes = reader.into_mistakes();
    match check {
        Some(check) if mistakes.is_empty() => Ok(check),
        _ => Err(fail(mistakes)),
    }
}

/// Every field is read before the first `?`, so that no mistake hides another.
fn read(reader: &Reader, fields: &Fields<'_>, id: &CheckId, path: &str, text: &str) -> Option<Check> {
    let written_id = fields.required("id").and_then(|node| own_id(reader, node, id));
    let title = fields.required("title").and_then(|node| reader.text(node));
    let axis = axis(reader, fields, id);
    let stage = fields.required("stage").and_then(|node| reader.whole(node, 1..=5));
    let severity = fields.required("severity").and_then(|node| reader.one_of(node, &SEVERITIES));
    let covers = fields.required("covers").and_then(|node| texts(reader, node));
    let controls = fields.optional("controls").map_or(Some(Vec::new()), |node| controls(reader, node));
    let why = fields.required("why").and_then(|node| reader.text(node));
    let limits = fields.optional("limits").and_then(|node| reader.text(node));
    let sql = fields.required("sql").and_then(|node| Some((node.place, reader.text(node)?)));
    let identity = fields.optional("identity");
    let identity_columns = identity.map_or(Some(Vec::new()), |node| texts(reader, node));
    let finding = fields.required("finding").and_then(|node| Some((node.place, reader.text(node)?)));
    let way_out = way_out(reader, fields);
    let single_tenant = fields.optional("single_tenant").and_then(|node| reader.one_of(node, &[("applies", true)]));
    let proof = fields.required("proof").and_then(|node| proof(reader, node));

    let ((sql_place, sql), (finding_place, finding), way_out) = (sql?, finding?, way_out?);
    Some(Check {
        id: written_id?,
        title: title?,
        axis: axis?,
        stage: u8::try_from(stage?).ok()?,
        severity: severity?,
        covers: covers?,
        controls: controls?,
        why: why?,
        limits,
        rests_on: needs::of(&sql),
        sql,
        identity: identity_columns?,
        finding,
        fix: way_out.fix,
        ask: way_out.ask,
        default: way_out.default.as_ref().map(|(_, default)| default.clone()),
        applies_to_single_tenant: single_tenant.unwrap_or(false),
        proof: proof?,
        source: Arc::new(CheckSource {
            path: path.to_owned(),
            text: text.to_owned(),
            sql: sql_place,
            finding: finding_place,
            fix: way_out.place,
            default: way_out.default.map_or(way_out.place, |(place, _)| place),
            identity: identity.map_or(sql_place, |node| node.place),
        }),
    })
}

fn own_id(reader: &Reader, node: &Node, id: &CheckId) -> Option<CheckId> {
    let written = reader.text(node)?;
    let segments: Vec<_> = id.0.split('/').collect();
    let kebab = |part: &&str| part.split('-').all(|word| !word.is_empty() && word.chars().all(is_id_character));
    if written != id.0 {
        let message = format!("the id `{written}` is not the file's path");
        reader.mistake(Mistake::new(node.place, message, format!("expected `{id}`")));
    } else if segments.len() < 2 || !segments.iter().all(kebab) {
        let message = format!("`{id}` is no id of a check");
        reader.mistake(
            Mistake::new(node.place, message, "expected folder/name, in words-with-hyphens")
                .help("put the file into the folder of its axis or topic, e.g. checks/tenant-isolation/"),
        );
    }
    Some(id.clone())
}

fn is_id_character(c: char) -> bool {
    c.is_ascii_lowercase() || c.is_ascii_digit()
}

fn axis(reader: &Reader, fields: &Fields<'_>, id: &CheckId) -> Option<Axis> {
    if let Some(node) = fields.optional("axis") {
        return reader.one_of(node, &AXES);
    }
    let folder = id.0.split('/').next().unwrap_or_default();
    let axis = AXES.iter().find(|(name, _)| *name == folder).map(|(_, axis)| *axis);
    if axis.is_none() {
        fields.missing(&format!("`axis`, and its folder `{folder}` is none"));
    }
    axis
}

fn texts(reader: &Reader, node: &Node) -> Option<Vec<String>> {
    Some(reader.texts(node)?.into_iter().map(|(_, text)| text).collect())
}

fn controls(reader: &Reader, node: &Node) -> Option<Vec<(String, Vec<String>)>> {
    let entries = reader.entries(node)?;
    Some(entries.into_iter().filter_map(|(_, name, ids)| Some((name.to_owned(), texts(reader, ids)?))).collect())
}

struct WayOut {
    fix: Option<String>,
    ask: Option<String>,
    default: Option<(Place, String)>,
    place: Place,
}

/// A finding ends either in SQL that mends it or in a question to a person: exactly one of the two. A question may come
/// with the answer that a plan goes by.
fn way_out(reader: &Reader, fields: &Fields<'_>) -> Option<WayOut> {
    let node = fields.required("fix");
    let ask = fields.optional("ask");
    // Prose: its line breaks are those of the file, not of a screen.
    let question =
        ask.and_then(|node| reader.text(node)).map(|text| text.split_whitespace().collect::<Vec<_>>().join(" "));
    let default = fields.optional("default").and_then(|node| Some((node.place, reader.text(node)?)));
    let node = node?;
    let fix = reader.text(node)?;
    if let Some((place, _)) = default.as_ref().filter(|_| fix != "none") {
        let mistake =
            Mistake::new(*place, "a check has a `fix` or a default answer, not both", "there is a fix already");
        reader.mistake(mistake.help("`default` goes with `fix: none` and `ask`"));
    }
    match (fix.as_str(), ask) {
        ("none", None) => {
            let mistake = Mistake::new(node.place, "a finding without a fix has to ask", "no way out from here");
            reader.mistake(mistake.help("add `ask:` with the decision a person must make"));
            None
        }
        ("none", Some(_)) => Some(WayOut { fix: None, ask: question, default, place: node.place }),
        (_, Some(ask)) => {
            let mistake = Mistake::new(ask.place, "a check has a `fix` or it asks, not both", "there is a fix already");
            reader.mistake(mistake.help("write `fix: none`, or drop `ask`"));
            None
        }
        (_, None) => Some(WayOut { fix: Some(fix), ask: None, default: None, place: node.place }),
    }
}

fn proof(reader: &Reader, node: &Node) -> Option<ProofCase> {
    let fields = reader.fields(node, "a proof", &PROOF_KEYS)?;
    let bad = fields.required("bad").and_then(|node| reader.text(node));
    let finds = fields.required("finds").and_then(|node| {
        if let Value::List(items) = &node.value
            && items.is_empty()
        {
            let mistake = Mistake::new(node.place, "a proof that finds nothing proves nothing", "no message here");
            reader.mistake(mistake.help("list the messages that `bad` brings about"));
        }
        texts(reader, node)
    });
    let good = fields.optional("good").map_or(Some(Vec::new()), |node| texts(reader, node));
    let since = fields.optional("since").and_then(|node| reader.whole(node, 140_000..=990_000));
    let config = fields
        .optional("config")
        .map_or_else(|| Some(config::Config::default()), |node| config::read(reader, node, Path::new("")));
    Some(ProofCase { bad: bad?, finds: finds?, good: good?, since, config: config? })
}

#[cfg(test)]
mod tests {
    use super::*;

    const README: &str = include_str!("../../checks/README.md");

    fn example() -> &'static str {
        README.split("```yaml\n").nth(1).and_then(|rest| rest.split("```").next()).expect("the README has an example")
    }

    #[tokio::test]
    async fn the_example_of_the_readme_is_a_check() {
        let id = CheckId("tenant-isolation/policy-without-roles".to_owned());
        let mut facts = Facts::empty().await.unwrap();
        let check = load(&id, "README.md", example(), &mut facts).await.map_err(miette::Report::new).unwrap();
        assert_eq!(check.axis, Axis::TenantIsolation);
        assert_eq!(check.fix, None);
        assert_eq!(check.identity, ["policy"]);
    }

    #[test]
    fn the_readme_documents_every_field() {
        for key in KEYS.iter().chain(&PROOF_KEYS) {
            assert!(README.contains(&format!("\n| `{key}` |")), "checks/README.md says nothing about `{key}`");
        }
    }
}
