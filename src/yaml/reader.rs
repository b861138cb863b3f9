//! Takes what is expected out of a tree and writes down what is not.

use super::{Mistake, Node, Place, Value, nearest};
use std::cell::RefCell;
use std::fmt::Display;
use std::ops::RangeInclusive;

/// Collects mistakes; what could be read is handed out all the same, so that one reading finds them all.
#[derive(Debug, Default)]
pub struct Reader {
    mistakes: RefCell<Vec<Mistake>>,
}

impl Reader {
    /// Writes down a mistake.
    pub fn mistake(&self, mistake: Mistake) {
        self.mistakes.borrow_mut().push(mistake);
    }

    /// Whether there is no mistake so far.
    pub fn is_content(&self) -> bool {
        self.mistakes.borrow().is_empty()
    }

    /// Every mistake so far.
    pub fn into_mistakes(self) -> Vec<Mistake> {
        self.mistakes.into_inner()
    }

    /// The fields of a map that knows only `keys`; any other key is a mistake. `what` names the map: "a check".
    pub fn fields<'a>(&'a self, node: &'a Node, what: &'a str, keys: &[&'static str]) -> Option<Fields<'a>> {
        let entries = self.entries(node)?;
        for (key, name) in entries.iter().map(|(key, name, _)| (key, name)) {
            if !keys.contains(name) {
                let help = nearest(name, keys.iter().copied())
                    .map_or_else(|| format!("{what} has {}", listed(keys)), |near| format!("did you mean `{near}`?"));
                self.mistake(Mistake::new(key.place, format!("{what} has no key `{name}`"), "unknown key").help(help));
            }
        }
        Some(Fields { reader: self, what, place: node.place, entries })
    }

    /// The entries of a map whose keys are free, as key node, key and value.
    pub fn entries<'a>(&self, node: &'a Node) -> Option<Vec<(&'a Node, &'a str, &'a Node)>> {
        let Value::Map(entries) = &node.value else { return self.expected(node, "a map") };
        let named = entries.iter().filter_map(|(key, value)| match &key.value {
            Value::Text(name) => Some((key, name.as_str(), value)),
            _ => self.expected(key, "a key made of text"),
        });
        Some(named.collect())
    }

    /// Text that is not blank, trimmed of blanks at its end. A number is taken as it is written.
    pub fn text(&self, node: &Node) -> Option<String> {
        match &node.value {
            Value::Text(text) if text.trim().is_empty() => {
                self.mistake(Mistake::new(node.place, "this text is blank", "say something here"));
                None
            }
            Value::Text(text) | Value::Number(text) => Some(text.trim_end().to_owned()),
            _ => self.expected(node, "text"),
        }
    }

    /// The items of a list.
    pub fn list<'a>(&self, node: &'a Node) -> Option<&'a [Node]> {
        let Value::List(items) = &node.value else { return self.expected(node, "a list") };
        Some(items)
    }

    /// A list of texts, each with its place.
    pub fn texts<'a>(&self, node: &'a Node) -> Option<Vec<(&'a Node, String)>> {
        Some(self.list(node)?.iter().filter_map(|item| Some((item, self.text(item)?))).collect())
    }

    /// A whole number within `range`.
    pub fn whole(&self, node: &Node, range: RangeInclusive<u32>) -> Option<u32> {
        let expected = format!("a whole number from {} to {}", range.start(), range.end());
        match &node.value {
            Value::Number(number) => number.parse().ok().filter(|number| range.contains(number)),
            _ => None,
        }
        .or_else(|| self.expected(node, &expected))
    }

    /// One of a few words, each with its meaning.
    pub fn one_of<T: Clone>(&self, node: &Node, words: &[(&'static str, T)]) -> Option<T> {
        let names: Vec<_> = words.iter().map(|(word, _)| *word).collect();
        let Value::Text(text) = &node.value else { return self.expected(node, listed(&names)) };
        if let Some((_, meaning)) = words.iter().find(|(word, _)| word == text) {
            return Some(meaning.clone());
        }
        let help = nearest(text, names.iter().copied()).map(|near| format!("did you mean `{near}`?"));
        let mut mistake =
            Mistake::new(node.place, format!("`{text}` is not known here"), format!("expected {}", listed(&names)));
        mistake.help = help;
        self.mistake(mistake);
        None
    }

    fn expected<T>(&self, node: &Node, what: impl Display) -> Option<T> {
        let found = match &node.value {
            Value::Number(number) => number.clone(),
            other => other.kind().to_owned(),
        };
        self.mistake(Mistake::new(node.place, format!("expected {what}, found {found}"), format!("{what} goes here")));
        None
    }
}

/// A map whose keys have been looked through.
pub struct Fields<'a> {
    reader: &'a Reader,
    what: &'a str,
    place: Place,
    entries: Vec<(&'a Node, &'a str, &'a Node)>,
}

impl<'a> Fields<'a> {
    /// The value of a key that may be missing.
    pub fn optional(&self, key: &str) -> Option<&'a Node> {
        self.entries.iter().find(|(_, name, _)| *name == key).map(|(_, _, value)| *value)
    }

    /// The value of a key; that it is missing is a mistake.
    pub fn required(&self, key: &str) -> Option<&'a Node> {
        self.optional(key).or_else(|| {
            self.missing(&format!("`{key}`"));
            None
        })
    }

    /// Writes down that something is missing from this map.
    pub fn missing(&self, what: &str) {
        self.reader.mistake(Mistake::new(self.place, format!("{} has no {what}", self.what), "missing from this map"));
    }
}

/// "`a`, `b` or `c`".
fn listed(words: &[&str]) -> String {
    let quoted: Vec<_> = words.iter().map(|word| format!("`{word}`")).collect();
    match quoted.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, rest)) => format!("{} or {last}", rest.join(", ")),
        None => "nothing".to_owned(),
    }
}
