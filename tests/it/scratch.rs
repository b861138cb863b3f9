//! Every form of scratch server starts, answers, stops, and leaves no process and no folder, whatever ends its user.

#![allow(clippy::unwrap_used, clippy::exit, reason = "a test may panic, and this one ends a process in every way")]

use govctl::target::scratch::{Choice, Kind, Scratch, ScratchError};
use govctl::{error::Stop, exit::Exit};
use sqlx::{ConnectOptions, Connection};
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use tokio::signal::unix::{SignalKind, signal};

/// Says to [`user_of_a_scratch_server`] which form to start; unset when it is run as an ordinary test.
const FORM: &str = "GOVCTL_TEST_SCRATCH_FORM";
/// And how to end: `stop`, `drop`, `panic` or `wait`.
const END: &str = "GOVCTL_TEST_SCRATCH_END";

/// What the tests below start as a process of its own, to see what it leaves behind.
#[tokio::test]
async fn user_of_a_scratch_server() {
    let (Ok(form), Ok(end)) = (std::env::var(FORM), std::env::var(END)) else { return };
    let choice = match form.as_str() {
        "local" => Choice::Local { bindir: bindir() },
        "embedded" => Choice::Embedded,
        other => panic!("unknown form {other}"),
    };
    let scratch = Scratch::start(choice).await.unwrap();
    let mut connection = scratch.options().connect().await.unwrap();
    let one: i32 = sqlx::query_scalar("select 1").fetch_one(&mut connection).await.unwrap();
    let mut show = async |form: Kind, sql: &'static str| match scratch.kind() == form {
        true => sqlx::query_scalar::<_, String>(sql).fetch_one(&mut connection).await.unwrap(),
        false => String::new(),
    };
    let folder = show(Kind::Local, "show unix_socket_directories").await;
    let postmaster = show(Kind::Local, "select split_part(pg_read_file('postmaster.pid'), E'\n', 1)").await;
    let tell = |line: String| {
        use std::io::Write;
        writeln!(std::io::stderr(), "{line}").unwrap();
    };
    // A handler of its own, since who runs tests in the background lets them ignore SIGINT.
    let mut interrupted = signal(SignalKind::interrupt()).unwrap();
    tell(format!("answer\t{one}\t{}\t{folder}\t{postmaster}", scratch.server_version_num()));
    match end.as_str() {
        "stop" => {
            connection.close().await.unwrap();
            scratch.stop().await;
        }
        "drop" => drop(scratch),
        "panic" => panic!("on purpose"),
        "wait" => {
            interrupted.recv().await.unwrap();
            std::process::exit(130);
        }
        other => panic!("unknown end {other}"),
    }
    tell("ended".into());
}

fn bindir() -> Option<PathBuf> {
    std::env::var_os("GOVCTL_TEST_BINDIR").map(PathBuf::from)
}

/// A process that has a scratch server, and what it would leave behind.
struct User {
    process: Child,
    /// Its temporary folder; the embedded server's is in it.
    temporary: tempfile::TempDir,
    /// The local server's own.
    folder: Option<PathBuf>,
    postmaster: Option<String>,
}

impl User {
    fn start(form: &str, end: &str) -> Self {
        let temporary = tempfile::tempdir().unwrap();
        let mut process = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "scratch::user_of_a_scratch_server", "--nocapture"])
            .env(FORM, form)
            .env(END, end)
            .env("TMPDIR", temporary.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut said = BufReader::new(process.stderr.take().unwrap()).lines();
        let answer = said.find_map(|line| line.unwrap().strip_prefix("answer\t").map(str::to_owned));
        // Nobody reads the rest, but somebody must.
        std::thread::spawn(|| said.for_each(drop));
        let answer = answer.expect("the scratch server answers");
        let [one, version, folder, postmaster] = answer.split('\t').collect::<Vec<_>>()[..] else { panic!("{answer}") };
        assert_eq!(one, "1");
        assert!(version.parse::<u32>().unwrap() >= 140_000, "{version}");
        let folder = Some(PathBuf::from(folder)).filter(|folder| folder.is_absolute());
        let postmaster = Some(postmaster.to_owned()).filter(|pid| !pid.is_empty());
        assert_eq!((folder.is_some(), postmaster.is_some()), (form == "local", form == "local"), "{answer}");
        Self { process, temporary, folder, postmaster }
    }

    fn kill(&self, signal: &str) {
        assert!(shell("kill -s \"$1\" \"$2\"", &[signal, &self.process.id().to_string()]));
    }

    /// Waits for its end, then a moment for what is left to go.
    fn leaves_nothing(mut self) {
        self.process.wait().unwrap();
        let patience = Instant::now() + Duration::from_secs(15);
        loop {
            let left = self.left();
            if left.is_empty() {
                return;
            }
            assert!(Instant::now() < patience, "left behind: {left:?}");
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    fn left(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.temporary.path()).unwrap().map(|entry| entry.unwrap().path());
        let folders = entries.chain(self.folder.clone().filter(|folder| folder.exists()));
        let processes = self.postmaster.iter().filter(|pid| shell("kill -0 \"$1\"", &[pid]));
        folders.map(|folder| folder.display().to_string()).chain(processes.cloned()).collect()
    }
}

fn shell(script: &str, arguments: &[&str]) -> bool {
    let mut command = Command::new("sh");
    command.args(["-c", script, "sh"]).args(arguments).stderr(Stdio::null());
    command.status().unwrap().success()
}

/// On a machine with Rust alone there is nothing to start but the embedded server, and these tests say nothing.
async fn has_local() -> bool {
    let start = Scratch::start(Choice::Local { bindir: bindir() }).await;
    !matches!(start, Err(Stop::Scratch(ScratchError::Missing)))
}

#[tokio::test]
async fn a_local_server_leaves_nothing() {
    if !has_local().await {
        return;
    }
    for end in ["stop", "drop", "panic"] {
        User::start("local", end).leaves_nothing();
    }
}

#[tokio::test]
async fn a_local_server_of_a_killed_process_leaves_nothing() {
    if !has_local().await {
        return;
    }
    for signal in ["INT", "TERM", "KILL"] {
        let user = User::start("local", "wait");
        assert!(!user.left().is_empty(), "there is something to leave");
        user.kill(signal);
        user.leaves_nothing();
    }
}

#[tokio::test]
async fn stopping_waits_until_the_local_server_is_gone() {
    if !has_local().await {
        return;
    }
    let scratch = Scratch::start(Choice::Local { bindir: bindir() }).await.unwrap();
    let folder = scratch.options().get_socket().unwrap().clone();
    assert!(folder.join("data/postmaster.pid").is_file());
    scratch.stop().await;
    assert!(!folder.exists());
}

#[tokio::test]
async fn databases_of_a_scratch_are_empty_and_apart() {
    let (one, other) = (crate::support::database().await, "select to_regclass('only_here')::text");
    one.run("create table only_here ()").await;
    let mut connection = one.connect().await;
    assert_eq!(
        sqlx::query_scalar::<_, Option<String>>(other).fetch_one(&mut connection).await.unwrap().unwrap(),
        "only_here"
    );
    connection.close().await.unwrap();
    let another = crate::support::server().database().await.unwrap();
    let mut connection = another.options().connect().await.unwrap();
    assert_eq!(sqlx::query_scalar::<_, Option<String>>(other).fetch_one(&mut connection).await.unwrap(), None);
    connection.close().await.unwrap();
}

#[tokio::test]
async fn a_given_server_keeps_running_and_loses_the_databases_made_on_it() {
    let ours = crate::support::database().await;
    let given = Scratch::start(Choice::Given(ours.url())).await.unwrap();
    assert_eq!((given.kind(), given.url()), (Kind::Given, ours.url()));
    let made = given.database().await.unwrap();
    let made = made.options().get_database().unwrap().to_owned();
    let count = async || {
        let mut connection = ours.connect().await;
        let query = sqlx::query_scalar::<_, i64>("select count(*) from pg_database where datname = $1").bind(&made);
        let count = query.fetch_one(&mut connection).await.unwrap();
        connection.close().await.unwrap();
        count
    };
    assert_eq!(count().await, 1);
    given.stop().await;
    assert_eq!(count().await, 0);
}

#[tokio::test]
async fn roles_made_on_a_cluster_of_its_own_are_gone_afterwards() {
    let role = crate::support::unique("left_over");
    let cluster = crate::support::cluster().await;
    cluster.run(&format!("create role {role}; create table t (); grant select on t to {role}")).await;
    let server = cluster.server().options().clone();
    drop(cluster);
    if crate::support::is_embedded() {
        return;
    }
    let mut connection = server.connect().await.unwrap();
    let found = sqlx::query("select from pg_roles where rolname = $1").bind(&role);
    assert!(found.fetch_optional(&mut connection).await.unwrap().is_none());
    connection.close().await.unwrap();
}

#[tokio::test]
async fn what_cannot_be_a_scratch_says_why_and_repeats_no_password() {
    let cases = [
        ("mysql://root:hunter2@localhost/x", "does not start with postgres://", Exit::Usage),
        ("postgres://u:hunter2@:5432/x", "empty host", Exit::Usage),
        ("postgres://u:hunter2@localhost/x?port=many", "value that is not allowed", Exit::Usage),
        ("postgres://u:hunter2@127.0.0.1:1/x", "127.0.0.1:1", Exit::Unreachable),
    ];
    for (url, says, exit) in cases {
        let stop = Scratch::start(Choice::Given(url.into())).await.unwrap_err();
        let text = format!("{stop} {stop:?}");
        assert!(text.contains(says), "{text}");
        assert!(!text.contains("hunter2"), "{text}");
        assert_eq!(stop.exit(), exit, "{text}");
    }
    let stop = Scratch::start(Choice::Local { bindir: Some("/nowhere/bin".into()) }).await.unwrap_err();
    assert_eq!(
        (stop.to_string().as_str(), stop.exit()),
        ("/nowhere/bin holds no PostgreSQL server", Exit::Unreachable)
    );
}

#[cfg(feature = "embedded")]
mod embedded {
    use super::*;

    #[tokio::test]
    async fn the_embedded_server_leaves_nothing() {
        for end in ["stop", "drop", "panic"] {
            User::start("embedded", end).leaves_nothing();
        }
        for signal in ["INT", "TERM", "KILL"] {
            let user = User::start("embedded", "wait");
            assert!(!user.left().is_empty(), "there is something to leave");
            user.kill(signal);
            user.leaves_nothing();
        }
    }

    /// What agents' schemas ask for: pgvector in any schema, created by the migration itself.
    #[tokio::test]
    async fn the_embedded_server_offers_pgvector_and_has_it_nowhere_yet() {
        let scratch = Scratch::start(Choice::Embedded).await.unwrap();
        let database = scratch.database().await.unwrap();
        for options in [scratch.options(), database.options()] {
            let mut connection = options.connect().await.unwrap();
            let sql = "select string_agg(extname, ' ') from pg_extension";
            let extensions: String = sqlx::query_scalar(sql).fetch_one(&mut connection).await.unwrap();
            assert_eq!(extensions, "plpgsql");
            let sql = "create schema extensions; create extension vector with schema extensions";
            sqlx::raw_sql(sql).execute(&mut connection).await.unwrap();
            let sql = "select '[1,2]'::extensions.vector operator(extensions.<->) '[1,4]'";
            let distance: f64 = sqlx::query_scalar(sql).fetch_one(&mut connection).await.unwrap();
            assert_eq!(distance, 2.0);
            connection.close().await.unwrap();
        }
        scratch.stop().await;
    }

    /// A client that was left open must not hold up the end for long.
    #[tokio::test]
    async fn an_open_connection_does_not_keep_the_embedded_server() {
        let scratch = Scratch::start(Choice::Embedded).await.unwrap();
        let connection = scratch.options().connect().await.unwrap();
        let start = Instant::now();
        scratch.stop().await;
        assert!(start.elapsed() < Duration::from_secs(6));
        drop(connection);
    }
}
