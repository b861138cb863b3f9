//! One rule.

use super::plausible;
use regex::{Captures, Regex, RegexBuilder};
use std::ops::Range;
use std::sync::OnceLock;

/// Where a rule is tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Within {
    Anything,
    Text,
    Code,
}

/// What is no secret after all, in the words of a user's gitleaks.toml.
#[derive(Clone, Debug, Default)]
pub(super) struct Allowed {
    pub(super) of_secret: Vec<Pattern>,
    pub(super) of_match: Vec<Pattern>,
    /// Lower case.
    pub(super) words: Vec<String>,
}

impl Allowed {
    fn covers(&self, secret: &str, whole: &str) -> bool {
        let lower = secret.to_lowercase();
        self.of_secret.iter().any(|pattern| pattern.regex().is_match(secret))
            || self.of_match.iter().any(|pattern| pattern.regex().is_match(whole))
            || self.words.iter().any(|word| lower.contains(word))
    }
}

/// A few rules of gitleaks compile to more than the regex crate's own limit.
const REGEX_SIZE: usize = 64 << 20;

/// A regular expression, compiled when it is first tried: most runs meet no keyword of most rules.
#[derive(Clone, Debug)]
pub(super) struct Pattern {
    text: String,
    compiled: OnceLock<Regex>,
}

impl Pattern {
    /// Compiled now, so that a mistake is told.
    pub(super) fn compiled(text: &str) -> Result<Self, regex::Error> {
        Ok(Self { text: text.to_owned(), compiled: OnceLock::from(compile(text)?) })
    }

    /// One that is known to compile.
    pub(super) fn known(text: &str) -> Self {
        Self { text: text.to_owned(), compiled: OnceLock::new() }
    }

    pub(super) fn regex(&self) -> &Regex {
        self.compiled.get_or_init(|| compile(&self.text).expect("the rules that come with govctl are tested"))
    }
}

fn compile(text: &str) -> Result<Regex, regex::Error> {
    RegexBuilder::new(text).size_limit(REGEX_SIZE).build()
}

/// What one kind of secret looks like.
#[derive(Clone, Debug)]
pub struct Rule {
    /// Names it in findings.
    pub id: String,
    /// What it is, for a sentence: "a Stripe secret key".
    pub title: String,
    pub(super) regex: Pattern,
    /// The group that is the secret; none: the first that took part.
    pub(super) group: Option<usize>,
    /// Bits a character.
    pub(super) entropy: f64,
    pub(super) within: Within,
    pub(super) generic: bool,
    pub(super) allowed: Vec<Allowed>,
}

/// A match of a rule: what to hide, and whether it is worth telling.
pub(super) struct Match {
    pub(super) secret: Range<usize>,
    pub(super) tell: bool,
}

impl Rule {
    pub(super) fn matches<'t>(&'t self, text: &'t str) -> impl Iterator<Item = Match> + 't {
        self.regex.regex().captures_iter(text).filter_map(|captures| self.judge(&captures))
    }

    /// Hides more than it tells: a placeholder is no finding, and still nobody's business.
    fn judge(&self, captures: &Captures<'_>) -> Option<Match> {
        let group = match self.group {
            Some(number) => captures.get(number),
            None => captures.iter().skip(1).flatten().find(|group| !group.is_empty()).or_else(|| captures.get(0)),
        }?;
        let secret = group.as_str();
        let whole = captures.get(0).map_or(secret, |whole| whole.as_str());
        if self.generic && plausible::is_of_code(secret) {
            return None;
        }
        let tell = plausible::entropy(secret) >= self.entropy
            && !plausible::is_placeholder(secret)
            && (!self.generic || plausible::is_random(secret))
            && !plausible::is_public_token(secret)
            && !self.allowed.iter().any(|allowed| allowed.covers(secret, whole));
        Some(Match { secret: group.range(), tell })
    }
}
