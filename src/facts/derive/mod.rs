//! What SQL over a catalog cannot say, computed and written back as facts.

mod binding;
mod catalog;
mod copied;
mod declared;
mod event_logs;
mod exposure;
mod fired;
mod frameworks;
mod policy;
mod principals;
mod privileges;
mod purposes;
mod reach;
mod remedy;
mod sensitive;
mod shape;
pub(crate) mod tenancy;
mod verdicts;
mod write;

use super::Facts;
use crate::config::{Config, TenancyMode};
use crate::error::Stop;
use catalog::{Catalog, Oid};
pub(crate) use event_logs::names_of as log_columns;
pub(crate) use policy::{PLACE, placed};
use policy::{Pins, World};
use privileges::{Held, Privileges};
use reach::Reach;
pub(crate) use remedy::asks_relations;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use std::sync::mpsc;
use tenancy::{KeyRole, Tenancy};
use tokio::runtime::Handle;
use write::Table;

/// Fills part 2 of the schema from part 1.
pub async fn derive(facts: &mut Facts, config: &Config) -> Result<(), Stop> {
    derive_over(facts, config, false).await
}

/// The same where facts were derived already, for another configuration.
pub(crate) async fn derive_anew(facts: &mut Facts, config: &Config) -> Result<(), Stop> {
    derive_over(facts, config, true).await
}

async fn derive_over(facts: &mut Facts, config: &Config, anew: bool) -> Result<(), Stop> {
    let catalog = Catalog::load(facts).await?;
    let further = declared::tables(config)?.into_iter().chain([frameworks::table(&catalog)?]);
    let (sender, tables) = mpsc::channel();
    // Whoever stopped taking them says why.
    let store = move |table| drop(sender.send(table));
    further.for_each(&store);
    let runtime = Handle::current();
    std::thread::scope(|scope| {
        let (facts, tables) = (&mut *facts, tables);
        // What is known is stored while the rest is being thought about.
        let storing = scope.spawn(move || runtime.block_on(store_all(facts, tables, anew)));
        derivations(&catalog, config, &store);
        drop(store);
        storing.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })?;
    facts.run(include_str!("roles_tables.sql")).await?;
    // Names of columns mean the same whoever the tenants are.
    if anew { Ok(()) } else { sensitive::derive(facts).await }
}

/// Stores tables as they come; `anew`: in place of what they held.
async fn store_all(facts: &mut Facts, tables: mpsc::Receiver<Table>, anew: bool) -> Result<(), Stop> {
    facts.run(include_str!("indexes_collected.sql")).await?;
    for (table, columns, rows) in tables {
        if anew {
            // AssertSqlSafe: names of our own schema.
            sqlx::query(sqlx::AssertSqlSafe(format!("delete from {table}"))).execute(facts.connection()).await?;
        }
        facts.insert(table, columns, rows).await?;
    }
    facts.run(include_str!("indexes.sql")).await
}

/// Who may do what, before it is written.
pub(crate) struct Access<'a> {
    purposes: BTreeMap<Oid, purposes::RolePurpose>,
    /// `roles:` as declared: purpose or `free sql`, name or glob, and how many roles it means.
    declared: Vec<(&'static str, String, usize)>,
    principals: Vec<principals::Principal>,
    reach: &'a Reach,
    /// Principals and every role they may become.
    roles: Vec<(Oid, Rc<Held>)>,
}

/// What follows from the rest of the catalog, before it is written.
pub(crate) struct Derived {
    mode: (&'static str, &'static str, String),
    tenancy: Tenancy,
    exposure: Vec<exposure::Exposure>,
    functions: Vec<verdicts::FunctionVerdict>,
    fired: Vec<fired::Fired>,
    copied: Vec<copied::Copied>,
    unread: Vec<(Oid, String)>,
    settings: Vec<policy::Setting>,
    remedy: remedy::Remedy,
    event_logs: Vec<event_logs::EventLog>,
}

/// Derives everything and gives each table away as soon as it is known.
fn derivations(catalog: &Catalog, config: &Config, store: &impl Fn(Table)) {
    let reach = Reach::new(catalog);
    let purposes = purposes::find(catalog, &config.roles);
    let declared = purposes::declared(catalog, &config.roles);
    let principals = principals::find(catalog, &reach, &purposes);
    let privileges = Privileges::new(catalog, &reach);
    let roles = become_or_are(&principals, &reach).into_iter().map(|role| (role, privileges.of(role))).collect();
    let access = Access { purposes, declared, principals, reach: &reach, roles };
    write::access::tables(catalog, &access).into_iter().for_each(store);

    let Access { principals, reach, .. } = &access;
    let pins = Pins::find(catalog);
    let shared = config.plan.shared.as_deref().unwrap_or_default();
    let tenancy = Tenancy::infer(catalog, &config.tenancy, shared, &pins);
    let direct = pins.are_told(|key| tenancy.keys.get(key).is_some_and(|k| k.role != KeyRole::User));
    let mode = match mode(&tenancy, catalog, config) {
        ("none", source, reason) => match shape::schema_per_tenant(catalog, reach, &privileges, principals) {
            Some(reason) => ("schemas", source, reason),
            None => ("none", source, reason),
        },
        known => known,
    };
    let world = World::new(catalog, reach, &privileges, &tenancy, !direct);
    let mut judge = verdicts::Judge::new(&world);
    let verdicts: Vec<_> = principals.iter().flat_map(|p| judge.verdicts(p)).collect();
    store(write::verdicts(&verdicts));

    let unread = judge.unread.iter().flat_map(|(oid, names)| names.iter().map(|n| (*oid, n.clone()))).collect();
    let functions = verdicts::functions(&world, principals);
    let doors = fired::doors(catalog);
    let fired = fired::find(&world, &doors, principals, &verdicts);
    let copied = copied::find(catalog, &doors, &tenancy);
    let exposure = exposure::find(&world, principals, &verdicts);
    let settings: Vec<_> = policy::settings(catalog).into_iter().collect();
    let remedy = remedy::Remedy::find(catalog, &tenancy, &pins, &settings, &verdicts);
    let event_logs = event_logs::find(catalog, reach, &privileges, principals, &tenancy);
    let derived = Derived { mode, tenancy, exposure, functions, fired, copied, unread, settings, remedy, event_logs };
    write::derived(catalog, &derived).into_iter().for_each(store);
}

/// Principals and every role they may become.
fn become_or_are(principals: &[principals::Principal], reach: &Reach) -> BTreeSet<Oid> {
    let others = |role| reach.of(role).filter(|(_, step)| step.can_set()).map(|(to, _)| to);
    principals.iter().flat_map(|p| others(p.role).chain([p.role])).collect()
}

/// Mode, its source, and why, in one sentence.
fn mode(tenancy: &Tenancy, catalog: &Catalog, config: &Config) -> (&'static str, &'static str, String) {
    let tables = |role: KeyRole| tenancy.keys.values().filter(|k| k.role == role).count();
    match config.tenancy.mode {
        TenancyMode::Single => return ("single", "config", "govctl.yaml declares one tenant".into()),
        TenancyMode::Multi => return ("multi", "config", "govctl.yaml declares many tenants".into()),
        TenancyMode::Inferred => {}
    }
    let keyed = tables(KeyRole::Key);
    if keyed > 0 {
        let word = tenancy.entity.as_deref().unwrap_or("tenant");
        let home = tenancy.tenant_relation.and_then(|oid| catalog.relations.get(&oid));
        let home = home.map(|r| format!(" and {}.{} lists them", r.schema, r.name)).unwrap_or_default();
        let columns = if keyed == 1 { "column says" } else { "columns say" };
        ("multi", "inferred", format!("{keyed} {columns} which {word} a row belongs to{home}"))
    } else if tables(KeyRole::User) > 0 {
        ("multi", "inferred", "no tenant key was found; rows belong to persons".into())
    } else {
        ("none", "inferred", "no column says which tenant a row belongs to".into())
    }
}
