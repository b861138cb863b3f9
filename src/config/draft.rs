//! A govctl.yaml for a database nobody has said anything about yet: every line a comment, with what was seen beside it.

use super::REGIMES;
use crate::assess::ladder::Ladder;
use crate::error::Stop;
use crate::facts::Facts;
use crate::ui::clean::clean;
use jiff::ToSpan;
use std::fmt::Write as _;

/// Names listed where there may be hundreds.
const SHOWN: usize = 12;

/// The text of the file. Names of the database stand in it quoted, and never end a comment.
pub async fn draft(facts: &mut Facts) -> Result<String, Stop> {
    let (database, version, taken): (String, String, String) =
        sqlx::query_as("select database, server_version, taken_at from target").fetch_one(facts.connection()).await?;
    let version = version.split_whitespace().next().unwrap_or_default();
    let day = taken.split('T').next().unwrap_or_default();
    let mut text = format!(
        "# What the owner of this database has decided. govctl works without it; each line says something that no\n\
         # database can say, or settles what govctl would infer. To use a line, take the # away.\n\
         # From {}, PostgreSQL {}, on {}.\n",
        clean(&database),
        clean(version),
        clean(day)
    );
    stage(&mut text);
    tenancy(facts, &mut text).await?;
    roles(facts, &mut text).await?;
    plan(&mut text);
    owners(&mut text)?;
    attestations(&mut text);
    waivers(&mut text);
    Ok(text)
}

fn stage(text: &mut String) {
    let regimes = REGIMES.map(|(name, _)| name).join(", ");
    let _ = write!(
        text,
        "\n# Where the product is: 1 self operated, 2 co-builders and design partners, 3 paying customers, 4 regulated\n\
         # customers, 5 several agents acting with consequence. Findings weigh by what the stage asks of their axis;\n\
         # without it each weighs what its check says.\n\
         # stage: 2\n\
         \n# Whose rules apply: {regimes}. The first ask of any of them opens stage 4.\n\
         # regimes: []\n"
    );
}

async fn tenancy(facts: &mut Facts, text: &mut String) -> Result<(), Stop> {
    let (mode, reason): (String, String) =
        sqlx::query_as("select mode, reason from tenancy").fetch_one(facts.connection()).await?;
    let keys: Vec<String> =
        sqlx::query_scalar("select distinct name from tenant_keys where role = 'key' order by name")
            .fetch_all(facts.connection())
            .await?;
    let table: Option<(String, String)> =
        sqlx::query_as("select r.schema, r.name from tenancy t join relations r on r.oid = t.tenant_relation")
            .fetch_optional(facts.connection())
            .await?;
    let _ = writeln!(text, "\n# How tenants share the database. Seen: {}.", clean(&reason));
    let mode = if mode == "single" { "single" } else { "multi" };
    let _ = writeln!(text, "# tenancy:\n#   mode: {mode}");
    let keys = if keys.is_empty() { vec!["tenant_id".to_owned()] } else { keys };
    let _ = writeln!(text, "#   keys: {}", listed(&keys));
    let table = table.filter(|(schema, name)| !schema.contains('.') && !name.contains('.'));
    let table = table.map_or_else(|| "public.tenants".to_owned(), |(schema, name)| format!("{schema}.{name}"));
    let _ = writeln!(text, "#   table: {}", quoted(&table));
    Ok(())
}

async fn roles(facts: &mut Facts, text: &mut String) -> Result<(), Stop> {
    let logins: Vec<(String, String)> = sqlx::query_as(
        "select p.purpose, p.name from principals p join roles r on r.oid = p.role
         where r.login = 1 and r.provenance = 'user' order by p.name",
    )
    .fetch_all(facts.connection())
    .await?;
    let of = |purpose: &str| -> Vec<String> {
        logins.iter().filter(|(own, _)| own == purpose).map(|(_, name)| name.clone()).collect()
    };
    text.push_str(
        "\n# What the logins are for. Most rests on which are an agent's: govctl goes by names until it is told.\n# roles:\n",
    );
    let keys = [
        ("agents", "agent"),
        ("applications", "application"),
        ("dereferencers", "dereferencer"),
        ("auditors", "auditor"),
    ];
    for (key, purpose) in keys {
        let _ = writeln!(text, "#   {key}: {}", listed(&of(purpose)));
    }
    let _ = writeln!(text, "#   free_sql: []            # those that run SQL nobody has reviewed");
    let unknown = of("unknown");
    if !unknown.is_empty() {
        let more = unknown.len().saturating_sub(SHOWN);
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        let names: Vec<_> = unknown.iter().take(SHOWN).map(|name| clean(name).into_owned()).collect();
        let _ = writeln!(text, "#   # not known what for: {}{more}", names.join(", "));
    }
    Ok(())
}

fn plan(text: &mut String) {
    text.push_str(
        "\n# What `govctl plan-stage` asks; each question names its line, and without one the plan goes by its default.\n\
         # plan:\n\
         #   users: public.users                        # the table of the people\n\
         #   shared: []                                 # tables that hold the same for every tenant\n\
         #   shared_rows: [public.models]               # tables whose rows without a tenant are everybody's to read\n\
         #   member_roles: [owner, admin, member, viewer]\n\
         #   read_only_roles: [viewer]\n\
         #   payload: [public.audit_log.details]        # columns of logs that can be erased; a digest stands for them\n\
         #   slices:                                    # the columns that a role reads\n\
         #     - {role: support_desk, table: public.invoices, columns: [id, number]}\n\
         #   platform_tenant: platform                  # the tenant of what a log records of the product itself\n\
         #   reasoning_days: 730                        # for how long an action can be explained\n",
    );
}

fn owners(text: &mut String) -> Result<(), Stop> {
    text.push_str("\n# Who answers for each axis: four names, not one. Mostly these:\n# owners:\n");
    for (axis, rung) in Ladder::embedded()?.rungs() {
        let _ = writeln!(text, "#   {axis}: {}", quoted(&rung.usual_owner));
    }
    Ok(())
}

fn attestations(text: &mut String) {
    let today = super::today();
    let _ = write!(
        text,
        "\n# What a person answers where no database can: yes, no, unsure or not-applicable. It counts for 90 days, or until\n\
         # it expires, at most a year later. What the catalog shows stands against it.\n\
         # attestations:\n\
         #   secret-separation:\n\
         #     answer: unsure\n\
         #     by: who looked\n\
         #     on: {today}\n\
         #     evidence: a sentence, or where it is written down\n\
         # The same may be said of:\n"
    );
    for (topic, question) in super::TOPICS {
        let _ = writeln!(text, "# - {topic}: {question}?");
    }
}

fn waivers(text: &mut String) {
    let until = super::today().saturating_add(3.months());
    let _ = write!(
        text,
        "\n# Findings that are accepted, for a reason and for at most a year. They stay in every report, apart.\n\
         # waivers:\n\
         #   - check: tenant-isolation/sequential-ids\n\
         #     object: public.*\n\
         #     reason: why this is acceptable\n\
         #     owner: who answers for it\n\
         #     until: {until}\n\
         #     accepts: []               # states, as a report shows them; then what gets worse is open again\n"
    );
}

fn listed(names: &[String]) -> String {
    format!("[{}]", names.iter().map(|name| quoted(name)).collect::<Vec<_>>().join(", "))
}

/// A YAML scalar: plain where that reads the same, else in double quotes, in which JSON's escapes are YAML's. What is hidden
/// from the eye is written as an escape, which in double quotes is the same name.
fn quoted(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | ' ' | '-');
    let first = text.chars().next().is_some_and(|c| c.is_ascii_alphabetic() || c == '_');
    let word = !["true", "false", "null", "yes", "no", "on", "off"].contains(&text.to_lowercase().as_str());
    if first && word && text.chars().all(plain) && text.trim() == text {
        return text.to_owned();
    }
    let json = serde_json::to_string(text).unwrap_or_default();
    json.chars().fold(String::new(), |mut safe, c| {
        if crate::ui::clean::is_hostile(c) {
            for unit in c.encode_utf16(&mut [0; 2]) {
                let _ = write!(safe, "\\u{unit:04x}");
            }
        } else {
            safe.push(c);
        }
        safe
    })
}
