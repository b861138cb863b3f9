//! Entity Framework Core: a class whose attributes name its context and its id. What a `.Designer.cs` would say stands in the
//! one file. Source: dotnet/efcore src/EFCore.Relational/Migrations.

use super::super::draft::Draft;
use super::super::ground::Ground;
use super::super::number::Count;
use super::super::part::Part;
use super::super::quote::{camel, csharp};
use super::{Writer, comments, each};
use crate::error::Stop;

pub(super) const WRITER: Writer =
    Writer { name: "ef-core", sql: false, outside: each, marks: &[], anywhere: &[], draft };

fn draft(ground: &Ground, parts: &[Part<'_>]) -> Result<Draft, Stop> {
    let mut draft = Draft::default();
    let count = Count::of_ground(ground, Count::STAMP);
    let model = ground.files().rev().filter(|file| file.ends_with(".cs")).filter_map(|file| ground.text(file));
    let Some((model, context)) = model.into_iter().find_map(|text| {
        let context = text.split_once("[DbContext(typeof(")?.1.split_once("))]")?.0.to_owned();
        Some((text, context))
    }) else {
        return Err(Stop::usage(
            format!("no file of {} names a DbContext", ground.at.display()),
            "EF Core finds a migration by its context; make the first one with: dotnet ef migrations add",
        ));
    };
    let namespace = model.lines().find_map(|line| line.trim().strip_prefix("namespace ")).unwrap_or("Migrations");
    let namespace = namespace.trim_end_matches([';', '{', ' ']);
    let ours =
        ["using Microsoft.EntityFrameworkCore.Infrastructure;", "using Microsoft.EntityFrameworkCore.Migrations;"];
    let mut usings: Vec<&str> =
        model.lines().map(str::trim).filter(|line| line.starts_with("using ") && line.ends_with(';')).collect();
    usings.extend(ours.iter().filter(|using| !model.contains(**using)));
    for (n, part) in parts.iter().enumerate() {
        let class = camel(&part.name);
        let id = format!("{}_{class}", count.next(n, ground.now));
        let file = format!("{id}.cs");
        let text = format!(
            "{}{}\n\n#nullable disable\n\nnamespace {namespace}\n{{\n    [DbContext(typeof({context}))]\n    [Migration(\"{id}\")]\n    \
             public partial class {class} : Migration\n    {{\n        protected override void Up(MigrationBuilder migrationBuilder)\n        {{\n{}        }}\n\n        \
             protected override void Down(MigrationBuilder migrationBuilder)\n        {{\n{}        }}\n    }}\n}}\n",
            comments(part, &file, "Down()", "//"),
            usings.join("\n"),
            body(&part.up, part.transaction),
            body(&part.down, part.transaction),
        );
        draft.file(file, text);
    }
    draft.note("The model snapshot does not know of the new columns and tables: the next dotnet ef migrations add leaves them alone.");
    Ok(draft)
}

fn body(statements: &[String], transaction: bool) -> String {
    let how = if transaction { "" } else { ", suppressTransaction: true" };
    statements
        .iter()
        .map(|statement| format!("            migrationBuilder.Sql({}{how});\n", csharp(statement)))
        .collect()
}
