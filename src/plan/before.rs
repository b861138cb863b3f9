//! What stood in the database before the plan: what a statement has to put back.

use super::ddl::Name;
use crate::check::quote::ident;
use crate::error::Stop;
use crate::facts::Facts;
use std::collections::BTreeSet;

/// The facts, asked for one object at a time.
pub(crate) struct Before<'a> {
    facts: &'a mut Facts,
}

impl<'a> Before<'a> {
    pub(crate) fn new(facts: &'a mut Facts) -> Self {
        Self { facts }
    }

    /// The first column of the rows, as text.
    pub(crate) async fn ask(&mut self, sql: &'static str, values: &[&str]) -> Result<Vec<String>, Stop> {
        let mut query = sqlx::query_scalar::<_, Option<String>>(sql);
        for value in values {
            query = query.bind((*value).to_owned());
        }
        let rows = query.fetch_all(self.facts.connection()).await?;
        Ok(rows.into_iter().flatten().collect())
    }

    async fn holds(&mut self, sql: &'static str, values: &[&str]) -> Result<bool, Stop> {
        Ok(!self.ask(sql, values).await?.is_empty())
    }

    /// The oid of a table, view or sequence.
    pub(crate) async fn relation(&mut self, name: &Name) -> Result<Option<String>, Stop> {
        let schema = name.schema.as_deref().unwrap_or("public");
        let sql = "select cast(oid as text) from relations where schema = ? and name = ?";
        Ok(self.ask(sql, &[schema, &name.name]).await?.pop())
    }

    /// Whether a table is there.
    pub(crate) async fn has(&mut self, table: &Name) -> Result<bool, Stop> {
        Ok(self.relation(table).await?.is_some())
    }

    /// Whether a schema is there.
    pub(crate) async fn has_schema(&mut self, name: &str) -> Result<bool, Stop> {
        self.holds("select '1' from schemas where name = ?", &[name]).await
    }

    /// Whether a table has a column.
    pub(crate) async fn has_column(&mut self, table: &Name, column: &str) -> Result<bool, Stop> {
        let Some(oid) = self.relation(table).await? else { return Ok(false) };
        self.holds("select '1' from columns where relation = ? and name = ?", &[&oid, column]).await
    }

    /// Whether a column takes no NULL.
    pub(crate) async fn is_not_null(&mut self, table: &Name, column: &str) -> Result<bool, Stop> {
        let Some(oid) = self.relation(table).await? else { return Ok(false) };
        self.holds("select '1' from columns where relation = ? and name = ? and not_null = 1", &[&oid, column]).await
    }

    /// The columns of the primary key, in its order.
    pub(crate) async fn primary_key(&mut self, table: &Name) -> Result<Vec<String>, Stop> {
        let Some(oid) = self.relation(table).await? else { return Ok(Vec::new()) };
        let sql = "select c.name from constraints k join constraint_columns kc on kc.constraint_oid = k.oid
                   join columns c on c.relation = k.relation and c.number = kc.column_number
                   where k.relation = ? and k.kind = 'primary key' order by kc.position";
        self.ask(sql, &[&oid]).await
    }

    /// Whether no two rows can have the same in all of these columns: a key is among them.
    pub(crate) async fn is_unique(&mut self, table: &Name, columns: &[String]) -> Result<bool, Stop> {
        let Some(oid) = self.relation(table).await? else { return Ok(false) };
        let sql = "select '1' from indexes i where i.relation = ?1 and i.is_unique = 1 and i.predicate is null
                   and not exists (select 1 from index_columns ic left join columns c on c.relation = i.relation and c.number = ic.column_number
                                   where ic.index_oid = i.oid and (c.name is null or c.name not in (select value from json_each(?2))))";
        self.holds(sql, &[&oid, &serde_json::json!(columns).to_string()]).await
    }

    /// Every table whose policies bind an owner who is not exempt.
    pub(crate) async fn every_bound(&mut self) -> Result<BTreeSet<Name>, Stop> {
        let sql = "select r.schema, r.name from relations r join roles o on o.oid = r.owner
                   where r.rls = 1 and r.force_rls = 1 and o.superuser = 0 and o.bypass_rls = 0";
        let rows: Vec<(String, String)> = sqlx::query_as(sql).fetch_all(self.facts.connection()).await?;
        Ok(rows.into_iter().map(|(schema, name)| Name { schema: Some(schema), name }).collect())
    }

    /// A table and its partitions.
    pub(crate) async fn tree(&mut self, table: &Name) -> Result<Vec<Name>, Stop> {
        let Some(oid) = self.relation(table).await? else { return Ok(Vec::new()) };
        let sql = "with recursive tree (oid) as (
                     select cast(?1 as integer) union select i.child from tree join inheritance i on i.parent = tree.oid
                   )
                   select r.schema, r.name from tree join relations r on r.oid = tree.oid order by r.oid";
        let rows: Vec<(String, String)> = sqlx::query_as(sql).bind(oid).fetch_all(self.facts.connection()).await?;
        Ok(rows.into_iter().map(|(schema, name)| Name { schema: Some(schema), name }).collect())
    }

    /// The partitions of a table, each after its parent: parent, name, whether it has partitions itself.
    pub(crate) async fn partitions(&mut self, table: &Name) -> Result<Vec<(Name, Name, bool)>, Stop> {
        let Some(oid) = self.relation(table).await? else { return Ok(Vec::new()) };
        let sql = "with recursive tree (parent, oid, depth) as (
                     select i.parent, i.child, 1 from inheritance i where i.parent = cast(?1 as integer)
                     union all select i.parent, i.child, tree.depth + 1 from tree join inheritance i on i.parent = tree.oid
                   )
                   select p.schema, p.name, r.schema, r.name, r.kind = 'partitioned table' from tree
                   join relations p on p.oid = tree.parent join relations r on r.oid = tree.oid
                   where r.is_partition = 1 and r.kind <> 'foreign table' order by tree.depth, r.schema, r.name";
        let rows: Vec<(String, String, String, String, bool)> =
            sqlx::query_as(sql).bind(oid).fetch_all(self.facts.connection()).await?;
        let name = |schema: String, name: String| Name { schema: Some(schema), name };
        Ok(rows.into_iter().map(|(a, b, c, d, parted)| (name(a, b), name(c, d), parted)).collect())
    }

    /// The default of a column, as an expression.
    pub(crate) async fn default(&mut self, table: &Name, column: &str) -> Result<Option<String>, Stop> {
        let Some(oid) = self.relation(table).await? else { return Ok(None) };
        let sql = "select default_expression from columns where relation = ? and name = ?";
        Ok(self.ask(sql, &[&oid, column]).await?.pop())
    }

    /// The type of a column, as PostgreSQL writes it.
    pub(crate) async fn column_type(&mut self, table: &Name, column: &str) -> Result<Option<String>, Stop> {
        let Some(oid) = self.relation(table).await? else { return Ok(None) };
        Ok(self.ask("select type from columns where relation = ? and name = ?", &[&oid, column]).await?.pop())
    }

    /// What is said of a column.
    pub(crate) async fn column_comment(&mut self, table: &Name, column: &str) -> Result<Option<String>, Stop> {
        let Some(oid) = self.relation(table).await? else { return Ok(None) };
        let sql = "select comment from columns where relation = ? and name = ? and comment is not null";
        Ok(self.ask(sql, &[&oid, column]).await?.pop())
    }

    /// Whether row security is on, and whether it is forced.
    pub(crate) async fn row_security(&mut self, table: &Name) -> Result<(bool, bool), Stop> {
        let Some(oid) = self.relation(table).await? else { return Ok((false, false)) };
        let state = self.ask("select rls || '' || force_rls from relations where oid = ?", &[&oid]).await?.pop();
        let state = state.unwrap_or_default();
        Ok((state.starts_with('1'), state.ends_with('1')))
    }

    /// `add constraint … …`, as it stands.
    pub(crate) async fn constraint(&mut self, table: &Name, name: &str) -> Result<Option<String>, Stop> {
        let Some(oid) = self.relation(table).await? else { return Ok(None) };
        let sql = "select definition || case when validated = 0 and definition not like '%NOT VALID' then ' not valid' else '' end
                   from constraints where relation = ? and name = ?";
        let found = self.ask(sql, &[&oid, name]).await?.pop();
        Ok(found.map(|definition| format!("add constraint {} {definition}", ident(name))))
    }

    /// Whether a foreign key, unique key or check with these words stands already.
    pub(crate) async fn has_constraint(&mut self, table: &Name, name: &str) -> Result<bool, Stop> {
        Ok(self.constraint(table, name).await?.is_some())
    }

    /// Whether it is the parent of partitions.
    pub(crate) async fn is_partitioned(&mut self, table: &Name) -> Result<bool, Stop> {
        let Some(oid) = self.relation(table).await? else { return Ok(false) };
        self.holds("select '1' from relations where oid = ? and kind = 'partitioned table'", &[&oid]).await
    }

    /// The owner of a relation.
    pub(crate) async fn owner(&mut self, table: &Name) -> Result<Option<String>, Stop> {
        let Some(oid) = self.relation(table).await? else { return Ok(None) };
        let sql = "select o.name from relations r join roles o on o.oid = r.owner where r.oid = ?";
        Ok(self.ask(sql, &[&oid]).await?.pop())
    }

    /// The owner of a schema.
    pub(crate) async fn schema_owner(&mut self, name: &str) -> Result<Option<String>, Stop> {
        let sql = "select coalesce(o.name, '') from schemas s left join roles o on o.oid = s.owner where s.name = ?";
        Ok(self.ask(sql, &[name]).await?.pop())
    }

    /// The owner of a function.
    pub(crate) async fn routine_owner(&mut self, name: &Name, arguments: &str) -> Result<Option<String>, Stop> {
        let schema = name.schema.as_deref().unwrap_or("public");
        let sql = "select o.name from functions f join roles o on o.oid = f.owner
                   where f.schema = ? and f.name = ? and replace(f.signature, ' ', '') = replace(?, ' ', '')";
        Ok(self.ask(sql, &[schema, &name.name, arguments]).await?.pop())
    }

    /// The owner of a relation, where row security can bind it.
    pub(crate) async fn ordinary_owner(&mut self, table: &Name) -> Result<Option<String>, Stop> {
        let Some(oid) = self.relation(table).await? else { return Ok(None) };
        let sql = "select o.name from relations r join roles o on o.oid = r.owner
                   where r.oid = ? and o.superuser = 0 and o.bypass_rls = 0";
        Ok(self.ask(sql, &[&oid]).await?.pop())
    }

    /// `create policy …`, as it stands.
    pub(crate) async fn policy(&mut self, table: &Name, policy: &str) -> Result<Option<Policy>, Stop> {
        let Some(oid) = self.relation(table).await? else { return Ok(None) };
        let sql = "select p.permissive, p.command, p.using_expression, p.check_expression,
                     (select json_group_array(coalesce(r.name, '')) from policy_roles pr left join roles r on r.oid = pr.role
                      where pr.policy = p.oid)
                   from policies p where p.relation = ? and p.name = ?";
        let row: Option<Row> =
            sqlx::query_as(sql).bind(oid).bind(policy.to_owned()).fetch_optional(self.facts.connection()).await?;
        Ok(row.map(|(permissive, command, using, check, roles)| Policy {
            permissive: permissive == 1,
            command,
            using,
            check,
            roles: serde_json::from_str(&roles).unwrap_or_default(),
        }))
    }

    /// Signatures of the functions of that name. A name without a schema is PostgreSQL's own.
    pub(crate) async fn functions(&mut self, name: &Name) -> Result<Vec<String>, Stop> {
        let Some(schema) = &name.schema else { return Ok(Vec::new()) };
        self.ask("select signature from functions where schema = ? and name = ?", &[schema, &name.name]).await
    }

    /// Functions that the policies of a table name, their signatures, and the roles that each of these policies is for.
    pub(crate) async fn policy_functions(&mut self, table: &Name) -> Result<Vec<(Name, String, Vec<String>)>, Stop> {
        let Some(oid) = self.relation(table).await? else { return Ok(Vec::new()) };
        let sql = "select f.schema, f.name, f.signature,
                     (select json_group_array(coalesce(r.name, 'public')) from policy_roles pr left join roles r on r.oid = pr.role
                      where pr.policy = p.oid)
                   from policies p join policy_dependencies d on d.policy = p.oid and d.object_kind = 'function'
                   join functions f on f.oid = d.object where p.relation = ?";
        let rows: Vec<(String, String, String, String)> =
            sqlx::query_as(sql).bind(oid).fetch_all(self.facts.connection()).await?;
        let one = |(schema, name, signature, roles): (String, String, String, String)| {
            (Name { schema: Some(schema), name }, signature, serde_json::from_str(&roles).unwrap_or_default())
        };
        Ok(rows.into_iter().map(one).collect())
    }

    /// Names of indexes and constraints that are taken.
    pub(crate) async fn names(&mut self) -> Result<Vec<String>, Stop> {
        self.ask("select name from indexes union select name from constraints union select name from relations", &[])
            .await
    }

    /// Which server: `server_version_num`.
    pub(crate) async fn version(&mut self) -> Result<u32, Stop> {
        let found = self.ask("select cast(server_version_num as text) from target", &[]).await?.pop();
        Ok(found.and_then(|number| number.parse().ok()).unwrap_or_default())
    }
}

/// Permissive, command, the two expressions, roles.
type Row = (i64, String, Option<String>, Option<String>, String);

/// A policy as the facts have it.
#[derive(Debug)]
pub(crate) struct Policy {
    permissive: bool,
    command: String,
    using: Option<String>,
    check: Option<String>,
    /// `""`: PUBLIC.
    roles: Vec<String>,
}

impl Policy {
    fn expressions(&self) -> String {
        let using = self.using.as_ref().map(|text| format!(" using ({text})")).unwrap_or_default();
        let check = self.check.as_ref().map(|text| format!(" with check ({text})")).unwrap_or_default();
        using + &check
    }

    /// `create policy`, without the words and its name and table.
    pub(crate) fn definition(&self) -> String {
        let kind = if self.permissive { "" } else { " as restrictive" };
        let command =
            if self.command == "ALL" { String::new() } else { format!(" for {}", self.command.to_lowercase()) };
        let each = self.roles.iter().map(|role| if role.is_empty() { "public".to_owned() } else { ident(role) });
        format!("{kind}{command} to {}{}", each.collect::<Vec<_>>().join(", "), self.expressions())
    }

    /// What `alter policy` puts back.
    pub(crate) fn alteration(&self) -> String {
        self.expressions()
    }
}
