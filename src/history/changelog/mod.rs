//! Migrations that are neither SQL nor programs: Liquibase's change logs in XML, YAML and JSON, and pgroll's operations.
//! Each change becomes the SQL it stands for, which is then read like any other.

mod liquibase;
mod pgroll;
mod tree;

use super::event::Event;
use super::sql::{self, Flaw};

/// What a change amounts to.
enum Change {
    /// One statement made from what the change says.
    Made(String),
    /// SQL that stands in the file.
    Written(String),
    /// A file of SQL is run.
    Elsewhere(String),
    /// What is run and cannot be read here.
    Unread(String),
}

/// What a change log does.
pub(super) fn changelog(text: &str, path: &str, is_read: &dyn Fn(&str) -> bool) -> (Vec<Event>, Vec<Flaw>) {
    events(text, tree::read(text, path), liquibase::change, is_read)
}

/// What a file of pgroll's does.
pub(super) fn operations(text: &str, path: &str) -> (Vec<Event>, Vec<Flaw>) {
    events(text, tree::read(text, path), pgroll::change, &|_| false)
}

type Found = Result<tree::Element, Flaw>;

/// The changes of a tree, in the order of the file. What a change is made of is no change of its own.
fn events(
    text: &str,
    root: Found,
    change: fn(&tree::Element) -> Option<Vec<Change>>,
    is_read: &dyn Fn(&str) -> bool,
) -> (Vec<Event>, Vec<Flaw>) {
    let (mut events, mut flaws) = (Vec::new(), Vec::new());
    let root = match root {
        Ok(root) => root,
        Err(flaw) => return (events, vec![flaw]),
    };
    let mut waiting = vec![&root];
    while let Some(element) = waiting.pop() {
        let Some(changes) = change(element) else {
            waiting.extend(element.children.iter().rev());
            continue;
        };
        for change in changes {
            match change {
                Change::Made(statement) => {
                    let (done, flaw) = sql::one(&statement);
                    flaws.extend(flaw.map(|(_, message)| Flaw { at: element.at, message }));
                    events.extend(done.into_iter().map(|what| Event { at: element.at, what }));
                }
                Change::Written(script) => {
                    let (done, unread) = sql::read(&script, 0..script.len());
                    let place = |at: usize| place(text, element.at, &script, at);
                    events.extend(done.into_iter().map(|event| Event { at: place(event.at), ..event }));
                    flaws.extend(unread.into_iter().map(|flaw| Flaw { at: place(flaw.at), ..flaw }));
                }
                // A script of the folder is a migration of its own, behind this one.
                Change::Elsewhere(path) if is_read(&path) => {}
                Change::Elsewhere(path) => {
                    let message = format!("{path} is run from here; what it does is not read");
                    flaws.push(Flaw { at: element.at, message });
                }
                Change::Unread(message) => flaws.push(Flaw { at: element.at, message }),
            }
        }
    }
    (events, flaws)
}

/// Where a line of the script stands in the file, in which it may be indented and escaped; else where the script does.
fn place(text: &str, from: usize, script: &str, at: usize) -> usize {
    let before = &script[..at.min(script.len())];
    let start = before.rfind('\n').map_or(0, |end| end + 1);
    let line = script[start..].lines().next().unwrap_or_default().trim();
    let rest = text.get(from..).filter(|_| line.len() > 3);
    rest.and_then(|rest| rest.find(line)).map_or(from, |found| from + found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::event::{Name, What};

    const XML: &str = r#"<?xml version="1.0"?>
<databaseChangeLog xmlns="http://www.liquibase.org/xml/ns/dbchangelog">
  <changeSet id="1" author="a">
    <createTable tableName="ORDERS" schemaName="shop">
      <column name="id" type="uuid"><constraints primaryKey="true" nullable="false"/></column>
      <column name="tenant_id" type="uuid"><constraints nullable="false" foreignKeyName="f" references="shop.tenants(id)"/></column>
    </createTable>
    <sql><![CDATA[
      alter table shop.orders enable row level security;
      create policy p on shop.orders using (tenant_id = current_setting('app.t')::uuid);
    ]]></sql>
    <rollback><dropTable tableName="orders"/></rollback>
  </changeSet>
  <changeSet id="2" author="a" dbms="mysql"><dropTable tableName="orders"/></changeSet>
  <changeSet id="3" author="a"><sqlFile path="x.sql"/></changeSet>
</databaseChangeLog>"#;

    const YAML: &str = "databaseChangeLog:
  - changeSet:
      id: 1
      author: a
      changes:
        - createTable:
            schemaName: shop
            tableName: ORDERS
            columns:
              - column:
                  name: id
                  type: uuid
                  constraints:
                    primaryKey: true
              - column: {name: tenant_id, type: uuid, constraints: {nullable: false, references: shop.tenants(id), foreignKeyName: f}}
        - sql:
            sql: |
              alter table shop.orders enable row level security;
              create policy p on shop.orders using (tenant_id = current_setting('app.t')::uuid);
      rollback:
        - dropTable: {tableName: orders}
  - changeSet:
      id: 2
      dbms: mysql
      changes: [{dropTable: {tableName: orders}}]
  - changeSet:
      id: 3
      changes: [{sqlFile: {path: x.sql}}]
";

    fn line(text: &str, at: usize) -> usize {
        1 + text[..at].matches('\n').count()
    }

    #[test]
    fn a_change_log_is_read_in_either_form() {
        for (text, path, lines) in [(XML, "a.xml", [4, 9, 10]), (YAML, "a.yaml", [6, 18, 19])] {
            let (events, flaws) = changelog(text, path, &|_| false);
            assert_eq!(
                events.iter().map(|event| line(text, event.at)).collect::<Vec<_>>(),
                lines,
                "{path}: {events:?}"
            );
            let What::CreateTable(table) = &events[0].what else { panic!("{events:?}") };
            assert_eq!(table.table.to_string(), "shop.orders");
            assert_eq!(table.columns[1].references, Some(Name { schema: Some("shop".into()), name: "tenants".into() }));
            assert_eq!(flaws.len(), 1, "{flaws:?}");
        }
        let json = "{\"databaseChangeLog\": [{\"changeSet\": {\"id\": \"1\", \"changes\": [{\"sql\": {\"sql\": \"create table a (id int)\"}}]}}]}";
        assert_eq!(changelog(json, "a.json", &|_| false).0.len(), 1);
        assert_eq!(changelog("<databaseChangeLog", "a.xml", &|_| false).1.len(), 1);
    }

    #[test]
    fn operations_are_read() {
        let yaml = "operations:
  - create_table:
      name: orders
      columns:
        - name: id
          type: serial
          pk: true
        - name: tenant_id
          type: uuid
          references:
            name: f
            table: tenants
            column: id
  - add_column:
      table: notes
      column:
        name: tenant_id
        type: uuid
  - sql:
      up: alter table orders enable row level security
      down: alter table orders disable row level security
";
        let (events, flaws) = operations(yaml, "01_a.yaml");
        assert_eq!(flaws, []);
        assert_eq!(events.iter().map(|event| line(yaml, event.at)).collect::<Vec<_>>(), [2, 14, 20], "{events:?}");
        let json = "{\"name\": \"1\", \"operations\": [{\"sql\": {\"up\": \"create table a (id int);\\ncreate table b (id int)\"}}]}";
        assert_eq!(operations(json, "1.json").0.len(), 2);
    }
}
