//! What whoever runs the migrations may not do, once the stage is reached: an administrator has it to do, and a plan that held it would
//! come back each time it is asked for. On the way to a stage it is planned all the same, for whoever runs it may be that administrator.

use super::super::ddl::{self, Cursor, Ddl};
use super::super::guard;
use crate::error::Stop;
use crate::facts::Facts;
use crate::plan::before::Before;
use crate::plan::change::Change;
use crate::plan::step::Unproved;
use crate::plan::structures::Deployer;

/// Takes such statements out of what is planned, and says them.
pub(crate) async fn spare(changes: &mut Vec<Change>, facts: &mut Facts) -> Result<Vec<Unproved>, Stop> {
    let deployer = Deployer::of(facts).await?;
    let mut spared = Vec::new();
    for change in changes.iter_mut() {
        let mut kept = Vec::new();
        for statement in std::mem::take(&mut change.statements) {
            if may(&statement.up, &deployer, &mut Before::new(facts)).await? {
                kept.push(statement);
                continue;
            }
            let name = &deployer.name;
            spared.extend(change.closes.iter().map(|closed| Unproved {
                check: closed.check.clone(),
                object: closed.object.clone(),
                why: format!("{name} may not do this. {} {}", capital(guard::ADMINISTRATOR), statement.up),
            }));
        }
        change.statements = kept;
    }
    changes.retain(|change| !change.statements.is_empty());
    Ok(spared)
}

fn capital(sentence: &str) -> String {
    let (first, rest) = sentence.split_at(1);
    first.to_uppercase() + rest
}

/// Whether it may be tried. Of parameters, servers and databases the migration itself learns it.
async fn may(sql: &str, deployer: &Deployer, before: &mut Before<'_>) -> Result<bool, Stop> {
    let ddl = ddl::read(sql);
    if deployer.is_superuser || !guard::needs_power(&ddl) {
        return Ok(true);
    }
    let whose = match ddl {
        Ddl::AlterRole { .. } => return Ok(deployer.makes_roles),
        Ddl::DefaultPrivileges => {
            let mut at = Cursor::new(sql);
            at.take("alter default privileges for role");
            at.ident()
        }
        Ddl::AlterRoutine { rest, .. } => {
            let mut at = Cursor::new(&rest);
            at.take("owner to");
            at.ident()
        }
        Ddl::Grant(rights) | Ddl::Revoke(rights) => match rights.on {
            Some((kind, name)) if kind == "schema" => match Cursor::new(&name).ident() {
                Some(schema) => before.schema_owner(&schema).await?,
                None => None,
            },
            _ => None,
        },
        _ => None,
    };
    Ok(whose.is_none_or(|role| deployer.acts_as.contains(&role)))
}
