//! Rules from their file: govctl's own, and a user's in the format of gitleaks.

use super::rule::{Allowed, Pattern, Rule, Within};
use super::scan::Rules;
use crate::yaml::{Mistake, Mistakes};
use serde::Deserialize;
use std::ops::Range;
use std::path::Path;
use std::sync::LazyLock;

const OWN: &str = include_str!("rules.toml");

#[derive(Deserialize)]
struct File {
    #[serde(default)]
    rules: Vec<Raw>,
    allowlist: Option<RawAllowed>,
    #[serde(default)]
    allowlists: Vec<RawAllowed>,
    extend: Option<Extend>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Extend {
    path: Option<String>,
    url: Option<String>,
    #[serde(default)]
    disabled_rules: Vec<String>,
}

#[derive(Deserialize)]
struct Raw {
    id: toml::Spanned<String>,
    title: Option<String>,
    description: Option<String>,
    regex: Option<toml::Spanned<String>>,
    #[serde(default)]
    keywords: Vec<String>,
    #[serde(default)]
    entropy: f64,
    #[serde(rename = "secretGroup")]
    secret_group: Option<usize>,
    allowlist: Option<RawAllowed>,
    #[serde(default)]
    allowlists: Vec<RawAllowed>,
    within: Option<String>,
    #[serde(default)]
    generic: bool,
    #[serde(default)]
    #[cfg_attr(not(test), expect(dead_code, reason = "read by the tests of the rules"))]
    finds: Vec<String>,
    #[serde(default)]
    #[cfg_attr(not(test), expect(dead_code, reason = "read by the tests of the rules"))]
    spares: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawAllowed {
    #[serde(default)]
    regexes: Vec<toml::Spanned<String>>,
    #[serde(default)]
    stopwords: Vec<String>,
    regex_target: Option<String>,
}

impl Rules {
    /// The rules govctl brings along.
    pub fn own() -> &'static Self {
        static RULES: LazyLock<Rules> = LazyLock::new(|| {
            let read = own().and_then(|(rules, _)| build(rules, OWN, "rules.toml"));
            read.expect("the rules that come with govctl are tested")
        });
        &RULES
    }

    /// govctl's own and those of a `gitleaks.toml`, which may switch off some of the former by `[extend] disabledRules`.
    pub fn with_file(path: &Path, text: &str) -> Result<Self, Mistakes> {
        let name = path.display().to_string();
        let (theirs, disabled) = read(text, &name, Pattern::compiled)?;
        let (own, _) = own()?;
        let kept = own.into_iter().filter(|(rule, _)| !disabled.contains(&rule.id));
        // Theirs first: the more specific rule names the finding.
        build(theirs.into_iter().chain(kept).collect(), text, &name)
    }
}

type Parsed = Vec<(Rule, Vec<String>)>;

fn own() -> Result<(Parsed, Vec<String>), Mistakes> {
    read(OWN, "rules.toml", |text| Ok(Pattern::known(text)))
}

fn read(
    text: &str,
    name: &str,
    pattern: impl Fn(&str) -> Result<Pattern, regex::Error>,
) -> Result<(Parsed, Vec<String>), Mistakes> {
    let bad = |message: String, place: Option<Range<usize>>| {
        let mistake = Mistake::new(place.unwrap_or(0..0).into(), message, "here");
        Mistakes::new(name, text, vec![mistake])
    };
    let file: File = toml::from_str(text).map_err(|error| bad(error.message().to_owned(), error.span()))?;
    if let Some(Extend { path: Some(other), .. } | Extend { url: Some(other), .. }) = &file.extend {
        let mistake = Mistake::new((0..0).into(), format!("the rules of {other} are not read along"), "extended");
        let help = "name that file in govctl.yaml, or write both into one";
        return Err(Mistakes::new(name, text, vec![mistake.help(help)]));
    }
    let compile = |regex: &toml::Spanned<String>| {
        pattern(regex.get_ref()).map_err(|error| bad(last_line(&error), Some(regex.span())))
    };
    let allowed =
        |lists: Vec<RawAllowed>| lists.into_iter().map(|list| allow(list, &compile)).collect::<Result<Vec<_>, _>>();
    let everywhere = allowed(file.allowlist.into_iter().chain(file.allowlists).collect())?;
    let mut rules = Vec::new();
    for raw in file.rules {
        // A rule about paths alone has nothing to say of a database.
        let Some(regex) = &raw.regex else { continue };
        let within = match raw.within.as_deref() {
            None => Within::Anything,
            Some("text") => Within::Text,
            Some("code") => Within::Code,
            Some(other) => return Err(bad(format!("`within` is no {other}"), Some(raw.id.span()))),
        };
        let regex = compile(regex)?;
        if raw.secret_group.is_some_and(|group| group > 0 && group >= regex.regex().captures_len()) {
            return Err(bad("the regex has no such group".to_owned(), Some(raw.id.span())));
        }
        let mut lists = allowed(raw.allowlist.into_iter().chain(raw.allowlists).collect())?;
        lists.extend(everywhere.iter().cloned());
        let id = raw.id.into_inner();
        let rule = Rule {
            title: raw.title.or(raw.description).unwrap_or_else(|| id.clone()),
            id,
            regex,
            group: raw.secret_group.filter(|group| *group > 0),
            entropy: raw.entropy,
            within,
            generic: raw.generic,
            allowed: lists,
        };
        rules.push((rule, raw.keywords.into_iter().map(|word| word.to_lowercase()).collect()));
    }
    Ok((rules, file.extend.map(|extend| extend.disabled_rules).unwrap_or_default()))
}

fn allow(
    raw: RawAllowed,
    compile: &impl Fn(&toml::Spanned<String>) -> Result<Pattern, Mistakes>,
) -> Result<Allowed, Mistakes> {
    let regexes = raw.regexes.iter().map(compile).collect::<Result<Vec<_>, _>>()?;
    let words = raw.stopwords.into_iter().map(|word| word.to_lowercase()).collect();
    Ok(match raw.regex_target.as_deref() {
        Some("match" | "line") => Allowed { of_match: regexes, words, ..Allowed::default() },
        _ => Allowed { of_secret: regexes, words, ..Allowed::default() },
    })
}

fn build(rules: Parsed, text: &str, name: &str) -> Result<Rules, Mistakes> {
    let bad = |error: aho_corasick::BuildError| {
        Mistakes::new(name, text, vec![Mistake::new((0..0).into(), error.to_string(), "in this file")])
    };
    Rules::new(rules).map_err(bad)
}

/// The regex crate draws its mistake over several lines and explains it in the last.
fn last_line(error: &regex::Error) -> String {
    let text = error.to_string();
    let last = text.lines().last().unwrap_or_default();
    format!("this regex cannot be used: {}", last.trim_start_matches("error: "))
}

#[cfg(test)]
mod tests;
