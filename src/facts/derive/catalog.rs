//! The collected facts as Rust values: what every derivation reads, loaded once.

use super::super::Facts;
use super::policy::members;
use crate::check::quote;
use crate::error::Stop;
use sqlx::{FromRow, SqliteConnection, sqlite::SqliteRow};
use std::collections::{BTreeMap, HashMap, HashSet};

/// An oid of the audited database.
pub(crate) type Oid = i64;

/// PUBLIC, as `aclitem` and `pg_policy` write it.
pub(crate) const PUBLIC: Oid = 0;

#[derive(Clone, Debug, FromRow)]
pub(crate) struct Role {
    pub(crate) oid: Oid,
    pub(crate) name: String,
    pub(crate) superuser: bool,
    pub(crate) inherit: bool,
    pub(crate) login: bool,
    pub(crate) replication: bool,
    pub(crate) bypass_rls: bool,
    pub(crate) provenance: String,
    pub(crate) comment: Option<String>,
}

#[derive(Clone, Debug, FromRow)]
pub(crate) struct Membership {
    pub(crate) role: Oid,
    pub(crate) member: Oid,
    pub(crate) admin_option: bool,
    pub(crate) inherit_option: bool,
    pub(crate) set_option: bool,
}

#[derive(Clone, Debug, FromRow)]
pub(crate) struct Relation {
    pub(crate) oid: Oid,
    pub(crate) schema_oid: Oid,
    pub(crate) schema: String,
    pub(crate) name: String,
    pub(crate) kind: String,
    pub(crate) owner: Oid,
    pub(crate) rls: bool,
    pub(crate) force_rls: bool,
    pub(crate) security_invoker: bool,
    pub(crate) is_partition: bool,
    pub(crate) default_acl: bool,
    pub(crate) definition: Option<String>,
    pub(crate) provenance: String,
    /// By attribute number, ascending.
    #[sqlx(skip)]
    pub(crate) columns: Vec<Column>,
    /// Members of its JSON columns that say whose a row is.
    #[sqlx(skip)]
    pub(crate) members: Vec<Column>,
    #[sqlx(skip)]
    pub(crate) policies: Vec<Policy>,
    #[sqlx(skip)]
    pub(crate) foreign_keys: Vec<ForeignKey>,
    /// Attribute numbers of the primary key.
    #[sqlx(skip)]
    pub(crate) primary_key: Vec<i64>,
    /// Attribute numbers of every unique constraint and index, the primary key included.
    #[sqlx(skip)]
    pub(crate) uniques: Vec<Vec<i64>>,
    /// CHECK constraints that are enforced.
    #[sqlx(skip)]
    pub(crate) checks: Vec<Check>,
}

impl Relation {
    pub(crate) fn column(&self, name: &str) -> Option<&Column> {
        self.columns_and_members().find(|c| c.name == name)
    }

    pub(crate) fn column_number(&self, number: i64) -> Option<&Column> {
        self.columns_and_members().find(|c| c.number == number)
    }

    /// Everything that may say whose a row is.
    pub(crate) fn columns_and_members(&self) -> impl Iterator<Item = &Column> {
        self.columns.iter().chain(&self.members)
    }

    /// The column in which this one is stored: itself, unless it is a member of another.
    pub(crate) fn stored(&self, number: i64) -> i64 {
        self.column_number(number).and_then(|column| column.member.as_ref()).map_or(number, |member| member.of)
    }

    /// Holds rows itself: row security can be asked of it.
    pub(crate) fn is_table(&self) -> bool {
        matches!(self.kind.as_str(), "table" | "partitioned table")
    }
}

#[derive(Clone, Debug, FromRow)]
pub(crate) struct Column {
    pub(crate) number: i64,
    pub(crate) name: String,
    /// As `format_type` writes it: the domain, where it has one.
    pub(crate) type_text: String,
    pub(crate) type_name: String,
    pub(crate) type_kind: String,
    pub(crate) type_oid: Oid,
    pub(crate) not_null: bool,
    /// It is a part of a JSON column; its name is the SQL that reads it.
    pub(crate) member: Option<Member>,
}

/// A member of a JSON document.
#[derive(Clone, Debug)]
pub(crate) struct Member {
    /// The number of the column that holds it.
    pub(crate) of: i64,
    /// Its own name, without the way to it.
    pub(crate) name: String,
}

impl Column {
    /// What it is called: the column, or the member.
    pub(crate) fn word(&self) -> &str {
        self.member.as_ref().map_or(&self.name, |member| &member.name)
    }

    /// As SQL, behind a qualifier where there is one.
    pub(crate) fn sql(&self, qualifier: Option<&str>) -> String {
        let qualifier = qualifier.map(|qualifier| format!("{qualifier}.")).unwrap_or_default();
        match self.member {
            Some(_) if self.type_name == "text" => format!("({qualifier}{})", self.name),
            Some(_) => format!("({qualifier}{})::{}", self.name, self.type_name),
            None => format!("{qualifier}{}", quote::ident(&self.name)),
        }
    }
}

#[derive(Clone, Debug)]
pub(crate) struct Policy {
    pub(crate) oid: Oid,
    pub(crate) permissive: bool,
    pub(crate) command: String,
    pub(crate) using: Option<String>,
    pub(crate) check: Option<String>,
    pub(crate) roles: Vec<Oid>,
}

impl Policy {
    /// Its expressions.
    pub(crate) fn texts(&self) -> impl Iterator<Item = &str> {
        self.using.iter().chain(&self.check).map(String::as_str)
    }
}

#[derive(Clone, Debug)]
pub(crate) struct ForeignKey {
    pub(crate) target: Oid,
    /// (column here, column there)
    pub(crate) columns: Vec<(i64, i64)>,
}

/// A CHECK constraint.
#[derive(Clone, Debug)]
pub(crate) struct Check {
    oid: Oid,
    /// The columns it names.
    pub(crate) columns: Vec<i64>,
    pub(crate) definition: String,
}

#[derive(Clone, Debug, FromRow)]
pub(crate) struct Trigger {
    pub(crate) relation: Oid,
    pub(crate) name: String,
    pub(crate) function: Oid,
    pub(crate) enabled: String,
    pub(crate) timing: String,
    pub(crate) row_level: bool,
    pub(crate) on_insert: bool,
    pub(crate) on_update: bool,
    pub(crate) on_delete: bool,
    pub(crate) on_truncate: bool,
    pub(crate) update_columns: Option<String>,
    pub(crate) has_condition: bool,
}

#[derive(Clone, Debug, FromRow)]
pub(crate) struct Rule {
    pub(crate) relation: Oid,
    pub(crate) name: String,
    pub(crate) event: String,
    pub(crate) instead: bool,
    pub(crate) enabled: String,
    pub(crate) definition: String,
}

#[derive(Clone, Debug, FromRow)]
pub(crate) struct Function {
    pub(crate) oid: Oid,
    pub(crate) schema_oid: Oid,
    pub(crate) schema: String,
    pub(crate) name: String,
    pub(crate) language: String,
    pub(crate) owner: Oid,
    pub(crate) security_definer: bool,
    pub(crate) strict: bool,
    pub(crate) returns: String,
    pub(crate) returns_set: bool,
    pub(crate) argument_names: String,
    pub(crate) argument_types: String,
    pub(crate) default_count: i64,
    pub(crate) argument_defaults: Option<String>,
    pub(crate) source: Option<String>,
    /// Names of the settings it pins, as a JSON array.
    pub(crate) settings: String,
    pub(crate) default_acl: bool,
}

#[derive(Clone, Debug, FromRow)]
pub(crate) struct Grant {
    pub(crate) object_kind: String,
    pub(crate) object: Oid,
    pub(crate) column_number: i64,
    pub(crate) grantee: Oid,
    pub(crate) privilege: String,
}

#[derive(Clone, Debug, FromRow)]
pub(crate) struct Schema {
    pub(crate) oid: Oid,
    pub(crate) owner: Oid,
    pub(crate) default_acl: bool,
}

/// Everything the derivations read.
#[derive(Debug, Default)]
pub(crate) struct Catalog {
    pub(crate) server_version_num: i64,
    pub(crate) database: String,
    pub(crate) database_owner: Oid,
    pub(crate) roles: BTreeMap<Oid, Role>,
    pub(crate) memberships: Vec<Membership>,
    pub(crate) schemas: BTreeMap<Oid, Schema>,
    pub(crate) relations: BTreeMap<Oid, Relation>,
    pub(crate) functions: BTreeMap<Oid, Function>,
    pub(crate) grants: Vec<Grant>,
    pub(crate) enum_labels: HashMap<Oid, Vec<String>>,
    /// (domain as `format_type` writes it, CHECK)
    pub(crate) domain_checks: Vec<(String, String)>,
    pub(crate) triggers: Vec<Trigger>,
    pub(crate) rules: Vec<Rule>,
    /// (view, relation it names)
    pub(crate) view_relations: Vec<(Oid, Oid)>,
    /// Views with a check option.
    pub(crate) checked_views: HashSet<Oid>,
    /// By child. Of ordinary inheritance, too, one parent.
    pub(crate) partition_parents: HashMap<Oid, Oid>,
    relations_by_name: HashMap<(String, String), Oid>,
    functions_by_name: HashMap<String, Vec<Oid>>,
}

async fn all<T>(connection: &mut SqliteConnection, sql: &'static str) -> Result<Vec<T>, Stop>
where
    T: for<'r> FromRow<'r, SqliteRow> + Send + Unpin,
{
    Ok(sqlx::query_as(sql).fetch_all(connection).await?)
}

impl Catalog {
    /// Reads the collected facts.
    pub(crate) async fn load(facts: &mut Facts) -> Result<Self, Stop> {
        let c = facts.connection();
        let mut catalog = Self::default();
        let target: Vec<(i64, String)> = all(c, "select server_version_num, database from target").await?;
        if let Some((version, database)) = target.into_iter().next() {
            catalog.server_version_num = version;
            catalog.database = database;
        }
        let owners: Vec<(Oid,)> = all(c, "select owner from databases where is_current").await?;
        catalog.database_owner = owners.first().map_or(0, |row| row.0);
        catalog.roles = all::<Role>(c, "select * from roles").await?.into_iter().map(|r| (r.oid, r)).collect();
        catalog.memberships = all(c, "select * from memberships").await?;
        catalog.schemas = all::<Schema>(c, "select * from schemas").await?.into_iter().map(|s| (s.oid, s)).collect();
        catalog.functions =
            all::<Function>(c, "select * from functions").await?.into_iter().map(|f| (f.oid, f)).collect();
        // Named, since each value costs and these tables are the long ones.
        catalog.grants = all(c, "select object_kind, object, column_number, grantee, privilege from grants").await?;
        catalog.view_relations = all(
            c,
            "select distinct view, object from view_dependencies where object_kind = 'relation' and object <> view
                 order by view, object",
        )
        .await?;
        let checked: Vec<(Oid,)> = all(c, "select object from ddl where object_kind = 'view option'").await?;
        catalog.checked_views = checked.into_iter().map(|row| row.0).collect();
        catalog.partition_parents =
            all::<(Oid, Oid)>(c, "select child, parent from inheritance").await?.into_iter().collect();
        for (oid, label) in
            all::<(Oid, String)>(c, "select type_oid, label from enum_labels order by type_oid, position").await?
        {
            catalog.enum_labels.entry(oid).or_default().push(label);
        }
        catalog.domain_checks = all(c, "select domain, definition from domain_checks").await?;
        catalog.triggers = all(c, "select * from triggers order by relation, name").await?;
        catalog.rules = all(c, "select * from rules order by relation, name").await?;
        catalog.load_relations(c).await?;
        members::add(&mut catalog);
        for relation in catalog.relations.values() {
            catalog.relations_by_name.insert((relation.schema.clone(), relation.name.clone()), relation.oid);
        }
        for function in catalog.functions.values() {
            catalog.functions_by_name.entry(function.name.clone()).or_default().push(function.oid);
        }
        Ok(catalog)
    }

    async fn load_relations(&mut self, c: &mut SqliteConnection) -> Result<(), Stop> {
        let relations: Vec<Relation> = all(
            c,
            "select oid, schema_oid, schema, name, kind, owner, rls, force_rls, security_invoker, is_partition, default_acl,
                    definition, provenance
             from relations",
        )
        .await?;
        self.relations = relations.into_iter().map(|r| (r.oid, r)).collect();
        type ColumnRow = (Oid, i64, String, String, String, String, Oid, bool);
        let columns: Vec<ColumnRow> = all(
            c,
            "select relation, number, name, type, type_name, type_kind, type_oid, not_null from columns
             order by relation, number",
        )
        .await?;
        for (relation, number, name, type_text, type_name, type_kind, type_oid, not_null) in columns {
            if let Some(relation) = self.relations.get_mut(&relation) {
                let member = None;
                let column = Column { number, name, type_text, type_name, type_kind, type_oid, not_null, member };
                relation.columns.push(column);
            }
        }
        let checks: Vec<(Oid, Oid, String, i64)> = all(
            c,
            "select k.oid, k.relation, k.definition, c.column_number
             from constraints k join constraint_columns c on c.constraint_oid = k.oid
             where k.kind = 'check' and k.enforced order by k.relation, k.oid, c.position",
        )
        .await?;
        for (oid, relation, definition, column) in checks {
            let Some(relation) = self.relations.get_mut(&relation) else { continue };
            match relation.checks.last_mut().filter(|check| check.oid == oid) {
                Some(check) => check.columns.push(column),
                None => relation.checks.push(Check { oid, columns: vec![column], definition }),
            }
        }
        let mut policy_roles: HashMap<Oid, Vec<Oid>> = HashMap::new();
        for (policy, role) in all::<(Oid, Oid)>(c, "select policy, role from policy_roles").await? {
            policy_roles.entry(policy).or_default().push(role);
        }
        type PolicyRow = (Oid, Oid, bool, String, Option<String>, Option<String>);
        let policies: Vec<PolicyRow> = all(
            c,
            "select oid, relation, permissive, command, using_expression, check_expression from policies order by name",
        )
        .await?;
        for (oid, relation, permissive, command, using, check) in policies {
            if let Some(relation) = self.relations.get_mut(&relation) {
                let roles = policy_roles.remove(&oid).unwrap_or_default();
                relation.policies.push(Policy { oid, permissive, command, using, check, roles });
            }
        }
        self.load_keys(c).await
    }

    async fn load_keys(&mut self, c: &mut SqliteConnection) -> Result<(), Stop> {
        type Key = (Oid, Oid, String, Option<Oid>, i64, Option<i64>);
        let keys: Vec<Key> = all(
            c,
            "select k.oid, k.relation, k.kind, k.referenced_relation, c.column_number, c.referenced_column_number
             from constraints k join constraint_columns c on c.constraint_oid = k.oid
             where k.kind in ('primary key', 'unique') or (k.kind = 'foreign key' and k.enforced)
             order by k.relation, k.oid, c.position",
        )
        .await?;
        let mut previous = 0;
        for (oid, relation, kind, target, column, referenced) in keys {
            let Some(relation) = self.relations.get_mut(&relation) else { continue };
            let first = oid != previous;
            previous = oid;
            if kind == "foreign key" {
                if first {
                    let target = target.unwrap_or_default();
                    relation.foreign_keys.push(ForeignKey { target, columns: Vec::new() });
                }
                if let Some(key) = relation.foreign_keys.last_mut() {
                    key.columns.push((column, referenced.unwrap_or_default()));
                }
            } else {
                if first {
                    relation.uniques.push(Vec::new());
                }
                if kind == "primary key" {
                    relation.primary_key.push(column);
                }
                if let Some(unique) = relation.uniques.last_mut() {
                    unique.push(column);
                }
            }
        }
        Ok(())
    }

    /// A relation by its schema and name; without a schema, the only one of that name.
    pub(crate) fn relation_named(&self, schema: Option<&str>, name: &str) -> Option<&Relation> {
        match schema {
            Some(schema) => self
                .relations_by_name
                .get(&(schema.to_owned(), name.to_owned()))
                .and_then(|oid| self.relations.get(oid)),
            None => {
                let mut named = self.relations.values().filter(|r| r.name == name);
                let first = named.next()?;
                let public = || self.relation_named(Some("public"), name);
                if named.next().is_none() { Some(first) } else { public() }
            }
        }
    }

    /// Partitions and children of a relation, those of its partitions included.
    pub(crate) fn partitions_of(&self, relation: Oid) -> Vec<Oid> {
        let mut found = vec![relation];
        let mut at = 0;
        while let Some(parent) = found.get(at).copied() {
            let mut children: Vec<Oid> =
                self.partition_parents.iter().filter(|(_, p)| **p == parent).map(|(child, _)| *child).collect();
            children.sort_unstable();
            found.extend(children.into_iter().filter(|child| *child != relation));
            at += 1;
        }
        found.split_off(1)
    }

    /// A function of this name exists, in whatever schema.
    pub(crate) fn has_function(&self, name: &str) -> bool {
        self.functions_by_name.contains_key(name)
    }

    /// Relations that a view's query names.
    pub(crate) fn named_by(&self, view: Oid) -> impl Iterator<Item = Oid> {
        let start = self.view_relations.partition_point(|(v, _)| *v < view);
        self.view_relations[start..].iter().take_while(move |(v, _)| *v == view).map(|(_, base)| *base)
    }

    /// Whether a policy is for somebody else than the owner, superusers, and roles which nobody is or may become.
    pub(crate) fn is_for_others(&self, policy: &Policy, owner: Oid) -> bool {
        policy.roles.iter().filter(|role| **role != owner).any(|role| {
            let is_member = |membership: &Membership| membership.role == *role;
            *role == 0
                || self
                    .roles
                    .get(role)
                    .is_some_and(|it| !it.superuser && (it.login || self.memberships.iter().any(is_member)))
        })
    }

    /// Functions of a name that take `arity` arguments, or more where the rest have defaults; without a schema, those of every schema.
    pub(crate) fn functions_named(&self, schema: Option<&str>, name: &str, arity: usize) -> Vec<&Function> {
        let named = self.functions_by_name.get(name).map(Vec::as_slice).unwrap_or_default();
        let of_schema = |f: &&Function| schema.is_none_or(|s| f.schema == s);
        let functions = || named.iter().filter_map(|oid| self.functions.get(oid)).filter(of_schema);
        let exact: Vec<&Function> = functions().filter(|f| f.arity() == arity).collect();
        if !exact.is_empty() {
            return exact;
        }
        let least = |f: &Function| f.arity().saturating_sub(usize::try_from(f.default_count).unwrap_or(0));
        functions().filter(|f| (least(f)..f.arity()).contains(&arity)).collect()
    }
}

impl Function {
    /// Number of input arguments.
    pub(crate) fn arity(&self) -> usize {
        self.types().len()
    }

    /// Types of the input arguments.
    pub(crate) fn types(&self) -> Vec<String> {
        serde_json::from_str(&self.argument_types).unwrap_or_default()
    }

    /// It can be called with arguments of these types, as far as they are known.
    pub(crate) fn takes(&self, types: &[Option<String>]) -> bool {
        let own: Vec<String> = serde_json::from_str(&self.argument_types).unwrap_or_default();
        types.iter().zip(&own).all(|(given, own)| given.as_ref().is_none_or(|given| given == own))
    }

    /// Names of the input arguments, `''` where unnamed.
    pub(crate) fn names(&self) -> Vec<String> {
        serde_json::from_str(&self.argument_names).unwrap_or_default()
    }
}
