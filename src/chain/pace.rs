//! How fast rows are read, and how long it will take.

use std::time::{Duration, Instant};

/// What was read of one table, and since when.
#[derive(Debug)]
pub(super) struct Pace {
    shown: String,
    begun: Instant,
    kept: Instant,
    runs: usize,
    done: usize,
    rows: u64,
}

/// Between two times that what was read is kept.
const OFTEN: Duration = Duration::from_secs(10);

impl Pace {
    pub(super) fn new(shown: &str, runs: usize) -> Self {
        let now = Instant::now();
        Self { shown: shown.to_owned(), begun: now, kept: now, runs, done: 0, rows: 0 }
    }

    /// A run of so many rows is done: what there is to say.
    pub(super) fn step(&mut self, rows: u64) -> String {
        self.done += 1;
        self.rows += rows;
        self.words(self.begun.elapsed())
    }

    /// Some time has passed since this was last true.
    pub(super) fn is_time(&mut self) -> bool {
        let is = self.kept.elapsed() >= OFTEN;
        if is {
            self.kept = Instant::now();
        }
        is
    }

    #[expect(clippy::cast_precision_loss, reason = "for people")]
    fn words(&self, elapsed: Duration) -> String {
        let seconds = elapsed.as_secs_f64();
        // In the first second nothing is known.
        if seconds < 1.0 {
            return self.shown.clone();
        }
        let rate = self.rows as f64 / seconds;
        let rate = if rate >= 1e6 { format!("{:.1} M", rate / 1e6) } else { format!("{:.0} k", rate / 1e3) };
        let left = seconds * (self.runs - self.done.min(self.runs)) as f64 / self.done.max(1) as f64;
        let left = match left {
            left if left >= 5400.0 => format!("{:.1} h", left / 3600.0),
            left if left >= 90.0 => format!("{:.0} min", left / 60.0),
            left => format!("{left:.0} s"),
        };
        format!("{}, {rate} rows/s, {left} left", self.shown)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rate_and_the_time_left_are_said() {
        let mut pace = Pace::new("s.log", 4);
        assert_eq!(pace.step(500_000), "s.log");
        assert_eq!(pace.words(Duration::from_secs(1)), "s.log, 500 k rows/s, 3 s left");
        assert_eq!(pace.words(Duration::from_secs(7200)), "s.log, 0 k rows/s, 6.0 h left");
        assert!(!pace.is_time());
    }
}
