//! golang-migrate: `<version>_<title>.up.sql` beside `.down.sql`. Source: golang-migrate/migrate source/parse.go.

use super::version::numbered;
use super::{Claim, Dir, Kind, Planned, Tool, whole};

pub(super) const TOOL: Tool = Tool { name: "golang-migrate", claim };

fn claim(dir: Dir<'_>) -> Option<Claim> {
    let files = numbered(dir.files(), ".up.sql");
    let sure = if dir.near(&["go.mod"]) { 70 } else { 50 };
    let planned = |(file, version, name): (&str, &str, &str)| Planned::new(dir, file, version, name, Kind::Sql(whole));
    Some(Claim { sure, migrations: files.into_iter().map(planned).collect(), notes: Vec::new() })
}
