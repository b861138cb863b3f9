//! Django: a migration of one app that depends on the last one there. Source: django db/migrations/{loader,operations/special}.py.

use super::super::draft::Draft;
use super::super::ground::{Ground, Known};
use super::super::number::Count;
use super::super::part::Part;
use super::super::quote::python;
use super::{Writer, comments, digits, each};
use crate::error::Stop;
use crate::history::{Language, listed_pairs};
use std::collections::{BTreeMap, BTreeSet};

pub(super) const WRITER: Writer =
    Writer { name: "django", sql: false, outside: each, marks: &[], anywhere: &[], draft };

fn draft(ground: &Ground, parts: &[Part<'_>]) -> Result<Draft, Stop> {
    let mut draft = Draft::default();
    let (folder, known) = app(ground)?;
    let mut last = leaf(ground, &known)?;
    let count = Count::of(known.iter().map(|known| digits(&known.path)), Count::first(4));
    for (n, part) in parts.iter().enumerate() {
        let stem = format!("{}_{}", count.next(n, ground.now), part.name);
        let file = format!("{stem}.py");
        let after = last.as_ref().map(|(app, name)| format!("({app:?}, {name:?})")).unwrap_or_default();
        let atomic = if part.transaction { "" } else { "    atomic = False\n\n" };
        let text = format!(
            "{}\nfrom django.db import migrations\n\n\nclass Migration(migrations.Migration):\n{atomic}    dependencies = [{after}]\n\n    \
             operations = [\n        migrations.RunSQL(\n            sql=[\n{}            ],\n            reverse_sql=[\n{}            ],\n        ),\n    ]\n",
            comments(part, &file, "reverse_sql", "#"),
            list(&part.up),
            list(&part.down),
        );
        draft.file(format!("{folder}{file}"), text);
        last = last.map(|(app, _)| (app, stem));
    }
    draft.note(
        "The models do not know of the new columns and tables; managed = False keeps makemigrations away from them.",
    );
    Ok(draft)
}

fn list(statements: &[String]) -> String {
    statements.iter().map(|statement| format!("                {},\n", python(statement))).collect()
}

/// The folder of the app, and what is in it.
fn app(ground: &Ground) -> Result<(String, Vec<&Known>), Stop> {
    let mut apps: BTreeMap<&str, Vec<&Known>> = BTreeMap::new();
    for known in &ground.known {
        apps.entry(known.path.rsplit_once('/').map_or("", |(folder, _)| folder)).or_default().push(known);
    }
    if apps.len() > 1 {
        let names: Vec<_> = apps.keys().map(|folder| ground.shown(folder)).collect();
        return Err(Stop::usage(
            format!("{} holds the migrations of {} apps", ground.at.display(), names.len()),
            format!("name the folder of one: {}", names.join(", ")),
        ));
    }
    let (folder, known) = apps.pop_first().unwrap_or_default();
    Ok((if folder.is_empty() { String::new() } else { format!("{folder}/") }, known))
}

/// App and name of the one migration that none of the app comes after.
fn leaf(ground: &Ground, known: &[&Known]) -> Result<Option<(String, String)>, Stop> {
    let mut leaves: BTreeSet<(String, String)> = known
        .iter()
        .filter_map(|known| known.name.split_once('.'))
        .map(|(app, name)| (app.to_owned(), name.to_owned()))
        .collect();
    for known in known {
        let text = ground.must_read(&known.path)?;
        for pair in listed_pairs(&text, Language::Python, "dependencies") {
            leaves.remove(&pair);
        }
    }
    if leaves.len() > 1 {
        let names: Vec<_> = leaves.iter().map(|(_, name)| name.as_str()).collect();
        return Err(Stop::usage(
            format!("nothing comes after {}: the app has {} last migrations", names.join(" and "), names.len()),
            "a plan comes after one; first run: python manage.py makemigrations --merge",
        ));
    }
    Ok(leaves.into_iter().next())
}
