//! The ways in which one program writes all the values of a row: who prints times as Python does prints its numbers,
//! words and documents so, too.

use super::Search;
use crate::chain::form::{Form, Fraction as End};
use crate::chain::json_form::{Escaped, Style};
use crate::chain::recipe::{Null, Piece};
use crate::chain::time::{Clock, Fraction};
use crate::chain::value::{Kind, int};
use std::collections::HashMap;
use std::rc::Rc;

/// How values are spelled.
#[derive(Clone, Debug)]
struct Way {
    clock: Form,
    style: Style,
    /// Documents as the server prints them.
    as_stored: bool,
    /// Documents as their digest, or as a string in another document.
    folded: bool,
    numbers: Option<End>,
    words: (&'static str, &'static str),
    null: &'static str,
    /// Text that holds a document is one.
    parsed: bool,
    /// Identifiers without their dashes.
    bare: bool,
    /// Labels in letters of the other case: those of which column that has some.
    recased: Option<usize>,
    /// Numbers of 64 bits as strings, as the drivers of JavaScript hand them out.
    long: bool,
    /// Documents within have their keys in order, whatever is around them: maps of Go and Rust have no other.
    ordered: bool,
    /// Where the style lists members: their names.
    listed: Box<[String]>,
}

/// All fields of one row in one way.
pub(super) struct Written {
    /// The style of the document they are in.
    pub style: Style,
    /// One for each field.
    pub pieces: Vec<Piece>,
    /// The same, as the row has them.
    pub bytes: Vec<Vec<u8>>,
}

/// The ways that differ for a row.
pub(super) struct Ways {
    /// Each of them.
    pub all: Vec<Written>,
    /// For each, the fields in which it differs from each of those before it.
    differ: Vec<Vec<u32>>,
    /// Fields in which any two differ.
    varying: u32,
    known: HashMap<u32, Rc<[usize]>>,
}

impl Ways {
    /// Those that write a choice of fields in a way of their own.
    pub(super) fn of(&mut self, order: &[usize]) -> Rc<[usize]> {
        let mask = order.iter().fold(ALWAYS, |mask, field| mask | 1 << field) & (self.varying | ALWAYS);
        let differs = |way: &usize| self.differ[*way].iter().all(|differ| differ & mask != 0);
        let found = || (0..self.all.len()).filter(differs).collect();
        Rc::clone(self.known.entry(mask).or_insert_with(found))
    }
}

/// Two ways differ whatever fields are chosen.
const ALWAYS: u32 = 1 << 31;

const fn iso(between: &'static str, fraction: Fraction, suffix: &'static str) -> Form {
    Form::Time(Clock::utc(between, fraction, suffix))
}

const SIX: Fraction = Fraction::Fixed(6);
const THREE: Fraction = Fraction::Fixed(3);
const NONE: Fraction = Fraction::Fixed(0);

/// What Python, JavaScript, Go, Rust and Java, PHP and Ruby, and C# make of an instant.
fn python() -> Vec<Form> {
    vec![
        iso("T", Fraction::Python, "+00:00"),
        iso("T", Fraction::Python, "Z"),
        iso("T", Fraction::Python, ""),
        iso(" ", Fraction::Python, "+00:00"),
        iso(" ", Fraction::Python, ""),
        iso("T", SIX, "Z"),
        iso("T", THREE, "Z"),
        iso("T", NONE, "Z"),
        iso("T", SIX, ""),
        iso("T", NONE, "+00:00"),
        iso("T", THREE, "+00:00"),
        iso(" ", NONE, ""),
        Form::Epoch(1),
        Form::Epoch(1000),
        Form::EpochFloat,
    ]
}

fn javascript() -> Vec<Form> {
    vec![iso("T", THREE, "Z"), Form::Epoch(1000), Form::Epoch(1)]
}

fn go() -> Vec<Form> {
    vec![
        iso("T", Fraction::Trimmed, "Z"),
        iso("T", NONE, "Z"),
        Form::Epoch(1_000_000_000),
        Form::Epoch(1),
        Form::Epoch(1000),
        Form::Epoch(1_000_000),
        iso("T", Fraction::Fixed(9), "Z"),
    ]
}

fn rust() -> Vec<Form> {
    vec![
        iso("T", Fraction::Thirds, "+00:00"),
        iso("T", Fraction::Thirds, "Z"),
        iso("T", SIX, "Z"),
        iso("T", THREE, "Z"),
        iso("T", Fraction::Thirds, ""),
        iso(" ", Fraction::Thirds, " UTC"),
        iso(" ", THREE, " UTC"),
        Form::Epoch(1),
        Form::Epoch(1000),
        Form::Epoch(1_000_000),
    ]
}

fn php() -> Vec<Form> {
    vec![
        iso(" ", NONE, ""),
        iso("T", NONE, "+00:00"),
        iso("T", SIX, "Z"),
        iso("T", NONE, "Z"),
        iso(" ", NONE, " UTC"),
        iso(" ", SIX, ""),
        Form::Epoch(1),
    ]
}

fn csharp() -> Vec<Form> {
    const SEVEN: Fraction = Fraction::Fixed(7);
    vec![iso("T", SEVEN, "Z"), iso("T", SEVEN, "+00:00"), iso("T", SEVEN, ""), Form::Ticks]
}

/// Instants without dashes and colons.
fn compact() -> Vec<Form> {
    [("", ""), ("T", "Z"), ("T", "")]
        .map(|(between, suffix)| Form::Time(Clock { compact: true, ..Clock::utc(between, NONE, suffix) }))
        .into()
}

fn plain() -> Way {
    Way {
        clock: Form::Text,
        style: Style::compact(true),
        as_stored: false,
        folded: false,
        numbers: None,
        words: ("true", "false"),
        null: "",
        parsed: false,
        bare: false,
        recased: None,
        long: false,
        ordered: false,
        listed: Box::new([]),
    }
}

const UNICODE: Style = Style { ascii: false, ..Style::python(true) };
const ASCII: Style = Style { ascii: true, ..Style::compact(true) };
const NET: Style = Style { escaped: Escaped::Net, ..Style::compact(true) };
const HTML: Style = Style { escaped: Escaped::Html, ..Style::compact(true) };
const SLASH: Style = Style { ascii: true, escaped: Escaped::Slash, ..Style::compact(true) };

/// Whoever stored so many digits of a second hashed no fewer, and mostly no more.
fn suits(clock: &Form, digits: u8) -> bool {
    let written = match clock {
        Form::Time(Clock { fraction: Fraction::Fixed(written), .. }) => *written,
        Form::Epoch(1) => 0,
        Form::Epoch(1000) => 3,
        _ => return true,
    };
    written >= digits && (written == digits || digits > 3)
}

/// Who spells times so has no dates, only instants: JavaScript.
fn is_instant(clock: &Form) -> bool {
    *clock == iso("T", THREE, "Z")
}

const fn unsorted(style: Style) -> Style {
    Style { sorted: false, ..style }
}

/// Ways of texts whose fields stand side by side.
fn of_lists() -> Vec<Way> {
    let mut ways = vec![
        (0, Way { as_stored: true, ..plain() }),
        (0, Way { as_stored: true, words: ("t", "f"), null: "NULL", ..plain() }),
        (0, Way { as_stored: true, null: "null", ..plain() }),
    ];
    let mut add =
        |clocks: &[Form], styles: &[Style], profiles: &[(Option<End>, (&'static str, &'static str), &'static str)]| {
            for folded in [false, true] {
                for (profile, (numbers, words, null)) in profiles.iter().enumerate() {
                    for (styled, style) in styles.iter().enumerate() {
                        for (timed, clock) in clocks.iter().enumerate() {
                            let (clock, style) = (clock.clone(), *style);
                            let rank = timed / 2 + styled + 2 * profile + 4 * usize::from(folded);
                            let way = Way { clock, style, folded, numbers: *numbers, words: *words, null, ..plain() };
                            ways.push((rank, way));
                        }
                    }
                }
            }
        };
    let truth = ("true", "false");
    add(
        &python(),
        &[ASCII, Style::python(true), Style::compact(true), UNICODE, Style::python(false), Style::REPR],
        &[
            (None, ("True", "False"), ""),
            (None, ("True", "False"), "None"),
            (Some(End::One), ("True", "False"), ""),
            (None, truth, "null"),
            (None, ("1", "0"), ""),
        ],
    );
    add(
        &javascript(),
        &[unsorted(Style::compact(true)), Style::compact(true), Style::LISTED],
        &[(Some(End::Needed), truth, ""), (None, truth, "null"), (None, truth, "undefined")],
    );
    add(&go(), &[unsorted(HTML), HTML], &[(None, truth, ""), (Some(End::Needed), truth, "<nil>")]);
    add(&rust(), &[unsorted(Style::compact(true)), Style::compact(true)], &[(None, truth, ""), (None, truth, "null")]);
    add(&php(), &[unsorted(SLASH), SLASH, unsorted(ASCII)], &[(None, ("1", ""), ""), (None, ("1", "0"), "")]);
    add(&csharp(), &[unsorted(Style::compact(true))], &[(None, ("True", "False"), "")]);
    add(&compact(), &[Style::compact(true)], &[(None, truth, ""), (None, ("True", "False"), "None")]);
    // `uuid.hex`
    let bare = ways.iter().filter(|(rank, _)| *rank < 5).cloned();
    let bare: Vec<(usize, Way)> = bare.map(|(rank, way)| (rank + 8, Way { bare: true, ..way })).collect();
    let recased = ways.iter().filter(|(rank, _)| *rank < 3).cloned();
    let recased = recased.flat_map(|(rank, way)| {
        (0..RECASED).map(move |number| (rank + 5 + 2 * number, Way { recased: Some(number), ..way.clone() }))
    });
    let recased: Vec<(usize, Way)> = recased.collect();
    ways.extend(bare);
    ways.extend(recased);
    likeliest_first(ways)
}

/// Columns of labels that are tried in letters of the other case, one at a time.
const RECASED: usize = 3;

/// What is usual in each language comes before what is rare in any.
fn likeliest_first(mut ways: Vec<(usize, Way)>) -> Vec<Way> {
    ways.sort_by_key(|(rank, _)| *rank);
    ways.into_iter().map(|(_, way)| way).collect()
}

/// Ways of documents, with keys in order or not.
fn of_documents(sorted: bool, lined: bool) -> Vec<Way> {
    let mut ways = Vec::new();
    let mut add = |clocks: &[Form], styles: &[Style], numbers: &[Option<End>], ordered: bool| {
        for (flag, (folded, parsed)) in [(false, false), (false, true), (true, false)].into_iter().enumerate() {
            for (number, numbers) in numbers.iter().enumerate() {
                for (styled, style) in styles.iter().enumerate() {
                    for (timed, clock) in clocks.iter().enumerate() {
                        let style = Style { sorted, ..*style };
                        let rank = timed / 2 + styled + 2 * number + 3 * flag;
                        let clock = clock.clone();
                        ways.push((rank, Way { clock, style, folded, parsed, numbers: *numbers, ordered, ..plain() }));
                    }
                }
            }
        }
    };
    let (plain, spaced) = (Style::compact(true), Style::python(true));
    add(&python(), &[ASCII, spaced, plain, UNICODE], &[Some(End::One), None, Some(End::Needed)], false);
    if !sorted {
        add(&python(), &[Style::REPR], &[Some(End::One), None], false);
        add(&javascript(), &[plain], &[Some(End::Needed)], true);
    }
    add(&javascript(), &[plain], &[Some(End::Needed), None], false);
    add(&go(), &[HTML, plain], &[Some(End::Needed), None], true);
    add(
        &[iso("T", Fraction::Trimmed, "Z"), iso("T", Fraction::Trimmed, "")],
        &[NET],
        &[None, Some(End::Needed)],
        false,
    );
    add(&[Form::Quoted(plain, Box::new(Form::Epoch(1000)))], &[plain], &[Some(End::Needed)], false);
    add(&rust(), &[plain], &[Some(End::One), None], true);
    add(&php(), &[SLASH, ASCII, plain], &[Some(End::Needed), None], false);
    let style = Style { sorted, ..plain };
    for (timed, clock) in javascript().into_iter().enumerate() {
        // Decimals come as strings from the same drivers.
        for (number, numbers) in [None, Some(End::Needed)].into_iter().enumerate() {
            ways.push((2 + timed + number, Way { clock: clock.clone(), style, numbers, long: true, ..self::plain() }));
        }
    }
    if lined {
        let mut add = |clocks: Vec<Form>, styles: &[Style], numbers| {
            for (styled, style) in styles.iter().enumerate() {
                for (timed, clock) in clocks.iter().enumerate() {
                    let style = Style { sorted, ..*style };
                    ways.push((3 + timed + styled, Way { clock: clock.clone(), style, numbers, ..self::plain() }));
                }
            }
        };
        let (two, four) = (plain.lined(2), plain.lined(4));
        add(javascript(), &[two, four], Some(End::Needed));
        add(python(), &[spaced.lined(2), spaced.lined(4), two, four], Some(End::One));
        add(go(), &[Style { escaped: Escaped::Html, ..two }], Some(End::Needed));
    }
    likeliest_first(ways)
}

impl Search<'_> {
    /// The ways of lists that differ for a row.
    pub(super) fn ways_of_lists(&self, target: usize, fields: &[usize]) -> Ways {
        let labels: Vec<(usize, Form)> =
            fields.iter().filter_map(|at| self.letters(*at).map(|form| (*at, form))).take(RECASED).collect();
        self.differing(target, fields, of_lists(), false, |at, way| self.in_list(at, way, &labels))
    }

    /// The ways of documents that differ for a row.
    pub(super) fn ways_of_documents(&self, target: usize, fields: &[usize], sorted: bool) -> Ways {
        let mut ways = of_documents(sorted, false);
        for (number, names) in self.lists_of_members(fields).into_iter().enumerate() {
            let style = Style { sorted, ..Style::LISTED };
            let listed: Box<[String]> = names.into();
            for (timed, clock) in javascript().into_iter().enumerate() {
                let way = Way { clock, style, numbers: Some(End::Needed), listed: listed.clone(), ..plain() };
                ways.insert(ways.len().min(2 + 4 * timed + number), way);
            }
        }
        self.differing(target, fields, ways, true, |at, way| self.in_document(target, at, way))
    }

    /// The same, with members in lines of their own, too.
    pub(super) fn ways_of_code(&self, target: usize, fields: &[usize], sorted: bool) -> Ways {
        self.differing(target, fields, of_documents(sorted, true), true, |at, way| self.in_document(target, at, way))
    }

    fn differing(
        &self,
        target: usize,
        fields: &[usize],
        ways: Vec<Way>,
        in_documents: bool,
        piece: impl Fn(usize, &Way) -> Piece,
    ) -> Ways {
        let mut ways = ways;
        let digits = self.digits(fields);
        ways.sort_by_key(|way| digits.is_some_and(|digits| !suits(&way.clock, digits)));
        let mut found = Ways { all: Vec::new(), differ: Vec::new(), varying: 0, known: HashMap::new() };
        // Documents alike in all values still differ in what stands around them.
        let around = |style: &Style| (style.comma, style.colon, style.indent, style.escaped == Escaped::Repr);
        for way in ways {
            let pieces: Vec<Piece> = fields.iter().map(|at| piece(*at, &way)).collect();
            let bytes: Option<Vec<Vec<u8>>> = pieces.iter().map(|piece| self.bytes(target, piece)).collect();
            let Some(bytes) = bytes else { continue };
            let from = |other: &Written| -> u32 {
                let fields = (0..fields.len()).filter(|bit| other.bytes[*bit] != bytes[*bit]);
                let differ: u32 = fields.map(|bit| 1 << bit).sum();
                let apart = in_documents && around(&other.style) != around(&way.style);
                if apart { differ | ALWAYS } else { differ }
            };
            let masks: Vec<u32> = found.all.iter().map(from).collect();
            if masks.contains(&0) {
                continue;
            }
            found.varying |= masks.iter().fold(0, |all, mask| all | mask);
            found.differ.push(masks);
            found.all.push(Written { style: way.style, pieces, bytes });
        }
        found
    }

    /// Digits of a second that the times of the sample have: none, three or six. None where there are no times.
    fn digits(&self, fields: &[usize]) -> Option<u8> {
        let instants =
            fields.iter().filter(|at| matches!(self.items.list[**at].kind, Kind::Timestamp | Kind::Timestamptz));
        let values = instants.flat_map(|at| self.sample.rows.iter().filter_map(|row| int(row.get(*at)?)));
        values.map(|micros| if micros % 1_000_000 == 0 { 0 } else { 3 + 3 * u8::from(micros % 1000 != 0) }).max()
    }

    fn in_list(&self, at: usize, way: &Way, labels: &[(usize, Form)]) -> Piece {
        let kind = self.items.list[at].kind;
        let form = match kind {
            Kind::Json | Kind::Jsonb if way.as_stored => Form::Text,
            Kind::Json | Kind::Jsonb if way.folded => Form::Digested(Box::new(Form::Rewritten(way.style))),
            Kind::Json | Kind::Jsonb => Form::Rewritten(way.style),
            Kind::Bool => Form::Bool(way.words.0, way.words.1),
            Kind::Bytes => Form::Hex,
            Kind::Rendered if self.is_number(at) => way.numbers.map_or(Form::Text, Form::Number),
            Kind::Rendered if self.is_address(at) && !way.as_stored => Form::Host,
            Kind::Rendered if way.folded && self.is_array(at) => Form::Array { around: ["", ",", ""], quoted: None },
            Kind::Rendered if !way.as_stored && self.is_array(at) => self.array(at, way.style),
            Kind::Uuid if way.bare => Form::BareUuid,
            Kind::Text if way.recased.is_some() => {
                let form = way.recased.and_then(|number| labels.get(number)).filter(|(of, _)| *of == at);
                form.map_or(Form::Text, |(_, form)| form.clone())
            }
            Kind::Date if !is_instant(&way.clock) => Form::Text,
            kind if kind.is_time() => way.clock.clone(),
            _ => Form::Text,
        };
        Piece::Item { at, form, null: Null::Bytes(way.null.as_bytes().to_vec()) }
    }

    fn in_document(&self, target: usize, at: usize, way: &Way) -> Piece {
        let style = way.style;
        let inner = Style { sorted: style.sorted || way.ordered, ..style };
        if self.items.list[at].kind.is_document() && style.listed {
            let form = Form::Listed(style, way.listed.clone());
            return Piece::Item { at, form, null: Null::Bytes(b"null".to_vec()) };
        }
        // What is no document leaves out nothing.
        let style = Style { listed: false, ..style };
        let kind = self.items.list[at].kind;
        let form = match (kind, &way.clock) {
            (Kind::Json | Kind::Jsonb, _) if way.folded => Form::Quoted(style, Box::new(Form::Rewritten(inner))),
            (Kind::Json | Kind::Jsonb, _) => Form::Rewritten(inner),
            (Kind::Text, _) if way.parsed && self.holds_document(target, at) => Form::Rewritten(inner),
            (Kind::Bytes, _) if style.escaped == Escaped::Html => Form::Quoted(style, Box::new(Form::Base64)),
            (Kind::Bytes, _) => Form::Quoted(style, Box::new(Form::Hex)),
            (Kind::Int, _) if way.long && self.column(at).is_some_and(|column| column.type_name == "int8") => {
                Form::Quoted(style, Box::new(Form::Text))
            }
            (Kind::Rendered, _) if self.is_number(at) => match way.numbers {
                Some(end) => Form::Number(end),
                None => Form::Json(style, None),
            },
            (Kind::Rendered, _) if self.is_address(at) => Form::Quoted(style, Box::new(Form::Host)),
            (Kind::Rendered, _) if self.is_array(at) => self.array(at, style),
            (Kind::Date, clock) if !is_instant(clock) => Form::Json(style, None),
            (kind, Form::Time(clock)) if kind.is_time() => Form::Json(style, Some(clock.clone())),
            (kind, clock) if kind.is_time() => clock.clone(),
            _ => Form::Json(style, None),
        };
        Piece::Item { at, form, null: Null::Bytes(style.null().as_bytes().to_vec()) }
    }

    fn is_number(&self, at: usize) -> bool {
        self.column(at).is_some_and(|column| matches!(column.type_name.as_str(), "numeric" | "float8" | "float4"))
    }

    pub(super) fn is_address(&self, at: usize) -> bool {
        self.column(at).is_some_and(|column| column.type_name == "inet")
    }

    fn is_array(&self, at: usize) -> bool {
        self.column(at).is_some_and(|column| column.type_name.starts_with('_'))
    }

    /// An array as JSON: numbers and truths stand in it as they are.
    fn array(&self, at: usize, style: Style) -> Form {
        let of = self.column(at).map_or("", |column| column.type_name.as_str());
        let is_bare = matches!(of, "_int2" | "_int4" | "_int8" | "_numeric" | "_float4" | "_float8");
        let around = match style.indent {
            0 => ["[", style.comma, "]"],
            2 => ["[\n    ", ",\n    ", "\n  ]"],
            _ => ["[\n        ", ",\n        ", "\n    ]"],
        };
        Form::Array { around, quoted: (!is_bare).then_some(style) }
    }

    fn holds_document(&self, target: usize, at: usize) -> bool {
        let value = self.sample.rows[target].get(at).unwrap_or_default().trim_ascii_start();
        matches!(value.first(), Some(b'{' | b'['))
    }
}
