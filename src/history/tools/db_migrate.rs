//! db-migrate: `<14 digits>-name.js` that is given a `db`, or that sends `sqls/<14 digits>-name-up.sql`; by name.
//! Source: db-migrate/node-db-migrate lib/migrator.js, lib/migration.js.

use super::scripts::{by_name, scripts};
use super::{Claim, Dir, Kind, Tool, whole};

pub(super) const TOOL: Tool = Tool { name: "db-migrate", claim };

fn claim(dir: Dir<'_>) -> Option<Claim> {
    // Scripts that need no more of it than the database they are given name it nowhere.
    let own = |text: &str| ["dbmigrate", "db-migrate", "db.runSql("].iter().any(|mark| text.contains(mark));
    let mut claim = scripts(dir, 90, by_name, own)?;
    let sqls = dir.folders().find(|folder| folder.name() == "sqls");
    for planned in &mut claim.migrations {
        let base = planned.path.rsplit('/').next().unwrap_or_default();
        let up = base.rsplit_once('.').map(|(stem, _)| format!("{stem}-up.sql"));
        // The script only opens the file of that name.
        if let (Some(sqls), Some(up)) = (sqls, up.filter(|up| sqls.is_some_and(|sqls| sqls.has(up)))) {
            planned.path = sqls.path(&up);
            planned.kind = Kind::Sql(whole);
        }
    }
    Some(claim)
}
