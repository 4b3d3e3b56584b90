//! Type I error of randomisation tests where means are equal and spreads are not: the sharp hypothesis is false
//! there, and only studentised statistics approach their level.

use super::draw::Stream;
use armwise::randomization::{Assignments, Exactness, Replay, Statistic};

/// Clusters of the treated and of the controls.
const SIZES: [[usize; 2]; 5] = [[4, 4], [4, 12], [10, 10], [10, 30], [30, 90]];

/// The standard deviation of treated cluster means; that of controls is 1.
const SPREADS: [f64; 3] = [1.0, 3.0, 1.0 / 3.0];

const STATISTICS: [(&str, Statistic); 2] = [
    ("difference in means of clusters", Statistic::DifferenceInMeans),
    ("studentised", Statistic::StudentizedDifference),
];

/// The share of replicates that a two-sided test at 5% rejects, in per cent.
fn rejected(sizes: [usize; 2], spread: f64, statistic: Statistic, cell: u64, replicates: usize) -> f64 {
    let group: Vec<u32> = (0..sizes[0]).map(|_| 1).chain((0..sizes[1]).map(|_| 0)).collect();
    let assignments = Assignments::new(&group).unwrap();
    let one = |replicate: u64| {
        let mut stream = Stream::new(cell, replicate);
        let y: Vec<f64> =
            group.iter().map(|group| if *group == 1 { spread } else { 1.0 } * stream.normal()).collect();
        let replay = Replay::new(&assignments, statistic).outcome(&y).draws(999).seed(replicate);
        let null = replay.exactness(Exactness::FewAssignments).run().unwrap();
        null.p_values(0).two_sided <= 0.05
    };
    let count = (0..replicates as u64).filter(|replicate| one(*replicate)).count();
    100.0 * count as f64 / replicates as f64
}

/// The table, and the rates by row and column.
pub(crate) fn table(replicates: usize) -> (String, Vec<Vec<f64>>) {
    let mut out = format!(
        "## Randomisation tests of equal means with unequal spreads\n\nType I error in per cent of two-sided tests at 5%, {replicates} \
         replicates, 999 draws where there are more assignments. Spread: the standard deviation of treated cluster means over that of \
         controls.\n\n| clusters, treated v control | statistic | spread 1 | spread 3 | spread 1/3 |\n|---|---|---|---|---|\n"
    );
    let mut rates = Vec::new();
    for (row, sizes) in SIZES.iter().enumerate() {
        for (words, statistic) in STATISTICS {
            let cell = |place: usize| 1_000 + (row * 10 + place) as u64;
            let own: Vec<f64> = SPREADS
                .iter()
                .enumerate()
                .map(|(place, &spread)| rejected(*sizes, spread, statistic, cell(place), replicates))
                .collect();
            let cells: Vec<String> = own.iter().map(|rate| format!("{rate:.1}")).collect();
            out += &format!("| {} v {} | {words} | {} |\n", sizes[0], sizes[1], cells.join(" | "));
            rates.push(own);
        }
    }
    (out, rates)
}
