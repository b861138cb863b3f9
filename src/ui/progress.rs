//! What is being done, while it is done. The engine reports to a trait; only this file draws.

use super::Look;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle, TermLike};
use std::cell::RefCell;
use std::io::{self, Write};
use std::time::Duration;

/// Told what happens. Every method may do nothing, and by default does.
pub trait Progress {
    /// A phase begins: a verb (`Checking`), and how many steps it has, where that is known.
    fn begin(&self, _verb: &str, _steps: Option<u64>) {}
    /// The next step of the phase begins: what it works on. The text need not be clean.
    fn step(&self, _what: &str) {}
    /// All is done, or was given up: leave no trace.
    fn end(&self) {}
}

/// Where nobody watches.
#[derive(Debug)]
pub struct Silent;

impl Progress for Silent {}

/// One line on stderr, erased when it ends or is dropped.
pub struct Line {
    bar: RefCell<Option<ProgressBar>>,
    known: ProgressStyle,
    unknown: ProgressStyle,
}

impl Line {
    /// A line that is not drawn before the first phase.
    pub fn new(look: &Look) -> Self {
        let (ticks, fill) =
            if look.unicode { ("⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏ ", "━╸─") } else { ("|/-\\ ", "=>-") };
        let bar = if look.colour { "{bar:24.cyan/dim}" } else { "{bar:24}" };
        let style = |template: &str| {
            ProgressStyle::with_template(template)
                .expect("the template is a constant")
                .tick_chars(ticks)
                .progress_chars(fill)
        };
        Self {
            bar: RefCell::default(),
            known: style(&format!(" {{spinner}} {{prefix}}  {{wide_msg}}  {bar}  {{pos}}/{{len}}  {{elapsed}}")),
            unknown: style(" {spinner} {prefix}  {wide_msg}  {elapsed}"),
        }
    }
}

impl Progress for Line {
    fn begin(&self, verb: &str, steps: Option<u64>) {
        let mut bar = self.bar.borrow_mut();
        let bar = bar.get_or_insert_with(|| {
            ProgressBar::with_draw_target(None, ProgressDrawTarget::term_like_with_hz(Box::new(Stderr), 20))
        });
        bar.set_style(if steps.is_some() { self.known.clone() } else { self.unknown.clone() });
        bar.set_length(steps.unwrap_or(0));
        bar.set_position(0);
        bar.reset_elapsed();
        bar.set_prefix(verb.to_owned());
        bar.set_message("");
        bar.enable_steady_tick(Duration::from_millis(100));
    }

    fn step(&self, what: &str) {
        if let Some(bar) = &*self.bar.borrow() {
            bar.set_message(super::clean::clean(what).into_owned());
            bar.inc(1);
        }
    }

    fn end(&self) {
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
        }
    }
}

/// The terminal, said to be three columns narrower than it is: it echoes ^C behind the line, and what is echoed has to
/// stay on the line that is erased.
#[derive(Debug)]
struct Stderr;

impl TermLike for Stderr {
    fn width(&self) -> u16 {
        let columns = terminal_size::terminal_size_of(io::stderr()).map_or(80, |(width, _)| width.0);
        columns.min(100).saturating_sub(3)
    }
    fn move_cursor_up(&self, n: usize) -> io::Result<()> {
        if n == 0 { Ok(()) } else { self.write_str(&format!("\x1b[{n}A")) }
    }
    fn move_cursor_down(&self, n: usize) -> io::Result<()> {
        if n == 0 { Ok(()) } else { self.write_str(&format!("\x1b[{n}B")) }
    }
    fn move_cursor_right(&self, n: usize) -> io::Result<()> {
        if n == 0 { Ok(()) } else { self.write_str(&format!("\x1b[{n}C")) }
    }
    fn move_cursor_left(&self, n: usize) -> io::Result<()> {
        if n == 0 { Ok(()) } else { self.write_str(&format!("\x1b[{n}D")) }
    }
    fn write_line(&self, line: &str) -> io::Result<()> {
        self.write_str(&format!("{line}\n"))
    }
    fn write_str(&self, text: &str) -> io::Result<()> {
        io::stderr().write_all(text.as_bytes())
    }
    fn clear_line(&self) -> io::Result<()> {
        self.write_str("\r\x1b[2K")
    }
    fn flush(&self) -> io::Result<()> {
        io::stderr().flush()
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        self.end();
    }
}
