//! Rank sums where the groups that are ranked change from assignment to assignment.

use super::problem::{Parts, Problem};
use super::statistic::Statistic;

/// The rows in the order of their outcomes, block by block.
#[derive(Debug, Clone)]
pub(super) struct Ranks {
    /// For each outcome: blocks of (row, whether it ties with the one before).
    order: Vec<Vec<Vec<(u32, bool)>>>,
}

impl Ranks {
    pub(super) fn new(outcomes: &[Vec<f64>], block: &[u32], statistic: Statistic) -> Self {
        let blocks = if statistic == Statistic::VanElteren {
            block.iter().max().map_or(1, |b| *b as usize + 1)
        } else {
            1
        };
        let order = outcomes.iter().map(|outcome| {
            let mut of_block: Vec<Vec<u32>> = vec![Vec::new(); blocks];
            for row in (0..outcome.len()).filter(|&row| !outcome[row].is_nan()) {
                of_block[if blocks == 1 { 0 } else { block[row] as usize }].push(row as u32);
            }
            let sorted = |mut rows: Vec<u32>| {
                rows.sort_by(|&i, &j| outcome[i as usize].total_cmp(&outcome[j as usize]));
                let ties = |place: usize| {
                    place > 0 && outcome[rows[place] as usize] == outcome[rows[place - 1] as usize]
                };
                (0..rows.len()).map(|place| (rows[place], ties(place))).collect()
            };
            of_block.into_iter().map(sorted).collect()
        });
        Self { order: order.collect() }
    }

    pub(super) fn statistics(&self, problem: &Problem, group: &[u32]) -> Vec<Parts> {
        let mut all = Vec::with_capacity(problem.width());
        for &treatment in &problem.treatments {
            for blocks in &self.order {
                let value = blocks.iter().map(|block| rank_sum_of(block, group, treatment, problem)).sum();
                all.push(Parts { value, variance: None, rounding: 0.0 });
            }
        }
        all
    }
}

/// `W - n1 (N + 1) / 2` of the rows of two groups, over `N + 1` within blocks.
fn rank_sum_of(block: &[(u32, bool)], group: &[u32], treatment: u32, problem: &Problem) -> f64 {
    let (mut before, mut sum, mut treated) = (0.0, 0.0, 0.0);
    let (mut tied, mut tied_treated) = (0.0, 0.0);
    let mut close = |tied: &mut f64, tied_treated: &mut f64| {
        sum += *tied_treated * (before + f64::midpoint(*tied, 1.0));
        treated += *tied_treated;
        before += *tied;
        (*tied, *tied_treated) = (0.0, 0.0);
    };
    for &(row, ties) in block {
        if !ties {
            close(&mut tied, &mut tied_treated);
        }
        let own = group[row as usize];
        if own == treatment || own == problem.control {
            tied += 1.0;
            tied_treated += f64::from(u8::from(own == treatment));
        }
    }
    close(&mut tied, &mut tied_treated);
    let centred = sum - treated * (before + 1.0) / 2.0;
    if problem.statistic == Statistic::VanElteren { centred / (before + 1.0) } else { centred }
}
