//! `waivers:`: findings somebody accepts, for a reason and for a while.

use super::date;
use crate::check::{Ids, UnknownCheck};
use crate::yaml::{Mistake, Node, Place, Reader, Value};
use glob::{MatchOptions, Pattern};
use jiff::ToSpan;
use jiff::civil::Date;

/// One waiver.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waiver {
    /// Id of the check whose findings it accepts.
    pub check: String,
    /// Which objects; `*` is any text.
    pub object: Pattern,
    /// Why.
    pub reason: String,
    /// Who answers for it.
    pub owner: String,
    /// The last day on which it counts.
    pub until: Date,
    /// States of findings that were looked at and accepted; where there are none, any state is.
    pub accepts: Vec<String>,
    /// Where it stands in the file.
    pub place: Place,
    /// Where its check's name stands.
    pub check_place: Place,
}

impl Waiver {
    /// Whether it is about this finding, by check and object.
    pub fn covers(&self, check: &str, object: &str) -> bool {
        self.check == check && self.object.matches_with(object, MatchOptions::new())
    }

    /// Whether it has run out.
    pub fn expired(&self, today: Date) -> bool {
        today > self.until
    }
}

/// Waivers that name no check: they would accept nothing, without anybody noticing.
pub(super) fn unknown(waivers: &[Waiver], checks: &Ids) -> Vec<Mistake> {
    let unknown = waivers.iter().filter_map(|waiver| Some((waiver, checks.look_up(&waiver.check).err()?)));
    let mistake = |(waiver, unknown): (&Waiver, UnknownCheck)| {
        Mistake::new(waiver.check_place, format!("there is no check `{}`", waiver.check), "expected the id of a check")
            .help(unknown.help)
    };
    unknown.map(mistake).collect()
}

pub(super) fn read(reader: &Reader, node: &Node, today: Date) -> Option<Vec<Waiver>> {
    Some(reader.list(node)?.iter().filter_map(|item| one(reader, item, today)).collect())
}

fn one(reader: &Reader, node: &Node, today: Date) -> Option<Waiver> {
    let fields = reader.fields(node, "a waiver", &["check", "object", "reason", "owner", "until", "accepts"])?;
    let check = fields.required("check").and_then(|node| Some((node.place, reader.text(node)?)));
    let object = fields.required("object").and_then(|node| pattern(reader, node));
    let reason = fields.required("reason").and_then(|node| reader.text(node));
    let owner = fields.required("owner").and_then(|node| reader.text(node));
    let until = fields.required("until").and_then(|node| until(reader, node, today));
    let accepts = fields.optional("accepts").map_or(Some(Vec::new()), |node| states(reader, node));
    let (check_place, check) = check?;
    Some(Waiver {
        check,
        object: object?,
        reason: reason?,
        owner: owner?,
        until: until?,
        accepts: accepts?,
        place: node.place,
        check_place,
    })
}

fn pattern(reader: &Reader, node: &Node) -> Option<Pattern> {
    let text = reader.text(node)?;
    match Pattern::new(&text) {
        Ok(pattern) => Some(pattern),
        Err(error) => {
            let mistake = Mistake::new(node.place, format!("`{text}` is no glob: {}", error.msg), "not a pattern");
            reader.mistake(mistake.help("`*` stands for any text, `?` for a character, `[[]` for an opening bracket"));
            None
        }
    }
}

/// What lasts for ever is no waiver but a decision nobody looks at again.
fn until(reader: &Reader, node: &Node, today: Date) -> Option<Date> {
    let until = date::read(reader, node)?;
    let longest = today.saturating_add(1.year());
    if until > longest {
        let mistake = Mistake::new(node.place, format!("{until} is more than a year away"), "too far away");
        reader.mistake(mistake.help(format!("{longest} at the latest; then look at it again")));
    }
    Some(until)
}

/// One state or several, as a report shows them.
fn states(reader: &Reader, node: &Node) -> Option<Vec<String>> {
    let one = |node: &Node, text: String| {
        if text.len() == STATE && text.chars().all(|c| c.is_ascii_hexdigit() && !c.is_ascii_uppercase()) {
            return Some(text);
        }
        let mistake = Mistake::new(node.place, format!("`{text}` is no state of a finding"), "expected 16 hex digits");
        reader.mistake(mistake.help("a report shows it beside the finding, as `state`"));
        None
    };
    match node.value {
        Value::List(_) => Some(reader.texts(node)?.into_iter().filter_map(|(node, text)| one(node, text)).collect()),
        _ => Some(vec![one(node, reader.text(node)?)?]),
    }
}

/// Hex digits of a state.
const STATE: usize = 16;
