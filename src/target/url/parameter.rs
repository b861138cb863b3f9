//! The names a connection text may use, and what becomes of each.

use super::{Mistake, Setting};
use crate::yaml::nearest;
use std::ops::Range;

/// What becomes of a parameter.
enum Use {
    /// sqlx takes it under this name.
    Passed(&'static str),
    /// Says nothing that matters to an audit.
    Ignored,
    /// Only these values can be honoured.
    Only(&'static [&'static str], &'static str),
    /// Cannot be honoured, and must not be dropped in silence.
    Refused(&'static str),
}

const SSL_MODES: [&str; 6] = ["disable", "allow", "prefer", "require", "verify-ca", "verify-full"];

const KNOWN: &[(&str, Use)] = &[
    ("host", Use::Passed("host")),
    ("hostaddr", Use::Passed("hostaddr")),
    ("port", Use::Passed("port")),
    ("dbname", Use::Passed("dbname")),
    ("user", Use::Passed("user")),
    ("password", Use::Passed("password")),
    ("sslmode", Use::Passed("sslmode")),
    ("sslrootcert", Use::Passed("sslrootcert")),
    ("sslcert", Use::Passed("sslcert")),
    ("sslkey", Use::Passed("sslkey")),
    ("options", Use::Passed("options")),
    ("application_name", Use::Passed("application_name")),
    ("fallback_application_name", Use::Ignored),
    ("client_encoding", Use::Ignored),
    ("connect_timeout", Use::Ignored),
    ("keepalives", Use::Ignored),
    ("keepalives_idle", Use::Ignored),
    ("keepalives_interval", Use::Ignored),
    ("keepalives_count", Use::Ignored),
    ("tcp_user_timeout", Use::Ignored),
    ("load_balance_hosts", Use::Ignored),
    ("sslcompression", Use::Ignored),
    ("sslsni", Use::Ignored),
    // Of Prisma, SQLAlchemy and poolers: a DATABASE_URL is shared with the application.
    ("schema", Use::Ignored),
    ("connection_limit", Use::Ignored),
    ("pool_timeout", Use::Ignored),
    ("pgbouncer", Use::Ignored),
    ("socket_timeout", Use::Ignored),
    ("pool_size", Use::Ignored),
    ("prepared_statements", Use::Ignored),
    ("statement_cache_size", Use::Ignored),
    ("target_session_attrs", Use::Only(&["any"], "govctl reads, and takes the one host it is given")),
    (
        "channel_binding",
        Use::Only(&["disable", "prefer"], "leave it out; sslmode=verify-full checks the server instead"),
    ),
    ("gssencmode", Use::Only(&["disable", "prefer"], "leave it out; govctl encrypts with TLS")),
    ("require_auth", Use::Refused("leave it out")),
    ("passfile", Use::Refused("set PGPASSFILE instead")),
    ("service", Use::Refused("write out what the service stands for")),
    ("sslpassword", Use::Refused("give a key file that has no passphrase")),
    ("sslcrl", Use::Refused("leave it out")),
    ("sslcrldir", Use::Refused("leave it out")),
    ("sslnegotiation", Use::Only(&["postgres"], "leave it out")),
    (
        "ssl_min_protocol_version",
        Use::Only(&["TLSv1", "TLSv1.1", "TLSv1.2"], "leave it out; TLS 1.2 is the least govctl speaks"),
    ),
    ("ssl_max_protocol_version", Use::Refused("leave it out")),
    ("requirepeer", Use::Refused("leave it out")),
    ("krbsrvname", Use::Refused("leave it out; govctl does not speak GSSAPI")),
    ("gsslib", Use::Refused("leave it out; govctl does not speak GSSAPI")),
    ("replication", Use::Refused("leave it out; govctl needs an ordinary session")),
];

/// Whether the value of a parameter must not be shown. That of an unknown one must not: it may be `pasword`.
pub(super) fn is_secret(name: &str) -> bool {
    is_unknown(name) || name.ends_with("password")
}

/// Whether no parameter has this name.
pub(super) fn is_unknown(name: &str) -> bool {
    !KNOWN.iter().any(|(known, _)| *known == name)
}

/// The parameter that a word probably was to be.
pub(super) fn meant(word: &str) -> Option<&'static str> {
    nearest(word, KNOWN.iter().map(|(known, _)| *known))
}

/// sqlx's name for a setting; none where it is to be ignored. `shown` is its name where that may be repeated.
pub(super) fn check(setting: &Setting, shown: Option<&str>) -> Result<Option<&'static str>, Mistake> {
    let Some((name, used)) = KNOWN.iter().find(|(known, _)| *known == setting.name) else {
        return Err(unknown(setting, shown));
    };
    let cannot = |help: &str| {
        let problem = format!("govctl's driver cannot honour this {name}");
        Err(Mistake::new(setting.name_at.start..setting.value_at.end, problem, "not supported").help(help))
    };
    match used {
        Use::Ignored => Ok(None),
        Use::Refused(help) => cannot(help),
        Use::Only(values, help) if !values.contains(&setting.value.as_str()) => cannot(help),
        Use::Only(..) => Ok(None),
        Use::Passed(_) if setting.value.is_empty() => Ok(None),
        Use::Passed(passed) => value(name, setting).map(|()| Some(*passed)),
    }
}

fn value(name: &str, setting: &Setting) -> Result<(), Mistake> {
    let at = || setting.value_at.clone();
    match name {
        "port" if setting.value.contains(',') => Err(several_hosts(at())),
        "port" if setting.value.parse::<u16>().is_ok_and(|port| port > 0) => Ok(()),
        "port" => Err(Mistake::new(at(), "the port is not a number", "expected 1 to 65535")
            .help("a password with @ : / ? or % in it must be percent-encoded")),
        "host" | "hostaddr" if setting.value.contains(',') => Err(several_hosts(at())),
        "host" if setting.value.contains('@') => Err(Mistake::new(at(), "the host has an @ in it", "not a host name")
            .help("a password with @ : / ? or % in it must be percent-encoded")),
        "hostaddr" if setting.value.parse::<std::net::IpAddr>().is_err() => {
            Err(Mistake::new(at(), "hostaddr is not an IP address", "expected numbers; names go into host"))
        }
        "sslmode" if !SSL_MODES.contains(&setting.value.as_str()) => {
            let near = nearest(&setting.value, SSL_MODES);
            let help =
                near.map_or_else(|| format!("one of {}", SSL_MODES.join(", ")), |near| format!("did you mean {near}?"));
            Err(Mistake::new(at(), "there is no such sslmode", "not a mode").help(help))
        }
        _ => Ok(()),
    }
}

fn unknown(setting: &Setting, shown: Option<&str>) -> Mistake {
    let Some(shown) = shown else {
        let problem = "something behind a password is not a parameter";
        return Mistake::new(setting.name_at.clone(), problem, "in here")
            .help("in a URL a password must be percent-encoded, in a keyword string quoted: password='...'");
    };
    let problem = format!("there is no connection parameter {}", crate::ui::clean::clean(shown));
    let mistake = Mistake::new(setting.name_at.clone(), problem, "not a parameter");
    match meant(shown) {
        Some(near) => mistake.help(format!("did you mean {near}?")),
        None => mistake,
    }
}

/// The driver connects to one host.
pub(super) fn several_hosts(at: Range<usize>) -> Mistake {
    Mistake::new(at, "the connection names several hosts", "one too many").help("name the one to audit")
}

/// What holds after all was read: the last of a name wins, an address only counts where no host is named, and
/// `sslrootcert=system` means the system's own roots, fully verified, as libpq has it.
pub(super) fn settle(mut settings: Vec<(&'static str, String)>) -> Vec<(&'static str, String)> {
    let has = |settings: &[(&str, String)], name| settings.iter().any(|(other, _)| *other == name);
    if has(&settings, "host") {
        settings.retain(|(name, _)| *name != "hostaddr");
    }
    if settings.iter().any(|(name, value)| *name == "sslrootcert" && value == "system") {
        settings.retain(|(name, _)| *name != "sslrootcert");
        settings.push(("sslmode", "verify-full".to_owned()));
    }
    settings
}
