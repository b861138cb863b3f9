//! Which column says whose a row is: the tenant key of every relation, the tenant table, and the tables that hold
//! tenant data without a key of their own (TI-01, TI-27, TI-28, TI-49).
//!
//! Names propose, keys and policies confirm. One entity is the tenant of a database: the best tier that has support.
//! Columns of lower entities (`project_id` beside `tenant_id`) are links into tenant data, not keys.

mod entity;

use super::catalog::{Catalog, Column, Oid, Relation};
use super::policy::Pins;
use crate::config;
use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};

/// What a key column is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum KeyRole {
    /// Tenant key of a data table.
    Key,
    /// Primary key of the tenant table itself.
    TenantTable,
    /// A person, where persons are the tenants or the policies know nothing better.
    User,
}

impl KeyRole {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Key => "key",
            Self::TenantTable => "tenant table",
            Self::User => "user",
        }
    }
}

#[derive(Clone, Debug)]
pub(crate) struct Key {
    pub(crate) role: KeyRole,
    pub(crate) source: &'static str,
}

/// A table without a key, and the way to one.
#[derive(Clone, Debug)]
pub(crate) struct Path {
    pub(crate) key_relation: Oid,
    /// Relations from the child to the keyed one, with the constraint's first column at each hop.
    pub(crate) hops: Vec<(Oid, i64)>,
}

/// Who the tenants are and where their key stands.
#[derive(Debug, Default)]
pub(crate) struct Tenancy {
    pub(crate) keys: BTreeMap<(Oid, i64), Key>,
    pub(crate) paths: BTreeMap<Oid, Path>,
    pub(crate) tenant_relation: Option<Oid>,
    /// The word for a tenant here: `tenant`, `organization`, …
    pub(crate) entity: Option<String>,
    users: BTreeSet<(Oid, i64)>,
    /// Tables that the owner says hold the same for every tenant: what they refer to makes them nobody's.
    shared: BTreeSet<Oid>,
}

/// Columns that say whose words stand beside them, where they are another party's.
const OTHER_PARTIES: [&str; 5] = ["provider", "platform", "issuer", "providerid", "providertype"];

/// Words for a tenant, strongest first. A word of a weaker tier is a tenant only where no stronger one is found.
/// Those of other languages stand beside the English ones they mean.
pub(crate) const TIERS: [&[&str]; 3] = [
    &["tenant", "mandant"],
    &[
        "organization",
        "organisation",
        "org",
        "workspace",
        "company",
        "account",
        "realm",
        "shop",
        "merchant",
        "business",
        "institution",
        "clinic",
        "hospital",
        "school",
        "agency",
        "firm",
        "store",
        "practice",
        "organizacion",
        "organizacao",
        "entreprise",
        "societe",
        "empresa",
        "azienda",
        "unternehmen",
    ],
    &["customer", "cliente", "client", "kunde", "team", "project", "space", "namespace", "site", "brand", "app"],
];

/// Words that begin the name of a column that says which of several tenants somebody last looked at, or would like to: a person's
/// choice, which changes, and belongs to whoever made it.
const CHOICES: [&str; 8] = ["last", "selected", "current", "active", "default", "preferred", "recent", "favorite"];

/// What may follow the word in the name of a key column.
const ENDINGS: [&str; 8] = ["", "id", "uuid", "guid", "key", "code", "ref", "uid"];

/// Words for a person in the name of a column.
pub(crate) const PERSONS: [&str; 26] = [
    "userid",
    "owner",
    "ownerid",
    "authorid",
    "createdby",
    "creatorid",
    "memberid",
    "profileid",
    "personid",
    "employeeid",
    "uid",
    "sub",
    "authid",
    "authuserid",
    "authuid",
    "useruuid",
    "userref",
    "ownerref",
    "accountholderid",
    "subjectid",
    "principalid",
    "actorid",
    "utilisateurid",
    "usuarioid",
    "benutzerid",
    "utenteid",
];

/// Names of tables whose rows are persons.
pub(crate) const PERSON_TABLES: [&str; 17] = [
    "users",
    "user",
    "profiles",
    "profile",
    "people",
    "persons",
    "person",
    "employees",
    "staff",
    "userprofiles",
    "appusers",
    "authusers",
    "useraccounts",
    "utilisateurs",
    "usuarios",
    "benutzer",
    "utenti",
];

/// `tenantId`, `"Tenant ID"` and `tenant_id` are one name.
pub(crate) fn plain(name: &str) -> String {
    name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// The tier and word of a column name that may be a tenant key.
pub(crate) fn proposed(name: &str) -> Option<(usize, &'static str)> {
    let name = plain(name);
    TIERS.iter().enumerate().find_map(|(tier, words)| {
        let word = words.iter().find(|word| {
            let ended = name.strip_prefix(**word);
            ended.is_some_and(|rest| ENDINGS.contains(&rest) && (tier < 2 || !rest.is_empty()))
                // `id_empresa`
                || name.strip_prefix("id") == Some(**word)
        })?;
        Some((tier, *word))
    })
}

/// The relation is named after the word: `tenant`, `tenants`, `companies`.
pub(crate) fn names_entity(relation: &str, word: &str) -> bool {
    is_plain_entity(&plain(relation), word)
}

/// The same of a name that is plain already.
pub(crate) fn is_plain_entity(relation: &str, word: &str) -> bool {
    let behind = |ending: &str| word.strip_suffix(ending).and_then(|stem| relation.strip_prefix(stem));
    relation.strip_prefix(word).is_some_and(|rest| matches!(rest, "" | "s" | "es" | "en" | "n"))
        || behind("y") == Some("ies")
        || behind("a") == Some("e")
        || behind("ao") == Some("oes")
}

pub(crate) fn is_person_table(relation: &Relation) -> bool {
    PERSON_TABLES.contains(&plain(&relation.name).as_str())
}

/// The column names a person who is asked to come, by the address that is all there is of one: `invitations.email`.
pub(crate) fn is_invited(relation: &Relation, column: &Column) -> bool {
    plain(&relation.name).contains("invit") && plain(&column.name).ends_with("mail")
}

/// The relation lists the members of something: named so, and a person is there once for each.
fn is_member_table(relation: &Relation) -> bool {
    let person = |number: &i64| {
        relation.column_number(*number).is_some_and(|column| PERSONS.contains(&plain(&column.name).as_str()))
    };
    plain(&relation.name).contains("member")
        && relation.uniques.iter().any(|unique| unique.len() > 1 && unique.iter().any(person))
}

impl Tenancy {
    /// Infers tenancy. `pins` are columns that policies compare with a value of the session; `shared`, tables that the owner says
    /// hold the same for every tenant: they need no way to a key, and one that has a key of its own keeps it.
    pub(crate) fn infer(catalog: &Catalog, config: &config::Tenancy, shared: &[String], pins: &Pins) -> Self {
        let pinned = &pins.all();
        let mut tenancy = Self::default();
        tenancy.find_users(catalog);
        let tables: Vec<&Relation> =
            catalog.relations.values().filter(|r| r.kind != "sequence" && r.provenance != "extension").collect();
        let is_shared = |relation: &&&Relation| shared.contains(&format!("{}.{}", relation.schema, relation.name));
        tenancy.shared = tables.iter().filter(is_shared).map(|relation| relation.oid).collect();
        tenancy.add_from_config(&tables, config);
        if let Some((word, tenant_relation)) = tenancy.choose_entity(catalog, &tables, pins) {
            tenancy.entity = Some(word.to_owned());
            tenancy.tenant_relation = tenancy.tenant_relation.or(tenant_relation);
            for relation in &tables {
                for column in relation.columns_and_members() {
                    let named = proposed(column.word()).is_some_and(|(_, w)| w == word);
                    if named && !is_flag(&column.type_name) && !tenancy.is_somebody_elses(catalog, relation, column) {
                        tenancy.add(relation.oid, column.number, KeyRole::Key, "name");
                    }
                }
            }
        } else if let Some(tenants) = tenancy.hub(&tables, pins) {
            tenancy.entity = Some(entity::singular(&tenants.name));
            tenancy.tenant_relation = tenancy.tenant_relation.or(Some(tenants.oid));
        }
        tenancy.add_from_foreign_keys(&tables);
        tenancy.find_paths(&tables);
        tenancy.add_from_weaker_names(catalog, &tables);
        // What a policy compares with the session itself says more than what it looks up in another table.
        tenancy.add_from_policies(catalog, &pins.direct);
        tenancy.add_from_policies(catalog, pinned);
        tenancy.add_from_persons(&tables, pins);
        tenancy.find_paths(&tables);
        tenancy
    }

    pub(crate) fn keys_of(&self, relation: Oid) -> impl Iterator<Item = (i64, &Key)> {
        self.keys.range((relation, i64::MIN)..=(relation, i64::MAX)).map(|(&(_, column), key)| (column, key))
    }

    /// The relation holds rows that belong to one tenant each.
    pub(crate) fn is_tenant_data(&self, relation: Oid) -> bool {
        self.keys_of(relation).next().is_some() || self.paths.contains_key(&relation)
    }

    pub(crate) fn is_user_column(&self, relation: Oid, column: i64) -> bool {
        self.users.contains(&(relation, column))
    }

    /// The relation says which person belongs to which tenant: a row naming the session's user is the session's own.
    pub(crate) fn is_membership(&self, relation: &Relation) -> bool {
        let keys: Vec<i64> =
            self.keys_of(relation.oid).filter(|(_, key)| key.role != KeyRole::User).map(|(column, _)| column).collect();
        let users: Vec<i64> =
            relation.columns.iter().map(|c| c.number).filter(|&n| self.is_user_column(relation.oid, n)).collect();
        if keys.is_empty() || users.is_empty() {
            return false;
        }
        let both = relation
            .uniques
            .iter()
            .any(|unique| unique.iter().any(|c| keys.contains(c)) && unique.iter().any(|c| users.contains(c)));
        let name = plain(&relation.name);
        // `account_users`, `user_tenants`: a person and an entity and nothing else in the name.
        let joins =
            name.contains("user") && TIERS.iter().flat_map(|words| words.iter()).any(|word| name.contains(word));
        let named = ["member", "userrole", "roleassign"].iter().any(|word| name.contains(word)) || joins;
        both || named
    }

    /// A text beside a tenant table whose rows have numbers or UUIDs, and no reference to it: `account_id` beside `provider` is
    /// what another party calls its account. A `tenant_id` is one however it is written.
    fn is_somebody_elses(&self, catalog: &Catalog, relation: &Relation, column: &Column) -> bool {
        let text = |type_name: &str| matches!(type_name, "text" | "varchar" | "bpchar" | "citext");
        let tenants = self.tenant_relation.and_then(|oid| catalog.relations.get(&oid));
        let own_type = tenants.and_then(|tenants| match tenants.primary_key.as_slice() {
            [column] => tenants.column_number(*column).map(|column| column.type_name.as_str()),
            _ => None,
        });
        let references = relation.foreign_keys.iter().any(|key| key.columns.iter().any(|(c, _)| *c == column.number));
        let of_others = relation.columns.iter().any(|c| OTHER_PARTIES.contains(&plain(&c.name).as_str()));
        own_type.is_some_and(|own| !text(own))
            && text(&column.type_name)
            && !references
            && of_others
            && proposed(column.word()).is_some_and(|(tier, _)| tier > 0)
    }

    fn add(&mut self, relation: Oid, column: i64, role: KeyRole, source: &'static str) {
        self.keys.entry((relation, column)).or_insert(Key { role, source });
    }

    fn find_users(&mut self, catalog: &Catalog) {
        for relation in catalog.relations.values() {
            for column in relation.columns_and_members() {
                if PERSONS.contains(&plain(column.word()).as_str()) {
                    self.users.insert((relation.oid, column.number));
                }
            }
            for key in &relation.foreign_keys {
                let to_person = catalog.relations.get(&key.target).is_some_and(is_person_table);
                if let (true, [(column, _)]) = (to_person, key.columns.as_slice()) {
                    self.users.insert((relation.oid, *column));
                }
            }
            if let (true, [column]) = (is_person_table(relation), relation.primary_key.as_slice()) {
                self.users.insert((relation.oid, *column));
            }
        }
    }

    fn add_from_config(&mut self, tables: &[&Relation], config: &config::Tenancy) {
        for relation in tables {
            let qualified = format!("{}.{}", relation.schema, relation.name);
            if config.table.as_deref().is_some_and(|table| table == qualified || table == relation.name) {
                self.tenant_relation = Some(relation.oid);
            }
            for column in relation.columns.iter().filter(|c| config.keys.contains(&c.name)) {
                self.add(relation.oid, column.number, KeyRole::Key, "config");
            }
        }
    }

    fn add_from_foreign_keys(&mut self, tables: &[&Relation]) {
        let Some(tenants) = self.tenant_relation else { return };
        for relation in tables {
            if relation.oid == tenants {
                // A self reference or parent column of the tenant table is no key of it; its primary key is.
                self.keys.retain(|(r, _), _| *r != tenants);
                if let [column] = relation.primary_key.as_slice() {
                    self.add(tenants, *column, KeyRole::TenantTable, "primary key");
                } else if let Some(column) = referred(tables, relation) {
                    self.add(tenants, column, KeyRole::TenantTable, "foreign key");
                }
                continue;
            }
            let keyed = self.keys_of(relation.oid).next().is_some();
            for key in relation.foreign_keys.iter().filter(|key| key.target == tenants && !keyed) {
                for &(column, _) in key.columns.iter().filter(|(column, _)| !is_choice(relation, *column)) {
                    self.add(relation.oid, column, KeyRole::Key, "foreign key");
                }
            }
        }
    }

    fn add_from_weaker_names(&mut self, catalog: &Catalog, tables: &[&Relation]) {
        if self.entity.is_none() {
            return;
        }
        for relation in tables {
            if self.is_tenant_data(relation.oid)
                || self.entity.as_ref().is_some_and(|word| names_entity(&relation.name, word))
            {
                continue;
            }
            for column in &relation.columns {
                let weaker = proposed(&column.name).is_some_and(|(tier, _)| tier < 2);
                let references =
                    relation.foreign_keys.iter().any(|k| k.columns.iter().any(|(c, _)| *c == column.number));
                let of_others = self.is_somebody_elses(catalog, relation, column);
                if weaker && !references && !of_others && !is_flag(&column.type_name) {
                    self.add(relation.oid, column.number, KeyRole::Key, "name");
                }
            }
        }
    }

    /// A column that a policy compares with the session is a key where nothing better is known.
    fn add_from_policies(&mut self, catalog: &Catalog, pinned: &BTreeSet<(Oid, i64)>) {
        for &(relation, column) in pinned {
            let Some(table) = catalog.relations.get(&relation) else { continue };
            let flag = table.column_number(column).is_none_or(|c| is_flag(&c.type_name) || c.type_kind == "enum");
            let own_id = table.primary_key == [column] && !self.is_user_column(relation, column);
            if self.is_tenant_data(relation) || flag || own_id {
                continue;
            }
            let role = if self.is_user_column(relation, column) { KeyRole::User } else { KeyRole::Key };
            self.add(relation, column, role, "policy");
        }
    }

    /// Where nothing else separates customers, each person is a tenant.
    fn add_from_persons(&mut self, tables: &[&Relation], pins: &Pins) {
        if self.keys.values().any(|key| key.role != KeyRole::User) {
            return;
        }
        for relation in tables {
            if self.is_tenant_data(relation.oid) {
                continue;
            }
            let user = relation.columns.iter().find(|c| self.is_user_column(relation.oid, c.number));
            let own_id = relation.primary_key.first().copied().filter(|&id| self.is_person_by(relation, id, pins));
            if let Some(number) = own_id.or(user.map(|c| c.number)) {
                self.add(relation.oid, number, KeyRole::User, "name");
            }
        }
    }

    /// A row is a person: its policies compare its own number with what those of other tables compare a person's with.
    fn is_person_by(&self, relation: &Relation, id: i64, pins: &Pins) -> bool {
        let names_user = |(oid, column): &(Oid, i64)| self.is_user_column(*oid, *column);
        let person = |said: &str| {
            said.contains("auth.uid()") || pins.tails.iter().any(|(key, tail)| tail == said && names_user(key))
        };
        relation.primary_key == [id]
            && pins.direct.contains(&(relation.oid, id))
            && pins.tails.iter().any(|(key, tail)| *key == (relation.oid, id) && person(tail))
    }

    /// Children of keyed tables, breadth first. A column that says who touched a row (`updated_by`), or which one somebody chose,
    /// leads nowhere.
    fn find_paths(&mut self, tables: &[&Relation]) {
        let mut children: HashMap<Oid, Vec<(Oid, i64)>> = HashMap::new();
        for relation in tables.iter().filter(|r| r.is_table()) {
            for key in relation.foreign_keys.iter().filter(|key| key.target != relation.oid) {
                let Some(&(column, _)) = key.columns.first() else { continue };
                let touched = relation.column_number(column).is_some_and(|c| plain(&c.name).ends_with("by"));
                if !touched && !is_choice(relation, column) {
                    children.entry(key.target).or_default().push((relation.oid, column));
                }
            }
        }
        let keyed: BTreeSet<Oid> = self.keys.keys().map(|&(relation, _)| relation).collect();
        self.paths.retain(|relation, _| !keyed.contains(relation));
        let mut queue: VecDeque<Oid> = keyed.iter().copied().collect();
        while let Some(parent) = queue.pop_front() {
            for &(child, column) in children.get(&parent).into_iter().flatten() {
                if keyed.contains(&child) || self.paths.contains_key(&child) || self.shared.contains(&child) {
                    continue;
                }
                let mut hops = vec![(child, column)];
                let (key_relation, rest) = match self.paths.get(&parent) {
                    Some(path) => (path.key_relation, path.hops.clone()),
                    None => (parent, Vec::new()),
                };
                hops.extend(rest);
                self.paths.insert(child, Path { key_relation, hops });
                queue.push_back(child);
            }
        }
    }
}

/// A column that may be empty and says what somebody chose: `last_selected_organization_id`, `currentTeamId`.
fn is_choice(relation: &Relation, column: i64) -> bool {
    relation.column_number(column).is_some_and(|column| {
        let name = plain(&column.name);
        !column.not_null && CHOICES.iter().any(|word| name.starts_with(word))
    })
}

/// A column of this type cannot name a tenant.
fn is_flag(type_name: &str) -> bool {
    matches!(
        type_name,
        "bool" | "timestamptz" | "timestamp" | "date" | "time" | "json" | "jsonb" | "interval" | "float4" | "float8"
    )
}

/// The column by which other tables refer to a table whose primary key is of several.
fn referred(tables: &[&Relation], to: &Relation) -> Option<i64> {
    let mut counts = BTreeMap::<i64, usize>::new();
    for key in tables.iter().flat_map(|relation| &relation.foreign_keys).filter(|key| key.target == to.oid) {
        if let [(_, there)] = key.columns.as_slice() {
            *counts.entry(*there).or_default() += 1;
        }
    }
    counts.into_iter().max_by_key(|(_, count)| *count).map(|(column, _)| column)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_in_every_spelling_are_proposed() {
        for name in ["tenant_id", "tenantId", "TenantID", "Tenant ID", "tenant", "TENANT_UUID"] {
            assert_eq!(proposed(name), Some((0, "tenant")), "{name}");
        }
        assert_eq!(proposed("orgId").map(|(tier, _)| tier), Some(1));
        assert_eq!(proposed("project_id").map(|(tier, _)| tier), Some(2));
        for name in ["tenant_name", "accountant", "customer", "organic", "id"] {
            assert_eq!(proposed(name), None, "{name}");
        }
    }

    #[test]
    fn tables_are_named_after_their_entity() {
        assert!(names_entity("Companies", "company") && names_entity("tenants", "tenant"));
        assert!(!names_entity("tenant_settings", "tenant"));
    }
}
