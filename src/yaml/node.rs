//! YAML as a tree in which every value knows its place.

use super::Mistake;
use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_yaml::{Location, Spanned};
use std::fmt;

/// A range of bytes in the file.
pub type Place = miette::SourceSpan;

/// A value and where it stands.
#[derive(Clone, Debug)]
pub struct Node {
    /// What it is.
    pub value: Value,
    /// Where it stands; of a block scalar, the whole block.
    pub place: Place,
}

/// What YAML can say. Numbers keep the text they were written as, since ids such as `164.10` are no numbers.
#[derive(Clone, Debug)]
pub enum Value {
    /// `~`, or nothing after the colon.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// As written.
    Number(String),
    /// Plain, quoted or block.
    Text(String),
    /// `- a` or `[a]`.
    List(Vec<Node>),
    /// Keys in the order of the file.
    Map(Vec<(Node, Node)>),
}

impl Value {
    /// What it is, for "expected a list, found …".
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Null => "nothing",
            Self::Bool(_) => "true or false",
            Self::Number(_) => "a number",
            Self::Text(_) => "text",
            Self::List(_) => "a list",
            Self::Map(_) => "a map",
        }
    }
}

impl Node {
    /// Reads one document; text that is no YAML at all, or repeats a key, is a single mistake.
    pub fn parse(text: &str) -> Result<Self, Mistake> {
        let options = serde_yaml::options! { with_snippet: false, strict_booleans: true };
        let bare: Spanned<Bare> =
            serde_yaml::from_str_with_options(text, options).map_err(|error| no_document(&error, text))?;
        Ok(Self::locate(bare, text))
    }

    fn locate(bare: Spanned<Bare>, text: &str) -> Self {
        let place = place(bare.referenced, text);
        let value = match bare.value {
            Bare::Null => Value::Null,
            Bare::Bool(is) => Value::Bool(is),
            Bare::Number => Value::Number(text[place.offset()..place.offset() + place.len()].trim().to_owned()),
            Bare::Text(text) => Value::Text(text),
            Bare::List(items) => Value::List(items.into_iter().map(|item| Self::locate(item, text)).collect()),
            Bare::Map(entries) => Value::Map(
                entries.into_iter().map(|(key, value)| (Self::locate(key, text), Self::locate(value, text))).collect(),
            ),
        };
        Self { value, place }
    }
}

/// The caret says where; the parser's own "at line 3, column 6" would say it twice.
fn no_document(error: &serde_yaml::Error, text: &str) -> Mistake {
    let message = error.render_with_formatter(&serde_yaml::UserMessageFormatter);
    let message = message.split(" at line ").next().unwrap_or(&message);
    Mistake::new(error.location().map_or_else(|| Place::from(0..0), |location| place(location, text)), message, "here")
}

/// The bytes of a location, cut to the text and to whole characters. An error of the scanner knows only its line and column.
fn place(location: Location, text: &str) -> Place {
    let span = location.span();
    let by_line = || {
        let line =
            text.split_inclusive('\n').take(location.line().saturating_sub(1) as usize).map(str::len).sum::<usize>();
        let before = text[line..].chars().take(location.column().saturating_sub(1) as usize);
        line + before.map(char::len_utf8).sum::<usize>()
    };
    let start = span.byte_offset().map_or_else(by_line, |offset| text.floor_char_boundary(offset as usize));
    let length = span.byte_len().map_or(0, |length| length as usize);
    let end = text.floor_char_boundary(start.saturating_add(length));
    Place::from(start..end.max(start))
}

/// What the deserializer hands over, before numbers get back their text.
enum Bare {
    Null,
    Bool(bool),
    Number,
    Text(String),
    List(Vec<Spanned<Self>>),
    Map(Vec<(Spanned<Self>, Spanned<Self>)>),
}

impl<'de> Deserialize<'de> for Bare {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(BareVisitor)
    }
}

struct BareVisitor;

impl<'de> Visitor<'de> for BareVisitor {
    type Value = Bare;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("YAML")
    }

    fn visit_unit<E>(self) -> Result<Bare, E> {
        Ok(Bare::Null)
    }

    fn visit_none<E>(self) -> Result<Bare, E> {
        Ok(Bare::Null)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Bare, D::Error> {
        Deserialize::deserialize(deserializer)
    }

    fn visit_bool<E>(self, is: bool) -> Result<Bare, E> {
        Ok(Bare::Bool(is))
    }

    fn visit_i64<E>(self, _: i64) -> Result<Bare, E> {
        Ok(Bare::Number)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Bare, E> {
        Ok(Bare::Number)
    }

    fn visit_i128<E>(self, _: i128) -> Result<Bare, E> {
        Ok(Bare::Number)
    }

    fn visit_u128<E>(self, _: u128) -> Result<Bare, E> {
        Ok(Bare::Number)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Bare, E> {
        Ok(Bare::Number)
    }

    fn visit_str<E>(self, text: &str) -> Result<Bare, E> {
        Ok(Bare::Text(text.to_owned()))
    }

    fn visit_string<E>(self, text: String) -> Result<Bare, E> {
        Ok(Bare::Text(text))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Bare, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = list.next_element()? {
            items.push(item);
        }
        Ok(Bare::List(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Bare, A::Error> {
        let mut entries = Vec::new();
        while let Some(entry) = map.next_entry()? {
            entries.push(entry);
        }
        Ok(Bare::Map(entries))
    }
}
