//! When a migration was made: the instant its name carries.

use jiff::Timestamp;
use jiff::civil::{Date, DateTime, Time};
use jiff::tz::TimeZone;
use std::path::Path;
use std::process::{Command, Stdio};

/// An instant, and what says so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Dated {
    pub(crate) at: Timestamp,
    /// `history-table` | `file-name` | `journal` | `plan` | `header` | `git`
    pub(crate) source: &'static str,
}

impl Dated {
    pub(crate) fn of_name(name: &str) -> Option<Self> {
        in_name(name).map(|at| Self { at, source: "file-name" })
    }

    pub(crate) fn of_millis(millis: i64, source: &'static str) -> Option<Self> {
        Some(Self { at: Timestamp::from_millisecond(millis).ok()?, source })
    }

    pub(crate) fn of_text(text: &str, source: &'static str) -> Option<Self> {
        written(text.trim()).map(|at| Self { at, source })
    }
}

/// When the file was first committed, where the folder is in a git repository.
pub(crate) fn committed(root: &Path, file: &str) -> Option<Dated> {
    let mut git = Command::new("git");
    git.arg("-C").arg(root).args(["-c", "core.fsmonitor=false", "-c", "log.showSignature=false"]);
    git.args(["log", "--diff-filter=A", "--follow", "--format=%aI", "-1", "--", file]);
    let output = git.stdin(Stdio::null()).stderr(Stdio::null()).output().ok()?;
    Dated::of_text(std::str::from_utf8(&output.stdout).ok()?, "git")
}

/// `2024-05-03T10:00:00Z`, `2024-05-03 10:00:00.123456`, `2024-05-03`; without an offset it is taken for UTC.
fn written(text: &str) -> Option<Timestamp> {
    if let Ok(at) = text.parse::<Timestamp>() {
        return Some(at);
    }
    if let Ok(at) = text.replacen(' ', "T", 1).parse::<Timestamp>() {
        return Some(at);
    }
    let local = text.parse::<DateTime>().or_else(|_| text.parse::<Date>().map(DateTime::from)).ok()?;
    local.to_zoned(TimeZone::UTC).ok().map(|at| at.timestamp())
}

/// The first run of digits in a name that is an instant: fourteen or twelve digits of a date, milliseconds or seconds since
/// 1970, or `2024-01-31-120000`.
fn in_name(name: &str) -> Option<Timestamp> {
    let joined: String = name
        .chars()
        .map_while(|c| match c {
            '-' | '_' => Some('\0'),
            c if c.is_ascii_digit() => Some(c),
            'm' | 'M' | 'V' | 'v' | 'T' => Some('\0'),
            _ => None,
        })
        .filter(|c| *c != '\0')
        .collect();
    let runs = name.split(|c: char| !c.is_ascii_digit()).filter(|run| run.len() >= 8);
    [joined].into_iter().chain(runs.map(str::to_owned)).find_map(|run| digits(&run))
}

fn digits(run: &str) -> Option<Timestamp> {
    let number: i64 = run.get(..run.len().min(18))?.parse().ok()?;
    let plausible = |at: Timestamp| {
        let year = at.to_zoned(TimeZone::UTC).year();
        (1995..2100).contains(&year).then_some(at)
    };
    match run.len() {
        8 => date(run, "000000"),
        // `20260721_01` counts within a day; as seconds since 1970 it would be far off.
        9..=11 => date(run.get(..8)?, "000000")
            .or_else(|| Timestamp::from_second(number).ok().filter(|_| run.len() == 10).and_then(plausible)),
        12 => date(run.get(..8)?, &format!("{}00", run.get(8..)?)),
        13 => Timestamp::from_millisecond(number).ok().and_then(plausible),
        14 => date(run.get(..8)?, run.get(8..)?).or_else(|| date(run.get(..8)?, "000000")),
        15..=20 => date(run.get(..8)?, run.get(8..14)?),
        _ => None,
    }
}

fn date(day: &str, time: &str) -> Option<Timestamp> {
    let part = |text: &str, from: usize, to: usize| text.get(from..to)?.parse::<i16>().ok();
    let small = |text: &str, from: usize| i8::try_from(part(text, from, from + 2)?).ok();
    let day = Date::new(part(day, 0, 4)?, small(day, 4)?, small(day, 6)?).ok()?;
    if !(1995..2100).contains(&day.year()) {
        return None;
    }
    let time = Time::new(small(time, 0)?, small(time, 2)?, small(time, 4)?, 0).ok()?;
    DateTime::from_parts(day, time).to_zoned(TimeZone::UTC).ok().map(|at| at.timestamp())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_carry_dates_in_many_ways() {
        for (name, wanted) in [
            ("20240503101500_x", "2024-05-03T10:15:00Z"),
            ("m20240503_101500_x.rs", "2024-05-03T10:15:00Z"),
            ("2024-05-03-101500-0000_x", "2024-05-03T10:15:00Z"),
            ("1714731300000-Name", "2024-05-03T10:15:00Z"),
            ("V20240503__x", "2024-05-03T00:00:00Z"),
            ("202405031015_x", "2024-05-03T10:15:00Z"),
            ("20240503_01_x", "2024-05-03T00:00:00Z"),
            ("1714731300_x", "2024-05-03T10:15:00Z"),
            ("20240503T101500Z.sql", "2024-05-03T10:15:00Z"),
        ] {
            assert_eq!(Dated::of_name(name).map(|d| d.at.to_string()).as_deref(), Some(wanted), "{name}");
        }
        assert_eq!(Dated::of_name("0001_init"), None);
        assert_eq!(Dated::of_name("99999999999999_x"), None);
    }
}
