//! A new waiver as lines of govctl.yaml, put where they belong; every line that is there stays as it is.

use super::{Config, Waiver, parse};
use crate::error::Stop;
use crate::yaml::Mistakes;
use jiff::civil::Date;

/// What somebody accepts, before it stands in a file.
#[derive(Clone, Debug)]
pub struct Accepted {
    /// Id of the check.
    pub check: String,
    /// The object, or a glob over objects.
    pub object: String,
    /// Why.
    pub reason: String,
    /// Who answers for it.
    pub owner: String,
    /// The last day on which it counts.
    pub until: Date,
    /// What was found, as it is: another state is open again.
    pub states: Vec<String>,
}

impl Accepted {
    /// The entry, its dash at `indent`.
    pub fn lines(&self, indent: usize) -> String {
        let Self { check, object, reason, owner, until, states } = self;
        let quoted = |text: &str| serde_json::Value::from(text).to_string();
        let fields = [
            format!("check: {}", quoted(check)),
            format!("object: {}", quoted(object)),
            format!("reason: {}", quoted(reason)),
            format!("owner: {}", quoted(owner)),
            format!("until: {until}"),
            format!("accepts: [{}]", states.iter().map(|state| quoted(state)).collect::<Vec<_>>().join(", ")),
        ];
        let lines = fields.iter().enumerate().map(|(at, field)| {
            let lead = if at == 0 { "- " } else { "  " };
            format!("{:indent$}{lead}{field}\n", "")
        });
        lines.collect()
    }

    /// The text of a file with the entry in it.
    ///
    /// # Errors
    /// Where the list is written on one line, or what comes of it could not be read: then a person has to put it in.
    pub fn put_into(&self, path: &str, text: &str) -> Result<String, Stop> {
        let before = parse(path, text)?;
        let whole = if text.is_empty() || text.ends_with('\n') { text.to_owned() } else { format!("{text}\n") };
        let new = match before.waivers.last() {
            Some(last) => self.behind(last, &whole),
            None => self.begin(&whole),
        };
        let stands = |config: &Config| config.waivers.len() == before.waivers.len() + 1;
        match parse(path, &new) {
            Ok(config) if stands(&config) => Ok(new),
            Ok(_) => Err(by_hand(path)),
            Err(mistakes) => Err(self.refused(path, &mistakes)),
        }
    }

    /// After the last one, as far in.
    fn behind(&self, last: &Waiver, text: &str) -> String {
        let line = text[..last.place.offset()].rfind('\n').map_or(0, |at| at + 1);
        let indent = text[line..].chars().take_while(|c| *c == ' ').count();
        // Its lines are those further in than its dash; what follows belongs to somebody else.
        let (mut at, mut end) = (line, line);
        for (number, row) in text[line..].split_inclusive('\n').enumerate() {
            at += row.len();
            let blank = row.trim().is_empty();
            if number > 0 && !blank && row.chars().take_while(|c| *c == ' ').count() <= indent {
                break;
            }
            if !blank {
                end = at;
            }
        }
        format!("{}{}{}", &text[..end], self.lines(indent), &text[end..])
    }

    /// Below an empty `waivers:`, or one of its own at the end.
    fn begin(&self, text: &str) -> String {
        let mut at = 0;
        for line in text.split_inclusive('\n') {
            at += line.len();
            let rest = line.strip_prefix("waivers:").map(|rest| rest.split('#').next().unwrap_or_default().trim());
            if rest == Some("") {
                return format!("{}{}{}", &text[..at], self.lines(2), &text[at..]);
            }
        }
        let blank = if text.trim().is_empty() { "" } else { "\n" };
        format!("{text}{blank}waivers:\n{}", self.lines(2))
    }

    fn refused(&self, path: &str, mistakes: &Mistakes) -> Stop {
        let inside = mistakes.in_words();
        Stop::usage(format!("this waiver does not hold: {inside}"), format!("{path} stays as it is"))
    }
}

fn by_hand(path: &str) -> Stop {
    Stop::usage(
        format!("the waivers in {path} are written in a way that nothing can be added to"),
        "write them as a list, an entry a line with a dash; --print shows the entry",
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::ToSpan;

    fn accepted() -> Accepted {
        Accepted {
            check: "rbac/agent-tools".into(),
            object: "support_agent".into(),
            reason: "it's: \"meant\" # so".into(),
            owner: "dana".into(),
            until: super::super::today().saturating_add(30.days()),
            states: vec!["0123456789abcdef".into()],
        }
    }

    #[test]
    fn an_entry_goes_where_entries_go_and_all_else_stays() {
        let until = accepted().until;
        let first = format!(
            "waivers:\n- check: rbac/agent-tools\n  object: a\n  reason: r\n  owner: o\n  until: {until}  # soon\n\n# owners follow\nowners: {{rbac: x}}\n"
        );
        for (text, count) in [
            (String::new(), 1),
            ("stage: 3".to_owned(), 1),
            ("waivers:   # none yet\nstage: 3\n".to_owned(), 1),
            ("# waivers:\n".to_owned(), 1),
            (first, 2),
        ] {
            let new = accepted().put_into("govctl.yaml", &text).expect("it fits");
            let config = parse("govctl.yaml", &new).expect("it reads");
            assert_eq!(config.waivers.len(), count, "{new}");
            let last = config.waivers.last().expect("one");
            assert_eq!((last.reason.as_str(), last.accepts.len()), ("it's: \"meant\" # so", 1));
            assert!(text.lines().all(|line| new.lines().any(|other| other == line)), "{new}");
        }
    }

    #[test]
    fn a_list_on_one_line_and_a_day_too_far_are_refused() {
        assert!(accepted().put_into("govctl.yaml", "waivers: []\n").is_err());
        let far = Accepted { until: accepted().until.saturating_add(2.years()), ..accepted() };
        assert!(far.put_into("govctl.yaml", "").is_err());
    }
}
