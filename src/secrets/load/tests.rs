//! Every rule finds what it should and spares what it should.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use super::super::{Kind, Rules, redact};
use super::{File, OWN};
use std::path::Path;

/// `<alnum 24>` and its siblings, filled by a small generator, the same in every run.
fn filled(template: &str) -> String {
    let mut state: u64 = 0x9e37_79b9_7f4a_7c15;
    let mut next = move |alphabet: &[u8]| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        char::from(alphabet[usize::try_from(state >> 33).unwrap() % alphabet.len()])
    };
    let mut text = String::new();
    let mut rest = template;
    while let Some(start) = rest.find('<') {
        let Some((inside, after)) = rest[start + 1..].split_once('>') else { break };
        let alphabet: Option<&[u8]> = match inside.split(' ').next().unwrap() {
            "alnum" => Some(b"ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz0123456789"),
            "letters" => Some(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"),
            "lowernum" => Some(b"abcdefghijklmnopqrstuvwxyz0123456789"),
            "lower" => Some(b"abcdefghijklmnopqrstuvwxyz"),
            "upper" => Some(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"),
            "base32" => Some(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"),
            "bech32" => Some(b"QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L"),
            "hex" => Some(b"0123456789abcdef"),
            "digits" => Some(b"0123456789"),
            "base64" => Some(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"),
            "url" => Some(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-"),
            _ => None,
        };
        let count = inside.split(' ').nth(1).and_then(|count| count.parse::<usize>().ok());
        text.push_str(&rest[..start]);
        match (alphabet, count) {
            (Some(alphabet), Some(count)) => text.extend((0..count).map(|_| next(alphabet))),
            _ => text.push_str(&format!("<{inside}>")),
        }
        rest = after;
    }
    text + rest
}

fn told(rules: &Rules, text: &str, kind: Kind) -> Vec<String> {
    let found = rules.find(text, kind);
    found.iter().filter(|found| found.tell).map(|found| found.rule.unwrap().id.clone()).collect()
}

#[test]
fn every_rule_finds_what_it_should_and_spares_what_it_should() {
    let file: File = toml::from_str(OWN).unwrap();
    let rules = Rules::own();
    let mut wrong = String::new();
    for raw in file.rules {
        let id = raw.id.into_inner();
        assert!(!raw.finds.is_empty() && !raw.spares.is_empty(), "{id} has no examples");
        let kind = if raw.within.as_deref() == Some("code") { Kind::Sql } else { Kind::Text };
        for text in raw.finds.iter().map(|text| filled(text)) {
            let found = told(rules, &text, kind);
            if found != [id.clone()] {
                wrong.push_str(&format!("{id} should find {text}: {found:?}\n"));
            }
        }
        for text in raw.spares.iter().map(|text| filled(text)) {
            let found = told(rules, &text, kind);
            if !found.is_empty() {
                wrong.push_str(&format!("{id} should spare {text}: {found:?}\n"));
            }
        }
    }
    assert!(wrong.is_empty(), "\n{wrong}");
}

#[test]
fn what_is_hidden_is_gone_and_the_code_around_it_stays() {
    let secret = filled("sk_live_<alnum 24>");
    let unknown = filled("zq<alnum 30>");
    let sql = format!("begin perform charge('{secret}', \"{secret}\"); call pay('{unknown}', 'app.tenant_id'); end");
    let hidden = redact(&sql, &Rules::own().find(&sql, Kind::Sql), |found, _| {
        format!("[redacted:{}]", found.rule.map_or("literal", |rule| rule.id.as_str()))
    });
    let expected = "begin perform charge('[redacted:stripe-secret-key]', \"[redacted:stripe-secret-key]\"); \
                    call pay('[redacted:literal]', 'app.tenant_id'); end";
    assert_eq!(hidden, expected);
}

#[test]
fn ordinary_code_is_left_as_it_is() {
    for sql in [
        "(tenant_id = (NULLIF(current_setting('app.tenant_id'::text, true), ''::text))::uuid)",
        "(tenant_id = 'a0000000-0000-4000-8000-000000000001'::uuid)",
        "select id from app.users where token_hash = encode(sha256(convert_to(p_token, 'utf8')), 'hex')",
        "((auth.jwt() ->> 'role'::text) = 'service_role'::text)",
        "nextval('app.api_keys_id_seq'::regclass)",
        "CHECK ((key_prefix ~ '^[a-z]{2}_[A-Za-z0-9]{4}$'::text))",
        "insert into audit_log (actor, action) values (current_user, 'rotate_api_key')",
        "crypt(p_password, gen_salt('bf', 12))",
        "to_char(now(), 'YYYY-MM-DD\"T\"HH24:MI:SS.MS\"Z\"')",
    ] {
        let found = Rules::own().find(sql, Kind::Sql);
        assert!(found.is_empty(), "{sql}: {:?}", found.iter().map(|f| &sql[f.place.clone()]).collect::<Vec<_>>());
    }
}

#[test]
fn a_gitleaks_file_adds_rules_allows_values_and_switches_off_own_ones() {
    let file = r#"
        title = "ours"
        [extend]
        useDefault = true
        disabledRules = ["stripe-test-key"]
        [[rules]]
        id = "acme-token"
        description = "Acme token"
        regex = '''acme_([a-z0-9]{8})'''
        keywords = ["acme_"]
        [[rules.allowlists]]
        stopwords = ["sandbox0"]
        [[rules]]
        id = "a-path"
        path = '''\.p12$'''
        [allowlist]
        regexTarget = "match"
        regexes = ['''acme_deadbeef''']
    "#;
    let rules = Rules::with_file(Path::new("gitleaks.toml"), file).unwrap();
    assert_eq!(told(&rules, "acme_abcd1234", Kind::Text), ["acme-token"]);
    assert!(told(&rules, "acme_sandbox0 acme_deadbeef", Kind::Text).is_empty());
    assert!(told(&rules, &filled("sk_test_<alnum 24>"), Kind::Text).is_empty());
    assert_eq!(told(&rules, &filled("sk_live_<alnum 24>"), Kind::Text), ["stripe-secret-key"]);
}

#[test]
fn a_bad_file_says_where() {
    for (file, said) in [
        ("[[rules]]\nid = \"x\"\nregex = '''(a'''", "unclosed group"),
        ("[[rules]]\nid = 1", "invalid type"),
        ("[[rules]]\nid = \"x\"\nregex = 'a'\nsecretGroup = 2", "no such group"),
        ("[extend]\npath = \"other.toml\"", "not read along"),
    ] {
        let error = Rules::with_file(Path::new("gitleaks.toml"), file).unwrap_err();
        assert!(error.in_words().contains(said), "{}", error.in_words());
    }
}
