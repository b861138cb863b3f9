//! Expressions with their variables, helper calls and look-ups replaced, until only the stored row is left.

use super::machine::{Function, Machine, Outcome, split_word};
use super::token::{Token, closing, split, tokens};

/// How deep helpers may call helpers.
const DEEPEST: usize = 8;

impl Machine<'_> {
    /// The expression over the stored row.
    pub(super) fn resolve(&self, expression: &[Token]) -> Vec<Token> {
        let mut out = Vec::with_capacity(expression.len());
        let mut at = 0;
        while at < expression.len() {
            let token = &expression[at];
            let next_is = |sign: &str| expression.get(at + 1).is_some_and(|token| token.is_sign(sign));
            let after_dot = at > 0 && expression[at - 1].is_sign(".");
            if token.is_sign("(")
                && expression.get(at + 1).is_some_and(|token| token.is_word("select") || token.is_word("with"))
                && let Some(end) = closing(expression, at)
            {
                out.extend(self.subselect(&expression[at + 1..end]));
                at = end + 1;
                continue;
            }
            if let (Some(name), false) = (token.name(), after_dot) {
                if next_is(".")
                    && let Some(field) = expression.get(at + 2).and_then(Token::name)
                {
                    let call = expression.get(at + 3).is_some_and(|token| token.is_sign("("));
                    if self.is_row(token) {
                        out.push(Token::Column(field.to_owned()));
                        at += 3;
                        continue;
                    }
                    if let Some(value) = self.variables.get(&format!("{name}.{field}")).filter(|_| !call) {
                        push(&mut out, value);
                        at += 3;
                        continue;
                    }
                    if self.is_record(token) {
                        out.push(self.head(field));
                        at += 3;
                        continue;
                    }
                    if call && let Some((value, end)) = self.call(Some(name), field, expression, at + 3) {
                        push(&mut out, &value);
                        at = end + 1;
                        continue;
                    }
                } else if let Some(argument) = self.argument(&expression[at..]) {
                    out.push(Token::Text(argument));
                    at += 4;
                    continue;
                } else if next_is("(") {
                    if let Some(value) = self.unsealed(name, &expression[at..]) {
                        out.extend(value);
                        at += 4;
                        continue;
                    }
                    if let Some((value, end)) = self.call(None, name, expression, at + 1) {
                        push(&mut out, &value);
                        at = end + 1;
                        continue;
                    }
                } else if let Some(row) = self.as_text(&expression[at..]) {
                    out.extend(row);
                    at += 1;
                    continue;
                } else if self.is_row(token) {
                    out.push(Token::word("t"));
                    at += 1;
                    continue;
                } else if self.is_record(token) {
                    out.push(Token::Unknown(name.to_owned()));
                    at += 1;
                    continue;
                } else if let Some(value) = self.variables.get(name) {
                    push(&mut out, value);
                    at += 1;
                    continue;
                }
            } else if let Token::Number(number) = token
                && let Some(value) = self.variables.get(number)
            {
                push(&mut out, value);
                at += 1;
                continue;
            }
            out.push(token.clone());
            at += 1;
        }
        out
    }

    /// `TG_ARGV[0]`, as the trigger gives it.
    fn argument(&self, expression: &[Token]) -> Option<String> {
        let [name, open, Token::Number(number), close, ..] = expression else { return None };
        let is = self.world.own && name.is_word("tg_argv") && open.is_sign("[") && close.is_sign("]");
        self.world.arguments.get(number.parse::<usize>().ok().filter(|_| is)?).cloned()
    }

    /// `to_jsonb(new)` while the hash of the row is not there yet: the stored row, with nulls for what is assigned later.
    fn unsealed(&self, name: &str, call: &[Token]) -> Option<Vec<Token>> {
        let [_, _, row, close, ..] = call else { return None };
        if !matches!(name, "to_jsonb" | "row_to_json" | "to_json") || !self.is_row(row) || !close.is_sign(")") {
            return None;
        }
        let later = self.later();
        if later.is_empty() {
            return None;
        }
        let open = |name: &str| [Token::word(name), Token::sign("(")];
        let cast = |kind: &str| [Token::sign("::"), Token::word(kind)];
        let (comma, joined, close) = (Token::sign(","), Token::sign("||"), Token::sign(")"));
        let row = [&open(name)[..], &[Token::word("t"), close.clone()]].concat();
        if name == "to_jsonb" {
            let nulls: Vec<String> = later.into_iter().map(|hash| format!("\"{hash}\": null")).collect();
            let nulls = Token::Text(format!("{{{}}}", nulls.join(", ")));
            return Some([&[Token::sign("(")], &row[..], &[joined, nulls], &cast("jsonb"), &[close]].concat());
        }
        // As json a row keeps the order of its columns: the hash is taken out of the text, where a key is written so only once.
        let mut text = [&row[..], &cast("text")].concat();
        for hash in later {
            let (key, null) = (Token::Text(format!("\"{hash}\":")), Token::Text(format!("\"{hash}\":null")));
            let stored = [&open("to_json")[..], &[Token::Column(hash.clone()), close.clone()], &cast("text")].concat();
            text = [
                &open("replace")[..],
                &text,
                &[comma.clone(), key, joined.clone()],
                &stored,
                &[comma.clone(), null, close.clone()],
            ]
            .concat();
        }
        Some([&[Token::sign("(")], &text[..], &[close], &cast("json")].concat())
    }

    /// `new::text` while the hash of the row is not there yet: the same row with nulls for what is assigned later.
    fn as_text(&self, expression: &[Token]) -> Option<Vec<Token>> {
        let [row, cast, kind, ..] = expression else { return None };
        let later = self.later();
        if !self.is_row(row)
            || !cast.is_sign("::")
            || !(kind.is_word("text") || kind.is_word("varchar"))
            || later.is_empty()
        {
            return None;
        }
        let mut value = vec![Token::word("row"), Token::sign("(")];
        for (at, column) in self.world.columns.iter().enumerate() {
            if at > 0 {
                value.push(Token::sign(","));
            }
            value.push(if later.contains(&column) { Token::word("null") } else { Token::Column(column.clone()) });
        }
        value.push(Token::sign(")"));
        Some(value)
    }

    /// Hashes that are assigned further down.
    fn later(&self) -> Vec<&String> {
        let unset = |hash: &&String| {
            let value = self.variables.get(&format!("new.{hash}"));
            self.assigns.contains(hash) && value.is_none_or(|value| *value == [Token::word("null")])
        };
        self.world.hashes.iter().filter(unset).collect()
    }

    /// A field of the last row, or of the head of a chain.
    pub(super) fn head(&self, field: &str) -> Token {
        let is_hash = self.world.hashes.iter().any(|hash| hash == field) || is_hash_name(field);
        if is_hash { Token::Previous(field.to_owned()) } else { Token::Unknown(field.to_owned()) }
    }

    /// `(SELECT hash FROM chain ORDER BY … LIMIT 1)`.
    fn subselect(&self, query: &[Token]) -> Vec<Token> {
        let Some(from) = split_word(query, "from") else {
            return match query.first() {
                Some(first) if first.is_word("select") => {
                    let mut value = vec![Token::sign("(")];
                    value.extend(self.resolve(&query[1..]));
                    value.push(Token::sign(")"));
                    value
                }
                _ => vec![Token::Unknown("query".into())],
            };
        };
        let table = self.table_of(&query[from + 1..]);
        let start = query.iter().position(|token| token.is_word("select")).map_or(0, |at| at + 1);
        if start > from {
            return vec![Token::Unknown("query".into())];
        }
        self.read(&query[start..from], &table)
    }

    /// The table a query reads, without its schema.
    pub(super) fn table_of(&self, from: &[Token]) -> String {
        let dotted = from.get(1).is_some_and(|token| token.is_sign("."));
        from.get(if dotted { 2 } else { 0 }).and_then(Token::name).unwrap_or_default().to_owned()
    }

    /// An expression over the last row of the chain or its head: only its hash is known, as the previous one.
    pub(super) fn read(&self, item: &[Token], table: &str) -> Vec<Token> {
        let mut value = Vec::new();
        let mut at = 0;
        while at < item.len() {
            let token = &item[at];
            let call = item.get(at + 1).is_some_and(|token| token.is_sign("("));
            let qualified = item.get(at + 1).is_some_and(|token| token.is_sign("."));
            if qualified && token.name().is_some() {
                at += 2; // the alias
                continue;
            }
            match token.name() {
                Some(name) if !call && !is_keyword(name) => {
                    let ours = table == self.world.table;
                    let is_hash = self.world.hashes.iter().any(|hash| hash == name);
                    let after_cast = at > 0 && item[at - 1].is_sign("::");
                    if after_cast {
                        value.push(token.clone());
                    } else if is_hash || !ours && is_hash_name(name) {
                        value.push(Token::Previous(name.to_owned()));
                    } else if let Some(known) = self.variables.get(name) {
                        push(&mut value, known);
                    } else if token.is_word("as") {
                        break;
                    } else {
                        value.push(Token::Unknown(name.to_owned()));
                    }
                }
                _ => value.push(token.clone()),
            }
            at += 1;
        }
        value
    }

    /// A call of one of this database's own functions, replaced by what it returns; the place of its closing bracket.
    fn call(&self, schema: Option<&str>, name: &str, tokens_: &[Token], open: usize) -> Option<(Vec<Token>, usize)> {
        if self.depth >= DEEPEST {
            return None;
        }
        let close = closing(tokens_, open)?;
        let arguments: Vec<Vec<Token>> =
            split(&tokens_[open + 1..close], ",").into_iter().map(|argument| self.resolve(argument)).collect();
        let callable = |function: &&Function| {
            function.name.1 == name
                && schema.is_none_or(|schema| schema == function.name.0)
                && function.parameters.len() >= arguments.len()
        };
        // Of several with one name, the one that takes as many.
        let fewest = |function: &&Function| function.parameters.len();
        let function = self.world.functions.iter().filter(callable).min_by_key(fewest)?;
        let mut machine = Machine::new(self.world, Vec::new(), self.depth + 1);
        for (at, argument) in arguments.into_iter().enumerate() {
            // name => value
            let (at, argument) = match argument.as_slice() {
                [name, arrow, value @ ..] if arrow.is_sign("=>") || arrow.is_sign(":=") => {
                    let name = name.name()?;
                    let at = function.parameters.iter().position(|(parameter, _)| parameter == name)?;
                    (at, value.to_vec())
                }
                _ => (at, argument),
            };
            let (parameter, kind) = &function.parameters[at];
            if argument == [Token::word("t")] {
                machine.rows.push(if parameter.is_empty() { format!("${}", at + 1) } else { parameter.clone() });
                continue;
            }
            let argument = with_type(argument, kind);
            machine.variables.insert(format!("${}", at + 1), argument.clone());
            if !parameter.is_empty() {
                machine.variables.insert(parameter.clone(), argument);
            }
        }
        let value = match function.language.as_str() {
            "plpgsql" => {
                let Outcome { returned, .. } = machine.body(&function.source);
                returned?
            }
            _ => machine.sql_body(&function.source)?,
        };
        Some((value, close))
    }

    /// `SELECT expression`, or `RETURN expression`.
    fn sql_body(&self, source: &str) -> Option<Vec<Token>> {
        let body = tokens(source);
        let body: &[Token] = match body.split_last() {
            Some((last, rest)) if last.is_sign(";") => rest,
            _ => &body,
        };
        let (first, expression) = body.split_first()?;
        let plain = (first.is_word("select") || first.is_word("return"))
            && split_word(expression, "from").is_none()
            && !expression.iter().any(|token| token.is_sign(";"));
        plain.then(|| self.resolve(expression))
    }
}

/// A constant has no type of its own until it becomes an argument.
fn with_type(argument: Vec<Token>, kind: &str) -> Vec<Token> {
    if matches!(argument.as_slice(), [Token::Text(_)]) && kind == "bytea" {
        return [argument, vec![Token::sign("::"), Token::word("bytea")]].concat();
    }
    argument
}

/// A value in the place of a name: bracketed unless it is one token.
fn push(out: &mut Vec<Token>, value: &[Token]) {
    if value.len() == 1 {
        out.extend_from_slice(value);
        return;
    }
    out.push(Token::sign("("));
    out.extend_from_slice(value);
    out.push(Token::sign(")"));
}

/// A column that by its name holds a hash: of heads, which are tables of their own.
pub(in crate::chain) fn is_hash_name(name: &str) -> bool {
    const PARTS: [&str; 14] = [
        "hash",
        "digest",
        "checksum",
        "signature",
        "hmac",
        "chain",
        "seal",
        "fingerprint",
        "head",
        "tip",
        "huella",
        "sha",
        "prev",
        "sig",
    ];
    let name = name.to_ascii_lowercase();
    PARTS.iter().any(|part| name.contains(part))
}

fn is_keyword(name: &str) -> bool {
    const WORDS: [&str; 22] = [
        "null",
        "true",
        "false",
        "case",
        "when",
        "then",
        "else",
        "end",
        "and",
        "or",
        "not",
        "is",
        "distinct",
        "text",
        "bytea",
        "varchar",
        "over",
        "partition",
        "by",
        "order",
        "limit",
        "desc",
    ];
    WORDS.contains(&name)
}
