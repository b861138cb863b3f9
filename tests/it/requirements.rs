//! What govctl is asked to do, and which checks bear on it.

#![allow(clippy::unwrap_used, reason = "a test says what went wrong by panicking")]

use govctl::check::Library;
use std::collections::{BTreeMap, BTreeSet};

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Requirement {
    status: String,
    asks: String,
}

fn requirements() -> BTreeMap<String, Requirement> {
    serde_yaml::from_str(include_str!("../../checks/requirements.yaml")).unwrap()
}

/// Every id that some check covers, with the checks.
fn covered() -> BTreeMap<String, Vec<String>> {
    let mut covered = BTreeMap::<_, Vec<_>>::new();
    for check in Library::embedded().unwrap().iter() {
        for id in &check.covers {
            covered.entry(id.clone()).or_default().push(check.id.0.clone());
        }
    }
    covered
}

#[test]
fn checks_cover_requirements_that_exist() {
    let known: BTreeSet<_> = requirements().into_keys().collect();
    for (id, checks) in covered() {
        assert!(known.contains(&id), "{id}, covered by {checks:?}, is not in checks/requirements.yaml");
    }
}

#[test]
fn every_requirement_says_where_it_stands() {
    let covered = covered();
    for (id, Requirement { status, asks }) in requirements() {
        assert!(!asks.is_empty(), "{id} asks for nothing");
        match status.split_once(": ") {
            Some(("later" | "report", reason)) => assert!(!reason.is_empty(), "{id} gives no reason"),
            None if status == "checked" => {
                assert!(covered.contains_key(&id), "{id} says checked, and no check covers it")
            }
            _ => panic!("{id} has a status nobody knows: {status}"),
        }
    }
    assert!(requirements().len() >= 379);
}
