//! Each stage of the search on rows that it alone explains.

use super::tries::{Left, Tried};
use super::{Search, Under};
use crate::chain::algorithm::{Algorithm, Digest};
use crate::chain::discover::evaluate::Sample;
use crate::chain::encoding::hex;
use crate::chain::items::{Column, Items};
use crate::chain::recipe::Formula;
use crate::chain::value::{Fields, Kind, Row};
use std::rc::Rc;

/// Rows of each chain.
const ROWS: usize = 6;

/// What every stage may try here.
const WORK: u32 = 1_500_000;

/// Columns of every table: their names, kinds and types. Behind them are the previous hash and the own.
const COLUMNS: [(&str, Kind, &str); 5] = [
    ("id", Kind::Int, "int8"),
    ("actor", Kind::Text, "text"),
    ("scopes", Kind::Rendered, "_text"),
    ("payload", Kind::Jsonb, "jsonb"),
    ("at", Kind::Timestamptz, "timestamptz"),
];

/// The values of a row as programs have them.
struct Values {
    id: usize,
    actor: String,
    /// As JSON, with sorted keys.
    payload: String,
    /// As JavaScript prints it.
    at: String,
    prev: String,
}

impl Values {
    fn of(id: usize, prev: String) -> Self {
        let payload = format!(r#"{{"a":"x","n":{id}}}"#);
        Self { id, actor: format!("user {id}"), payload, at: format!("2026-03-01T10:00:0{id}.125Z"), prev }
    }

    /// As COPY sends it.
    fn sent(&self) -> [Vec<u8>; 5] {
        // Seconds from 2000 to 2026-03-01 10:00.
        let at = (825_674_400 + i64::try_from(self.id).unwrap()) * 1_000_000 + 125_000;
        [
            (self.id as u64).to_be_bytes().to_vec(),
            self.actor.clone().into_bytes(),
            format!("{{read,\"w {}\"}}", self.id).into_bytes(),
            [&b"\x01"[..], self.payload.replace(':', ": ").replace(',', ", ").as_bytes()].concat(),
            at.to_be_bytes().to_vec(),
        ]
    }
}

fn row(values: &Values, hash: &str) -> Row {
    let mut sent = values.sent().to_vec();
    sent.extend([values.prev.clone(), hash.to_owned()].map(String::into_bytes));
    let mut tuple = u16::try_from(sent.len()).unwrap().to_be_bytes().to_vec();
    for value in sent {
        tuple.extend(u32::try_from(value.len()).unwrap().to_be_bytes());
        tuple.extend(value);
    }
    let mut fields = Fields::default();
    assert!(fields.read(&tuple));
    Row { tuple, fields }
}

/// A chain whose rows hash what `text` gives, in hex.
fn chain(text: &dyn Fn(&Values) -> Vec<u8>) -> (Items, Sample) {
    let column = |(name, kind, of): (&str, Kind, &str)| Column {
        name: name.into(),
        kind,
        type_name: of.into(),
        beside: false,
        not_null: false,
        sequenced: false,
    };
    let hashes = [("prev_hash", Kind::Text, "text"), ("hash", Kind::Text, "text")];
    let columns: Vec<Column> = COLUMNS.into_iter().chain(hashes).map(column).collect();
    let mut items = Items::new(columns.clone());
    columns.iter().for_each(|column| _ = items.column(&column.key()));
    let mut sample = Sample { rows: Vec::new(), hashes: Vec::new(), before: Vec::new() };
    let mut last: Digest = Algorithm::Sha256.digest(None, b"genesis");
    for id in 1..=ROWS {
        let values = Values::of(id, hex(last.bytes()));
        sample.before.push(Some(last));
        last = Algorithm::Sha256.digest(None, &text(&values));
        sample.hashes.push(Some(last));
        sample.rows.push(row(&values, &hex(last.bytes())));
    }
    (items, sample)
}

type Stage = fn(&Search<'_>, &[Under], &mut Left) -> Option<Formula>;

/// Whether a stage by itself finds a formula that explains every row, and reads just these columns.
fn finds(stage: Stage, reads: &str, text: &dyn Fn(&Values) -> String) {
    finds_bytes(stage, reads, &|values| text(values).into_bytes());
}

/// The same of bytes that are no text.
fn finds_bytes(stage: Stage, reads: &str, text: &dyn Fn(&Values) -> Vec<u8>) {
    let (items, sample) = chain(text);
    let search = Search {
        items: &items,
        fields: (0..COLUMNS.len()).collect(),
        prev: Some(COLUMNS.len()),
        chained: true,
        sample: &sample,
        unexplained: (0..ROWS).collect(),
        key: None,
        own: "hash".to_owned(),
        words: Vec::new(),
        work: WORK,
        outer: Vec::new(),
        tried: Rc::<Tried>::default(),
    };
    let example = text(&Values::of(1, "00".to_owned()));
    let example = String::from_utf8_lossy(&example);
    let formula = stage(&search, &[(Algorithm::Sha256, false)], &mut Left::digests(WORK));
    let Some(formula) = formula else { panic!("not found: {example}") };
    assert_eq!(sample.matches(&formula, &items.list, None), [true; ROWS], "{example}");
    let mut read: Vec<usize> = formula.reads().into_iter().filter(|at| *at < COLUMNS.len()).collect();
    read.sort_unstable();
    read.dedup();
    let read: Vec<&str> = read.into_iter().map(|at| COLUMNS[at].0).collect();
    assert_eq!(read.join(" "), reads, "{example}");
}

#[test]
fn fields_side_by_side() {
    finds(|search, _, _| search.single(2), "payload", &|v| format!("{}{}", v.prev, v.payload));
    finds(|search, _, left| search.joined(2, left), "id actor at", &|v| {
        format!("{}|{}|{}|{}", v.id, v.actor, v.at, v.prev)
    });
    finds(|search, _, left| search.middle(2, left), "id actor payload at", &|v| {
        format!("{}:{}:{}:{}:{}", v.id, v.actor, v.prev, v.payload, v.at)
    });
    finds(|search, _, left| search.wrapped(2, left, false), "id actor at", &|v| {
        format!("id={};actor={};at={};prev_hash={}", v.id, v.actor, v.at, v.prev)
    });
    finds(|search, _, left| search.wrapped(2, left, false), "actor at", &|v| {
        format!("prev={}|actor={}|timestamp={}", v.prev, v.actor, v.at)
    });
    finds(|search, under, left| search.likely_lists(2, under, left), "actor at", &|v| {
        let counted = |text: &str| format!("{}:{text}", text.len());
        [&v.at, &v.actor, &v.prev].map(|text| counted(text)).concat()
    });
    finds(|search, under, left| search.lists(2, under, left), "id actor at", &|v| {
        format!("{} -> {} -> {} -> {}", v.prev, v.id, v.actor, v.at)
    });
    finds(|search, under, left| search.shuffled(2, under, left), "id actor at", &|v| {
        format!("{}|{}|{}|{}", v.at, v.actor, v.id, v.prev)
    });
    finds(|search, under, left| search.inner(2, under, left), "id actor at", &|v| {
        let inner = Algorithm::Sha256.digest(None, format!("{}|{}|{}", v.id, v.actor, v.at).as_bytes());
        format!("{}{}", v.prev, hex(inner.bytes()))
    });
}

#[test]
fn documents() {
    finds(|search, _, left| search.documents(2, left), "id actor payload at", &|v| {
        let Values { id, actor, payload, at, prev } = v;
        format!(r#"{prev}{{"actor":"{actor}","at":"{at}","id":{id},"payload":{payload}}}"#)
    });
    finds(|search, under, left| search.short_documents(2, under, left), "payload", &|v| {
        format!(r#"{{"data":{},"previousHash":"{}"}}"#, v.payload, v.prev)
    });
    finds(|search, under, left| search.members(2, under, left), "id actor payload at", &|v| {
        let Values { id, actor, payload, at, prev } = v;
        format!(r#"{{"actor":"{actor}","at":"{at}","id":{id},"payload":{payload},"prev_hash":"{prev}","version":1}}"#)
    });
}

#[test]
fn the_previous_hash_beside_a_document_and_before_its_time() {
    let sorted: Stage = |search, under, left| search.likely_documents(2, under, true, left);
    let unsorted: Stage = |search, under, left| search.likely_documents(2, under, false, left);
    finds(sorted, "id actor payload at", &|v| {
        let Values { id, actor, payload, at, prev } = v;
        format!(r#"{{"data":{{"actor":"{actor}","at":"{at}","id":{id},"payload":{payload}}},"prev_hash":"{prev}"}}"#)
    });
    finds(unsorted, "actor payload at", &|v| {
        let Values { actor, payload, at, prev, .. } = v;
        format!(r#"{{"prevHash":"{prev}","data":{{"actor":"{actor}","payload":{payload},"at":"{at}"}}}}"#)
    });
    finds(unsorted, "actor payload at", &|v| {
        let Values { actor, payload, at, prev, .. } = v;
        format!(r#"{{"actor":"{actor}","payload":{payload},"prevHash":"{prev}","at":"{at}"}}"#)
    });
    finds(unsorted, "actor scopes at", &|v| {
        let Values { id, actor, at, prev, .. } = v;
        format!(r#"{{"actor":"{actor}","scopes":["read","w {id}"],"at":"{at}","prevHash":"{prev}"}}"#)
    });
}

#[test]
fn documents_as_code_lists_their_members() {
    let coded: Stage = |search, under, left| search.coded(2, under, left);
    // Three names that no column has.
    finds(coded, "actor payload at", &|v| {
        let Values { actor, payload, at, prev, .. } = v;
        format!(r#"{{"who":"{actor}","payload":{payload},"when":"{at}","prev":"{prev}"}}"#)
    });
    finds(coded, "id actor payload at", &|v| {
        let Values { id, actor, payload, at, prev } = v;
        let digest = hex(Algorithm::Sha256.digest(None, payload.as_bytes()).bytes());
        format!(r#"{{"actor":"{actor}","id":{id},"payload_hash":"{digest}","prev_hash":"{prev}","timestamp":"{at}"}}"#)
    });
    // JSON.stringify(…, null, 2)
    finds(coded, "actor scopes payload at", &|v| {
        let Values { id, actor, at, prev, .. } = v;
        let payload = format!("{{\n    \"a\": \"x\",\n    \"n\": {id}\n  }}");
        let scopes = format!("[\n    \"read\",\n    \"w {id}\"\n  ]");
        format!(
            "{{\n  \"actor\": \"{actor}\",\n  \"scopes\": {scopes},\n  \"payload\": {payload},\n  \"at\": \"{at}\",\n  \
             \"prevHash\": \"{prev}\"\n}}"
        )
    });
}

#[test]
fn labels_in_other_letters() {
    finds(|search, under, left| search.likely_lists(2, under, left), "id actor at", &|v| {
        format!("{}|{}|{}|{}", v.prev, v.id, v.actor.to_uppercase(), v.at)
    });
    finds(|search, under, left| search.coded(2, under, left), "actor at", &|v| {
        let Values { actor, at, prev, .. } = v;
        format!(r#"{{"actor":"{}","at":"{at}","prevHash":"{prev}"}}"#, actor.to_uppercase())
    });
}

#[test]
fn texts_with_their_lengths_beside_numbers_in_eight_bytes() {
    finds(|search, _, left| search.wrapped(2, left, false), "id actor", &|v| {
        let long = |number: usize| String::from_utf8(number.to_le_bytes().to_vec()).unwrap();
        format!("{}{}{}{}", long(v.id), long(v.actor.len()), v.actor, v.prev)
    });
}

#[test]
fn long_numbers_as_strings() {
    finds(|search, under, left| search.likely_documents(2, under, false, left), "id actor at", &|v| {
        let Values { id, actor, at, prev, .. } = v;
        format!(r#"{{"id":"{id}","actor":"{actor}","at":"{at}","prevHash":"{prev}"}}"#)
    });
}

#[test]
fn recipe_v1_over_any_columns_and_a_row_as_it_stands() {
    let framed = |value: &[u8]| [&u32::try_from(value.len()).unwrap().to_be_bytes()[..], value].concat();
    let before = |v: &Values| {
        let raw = (0..v.prev.len()).step_by(2).map(|at| u8::from_str_radix(&v.prev[at..at + 2], 16).unwrap());
        [crate::chain::v1::TAG.to_vec(), raw.collect()].concat()
    };
    finds_bytes(|search, _, _| search.framed(2), "id actor", &|v| {
        [before(v), framed(&(v.id as u64).to_be_bytes()), framed(v.actor.as_bytes())].concat()
    });
    // Not neighbours.
    finds_bytes(|search, _, _| search.framed(2), "id payload", &|v| {
        [before(v), framed(&v.sent()[0]), framed(&v.sent()[3])].concat()
    });
    finds(|search, under, left| search.plain_lists(2, under, left), "id actor scopes payload at", &|v| {
        format!("{}|{}|{}|[\"read\",\"w {}\"]|{}|{}", v.prev, v.id, v.actor, v.id, v.payload, v.at)
    });
}

#[test]
fn times_of_other_languages() {
    let likely: Stage = |search, under, left| search.likely_lists(2, under, left);
    finds(likely, "actor at", &|v| format!("{}|{}|{}", v.actor, v.at.replace(".125Z", ".1250000+00:00"), v.prev));
    // Ticks of 2026-03-01 10:00 in .NET.
    let ticks = |id: usize| (63_907_956_000_i64 + i64::try_from(id).unwrap()) * 10_000_000 + 1_250_000;
    finds(likely, "actor at", &|v| format!("{}|{}|{}", v.prev, v.actor, ticks(v.id)));
    finds(likely, "actor at", &|v| {
        let compact: String = v.at.split('.').next().unwrap().replace(['-', ':'], "");
        format!("{}|{}|{compact}Z", v.prev, v.actor)
    });
    finds(likely, "scopes", &|v| format!("{}|read,w {}", v.prev, v.id));
}
