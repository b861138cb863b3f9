//! Files people write: what is right is taken, and what is wrong is shown with a caret, all of it at once.

#![allow(clippy::unwrap_used, reason = "a test says what went wrong by panicking")]

use govctl::check::{CheckId, Library, load};
use govctl::config::{self, Config, Purpose, Tenancy, TenancyMode};
use govctl::facts::Facts;
use miette::{Diagnostic, GraphicalReportHandler, GraphicalTheme};
use std::fs;
use std::path::{Path, PathBuf};

/// As the terminal shows it, without colour, 100 columns wide.
fn rendered(diagnostic: &dyn Diagnostic) -> String {
    let mut text = String::new();
    let handler = GraphicalReportHandler::new_themed(GraphicalTheme::unicode_nocolor()).with_width(100);
    handler.render_report(&mut text, diagnostic).unwrap();
    text.lines().map(str::trim_end).collect::<Vec<_>>().join("\n")
}

/// Name without ending, and text, of each file in a folder of fixtures.
fn fixtures(folder: &str) -> Vec<(String, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures").join(folder);
    let mut files: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    assert!(!files.is_empty());
    let name = |path: &Path| path.file_stem().unwrap().to_str().unwrap().to_owned();
    files.iter().map(|path| (name(path), fs::read_to_string(path).unwrap())).collect()
}

#[tokio::test]
async fn mistakes_in_checks() {
    let mut facts = Facts::empty().await.unwrap();
    for (name, text) in fixtures("checks/bad") {
        let mistakes = load(&CheckId(format!("bad/{name}")), &format!("bad/{name}.yaml"), &text, &mut facts).await;
        insta::assert_snapshot!(format!("check_{name}"), rendered(&mistakes.unwrap_err()));
    }
}

#[test]
fn mistakes_in_the_configuration() {
    for (name, text) in fixtures("configs/bad") {
        let mistakes = config::parse("govctl.yaml", &text).unwrap_err();
        insta::assert_snapshot!(format!("config_{name}"), rendered(&mistakes));
    }
}

#[test]
fn good_configurations() {
    let of = |name: &str| {
        let fixtures = fixtures("configs/good");
        let (_, text) = fixtures.iter().find(|(known, _)| known == name).unwrap();
        config::parse("govctl.yaml", text).map_err(|mistakes| rendered(&mistakes)).unwrap()
    };
    let keys = vec!["shop_id".to_owned(), "org".to_owned()];
    let full = Tenancy { mode: TenancyMode::Multi, keys, table: Some("public.shops".to_owned()) };
    assert_eq!(of("empty"), Config::default());
    assert_eq!(of("full").tenancy, full);
    assert_eq!(of("single").tenancy.mode, TenancyMode::Single);
    let roles = of("roles").roles;
    assert_eq!(roles.purpose("bot_7"), Some(Purpose::Agent));
    assert_eq!(roles.purpose("dana"), Some(Purpose::Person));
    assert_eq!(roles.purpose("dan"), None);
    assert_eq!(roles.runs_free_sql("support_agent"), Some(true));
    assert_eq!(roles.runs_free_sql("bot_7"), Some(false));
    assert_eq!(of("full").roles.runs_free_sql("bot_7"), None);
}

#[test]
fn a_configuration_that_was_asked_for_has_to_be_there() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("elsewhere.yaml");
    assert!(Config::find(Some(&path)).is_err());
    fs::write(&path, "tenancy: {mode: single}").unwrap();
    assert_eq!(Config::find(Some(&path)).unwrap().tenancy.mode, TenancyMode::Single);
}

#[tokio::test]
async fn a_folder_adds_checks_and_takes_none_away() {
    let embedded = Library::embedded().unwrap();
    let before = embedded.iter().count();
    let folder = tempfile::tempdir().unwrap();
    let example = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("checks/README.md")).unwrap();
    let example = example.split("```yaml\n").nth(1).unwrap().split("```").next().unwrap();
    fs::create_dir(folder.path().join("tenant-isolation")).unwrap();
    fs::write(folder.path().join("tenant-isolation/policy-without-roles.yaml"), example).unwrap();

    let library = embedded.with_dir(folder.path()).await.unwrap();
    assert_eq!(library.iter().count(), before + 1);
    assert_eq!(library.get("tenant-isolation/policy-without-roles").unwrap().identity, ["policy"]);
    let again = library.clone().with_dir(folder.path()).await.unwrap_err();
    assert!(rendered(&again).contains("there is a check `tenant-isolation/policy-without-roles` already"));

    let absent = folder.path().join("absent");
    assert!(library.with_dir(&absent).await.is_err());
}

#[test]
fn globs_select_and_unknown_ones_name_what_was_meant() {
    let library = || Library::embedded().unwrap();
    let ids = |globs: &[&str]| {
        let globs: Vec<_> = globs.iter().map(ToString::to_string).collect();
        library().select(&globs).map(|chosen| chosen.iter().map(|check| check.id.0.clone()).collect::<Vec<_>>())
    };
    assert_eq!(ids(&[]).unwrap().len(), library().iter().count());
    assert_eq!(ids(&["*/rls-dis*"]).unwrap(), ["tenant-isolation/rls-disabled"]);
    assert_eq!(ids(&["*rls-disabled", "*/dormant-policies"]).unwrap().len(), 2);
    assert_eq!(
        ids(&["tenant-isolation/rls-disabeld"]).unwrap_err().help,
        "did you mean `tenant-isolation/rls-disabled`?"
    );
    assert_eq!(ids(&["rls-disabled"]).unwrap_err().help, "did you mean `tenant-isolation/rls-disabled`?");
    assert_eq!(ids(&["quite-another"]).unwrap_err().help, "govctl checks lists them");
}

proptest::proptest! {
    /// Whatever somebody writes, the answer is a configuration or mistakes that can be shown.
    #[test]
    fn no_text_is_too_odd_to_be_refused_in_words(
        text in "(\u{feff}?[a-z]{1,3}: ?(\\||>-|\"\\\\|'|\\[|&a|\\*a|!t)?[ \\t\\r\\n:{}#é🦀\\]0-9a-z]{0,12}){1,6}|\\PC{0,40}",
        key in "(tenancy|keys|id|sql|proof)",
    ) {
        for text in [text.clone(), format!("{key}: {text}"), format!("{key}: |\n  {text}\n")] {
            if let Err(mistakes) = config::parse("govctl.yaml", &text) {
                rendered(&mistakes);
                mistakes.in_words();
            }
            if let Err(mistakes) = govctl::check::parse(&CheckId("a/b".to_owned()), "a/b.yaml", &text) {
                rendered(&mistakes);
            }
        }
    }

    /// Also SQL and templates that are no such thing: the caret stays within the file.
    #[test]
    fn no_sql_or_template_is_too_odd_to_be_shown(sql in "\\PC{0,20}[\\n\\t]\\PC{0,20}", template in "(\\PC|\\{\\{ | \\}\\}|\\{%){0,12}") {
        let line = |text: &str| text.replace('\n', "\n  ");
        let text = format!(
            "id: a/b\ntitle: T\naxis: rbac\nstage: 1\nseverity: low\ncovers: []\nwhy: W\nsql: |2\n  {}\nfinding: |2\n  {}\nfix: none\nask: A\nproof: {{bad: b, finds: [f]}}\n",
            line(&sql), line(&template),
        );
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let loaded = runtime.block_on(async {
            let mut facts = Facts::empty().await.unwrap();
            load(&CheckId("a/b".to_owned()), "a/b.yaml", &text, &mut facts).await
        });
        if let Err(mistakes) = loaded {
            rendered(&mistakes);
            mistakes.in_words();
        }
    }
}
