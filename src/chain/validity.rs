//! From when until when a key vouches: a key that was found out later must not vouch for what it never saw.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

/// The time in which a key signs. Both ends are open where nothing is said.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Validity {
    from: Option<Timestamp>,
    until: Option<Timestamp>,
}

impl Validity {
    /// Between two moments, the second not included.
    pub const fn new(from: Option<Timestamp>, until: Option<Timestamp>) -> Self {
        Self { from, until }
    }

    /// The lines behind a key in its file: `not-before: 2026-01-01` and `not-after: 2027-01-01T12:00:00Z`, each at most
    /// once; lines that begin with `#` say nothing. None where a line says something else.
    pub fn parse<'a>(lines: impl Iterator<Item = &'a str>) -> Option<Self> {
        let mut validity = Self::default();
        for line in lines.map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')) {
            let (what, when) = line.split_once(':')?;
            let end = match what.trim() {
                "not-before" => &mut validity.from,
                "not-after" => &mut validity.until,
                _ => return None,
            };
            if end.replace(instant(when.trim())?).is_some() {
                return None;
            }
        }
        Some(validity)
    }

    /// The same as lines of a key's file.
    pub fn text(&self) -> String {
        let line =
            |what: &str, when: Option<Timestamp>| when.map_or_else(String::new, |when| format!("\n{what}: {when}"));
        line("not-before", self.from) + &line("not-after", self.until)
    }

    /// Why a key of this validity does not vouch for that moment; none where it does.
    pub fn objection(&self, at: Timestamp) -> Option<String> {
        match (self.from, self.until) {
            (Some(from), _) if at < from => Some(format!("is valid only from {from}")),
            (_, Some(until)) if at >= until => Some(format!("was valid until {until}")),
            _ => None,
        }
    }
}

/// A moment, or the beginning of a day in UTC.
pub fn instant(text: &str) -> Option<Timestamp> {
    let of_day = || text.parse::<Date>().ok()?.to_zoned(TimeZone::UTC).ok().map(|day| day.timestamp());
    text.parse().ok().or_else(of_day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_vouches_for_its_own_time() {
        let lines = "# of this year\nnot-before: 2026-01-01\nnot-after: 2026-07-01T12:00:00Z\n";
        let validity = Validity::parse(lines.lines()).unwrap();
        let objection = |at: &str| validity.objection(instant(at).unwrap());
        assert_eq!(objection("2025-12-31").unwrap(), "is valid only from 2026-01-01T00:00:00Z");
        assert_eq!(objection("2026-03-01"), None);
        assert_eq!(objection("2026-07-01T12:00:00Z").unwrap(), "was valid until 2026-07-01T12:00:00Z");
        assert_eq!(Validity::parse(validity.text().lines()), Some(validity));
        for wrong in ["not-after: soon", "valid: 2026-01-01", "not-after: 2026-01-01\nnot-after: 2026-01-02"] {
            assert_eq!(Validity::parse(wrong.lines()), None, "{wrong}");
        }
        assert_eq!(Validity::default().objection(Timestamp::UNIX_EPOCH), None);
    }
}
