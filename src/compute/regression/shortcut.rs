//! What the moments of the columns and a sample of the rows save a vectorised fit: passes at its start, and
//! the last one.

use super::irls::{Pass, Problem, Start, Vectorised};
use super::kernel::{Canonical, ColumnMoments, SAMPLE_SHARE, Sums};
use crate::compute::linalg::Cholesky;
use ndarray::{Array1, ArrayView1};

/// With fewer rows the noise of a sample costs the pass at the start that it should save (measured at 100,000
/// rows).
const LARGE: usize = 131_072;
/// With fewer rows a sample at the end would cost more than a few percent of a pass, or be small.
const MANY: usize = 32_768;
/// Beyond this effect on some row's predictor the sample is not trusted at the start.
const FAR: f64 = 4.0;
/// A last step that moves no predictor by more changes no weight by a larger share. What a fair sample makes
/// of that change is good to ten digits of the information; the worst sample, of rows that sorting sets
/// apart, errs by at most twice this share.
const SMALL: f64 = 5e-9;

impl Problem<'_, '_> {
    /// Coefficients of a logistic model near the maximum over all columns: the stretched first step
    /// ([`stretched`]), which the moments give, corrected with many rows by what the later steps change in a
    /// sample of them. The correction is small, so that its sampling error is smaller still. Rows that are
    /// sorted can make the sample a bad one, and covariates far from normal the stretch: [`Problem::solve`]
    /// goes back to `start` where that fits better.
    pub(crate) fn informed_start(&self, start: &Array1<f64>) -> Option<Start> {
        let Vectorised { model, kernel, moments } = self.vectorised()?;
        let known = moments.sums(model, start.view())?;
        if model != Canonical::Logistic || !self.is_plain() {
            return None;
        }
        let first = stretched(start, &known, moments)?;
        let refuge = Some((start.clone(), known.deviance));
        let Some(sample) = kernel.sample(LARGE) else { return Some(Start { coefficients: first, refuge }) };
        let sampled_first = stretched(start, &sample.sums(model, start.as_slice()?), moments)?;
        let mut sampled = sampled_first.clone();
        for _ in 0..3 {
            sampled += &step(&sample.sums(model, sampled.as_slice()?))?;
        }
        let correction = sampled - sampled_first;
        let all: Vec<usize> = (0..start.len()).collect();
        let near = moments.reach(&all, correction.view()) < FAR;
        near.then(|| Start { coefficients: first + correction, refuge })
    }

    /// By how much the score after a step over all columns differs from zero, to which the step brings it at
    /// constant weights, by a sample. `None` where the step is large, or rows are few.
    pub(super) fn curvature_by_sample(
        &self,
        from: ArrayView1<f64>,
        step: ArrayView1<f64>,
        bound: f64,
    ) -> Option<Array1<f64>> {
        /// Beyond this the change of the weights is no small correction.
        const NEAR: f64 = 0.5;
        let Vectorised { model, kernel, .. } = self.vectorised()?;
        if model == Canonical::Linear || bound > NEAR || bound <= SMALL || from.len() != step.len() {
            return None;
        }
        let sample = kernel.sample(LARGE)?;
        let before = sample.sums(model, from.as_slice()?);
        let after = sample.sums(model, (&from + &step).as_slice()?);
        Some((after.score - before.score + before.information.dot(&step)) * SAMPLE_SHARE)
    }

    /// Whether a step that moves no linear predictor by more than `bound` is the last one.
    pub(super) fn ends_by_sample(&self, bound: f64) -> bool {
        let curved = |v: Vectorised| v.model != Canonical::Linear && v.kernel.sample(MANY).is_some();
        bound <= SMALL && self.vectorised().is_some_and(curved)
    }

    /// Moves information and Pearson's chi-square to new coefficients by their change in a sample.
    pub(super) fn move_by_sample(&self, pass: &mut Pass, from: &Array1<f64>, to: &Array1<f64>) {
        let Some(Vectorised { model, kernel, .. }) = self.vectorised() else { return };
        let (Some(sample), Some(from), Some(to)) = (kernel.sample(MANY), from.as_slice(), to.as_slice())
        else {
            return;
        };
        let (before, after) = (sample.sums(model, from), sample.sums(model, to));
        pass.information.scaled_add(SAMPLE_SHARE, &(after.information - before.information));
        if let Some(pearson) = &mut pass.pearson_chi2 {
            *pearson += SAMPLE_SHARE * (after.pearson_chi2 - before.pearson_chi2);
        }
    }
}

fn step(sums: &Sums) -> Option<Array1<f64>> {
    Some(Cholesky::new(sums.information.view())?.solve(sums.score.view()))
}

/// The coefficients after a first step from a model with an intercept only, times `1 / sqrt(1 - pi V / 8)`
/// with the variance `V` of the linear predictor that they give. A linear step falls short of a logistic
/// curve: for a normal predictor by this factor, where the curve is taken for a normal distribution function
/// with the same slope at zero.
fn stretched(start: &Array1<f64>, sums: &Sums, moments: &ColumnMoments) -> Option<Array1<f64>> {
    /// The formula does not hold where the predictor varies more than this.
    const MOST: f64 = 0.6;
    let (constant, value) = moments.first_constant()?;
    let step = step(sums)?;
    let variance = sums.score.dot(&step) * value * value / sums.information[[constant, constant]];
    let short = (std::f64::consts::PI / 8.0 * variance).min(MOST);
    (variance > 0.0).then(|| (start + &step) / (1.0 - short).sqrt())
}
