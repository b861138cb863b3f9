//! A plan by hand, with everything that is hard to send: names, bodies, batches, what must stay outside a transaction.

use govctl::plan::{Closes, Plan, Question, Step};

/// What is there before.
pub(super) const BEFORE: &str = r#"
create table public.tenants (id uuid primary key);
create table public.customers (id bigint primary key, tenant_id uuid not null references public.tenants);
create table public.invoices (id bigint primary key, customer_id bigint not null references public.customers, note text);
create table public."odd""
-- +goose Down
-- migrate:down
{{x}} ${x}\?*/$$" (tenant_id uuid not null, "what?" text);
insert into public.tenants values ('00000000-0000-0000-0000-00000000000a'), ('00000000-0000-0000-0000-00000000000b');
insert into public.customers select n, ('00000000-0000-0000-0000-00000000000' || case when n % 2 = 0 then 'a' else 'b' end)::uuid
from generate_series(1, 10) n;
insert into public.invoices select n, 1 + n % 10 from generate_series(1, 2500) n;
"#;

const ODD: &str = "public.\"odd\"\"\n-- +goose Down\n-- migrate:down\n{{x}} ${x}\\?*/$$\"";

fn step(name: &str, transaction: bool, up: &[&str], down: &[&str]) -> Step {
    let timeouts = |statement: &str| match statement {
        "t" if transaction => {
            vec!["set local lock_timeout = '2s'".to_owned(), "set local statement_timeout = '30s'".to_owned()]
        }
        "t" => vec!["set lock_timeout = '2s'".to_owned(), "set statement_timeout = '0'".to_owned()],
        other => vec![other.to_owned()],
    };
    Step {
        n: 0,
        name: name.to_owned(),
        stage: 2,
        kind: None,
        why: format!("Because of {name}.\n-- +goose Down\nselect 1; */ $$ {{{{ ${{no}} }}}}"),
        transaction,
        up: up.iter().flat_map(|statement| timeouts(statement)).collect(),
        down: down.iter().flat_map(|statement| timeouts(statement)).collect(),
        closes: vec![Closes {
            check: "tenant-isolation/rls-disabled".into(),
            object: "public.\"odd\n-- migrate:down\"".into(),
        }],
        lock: "ACCESS EXCLUSIVE on public.invoices, milliseconds".into(),
        reversible: true,
        notes: vec!["A note\r\n-- migrate:up\u{2028}of two lines.".into()],
        questions: vec!["tenant-table".into()],
    }
}

/// From [`BEFORE`] to a table with a key, a policy and what belongs to them. `role` is made on the way.
pub(super) fn plan(role: &str) -> Plan {
    let make_role = format!(
        "do $role$\nbegin\n  if not exists (select from pg_catalog.pg_roles where rolname = '{role}') then\n    create role {role} nologin;\n  end if;\nend\n$role$"
    );
    let drop_role = format!(
        "do $role$\nbegin\n  drop role if exists {role};\nexception when dependent_objects_still_exist then null;\nend\n$role$"
    );
    let (grant, revoke) =
        (format!("grant select on public.invoices to {role}"), format!("revoke select on public.invoices from {role}"));
    let odd_policy = format!(
        "create policy \"a;b\" on {ODD} using (tenant_id = (select nullif(current_setting('app.tenant_id', true), '')::uuid))"
    );
    let odd_drop = format!("drop policy if exists \"a;b\" on {ODD}");
    let odd_on = format!("alter table {ODD} enable row level security, force row level security");
    let odd_off = format!("alter table {ODD} no force row level security, disable row level security");
    let odd_comment = format!(
        "comment on table {ODD} is 'It''s 100 % :odd \\? {{{{ }}}} ${{x}}\n-- +goose Down\n-- migrate:down\n#{{y}} `z` \"\"\"'"
    );
    let odd_uncomment = format!("comment on table {ODD} is null");
    let mut steps = vec![
        step(
            "add_tenant_id_to_invoices",
            true,
            &["t", "alter table public.invoices add column if not exists tenant_id uuid"],
            &["t", "alter table public.invoices drop column if exists tenant_id"],
        ),
        step(
            "fill_tenant_id_of_new_invoices",
            true,
            &[
                "t",
                "create or replace function public.fill_tenant() returns trigger language plpgsql set search_path = '' as $body$\nbegin\n  if new.tenant_id is null then\n    select c.tenant_id into new.tenant_id from public.customers c where c.id = new.customer_id;\n  end if;\n  return new;\nend;\n$body$",
                "create or replace trigger fill_tenant before insert or update of customer_id, tenant_id on public.invoices\n  for each row execute function public.fill_tenant()",
            ],
            &[
                "t",
                "drop trigger if exists fill_tenant on public.invoices",
                "drop function if exists public.fill_tenant()",
            ],
        ),
        step(
            "backfill_tenant_id_of_invoices",
            false,
            &[
                "t",
                "do $fill$\ndeclare last bigint := 0;\nbegin\n  loop\n    update public.invoices i set tenant_id = c.tenant_id from public.customers c\n      where c.id = i.customer_id and i.tenant_id is null and i.id > last and i.id <= last + 1000;\n    last := last + 1000;\n    commit;\n    exit when last > (select coalesce(max(id), 0) from public.invoices);\n  end loop;\nend\n$fill$",
            ],
            &[],
        ),
        step(
            "index_tenant_id_of_invoices",
            false,
            &[
                "t",
                "create index concurrently if not exists invoices_tenant_id_idx on public.invoices (tenant_id)",
                "create unique index concurrently if not exists invoices_tenant_id_id_key on public.invoices (tenant_id, id)",
            ],
            &[
                "t",
                "drop index concurrently if exists public.invoices_tenant_id_id_key",
                "drop index concurrently if exists public.invoices_tenant_id_idx",
            ],
        ),
        step(
            "tie_invoices_to_tenants",
            true,
            &[
                "t",
                "alter table public.invoices add constraint invoices_tenant_id_fkey foreign key (tenant_id) references public.tenants (id) not valid",
                "alter table public.invoices add constraint invoices_tenant_id_set check (tenant_id is not null) not valid",
            ],
            &[
                "t",
                "alter table public.invoices\n  drop constraint if exists invoices_tenant_id_set,\n  drop constraint if exists invoices_tenant_id_fkey",
            ],
        ),
        step(
            "validate_tenant_id_of_invoices",
            true,
            &[
                "t",
                "alter table public.invoices validate constraint invoices_tenant_id_fkey",
                "alter table public.invoices validate constraint invoices_tenant_id_set",
            ],
            &[],
        ),
        step(
            "require_tenant_id_of_invoices",
            true,
            &[
                "t",
                "alter table public.invoices validate constraint invoices_tenant_id_set",
                "alter table public.invoices alter column tenant_id set not null",
            ],
            &["t", "alter table public.invoices alter column tenant_id drop not null"],
        ),
        step(
            "isolate_invoices",
            true,
            &[
                "t",
                "create policy tenant_isolation on public.invoices\n  using (tenant_id = (select nullif(current_setting('app.tenant_id', true), '')::uuid))\n  with check (tenant_id = (select nullif(current_setting('app.tenant_id', true), '')::uuid))",
                &odd_policy,
                "alter table public.invoices enable row level security, force row level security",
                &odd_on,
            ],
            &[
                "t",
                &odd_off,
                "alter table public.invoices no force row level security, disable row level security",
                &odd_drop,
                "drop policy if exists tenant_isolation on public.invoices",
            ],
        ),
        step(
            "grant_to_readers",
            true,
            &["t", &make_role, &grant, &odd_comment],
            &["t", &odd_uncomment, &revoke, &drop_role],
        ),
    ];
    for (n, step) in steps.iter_mut().enumerate() {
        step.n = n + 1;
    }
    Plan {
        from: 1,
        to: 2,
        steps,
        questions: vec![Question {
            id: "tenant-table".into(),
            question: "Which table has a row for each tenant?".into(),
            default: "public.tenants".into(),
            key: "tenancy.tables".into(),
            answered: false,
        }],
        ..Plan::default()
    }
}
