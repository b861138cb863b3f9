//! Knex: `<14 digits>_name.js` or `.ts` with `exports.up`, by name. Source: knex/knex lib/migrations.

use super::scripts::{by_name, scripts};
use super::{Claim, Dir, Tool};

pub(super) const TOOL: Tool = Tool { name: "knex", claim };

fn claim(dir: Dir<'_>) -> Option<Claim> {
    scripts(dir, 80, by_name, |text| text.contains("knex") || text.contains("Knex"))
}
