//! Which functions an expression may call when it is carried out in the audited database.
//!
//! An expression taken from a database is somebody else's code. Only functions of `pg_catalog` that compute, and
//! `digest` and `hmac` of pgcrypto, are ever called; everything else makes the expression unusable.

use super::token::{Token, closing};

const COMPUTE: &str = "\
    abs array_to_json array_to_string ascii bit_length btrim cardinality ceil chr char_length character_length coalesce concat concat_ws convert_from \
    convert_to date date_part date_trunc decode encode extract float4send float8send floor format greatest host \
    inet_send int2send int4send int8send json_build_array json_build_object jsonb_build_array jsonb_build_object jsonb_send \
    jsonb_strip_nulls jsonb_typeof jsonb_pretty json_strip_nulls least left length lower lpad ltrim make_date md5 mod nullif numeric_send octet_length overlay \
    position trim_scale quote_literal quote_nullable quote_ident regexp_replace repeat replace reverse right round row row_to_json rpad rtrim \
    set_byte sha224 sha256 sha384 sha512 split_part string_to_array strpos substr substring text textsend timestamptz_send timestamp_send \
    date_send enum_send boolsend bool varchar byteasend uuid_send interval_send timezone to_char to_hex to_json to_jsonb to_timestamp translate trim \
    trunc unistr upper uuid_in uuid_out jsonb_object json_object array bytea_out jsonb_concat in any all and or not when then else case over filter \
    values numeric decimal varchar char character bit timestamp time interval timestamptz exists between like";

/// The same expression with every function qualified, where all of them may be called. `pgcrypto` is the schema of that extension.
pub fn qualified(tokens: &[Token], pgcrypto: Option<&str>) -> Option<Vec<Token>> {
    let mut out = Vec::with_capacity(tokens.len());
    for (at, token) in tokens.iter().enumerate() {
        if matches!(token, Token::Unknown(_) | Token::Previous(_)) || token.is_word("select") || token.is_sign(";") {
            return None;
        }
        let calls = tokens.get(at + 1).is_some_and(|next| next.is_sign("("));
        if let (Some(name), true) = (token.name(), calls) {
            let qualifier = at.checked_sub(2).filter(|_| tokens[at - 1].is_sign(".")).and_then(|at| tokens[at].name());
            let own = matches!(name, "digest" | "hmac");
            match (qualifier, own) {
                (None, true) => {
                    out.extend([Token::Quoted(pgcrypto?.to_owned()), Token::sign(".")]);
                    out.push(token.clone());
                    continue;
                }
                (Some(schema), true) if Some(schema) == pgcrypto => {}
                (None | Some("pg_catalog"), false) if computes(name) => {}
                _ => return None,
            }
            // A key in a setting stays there.
            closing(tokens, at + 1)?;
        }
        if token.is_word("current_user") || token.is_word("session_user") || token.is_word("current_timestamp") {
            return None;
        }
        out.push(token.clone());
    }
    Some(out)
}

/// It is a function of `pg_catalog` that computes.
pub fn computes(name: &str) -> bool {
    COMPUTE.split_whitespace().any(|known| known == name)
}

#[cfg(test)]
mod tests {
    use super::super::token::{render, tokens};
    use super::*;

    fn said(sql: &str) -> Option<String> {
        qualified(&tokens(sql), Some("ext")).map(|tokens| render(&tokens))
    }

    #[test]
    fn only_what_computes_is_called() {
        assert_eq!(
            said("encode(digest(a || 'x', 'sha256'), 'hex')").unwrap(),
            r#"encode ( "ext" . digest ( a || 'x' , 'sha256' ) , 'hex' )"#
        );
        for sql in [
            "pg_sleep(10)",
            "public.f(a)",
            "current_setting('k')",
            "(select 1)",
            "pg_catalog.pg_read_file('x')",
            "evil.digest(a)",
            "dblink('x')",
            "now()",
            "\"lo_import\"('x')",
        ] {
            assert_eq!(said(sql), None, "{sql}");
        }
    }
}
