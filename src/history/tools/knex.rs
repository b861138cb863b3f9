//! Knex: `<14 digits>_name.js` or `.ts` with `exports.up`, by name. Source: knex/knex lib/migrations.

use super::scripts::scripts;
use super::{Claim, Dir, Tool};

pub(super) const TOOL: Tool = Tool { name: "knex", claim };

fn claim(dir: Dir<'_>) -> Option<Claim> {
    scripts(dir, 80, |text| text.contains("knex") || text.contains("Knex"))
}
