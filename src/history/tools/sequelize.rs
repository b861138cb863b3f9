//! Sequelize: `<14 digits>-name.js`, functions that are given a `queryInterface`, by name.
//! Source: sequelize/cli src/core/migrator.js.

use super::scripts::scripts;
use super::{Claim, Dir, Tool};

pub(super) const TOOL: Tool = Tool { name: "sequelize", claim };

fn claim(dir: Dir<'_>) -> Option<Claim> {
    scripts(dir, 88, |text| text.contains("queryInterface"))
}
