//! Kysely: any file with `up` and `down` that are given a `Kysely`, by name. Source: kysely-org/kysely src/migration/migrator.ts.

use super::scripts::scripts;
use super::{Claim, Dir, Tool};

pub(super) const TOOL: Tool = Tool { name: "kysely", claim };

fn claim(dir: Dir<'_>) -> Option<Claim> {
    scripts(dir, 88, |text| {
        text.contains("Kysely<") || text.contains("from 'kysely'") || text.contains("from \"kysely\"")
    })
}
