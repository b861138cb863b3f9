//! Runs a trigger or helper function on symbols: which expression over the stored row ends up in which column.
//!
//! Both branches of an IF are taken and joined by CASE; a branch that returns or raises goes nowhere. A loop is run once,
//! its record standing for the row. Whatever is not understood leaves its variables unknown, which no formula may use.

use super::expression::bare;
use super::token::{Token, split, tokens};
use std::collections::BTreeMap;

/// A function that may be called by name.
#[derive(Clone, Debug)]
pub struct Function {
    /// Schema and name.
    pub name: (String, String),
    /// Names of the parameters (empty where there is none) and their types.
    pub parameters: Vec<(String, String)>,
    /// `sql` or `plpgsql`.
    pub language: String,
    /// Its body.
    pub source: String,
}

/// `INSERT INTO table (columns) VALUES (…)`, with what the values are.
#[derive(Clone, Debug)]
pub struct Insert {
    /// Without its schema.
    pub table: String,
    /// Column and expression.
    pub values: Vec<(String, Vec<Token>)>,
}

/// What a body did.
#[derive(Debug, Default)]
pub struct Outcome {
    /// Values assigned to columns of NEW, as they are at the end.
    pub assigned: BTreeMap<String, Vec<Token>>,
    /// Every other expression that was assigned to a variable or compared: verifiers compute hashes, too.
    pub computed: Vec<Vec<Token>>,
    /// Rows written elsewhere.
    pub inserts: Vec<Insert>,
    /// What a helper returns.
    pub returned: Option<Vec<Token>>,
}

/// The table whose rows are hashed, and what may be called.
#[derive(Clone, Copy, Debug)]
pub struct World<'a> {
    /// Columns of the row.
    pub columns: &'a [String],
    /// Columns that hold hashes, of this table and of a chain beside it.
    pub hashes: &'a [String],
    /// The table, to tell it from a table of heads.
    pub table: &'a str,
    /// Its schema.
    pub schema: &'a str,
    /// Functions of this database.
    pub functions: &'a [Function],
    /// The body is that of a trigger on this table.
    pub own: bool,
    /// What the trigger is given: `TG_ARGV`.
    pub arguments: &'a [String],
}

type Variables = BTreeMap<String, Vec<Token>>;

pub(super) struct Machine<'a> {
    pub(super) world: World<'a>,
    pub(super) variables: Variables,
    types: BTreeMap<String, Vec<Token>>,
    /// Names that stand for the row.
    pub(super) rows: Vec<String>,
    /// Records read from the chain: their hash columns are the previous hash.
    pub(super) records: Vec<String>,
    pub(super) outcome: Outcome,
    /// Columns of the row that the body assigns, sooner or later.
    pub(super) assigns: Vec<String>,
    pub(super) depth: usize,
    /// Conditions under which the statement at hand is reached.
    path: Vec<Vec<Token>>,
    /// Values that were returned before the end, and when.
    early: Vec<(Vec<Token>, Vec<Token>)>,
}

enum Flow {
    On,
    Ended(Option<Vec<Token>>),
}

/// Runs a body.
pub fn run(world: World<'_>, source: &str) -> Outcome {
    let machine = Machine::new(world, vec!["new".into()], 0);
    machine.body(source)
}

impl<'a> Machine<'a> {
    pub(super) fn new(world: World<'a>, rows: Vec<String>, depth: usize) -> Self {
        let mut variables = Variables::new();
        let given = [
            ("tg_op", "INSERT"),
            ("tg_table_name", world.table),
            ("tg_relname", world.table),
            ("tg_table_schema", world.schema),
            ("tg_when", "BEFORE"),
        ];
        for (name, value) in given {
            // A trigger on another table writes down what it was about.
            let value = if world.own { Token::Text(value.to_owned()) } else { Token::Unknown(name.to_owned()) };
            variables.insert(name.into(), vec![value]);
        }
        let (types, records, assigns, outcome) = (BTreeMap::new(), Vec::new(), Vec::new(), Outcome::default());
        Self { world, variables, types, rows, records, outcome, assigns, depth, path: Vec::new(), early: Vec::new() }
    }

    pub(super) fn body(mut self, source: &str) -> Outcome {
        let tokens = tokens(source);
        let assigned = tokens.windows(4).filter(|four| {
            four[1].is_sign(".") && self.is_row(&four[0]) && (four[3].is_sign(":=") || four[3].is_sign("="))
        });
        self.assigns = assigned.filter_map(|four| four[2].name().map(str::to_owned)).collect();
        let start = tokens.iter().position(|token| token.is_word("declare") || token.is_word("begin"));
        if let Some(start) = start {
            let mut at = start;
            if let Flow::Ended(returned) = self.block(&tokens, &mut at) {
                let early = std::mem::take(&mut self.early).into_iter().rev();
                self.outcome.returned =
                    returned.map(|last| early.fold(last, |last, (when, value)| choice(&when, &value, &last)));
            }
        }
        for (name, value) in std::mem::take(&mut self.variables) {
            if let Some(column) = name.strip_prefix("new.") {
                self.outcome.assigned.insert(column.to_owned(), value);
            }
        }
        self.outcome
    }

    /// `[DECLARE …] BEGIN … [EXCEPTION …] END`; leaves `at` behind it.
    fn block(&mut self, tokens: &[Token], at: &mut usize) -> Flow {
        if tokens.get(*at).is_some_and(|token| token.is_word("declare")) {
            *at += 1;
            while *at < tokens.len() && !tokens[*at].is_word("begin") {
                let end = statement_end(tokens, *at);
                self.declaration(&tokens[*at..end]);
                *at = end + 1;
            }
        }
        *at += 1; // begin
        let flow = self.statements(tokens, at, &["end", "exception"]);
        if tokens.get(*at).is_some_and(|token| token.is_word("exception")) {
            // A handler swallows or hides an error: what it assigns is no formula.
            let mut depth = 0;
            while *at < tokens.len() {
                let token = &tokens[*at];
                if token.is_word("begin")
                    || token.is_word("if") && !tokens[*at - 1].is_word("end")
                    || token.is_word("case")
                {
                    depth += 1;
                } else if token.is_word("end") {
                    if depth == 0 {
                        break;
                    }
                    depth -= 1;
                    if tokens.get(*at + 1).is_some_and(|next| next.is_word("if") || next.is_word("case")) {
                        *at += 1;
                    }
                }
                *at += 1;
            }
        }
        *at = statement_end(tokens, *at) + 1;
        flow
    }

    fn declaration(&mut self, tokens: &[Token]) {
        let Some(name) = tokens.first().and_then(Token::name) else { return };
        let value = tokens.iter().position(|t| t.is_sign(":=") || t.is_sign("=") || t.is_word("default"));
        let kind: Vec<_> = tokens[1..value.unwrap_or(tokens.len())]
            .iter()
            .filter(|token| !["constant", "not", "null"].iter().any(|word| token.is_word(word)))
            .cloned()
            .collect();
        self.types.insert(name.to_owned(), kind);
        if let Some(value) = value {
            self.assign(name, &tokens[value + 1..]);
        } else {
            self.variables.insert(name.to_owned(), vec![Token::word("null")]);
        }
    }

    /// Statements up to one of `ends`, which `at` then stands on.
    fn statements(&mut self, tokens: &[Token], at: &mut usize, ends: &[&str]) -> Flow {
        while *at < tokens.len() {
            let token = &tokens[*at];
            if ends.iter().any(|end| token.is_word(end)) {
                return Flow::On;
            }
            match self.statement(tokens, at) {
                Flow::On => {}
                ended => {
                    skip_to(tokens, at, ends);
                    return ended;
                }
            }
        }
        Flow::On
    }

    fn statement(&mut self, tokens: &[Token], at: &mut usize) -> Flow {
        let word = tokens[*at].name().unwrap_or_default().to_owned();
        match word.as_str() {
            "if" => return self.conditional(tokens, at),
            "declare" | "begin" => return self.block(tokens, at),
            "for" | "while" | "loop" | "foreach" => return self.looped(tokens, at),
            "case" => {
                let mut depth = 0;
                while *at < tokens.len() {
                    if tokens[*at].is_word("case") && !tokens[at.saturating_sub(1)].is_word("end") {
                        depth += 1;
                    } else if tokens[*at].is_word("end") {
                        depth -= 1;
                        if depth == 0 {
                            break;
                        }
                    }
                    *at += 1;
                }
                *at = statement_end(tokens, *at) + 1;
                return Flow::On;
            }
            _ => {}
        }
        let end = statement_end(tokens, *at);
        let statement = &tokens[*at..end.min(tokens.len())];
        *at = end + 1;
        match word.as_str() {
            "return" => return self.returning(&statement[1..]),
            "raise" => {
                let exception = statement.get(1).is_none_or(|level| {
                    !["notice", "warning", "info", "log", "debug"].iter().any(|word| level.is_word(word))
                });
                return if exception { Flow::Ended(None) } else { Flow::On };
            }
            "select" | "with" => self.select_into(statement),
            "insert" => self.insert(statement),
            "update" => self.update(statement),
            "execute" => self.execute(statement),
            "perform" | "delete" | "lock" | "get" | "null" | "call" | "open" | "close" => {}
            _ => self.assignment(statement),
        }
        Flow::On
    }

    fn returning(&mut self, value: &[Token]) -> Flow {
        let row = value.len() == 1 && value[0].name().is_some_and(|name| self.rows.iter().any(|row| row == name));
        if row || value.is_empty() || value[0].is_word("query") || value[0].is_word("next") {
            return Flow::Ended(None);
        }
        let value = self.resolve(value);
        self.outcome.computed.push(value.clone());
        Flow::Ended(Some(value))
    }

    /// `target := value` and `target = value`.
    fn assignment(&mut self, tokens: &[Token]) {
        let Some(sign) = tokens.iter().position(|token| token.is_sign(":=") || token.is_sign("=")) else { return };
        if let Some(target) = self.target(&tokens[..sign]) {
            self.assign(&target, &tokens[sign + 1..]);
        }
    }

    /// `v` or `new.column`.
    pub(super) fn target(&self, tokens: &[Token]) -> Option<String> {
        match tokens {
            [name] => name.name().map(str::to_owned),
            [row, dot, column] if dot.is_sign(".") && self.is_row(row) => Some(format!("new.{}", column.name()?)),
            [record, dot, field] if dot.is_sign(".") => Some(format!("{}.{}", record.name()?, field.name()?)),
            _ => None,
        }
    }

    pub(super) fn is_row(&self, token: &Token) -> bool {
        token.name().is_some_and(|name| self.rows.iter().any(|row| row == name))
    }

    pub(super) fn is_record(&self, token: &Token) -> bool {
        token.name().is_some_and(|name| self.records.iter().any(|record| record == name))
    }

    pub(super) fn assign(&mut self, target: &str, value: &[Token]) {
        let value = self.resolve(value);
        self.outcome.computed.push(value.clone());
        let value = self.cast(target, value);
        self.variables.insert(target.to_owned(), value);
    }

    /// An assignment casts to the declared type, which may change the spelling.
    fn cast(&self, target: &str, value: Vec<Token>) -> Vec<Token> {
        const PLAIN: [&str; 13] = [
            "text",
            "bytea",
            "jsonb",
            "json",
            "uuid",
            "bigint",
            "int",
            "integer",
            "numeric",
            "varchar",
            "timestamptz",
            "timestamp",
            "int8",
        ];
        let Some(kind) = self.types.get(target) else { return value };
        let plain = kind.first().is_some_and(|first| PLAIN.iter().any(|plain| first.is_word(plain)));
        if value.len() == 1 || !plain || kind.iter().any(|token| token.is_sign("%")) {
            return value;
        }
        let mut cast = vec![Token::sign("(")];
        cast.extend(value);
        cast.extend([Token::sign(")"), Token::sign("::")]);
        cast.extend(kind.iter().cloned());
        cast
    }

    fn conditional(&mut self, tokens: &[Token], at: &mut usize) -> Flow {
        let condition_end = position(tokens, *at, "then");
        let condition = self.found(&tokens[*at + 1..condition_end.min(tokens.len())]);
        let condition = self.resolve(condition.as_deref().unwrap_or(&tokens[*at + 1..condition_end.min(tokens.len())]));
        *at = condition_end + 1;
        let before = self.variables.clone();
        self.path.push(condition.clone());
        let then = self.statements(tokens, at, &["elsif", "elseif", "else", "end"]);
        self.path.pop();
        let after_then = std::mem::replace(&mut self.variables, before);
        self.path.push(unless(&condition));
        let otherwise = self.otherwise(tokens, at);
        self.path.pop();
        self.join(&condition, then, after_then, otherwise)
    }

    /// `FOUND` and `NOT FOUND`, where the last row was asked for: whether there is one.
    fn found(&self, condition: &[Token]) -> Option<Vec<Token>> {
        let word = Token::word;
        let is_null: &[Token] = match condition {
            [found] if found.is_word("found") => &[word("is"), word("not"), word("null")],
            [not, found] if not.is_word("not") && found.is_word("found") => &[word("is"), word("null")],
            _ => return None,
        };
        let last = self.variables.values().find(|value| matches!(value.as_slice(), [Token::Previous(_)]));
        let record = || self.records.last().and_then(|_| Some(vec![self.head(self.world.hashes.first()?)]));
        Some([&last.cloned().or_else(record)?[..], is_null].concat())
    }

    /// `ELSIF …`, `ELSE …` or nothing, and END IF.
    fn otherwise(&mut self, tokens: &[Token], at: &mut usize) -> Flow {
        let otherwise = match tokens.get(*at) {
            Some(token) if token.is_word("elsif") || token.is_word("elseif") => {
                // The rest is an IF of its own; its END IF is ours.
                return self.conditional(tokens, at);
            }
            Some(token) if token.is_word("else") => {
                *at += 1;
                self.statements(tokens, at, &["end"])
            }
            _ => Flow::On,
        };
        *at = statement_end(tokens, *at) + 1;
        otherwise
    }

    fn join(&mut self, condition: &[Token], then: Flow, after_then: Variables, otherwise: Flow) -> Flow {
        match (then, otherwise) {
            (Flow::Ended(Some(a)), Flow::Ended(Some(b))) => Flow::Ended(Some(choice(condition, &a, &b))),
            (Flow::Ended(_), Flow::Ended(_)) => Flow::Ended(None),
            (Flow::Ended(early), Flow::On) => {
                self.leave(early, condition);
                Flow::On
            }
            (Flow::On, Flow::Ended(early)) => {
                self.leave(early, &unless(condition));
                self.variables = after_then;
                Flow::On
            }
            (Flow::On, Flow::On) => {
                let after_else = std::mem::take(&mut self.variables);
                let names: Vec<_> = after_then.keys().chain(after_else.keys()).cloned().collect();
                for name in names {
                    if self.variables.contains_key(&name) {
                        continue;
                    }
                    let a = after_then.get(&name).cloned().unwrap_or_else(|| self.initial(&name));
                    let b = after_else.get(&name).cloned().unwrap_or_else(|| self.initial(&name));
                    let value = if a == b { a } else { choice(condition, &a, &b) };
                    self.variables.insert(name, value);
                }
                Flow::On
            }
        }
    }

    /// A branch that returns a value before the end.
    fn leave(&mut self, value: Option<Vec<Token>>, condition: &[Token]) {
        let Some(value) = value else { return };
        let mut when = Vec::new();
        for condition in self.path.iter().map(Vec::as_slice).chain([condition]) {
            if !when.is_empty() {
                when.push(Token::word("and"));
            }
            when.push(Token::sign("("));
            when.extend_from_slice(condition);
            when.push(Token::sign(")"));
        }
        self.early.push((when, value));
    }

    /// A column that a branch leaves alone keeps its value; a hash that a branch does not compute must not vouch for itself.
    fn initial(&self, name: &str) -> Vec<Token> {
        match name.strip_prefix("new.") {
            Some(column) if !self.world.hashes.iter().any(|hash| hash == column) => {
                vec![Token::Column(column.to_owned())]
            }
            _ => vec![Token::word("null")],
        }
    }

    fn looped(&mut self, tokens: &[Token], at: &mut usize) -> Flow {
        let body = position(tokens, *at, "loop");
        if tokens[*at].is_word("for")
            && let Some(record) = tokens.get(*at + 1).and_then(Token::name)
        {
            self.rows.push(record.to_owned());
        }
        let each = tokens[*at].is_word("foreach").then(|| self.each(&tokens[*at + 1..body])).flatten();
        *at = body + 1;
        let start = *at;
        match each {
            Some((name, elements)) => {
                for element in elements {
                    *at = start;
                    self.variables.insert(name.clone(), element);
                    let _ = self.statements(tokens, at, &["end"]);
                }
            }
            None => _ = self.statements(tokens, at, &["end"]),
        }
        if *at == start {
            skip_to(tokens, at, &["end"]);
        }
        *at = statement_end(tokens, *at) + 1;
        Flow::On
    }

    /// `FOREACH name IN ARRAY TG_ARGV` and `… IN ARRAY array[…]`: the name, and what it stands for in turn.
    fn each(&self, header: &[Token]) -> Option<(String, Vec<Vec<Token>>)> {
        let [name, in_, array, of @ ..] = header else { return None };
        let name = name.name().filter(|_| in_.is_word("in") && array.is_word("array"))?.to_owned();
        if let ([arguments], true) = (of, self.world.own)
            && arguments.is_word("tg_argv")
        {
            return Some((name, self.world.arguments.iter().map(|text| vec![Token::Text(text.clone())]).collect()));
        }
        let of = self.resolve(of);
        let [array, open, elements @ .., close] = bare(&of) else { return None };
        let is = array.is_word("array") && open.is_sign("[") && close.is_sign("]");
        is.then(|| (name, split(elements, ",").into_iter().map(<[Token]>::to_vec).collect()))
    }
}

/// `CASE WHEN condition THEN a ELSE b END`.
fn choice(condition: &[Token], a: &[Token], b: &[Token]) -> Vec<Token> {
    if let [Token::Text(one), sign, Token::Text(other)] = condition
        && sign.is_sign("=")
    {
        return if one == other { a.to_vec() } else { b.to_vec() };
    }
    // What is put in the place of a null.
    let is = |value: &[Token], not: bool| {
        let rest = condition.strip_prefix(value).unwrap_or_default();
        let words: &[&str] = if not { &["is", "not", "null"] } else { &["is", "null"] };
        !value.is_empty()
            && rest.len() == words.len()
            && rest.iter().zip(words).all(|(token, word)| token.is_word(word))
    };
    let coalesced = |value: &[Token], instead: &[Token]| {
        let (open, comma, close) = ([Token::sign("(")], [Token::sign(",")], [Token::sign(")")]);
        [&[Token::word("coalesce")][..], &open, value, &comma, instead, &close].concat()
    };
    if is(b, false) {
        return coalesced(b, a);
    }
    if is(a, true) {
        return coalesced(a, b);
    }
    let word = |word: &str| vec![Token::word(word)];
    [&word("case")[..], &word("when"), condition, &word("then"), a, &word("else"), b, &word("end")].concat()
}

/// The condition does not hold, or is null.
fn unless(condition: &[Token]) -> Vec<Token> {
    let word = Token::word;
    [&[Token::sign("(")][..], condition, &[Token::sign(")"), word("is"), word("not"), word("true")]].concat()
}

/// Where the statement that begins at `at` has its semicolon.
fn statement_end(tokens: &[Token], at: usize) -> usize {
    tokens.iter().skip(at).position(|token| token.is_sign(";")).map_or(tokens.len(), |found| at + found)
}

fn position(tokens: &[Token], at: usize, word: &str) -> usize {
    tokens.iter().skip(at).position(|token| token.is_word(word)).map_or(tokens.len(), |found| at + found)
}

/// A keyword outside brackets; `extract(epoch from x)` has another FROM.
pub(super) fn split_word(tokens: &[Token], word: &str) -> Option<usize> {
    let mut depth = 0_i32;
    for (at, token) in tokens.iter().enumerate() {
        if token.is_sign("(") {
            depth += 1;
        } else if token.is_sign(")") {
            depth -= 1;
        } else if depth == 0 && token.is_word(word) {
            return Some(at);
        }
    }
    None
}

/// Past dead code, to the end of the branch.
fn skip_to(tokens: &[Token], at: &mut usize, ends: &[&str]) {
    let mut depth = 0;
    while *at < tokens.len() {
        let token = &tokens[*at];
        let opens = ["if", "begin", "loop", "case"].iter().any(|word| token.is_word(word));
        if opens && !(*at > 0 && tokens[*at - 1].is_word("end")) {
            depth += 1;
        } else if token.is_word("end") && depth > 0 {
            depth -= 1;
        } else if depth == 0 && ends.iter().any(|end| token.is_word(end)) {
            return;
        }
        *at += 1;
    }
}
