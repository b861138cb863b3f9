//! A log that is there already: chained in place, its agents known by their login, an auditor, an owner that nobody is.

use super::super::ground::{Ground, OWN_SETTING, listed};
use super::super::key::bounded;
use super::super::template::{dollar, statements};
use super::Changeable;
use super::log::{FRAMES, genesis, hex, payload_tag};
use crate::chain::v1;
use crate::check::quote::{ident, literal, relation};
use crate::check::template::render;
use crate::config::Config;
use crate::error::Stop;
use crate::facts::Facts;
use crate::plan::{Change, Closes, Phase, Question, Statement};
use serde_json::{Map, Value, json};

const ROWS: &str = include_str!("../../templates/chain_rows.sql");
const COLUMNS: &str = include_str!("../../templates/chain_columns.sql");
const FUNCTIONS: &str = include_str!("../../templates/chain_functions.sql");
const BACKFILL: &str = include_str!("../../templates/chain_backfill.sql");
const ACTOR: &str = include_str!("../../templates/log_actor.sql");

/// A log as the facts have it.
#[derive(Clone, Debug, sqlx::FromRow)]
pub(super) struct Log {
    oid: i64,
    schema: String,
    name: String,
    kind: String,
    force_rls: i64,
    on_update: String,
    chained: i64,
    /// A login that may write here chooses who it was.
    chooses: i64,
    /// Somebody reads it who does not write it, or nobody writes it by a grant.
    reviewed: i64,
    /// The tenant's column, where every row has it.
    key: Option<String>,
    key_type: Option<String>,
    /// Logins that may act as its owner.
    owned: i64,
    /// Somebody else than the owner may insert.
    granted: i64,
    /// Its owner may let another role own tables in its schema.
    grantable: i64,
}

/// Every audit log of the product: one that a framework made is the product's where it says the product's tenant. `changeable`: those whose rows may be changed until the plan's own guards are there.
pub(super) async fn logs(facts: &mut Facts, changeable: &Changeable) -> Result<Vec<Log>, Stop> {
    let mut logs: Vec<Log> = sqlx::query_as(
        "select r.oid, r.schema, r.name, r.kind, r.force_rls, l.on_update,
           exists (select 1 from event_log_columns c where c.relation = l.relation and c.role in ('previous hash', 'signature')) as chained,
           exists (select 1 from event_log_rights e join principals p on p.role = e.principal and p.purpose = 'agent'
                   join event_log_columns c on c.relation = l.relation and c.filled_by_trigger = 0 and c.role in ('actor kind', 'actor', 'time')
                   left join column_privileges cp on cp.role = e.as_role and cp.relation = l.relation and cp.column_number = c.column_number
                   where e.log = l.relation and e.relation = l.relation and e.command = 'INSERT' and (e.on_columns = 0 or cp.can_insert = 1)) as chooses,
           not exists (select 1 from event_log_rights e where e.log = l.relation and e.command = 'INSERT' and e.via = 'grant')
             or exists (select 1 from event_log_rights s where s.log = l.relation and s.command = 'SELECT' and s.via = 'grant'
                        and not exists (select 1 from event_log_rights w where w.log = s.log and w.principal = s.principal and w.command <> 'SELECT'))
             or exists (select 1 from view_dependencies v where v.object = l.relation and v.object_kind = 'relation') as reviewed,
           (select c.name from event_log_columns c join columns col on col.relation = c.relation and col.number = c.column_number and col.not_null = 1
            where c.relation = l.relation and c.role = 'tenant') as key,
           (select col.type from event_log_columns c join columns col on col.relation = c.relation and col.number = c.column_number
            where c.relation = l.relation and c.role = 'tenant') as key_type,
           l.owner_logins <> '[]' as owned,
           exists (select 1 from event_log_rights e where e.log = l.relation and e.command = 'INSERT' and e.via = 'grant') as granted,
           o.superuser = 1 or s.owner = o.oid or so.name = 'pg_database_owner' and o.oid = (select owner from databases where is_current = 1)
             or exists (select 1 from role_reach reach where reach.role = o.oid and reach.reaches = s.owner and reach.inherits = 1) as grantable
         from event_logs l join relations r on r.oid = l.relation
         join roles o on o.oid = r.owner join schemas s on s.oid = r.schema_oid join roles so on so.oid = s.owner
         where l.purpose = 'audit' and r.kind in ('table', 'partitioned table') and r.provenance = 'user'
           and (r.oid not in (select relation from framework_relations) or r.oid in (select relation from tenant_keys where role = 'key'))
         order by r.schema, r.name",
    )
    .fetch_all(facts.connection())
    .await?;
    for log in &mut logs {
        if changeable.contains(&(log.schema.clone(), log.name.clone())) {
            "none".clone_into(&mut log.on_update);
        }
    }
    Ok(logs)
}

impl Log {
    /// Something is missing that is added in place.
    pub(super) fn lacks(&self) -> bool {
        self.chained == 0 || self.chooses == 1 || self.reviewed == 0 || self.owned == 1 && !self.is_partitioned()
    }

    /// Whoever makes its partitions owns it.
    pub(super) fn is_partitioned(&self) -> bool {
        self.kind == "partitioned table"
    }

    /// Logins may act as its owner.
    pub(super) fn is_owned(&self) -> bool {
        self.owned == 1
    }

    /// Who writes here does so by a grant, and goes on when the owner is another.
    pub(super) fn is_handed_over(&self) -> bool {
        self.granted == 1 && self.grantable == 1 && !self.is_partitioned()
    }

    fn closes(&self, check: &str) -> Vec<Closes> {
        vec![Closes { check: check.into(), object: format!("{}.{}", self.schema, self.name) }]
    }

    fn sql(&self) -> String {
        relation(Some(&self.schema), &self.name)
    }

    fn change(&self, name: &str, phase: Phase, why: &str, statements: Vec<Statement>, check: &str) -> Change {
        Change {
            name: name.into(),
            stage: 4,
            phase,
            why: why.into(),
            statements,
            closes: self.closes(check),
            questions: Vec::new(),
        }
    }
}

/// Who owns what the plan makes, and who reviews.
pub(super) struct Hands<'h> {
    /// The schema of functions and of the map of logins.
    pub(super) schema: &'h str,
    /// The role that is to own the log; none where nobody may make it.
    pub(super) owner: Option<&'h str>,
    pub(super) auditors: &'h [String],
}

/// What one log lacks.
pub(super) async fn plan(
    facts: &mut Facts,
    (config, ground): (&Config, &Ground),
    log: &Log,
    hands: &Hands<'_>,
    changes: &mut Vec<Change>,
    questions: &mut Vec<Question>,
) -> Result<(), Stop> {
    let owner_role = hands.owner.unwrap_or(&ground.roles.deployer);
    let mut made = Vec::new();
    if log.chained == 0 {
        let said = format!("{}.{}", log.schema, log.name);
        let chosen = config.plan.payload.iter().find(|(table, _)| *table == said).map(|(_, column)| column);
        let payload = payload(facts, log, chosen).await?;
        questions.push(Question {
            id: "payload-columns".into(),
            question: "Which column of a log may have to be erased? A salted digest stands for it in the chain; every other column stays as it is.".into(),
            default: match (&payload, chosen) {
                (Some(payload), _) => format!("{said}.{payload}"),
                (None, Some(chosen)) => format!("{said} has no {chosen} of text or JSON, so none"),
                (None, None) => format!("none of {said}"),
            },
            key: "plan.payload".into(),
            answered: chosen.is_some() && chosen == payload.as_ref(),
        });
        chain(facts, log, payload, (hands.schema, owner_role), changes, &mut made).await?;
    }
    if log.chooses == 1 {
        actor(facts, log, hands.schema, changes, &mut made).await?;
    }
    if log.reviewed == 0 && !hands.auditors.is_empty() {
        let to = listed(hands.auditors);
        let to = to.as_str().unwrap_or_default();
        let mut all = vec![
            Statement::new(format!("grant usage on schema {} to {to}", ident(&log.schema))),
            Statement::new(format!("grant select on {} to {to}", log.sql())),
        ];
        if is_bound(facts, log).await? {
            let drop = format!("drop policy if exists auditor_reads on {}", log.sql());
            all.insert(0, Statement::undone_by(drop.clone(), ""));
            let create = format!("create policy auditor_reads on {} for select to {to} using (true)", log.sql());
            all.insert(1, Statement::undone_by(create, drop));
        }
        changes.push(log.change(
            "let_an_auditor_read",
            Phase::Right,
            "Somebody reviews the log who does not write it.",
            all,
            "audit/no-auditor",
        ));
    }
    if let Some(owner) = hands.owner {
        hand_over(log, owner, &made, changes);
    }
    Ok(())
}

async fn is_bound(facts: &mut Facts, log: &Log) -> Result<bool, Stop> {
    let found: Option<i64> = sqlx::query_scalar("select 1 from relations where oid = ? and rls = 1")
        .bind(log.oid)
        .fetch_optional(facts.connection())
        .await?;
    Ok(found.is_some())
}

/// A name for a function about the log, within what PostgreSQL keeps of it.
fn named(prefix: &str, log: &Log) -> String {
    bounded(&format!("{prefix}_"), &log.name)
}

/// The bytes of a column that stays as it is, as recipe v1 frames them; none where no form of it is the same everywhere.
fn frame(column: &str, type_name: &str, type_kind: &str) -> Option<String> {
    let place = format!("e.{}", ident(column));
    let send = match (type_kind, type_name) {
        ("enum", _) | (_, "text" | "varchar" | "name" | "citext" | "json" | "jsonb") => {
            return Some(format!("convert_to({place}::text, 'UTF8')"));
        }
        (_, "bytea") => return Some(place),
        (_, "bool") => "boolsend",
        (_, "int2") => "int2send",
        (_, "int4") => "int4send",
        (_, "int8") => "int8send",
        (_, "uuid") => "uuid_send",
        (_, "timestamptz") => "timestamptz_send",
        (_, "timestamp") => "timestamp_send",
        (_, "date") => "date_send",
        (_, "numeric") => "numeric_send",
        (_, "inet") => "inet_send",
        _ => return None,
    };
    Some(format!("{send}({place})"))
}

/// A document that may be redacted: the owner's choice, else what its name says. A digest with a salt of its own covers it.
async fn payload(facts: &mut Facts, log: &Log, chosen: Option<&String>) -> Result<Option<String>, Stop> {
    let found = sqlx::query_scalar(
        "select c.name from columns c
         where c.relation = ?1 and c.type_name in ('json', 'jsonb', 'text')
           and case when ?2 is not null then c.name = ?2
             else exists (select 1 from event_log_columns e where e.relation = c.relation and e.column_number = c.number and e.role = 'payload') end
           and not exists (select 1 from columns p where p.relation = c.relation and lower(p.name) like 'payload\\_%' escape '\\')
         order by c.number limit 1",
    )
    .bind(log.oid)
    .bind(chosen.cloned())
    .fetch_optional(facts.connection())
    .await?;
    Ok(found)
}

async fn chain(
    facts: &mut Facts,
    log: &Log,
    payload: Option<String>,
    (schema, owner_role): (&str, &str),
    changes: &mut Vec<Change>,
    made: &mut Vec<String>,
) -> Result<(), Stop> {
    let columns: Vec<(String, String, String, Option<String>)> = sqlx::query_as(
        "select c.name, c.type_name, c.type_kind,
           (select e.role from event_log_columns e where e.relation = c.relation and e.column_number = c.number
              and e.role in ('payload', 'salt', 'payload digest', 'redaction', 'redacted by') limit 1)
         from columns c where c.relation = ?1 and c.is_generated = 0
           and lower(c.name) not in ('chain_seq', 'prev_hash', 'row_hash', 'chain_lane')
           -- What a trigger sets when the backfill writes the row is set after it was hashed.
           and (lower(c.name) not in ('updated_at', 'updatedat') or ?2
                or not exists (select 1 from triggers t where t.relation = c.relation and t.timing = 'BEFORE' and t.on_update = 1))
         order by c.number",
    )
    .bind(log.oid)
    .bind(log.on_update == "refused")
    .fetch_all(facts.connection())
    .await?;
    let pk: Vec<String> = sqlx::query_scalar(
        "select c.name from indexes i join index_columns ic on ic.index_oid = i.oid and ic.is_key = 1
         join columns c on c.relation = i.relation and c.number = ic.column_number
         where i.relation = ? and i.is_primary = 1 order by ic.position",
    )
    .bind(log.oid)
    .fetch_all(facts.connection())
    .await?;
    let order: Vec<String> = sqlx::query_scalar(
        "select c.name from event_log_columns e join columns c on c.relation = e.relation and c.number = e.column_number
         where e.relation = ? and e.role in ('sequence', 'time') order by e.role",
    )
    .bind(log.oid)
    .fetch_all(facts.connection())
    .await?;
    let mut frames: Vec<String> = columns
        .iter()
        .filter(|(name, .., role)| matches!(role.as_deref(), None | Some("payload")) && Some(name) != payload.as_ref())
        .filter_map(|(name, type_name, kind, _)| frame(name, type_name, kind))
        .collect();
    frames.push("int8send(e.chain_seq)".into());
    frames.push("convert_to(e.chain_lane, 'UTF8')".into());
    if payload.is_some() {
        frames.push("e.payload_digest".into());
    }
    let mut order: Vec<String> = order.iter().chain(&pk).map(|name| format!("l.{}", ident(name))).collect();
    order.dedup();
    let (hash, chain) = (named("hash", log), named("chain", log));
    let mut values = Map::new();
    let backfill = log.on_update != "refused" && !pk.is_empty();
    for (key, value) in [
        ("schema", json!(ident(schema))),
        ("log", json!(log.sql())),
        ("log_name", json!(literal(&format!("{}.{}", log.schema, log.name)))),
        ("oid", json!(format!("{}::regclass", literal(&log.sql())))),
        ("key", log.key.as_deref().map_or(Value::Null, |key| json!(ident(key)))),
        ("key_type", json!(log.key_type)),
        ("payload", payload.as_deref().map_or(Value::Null, |name| json!(ident(name)))),
        ("frames", json!(frames)),
        ("hash", json!(ident(&hash))),
        ("chain", json!(ident(&chain))),
        // Stage 2 forces what says a tenant, if nobody has.
        ("forced", json!(log.force_rls == 1 || log.key.is_some())),
        ("own_setting", json!(literal(OWN_SETTING))),
        ("owner_role", json!(ident(owner_role))),
        ("backfill", json!(backfill)),
        ("order", json!(if order.is_empty() { "l.ctid".to_owned() } else { order.join(", ") })),
        ("pk", json!(pk.iter().map(|name| ident(name)).collect::<Vec<_>>())),
        ("chain_tag", json!(hex(v1::TAG))),
        ("payload_tag", json!(payload_tag())),
        ("genesis", json!(hex(&genesis(&format!("{}.{}", log.schema, log.name))))),
        ("locked", json!(false)),
        ("partitioned", json!(log.is_partitioned())),
        (
            "q",
            json!(dollar(&[&log.sql(), &columns.iter().map(|(name, ..)| name.as_str()).collect::<Vec<_>>().join(" ")])),
        ),
    ] {
        values.insert(key.to_owned(), value);
    }
    let check = "audit/log-without-chain";
    changes.push(log.change(
        "prepare_chains",
        Phase::Table,
        "Who writes takes a chain that nobody else writes to, and waits for nobody.",
        [statements(ROWS, &values)?, statements(FRAMES, &values)?].concat(),
        check,
    ));
    changes.push(log.change(
        "add_chain_columns",
        Phase::Column,
        "Each row carries the hash of the row before.",
        statements(COLUMNS, &values)?,
        check,
    ));
    changes.push(log.change(
        "add_chain_functions",
        Phase::Fill,
        "What is hashed, and how, is in the database.",
        vec![at_once(
            &statements(FUNCTIONS, &values)?,
            format!(
                "drop function if exists {0}.{1}();\ndrop function if exists {0}.{2}({3})",
                ident(schema),
                ident(&chain),
                ident(&hash),
                log.sql()
            ),
        )],
        check,
    ));
    if backfill {
        let filled = Statement::undone_by(text(BACKFILL, &values)?, "");
        changes.push(log.change(
            "chain_rows_there_are",
            Phase::Backfill,
            "Rows there are already are chained in their order.",
            vec![filled],
            check,
        ));
    }
    // A unique key of a partitioned table has the partition key in it, and says nothing of the chain. A lane has one
    // writer at a time, and so nothing forks.
    let unique = if log.is_partitioned() { "" } else { "unique " };
    let within = log.key.as_deref().map(|key| format!("{}, ", ident(key))).unwrap_or_default();
    let index =
        |column: &str| Statement::new(format!("create {unique}index on {} ({within}chain_lane, {column})", log.sql()));
    changes.push(log.change(
        "index_chain",
        Phase::Index,
        "A chain has one row at each place and after each row.",
        vec![index("chain_seq"), index("prev_hash")],
        check,
    ));
    values.insert("locked".into(), json!(true));
    let down = format!("drop trigger if exists z_chain on {0};\ndrop policy if exists chaining on {0}", log.sql());
    let switch = Statement::undone_by(text(BACKFILL, &values)?, down);
    let mut why = String::from("From now on every row is chained");
    if !backfill {
        why += "; rows written before stay outside of the chain, for they cannot be changed";
    }
    why.push('.');
    why += " Who writes while another does, for the same tenant, writes to another chain: rows of two chains are in order by their times alone.";
    changes.push(log.change("chain_new_rows", Phase::Constraint, &why, vec![switch], check));
    made.push(format!("function {}.{}({})", ident(schema), ident(&hash), log.sql()));
    made.push(format!("function {}.{}()", ident(schema), ident(&chain)));
    made.push(format!("function {}._frames(bytea[])", ident(schema)));
    made.push(format!("table {}.log_lane", ident(schema)));
    Ok(())
}

/// Functions over columns that the plan adds cannot be made before them: one block, that stays where it is put.
fn at_once(all: &[Statement], down: String) -> Statement {
    let body: String = all.iter().map(|statement| format!("{};\n", statement.up)).collect();
    let tag = dollar(&[&body]);
    Statement::undone_by(format!("do {tag} begin\n{body}end {tag}"), down)
}

fn text(template: &str, values: &Map<String, Value>) -> Result<String, Stop> {
    render(template, values).map_err(|flaw| Stop::Facts {
        message: format!("a template of the plan is wrong: {}", flaw.message),
        help: None,
    })
}

/// An agent's rows say that it was the agent.
async fn actor(
    facts: &mut Facts,
    log: &Log,
    schema: &str,
    changes: &mut Vec<Change>,
    made: &mut Vec<String>,
) -> Result<(), Stop> {
    let columns: Vec<(String, String, String, String, i64, String)> = sqlx::query_as(
        "select e.role, c.name, c.type_name, c.type, c.type_oid, c.type_kind from event_log_columns e
         join columns c on c.relation = e.relation and c.number = e.column_number
         where e.relation = ? and e.filled_by_trigger = 0 and e.role in ('actor', 'actor kind', 'time', 'on behalf of')",
    )
    .bind(log.oid)
    .fetch_all(facts.connection())
    .await?;
    let is_text = |type_name: &str| matches!(type_name, "text" | "varchar" | "citext");
    let column = |role: &str, fits: &dyn Fn(&str) -> bool| {
        columns
            .iter()
            .find(|(found, _, type_name, ..)| found == role && fits(type_name))
            .map(|(_, name, ..)| ident(name))
    };
    let kind = columns.iter().find(|(role, ..)| role == "actor kind");
    let labels: Vec<String> = sqlx::query_scalar(
        "select value from event_logs l, json_each(coalesce(l.actor_kinds, '[]')) where l.relation = ?",
    )
    .bind(log.oid)
    .fetch_all(facts.connection())
    .await?;
    let label = labels.iter().find(|label| {
        let label = label.to_lowercase();
        ["agent", "ai", "bot", "assistant", "llm"]
            .iter()
            .any(|word| label.split(|c: char| !c.is_alphanumeric()).any(|part| part == *word))
    });
    let kind = match (kind, label) {
        (Some((_, name, _, type_text, ..)), Some(label)) => {
            Some((ident(name), format!("{}::{type_text}", literal(label))))
        }
        // The fix of audit/untyped-actor adds the word.
        (Some((_, name, _, type_text, ..)), None) => Some((ident(name), format!("'agent'::{type_text}"))),
        _ => None,
    };
    let function = named("actor", log);
    let mut values = Map::new();
    for (key, value) in [
        ("schema", json!(ident(schema))),
        ("function", json!(ident(&function))),
        ("kind", kind.as_ref().map_or(Value::Null, |(name, _)| json!(name))),
        ("agent_label", json!(kind.as_ref().map(|(_, label)| label))),
        ("actor", json!(column("actor", &is_text))),
        ("behalf", json!(column("on behalf of", &is_text))),
        ("time", json!(column("time", &|name| name == "timestamptz"))),
        ("q", json!(dollar(&columns.iter().map(|(_, name, ..)| name.as_str()).collect::<Vec<_>>()))),
    ] {
        values.insert(key.to_owned(), value);
    }
    let down = format!("drop function if exists {}.{}()", ident(schema), ident(&function));
    let made_at_once = at_once(&statements(ACTOR, &values)?, down);
    let check = "audit/actor-chosen-by-caller";
    let why = "What an agent did is recorded as the agent's, whatever it writes.";
    changes.push(log.change("derive_actor_of_agents", Phase::Fill, why, vec![made_at_once], check));
    let trigger = format!(
        "create or replace trigger a_actor before insert on {} for each row execute function {}.{}()",
        log.sql(),
        ident(schema),
        ident(&function)
    );
    let always = format!("alter table {} enable always trigger a_actor", log.sql());
    let drop = format!("drop trigger if exists a_actor on {}", log.sql());
    let all = vec![Statement::undone_by(trigger, drop), Statement::undone_by(always, "")];
    changes.push(log.change("derive_actor_of_agents", Phase::Guard, why, all, check));
    made.push(format!("function {}.{}()", ident(schema), ident(&function)));
    Ok(())
}

/// To a role that no login is a member of. The deployer becomes one when the plan begins, so that it runs a second time, and
/// is none when the log is handed over.
fn hand_over(log: &Log, owner: &str, made: &[String], changes: &mut Vec<Change>) {
    let (quoted, name, schema) = (ident(owner), literal(owner), ident(&log.schema));
    let block = |body: &str| {
        let tag = dollar(&[body]);
        format!("do {tag} begin\n{body}\nend {tag}")
    };
    let enter = block(&format!(
        "  if exists (select from pg_catalog.pg_roles where rolname = {name}) then\n    grant {quoted} to current_user;\n  end if;"
    ));
    let leave = block(&format!(
        "  if exists (select from pg_catalog.pg_roles where rolname = {name}) then\n    revoke {quoted} from current_user;\n  end if;"
    ));
    let questions = vec!["log-owner".into()];
    let check = "audit/owner-reachable";
    let why = "Until the log is handed over, the deployer may act as its owner.";
    let first = log.change(
        "act_as_owner_of_log",
        Phase::Ground,
        why,
        vec![Statement::undone_by(enter.clone(), leave.clone())],
        check,
    );
    changes.push(Change { stage: 2, questions: questions.clone(), ..first });
    let objects = || made.iter().cloned().chain([format!("table {}", log.sql())]);
    let alter: String = objects().map(|object| format!("  alter {object} owner to {quoted};\n")).collect();
    let back: String = objects().map(|object| format!("  alter {object} owner to current_user;\n")).collect();
    // The functions of its triggers go with it, where no other table has them.
    let guards = |of: &str, to: &str| {
        format!(
            "  for it in select distinct p.oid::regprocedure::text as guard from pg_catalog.pg_trigger t join pg_catalog.pg_proc p on p.oid = t.tgfoid
      join pg_catalog.pg_class c on c.oid = t.tgrelid and c.relnamespace = p.pronamespace
      where t.tgrelid = {}::regclass and not t.tgisinternal and p.proowner = {of}
        and not exists (select from pg_catalog.pg_trigger o where o.tgfoid = p.oid and o.tgrelid <> t.tgrelid and o.tgparentid = 0) loop
    execute format('alter function %s owner to %s', it.guard, {to});
  end loop;\n",
            literal(&log.sql())
        )
    };
    let over = guards("c.relowner", &format!("{}::text", literal(&quoted)));
    let restored =
        guards(&format!("(select oid from pg_catalog.pg_roles where rolname = {name})"), "'current_user'::text");
    let up = format!(
        "  grant {quoted} to current_user;\n  grant usage, create on schema {schema} to {quoted};\n{over}{alter}  revoke create on schema {schema} from {quoted};\n  revoke {quoted} from current_user;"
    );
    let down =
        format!("  grant {quoted} to current_user;\n{restored}{back}  revoke usage on schema {schema} from {quoted};");
    let looped = |body: &str| {
        let tag = dollar(&[body]);
        format!("do {tag} declare\n  it record;\nbegin\n{body}\nend {tag}")
    };
    let (up, down) = (looped(&up), looped(&down));
    let why = "No guard binds an owner: the log belongs to a role that nobody is.";
    let last = log.change("hand_the_log_over", Phase::Note, why, vec![Statement::undone_by(up, down)], check);
    changes.push(Change { questions, ..last });
}
