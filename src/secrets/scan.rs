//! All rules over one text.

use super::inserts::under_secret_names;
use super::literals::literals;
use super::plausible;
use super::rule::{Rule, Within};
use aho_corasick::AhoCorasick;
use std::collections::BTreeSet;
use std::ops::Range;

/// What a text is, which decides the rules that are tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A value, a comment, an option: it says things as people and JSON do.
    Text,
    /// SQL or PL/pgSQL.
    Sql,
    /// Code in another language, whose quotes are not known.
    OtherCode,
}

/// Rules, ready to be tried.
#[derive(Clone, Debug)]
pub struct Rules {
    rules: Vec<Rule>,
    keywords: AhoCorasick,
    /// Of each keyword, its rule.
    rule_of_keyword: Vec<usize>,
    /// Rules without a keyword, tried always.
    always: Vec<usize>,
}

/// Something that has to be hidden.
#[derive(Clone, Debug)]
pub struct Found<'r> {
    /// The rule that says so; none where a literal merely looks made by a machine.
    pub rule: Option<&'r Rule>,
    /// The secret in the text.
    pub place: Range<usize>,
    /// Worth a finding: no placeholder, no test value.
    pub tell: bool,
}

impl Rules {
    /// Specific rules come before generic ones: what one has found is not found again.
    pub(super) fn new(rules: Vec<(Rule, Vec<String>)>) -> Result<Self, aho_corasick::BuildError> {
        let mut words = Vec::new();
        let (mut rule_of_keyword, mut always) = (Vec::new(), Vec::new());
        for (number, (_, keywords)) in rules.iter().enumerate() {
            if keywords.is_empty() {
                always.push(number);
            }
            for keyword in keywords {
                words.push(keyword.clone());
                rule_of_keyword.push(number);
            }
        }
        let keywords = AhoCorasick::builder().ascii_case_insensitive(true).build(words)?;
        Ok(Self { rules: rules.into_iter().map(|(rule, _)| rule).collect(), keywords, rule_of_keyword, always })
    }

    /// Every rule, in order.
    pub fn iter(&self) -> impl Iterator<Item = &Rule> {
        self.rules.iter()
    }

    /// A text of somebody else's, to be said: an error of a server, a line of a file.
    pub fn hide(&self, text: &str) -> String {
        let name =
            |hit: &Found<'_>, _: &str| format!("[redacted:{}]", hit.rule.map_or("literal", |rule| rule.id.as_str()));
        redact(text, &self.find(text, Kind::Text), name)
    }

    /// What has to be hidden of a text, in the order of the text, without overlaps.
    pub fn find(&self, text: &str, kind: Kind) -> Vec<Found<'_>> {
        if text.len() < 6 {
            return Vec::new();
        }
        let wanted: BTreeSet<usize> = self
            .keywords
            .find_overlapping_iter(text)
            .map(|hit| self.rule_of_keyword[hit.pattern().as_usize()])
            .chain(self.always.iter().copied())
            .collect();
        let inside = if kind == Kind::Sql { literals(text) } else { Vec::new() };
        let mut found: Vec<Found<'_>> = Vec::new();
        for rule in wanted.into_iter().map(|number| &self.rules[number]) {
            match (rule.within, kind) {
                (Within::Code, Kind::Text) => {}
                (Within::Text, Kind::Sql) => inside.iter().for_each(|part| add(&mut found, rule, text, part.clone())),
                _ => add(&mut found, rule, text, 0..text.len()),
            }
        }
        if kind == Kind::Sql {
            let rule = self.rules.iter().find(|rule| rule.id == BY_NAME);
            for place in
                under_secret_names(text).into_iter().filter(|place| !overlaps(&found, place)).collect::<Vec<_>>()
            {
                found.push(Found { rule, place, tell: true });
            }
            for part in inside {
                machine_made(&mut found, text, part);
            }
        } else {
            machine_made(&mut found, text, 0..text.len());
        }
        found.sort_by_key(|found| found.place.start);
        found
    }
}

/// The rule for what only a name beside it calls a secret.
const BY_NAME: &str = "secret-in-code";

fn overlaps(found: &[Found<'_>], place: &Range<usize>) -> bool {
    found.iter().any(|known| known.place.start < place.end && place.start < known.place.end)
}

fn add<'r>(found: &mut Vec<Found<'r>>, rule: &'r Rule, text: &str, part: Range<usize>) {
    for hit in rule.matches(&text[part.clone()]) {
        let place = part.start + hit.secret.start..part.start + hit.secret.end;
        if !overlaps(found, &place) {
            found.push(Found { rule: Some(rule), place, tell: hit.tell });
        }
    }
}

/// Words that no rule knows and that still had better not be kept.
fn machine_made(found: &mut Vec<Found<'_>>, text: &str, part: Range<usize>) {
    let start = text.as_ptr() as usize;
    let ends = |c: char| c.is_whitespace() || "'\"=,;:()[]{}<>".contains(c);
    let unkept = |word: &&str| plausible::is_machine_made(word) || plausible::is_password_like(word);
    for word in text[part].split(ends).filter(unkept) {
        let at = word.as_ptr() as usize - start;
        let place = at..at + word.len();
        if !overlaps(found, &place) {
            found.push(Found { rule: None, place, tell: false });
        }
    }
}

/// The text without what was found; `name` says what stands in its place. Quotes stay, so code stays code.
pub fn redact(text: &str, found: &[Found<'_>], mut name: impl FnMut(&Found<'_>, &str) -> String) -> String {
    let mut redacted = String::with_capacity(text.len());
    let mut at = 0;
    for hit in found {
        redacted.push_str(&text[at..hit.place.start]);
        redacted.push_str(&name(hit, &text[hit.place.clone()]));
        at = hit.place.end;
    }
    redacted.push_str(&text[at..]);
    redacted
}
