//! What is being done, while it is done. The engine reports to a trait; only this file draws.

use super::Look;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
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
    bar: ProgressBar,
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
            bar: ProgressBar::with_draw_target(None, ProgressDrawTarget::hidden()),
            known: style(&format!(" {{spinner}} {{prefix}}  {{wide_msg}}  {bar}  {{pos}}/{{len}}  {{elapsed}}")),
            unknown: style(" {spinner} {prefix}  {wide_msg}  {elapsed}"),
        }
    }
}

impl Progress for Line {
    fn begin(&self, verb: &str, steps: Option<u64>) {
        self.bar.set_draw_target(ProgressDrawTarget::stderr());
        self.bar.set_style(if steps.is_some() { self.known.clone() } else { self.unknown.clone() });
        self.bar.set_length(steps.unwrap_or(0));
        self.bar.set_position(0);
        self.bar.set_prefix(verb.to_owned());
        self.bar.set_message("");
        self.bar.enable_steady_tick(Duration::from_millis(100));
    }

    fn step(&self, what: &str) {
        self.bar.set_message(super::clean::clean(what).into_owned());
        self.bar.inc(1);
    }

    fn end(&self) {
        self.bar.disable_steady_tick();
        self.bar.finish_and_clear();
        self.bar.set_draw_target(ProgressDrawTarget::hidden());
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        self.end();
    }
}
