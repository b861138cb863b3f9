//! An array as the server writes it: `{a,"b c",NULL}`.

/// The elements of an array of one dimension; `None` for a null.
///
/// None where it is no such array. See "Array Input and Output Syntax" in PostgreSQL's documentation.
pub(super) fn elements(text: &[u8]) -> Option<Vec<Option<String>>> {
    let inner = std::str::from_utf8(text).ok()?.strip_prefix('{')?.strip_suffix('}')?;
    let mut all = Vec::new();
    let mut characters = inner.chars().peekable();
    while characters.peek().is_some() {
        let mut element = String::new();
        if characters.next_if_eq(&'"').is_some() {
            loop {
                match characters.next()? {
                    '"' => break,
                    '\\' => element.push(characters.next()?),
                    other => element.push(other),
                }
            }
            all.push(Some(element));
        } else {
            while let Some(other) = characters.next_if(|character| *character != ',') {
                // A second dimension.
                if other == '{' {
                    return None;
                }
                element.push(other);
            }
            all.push((element != "NULL").then_some(element));
        }
        if !matches!(characters.next(), None | Some(',')) {
            return None;
        }
    }
    Some(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_are_told_apart() {
        let read = |text: &str| elements(text.as_bytes());
        let some = |text: &str| Some(text.to_owned());
        assert_eq!(read("{}"), Some(vec![]));
        assert_eq!(read("{1,-2,NULL}"), Some(vec![some("1"), some("-2"), None]));
        assert_eq!(
            read(r#"{"a b","c\"d\\","NULL",é,""}"#),
            Some(vec![some("a b"), some("c\"d\\"), some("NULL"), some("é"), some("")])
        );
        assert_eq!([read("{{1},{2}}"), read("[2:3]={1,2}"), read("{\"a")], [const { None }; 3]);
    }
}
