//! The checks that govctl brings along, as files.

use govctl::check::{Library, load};
use govctl::facts::Facts;

/// Run with `cargo test --test it checks::`: the quickest answer to "is my check well-formed?".
#[tokio::test]
async fn every_check_fits_the_facts() {
    let library = Library::embedded().map_err(miette::Report::new).unwrap();
    let mut facts = Facts::empty().await.unwrap();
    let mut reports = Vec::new();
    for check in library.iter() {
        if let Err(mistakes) = load(&check.id, &check.source.path, &check.source.text, &mut facts).await {
            reports.push(format!("{:?}", miette::Report::new(mistakes)));
        }
    }
    assert!(reports.is_empty(), "\n{}", reports.join("\n"));
    assert!(library.iter().count() > 0);
}
