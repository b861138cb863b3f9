//! A schema for each tenant, and a login in several of them: no column says whose a row is, and a key that is taken from one tenant's
//! tables would cut across all of them.

use crate::config::{Config, TenancyMode};
use crate::error::Stop;
use crate::facts::Facts;
use crate::plan::change::Question;
use crate::plan::step::Unproved;

/// Schemas with the same tables and columns, as check tenant-isolation/tenant-schemas-shared has them; two where they share more than
/// one table. Only where the tenant table is one of theirs, or none was found.
const TWINS: &str = "
    with shape as materialized (
      select s.name, count(*) as tables,
             group_concat(r.name || ':' || (select group_concat(c.name, ',') from (select name from columns where relation = r.oid order by number) c), ';'
                          order by r.name) as shape
      from schemas s
      join relations r on r.schema_oid = s.oid and r.kind in ('table', 'partitioned table') and r.is_partition = 0
      where s.provenance = 'user'
        and lower(s.name) not like '%archive%' and lower(s.name) not like '%backup%' and lower(s.name) not like '%staging%'
        and lower(s.name) not like '%test%' and lower(s.name) not like '%\\_old' escape '\\' and lower(s.name) not like 'old\\_%' escape '\\'
        and lower(s.name) not like '%shadow%' and lower(s.name) not like '%template%'
      group by s.oid
    )
    select name from shape
    where shape in (select shape from shape group by shape having count(*) >= 3 or count(*) = 2 and min(tables) > 1)
      and exists (select 1 from tenancy t where t.mode in ('multi', 'none')
                  and (t.tenant_relation is null and t.mode = 'none'
                    or (select schema from relations where oid = t.tenant_relation) in (
                         select twin.name from shape twin where twin.shape in (select shape from shape group by shape having count(*) >= 2))))
    order by name";

/// What is asked in the place of a plan, where nobody said otherwise.
pub(crate) async fn schema_a_tenant(facts: &mut Facts, config: &Config) -> Result<Option<(Question, Unproved)>, Stop> {
    if config.tenancy.mode != TenancyMode::Inferred || config.tenancy.table.is_some() {
        return Ok(None);
    }
    let schemas: Vec<String> = sqlx::query_scalar(TWINS).fetch_all(facts.connection()).await?;
    if schemas.is_empty() {
        return Ok(None);
    }
    let named = match schemas.as_slice() {
        [first @ .., last] if first.len() < 5 => format!("{} and {last}", first.join(", ")),
        many => format!("{} and {} more", many[..5].join(", "), many.len() - 5),
    };
    let question = Question {
        id: "schema-a-tenant".into(),
        question: format!("The schemas {named} hold the same tables. Is each of them a tenant's?"),
        default: "yes, so nothing is planned; if not, say `mode: multi` and the tenant table".into(),
        key: "tenancy.mode".into(),
        answered: false,
    };
    let open = Unproved {
        check: "tenant-isolation/tenant-schemas-shared".into(),
        object: named,
        why: "No column says whose a row is: the wall is who may use which schema. Give each schema a role that is no login, grant USAGE and \
              what the application does there to that role alone, take both from the application's login, make it a member WITH INHERIT FALSE \
              (NOINHERIT before PostgreSQL 16), and let each request SET ROLE to its tenant's. Or give each tenant a login."
            .into(),
    };
    Ok(Some((question, open)))
}
