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

async fn proved(script: &str, steps: Vec<Step>) -> Proof {
    let database = original(script).await;
    let mut before = facts(&database).await;
    let config = Config::default();
    derive::derive(&mut before, &config).await.unwrap();
    let library = Library::embedded().unwrap();
    let plan = Plan { from: 1, to: 2, steps, ..Plan::default() };
    match support::is_embedded() {
        false => prove(&plan, &mut before, &config, &library, support::server(), &Silent).await.unwrap(),
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
    println!("{proof:#?}");
    assert_eq!(proof.stage, Some(2), "{proof:#?}");
}
