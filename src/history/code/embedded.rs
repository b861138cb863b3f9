//! SQL in strings: `op.execute("…")`, `knex.raw(`…`)`, `execute <<~SQL`, `migrationBuilder.Sql(@"…")`.

use super::bind::{Bindings, Choice, arguments};
use super::call::closing;
use super::lex::{Kind, Language, Token};
use crate::history::event::{Event, What};
use crate::history::sql::{HOLE, one, resolved, statements};
use std::collections::BTreeMap;
use std::ops::Range;

/// Words that begin a statement which may matter.
const BEGINNINGS: [&str; 9] = ["create", "alter", "drop", "do", "grant", "revoke", "select", "set", "call"];

/// How many statements of one file are followed.
const MOST_EVENTS: usize = 10_000;

/// How many tables one statement may be unrolled to.
const MOST: usize = 2_000;

pub(super) fn read(text: &str, tokens: &[Token], language: Language, bindings: &Bindings) -> Vec<Event> {
    let mut events = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        let end = run_end(text, tokens, at);
        if end > at {
            if is_argument(text, tokens, at) && !is_way_back(text, tokens, at, language) {
                let run = Run { tokens: &tokens[at..end], given: given(text, tokens, at, end) };
                if events.len() >= MOST_EVENTS {
                    let what = What::Dynamic("more statements than are followed in one file".to_owned());
                    events.push(Event { at: tokens[at].start, what });
                    break;
                }
                statements_of(text, &run, language, bindings, &mut events);
            }
            at = end;
        } else {
            at += 1;
        }
    }
    events
}

/// Strings that are joined into one, and what they are given.
struct Run<'a> {
    tokens: &'a [Token],
    /// The arguments of `% (a, b)` and of `.format(a, table=b)`, with their names.
    given: Vec<(Option<String>, String)>,
}

/// Strings that are joined into one: adjacent, or with `+`, `<>`, `\`, and in Python inside parentheses; also with names
/// between them, or behind.
fn run_end(text: &str, tokens: &[Token], at: usize) -> usize {
    if !tokens[at].is_text() {
        return at;
    }
    let mut end = at + 1;
    loop {
        let joined = (end..tokens.len()).take_while(|n| {
            tokens[*n].kind == Kind::Punctuation && matches!(tokens[*n].text(text), "+" | "<" | ">" | "\\")
        });
        let next = end + joined.count();
        match tokens.get(next) {
            Some(token) if token.is_text() => end = next + 1,
            Some(token) if token.kind == Kind::Word && next > end => end = expression_end(text, tokens, next),
            _ => return end,
        }
    }
}

/// `table.name`, `quote(table)`, `tables[0]`: where it ends.
fn expression_end(text: &str, tokens: &[Token], at: usize) -> usize {
    let mut end = at + 1;
    while let Some(token) = tokens.get(end) {
        let mark = |mark| token.is_punctuation(text, mark);
        if mark('(') || mark('[') {
            end = (closing(text, tokens, end) + 1).min(tokens.len());
        } else if mark('.') && tokens.get(end + 1).is_some_and(|next| next.kind == Kind::Word) {
            end += 2;
        } else {
            break;
        }
    }
    end
}

/// What a string is given by `%` or by `format`.
fn given(text: &str, tokens: &[Token], start: usize, end: usize) -> Vec<(Option<String>, String)> {
    let mark = |at: usize, mark: char| tokens.get(at).is_some_and(|token| token.is_punctuation(text, mark));
    let at = end + usize::from(mark(end, ')'));
    let open = match () {
        () if mark(at, '%') && mark(at + 1, '(') => at + 1,
        () if mark(at, '%') && tokens.get(at + 1).is_some_and(|token| token.kind == Kind::Word) => {
            let last = expression_end(text, tokens, at + 1);
            return vec![(None, text[tokens[at + 1].start..tokens[last - 1].range.end].to_owned())];
        }
        () if mark(at, '.')
            && tokens
                .get(at + 1)
                .is_some_and(|token| token.is_word(text, "format") || token.is_word(text, "formatted")) =>
        {
            at + 2
        }
        () if mark(end, ',') && formats(text, tokens, start) => start - 1,
        () => return Vec::new(),
    };
    if !mark(open, '(') {
        return Vec::new();
    }
    let close = closing(text, tokens, open);
    let each = arguments(text, tokens, open, close).into_iter().filter(|(from, to)| from < to && *from != start);
    let each = each.map(|(from, to)| {
        let named = mark(from + 1, '=').then(|| tokens[from].text(text).to_owned());
        let from = if named.is_some() { (from + 2).min(to - 1) } else { from };
        (named, text[tokens[from].range.start..tokens[to - 1].range.end].to_owned())
    });
    each.collect()
}

/// The string is what `format!(`, `fmt.Sprintf(`, `String.format(` is given first.
fn formats(text: &str, tokens: &[Token], at: usize) -> bool {
    let Some(mut call) = at.checked_sub(2).filter(|_| tokens[at - 1].is_punctuation(text, '(')) else { return false };
    if tokens[call].is_punctuation(text, '!') {
        call = call.saturating_sub(1);
    }
    ["format", "Format", "Sprintf", "sprintf"].iter().any(|name| tokens[call].is_word(text, name))
}

/// A string that something is done with; a string alone on its line is a docstring.
fn is_argument(text: &str, tokens: &[Token], at: usize) -> bool {
    let Some(before) = at.checked_sub(1).map(|n| &tokens[n]) else { return false };
    match before.kind {
        Kind::Punctuation => matches!(before.text(text), "(" | "," | "=" | "[" | ">" | ":" | "{"),
        // `execute "…"`, `return "…"`, `` sql`…` ``
        Kind::Word => !tokens[at].first,
        _ => false,
    }
}

/// The second argument of Ecto's `execute` and of Django's `RunSQL`, and whatever is called `reverse_sql` or `down`.
fn is_way_back(text: &str, tokens: &[Token], at: usize, language: Language) -> bool {
    let name = |n: usize| tokens.get(n).map(|token| token.text(text)).unwrap_or_default();
    if at >= 2
        && matches!(name(at - 1), "=" | ":")
        && matches!(name(at - 2), "reverse_sql" | "down" | "down_sql" | "rollback" | "comment" | "help_text")
    {
        return true;
    }
    if name(at - 1) != "," || !matches!(language, Language::Elixir | Language::Python) {
        return false;
    }
    // Back over the first argument to the call.
    let first = (0..at - 1).rev().take_while(|n| tokens[*n].is_text()).last();
    let Some(first) = first else { return false };
    let caller = if first >= 1 && name(first - 1) == "(" { first.checked_sub(2) } else { first.checked_sub(1) };
    caller.is_some_and(|caller| matches!(name(caller), "execute" | "RunSQL"))
}

fn statements_of(text: &str, run: &Run<'_>, language: Language, bindings: &Bindings, events: &mut Vec<Event>) {
    let (Some(first), Some(last)) = (run.tokens.first(), run.tokens.last()) else { return };
    let whole = first.range.start..last.range.end;
    let (masked, holes) = masked(text, run, whole.clone(), language);
    if !begins_sql(&masked) {
        return;
    }
    for range in statements(&masked).0 {
        let statement = &masked[range.clone()];
        let word = statement.split(|c: char| !c.is_ascii_alphabetic()).next().unwrap_or_default().to_lowercase();
        if !BEGINNINGS.contains(&word.as_str()) {
            continue;
        }
        let at = whole.start + range.start;
        let inside: Vec<_> = holes
            .iter()
            .filter(|(hole, _)| hole.start >= range.start && hole.end <= range.end)
            .map(|(hole, expression)| (hole.start - range.start..hole.end - range.start, expression.as_str()))
            .collect();
        for (round, filled) in fill(statement, &inside, bindings).into_iter().enumerate() {
            let (done, flaw) = one(&filled);
            // What a hole stands for may be half a statement: it is said that nobody knows.
            if flaw.is_some() && filled.contains(HOLE) && guards(&filled) {
                let event = Event { at, what: What::Dynamic(filled.clone()) };
                events.extend(Some(event).filter(|event| !events.contains(event)));
            }
            let at =
                inside.iter().map(|(_, hole)| bindings.call(hole, round, at)).find(|call| *call != at).unwrap_or(at);
            events.extend(done.into_iter().filter_map(|what| Some(Event { at, what: resolved(what, &filled)? })));
        }
    }
}

/// About what keeps rows apart or as they are.
fn guards(statement: &str) -> bool {
    let statement = statement.to_lowercase();
    ["policy", "row level security", "trigger"].iter().any(|word| statement.contains(word))
}

fn begins_sql(text: &str) -> bool {
    let mut rest = text.trim_start();
    while let Some(comment) = rest.strip_prefix("--") {
        rest = comment.split_once('\n').map_or("", |(_, rest)| rest).trim_start();
    }
    let word = rest.split(|c: char| !c.is_ascii_alphabetic()).next().unwrap_or_default().to_lowercase();
    BEGINNINGS.contains(&word.as_str())
        || matches!(word.as_str(), "begin" | "comment" | "insert" | "update" | "delete" | "with")
        || rest.starts_with("/*")
}

/// A hole of the masked text, and the expression in it.
type Hole = (Range<usize>, String);

/// The source from the first string to the last, at the same length: what lies between strings and what a backslash
/// escapes become spaces, holes become names.
fn masked(text: &str, run: &Run<'_>, whole: Range<usize>, language: Language) -> (String, Vec<Hole>) {
    let mut bytes = text.as_bytes()[whole.clone()].to_vec();
    let mut holes: Vec<Hole> = Vec::new();
    let mut end = whole.start;
    let mut between = None;
    let gap = |gap: Range<usize>, expression: Option<Range<usize>>, bytes: &mut [u8], holes: &mut Vec<Hole>| {
        let place = gap.start - whole.start..gap.end.max(gap.start) - whole.start;
        let fill = if expression.is_some() { b'_' } else { b' ' };
        bytes[place.clone()].iter_mut().for_each(|byte| *byte = if *byte == b'\n' { b'\n' } else { fill });
        holes.extend(expression.map(|expression| (place, text[expression].to_owned())));
    };
    let mut unnamed = 0;
    for token in run.tokens {
        let Kind::Text { escapes, holes: own } = &token.kind else {
            if token.kind == Kind::Word && between.is_none() {
                between = Some(token.start..token.range.end);
            } else if let Some(expression) = between.as_mut().filter(|_| !token.is_punctuation(text, '+')) {
                expression.end = token.range.end;
            }
            continue;
        };
        gap(end..token.range.start.max(end), between.take(), &mut bytes, &mut holes);
        let range = token.range.start - whole.start..token.range.end - whole.start;
        if *escapes {
            escape(&mut bytes[range.clone()]);
        } else if language == Language::CSharp {
            undouble(&mut bytes[range.clone()]);
        }
        let printf = if own.is_empty() { printf_holes(&text[token.range.clone()], language) } else { Vec::new() };
        let found = own
            .iter()
            .cloned()
            .chain(printf.into_iter().map(|hole| hole.start + token.range.start..hole.end + token.range.start));
        for hole in found {
            let place = hole.start - whole.start..hole.end - whole.start;
            let expression = text[hole].trim_matches(|c: char| matches!(c, '#' | '$' | '{' | '}' | '%')).to_owned();
            let expression = if own.is_empty() { run.filled(expression, &mut unnamed) } else { expression };
            for byte in &mut bytes[place.clone()] {
                if !byte.is_ascii_alphanumeric() {
                    *byte = b'_';
                }
            }
            holes.push((place, expression));
        }
        end = token.range.end;
    }
    gap(end..whole.end, between, &mut bytes, &mut holes);
    (String::from_utf8(bytes).unwrap_or_default(), holes)
}

impl Run<'_> {
    /// What `{}`, `%s` or `{name}` is given.
    fn filled(&self, hole: String, unnamed: &mut usize) -> String {
        let found = match hole.as_str() {
            "" | "s" | "v" | "q" => {
                *unnamed += 1;
                self.given.iter().filter(|(name, _)| name.is_none()).nth(*unnamed - 1)
            }
            // `{0}` of C#
            name if name.bytes().all(|b| b.is_ascii_digit()) => {
                let nth = name.parse().unwrap_or(usize::MAX);
                self.given.iter().filter(|(name, _)| name.is_none()).nth(nth)
            }
            name => self.given.iter().find(|(given, _)| given.as_deref() == Some(name)),
        };
        found.map_or(hole, |(_, expression)| expression.clone())
    }
}

/// `\n` is white space, `\"` a quote; what else is escaped is itself. The space that a backslash leaves stands outside the
/// quotes: before the one that opens, behind the one that closes.
fn escape(bytes: &mut [u8]) {
    let mut open: Option<u8> = None;
    let mut at = 0;
    while at + 1 < bytes.len() {
        if bytes[at] == b'\\' {
            bytes[at] = b' ';
            let escaped = bytes[at + 1];
            if matches!(escaped, b'n' | b't' | b'r') {
                bytes[at + 1] = b' ';
            } else if open == Some(escaped) {
                bytes.swap(at, at + 1);
                open = None;
            } else if open.is_none() && matches!(escaped, b'"' | b'\'') {
                open = Some(escaped);
            }
            at += 1;
        }
        at += 1;
    }
}

/// `""` inside a verbatim string of C# is one quote; the space that the other leaves stands outside as well.
fn undouble(bytes: &mut [u8]) {
    let mut open = false;
    let mut at = 0;
    while at + 1 < bytes.len() {
        if bytes[at] == b'"' && bytes[at + 1] == b'"' {
            bytes[if open { at + 1 } else { at }] = b' ';
            open = !open;
            at += 1;
        }
        at += 1;
    }
}

/// `%s`, `%I` and `{}`, `{table}` of `format!`, `str.format` and `Sprintf`: known by being the only way to write a statement so.
fn printf_holes(content: &str, language: Language) -> Vec<Range<usize>> {
    let bytes = content.as_bytes();
    let mut found = Vec::new();
    let mut at = 0;
    while at + 1 < bytes.len() {
        let percent = bytes[at] == b'%' && matches!(bytes[at + 1], b's' | b'v' | b'q');
        if percent
            && matches!(
                language,
                Language::Python
                    | Language::Go
                    | Language::JavaScript
                    | Language::Ruby
                    | Language::Java
                    | Language::Kotlin
            )
            && !content.contains("format(")
        {
            found.push(at..at + 2);
        }
        let brace = bytes[at] == b'{' && matches!(language, Language::Python | Language::Rust | Language::CSharp);
        let name = bytes[at + 1..].iter().take_while(|b| b.is_ascii_alphanumeric() || **b == b'_').count();
        if brace && bytes.get(at + 1 + name) == Some(&b'}') {
            found.push(at..at + name + 2);
            at += name + 1;
        }
        // `$table` and `${table}`
        if language == Language::Kotlin && bytes[at] == b'$' {
            let braced = usize::from(bytes[at + 1] == b'{');
            let from = at + 1 + braced;
            let name = bytes[from..].iter().take_while(|b| b.is_ascii_alphanumeric() || **b == b'_').count();
            let starts = bytes.get(from).is_some_and(u8::is_ascii_alphabetic);
            if starts && (braced == 0 || bytes.get(from + name) == Some(&b'}')) {
                found.push(at..from + name + braced);
                at = from + name + braced;
                continue;
            }
        }
        at += 1;
    }
    found
}

/// The statement with its holes filled, once for each table that a loop names; with [`HOLE`] where nothing is known.
fn fill(statement: &str, holes: &[(Range<usize>, &str)], bindings: &Bindings) -> Vec<String> {
    if holes.is_empty() {
        return vec![statement.to_owned()];
    }
    let known: BTreeMap<&str, &Vec<String>> =
        holes.iter().filter_map(|(_, expression)| Some((*expression, bindings.values(expression)?))).collect();
    let choices: BTreeMap<&str, (&Choice, &Vec<String>)> = holes
        .iter()
        .filter(|(_, expression)| !known.contains_key(expression))
        .filter_map(|(_, expression)| {
            let choice = bindings.choice(expression)?;
            Some((*expression, (choice, bindings.values(&choice.by)?)))
        })
        .collect();
    let each = known.values().copied().chain(choices.values().map(|(_, values)| *values));
    let rounds = each.map(Vec::len).max().unwrap_or(1).min(MOST);
    let one = |round: usize| {
        let mut filled = String::new();
        let mut at = 0;
        for (hole, expression) in holes {
            filled.push_str(&statement[at..hole.start]);
            match (known.get(expression), choices.get(expression)) {
                (Some(values), _) => filled.push_str(&values[round % values.len()]),
                (None, Some((choice, values))) => {
                    let first = choice.is.contains(&values[round % values.len()]);
                    filled.push_str(if first { &choice.then } else { &choice.otherwise });
                }
                (None, None) => filled.push_str(HOLE),
            }
            at = hole.end;
        }
        filled + &statement[at..]
    };
    (0..rounds).map(one).collect()
}
