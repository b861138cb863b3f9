//! Which columns hold what somebody should not read, going by their names, and who can read them.

use super::super::Facts;
use crate::error::Stop;
use crate::facts::value::Value;
use crate::secrets::{Named, named, words};

/// Fills `sensitive_columns`, then `agents` and `column_readers`.
pub(super) async fn derive(facts: &mut Facts) -> Result<(), Stop> {
    type Line = (i64, String, i64, String, String);
    let columns: Vec<Line> = sqlx::query_as(
        "select r.oid, r.name, c.number, c.name, c.type_name from relations r join columns c on c.relation = r.oid
         where r.provenance = 'user' and r.kind <> 'sequence'",
    )
    .fetch_all(facts.connection())
    .await?;
    let rows = columns.iter().filter_map(|(relation, table, number, column, type_name)| {
        let class = class(table, column, type_name)?;
        Some(vec![Value::Integer(*relation), Value::Integer(*number), Value::Text(class.to_owned())])
    });
    let rows: Vec<_> = rows.collect();
    facts.insert("sensitive_columns", &["relation", "column_number", "class"], rows).await?;
    facts.run(include_str!("sensitive.sql")).await
}

/// What a column holds, in the words of the facts.
fn class(table: &str, column: &str, type_name: &str) -> Option<&'static str> {
    // A flag, a moment or a count is no secret, whatever it is called.
    let can_hold = [
        "text", "varchar", "bpchar", "citext", "json", "jsonb", "bytea", "uuid", "name", "_text", "_varchar", "hstore",
        "xml",
    ];
    if can_hold.contains(&type_name) {
        match named(column) {
            Some(Named::Secret) => return Some("secret"),
            Some(Named::Key) => return Some("key"),
            Some(Named::Ciphertext) => return Some("ciphertext"),
            Some(Named::Hash) => return Some("hash"),
            Some(Named::Reference) => return Some("reference"),
            None => {}
        }
    }
    let (table, column) = (words(table), words(column));
    let has = |list: &[&str]| column.iter().any(|word| list.contains(&word.as_str()));
    let pair = |first: &str, second: &str| column.windows(2).any(|two| two[0] == first && two[1] == second);
    let last = column.last().map_or("", String::as_str);
    let about = [
        "id",
        "count",
        "at",
        "verified",
        "confirmed",
        "type",
        "kind",
        "status",
        "enabled",
        "template",
        "subject",
        "hash",
        "sent",
        "ref",
    ];
    if secret_values(table.as_slice(), &column) && can_hold.contains(&type_name) {
        return Some("secret");
    }
    if !about.contains(&last) {
        // What PCI DSS calls account data.
        if pair("card", "number") || pair("account", "number") && has(&["primary"]) || has(&["pan", "cvv", "cvc"]) {
            return Some("card");
        }
        let personal =
            has(&["email", "phone", "mobile", "ssn", "dob", "birthdate", "birthday", "iban", "passport", "msisdn"])
                || pair("e", "mail")
                || pair("date", "birth")
                || pair("of", "birth")
                || pair("birth", "date")
                || pair("tax", "id")
                || pair("national", "id")
                || pair("social", "security")
                || pair("bank", "account")
                || pair("account", "iban")
                || pair("home", "address")
                || pair("postal", "address")
                || pair("street", "address")
                || has(&["street"]);
        if personal && !has(&["is", "has", "ip", "mac"]) {
            return Some("personal");
        }
    }
    let of = |list: &[&str]| table.iter().any(|word| list.contains(&word.trim_end_matches('s')));
    if of(&["invoice", "billing", "payroll", "ledger", "salarie", "payout", "expense"])
        && has(&["amount", "total", "price", "tax", "balance", "salary", "cost", "gross", "net", "cents"])
    {
        return Some("finance");
    }
    if has(&["transcript", "transcripts"])
        || (of(&["message", "conversation", "transcript", "chat", "call", "ticket"])
            && has(&["content", "body", "text", "transcript"]))
    {
        return Some("transcript");
    }
    let health =
        has(&["diagnosis", "diagnoses", "medication", "medications", "allergies", "prescription", "prescriptions"])
            || has(&["icd", "icd9", "icd10", "mrn"])
            || pair("medical", "record")
            || pair("medical", "history")
            || pair("lab", "result")
            || pair("lab", "results");
    health.then_some("health")
}

/// Columns of well-known frameworks whose names do not say it: the value of an environment variable, a key in a table of keys.
fn secret_values(table: &[String], column: &[String]) -> bool {
    let table_has =
        |first: &str, second: &str| table.windows(2).any(|two| two[0] == first && two[1].starts_with(second));
    let column = column.join("_");
    (column == "value" && (table_has("environment", "variable") || table_has("env", "var")))
        || (column == "key" && (table_has("api", "key") || table_has("access", "key")))
        || (column == "token"
            && table.iter().any(|word| word.ends_with("tokens") || word == "token" || word == "verificationtoken"))
        || matches!(column.as_str(), "credential_b64" | "credential_values" | "decrypted_secret")
}

#[cfg(test)]
mod tests {
    use super::class;

    #[test]
    fn columns_are_classed_by_their_names() {
        for (table, column, wanted) in [
            ("users", "email", Some("personal")),
            ("users", "email_verified", None),
            ("users", "card_number_ref", None),
            ("users", "password_hash", Some("hash")),
            ("providers", "api_key", Some("secret")),
            ("providers", "api_key_enc", Some("ciphertext")),
            ("sandbox_environment_variables", "value", Some("secret")),
            ("settings", "value", None),
            ("api_keys", "key", Some("secret")),
            ("LiteLLM_CredentialsTable", "credential_values", Some("secret")),
            ("invoices", "amount_cents", Some("finance")),
            ("refunds", "amount_cents", None),
            ("messages", "content", Some("transcript")),
            ("documents", "body", None),
            ("patients", "diagnosis", Some("health")),
            ("visits", "medical_record_number", Some("health")),
            ("payments", "cardNumber", Some("card")),
            ("payments", "card_number_ref", None),
            ("payments", "card_brand", None),
        ] {
            assert_eq!(class(table, column, "text"), wanted, "{table}.{column}");
        }
        assert_eq!(class("users", "password", "bool"), None);
    }
}
