//! From the parser's tree of one statement to what it does. Nothing here knows what came before.

use super::names::{arguments, called, child, constant, constants, has, name, named, path, word};
use crate::history::event::{
    Column, Constraint, CreateTable, Function, Name, On, Policy, Rls, Trigger, What, expression as parsed,
};
use squawk_syntax::ast::{AstNode, Do};
use squawk_syntax::{SyntaxKind as K, SyntaxNode};

/// What a statement does, in the order in which it does it.
pub(crate) fn statement(node: &SyntaxNode) -> Vec<What> {
    match node.kind() {
        K::CREATE_TABLE | K::CREATE_FOREIGN_TABLE => create_table(node).map(What::CreateTable).into_iter().collect(),
        K::CREATE_TABLE_AS => created_from_query(node).into_iter().collect(),
        K::ALTER_TABLE => alter_table(node),
        K::DROP_TABLE => tables(node).into_iter().map(What::DropTable).collect(),
        K::CREATE_POLICY => policy(node, K::POLICY).map(What::CreatePolicy).into_iter().collect(),
        K::ALTER_POLICY => policy(node, K::POLICY_REF).map(What::AlterPolicy).into_iter().collect(),
        K::DROP_POLICY => dropped(node, K::POLICY_REF, |table, name| What::DropPolicy { table, name }),
        K::CREATE_TYPE => enumeration(node).into_iter().collect(),
        K::CREATE_DOMAIN => domain(node).into_iter().collect(),
        K::ALTER_TYPE => alter_type(node).into_iter().collect(),
        K::CREATE_TRIGGER => trigger(node).map(What::CreateTrigger).into_iter().collect(),
        K::DROP_TRIGGER => dropped(node, K::TRIGGER_REF, |table, name| What::DropTrigger { table, name }),
        K::CREATE_RULE => rule(node).into_iter().collect(),
        K::GRANT | K::REVOKE => privileges(node).into_iter().collect(),
        K::CREATE_ROLE | K::CREATE_USER | K::CREATE_GROUP => role(node, true).into_iter().collect(),
        K::ALTER_ROLE | K::ALTER_USER | K::ALTER_GROUP => role(node, false).into_iter().collect(),
        K::CREATE_SCHEMA => {
            let schema = node.descendants().find(|n| n.kind() == K::SCHEMA);
            schema.map(|n| What::CreateSchema(word(&n))).into_iter().collect()
        }
        K::SET => search_path(node).into_iter().collect(),
        K::CREATE_FUNCTION | K::CREATE_PROCEDURE => function(node).map(What::CreateFunction).into_iter().collect(),
        K::CREATE_VIEW | K::CREATE_MATERIALIZED_VIEW => {
            node.children().find_map(|n| name(&n)).map(What::CreateView).into_iter().collect()
        }
        K::DO => block(node).into_iter().collect(),
        K::SELECT | K::CALL => call(node).into_iter().collect(),
        _ => Vec::new(),
    }
}

fn create_table(node: &SyntaxNode) -> Option<CreateTable> {
    let mut made = CreateTable {
        table: named(node, &[K::TABLE_NAME])?,
        temporary: node.children().any(|n| n.text().to_string().to_lowercase().starts_with("temp")),
        if_not_exists: has(node, K::IF_NOT_EXISTS),
        like: child(node, K::PARTITION_OF).and_then(|n| name(&n)),
        ..CreateTable::default()
    };
    if let Some(parents) = child(node, K::INHERITS) {
        made.like = made.like.or_else(|| name(&parents));
    }
    for item in child(node, K::TABLE_ARG_LIST).iter().flat_map(SyntaxNode::children) {
        match item.kind() {
            K::COLUMN => {
                if let Some(column) = column(&item) {
                    made.constraints.extend(column_constraints(&item, &column.name));
                    made.columns.push(column);
                }
            }
            K::LIKE_CLAUSE => made.like = named(&item, &[K::RELATION_NAME_REF]),
            _ => made.constraints.extend(constraint(&item)),
        }
    }
    Some(made)
}

/// `CREATE TABLE … AS SELECT`: its columns are those of the query's targets that have a name.
fn created_from_query(node: &SyntaxNode) -> Option<What> {
    let table = named(node, &[K::TABLE_NAME])?;
    let targets = node.descendants().find(|n| n.kind() == K::TARGET_LIST);
    let names = targets.iter().flat_map(SyntaxNode::children).filter_map(|target| {
        let last = target.children().last()?;
        let name = match last.kind() {
            K::NAME_REF | K::FIELD_EXPR => path(&last)?.pop()?,
            _ => word(&last.descendants().find(|n| n.kind() == K::COLUMN_NAME)?),
        };
        Some(Column { name, ..Column::default() })
    });
    Some(What::CreateTable(CreateTable { table, columns: names.collect(), ..CreateTable::default() }))
}

fn column(node: &SyntaxNode) -> Option<Column> {
    let references = child(node, K::REFERENCES_CONSTRAINT);
    Some(Column {
        name: word(&child(node, K::COLUMN_NAME)?),
        type_name: type_name(node),
        references: references.and_then(|n| named(&n, &[K::TABLE_NAME_REF])),
        labels: Vec::new(),
    })
}

fn is_type(kind: K) -> bool {
    matches!(
        kind,
        K::PATH_TYPE
            | K::ARRAY_TYPE
            | K::VARCHAR_TYPE
            | K::CHARACTER_TYPE
            | K::BIT_TYPE
            | K::BIT_VARYING_TYPE
            | K::DOUBLE_TYPE
            | K::TIMESTAMP_TYPE
            | K::TIME_TYPE
            | K::INTERVAL_TYPE
            | K::PERCENT_TYPE
    )
}

/// The type's own name: `app.actor_kind[]` is `actor_kind`.
fn type_name(node: &SyntaxNode) -> String {
    let Some(found) = node.children().find(|n| is_type(n.kind())) else { return String::new() };
    match name(&found) {
        Some(name) => name.name,
        None => found.text().to_string().split(['(', '[']).next().unwrap_or_default().trim().to_lowercase(),
    }
}

fn column_constraints(node: &SyntaxNode, column: &str) -> Vec<Constraint> {
    let each = node.children().filter_map(|part| match part.kind() {
        K::CHECK_CONSTRAINT => check(&part),
        K::UNIQUE_CONSTRAINT | K::PRIMARY_KEY_CONSTRAINT => Some(Constraint::Unique(vec![column.to_owned()])),
        _ => None,
    });
    each.collect()
}

fn column_names(node: &SyntaxNode) -> Vec<String> {
    node.descendants().filter(|n| n.kind() == K::COLUMN_NAME_REF).map(|n| word(&n)).collect()
}

fn constraint(node: &SyntaxNode) -> Option<Constraint> {
    match node.kind() {
        K::FOREIGN_KEY_CONSTRAINT => {
            let columns = column_names(&child(node, K::FOREIGN_KEY_COLUMN_LIST)?);
            Some(Constraint::ForeignKey { columns, target: named(node, &[K::TABLE_NAME_REF])? })
        }
        K::UNIQUE_CONSTRAINT | K::PRIMARY_KEY_CONSTRAINT => Some(Constraint::Unique(column_names(node))),
        K::CHECK_CONSTRAINT => check(node),
        _ => None,
    }
}

/// `CHECK (kind IN ('user', 'agent'))`: the first column that is compared with string constants, and the constants.
fn check(node: &SyntaxNode) -> Option<Constraint> {
    node.descendants().filter(|n| n.kind() == K::BIN_EXPR).find_map(|comparison| {
        let mut sides = comparison.children();
        let column = path(&sides.next()?)?.pop()?;
        let labels: Vec<_> = sides.flat_map(|side| constants(&side)).collect();
        let or_ed = constants(node); // kind = 'a' or kind = 'b'
        let labels = if labels.len() == 1 { or_ed } else { labels };
        (!labels.is_empty()).then_some(Constraint::Check { column, labels })
    })
}

fn tables(node: &SyntaxNode) -> Vec<Name> {
    let is_table = |n: &SyntaxNode| matches!(n.kind(), K::TABLE_NAME_REF | K::RELATION_NAME_REF);
    node.descendants().filter(is_table).filter_map(|n| name(&n)).collect()
}

fn alter_table(node: &SyntaxNode) -> Vec<What> {
    let Some(table) = tables(node).into_iter().next() else { return Vec::new() };
    let mut done = Vec::new();
    for action in node.children() {
        let table = table.clone();
        match action.kind() {
            K::ENABLE_RLS => done.push(What::Rls(table, Rls::Enable)),
            K::DISABLE_RLS => done.push(What::Rls(table, Rls::Disable)),
            K::FORCE_RLS => done.push(What::Rls(table, Rls::Force)),
            K::NO_FORCE_RLS => done.push(What::Rls(table, Rls::NoForce)),
            K::ADD_COLUMN => {
                if let Some(column) = column(&action) {
                    let constraints = column_constraints(&action, &column.name);
                    done.push(What::AddColumn(table.clone(), column));
                    done.extend(constraints.into_iter().map(|it| What::AddConstraint(table.clone(), it)));
                }
            }
            K::DROP_COLUMN => {
                done.extend(child(&action, K::COLUMN_NAME_REF).map(|n| What::DropColumn(table, word(&n))));
            }
            K::ADD_CONSTRAINT => {
                let found = action.children().find_map(|n| constraint(&n));
                done.extend(found.map(|it| What::AddConstraint(table, it)));
            }
            K::ALTER_COLUMN => {
                let (column, kind) = (child(&action, K::COLUMN_NAME_REF), child(&action, K::SET_TYPE));
                if let (Some(column), Some(kind)) = (column, kind) {
                    done.push(What::SetType { table, column: word(&column), type_name: type_name(&kind) });
                }
            }
            K::TABLE_RENAME_TO => {
                done.extend(named(&action, &[K::TABLE_NAME]).map(|to| What::RenameTable(table, to.name)));
            }
            K::RENAME_COLUMN => {
                let (from, to) = (child(&action, K::COLUMN_NAME_REF), child(&action, K::COLUMN_NAME));
                if let (Some(from), Some(to)) = (from, to) {
                    done.push(What::RenameColumn { table, from: word(&from), to: word(&to) });
                }
            }
            K::SET_SCHEMA => {
                done.extend(child(&action, K::SCHEMA_REF).map(|n| What::SetSchema(table, word(&n))));
            }
            K::DISABLE_TRIGGER | K::ENABLE_TRIGGER => {
                let name = child(&action, K::TRIGGER_REF).map(|n| word(&n));
                done.push(What::SwitchTrigger { table, name, on: action.kind() == K::ENABLE_TRIGGER });
            }
            _ => {}
        }
    }
    done
}

fn on_table(node: &SyntaxNode) -> Option<Name> {
    let clause = node.children().find(|n| matches!(n.kind(), K::ON_TABLE | K::ON_RELATION))?;
    tables(&clause).into_iter().next()
}

fn policy(node: &SyntaxNode, kind: K) -> Option<Policy> {
    let parts: Vec<SyntaxNode> = node.children().flat_map(|n| [n.clone()].into_iter().chain(n.children())).collect();
    let expression = |kind: K| {
        let clause = parts.iter().find(|n| n.kind() == kind)?;
        Some(parsed(&clause.children().next()?.text().to_string()))
    };
    let command = parts.iter().find(|n| n.kind() == K::POLICY_COMMAND);
    Some(Policy {
        table: on_table(node)?,
        name: word(&child(node, kind)?),
        restrictive: child(node, K::AS_POLICY_TYPE)
            .is_some_and(|n| n.text().to_string().to_lowercase().ends_with("restrictive")),
        command: command.and_then(|n| n.children().next()).map_or("all".to_owned(), |n| word(&n)),
        using: expression(K::USING_EXPR_CLAUSE),
        check: expression(K::WITH_CHECK_EXPR_CLAUSE),
    })
}

fn block(node: &SyntaxNode) -> Option<What> {
    let body = Do::cast(node.clone())?.plpgsql()?;
    Some(What::Do { body: Box::new(body), start: node.text_range().start().into() })
}

fn dropped(node: &SyntaxNode, kind: K, make: impl Fn(Name, String) -> What) -> Vec<What> {
    let found = on_table(node).zip(child(node, kind));
    found.map(|(table, name)| make(table, word(&name))).into_iter().collect()
}

fn enumeration(node: &SyntaxNode) -> Option<What> {
    let labels = constants(&child(node, K::ENUM_TYPE)?);
    Some(What::CreateEnum { name: named(node, &[K::TYPE_NAME])?, labels })
}

/// A domain over constants is an enum by another name.
fn domain(node: &SyntaxNode) -> Option<What> {
    let check = child(node, K::CHECK_CONSTRAINT)?;
    Some(What::CreateEnum { name: named(node, &[K::DOMAIN])?, labels: constants(&check) })
}

fn alter_type(node: &SyntaxNode) -> Option<What> {
    let type_name = named(node, &[K::TYPE_NAME_REF])?;
    node.children().find_map(|action| match action.kind() {
        K::ADD_VALUE => {
            let label = action.children().find_map(|n| constant(&n))?;
            Some(What::AddLabel { name: type_name.clone(), label, was: None })
        }
        K::RENAME_VALUE => {
            let [was, label] = <[String; 2]>::try_from(constants(&action)).ok()?;
            Some(What::AddLabel { name: type_name.clone(), label, was: Some(was) })
        }
        K::TYPE_RENAME_TO => Some(What::RenameType(type_name.clone(), named(&action, &[K::TYPE_NAME])?.name)),
        _ => None,
    })
}

fn trigger(node: &SyntaxNode) -> Option<Trigger> {
    let events = child(node, K::TRIGGER_EVENT_LIST)?;
    let call = child(node, K::CALL_EXPR)?;
    // `UPDATE OF column` guards that column alone.
    let whole = |kind| {
        let event = child(&events, kind);
        event.is_some_and(|n| !n.descendants().any(|n| matches!(n.kind(), K::COLUMN_NAME_REF | K::COLUMN_REF_LIST)))
    };
    Some(Trigger {
        table: on_table(node)?,
        name: word(&child(node, K::TRIGGER)?),
        before: has(node, K::TIMING_BEFORE),
        update: whole(K::TRIGGER_EVENT_UPDATE),
        delete: whole(K::TRIGGER_EVENT_DELETE),
        conditional: has(node, K::WHEN_CONDITION),
        function: called(&call)?,
    })
}

fn rule(node: &SyntaxNode) -> Option<What> {
    let on = child(node, K::RULE_ON)?;
    let action = child(node, K::RULE_DO)?;
    let words = action.text().to_string().to_lowercase();
    let nothing = words.contains("instead") && words.contains("nothing");
    let event = word(&child(&on, K::RULE_EVENT)?);
    nothing.then_some(What::NothingRule { table: tables(&on).into_iter().next()?, event })
}

fn privileges(node: &SyntaxNode) -> Option<What> {
    let objects = child(node, K::ON_PRIVILEGE_OBJECTS_CLAUSE)?;
    let object = objects.children().next()?;
    let on = match object.kind() {
        K::PRIVILEGE_TABLE | K::PRIVILEGE_DEFAULT => On::Tables(tables(&object)),
        K::PRIVILEGE_ALL_TABLES_IN_SCHEMA => On::Schema(word(&child(&object, K::SCHEMA_REF)?)),
        _ => return None,
    };
    let named = child(node, K::REVOKE_COMMAND_LIST);
    // A column list narrows the privilege to columns, which is not the table's.
    let whole = |n: &SyntaxNode| !has(n, K::COLUMN_REF_LIST);
    let mut privileges: Vec<_> = named.iter().flat_map(SyntaxNode::children).filter(whole).map(|n| word(&n)).collect();
    if has(node, K::ALL_PRIVILEGES) {
        privileges.push("all".to_owned());
    }
    let to = child(node, K::ROLE_REF_LIST);
    let to = to.iter().flat_map(SyntaxNode::children).map(|n| word(&n)).collect();
    match node.kind() {
        K::REVOKE => Some(What::Revoke { privileges, on, from: to }),
        _ => Some(What::Grant { privileges, on, to }),
    }
}

fn role(node: &SyntaxNode, created: bool) -> Option<What> {
    let name = word(&node.children().find(|n| matches!(n.kind(), K::ROLE | K::ROLE_REF))?);
    let options = child(node, K::ROLE_OPTION_LIST);
    let bypass_rls = options.iter().flat_map(SyntaxNode::children).find_map(|option| {
        let option = option.text().to_string().to_lowercase();
        (option.ends_with("bypassrls")).then(|| !option.starts_with("no"))
    });
    Some(What::Role { name, bypass_rls, created })
}

fn search_path(node: &SyntaxNode) -> Option<What> {
    let config = child(node, K::SET_CONFIG)?;
    let parameter = child(&config, K::CONFIG_PARAMETER_REF)?;
    if word(&parameter) != "search_path" {
        return None;
    }
    let value = child(&config, K::TO_CONFIG_VALUE)?;
    let schema = |n: SyntaxNode| constant(&n).unwrap_or_else(|| word(&n));
    Some(What::SearchPath(value.children().map(schema).filter(|schema| !schema.is_empty()).collect()))
}

fn function(node: &SyntaxNode) -> Option<Function> {
    let path = node.children().find(|n| matches!(n.kind(), K::FUNCTION_NAME | K::PROCEDURE_NAME))?;
    let list = child(node, K::PARAM_LIST);
    let parameter = |n: SyntaxNode| child(&n, K::PARAM_NAME).map(|n| word(&n)).unwrap_or_default();
    let returns = node.children().find(|n| n.kind() == K::RET_TYPE).map(|n| n.text().to_string().to_lowercase());
    Some(Function {
        name: name(&path)?,
        parameters: list.iter().flat_map(SyntaxNode::children).map(parameter).collect(),
        statement: node.text().to_string(),
        returns_trigger: returns.is_some_and(|text| text.split_whitespace().any(|word| word == "trigger")),
    })
}

/// A statement that does nothing but call a function.
fn call(node: &SyntaxNode) -> Option<What> {
    let statement = node.text().to_string();
    if node.kind() == K::CALL {
        let function = named(node, &[K::PROCEDURE_NAME_REF, K::PATH_REF])?;
        return Some(What::Call { function, statement });
    }
    let targets = node.descendants().find(|n| n.kind() == K::TARGET_LIST)?;
    let call = targets.children().find_map(|target| child(&target, K::CALL_EXPR))?;
    let function = called(&call)?;
    if function.name == "set_config" {
        let arguments: Vec<_> = arguments(&call).iter().filter_map(constant).collect();
        let [setting, value] = <[String; 2]>::try_from(arguments).ok()?;
        let schemas = value.split(',').map(super::names::identifier).filter(|s| !s.is_empty()).collect();
        return (setting == "search_path").then_some(What::SearchPath(schemas));
    }
    Some(What::Call { function, statement })
}
