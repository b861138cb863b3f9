//! What the migration tools of JavaScript and TypeScript share: how the folder's newest script is written.

use super::super::ground::Ground;
use super::super::quote::template;
use serde_json::Value;

/// What a tool's own first script is written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Language {
    JavaScript,
    TypeScript,
}

/// How a script is written.
pub(super) struct Style {
    /// With its dot.
    pub(super) ending: String,
    pub(super) typed: bool,
    /// `export` rather than `exports.`.
    pub(super) modules: bool,
    /// The newest script.
    pub(super) text: String,
}

impl Style {
    /// Of the newest script; where there is none, as the project has it, and where there is no project either, as the tool itself
    /// would begin.
    pub(super) fn of(ground: &Ground, by_itself: Language) -> Self {
        let endings = [".ts", ".js", ".mts", ".cts", ".mjs", ".cjs"];
        let ending = |path: &str| endings.iter().find(|ending| path.ends_with(**ending)).copied();
        let newest = ground.known.iter().rev().find(|known| ending(&known.path).is_some());
        let Some(newest) = newest else {
            return Self::of_project(ground, by_itself);
        };
        let text = ground.text(&newest.path).unwrap_or_default();
        let ending = ending(&newest.path).unwrap_or(".js").to_owned();
        let typed = ending.ends_with("ts");
        let modules = typed && !text.contains("module.exports")
            || text.lines().any(|line| line.starts_with("export "))
            || ending == ".mjs";
        Self { ending, typed, modules, text }
    }

    fn of_project(ground: &Ground, by_itself: Language) -> Self {
        let has = |name: &str| ground.above(name).is_some();
        let package = ground.above("package.json").and_then(|text| serde_json::from_str::<Value>(&text).ok());
        let uses = |name: &str| {
            let lists = package.iter().flat_map(|it| [&it["dependencies"], &it["devDependencies"]]);
            lists.into_iter().any(|list| list.get(name).is_some())
        };
        // Knex's own command loads TypeScript where its configuration is written in it, and nowhere else.
        let typed = if has("knexfile.ts") || has("knexfile.mts") {
            true
        } else if ["knexfile.js", "knexfile.cjs", "knexfile.mjs"].into_iter().any(has) {
            false
        } else if has("tsconfig.json") || ["typescript", "tsx", "ts-node"].into_iter().any(uses) {
            true
        } else {
            by_itself == Language::TypeScript && package.is_none()
        };
        let modules = typed || package.is_some_and(|it| it["type"] == "module");
        let ending = if typed { ".ts" } else { ".js" };
        Self { ending: ending.into(), typed, modules, text: String::new() }
    }

    /// `up` or `down` as the folder writes them, around what it does. `given` has no type in JavaScript.
    pub(super) fn function(&self, name: &str, given: &str, of_type: &str, body: &str) -> String {
        let given = if self.typed { format!("{given}: {of_type}") } else { given.to_owned() };
        let result = if self.typed { ": Promise<void>" } else { "" };
        if self.modules {
            format!("export async function {name}({given}){result} {{\n{body}}}\n")
        } else {
            format!("exports.{name} = async ({given}){result} => {{\n{body}}};\n")
        }
    }
}

/// A call for each statement: `call("…")` with the SQL in the place of the hole.
pub(super) fn calls(statements: &[String], indent: &str, call: impl Fn(String) -> String) -> String {
    statements.iter().map(|statement| format!("{indent}{};\n", call(template(statement)))).collect()
}
