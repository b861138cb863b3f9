//! Supabase CLI: `supabase/migrations/<digits>_name.sql`, by name; no way down.
//! Source: supabase/cli apps/cli-go/pkg/migration/{file,list}.go.

use super::version::{leading_digits, rest};
use super::{Claim, Dir, Kind, Planned, Tool, whole};

pub(super) const TOOL: Tool = Tool { name: "supabase", claim };

/// The first file of a project older than this was made from its database and is not run.
const FIRST_RUN: &str = "20211209000000";

fn claim(dir: Dir<'_>) -> Option<Claim> {
    // Other folders of a project that has a `supabase/config.toml` are no business of its CLI.
    let own = dir.parent_name().as_deref() == Some("supabase") && (dir.name() == "migrations" || dir.at().is_empty());
    if !own {
        return None;
    }
    let mut migrations = Vec::new();
    for (n, file) in dir.files().filter(|file| file.ends_with(".sql")).enumerate() {
        let Some((version, name)) = leading_digits(file).filter(|(digits, rest)| is_separated(digits, rest)) else {
            continue;
        };
        let mut planned = Planned::new(dir, file, version, rest(name, ".sql"), Kind::Sql(whole));
        planned.dormant = n == 0 && version.len() == 14 && version < FIRST_RUN && name == "_init.sql";
        migrations.push(planned);
    }
    Some(Claim { sure: 75, migrations, notes: Vec::new() })
}

/// The CLI asks for `_`; builders that run the files themselves write `<14 digits>-<uuid>.sql`.
fn is_separated(digits: &str, rest: &str) -> bool {
    rest.starts_with('_') || digits.len() == 14 && rest.starts_with('-')
}
