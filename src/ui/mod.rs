//! The only code that writes to a stream: data to stdout, everything else to stderr.

pub mod clean;
pub mod progress;
pub mod table;
pub mod theme;
pub mod wrap;

pub use theme::{Look, Tone};

use crate::error::Stop;
use miette::Diagnostic;
use std::io::{self, IsTerminal, Write};

/// The widest line, also where the terminal is wider.
pub const MAX_WIDTH: usize = 100;

/// When to colour.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Colour {
    /// Where the stream is a terminal; NO_COLOR, CLICOLOR and CLICOLOR_FORCE are honoured
    #[default]
    Auto,
    /// Also into files and pipes
    Always,
    /// Not at all
    Never,
}

/// The two streams, and how each of them looks.
#[derive(Clone, Copy, Debug)]
pub struct Ui {
    /// How data looks.
    pub out: Look,
    /// How messages look.
    pub err: Look,
    /// Only what was asked for: no status, no progress.
    pub quiet: bool,
    progress: bool,
}

impl Ui {
    /// What the two streams can show, from the environment and the flags.
    pub fn new(colour: Colour, no_progress: bool, quiet: bool) -> Self {
        let (out, err) = (io::stdout(), io::stderr());
        Self {
            out: look(colour, out.is_terminal(), terminal_size::terminal_size_of(&out)),
            err: look(colour, err.is_terminal(), terminal_size::terminal_size_of(&err)),
            quiet,
            progress: err.is_terminal() && !no_progress && !quiet && !is_dumb(),
        }
    }

    /// Writes data. That nobody reads on (`| head`) is no failure; that the disk is full is one.
    pub fn data(&self, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<(), Stop> {
        let mut stream = io::BufWriter::new(io::stdout().lock());
        match write(&mut stream).and_then(|()| stream.flush()) {
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
                let _ = stream.into_parts(); // what is left in the buffer would be tried again on drop
                Err(Stop::unwritten("standard output", error))
            }
            Ok(()) | Err(_) => Ok(()),
        }
    }

    /// A line about the run itself.
    pub fn status(&self, line: &str) {
        if !self.quiet {
            self.say(&format!("{}\n", clean::clean(line)));
        }
    }

    /// Why a run stopped, with a caret where there is a text to point at.
    pub fn stop(&self, stop: &Stop) {
        let plain = rendered(stop, &Look { colour: false, ..self.err });
        let coloured = if self.err.colour { rendered(stop, &self.err) } else { plain.clone() };
        let end = if stop.audited() { String::new() } else { format!("\n{NO_AUDIT}\n") };
        self.say(&format!("{}{end}", harmless(&plain, coloured)));
    }

    /// Something to look at, with a caret; it stops nothing.
    pub fn warn(&self, caution: &dyn Diagnostic) {
        let plain = rendered(caution, &Look { colour: false, ..self.err });
        let coloured = if self.err.colour { rendered(caution, &self.err) } else { plain.clone() };
        self.say(&harmless(&plain, coloured));
    }

    /// A mistake on the command line, as clap words it; help and version that were asked for are data. `masked`: words
    /// that are not to be seen, and what is in their place.
    pub fn clap(&self, error: &clap::Error, masked: &[(&str, String)]) -> Result<(), Stop> {
        let asked = !error.use_stderr();
        let text = error.render();
        let colour = if asked { self.out.colour } else { self.err.colour };
        let without = |text: String| masked.iter().fold(text, |text, (word, shown)| text.replace(word, shown));
        let plain = without(text.to_string());
        let text = harmless(&plain, if colour { without(text.ansi().to_string()) } else { plain.clone() });
        if asked {
            return self.data(|out| out.write_all(text.as_bytes()));
        }
        self.say(&format!("{text}\n{NO_AUDIT}\n"));
        Ok(())
    }

    /// A progress display; a silent one where nobody watches.
    pub fn progress(&self) -> Box<dyn progress::Progress> {
        if self.progress { Box::new(progress::Line::new(&self.err)) } else { Box::new(progress::Silent) }
    }

    fn say(&self, text: &str) {
        // With stderr gone there is nowhere left to complain.
        let _ = io::stderr().lock().write_all(text.as_bytes());
    }
}

fn rendered(stop: &dyn Diagnostic, look: &Look) -> String {
    let theme = match (look.unicode, look.colour) {
        (true, true) => miette::GraphicalTheme::unicode(),
        (true, false) => miette::GraphicalTheme::unicode_nocolor(),
        (false, true) => miette::GraphicalTheme::ascii(),
        (false, false) => miette::GraphicalTheme::none(),
    };
    let mut text = String::new();
    let rendered = miette::GraphicalReportHandler::new_themed(theme)
        .with_width(look.width)
        .with_links(false)
        .with_break_words(false)
        .with_word_separator(textwrap::WordSeparator::AsciiSpace)
        .with_word_splitter(textwrap::WordSplitter::NoHyphenation)
        .render_report(&mut text, stop);
    if rendered.is_ok() { text } else { format!("{stop}\n") }
}

/// A message may quote a server or a file. Where it quotes what would steer the terminal, it loses its colours: in the
/// coloured text nobody could tell theirs from ours.
fn harmless(plain: &str, coloured: String) -> String {
    if plain.contains(|c| c != '\n' && clean::is_hostile(c)) {
        plain.split('\n').map(clean::clean).collect::<Vec<_>>().join("\n")
    } else {
        coloured
    }
}

const NO_AUDIT: &str = "no audit was performed";

fn look(colour: Colour, terminal: bool, size: Option<(terminal_size::Width, terminal_size::Height)>) -> Look {
    let columns = size.map_or(MAX_WIDTH, |(width, _)| usize::from(width.0));
    Look {
        colour: match colour {
            Colour::Always => true,
            Colour::Never => false,
            Colour::Auto => auto_colour(terminal, |name| std::env::var(name).ok()),
        },
        unicode: utf8_locale(|name| std::env::var(name).ok()),
        width: if columns == 0 { MAX_WIDTH } else { columns.clamp(40, MAX_WIDTH) },
    }
}

/// <https://no-color.org> and <https://bixense.com/clicolors>: a wish for none wins.
fn auto_colour(terminal: bool, variable: impl Fn(&str) -> Option<String>) -> bool {
    let set = |name| variable(name).is_some_and(|value| !value.is_empty());
    if set("NO_COLOR") {
        return false;
    }
    if variable("CLICOLOR_FORCE").is_some_and(|value| !value.is_empty() && value != "0") {
        return true;
    }
    terminal && variable("CLICOLOR").as_deref() != Some("0") && variable("TERM").as_deref() != Some("dumb")
}

/// Whether the locale's text is UTF-8: the first of the three that is set decides, as in `locale(7)`.
fn utf8_locale(variable: impl Fn(&str) -> Option<String>) -> bool {
    ["LC_ALL", "LC_CTYPE", "LANG"]
        .into_iter()
        .find_map(|name| variable(name).filter(|value| !value.is_empty()))
        .is_some_and(|locale| {
            let locale = locale.to_ascii_lowercase();
            locale.contains("utf-8") || locale.contains("utf8")
        })
}

fn is_dumb() -> bool {
    std::env::var("TERM").as_deref() == Ok("dumb")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn among<'a>(set: &'a [(&'a str, &'a str)]) -> impl Fn(&str) -> Option<String> + 'a {
        move |name| set.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned())
    }

    #[test]
    fn colour_follows_the_conventions() {
        assert!(auto_colour(true, among(&[])));
        assert!(!auto_colour(false, among(&[])));
        assert!(!auto_colour(true, among(&[("NO_COLOR", "1"), ("CLICOLOR_FORCE", "1")])));
        assert!(auto_colour(true, among(&[("NO_COLOR", "")])));
        assert!(auto_colour(false, among(&[("CLICOLOR_FORCE", "1")])));
        assert!(!auto_colour(false, among(&[("CLICOLOR_FORCE", "0")])));
        assert!(!auto_colour(true, among(&[("TERM", "dumb")])));
    }

    #[test]
    fn a_quoted_escape_sequence_is_not_obeyed() {
        let stop = Stop::usage("the server says \x1b[2J\u{202e}", "");
        let text = |colour| harmless(&rendered(&stop, &Look::PLAIN), rendered(&stop, &Look { colour, ..Look::PLAIN }));
        assert!(text(true).contains(r"says \x1b[2J\u{202e}"), "{}", text(true));
        assert!(!text(true).contains(|c| c != '\n' && clean::is_hostile(c)));
    }

    #[test]
    fn the_first_locale_variable_that_is_set_decides() {
        assert!(utf8_locale(among(&[("LANG", "en_GB.UTF-8")])));
        assert!(utf8_locale(among(&[("LC_ALL", ""), ("LANG", "C.utf8")])));
        assert!(!utf8_locale(among(&[("LC_ALL", "C"), ("LANG", "en_GB.UTF-8")])));
        assert!(!utf8_locale(among(&[])));
    }
}
