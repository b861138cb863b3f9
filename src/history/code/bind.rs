//! What a name may stand for in a string: constants, lists that loops run over, arguments of helpers.

use super::call::closing;
use super::helpers::method;
use super::lex::{Kind, Language, Token};
use crate::history::sql::HOLE;
use std::collections::BTreeMap;
use std::ops::Range;

/// Calls and rounds that are followed.
const MOST: usize = 2_000;

/// A name's strings; in a list of tuples, those of one position.
#[derive(Debug, Default)]
pub(super) struct Bindings {
    names: BTreeMap<String, Vec<String>>,
    /// `a if t == "x" else b`, `t === "x" ? a : b`: what a name is, by what another is.
    choices: BTreeMap<String, Choice>,
    /// Parameters of helpers: one value a call, in the order of the calls, so that two of them belong together.
    parameters: BTreeMap<String, Vec<String>>,
    /// Where each of those calls stands.
    calls: BTreeMap<String, Vec<usize>>,
    /// Where the migration's own text ends, and that of the modules it imports begins.
    own: usize,
}

/// A name with two values.
#[derive(Clone, Debug)]
pub(super) struct Choice {
    /// The name that decides, and what it has to be for the first value.
    pub(super) by: String,
    pub(super) is: Vec<String>,
    pub(super) then: String,
    pub(super) otherwise: String,
}

/// How deep helpers call each other, and constants are made of constants.
const ROUNDS: usize = 3;

impl Bindings {
    pub(super) fn of(text: &str, tokens: &[Token], language: Language, own: usize) -> Self {
        let mut bindings = Self { own, ..Self::default() };
        let mut lists = BTreeMap::new();
        for _ in 0..ROUNDS {
            lists = bindings.constants(text, tokens);
            let known = bindings.names.len();
            for (name, rows) in &lists {
                if let [row] = rows.as_slice()
                    && let [only] = row.as_slice()
                {
                    bindings.names.insert(name.clone(), vec![only.clone()]);
                }
            }
            if bindings.names.len() == known {
                break;
            }
        }
        bindings.choose(text, tokens);
        bindings.loops(text, tokens, &lists);
        bindings.templates(text, tokens);
        for _ in 0..ROUNDS {
            bindings.helpers(text, tokens, language);
            bindings.made_of_parameters(text, tokens);
        }
        bindings
    }

    /// `clause = "USING (#{condition})"` in a helper: one value a call, as its parameters have.
    fn made_of_parameters(&mut self, text: &str, tokens: &[Token]) {
        let mark = |at: usize| tokens.get(at).is_some_and(|token| token.is_punctuation(text, '='));
        let assigned = (0..tokens.len()).filter(|at| tokens[*at].kind == Kind::Word && mark(at + 1) && !mark(at + 2));
        let mut places: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
        for at in assigned {
            places.entry(tokens[at].text(text)).or_default().push(at);
        }
        for (name, places) in places {
            // A name that two helpers use is two things.
            let [at] = places[..] else { continue };
            if self.of_name(name).is_some() {
                continue;
            }
            let Some(Token { kind: Kind::Text { holes, .. }, range, .. }) = tokens.get(at + 2) else { continue };
            let inside = |hole: &Range<usize>| text[hole.clone()].trim_matches(|c: char| "#${}".contains(c)).trim();
            let known: Option<Vec<_>> = holes.iter().map(|hole| Some((hole, self.values(inside(hole))?))).collect();
            let Some(known) = known.filter(|known| !known.is_empty()) else { continue };
            let rounds = known.iter().map(|(_, values)| values.len()).max().unwrap_or(0).min(MOST);
            let value = |round: usize| {
                let mut filled = String::new();
                let mut from = range.start;
                for (hole, values) in &known {
                    filled.push_str(&text[from..hole.start]);
                    filled.push_str(&values[round % values.len()]);
                    from = hole.end;
                }
                filled + &text[from..range.end]
            };
            let values = (0..rounds).map(value).collect();
            self.parameters.insert(name.to_owned(), values);
        }
    }

    /// The lists that names are assigned, as far as their strings are known by now.
    fn constants(&self, text: &str, tokens: &[Token]) -> BTreeMap<String, Vec<Vec<String>>> {
        let content = |token: &Token| self.content(text, token);
        let mut lists: BTreeMap<String, Vec<Vec<String>>> = BTreeMap::new();
        for at in 0..tokens.len() {
            if tokens[at].kind == Kind::Word
                && let Some(rows) = value_of(text, tokens, at, &content)
            {
                lists.entry(tokens[at].text(text).trim_start_matches('@').to_owned()).or_default().extend(rows);
            }
        }
        lists
    }

    /// A string's value, its holes filled with constants; none where one of them is not known, or is several.
    fn content(&self, text: &str, token: &Token) -> Option<String> {
        let Kind::Text { holes, .. } = &token.kind else { return token.content(text) };
        if holes.is_empty() {
            return token.content(text);
        }
        let mut filled = String::new();
        let mut at = token.range.start;
        for hole in holes {
            let expression = text[hole.clone()].trim_matches(|c: char| matches!(c, '#' | '$' | '{' | '}'));
            let [value] = self.names.get(expression.trim())?.as_slice() else { return None };
            filled.push_str(&text[at..hole.start]);
            filled.push_str(value);
            at = hole.end;
        }
        Some(filled + &text[at..token.range.end])
    }

    /// Names whose value another name decides.
    fn choose(&mut self, text: &str, tokens: &[Token]) {
        let value = |at: usize| -> Option<String> {
            let token = tokens.get(at)?;
            match &token.kind {
                Kind::Word => self.names.get(token.text(text))?.first().cloned(),
                _ => self.content(text, token),
            }
        };
        let mark = |at: usize, mark: char| tokens.get(at).is_some_and(|token| token.is_punctuation(text, mark));
        let word = |at: usize, word: &str| tokens.get(at).is_some_and(|token| token.is_word(text, word));
        // `t == "x"`, `t === "x"`, `t in ("x", "y")`: the name, the strings, and where it ends.
        let condition = |at: usize| -> Option<(String, Vec<String>, usize)> {
            let by = tokens.get(at).filter(|token| token.kind == Kind::Word)?.text(text).to_owned();
            let equals = (at + 1..tokens.len()).take_while(|n| mark(*n, '=')).count();
            if equals >= 2 {
                return Some((by, vec![value(at + 1 + equals)?], at + 2 + equals));
            }
            let open = at + 2;
            if !word(at + 1, "in") || !tokens.get(open)?.opens(text) {
                return None;
            }
            let end = closing(text, tokens, open);
            Some((by, tokens[open..end].iter().filter_map(|token| self.content(text, token)).collect(), end + 1))
        };
        let mut found = Vec::new();
        for (at, token) in tokens.iter().enumerate() {
            if token.kind != Kind::Word || !mark(at + 1, '=') || mark(at + 2, '=') {
                continue;
            }
            let name = token.text(text).to_owned();
            if word(at + 3, "if")
                && let Some(then) = value(at + 2)
                && let Some((by, is, end)) = condition(at + 4)
                && word(end, "else")
                && let Some(otherwise) = value(end + 1)
            {
                found.push((name, Choice { by, is, then, otherwise }));
            } else if let Some((by, is, end)) = condition(at + 2)
                && mark(end, '?')
                && mark(end + 2, ':')
                && let (Some(then), Some(otherwise)) = (value(end + 1), value(end + 3))
            {
                found.push((name, Choice { by, is, then, otherwise }));
            }
        }
        self.choices.extend(found);
    }

    pub(super) fn choice(&self, expression: &str) -> Option<&Choice> {
        self.choices.get(expression.trim())
    }

    /// The strings that an expression in a hole may be.
    pub(super) fn values(&self, expression: &str) -> Option<&Vec<String>> {
        let name = expression.trim().trim_start_matches('@');
        let name = name.strip_prefix("self.").or_else(|| name.strip_prefix("this.")).unwrap_or(name);
        // Only the outermost name: `t`, `table.name`, `quote_table_name(t)`.
        let inner = name.rsplit('(').next().unwrap_or(name).trim_end_matches(')');
        let name = inner.split(['!', ':']).next().unwrap_or(inner).trim();
        self.of_name(name)
    }

    fn of_name(&self, name: &str) -> Option<&Vec<String>> {
        self.names.get(name).or_else(|| self.parameters.get(name)).filter(|values| !values.is_empty())
    }

    fn bind(&mut self, name: &str, values: impl IntoIterator<Item = String>) {
        self.names.entry(name.to_owned()).or_default().extend(values);
    }

    /// `for a, b in LIST`, `for (const a of LIST)`, `LIST.each do |a|`, `LIST.forEach((a) =>`, `for a <- LIST`.
    fn loops(&mut self, text: &str, tokens: &[Token], lists: &BTreeMap<String, Vec<Vec<String>>>) {
        let word = |at: usize| tokens.get(at).filter(|token| token.kind == Kind::Word).map(|token| token.text(text));
        let rows = |at: usize| -> Option<Vec<Vec<String>>> {
            // `this.tables` is a field of the class.
            let own = tokens.get(at).is_some_and(|token| token.is_word(text, "this") || token.is_word(text, "self"));
            let at = at + 2 * usize::from(own && tokens.get(at + 1)?.is_punctuation(text, '.'));
            let at = literal(text, tokens, at).unwrap_or(at);
            let token = tokens.get(at)?;
            if token.opens(text) || token.kind == Kind::Words {
                return Some(list(text, tokens, at, &|token| token.content(text)));
            }
            lists.get(token.text(text).trim_start_matches('@')).cloned()
        };
        for at in 0..tokens.len() {
            let found = match word(at) {
                Some("in" | "of" | "range") => rows(at + 1).map(|rows| (names_before(text, tokens, at), rows)),
                Some("each" | "forEach" | "map" | "each_with_index" | "flatMap") if at >= 2 => {
                    let source = source_before(text, tokens, at - 1).and_then(&rows);
                    source.map(|rows| (names_after(text, tokens, at), rows)).or_else(|| {
                        // Enum.each(@tables, fn table -> …)
                        let inner = rows(at + 2)?;
                        Some((names_after_fn(text, tokens, at), inner))
                    })
                }
                // `for (String a : LIST)`
                _ if at >= 4
                    && tokens[at].is_punctuation(text, ':')
                    && tokens[at - 1].kind == Kind::Word
                    && tokens[at - 3].is_punctuation(text, '(')
                    && tokens[at - 4].is_word(text, "for") =>
                {
                    rows(at + 1).map(|rows| (vec![tokens[at - 1].text(text).to_owned()], rows))
                }
                _ if tokens[at].is_punctuation(text, '<')
                    && tokens.get(at + 1).is_some_and(|t| t.is_punctuation(text, '-')) =>
                {
                    rows(at + 2).map(|rows| (names_before(text, tokens, at), rows))
                }
                _ => None,
            };
            let Some((names, rows)) = found else { continue };
            for (n, name) in names.iter().enumerate() {
                // A single name takes the first string of each row, as a list of strings has one.
                self.bind(name, rows.iter().filter_map(|row| row.get(n).cloned()));
            }
        }
    }

    /// `ENABLE.format(table=t)` binds what the constant leaves open, and `ENABLE % t` its `%s`.
    fn templates(&mut self, text: &str, tokens: &[Token]) {
        let mark = |at: usize, mark: char| tokens.get(at).is_some_and(|token| token.is_punctuation(text, mark));
        let word = |at: usize| tokens.get(at).filter(|token| token.kind == Kind::Word).map(|token| token.text(text));
        let mut found = Vec::new();
        for at in 1..tokens.len() {
            let value = |at: usize| match tokens[at].content(text) {
                Some(content) => Some(vec![content]),
                None => word(at).and_then(|name| self.of_name(name)).cloned(),
            };
            let constant = word(at - 1).is_some_and(|name| self.names.contains_key(name));
            if constant && mark(at, '.') && word(at + 1) == Some("format") && mark(at + 2, '(') {
                let each = arguments(text, tokens, at + 2, closing(text, tokens, at + 2)).into_iter();
                let named = each.filter(|(from, to)| to - from == 3 && mark(from + 1, '='));
                found.extend(named.filter_map(|(from, _)| Some((word(from)?.to_owned(), value(from + 2)?))));
            } else if constant && mark(at, '%') && at + 1 < tokens.len() {
                found.extend(value(at + 1).map(|values| ("s".to_owned(), values)));
            }
        }
        for (name, values) in found {
            if self.of_name(&name).is_none() {
                self.bind(&name, values);
            }
        }
    }

    /// `helper("orders")` binds the first parameter of `def helper(table)`.
    fn helpers(&mut self, text: &str, tokens: &[Token], language: Language) {
        let parameters: BTreeMap<&str, Vec<&str>> =
            (1..tokens.len().saturating_sub(1)).filter_map(|at| parameters(text, tokens, at, language)).collect();
        let bare = matches!(language, Language::Ruby | Language::Elixir);
        let mut found: BTreeMap<String, Vec<String>> = BTreeMap::new();
        let mut calls: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        for at in 0..tokens.len().saturating_sub(1) {
            let Some(names) = parameters.get(tokens[at].text(text)).filter(|_| tokens[at].kind == Kind::Word) else {
                continue;
            };
            let defines = at > 0
                && matches!(
                    tokens[at - 1].text(text),
                    "def" | "defp" | "function" | "fn" | "func" | "const" | "let" | "class"
                );
            if defines || method(text, tokens, at, language).is_some() {
                continue;
            }
            let given = if tokens[at + 1].is_punctuation(text, '(') {
                arguments(text, tokens, at + 1, closing(text, tokens, at + 1))
            } else if bare && !tokens[at + 1].first && tokens[at + 1].content(text).is_some() {
                // `isolate :orders, "org_id"`
                let end = (at + 2..tokens.len()).find(|n| tokens[*n].first).unwrap_or(tokens.len());
                arguments(text, tokens, at, end)
            } else {
                continue;
            };
            let named = |from: usize, to: usize| {
                let by_name =
                    to > from + 2 && ['=', ':'].iter().any(|mark| tokens[from + 1].is_punctuation(text, *mark));
                Some(tokens[from].text(text)).filter(|name| by_name && names.contains(name))
            };
            let value = |from: usize, to: usize| -> Option<Vec<String>> {
                match tokens[from].content(text) {
                    Some(_) => {
                        let parts: Option<Vec<_>> = tokens[from..to].iter().map(|token| token.content(text)).collect();
                        parts.map(|parts| vec![parts.concat()])
                    }
                    None if to == from + 1 => self.values(tokens[from].text(text)).cloned(),
                    None => None,
                }
            };
            let mut values: BTreeMap<&str, Vec<String>> = BTreeMap::new();
            for (n, (from, to)) in given.into_iter().enumerate() {
                let (name, from) = match named(from, to) {
                    Some(name) => (Some(name), from + 2),
                    None => (names.get(n).copied(), from),
                };
                let value = value(from, to).filter(|values| !values.is_empty());
                values.extend(name.zip(value));
            }
            // A call in a loop counts once for each round; what is not known is a hole.
            let rounds = values.values().map(Vec::len).max().unwrap_or(0).min(MOST);
            for name in names {
                let values = values.get(name);
                let value = |round: usize| {
                    values.map_or_else(|| HOLE.to_owned(), |values| values[round % values.len()].clone())
                };
                let known = found.entry((*name).to_owned()).or_default();
                let rounds = rounds.min(MOST.saturating_sub(known.len()));
                known.extend((0..rounds).map(value));
                calls.entry((*name).to_owned()).or_default().extend((0..rounds).map(|_| tokens[at].start));
            }
        }
        self.parameters = found.into_iter().filter(|(_, values)| values.iter().any(|value| value != HOLE)).collect();
        self.calls = calls;
    }

    /// Where the call stands that a round over a parameter's values belongs to, for what a module does.
    pub(super) fn call(&self, expression: &str, round: usize, at: usize) -> usize {
        let name = expression.trim();
        let name = name.strip_prefix("self.").or_else(|| name.strip_prefix("this.")).unwrap_or(name);
        let calls = self.calls.get(name).filter(|calls| at >= self.own && !calls.is_empty());
        calls.map_or(at, |calls| calls[round % calls.len()])
    }
}

/// The helper that is defined at a name, and its parameters.
fn parameters<'t>(text: &'t str, tokens: &[Token], at: usize, language: Language) -> Option<(&'t str, Vec<&'t str>)> {
    if tokens[at].kind != Kind::Word {
        return None;
    }
    let before = tokens[at - 1].text(text);
    let bound = tokens[at - 1].kind == Kind::Word && matches!(before, "const" | "let")
        || before == "." && at >= 2 && tokens[at - 2].is_word(text, "exports");
    let is_bracket = |open: &usize| tokens.get(*open).is_some_and(|token| token.is_punctuation(text, '('));
    let open = match before {
        "def" | "defp" | "function" | "fn" | "func" => Some(at + 1),
        // `class Isolate(Operation): def __init__(self, table)`
        "class" if language == Language::Python => {
            let indent = tokens[at - 1].indent;
            let inside = tokens[at..].iter().take_while(|token| !token.first || token.indent > indent).count();
            (at..at + inside).find(|n| tokens[*n].is_word(text, "__init__")).map(|n| n + 1)
        }
        _ if bound => (at + 1..(at + 5).min(tokens.len())).find(is_bracket),
        _ => method(text, tokens, at, language).map(|(open, _)| open),
    };
    let open = open.filter(is_bracket)?;
    let each = arguments(text, tokens, open, closing(text, tokens, open)).into_iter().filter_map(|(from, to)| {
        let word = |n: usize| tokens.get(n).filter(|token| token.kind == Kind::Word).map(|token| token.text(text));
        if !matches!(language, Language::CSharp | Language::Java) {
            return word(from).filter(|name| *name != "self");
        }
        // `this MigrationBuilder builder, string table = "t"`: a type, and the name last; what is extended is not given.
        let end = (from..to).find(|n| tokens[*n].is_punctuation(text, '=')).unwrap_or(to);
        word(end.checked_sub(1)?).filter(|_| word(from) != Some("this"))
    });
    Some((tokens[at].text(text), each.collect()))
}

/// The parts of a bracket that commas divide, as ranges of tokens.
pub(super) fn arguments(text: &str, tokens: &[Token], open: usize, end: usize) -> Vec<(usize, usize)> {
    let mut found = Vec::new();
    let mut depth = 0usize;
    let mut from = open + 1;
    for (n, token) in tokens.iter().enumerate().take(end).skip(open + 1) {
        if depth == 0 && token.is_punctuation(text, ',') {
            found.push((from, n));
            from = n + 1;
        } else if token.opens(text) {
            depth += 1;
        } else if token.closes(text) {
            depth = depth.saturating_sub(1);
        }
    }
    if from < end {
        found.push((from, end));
    }
    found
}

/// What a string is worth.
type Content<'a> = &'a dyn Fn(&Token) -> Option<String>;

/// `NAME = value`, `const NAME: T = value`, `@name value`.
fn value_of(text: &str, tokens: &[Token], at: usize, content: Content<'_>) -> Option<Vec<Vec<String>>> {
    let mut next = at + 1;
    if tokens[at].text(text).starts_with('@')
        && tokens.get(next).is_some_and(|token| token.opens(text) || token.is_text() || token.kind == Kind::Words)
    {
        return Some(list(text, tokens, next, content));
    }
    if tokens.get(next)?.is_punctuation(text, ':') {
        let end = (next..(next + 14).min(tokens.len())).find(|n| tokens[*n].is_punctuation(text, '='))?;
        next = end;
    }
    if !tokens.get(next)?.is_punctuation(text, '=') || tokens.get(next + 1)?.is_punctuation(text, '=') {
        return None;
    }
    let mut value = next + 1;
    while tokens.get(value).is_some_and(|token| token.is_punctuation(text, '&') || token.is_punctuation(text, '>')) {
        value += 1;
    }
    value = literal(text, tokens, value).unwrap_or(value);
    let token = tokens.get(value)?;
    (token.opens(text) || token.is_text() || token.kind == Kind::Words).then(|| list(text, tokens, value, content))
}

/// The bracket of a list that begins with its type or with a call: `new[] { "a" }`, `[]string{"a"}`, `List.of("a")`, `vec!["a"]`.
fn literal(text: &str, tokens: &[Token], at: usize) -> Option<usize> {
    let near = |mark: char| (at..(at + 7).min(tokens.len())).find(|n| tokens[*n].is_punctuation(text, mark));
    let first = tokens.get(at)?;
    if first.is_word(text, "new") || first.is_punctuation(text, '[') && tokens.get(at + 1)?.is_punctuation(text, ']') {
        return near('{');
    }
    let called = [
        "List",
        "Set",
        "Arrays",
        "Stream",
        "listOf",
        "setOf",
        "arrayOf",
        "frozenset",
        "set",
        "tuple",
        "list",
        "sorted",
    ];
    if called.iter().any(|word| first.is_word(text, word)) {
        let open = near('(')?;
        // `frozenset({"a"})`
        return Some(open + usize::from(tokens.get(open + 1)?.opens(text)));
    }
    if first.is_word(text, "vec") { near('[') } else { None }
}

/// A string as one row, a list as a row a string or a row a tuple.
fn list(text: &str, tokens: &[Token], at: usize, content: Content<'_>) -> Vec<Vec<String>> {
    let Some(token) = tokens.get(at) else { return Vec::new() };
    if token.kind == Kind::Words {
        return token.text(text).split_whitespace().map(|word| vec![word.to_owned()]).collect();
    }
    if token.is_text() {
        // Adjacent strings, and those that `+` joins, are one.
        let mut parts = vec![token];
        for pair in tokens[at..].windows(2) {
            let plus = |token: &Token| token.is_punctuation(text, '+');
            match pair {
                [before, next] if next.is_text() && (!next.first || plus(before)) => parts.push(next),
                [_, next] if plus(next) => {}
                _ => break,
            }
        }
        let whole: Option<Vec<_>> = parts.into_iter().map(content).collect();
        return whole.map(|whole| vec![vec![whole.concat()]]).unwrap_or_default();
    }
    if let Some(content) = content(token) {
        return vec![vec![content]];
    }
    if !token.opens(text) {
        return Vec::new();
    }
    let end = closing(text, tokens, at);
    let parts = arguments(text, tokens, at, end);
    // `("a" "b")` is one string.
    if let [(from, to)] = parts.as_slice()
        && tokens[*from..*to].iter().all(Token::is_text)
    {
        let whole: Option<Vec<_>> = tokens[*from..*to].iter().map(content).collect();
        return whole.map(|whole| vec![vec![whole.concat()]]).unwrap_or_default();
    }
    let rows = parts.into_iter().map(|(from, to)| {
        let parts = &tokens[from..to];
        // `{ table: "orders", key: "org_id" }` and `("orders", "org_id")`; `"orders": […]` is its key.
        let keyed = !parts.first().is_some_and(|token| token.opens(text)) && parts.first().is_some_and(Token::is_text);
        let strings = parts.iter().filter_map(content);
        if keyed { strings.take(1).collect() } else { strings.collect::<Vec<_>>() }
    });
    rows.filter(|row| !row.is_empty()).collect()
}

/// `for a, b in`, `for (const a of`, `foreach (var a in`, `for _, a := range`.
fn names_before(text: &str, tokens: &[Token], at: usize) -> Vec<String> {
    let mut names = Vec::new();
    for token in tokens[..at].iter().rev().take(14) {
        match token.kind {
            Kind::Word if matches!(token.text(text), "for" | "foreach" | "const" | "let" | "var" | "each") => break,
            Kind::Word => names.push(token.text(text).to_owned()),
            Kind::Punctuation if matches!(token.text(text), "," | "(" | ")" | "[" | "]" | "{" | "}" | ":" | "=") => {}
            _ => break,
        }
    }
    names.reverse();
    if names.first().is_some_and(|name| name == "_") {
        names.remove(0);
    }
    names
}

/// Names between bars or in the parentheses of a function: `do |a, b|`, `((a) =>`, `(a =>`, `async ({ a, b }) =>`.
fn names_after(text: &str, tokens: &[Token], at: usize) -> Vec<String> {
    let mut names = Vec::new();
    let mut bars = 0;
    for token in tokens.iter().skip(at + 1).take(16) {
        match token.text(text) {
            "|" => {
                bars += 1;
                if bars == 2 {
                    break;
                }
            }
            "=" | ">" => break,
            "do" | "async" | "(" | ")" | "{" | "}" | "[" | "]" | "," => {}
            word if token.kind == Kind::Word => names.push(word.to_owned()),
            _ => break,
        }
    }
    names
}

/// `Enum.each(@tables, fn table ->`
fn names_after_fn(text: &str, tokens: &[Token], at: usize) -> Vec<String> {
    let from = tokens.iter().skip(at).take(60).position(|token| token.is_word(text, "fn")).map(|n| at + n + 1);
    let names = from.iter().flat_map(|from| tokens.iter().skip(*from).take(8)).take_while(|t| t.text(text) != "-");
    names.filter(|t| t.kind == Kind::Word).map(|t| t.text(text).to_owned()).collect()
}

/// What a dot stands behind: a name, or a bracket's beginning.
fn source_before(text: &str, tokens: &[Token], dot: usize) -> Option<usize> {
    if !tokens.get(dot)?.is_punctuation(text, '.') {
        return None;
    }
    let before = dot.checked_sub(1)?;
    if !tokens[before].closes(text) {
        return Some(before);
    }
    let mut depth = 0usize;
    for n in (0..=before).rev() {
        if tokens[n].closes(text) {
            depth += 1;
        } else if tokens[n].opens(text) {
            depth = depth.saturating_sub(1);
            if depth == 0 {
                return Some(n);
            }
        }
    }
    None
}
