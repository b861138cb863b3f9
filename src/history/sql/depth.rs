//! How deep a statement nests, told without parsing it: what takes a tree apart again and again would take minutes over one
//! that nobody wrote by hand.

/// Brackets in brackets, CASE in CASE, operators in a row: together no deeper than this.
const DEEPEST: usize = 1_000;

/// Where a statement begins to nest deeper than it is followed. Bodies of functions are looked into, strings are not.
pub(super) fn too_deep(statement: &str) -> Option<usize> {
    let bytes = statement.as_bytes();
    if bytes.len() < DEEPEST {
        return None;
    }
    // For each open bracket, what was joined before it on its level.
    let mut open: Vec<usize> = Vec::new();
    let (mut before, mut joined, mut blocks) = (0usize, 0usize, 0usize);
    // The word before, or nothing where a statement may begin.
    let mut last = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        let start = at;
        match bytes[at] {
            b'\'' | b'"' => {
                let quote = bytes[at];
                let length = bytes[at + 1..].iter().position(|byte| *byte == quote);
                at += length.map_or(bytes.len(), |length| length + 2);
            }
            b'-' if bytes.get(at + 1) == Some(&b'-') => {
                at += bytes[at..].iter().position(|byte| *byte == b'\n').unwrap_or(bytes.len() - at);
            }
            b'(' | b'[' => {
                before += joined;
                open.push(std::mem::take(&mut joined));
                at += 1;
            }
            b')' | b']' => {
                joined = open.pop().unwrap_or_default();
                before = before.saturating_sub(joined);
                at += 1;
            }
            b',' => (joined, at) = (0, at + 1),
            b';' => {
                open.clear();
                last.clear();
                (before, joined, at) = (0, 0, at + 1);
            }
            b'+' | b'-' | b'*' | b'/' | b'%' | b'|' | b'.' | b':' | b'~' | b'!' | b'@' | b'#' | b'&' => {
                let mark = bytes[at];
                // Two marks in a row are one operator, as `||` and `::` are.
                joined += 1;
                at += if bytes.get(at + 1) == Some(&mark) && mark != b'-' { 2 } else { 1 };
            }
            byte if byte.is_ascii_alphabetic() || byte == b'_' => {
                let length = bytes[at..].iter().take_while(|b| b.is_ascii_alphanumeric() || **b == b'_').count();
                let word = bytes[at..at + length].to_ascii_lowercase();
                match word.as_slice() {
                    b"and" | b"or" | b"not" | b"is" | b"in" | b"union" | b"intersect" | b"except" => joined += 1,
                    // END IF, END LOOP, END CASE
                    b"case" | b"loop" | b"if" if last == b"end" => {}
                    // DROP TABLE IF EXISTS
                    b"if" if !matches!(last.as_slice(), b"" | b"begin" | b"then" | b"else" | b"loop") => {}
                    b"case" | b"begin" | b"if" | b"loop" => blocks += 1,
                    b"end" => blocks = blocks.saturating_sub(1),
                    _ => {}
                }
                last = word;
                at += length;
            }
            _ => at += 1,
        }
        if open.len() + before + joined + blocks > DEEPEST {
            return Some(start);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::too_deep;

    #[test]
    fn only_what_nobody_writes_is_too_deep() {
        for deep in [
            format!("select {}1{}", "(".repeat(2_000), ")".repeat(2_000)),
            format!("select {}a", "not ".repeat(2_000)),
            format!("select {}1", "- ".repeat(2_000)),
            format!("select a{}", " and a".repeat(2_000)),
            format!("select a{}", "::text".repeat(2_000)),
            format!("select {}a{}", "case when a then ".repeat(2_000), " end".repeat(2_000)),
            format!("select {}a{}", "f(a and ".repeat(600), ")".repeat(600)),
            format!("do $$ {}null; {} $$", "begin ".repeat(2_000), "end; ".repeat(2_000)),
            format!("do $$ begin {}null; {} end $$", "if a then ".repeat(2_000), "end if; ".repeat(2_000)),
        ] {
            assert!(too_deep(&deep).is_some(), "{}", &deep[..60]);
        }
        for fine in [
            format!("insert into t values {}", "(1, 'a.b.c', -2),".repeat(5_000)),
            format!("create table t ({} z int)", "a numeric(10, 2) not null default -1,".repeat(1_600)),
            format!("do $$ begin {} end $$", "if a and b then perform f(a.b, c::text || '.'); end if;".repeat(2_000)),
            format!(
                "do $$ begin {} end $$",
                "drop table if exists a; begin null; end; loop exit; end loop; ".repeat(2_000)
            ),
            format!("select '{}'", "((".repeat(5_000)),
            format!("grant select on {} to app", "app.t,".repeat(3_000)),
        ] {
            assert!(too_deep(&fine).is_none(), "{}", &fine[..60]);
        }
    }
}
