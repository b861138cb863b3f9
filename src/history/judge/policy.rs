//! Whether a policy keeps tenants apart: it compares a tenant key with what the session may see. A policy on a person
//! (`user_id = auth.uid()`) does not, nor does one that compares the key with a constant.

use super::{Key, Known, is_person, is_person_table};
use crate::facts::derive::tenancy::{TIERS, is_plain_entity, plain};
use crate::history::event::Name;
use crate::history::schema::{KnownPolicy, Schema, Table};
use crate::history::sql::{arguments, called, child, constants, name, path};
use squawk_syntax::{SyntaxKind as K, SyntaxNode};

/// What a key is compared with.
#[derive(Debug, PartialEq, Eq)]
enum Other {
    Constant,
    Person,
    Session,
    Query,
    Column,
}

struct Judge<'a> {
    table: &'a Table,
    schema: &'a Schema,
    known: &'a Known,
    /// The policy's own name says that it keeps tenants apart.
    says_so: bool,
}

/// The policy lets rows through by their tenant.
pub(crate) fn isolates(policy: &KnownPolicy, table: &Table, schema: &Schema, known: &Known) -> bool {
    let says_so = plain(&policy.policy.name).contains("tenant");
    let judge = Judge { table, schema, known, says_so };
    policy.expressions.iter().any(|expression| {
        expression.descendants().any(|node| match node.kind() {
            K::BIN_EXPR => judge.compares(&node),
            K::CALL_EXPR => judge.asks(&node),
            _ => false,
        })
    })
}

/// The policy asks the session about each row, whoever it is that the row is then kept for: one that takes the place of a
/// tenant's lets no more through than a person's, or a tenant's by another name.
pub(crate) fn guards(policy: &KnownPolicy, table: &Table, schema: &Schema, known: &Known) -> bool {
    let judge = Judge { table, schema, known, says_so: false };
    let Some(using) = policy.policy.using.as_ref().map(squawk_syntax::Parse::syntax_node) else { return false };
    using.descendants().any(|node| match node.kind() {
        K::BIN_EXPR => {
            let sides: Vec<_> = node.children().filter(|n| n.kind() != K::CUSTOM_OP && n.kind() != K::NOT_IN).collect();
            let [left, right] = &sides[..] else { return false };
            let asked = |column: &SyntaxNode, other: &SyntaxNode| {
                judge.is_column(column) && !matches!(value(other), Other::Constant | Other::Column)
            };
            compares_equal(&node, left, right) && (asked(left, right) || asked(right, left))
        }
        K::CALL_EXPR => {
            called(&node).is_some_and(|function| !is_built_in(&function))
                && arguments(&node).iter().any(|argument| judge.is_column(argument))
        }
        _ => false,
    })
}

impl Judge<'_> {
    /// A column of the table itself.
    fn is_column(&self, node: &SyntaxNode) -> bool {
        path(node).is_some_and(|parts| parts.last().is_some_and(|column| self.table.column(column).is_some()))
    }

    fn compares(&self, node: &SyntaxNode) -> bool {
        let sides: Vec<_> = node.children().filter(|n| n.kind() != K::CUSTOM_OP && n.kind() != K::NOT_IN).collect();
        let (Some(left), Some(right)) = (sides.first(), sides.last()) else { return false };
        if sides.len() != 2 || !compares_equal(node, left, right) {
            return false;
        }
        [(left, right), (right, left)].into_iter().any(|(key, other)| {
            self.is_called_tenant(key, other)
                || self.is_named_by_session(key, other)
                || self.key(key).is_some_and(|key| match value(other) {
                    Other::Constant => false,
                    Other::Person => key.tier == 0,
                    Other::Session => true,
                    Other::Query => self.opens(other, key),
                    Other::Column => node
                        .ancestors()
                        .filter(|n| n.kind() == K::SELECT)
                        .any(|query| child(&query, K::FROM_CLAUSE).is_some() && self.opens(&query, key)),
                })
        })
    }

    /// `operator_id = current_setting('app.operator_id')` in a policy named `…_tenant_…`: whoever wrote it says who the
    /// tenant is. A person is none, and where a column is named after a tenant that one is meant.
    fn is_called_tenant(&self, column: &SyntaxNode, other: &SyntaxNode) -> bool {
        if !self.says_so || value(other) != Other::Session || self.known.key_of(self.table).is_some() {
            return false;
        }
        let Some([column]) =
            path(column).as_deref().map(<[String]>::to_vec).and_then(|it| <[String; 1]>::try_from(it).ok())
        else {
            return false;
        };
        let setting = other.descendants().filter_map(|n| called(&n)).any(|function| function.name == "current_setting");
        let known = self.table.column(&column);
        setting && known.is_some_and(|known| known.plain.ends_with("id") && !is_person(self.table, known))
    }

    /// `owning_tenant_id = current_tenant_id()`, and `branch_id = current_setting('app.branch_id')` where there are branches:
    /// the session says which of them it belongs to, in the word of the column. A session, a device, a role is none.
    fn is_named_by_session(&self, key: &SyntaxNode, other: &SyntaxNode) -> bool {
        let Some(parts) = path(key).filter(|_| value(other) == Other::Session) else { return false };
        let Some((column, qualifier)) = parts.split_last() else { return false };
        let Some(table) = self.resolve(key, qualifier.last(), column) else { return false };
        let Some(known) = table.column(column).filter(|known| !is_person(table, known)) else { return false };
        let own = plain(table.name.name.rsplit('_').next().unwrap_or_default());
        let word = match known.plain.strip_suffix("id") {
            Some("") => own.strip_suffix("ies").or(own.strip_suffix('s')).unwrap_or(&own),
            Some(word) => word,
            None => return false,
        };
        let named = said(other);
        let says = |word: &str| named.iter().any(|name| name.contains(word));
        if ["tenant", "organization", "workspace"].iter().any(|tenant| word.ends_with(tenant) && says(tenant)) {
            return true;
        }
        let exists = || {
            let mut tables =
                self.schema.living().map(|table| plain(table.name.name.rsplit('_').next().unwrap_or_default()));
            tables.any(|table| is_plain_entity(&table, word) || table == format!("{word}es"))
        };
        word.len() > 3
            && !NO_TENANT.iter().any(|other| word.ends_with(other))
            && self.known.key_of(self.table).is_none()
            && says(word)
            && exists()
    }

    /// `is_member(organization_id)`: a function of the database's own is asked about a tenant.
    fn asks(&self, node: &SyntaxNode) -> bool {
        let Some(function) = called(node).filter(|function| !is_built_in(function)) else { return false };
        let keys: Vec<_> = arguments(node).iter().filter_map(|argument| self.key(argument)).collect();
        let words = plain(&function.name);
        match (keys.iter().any(|key| key.is_strong()), self.schema.functions.get(&function.name)) {
            (true, _) => true,
            (false, Some(body)) => !keys.is_empty() && self.reads_membership(&body.statement),
            (false, None) => !keys.is_empty() && !words.contains("own"),
        }
    }

    fn reads_membership(&self, statement: &str) -> bool {
        let mut words = statement.split(|c: char| !c.is_alphanumeric() && !matches!(c, '_' | '"'));
        words.any(|word| {
            let table = self.schema.table(&Name::bare(crate::history::sql::identifier(word)));
            table.is_some_and(|table| self.known.is_membership(table) && self.known.entity(&table.name.name).is_none())
        })
    }

    /// A query that yields what the session may see: through a membership, through the session's own row, or from the
    /// tenants themselves where their word is strong. `projects.owner_id = auth.uid()` is a policy on a person.
    fn opens(&self, query: &SyntaxNode, key: Key) -> bool {
        let named = query.descendants().filter(|n| n.kind() == K::RELATION_NAME_REF).filter_map(|n| name(&n));
        let named: Vec<_> = named.collect();
        let shares = named.iter().any(|relation| match self.schema.table(relation) {
            Some(table) if !table.columns.is_empty() => {
                let is_entity = self.known.entity(&table.name.name).is_some();
                !is_entity && (self.known.is_membership(table) || is_person_table(&table.name.name))
            }
            _ => plain(&relation.name).contains("member") || is_person_table(&relation.name),
        });
        let by_function = query.descendants().filter(|n| n.kind() == K::CALL_EXPR).any(|call| {
            let function = called(&call).filter(|function| !is_built_in(function));
            function.is_some_and(|_| !matches!(value(&call), Other::Person))
        });
        shares || key.is_strong() || by_function
    }

    /// The tenant key that an operand is: a key column of any table in sight, or the tenant table's own id.
    fn key(&self, node: &SyntaxNode) -> Option<Key> {
        let parts = path(node)?;
        let (column, qualifier) = parts.split_last()?;
        let table = self.resolve(node, qualifier.last(), column)?;
        if let Some(key) = self.known.key(table, column) {
            return Some(key).filter(|_| table.columns.is_empty() || table.column(column).is_some());
        }
        (plain(column) == "id").then(|| self.known.entity(&table.name.name)).flatten()
    }

    /// The relation a column belongs to, by its qualifier or by having it.
    fn resolve(&self, node: &SyntaxNode, qualifier: Option<&String>, column: &str) -> Option<&Table> {
        for query in node.ancestors().filter(|n| n.kind() == K::SELECT) {
            let Some(from) = child(&query, K::FROM_CLAUSE) else { continue };
            for item in from.descendants().filter(|n| n.kind() == K::RELATION_FROM_ITEM) {
                let Some(relation) = child(&item, K::RELATION_NAME_REF).and_then(|n| name(&n)) else { continue };
                let alias =
                    item.descendants().find(|n| n.kind() == K::TABLE_ALIAS).map(|n| crate::history::sql::word(&n));
                let Some(table) = self.schema.table(&relation) else { continue };
                let here = match qualifier {
                    Some(qualifier) => alias.as_ref().unwrap_or(&relation.name) == qualifier,
                    None => table.column(column).is_some(),
                };
                if here {
                    return Some(table);
                }
            }
        }
        let own = qualifier.is_none_or(|qualifier| *qualifier == self.table.name.name);
        own.then_some(self.table)
    }
}

/// What a session may name beside a tenant.
const NO_TENANT: [&str; 16] = [
    "session",
    "role",
    "request",
    "device",
    "token",
    "user",
    "person",
    "member",
    "profile",
    "actor",
    "agent",
    "principal",
    "thread",
    "conversation",
    "transaction",
    "connection",
];

/// The names of the functions and settings that a value asks.
fn said(node: &SyntaxNode) -> Vec<String> {
    let functions = node.descendants().filter(|n| n.kind() == K::CALL_EXPR).filter_map(|n| called(&n));
    let functions = functions.filter(|function| !is_built_in(function)).map(|function| function.name);
    functions.chain(constants(node)).map(|word| plain(&word)).collect()
}

/// Operators under which only rows of one tenant, or of a list of tenants, come through.
fn compares_equal(node: &SyntaxNode, left: &SyntaxNode, right: &SyntaxNode) -> bool {
    let start = usize::from(node.text_range().start());
    let between = usize::from(left.text_range().end()) - start..usize::from(right.text_range().start()) - start;
    let text = node.text().to_string();
    let operator = text.get(between).unwrap_or_default().to_lowercase();
    let operator = operator.split_whitespace().collect::<Vec<_>>().join(" ");
    matches!(operator.as_str(), "=" | "in" | "@>" | "<@" | "&&" | "is not distinct from" | "= any" | "= some")
}

fn value(node: &SyntaxNode) -> Other {
    if node.descendants().any(|n| matches!(n.kind(), K::RELATION_NAME_REF)) {
        return Other::Query;
    }
    let functions: Vec<_> =
        node.descendants().filter(|n| n.kind() == K::CALL_EXPR).filter_map(|n| called(&n)).collect();
    if functions.is_empty() && path(node).is_some() {
        let words = path(node).unwrap_or_default();
        return if matches!(words.last().map(String::as_str), Some("current_user" | "session_user" | "current_role")) {
            Other::Session
        } else {
            Other::Column
        };
    }
    let mut words = constants(node);
    words.extend(functions.iter().map(|function| function.name.clone()));
    if functions.is_empty() {
        return Other::Constant;
    }
    let words: Vec<_> = words.iter().map(|word| plain(word)).collect();
    let speaks_of = |wanted: &[&str]| words.iter().any(|word| wanted.iter().any(|w| word.contains(w)));
    let tenant = TIERS[..2].iter().chain([&["team", "project", "customer"][..]].iter()).any(|tier| speaks_of(tier));
    let person = speaks_of(&["user", "person", "actor", "member"]) || words.iter().any(|w| w == "uid" || w == "sub");
    if person && !tenant { Other::Person } else { Other::Session }
}

/// Functions of PostgreSQL itself that stand around a value and change nothing about whose it is.
fn is_built_in(function: &Name) -> bool {
    let name = function.name.as_str();
    function.schema.as_deref() == Some("pg_catalog")
        || name.starts_with("json")
        || name.starts_with("array_")
        || matches!(
            name,
            "coalesce"
                | "nullif"
                | "lower"
                | "upper"
                | "trim"
                | "btrim"
                | "concat"
                | "format"
                | "md5"
                | "count"
                | "exists"
                | "any"
                | "all"
                | "some"
                | "not"
                | "current_setting"
                | "set_config"
                | "unnest"
                | "string_to_array"
                | "regexp_replace"
                | "split_part"
                | "now"
                | "max"
                | "min"
                | "length"
                | "to_jsonb"
                | "uuid"
                | "text"
                | "starts_with"
                | "position"
                | "replace"
                | "substring"
                | "cardinality"
                | "bool_or"
                | "bool_and"
        )
}
