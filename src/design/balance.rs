//! Whether arms are alike in their strata and in the weights of their people.

use super::{Comparison, Label, Notice, OutcomeKind};
use crate::compute::categorical::{ContingencyTable, FreemanHalton};
use ndarray::Array2;

/// Randomisation within strata leaves hardly any difference between arms, far less than the random
/// assignment that the test takes for its hypothesis. So a p-value below the usual 0.05 says that something
/// else made the difference: other ratios by stratum, no stratification at all, or people without outcomes.
const MOST_P: f64 = 0.05;

/// The p-value is exact where a stratum expects fewer than five people of an arm and the enumeration takes no
/// more steps than this (some milliseconds), else that of Pearson's chi-squared.
const MOST_STEPS: u64 = 20_000;

/// Fewer effective people than this share of those analysed: by weighting the variance of a mean has doubled
/// (Kish 1965, Survey Sampling, section 11.7).
const LEAST_EFFECTIVE: f64 = 0.5;

/// More than this share of the weight of an arm on one person, and more than three times an equal share. With
/// a share `s` on one the effective number is at most `1 / s^2`, here 25, below which the normal distribution
/// of a weighted proportion, on which the interval rests, has nothing to stand on.
const LARGEST_SHARE: f64 = 0.2;

impl<K: OutcomeKind> Comparison<K> {
    /// Analysed people, or randomised clusters, of every arm in every stratum; `None` where strata do not
    /// occur or clusters lie in several of them.
    fn strata_by_arms(&self) -> Option<Array2<u64>> {
        let people = self.people.as_ref()?;
        let strata = people.strata.as_ref()?;
        let mut cells = Array2::<u64>::zeros((strata.labels.len(), self.arms.len()));
        match &people.clusters {
            None => {
                for (&stratum, &arm) in strata.codes.iter().zip(&people.arm) {
                    cells[[stratum as usize, arm as usize]] += 1;
                }
            }
            Some(clusters) => {
                let mut home = vec![None; clusters.labels.len()];
                for ((&cluster, &stratum), &arm) in clusters.codes.iter().zip(&strata.codes).zip(&people.arm)
                {
                    let own = [stratum as usize, arm as usize];
                    match home[cluster as usize].replace(own) {
                        None => cells[own] += 1,
                        Some(before) if before == own => {}
                        Some(_) => return None,
                    }
                }
            }
        }
        let occupied = |sums: Vec<u64>| (0..sums.len()).filter(|i| sums[*i] > 0).collect::<Vec<_>>();
        let rows = occupied(cells.rows().into_iter().map(|row| row.sum()).collect());
        let columns = occupied(cells.columns().into_iter().map(|column| column.sum()).collect());
        Some(Array2::from_shape_fn((rows.len(), columns.len()), |(i, j)| cells[[rows[i], columns[j]]]))
    }

    /// The notice about arms whose people are spread over the declared strata in different shares.
    pub(crate) fn unequal_strata(&self) -> Option<Notice> {
        let table = ContingencyTable::new(self.strata_by_arms()?.view()).ok()?;
        let p_value = independence(&table)?;
        (p_value < MOST_P).then_some(Notice::UnequalStrata { p_value })
    }
}

/// The p-value of independence of rows and columns.
fn independence(table: &ContingencyTable) -> Option<f64> {
    let smallest = |sums: &[u64]| sums.iter().min().map_or(0.0, |least| *least as f64);
    let total: u64 = table.row_sums().iter().sum();
    let expected = smallest(table.row_sums()) * smallest(table.column_sums()) / total as f64;
    let exact = (expected < 5.0).then(|| FreemanHalton::new().most_steps(MOST_STEPS).p_value(table).ok());
    exact.flatten().or_else(|| table.pearson_test().ok().map(|test| test.p_value))
}

/// The notice about an arm in which few people carry most of the weight; `weights` are those of its people.
pub(crate) fn dominant_weights(arm: &Label, weights: impl Iterator<Item = f64> + Clone) -> Option<Notice> {
    let largest = weights.clone().fold(0.0_f64, f64::max);
    if largest.is_nan() || largest <= 0.0 {
        return None;
    }
    // Relative to the largest, so that no square leaves the range of numbers.
    let (mut people, mut sum, mut squares) = (0_u64, 0.0, 0.0);
    for weight in weights.filter(|weight| *weight > 0.0) {
        let weight = weight / largest;
        people += 1;
        sum += weight;
        squares += weight * weight;
    }
    let (n, effective, share) = (people as f64, sum * sum / squares, 1.0 / sum);
    let dominant = effective < LEAST_EFFECTIVE * n || share > LARGEST_SHARE.max(3.0 / n);
    dominant.then(|| Notice::DominantWeights { arm: arm.clone(), people, effective, largest_share: share })
}
