//! Step-down p-values from statistics that were replayed together for all hypotheses.

use super::Alternative;
use super::adjustment::running_maximum;
use super::ascending;
use crate::error::{Error, Result, counted};
use serde::{Deserialize, Serialize};

/// Statistics that differ by less than this share of the largest one are equal.
const TIE: f64 = 1e-9;

/// What the null statistics are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum NullStatistics {
    /// All that could have been, the observed ones among them: a p-value is a share of them.
    All,
    /// A random sample, to which the observed ones are added: `(1 + b) / (1 + B)`.
    Drawn,
}

/// P-values of several hypotheses that one replay adjusts for all of them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct StepDown {
    /// The p-value of each hypothesis by itself.
    pub unadjusted: Vec<f64>,
    /// Adjusted in one step, against the largest statistic of all hypotheses.
    pub max_t_single_step: Vec<f64>,
    /// Adjusted in steps down, against the largest statistic of the hypotheses that are left.
    pub max_t_step_down: Vec<f64>,
    /// Adjusted in one step, against the smallest p-value of all hypotheses.
    pub min_p_single_step: Vec<f64>,
    /// Adjusted in steps down, against the smallest p-value of the hypotheses that are left.
    pub min_p_step_down: Vec<f64>,
    /// The hypotheses, the largest statistic first. Counted from 0.
    pub order: Vec<usize>,
}

/// P-values of the largest statistics.
pub(super) struct MaxT {
    pub unadjusted: Vec<f64>,
    pub single_step: Vec<f64>,
    pub step_down: Vec<f64>,
    pub order: Vec<usize>,
}

/// Sized statistics: large ones speak against the hypotheses, and an undefined one is the largest.
struct Replayed {
    m: usize,
    observed: Vec<f64>,
    values: Vec<f64>,
    weights: Option<Vec<f64>>,
}

impl StepDown {
    /// P-values of hypotheses with statistics `observed`, from `values[replay * hypotheses + hypothesis]` and
    /// the weight of each replay (default: equal).
    ///
    /// # Formula
    /// Two-sided tests take absolute values, tests of `Less` turn all around. With the hypotheses ordered by
    /// `t`, the largest first, the max-t p-value of the r-th is the share of replays whose largest statistic
    /// from hypothesis r on is at least `t_r`, or the one before it where that is larger. The min-p p-values
    /// take, instead of a statistic, the share of replays in which that hypothesis has a statistic as large, and
    /// minima instead of maxima: hypotheses on different scales then count alike. Ties count, up to a relative
    /// 1e-9; NaN counts as the largest.
    ///
    /// # Errors
    /// No hypotheses, no replays, an observed statistic that is NaN, or another number of values or weights.
    ///
    /// # Examples
    /// ```
    /// use armwise::multiplicity::{Alternative, NullStatistics, StepDown};
    ///
    /// // Four replays of two hypotheses, the first of which was observed.
    /// let all = [2.5, -1.0, 0.3, -1.2, -2.2, 0.4, 1.1, 0.9];
    /// let test = StepDown::new(
    ///     &[2.5, -1.0], &all, None, NullStatistics::All, Alternative::TwoSided,
    /// )?;
    /// assert_eq!(test.max_t_step_down, [0.25, 0.5]);
    /// # Ok::<(), armwise::Error>(())
    /// ```
    ///
    /// # References
    /// Westfall & Young (1993), Resampling-Based Multiple Testing, algorithms 4.1 and 2.8. Romano & Wolf
    /// (2005), Econometrica 73:1237. Romano & Wolf (2016), Statistics & Probability Letters 113:38.
    pub fn new(
        observed: &[f64],
        values: &[f64],
        weights: Option<&[f64]>,
        replays: NullStatistics,
        alternative: Alternative,
    ) -> Result<Self> {
        let sized = Replayed::new(observed, values, weights, replays, alternative)?;
        let max_t = sized.max_t();
        // One minus the p-value within its own distribution is large where the statistic is.
        let min_p = sized.ranked(&max_t.unadjusted).max_t();
        Ok(Self {
            unadjusted: max_t.unadjusted,
            max_t_single_step: max_t.single_step,
            max_t_step_down: max_t.step_down,
            min_p_single_step: min_p.single_step,
            min_p_step_down: min_p.step_down,
            order: max_t.order,
        })
    }
}

/// The max-t part of [`StepDown::new`].
pub(super) fn max_t(
    observed: &[f64],
    values: &[f64],
    replays: NullStatistics,
    alternative: Alternative,
) -> Result<MaxT> {
    Ok(Replayed::new(observed, values, None, replays, alternative)?.max_t())
}

impl Replayed {
    fn new(
        observed: &[f64],
        values: &[f64],
        weights: Option<&[f64]>,
        replays: NullStatistics,
        alternative: Alternative,
    ) -> Result<Self> {
        let m = observed.len();
        if m == 0 || values.is_empty() {
            return Err(Error::invalid(
                "a step-down test needs statistics and replays; give at least one hypothesis and one replay",
            ));
        }
        let rows = values.len() / m;
        if rows * m != values.len() || weights.is_some_and(|weights| weights.len() != rows) {
            return Err(Error::invalid(format!(
                "{} of replays for {}; give one for each hypothesis in each replay, and one weight for each replay",
                counted(values.len(), "value"),
                counted(m, "hypothesis")
            )));
        }
        if observed.iter().any(|value| value.is_nan()) {
            return Err(Error::invalid("an observed statistic is missing; leave its hypothesis out"));
        }
        let sized = |&value: &f64| match alternative {
            _ if value.is_nan() => f64::INFINITY,
            Alternative::TwoSided => value.abs(),
            Alternative::Greater => value,
            Alternative::Less => -value,
        };
        let observed: Vec<f64> = observed.iter().map(sized).collect();
        let mut values: Vec<f64> = values.iter().map(sized).collect();
        let mut weights = weights.map(<[f64]>::to_vec);
        if replays == NullStatistics::Drawn {
            values.extend(&observed);
            if let Some(weights) = &mut weights {
                weights.push(1.0);
            }
        }
        Ok(Self { m, observed, values, weights })
    }

    fn weight(&self, row: usize) -> f64 {
        self.weights.as_ref().map_or(1.0, |weights| weights[row])
    }

    fn total(&self) -> f64 {
        self.weights.as_ref().map_or((self.values.len() / self.m) as f64, |weights| weights.iter().sum())
    }

    /// How far apart statistics of each hypothesis may be and still tie.
    fn ties(&self) -> Vec<f64> {
        let mut largest = vec![0.0_f64; self.m];
        for row in self.values.chunks_exact(self.m) {
            for (largest, value) in largest.iter_mut().zip(row).filter(|(_, value)| value.is_finite()) {
                *largest = largest.max(value.abs());
            }
        }
        largest.iter().map(|largest| TIE * largest).collect()
    }

    fn max_t(&self) -> MaxT {
        let ties = self.ties();
        let most = ties.iter().copied().fold(0.0, f64::max);
        // The least value that is as large as the observed one: of its own hypothesis, and of any.
        let own: Vec<f64> = self.observed.iter().zip(&ties).map(|(t, tie)| t - tie).collect();
        let common: Vec<f64> = self.observed.iter().map(|t| t - most).collect();
        let mut order: Vec<usize> = (0..self.m).collect();
        order.sort_by(|&i, &j| self.observed[j].total_cmp(&self.observed[i]));
        let mut sums = [vec![0.0; self.m], vec![0.0; self.m], vec![0.0; self.m]];
        for (place, row) in self.values.chunks_exact(self.m).enumerate() {
            let weight = self.weight(place);
            let all = row.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            let mut left = f64::NEG_INFINITY;
            let add = |sum: &mut f64, reached: bool| *sum += if reached { weight } else { 0.0 };
            for (rank, &j) in order.iter().enumerate().rev() {
                left = left.max(row[j]);
                add(&mut sums[0][j], row[j] >= own[j]);
                add(&mut sums[1][j], all >= common[j]);
                add(&mut sums[2][rank], left >= common[j]);
            }
        }
        let total = self.total();
        let share = |sums: &[f64]| sums.iter().map(|sum| (sum / total).min(1.0)).collect::<Vec<f64>>();
        let mut step_down = vec![0.0; self.m];
        for (p_value, &j) in running_maximum(share(&sums[2]).into_iter()).iter().zip(&order) {
            step_down[j] = *p_value;
        }
        MaxT { unadjusted: share(&sums[0]), single_step: share(&sums[1]), step_down, order }
    }

    /// Every statistic as one minus its p-value within the replays of its hypothesis.
    fn ranked(&self, unadjusted: &[f64]) -> Self {
        let (m, total) = (self.m, self.total());
        let ties = self.ties();
        let mut values = vec![0.0; self.values.len()];
        for hypothesis in 0..m {
            let column: Vec<f64> = self.values.iter().skip(hypothesis).step_by(m).copied().collect();
            let order = ascending(&column);
            // From the largest down: everything within a tie of a value counts with it.
            let (mut end, mut sum) = (order.len(), 0.0);
            for &row in order.iter().rev() {
                let least = column[row] - ties[hypothesis];
                while end > 0 && column[order[end - 1]] >= least {
                    end -= 1;
                    sum += self.weight(order[end]);
                }
                values[row * m + hypothesis] = 1.0 - sum / total;
            }
        }
        Self {
            m,
            observed: unadjusted.iter().map(|p_value| 1.0 - p_value).collect(),
            values,
            weights: self.weights.clone(),
        }
    }
}
