use super::replays::Replays;
use super::statistic::JointStatistic;
use crate::compute::multiplicity::{Alternative, NullStatistics, RomanoWolf, StepDown};
use crate::error::Result;
use serde::{Deserialize, Serialize};

/// Statistics that differ by less than this share of the largest one are equal: rounding must not tell apart
/// what is equal on paper.
const TIE: f64 = 1e-9;

/// The statistics of the replayed assignments: of one hypothesis, or of several from the same replay.
#[derive(Debug, Clone, PartialEq)]
pub struct NullDistribution {
    /// The observed statistics: those of the first treatment with every outcome, then those of the next.
    pub(super) observed: Vec<f64>,
    /// `[replay * hypotheses + hypothesis]`; NaN where the statistic is not defined.
    pub(super) values: Vec<f64>,
    /// The probability of each replay, where they are not equally likely.
    pub(super) weights: Option<Vec<f64>>,
    pub(super) replays: Replays,
}

/// The p-values of one randomisation test.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct RandomizationPValues {
    /// Of a statistic at least as large in absolute value.
    pub two_sided: f64,
    /// Of one at least as large.
    pub greater: f64,
    /// Of one at most as large.
    pub less: f64,
}

impl NullDistribution {
    pub(crate) fn new(
        observed: Vec<f64>,
        values: Vec<f64>,
        weights: Option<Vec<f64>>,
        replays: Replays,
    ) -> Self {
        Self { observed, values, weights, replays }
    }

    /// The observed statistics.
    pub fn observed(&self) -> &[f64] {
        &self.observed
    }

    /// How the assignments were replayed.
    pub fn replays(&self) -> Replays {
        self.replays
    }

    /// The statistic of a hypothesis in every replay; NaN where it is not defined.
    pub fn statistics(&self, hypothesis: usize) -> impl Iterator<Item = f64> {
        self.values.iter().skip(hypothesis).step_by(self.observed.len()).copied()
    }

    /// The probability of each replay; none where all are equally likely.
    pub fn weights(&self) -> Option<&[f64]> {
        self.weights.as_deref()
    }

    /// The number of replays for which a statistic is not defined; they count as extreme.
    pub fn undefined(&self, hypothesis: usize) -> usize {
        self.statistics(hypothesis).filter(|value| value.is_nan()).count()
    }

    /// The number of replays that are as extreme as the observed assignment: two-sided, greater, less. Of an
    /// enumeration it includes the observed assignment.
    pub fn counts(&self, hypothesis: usize) -> [u64; 3] {
        let mut counts = [0; 3];
        self.extremes(hypothesis, |extreme, _| {
            counts.iter_mut().zip(extreme).for_each(|(count, extreme)| *count += u64::from(extreme));
        });
        counts
    }

    /// The p-values of a hypothesis.
    pub fn p_values(&self, hypothesis: usize) -> RandomizationPValues {
        let mut sums = [0.0; 3];
        self.extremes(hypothesis, |extreme, weight| {
            sums.iter_mut()
                .zip(extreme)
                .for_each(|(sum, extreme)| *sum += if extreme { weight } else { 0.0 });
        });
        let [two_sided, greater, less] = sums.map(|sum| self.p_value(sum));
        RandomizationPValues { two_sided, greater, less }
    }

    /// From the sum of the weights of extreme replays.
    fn p_value(&self, sum: f64) -> f64 {
        let n = (self.values.len() / self.observed.len()) as f64;
        match (self.replays.exact(), &self.weights) {
            (true, Some(_)) => sum.min(1.0),
            (true, None) => sum / n,
            (false, _) => (1.0 + sum) / (1.0 + n),
        }
    }

    /// The Monte Carlo standard error of a p-value: zero where it is exact.
    pub fn monte_carlo_error(&self, p_value: f64) -> f64 {
        if self.replays.exact() {
            return 0.0;
        }
        let n = (self.values.len() / self.observed.len()) as f64;
        (p_value * (1.0 - p_value) / (1.0 + n)).sqrt()
    }

    /// The two-sided p-value of the most extreme statistic of all: no assignment gives a smaller one.
    pub fn smallest_p_value(&self, hypothesis: usize) -> f64 {
        if !self.replays.exact() {
            return 1.0 / (1.0 + (self.values.len() / self.observed.len()) as f64);
        }
        let size = |value: f64| if value.is_nan() { f64::INFINITY } else { value.abs() };
        let largest = self.statistics(hypothesis).map(size).fold(0.0, f64::max);
        let least = largest - Self::tie(self.statistics(hypothesis));
        let reached = self.statistics(hypothesis).enumerate().filter(|(_, value)| size(*value) >= least);
        let sum =
            reached.map(|(replay, _)| self.weights.as_ref().map_or(1.0, |weights| weights[replay])).sum();
        self.p_value(sum)
    }

    /// Largest finite statistic, which sets the width of ties.
    fn tie(values: impl Iterator<Item = f64>) -> f64 {
        TIE * values.map(f64::abs).filter(|value| value.is_finite()).fold(0.0, f64::max)
    }

    fn extremes(&self, hypothesis: usize, mut each: impl FnMut([bool; 3], f64)) {
        let t = self.observed[hypothesis];
        let tie = Self::tie(self.statistics(hypothesis).chain([t]));
        for (replay, value) in self.statistics(hypothesis).enumerate() {
            let weight = self.weights.as_ref().map_or(1.0, |weights| weights[replay]);
            let undefined = value.is_nan();
            let two_sided = undefined || value.abs() >= t.abs() - tie;
            each([two_sided, undefined || value >= t - tie, undefined || value <= t + tie], weight);
        }
    }

    /// One statistic of all hypotheses together, and the p-value of one as large.
    pub fn joint(&self, joint: JointStatistic) -> (f64, f64) {
        let (t, p_value, _) = self.joint_counts(joint);
        (t, p_value)
    }

    /// The same with the number of replays that are as extreme.
    pub fn joint_counts(&self, joint: JointStatistic) -> (f64, f64, u64) {
        let t = joint.of(self.observed.iter().copied());
        let all: Vec<f64> =
            self.values.chunks_exact(self.observed.len()).map(|row| joint.of(row.iter().copied())).collect();
        let tie = Self::tie(all.iter().copied().chain([t]));
        let (mut sum, mut count) = (0.0, 0);
        for (replay, value) in all.iter().enumerate() {
            if value.is_nan() || *value >= t - tie {
                sum += self.weights.as_ref().map_or(1.0, |weights| weights[replay]);
                count += 1;
            }
        }
        (t, self.p_value(sum), count)
    }

    /// P-values by the step-down procedure of Romano and Wolf: the max-t part of
    /// [`NullDistribution::step_down`].
    ///
    /// # Errors
    /// As [`StepDown::new`].
    pub fn romano_wolf(&self, alternative: Alternative) -> Result<RomanoWolf> {
        RomanoWolf::of(&self.observed, &self.values, self.null_statistics(), alternative)
    }

    fn null_statistics(&self) -> NullStatistics {
        if self.replays.exact() { NullStatistics::All } else { NullStatistics::Drawn }
    }

    /// P-values that are adjusted for all hypotheses together, from this one replay.
    ///
    /// # Errors
    /// As [`StepDown::new`].
    pub fn step_down(&self, alternative: Alternative) -> Result<StepDown> {
        StepDown::new(&self.observed, &self.values, self.weights(), self.null_statistics(), alternative)
    }

    /// The same under the seed from which its own was made.
    pub(crate) fn seeded(mut self, of_all: u64) -> Self {
        if let Replays::Drawn { seed, .. } = &mut self.replays {
            *seed = of_all;
        }
        self
    }

    /// The hypotheses of several replays of the same assignments side by side; none where these are not the
    /// same.
    pub(crate) fn beside(parts: &[Self]) -> Option<Self> {
        let replays = parts.first()?.replays;
        if parts.iter().any(|part| part.replays != replays || part.weights.is_some()) {
            return None;
        }
        let rows = parts[0].values.len() / parts[0].observed.len();
        let row = |row: usize| {
            parts.iter().flat_map(move |part| {
                let width = part.observed.len();
                part.values[row * width..(row + 1) * width].iter().copied()
            })
        };
        let observed = parts.iter().flat_map(|part| part.observed.iter().copied()).collect();
        Some(Self::new(observed, (0..rows).flat_map(row).collect(), None, replays))
    }
}
