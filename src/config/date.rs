//! Days.

use crate::yaml::{Mistake, Node, Reader};
use jiff::civil::Date;
use jiff::{Timestamp, tz::TimeZone};

/// The day on which something expires or not, in UTC: that of `SOURCE_DATE_EPOCH` where a run is to be repeatable
/// (<https://reproducible-builds.org/specs/source-date-epoch/>), else of the clock.
pub fn today() -> Date {
    let fixed = std::env::var("SOURCE_DATE_EPOCH").ok().and_then(|seconds| seconds.trim().parse().ok());
    let now = fixed.and_then(|seconds| Timestamp::from_second(seconds).ok()).unwrap_or_else(Timestamp::now);
    now.to_zoned(TimeZone::UTC).date()
}

/// A day written as 2026-12-31.
pub(super) fn read(reader: &Reader, node: &Node) -> Option<Date> {
    let text = reader.text(node)?;
    let date = text.parse().ok();
    if date.is_none() {
        let mistake = Mistake::new(node.place, format!("`{text}` is not a day"), "expected year-month-day");
        reader.mistake(mistake.help("for example 2026-12-31"));
    }
    date
}
