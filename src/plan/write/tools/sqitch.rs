//! Sqitch: the plan is the order; `deploy/`, `revert/` and `verify/` hold a script for each change, which psql runs.
//! Source: sqitchers/sqitch lib/App/Sqitch/Plan.pm, lib/App/Sqitch/Engine/pg.sql.

use super::super::draft::{Continued, Draft};
use super::super::ground::Ground;
use super::super::part::Part;
use super::super::verify;
use super::plain::whole;
use super::{Writer, each};
use crate::error::Stop;
use crate::plan::lint::Way;

pub(super) const WRITER: Writer = Writer { name: "sqitch", sql: true, outside: each, marks: &[], anywhere: &[], draft };

const PLAN: &str = "sqitch.plan";

fn draft(ground: &Ground, parts: &[Part<'_>]) -> Result<Draft, Stop> {
    let mut draft = Draft::default();
    let before = if ground.has(PLAN) { Some(ground.must_read(PLAN)?) } else { None };
    let mut plan = before.clone().unwrap_or_else(|| "%syntax-version=1.0.0\n%project=govctl\n\n".to_owned());
    if !plan.ends_with('\n') {
        plan.push('\n');
    }
    let project = plan.lines().find_map(|line| line.trim().strip_prefix("%project=")).unwrap_or("govctl").to_owned();
    let at = ground.now.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
    let mut previous = ground.known.last().map(|known| known.version.clone());
    for part in parts {
        let name = &part.name;
        let requires = previous.map(|previous| format!(" [{previous}]")).unwrap_or_default();
        let why = super::super::header::line(&part.step.why);
        plan.push_str(&format!("{name}{requires} {at} govctl <govctl@localhost> # {why}\n"));
        previous = Some(name.clone());
        let file = |way: &str| format!("{way}/{name}.sql");
        let titled = |title: &str, text: String| format!("-- {title} {project}:{name} to pg\n{text}");
        draft.file(
            file("deploy"),
            titled("Deploy", whole(part, &file("deploy"), Way::Up, &format!("see {}", file("revert")))),
        );
        draft.file(file("revert"), titled("Revert", whole(part, &file("revert"), Way::Down, "")));
        draft.file(file("verify"), titled("Verify", format!("\n{}", verify::script(&part.up))));
    }
    draft.note("The verify scripts ask whether what was made is there; govctl diagnose says whether it holds.");
    draft.note("The planner of the new changes in sqitch.plan is govctl: put in who answers for them.");
    draft.continued.push(Continued { path: PLAN.to_owned(), before, after: plan });
    Ok(draft)
}
