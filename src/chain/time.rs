//! Points in time as text, the way PostgreSQL and application languages write them.

use jiff::tz::TimeZone;
use std::io::Write;

/// Microseconds from 1970 to 2000.
const EPOCH: i64 = 946_684_800_000_000;
/// Microseconds from the first day of the year 1 to 2000.
pub const FROM_YEAR_ONE: i64 = 62_135_596_800_000_000 + EPOCH;
const SECOND: i64 = 1_000_000;
const DAY: i64 = 86_400 * SECOND;

/// How many digits of a second are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fraction {
    /// PostgreSQL's: up to six, zeros at the end dropped, none where it is whole.
    Trimmed,
    /// Always so many; digits that are not stored are zeros.
    Fixed(u8),
    /// Python's `isoformat`: six, or none where it is whole.
    Python,
    /// chrono's and Java's: none, three or six.
    Thirds,
    /// The same of Java's `LocalDateTime` and `OffsetDateTime`, which leave out the seconds of a whole minute, too.
    ThirdsOfMinute,
}

/// How an instant is spelled.
#[derive(Clone, Debug, PartialEq)]
pub struct Clock {
    /// Between date and time.
    pub between: &'static str,
    /// Without dashes and colons: `20260329T013000`.
    pub compact: bool,
    /// Digits of a second.
    pub fraction: Fraction,
    /// After the time; `None` writes the offset of `place` as PostgreSQL does.
    pub suffix: Option<&'static str>,
    /// On whose wall; `None` is UTC.
    pub place: Option<TimeZone>,
}

impl Clock {
    /// `::text` with `DateStyle = ISO` and `TimeZone = UTC`.
    pub const POSTGRES: Self = Self::utc(" ", Fraction::Trimmed, "+00");

    /// A point in time in UTC, with this behind it.
    pub const fn utc(between: &'static str, fraction: Fraction, suffix: &'static str) -> Self {
        Self { between, compact: false, fraction, suffix: Some(suffix), place: None }
    }

    /// What `to_char` writes under a pattern, where it is one of the usual ones.
    pub fn of_pattern(pattern: &str) -> Option<Self> {
        let rest = pattern.strip_prefix("YYYY-MM-DD")?;
        let (between, rest) = [("\"T\"", "T"), ("T", "T"), (" ", " ")]
            .into_iter()
            .find_map(|(written, between)| Some((between, rest.strip_prefix(written)?)))?;
        let rest = rest.strip_prefix("HH24:MI:SS")?;
        let (fraction, rest) = [(".US", 6), (".MS", 3), ("", 0)]
            .into_iter()
            .find_map(|(written, digits)| Some((Fraction::Fixed(digits), rest.strip_prefix(written)?)))?;
        let suffix = match rest {
            "" => "",
            "\"Z\"" | "Z" => "Z",
            "\"+00:00\"" | "+00:00" => "+00:00",
            "\"+00\"" | "+00" => "+00",
            _ => return None,
        };
        Some(Self::utc(between, fraction, suffix))
    }

    /// Spells microseconds since 2000. `bare`: a timestamp without a zone.
    pub fn write(&self, micros: i64, bare: bool, out: &mut Vec<u8>) {
        if micros == i64::MAX || micros == i64::MIN {
            out.extend_from_slice(if micros > 0 { b"infinity" } else { b"-infinity" });
            return;
        }
        let offset = self.place.as_ref().filter(|_| !bare).map_or(0, |place| offset(place, micros));
        let wall = micros + i64::from(offset) * SECOND;
        let (dash, colon) = if self.compact { ("", "") } else { ("-", ":") };
        calendar(wall.div_euclid(DAY), dash, out);
        out.extend_from_slice(self.between.as_bytes());
        let within = wall.rem_euclid(DAY);
        let seconds = within / SECOND;
        let _ = write!(out, "{:02}{colon}{:02}", seconds / 3600, seconds / 60 % 60);
        if self.fraction != Fraction::ThirdsOfMinute || within % (60 * SECOND) != 0 {
            let _ = write!(out, "{colon}{:02}", seconds % 60);
        }
        self.fraction.write(within % SECOND, out);
        match self.suffix {
            Some(suffix) if !(bare && *self == Self::POSTGRES) => out.extend_from_slice(suffix.as_bytes()),
            Some(_) => {}
            None if bare => {}
            None => push_offset(offset, out),
        }
    }
}

impl Fraction {
    fn write(self, micros: i64, out: &mut Vec<u8>) {
        let digits = match self {
            Self::Fixed(digits) => usize::from(digits),
            Self::Python => 6 * usize::from(micros != 0),
            Self::Thirds | Self::ThirdsOfMinute if micros == 0 => 0,
            Self::Thirds | Self::ThirdsOfMinute => 3 * (1 + usize::from(micros % 1000 != 0)),
            Self::Trimmed => {
                let mut digits = if micros == 0 { 0 } else { 6 };
                let mut rest = micros;
                while digits > 0 && rest % 10 == 0 {
                    rest /= 10;
                    digits -= 1;
                }
                digits
            }
        };
        if digits > 0 {
            let text = format!("{micros:06}000");
            out.push(b'.');
            out.extend_from_slice(&text.as_bytes()[..digits.min(9)]);
        }
    }
}

/// Seconds east of Greenwich at that instant.
fn offset(place: &TimeZone, micros: i64) -> i32 {
    jiff::Timestamp::from_microsecond(micros.saturating_add(EPOCH)).map_or(0, |at| place.to_offset(at).seconds())
}

/// `+02`, `+05:30`, as PostgreSQL writes it.
fn push_offset(seconds: i32, out: &mut Vec<u8>) {
    let (sign, seconds) = if seconds < 0 { ('-', -seconds) } else { ('+', seconds) };
    let _ = write!(out, "{sign}{:02}", seconds / 3600);
    if seconds % 3600 != 0 {
        let _ = write!(out, ":{:02}", seconds / 60 % 60);
    }
    if seconds % 60 != 0 {
        let _ = write!(out, ":{:02}", seconds % 60);
    }
}

/// `2026-03-29`, of days since 2000-01-01.
pub fn date(days: i64, out: &mut Vec<u8>) {
    if days == i64::from(i32::MAX) || days == i64::from(i32::MIN) {
        out.extend_from_slice(if days > 0 { b"infinity" } else { b"-infinity" });
        return;
    }
    calendar(days, "-", out);
}

/// Year, month and day (Hinnant's civil_from_days).
fn calendar(days: i64, dash: &str, out: &mut Vec<u8>) {
    let z = days + 10_957 + 719_468;
    let era = z.div_euclid(146_097);
    let doe = z.rem_euclid(146_097);
    let yoe = (doe - doe / 1460 + doe / 36_524 - doe / 146_096) / 365;
    let doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    let mp = (5 * doy + 2) / 153;
    let (month, day) = (if mp < 10 { mp + 3 } else { mp - 9 }, doy - (153 * mp + 2) / 5 + 1);
    let year = yoe + era * 400 + i64::from(month <= 2);
    let _ = write!(out, "{year:04}{dash}{month:02}{dash}{day:02}");
}

/// Microseconds since 1970 of microseconds since 2000.
pub const fn unix_micros(micros: i64) -> i64 {
    micros + EPOCH
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spelled(clock: &Clock, unix: i64) -> String {
        let mut out = Vec::new();
        clock.write(unix - EPOCH, false, &mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn instants_are_spelled_as_postgresql_does() {
        let at = 1_774_747_800_123_400;
        assert_eq!(spelled(&Clock::POSTGRES, at), "2026-03-29 01:30:00.1234+00");
        assert_eq!(spelled(&Clock::POSTGRES, 0), "1970-01-01 00:00:00+00");
        assert_eq!(spelled(&Clock::POSTGRES, -1), "1969-12-31 23:59:59.999999+00");
        let berlin = Clock { suffix: None, place: TimeZone::get("Europe/Berlin").ok(), ..Clock::POSTGRES };
        assert_eq!(spelled(&berlin, at), "2026-03-29 03:30:00.1234+02");
        let chrono = Clock::utc("T", Fraction::Thirds, "+00:00");
        assert_eq!(spelled(&chrono, 1_774_747_800_120_000), "2026-03-29T01:30:00.120+00:00");
        let nanos = Clock::utc("T", Fraction::Fixed(9), "Z");
        assert_eq!(spelled(&nanos, at), "2026-03-29T01:30:00.123400000Z");
        let compact = |between, suffix| Clock { compact: true, ..Clock::utc(between, Fraction::Fixed(0), suffix) };
        assert_eq!(spelled(&compact("", ""), at), "20260329013000");
        assert_eq!(spelled(&compact("T", "Z"), at), "20260329T013000Z");
        let java = Clock::utc("T", Fraction::ThirdsOfMinute, "");
        let seconds = [0, 1_000_000, 120_000];
        let spelled = seconds.map(|more| spelled(&java, 1_774_747_800_000_000 + more));
        assert_eq!(spelled, ["2026-03-29T01:30", "2026-03-29T01:30:01", "2026-03-29T01:30:00.120"]);
    }
}
