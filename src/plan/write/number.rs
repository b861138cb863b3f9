//! The numbers that come next.

use super::ground::Ground;
use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use std::cmp::Ordering;

/// How a folder counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Count {
    /// `0007`: digits, and what is added each time.
    Sequence { width: usize, last: u128, step: u128 },
    /// `20260503120000`, or the same to the minute.
    Stamp { last: Option<DateTime>, minutes: bool },
    /// Milliseconds since 1970.
    Millis { last: i64 },
    /// `1.2`, `1_10`: the last part is counted.
    Parts { before: String, last: u128, width: usize },
}

impl Count {
    /// How versions like these are continued; `otherwise` where there are none, or none with digits.
    pub(super) fn of<'a>(versions: impl Iterator<Item = &'a str>, otherwise: Self) -> Self {
        let versions: Vec<&str> =
            versions.filter(|version| version.starts_with(|c: char| c.is_ascii_digit())).collect();
        let Some(last) = versions.iter().copied().max_by(|a, b| compare(a, b)) else { return otherwise };
        if let Some(at) = last.rfind(|c: char| !c.is_ascii_digit()) {
            let (before, digits) = last.split_at(at + 1);
            if let Ok(number) = digits.parse() {
                return Self::Parts { before: before.to_owned(), last: number, width: digits.len() };
            }
            return otherwise;
        }
        if matches!(last.len(), 8 | 10 | 12 | 14 | 17)
            && let Some(at) = instant(last)
        {
            return Self::Stamp { last: Some(at), minutes: last.len() == 12 };
        }
        if last.len() == 13
            && let Ok(last) = last.parse()
        {
            return Self::Millis { last };
        }
        let Ok(number) = last.parse::<u128>() else { return otherwise };
        let numbers: Vec<u128> = versions.iter().filter_map(|version| version.parse().ok()).collect();
        let all_by = |by: u128| numbers.len() > 1 && numbers.iter().all(|number| number % by == 0);
        let step = [100, 10].into_iter().find(|by| all_by(*by)).unwrap_or(1);
        let padded = versions.iter().filter(|version| version.starts_with('0')).map(|version| version.len()).max();
        Self::Sequence { width: padded.unwrap_or(1), last: number, step }
    }

    /// How the folder counts, by the versions its tool reads.
    pub(super) fn of_ground(ground: &Ground, otherwise: Self) -> Self {
        Self::of(ground.known.iter().map(|known| known.version.as_str()), otherwise)
    }

    pub(super) const fn first(width: usize) -> Self {
        Self::Sequence { width, last: 0, step: 1 }
    }

    pub(super) const STAMP: Self = Self::Stamp { last: None, minutes: false };

    /// The n-th from here, from 0.
    pub(super) fn next(&self, n: usize, now: Timestamp) -> String {
        let n128 = n as u128;
        match self {
            Self::Sequence { width, last, step } => format!("{:0width$}", last + step * (n128 + 1)),
            Self::Parts { before, last, width } => format!("{before}{:0width$}", last + n128 + 1),
            Self::Millis { last } => (now.as_millisecond().max(last + 1) + n as i64).to_string(),
            Self::Stamp { last, minutes } => {
                let at = stamp(*last, *minutes, n, now);
                at.strftime(if *minutes { "%Y%m%d%H%M" } else { "%Y%m%d%H%M%S" }).to_string()
            }
        }
    }
}

/// The n-th moment after the last, and not before now.
pub(super) fn stamp(last: Option<DateTime>, minutes: bool, n: usize, now: Timestamp) -> DateTime {
    let unit = i64::from(if minutes { 60 } else { 1 });
    let now = now.to_zoned(TimeZone::UTC).datetime();
    let after = |at: DateTime, n: i64| at.checked_add(jiff::SignedDuration::from_secs(unit * n)).unwrap_or(at);
    let first = last.map_or(now, |last| now.max(after(last, 1)));
    after(first, n as i64)
}

/// A date and time written as digits alone: to the day, the hour, the minute, the second or the millisecond.
pub(super) fn instant(digits: &str) -> Option<DateTime> {
    let part =
        |from: usize, to: usize| digits.get(from..to.min(digits.len())).and_then(|part| part.parse::<i16>().ok());
    let year = part(0, 4).filter(|year| (1990..2100).contains(year))?;
    let rest = |from: usize| {
        if digits.len() >= from + 2 { part(from, from + 2).and_then(|n| i8::try_from(n).ok()) } else { Some(0) }
    };
    if digits.len() == 8 {
        // The whole day is taken: names are compared as text too.
        return jiff::civil::date(1990, 1, 1)
            .with()
            .year(year)
            .month(rest(4)?)
            .day(rest(6)?)
            .build()
            .ok()?
            .at(23, 59, 59, 0)
            .into();
    }
    DateTime::new(year, rest(4)?, rest(6)?, rest(8)?, rest(10)?, rest(12)?, 0).ok()
}

/// Versions as numbers, part by part: `2`, `10`, `1.2`, `1_10`.
pub(super) fn compare(a: &str, b: &str) -> Ordering {
    let parts = |text: &str| -> Vec<u128> {
        let parts = text.split(|c: char| !c.is_ascii_digit()).filter(|part| !part.is_empty());
        parts.map(|part| part.parse().unwrap_or(u128::MAX)).collect()
    };
    parts(a).cmp(&parts(b)).then_with(|| a.cmp(b))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn next(versions: &[&str]) -> [String; 2] {
        let now: Timestamp = "2026-11-22T08:16:58Z".parse().unwrap();
        let count = Count::of(versions.iter().copied(), Count::first(4));
        [count.next(0, now), count.next(1, now)]
    }

    #[test]
    fn the_folder_is_continued_as_it_counts() {
        assert_eq!(next(&[]), ["0001", "0002"]);
        assert_eq!(next(&["1", "2", "10"]), ["11", "12"]);
        assert_eq!(next(&["0001", "0002"]), ["0003", "0004"]);
        assert_eq!(next(&["009"]), ["010", "011"]);
        assert_eq!(next(&["0010", "0020", "0030"]), ["0040", "0050"]);
        assert_eq!(next(&["20240503120000"]), ["20261122081658", "20261122081659"]);
        assert_eq!(next(&["20261122081658"]), ["20261122081659", "20261122081700"]);
        assert_eq!(next(&["20990101000000"]), ["20990101000001", "20990101000002"]);
        assert_eq!(next(&["20240503"]), ["20261122081658", "20261122081659"]);
        assert_eq!(next(&["20261122"]), ["20261123000000", "20261123000001"]);
        assert_eq!(next(&["202405031200"]), ["202611220816", "202611220817"]);
        assert_eq!(next(&["1700000000000"]), ["1795335418000", "1795335418001"]);
        assert_eq!(next(&["1.2", "1.10"]), ["1.11", "1.12"]);
        assert_eq!(next(&["1_0_9"]), ["1_0_10", "1_0_11"]);
        assert_eq!(next(&["99999999"]), ["100000000", "100000001"]);
        assert_eq!(next(&["1", "0002"]), ["0003", "0004"]);
    }
}
