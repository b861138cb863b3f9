//! The formulas of a chain: declared, read from who writes it, or searched for; then those of the digests it covers.

use super::absent;
use super::beginning;
use super::coverage::{is_payload, mentions, uncovered};
use super::declared;
use super::evaluate::Sample;
use super::layout::Layout;
use super::otherwise;
use super::search::Search;
use super::written::{self, Candidate};
use super::{Means, in_order, pair, sample};
use crate::chain::definition::{Beside, Chain, Commitment};
use crate::chain::form::Form;
use crate::chain::items::{Column, Items};
use crate::chain::recipe::{Formula, Item, Piece};
use crate::chain::relation::{self, Relation};
use crate::chain::source::expression::Reader;
use crate::chain::source::token::Token;
use crate::chain::stream;
use crate::chain::time::Clock;
use crate::chain::v1;
use crate::chain::value::{Kind, Row};
use crate::check::quote;
use crate::error::Stop;
use jiff::tz::TimeZone;
use sqlx::PgConnection;
use std::rc::Rc;

/// How many digests of a row are computed in search of a formula: for the chain, for what one formula leaves over, and
/// for each digest the chain covers.
const WORK: u32 = 10_000_000;
const LESS: u32 = 1_500_000;
const OF_DIGEST: u32 = 200_000;

/// Zones that servers are set to, beside those this one names.
const ZONES: [&str; 20] = [
    "Europe/Berlin",
    "Europe/Paris",
    "Europe/London",
    "Europe/Madrid",
    "America/New_York",
    "America/Chicago",
    "America/Los_Angeles",
    "America/Sao_Paulo",
    "America/Bogota",
    "Asia/Kolkata",
    "Asia/Tokyo",
    "Asia/Shanghai",
    "Asia/Singapore",
    "Asia/Manila",
    "Asia/Jakarta",
    "Asia/Kuala_Lumpur",
    "Australia/Sydney",
    "Africa/Lagos",
    "Europe/Moscow",
    "Asia/Dubai",
];

/// Fills in formulas, commitments and coverage.
pub(super) async fn find(
    connection: &mut PgConnection,
    mut chain: Chain,
    means: &Means<'_>,
    rows: &[Row],
    digests: &[pair::Digests],
    guessed: bool,
) -> Result<Chain, Stop> {
    let relation = chain.relation.clone();
    let mut items = Items { columns: relation.columns.clone(), list: chain.items.clone() };
    let hashes: Vec<String> = digests.iter().map(|digests| relation.columns[digests.column].name.clone()).collect();
    let (hash, prev) = (chain.hash, chain.prev);
    let name = relation.columns[hash].name.clone();
    let prev_name = prev.map(|prev| relation.columns[prev].name.clone());
    let mut candidates = written::candidates(&relation, means.library, &name, prev_name.as_deref(), &hashes);
    candidates.retain(|candidate| is_whole(candidate, prev.is_some()));
    if let Some(declared) = means.declared.and_then(|declared| declared.formula.as_ref()) {
        candidates = vec![declared::candidate(&relation, declared, prev.is_some())];
    }
    let is_declared = means.declared.is_some_and(|declared| declared.formula.is_some());
    if let Some((oid, own, other)) = candidates.iter().find_map(|candidate| candidate.beside.clone()) {
        join(connection, &mut chain, &mut items, oid, own, other).await?;
    }
    let layout = Layout::of(chain.order.clone(), chain.partition.clone());
    // 1. what is written down
    let mut formulas = Vec::new();
    for candidate in &candidates {
        formulas.extend(read(&mut items, means, candidate));
        if is_declared && formulas.is_empty() {
            chain.unexplained = Some(declared::unreadable(candidate, prev.is_some()));
        }
    }
    let columns = relation.columns.clone();
    let mut sampled = fetch(connection, &chain, &mut items, &mut formulas, rows, &layout).await?;
    let mut chosen = choose(&sampled, &formulas, &items.list, means.key);
    // 2. the same in another time zone
    if unexplained(&sampled, &chosen, &items.list, means.key).len() * 10 > sampled.explainable() {
        for zone in zones(connection).await? {
            let moved: Vec<Formula> =
                formulas.iter().filter_map(|formula| in_zone(formula, &items.list, &zone)).collect();
            let better = choose(&sampled, &moved, &items.list, means.key);
            for formula in better {
                if !chosen.contains(&formula) {
                    chosen.push(formula);
                }
            }
        }
        chosen = choose(&sampled, &chosen, &items.list, means.key);
    }
    if chosen.is_empty()
        && formulas.iter().any(|formula| formula.reads().iter().any(|at| items.list[*at].column.is_none()))
    {
        for zone in zones(connection).await? {
            chain.time_zone = zone;
            sampled = fetch(connection, &chain, &mut items, &mut formulas, rows, &layout).await?;
            chosen = choose(&sampled, &formulas, &items.list, means.key);
            if !chosen.is_empty() {
                break;
            }
        }
        if chosen.is_empty() {
            chain.time_zone = "UTC".to_owned();
            sampled = fetch(connection, &chain, &mut items, &mut formulas, rows, &layout).await?;
        }
    }
    let constants = written::constants(&relation, means.library);
    // 3. search for what is still not explained, as long as that finds something
    let fields = hashable(&items.list, &columns, &[Some(hash), prev]);
    for _ in 0..3 {
        let rest = unexplained(&sampled, &chosen, &items.list, means.key);
        // What is declared is not replaced by something else that fits.
        if rest.is_empty()
            || is_declared && chosen.is_empty()
            || !chosen.is_empty() && !may_be_epoch(&rest, sampled.explainable())
        {
            break;
        }
        let work = if chosen.is_empty() && !guessed { WORK } else { LESS };
        let mut found = None;
        for chained in [true, false] {
            let search = Search {
                items: &items,
                fields: fields.clone(),
                prev,
                chained,
                sample: &sampled,
                unexplained: rest.clone(),
                key: means.key,
                own: name.clone(),
                words: words(&relation, &constants),
                work: if chained { work } else { LESS },
                outer: Vec::new(),
                tried: Rc::default(),
            };
            found = search.run();
            if found.is_some() {
                break;
            }
        }
        let Some(formula) = found else { break };
        let formula = otherwise::best_written(&sampled, formula, &items.list, means.key);
        chosen.push(absent::grown(&sampled, formula, &items.list, &columns, &fields, means.key));
    }
    if chosen.is_empty() && chain.unexplained.is_none() {
        chain.unexplained = Some(match is_declared {
            true => format!(
                "the formula in govctl.yaml explains none of {} hashes that were looked at",
                sampled.explainable()
            ),
            false => format!(
                "no recipe explains the hashes: what writes them is not in the database, and the search for a formula \
                 ended at its bound ({} million tries); the links alone were verified",
                WORK / 1_000_000
            ),
        });
    }
    chosen = beginning::spelled(&sampled, chosen, prev, &constants, &items.list, means.key);
    otherwise::spelled(&sampled, &mut chosen, &items.list, means.key);
    chosen = ordered(&sampled, chosen, &items.list, means.key);
    otherwise::crossed(&mut chosen);
    otherwise::fewer_zeros(&mut chosen, &items.list);
    if relation.changed > 0 {
        absent::unproven(&sampled, &mut chosen, &items.list, prev);
    }
    commitments(connection, &mut chain, &mut items, means, &mut sampled, &chosen, digests, rows, &layout).await?;
    chain.watched = watched(&chain, &chosen);
    finish(&mut chain, items, chosen);
    Ok(chain)
}

/// All values are of the stored row; the previous hash only where a column or the order tells it.
fn is_whole(candidate: &Candidate, has_prev: bool) -> bool {
    candidate.expression.iter().all(|token| match token {
        Token::Unknown(_) => false,
        Token::Previous(_) => !has_prev,
        _ => true,
    })
}

fn read(items: &mut Items, means: &Means<'_>, candidate: &Candidate) -> Vec<Formula> {
    let mut reader = Reader { items, pgcrypto: means.library.pgcrypto.as_deref(), genesis: Vec::new() };
    reader.formulas(&candidate.expression, &candidate.source)
}

/// Joins the table whose rows the chain vouches for.
async fn join(
    connection: &mut PgConnection,
    chain: &mut Chain,
    items: &mut Items,
    oid: u32,
    own: String,
    other: String,
) -> Result<(), Stop> {
    let beside = relation::read(connection, oid).await?;
    if beside.hides_rows || !beside.refused.is_empty() || !beside.reachable {
        chain.notes.push(format!("{} could not be read, so what its rows say is not verified", beside.shown()));
        return Ok(());
    }
    items.columns.extend(beside.columns.iter().map(|column| Column { beside: true, ..column.clone() }));
    let Some(present) = items.column(&format!("{}{other}", crate::chain::source::token::BESIDE)) else { return Ok(()) };
    chain.beside = Some(Beside { sql: beside.sql(), shown: beside.shown(), on: (own, other), present });
    Ok(())
}

/// The sample with the items of the formulas; formulas whose expressions the server refuses are dropped.
async fn fetch(
    connection: &mut PgConnection,
    chain: &Chain,
    items: &mut Items,
    formulas: &mut Vec<Formula>,
    rows: &[Row],
    layout: &Layout,
) -> Result<Sample, Stop> {
    let columns = &chain.relation.columns;
    if items.list.len() == columns.len() && chain.beside.is_none() {
        return Ok(in_order(columns, rows, layout, chain.hash, chain.prev));
    }
    let zone = format!("set local timezone = {}", quote::literal(&chain.time_zone));
    let set = sqlx::raw_sql(sqlx::AssertSqlSafe(zone)).execute(&mut *connection).await;
    set.map_err(crate::target::refusal::lost)?;
    for attempt in 0..2 {
        let select = items.list.iter().map(|item| item.sql.as_str()).collect::<Vec<_>>().join(", ");
        match sample(connection, &chain.relation, &select, &chain.from()).await {
            Ok(rows) => return Ok(in_order(columns, &rows, layout, chain.hash, chain.prev)),
            Err(error) if attempt == 1 || crate::target::refusal::is_lost(&error) => {
                return Err(crate::target::refusal::lost(error));
            }
            Err(_) => {}
        }
        // One of the expressions cannot run: find out which.
        for at in 0..items.list.len() {
            if items.list[at].column.is_some() {
                continue;
            }
            let query = format!("select {} from {} limit 2000", items.list[at].sql, chain.from());
            if stream::rows(connection, &query).await.is_err() {
                formulas.retain(|formula| !formula.reads().contains(&at));
                let kind = if items.list[at].kind == Kind::Bytes { "null::bytea" } else { "null::text" };
                items.list[at].sql = format!("{kind} /* {at} */");
            }
        }
    }
    Ok(in_order(columns, rows, layout, chain.hash, chain.prev))
}

/// Of all formulas those that explain rows no other explains, the best first.
fn choose(sample: &Sample, formulas: &[Formula], items: &[Item], key: Option<&[u8]>) -> Vec<Formula> {
    let matches: Vec<Vec<bool>> = formulas.iter().map(|formula| sample.matches(formula, items, key)).collect();
    let mut explained = vec![false; sample.rows.len()];
    let mut chosen = Vec::new();
    loop {
        let gain = |matches: &Vec<bool>| matches.iter().zip(&explained).filter(|(new, old)| **new && !**old).count();
        // Of equals the first, which runs fastest.
        let best = matches
            .iter()
            .enumerate()
            .map(|(at, matches)| (gain(matches), at))
            .max_by_key(|(gain, at)| (*gain, usize::MAX - at));
        let Some((gain, at)) = best.filter(|(gain, _)| *gain > 0) else { return chosen };
        // One row may be chance for a weak formula, never for thirty-two bytes; a second formula for one row is an epoch of one.
        if !chosen.is_empty() && gain < 2 {
            return chosen;
        }
        matches[at].iter().zip(&mut explained).for_each(|(new, old)| *old |= new);
        chosen.push(formulas[at].clone());
    }
}

/// Items whose values a searched formula spells in a way that was met in the rows it was tried on.
fn watched(chain: &Chain, formulas: &[Formula]) -> Vec<Vec<usize>> {
    let of = |formulas: &[Formula]| {
        if !formulas.iter().all(Formula::is_searched) {
            return Vec::new();
        }
        let mut items: Vec<usize> =
            formulas.iter().flat_map(Formula::reads).filter(|at| chain.prev != Some(*at)).collect();
        items.sort_unstable();
        items.dedup();
        items
    };
    std::iter::once(of(formulas)).chain(chain.commitments.iter().map(|commitment| of(&commitment.formulas))).collect()
}

/// The names of a table, and the short texts of code about it.
fn words(relation: &Relation, constants: &[String]) -> Vec<String> {
    let mut words = vec![relation.name.clone(), relation.shown()];
    words.extend(constants.iter().filter(|text| (2..=40).contains(&text.len())).take(20).cloned());
    words
}

fn ordered(sample: &Sample, mut formulas: Vec<Formula>, items: &[Item], key: Option<&[u8]>) -> Vec<Formula> {
    formulas.sort_by_cached_key(|formula| {
        std::cmp::Reverse(sample.matches(formula, items, key).into_iter().filter(|matches| *matches).count())
    });
    formulas
}

fn unexplained(sample: &Sample, formulas: &[Formula], items: &[Item], key: Option<&[u8]>) -> Vec<usize> {
    let mut buffer = Vec::new();
    let open = |row: &usize| {
        sample.hashes[*row].is_some()
            && !formulas.iter().any(|formula| sample.matches_row(formula, items, key, *row, &mut buffer))
    };
    (0..sample.rows.len()).filter(open).collect()
}

/// Rows that one formula leaves over may have another; a few here and there were rather changed.
fn may_be_epoch(rest: &[usize], of: usize) -> bool {
    let together = rest.windows(3).any(|three| three[0] + 2 == three[2]);
    rest.len() * 20 >= of && together || rest.len() * 5 > of
}

/// Zones of this server and of its roles, then common ones.
async fn zones(connection: &mut PgConnection) -> Result<Vec<String>, Stop> {
    let sql = "
        select setting from pg_catalog.pg_settings where name = 'log_timezone'
        union select pg_catalog.split_part(c, '=', 2) from pg_catalog.pg_db_role_setting, pg_catalog.unnest(setconfig) c
        where c ilike 'timezone=%'";
    let mut zones: Vec<String> =
        sqlx::query_scalar(sql).fetch_all(connection).await.map_err(crate::target::refusal::lost)?;
    zones.extend(ZONES.map(str::to_owned));
    zones.retain(|zone| !matches!(zone.as_str(), "UTC" | "Etc/UTC" | "GMT"));
    Ok(zones)
}

/// The formula with its times on another wall; none where it has no time.
fn in_zone(formula: &Formula, items: &[Item], zone: &str) -> Option<Formula> {
    let place = TimeZone::get(zone).ok()?;
    let mut moved = formula.clone();
    let mut any = false;
    let mut turn = |piece: &mut Piece| {
        if let Piece::Item { at, form, .. } = piece
            && *form == Form::Text
            && items[*at].kind == Kind::Timestamptz
        {
            *form = Form::Time(Clock { suffix: None, place: Some(place.clone()), ..Clock::POSTGRES });
            any = true;
        }
    };
    for piece in &mut moved.pieces {
        turn(piece);
        piece.within().iter_mut().for_each(&mut turn);
    }
    moved.source = format!("{} with times in {zone}", formula.source);
    any.then_some(moved)
}

/// Items of columns that a formula may read.
fn hashable(items: &[Item], columns: &[Column], not: &[Option<usize>]) -> Vec<usize> {
    (0..columns.len().min(items.len())).filter(|at| !not.contains(&Some(*at))).collect()
}

/// The digests that the chain reads, and how they come about.
#[expect(clippy::too_many_arguments, reason = "what one sample knows, used here and in one place above")]
async fn commitments(
    connection: &mut PgConnection,
    chain: &mut Chain,
    items: &mut Items,
    means: &Means<'_>,
    sampled: &mut Sample,
    chosen: &[Formula],
    digests: &[pair::Digests],
    rows: &[Row],
    layout: &Layout,
) -> Result<(), Stop> {
    let relation = chain.relation.clone();
    let hashes: Vec<String> = digests.iter().map(|digests| relation.columns[digests.column].name.clone()).collect();
    let open = digests.iter().filter(|digests| digests.column != chain.hash && Some(digests.column) != chain.prev);
    for digest in open.cloned().collect::<Vec<_>>() {
        let column = relation.columns[digest.column].name.clone();
        // Sixteen random bytes look like a digest.
        if ["salt", "nonce", "key", "uuid", "iv", "token"].iter().any(|part| column.to_ascii_lowercase().contains(part))
        {
            continue;
        }
        let mut formulas = Vec::new();
        for candidate in written::candidates(&relation, means.library, &column, None, &hashes) {
            if is_whole(&candidate, true) && candidate.beside.is_none() || chain.beside.is_some() {
                formulas.extend(read(items, means, &candidate));
            }
        }
        *sampled = fetch(connection, chain, items, &mut formulas, rows, layout).await?;
        let at = digest.column;
        let kind = relation.columns[at].kind;
        let hashes = sampled.rows.iter().map(|row| {
            row.get(at)
                .and_then(|value| crate::chain::encoding::decode(value, kind == Kind::Bytes))
                .map(|(digest, _)| digest)
        });
        let own =
            Sample { rows: sampled.rows.clone(), hashes: hashes.collect(), before: vec![None; sampled.rows.len()] };
        let mut found = choose(&own, &formulas, &items.list, means.key);
        if found.is_empty() {
            let not: Vec<Option<usize>> = std::iter::once(chain.prev).chain([Some(chain.hash), Some(at)]).collect();
            let search = Search {
                items,
                fields: hashable(&items.list, &relation.columns, &not),
                prev: None,
                chained: false,
                sample: &own,
                unexplained: unexplained(&own, &[], &items.list, means.key),
                key: means.key,
                own: column.clone(),
                words: Vec::new(),
                work: OF_DIGEST,
                outer: Vec::new(),
                tried: Rc::default(),
            };
            // Whose code was read, and does not write this digest, has it from elsewhere: of what the table does not hold, or
            // of one payload.
            let is_read = chosen.first().is_some_and(|formula| !formula.is_searched());
            let searched = if is_read { search.brief() } else { search.run() };
            found.extend(searched.map(|formula| otherwise::best_written(&own, formula, &items.list, means.key)));
        }
        otherwise::spelled(&own, &mut found, &items.list, means.key);
        otherwise::fewer_zeros(&mut found, &items.list);
        // A digest that is not understood of every fifth row is not understood.
        let open = unexplained(&own, &found, &items.list, means.key).len();
        if found.is_empty() || open * 5 > own.explainable() {
            continue;
        }
        let mut of: Vec<usize> = found.iter().flat_map(Formula::reads).collect();
        of.sort_unstable();
        of.dedup();
        let payload = |at: &usize| match items.list[*at].column.as_deref() {
            Some(name) => is_payload(items.list[*at].kind, name),
            // What the server renders is a payload if all it names is.
            None => {
                let mut named =
                    relation.columns.iter().filter(|column| mentions(items, &[*at], &column.name)).peekable();
                named.peek().is_some() && named.all(|column| is_payload(column.kind, &column.name))
            }
        };
        let is_payload = of.iter().all(payload) && chosen.iter().any(|formula| formula.reads().contains(&at));
        chain.commitments.push(Commitment { at, column, formulas: found, is_payload, of });
    }
    Ok(())
}

/// Lays out the stream, and says what no hash covers.
fn finish(chain: &mut Chain, mut items: Items, mut formulas: Vec<Formula>) {
    // Only what is read is asked for.
    let mut read: Vec<usize> = formulas.iter().flat_map(Formula::reads).collect();
    for commitment in &chain.commitments {
        read.push(commitment.at);
        read.extend(commitment.formulas.iter().flat_map(Formula::reads));
    }
    chain.uncovered = uncovered(chain, &items, &formulas);
    let keep: Vec<usize> = (0..items.list.len())
        .filter(|at| {
            read.contains(at)
                || *at == chain.hash
                || chain.prev == Some(*at)
                || chain.order.contains(at)
                || chain.partition.contains(at)
                || chain.beside.as_ref().is_some_and(|beside| beside.present == *at)
        })
        .collect();
    let mut list: Vec<Item> = keep.iter().map(|at| items.list[*at].clone()).collect();
    renumber(chain, &mut formulas, &|at| keep.iter().position(|kept| *kept == at).unwrap_or(0));
    if let [formula] = formulas.as_slice() {
        let before = list.clone();
        if let Some(framed) = v1::contiguous(formula, &mut list) {
            let moved = |at: usize| list.iter().position(|item| *item == before[at]).unwrap_or(at);
            renumber(chain, &mut [], &moved);
            formulas = vec![Formula { source: format!("{} ({})", v1::NAME, formula.source), ..framed }];
        }
    }
    items.list = list;
    chain.items = items.list;
    chain.formulas = formulas;
}

fn renumber(chain: &mut Chain, formulas: &mut [Formula], to: &dyn Fn(usize) -> usize) {
    let each = |formula: &mut Formula| {
        renumber_pieces(&mut formula.pieces, to);
        formula.computed = formula.computed.map(to);
    };
    formulas.iter_mut().for_each(each);
    for commitment in &mut chain.commitments {
        commitment.at = to(commitment.at);
        commitment.of.iter_mut().for_each(|at| *at = to(*at));
        commitment.formulas.iter_mut().for_each(each);
    }
    chain.watched.iter_mut().flatten().for_each(|at| *at = to(*at));
    chain.hash = to(chain.hash);
    chain.prev = chain.prev.map(to);
    chain.order.iter_mut().for_each(|at| *at = to(*at));
    chain.partition.iter_mut().for_each(|at| *at = to(*at));
    if let Some(beside) = &mut chain.beside {
        beside.present = to(beside.present);
    }
}

fn renumber_pieces(pieces: &mut [Piece], to: &dyn Fn(usize) -> usize) {
    for piece in pieces {
        if let Piece::Item { at, .. } = piece {
            *at = to(*at);
        }
        renumber_pieces(piece.within(), to);
    }
}
