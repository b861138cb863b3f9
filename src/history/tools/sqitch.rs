//! Sqitch: `sqitch.plan` is the order, `deploy/<change>.sql` the way up; dates stand in the plan.
//! Source: sqitchers/sqitch lib/App/Sqitch/Plan.pm.

use super::{Claim, Dir, Kind, Planned, Tool, whole};
use crate::history::dates::Dated;

pub(super) const TOOL: Tool = Tool { name: "sqitch", claim };

fn claim(dir: Dir<'_>) -> Option<Claim> {
    let plan = dir.text("sqitch.plan")?;
    let mut claim = Claim { sure: 95, ..Claim::default() };
    for line in plan.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with(['%', '#', '@'])) {
        let change = line.split_whitespace().next().unwrap_or_default();
        let file = format!("deploy/{change}.sql");
        if !dir.has_below(&file) {
            claim.notes.push(format!("the plan names {change}, and {file} is not there"));
            continue;
        }
        // `name [requires] 2024-05-03T10:00:00Z Planner <mail> # note`
        let date = line.split_whitespace().find_map(|word| Dated::of_text(word, "plan"));
        let mut planned = Planned::new(dir, &file, change, change, Kind::Sql(whole));
        planned.dated = date;
        claim.migrations.push(planned);
    }
    Some(claim)
}
