//! Sequelize: `<14 digits>-name.js`, functions that are given a `queryInterface`, by name.
//! Source: sequelize/cli src/core/migrator.js.

use super::scripts::{by_name, scripts};
use super::{Claim, Dir, Tool};

pub(super) const TOOL: Tool = Tool { name: "sequelize", claim };

fn claim(dir: Dir<'_>) -> Option<Claim> {
    scripts(dir, 88, by_name, |text| text.contains("queryInterface"))
}
