//! `govctl.diagnose/1`. A contract: fields may be added, none may change. So these structs are private and nobody else's.

use super::regimes::{self, Pack};
use super::{Settings, outline};
use crate::assess::ladder::Posture;
use crate::assess::{self, Assessment, Finding, Pardon, Verdict};
use crate::check::{Axis, Check, Severity};
use crate::ui::clean::is_hostile;
use serde::Serialize;
use serde_json::ser::{CharEscape, Formatter, PrettyFormatter};
use serde_json::{Map, Value};
use std::io;

#[derive(Serialize)]
struct Diagnose<'a> {
    schema: &'static str,
    target: Target<'a>,
    stage: super::stage::Document<'a>,
    tenancy: &'a str,
    axes: Vec<AxisAnswer<'a>>,
    advice: Advice<'a>,
    not_needed_yet: Vec<&'a str>,
    regimes: Vec<Pack<'a>>,
    findings: Vec<Open<'a>>,
    undecided: Vec<Undecided<'a>>,
    not_applicable: Vec<NotApplicable<'a>>,
    warnings: Vec<Warning<'a>>,
    notes: &'a [String],
    summary: Summary,
}

#[derive(Serialize)]
struct Advice<'a> {
    axis: Option<Axis>,
    reason: &'a str,
}

#[derive(Serialize)]
struct Warning<'a> {
    message: &'a str,
    line: Option<usize>,
    help: &'a str,
}

#[derive(Serialize)]
struct Target<'a> {
    kind: &'a str,
    database: &'a str,
    server_version: &'a str,
    role: &'a str,
    taken_at: &'a str,
}

#[derive(Serialize)]
struct AxisAnswer<'a> {
    axis: Axis,
    question: &'a str,
    answer: &'static str,
    /// What the database alone says.
    found: &'static str,
    /// The least the stage asks for, and what to aim at; of the declared stage, else of the one reached.
    posture: Option<Posture>,
    required: Option<Posture>,
    reason: &'a str,
    evidence: &'a [String],
    owner: Option<&'a str>,
    attestation: Option<Attested<'a>>,
}

#[derive(Serialize)]
struct Attested<'a> {
    answer: &'static str,
    by: &'a str,
    on: String,
    evidence: Option<&'a str>,
    expires: String,
    stale: bool,
}

#[derive(Serialize)]
struct Open<'a> {
    check: &'a str,
    axis: Axis,
    stage: u8,
    severity: Severity,
    object: Object<'a>,
    message: &'a str,
    facts: &'a Map<String, Value>,
    introduced: Option<Introduced<'a>>,
    fix: Option<&'a str>,
    fingerprint: &'a str,
    /// What it is like now: what a waiver accepts.
    state: &'a str,
    covers: &'a [String],
    controls: Vec<String>,
    waiver: Option<Waiver<'a>>,
    /// Known from `--baseline`, and no worse.
    baseline: bool,
}

#[derive(Serialize)]
struct Introduced<'a> {
    path: &'a str,
    line: u32,
}

#[derive(Serialize)]
struct Waiver<'a> {
    reason: &'a str,
    owner: &'a str,
    until: String,
}

#[derive(Serialize)]
struct Object<'a> {
    kind: &'a str,
    schema: Option<&'a str>,
    name: &'a str,
    column: Option<&'a str>,
}

#[derive(Serialize)]
struct Undecided<'a> {
    check: &'a str,
    cause: &'a str,
    what: &'a str,
    needs: &'a str,
}

#[derive(Serialize)]
struct NotApplicable<'a> {
    check: &'a str,
    reason: &'a str,
}

#[derive(Serialize)]
struct Summary {
    pass: usize,
    fail: usize,
    undecided: usize,
    waived: usize,
    baselined: usize,
    not_applicable: usize,
    exit: u8,
}

/// Writes the assessment.
pub(super) fn write(it: &Assessment, settings: &Settings, to: &mut dyn io::Write) -> io::Result<()> {
    let tally = it.tally();
    let diagnose = Diagnose {
        schema: "govctl.diagnose/1",
        target: Target {
            kind: &it.target.kind,
            database: &it.target.database,
            server_version: &it.target.server_version,
            role: &it.target.role,
            taken_at: &it.target.taken_at,
        },
        stage: super::stage::Document::of(&it.stage),
        tenancy: &it.tenancy,
        axes: it.axes.iter().map(axis).collect(),
        advice: Advice { axis: it.advice.axis, reason: &it.advice.reason },
        not_needed_yet: outline::not_needed_yet(it).into_iter().map(|(_, finding)| finding.message.as_str()).collect(),
        regimes: regimes::packs(it),
        findings: it.findings().into_iter().chain(it.pardoned()).map(|(check, finding)| open(check, finding)).collect(),
        undecided: it
            .undecided()
            .into_iter()
            .map(|(check, cause)| Undecided {
                check: &check.id.0,
                cause: cause.kind,
                what: &cause.what,
                needs: &cause.needs,
            })
            .collect(),
        not_applicable: it
            .checks
            .iter()
            .filter_map(|(id, (_, verdict))| match verdict {
                Verdict::NotApplicable(reason) => Some(NotApplicable { check: &id.0, reason }),
                Verdict::Pass | Verdict::Fail { .. } | Verdict::Undecided(_) => None,
            })
            .collect(),
        warnings: it
            .warnings
            .iter()
            .map(|it| Warning { message: &it.message, line: it.line, help: &it.help })
            .collect(),
        notes: &it.notes,
        summary: Summary {
            pass: tally.pass,
            fail: tally.fail,
            undecided: tally.undecided,
            waived: tally.waived,
            baselined: tally.baselined,
            not_applicable: tally.not_applicable,
            exit: settings.exit.code(),
        },
    };
    document(&diagnose, to)
}

fn open<'a>(check: &'a Check, finding: &'a Finding) -> Open<'a> {
    Open {
        check: &check.id.0,
        axis: check.axis,
        stage: check.stage,
        severity: finding.severity,
        object: Object {
            kind: &finding.object.kind,
            schema: finding.object.schema.as_deref(),
            name: &finding.object.name,
            column: finding.object.column.as_deref(),
        },
        message: &finding.message,
        facts: &finding.facts,
        introduced: finding.introduced.as_ref().map(|it| Introduced { path: &it.path, line: it.line }),
        fix: finding.fix.as_deref(),
        fingerprint: &finding.fingerprint.0,
        state: &finding.state,
        covers: &check.covers,
        controls: outline::controls(check),
        waiver: match &finding.pardon {
            Some(Pardon::Waiver { reason, owner, until }) => Some(Waiver { reason, owner, until: until.to_string() }),
            Some(Pardon::Baseline) | None => None,
        },
        baseline: finding.pardon == Some(Pardon::Baseline),
    }
}

fn axis(it: &assess::AxisAnswer) -> AxisAnswer<'_> {
    AxisAnswer {
        axis: it.axis,
        question: &it.question,
        answer: it.answer.name(),
        found: it.found.name(),
        posture: it.posture,
        required: it.required,
        reason: &it.reason,
        evidence: &it.evidence,
        owner: it.owner.as_deref(),
        attestation: it.attestation.as_ref().map(|(said, holds)| Attested {
            answer: said.answer.name(),
            by: &said.by,
            on: said.on.to_string(),
            evidence: said.evidence.as_deref(),
            expires: said.expires.to_string(),
            stale: !holds,
        }),
    }
}

/// Writes any document, indented and ending in a newline.
pub(super) fn document(document: &impl Serialize, to: &mut dyn io::Write) -> io::Result<()> {
    let mut serializer = serde_json::Serializer::with_formatter(&mut *to, Harmless(PrettyFormatter::new()));
    document.serialize(&mut serializer)?;
    writeln!(to)
}

/// Indented JSON in which characters that would steer or deceive a terminal are `\u` escapes: the same values for a
/// program, nothing hostile for a person who looks at the file.
struct Harmless(PrettyFormatter<'static>);

impl Formatter for Harmless {
    fn write_string_fragment<W: ?Sized + io::Write>(&mut self, to: &mut W, fragment: &str) -> io::Result<()> {
        let mut rest = fragment;
        while let Some(at) = rest.find(is_hostile) {
            let (plain, hostile) = rest.split_at(at);
            to.write_all(plain.as_bytes())?;
            let Some(character) = hostile.chars().next() else { break };
            for unit in character.encode_utf16(&mut [0; 2]) {
                write!(to, "\\u{unit:04x}")?;
            }
            rest = &hostile[character.len_utf8()..];
        }
        to.write_all(rest.as_bytes())
    }

    fn write_char_escape<W: ?Sized + io::Write>(&mut self, to: &mut W, escape: CharEscape) -> io::Result<()> {
        self.0.write_char_escape(to, escape)
    }
    fn begin_array<W: ?Sized + io::Write>(&mut self, to: &mut W) -> io::Result<()> {
        self.0.begin_array(to)
    }
    fn end_array<W: ?Sized + io::Write>(&mut self, to: &mut W) -> io::Result<()> {
        self.0.end_array(to)
    }
    fn begin_array_value<W: ?Sized + io::Write>(&mut self, to: &mut W, first: bool) -> io::Result<()> {
        self.0.begin_array_value(to, first)
    }
    fn end_array_value<W: ?Sized + io::Write>(&mut self, to: &mut W) -> io::Result<()> {
        self.0.end_array_value(to)
    }
    fn begin_object<W: ?Sized + io::Write>(&mut self, to: &mut W) -> io::Result<()> {
        self.0.begin_object(to)
    }
    fn end_object<W: ?Sized + io::Write>(&mut self, to: &mut W) -> io::Result<()> {
        self.0.end_object(to)
    }
    fn begin_object_key<W: ?Sized + io::Write>(&mut self, to: &mut W, first: bool) -> io::Result<()> {
        self.0.begin_object_key(to, first)
    }
    fn begin_object_value<W: ?Sized + io::Write>(&mut self, to: &mut W) -> io::Result<()> {
        self.0.begin_object_value(to)
    }
    fn end_object_value<W: ?Sized + io::Write>(&mut self, to: &mut W) -> io::Result<()> {
        self.0.end_object_value(to)
    }
}
