//! `postgres://user:password@host:port/dbname?name=value`, as libpq reads it, and a little more forgiving.

use super::{Mistake, Setting, parameter};
use percent_encoding::percent_decode_str;
use std::ops::Range;

const SCHEMES: [&str; 2] = ["postgres://", "postgresql://"];
const ENCODE: &str =
    "a password with @ : / ? or % in it must be percent-encoded;\nPGPASSWORD and ~/.pgpass need no encoding";

/// Where a URL's scheme ends, if the text begins with anything like one.
fn scheme(text: &str) -> Option<usize> {
    let end = text.find("://")?;
    let name = text[..end].strip_prefix("jdbc:").unwrap_or(&text[..end]);
    name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.' | '_')).then_some(end)
}

/// Everything in the text that may be a secret, whether or not the text is a URL. Rather too much than too little:
/// a password that was not encoded must not be shown as a host, a port or a parameter.
pub(super) fn secrets(text: &str) -> Vec<Range<usize>> {
    let scheme = scheme(text);
    let start = scheme.map_or(0, |end| end + "://".len());
    let rest = &text[start..];
    let mut secrets = Vec::new();
    if let Some(last_at) = rest.rfind('@') {
        if let Some(colon) = colon_end(&rest[..last_at]) {
            secrets.push(start + colon..start + last_at);
        }
    } else {
        let authority = &rest[..rest.find(['/', '?']).unwrap_or(rest.len())];
        let host = authority.rfind(']').map_or(0, |bracket| bracket + 1);
        if let Some(colon) = colon_end(&authority[host..]) {
            let port = &authority[host + colon..];
            if scheme.is_none() || !port.bytes().all(|byte| byte.is_ascii_digit()) {
                secrets.push(start + host + colon..text.len());
            }
        }
    }
    if let Some(question) = rest.find('?') {
        let mut at = start + question + 1;
        for pair in rest[question + 1..].split('&') {
            let name = pair.split('=').next().unwrap_or(pair);
            if pair.contains('=') && parameter::is_secret(name) {
                secrets.push(at + name.len() + 1..text.len());
            }
            at += pair.len() + 1;
        }
    }
    secrets
}

/// Just behind the first colon, plain or encoded.
fn colon_end(text: &str) -> Option<usize> {
    let plain = text.find(':').map(|at| at + 1);
    let encoded = text.to_ascii_lowercase().find("%3a").map(|at| at + 3);
    plain.into_iter().chain(encoded).min()
}

/// The settings a URL holds.
pub(super) fn parse(text: &str) -> Result<Vec<Setting>, Mistake> {
    let start = SCHEMES.iter().find(|scheme| text.starts_with(*scheme)).map(|scheme| scheme.len());
    let start = start.ok_or_else(|| no_scheme(text))?;
    let mut settings = Vec::new();
    let authority_end = text[start..].find(['/', '?']).map_or(text.len(), |at| start + at);
    // The last @, as browsers and most drivers have it; for libpq it is the first. No host holds one.
    let host_start = text[start..authority_end].rfind('@').map_or(start, |at| start + at + 1);
    if host_start > start {
        let user_end = text[start..host_start - 1].find(':').map_or(host_start - 1, |at| start + at);
        push(&mut settings, text, "user", start..user_end)?;
        if user_end < host_start - 1 {
            push(&mut settings, text, "password", user_end + 1..host_start - 1)?;
        }
    }
    address(&mut settings, text, host_start..authority_end)?;

    let query_start = text[authority_end..].find('?').map_or(text.len(), |at| authority_end + at);
    if text[authority_end..query_start].starts_with('/') {
        let path = authority_end + 1..query_start;
        if let Some(at) = text[path.clone()].find('@') {
            let at = path.start + at..path.start + at + 1;
            return Err(Mistake::new(at, "the database URL has an @ after its host", "after a /").help(ENCODE));
        }
        push(&mut settings, text, "dbname", path)?;
    }
    if query_start < text.len() {
        query(&mut settings, text, query_start + 1)?;
    }
    Ok(settings)
}

fn address(settings: &mut Vec<Setting>, text: &str, at: Range<usize>) -> Result<(), Mistake> {
    let authority = &text[at.clone()];
    if let Some(comma) = authority.find(',') {
        return Err(parameter::several_hosts(at.start + comma..at.start + comma + 1));
    }
    let (host, behind) = if authority.starts_with('[') {
        let bracket = authority.find(']').ok_or_else(|| {
            Mistake::new(at.start..at.start + 1, "the IPv6 address in the database URL has no end", "no ] closes this")
        })?;
        (at.start + 1..at.start + bracket, at.start + bracket + 1)
    } else {
        let colon = authority.find(':').map_or(at.end, |colon| at.start + colon);
        (at.start..colon, colon)
    };
    let port = (behind + 1).min(at.end)..at.end;
    if behind < at.end && !text[behind..].starts_with(':') {
        let problem = "the database URL has text behind its IPv6 address";
        return Err(Mistake::new(behind..at.end, problem, "a colon and a port, or nothing"));
    }
    if host.is_empty() && !port.is_empty() && text[..at.start].contains('@') {
        return Err(Mistake::new(host, "the database URL has no host", "a host name goes here").help(ENCODE));
    }
    push(settings, text, "host", host)?;
    push(settings, text, "port", port)
}

fn query(settings: &mut Vec<Setting>, text: &str, start: usize) -> Result<(), Mistake> {
    let mut at = start;
    for pair in text[start..].split('&') {
        let place = at..at + pair.len();
        at = place.end + 1;
        let Some(equals) = pair.find('=') else {
            if pair.is_empty() {
                continue; // a trailing & does no harm
            }
            let problem = "a parameter of the database URL has no value";
            return Err(Mistake::new(place, problem, "expected name=value").help(ENCODE));
        };
        let name_at = place.start..place.start + equals;
        let value_at = name_at.end + 1..place.end;
        settings.push(Setting { name: decoded(text, &name_at)?, value: decoded(text, &value_at)?, name_at, value_at });
    }
    Ok(())
}

/// One part of the URL as the setting it stands for; an empty part says nothing.
fn push(settings: &mut Vec<Setting>, text: &str, name: &str, at: Range<usize>) -> Result<(), Mistake> {
    if !at.is_empty() {
        settings.push(Setting { name: name.into(), name_at: 0..0, value: decoded(text, &at)?, value_at: at });
    }
    Ok(())
}

fn decoded(text: &str, at: &Range<usize>) -> Result<String, Mistake> {
    let part = &text[at.clone()];
    let hex = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_hexdigit);
    let bytes = part.as_bytes();
    for (percent, _) in part.match_indices('%') {
        if !hex(bytes.get(percent + 1)) || !hex(bytes.get(percent + 2)) {
            let place = at.start + percent..at.start + percent + 1;
            return Err(
                Mistake::new(place, "the database URL has a % that begins no escape", "%25 is a % itself").help(ENCODE)
            );
        }
    }
    let decoded = percent_decode_str(part).decode_utf8();
    decoded.ok().filter(|value| !value.contains('\0')).map(Into::into).ok_or_else(|| {
        Mistake::new(at.clone(), "the database URL has an escape that is no text", "not UTF-8, or a null character")
    })
}

fn no_scheme(text: &str) -> Mistake {
    let scheme = scheme(text).map_or(0..text.len(), |end| 0..end);
    let written = &text[scheme.clone()];
    let help = if written.starts_with("jdbc:") {
        "leave out jdbc: and put the user before the host: postgres://user@host/dbname".to_owned()
    } else if let Some((plain @ ("postgres" | "postgresql"), driver)) = written.split_once('+')
        && driver.bytes().all(|byte| byte.is_ascii_alphanumeric())
    {
        format!("leave out +{driver}: {plain}://...")
    } else {
        "postgres://user@host/dbname, or the keywords of libpq: host=... dbname=...".to_owned()
    };
    Mistake::new(scheme, "this is not a PostgreSQL URL", "expected postgres://").help(help)
}
