//! Names as words: `AuditLogEntries`, `audit_log_entries` and `"Audit Log Entries"` say the same.

/// The words of a name, in lower case and in the singular.
pub(super) fn words(name: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word = String::new();
    let mut previous = ' ';
    for c in name.chars() {
        let starts = !c.is_alphanumeric() || c.is_uppercase() && !previous.is_uppercase() && previous.is_alphanumeric();
        if starts && !word.is_empty() {
            words.push(singular(std::mem::take(&mut word)));
        }
        if c.is_alphanumeric() {
            word.extend(c.to_lowercase());
        }
        previous = c;
    }
    if !word.is_empty() {
        words.push(singular(word));
    }
    words
}

/// The words joined again: `prevHash` becomes `prev_hash`.
pub(super) fn snake(name: &str) -> String {
    let mut snake = String::new();
    let mut previous = ' ';
    for c in name.chars() {
        let starts = c.is_uppercase() && !previous.is_uppercase() && previous.is_alphanumeric();
        if (starts || !c.is_alphanumeric()) && !snake.is_empty() && !snake.ends_with('_') {
            snake.push('_');
        }
        if c.is_alphanumeric() {
            snake.extend(c.to_lowercase());
        }
        previous = c;
    }
    snake.trim_matches('_').to_owned()
}

fn singular(word: String) -> String {
    if word.len() < 4 || word.ends_with("ss") || word.ends_with("us") || word.ends_with("is") {
        return word;
    }
    match word.strip_suffix("ies") {
        Some(stem) => format!("{stem}y"),
        None => word.strip_suffix('s').map_or_else(|| word.clone(), str::to_owned),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_spelling_gives_the_same_words() {
        for name in ["audit_log_entries", "AuditLogEntries", "auditLogEntries", "Audit Log Entries", "AUDIT_LOG_ENTRY"]
        {
            assert_eq!(words(name), ["audit", "log", "entry"], "{name}");
        }
        assert_eq!(words("access"), ["access"]);
        assert_eq!(words("LiteLLM_AuditLog"), ["lite", "llm", "audit", "log"]);
    }

    #[test]
    fn columns_in_snake_case() {
        assert_eq!(snake("prevHash"), "prev_hash");
        assert_eq!(snake("Actor Kind"), "actor_kind");
        assert_eq!(snake("userID"), "user_id");
        assert_eq!(snake("_at"), "at");
    }
}
