//! Choices of fields in the order of the table, the likeliest first: whoever picks columns mostly picks neighbours.

/// Of so many fields and less every choice is tried; of more only those of few runs of neighbours.
const EVERY: usize = 13;

/// Fields beyond these are left out of account.
pub(super) const WIDEST: usize = 22;

/// Choices as bits, in three stages: up to two runs of neighbours, three, and all others. Within a stage the fullest first.
pub(super) fn stages(count: usize) -> [Vec<usize>; 3] {
    let count = count.min(WIDEST);
    let mut stages = [Vec::new(), Vec::new(), Vec::new()];
    if count <= EVERY {
        for subset in (1..1_usize << count).rev() {
            // A run begins at every bit whose right neighbour is not there.
            match (subset & !(subset << 1)).count_ones() {
                0..=2 => stages[0].push(subset),
                3 => stages[1].push(subset),
                _ => stages[2].push(subset),
            }
        }
    } else {
        let run = |from: usize, to: usize| (1_usize << to) - (1 << from);
        let runs: Vec<(usize, usize)> =
            (0..count).flat_map(|from| (from + 1..=count).map(move |to| (from, to))).collect();
        for one in &runs {
            stages[0].push(run(one.0, one.1));
            for two in runs.iter().filter(|two| two.0 > one.1) {
                let both = run(one.0, one.1) | run(two.0, two.1);
                stages[0].push(both);
                stages[1].extend(runs.iter().filter(|three| three.0 > two.1).map(|three| both | run(three.0, three.1)));
            }
        }
    }
    for stage in &mut stages {
        stage.sort_by_key(|subset| (std::cmp::Reverse(subset.count_ones()), std::cmp::Reverse(*subset)));
    }
    stages
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_choice_is_there_once() {
        let mut all = stages(9).concat();
        assert_eq!(all[0], 0b1_1111_1111);
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), 511);
        let [two, three, more] = stages(16);
        assert_eq!((two.len(), three.len(), more.len()), (136 + 2380, 12376, 0));
        assert!(two.contains(&0b0110_0000_0000_0001) && !two.contains(&0b101_0001));
    }
}
