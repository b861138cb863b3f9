//! From an expression that computes a hash to formulas: what is understood becomes pieces written in Rust, the rest is
//! rendered by the server, and in the last resort the server computes the whole hash.

use super::safe;
use super::token::{Token, closing, render, split};
use crate::chain::algorithm::Algorithm;
use crate::chain::encoding;
use crate::chain::form::{self, Form};
use crate::chain::items::Items;
use crate::chain::recipe::{Formula, Null, Piece};
use crate::chain::time::Clock;
use crate::chain::value::Kind;

/// Reads expressions over the columns of one table.
pub struct Reader<'a> {
    /// The stream that is built.
    pub items: &'a mut Items,
    /// Schema of pgcrypto.
    pub pgcrypto: Option<&'a str>,
    /// What the hash of the row before is spelled like where no column repeats it: its form, and the first row's.
    pub genesis: Vec<u8>,
}

/// A call of a hash function, taken apart.
struct Hash<'a> {
    algorithm: Algorithm,
    keyed: bool,
    of: &'a [Token],
}

/// What the pieces are joined as.
#[derive(Clone, Copy, PartialEq)]
enum As {
    Text,
    Bytes,
}

impl Reader<'_> {
    /// The formulas this expression may stand for, the ones that run fastest first.
    pub fn formulas(&mut self, expression: &[Token], source: &str) -> Vec<Formula> {
        let expression = bare(expression);
        let mut found = Vec::new();
        if let Some(hash) = peel(expression) {
            let (of, joined, unescaped) = preimage(hash.of);
            let joined = self.joined_as(of, joined);
            let formula =
                |pieces| Formula { keyed: hash.keyed, unescaped, ..Formula::new(hash.algorithm, pieces, source) };
            if let Some(pieces) = self.pieces(of, joined) {
                found.push(formula(pieces));
            }
            if let Some(piece) = self.rendered(of, joined) {
                found.push(formula(vec![piece]));
            }
        }
        if let Some(safe) = safe::qualified(expression, self.pgcrypto) {
            let sql = format!("({})::text", render(&safe));
            let at = self.items.rendered(sql, Kind::Rendered);
            let algorithm = peel(expression).map_or(Algorithm::Sha256, |hash| hash.algorithm);
            found.push(Formula { computed: Some(at), ..Formula::new(algorithm, Vec::new(), source) });
        }
        found
    }

    fn joined_as(&self, of: &[Token], joined: As) -> As {
        if joined == As::Text && parts(of).iter().any(|part| self.is_bytes(part)) { As::Bytes } else { joined }
    }

    fn pieces(&mut self, of: &[Token], joined: As) -> Option<Vec<Piece>> {
        let mut pieces = Vec::new();
        for part in parts(of) {
            let part = self.uncast(bare(part), joined);
            if parts(part).len() > 1 {
                pieces.extend(self.pieces(part, joined)?);
                continue;
            }
            match self.native(part, joined) {
                Some(native) => pieces.extend(native),
                None => match self.rendered(part, joined) {
                    Some(rendered) => pieces.push(rendered),
                    None => pieces.push(self.hashed(part, joined)?),
                },
            }
        }
        Some(pieces)
    }

    /// `(a || b)::text` as `a || b`: what is joined as text is text, and bytes joined with bytes are bytes. Where it is not, the
    /// formula explains no row.
    fn uncast<'t>(&self, part: &'t [Token], joined: As) -> &'t [Token] {
        let [inner @ .., sign, kind] = part else { return part };
        let (inner, of) = (bare(inner), parts(inner));
        let same = match joined {
            As::Text => is_text(kind),
            As::Bytes => kind.is_word("bytea") && of.iter().any(|part| self.is_bytes(part)),
        };
        if sign.is_sign("::") && of.len() > 1 && same { self.uncast(inner, joined) } else { part }
    }

    /// A digest in the preimage that the server cannot give, since it does not know all that is in it.
    fn hashed(&mut self, part: &[Token], joined: As) -> Option<Piece> {
        let hash = peel(part).filter(|hash| !hash.keyed)?;
        let (of, inner, unescaped) = preimage(hash.of);
        let inner = self.joined_as(of, inner);
        let of = self.pieces(of, inner)?;
        (!unescaped).then_some(Piece::Hashed { algorithm: hash.algorithm, hex: joined == As::Text, of })
    }

    /// A piece the server renders.
    fn rendered(&mut self, part: &[Token], joined: As) -> Option<Piece> {
        let safe = safe::qualified(part, self.pgcrypto)?;
        let (sql, kind) = match joined {
            As::Text => (format!("({})::text", render(&safe)), Kind::Rendered),
            As::Bytes => (format!("({})", render(&safe)), Kind::Bytes),
        };
        Some(Piece::item(self.items.rendered(sql, kind), Form::Raw))
    }

    /// Pieces for a part that is understood.
    fn native(&mut self, part: &[Token], joined: As) -> Option<Vec<Piece>> {
        let part = bare(part);
        if let Some(framed) = framed(part) {
            let at = self.framed_column(framed)?;
            return Some(vec![Piece::Item { at, form: Form::Framed, null: Null::Bytes(vec![0xff; 4]) }]);
        }
        match part {
            [Token::Text(text)] if joined == As::Text => return Some(vec![Piece::literal(text)]),
            [Token::Text(text)] => return Some(vec![Piece::Literal(form::bytea_input(text.as_bytes())?)]),
            [Token::Text(text), sign, kind] if sign.is_sign("::") => {
                let bytes =
                    if kind.is_word("bytea") { form::bytea_input(text.as_bytes())? } else { text.clone().into_bytes() };
                return Some(vec![Piece::Literal(bytes)]);
            }
            [Token::Number(number)] if joined == As::Text => return Some(vec![Piece::literal(number)]),
            [Token::Column(column)] => return self.plain(column, joined),
            [Token::Previous(_)] => {
                let form = if joined == As::Text { Form::Hex } else { Form::Digest };
                return Some(vec![Piece::Last { form, genesis: self.genesis.clone() }]);
            }
            [inner @ .., sign, kind] if sign.is_sign("::") && is_text(kind) && joined == As::Text => {
                return self.as_text(bare(inner));
            }
            [inner @ .., sign, kind, open, Token::Number(_), close]
                if sign.is_sign("::")
                    && is_text(kind)
                    && open.is_sign("(")
                    && close.is_sign(")")
                    && joined == As::Text =>
            {
                return self.as_text(bare(inner));
            }
            _ => {}
        }
        if let [inner @ .., sign, kind] = part
            && sign.is_sign("::")
            && is_text(kind)
        {
            return self.native(inner, joined);
        }
        if let Some(json) = self.json_as(part).filter(|_| joined == As::Text) {
            return Some(vec![json]);
        }
        let (name, arguments) = call(part)?;
        if let ("extract", [epoch, from, column @ ..]) = (name, arguments)
            && epoch.is_word("epoch")
            && from.is_word("from")
            && let [Token::Column(column)] = bare(column)
        {
            return self.of_kind(column, Form::EpochText, |kind| kind == Kind::Timestamptz);
        }
        let arguments = split(arguments, ",");
        match (name, arguments.as_slice()) {
            ("coalesce", [value, fallback]) => self.coalesced(value, fallback, joined),
            ("chr", [number]) if joined == As::Text => {
                let [Token::Number(number)] = bare(number) else { return None };
                let character = char::from_u32(number.parse().ok()?)?;
                Some(vec![Piece::literal(character.encode_utf8(&mut [0; 4]))])
            }
            ("repeat", [text, number]) if joined == As::Text => {
                let ([Token::Text(text)], [Token::Number(number)]) = (bare(text), bare(number)) else { return None };
                let times = number.parse().ok().filter(|times| *times <= 1024)?;
                Some(vec![Piece::literal(&text.repeat(times))])
            }
            ("concat", values) if joined == As::Text => {
                let mut pieces = Vec::new();
                for value in values {
                    pieces.extend(or_empty(self.native_or_rendered(value, joined)?));
                }
                Some(pieces)
            }
            ("concat_ws", [separator, values @ ..]) if joined == As::Text => {
                let separator = match self.native(separator, As::Text)?.as_slice() {
                    [Piece::Literal(separator)] => separator.clone(),
                    _ => return None,
                };
                let mut pieces = Vec::new();
                for value in values {
                    let [piece] = <[Piece; 1]>::try_from(self.native_or_rendered(value, joined)?).ok()?;
                    pieces.push(piece);
                }
                Some(vec![Piece::Joined(separator, pieces)])
            }
            ("encode", [value, how]) if joined == As::Text => {
                let form = match bare(how) {
                    [Token::Text(how)] if how == "hex" => Form::Hex,
                    [Token::Text(how)] if how == "base64" => Form::Base64,
                    _ => return None,
                };
                match bare(value) {
                    [Token::Column(column)] => self.of_kind(column, form, |kind| kind == Kind::Bytes),
                    [Token::Previous(_)] => Some(vec![Piece::Last { form, genesis: self.genesis.clone() }]),
                    _ => None,
                }
            }
            ("to_char", [value, pattern]) if joined == As::Text => {
                let [Token::Text(pattern)] = bare(pattern) else { return None };
                let form = Form::Time(Clock::of_pattern(pattern)?);
                match bare(value) {
                    [Token::Column(column), at, time, zone, Token::Text(utc)]
                        if at.is_word("at")
                            && time.is_word("time")
                            && zone.is_word("zone")
                            && utc.eq_ignore_ascii_case("utc") =>
                    {
                        self.of_kind(column, form, |kind| kind == Kind::Timestamptz)
                    }
                    [Token::Column(column)] => self.of_kind(column, form, |kind| kind.is_time()),
                    _ => None,
                }
            }
            ("decode", [value, how]) if joined == As::Bytes => match (bare(value), bare(how)) {
                ([Token::Column(column)], [Token::Text(how)]) if how == "hex" => {
                    self.of_kind(column, Form::Digest, Kind::is_text)
                }
                ([Token::Text(digits)], [Token::Text(how)]) if how == "hex" => {
                    Some(vec![Piece::Literal(encoding::from_hex(digits)?)])
                }
                _ => None,
            },
            ("convert_to", [value, _]) if joined == As::Bytes => self.pieces(value, As::Text),
            (send, [value]) if joined == As::Bytes && send.ends_with("send") => match bare(value) {
                [Token::Column(column)] => self.sent(column, send),
                _ => None,
            },
            _ => None,
        }
    }

    fn native_or_rendered(&mut self, part: &[Token], joined: As) -> Option<Vec<Piece>> {
        let part = bare(part);
        if parts(part).len() > 1 {
            return self.rendered(part, joined).map(|piece| vec![piece]);
        }
        match self.native(part, joined) {
            // concat writes booleans as t and f; the server knows.
            Some(pieces) if !self.reads_bool(&pieces) => Some(pieces),
            _ => self.rendered(part, joined).map(|piece| vec![piece]),
        }
    }

    fn reads_bool(&self, pieces: &[Piece]) -> bool {
        pieces.iter().any(|piece| matches!(piece, Piece::Item { at, .. } if self.items.list[*at].kind == Kind::Bool))
    }

    fn coalesced(&mut self, value: &[Token], fallback: &[Token], joined: As) -> Option<Vec<Piece>> {
        let fallback = match self.native(bare(fallback), joined)?.as_slice() {
            [Piece::Literal(bytes)] => bytes.clone(),
            _ => return None,
        };
        match self.native(bare(value), joined)?.as_slice() {
            [Piece::Item { at, form, null }] if *null == Null::All || is_json_as(value) => {
                Some(vec![Piece::Item { at: *at, form: form.clone(), null: Null::Bytes(fallback) }])
            }
            [Piece::Last { form, .. }] => Some(vec![Piece::Last { form: form.clone(), genesis: fallback }]),
            _ => None,
        }
    }

    fn plain(&mut self, column: &str, joined: As) -> Option<Vec<Piece>> {
        match joined {
            As::Bytes => self.of_kind(column, Form::Raw, |kind| kind == Kind::Bytes),
            As::Text => self.of_kind(column, Form::Text, |_| true),
        }
    }

    /// `x::text` of something simple.
    fn as_text(&mut self, value: &[Token]) -> Option<Vec<Piece>> {
        match value {
            [Token::Column(column)] => self.plain(column, As::Text),
            [Token::Text(text)] => Some(vec![Piece::literal(text)]),
            [Token::Previous(_)] => self.native(value, As::Text),
            _ if call(value)
                .is_some_and(|(name, _)| matches!(name, "coalesce" | "encode" | "concat" | "concat_ws")) =>
            {
                self.native(value, As::Text)
            }
            _ => None,
        }
    }

    fn of_kind(&mut self, column: &str, form: Form, fits: impl Fn(Kind) -> bool) -> Option<Vec<Piece>> {
        self.items.known(column).filter(|column| fits(column.kind))?;
        Some(vec![Piece::item(self.items.column(column)?, form)])
    }

    /// `int8send(column)` where that is what COPY sends.
    fn sent(&mut self, column: &str, send: &str) -> Option<Vec<Piece>> {
        let known = self.items.known(column)?;
        let same = matches!(
            (send, known.type_name.as_str()),
            ("int2send", "int2")
                | ("int4send", "int4")
                | ("int8send", "int8")
                | ("uuid_send", "uuid")
                | ("boolsend", "bool")
                | ("timestamptz_send", "timestamptz")
                | ("timestamp_send", "timestamp")
                | ("date_send", "date")
                | ("byteasend", "bytea")
                | ("jsonb_send", "jsonb")
        );
        if !same && send == "int8send" && known.kind == Kind::Int {
            return Some(vec![Piece::item(self.items.column(column)?, Form::BigEndian(8))]);
        }
        let rendered = known.kind == Kind::Rendered && send.strip_suffix("_send") == Some(&known.type_name);
        if rendered {
            return Some(vec![Piece::item(self.items.sent(column)?, Form::Raw)]);
        }
        same.then_some(())?;
        Some(vec![Piece::item(self.items.column(column)?, Form::Raw)])
    }

    /// The column whose bytes are framed.
    fn framed_column(&mut self, value: &[Token]) -> Option<usize> {
        let pieces = match bare(value) {
            [Token::Column(column)] => self.plain(column, As::Bytes)?,
            value => self.native(value, As::Bytes)?,
        };
        match pieces.as_slice() {
            [Piece::Item { at, form, null: Null::All }] => {
                let item = &self.items.list[*at];
                // Framing counts the bytes that are sent, so the form must be what is sent.
                let sent =
                    *form == Form::Raw && item.kind != Kind::Rendered || *form == Form::Text && item.kind == Kind::Text;
                sent.then_some(*at)
            }
            _ => None,
        }
    }

    /// Whether a part is bytea, as far as can be told.
    fn is_bytes(&self, part: &[Token]) -> bool {
        match bare(part) {
            [Token::Column(column)] => self.items.known(column).is_some_and(|column| column.kind == Kind::Bytes),
            [.., sign, kind] if sign.is_sign("::") && kind.is_word("bytea") => true,
            part if framed(part).is_some() => true,
            part => call(part).is_some_and(|(name, arguments)| match name {
                "coalesce" | "nullif" => split(arguments, ",").iter().any(|argument| self.is_bytes(argument)),
                "convert_to" | "decode" | "digest" | "hmac" | "sha224" | "sha256" | "sha384" | "sha512" => true,
                name => name.ends_with("send"),
            }),
        }
    }
}

/// A null writes nothing.
fn or_empty(pieces: Vec<Piece>) -> Vec<Piece> {
    let empty = |piece| match piece {
        Piece::Item { at, form, null: Null::All } => Piece::Item { at, form, null: Null::Bytes(Vec::new()) },
        other => other,
    };
    pieces.into_iter().map(empty).collect()
}

/// What it gives for a null may be given otherwise.
fn is_json_as(value: &[Token]) -> bool {
    call(bare(value)).is_some_and(|(name, _)| name == "json_as")
}

fn is_text(kind: &Token) -> bool {
    kind.is_word("text") || kind.is_word("varchar")
}

fn parts(tokens: &[Token]) -> Vec<&[Token]> {
    split(bare(tokens), "||")
}

/// Without brackets around the whole.
pub fn bare(mut tokens: &[Token]) -> &[Token] {
    while tokens.first().is_some_and(|token| token.is_sign("(")) && closing(tokens, 0) == Some(tokens.len() - 1) {
        tokens = &tokens[1..tokens.len() - 1];
    }
    tokens
}

/// `name(arguments)` and nothing else; a schema before it is passed over.
pub fn call(tokens: &[Token]) -> Option<(&str, &[Token])> {
    let tokens = match tokens {
        [schema, dot, rest @ ..] if dot.is_sign(".") && schema.name().is_some() => rest,
        _ => tokens,
    };
    let name = tokens.first()?.name()?;
    (tokens.get(1)?.is_sign("(") && closing(tokens, 1) == Some(tokens.len() - 1))
        .then(|| (name, &tokens[2..tokens.len() - 1]))
}

/// The hash function inside `encode(…, 'hex')`, `lower(…)`, casts and a prefix.
fn peel(tokens: &[Token]) -> Option<Hash<'_>> {
    let tokens = bare(tokens);
    if let [inner @ .., sign, kind] = tokens
        && sign.is_sign("::")
        && (is_text(kind) || kind.is_word("bytea"))
    {
        return peel(inner);
    }
    if let [prefix, rest] = split(tokens, "||").as_slice()
        && let [Token::Text(_)] = bare(prefix)
    {
        return peel(rest);
    }
    let (name, arguments) = call(tokens)?;
    let arguments = split(arguments, ",");
    let named = |argument: &&[Token]| match bare(argument) {
        [Token::Text(name)] => Algorithm::named(name),
        [Token::Text(name), sign, _] if sign.is_sign("::") => Algorithm::named(name),
        _ => None,
    };
    match (name, arguments.as_slice()) {
        ("encode" | "lower" | "upper", [value, ..]) => peel(value),
        ("digest", [of, name]) => Some(Hash { algorithm: named(name)?, keyed: false, of }),
        ("hmac", [of, _, name]) => Some(Hash { algorithm: named(name)?, keyed: true, of }),
        (name, [of]) => Some(Hash { algorithm: Algorithm::named(name)?, keyed: false, of }),
        _ => None,
    }
}

/// What is hashed, what its parts are joined as, and whether `::bytea` reads backslashes in it.
fn preimage(of: &[Token]) -> (&[Token], As, bool) {
    let of = bare(of);
    if split(of, "||").len() > 1 {
        return (of, As::Text, false);
    }
    if let [inner @ .., sign, kind] = of
        && sign.is_sign("::")
        && kind.is_word("bytea")
        && !matches!(bare(inner), [Token::Column(_)])
    {
        return (bare(inner), As::Text, true);
    }
    match call(of) {
        Some(("convert_to", arguments)) => {
            let value = split(arguments, ",");
            (bare(value.first().copied().unwrap_or_default()), As::Text, false)
        }
        _ => (of, As::Text, false),
    }
}

/// `CASE WHEN x IS NULL THEN '\xffffffff' ELSE int4send(octet_length(x)) || x END`, the frame of recipe v1: x.
fn framed(tokens: &[Token]) -> Option<&[Token]> {
    let tokens = bare(tokens);
    let is = |at: usize, word: &str| tokens.get(at).is_some_and(|token| token.is_word(word));
    if !is(0, "case") || !is(1, "when") {
        return None;
    }
    let when = tokens.iter().position(|token| token.is_word("is"))?;
    let value = &tokens[2..when];
    let tail = tokens.iter().position(|token| token.is_word("else"))?;
    let null = render(&tokens[when..tail]);
    let length = render(tokens.get(tail + 1..tokens.len().checked_sub(1)?)?);
    let text = render(bare(value));
    let mut shape = length.replace(&text, "x");
    while shape.contains("( x )") {
        shape = shape.replace("( x )", "x");
    }
    let framed = null.contains("is null then")
        && null.contains("xffffffff")
        && (shape == "int4send ( octet_length x ) || x" || shape == "int4send ( length x ) || x");
    framed.then_some(value)
}
