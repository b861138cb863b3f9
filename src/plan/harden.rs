//! Plain DDL in the form that does not stop a busy database.
//!
//! NOT VALID and then VALIDATE, indexes built concurrently, NOT NULL by way of a check, columns filled in batches: sections
//! "ALTER TABLE" and "CREATE INDEX" of PostgreSQL's documentation. What is written runs a second time without effect.

mod index;
pub(crate) mod left;
pub(crate) mod powers;

use super::before::Before;
use super::change::{Change, Phase};
use super::ddl::{self, Action, Added, Column, Ddl, Name};
use super::order::slug;
use super::piece::{FINISH, Lock, NOT_VALID, Piece, UNIQUE, VALIDATE};
use super::planned::Planned;
use super::undo::{Undo, undo};
use super::{batch, guard};
use crate::check::quote::ident;
use crate::error::Stop;

/// Whether the statements of a change stay together as they are: what makes things that nobody uses yet, and rows written
/// in batches.
pub(crate) fn is_whole(change: &Change) -> bool {
    matches!(change.phase, Phase::Ground | Phase::Table | Phase::Backfill)
}

/// One change, made safe.
pub(crate) async fn harden(
    change: &Change,
    planned: &mut Planned,
    before: &mut Before<'_>,
) -> Result<Vec<Piece>, Stop> {
    if is_whole(change) {
        return whole(change, planned, before).await;
    }
    let mut pieces = Vec::new();
    for statement in &change.statements {
        let ddl = ddl::read(&statement.up);
        let mut hardener = Hardener { change, planned, before, pieces: Vec::new() };
        hardener.statement(&statement.up, ddl).await?;
        let mut made = hardener.pieces;
        if let Some(down) = &statement.down
            && let Some(last) = made.last_mut()
        {
            last.down = split(down);
            last.lost.clear();
        }
        // What is mended on something that the plan makes comes after it.
        let stage = planned.since(&statement.up).unwrap_or(change.stage);
        made.iter_mut().for_each(|piece| piece.stage = piece.stage.max(stage));
        pieces.append(&mut made);
    }
    Ok(pieces)
}

/// What makes things that nobody uses yet needs no safer form.
async fn whole(change: &Change, planned: &mut Planned, before: &mut Before<'_>) -> Result<Vec<Piece>, Stop> {
    let mut piece = blank(change, change.phase, None);
    piece.name = Some(change.name.clone());
    if change.phase == Phase::Backfill {
        (piece.transaction, piece.long, piece.lock) = (false, true, Lock::Rows);
    }
    let mut downs = Vec::new();
    for statement in &change.statements {
        let ddl = ddl::read(&statement.up);
        piece.up.push(match &ddl {
            Ddl::AlterRoutine { name, arguments, .. } if change.phase == Phase::Ground => {
                guard::unless_handed_over(name, arguments, &statement.up)
            }
            _ => statement.up.clone(),
        });
        match &statement.down {
            Some(down) => downs.push(split(down)),
            None => {
                let undo = undo(&statement.up, &ddl, before).await?;
                // Dropping the table drops what belongs to it, but what calls a function has to go before the function.
                let gone = planned.made_by(&statement.up).is_some()
                    && matches!(ddl, Ddl::AlterTable { .. } | Ddl::CreateIndex { .. } | Ddl::Grant(_) | Ddl::Revoke(_));
                if !gone {
                    downs.push(undo.sql);
                    piece.lost.extend(undo.lost);
                }
            }
        }
    }
    piece.down = downs.into_iter().rev().flatten().collect();
    Ok(vec![piece])
}

fn blank(change: &Change, phase: Phase, table: Option<Name>) -> Piece {
    Piece {
        stage: change.stage,
        phase,
        segment: 0,
        table,
        transaction: true,
        long: false,
        lock: Lock::Nothing,
        up: Vec::new(),
        down: Vec::new(),
        lost: Vec::new(),
        notes: Vec::new(),
        name: None,
        why: change.why.clone(),
        closes: change.closes.clone(),
        questions: change.questions.clone(),
    }
}

/// The statements of a script.
pub(crate) fn split(script: &str) -> Vec<String> {
    let (found, _) = crate::history::statements(script);
    found.into_iter().map(|part| script[part].to_owned()).collect()
}

struct Hardener<'h, 'f> {
    change: &'h Change,
    planned: &'h mut Planned,
    before: &'h mut Before<'f>,
    pieces: Vec<Piece>,
}

impl Hardener<'_, '_> {
    async fn statement(&mut self, sql: &str, ddl: Ddl) -> Result<(), Stop> {
        match ddl {
            Ddl::AlterTable { table, actions } => {
                for action in actions {
                    self.action(&table, action).await?;
                }
                Ok(())
            }
            Ddl::CreateIndex { unique, name, table, rest } => {
                let columns = ddl::Cursor::new(&rest).parenthesised().unwrap_or_default().to_owned();
                let name = name.unwrap_or_else(|| self.name_for(&table, &columns, "idx"));
                self.index(&table, &name, unique, &rest).await
            }
            Ddl::CreatePolicy { policy, table } => self.policy(sql, policy, table).await,
            Ddl::CreateTrigger { ref name, ref table, replace } => {
                let phase = match self.change.phase {
                    filling @ (Phase::Fill | Phase::Follow) => filling,
                    _ => Phase::Guard,
                };
                let mut piece = self.piece(phase, Some(table.clone()), Lock::ShareRowExclusive);
                if !replace {
                    piece.up.push(format!("drop trigger if exists {} on {table}", ident(name)));
                }
                piece.up.push(sql.to_owned());
                self.close(piece, sql, &ddl).await
            }
            _ => {
                let (phase, lock, table) = self.place(&ddl);
                let mut piece = self.piece(phase, table, lock);
                piece.segment = u8::from(phase == Phase::Table);
                piece.up.push(match &ddl {
                    Ddl::Create { kind, name, replace: false } => guard::unless_there(kind, name, sql),
                    Ddl::AlterRoutine { name, arguments, rest, .. } if rest.starts_with("owner to") => {
                        guard::hand_over(name, arguments, sql)
                    }
                    Ddl::AlterRoutine { name, arguments, .. }
                        if self.planned.handed_over.contains(&(name.clone(), arguments.clone())) =>
                    {
                        guard::unless_handed_over(name, arguments, sql)
                    }
                    _ if guard::needs_power(&ddl) => guard::or_warn(sql),
                    _ => sql.to_owned(),
                });
                if guard::needs_power(&ddl) {
                    piece.notes.push(
                        "Where the migration's role may not do this it warns, and an administrator has to run it."
                            .into(),
                    );
                }
                self.close(piece, sql, &ddl).await
            }
        }
    }

    /// Where a statement goes that is run as it is.
    fn place(&self, ddl: &Ddl) -> (Phase, Lock, Option<Name>) {
        let own = |phase: Phase| (phase, Lock::Nothing, None);
        match ddl {
            Ddl::AlterPolicy { table, .. } | Ddl::DropPolicy { table, .. } => {
                (Phase::Policy, Lock::AccessExclusive, Some(table.clone()))
            }
            Ddl::DropTrigger { table, .. } | Ddl::DropRule { table, .. } => {
                (Phase::Guard, Lock::AccessExclusive, Some(table.clone()))
            }
            Ddl::DropIndex(index) => (Phase::Index, Lock::AccessExclusive, Some(index.clone())),
            Ddl::AlterView { view, .. } => (Phase::SideDoor, Lock::AccessExclusive, Some(view.clone())),
            Ddl::AlterRoutine { .. } => own(Phase::SideDoor),
            Ddl::AlterEnum { .. } => own(Phase::Column),
            Ddl::Grant(_) | Ddl::Revoke(_) | Ddl::AlterRole { .. } | Ddl::DefaultPrivileges => own(Phase::Right),
            Ddl::Comment { .. } => own(Phase::Note),
            // Before the trigger that calls it; where its schema is new, after that.
            Ddl::CreateRoutine { name, .. }
                if matches!(self.change.phase, Phase::Guard | Phase::Fill | Phase::Follow) =>
            {
                own(if self.planned.is_in_new_schema(name) { Phase::Table } else { Phase::Ground })
            }
            _ => own(self.change.phase),
        }
    }

    fn piece(&self, phase: Phase, table: Option<Name>, lock: Lock) -> Piece {
        let fresh = table.as_ref().is_some_and(|table| self.planned.tables.contains(table));
        Piece { lock: if fresh { Lock::Nothing } else { lock }, ..blank(self.change, phase, table) }
    }

    /// Adds the piece, with what takes it back.
    async fn close(&mut self, mut piece: Piece, sql: &str, ddl: &Ddl) -> Result<(), Stop> {
        let undo = match ddl {
            // It goes with what it is on.
            Ddl::Grant(_) | Ddl::Revoke(_) if self.planned.made_by(sql).is_some() => Undo::default(),
            _ => undo(sql, ddl, self.before).await?,
        };
        let Undo { sql, lost } = undo;
        piece.down = sql;
        piece.lost.extend(lost);
        if guard::needs_power(ddl) {
            piece.down = piece.down.iter().map(|sql| guard::or_warn(sql)).collect();
        }
        self.pieces.push(piece);
        Ok(())
    }

    async fn simple(
        &mut self,
        table: &Name,
        phase: Phase,
        segment: u8,
        lock: Lock,
        action: Action,
        what: String,
    ) -> Result<(), Stop> {
        let sql = format!("alter table {table} {what}");
        let mut piece = self.piece(phase, Some(table.clone()), lock);
        piece.segment = segment;
        piece.up.push(sql.clone());
        self.close(piece, &sql, &Ddl::AlterTable { table: table.clone(), actions: vec![action] }).await
    }

    async fn action(&mut self, table: &Name, action: Action) -> Result<(), Stop> {
        let (phase, lock) = (Phase::Policy, Lock::AccessExclusive);
        match action {
            Action::EnableRls => self.simple(table, phase, 1, lock, action, "enable row level security".into()).await,
            Action::DisableRls => self.simple(table, phase, 1, lock, action, "disable row level security".into()).await,
            Action::Force => self.simple(table, phase, 1, lock, action, "force row level security".into()).await,
            Action::NoForce => self.simple(table, phase, 1, lock, action, "no force row level security".into()).await,
            Action::AddColumn(column) => self.column(table, column).await,
            Action::Add(added) => self.constraint(table, added).await,
            Action::SetNotNull(column) => self.not_null(table, &column).await,
            Action::SetDefault { ref column, ref value } => {
                let what = format!("alter column {} set default {value}", ident(column));
                self.simple(table, Phase::Fill, 0, lock, action, what).await
            }
            Action::DropDefault(ref column) => {
                let what = format!("alter column {} drop default", ident(column));
                // That of a column that has just been added, for the rows there were.
                let (phase, segment) = match self.change.phase {
                    Phase::Column => (Phase::Column, 0),
                    _ => (Phase::Constraint, FINISH),
                };
                self.simple(table, phase, segment, lock, action, what).await
            }
            Action::DropNotNull(ref column) => {
                let what = format!("alter column {} drop not null", ident(column));
                self.simple(table, Phase::Column, 0, lock, action, what).await
            }
            Action::DropConstraint(ref name) => {
                let what = format!("drop constraint if exists {}", ident(name));
                self.simple(table, Phase::Constraint, NOT_VALID, lock, action, what).await
            }
            Action::Validate(ref name) => {
                let what = format!("validate constraint {}", ident(name));
                let lock = Lock::ShareUpdateExclusive;
                let (name, validate) = (name.clone(), format!("alter table {table} {what}"));
                self.simple(table, Phase::Constraint, VALIDATE, lock, action, what).await?;
                if let Some(piece) = self.pieces.last_mut() {
                    (piece.long, piece.up) = (true, vec![guard::as_far_as_rows_go(table, &name, &[], &validate)]);
                }
                Ok(())
            }
            Action::Trigger { ref name, state } => {
                let what = format!("{} trigger {}", ddl::switch(state), ident(name));
                self.simple(table, Phase::Guard, 1, Lock::ShareRowExclusive, action, what).await
            }
            Action::Owner(ref role) => {
                let what = format!("owner to {}", ident(role));
                self.simple(table, Phase::Right, 0, lock, action, what).await
            }
            Action::SetType { ref column, ref rest } => {
                let sql = format!("alter table {table} alter column {} type {rest}", ident(column));
                let to = rest.split_once(" using ").map_or(rest.as_str(), |(to, _)| to);
                let mut piece = self.piece(Phase::Column, Some(table.clone()), Lock::Rewrite);
                piece.up.push(guard::unless_type(table, column, to.trim(), &sql));
                self.close(piece, &sql, &Ddl::AlterTable { table: table.clone(), actions: vec![action] }).await
            }
            Action::DropColumn(ref column) => {
                let what = format!("drop column if exists {}", ident(column));
                self.simple(table, Phase::Note, 0, lock, action, what).await
            }
            Action::Other(ref what) => {
                let what = what.clone();
                self.simple(table, self.change.phase, 0, lock, action, what).await
            }
        }
    }

    /// A column comes empty, is filled in batches, and only then is held to be there.
    async fn column(&mut self, table: &Name, column: Column) -> Result<(), Stop> {
        let name = ident(&column.name);
        let there = self.before.has_column(table, &column.name).await?;
        let at_once = column.default.as_deref().is_none_or(is_constant);
        let mut what = format!("add column if not exists {name} {}", column.type_name);
        if at_once && let Some(default) = &column.default {
            what.push_str(&format!(" default {default}"));
        }
        let held_at_once = at_once && column.default.is_some() && column.not_null;
        if held_at_once {
            what.push_str(" not null");
        }
        let lock = Lock::AccessExclusive;
        let action = Action::AddColumn(column.clone());
        self.simple(table, Phase::Column, 0, lock, action, what).await?;
        if let Some(default) = column.default.as_deref().filter(|_| !at_once && !there) {
            let mut piece = self.piece(Phase::Fill, Some(table.clone()), lock);
            piece.up.push(format!("alter table {table} alter column {name} set default {default}"));
            self.pieces.push(piece);
            let mut piece = self.piece(Phase::Backfill, Some(table.clone()), Lock::Rows);
            (piece.transaction, piece.long) = (false, true);
            let held = column.not_null.then_some(column.name.as_str());
            let fill = batch::fill(table, &format!("set {name} = {default}"), None, &format!("t.{name} is null"), held);
            let bound = self.planned.bound(table, self.change.stage, self.before).await?;
            piece.up.extend(batch::unbound(fill, &bound).into_iter().map(|statement| statement.up));
            self.pieces.push(piece);
        }
        for definition in &column.constraints {
            let kind = if definition.starts_with("check") { "check" } else { "foreign key" };
            let (columns, definition) = match kind {
                "check" => (column.name.clone(), definition.clone()),
                _ => (name.clone(), format!("foreign key ({name}) {definition}")),
            };
            let added = Added { name: None, kind, columns, definition, not_valid: false };
            self.constraint(table, added).await?;
        }
        if column.unique {
            let added = Added {
                name: None,
                kind: "unique",
                columns: name.clone(),
                definition: format!("unique ({name})"),
                not_valid: false,
            };
            self.constraint(table, added).await?;
        }
        if column.not_null && !held_at_once {
            self.not_null(table, &column.name).await?;
        }
        Ok(())
    }

    async fn constraint(&mut self, table: &Name, added: Added) -> Result<(), Stop> {
        let ending = match added.kind {
            "foreign key" => "fkey",
            "unique" => "key",
            "primary key" => "pkey",
            _ => "check",
        };
        let name = match &added.name {
            Some(name) => name.clone(),
            None => self.name_for(table, &added.columns, ending),
        };
        let quoted = ident(&name);
        let partitioned = self.before.is_partitioned(table).await?;
        if partitioned && added.kind == "unique" {
            // Foreign keys may refer to an index as well, and that of a partitioned table can be built part by part.
            return self.index(table, &name, true, &added.definition[added.kind.len()..]).await;
        }
        if matches!(added.kind, "unique" | "primary key") && !partitioned {
            let definition = added.definition.to_lowercase();
            self.index(table, &name, true, &added.definition[added.kind.len()..]).await?;
            // The constraint takes the index over: dropping it drops both.
            self.pieces.iter_mut().last().into_iter().for_each(|piece| piece.down.clear());
            let mut piece = self.piece(Phase::Constraint, Some(table.clone()), Lock::AccessExclusive);
            piece.segment = UNIQUE;
            let kind = if definition.starts_with("primary") { "primary key" } else { "unique" };
            let add = format!("alter table {table} add constraint {quoted} {kind} using index {quoted}");
            piece.up.push(guard::unless_constraint(table, &name, &add));
            piece.down.push(format!("alter table {table} drop constraint if exists {quoted}"));
            self.pieces.push(piece);
            return Ok(());
        }
        let mut piece = self.piece(Phase::Constraint, Some(table.clone()), Lock::ShareRowExclusive);
        if added.kind != "foreign key" {
            piece.lock = piece.lock.max(Lock::AccessExclusive);
        }
        piece.segment = NOT_VALID;
        // Nothing of a partitioned table can be added without looking at its rows.
        let checked = partitioned && added.kind != "check";
        let later = if checked { "" } else { " not valid" };
        let add = format!("alter table {table} add constraint {quoted} {}{later}", added.definition);
        if let Some(parent) = referenced(&added.definition).filter(|parent| parent != table) {
            // Both tables are locked. Applications mostly write the parent first: in their order nobody waits for the other.
            piece.up.push(format!("lock table {parent} in share row exclusive mode"));
            piece.name = Some(format!("refer_{}_to_{}", slug(&table.name), slug(&parent.name)));
        }
        let guarded = if checked { guard::unless_rows_forbid } else { guard::unless_constraint };
        piece.up.push(guarded(table, &name, &add));
        piece.down.push(format!("alter table {table} drop constraint if exists {quoted}"));
        self.pieces.push(piece);
        if !added.not_valid && !checked {
            let mut piece = self.piece(Phase::Constraint, Some(table.clone()), Lock::ShareUpdateExclusive);
            (piece.segment, piece.long) = (VALIDATE, true);
            let validate = format!("alter table {table} validate constraint {quoted}");
            let parent = referenced(&added.definition).filter(|_| added.kind == "foreign key");
            let seen: Vec<_> = parent.iter().flat_map(|parent| [table, parent]).collect();
            let validate = guard::as_far_as_rows_go(table, &name, &seen, &validate);
            // A foreign key is held against the rows that the owner sees: bound by row security, that is none of them.
            let mut bound = Vec::new();
            for table in [Some(table.clone()), referenced(&added.definition)].into_iter().flatten() {
                if added.kind == "foreign key" {
                    let more = self.planned.bound(&table, self.change.stage, self.before).await?;
                    bound.extend(more.into_iter().filter(|it| !bound.contains(it)).collect::<Vec<_>>());
                }
            }
            piece.transaction = bound.is_empty();
            piece.up.extend(batch::unbound(validate, &bound).into_iter().map(|statement| statement.up));
            self.pieces.push(piece);
        }
        Ok(())
    }

    /// A check that is validated while reads and writes go on spares SET NOT NULL its own reading of the table.
    async fn not_null(&mut self, table: &Name, column: &str) -> Result<(), Stop> {
        let quoted = ident(column);
        let name = self.name_for(table, &quoted, "not_null");
        let helper = ident(&name);
        let mut piece = self.piece(Phase::Constraint, Some(table.clone()), Lock::AccessExclusive);
        (piece.segment, piece.long) = (NOT_VALID, true);
        let left = left::Left::of(table, column, self.before).await?;
        let add = format!("alter table {table} add constraint {helper} check ({quoted} is not null) not valid");
        piece.up.push(guard::unless_held(table, column, &name, &add, &left.note));
        piece.down.push(format!("alter table {table} drop constraint if exists {helper}"));
        piece.down.push(left.forget);
        self.pieces.push(piece);
        let mut piece = self.piece(Phase::Constraint, Some(table.clone()), Lock::ShareUpdateExclusive);
        (piece.segment, piece.long) = (VALIDATE, true);
        let validate = format!("alter table {table} validate constraint {helper}");
        piece.up.push(guard::if_held(table, column, &name, &validate, &left.note));
        self.pieces.push(piece);
        let mut piece = self.piece(Phase::Constraint, Some(table.clone()), Lock::AccessExclusive);
        piece.segment = FINISH;
        let set = format!("alter table {table} alter column {quoted} set not null");
        piece.up.push(guard::once_held(table, &name, &set));
        // squawk-ignore is written by the linter's pass, with its reason.
        piece.up.push(format!("alter table {table} drop constraint if exists {helper}"));
        let action = Action::SetNotNull(column.to_owned());
        let undone = undo(&set, &Ddl::AlterTable { table: table.clone(), actions: vec![action] }, self.before).await?;
        piece.down = undone.sql;
        self.pieces.push(piece);
        Ok(())
    }

    async fn policy(&mut self, sql: &str, policy: String, table: Name) -> Result<(), Stop> {
        let mut name = policy.clone();
        let mut text = sql.to_owned();
        if self.before.policy(&table, &policy).await?.is_some() {
            name = format!("govctl_{policy}");
            text = text.replacen(&ident(&policy), &ident(&name), 1);
        }
        if !self.planned.policies.insert((table.clone(), name.clone())) {
            return Ok(());
        }
        let mut piece = self.piece(Phase::Policy, Some(table.clone()), Lock::AccessExclusive);
        piece.up.push(format!("drop policy if exists {} on {table}", ident(&name)));
        piece.up.push(text);
        piece.down.push(format!("drop policy if exists {} on {table}", ident(&name)));
        self.pieces.push(piece);
        Ok(())
    }
}

/// The table a foreign key refers to.
fn referenced(definition: &str) -> Option<Name> {
    let mut at = ddl::Cursor::new(definition);
    at.up_to(&["references"]);
    at.take("references").then(|| at.name())?
}

/// A default that PostgreSQL keeps in the catalog for the rows there are, without writing them anew.
fn is_constant(default: &str) -> bool {
    let lower = default.to_lowercase();
    !lower.contains('(') || ["now()", "current_timestamp", "statement_timestamp()"].contains(&lower.trim())
}
