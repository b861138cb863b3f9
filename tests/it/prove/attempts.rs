//! What is tried on databases as they are, without any plan, is what is known of them.

use super::plans::proved;
use std::path::{Path, PathBuf};

fn scripts(folder: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures").join(folder);
    let mut paths: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|it| it == "sql"));
    paths.sort();
    paths
}

#[tokio::test]
async fn nothing_crosses_in_a_clean_database() {
    for path in scripts("clean") {
        let script = std::fs::read_to_string(&path).unwrap();
        let proof = proved(&script, Vec::new()).await;
        assert!(proof.failed.is_empty(), "{path:?}: {proof:#?}");
        assert!(!proof.remaining.iter().any(|it| it.check == "copy"), "{path:?}: {proof:#?}");
        for held in ["a second run changes nothing", "the way back restores the catalog"] {
            assert!(proof.held.iter().any(|line| line == held), "{path:?}: {proof:#?}");
        }
        // Where a login names the tenant, no setting says who somebody is, nor where one names a row; and a schema has no key.
        let name = path.file_stem().unwrap().to_str().unwrap();
        if !["role_per_tenant", "schema_per_tenant", "login_sessions"].contains(&name) {
            let crossed = proof.held.iter().filter(|line| line.contains("reads by") && line.ends_with("got nothing"));
            assert!(crossed.count() > 0, "{path:?}: {proof:#?}");
            assert!(proof.held.iter().any(|line| line.contains("of its own tenant as before")), "{path:?}: {proof:#?}");
        }
    }
}

/// What a single statement goes through; the other holes take several, or a setting nobody would guess.
const SEEN: &[(&str, &str)] = &[
    ("case_else_true", "agent it reads rows of another tenant in app.orders"),
    ("delete_unchecked", "agent it deletes rows of another tenant in app.drafts"),
    ("inherited_owner", "agent it reads rows of another tenant in app.notes"),
    ("null_is_nobody", "agent it reads rows of another tenant in app.files"),
    ("owner_login", "agent it changes rows of another tenant in app.checkpoints"),
    ("set_role_to_bypass", "reads rows of another tenant"),
    ("update_moves_rows", "agent it moves its rows to another tenant in"),
    ("view_chain", "reads rows of another tenant"),
];

#[tokio::test]
async fn a_hole_is_gone_through() {
    for path in scripts("holes") {
        let script = std::fs::read_to_string(&path).unwrap();
        let name = path.file_stem().unwrap().to_str().unwrap();
        let Some((_, expected)) = SEEN.iter().find(|(known, _)| *known == name) else { continue };
        let proof = proved(&script, Vec::new()).await;
        let said: Vec<_> = proof.remaining.iter().map(|it| format!("{} {}", it.object, it.why)).collect();
        assert!(said.iter().any(|line| line.contains(expected)), "{name} {expected}: {proof:#?}");
        // What a finding says is no failure of the plan's.
        assert!(proof.failed.is_empty(), "{name}: {proof:#?}");
    }
}
