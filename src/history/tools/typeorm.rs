//! TypeORM: `<13 digits>-Name.ts`, a class that is a `MigrationInterface`, by its timestamp.
//! Source: typeorm/typeorm src/migration/MigrationExecutor.ts.

use super::scripts::{by_number, scripts};
use super::{Claim, Dir, Tool};

pub(super) const TOOL: Tool = Tool { name: "typeorm", claim };

fn claim(dir: Dir<'_>) -> Option<Claim> {
    scripts(dir, 90, by_number, |text| text.contains("MigrationInterface") || text.contains("queryRunner"))
}
