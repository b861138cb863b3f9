//! What the name of a column, a setting or an option says about the value behind it.

/// What a value is, going by its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Named {
    /// The secret itself: `api_key`, `password`, `client_secret`.
    Secret,
    /// What only lets a secret be recognised: `password_hash`, `key_digest`.
    Hash,
    /// A secret that is stored encrypted: `api_key_enc`, `encrypted_token`.
    Ciphertext,
    /// A key that opens other values of the database: `encryption_key`, `dek`, `private_key`.
    Key,
    /// Where a secret is kept, or what is shown of one: `secret_ref`, `key_prefix`.
    Reference,
}

/// Words of a name in any of the usual styles: `apiKey`, `API_KEY` and `api-key` are `api`, `key`.
pub fn words(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut previous = ' ';
    for c in name.chars() {
        if !c.is_alphanumeric() {
            words.push(String::new());
        } else {
            if c.is_uppercase() && previous.is_lowercase() {
                words.push(String::new());
            }
            words.last_mut().expect("never empty").extend(c.to_lowercase());
        }
        previous = c;
    }
    words.retain(|word| !word.is_empty());
    words
}

/// What a name says; none where it says nothing of a secret.
pub fn named(name: &str) -> Option<Named> {
    let words = words(name);
    let word = |wanted: &str| words.iter().any(|word| word == wanted);
    let any = |wanted: &[&str]| wanted.iter().any(|wanted| word(wanted));
    let pair = |first: &[&str], second: &[&str]| {
        words.windows(2).any(|two| first.contains(&two[0].as_str()) && second.contains(&two[1].as_str()))
    };
    let last = words.last().map_or("", String::as_str);
    const BEFORE_KEY: [&str; 15] = [
        "api",
        "access",
        "secret",
        "private",
        "signing",
        "signature",
        "hmac",
        "encryption",
        "master",
        "auth",
        "license",
        "webhook",
        "shared",
        "ssh",
        "virtual",
    ];
    let opens = pair(&["encryption", "master", "private", "signing", "crypto", "wrapping"], &["key", "keys"])
        || any(&["dek", "kek", "pepper"])
        || matches!(name.to_lowercase().as_str(), "keymaterial" | "key_material");
    let secret = opens
        || any(&[
            "password",
            "passwd",
            "pwd",
            "passphrase",
            "passcode",
            "secret",
            "secrets",
            "apikey",
            "credential",
            "credentials",
            "dsn",
        ])
        || pair(&BEFORE_KEY, &["key", "keys"])
        || name.to_lowercase().contains("service_role_key")
        || pair(&["key", "token"], &["hash", "digest"])
        || pair(&["hashed"], &["key", "token"])
        || pair(&["connection", "conn"], &["string", "uri", "url"])
        || pair(
            &["db", "smtp", "imap", "mail", "ftp", "ldap", "redis", "mysql", "pg", "root", "admin", "proxy"],
            &["pass"],
        )
        || pair(&["otp", "totp", "mfa", "two"], &["secret", "seed", "factor"])
        || pair(&["recovery", "backup"], &["code", "codes"])
        || words.len() == 1 && ["token", "jwt", "cvv", "cvc", "pin"].contains(&last)
        || pair(
            &[
                "access",
                "refresh",
                "auth",
                "api",
                "bearer",
                "session",
                "bot",
                "id",
                "reset",
                "invite",
                "oauth",
                "device",
                "push",
                "verification",
            ],
            &["token", "tokens"],
        );
    let sealed = ["enc", "encrypted", "ciphertext", "cipher"].contains(&last)
        || words.len() > 1 && words.first().is_some_and(|word| word == "encrypted");
    if !secret && !sealed {
        return None;
    }
    // Not the value but something about it.
    let about = [
        "at",
        "id",
        "ids",
        "type",
        "kind",
        "name",
        "count",
        "length",
        "status",
        "policy",
        "expires",
        "expiry",
        "expiration",
        "enabled",
        "required",
        "version",
        "url",
        "limit",
        "used",
        "hint",
        "description",
        "algorithm",
        "rotation",
        "days",
        "ttl",
        "scope",
        "scopes",
        "label",
        "provider",
        "owner",
        "reset",
        "changed",
        "field",
        "fields",
        "usage",
        "created",
        "updated",
        "set",
        "attempts",
        "on",
    ];
    let stays = last == "url" && pair(&["connection", "conn"], &["url"]) || last == "id" && words.len() == 1;
    if (about.contains(&last) && !stays)
        || word("public")
        || any(&["has", "is", "needs", "must", "no", "total", "max", "num"])
    {
        return None;
    }
    if any(&[
        "hash",
        "hashed",
        "digest",
        "sha256",
        "md5",
        "bcrypt",
        "argon2",
        "fingerprint",
        "checksum",
        "verifier",
        "salt",
    ]) {
        return Some(Named::Hash);
    }
    if any(&[
        "ref",
        "refs",
        "reference",
        "path",
        "arn",
        "prefix",
        "suffix",
        "last4",
        "masked",
        "redacted",
        "truncated",
        "display",
        "preview",
        "alias",
        "handle",
    ]) || pair(&["last"], &["four", "4"])
    {
        return Some(Named::Reference);
    }
    if any(&["encrypted", "enc", "cipher", "ciphertext", "sealed", "wrapped", "crypt"]) {
        return Some(Named::Ciphertext);
    }
    Some(if opens { Named::Key } else { Named::Secret })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_say_what_is_behind_them() {
        for name in [
            "password",
            "api_key",
            "apiKey",
            "client_secret",
            "app.jwt_secret",
            "stripe_secret_key",
            "access_token",
            "refreshToken",
            "token",
            "dsn",
            "connection_string",
            "service_role_key",
            "credential_values",
            "webhook_secret",
            "totp_secret",
            "smtp_password",
            "smtp_pass",
            "hmacKey",
            "secret",
        ] {
            assert_eq!(named(name), Some(Named::Secret), "{name}");
        }
        for (name, class) in [
            ("password_hash", Named::Hash),
            ("hashed_secret_key", Named::Hash),
            ("key_hash", Named::Hash),
            ("token_digest", Named::Hash),
            ("api_key_enc", Named::Ciphertext),
            ("encrypted_password", Named::Ciphertext),
            ("card_enc", Named::Ciphertext),
            ("encrypted_notes", Named::Ciphertext),
            ("encryption_key", Named::Key),
            ("private_key", Named::Key),
            ("secret_ref", Named::Reference),
            ("api_key_prefix", Named::Reference),
            ("display_secret_key", Named::Reference),
            ("secretKeyRedacted", Named::Reference),
        ] {
            assert_eq!(named(name), Some(class), "{name}");
        }
        for name in [
            "total_tokens",
            "token_count",
            "tokens",
            "max_tokens",
            "key",
            "public_key",
            "secret_name",
            "password_changed_at",
            "token_type",
            "id",
            "api_key_id",
            "primary_key",
            "foreign_key",
            "has_password",
            "idempotency_key",
            "prompt_tokens",
            "secretary",
            "boarding_pass",
            "keyword",
            "monkey",
        ] {
            assert_eq!(named(name), None, "{name}");
        }
    }
}
