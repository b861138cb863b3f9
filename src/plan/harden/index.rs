//! Indexes, built while everybody goes on working.

use super::super::change::Phase;
use super::super::ddl::{self, Name};
use super::super::guard;
use super::super::piece::Lock;
use super::Hardener;
use crate::check::quote::ident;
use crate::error::Stop;

impl Hardener<'_, '_> {
    pub(super) async fn index(&mut self, table: &Name, name: &str, unique: bool, rest: &str) -> Result<(), Stop> {
        let fresh = self.planned.tables.contains(table);
        let index = Name { schema: table.schema.clone(), name: name.to_owned() };
        let unique = if unique { "unique " } else { "" };
        let partitioned = self.before.is_partitioned(table).await?;
        let mut piece = self.piece(Phase::Index, Some(table.clone()), Lock::ShareUpdateExclusive);
        let quoted = ident(name);
        if partitioned && !fresh {
            return self.partitioned_index(table, name, unique, rest).await;
        }
        if fresh {
            piece.up.push(format!("create {unique}index if not exists {quoted} on {table} {rest}"));
            piece.down.push(format!("drop index if exists {index}"));
        } else {
            (piece.transaction, piece.long) = (false, true);
            piece.up.push(guard::no_torn_index(&index));
            piece.up.push(format!("create {unique}index concurrently if not exists {quoted} on {table} {rest}"));
            piece.down.push(format!("drop index concurrently if exists {index}"));
        }
        self.pieces.push(piece);
        Ok(())
    }

    /// PostgreSQL builds no index of a partitioned table concurrently: it is built on each partition, made on the parent
    /// alone, and put together ("CREATE INDEX", in its documentation). The order of phases has what locks nothing first.
    async fn partitioned_index(&mut self, table: &Name, name: &str, unique: &str, rest: &str) -> Result<(), Stop> {
        let columns = ddl::Cursor::new(rest).parenthesised().unwrap_or_default().to_owned();
        let mut names = vec![(table.clone(), name.to_owned())];
        let mut piece = self.piece(Phase::Index, Some(table.clone()), Lock::ShareRowExclusive);
        piece.up.push(format!("create {unique}index if not exists {} on only {table} {rest}", ident(name)));
        let index = Name { schema: table.schema.clone(), name: name.to_owned() };
        piece.down.push(format!("drop index if exists {index}"));
        self.pieces.push(piece);
        for (parent, partition, parted) in self.before.partitions(table).await? {
            let own = self.name_for(&partition, &columns, "idx");
            let mut piece = self.piece(Phase::Index, Some(table.clone()), Lock::ShareUpdateExclusive);
            let quoted = ident(&own);
            if parted {
                piece.lock = Lock::ShareRowExclusive;
                piece.up.push(format!("create {unique}index if not exists {quoted} on only {partition} {rest}"));
            } else {
                (piece.transaction, piece.long) = (false, true);
                let index = Name { schema: partition.schema.clone(), name: own.clone() };
                piece.up.push(guard::no_torn_index(&index));
                piece
                    .up
                    .push(format!("create {unique}index concurrently if not exists {quoted} on {partition} {rest}"));
                piece.down.push(format!("drop index concurrently if exists {index}"));
            }
            self.pieces.push(piece);
            let of = |table: &Name, name: &str| Name { schema: table.schema.clone(), name: name.to_owned() };
            let above = names.iter().find(|(known, _)| *known == parent).map(|(table, name)| of(table, name));
            let mut piece = self.piece(Phase::Index, Some(table.clone()), Lock::ShareRowExclusive);
            if let Some(above) = above {
                piece.up.push(format!("alter index {above} attach partition {}", of(&partition, &own)));
            }
            self.pieces.push(piece);
            names.push((partition, own));
        }
        Ok(())
    }

    /// A name as PostgreSQL makes one, that nothing has yet: at most 63 bytes.
    pub(super) fn name_for(&mut self, table: &Name, columns: &str, ending: &str) -> String {
        let columns = ddl::plain_columns(columns).unwrap_or_else(|| vec!["expr".to_owned()]);
        let base = format!("{}_{}", table.name, columns.join("_"));
        for number in 0.. {
            let tail = if number == 0 { format!("_{ending}") } else { format!("_{ending}{number}") };
            let mut end = base.len().min(63 - tail.len());
            while !base.is_char_boundary(end) {
                end -= 1;
            }
            let name = format!("{}{tail}", &base[..end]);
            if self.planned.names.insert(name.clone()) {
                return name;
            }
        }
        base
    }
}
