//! The log itself, where there is none: rows wait in an inbox until the transaction commits, and are chained then, so
//! that no writer waits for another's work.

use super::super::ground::{Ground, listed};
use super::super::role;
use super::super::template::statements;
use super::{Changeable, upgrade};
use crate::chain::v1;
use crate::check::quote::ident;
use crate::config::Config;
use crate::error::Stop;
use crate::facts::Facts;
use crate::plan::{Change, Closes, Phase, Question};
use serde_json::{Map, Value, json};

const OPEN: &str = include_str!("../../templates/schema_open.sql");
const ACTORS: &str = include_str!("../../templates/actors.sql");
/// How the fields of a chained row are framed: of this log, and of one that was there before.
pub(super) const FRAMES: &str = include_str!("../../templates/frames.sql");
const LOG: &str = include_str!("../../templates/event_log.sql");
const HANDOVER: &str = include_str!("../../templates/handover.sql");

/// Prefixes of what is hashed beside rows, each ended by a zero byte.
const GENESIS: &[u8] = b"govctl/genesis/1\0";
const PAYLOAD: &[u8] = b"govctl/payload/1\0";

/// The roles that the log needs, and whether they have to be made.
struct Hands {
    owner: Option<String>,
    auditors: Vec<String>,
    new: Vec<String>,
}

pub(super) async fn plan(
    facts: &mut Facts,
    config: &Config,
    ground: &Ground,
    changeable: &Changeable,
    changes: &mut Vec<Change>,
    questions: &mut Vec<Question>,
) -> Result<(), Stop> {
    let logs = upgrade::logs(facts, changeable).await?;
    if !logs.is_empty() {
        return existing(facts, (config, ground), &logs, changes, questions).await;
    }
    let hands = hands(ground, questions);
    for name in &hands.new {
        changes.push(new_role(name)?);
    }
    let schema = schema(&ground.schemas);
    let mut values = values(ground, &hands, schema);
    values.insert("objects".into(), json!(objects(schema, ground)));
    values.insert("auditors".into(), listed(&hands.auditors));
    for (name, bytes) in
        [("payload_tag", PAYLOAD), ("chain_tag", v1::TAG), ("genesis", &genesis(&format!("{schema}.event")))]
    {
        values.insert(name.into(), json!(hex(bytes)));
    }
    let mut all = statements(OPEN, &values)?;
    all.extend(statements(ACTORS, &values)?);
    all.extend(statements(FRAMES, &values)?);
    all.extend(statements(LOG, &values)?);
    if hands.owner.is_some() {
        all.extend(statements(HANDOVER, &values)?);
    }
    changes.push(Change {
        name: "create_event_log".into(),
        stage: 4,
        phase: Phase::Table,
        why: "Who did what, in whose name, can be shown, and that no row was changed since.".into(),
        statements: all,
        closes: [
            ("stage 4", "an append-only event log, chained by hashes, whose actor kind names agents"),
            ("audit/no-event-log", "the database"),
        ]
        .map(|(check, object)| Closes { check: check.into(), object: object.into() })
        .to_vec(),
        questions: vec!["log-owner".into(), "auditors".into(), "actor-kinds".into(), "event-writers".into()],
    });
    questions.push(actor_kinds(ground));
    questions.push(Question {
        id: "event-writers".into(),
        question: "Which roles record events?".into(),
        default: said(&ground.roles.writers),
        key: "roles.applications".into(),
        answered: false,
    });
    Ok(())
}

/// What templates of the log know beside the ground.
fn values(ground: &Ground, hands: &Hands, schema: &str) -> Map<String, Value> {
    let mut values = ground.values(hands.owner.as_deref().unwrap_or(&ground.roles.deployer));
    for (key, value) in [
        ("schema", json!(ident(schema))),
        ("new_schema", json!(!ground.schemas.iter().any(|known| known == schema))),
        ("owner", hands.owner.as_deref().map_or(Value::Null, |owner| json!(ident(owner)))),
        ("logins", actors(ground)),
        ("deployer", json!(ident(&ground.roles.deployer))),
        ("stays_member", json!(false)),
    ] {
        values.insert(key.to_owned(), value);
    }
    values
}

/// Logs that are there are brought up to date in place.
async fn existing(
    facts: &mut Facts,
    (config, ground): (&Config, &Ground),
    logs: &[upgrade::Log],
    changes: &mut Vec<Change>,
    questions: &mut Vec<Question>,
) -> Result<(), Stop> {
    let lacking: Vec<_> = logs.iter().filter(|log| log.lacks()).collect();
    if lacking.is_empty() {
        return Ok(());
    }
    let hands = hands(ground, questions);
    let hand_over = hands.owner.is_some()
        && lacking.iter().all(|log| log.is_handed_over())
        && lacking.iter().any(|log| log.is_owned());
    let schema = match super::log_schema(facts, ground).await? {
        Some(schema) => schema,
        None => {
            let schema = schema(&ground.schemas).to_owned();
            let mut values = values(ground, &hands, &schema);
            let objects = [
                "type {}.actor_kind",
                "table {}.login_actor",
                "function {}.session_actor()",
                "function {}.session_kind()",
            ];
            values.insert("objects".into(), json!(objects.map(|object| object.replace("{}", &schema))));
            let mut all = statements(OPEN, &values)?;
            all.extend(statements(ACTORS, &values)?);
            if hands.owner.is_some() {
                // The schema stays the deployer's, who goes on making there what belongs to the logs.
                values.insert("new_schema".into(), json!(false));
                values.insert("stays_member".into(), json!(hand_over));
                all.extend(statements(HANDOVER, &values)?);
            }
            changes.push(Change {
                name: "register_logins_as_actors".into(),
                stage: 4,
                phase: Phase::Table,
                why: "Which login is an agent, and which a person, is written down once, out of their reach.".into(),
                statements: all,
                closes: vec![Closes { check: "stage 4".into(), object: "the actor is known by its login".into() }],
                questions: vec!["actor-kinds".into(), "log-owner".into()],
            });
            questions.push(actor_kinds(ground));
            schema
        }
    };
    for name in &hands.new {
        changes.push(new_role(name)?);
    }
    let owner = hands.owner.as_deref().filter(|_| hand_over);
    let hands = upgrade::Hands { schema: &schema, owner, auditors: &hands.auditors };
    for log in lacking {
        upgrade::plan(facts, (config, ground), log, &hands, changes, questions).await?;
    }
    Ok(())
}

fn new_role(name: &str) -> Result<Change, Stop> {
    let closes = [Closes { check: "stage 4".into(), object: "roles of the log".into() }];
    role::create(name, 4, &closes, vec!["log-owner", "auditors"])
}

fn actor_kinds(ground: &Ground) -> Question {
    Question {
        id: "actor-kinds".into(),
        question: "Which login is an agent, a service, a person, and what does the log call it?".into(),
        default: said(&pairs(ground)),
        key: "roles.agents".into(),
        answered: ground.roles.logins.iter().all(|(_, purpose)| purpose != "unknown"),
    }
}

/// What the log consists of, as ALTER … OWNER names it.
fn objects(schema: &str, ground: &Ground) -> Vec<String> {
    let tenant = ground.tenant.as_ref().map(|tenant| format!("{}, ", tenant.type_name)).unwrap_or_default();
    let functions = [
        "session_actor()".to_owned(),
        "session_kind()".into(),
        "_frames(bytea[])".into(),
        "fill_event()".into(),
        "chain_event()".into(),
        "seal_event()".into(),
        "refuse_change()".into(),
        "guard_payload()".into(),
        "payload_faults()".into(),
        format!("erase_payload({tenant}uuid, text)"),
        format!("erase_expired_payloads({tenant}integer)"),
    ];
    let tables = ["login_actor", "event_chain", "event", "event_payload", "event_inbox"];
    std::iter::once(format!("type {schema}.actor_kind"))
        .chain(tables.map(|table| format!("table {schema}.{table}")))
        .chain(functions.map(|function| format!("function {schema}.{function}")))
        .collect()
}

/// A log whose owner nobody is can be changed by nobody but a superuser; without the right to make that role it is the
/// deployer's.
fn hands(ground: &Ground, questions: &mut Vec<Question>) -> Hands {
    let roles = &ground.roles;
    let mut new = Vec::new();
    let owner = roles.makes_roles.then(|| "audit_owner".to_owned());
    new.extend(owner.iter().filter(|owner| !roles.all.contains(owner)).cloned());
    let mut auditors = roles.auditors.clone();
    if auditors.is_empty() && roles.makes_roles {
        auditors.push("auditor_ro".to_owned());
        new.extend(auditors.iter().filter(|auditor| !roles.all.contains(auditor)).cloned());
    }
    let missing = |role: &str| {
        format!(
            "{}, which no migration may make a role: an administrator runs `create role {role} nologin` first",
            roles.deployer
        )
    };
    questions.push(Question {
        id: "log-owner".into(),
        question: "Which role owns the log? No login may be a member of it: no guard binds an owner.".into(),
        default: owner.clone().unwrap_or_else(|| missing("audit_owner")),
        key: "roles.administrators".into(),
        answered: false,
    });
    questions.push(Question {
        id: "auditors".into(),
        question: "Who reviews the log, and changes nothing?".into(),
        default: if auditors.is_empty() {
            missing("auditor_ro").replace(&roles.deployer, "nobody yet")
        } else {
            said(&auditors)
        },
        key: "roles.auditors".into(),
        answered: !roles.auditors.is_empty(),
    });
    Hands { owner, auditors, new }
}

/// The kind of actor a login is, by what it is for.
fn kind(purpose: &str) -> &'static str {
    match purpose {
        "agent" => "agent",
        "person" => "human",
        "administration" | "replication" | "monitoring" => "system",
        _ => "service",
    }
}

fn actors(ground: &Ground) -> Value {
    let one = |(name, purpose): &(String, String)| json!({ "name": name, "kind": kind(purpose) });
    ground.roles.logins.iter().map(one).collect()
}

fn pairs(ground: &Ground) -> Vec<String> {
    ground.roles.logins.iter().map(|(name, purpose)| format!("{name}: {}", kind(purpose))).collect()
}

fn said(names: &[String]) -> String {
    if names.is_empty() { "nobody yet".into() } else { names.join(", ") }
}

/// A schema that is there under another's name is left alone.
pub(super) fn schema(schemas: &[String]) -> &'static str {
    ["audit", "governance", "govctl_audit"]
        .into_iter()
        .find(|name| !schemas.iter().any(|known| known == name))
        .unwrap_or("govctl_audit")
}

/// Binds a chain to its table and recipe: `F(origin) ‖ F(recipe)` after the tag.
pub(super) fn genesis(origin: &str) -> Vec<u8> {
    let mut bytes = GENESIS.to_vec();
    for part in [origin, v1::NAME] {
        bytes.extend(u32::try_from(part.len()).unwrap_or_default().to_be_bytes());
        bytes.extend(part.as_bytes());
    }
    bytes
}

/// What is hashed before a salt and what it hides.
pub(crate) fn payload_tag() -> String {
    hex(PAYLOAD)
}

pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold("\\x".to_owned(), |text, byte| format!("{text}{byte:02x}"))
}
