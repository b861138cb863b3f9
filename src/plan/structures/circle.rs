//! Policies that read the table of members they are on, in a circle: "infinite recursion detected in policy" for whomever they bind. They
//! ask a function in its place, which reads below them, and shows whoever asks nothing but the rows of the session's own person.
//!
//! Such policies ask for these rows and no others, and get what they asked for; what one asks of other people's rows, it gets no more.

use super::endless::{self, reads};
use super::key::bounded;
use super::place::free_function;
use super::template::dollar;
use crate::check::quote::{ident, relation};
use crate::error::Stop;
use crate::facts::Facts;
use crate::facts::derive::tenancy;
use crate::plan::change::{Change, Closes, Phase, Question, Statement};
use crate::plan::ddl::Name;
use crate::plan::order::slug;
use regex::Regex;
use std::collections::BTreeSet;
use std::sync::LazyLock;

/// A table that says who belongs to what, on which policies go round.
#[derive(Clone)]
struct Members {
    schema: String,
    name: String,
    column: String,
    /// The session's person, as the policies say it.
    person: String,
}

/// A policy: name, table, what it lets through, what it checks.
type Policy = (String, String, String, Option<String>, Option<String>);

/// The functions, what is asked about them, and the policies that ask them.
pub(super) async fn missing(facts: &mut Facts) -> Result<(Vec<Change>, Vec<Question>), Stop> {
    let round = endless::round(facts).await?;
    let members = members(facts, &round).await?;
    let mut changes = Vec::new();
    for it in &members {
        changes.extend(rewritten(facts, it, &round).await?);
    }
    let all = members.iter().map(|it| format!("{}.{}", it.schema, it.name)).collect::<Vec<_>>().join(", ");
    let question = Question {
        id: "policies-without-end".into(),
        question: format!("What are the policies of {all} to ask instead of reading what they are on?"),
        default: "a function of the table's owner that shows a session the rows of its own person".into(),
        key: "plan".into(),
        answered: false,
    };
    Ok((changes, (!members.is_empty()).then_some(question).into_iter().collect()))
}

/// Whether every one of these circles goes by a table for which a function can be written.
pub(super) async fn is_broken_by_functions(facts: &mut Facts, round: &[(String, String)]) -> Result<bool, Stop> {
    let members: BTreeSet<_> = members(facts, round).await?.into_iter().map(|it| (it.schema, it.name)).collect();
    Ok(!members.is_empty() && endless::round_without(facts, &members).await?.is_empty())
}

/// Those of the tables that say who belongs to what: they have a column that names a person, and the policies of the circle that read
/// them compare that with the session's.
async fn members(facts: &mut Facts, round: &[(String, String)]) -> Result<Vec<Members>, Stop> {
    if round.is_empty() {
        return Ok(Vec::new());
    }
    let texts: Vec<(String, String, String)> = sqlx::query_as(
        "select r.schema, r.name, coalesce(p.using_expression, '') || ' ' || coalesce(p.check_expression, '')
         from policies p join relations r on r.oid = p.relation order by p.oid",
    )
    .fetch_all(facts.connection())
    .await?;
    let texts = texts.into_iter().filter(|(schema, name, _)| round.iter().any(|it| it.0 == *schema && it.1 == *name));
    let texts: Vec<_> = texts.map(|(.., text)| text).collect();
    let mut members = Vec::new();
    for (schema, name) in round {
        members.extend(of(facts, (schema, name), &texts).await?);
    }
    Ok(members)
}

/// The table as one of members, by what the policies of the circle say.
async fn of(facts: &mut Facts, (schema, name): (&str, &str), texts: &[String]) -> Result<Option<Members>, Stop> {
    let columns: Vec<String> = sqlx::query_scalar(
        "select c.name from columns c join relations r on r.oid = c.relation where r.schema = ? and r.name = ? order by c.number",
    )
    .bind(schema.to_owned())
    .bind(name.to_owned())
    .fetch_all(facts.connection())
    .await?;
    let table = relation(Some(schema), name);
    let reading: Vec<_> = texts.iter().filter(|text| reads(text, &table)).collect();
    for column in columns.into_iter().filter(|it| tenancy::PERSONS.contains(&tenancy::plain(it).as_str())) {
        let mut said = reading.iter().map(|text| person(text, &column));
        if let Some(Some(person)) = said.next()
            && said.all(|other| other.is_some())
        {
            let (person, schema, name) = (person.to_owned(), schema.to_owned(), name.to_owned());
            return Ok(Some(Members { schema, name, column, person }));
        }
    }
    Ok(None)
}

static WORD: LazyLock<Regex> = LazyLock::new(|| Regex::new(r#"[\w".]+"#).expect("a constant"));

/// What a deparsed expression compares a column with, where that is the session's own: a setting, or a function without arguments.
fn person<'t>(text: &'t str, column: &str) -> Option<&'t str> {
    let named = format!(".{} = ", ident(column));
    text.match_indices(&named).find_map(|(at, _)| {
        let rest = &text[at + named.len()..];
        let mut depth = 0;
        let end = rest.find(|c| {
            depth += i32::from(c == '(') - i32::from(c == ')');
            depth < 0
        })?;
        let said = &rest[..end];
        let is_session = said.contains("current_setting('") || said.contains("()");
        // A column of another table is no session's.
        let bare: String = said.split('\'').step_by(2).collect();
        let is_column = WORD.find_iter(&bare).any(|word| {
            let text = word.as_str();
            text.contains('.')
                && !text.starts_with(|c: char| c.is_ascii_digit())
                && !bare[word.end()..].starts_with('(')
        });
        (is_session && !is_column && !said.contains(" AND ") && !said.contains(" OR ")).then_some(said)
    })
}

async fn rewritten(facts: &mut Facts, it: &Members, round: &[(String, String)]) -> Result<Vec<Change>, Stop> {
    let name = free_function(facts, &it.schema, &bounded("own_", &it.name)).await?;
    let (table, function) = (relation(Some(&it.schema), &it.name), relation(Some(&it.schema), &name));
    let roles: Vec<String> = sqlx::query_scalar(
        "select distinct o.name from relation_privileges p join relations r on r.oid = p.relation and r.provenance = 'user' and r.rls = 1
         join roles o on o.oid = p.role and o.superuser = 0 and o.name not glob 'pg_*'
         where p.visible = 1 and p.can_select + p.can_insert + p.can_update + p.can_delete > 0 order by 1",
    )
    .fetch_all(facts.connection())
    .await?;
    // By name: columns that come later would change what policies say of the function.
    let columns: Vec<(String, String)> = sqlx::query_as(
        "select c.name, c.type from columns c join relations r on r.oid = c.relation where r.schema = ? and r.name = ? order by c.number",
    )
    .bind(it.schema.clone())
    .bind(it.name.clone())
    .fetch_all(facts.connection())
    .await?;
    let each = |of: &dyn Fn(&(String, String)) -> String| columns.iter().map(of).collect::<Vec<_>>().join(", ");
    let (list, typed) =
        (each(&|(name, _)| format!("m.{}", ident(name))), each(&|(name, of)| format!("{} {of}", ident(name))));
    let body = format!("select {list} from {table} m where m.{} = {}", ident(&it.column), it.person);
    let q = dollar(&[&body]);
    let mut statements = vec![
        Statement::undone_by(
            format!(
                "create or replace function {function}() returns table ({typed}) language sql stable security definer set search_path = '' \
                 as {q} {body} {q}"
            ),
            format!("drop function if exists {function}()"),
        ),
        Statement::undone_by(format!("revoke execute on function {function}() from public"), ""),
    ];
    let to: Vec<_> = roles.iter().map(|role| ident(role)).collect();
    if !to.is_empty() {
        statements
            .push(Statement::undone_by(format!("grant execute on function {function}() to {}", to.join(", ")), ""));
    }
    let why = format!(
        "Policies that read {}.{} in a circle are refused as infinite recursion: they ask for the session's own rows of it.",
        it.schema, it.name
    );
    let closes: Vec<_> = round
        .iter()
        .map(|(schema, name)| Closes {
            check: "tenant-isolation/owner-not-forced".into(),
            object: format!("{schema}.{name}"),
        })
        .collect();
    let change = |name: String, phase: Phase, statements: Vec<Statement>| Change {
        name,
        stage: 2,
        phase,
        why: why.clone(),
        statements,
        closes: closes.clone(),
        questions: vec!["policies-without-end".into()],
    };
    let mut changes = vec![change(format!("own_rows_of_{}", slug(&it.name)), Phase::Ground, statements)];
    let policies: Vec<Policy> = sqlx::query_as(
        "select p.name, r.schema, r.name, p.using_expression, p.check_expression from policies p join relations r on r.oid = p.relation
         order by r.schema, r.name, p.name",
    )
    .fetch_all(facts.connection())
    .await?;
    for (policy, schema, on, using, check) in policies {
        let is_round = round.iter().any(|(of, name)| *of == schema && *name == on);
        let both = [&using, &check].into_iter().flatten();
        if !is_round || !both.clone().any(|text| reads(text, &table)) {
            continue;
        }
        let clause = |word: &str, text: &Option<String>| match text {
            Some(text) => format!(" {word} ({})", asking(text, &table, &format!("{function}()"), &ident(&it.name))),
            None => String::new(),
        };
        let on = Name { schema: Some(schema), name: on };
        let up = format!(
            "alter policy {} on {on}{}{}",
            ident(&policy),
            clause("using", &using),
            clause("with check", &check)
        );
        changes.push(change(format!("ask_for_own_rows_{}", slug(&on.name)), Phase::Policy, vec![Statement::new(up)]));
    }
    Ok(changes)
}

/// A deparsed expression with the function where the table was read. A table without an alias lends it its name.
fn asking(text: &str, table: &str, function: &str, name: &str) -> String {
    let mut asking = String::new();
    let mut rest = text;
    while let Some(at) = endless::read_at(rest, table) {
        let (before, after) = (&rest[..at], &rest[at + table.len()..]);
        let word = after.trim_start().split(|c: char| c.is_whitespace() || c == ')').next().unwrap_or_default();
        let ends = [
            "", "WHERE", "JOIN", "LEFT", "RIGHT", "FULL", "CROSS", "NATURAL", "INNER", "ON", "USING", "GROUP", "ORDER",
            "LIMIT",
        ];
        let has_alias = !ends.contains(&word) && !word.starts_with(',');
        asking.push_str(before);
        asking.push_str(function);
        if !has_alias {
            asking.push(' ');
            asking.push_str(name);
        }
        rest = after;
    }
    asking + rest
}

#[cfg(test)]
mod tests {
    use super::{asking, person};

    #[test]
    fn the_session_says_who_somebody_is() {
        let of = |text| person(text, "user_id");
        assert_eq!(of("(a IN ( SELECT m.a FROM public.m WHERE (m.user_id = auth.uid())))"), Some("auth.uid()"));
        assert_eq!(
            of("((m.user_id = ( SELECT auth.uid() AS uid)) AND (m.a = x.a))"),
            Some("( SELECT auth.uid() AS uid)")
        );
        let setting = "(NULLIF(current_setting('app.user_id'::text, true), ''::text))::uuid";
        let said = format!("(EXISTS ( SELECT 1 FROM public.m WHERE (m.user_id = {setting})))");
        assert_eq!(of(&said), Some(setting));
        assert_eq!(of("(m.user_id = other.user_id)"), None);
        assert_eq!(of("(m.user_id = f(other.user_id, now()))"), None);
    }

    #[test]
    fn the_function_stands_where_the_table_stood() {
        let of = |text| asking(text, "public.members", "public.own_members()", "members");
        assert_eq!(
            of(
                "(a IN ( SELECT members_1.a\n   FROM public.members members_1\n  WHERE (members_1.user_id = auth.uid())))"
            ),
            "(a IN ( SELECT members_1.a\n   FROM public.own_members() members_1\n  WHERE (members_1.user_id = auth.uid())))"
        );
        assert_eq!(
            of("(a IN ( SELECT members.a FROM public.members WHERE (x = 1)))"),
            "(a IN ( SELECT members.a FROM public.own_members() members WHERE (x = 1)))"
        );
        assert_eq!(
            of("(a IN ( SELECT m.a FROM (public.members m JOIN public.members ON (true))))"),
            "(a IN ( SELECT m.a FROM (public.own_members() m JOIN public.own_members() members ON (true))))"
        );
        assert_eq!(
            of("(a IN ( SELECT members.a FROM public.members))"),
            "(a IN ( SELECT members.a FROM public.own_members() members))"
        );
    }
}
