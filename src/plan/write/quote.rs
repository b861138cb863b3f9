//! SQL as a string of another language, so that it arrives as it was.

/// Python: three quotes, which keep the lines. SQLAlchemy's `text()` has rules of its own; see [`sqlalchemy`].
pub(super) fn python(sql: &str) -> String {
    let text = sql.replace('\\', "\\\\").replace("\"\"\"", "\\\"\\\"\\\"").replace('\r', "\\r");
    // A quote at the end would be one of the three.
    let text = text.strip_suffix('"').map_or_else(|| text.clone(), |rest| format!("{rest}\\\""));
    format!("\"\"\"{}\"\"\"", controls(&text, |code| format!("\\x{code:02x}")))
}

/// A colon before a word is a parameter to SQLAlchemy's `text()`, unless a backslash stands before it.
/// Source: sqlalchemy/sqlalchemy lib/sqlalchemy/sql/{elements,compiler}.py, `_bind_params_regex`, `BIND_PARAMS_ESC`.
pub(super) fn sqlalchemy(sql: &str) -> String {
    let mut escaped = String::with_capacity(sql.len() + 8);
    let mut rest = sql.chars().peekable();
    let mut before = ' ';
    while let Some(c) = rest.next() {
        // Of a cast's two colons none is a parameter.
        if c == ':' && before != ':' && rest.peek() != Some(&':') {
            escaped.push('\\');
        }
        escaped.push(c);
        before = c;
    }
    escaped
}

/// JavaScript and TypeScript: a template without holes.
pub(super) fn template(sql: &str) -> String {
    let text = sql.replace('\\', "\\\\").replace('`', "\\`").replace("${", "\\${").replace('\r', "\\r");
    format!("`{}`", controls(&text, |code| format!("\\x{code:02x}")))
}

/// Ruby: a heredoc that knows neither escapes nor holes. The opening, and the text with its end.
pub(super) fn ruby(sql: &str) -> (String, String) {
    let mut end = "SQL".to_owned();
    while sql.lines().any(|line| line.trim() == end) {
        end.push('_');
    }
    (format!("<<'{end}'"), format!("{sql}\n{end}\n"))
}

/// Elixir: a string over several lines.
pub(super) fn elixir(sql: &str) -> String {
    let text = sql.replace('\\', "\\\\").replace('"', "\\\"").replace("#{", "\\#{").replace('\r', "\\r");
    format!("\"\"\"\n{}\n\"\"\"", controls(&text, |code| format!("\\x{code:02x}")))
}

/// C#: a verbatim string.
pub(super) fn csharp(sql: &str) -> String {
    format!("@\"{}\"", sql.replace('"', "\"\""))
}

/// Rust: a raw string, with as many marks as it takes. A lone carriage return may not stand in one.
pub(super) fn rust(sql: &str) -> String {
    if sql.contains('\r')
        || sql.contains(crate::ui::clean::is_hostile) && !sql.chars().all(|c| c == '\n' || !c.is_control())
    {
        return format!("{sql:?}");
    }
    let mut marks = "#".to_owned();
    while sql.contains(&format!("\"{marks}")) {
        marks.push('#');
    }
    format!("r{marks}\"{sql}\"{marks}")
}

/// Control characters other than the end of a line, and the tabulator.
fn controls(text: &str, escape: impl Fn(u32) -> String) -> String {
    let each = text
        .chars()
        .map(|c| if c.is_ascii_control() && !matches!(c, '\n' | '\t') { escape(c.into()) } else { c.to_string() });
    each.collect()
}

/// `add_tenant_id` as `AddTenantId`.
pub(super) fn camel(name: &str) -> String {
    let words = name.split('_').filter(|word| !word.is_empty());
    let capital = |word: &str| {
        let mut letters = word.chars();
        letters.next().map(|first| first.to_ascii_uppercase()).into_iter().chain(letters).collect::<String>()
    };
    let camel: String = words.map(capital).collect();
    if camel.starts_with(|c: char| c.is_ascii_digit()) { format!("Stage{camel}") } else { camel }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_ends_the_string_early() {
        assert_eq!(python("a \"\"\" \\n \""), "\"\"\"a \\\"\\\"\\\" \\\\n \\\"\"\"\"");
        assert_eq!(template("`${x}` \\"), "`\\`\\${x}\\` \\\\`");
        assert_eq!(ruby("a\nSQL\nb"), ("<<'SQL_'".to_owned(), "a\nSQL\nb\nSQL_\n".to_owned()));
        assert_eq!(elixir("\"#{x}\""), "\"\"\"\n\\\"\\#{x}\\\"\n\"\"\"");
        assert_eq!(csharp("\"a\""), "@\"\"\"a\"\"\"");
        assert_eq!(rust("\"# \"##"), "r###\"\"# \"##\"###");
        assert_eq!(sqlalchemy("a::uuid = ':x' :y [1:2] := \\:z"), "a::uuid = '\\:x' \\:y [1\\:2] \\:= \\\\:z");
        assert_eq!(camel("add_2fa_to_x"), "Add2faToX");
        assert_eq!(camel("2fa"), "Stage2fa");
    }
}
