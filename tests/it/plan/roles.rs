//! Policies that ask who has which role.

use super::{collected, faults, made};
use crate::support;
use govctl::config::Config;
use govctl::plan::Step;

/// The roles table has the name of neither a role nor a member.
const PAPERS: &str = "
    create role shop; create role web login;
    grant usage, create on schema public to shop; grant usage on schema public to web;
    set role shop;
    create table \"Team\" (id text primary key, name text);
    create table \"User\" (id text primary key, email text);
    create table whitelist (\"teamId\" text not null references \"Team\", \"userId\" text references \"User\", role text, id int primary key);
    create table \"UserTeam\" (\"userId\" text not null, \"teamId\" text not null references \"Team\", role text not null, primary key (\"userId\", \"teamId\"));
    create table \"Paper\" (id text primary key, \"teamId\" text not null references \"Team\", title text);
    grant select, insert, update, delete on all tables in schema public to web;
    reset role;
";

#[tokio::test]
async fn the_table_of_roles_is_not_asked_about_itself() {
    let database = support::cluster().await;
    database.run(PAPERS).await;
    let config = Config::default();
    let mut facts = collected(&database, &config).await;
    let found: Vec<String> =
        sqlx::query_scalar("select r.name from roles_tables t join relations r on r.oid = t.relation")
            .fetch_all(facts.connection())
            .await
            .unwrap();
    // A list of persons or of roles, whichever a row has, says who is let past something.
    assert_eq!(found, ["UserTeam"]);
    let plan = made(3, &mut facts, &config).await;
    // The roles table refers to no person, and a proof finds its members all the same.
    assert_eq!(faults(&plan, &["tenant-isolation/tenant-data-without-key", "rbac/roles-table-shape"]), [""; 0]);
    let blind = plan.proof.as_ref().unwrap().remaining.iter().find(|it| it.why.contains("no row at all of"));
    assert!(blind.is_none(), "{blind:?}");
    let all: String = plan.steps.iter().map(Step::up_sql).collect();
    assert!(all.contains("create policy member_reads on public.\"Paper\""), "{all}");
    assert!(!all.contains("create policy member_reads on public.\"UserTeam\""), "{all}");
}
