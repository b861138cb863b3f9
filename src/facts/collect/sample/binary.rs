//! Texts inside binary values: states that frameworks keep as msgpack, pickle or protobuf.

/// The shortest run that is worth looking at.
const LEAST: usize = 12;

/// What `encode(…, 'escape')` wrote, as texts to be looked through, likeliest first: its printable runs, a line each. A byte that
/// says how long a text is may itself be a letter and stick to it, so in the others the first or the first two are left out.
pub(super) fn texts(escaped: &str) -> Vec<String> {
    let runs = runs(escaped);
    let without = |first: usize| {
        let rest = runs.iter().filter_map(|run| run.char_indices().nth(first).map(|(at, _)| &run[at..]));
        rest.collect::<Vec<_>>().join("\n")
    };
    (0..3).map(without).collect()
}

fn runs(escaped: &str) -> Vec<String> {
    let mut runs = vec![String::new()];
    let mut chars = escaped.chars().peekable();
    while let Some(c) = chars.next() {
        if c == '\\' && chars.peek().is_some_and(char::is_ascii_digit) {
            for _ in 0..3 {
                chars.next_if(char::is_ascii_digit);
            }
            runs.push(String::new());
        } else if c == '\\' {
            chars.next();
            runs.last_mut().expect("never empty").push('\\');
        } else if c.is_control() && c != '\n' && c != '\t' {
            runs.push(String::new());
        } else {
            runs.last_mut().expect("never empty").push(c);
        }
    }
    runs.retain(|run| run.len() >= LEAST);
    runs
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_cut_where_bytes_are_no_letters() {
        assert_eq!(runs("\\203\\243key\\260hello world and more"), ["hello world and more"]);
        assert_eq!(runs(r"a path c:\\\\temp here"), [r"a path c:\\temp here"]);
        assert_eq!(texts("\\331nsecret-of-somebody")[1], "secret-of-somebody");
        assert_eq!(runs("short"), [""; 0]);
    }
}
