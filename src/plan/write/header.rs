//! What stands above the SQL: what the migration is, what it closes, why, which lock it takes, how it is taken back.

use super::part::Part;
use crate::plan::lint::Way;
use crate::ui::clean::clean;

/// One line that no tool reads as more than a comment, whatever it holds.
pub(super) fn line(text: &str) -> String {
    clean(text)
        .replace("--", "- -")
        .replace("*/", "* /")
        .replace("/*", "/ *")
        .replace("{{", "{ {")
        .replace("${", "$ {")
        .replace(":DATABASE_", ": DATABASE_")
        .trim()
        .to_owned()
}

/// The lines, without what marks them as comments. `file` is the name of the file, `undo` where the way back is.
pub(super) fn lines(part: &Part<'_>, file: &str, way: Way, undo: &str) -> Vec<String> {
    let step = part.step;
    let of = match part.nth {
        (_, 1) => String::new(),
        (n, of) => format!(", part {n} of {of}"),
    };
    let place =
        format!("govctl {}, plan-stage {}, {} of {}{of}", env!("CARGO_PKG_VERSION"), part.to, step.n, part.steps);
    let mut lines = vec![format!("{:<60} {place}", line(file))];
    let mut say = |label: &str, text: &str| lines.push(format!("{label:<7} {}", line(text)));
    match way {
        Way::Up => {
            for closes in &step.closes {
                say("Closes", &format!("{} {}", closes.check, closes.object));
            }
            say("Why", &step.why);
            say("Lock", &step.lock);
            say("Undo", undo);
        }
        Way::Down => say("Undo", &format!("takes back: {}", step.why)),
    }
    if !step.reversible {
        say("Undo", "does not bring everything back; see the notes");
    }
    for note in &step.notes {
        say("Note", note);
    }
    for question in &part.questions {
        let answer = if question.answered { "as govctl.yaml answers" } else { "a default; answer it in govctl.yaml" };
        say(
            "Asked",
            &format!("{}: {} {} ({answer}, {})", question.id, question.question, question.default, question.key),
        );
    }
    lines
}
