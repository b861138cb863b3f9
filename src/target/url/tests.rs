use super::*;
use proptest::prelude::*;

fn parsed(text: &str) -> Vec<(&'static str, String)> {
    DatabaseUrl::parse(text, Origin::Argument).unwrap_or_else(|error| panic!("{text}: {error}")).settings
}

fn pairs(text: &str) -> Vec<String> {
    parsed(text).into_iter().map(|(name, value)| format!("{name}={value}")).collect()
}

fn screen(text: &str) -> String {
    rendered(&DatabaseUrl::parse(text, Origin::Variable("DATABASE_URL")).expect_err("not a connection"))
}

fn rendered(error: &UrlError) -> String {
    let mut screen = String::new();
    let handler = miette::GraphicalReportHandler::new_themed(miette::GraphicalTheme::none()).with_width(100);
    handler.render_report(&mut screen, error).expect("rendering into a string does not fail");
    screen
}

#[test]
fn urls_as_libpq_reads_them() {
    assert_eq!(pairs("postgres://"), [""; 0]);
    assert_eq!(
        pairs("postgresql://u:p%40ss@db.prod:6432/shop?sslmode=require"),
        ["user=u", "password=p@ss", "host=db.prod", "port=6432", "dbname=shop", "sslmode=require"]
    );
    assert_eq!(pairs("postgres://[2001:db8::1]:5433/x"), ["host=2001:db8::1", "port=5433", "dbname=x"]);
    assert_eq!(pairs("postgresql://%2Frun%2Fpg/x"), ["host=/run/pg", "dbname=x"]);
    assert_eq!(pairs("postgres:///x?host=/run/pg&port=5433"), ["dbname=x", "host=/run/pg", "port=5433"]);
    assert_eq!(pairs("postgres://u@h/my%20db"), ["user=u", "host=h", "dbname=my db"]);
    assert_eq!(pairs("postgres://u:p@ss@h/x"), ["user=u", "password=p@ss", "host=h", "dbname=x"]);
    assert_eq!(pairs("postgres://h/x?schema=public&connect_timeout=3"), ["host=h", "dbname=x"]);
    assert_eq!(pairs("postgres://h/x?sslrootcert=system"), ["host=h", "dbname=x", "sslmode=verify-full"]);
}

#[test]
fn keyword_strings_as_libpq_reads_them() {
    assert_eq!(
        pairs(r"host = /run/pg  dbname='my db' user=o\'neil password='it\'s \\ x'"),
        ["host=/run/pg", "dbname=my db", "user=o'neil", r"password=it's \ x"]
    );
    assert_eq!(pairs("host=h password='' dbname=x"), ["host=h", "dbname=x"]);
}

#[test]
fn sqlx_gets_all_of_it() {
    let options = DatabaseUrl::parse("postgres://a%2Bb:p@%2Frun%2Fpg:5433/d%26b?sslmode=verify-full", Origin::Flag);
    let options = options.expect("well-formed").options().expect("sqlx takes it");
    assert_eq!(options.get_username(), "a+b");
    assert_eq!(options.get_database(), Some("d&b"));
    assert_eq!(options.get_port(), 5433);
    assert_eq!(options.get_socket().map(|path| path.display().to_string()).as_deref(), Some("/run/pg"));
    assert!(matches!(options.get_ssl_mode(), sqlx::postgres::PgSslMode::VerifyFull));
}

#[test]
fn the_first_that_is_there_counts() {
    let with = |set: &'static [(&str, &str)]| {
        move |name: &str| set.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned())
    };
    let both = with(&[("DATABASE_URL", "postgres://env/x"), ("PGHOST", "h")]);
    let host = |found: Result<DatabaseUrl, UrlError>| found.expect("found").settings[0].1.clone();
    assert_eq!(host(DatabaseUrl::find(Some("postgres://argument/x"), Some("postgres://flag/x"), both)), "argument");
    assert_eq!(host(DatabaseUrl::find(None, Some("postgres://flag/x"), both)), "flag");
    assert_eq!(host(DatabaseUrl::find(None, None, both)), "env");
    assert!(DatabaseUrl::find(None, None, with(&[("DATABASE_URL", ""), ("PGDATABASE", "x")])).is_ok());
    assert!(matches!(DatabaseUrl::find(None, None, with(&[("PGUSER", "x")])), Err(UrlError::Missing)));
    let error = DatabaseUrl::find(Some("postgres://h/x"), None, with(&[("PGSSLMODE", "verify_full")]));
    assert!(rendered(&error.expect_err("a mode that does not exist")).contains("did you mean verify-full?"));
}

#[test]
fn mistakes_are_pointed_at() {
    insta::assert_snapshot!(screen("postgres://auditor:s3cret@:5432/ledger"), @r"
    govctl::url::invalid

      x the database URL has no host
       ,-[DATABASE_URL:1:26]
     1 | postgres://auditor:*****@:5432/ledger
       :                          ^
       :                          `-- a host name goes here
       `----
      help: a password with @ : / ? or % in it must be percent-encoded;
            PGPASSWORD and ~/.pgpass need no encoding
    ");
    insta::assert_snapshot!(screen("postgres://auditor:s3cret@db:543x/ledger"), @r"
    govctl::url::invalid

      x the port is not a number
       ,-[DATABASE_URL:1:29]
     1 | postgres://auditor:*****@db:543x/ledger
       :                             ^^|^
       :                               `-- expected 1 to 65535
       `----
      help: a password with @ : / ? or % in it must be percent-encoded
    ");
    insta::assert_snapshot!(screen("postgres://u:s3cret@db/ledger?sslmod=require"), @r"
    govctl::url::invalid

      x there is no connection parameter sslmod
       ,-[DATABASE_URL:1:30]
     1 | postgres://u:*****@db/ledger?sslmod=*****
       :                              ^^^|^^
       :                                 `-- not a parameter
       `----
      help: did you mean sslmode?
    ");
    insta::assert_snapshot!(screen("postgresql+asyncpg://u:s3cret@db/ledger"), @r"
    govctl::url::invalid

      x this is not a PostgreSQL URL
       ,-[DATABASE_URL:1:1]
     1 | postgresql+asyncpg://u:*****@db/ledger
       : ^^^^^^^^^|^^^^^^^^
       :          `-- expected postgres://
       `----
      help: leave out +asyncpg: postgresql://...
    ");
    insta::assert_snapshot!(screen("host=db password=s3cret port=5432 sslmode=requires"), @r"
    govctl::url::invalid

      x there is no such sslmode
       ,-[DATABASE_URL:1:42]
     1 | host=db password=***** port=5432 sslmode=requires
       :                                          ^^^^|^^^
       :                                              `-- not a mode
       `----
      help: did you mean require?
    ");
    insta::assert_snapshot!(screen("host=db password=s3 cret dbname=x"), @r"
    govctl::url::invalid

      x a keyword of the connection string has no value
       ,-[DATABASE_URL:1:23]
     1 | host=db password=**********
       :                       ^^|^^
       :                         `-- expected = and a value
       `----
      help: a value with spaces goes in single quotes: dbname='my db'; in them \' is a quote
    ");
    insta::assert_snapshot!(screen("postgres://a:s3cret@a,b/x"), @r"
    govctl::url::invalid

      x the connection names several hosts
       ,-[DATABASE_URL:1:21]
     1 | postgres://a:*****@a,b/x
       :                     |
       :                     `-- one too many
       `----
      help: name the one to audit
    ");
    insta::assert_snapshot!(screen("ledger"), @r"
    govctl::url::invalid

      x this is not a PostgreSQL URL
       ,-[DATABASE_URL:1:1]
     1 | ledger
       : ^^^|^^
       :    `-- expected postgres://
       `----
      help: postgres://user@host/dbname, or the keywords of libpq: host=... dbname=...
    ");
    insta::assert_snapshot!(screen("postgres://u:100%@db/x"), @r"
    govctl::url::invalid

      x the database URL has a % that begins no escape
       ,-[DATABASE_URL:1:14]
     1 | postgres://u:*****@db/x
       :              ^^|^^
       :                `-- %25 is a % itself
       `----
      help: a password with @ : / ? or % in it must be percent-encoded;
            PGPASSWORD and ~/.pgpass need no encoding
    ");
}

/// A password that is easy to find again, between characters that break a text apart.
const CORE: &str = "S3CR3TWORD";

fn password() -> impl Strategy<Value = String> {
    let junk = || "[a-z0-9@:/?#&=%'\\\\ .,;+\\[\\]\"é]{0,6}";
    (junk(), junk()).prop_map(|(before, after)| format!("{before}{CORE}{after}"))
}

fn text_with(password: String) -> impl Strategy<Value = String> {
    let encoded = utf8_percent_encode(&password, NON_ALPHANUMERIC).to_string();
    let password = prop_oneof![Just(password), Just(encoded)];
    let scheme = prop_oneof![
        6 => Just("postgres://"), 2 => Just("postgresql://"), 1 => Just("postgre://"), 1 => Just("jdbc:postgresql://"),
        1 => Just("postgresql+asyncpg://"), 1 => Just(""), 1 => Just("postgres:"), 1 => Just("mysql://")];
    let user = prop_oneof![Just("u"), Just(""), Just("us%er"), Just("a@b"), Just("u%3A")];
    let host = prop_oneof![Just("h"), Just(""), Just("a,b"), Just("[::1"), Just("[::1]"), Just("%2Frun"), Just("h%zz")];
    let port = prop_oneof![Just(""), Just(":5432"), Just(":54x"), Just(":99999"), Just(":1,2")];
    let tail = prop_oneof![
        Just(""),
        Just("/x"),
        Just("/x?sslmode=requir"),
        Just("/x?sslmod=1"),
        Just("?a"),
        Just("/x?channel_binding=require"),
        Just("/x@y"),
        Just("/x%"),
        Just("/x?password=b&pasword=c")
    ];
    let name = prop_oneof![Just("password"), Just("pasword"), Just("sslpassword"), Just("PASSWORD"), Just("passwd")];
    let word = prop_oneof![
        Just(""),
        Just(" dbname=x"),
        Just(" dbname x"),
        Just(" port=x"),
        Just(" foo=1"),
        Just(" dbname='x")
    ];
    prop_oneof![
        4 => (scheme, user, password.clone(), host, port, tail)
            .prop_map(|(scheme, user, password, host, port, tail)| format!("{scheme}{user}:{password}@{host}{port}{tail}")),
        2 => (name.clone(), password.clone(), prop_oneof![Just("&sslmode=x"), Just("&foo=1"), Just("")])
            .prop_map(|(name, password, tail)| format!("postgres://h:5432/x?{name}={password}{tail}")),
        3 => (prop_oneof![Just(""), Just("host=h "), Just("host h "), Just("foo=1 ")], name, "'?", password, "'?", word)
            .prop_map(|(head, name, open, password, close, word)| format!("{head}{name}={open}{password}{close}{word}")),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4000))]
    #[test]
    fn a_password_is_never_shown(text in password().prop_flat_map(text_with)) {
        let result = DatabaseUrl::parse(&text, Origin::Argument);
        prop_assert!(!format!("{result:?}").contains(CORE), "{:?}", result);
        if let Err(error) = result {
            prop_assert!(!rendered(&error).contains(CORE), "{}", rendered(&error));
        }
    }

    #[test]
    fn no_text_is_too_strange(text in any::<String>()) {
        if let Err(error) = DatabaseUrl::parse(&text, Origin::Flag) {
            prop_assert!(!rendered(&error).contains(|c: char| c != '\n' && crate::ui::clean::is_hostile(c)));
        }
    }

    #[test]
    fn an_encoded_password_arrives(password in "[^\u{0}]{1,12}") {
        let text = format!("postgres://u:{}@h/x", utf8_percent_encode(&password, NON_ALPHANUMERIC));
        prop_assert_eq!(parsed(&text).into_iter().find(|(name, _)| *name == "password").map(|(_, value)| value), Some(password));
    }
}
