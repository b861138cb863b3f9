//! Which database: what a person typed or exported, as connection options. Knows libpq's two notations.
//!
//! The text holds a password more often than not. It is masked before anything else is made of it, so no error,
//! no `Debug` and no panic can show it.

mod keywords;
mod mask;
mod parameter;
mod uri;

use mask::Masked;
use miette::{Diagnostic, NamedSource, SourceSpan};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use sqlx::postgres::PgConnectOptions;
use std::fmt;
use std::ops::Range;
use thiserror::Error;

/// Where a connection text stood, as messages call it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// The positional argument.
    Argument,
    /// `--url`.
    Flag,
    /// A variable, by name.
    Variable(&'static str),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Argument => "URL",
            Self::Flag => "--url",
            Self::Variable(name) => name,
        })
    }
}

/// What names the database is wrong or missing. Holds masked text only.
#[derive(Debug, Error, Diagnostic)]
pub enum UrlError {
    /// Nothing names a database.
    #[error("no database was given")]
    #[diagnostic(
        code(govctl::url::missing),
        help(
            "govctl diagnose postgres://auditor@host/dbname\n\
             or set DATABASE_URL, or PGHOST and PGDATABASE\n\
             to look around first, with no database: govctl demo"
        )
    )]
    Missing,
    /// The text is not a connection text.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Invalid(Box<Invalid>),
}

/// A connection text that cannot be read.
#[derive(Debug, Error, Diagnostic)]
#[error("{problem}")]
#[diagnostic(code(govctl::url::invalid))]
pub struct Invalid {
    /// What is wrong with it.
    pub problem: String,
    /// The text, secrets masked.
    #[source_code]
    text: NamedSource<String>,
    /// Where.
    #[label("{label}")]
    at: SourceSpan,
    /// What is expected there.
    label: String,
    /// What to do.
    #[help]
    help: Option<String>,
}

/// A place in the original text, and what is wrong there in words that hold nothing secret.
#[derive(Debug)]
struct Mistake {
    at: Range<usize>,
    problem: String,
    label: String,
    help: Option<String>,
}

impl Mistake {
    fn new(at: Range<usize>, problem: impl Into<String>, label: impl Into<String>) -> Self {
        Self { at, problem: problem.into(), label: label.into(), help: None }
    }

    fn help(self, help: impl Into<String>) -> Self {
        Self { help: Some(help.into()), ..self }
    }
}

/// `name = value` as both notations say it, with the places of both.
struct Setting {
    name: String,
    name_at: Range<usize>,
    value: String,
    value_at: Range<usize>,
}

/// A database to connect to, well-formed. What it does not say comes from the `PG*` variables and `~/.pgpass`.
pub struct DatabaseUrl {
    /// Names are sqlx's own.
    settings: Vec<(&'static str, String)>,
}

impl DatabaseUrl {
    /// The first that is there: the positional argument, `--url`, `DATABASE_URL`, the `PG*` variables.
    pub fn find(
        argument: Option<&str>,
        flag: Option<&str>,
        variable: impl Fn(&str) -> Option<String>,
    ) -> Result<Self, UrlError> {
        let variable = |name: &str| variable(name).filter(|value| !value.is_empty());
        for (name, parameter) in [("PGSSLMODE", "sslmode"), ("PGPORT", "port")] {
            // sqlx would fall back to its default without a word: a typing mistake must not turn encryption off.
            if let Some(value) = variable(name) {
                let setting = Setting {
                    name: parameter.to_owned(),
                    name_at: 0..0,
                    value_at: 0..value.len(),
                    value: value.clone(),
                };
                let checked = parameter::check(&setting, Some(parameter));
                checked.map_err(|mistake| invalid(Origin::Variable(name), &Masked::new(&value, vec![]), mistake))?;
            }
        }
        if let Some(text) = argument {
            Self::parse(text, Origin::Argument)
        } else if let Some(text) = flag {
            Self::parse(text, Origin::Flag)
        } else if let Some(text) = variable("DATABASE_URL") {
            Self::parse(&text, Origin::Variable("DATABASE_URL"))
        } else if ["PGHOST", "PGHOSTADDR", "PGDATABASE"].into_iter().any(|name| variable(name).is_some()) {
            Ok(Self { settings: Vec::new() })
        } else {
            Err(UrlError::Missing)
        }
    }

    /// A connection text as it may be shown: passwords masked. What is none comes back as it is.
    pub fn shown(text: &str) -> String {
        let secrets = match text.split_once('=') {
            _ if text.contains("://") => uri::secrets(text),
            Some((name, _)) if !parameter::is_unknown(name.trim()) => keywords::parse(text).1,
            _ => Vec::new(),
        };
        Masked::new(text, secrets).text().to_owned()
    }

    /// Reads a URL (`postgres://…`) or a keyword string (`host=… dbname=…`).
    pub fn parse(text: &str, origin: Origin) -> Result<Self, UrlError> {
        let (masked, settings) = if keywords::begins(text) {
            let (settings, secrets) = keywords::parse(text);
            (Masked::new(text, secrets), settings)
        } else {
            (Masked::new(text, uri::secrets(text)), uri::parse(text))
        };
        let accepted = settings.and_then(|settings| {
            let named = |setting: Setting| {
                let shown = masked.shows(&setting.name_at).then_some(setting.name.as_str());
                parameter::check(&setting, shown).map(|name| name.map(|name| (name, setting.value)))
            };
            settings.into_iter().map(named).filter_map(Result::transpose).collect::<Result<Vec<_>, _>>()
        });
        match accepted {
            Ok(settings) => Ok(Self { settings: parameter::settle(settings) }),
            Err(mistake) => Err(invalid(origin, &masked, mistake)),
        }
    }

    /// What sqlx connects with. Reads the `PG*` variables and `~/.pgpass` for what the text leaves open.
    pub fn options(&self) -> Result<PgConnectOptions, sqlx::Error> {
        // By way of a URL, since sqlx asks ~/.pgpass only there, and only after it knows for which host.
        let encode =
            |(name, value): &(&str, String)| format!("{name}={}", utf8_percent_encode(value, NON_ALPHANUMERIC));
        format!("postgres:///?{}", self.settings.iter().map(encode).collect::<Vec<_>>().join("&")).parse()
    }
}

impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = self.settings.iter().filter(|(name, _)| matches!(*name, "host" | "port" | "dbname" | "sslmode"));
        f.debug_map().entries(shown.map(|(name, value)| (name, value))).finish()
    }
}

fn invalid(origin: Origin, masked: &Masked, mistake: Mistake) -> UrlError {
    UrlError::Invalid(Box::new(Invalid {
        problem: mistake.problem,
        at: masked.span(&mistake.at),
        text: NamedSource::new(origin.to_string(), masked.text().to_owned()),
        label: mistake.label,
        help: mistake.help,
    }))
}

#[cfg(test)]
mod tests;
