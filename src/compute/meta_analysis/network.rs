//! Networks of treatments: consistency models over trials that compare different arms.

// Array views are passed by value, as ndarray does.
#![allow(clippy::needless_pass_by_value)]

use super::multivariate::{CoefficientTest, MultivariateData, MultivariateModel};
use super::multivariate_pool::MultivariatePool;
use super::options::MOST_COEFFICIENTS;
use crate::compute::distribution::Normal;
use crate::compute::fitted::Fitted;
use crate::compute::hypothesis::ChiSquaredTest;
use crate::compute::linalg::held_jointly;
use crate::compute::reference_distribution::ReferenceDistribution;
use crate::error::{Collinearity, Error, ErrorKind, Result};
use ndarray::{Array2, ArrayView2};
use serde::{Deserialize, Serialize};

/// Trials that compare some of a set of treatments.
#[derive(Debug, Clone, PartialEq)]
pub struct NetworkData {
    treatments: Vec<String>,
    trials: Vec<NetworkTrial>,
}

#[derive(Debug, Clone, PartialEq)]
struct NetworkTrial {
    baseline: usize,
    others: Vec<usize>,
    yi: Vec<f64>,
    covariance: Array2<f64>,
}

impl NetworkData {
    /// No trials yet; the names of all treatments, controls included.
    pub fn new<S: Into<String>>(treatments: impl IntoIterator<Item = S>) -> Self {
        Self { treatments: treatments.into_iter().map(Into::into).collect(), trials: Vec::new() }
    }

    /// Adds a trial: its baseline, its other treatments, their contrasts against the baseline and the
    /// covariance of these.
    ///
    /// # Errors
    /// [`ErrorKind::UnknownArm`] for a treatment that the network does not have; [`ErrorKind::InvalidInput`]
    /// for one that occurs twice, and for shapes that differ.
    pub fn trial(
        mut self,
        baseline: &str,
        others: &[&str],
        yi: &[f64],
        covariance: ArrayView2<'_, f64>,
    ) -> Result<Self> {
        self.push(baseline, others, yi, covariance)?;
        Ok(self)
    }

    /// As [`NetworkData::trial`], in place.
    ///
    /// # Errors
    /// As [`NetworkData::trial`].
    pub fn push(
        &mut self,
        baseline: &str,
        others: &[&str],
        yi: &[f64],
        covariance: ArrayView2<'_, f64>,
    ) -> Result<()> {
        let baseline = self.index(baseline)?;
        let others = others.iter().map(|name| self.index(name)).collect::<Result<Vec<_>>>()?;
        let repeated =
            others.iter().enumerate().any(|(i, arm)| *arm == baseline || others[..i].contains(arm));
        if repeated || others.len() != yi.len() || covariance.dim() != (yi.len(), yi.len()) || yi.is_empty() {
            return Err(Error::invalid(format!(
                "trial {} of the network needs different treatments, and one contrast and one row of the covariance \
                 for each treatment but the baseline",
                self.trials.len() + 1
            )));
        }
        self.trials.push(NetworkTrial {
            baseline,
            others,
            yi: yi.to_vec(),
            covariance: covariance.to_owned(),
        });
        Ok(())
    }

    fn index(&self, name: &str) -> Result<usize> {
        self.treatments.iter().position(|treatment| treatment == name).ok_or_else(|| {
            ErrorKind::UnknownArm { label: name.to_owned(), known: self.treatments.clone() }.into()
        })
    }

    /// The joint model of all trials under consistency, with the treatments against one of them.
    fn consistency(&self, reference: usize) -> Result<MultivariateData> {
        let kept: Vec<usize> = (0..self.treatments.len()).filter(|index| *index != reference).collect();
        let mut data = MultivariateData::new(kept.iter().map(|index| self.treatments[*index].clone()));
        for trial in &self.trials {
            let design = Array2::from_shape_fn((trial.yi.len(), kept.len()), |(row, column)| {
                let is = |arm: usize| f64::from(u8::from(kept[column] == arm));
                is(trial.others[row]) - is(trial.baseline)
            });
            data.push(&trial.yi, trial.covariance.view(), design.view())?;
        }
        Ok(data)
    }

    /// The treatments that no chain of trials connects with one of them.
    fn apart(&self, from: usize) -> Vec<String> {
        let mut reached = vec![false; self.treatments.len()];
        reached[from] = true;
        // Each pass reaches a treatment more, or none any more.
        for _ in 0..self.treatments.len() {
            for trial in &self.trials {
                let arms = || trial.others.iter().chain([&trial.baseline]);
                if arms().any(|arm| reached[*arm]) {
                    arms().for_each(|arm| reached[*arm] = true);
                }
            }
        }
        let names = self.treatments.iter().zip(reached);
        names.filter(|(_, reached)| !reached).map(|(name, _)| name.clone()).collect()
    }

    /// Q within designs: each set of treatments that was compared in some trial has contrasts of its own.
    fn within_designs(&self) -> Result<ChiSquaredTest> {
        let mut designs: Vec<(Vec<usize>, Vec<&NetworkTrial>)> = Vec::new();
        for trial in &self.trials {
            let mut arms = trial.others.clone();
            arms.push(trial.baseline);
            arms.sort_unstable();
            match designs.iter_mut().find(|(design, _)| *design == arms) {
                Some((_, trials)) => trials.push(trial),
                None => designs.push((arms, vec![trial])),
            }
        }
        let (mut statistic, mut df) = (0.0, 0.0);
        for (arms, trials) in designs {
            let part = Self {
                treatments: arms.iter().map(|arm| self.treatments[*arm].clone()).collect(),
                trials: trials
                    .into_iter()
                    .map(|trial| {
                        let place = |arm: usize| arms.iter().position(|other| *other == arm).unwrap_or(0);
                        NetworkTrial {
                            baseline: place(trial.baseline),
                            others: trial.others.iter().map(|arm| place(*arm)).collect(),
                            ..trial.clone()
                        }
                    })
                    .collect(),
            };
            let test = CoefficientTest::Normal;
            let q = MultivariateModel::common_effect().test(test).pool(&part.consistency(0)?)?.q;
            statistic += q.statistic;
            df += q.df;
        }
        ChiSquaredTest::new(statistic, df)
    }

    /// Fits the network under consistency: every contrast is the difference of two effects against the
    /// reference.
    ///
    /// # Examples
    /// ```
    /// use armwise::meta_analysis::{MultivariateModel, NetworkData};
    /// use armwise::ndarray::array;
    ///
    /// let variance = array![[0.01]];
    /// let network = NetworkData::new(["control", "a", "b"])
    ///     .trial("control", &["a"], &[0.3], variance.view())?
    ///     .trial("a", &["b"], &[0.2], variance.view())?
    ///     .pool("control", &MultivariateModel::common_effect())?;
    /// assert!((network.model.coefficient("b")?.estimate - 0.5).abs() < 1e-12);
    /// # Ok::<(), armwise::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::UnknownArm`] for the reference; those of [`MultivariateModel`]: a network that is not
    /// connected is [`ErrorKind::Collinear`].
    ///
    /// # References
    /// Lu & Ades 2004, Stat. Med. 23; Higgins et al. 2012, Res. Synth. Methods 3 (inconsistency); Rücker &
    /// Schwarzer 2015, BMC Med. Res. Methodol. 15 (P-scores).
    pub fn pool(&self, reference: &str, model: &MultivariateModel) -> Result<NetworkPool> {
        held_jointly(self.treatments.len(), MOST_COEFFICIENTS, "arms of a network")?;
        let reference = self.index(reference)?;
        let apart = self.apart(reference);
        if !apart.is_empty() {
            return Err(ErrorKind::Collinear { what: Collinearity::Network, components: apart }.into());
        }
        let model = model.pool(&self.consistency(reference)?)?;
        let within = self.within_designs()?;
        let inconsistency = (model.q.statistic - within.statistic).max(0.0);
        let inconsistency_df = model.q.df - within.df;
        let count = self.treatments.len();
        let place = |arm: usize| (arm != reference).then(|| arm - usize::from(arm > reference));
        let estimates = model.estimates();
        let estimate = |arm| place(arm).map_or(0.0, |i| estimates[i]);
        let covariance = |a, b| place(a).zip(place(b)).map_or(0.0, |cell| model.covariance[[cell.0, cell.1]]);
        let differences =
            Array2::from_shape_fn(
                (count, count),
                |(i, j)| if i == j { 0.0 } else { estimate(i) - estimate(j) },
            );
        let se = Array2::from_shape_fn((count, count), |(i, j)| {
            let variance: f64 = covariance(i, i) + covariance(j, j) - 2.0 * covariance(i, j);
            if i == j { 0.0 } else { variance.max(0.0).sqrt() }
        });
        let reference = ReferenceDistribution::of(model.coefficients.first().and_then(|first| first.df))?;
        let p_scores = (0..count)
            .map(|i| {
                let others = (0..count).filter(|j| *j != i);
                others.map(|j| reference.cdf(differences[[i, j]] / se[[i, j]])).sum::<f64>()
                    / (count as f64 - 1.0)
            })
            .collect();
        Ok(NetworkPool {
            treatments: self.treatments.clone(),
            q_within_designs: within,
            q_inconsistency: ChiSquaredTest::new(inconsistency, inconsistency_df)?,
            model,
            differences,
            se,
            p_scores,
        })
    }
}

/// A network of treatments, pooled.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct NetworkPool {
    /// All treatments, in the order in which they were declared.
    pub treatments: Vec<String>,
    /// Treatments against the reference; its `q` is the Q of the whole network.
    pub model: MultivariatePool,
    /// Row minus column, for all treatments.
    #[serde(with = "crate::compute::matrix_rows")]
    pub differences: Array2<f64>,
    /// The standard errors of the differences.
    #[serde(with = "crate::compute::matrix_rows")]
    pub se: Array2<f64>,
    /// The mean probability that a treatment has a larger effect than another one, by the reference
    /// distribution of the coefficients; 1 for the largest.
    pub p_scores: Vec<f64>,
    /// Heterogeneity among trials that compare the same treatments.
    pub q_within_designs: ChiSquaredTest,
    /// Disagreement between sets of trials that compare different treatments.
    pub q_inconsistency: ChiSquaredTest,
}

/// An estimate with its standard error.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Estimated {
    /// The estimate.
    pub estimate: f64,
    /// Its standard error.
    pub se: f64,
}

/// The P-score that the best of some arms has on average where no arm differs from another: what chance alone
/// gives. Arms are taken as equally precise and independent.
///
/// # Formula
/// The estimates `x` of `n` arms are independent and normal with one mean and variance. The best of them has
/// the P-score `sum Phi((max x - x_j) / sqrt 2) / (n - 1)` over the others; its mean is
/// `n int phi(x) Phi(x)^(n - 2) int_{y < x} phi(y) Phi((x - y) / sqrt 2) dy dx`, by Simpson's rule. NaN for
/// fewer than two arms.
///
/// # References
/// Rücker G, Schwarzer G (2015), BMC Medical Research Methodology 15:58 (the P-score).
///
/// ```
/// use armwise::meta_analysis::chance_p_score;
///
/// // The larger of a uniform number and its complement.
/// assert!((chance_p_score(2) - 0.75).abs() < 1e-6);
/// ```
pub fn chance_p_score(arms: usize) -> f64 {
    /// The ends and the number of steps of the integrals.
    const END: f64 = 9.0;
    const STEPS: u32 = 240;
    let Some(others) = arms.checked_sub(2).and_then(|others| i32::try_from(others).ok()) else {
        return f64::NAN;
    };
    let simpson = |from: f64, to: f64, f: &dyn Fn(f64) -> f64| {
        let step = (to - from) / f64::from(STEPS);
        let sum: f64 = (0..=STEPS)
            .map(|i| {
                let weight = if i == 0 || i == STEPS { 1.0 } else { f64::from(2 + 2 * (i % 2)) };
                weight * f(from + f64::from(i) * step)
            })
            .sum();
        sum * step / 3.0
    };
    let density = |x: f64| (-0.5 * x * x).exp() / (2.0 * std::f64::consts::PI).sqrt();
    let beaten = |x: f64| simpson(-END, x, &|y| density(y) * Normal.cdf((x - y) / std::f64::consts::SQRT_2));
    let integral = simpson(-END, END, &|x| density(x) * Normal.cdf(x).powi(others) * beaten(x));
    arms as f64 * integral
}
