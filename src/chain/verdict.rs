//! What verifying a chain came to.

use super::checkpoint::Mark;
use super::described::Described;
use super::shard::Shard;
use std::fmt;

/// What happened to a row, or to its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum BreakKind {
    /// A row was edited.
    Content,
    /// A payload was edited; its digest was not.
    Payload,
    /// A row stands in another's place, or names another.
    Link,
    /// Rows are missing.
    Gap,
    /// Two rows have one place.
    Duplicate,
    /// Two rows follow the same row.
    Fork,
    /// A head that was once there is gone.
    Truncated,
    /// A checkpoint says something else.
    Rewritten,
    /// A row has no hash.
    Unreadable,
}

impl BreakKind {
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::Content,
        Self::Payload,
        Self::Link,
        Self::Gap,
        Self::Duplicate,
        Self::Fork,
        Self::Truncated,
        Self::Rewritten,
        Self::Unreadable,
    ];

    /// The word of the contract.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Content => "content",
            Self::Payload => "payload",
            Self::Link => "link",
            Self::Gap => "gap",
            Self::Duplicate => "duplicate",
            Self::Fork => "fork",
            Self::Truncated => "truncated",
            Self::Rewritten => "rewritten",
            Self::Unreadable => "unreadable",
        }
    }

    /// What it means, for the manual and for SARIF.
    pub const fn meaning(self) -> &'static str {
        match self {
            Self::Content => "a row is not what was hashed",
            Self::Payload => "a payload is not what its digest was taken of",
            Self::Link => "a row does not name the row before it",
            Self::Gap => "rows are missing",
            Self::Duplicate => "two rows have the same place",
            Self::Fork => "two rows follow the same row",
            Self::Truncated => "a head that was there is gone",
            Self::Rewritten => "a checkpoint disagrees with the rows",
            Self::Unreadable => "a row has no hash",
        }
    }
}

impl fmt::Display for BreakKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// One break.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Break {
    /// What.
    pub kind: BreakKind,
    /// The place: of a gap, the first place that is missing.
    pub at: String,
    /// Which chain, where the table has several.
    pub partition: Option<String>,
    /// In a sentence.
    pub detail: String,
    /// What probably led to it, where something speaks for one cause.
    pub cause: Option<String>,
    /// The row before, where there is one.
    pub before: Option<String>,
    /// The row behind, where there is one.
    pub after: Option<String>,
    /// A query that shows the place.
    pub look: Option<String>,
}

/// Whether the rows are what was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Every row and every link holds.
    Intact,
    /// Something was changed.
    Broken,
    /// It could not be decided.
    Undecided,
}

impl Verdict {
    /// The word of the contract.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Intact => "intact",
            Self::Broken => "broken",
            Self::Undecided => "undecided",
        }
    }
}

/// The end of a chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    /// Where.
    pub position: String,
    /// Its hash, in hex.
    pub hash: String,
}

/// What is known of the end.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tail {
    /// An outside head or checkpoint was compared.
    pub pinned: bool,
    /// By what, or what speaks for rows that are gone.
    pub detail: Option<String>,
}

/// One chain, or all chains of one table.
#[derive(Clone, Debug)]
pub struct ChainReport {
    /// `schema.table`.
    pub table: String,
    /// The column of its hashes.
    pub column: Option<String>,
    /// How rows are hashed.
    pub recipe: Option<String>,
    /// The outcome.
    pub verdict: Verdict,
    /// Why it is undecided.
    pub why: Option<String>,
    /// What would decide it.
    pub needs: Option<String>,
    /// Rows read.
    pub rows: u64,
    /// Chains in the table.
    pub partitions: u64,
    /// The end, where there is one chain.
    pub head: Option<Head>,
    /// What is known of the end.
    pub tail: Tail,
    /// Columns that no hash covers.
    pub uncovered: Vec<String>,
    /// Breaks, those that are kept.
    pub breaks: Vec<Break>,
    /// All of them.
    pub breaks_total: u64,
    /// What a reader should know.
    pub notes: Vec<String>,
    /// Expected heads that are there, in hex.
    pub found: Vec<String>,
    /// Places of expected heads where a row of another hash stands.
    pub retaken: Vec<String>,
    /// What a checkpoint would sign, where one is wanted and the chain is intact.
    pub marks: Vec<Mark>,
    /// Not all of it was read, so that what was not met may be there.
    pub interrupted: bool,
    /// Where only a part was read: what was read.
    pub shard: Option<Shard>,
    /// How it was verified, where that is to be said.
    pub described: Option<Described>,
    /// A part of the preimage is computed by the server.
    pub weaker: bool,
    /// How long it took.
    pub seconds: f64,
}

impl ChainReport {
    /// Its first break, else why nothing is known, in words.
    pub fn reason(&self) -> Option<String> {
        let first = self.breaks.first().map(|it| format!("{} at {}: {}", it.kind, it.at, it.detail));
        first.or_else(|| self.why.clone())
    }

    /// A table that could not be decided.
    pub fn undecided(table: String, why: impl Into<String>, needs: impl Into<String>) -> Self {
        Self {
            table,
            column: None,
            recipe: None,
            verdict: Verdict::Undecided,
            why: Some(why.into()),
            needs: Some(needs.into()),
            rows: 0,
            partitions: 0,
            head: None,
            tail: Tail::default(),
            uncovered: Vec::new(),
            breaks: Vec::new(),
            breaks_total: 0,
            notes: Vec::new(),
            found: Vec::new(),
            retaken: Vec::new(),
            marks: Vec::new(),
            interrupted: false,
            shard: None,
            described: None,
            weaker: false,
            seconds: 0.0,
        }
    }
}
