//! `govctl.diagnose/1`. A contract: fields may be added, none may change. So these structs are private and nobody else's.

use super::{Settings, outline};
use crate::assess::{Answer, Assessment, Finding, Verdict};
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
    stage: Stage,
    axes: Vec<AxisAnswer<'a>>,
    findings: Vec<Open<'a>>,
    undecided: Vec<Undecided<'a>>,
    not_applicable: Vec<NotApplicable<'a>>,
    notes: &'a [String],
    summary: Summary,
}

#[derive(Serialize)]
struct Target<'a> {
    kind: &'a str,
    database: &'a str,
    server_version: &'a str,
    role: &'a str,
    taken_at: &'a str,
}

/// Not looked at yet: null is "not known", which is not 0.
#[derive(Default, Serialize)]
struct Stage {
    declared: Option<u8>,
    history: Option<u8>,
    evidenced: Option<u8>,
    next: Option<u8>,
    transitions: [(); 0],
}

#[derive(Serialize)]
struct AxisAnswer<'a> {
    axis: Axis,
    question: &'a str,
    answer: &'static str,
    posture: Option<&'a str>,
    required: Option<&'a str>,
    reason: &'a str,
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
    introduced: Option<()>,
    fix: Option<&'a str>,
    fingerprint: &'a str,
    covers: &'a [String],
    controls: Vec<String>,
    waiver: Option<()>,
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
        stage: Stage::default(),
        axes: it
            .axes
            .iter()
            .map(|axis| AxisAnswer {
                axis: axis.axis,
                question: axis.question,
                answer: answer(axis.answer),
                posture: None,
                required: None,
                reason: &axis.reason,
            })
            .collect(),
        findings: it.findings().into_iter().map(|(check, finding)| open(check, finding)).collect(),
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
                Verdict::Pass | Verdict::Fail(_) | Verdict::Undecided(_) => None,
            })
            .collect(),
        notes: &it.notes,
        summary: Summary {
            pass: tally.pass,
            fail: tally.fail,
            undecided: tally.undecided,
            waived: tally.waived,
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
        introduced: None,
        fix: finding.fix.as_deref(),
        fingerprint: &finding.fingerprint.0,
        covers: &check.covers,
        controls: outline::controls(check),
        waiver: None,
    }
}

const fn answer(answer: Answer) -> &'static str {
    match answer {
        Answer::Yes => "yes",
        Answer::No => "no",
        Answer::Unsure => "unsure",
        Answer::NotApplicable => "not-applicable",
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
