//! Documents of one or two members: a payload and the previous hash, a payload and its time.

use super::members::Place;
use super::naming::{self, Naming};
use super::subsets::WIDEST;
use super::trial::Trial;
use super::tries::{Left, Try};
use super::{Search, Under};
use crate::chain::items::Column;
use crate::chain::recipe::Formula;
use std::collections::HashSet;

/// Ways to write one choice of fields.
const WAYS: usize = 24;

/// Places of the previous hash, where there are two fields.
const PLACES: usize = 12;

impl Search<'_> {
    /// One field, or a document and another field, by any name they may have.
    pub(super) fn short_documents(&self, target: usize, algorithms: &[Under], left: &mut Left) -> Option<Formula> {
        let fields: Vec<usize> = self.fields.iter().copied().take(WIDEST).collect();
        let columns: Vec<&Column> = fields.iter().filter_map(|at| self.column(*at)).collect();
        if columns.len() != fields.len() || algorithms.is_empty() {
            return None;
        }
        let is_document = |field: usize| columns[field].kind.is_document();
        let one = (0..fields.len()).map(|field| vec![field]);
        let pairs = (0..fields.len()).flat_map(|a| (0..fields.len()).map(move |b| vec![a, b]));
        let two = pairs.filter(|pair| pair[0] != pair[1] && pair.iter().any(|field| is_document(*field)));
        let orders: Vec<Vec<usize>> = one.chain(two).collect();
        [true, false].into_iter().find_map(|sorted| {
            self.short_of(target, &fields, &columns, &orders, sorted, algorithms, left).break_value().flatten()
        })
    }

    #[expect(clippy::too_many_arguments, reason = "one loop over all that a document is made of")]
    fn short_of(
        &self,
        target: usize,
        fields: &[usize],
        columns: &[&Column],
        orders: &[Vec<usize>],
        sorted: bool,
        algorithms: &[Under],
        left: &mut Left,
    ) -> Try {
        let Some(spelled) = self.spelled(target) else { return Try::Continue(()) };
        let mut ways = self.ways_of_documents(target, fields, sorted);
        let places = self.places(true);
        let mut buffer = Vec::with_capacity(2048);
        // Sorted, two fields have one order.
        for order in orders.iter().filter(|order| !sorted || order.is_sorted()) {
            let own = ways.of(order);
            let places: &[Place] = if order.len() == 1 { &places } else { &places[..places.len().min(PLACES)] };
            for naming in named(columns, order) {
                for trial in places.iter().flat_map(|place| Trial::all(&naming, place, None, spelled.outside.len())) {
                    for way in own.iter().take(WAYS) {
                        let written = &ways.all[*way];
                        if !trial.write(order, written, &spelled, sorted, &mut buffer) {
                            self.nothing(left)?;
                            continue;
                        }
                        self.attempt(target, algorithms, &buffer, left, Some(&self.tried), || {
                            let document = trial.document(order, written, &spelled, sorted);
                            document.map_or_else(Vec::new, |document| document.pieces())
                        })?;
                    }
                }
            }
        }
        Try::Continue(())
    }
}

/// Every name that each of these fields may have.
fn named(columns: &[&Column], order: &[usize]) -> Vec<Naming> {
    let mut all: Vec<Naming> = naming::plain(columns).into_iter().filter(|naming| !naming.is_list).collect();
    for field in order {
        let others: Vec<Naming> = all
            .iter()
            .filter(|naming| naming.other != u32::MAX)
            .flat_map(|naming| {
                naming::aliases(columns[*field]).into_iter().map(|alias| {
                    let mut other = naming.clone();
                    other.keys[*field] = alias;
                    other.other |= 1 << field;
                    other
                })
            })
            .collect();
        all.extend(others);
    }
    // What other fields are called says nothing here.
    let mut seen: HashSet<Vec<String>> = HashSet::new();
    all.retain(|naming| seen.insert(order.iter().map(|field| naming.keys[*field].clone()).collect()));
    all.iter_mut().for_each(|naming| naming.other = 0);
    all
}
