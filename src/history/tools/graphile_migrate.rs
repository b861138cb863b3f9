//! graphile-migrate: `committed/<6 digits>[-name].sql`; `current.sql` and `current/` are not committed yet.
//! Source: graphile/migrate src/{migration,migrationFilename}.ts.

use super::version::{leading_digits, rest};
use super::{Claim, Dir, Kind, Planned, Tool, whole};

pub(super) const TOOL: Tool = Tool { name: "graphile-migrate", claim };

fn claim(dir: Dir<'_>) -> Option<Claim> {
    let below = || dir.folders().find(|folder| folder.name() == "committed");
    let committed = if dir.own_name().as_deref() == Some("committed") { dir } else { below()? };
    let mut migrations = Vec::new();
    for file in committed.files().filter(|file| file.ends_with(".sql")) {
        let Some((version, name)) = leading_digits(file) else { continue };
        migrations.push(Planned::new(committed, file, version, rest(name, ".sql"), Kind::Sql(whole)));
    }
    let mut drafts: Vec<(Dir<'_>, String)> = Vec::new();
    if committed.at() != dir.at() {
        drafts.extend(dir.files().filter(|file| *file == "current.sql").map(|file| (dir, file.to_owned())));
        for current in dir.folders().filter(|folder| folder.name() == "current") {
            drafts.extend(current.files().filter(|file| file.ends_with(".sql")).map(|file| (current, file.to_owned())));
        }
    }
    for (folder, file) in drafts {
        let mut planned = Planned::new(folder, &file, "current", "not committed", Kind::Sql(whole));
        planned.dormant = true;
        migrations.push(planned);
    }
    Some(Claim { sure: 90, migrations, notes: Vec::new() })
}
