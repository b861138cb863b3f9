//! Two tenants in one database: what one gets hold of, or changes, of the other's, and whether it still has its own.

mod attempt;
mod first;
mod scene;

pub(super) use first::of_the_first;
pub(super) use scene::Scene;

use super::seed::{Seed, Seeded};
use crate::error::Stop;
use crate::plan::{Proof, Unproved};
use attempt::{Session, Tried};
use scene::{Actor, Data, Meaning};
use sqlx::PgConnection;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// How many rows of its own tenant a role saw in a table: by role, table, tenant.
pub(super) type Seen = HashMap<(String, String, usize), usize>;

/// What each role sees of its own tenant's rows, before anything is changed.
pub(super) async fn own_rows(scene: &Scene, seed: &Seed, connection: &mut PgConnection) -> Result<Seen, Stop> {
    let mut seen = Seen::new();
    for actor in &scene.actors {
        for tenant in 0..2 {
            let mut session = Session::begin(actor, tenant, &scene.settings, seed, connection).await?;
            let Some(session) = session.as_mut() else { continue };
            for table in &seed.tables {
                if let Some(rows) = session.read(table).await? {
                    let own = rows.iter().filter(|row| table.rows[tenant].contains(row)).count();
                    seen.insert((actor.role.clone(), table.plain.clone(), tenant), own);
                }
            }
            session.end().await?;
        }
    }
    Ok(seen)
}

/// What came of the attempts, gathered so that it can be said in few sentences.
#[derive(Default)]
struct Tally {
    /// By actor: attempts that got nothing.
    held: BTreeMap<(&'static str, String), usize>,
    /// What got through, and whether the facts say that it would.
    leaks: BTreeSet<Leak>,
    /// Roles that saw no row at all, though policies are for them: tables.
    blind: BTreeMap<String, BTreeSet<String>>,
    remaining: BTreeSet<Unproved>,
    failed: BTreeSet<String>,
    own: usize,
}

/// A row of another tenant that was reached.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Leak {
    role: String,
    login: String,
    what: &'static str,
    table: String,
    known: bool,
    is_exempt: bool,
}

/// Reads and writes of every role that is no superuser, on every table with tenant data, as each of two tenants.
pub(super) async fn attempts(
    scene: &Scene,
    seed: &Seed,
    before: &Seen,
    more: &HashMap<String, [Vec<(String, String)>; 2]>,
    open: &BTreeSet<String>,
    connection: &mut PgConnection,
    proof: &mut Proof,
) -> Result<(), Stop> {
    let mut tally = Tally::default();
    unknown_settings(scene, &mut tally);
    let tables: HashMap<_, _> = seed.tables.iter().map(|table| (table.plain.as_str(), table)).collect();
    for data in scene.data.iter().filter(|data| !tables.contains_key(data.plain.as_str())) {
        let why = seed.refused.iter().find(|(name, _)| *name == data.plain).map_or("it has no rows", |(_, why)| why);
        tally.remaining.insert(not_tried(&data.plain, format!("no rows could be put into it: {why}")));
    }
    for table in &scene.inside_json {
        let why = "whose its rows are stands inside JSON, and no rows of two tenants are put there: what its policies let through is judged by their text alone";
        tally.remaining.insert(not_tried(table, why.to_owned()));
    }
    for actor in &scene.actors {
        for tenant in 0..2 {
            let mut session = Session::begin(actor, tenant, &scene.settings, seed, connection).await?;
            let Some(session) = session.as_mut() else {
                tally
                    .remaining
                    .insert(not_tried(&actor.role, "the scratch server's own superuser has this name".to_owned()));
                break;
            };
            for data in &scene.data {
                let Some(table) = tables.get(data.plain.as_str()) else { continue };
                let one = One { scene, actor, data, table, tenant };
                one.reads(before, session, &mut tally).await?;
                one.writes(more.get(&data.plain), session, &mut tally).await?;
            }
            for (sql, plain) in &scene.views {
                match session.mentions(sql, &seed.tenants.keys).await? {
                    (_, true) => tally.leak(scene, actor, "reads rows of another tenant in", plain),
                    (true, false) => *tally.held.entry(("reads of views", actor.role.clone())).or_default() += 1,
                    // It shows nothing of either, or nothing that tells them apart.
                    (false, false) => {}
                }
            }
            session.end().await?;
        }
    }
    tally.say(open, proof);
    Ok(())
}

fn not_tried(object: &str, why: String) -> Unproved {
    Unproved { check: "tenants".to_owned(), object: object.to_owned(), why }
}

/// Settings that nobody can tell the meaning of: what hangs on them is not tried.
fn unknown_settings(scene: &Scene, tally: &mut Tally) {
    for setting in scene.settings.iter().filter(|(_, meaning)| meaning.is_none()).map(|(setting, _)| setting) {
        tally
            .remaining
            .insert(not_tried(setting, "policies read this setting, and what it is told is not known".to_owned()));
    }
}

/// One role as one tenant on one table.
struct One<'a> {
    scene: &'a Scene,
    actor: &'a Actor,
    data: &'a Data,
    table: &'a Seeded,
    tenant: usize,
}

impl One<'_> {
    async fn reads(&self, before: &Seen, session: &mut Session<'_>, tally: &mut Tally) -> Result<(), Stop> {
        let rows = session.read(self.table).await?;
        let may_read = rows.is_some();
        let rows = rows.unwrap_or_default();
        let of = |tenant: usize| rows.iter().filter(|row| self.table.rows[tenant].contains(row)).count();
        if of(1 - self.tenant) > 0 {
            tally.leak(self.scene, self.actor, "reads rows of another tenant in", &self.data.plain);
        } else if may_read && rows.is_empty() && self.verdict() == Some("isolated") {
            // Whoever sees nothing sees nothing of others: that shows no policy at work.
            tally.blind.entry(self.actor.role.clone()).or_default().insert(self.data.plain.clone());
        } else if may_read {
            *tally.held.entry(("reads", self.actor.role.clone())).or_default() += 1;
        }
        let key = (self.actor.role.clone(), self.data.plain.clone(), self.tenant);
        let Some(had) = before.get(&key).copied().filter(|had| *had > 0) else { return Ok(()) };
        let has = of(self.tenant);
        if has >= had {
            tally.own += 1;
            return Ok(());
        }
        let what = format!("{} sees {has} of its own tenant's {had} rows", self.actor.role);
        if session.goes_in_circles() {
            tally.failed.insert(format!("{what} in {}: its policies ask themselves without end", self.data.plain));
        } else if !may_read {
            tally.remaining.insert(not_tried(&self.data.plain, format!("{what}: it may not read them any more")));
        } else if self.verdict() == Some("denied") {
            tally.remaining.insert(not_tried(&self.data.plain, format!("{what}: no policy is for it")));
        } else if !self.data.policies_read.is_empty() {
            let read = self.data.policies_read.join(", ");
            tally.remaining.insert(not_tried(
                &self.data.plain,
                format!("{what}: its policies read {read}, whose rows only you can fill"),
            ));
        } else if self.scene.settings.values().any(Option::is_none) {
            tally
                .remaining
                .insert(not_tried(&self.data.plain, format!("{what}: a setting its policies read is not known")));
        } else {
            tally.failed.insert(format!("{what} in {}", self.data.plain));
        }
        Ok(())
    }

    async fn writes(
        &self,
        more: Option<&[Vec<(String, String)>; 2]>,
        session: &mut Session<'_>,
        tally: &mut Tally,
    ) -> Result<(), Stop> {
        let other = 1 - self.tenant;
        let mut tried = Vec::new();
        if let Some(column) = &self.data.harmless {
            tried.push(("changes rows of another tenant in", session.update(self.table, column, other).await?));
        }
        tried.push(("deletes rows of another tenant in", session.delete(self.table, other).await?));
        if !self.data.owners.contains(&self.actor.role) {
            tried.push(("empties", session.truncate(self.table).await?));
        }
        if let Some(more) = more {
            tried.push((
                "writes rows of another tenant into",
                session.insert(self.table, self.data.key.as_deref(), &more[other]).await?,
            ));
        }
        if let Some(key) = &self.data.key
            && session.owns_no_other()
        {
            tried.push(("moves its rows to another tenant in", session.give_away(self.table, key).await?));
        }
        for (what, tried) in tried {
            match tried {
                Tried::Nothing => *tally.held.entry(("writes", self.actor.role.clone())).or_default() += 1,
                Tried::Done => tally.leak(self.scene, self.actor, what, &self.data.plain),
                Tried::Not => {}
            }
        }
        Ok(())
    }

    fn verdict(&self) -> Option<&str> {
        self.scene.verdict(self.actor, &self.data.plain, "SELECT")
    }
}

impl Tally {
    fn leak(&mut self, scene: &Scene, actor: &Actor, what: &'static str, table: &str) {
        let command = match what.split(' ').next() {
            Some("reads") => "SELECT",
            Some("writes") => "INSERT",
            Some("deletes") => "DELETE",
            Some("changes" | "moves") => "UPDATE",
            _ => "TRUNCATE",
        };
        let verdict = scene.verdict(actor, table, command);
        let known = verdict.is_some_and(|verdict| !matches!(verdict, "isolated" | "denied"));
        let (role, login) = (actor.role.clone(), actor.login.clone());
        self.leaks.insert(Leak { role, login, what, table: table.to_owned(), known, is_exempt: actor.is_exempt });
    }

    fn say(self, open: &BTreeSet<String>, proof: &mut Proof) {
        for ((what, actor), count) in self.held {
            proof.held.push(format!("{count} {what} by {actor} across tenants got nothing"));
        }
        if self.own > 0 {
            proof.held.push(format!("{} times a role sees as many rows of its own tenant as before", self.own));
        }
        let (mut allowed, mut found) = (BTreeMap::<_, BTreeSet<_>>::new(), BTreeMap::<_, BTreeSet<_>>::new());
        for leak in self.leaks {
            let Leak { role, login, what, table, known, is_exempt } = leak;
            if is_exempt || [&role, &login, &table].into_iter().any(|object| open.contains(object)) {
                // A finding says so already, and stands among what remains; or it is the platform's own way in.
                found.entry((role, what)).or_default().insert(table);
            } else if known {
                allowed.entry((role, what)).or_default().insert(table);
            } else {
                proof.failed.push(format!("{role} {what} {table}"));
            }
        }
        for ((role, what), tables) in found {
            let tables: Vec<_> = tables.into_iter().collect();
            proof.remaining.push(not_tried(&role, format!("it {what} {}", tables.join(", "))));
        }
        for ((role, what), tables) in allowed {
            let tables: Vec<_> = tables.into_iter().collect();
            proof.held.push(format!(
                "{role} {what} {}, as it is given to it, and no check calls that wrong",
                tables.join(", ")
            ));
        }
        for (role, tables) in self.blind {
            let tables: Vec<_> = tables.into_iter().collect();
            let why = format!(
                "it sees no row at all of {}: what its policies ask for could not be set up",
                tables.join(", ")
            );
            proof.remaining.push(not_tried(&role, why));
        }
        proof.remaining.extend(self.remaining);
        proof.failed.extend(self.failed);
    }
}

/// Value of a setting for one tenant.
fn told(meaning: Meaning, tenant: usize, seed: &Seed) -> String {
    let (key, person) = (&seed.tenants.keys[tenant], &seed.tenants.persons[tenant]);
    match meaning {
        Meaning::Tenant => key.clone(),
        Meaning::Person => person.clone(),
        Meaning::Claims => {
            let both = serde_json::json!({
                "sub": person, "user_id": person, "tenant_id": key, "org_id": key, "organization_id": key, "workspace_id": key,
                "role": "authenticated", "app_metadata": {"tenant_id": key, "org_id": key, "organization_id": key, "workspace_id": key},
            });
            both.to_string()
        }
    }
}
