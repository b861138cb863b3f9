//! One rule.

use super::plausible;
use regex::{Captures, Regex};
use std::ops::Range;

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
    pub(super) of_secret: Vec<Regex>,
    pub(super) of_match: Vec<Regex>,
    /// Lower case.
    pub(super) words: Vec<String>,
}

impl Allowed {
    fn covers(&self, secret: &str, whole: &str) -> bool {
        let lower = secret.to_lowercase();
        self.of_secret.iter().any(|regex| regex.is_match(secret))
            || self.of_match.iter().any(|regex| regex.is_match(whole))
            || self.words.iter().any(|word| lower.contains(word))
    }
}

/// What one kind of secret looks like.
#[derive(Clone, Debug)]
pub struct Rule {
    /// Names it in findings.
    pub id: String,
    /// What it is, for a sentence: "a Stripe secret key".
    pub title: String,
    pub(super) regex: Regex,
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
        self.regex.captures_iter(text).filter_map(|captures| self.judge(&captures))
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
