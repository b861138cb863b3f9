//! Which tables are event logs: rows that say who did what and when, and are meant to stay.
//!
//! A name proposes and columns confirm. The more a name is used for other things (`events` of a calendar, `journal` of a
//! ledger of accounts, `versions` of a product), the more the columns have to say.

use super::super::catalog::Relation;
use super::actor::Kinds;
use super::names::{snake, words};

/// What a log is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// Who did what.
    Audit,
    /// What agents called.
    ToolCalls,
    /// What was looked up for whom, and what of it was let through.
    Retrieval,
    /// What one table's rows were before.
    History,
}

impl Purpose {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Audit => "audit",
            Self::ToolCalls => "tool calls",
            Self::Retrieval => "retrieval",
            Self::History => "history",
        }
    }
}

/// Tables about logs, and tables of other things whose rows also have an author and a time.
const OTHER_THINGS: &str = "config configuration setting rule policy template schedule retention subscription category definition permission \
    grant acl membership role capability quota limit allowlist preference queue outbox inbox job cursor offset lock \
    checkpoint anchor seal message comment post chat note thread conversation email mail sms reply ticket \
    notification document file task order invoice payment review session token key secret approval webhook delivery \
    error debug sync migration import export report deploy backup crash feed";

/// Columns of a calendar, and of an analytics pipeline.
const OTHER_EVENTS: &str = "starts_at start_at start_date ends_at end_at end_date location venue capacity all_day recurrence rsvp \
    due_at due_date scheduled_at assigned_to assignee_id priority anonymous_id utm_source utm_campaign referrer page_url device_id screen browser";

/// Columns of a book of accounts.
const BOOK_KEEPING: &str = "debit credit balance amount amount_cents currency account_balance";

/// What auditors plan, find and file: their work, no record of anybody's deeds.
const OF_AUDITORS: &str = "engagement finding plan program programme scope universe team checklist assignment area procedure sample \
    workpaper observation recommendation issue risk control framework standard certification question questionnaire answer criteria";

/// Columns that say what sort of thing a row is about: of one table's past there is nothing to say.
const SORTS_OF_THINGS: &str = "entity entity_type object_type target_type resource_type subject_type record_type item_type auditable_type \
    trackable_type model model_name model_type table table_name collection";

/// Names of columns that can mean nobody but who did it.
const PLAIN_ACTORS: &str =
    "actor performed performer executed whodunnit causer initiator initiated principal invoked triggered";

/// A relation as the rules below ask about it.
struct Seen<'a> {
    name: Vec<String>,
    schema: Vec<String>,
    columns: Vec<String>,
    relation: &'a Relation,
    found: &'a [(&'static str, i64)],
    kinds: bool,
}

impl Seen<'_> {
    fn has(&self, role: &str) -> bool {
        self.found.iter().any(|(found, _)| *found == role)
    }

    fn column_of(&self, role: &str) -> Option<String> {
        let (_, number) = self.found.iter().find(|(found, _)| *found == role)?;
        self.relation.column_number(*number).map(|column| snake(&column.name))
    }

    fn named(&self, list: &str) -> bool {
        self.name.iter().any(|word| is_in(list, word))
    }

    fn with_column(&self, list: &str) -> bool {
        self.columns.iter().any(|column| is_in(list, column))
    }

    /// The column that says who says nothing else.
    fn plain_actor(&self) -> bool {
        let first = |name: String| name.split('_').next().map(str::to_owned).unwrap_or_default();
        self.column_of("actor").map(first).is_some_and(|word| is_in(PLAIN_ACTORS, &word))
    }

    /// The column that says what is called after what was done, and is no remark.
    fn plain_action(&self) -> bool {
        let vague = ["description", "message", "type", "kind", "category", "what", "statement", "command", "method"];
        self.column_of("action").is_some_and(|name| !vague.contains(&name.as_str()))
    }

    fn about_something(&self) -> bool {
        ["object", "payload", "before", "after", "payload digest"].iter().any(|role| self.has(role))
    }

    fn chained(&self) -> bool {
        self.has("previous hash") && self.has("hash")
    }

    /// Rows that move through states are work, not a record of it.
    fn is_work(&self) -> bool {
        self.with_column("status state") && self.with_column("updated_at modified_at due_at attempts retry_count")
    }
}

/// The word stands in a list separated by blanks.
fn is_in(list: &str, word: &str) -> bool {
    list.split(' ').any(|listed| listed == word)
}

fn is_audit(word: &str) -> bool {
    word.starts_with("audit") && !["auditor", "auditorium", "audition", "auditable", "auditing_firm"].contains(&word)
}

/// What a relation logs, and the reason for taking it as a log.
pub(super) fn recognise(
    relation: &Relation,
    found: &[(&'static str, i64)],
    kinds: Option<&Kinds>,
) -> Option<(Purpose, String)> {
    let seen = Seen {
        name: words(&relation.name),
        schema: words(&relation.schema),
        columns: relation.columns.iter().map(|column| snake(&column.name)).collect(),
        relation,
        found,
        kinds: kinds.is_some_and(|kinds| kinds.source != "free" || kinds.column.is_some()),
    };
    let (purpose, because) = rules(&seen)?;
    let said = [("actor", "who"), ("action", "what"), ("time", "when")];
    let said = said.iter().filter_map(|(role, word)| seen.column_of(role).map(|column| format!("{word} ({column})")));
    let said = said.collect::<Vec<_>>().join(", ");
    Some((purpose, if said.is_empty() { because.into() } else { format!("{because}; its columns say {said}") }))
}

fn rules(seen: &Seen<'_>) -> Option<(Purpose, &'static str)> {
    let (who, what) = (seen.has("actor"), seen.has("action"));
    let when = seen.has("time");
    if seen.chained() && (when || seen.has("sequence")) && (who || what || seen.kinds || seen.about_something()) {
        return Some((Purpose::Audit, "each row carries the hash of the one before"));
    }
    // LiteLLM's audit table knows when a row was last written and nothing else.
    let rewritten = seen.name.iter().any(|word| is_audit(word)) && seen.with_column("updated_at modified_at");
    if !when && !rewritten {
        return None;
    }
    let fetched = seen.has("retrieved") && (seen.has("authorized") || seen.has("denied") || seen.named("retrieval"));
    if fetched && (who || seen.has("query") || seen.has("query digest")) {
        return Some((Purpose::Retrieval, "it lists what was retrieved"));
    }
    if seen.named("retrieval") && seen.named("log event audit history trail") && (who || seen.has("query")) {
        return Some((Purpose::Retrieval, "its name says so"));
    }
    let other = seen.named(OTHER_THINGS);
    if let Some(found) = by_name(seen, who, what, other) {
        return Some(found);
    }
    let stated = seen.kinds && (seen.plain_actor() || seen.column_of("actor kind").is_some());
    if !other && !seen.is_work() && !seen.with_column(OTHER_EVENTS) && what && seen.about_something() {
        if stated && who {
            return Some((Purpose::Audit, "it says which kind of actor did what to what"));
        }
        let nouns = "event action activity operation change record fact entry log version revision";
        if seen.plain_actor() && seen.plain_action() && seen.named(nouns) {
            return Some((Purpose::Audit, "it says who did what to what"));
        }
        if seen.plain_actor() && seen.named("version revision history") {
            return Some((Purpose::History, "it says who changed what"));
        }
    }
    None
}

/// By what a table is called, confirmed by what its columns say.
fn by_name(seen: &Seen<'_>, who: bool, what: bool, other: bool) -> Option<(Purpose, &'static str)> {
    let audit = seen.name.iter().any(|word| is_audit(word));
    if audit && !other {
        let bare = seen.name.len() == 1 && seen.name[0] == "audit";
        let visit = seen.with_column("score scheduled_at scheduled_for auditor_id findings due_date")
            || seen.named(OF_AUDITORS)
            || seen.is_work();
        let confirmed =
            if bare { what && (who || seen.about_something()) } else { who || what || seen.about_something() };
        if confirmed && (!visit || seen.plain_action()) {
            return Some((Purpose::Audit, "its name says so"));
        }
    }
    let kept = "log trail journal ledger history changelog logged logentry eventlog";
    let about = "activity action access security admin event decision permission operation compliance governance tamper user entry record agent login auth";
    if !other
        && seen.schema.iter().any(|word| is_audit(word))
        && (who || what)
        && (seen.about_something() || who && what)
        && !seen.is_work()
    {
        return Some((Purpose::Audit, "its schema's name says so"));
    }
    let tool = seen.named("tool") && seen.named("call invocation execution use usage run log event");
    if tool && (seen.has("tool") || what) {
        return Some((Purpose::ToolCalls, "its name says so"));
    }
    let past = seen.named("history change changelog") && !seen.is_work();
    // Called a history, and that of everything: who did what to which sort of thing.
    if past
        && !other
        && who
        && seen.plain_action()
        && seen.with_column(SORTS_OF_THINGS)
        && !seen.with_column("updated_at modified_at")
    {
        return Some((Purpose::Audit, "it says who did what to things of any sort"));
    }
    if past && who && (what && !other || seen.has("before") || seen.has("after")) {
        return Some((Purpose::History, "its name says so"));
    }
    if other {
        return None;
    }
    let by_agent = seen.named("agent ai llm bot copilot assistant");
    let deed = seen.named("action event log activity decision trail history operation command call act");
    let recorded = seen.plain_action() || seen.has("tool") || seen.kinds && what;
    if by_agent && deed && recorded && (who || seen.kinds || seen.about_something()) && !seen.is_work() {
        return Some((Purpose::Audit, "its name says that it records what agents do"));
    }
    let books = seen.with_column(BOOK_KEEPING) && !seen.kinds;
    if books || seen.is_work() || seen.with_column(OTHER_EVENTS) {
        return None;
    }
    let not_logs = ["blog", "catalog", "dialog", "backlog", "analog", "prolog"];
    let ends_in_log = seen.name.last().is_some_and(|word| word.ends_with("log") && !not_logs.contains(&word.as_str()));
    let guarded = seen.named("event") && seen.named("admin security access auth authorization compliance");
    if seen.named(kept) || ends_in_log || guarded {
        let acted = what && (who || seen.kinds);
        let qualified = seen.named(about) || seen.name.len() == 1;
        if acted && qualified && (seen.plain_action() || seen.kinds) {
            return Some((Purpose::Audit, "its name says so"));
        }
    }
    let activity =
        seen.named("activity") && (seen.name.len() == 1 || seen.named("user agent admin account system member staff"));
    (activity && (who || seen.kinds) && seen.plain_action() && seen.about_something())
        .then_some((Purpose::Audit, "its name says so"))
}
