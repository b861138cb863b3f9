//! A few fields side by side in any order at all, as those write them who list what counts and not what the table has.

use super::lists::{Joint, Place, USUAL};
use super::subsets::WIDEST;
use super::tries::{Left, Try};
use super::{Search, Under};
use crate::chain::recipe::Formula;

/// Choices of so many fields that are tried in every order.
const CHOICES: [(usize, usize); 3] = [(3, 60), (4, 120), (5, 200)];

/// Ways to write one choice.
const WAYS: usize = 4;

/// Separators.
const SEPARATORS: usize = 5;

impl Search<'_> {
    /// Up to five fields in every order, the previous hash first or last.
    pub(super) fn shuffled(&self, target: usize, algorithms: &[Under], left: &mut Left) -> Option<Formula> {
        let fields: Vec<usize> = self.fields.iter().copied().take(WIDEST).collect();
        if algorithms.is_empty() {
            return None;
        }
        let mut ways = self.ways_of_lists(target, &fields);
        let mut joints = Vec::new();
        for previous in self.previous_in(target, &[Place::First, Place::Last]) {
            for separator in &USUAL[..SEPARATORS] {
                joints.extend(previous.places.iter().map(|place| Joint {
                    tag: Vec::new(),
                    separator,
                    place: *place,
                    previous: previous.piece.clone(),
                    bytes: previous.bytes.clone(),
                    count: None,
                }));
            }
        }
        let choices = self.choices(&fields);
        let mut buffer = Vec::with_capacity(1024);
        let mut tried = || {
            for (size, most) in CHOICES {
                for bits in choices.iter().filter(|bits| bits.count_ones() as usize == size).take(most) {
                    let chosen: Vec<usize> = (0..fields.len()).filter(|bit| bits >> bit & 1 == 1).collect();
                    let own = ways.of(&chosen);
                    for order in permutations(&chosen) {
                        for way in own.iter().take(WAYS) {
                            let written = &ways.all[*way];
                            for joint in &joints {
                                if joint.write(&order, written, &mut buffer) {
                                    self.attempt(target, algorithms, &buffer, left, None, || {
                                        joint.pieces(&order, written)
                                    })?;
                                }
                            }
                        }
                    }
                }
            }
            Try::Continue(())
        };
        tried().break_value().flatten()
    }
}

/// Every order of these.
fn permutations(of: &[usize]) -> Vec<Vec<usize>> {
    let [first, rest @ ..] = of else { return vec![Vec::new()] };
    let mut all = Vec::new();
    for order in permutations(rest) {
        for at in 0..=order.len() {
            let mut longer = order.clone();
            longer.insert(at, *first);
            all.push(longer);
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_order_is_there_once() {
        let mut all = permutations(&[4, 7, 9, 2]);
        all.sort_unstable();
        all.dedup();
        assert_eq!((all.len(), permutations(&[]).len()), (24, 1));
    }
}
