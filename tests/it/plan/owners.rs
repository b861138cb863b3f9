//! An application that works as the owner of its tables goes on seeing its own rows once policies bind it.

use super::{OWNED, carried_out, collected, faults, made, read};
use crate::support;
use govctl::config::Config;
use govctl::plan::{Plan, Step};

/// A floor and nothing above it; a policy for somebody else; policies that ask a function of the owner's, over a table they are on.
const SHOP: &str = "
    create role shop login createrole; create role reader login;
    grant usage, create on schema public to shop; grant usage on schema public to reader;
    do $$ begin execute format('alter database %I owner to shop', current_database()); end $$;
    alter default privileges in schema public grant select on tables to reader;
    set role shop;
    create table tenants (id int primary key, name text);
    create table orders (id int primary key, tenant_id int not null references tenants, what text);
    create table \"Odd; Notes\" (id int primary key, tenant_id int not null references tenants, what text);
    create table members (tenant_id int not null references tenants, user_id int not null, primary key (tenant_id, user_id));
    create table papers (id int primary key, tenant_id int not null references tenants, body text);
    create function is_member(of int) returns boolean language sql security definer set search_path = pg_catalog, pg_temp as
      $$ select exists (select from public.members m where m.tenant_id = of and m.user_id = nullif(current_setting('app.user_id', true), '')::int) $$;
    revoke execute on function is_member(int) from public; grant execute on function is_member(int) to reader;
    alter table tenants enable row level security; alter table orders enable row level security;
    alter table \"Odd; Notes\" enable row level security; alter table members enable row level security; alter table papers enable row level security;
    create policy own on tenants using (id = nullif(current_setting('app.tenant_id', true), '')::int);
    create policy floor on orders as restrictive using (tenant_id = nullif(current_setting('app.tenant_id', true), '')::int);
    create policy reading on \"Odd; Notes\" for select to reader using (tenant_id = nullif(current_setting('app.tenant_id', true), '')::int);
    create policy asking on members using (is_member(tenant_id));
    create policy asking on papers using (is_member(tenant_id));
    grant select on orders, \"Odd; Notes\", papers to reader;
    reset role;
    insert into tenants values (1, 'a'), (2, 'b');
    insert into orders values (1, 1, 'x'), (2, 2, 'y');
    insert into \"Odd; Notes\" values (1, 1, 'x'), (2, 2, 'y');
    insert into members values (1, 7), (2, 8);
    insert into papers values (1, 1, 'x'), (2, 2, 'y');
";

fn all(plan: &Plan) -> String {
    plan.steps.iter().map(Step::up_sql).collect()
}

#[tokio::test]
async fn what_the_owner_works_with_stays_in_its_sight() {
    if support::is_embedded() {
        return;
    }
    let database = support::cluster().await;
    database.run(SHOP).await;
    let config = Config::default();
    let plan = made(2, &mut collected(&database, &config).await, &config).await;
    let left = [OWNED, &["tenant-isolation/writable-trust", "tenant-isolation/default-privileges-open"]].concat();
    assert_eq!(faults(&plan, &left), [""; 0], "{plan:#?}");

    carried_out(&database, &plan, "shop").await;
    let session = "set local app.tenant_id = '1'; set local app.user_id = '7'";
    for (login, query) in [
        ("shop", "select count(*)::text || max(what) from orders"),
        ("shop", "select count(*)::text || max(what) from \"Odd; Notes\""),
        ("shop", "select count(*)::text || max(body) from papers"),
        ("reader", "select count(*)::text || max(body) from papers"),
    ] {
        assert_eq!(read(&database, login, session, query).await, Ok(Some("1x".to_owned())), "{login}: {query}");
    }
    let written = "insert into \"Odd; Notes\" values (3, 1, 'z') returning 'written'";
    assert_eq!(read(&database, "shop", session, written).await, Ok(Some("written".to_owned())));
    let crossed = "insert into \"Odd; Notes\" values (4, 2, 'z') returning 'written'";
    assert!(read(&database, "shop", session, crossed).await.unwrap_err().contains("row-level security"));
    // A floor stays a floor for whoever was let through by nothing.
    assert_eq!(read(&database, "reader", session, "select count(*)::text from orders").await, Ok(Some("0".to_owned())));

    // What a superuser's new tables are born with, only a superuser changes: that is said, and not planned once more.
    let again = made(2, &mut collected(&database, &config).await, &config).await;
    assert_eq!(again.steps, []);
    let left = again.open.iter().find(|it| it.check.ends_with("default-privileges-open")).map(|it| &it.why);
    let said = "shop may not do this. An administrator has to run: alter default privileges for role postgres";
    assert!(left.is_some_and(|why| why.starts_with(said)), "{:?}", again.open);

    // Who may make no role cannot hand the function over: its table is not bound, and the plan says why.
    let database = support::cluster().await;
    database.run(&format!("{SHOP}\nalter role shop nocreaterole;")).await;
    let plan = made(2, &mut collected(&database, &config).await, &config).await;
    assert!(!all(&plan).contains("members force"), "{}", all(&plan));
    let why = plan.open.iter().find(|it| it.object == "public.members" && it.check.ends_with("owner-not-forced"));
    assert!(why.is_some_and(|it| it.why.contains("public.is_member reads it as its owner")), "{:?}", plan.open);
    assert!(!plan.proof.unwrap().failed.iter().any(|line| line.contains("without end")));
}

/// Policies of a role that nobody works as ask a function that a login may replace.
const KEEPER: &str = "
    create role deploy login; create role keeper; create role web login;
    grant usage, create on schema public to deploy, keeper; grant usage on schema public to web;
    set role deploy;
    create table tenants (id int primary key); create table orders (id int primary key, tenant_id int not null references tenants);
    create function may_see(of int) returns boolean language sql as $$ select of = nullif(current_setting('app.tenant_id', true), '')::int $$;
    grant select on tenants, orders to web; grant references on tenants to keeper;
    reset role; set role keeper;
    create table files (id int primary key, tenant_id int not null references tenants);
    alter table files enable row level security, force row level security;
    create policy own on files using (may_see(tenant_id));
    create table notes (id int primary key, data jsonb not null);
    alter table notes enable row level security, force row level security;
    create policy own on notes using (data ->> 'tenant_id' = current_setting('app.tenant_id', true));
    grant select on files, notes to web;
    reset role;
";

#[tokio::test]
async fn a_function_goes_to_whom_it_decides_for_where_the_role_may_give_it_away() {
    if support::is_embedded() {
        return;
    }
    let owner = "select string_agg(o.rolname || ' ' || p.provolatile::text, '') from pg_proc p join pg_roles o on o.oid = proowner where proname = 'may_see'";
    for (right, ends) in [("select", "deploy s"), ("grant keeper to deploy", "keeper s")] {
        let database = support::cluster().await;
        database.run(KEEPER).await;
        let config = Config::default();
        let plan = made(2, &mut collected(&database, &config).await, &config).await;
        database.run(right).await;
        assert!(all(&plan).contains("owner to keeper"), "{}", all(&plan));
        // What no probe was tried on is said.
        let remaining = &plan.proof.as_ref().unwrap().remaining;
        let untried = remaining.iter().find(|it| it.check == "tenants" && it.object == "public.notes");
        assert!(untried.is_some_and(|it| it.why.contains("inside JSON")), "{remaining:?}");
        // Twice over, also where the function is another's by then.
        carried_out(&database, &plan, "deploy").await;
        carried_out(&database, &plan, "deploy").await;
        assert_eq!(read(&database, "postgres", "", owner).await, Ok(Some(ends.to_owned())), "{right}");
    }
}
