//! MikroORM: `Migration<14 digits>.ts`, a class with `this.addSql()`, by name.
//! Source: mikro-orm/mikro-orm packages/core/src/utils/Configuration.ts.

use super::scripts::{by_name, scripts};
use super::{Claim, Dir, Tool};

pub(super) const TOOL: Tool = Tool { name: "mikro-orm", claim };

fn claim(dir: Dir<'_>) -> Option<Claim> {
    scripts(dir, 90, by_name, |text| text.contains("@mikro-orm") || text.contains("this.addSql"))
}
