//! Random roles, memberships, objects, owners, grants and revokes, as statements. Some are refused by PostgreSQL, as in
//! life; each is meant to be run by itself.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};

/// A statement, and the role that runs it; none: the superuser of the test.
pub(crate) type Statement = (String, Option<String>);

const SCHEMAS: [&str; 4] = ["g_a", "g_b", "g_c", "public"];
const TABLES: usize = 10;
const COLUMNS: [&str; 5] = ["id", "tenant_id", "status", "amount", "note"];

/// A whole database for a server of this version, in the order in which the statements must run.
pub(crate) fn statements(version_num: u32) -> impl Strategy<Value = Vec<Statement>> {
    (6..=12usize).prop_flat_map(move |count| {
        let roles: Vec<String> = (0..count).map(|n| format!("g{n}")).collect();
        let heads: Vec<_> = roles.iter().map(|name| role(name.clone())).collect();
        let of = Of { roles, version_num };
        (
            (heads, vec(of.membership(), 6..24), vec(of.predefined(), 0..5), of.schemas()).boxed(),
            (vec(of.default_privilege(), 0..6), of.objects(), vec(of.owner(), 6..16)),
            (vec(of.row_security(), 4..16), vec(of.grant(), 30..70), vec(of.revoke(), 5..25), vec(of.late(), 2..10)),
        )
            .prop_map(|(first, second, third)| {
                let (heads, memberships, predefined, schemas) = first;
                let (defaults, objects, owners) = second;
                let (row_security, grants, revokes, late) = third;
                let groups =
                    [memberships, predefined, schemas, defaults, objects, owners, row_security, grants, revokes, late];
                heads.into_iter().map(|sql| (sql, None)).chain(groups.into_iter().flatten()).collect()
            })
    })
}

fn role(name: String) -> impl Strategy<Value = String> {
    let word = |yes: f64, word: &'static str| prop::bool::weighted(yes).prop_map(move |it| if it { word } else { "" });
    (
        word(0.5, "login"),
        word(0.35, "noinherit"),
        word(0.08, "superuser"),
        word(0.12, "bypassrls"),
        word(0.2, "createrole"),
    )
        .prop_map(move |(a, b, c, d, e)| format!("create role {name} {a} {b} {c} {d} {e}"))
}

/// What the statements are about.
#[derive(Clone)]
struct Of {
    roles: Vec<String>,
    version_num: u32,
}

impl Of {
    fn role(&self) -> BoxedStrategy<String> {
        select(self.roles.clone()).boxed()
    }

    fn grantee(&self) -> BoxedStrategy<String> {
        prop_oneof![6 => self.role(), 1 => Just("public".to_owned())].boxed()
    }

    /// Mostly the superuser; else somebody, whose grant PostgreSQL may refuse or turn into another.
    fn by(&self, statement: impl Strategy<Value = String> + 'static) -> BoxedStrategy<Statement> {
        (statement, prop::option::weighted(0.2, self.role())).boxed()
    }

    fn membership(&self) -> BoxedStrategy<Statement> {
        self.by(
            (self.role(), self.role(), self.options()).prop_map(|(a, b, options)| format!("grant {a} to {b}{options}"))
        )
    }

    fn predefined(&self) -> BoxedStrategy<Statement> {
        let mut names = vec!["pg_read_all_data", "pg_write_all_data", "pg_monitor", "pg_signal_backend"];
        if self.version_num >= 170_000 {
            names.push("pg_maintain");
        }
        self.by((select(names), self.role(), self.options())
            .prop_map(|(a, b, options)| format!("grant {a} to {b}{options}")))
    }

    /// Of a membership. An option that is not said has a default of its own.
    fn options(&self) -> BoxedStrategy<String> {
        if self.version_num < 160_000 {
            return select(vec!["", "", " with admin option"]).prop_map(str::to_owned).boxed();
        }
        let option = |name: &'static str| {
            prop::option::weighted(0.5, any::<bool>()).prop_map(move |it| it.map(|it| format!("{name} {it}")))
        };
        (option("admin"), option("inherit"), option("set"))
            .prop_map(|(a, b, c)| [a, b, c].into_iter().flatten().collect::<Vec<_>>().join(", "))
            .prop_map(|said| if said.is_empty() { said } else { format!(" with {said}") })
            .boxed()
    }

    fn schemas(&self) -> BoxedStrategy<Vec<Statement>> {
        let made = |name: &'static str| {
            let owner = prop::option::of(self.role());
            owner.prop_map(move |owner| match owner {
                Some(owner) => (format!("create schema {name} authorization {owner}"), None),
                None => (format!("create schema {name}"), None),
            })
        };
        let usage = (select(vec!["usage", "create", "usage, create"]), select(SCHEMAS.to_vec()), self.grantee())
            .prop_map(|(right, schema, to)| (format!("grant {right} on schema {schema} to {to}"), None));
        (made("g_a"), made("g_b"), made("g_c"), vec(usage, 4..14))
            .prop_map(|(a, b, c, more)| [a, b, c].into_iter().chain(more).collect())
            .boxed()
    }

    fn default_privilege(&self) -> BoxedStrategy<Statement> {
        let whose =
            prop::option::of(self.role()).prop_map(|it| it.map(|it| format!(" for role {it}")).unwrap_or_default());
        let place = prop::option::of(select(SCHEMAS.to_vec()))
            .prop_map(|it| it.map(|it| format!(" in schema {it}")).unwrap_or_default());
        let what = select(vec![
            "grant select on tables to",
            "grant insert, update on tables to",
            "grant all on tables to",
            "revoke all on tables from",
            "grant usage on sequences to",
            "grant execute on functions to",
            "revoke execute on functions from",
        ]);
        (whose, place, what, self.grantee())
            .prop_map(|(whose, place, what, who)| {
                (format!("alter default privileges{whose}{place} {what} {who}"), None)
            })
            .boxed()
    }

    /// Made by the superuser or by a role with CREATE, so that the default privileges of both count.
    fn objects(&self) -> BoxedStrategy<Vec<Statement>> {
        let maker = prop::option::weighted(0.4, self.role());
        vec(maker, all_objects().len())
            .prop_map(|makers| {
                let made = all_objects().into_iter().zip(makers);
                made.flat_map(|(object, maker)| {
                    let allow = maker
                        .iter()
                        .map(|maker| (format!("grant usage, create on schema {} to {maker}", object.schema), None));
                    let allow: Vec<_> = allow.collect();
                    allow.into_iter().chain([(object.create.clone(), maker.clone()), (object.create, None)])
                })
                .collect()
            })
            .boxed()
    }

    fn owner(&self) -> BoxedStrategy<Statement> {
        let objects: Vec<String> =
            all_objects().iter().map(|it| format!("{} {}", it.kind, it.name)).chain(["schema g_a".into()]).collect();
        (select(objects), self.role()).prop_map(|(object, to)| (format!("alter {object} owner to {to}"), None)).boxed()
    }

    fn row_security(&self) -> BoxedStrategy<Statement> {
        let table = select(all_objects()).prop_filter("row security is for tables", |it| it.kind == "table");
        let what = select(vec!["enable", "enable", "enable", "force"]);
        let policy = (select(vec!["all", "select", "update"]), self.grantee(), any::<u16>());
        (table, what, prop::option::weighted(0.6, policy))
            .prop_map(|(table, what, policy)| match policy {
                Some((command, to, n)) => format!(
                    "create policy p{n} on {} for {command} to {to} using (tenant_id = current_setting('app.tenant_id')::uuid)",
                    table.name
                ),
                None => format!("alter table {} {what} row level security", table.name),
            })
            .prop_map(|sql| (sql, None))
            .boxed()
    }

    fn grant(&self) -> BoxedStrategy<Statement> {
        let option = select(vec!["", "", " with grant option"]);
        self.by((self.right(), self.grantee(), option)
            .prop_map(|(right, to, option)| format!("grant {right} to {to}{option}")))
    }

    fn revoke(&self) -> BoxedStrategy<Statement> {
        let from = prop_oneof![2 => self.role(), 2 => Just("public".to_owned())];
        let option = select(vec!["", "", "grant option for "]);
        let any = (option, self.right(), from)
            .prop_map(|(option, right, from)| format!("revoke {option}{right} from {from} cascade"));
        let owner = select(all_objects()).prop_map(|it| {
            format!(
                "do $$ begin execute format('revoke all on {0} {1} from %s', (select {2}::regrole from {3})); end $$",
                if it.kind == "function" { "function" } else { "" },
                it.name,
                if it.kind == "function" { "proowner" } else { "relowner" },
                if it.kind == "function" {
                    format!("pg_proc where oid = '{}'::regprocedure", it.name)
                } else {
                    format!("pg_class where oid = '{}'::regclass", it.name)
                }
            )
        });
        prop_oneof![3 => self.by(any), 1 => owner.prop_map(|sql| (sql, None))].boxed()
    }

    /// `select, update (amount) on g_a.t1`
    fn right(&self) -> BoxedStrategy<String> {
        let mut rights = vec!["select", "insert", "update", "delete", "truncate", "references", "trigger"];
        if self.version_num >= 170_000 {
            rights.push("maintain");
        }
        let table =
            select(all_objects()).prop_filter("a relation", |it| it.kind != "function" && it.kind != "sequence");
        let whole = prop_oneof![
            4 => subsequence(rights, 1..4).prop_map(|it| it.join(", ")),
            1 => Just("all".to_owned())
        ];
        let columns = subsequence(COLUMNS.to_vec(), 1..3);
        let some = (subsequence(vec!["select", "insert", "update", "references"], 1..3), columns).prop_map(
            |(rights, columns)| {
                rights.iter().map(|right| format!("{right} ({})", columns.join(", "))).collect::<Vec<_>>().join(", ")
            },
        );
        let sequence = (select(vec!["select", "usage", "update", "all"]), select(vec!["public.s0", "g_b.s1"]))
            .prop_map(|(right, name)| format!("{right} on sequence {name}"));
        let function = select(all_objects())
            .prop_filter("a function", |it| it.kind == "function")
            .prop_map(|it| format!("execute on function {}", it.name));
        let schema = (select(vec!["usage", "create", "all"]), select(SCHEMAS.to_vec()))
            .prop_map(|(right, schema)| format!("{right} on schema {schema}"));
        prop_oneof![
            5 => (whole, table.clone()).prop_map(|(right, table)| format!("{right} on {}", table.name)),
            3 => (some, table).prop_map(|(right, table)| format!("{right} on {}", table.name)),
            1 => sequence,
            2 => function,
            2 => schema,
        ]
        .boxed()
    }

    /// What changes the meaning of what was granted before.
    fn late(&self) -> BoxedStrategy<Statement> {
        let attribute = (self.role(), select(vec!["inherit", "noinherit", "login", "bypassrls", "nosuperuser"]))
            .prop_map(|(role, attribute)| format!("alter role {role} {attribute}"));
        let dropped = (0..TABLES, select(vec!["status", "amount", "note"]))
            .prop_map(|(n, column)| format!("alter table {} drop column {column} cascade", table(n)));
        let database = self.role().prop_map(|role| {
            format!("do $$ begin execute format('alter database %I owner to {role}', current_database()); end $$")
        });
        let options = if self.version_num < 160_000 { vec!["admin"] } else { vec!["admin", "inherit", "set"] };
        let option = (select(options), self.role(), self.role())
            .prop_map(|(option, role, member)| format!("revoke {option} option for {role} from {member} cascade"));
        prop_oneof![2 => attribute, 1 => dropped, 1 => database, 2 => option].prop_map(|sql| (sql, None)).boxed()
    }
}

#[derive(Clone, Debug)]
struct Object {
    kind: &'static str,
    schema: &'static str,
    name: String,
    create: String,
}

fn table(n: usize) -> String {
    format!("{}.t{n}", SCHEMAS[n % SCHEMAS.len()])
}

/// Every kind of relation and of function; a second run of its statement changes nothing.
fn all_objects() -> Vec<Object> {
    let columns = "id int, tenant_id uuid, status text, amount int, note text";
    let mut objects = Vec::new();
    let mut add = |kind, name: String, create: String| {
        let schema = SCHEMAS.into_iter().find(|schema| name.starts_with(schema)).unwrap();
        objects.push(Object { kind, schema, name, create });
    };
    for n in 0..TABLES {
        add("table", table(n), format!("create table if not exists {} ({columns})", table(n)));
    }
    add(
        "table",
        "g_a.parent".into(),
        format!("create table if not exists g_a.parent ({columns}) partition by list (id)"),
    );
    for (n, schema) in SCHEMAS.iter().enumerate().take(2) {
        let name = format!("{schema}.part{n}");
        add(
            "table",
            name.clone(),
            format!("create table if not exists {name} partition of g_a.parent for values in ({n})"),
        );
    }
    for (n, options) in ["", "", " with (security_invoker)"].into_iter().enumerate() {
        let name = format!("{}.v{n}", SCHEMAS[n]);
        // PostgreSQL 14 has no invoker views and refuses the option.
        let view = |options| format!("create or replace view {name}{options} as select * from {}", table(n));
        let create =
            format!("do $$ begin {}; exception when invalid_parameter_value then {}; end $$", view(options), view(""));
        add("view", name.clone(), create);
    }
    add(
        "materialized view",
        "g_b.m0".into(),
        format!("create materialized view if not exists g_b.m0 as select * from {}", table(4)),
    );
    add("sequence", "public.s0".into(), "create sequence if not exists public.s0".into());
    add("sequence", "g_b.s1".into(), "create sequence if not exists g_b.s1".into());
    for (n, attributes) in ["", "security definer", "", ""].into_iter().enumerate() {
        let name = format!("{}.f{n}(int)", SCHEMAS[n]);
        add(
            "function",
            name.clone(),
            format!("create or replace function {name} returns int language sql {attributes} as 'select 1'"),
        );
    }
    add(
        "foreign table",
        "g_c.far".into(),
        format!("create foreign table if not exists g_c.far ({columns}) server g_server"),
    );
    objects
}
