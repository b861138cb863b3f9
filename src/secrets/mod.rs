//! What a secret looks like, and how to speak of one without repeating it.
//!
//! Rules are data (`rules.toml`, and a user's `gitleaks.toml`). A rule that matches gives a place in a text; the text is
//! kept without what stood there, and the fact that is kept names the rule, the object, how often, and a keyed
//! fingerprint: never the value, its length or a part of it.

mod fingerprint;
mod inserts;
mod literals;
mod load;
mod names;
mod plausible;
mod rule;
mod scan;

pub use fingerprint::Key;
pub use literals::literals;
pub use names::{Named, named, words};
pub use plausible::{is_random, is_secret_of_its_name};
pub use rule::Rule;
pub use scan::{Found, Kind, Rules, redact};
