//! The answer to the first of the four questions.

use super::ground::Ground;
use super::{Answer, Found};
use crate::assess::scene::{Tenancy, counted};
use crate::check::Axis;

/// `yes` only where every check of the axis ran, saw everything, nothing high or critical was found, and there is a login
/// to be kept apart from others' rows.
pub(super) fn answer(ground: &Ground<'_>) -> Found {
    let scene = ground.scene;
    let verdicts = ground.verdicts(Axis::TenantIsolation);
    let tables = counted(scene.tenant_tables, "table");
    let logins = counted(scene.logins, "login");
    match (scene.tenancy, verdicts.serious()) {
        (Tenancy::Single, _) if !ground.refuted => {
            Found::new(Answer::NotApplicable, format!("a single tenant: {}", scene.tenancy_reason))
        }
        (Tenancy::Schemas, None) if verdicts.open().is_none() => {
            let lesser = verdicts.lesser();
            Found::new(Answer::Yes, format!("in the database layer, by privileges: {}{lesser}", scene.tenancy_reason))
        }
        (Tenancy::None, serious) => {
            let but = serious.map(|serious| format!("; still, {serious}")).unwrap_or_default();
            let why = format!("no tenant key was found, so it is not known which tables hold tenant data{but}");
            Found::new(Answer::Unsure, why)
        }
        (_, Some(serious)) => Found::new(Answer::No, format!("{serious} ({tables} with tenant data, {logins})")),
        _ => match verdicts.open() {
            Some(open) if verdicts.half_seen > 0 => {
                Found::new(Answer::Unsure, format!("nothing serious is open on {tables} with tenant data, but {open}"))
            }
            Some(open) => Found::new(Answer::Unsure, open),
            // Nobody was held back, so nothing was shown to hold anybody; and no policy binds a superuser.
            None if scene.tenant_tables_reached == 0 && scene.tenant_tables_with_policies == 0 => Found::new(
                Answer::No,
                format!(
                    "none of {tables} with tenant data has row-level security, and nobody but superusers reaches one"
                ),
            ),
            None if scene.tenant_tables_reached == 0 => Found::new(
                Answer::Unsure,
                format!("nobody but superusers reaches {tables} with tenant data, and no policy binds a superuser"),
            ),
            None => {
                let lesser = verdicts.lesser();
                let kept =
                    format!("in the database layer: it keeps the tenants in {tables} apart for {logins}{lesser}");
                Found::new(Answer::Yes, kept)
            }
        },
    }
}
