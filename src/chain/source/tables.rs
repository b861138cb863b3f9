//! What a body reads from tables and writes to them: where the previous hash comes from, and rows it writes elsewhere.

use super::machine::{Insert, Machine, split_word};
use super::token::{Token, closing, split};

impl Machine<'_> {
    /// `EXECUTE … INTO …`: what is read is a hash if the query names a column of hashes, and unknown else.
    pub(super) fn execute(&mut self, tokens: &[Token]) {
        let Some(into) = tokens.iter().position(|token| token.is_word("into")) else { return };
        let named = |hash: &&String| {
            let words =
                |text: &str| text.split(|c: char| !c.is_alphanumeric() && c != '_').any(|word| word == hash.as_str());
            tokens[..into].iter().any(|token| matches!(token, Token::Text(text) if words(text)))
        };
        let value = match self.world.hashes.iter().find(named) {
            Some(hash) => Token::Previous(hash.clone()),
            None => Token::Unknown("query".into()),
        };
        if let Some(target) = tokens.get(into + 1..into + 2).and_then(|tokens| self.target(tokens)) {
            self.variables.insert(target, vec![value]);
        }
    }

    /// `SELECT … INTO …`, and `SELECT INTO … …`.
    pub(super) fn select_into(&mut self, tokens: &[Token]) {
        let Some(into) = tokens.iter().position(|token| token.is_word("into")) else { return };
        let select = tokens[..into].iter().rposition(|token| token.is_word("select")).unwrap_or(0);
        let mut at = into + 1;
        if tokens.get(at).is_some_and(|token| token.is_word("strict")) {
            at += 1;
        }
        let mut targets = Vec::new();
        loop {
            let end = if tokens.get(at + 1).is_some_and(|t| t.is_sign(".")) { at + 3 } else { at + 1 };
            let Some(target) = tokens.get(at..end).and_then(|tokens| self.target(tokens)) else { return };
            targets.push(target);
            at = end;
            if !tokens.get(at).is_some_and(|token| token.is_sign(",")) {
                break;
            }
            at += 1;
        }
        let from = split_word(&tokens[at..], "from").map(|from| at + from);
        let list =
            if into == select + 1 { &tokens[at..from.unwrap_or(tokens.len())] } else { &tokens[select + 1..into] };
        let items = split(list, ",");
        let Some(from) = from else {
            for (target, item) in targets.iter().zip(items) {
                self.assign(target, item);
            }
            return;
        };
        let table = self.table_of(&tokens[from + 1..]);
        if targets.len() == 1 && items.len() > 1
            || items.first().is_some_and(|item| item.iter().any(|t| t.is_sign("*")))
        {
            self.records.push(targets.remove(0));
            return;
        }
        for (target, item) in targets.iter().zip(items) {
            let value = self.read(item, &table);
            self.variables.insert(target.clone(), value);
        }
    }

    /// `UPDATE table SET column = value, …`: a row written right after it was inserted.
    pub(super) fn update(&mut self, tokens: &[Token]) {
        let Some(set) = tokens.iter().position(|token| token.is_word("set")) else { return };
        let name = tokens[1..set].iter().filter(|token| !token.is_word("only") && !token.is_word("as"));
        let names: Vec<&Token> = name.collect();
        let dotted = names.get(1).is_some_and(|token| token.is_sign("."));
        let Some(table) = names.get(if dotted { 2 } else { 0 }).and_then(|token| token.name()) else { return };
        let rest = &tokens[set + 1..];
        let end = split_word(rest, "where").or_else(|| split_word(rest, "from")).unwrap_or(rest.len());
        let mut written = Vec::new();
        for assignment in split(&rest[..end], ",") {
            if let [column, equals, value @ ..] = assignment
                && equals.is_sign("=")
                && let Some(column) = column.name()
            {
                written.push((column.to_owned(), self.resolve(value)));
            }
        }
        self.outcome.inserts.push(Insert { table: table.to_owned(), values: written });
    }

    /// What `INSERT INTO other (…) VALUES (…)` or `… SELECT …` writes.
    pub(super) fn insert(&mut self, tokens: &[Token]) {
        let Some(open) = tokens.iter().position(|token| token.is_sign("(")) else { return };
        let Some(table) = tokens[..open].iter().rev().find_map(Token::name) else { return };
        let Some(close) = closing(tokens, open) else { return };
        let columns = split(&tokens[open + 1..close], ",");
        let rest = &tokens[close + 1..];
        let values = match rest.first() {
            Some(first) if first.is_word("values") && rest.get(1).is_some_and(|t| t.is_sign("(")) => {
                let Some(end) = closing(rest, 1) else { return };
                &rest[2..end]
            }
            Some(first) if first.is_word("select") => &rest[1..split_word(rest, "from").unwrap_or(rest.len())],
            _ => return,
        };
        let mut written = Vec::new();
        for (column, value) in columns.iter().zip(split(values, ",")) {
            if let Some(column) = column.first().and_then(Token::name) {
                written.push((column.to_owned(), self.resolve(value)));
            }
        }
        self.outcome.inserts.push(Insert { table: table.to_owned(), values: written });
    }
}
