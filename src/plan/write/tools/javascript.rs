//! What the migration tools of JavaScript and TypeScript share: how the folder's newest script is written.

use super::super::ground::Ground;
use super::super::quote::template;

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
    /// Of the newest script; TypeScript where there is none.
    pub(super) fn of(ground: &Ground) -> Self {
        let endings = [".ts", ".js", ".mts", ".cts", ".mjs", ".cjs"];
        let ending = |path: &str| endings.iter().find(|ending| path.ends_with(**ending)).copied();
        let newest = ground.known.iter().rev().find(|known| ending(&known.path).is_some());
        let Some(newest) = newest else {
            return Self { ending: ".ts".into(), typed: true, modules: true, text: String::new() };
        };
        let text = ground.text(&newest.path).unwrap_or_default();
        let ending = ending(&newest.path).unwrap_or(".js").to_owned();
        let typed = ending.ends_with("ts");
        let modules = typed && !text.contains("module.exports")
            || text.lines().any(|line| line.starts_with("export "))
            || ending == ".mjs";
        Self { ending, typed, modules, text }
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
