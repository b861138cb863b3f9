//! `json_as`, which only a declared formula calls: values as the JSON of an application, which SQL cannot write.

use super::expression::{Reader, bare, call};
use super::token::{Token, split};
use crate::chain::form::{Form, Fraction};
use crate::chain::json_form::{Escaped, Style};
use crate::chain::recipe::{Null, Piece};
use crate::chain::value::Kind;

/// What the words say.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Words {
    style: Style,
    /// How the language ends a number; as it is stored where none is named.
    numbers: Option<Fraction>,
    /// Text that holds a document is one.
    document: bool,
    /// Whatever it is, it is a string.
    string: bool,
    /// Members that documents have, at every depth and in this order.
    listed: Option<Box<[String]>>,
}

impl Reader<'_> {
    /// `json_as(column, 'python sorted')`: the column as a JSON value; a null is `null`.
    pub(super) fn json_as(&mut self, part: &[Token]) -> Option<Piece> {
        let ("json_as", arguments) = call(part)? else { return None };
        let (column, words) = match split(arguments, ",").as_slice() {
            [column] => (bare(column), Words::read("")?),
            [column, said] => match bare(said) {
                [Token::Text(said)] => (bare(column), Words::read(said)?),
                _ => return None,
            },
            _ => return None,
        };
        let [Token::Column(name)] = column else { return None };
        let is_number = matches!(self.items.known(name)?.type_name.as_str(), "numeric" | "float8" | "float4");
        let at = self.items.column(name)?;
        let form = words.form(self.items.list[at].kind, is_number);
        Some(Piece::Item { at, form, null: Null::Bytes(words.style.null().as_bytes().to_vec()) })
    }
}

impl Words {
    fn read(said: &str) -> Option<Self> {
        let mut words =
            Self { style: Style::compact(false), numbers: None, document: false, string: false, listed: None };
        let mut is_spaced = None;
        let mut is_ascii = None;
        for word in said.split_whitespace() {
            match word {
                "python" => (words.style, words.numbers) = (Style::python(false), Some(Fraction::One)),
                "javascript" => words.numbers = Some(Fraction::Needed),
                "rust" => words.numbers = Some(Fraction::One),
                "go" => {
                    (words.style.escaped, words.numbers) = (Escaped::Html, Some(Fraction::Needed));
                }
                "php" => {
                    words.style = Style { ascii: true, escaped: Escaped::Slash, ..words.style };
                    words.numbers = Some(Fraction::Needed);
                }
                "sorted" | "document" | "string" | "listed" => {}
                "spaced" => is_spaced = Some(true),
                "compact" => is_spaced = Some(false),
                "ascii" => is_ascii = Some(true),
                "unicode" => is_ascii = Some(false),
                _ => words.listed = Some(word.strip_prefix("listed=")?.split(',').map(str::to_owned).collect()),
            }
        }
        let says = |word: &str| said.split_whitespace().any(|known| known == word);
        words.style.listed = says("listed");
        words.style.sorted = says("sorted") || words.style.listed;
        (words.document, words.string) = (says("document"), says("string"));
        words.style.ascii = is_ascii.unwrap_or(words.style.ascii);
        if let Some(is_spaced) = is_spaced {
            (words.style.comma, words.style.colon) = if is_spaced { (", ", ": ") } else { (",", ":") };
        }
        Some(words)
    }

    fn form(&self, kind: Kind, is_number: bool) -> Form {
        let style = self.style;
        let is_document = kind.is_document() || self.document && kind.is_text();
        let plain = match self.numbers {
            _ if is_document => match &self.listed {
                Some(names) => Form::Listed(style, names.clone()),
                None => Form::Rewritten(style),
            },
            Some(end) if is_number => Form::Number(end),
            None if is_number => Form::Text,
            _ if kind == Kind::Bytes => Form::Hex,
            _ => return if self.string { Form::Quoted(style, Box::new(Form::Text)) } else { Form::Json(style, None) },
        };
        if self.string || kind == Kind::Bytes { Form::Quoted(style, Box::new(plain)) } else { plain }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_say_how_json_is_written() {
        let style = |said| Words::read(said).unwrap().style;
        assert_eq!(style(""), Style::compact(false));
        assert_eq!(style("python sorted"), Style::python(true));
        assert_eq!(style("sorted python compact"), Style { ascii: true, ..Style::compact(true) });
        assert_eq!(style("php unicode"), Style { escaped: Escaped::Slash, ..Style::compact(false) });
        assert_eq!(style("listed"), Style::LISTED);
        assert_eq!(Words::read("pyhton"), None);
        let form = |said, kind, is_number| Words::read(said).unwrap().form(kind, is_number);
        assert_eq!(form("go", Kind::Rendered, true), Form::Number(Fraction::Needed));
        assert_eq!(form("", Kind::Rendered, true), Form::Text);
        let names = ["b".to_owned(), "a".to_owned()];
        assert_eq!(form("listed=b,a", Kind::Jsonb, false), Form::Listed(Style::compact(false), names.into()));
        assert_eq!(form("document", Kind::Text, false), Form::Rewritten(Style::compact(false)));
        assert_eq!(
            form("string", Kind::Jsonb, false),
            Form::Quoted(Style::compact(false), Box::new(Form::Rewritten(Style::compact(false))))
        );
    }
}
