//! The real program: what is typed, what is said on which stream, how it ends.

use std::fs::{self, OpenOptions};
use std::io::{BufRead, BufReader, Read};
use std::process::{Command, Output, Stdio};

/// govctl with nothing of this machine's environment.
struct Govctl(Command);

/// What came of it.
struct Ran {
    out: String,
    err: String,
    code: Option<i32>,
}

fn govctl(arguments: &[&str]) -> Govctl {
    let mut command = Command::new(env!("CARGO_BIN_EXE_govctl"));
    command.env_clear().args(arguments).current_dir(env!("CARGO_TARGET_TMPDIR")).stdin(Stdio::null());
    Govctl(command)
}

impl Govctl {
    fn env(mut self, name: &str, value: &str) -> Self {
        self.0.env(name, value);
        self
    }

    fn stdout(mut self, to: impl Into<Stdio>) -> Self {
        self.0.stdout(to);
        self
    }

    /// Runs to the end, which has to be this one.
    fn ends(mut self, code: i32) -> Ran {
        let Output { status, stdout, stderr } = self.0.stderr(Stdio::piped()).spawn_and_wait();
        let text = |bytes| String::from_utf8(bytes).expect("streams are text");
        let ran = Ran { out: text(stdout), err: text(stderr), code: status.code() };
        assert_eq!(ran.code, Some(code), "{}{}", ran.out, ran.err);
        ran
    }
}

trait SpawnAndWait {
    fn spawn_and_wait(&mut self) -> Output;
}

impl SpawnAndWait for Command {
    fn spawn_and_wait(&mut self) -> Output {
        self.spawn().and_then(std::process::Child::wait_with_output).expect("the program starts")
    }
}

fn run(arguments: &[&str], code: i32) -> Ran {
    govctl(arguments).stdout(Stdio::piped()).ends(code)
}

#[test]
fn alone_it_says_what_it_is() {
    let ran = run(&[], 0);
    assert_eq!(ran.err, "");
    insta::assert_snapshot!(ran.out, @r"
    govctl audits the governance of a PostgreSQL database. It never writes to it.

      govctl demo                an audit of a made-up product, with no database at all
      govctl diagnose            run every check against yours
      govctl init                write a commented govctl.yaml from what it sees
      govctl diff A B            what opened, what closed and which role gained what, between two facts files
      govctl facts               collect what the checks need, for a look or for later
      govctl checks              list the checks
      govctl explain CHECK       what a check looks for, its SQL, how to fix it

    The database comes from a URL, else --url, DATABASE_URL, the PG* variables and ~/.pgpass.
    `govctl help COMMAND` lists every option. `man govctl` has the exit codes.
    ");
    for line in ran.out.lines().filter_map(|line| line.strip_prefix("  govctl ")) {
        let command = line.split_whitespace().next().expect("a command");
        run(&["help", command], 0); // nothing is promised that is not there
    }
}

#[test]
fn help_fits() {
    let short = run(&["-h"], 0);
    insta::assert_snapshot!(short.out, @r"
    Audits the governance of a PostgreSQL database that AI agents work on. Never writes to it

    Usage: govctl [OPTIONS] [COMMAND]

    Commands:
      diagnose      Run every check against a database
      verify-chain  Recompute the hash chains of audit tables, row by row
      checkpoint    Sign what the hash chains are today, to be kept outside the database
      witness       Cosign checkpoints that extend the last ones this witness saw
      plan-stage    The migrations that lead to a stage: written for your own tool, never run
      stage         How mature the database is, since when, and by which line
      demo          Take the tour: an audit of a made-up product on a PostgreSQL that govctl brings
                    along
      diff          Say what opened, what closed and which role gained what, between two facts files
      init          Write a commented govctl.yaml from what a database shows; an existing file is never
                    touched
      waive         Accept a finding for a while: writes a waiver into govctl.yaml that holds for its
                    state as it is now
      facts         Collect the facts of a database: save them, or say what there is
      matrix        Show who may do what: login by relation by command, and whose rows row-level
                    security then lets through
      checks        List the checks
      explain       Say what a check looks for, what it cannot see, and how to fix what it finds
      completions   Print the completions for a shell
      help          Print this message or the help of the given subcommand(s)

    Options:
      -h, --help     Print help (see more with '--help')
      -V, --version  Print version

    Global options:
          --format <FORMAT>       How the answer on stdout is said [default: human] [possible values:
                                  human, json, sarif, junit, github, markdown, html, oscal]
          --output <FORMAT=PATH>  Also write the report to a file in the same run, e.g.
                                  json=report.json; repeatable
          --config <FILE>         Configuration [default: govctl.yaml in the current folder, if there is
                                  one]
          --fail-on <SEVERITY>    The least severe finding that fails the run [default: low] [possible
                                  values: info, low, medium, high, critical]
          --baseline <FILE>       Only what an earlier report does not have counts, or has less bad; a
                                  report in JSON
          --allow-undecided       End with 0 where nothing was found but something could not be decided
          --exit-zero             End with 0 instead of 1 or 4; never instead of 2, 3 or 5
          --color <WHEN>          When to colour [default: auto] [possible values: auto, always, never]
          --no-progress           Draw no progress
      -q, --quiet                 Only the counts, and no status

    Exit codes: 0 clean, 1 open findings, 2 usage, 3 no session with the database, 4 undecided only,
    5 a hash chain is broken. `man govctl` and `govctl help COMMAND` say more.
    ");
    for command in [
        "diagnose",
        "verify-chain",
        "checkpoint",
        "stage",
        "demo",
        "diff",
        "init",
        "facts",
        "matrix",
        "checks",
        "explain",
        "completions",
    ] {
        let long = run(&[command, "--help"], 0);
        assert!(long.out.lines().all(|line| line.chars().count() <= 100), "{}", long.out);
        assert_eq!(long.err, "");
    }
    assert_eq!(run(&["--version"], 0).out, format!("govctl {}\n", env!("CARGO_PKG_VERSION")));
}

#[test]
fn a_mistyped_command_line_says_that_nothing_was_audited() {
    let ran = run(&["diagnose", "--fail-on", "terrible"], 2);
    assert_eq!(ran.out, "");
    insta::assert_snapshot!(ran.err, @r"
    error: invalid value 'terrible' for '--fail-on <SEVERITY>'
      [possible values: info, low, medium, high, critical]

    For more information, try '--help'.

    no audit was performed
    ");
    for arguments in
        [&["diagnse"][..], &["diagnose", "--format", "sarif"], &["explain"], &["diagnose", "--output", "xml=x"]]
    {
        let ran = run(arguments, 2);
        assert_eq!(ran.err.lines().last(), Some("no audit was performed"));
    }
    for url in ["postgres://u:hunter2pw@h/x", "host=h password=hunter2pw", "postgres://h/x?password=hunter2pw"] {
        let flag = format!("--format={url}");
        for arguments in [&[url][..], &["diagnose", url, url], &["diagnose", "--format", url], &["diagnose", &flag]] {
            let ran = run(arguments, 2);
            assert!(ran.err.contains("*****") && !ran.err.contains("hunter2"), "{}", ran.err);
        }
    }
    assert!(run(&["--color", "always", "diagnse"], 2).err.contains('\x1b'));
    assert!(!run(&["--color=never", "diagnse"], 2).err.contains('\x1b'));
}

#[test]
fn no_database_is_a_screen() {
    let ran = run(&["diagnose"], 2);
    assert_eq!(ran.out, "");
    insta::assert_snapshot!(ran.err, @r"
    govctl::url::missing

      x no database was given
      help: govctl diagnose postgres://auditor@host/dbname
            or set DATABASE_URL, or PGHOST and PGDATABASE
            to look around first, with no database: govctl demo

    no audit was performed
    ");
}

#[test]
fn a_url_that_is_none_is_pointed_at_and_its_password_is_not_shown() {
    let url = "postgres://auditor:hunter2@:5432/ledger";
    let ran = govctl(&["diagnose"]).env("DATABASE_URL", url).stdout(Stdio::piped()).ends(2);
    insta::assert_snapshot!(ran.err, @r"
    govctl::url::invalid

      x the database URL has no host
       ,-[DATABASE_URL:1:26]
     1 | postgres://auditor:*****@:5432/ledger
       :                          ^
       :                          `-- a host name goes here
       `----
      help: a password with @ : / ? or % in it must be percent-encoded;
            PGPASSWORD and ~/.pgpass need no encoding

    no audit was performed
    ");
    let ran = govctl(&["diagnose", url, "--color", "always"]).env("LC_ALL", "C.UTF-8").stdout(Stdio::piped()).ends(2);
    assert!(ran.err.contains('×') && ran.err.contains('\x1b') && !ran.err.contains("hunter2"));
    let ran = run(&["diagnose", "host=db password=hunter2 sslmod=require"], 2);
    assert!(ran.err.contains("did you mean sslmode?") && !ran.err.contains("hunter2"));
    let ran = govctl(&["diagnose", "host=db"]).env("PGSSLMODE", "verify_full").stdout(Stdio::piped()).ends(2);
    assert!(ran.err.contains("did you mean verify-full?"), "{}", ran.err);
}

#[test]
fn nobody_answers_is_3_and_leaves_the_old_report_empty() {
    let folder = tempfile::tempdir().expect("a folder");
    let report = folder.path().join("report.json");
    fs::write(&report, "yesterday").expect("ours");
    let url = format!("postgres:///x?host={}", folder.path().display());
    let ran = run(&["diagnose", &url, "--output", &format!("json={}", report.display())], 3);
    assert_eq!(ran.out, "");
    assert_eq!(ran.err.lines().last(), Some("no audit was performed"));
    assert_eq!(fs::read_to_string(&report).expect("ours"), "");
    run(&["diagnose", &url, "--exit-zero"], 3);
}

#[test]
fn outputs_are_opened_before_the_work() {
    let ran = run(&["diagnose", "postgres://nowhere.invalid/x", "--output", "json=no/such/folder/report.json"], 2);
    insta::assert_snapshot!(ran.err, @r"
    govctl::output

      x no/such/folder/report.json cannot be written
      `-> No such file or directory (os error 2)

    no audit was performed
    ");
    let ran = run(&["diagnose", "postgres://nowhere.invalid/x", "--output", "json=a", "--output", "human=a"], 2);
    assert!(ran.err.contains("a is to hold two reports"));
    let ran = run(&["checks", "--output", "json=a"], 2);
    assert!(ran.err.contains("checks writes no report"));
}

#[test]
fn an_unknown_check_is_told_the_nearest_name() {
    let ran = run(&["explain", "tenant-isolation/rls-disable"], 2);
    insta::assert_snapshot!(ran.err, @r"
    govctl::checks::unknown

      x no check matches `tenant-isolation/rls-disable`
      help: did you mean `tenant-isolation/rls-disabled`?

    no audit was performed
    ");
    assert!(run(&["diagnose", "postgres://nowhere.invalid/x", "--only", "nothing/*"], 2).err.contains("nothing/*"));
}

#[test]
fn explain_says_all_about_a_check() {
    let ran = run(&["explain", "tenant-isolation/rls-disabled"], 0);
    for part in ["tenant-isolation/rls-disabled   critical   stage 2", "Cannot see", "NIST AC-3", "Fix", "TI-01"] {
        assert!(ran.out.contains(part), "{part} in {}", ran.out);
    }
    let sql = run(&["explain", "tenant-isolation/rls-disabled", "--sql"], 0);
    assert!(sql.out.contains("from relations") && !sql.out.contains("critical   stage"));
}

#[test]
fn checks_are_listed_for_people_and_programs() {
    let document: serde_json::Value = serde_json::from_str(&run(&["checks", "--format", "json"], 0).out).expect("JSON");
    assert_eq!(document["schema"], "govctl.checks/1");
    let checks = document["checks"].as_array().expect("a list");
    assert!(!checks.is_empty());
    let table = run(&["checks"], 0).out;
    for check in checks {
        let id = check["id"].as_str().expect("an id");
        assert!(table.contains(id), "{id} is not in the table, whole");
        assert!(check["axis"].is_string() && check["severity"].is_string() && check["covers"].is_array());
        assert!((1..=5).contains(&check["stage"].as_u64().expect("a number")));
    }
    assert!(table.lines().all(|line| line.chars().count() <= 100));
    assert!(table.is_ascii(), "no locale, no signs beyond ASCII");
}

#[test]
fn the_schema_of_the_facts_needs_no_database() {
    assert_eq!(run(&["facts", "--schema"], 0).out, govctl::facts::SCHEMA);
}

#[test]
fn a_reader_who_leaves_is_no_failure() {
    let mut child =
        govctl(&["facts", "--schema"]).stdout(Stdio::piped()).0.stderr(Stdio::piped()).spawn().expect("starts");
    let mut first = String::new();
    BufReader::with_capacity(64, child.stdout.take().expect("piped")).read_line(&mut first).expect("a line");
    assert!(first.starts_with("-- The facts"));
    let mut err = String::new();
    child.stderr.take().expect("piped").read_to_string(&mut err).expect("text");
    assert_eq!((child.wait().expect("ends").code(), err.as_str()), (Some(0), ""));
}

#[test]
fn a_full_disk_is_a_failure() {
    let full = OpenOptions::new().write(true).open("/dev/full").expect("Linux has one");
    let ran = govctl(&["checks"]).stdout(full).ends(2);
    insta::assert_snapshot!(ran.err, @r"
    govctl::output

      x standard output cannot be written
      `-> No space left on device (os error 28)
    ");
}

#[test]
fn colours_come_when_asked_for_and_go_when_not() {
    let plain = run(&["checks"], 0).out;
    assert!(!plain.contains('\x1b'), "a pipe has no colours");
    assert!(run(&["checks", "--color", "always"], 0).out.contains('\x1b'));
    let forced = |govctl: Govctl| govctl.env("CLICOLOR_FORCE", "1").stdout(Stdio::piped());
    assert!(forced(govctl(&["checks"])).ends(0).out.contains('\x1b'));
    assert_eq!(forced(govctl(&["checks"]).env("NO_COLOR", "1")).ends(0).out, plain);
    assert_eq!(forced(govctl(&["checks", "--color", "never"])).ends(0).out, plain);
}

#[test]
fn every_shell_gets_its_completions() {
    for shell in ["bash", "zsh", "fish"] {
        assert!(run(&["completions", shell], 0).out.contains("diagnose"));
    }
    assert!(run(&["completions", "bash", "--format", "json"], 2).err.contains("no other format"));
}

#[test]
fn the_tour_needs_nothing_and_ends_well() {
    let ran = run(&["demo"], 0);
    assert_eq!(ran.err, "", "nothing is drawn where nobody watches");
    let headings = [
        "1  The database",
        "2  What govctl finds",
        "3  The way out, proved",
        "4  The next stage, planned and proved",
        "5  Yours",
    ];
    for heading in headings {
        assert!(ran.out.lines().any(|line| line == heading), "{heading} in {}", ran.out);
    }
    assert!(ran.out.contains("Run on a copy, the plan reaches stage"), "{}", ran.out);
    assert!(!ran.out.contains("  failed  "), "{}", ran.out);
    assert!(ran.out.contains("that check has 0 findings where it had"), "{}", ran.out);
    assert!(ran.out.lines().last().is_some_and(|line| line.contains("govctl diagnose postgres://")));
    let document: serde_json::Value = serde_json::from_str(&run(&["demo", "--format", "json"], 0).out).expect("JSON");
    assert_eq!(document["schema"], "govctl.diagnose/1");
    assert!(document["summary"]["fail"].as_u64().is_some_and(|fail| fail > 0));
}
