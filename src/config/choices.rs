//! `plan:` of the configuration: answers to what a plan asks. But for `shared`, no check needs to know them.

use super::tenancy::table;
use crate::yaml::{Mistake, Node, Reader, Value};

/// What a person decided about a plan. Empty: the plan goes by its defaults.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Choices {
    /// `users: app.people`: the table of the people.
    pub users: Option<String>,
    /// `shared: [app.countries]`: tables that hold the same for every tenant. What they refer to makes their rows
    /// nobody's. None: by their names.
    pub shared: Option<Vec<String>>,
    /// `shared_rows: [app.models]`: tables whose rows without a tenant are everybody's to read, beside those that have one.
    pub shared_rows: Vec<String>,
    /// `member_roles: [owner, editor, viewer]`: what people may be inside a tenant.
    pub member_roles: Vec<String>,
    /// `read_only_roles: [viewer]`: those of them that write nothing.
    pub read_only_roles: Vec<String>,
    /// `payload: [app.audit_log.details]`: columns of logs that can be erased; a digest stands for them.
    pub payload: Vec<(String, String)>,
    /// `slices:`: the columns of a table that a role reads.
    pub slices: Vec<Slice>,
    /// `platform_tenant: "0"`: the tenant of what a log records of the product itself.
    pub platform_tenant: Option<String>,
    /// `reasoning_days: 730`: for how long an action can be explained.
    pub reasoning_days: Option<u16>,
}

/// The columns of a table that a role reads, and no others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Slice {
    /// As PostgreSQL stores it.
    pub role: String,
    /// `schema.table`.
    pub table: String,
    /// Names.
    pub columns: Vec<String>,
}

const KEYS: [&str; 9] = [
    "users",
    "shared",
    "shared_rows",
    "member_roles",
    "read_only_roles",
    "payload",
    "slices",
    "platform_tenant",
    "reasoning_days",
];

pub(super) fn read(reader: &Reader, node: &Node) -> Option<Choices> {
    let fields = reader.fields(node, "`plan`", &KEYS)?;
    let names = |key| {
        let list = |node| Some(reader.texts(node)?.into_iter().map(|(_, name)| name).collect::<Vec<_>>());
        fields.optional(key).map_or(Some(Vec::new()), list)
    };
    let users = fields.optional("users").map_or(Some(None), |node| table(reader, node).map(Some));
    let shared = fields.optional("shared").map_or(Some(None), |node| tables(reader, node).map(Some));
    let shared_rows = fields.optional("shared_rows").map_or(Some(Vec::new()), |node| tables(reader, node));
    let (member_roles, read_only_roles) = (names("member_roles"), names("read_only_roles"));
    if let (Some(node), Some(all), Some(some)) = (fields.optional("read_only_roles"), &member_roles, &read_only_roles)
        && let Some(stray) = some.iter().find(|role| !all.is_empty() && !all.contains(role))
    {
        let mistake =
            Mistake::new(node.place, format!("`{stray}` is none of the roles"), "expected one of `member_roles`");
        reader.mistake(mistake);
    }
    let payload = fields.optional("payload").map_or(Some(Vec::new()), |node| payload(reader, node));
    let slices = fields.optional("slices").map_or(Some(Vec::new()), |node| slices(reader, node));
    let platform = fields.optional("platform_tenant").map_or(Some(None), |node| reader.text(node).map(Some));
    let days = fields.optional("reasoning_days").map_or(Some(None), |node| reader.whole(node, 1..=36_500).map(Some));
    Some(Choices {
        users: users?,
        shared: shared?,
        shared_rows: shared_rows?,
        member_roles: member_roles?,
        read_only_roles: read_only_roles?,
        payload: payload?,
        slices: slices?,
        platform_tenant: platform?,
        reasoning_days: days?.and_then(|days| u16::try_from(days).ok()),
    })
}

fn tables(reader: &Reader, node: &Node) -> Option<Vec<String>> {
    reader.list(node)?.iter().map(|item| table(reader, item)).collect()
}

/// `schema.table.column`, each.
fn payload(reader: &Reader, node: &Node) -> Option<Vec<(String, String)>> {
    let mut payload = Vec::new();
    for (node, text) in reader.texts(node)? {
        let parts: Vec<_> = text.split('.').collect();
        match parts.as_slice() {
            [schema, table, column] if parts.iter().all(|part| !part.is_empty()) => {
                payload.push((format!("{schema}.{table}"), (*column).to_owned()));
            }
            _ => {
                let message = format!("`{text}` does not name a column");
                reader.mistake(Mistake::new(node.place, message, "expected `schema.table.column`"));
            }
        }
    }
    Some(payload)
}

fn slices(reader: &Reader, node: &Node) -> Option<Vec<Slice>> {
    let Value::List(items) = &node.value else {
        reader.mistake(Mistake::new(node.place, "`slices` is a list of roles and tables", "expected `- role: …`"));
        return None;
    };
    items.iter().map(|item| slice(reader, item)).collect()
}

fn slice(reader: &Reader, node: &Node) -> Option<Slice> {
    let fields = reader.fields(node, "a slice", &["role", "table", "columns"])?;
    let role = fields.required("role").and_then(|node| reader.text(node));
    let named = fields.required("table").and_then(|node| table(reader, node));
    let columns = fields.required("columns").and_then(|node| reader.texts(node));
    let columns = columns?.into_iter().map(|(_, name)| name).collect();
    Some(Slice { role: role?, table: named?, columns })
}
