//! The number at risk at any time.

use super::data::SurvivalData;

/// The weighted number of rows of one stratum at risk, as a function of time.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct RiskCount {
    /// Times before which rows were not under observation, ascending, with the sum of weights up to each.
    entries: Vec<(f64, f64)>,
    /// Times at which rows leave, ascending, with the sum of weights up to each.
    exits: Vec<(f64, f64)>,
}

impl RiskCount {
    /// Just before a time; at 0 those who start there.
    pub(crate) fn at(&self, time: f64) -> f64 {
        let up_to = |list: &[(f64, f64)], count: usize| count.checked_sub(1).map_or(0.0, |last| list[last].1);
        let entered =
            self.entries.partition_point(|(entry, _)| *entry < time || time == 0.0 && *entry <= 0.0);
        let left = self.exits.partition_point(|(exit, _)| *exit < time);
        (up_to(&self.entries, entered) - up_to(&self.exits, left)).max(0.0)
    }
}

impl SurvivalData<'_> {
    /// The numbers at risk in each stratum, in the order of their codes.
    pub(crate) fn risk_counts(&self) -> Vec<RiskCount> {
        let empty = RiskCount { entries: Vec::new(), exits: Vec::new() };
        let mut counts = vec![empty; self.n_strata()];
        for row in 0..self.n() {
            let count = &mut counts[self.stratum(row)];
            let weight = self.weight(row);
            count.entries.push((self.entry.map_or(f64::NEG_INFINITY, |entry| entry[row]), weight));
            count.exits.push((self.time[row], weight));
        }
        for count in &mut counts {
            for list in [&mut count.entries, &mut count.exits] {
                list.sort_by(|a, b| a.0.total_cmp(&b.0));
                let mut sum = 0.0;
                for (_, weight) in list.iter_mut() {
                    sum += *weight;
                    *weight = sum;
                }
            }
        }
        counts
    }

    /// Whether rows have weights.
    pub(crate) fn is_weighted(&self) -> bool {
        self.weights.is_some()
    }
}
