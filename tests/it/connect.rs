//! Every way not to get a session says what is wrong and what to try, ends with exit code 3 and shows no password.
#![allow(clippy::unwrap_used, reason = "a test may panic, and so may what helps it")]

use govctl::error::Stop;
use govctl::exit::Exit;
use govctl::target::{Session, Unreachable};
use sqlx::postgres::{PgConnectOptions, PgSslMode};
use sqlx::{AssertSqlSafe, Connection, PgConnection};
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};

const PASSWORD: &str = "never-to-be-seen";

fn server() -> PgConnectOptions {
    crate::support::server().options().clone()
}

async fn admin(sql: &str) {
    let mut connection = PgConnection::connect_with(&server()).await.unwrap();
    sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).execute(&mut connection).await.unwrap();
}

fn at(host: &str, port: u16) -> PgConnectOptions {
    PgConnectOptions::new_without_pgpass().host(host).port(port).username("auditor").database("shop")
}

/// The refusal, after making sure that it may be shown.
async fn refusal(options: PgConnectOptions) -> Unreachable {
    let stop = Session::open(options.password(PASSWORD)).await.expect_err("no session");
    assert_eq!(stop.exit(), Exit::Unreachable);
    let report = miette::Report::new(stop);
    let shown = format!("{report} {report:?}");
    assert!(!shown.contains(PASSWORD), "{shown}");
    assert!(shown.contains("govctl::db::"), "{shown}");
    match report.downcast::<Stop>() {
        Ok(Stop::Unreachable(why)) => why,
        other => panic!("{other:?}"),
    }
}

/// Something that listens and is no PostgreSQL.
fn listener(answer: impl Fn(TcpStream) + Send + 'static) -> PgConnectOptions {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || listener.incoming().for_each(|stream| answer(stream.unwrap())));
    at("127.0.0.1", port)
}

#[tokio::test]
async fn nobody_listens() {
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let why = refusal(at("127.0.0.1", free)).await;
    assert!(matches!(why, Unreachable::Refused { .. }), "{why:?}");
    assert_eq!(why.to_string(), format!("127.0.0.1:{free} refused the connection"));
}

#[tokio::test]
async fn no_socket() {
    let folder = tempfile::tempdir().unwrap();
    let why = refusal(at("localhost", 5432).socket(folder.path())).await;
    assert!(matches!(why, Unreachable::Refused { .. }), "{why:?}");
    assert!(why.to_string().contains(".s.PGSQL.5432"), "{why}");
}

#[tokio::test]
async fn no_such_host() {
    let why = refusal(at("no-such-host.invalid", 5432)).await;
    assert_eq!(why.to_string(), "no-such-host.invalid cannot be resolved");
}

#[tokio::test]
async fn silence() {
    let why = refusal(listener(std::mem::forget)).await;
    assert!(why.to_string().ends_with("did not answer in 10 s"), "{why}");
}

#[tokio::test]
async fn another_protocol() {
    let why = refusal(listener(|mut stream| {
        let _ = stream.read(&mut [0; 64]);
        let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n");
    }))
    .await;
    assert!(matches!(why, Unreachable::NotPostgres { .. }), "{why:?}");
}

#[tokio::test]
async fn hung_up() {
    for _ in 0..20 {
        let why = refusal(listener(drop)).await;
        assert!(matches!(why, Unreachable::Closed { .. }), "{why:?}");
        let why = refusal(listener(|mut stream| drop(stream.read(&mut [0; 64])))).await;
        assert!(matches!(why, Unreachable::Closed { .. }), "{why:?}");
    }
}

#[tokio::test]
async fn no_tls() {
    if crate::support::is_embedded() {
        return;
    }
    let mut connection = PgConnection::connect_with(&server()).await.unwrap();
    let ssl: String = sqlx::query_scalar("show ssl").fetch_one(&mut connection).await.unwrap();
    assert_eq!(ssl, "off", "the server for the tests has no TLS");
    // sockets of the file system have no TLS either
    let why = refusal(server().ssl_mode(PgSslMode::Require)).await;
    assert!(why.to_string().ends_with("offers no TLS and sslmode is require"), "{why}");
}

#[tokio::test]
async fn no_such_database_and_no_such_role() {
    if crate::support::is_embedded() {
        return;
    }
    let why = refusal(server().database("ledgr")).await;
    assert!(why.to_string().starts_with("there is no database \"ledgr\" on "), "{why}");
    let why = refusal(server().username("t_nobody")).await;
    assert_eq!(why.to_string(), "the server does not accept this login for t_nobody");
}

#[tokio::test]
async fn may_not_connect_and_no_free_connection() {
    if crate::support::is_embedded() {
        return;
    }
    let drop = "drop database if exists t_closed; drop role if exists t_limited";
    for sql in drop.split(';') {
        admin(sql).await;
    }
    admin("create role t_limited login connection limit 0").await;
    admin("create database t_closed").await;
    admin("revoke connect on database t_closed from public").await;
    let full = refusal(server().username("t_limited")).await;
    assert!(matches!(full, Unreachable::Full), "{full:?}");
    admin("alter role t_limited connection limit -1").await;
    let closed = refusal(server().username("t_limited").database("t_closed")).await;
    assert_eq!(closed.to_string(), "t_limited may not connect to the database \"t_closed\"");
    for sql in drop.split(';') {
        admin(sql).await;
    }
}
