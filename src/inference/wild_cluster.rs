use crate::compute::regression::ClusterVariance;
use crate::compute::resampling::{ENUMERATED, ResidualsOf, WildBootstrap, WildTest, WildWeights};
use crate::design::{Comparison, Notice};
use crate::effect::{ConfidenceCurve, Contrast, Estimates, Inference, IntervalMethod};
use crate::error::{Error, Result};
use crate::estimator::{Estimator, LinearModel, LinearRegression, MeanOutcome, ModelOf};
use ndarray::Array2;
use std::sync::Arc;

/// The wild cluster bootstrap of a linear regression of the arms: for few clusters.
///
/// Use it where arms of a few schools, teams or municipalities are compared. Six clusters have 64 draws, all of
/// which are enumerated.
///
/// # Formula
/// That of [`WildBootstrap`]: the residuals of a cluster keep or change their sign together, in the model in
/// which the effect of one arm is the hypothesis and other arms stay; `t` with the CR1S standard error.
///
/// # Assumptions
/// Clusters are independent. With few clusters in an arm the restricted test rejects too rarely
/// (MacKinnon & Webb 2017), which errs to the safe side.
///
/// # Interval
/// The effects that are not rejected, by inversion of the two-sided test; its p-value is that of the curve.
/// Where an effect is rejected though one farther away is not, it counts as not rejected. With five or fewer
/// clusters and Rademacher's weights no p-value is below 0.05, so that intervals have no limits; Webb's weights
/// have more draws.
///
/// # Errors
/// Those of the regression; weights, an offset or products with arms; no declared clusters, or fewer than two
/// in an arm; draws without a seed, no draws or more than ten million.
///
/// # Examples
/// ```
/// use armwise::inference::WildClusterBootstrap;
/// use armwise::prelude::*;
///
/// let mut text = String::from("arm,team,score\n");
/// for (team, (arm, mean)) in
///     [("c", 4), ("c", 5), ("c", 3), ("c", 5), ("t", 8), ("t", 7), ("t", 9), ("t", 7)]
///         .into_iter()
///         .enumerate()
/// {
///     for person in 0..4 {
///         text += &format!("{arm},{team},{}\n", mean + (person * 7 + team as i64 * 3) % 4);
///     }
/// }
/// let trial = Trial::builder("Utrecht", Table::from_csv_str(&text)?)
///     .arm_labels("arm")
///     .control("c")
///     .clusters("team")
///     .build()?;
/// let score = trial.on(&Measure::continuous("score"))?;
/// let wild = WildClusterBootstrap::of(LinearRegression::new());
/// let effect = score.estimate(&wild)?.treatment("t")?;
/// // All 256 draws, of which two are the sample itself.
/// assert!(effect.p_value() >= 2.0 / 256.0 && effect.p_value() < 0.05);
/// assert!(effect.interval().lower() > 0.0);
/// # Ok::<(), armwise::Error>(())
/// ```
///
/// # References
/// Cameron, Gelbach & Miller (2008), Review of Economics and Statistics 90:414. Roodman, MacKinnon, Nielsen &
/// Webb (2019), Stata Journal 19:4. Webb (2023), Canadian Journal of Economics 56:839. MacKinnon & Webb (2017),
/// Journal of Applied Econometrics 32:233.
#[derive(Debug, Clone)]
pub struct WildClusterBootstrap {
    regression: LinearRegression,
    weights: WildWeights,
    residuals: ResidualsOf,
    draws: usize,
    seed: Option<u64>,
    enumerate_up_to: usize,
    level: f64,
}

impl WildClusterBootstrap {
    /// Rademacher's weights, the null imposed, all draws up to 100,000 of them, else 9,999 with a
    /// [`seed`](Self::seed); level 0.95.
    pub fn of(regression: LinearRegression) -> Self {
        Self {
            regression,
            weights: WildWeights::Rademacher,
            residuals: ResidualsOf::RestrictedModel,
            draws: 9_999,
            seed: None,
            enumerate_up_to: ENUMERATED,
            level: 0.95,
        }
    }

    setters! {
        /// The weights of clusters; default Rademacher's.
        weights: WildWeights;
        /// The residuals; default those of the restricted model.
        residuals: ResidualsOf;
        /// The number of draws where there are too many to enumerate; default 9,999.
        draws: usize;
        /// The seed of the draws.
        seed: u64 as Some;
        /// The most draws that are enumerated; default 100,000.
        enumerate_up_to: usize;
        /// The confidence level of the intervals; default 0.95.
        level: f64;
    }

    fn bootstrap(&self) -> WildBootstrap {
        WildBootstrap::new(self.seed.unwrap_or(0))
            .weights(self.weights)
            .residuals(self.residuals)
            .draws(self.draws)
            .enumerate_up_to(self.enumerate_up_to)
    }
}

impl<K: MeanOutcome> Estimator<K> for WildClusterBootstrap
where
    LinearModel: ModelOf<K>,
{
    type Scale = <LinearModel as ModelOf<K>>::Scale;

    fn estimate(&self, comparison: &Comparison<K>) -> Result<Estimates<Self::Scale>> {
        let regression = self.regression.clone().variance(ClusterVariance::Cr1s).level(self.level);
        let prepared = regression.prepare(comparison)?;
        if !prepared.is_plain() {
            return Err(Error::invalid(
                "a wild cluster bootstrap is of a regression with covariates alone; leave out weights, offset and products with arms",
            ));
        }
        let fit = prepared.fit()?;
        // Refuses what has no clusters, and an arm that lies in one.
        let full = comparison.estimate(&regression)?;
        let people = fit.comparison().people()?;
        let clusters = people.clusters.as_ref().map_or(&[][..], |clusters| &clusters.codes);
        let matrix = fit.regression().matrix();
        let columns: Vec<usize> = matrix.columns_of("arm")?.collect();
        let mut x = Array2::zeros((matrix.ncols(), matrix.nrows()));
        matrix.fill_with(0..matrix.nrows(), None, x.view_mut());
        let tests: Result<Vec<WildTest>> = columns
            .iter()
            .map(|&column| self.bootstrap().test(x.t(), &people.outcome, clusters, column))
            .collect();
        let tests = tests?;
        if self.seed.is_none() && tests.iter().any(|test| !test.enumerated) {
            return Err(Error::invalid(
                "there are too many draws to enumerate, and drawing needs a seed; give one with seed(..), so that the numbers can be made again",
            ));
        }
        let mut about = (*full.about).clone();
        let mut contrasts = Vec::with_capacity(tests.len());
        let mut covariance = full.covariance.clone();
        for (i, (contrast, test)) in full.contrasts.iter().zip(&tests).enumerate() {
            let steps = ConfidenceCurve::Steps(Arc::new(test.steps.without_gaps(test.estimate)));
            covariance[[i, i]] = test.se * test.se;
            let inference = Inference::new(test.estimate, test.se, None, self.level, steps);
            let inference = inference.map_err(|error| error.in_arm(contrast.treatment()))?;
            if !inference.interval().width().is_finite() {
                about.notices.push(Notice::UnboundedInterval { treatment: contrast.treatment().clone() });
            }
            contrasts.push(Contrast::new(contrast.treatment.clone(), inference));
        }
        let (draws, enumerated) =
            tests.first().map_or((0, true), |test| (test.draws as u64, test.enumerated));
        about.method.interval = IntervalMethod::WildCluster {
            weights: self.weights,
            residuals: self.residuals,
            draws,
            seed: self.seed.filter(|_| !enumerated),
        };
        Estimates::new(full.scale(), about, full.reference.clone(), contrasts, covariance)
    }
}
