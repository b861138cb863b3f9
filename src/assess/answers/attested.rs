//! What was found, and what somebody says.

use super::{Answer, Found};
use crate::config::{Attestation, Claim};
use jiff::civil::Date;

/// The answer of both. What was found stands against any word; a word counts where a database cannot know, and where it
/// is worse than what was found. It does not stand for what was hidden: that could be looked at.
pub(super) fn weigh(found: &Found, attestation: Option<&Attestation>, today: Date) -> (Answer, String) {
    let as_found = (found.answer, found.reason.clone());
    let Some(it) = attestation else { return as_found };
    if !it.holds(today) {
        let stale = format!("{}; what {} answered on {} no longer counts", found.reason, it.by, it.on);
        return (found.answer, stale);
    }
    let word = format!("{} says so ({})", it.by, it.on);
    let because = it.evidence.as_ref().map(|evidence| format!(": {evidence}")).unwrap_or_default();
    let claimed = match it.answer {
        Claim::Yes => Answer::Yes,
        Claim::No => Answer::No,
        Claim::Unsure => Answer::Unsure,
        Claim::NotApplicable => Answer::NotApplicable,
    };
    match (found.answer, claimed) {
        (Answer::No, Answer::Yes | Answer::NotApplicable) => {
            (Answer::No, format!("{}, though {} attests otherwise ({})", found.reason, it.by, it.on))
        }
        (same, also) if same == also => (same, format!("{}; {} says the same ({})", found.reason, it.by, it.on)),
        (Answer::Unsure, Answer::Yes | Answer::NotApplicable) if !found.beyond_database => {
            let reason =
                format!("{}; {} answers {}, which does not stand for that", found.reason, it.by, claimed.name());
            (Answer::Unsure, reason)
        }
        (Answer::Unsure, claimed) => (claimed, format!("{word}{because}")),
        (Answer::Yes | Answer::NotApplicable, Answer::No | Answer::Unsure) => {
            (claimed, format!("{word}{because}, though nothing in the database shows it"))
        }
        (Answer::NotApplicable, Answer::Yes) | (Answer::Yes, Answer::NotApplicable) | (Answer::No, _) => as_found,
        (Answer::Yes, Answer::Yes) | (Answer::NotApplicable, Answer::NotApplicable) => as_found,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(found: Answer, beyond_database: bool, claim: Claim) -> Answer {
        let found = Found { answer: found, reason: "r".to_owned(), evidence: Vec::new(), beyond_database };
        let on = jiff::civil::date(2026, 1, 1);
        let attestation = Attestation {
            answer: claim,
            by: "dana".to_owned(),
            on,
            evidence: None,
            expires: jiff::civil::date(2026, 4, 1),
            place: (0..0).into(),
        };
        let (expired, _) = weigh(&found, Some(&attestation), jiff::civil::date(2026, 4, 1));
        assert_eq!(expired, found.answer, "what has run out says nothing");
        weigh(&found, Some(&attestation), on).0
    }

    #[test]
    fn no_word_makes_a_finding_go_away() {
        assert_eq!(answer(Answer::No, false, Claim::Yes), Answer::No);
        assert_eq!(answer(Answer::No, false, Claim::NotApplicable), Answer::No);
        assert_eq!(answer(Answer::No, false, Claim::Unsure), Answer::No);
    }

    #[test]
    fn a_word_counts_where_a_database_cannot_know_and_where_it_is_worse() {
        assert_eq!(answer(Answer::Unsure, true, Claim::Yes), Answer::Yes);
        assert_eq!(answer(Answer::Unsure, true, Claim::NotApplicable), Answer::NotApplicable);
        assert_eq!(answer(Answer::Unsure, false, Claim::Yes), Answer::Unsure, "what was hidden can be looked at");
        assert_eq!(answer(Answer::Unsure, false, Claim::No), Answer::No);
        assert_eq!(answer(Answer::Yes, false, Claim::No), Answer::No);
        assert_eq!(answer(Answer::Yes, false, Claim::Unsure), Answer::Unsure);
        assert_eq!(answer(Answer::Yes, false, Claim::NotApplicable), Answer::Yes);
        assert_eq!(answer(Answer::NotApplicable, false, Claim::Unsure), Answer::Unsure);
    }
}
