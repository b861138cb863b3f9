//! Which fields are hashed, and in which order: choices as people make them, the likeliest first.

use super::subsets::{WIDEST, stages};
use std::collections::HashSet;
use std::ops::ControlFlow;

/// How far a choice is from all fields in the order of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reach {
    /// In the order of the table: nearly all of them, or up to two runs of neighbours.
    Table,
    /// In the order of the table, so many left out at most.
    Near(usize),
    /// In the order of the table, so many at most from anywhere.
    Few(usize),
    /// So many are left out at most, and one is somewhere else.
    OneMoved(usize),
    /// So many are left out at most, and two are somewhere else.
    TwoMoved(usize),
    /// Up to so many in any order.
    Any(usize),
}

/// Calls `visit` with every choice, as numbers of fields in their order, until it breaks off.
pub(super) fn each<B>(
    reach: Reach,
    count: usize,
    visit: &mut impl FnMut(&[usize]) -> ControlFlow<B>,
) -> ControlFlow<B> {
    let count = count.min(WIDEST);
    match reach {
        Reach::Table => table(count).into_iter().try_for_each(|bits| visit(&numbers(bits, count))),
        Reach::Near(out) => near(count, out).into_iter().try_for_each(|bits| visit(&numbers(bits, count))),
        Reach::Few(most) => {
            let mut all = (1..=most.min(count)).flat_map(|size| of_size(count, size));
            all.try_for_each(|bits| visit(&numbers(bits, count)))
        }
        Reach::OneMoved(out) => near(count, out).into_iter().try_for_each(|bits| {
            let fields = numbers(bits, count);
            moves(&fields).into_iter().try_for_each(|order| visit(&order))
        }),
        Reach::TwoMoved(out) => near(count, out).into_iter().try_for_each(|bits| {
            let once = moves(&numbers(bits, count));
            once.iter().try_for_each(|order| moves(order).into_iter().try_for_each(|order| visit(&order)))
        }),
        Reach::Any(most) => arranged(count, most.min(count), &mut Vec::new(), visit),
    }
}

fn numbers(bits: usize, count: usize) -> Vec<usize> {
    (0..count).filter(|bit| bits >> bit & 1 == 1).collect()
}

/// The order of the table: nearly all, then runs.
fn table(count: usize) -> Vec<usize> {
    let mut all = near(count, if count > 12 { 2 } else { 3 });
    let [runs, ..] = stages(count);
    let mut seen: HashSet<usize> = all.iter().copied().collect();
    all.extend(runs.into_iter().filter(|bits| seen.insert(*bits)));
    all
}

/// Choices that leave out so many at most, those first that leave out the fewest.
fn near(count: usize, out: usize) -> Vec<usize> {
    let all = (1_usize << count) - 1;
    (0..=out.min(count.saturating_sub(1)))
        .flat_map(|out| of_size(count, out).into_iter().map(move |bits| all ^ bits))
        .collect()
}

/// Every choice of so many.
fn of_size(count: usize, size: usize) -> Vec<usize> {
    fn fill(from: usize, count: usize, size: usize, bits: usize, all: &mut Vec<usize>) {
        if size == 0 {
            return all.push(bits);
        }
        (from..count).for_each(|bit| fill(bit + 1, count, size - 1, bits | 1 << bit, all));
    }
    let mut all = Vec::new();
    fill(0, count, size, 0, &mut all);
    all
}

/// Every order in which one stands somewhere else.
pub(super) fn moves(fields: &[usize]) -> Vec<Vec<usize>> {
    let mut all = Vec::new();
    for from in 0..fields.len() {
        for to in 0..fields.len() {
            // Two neighbours change places once.
            if to == from || to + 1 == from {
                continue;
            }
            let mut order = fields.to_vec();
            let moved = order.remove(from);
            order.insert(to, moved);
            all.push(order);
        }
    }
    all
}

/// Every order of up to so many of them; whole orders first, as they are the likeliest.
fn arranged<B>(
    count: usize,
    most: usize,
    order: &mut Vec<usize>,
    visit: &mut impl FnMut(&[usize]) -> ControlFlow<B>,
) -> ControlFlow<B> {
    for next in 0..count {
        if order.contains(&next) {
            continue;
        }
        order.push(next);
        if order.len() < most {
            arranged(count, most, order, visit)?;
        }
        visit(order)?;
        order.pop();
    }
    ControlFlow::Continue(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(reach: Reach, count: usize) -> Vec<Vec<usize>> {
        let mut all = Vec::new();
        let visit = &mut |order: &[usize]| -> ControlFlow<()> {
            all.push(order.to_vec());
            ControlFlow::Continue(())
        };
        assert!(each(reach, count, visit).is_continue());
        all
    }

    #[test]
    fn orders_are_what_they_say() {
        let table = all(Reach::Table, 6);
        assert_eq!(table[0], [0, 1, 2, 3, 4, 5]);
        assert_eq!(table.len(), 63);
        assert!(all(Reach::Few(2), 9).contains(&vec![2, 7]));
        assert!(all(Reach::OneMoved(1), 5).contains(&vec![1, 3, 4, 0]));
        assert!(all(Reach::TwoMoved(0), 5).contains(&vec![4, 1, 2, 0, 3]));
        assert_eq!(all(Reach::Any(3), 4).len(), 4 + 12 + 24);
    }
}
