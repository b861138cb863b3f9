//! yoyo: `*.sql` and `*.py` by name, after what each `depends` on; `X.rollback.sql` leads down.
//! Source: yoyo-migrations yoyo/migrations.py.

use super::{Claim, Dir, Kind, Planned, Tool, whole};
use crate::history::code::Language;

pub(super) const TOOL: Tool = Tool { name: "yoyo", claim };

fn claim(dir: Dir<'_>) -> Option<Claim> {
    let is_up = |file: &&str| {
        (file.ends_with(".sql") && !file.ends_with(".rollback.sql") || file.ends_with(".py"))
            && !file.starts_with("post-apply")
    };
    let files: Vec<_> = dir.files().filter(is_up).map(str::to_owned).collect();
    let own =
        |text: &str| text.contains("from yoyo import") || text.lines().take(5).any(|line| depends(line).is_some());
    if !dir.near(&["yoyo.ini"]) && !dir.any_text(&files, own) {
        return None;
    }
    let planned = |file: &String| {
        let stem = file.trim_end_matches(".sql").trim_end_matches(".py");
        let kind = if file.ends_with(".py") { Kind::Code(Language::Python) } else { Kind::Sql(whole) };
        Planned::new(dir, file, stem, stem, kind)
    };
    Some(Claim { sure: 80, migrations: files.iter().map(planned).collect(), notes: Vec::new() })
}

fn depends(line: &str) -> Option<&str> {
    line.trim_start().strip_prefix("--")?.trim_start().strip_prefix("depends:")
}
