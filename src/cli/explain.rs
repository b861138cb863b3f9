//! `govctl explain`: one check, all that is known about it.

use super::Global;
use crate::check::{Check, Library};
use crate::error::Stop;
use crate::exit::Exit;
use crate::report;
use crate::ui::clean::{clean, clean_lines};
use crate::ui::wrap::wrap;
use crate::ui::{Look, Tone, Ui, theme};
use std::fmt::Write;

/// Say what a check looks for, what it cannot see, and how to fix what it finds
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Its id, as `govctl checks` lists it
    #[arg(value_name = "CHECK")]
    check: String,
    /// Print its SQL, which runs on the facts, and nothing else
    #[arg(long)]
    sql: bool,
}

pub(super) fn run(args: &Args, global: &Global, ui: &Ui) -> Result<Exit, Stop> {
    global.text_only("explain")?;
    let library = Library::embedded()?;
    let check = library.get(&args.check)?;
    let text = if args.sql { format!("{}\n", check.sql.trim_end()) } else { screen(check, &ui.out) };
    ui.data(|out| out.write_all(text.as_bytes()))?;
    Ok(Exit::Clean)
}

fn screen(check: &Check, look: &Look) -> String {
    let severity = look.paint(theme::severity(check.severity), check.severity);
    let id = look.paint(Tone::Strong, clean(&check.id.0));
    let mut text = format!("{id}   {severity}   stage {}\n\n{}.\n\n", check.stage, clean(&check.title));
    for paragraph in check.why.trim().split("\n\n") {
        text.push_str(&wrap(&one_line(paragraph), "", look.width));
        text.push('\n');
    }
    let mut field = |label: &str, lines: Vec<String>| {
        for (at, line) in lines.iter().enumerate() {
            let label = if at == 0 { label } else { "" };
            text.push_str(&wrap(line, &format!("{label:<13}"), look.width));
        }
    };
    field("Cannot see", check.limits.iter().map(|limits| one_line(limits)).collect());
    field("Covers", vec![check.covers.join(", ")]);
    field("Controls", report::controls(check));
    field("Finds", check.proof.finds.iter().map(|message| clean(message).into_owned()).collect());
    let verbatim = |text: &mut String, label: &str, sql: &str| {
        for (at, line) in clean_lines(sql).enumerate() {
            let label = if at == 0 { label } else { "" };
            let _ = writeln!(text, "{label:<13}{}", look.paint(Tone::Action, line));
        }
    };
    if let Some(fix) = &check.fix {
        verbatim(&mut text, "Fix", fix);
    }
    if let Some(ask) = &check.ask {
        text.push_str(&wrap(&one_line(ask), &format!("{:<13}", "You decide"), look.width));
    }
    verbatim(&mut text, "SQL", &format!("govctl explain {} --sql", check.id));
    text
}

fn one_line(text: &str) -> String {
    clean(&text.split_whitespace().collect::<Vec<_>>().join(" ")).into_owned()
}
