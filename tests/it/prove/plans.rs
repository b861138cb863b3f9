//! Small plans, written by hand: a good one holds, and each fault of a bad one is found.

use super::{facts, original};
use crate::support;
use govctl::check::Library;
use govctl::config::Config;
use govctl::facts::derive;
use govctl::plan::prove::prove;
use govctl::plan::{Plan, Proof, Step};
use govctl::target::scratch::{Choice, Scratch};
use govctl::ui::progress::Silent;

/// Two tables of a shop: one says its tenant, the other leads to it. Nothing keeps tenants apart yet.
const SHOP: &str = "
    create role {shop_owner} nologin;
    create role {shop_app} login;
    grant create, usage on schema public to {shop_owner};
    set role {shop_owner};
    create table tenants (id uuid primary key default gen_random_uuid(), name text not null);
    create table customers (id bigint generated always as identity primary key, tenant_id uuid not null references tenants, email text not null unique,
      status text not null check (status in ('active', 'gone')));
    create table invoices (id bigint generated always as identity primary key, customer_id bigint not null references customers, cents int not null check (cents > 0));
    grant usage on schema public to {shop_app};
    grant select, insert, update, delete on customers, invoices to {shop_app};
    grant select on tenants to {shop_app};
    reset role;
";

fn step(n: usize, up: &[&str], down: &[&str]) -> Step {
    Step {
        n,
        name: format!("step_{n}"),
        stage: 2,
        kind: None,
        why: "For a test.".into(),
        transaction: true,
        up: up.iter().map(|sql| (*sql).to_owned()).collect(),
        down: down.iter().map(|sql| (*sql).to_owned()).collect(),
        closes: Vec::new(),
        lock: String::new(),
        reversible: true,
        notes: Vec::new(),
        questions: Vec::new(),
    }
}

const PREDICATE: &str = "tenant_id = (select nullif(current_setting('app.tenant_id', true), '')::uuid)";

/// What isolates the shop.
fn good() -> Vec<Step> {
    let mut index = step(
        2,
        &[
            "create index concurrently if not exists invoices_tenant on public.invoices (tenant_id)",
            "create index concurrently if not exists customers_tenant on public.customers (tenant_id)",
        ],
        &[
            "drop index concurrently if exists public.invoices_tenant",
            "drop index concurrently if exists public.customers_tenant",
        ],
    );
    index.transaction = false;
    let policy = |table: &str, column: &str| {
        format!(
            "do $$ begin if not exists (select from pg_policy where polname = 'isolation' and polrelid = 'public.{table}'::regclass) then
               create policy isolation on public.{table} using ({0}) with check ({0}); end if; end $$",
            PREDICATE.replace("tenant_id =", &format!("{column} ="))
        )
    };
    let enable =
        |table: &str| format!("alter table public.{table} enable row level security, force row level security");
    let disable =
        |table: &str| format!("alter table public.{table} no force row level security, disable row level security");
    let drop = |table: &str| format!("drop policy if exists isolation on public.{table}");
    let ups: Vec<_> = [("invoices", "tenant_id"), ("customers", "tenant_id"), ("tenants", "id")]
        .into_iter()
        .flat_map(|(table, column)| [policy(table, column), enable(table)])
        .collect();
    let downs: Vec<_> =
        ["tenants", "customers", "invoices"].into_iter().flat_map(|table| [disable(table), drop(table)]).collect();
    vec![
        step(
            1,
            &[
                "set local lock_timeout = '2s'",
                "alter table public.invoices add column if not exists tenant_id uuid",
                "update public.invoices i set tenant_id = c.tenant_id from public.customers c where c.id = i.customer_id and i.tenant_id is null",
                "alter table public.invoices alter column tenant_id set not null",
                "alter table public.invoices drop constraint if exists invoices_tenant_fk",
                "alter table public.invoices add constraint invoices_tenant_fk foreign key (tenant_id) references public.tenants",
            ],
            &["alter table public.invoices drop column if exists tenant_id"],
        ),
        index,
        step(
            3,
            &ups.iter().map(String::as_str).collect::<Vec<_>>(),
            &downs.iter().map(String::as_str).collect::<Vec<_>>(),
        ),
    ]
}

pub(super) async fn proved(script: &str, steps: Vec<Step>) -> Proof {
    let database = original(script).await;
    let mut before = facts(&database).await;
    let config = Config::default();
    derive::derive(&mut before, &config).await.unwrap();
    let library = Library::embedded().unwrap();
    let plan = Plan { from: 1, to: 2, steps, ..Plan::default() };
    match support::is_embedded() {
        false => prove(&plan, &mut before, &config, &library, database.server(), &Silent).await.unwrap(),
        true => {
            let scratch = Scratch::start(Choice::Embedded).await.unwrap();
            prove(&plan, &mut before, &config, &library, &scratch, &Silent).await.unwrap()
        }
    }
}

/// The shop, with role names that no other test has.
fn shop() -> String {
    SHOP.replace("{shop_owner}", "shop_owner").replace("{shop_app}", "shop_app")
}

#[tokio::test]
async fn a_good_plan_holds() {
    let proof = proved(&shop(), good()).await;
    assert_eq!(proof.failed, [""; 0], "{proof:#?}");
    assert_eq!(proof.stage, Some(2), "{proof:#?}");
    // The plan leaves out one thing, and that is all there is to say.
    let remaining: Vec<_> = proof.remaining.iter().map(|it| (it.check.as_str(), it.object.as_str())).collect();
    assert_eq!(remaining, [("tenant-isolation/foreign-key-across-tenants", "public.invoices")], "{proof:#?}");
    for held in [
        "3 steps ran as shop_owner, who owns the tables",
        "6 reads by shop_app across tenants got nothing",
        "6 times a role sees as many rows of its own tenant as before",
        "a second run changes nothing",
        "the way back restores the catalog",
    ] {
        assert!(proof.held.iter().any(|line| line == held), "{held}: {proof:#?}");
    }
}

/// Every sentence of a proof but what held.
fn complaints(proof: &Proof) -> String {
    let remaining = proof.remaining.iter().map(|it| format!("{} {} {}", it.check, it.object, it.why));
    proof.failed.iter().cloned().chain(remaining).collect::<Vec<_>>().join("\n")
}

/// With one statement more in the last step, which is undone.
fn with(up: &str, down: &str) -> Vec<Step> {
    let mut steps = good();
    steps[2].up.push(up.to_owned());
    steps[2].down.insert(0, down.to_owned());
    steps
}

#[tokio::test]
async fn what_lets_one_tenant_reach_another_is_found() {
    let cases = [
        (
            with("create policy too_wide on public.customers for select using (true)", "drop policy too_wide on public.customers"),
            vec!["shop_app it reads rows of another tenant", "second run is not quiet: step 3 (step_3) was refused: policy \"too_wide\""],
        ),
        (
            with(
                "drop policy if exists any_row on public.customers; create policy any_row on public.customers for insert with check (true)",
                "drop policy any_row on public.customers",
            ),
            vec!["shop_app it writes rows of another tenant into"],
        ),
        (
            with(
                "create or replace view public.all_of_them as select * from public.customers; alter table public.customers no force row level security;
                 grant select on public.all_of_them to shop_app",
                "drop view public.all_of_them",
            ),
            vec!["shop_app it reads rows of another tenant"],
        ),
    ];
    for (steps, expected) in cases {
        let proof = proved(&shop(), steps).await;
        let said = complaints(&proof);
        for what in expected {
            assert!(said.contains(what), "{what}: {proof:#?}");
        }
    }
}

#[tokio::test]
async fn what_harms_the_owner_s_own_is_found() {
    let wrong_setting = || {
        let mut steps = good();
        for sql in &mut steps[2].up {
            *sql = sql.replace(
                "(select nullif(current_setting('app.tenant_id', true), '')::uuid)",
                "(select '00000000-0000-0000-0000-000000000000'::uuid)",
            );
        }
        steps
    };
    let mut no_way_back = good();
    no_way_back[0].down.clear();
    let mut careless = good();
    careless[0].up.push("delete from public.invoices".into());
    let mut no_way_back_and_says_so = no_way_back.clone();
    no_way_back_and_says_so[0].reversible = false;
    let cases = [
        (wrong_setting(), "shop_app sees 0 of its own tenant's 2 rows in public.customers", true),
        (no_way_back, "the way back leaves + column public.invoices.tenant_id", true),
        (no_way_back_and_says_so, "the way back leaves + column public.invoices.tenant_id", false),
        (careless, "public.invoices had 4 rows and has 0", true),
        (
            with("alter role shop_app noinherit", "alter role shop_app inherit"),
            "the owner may not run this, a superuser did: alter role",
            false,
        ),
        (
            with("alter table public.nothing add x int", "select 1"),
            "step 3 (step_3) was refused: relation \"public.nothing\" does not exist",
            true,
        ),
    ];
    for (steps, expected, fails) in cases {
        let proof = proved(&shop(), steps).await;
        let said = match fails {
            true => proof.failed.join("\n"),
            false => proof.remaining.iter().map(|it| it.why.clone()).collect::<Vec<_>>().join("\n"),
        };
        assert!(said.contains(expected), "{expected}: {proof:#?}");
    }
}

/// Existing FORCE binds the owner too, unless it is exempt: the plan fills nothing, and stops.
#[tokio::test]
async fn an_owner_bound_by_row_security_is_told_from_one_that_is_not() {
    if support::is_embedded() {
        return;
    }
    let script = shop().replace(
        "reset role;",
        "reset role; alter table customers enable row level security, force row level security; alter role shop_owner ",
    );
    let bound = proved(&script.replace("alter role shop_owner ", "alter role shop_owner nobypassrls;"), good()).await;
    assert_eq!(bound.stage, None, "{bound:#?}");
    assert!(bound.failed[0].starts_with("step 1 (step_1) was refused: column \"tenant_id\""), "{bound:#?}");
    let exempt = proved(&script.replace("alter role shop_owner ", "alter role shop_owner bypassrls;"), good()).await;
    assert_eq!(exempt.stage, Some(2), "{exempt:#?}");
    let said: Vec<_> = exempt.remaining.iter().filter(|it| it.check == "owner").map(|it| it.why.as_str()).collect();
    assert!(
        matches!(said.as_slice(), [one] if one.starts_with("it has to be exempt from row security: without BYPASSRLS step 1 (step_1) was refused")),
        "{exempt:#?}"
    );
}
