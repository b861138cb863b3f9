//! One page, without scripts and without the network: reads in a browser, on paper, in the dark.
//!
//! The template escapes whatever it is given; what is given is made visible first, since a browser obeys the characters
//! that turn the reading direction as a terminal does.

mod page;
mod picture;

use super::Settings;
use crate::assess::Assessment;
use minijinja::{AutoEscape, Environment};
use std::io;

const TEMPLATE: &str = include_str!("report.html");
const STYLE: &str = include_str!("style.css");

/// Writes the assessment.
pub(super) fn write(it: &Assessment, settings: &Settings, to: &mut dyn io::Write) -> io::Result<()> {
    let mut environment = Environment::new();
    environment.set_auto_escape_callback(|_| AutoEscape::Html);
    environment.set_trim_blocks(true);
    environment.set_lstrip_blocks(true);
    environment.add_template("report.html", TEMPLATE).map_err(io::Error::other)?;
    let template = environment.get_template("report.html").map_err(io::Error::other)?;
    let page = template.render(page::Page::of(it, settings, STYLE)).map_err(io::Error::other)?;
    to.write_all(page.as_bytes())?;
    to.write_all(b"\n")
}
