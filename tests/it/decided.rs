//! What the owner decides: stage, owners, attestations, waivers and a baseline, through the program itself.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// 2026-03-15.
const TODAY: &str = "1773532800";

/// One tenant table that a login reads, kept apart by a policy with a hole that is only as wide as `public`.
const SHOP: &str = "
    create role shop_app login;
    create schema app;
    grant usage on schema app to shop_app;
    create table app.tenants (id uuid primary key);
    alter table app.tenants enable row level security;
    create table app.orders (id bigint primary key, tenant_id uuid not null references app.tenants, public boolean not null);
    create index on app.orders (tenant_id);
    alter table app.orders enable row level security;
    alter table app.orders force row level security;
    create policy tenant on app.orders
      using (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid or public);
    grant select on app.orders to shop_app;";

const READ: &str = "tenant-isolation/cross-tenant-read";

struct Place {
    database: crate::support::Database,
    folder: tempfile::TempDir,
}

struct Ran {
    out: String,
    err: String,
    code: i32,
}

impl Ran {
    fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {}{}", self.out, self.err))
    }
}

impl Place {
    async fn new(script: &str) -> Self {
        let database = crate::support::cluster().await;
        database.run(script).await;
        Self { database, folder: tempfile::tempdir().unwrap() }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn config(&self, text: &str) {
        std::fs::write(self.path("govctl.yaml"), text).unwrap();
    }

    /// In the folder of the configuration, on a day that does not change.
    async fn run(&self, arguments: &[&str]) -> Ran {
        let mut command = Command::new(env!("CARGO_BIN_EXE_govctl"));
        command.env_clear().env("SOURCE_DATE_EPOCH", TODAY).args(arguments);
        command.stdin(Stdio::null()).current_dir(self.folder.path());
        let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        Ran { out: text(output.stdout), err: text(output.stderr), code: output.status.code().unwrap() }
    }

    async fn diagnose(&self, more: &[&str]) -> Ran {
        self.run(&[&["diagnose", &self.database.url(), "--format", "json"], more].concat()).await
    }
}

fn findings<'a>(document: &'a Value, check: &str) -> Vec<&'a Value> {
    document["findings"].as_array().unwrap().iter().filter(|finding| finding["check"] == check).collect()
}

fn axis<'a>(document: &'a Value, axis: &str) -> &'a Value {
    document["axes"].as_array().unwrap().iter().find(|answer| answer["axis"] == axis).unwrap()
}

#[tokio::test]
async fn a_waiver_holds_until_the_policy_gets_worse() {
    let place = Place::new(SHOP).await;
    let only = ["--only", READ];
    let open = place.diagnose(&only).await;
    assert_eq!((open.code, open.err.as_str()), (1, ""), "{}", open.out);
    let state = findings(&open.json(), READ)[0]["state"].as_str().unwrap().to_owned();
    let waiver = |more: &str| {
        format!(
            "waivers:\n  - check: {READ}\n    object: app.*\n    reason: public orders are meant to be seen\n    \
             owner: dana@example.com\n    until: 2026-12-31\n{more}"
        )
    };

    place.config(&waiver(""));
    let unbound = place.diagnose(&only).await;
    assert_eq!(unbound.code, 0, "{}", unbound.out);
    assert!(
        unbound.err.contains("also covers what gets worse") && unbound.err.contains(&format!("accepts: [{state}]"))
    );

    place.config(&waiver(&format!("    accepts: [{state}]\n")));
    let waived = place.diagnose(&only).await;
    let document = waived.json();
    assert_eq!((waived.code, waived.err.as_str()), (0, ""));
    assert_eq!((&document["summary"]["waived"], &document["summary"]["fail"]), (&Value::from(1), &Value::from(0)));
    let finding = findings(&document, READ)[0];
    assert_eq!(finding["waiver"]["owner"], "dana@example.com");
    assert_eq!(axis(&document, "tenant-isolation")["answer"], "no", "what is accepted is there all the same");
    let human = place.run(&["diagnose", &place.database.url(), "--only", READ]).await;
    assert!(human.out.contains("by dana@example.com until 2026-12-31: public"), "{}", human.out);

    // The same, written by govctl itself, with the state it found.
    place.config("stage: 2\n");
    let url = place.database.url();
    let accept = ["waive", &url, "--check", READ, "--object", "app.*", "--reason", "meant", "--until", "2026-12-31"];
    let nobody = place.run(&accept).await;
    assert!(nobody.code == 2 && nobody.err.contains("nobody is named"), "{}", nobody.err);
    let written = place.run(&[&accept[..], &["--owner", "dana@example.com"]].concat()).await;
    assert_eq!(written.code, 0, "{}", written.err);
    let waived = place.diagnose(&only).await;
    assert_eq!((waived.code, waived.err.as_str()), (0, ""), "{}", waived.out);
    assert_eq!(findings(&waived.json(), READ)[0]["waiver"]["reason"], "meant");
    let none = place.run(&[&accept[..4], &["--object", "app.none", "--reason", "x", "--owner", "x"]].concat()).await;
    assert!(none.code == 2 && none.err.contains("it found app.orders"), "{}", none.err);

    place.database.run("alter policy tenant on app.orders using (true)").await;
    let worse = place.diagnose(&only).await;
    assert_eq!(worse.code, 1, "{}", worse.out);
    assert!(worse.err.contains("not what is there now") && worse.err.contains("govctl.yaml:4:"), "{}", worse.err);
    assert_eq!(findings(&worse.json(), READ)[0]["waiver"], Value::Null);
}

#[tokio::test]
async fn waivers_run_out_are_used_up_and_name_checks() {
    let place = Place::new(SHOP).await;
    let waiver = |check: &str, object: &str, until: &str| {
        format!("waivers:\n- {{check: {check}, object: {object}, reason: r, owner: o, until: {until}}}\n")
    };
    place.config(&waiver(READ, "app.orders", "2026-03-14"));
    let expired = place.diagnose(&["--only", READ]).await;
    assert_eq!(expired.code, 1);
    assert!(expired.err.contains("ran out on 2026-03-14") && expired.err.contains("open again"), "{}", expired.err);

    place.config(&waiver(READ, "app.orders", "2026-03-15"));
    assert_eq!(place.diagnose(&["--only", READ]).await.code, 0, "on its last day it counts");

    place.config(&waiver(READ, "app.invoices", "2026-12-31"));
    let unused = place.diagnose(&["--only", READ]).await;
    assert_eq!(unused.code, 1);
    assert!(unused.err.contains("matches nothing any more") && unused.err.contains("lines 2 to 2"), "{}", unused.err);
    let elsewhere = place.diagnose(&["--only", "tenant-isolation/rls-disabled"]).await;
    assert_eq!(elsewhere.err, "", "its check did not run, so nobody knows whether it is unused");

    for (config, says) in [
        (waiver("tenant-isolation/cross-tenant-raed", "x", "2026-12-31"), "did you mean"),
        (waiver(READ, "x", "2027-03-16"), "more than a year away"),
        (waiver(READ, "x", "soon"), "is not a day"),
        (waiver(READ, "'[a'", "2026-12-31"), "is no glob"),
        ("waivers:\n- {check: a, object: b, until: 2026-12-31}\n".to_owned(), "has no `reason`"),
        ("stage: 6\n".to_owned(), "from 1 to 5"),
        ("regimes: [hippa]\n".to_owned(), "did you mean `hipaa`?"),
        ("owners: {audits: x}\n".to_owned(), "did you mean `audit`?"),
        ("attestations: {audit: {answer: maybe, by: d, on: 2026-01-01}}\n".to_owned(), "is not known here"),
        ("attestations: {audit: {answer: yes, by: d, on: 2026-03-16}}\n".to_owned(), "still to come"),
        (
            "attestations: {audit: {answer: yes, by: d, on: 2026-01-01, expires: 2027-01-02}}\n".to_owned(),
            "cannot expire",
        ),
    ] {
        place.config(&config);
        let ran = place.diagnose(&[]).await;
        assert_eq!((ran.code, ran.err.lines().last()), (2, Some("no audit was performed")), "{config}: {}", ran.err);
        assert!(ran.err.contains(says) && ran.err.contains("govctl.yaml:"), "{config}: {}", ran.err);
    }
}

#[tokio::test]
async fn a_baseline_knows_what_was_there_and_not_what_is_worse() {
    let place = Place::new(SHOP).await;
    let first = place.diagnose(&["--output", "json=base.json"]).await;
    assert_eq!(first.code, 1);
    let known = place.diagnose(&["--baseline", "base.json"]).await;
    let document = known.json();
    assert_eq!((known.code, &document["summary"]["fail"]), (0, &Value::from(0)), "{}", known.out);
    assert_eq!(document["summary"]["baselined"], first.json()["summary"]["fail"]);
    assert!(document["findings"].as_array().unwrap().iter().all(|finding| finding["baseline"] == true));

    place.database.run("alter policy tenant on app.orders using (true)").await;
    let worse = place.diagnose(&["--baseline", "base.json"]).await;
    assert_eq!(worse.code, 1);
    assert_eq!(findings(&worse.json(), READ)[0]["baseline"], false);

    place.database.run("drop table app.orders").await;
    let gone = place.diagnose(&["--baseline", "base.json"]).await;
    assert!(gone.json()["notes"].to_string().contains("in the baseline are gone"), "{}", gone.out);

    std::fs::write(place.path("other.json"), "{\"schema\": \"govctl.checks/1\", \"findings\": []}").unwrap();
    for (file, says) in [("other.json", "not govctl.diagnose/1"), ("absent.json", "cannot be read")] {
        let ran = place.diagnose(&["--baseline", file]).await;
        assert_eq!(ran.code, 2);
        assert!(ran.err.contains(says), "{}", ran.err);
    }
}

#[tokio::test]
async fn the_stage_decides_what_a_finding_weighs_and_nothing_hides_behind_it() {
    let place = Place::new(SHOP).await;
    let severity = async |config: &str| {
        place.config(config);
        let document = place.diagnose(&["--only", READ]).await.json();
        let axis = axis(&document, "tenant-isolation").clone();
        (findings(&document, READ)[0]["severity"].as_str().unwrap().to_owned(), axis, document)
    };
    let (undeclared, axis, document) = severity("").await;
    assert_eq!(document["stage"]["declared"], Value::Null);
    assert!(["dormant", "lights-up"].contains(&axis["posture"].as_str().unwrap()), "of the stage it has reached");
    let (second, axis, document) = severity("stage: 2").await;
    assert_eq!((&axis["posture"], &axis["required"]), (&Value::from("lights-up"), &Value::from("required")));
    assert_eq!(document["stage"]["declared"], 2);
    // Tenants share the database: it is past stage 1, whoever says otherwise.
    let (first, axis, document) = severity("stage: 1").await;
    assert_eq!(axis["posture"], "lights-up");
    assert_eq!(first, second);
    assert!(document["notes"].to_string().contains("declared at stage 1, judged at stage 2"));
    let (_, axis, _) = severity("{stage: 2, regimes: [hipaa]}").await;
    assert_eq!(axis["posture"], "hardened");
    if undeclared == "critical" {
        assert_eq!(second, "critical", "what is exposed is exposed");
    }
}

#[tokio::test]
async fn attestations_answer_what_no_database_can_and_are_held_against_it() {
    let place = Place::new(SHOP).await;
    place.config(
        "owners: {tenant-isolation: sam, rbac: kim, secret-separation: sam, audit: lee}\n\
         attestations:\n  tenant-isolation: {answer: yes, by: sam, on: 2026-03-01}\n  \
         audit: {answer: no, by: lee, on: 2025-01-01}\n  \
         pooler: {answer: unsure, by: sam, on: 2026-03-01}\n",
    );
    let ran = place.diagnose(&[]).await;
    let document = ran.json();
    let isolation = axis(&document, "tenant-isolation");
    assert_eq!((&isolation["answer"], &isolation["owner"]), (&Value::from("no"), &Value::from("sam")));
    assert!(isolation["reason"].as_str().unwrap().contains("though sam attests otherwise"));
    let contradicted = findings(&document, "attestations/contradicted");
    assert_eq!(contradicted.len(), 1, "{}", ran.out);
    assert_eq!(contradicted[0]["severity"], "high");
    assert_eq!(findings(&document, "attestations/stale").len(), 1);
    assert_eq!(axis(&document, "audit")["attestation"]["stale"], true);
    assert_eq!(axis(&document, "audit")["answer"], "no", "no table records who did what");
    assert_eq!(findings(&document, "attestations/pooler-unknown")[0]["severity"], "low");

    place.config(
        "regimes: [pci]\nattestations:\n  pooler: {answer: yes, by: sam, on: 2026-03-01, evidence: transaction mode}\n  \
         encryption-at-rest: {answer: no, by: lee, on: 2026-03-01}\n",
    );
    let document = place.diagnose(&["--only", "attestations/*"]).await.json();
    assert_eq!(findings(&document, "attestations/pooler-unknown").len(), 0);
    assert_eq!(findings(&document, "attestations/encryption-unknown")[0]["severity"], "high");

    place.config("");
    let document = place.diagnose(&[]).await.json();
    let moot = document["not_applicable"].as_array().unwrap().iter();
    assert_eq!(moot.filter(|it| it["check"].as_str().unwrap().starts_with("attestations/")).count(), 10);
    assert!(!document["advice"]["reason"].as_str().unwrap().is_empty());
}

#[tokio::test]
async fn tenants_under_a_word_nobody_knows_are_what_everything_hangs_on() {
    let hotels = "
        create table countries (id int primary key, name text);
        create table hotels (id bigint primary key, country_id int references countries);
        create table users (id bigint primary key, hotel_id bigint references hotels, country_id int not null references countries);
        create table rooms (id bigint primary key, hotel_id bigint not null references hotels);
        create table guests (id bigint primary key, hotel_id bigint not null references hotels);
        create table bookings (id bigint primary key, room_id bigint not null references rooms, made_by bigint references users);
        create table sessions (id bigint primary key, user_id bigint not null references users);
        create table addresses (id bigint primary key, user_id bigint not null references users, country_id int not null references countries);
        create role desk login;
        grant select on all tables in schema public to desk";
    let place = Place::new(hotels).await;
    let said = |document: &Value| document["tenancy"].as_str().unwrap().to_owned();
    let document = place.diagnose(&[]).await.json();
    assert!(said(&document).contains("3 columns say which hotel"), "{}", said(&document));
    let open: Vec<_> =
        findings(&document, "tenant-isolation/rls-disabled").iter().map(|f| f["object"]["name"].as_str()).collect();
    assert!(open.contains(&Some("bookings")) && !open.contains(&Some("countries")), "{open:?}");
    // What a person owns is no tenant, and nor is what only a list of others refers to.
    for otherwise in [
        "alter table hotels add owner_id bigint references users",
        "alter table rooms drop constraint rooms_hotel_id_fkey; alter table guests drop constraint guests_hotel_id_fkey",
    ] {
        place.database.run(otherwise).await;
        let document = place.diagnose(&[]).await.json();
        assert!(said(&document).contains("rows belong to persons"), "{otherwise}: {}", said(&document));
        place.database.run("alter table hotels drop column if exists owner_id").await;
    }
}

#[tokio::test]
async fn a_schema_for_each_tenant_needs_no_key_as_long_as_no_login_sees_two() {
    let script = include_str!("../../fixtures/clean/schema_per_tenant.sql");
    let place = Place::new(script).await;
    let document = place.diagnose(&[]).await.json();
    assert_eq!(axis(&document, "tenant-isolation")["answer"], "yes", "{document}");
    assert!(document["not_applicable"].as_array().unwrap().len() > 20);
    for door in [
        "grant usage on schema two to one_agent; grant select on two.messages to one_agent",
        "create function one.f() returns bigint language sql security definer as 'select count(*) from two.documents'",
        "create view one.v as select * from two.documents",
        "create table public.shared (id bigint primary key)",
        "grant tenants_owner to one_agent",
    ] {
        place.database.run(door).await;
        let document = place.diagnose(&[]).await.json();
        let answer = axis(&document, "tenant-isolation")["answer"].as_str().unwrap().to_owned();
        assert!(answer == "unsure" || answer == "no", "{door}: {answer}");
        assert!(document["summary"]["exit"] != 0, "{door}: clean");
        place
            .database
            .run(
                "revoke usage on schema two from one_agent; revoke all on two.messages from one_agent; \
                 drop function if exists one.f(); drop view if exists one.v; drop table if exists public.shared; \
                 revoke tenants_owner from one_agent",
            )
            .await;
    }
}

#[tokio::test]
async fn init_writes_what_it_sees_once_and_changes_nothing() {
    let script = format!("{SHOP} create role \"Night bot\nstage: 5\" login; create role help_agent login;");
    let place = Place::new(&script).await;
    let url = place.database.url();
    let before = place.diagnose(&[]).await.json();
    let ran = place.run(&["init", &url]).await;
    assert_eq!((ran.code, ran.err.trim()), (0, "Wrote govctl.yaml"));
    let text = std::fs::read_to_string(place.path("govctl.yaml")).unwrap();
    assert!(text.lines().all(|line| line.is_empty() || line.starts_with('#')), "{text}");
    assert!(text.contains("keys: [tenant_id]") && text.contains("table: app.tenants"), "{text}");
    assert!(text.contains(r#""Night bot\nstage: 5""#) && text.contains("help_agent"), "{text}");
    let after = place.diagnose(&[]).await.json();
    assert_eq!(before["summary"], after["summary"]);

    // Out of its comments it is a configuration, and the names in it are those of the database.
    let settings = text.lines().filter_map(|line| line.strip_prefix("# ").or(line.strip_prefix("#")));
    let known = ["stage:", "regimes:", "tenancy:", "roles:", "plan:", "owners:", "attestations:", "waivers:", "  "];
    let settings: Vec<_> = settings.filter(|line| known.iter().any(|key| line.starts_with(key))).collect();
    let config = govctl::config::parse("govctl.yaml", &settings.join("\n")).map_err(miette::Report::new).unwrap();
    assert_eq!(config.owners.len(), 4);
    assert!(config.roles.purposes.iter().any(|(_, name)| name == "Night bot\nstage: 5"), "{:?}", config.roles);

    let again = place.run(&["init", &url]).await;
    assert_eq!(again.code, 2);
    assert!(again.err.contains("is there already"), "{}", again.err);
    assert_eq!(std::fs::read_to_string(place.path("govctl.yaml")).unwrap(), text);
    let printed = place.run(&["init", &url, "--print", "--format", "json"]).await.json();
    assert_eq!((&printed["schema"], &printed["path"]), (&Value::from("govctl.init/1"), &Value::Null));
    assert_eq!(place.run(&["init", &url, "--config", "/proc/x.yaml"]).await.code, 2);
}

#[tokio::test]
async fn diff_says_who_gained_what() {
    let place = Place::new(SHOP).await;
    let url = place.database.url();
    let save = async |name: &str| assert_eq!(place.run(&["facts", &url, "--out", name]).await.code, 0);
    save("monday.facts").await;
    let same = place.run(&["diff", "monday.facts", "monday.facts", "--format", "json"]).await;
    assert_eq!((same.code, &same.json()["summary"]["changes"]), (0, &Value::from(0)), "{}", same.out);

    place
        .database
        .run(
            "alter role shop_app bypassrls; create role ops; grant ops to shop_app; grant delete on app.orders to shop_app; \
             alter policy tenant on app.orders using (true); alter table app.tenants disable row level security",
        )
        .await;
    save("thursday.facts").await;
    let ran = place.run(&["diff", "monday.facts", "thursday.facts", "--format", "json"]).await;
    assert_eq!(ran.code, 1);
    let document = ran.json();
    let checks: Vec<_> =
        document["opened"].as_array().unwrap().iter().map(|it| it["check"].as_str().unwrap()).collect();
    assert!(checks.contains(&"tenant-isolation/bypassrls-login"), "{checks:?}");
    let gained = |subject: &str, kind: &str, what: &str| {
        let changes = document["changes"].as_array().unwrap();
        changes.iter().any(|it| {
            it["subject"] == subject && it["kind"] == kind && it["gained"].as_str().is_some_and(|it| it.contains(what))
        })
    };
    assert!(gained("shop_app", "attribute", "bypassrls"), "{document:#}");
    assert!(gained("shop_app", "membership", "ops"), "{document:#}");
    assert!(gained("shop_app", "privilege", "DELETE on app.orders"), "{document:#}");
    assert!(gained("app.orders", "policy", "using true"), "{document:#}");
    let human = place.run(&["diff", "monday.facts", "thursday.facts"]).await;
    assert!(human.out.contains("+ shop_app: attribute bypassrls"), "{}", human.out);
    assert!(human.out.contains("- app.tenants: row security enabled"), "{}", human.out);
    let back = place.run(&["diff", "thursday.facts", "monday.facts", "--format", "json"]).await.json();
    let closed: Vec<_> = back["closed"].as_array().unwrap().iter().map(|it| it["check"].as_str().unwrap()).collect();
    assert!(closed.contains(&"tenant-isolation/bypassrls-login"), "{closed:?}");
    assert_eq!(place.run(&["diff", "monday.facts", "absent.facts"]).await.code, 2);
}

#[tokio::test]
async fn nobody_to_keep_apart_is_no_yes_and_a_superuser_holds_every_secret() {
    let place = Place::new(
        "create role help_agent superuser login; create table public.tenants (id uuid primary key);
         create table public.orders (id int primary key, tenant_id uuid not null references public.tenants);",
    )
    .await;
    let url = place.database.url();
    let asked = ["diagnose", &url, "--format", "json", "--exit-zero"];
    let document = place.run(&asked).await.json();
    assert_eq!(axis(&document, "secret-separation")["answer"], "no", "{document:#}");
    assert_eq!(axis(&document, "rbac")["evidence"][0], "help_agent may become every role, as a superuser");
    place.database.run("alter role help_agent nosuperuser nologin").await;
    let document = place.run(&asked).await.json();
    assert_eq!(axis(&document, "tenant-isolation")["answer"], "no", "{document:#}");
    place.database.run("alter table public.orders enable row level security").await;
    let document = place.run(&asked).await.json();
    assert_eq!(axis(&document, "tenant-isolation")["answer"], "unsure", "{document:#}");
}

/// What no finding says by itself: columns, bodies, views, triggers, rules, constraints, EXECUTE, defaults, publications.
#[tokio::test]
async fn diff_says_what_guards_the_rows() {
    let place = Place::new(SHOP).await;
    let url = place.database.url();
    // Since 15 a view may have the rights of who asks.
    let views = crate::support::server().server_version_num() >= 150_000;
    if views {
        place.database.run("create view app.seen with (security_invoker) as select 1 as one").await;
    }
    place
        .database
        .run(
            "create function app.f() returns int language sql as 'select 1'; revoke execute on function app.f() from public; \
             create function app.g() returns trigger language plpgsql as 'begin return new; end'; \
             create table app.things (a int check (a > 0), b int); create trigger g before insert on app.things for each row execute function app.g(); \
             create table app.gone (a int check (a > 0)); create rule r as on delete to app.gone do instead nothing; \
             grant select (a) on app.things to shop_app; create sequence app.numbers",
        )
        .await;
    assert_eq!(place.run(&["facts", &url, "--out", "a.facts"]).await.code, 0);
    if views {
        place.database.run("alter view app.seen reset (security_invoker)").await;
    }
    place
        .database
        .run(
            "create or replace function app.f() returns int language sql as 'select 2'; grant execute on function app.f() to shop_app; \
             alter table app.things disable trigger g; \
             alter table app.things drop constraint things_a_check; create rule r as on delete to app.things do instead nothing; \
             drop table app.gone; grant select (b) on app.things to shop_app; \
             alter default privileges in schema app grant select on tables to public; create publication p for table app.things; \
             grant insert on app.things to shop_app with grant option; grant usage on sequence app.numbers to shop_app",
        )
        .await;
    assert_eq!(place.run(&["facts", &url, "--out", "b.facts"]).await.code, 0);
    let ran = place.run(&["diff", "a.facts", "b.facts", "--all", "--allow-undecided", "--exit-zero"]).await;
    let of_views = ["- app.seen: view with the rights of who asks", "+ app.seen: view with the rights of its owner"];
    let of_views = of_views.into_iter().filter(|_| views);
    for line in of_views.chain([
        "- shop_app: privilege SELECT on app.things (a)",
        "+ shop_app: privilege SELECT on app.things (a, b)",
        "+ shop_app: privilege EXECUTE on app.f()",
        "+ shop_app: privilege USAGE on sequence app.numbers",
        "+ shop_app: privilege GRANT OPTION for INSERT on app.things",
        "default privilege SELECT on every new relation in app for public",
        "+ app.things: trigger g: before insert for each row calls app.g, disabled",
        "+ app.things: rule r",
        "- app.things: constraint things_a_check",
        "- app.f(): body sha256",
        "+ p: publication",
        "- app.gone: relation table",
    ]) {
        assert!(ran.out.contains(line), "{line}\n{}", ran.out);
    }
    for part in ["app.gone: rule", "app.gone: constraint", "app.g(): body"] {
        assert!(!ran.out.contains(part), "{part}\n{}", ran.out);
    }
}

#[tokio::test]
async fn outputs_that_cannot_be_written_are_2_in_every_format() {
    let place = Place::new(SHOP).await;
    for format in ["human", "json", "sarif", "junit", "github", "markdown", "html", "oscal"] {
        let full = place.diagnose(&["--output", &format!("{format}=/dev/full")]).await;
        assert_eq!(full.code, 2, "{format}");
        assert!(full.err.contains("/dev/full cannot be written") && !full.err.contains("no audit"), "{}", full.err);
    }
    let nowhere = place.diagnose(&["--output", "html=/nowhere/report.html"]).await;
    assert_eq!((nowhere.code, nowhere.err.lines().last()), (2, Some("no audit was performed")));
    let folder: &Path = place.folder.path();
    assert_eq!(place.diagnose(&["--output", &format!("sarif={}", folder.display())]).await.code, 2);
}
