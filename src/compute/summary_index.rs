//! One summary of several outcomes: an index for every person, or the mean of standardised effects.
//!
//! One test of a summary stands in for a family of tests of its outcomes, and gains power where they move the
//! same way. Outcomes are standardised by the controls that have them, with the sign that makes more better.
//!
//! ```
//! use armwise::summary_index::{IndexCovariance, SummaryIndex};
//!
//! let income = [1.0, 3.0, 2.0, 5.0, 6.0, 4.0];
//! let debt = [9.0, 7.0, 8.5, 4.0, 5.0, 6.0];
//! let treated = [false, false, false, true, true, true];
//! let index = SummaryIndex::new(
//!     &[&income, &debt], &[1.0, -1.0], &treated, IndexCovariance::Everybody,
//! )?;
//! assert!((index.weights.iter().sum::<f64>() - 1.0).abs() < 1e-12);
//! assert!(index.values[3].unwrap() > index.values[0].unwrap());
//! # Ok::<(), armwise::Error>(())
//! ```

use super::linalg::Cholesky;
use super::randomization::Swept;
use super::regression::VarianceType;
use crate::error::{Error, ErrorKind, Result, counted};
use ndarray::{Array1, Array2};
use serde::{Deserialize, Serialize};

/// The people whose covariance weighs the outcomes of an index.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum IndexCovariance {
    /// Everybody (Anderson 2008). The default.
    #[default]
    Everybody,
    /// The controls, whom no treatment has changed.
    Controls,
}

/// An index that weighs outcomes by the inverse of their covariance.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct SummaryIndex {
    /// The index of every person; none for those without any outcome.
    pub values: Vec<Option<f64>>,
    /// The weights of the outcomes, which sum to one; an outcome that others hold already may have less than
    /// none.
    pub weights: Vec<f64>,
    /// The covariance matrix of the standardised outcomes.
    pub covariance: Array2<f64>,
    /// The means of the controls.
    pub control_means: Vec<f64>,
    /// The standard deviations of the controls.
    pub control_sds: Vec<f64>,
}

/// Means and standard deviations (divisor n - 1) of the controls who have an outcome.
fn controls(outcomes: &[&[f64]], treated: &[bool]) -> Result<(Vec<f64>, Vec<f64>)> {
    let (mut means, mut sds) = (Vec::new(), Vec::new());
    for (place, outcome) in outcomes.iter().enumerate() {
        let own: Vec<f64> = outcome
            .iter()
            .zip(treated)
            .filter(|(value, treated)| !value.is_nan() && !**treated)
            .map(|(value, _)| *value)
            .collect();
        let n = own.len() as f64;
        let mean = own.iter().sum::<f64>() / n;
        let variance = own.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / (n - 1.0);
        if !(variance > 0.0 && variance.is_finite()) {
            return Err(ErrorKind::ZeroVariance(format!(
                "outcome {} does not vary among the controls, by whom it is standardised; leave it out",
                place + 1
            ))
            .into());
        }
        means.push(mean);
        sds.push(variance.sqrt());
    }
    Ok((means, sds))
}

fn check(outcomes: &[&[f64]], signs: &[f64], treated: &[bool]) -> Result<()> {
    if outcomes.is_empty() || signs.len() != outcomes.len() {
        return Err(Error::invalid(format!(
            "{} for {}; give one sign for each outcome, of one outcome at least",
            counted(signs.len(), "sign"),
            counted(outcomes.len(), "outcome")
        )));
    }
    if signs.iter().any(|sign| sign.abs() != 1.0) {
        return Err(Error::invalid("a sign is neither 1 nor -1; give 1 where more is better, else -1"));
    }
    if outcomes.iter().any(|outcome| outcome.len() != treated.len()) {
        return Err(Error::invalid(
            "an outcome has another number of people; give one value for each person",
        ));
    }
    if outcomes.iter().flat_map(|outcome| outcome.iter()).any(|value| value.is_infinite()) {
        return Err(Error::invalid("an outcome is infinite; give numbers, and NaN for missing ones"));
    }
    Ok(())
}

impl SummaryIndex {
    /// The index of outcomes (one slice each, NaN where missing) with their signs: 1 where more is better, else
    /// -1.
    ///
    /// # Formula
    /// `z_k = sign_k (y_k - m_k) / s_k` with mean and standard deviation of the controls. With `S` the covariance
    /// matrix of the z (of the people who have both outcomes, divisor n - 1) and `w = S^-1 1`, the index of a
    /// person is `sum(w_k z_k) / sum(w_k)` over the outcomes that the person has.
    ///
    /// # Errors
    /// No outcomes, another number of signs or people; an outcome that does not vary among controls
    /// (`zero_variance`); outcomes that follow from each other (`not_estimable`).
    ///
    /// # References
    /// Anderson (2008), JASA 103:1481.
    pub fn new(
        outcomes: &[&[f64]],
        signs: &[f64],
        treated: &[bool],
        covariance: IndexCovariance,
    ) -> Result<Self> {
        check(outcomes, signs, treated)?;
        let (control_means, control_sds) = controls(outcomes, treated)?;
        let z: Vec<Vec<f64>> = (0..outcomes.len())
            .map(|k| outcomes[k].iter().map(|y| signs[k] * (y - control_means[k]) / control_sds[k]).collect())
            .collect();
        let member = |person: usize| covariance == IndexCovariance::Everybody || !treated[person];
        let of_pair = |(k, l): (usize, usize)| {
            let both = || {
                let people = (0..treated.len()).filter(|&person| member(person));
                people.map(|person| (z[k][person], z[l][person])).filter(|(a, b)| !a.is_nan() && !b.is_nan())
            };
            let n = both().count() as f64;
            let (a, b) = both().fold((0.0, 0.0), |(a, b), (x, y)| (a + x / n, b + y / n));
            both().map(|(x, y)| (x - a) * (y - b)).sum::<f64>() / (n - 1.0)
        };
        let matrix = Array2::from_shape_fn((z.len(), z.len()), of_pair);
        let apart = || {
            Error::not_estimable(
                "the outcomes of the index follow from each other, or no two people have both of a pair; leave one out",
            )
        };
        if matrix.iter().any(|value| !value.is_finite()) {
            return Err(apart());
        }
        let factor = Cholesky::new(matrix.view()).ok_or_else(apart)?;
        let raw = factor.solve(Array1::ones(z.len()).view());
        let total = raw.sum();
        if !total.is_finite() || total.abs() <= 1e-12 * raw.iter().fold(0.0_f64, |most, w| most.max(w.abs()))
        {
            return Err(apart());
        }
        let weights: Vec<f64> = raw.iter().map(|weight| weight / total).collect();
        let index = |person: usize| {
            let (mut sum, mut own) = (0.0, 0.0);
            for (z, weight) in z.iter().zip(&weights).filter(|(z, _)| !z[person].is_nan()) {
                sum += weight * z[person];
                own += weight;
            }
            // Weights of opposite signs may leave nothing to divide by.
            (own.abs() > 1e-12).then_some(sum / own)
        };
        let values = (0..treated.len()).map(index).collect();
        Ok(Self { values, weights, covariance: matrix, control_means, control_sds })
    }

    /// The index with mean 0 and standard deviation 1 among the controls.
    ///
    /// # Errors
    /// Another number of people, or controls whose index does not vary.
    pub fn normalised(&self, treated: &[bool]) -> Result<Vec<Option<f64>>> {
        let values: Vec<f64> = self.values.iter().map(|value| value.unwrap_or(f64::NAN)).collect();
        check(&[&values], &[1.0], treated)?;
        let (means, sds) = controls(&[&values], treated)?;
        Ok(self.values.iter().map(|value| value.map(|value| (value - means[0]) / sds[0])).collect())
    }
}

/// The mean of the effects on several outcomes, each in standard deviations of the controls.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct MeanStandardizedEffect {
    /// The mean.
    pub value: f64,
    /// The effect on every outcome in its own unit, with the sign that makes more better.
    pub effects: Vec<f64>,
    /// The standard deviations of the controls, taken as known.
    pub control_sds: Vec<f64>,
    /// The joint covariance matrix of the effects.
    pub covariance: Array2<f64>,
    /// The standard error of the mean.
    pub se: f64,
    /// The variance that was asked for.
    pub variance: VarianceType,
}

impl MeanStandardizedEffect {
    /// Of outcomes that everybody has, by least squares on treatment and covariates, one slice each.
    ///
    /// # Formula
    /// `tau = (1/K) sum pi_k / s_k`, with the coefficient `pi_k` of outcome k and the standard deviation `s_k` of
    /// its controls. The K regressions share their rows, so with `q = X (X'X)^-1 e` of the treatment and the
    /// residuals `e_k` the covariance of two coefficients is `sum q_i^2 u_i e_ik e_il`: `u` is 1 (HC0),
    /// `n / (n - p)` (HC1), `1 / (1 - h_i)` (HC2) or its square (HC3); by the model `e_k'e_l / (n - p)` times
    /// `q'q`.
    ///
    /// # Errors
    /// As [`SummaryIndex::new`]; missing outcomes; covariates that follow from each other; HC2 and HC3 where a
    /// person alone settles a coefficient.
    ///
    /// # References
    /// Kling, Liebman & Katz (2007), Econometrica 75:83.
    pub fn new(
        outcomes: &[&[f64]],
        signs: &[f64],
        treated: &[bool],
        covariates: &[&[f64]],
        variance: VarianceType,
    ) -> Result<Self> {
        check(outcomes, signs, treated)?;
        let (_, control_sds) = controls(outcomes, treated)?;
        let n = treated.len();
        let indicator = treated.iter().map(|treated| f64::from(u8::from(*treated))).collect();
        let signed = (0..outcomes.len()).map(|k| outcomes[k].iter().map(|y| signs[k] * y).collect());
        let columns: Vec<Vec<f64>> = std::iter::once(indicator).chain(signed).collect();
        let covariates: Vec<Vec<f64>> = covariates.iter().map(|column| column.to_vec()).collect();
        if covariates.iter().any(|column| column.len() != n || column.iter().any(|value| !value.is_finite()))
        {
            return Err(Error::invalid("a covariate is missing or infinite; give a number for each person"));
        }
        let swept = Swept::new(&columns, &covariates)?;
        let (own, outcomes) = swept.residuals.split_at(1);
        let own = &own[0];
        let length: f64 = own.iter().map(|value| value * value).sum();
        let p = swept.basis.len() + 1;
        if length <= 1e-12 * n as f64 || n <= p {
            return Err(Error::not_estimable(
                "the covariates tell who is treated, or there are no more people than coefficients; adjust for fewer covariates",
            ));
        }
        let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
        let effects: Vec<f64> = outcomes.iter().map(|outcome| dot(own, outcome) / length).collect();
        let errors: Vec<Vec<f64>> = outcomes
            .iter()
            .zip(&effects)
            .map(|(outcome, effect)| outcome.iter().zip(own).map(|(y, a)| y - effect * a).collect())
            .collect();
        let df = (n - p) as f64;
        let factor = |person: usize| {
            let leverage: f64 =
                swept.basis.iter().map(|q| q[person] * q[person]).sum::<f64>() + own[person].powi(2) / length;
            match variance {
                VarianceType::Hc0 => Some(1.0),
                VarianceType::Hc1 => Some(n as f64 / df),
                VarianceType::Hc2 => (leverage < 1.0 - 1e-10).then(|| 1.0 / (1.0 - leverage)),
                VarianceType::Hc3 => (leverage < 1.0 - 1e-10).then(|| (1.0 - leverage).powi(-2)),
                // Constant over people.
                VarianceType::Model => Some(length / df),
            }
        };
        let of_person = |person: usize| {
            let influence = if variance == VarianceType::Model { 1.0 } else { own[person] };
            factor(person).map(|u| u * (influence / length).powi(2))
        };
        let weights: Option<Vec<f64>> = (0..n).map(of_person).collect();
        let Some(weights) = weights else {
            return Err(Error::not_estimable(
                "a person alone settles a coefficient, so that HC2 and HC3 are not defined; take HC1, or fewer covariates",
            ));
        };
        let k = effects.len();
        let covariance = Array2::from_shape_fn((k, k), |(i, j)| {
            (0..n).map(|person| weights[person] * errors[i][person] * errors[j][person]).sum()
        });
        let share = |i: usize| 1.0 / (k as f64 * control_sds[i]);
        let value = (0..k).map(|i| effects[i] * share(i)).sum();
        let total: f64 = covariance.indexed_iter().map(|((i, j), value)| value * share(i) * share(j)).sum();
        Ok(Self { value, effects, control_sds, covariance, se: total.max(0.0).sqrt(), variance })
    }
}
