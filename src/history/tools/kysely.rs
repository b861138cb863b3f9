//! Kysely: any file with `up` and `down` that are given a `Kysely`, by name. Source: kysely-org/kysely src/migration/migrator.ts.

use super::scripts::{by_name, scripts};
use super::{Claim, Dir, Tool};

pub(super) const TOOL: Tool = Tool { name: "kysely", claim };

fn claim(dir: Dir<'_>) -> Option<Claim> {
    scripts(dir, 88, by_name, |text| {
        ["Kysely<", "from 'kysely'", "from \"kysely\"", "require('kysely')", "require(\"kysely\")"]
            .iter()
            .any(|mark| text.contains(mark))
    })
}
