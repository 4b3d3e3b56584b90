//! What pooling independent estimates yields.

use super::options::{PredictionDf, Tau2, Test};
use super::prediction::PredictionRule;
use crate::compute::curve;
use crate::compute::hypothesis::ChiSquaredTest;
use crate::compute::interval::Interval;
use crate::compute::reference_distribution::{ReferenceDistribution, check_level, upper_tail};
use crate::error::{Error, ErrorKind, Result, counted};
use serde::{Deserialize, Serialize};

/// A pooled effect with one kind of standard error and reference distribution.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Inference {
    /// The standard error.
    pub se: f64,
    /// (estimate - null value)/se.
    pub statistic: f64,
    /// Degrees of freedom of t; `None` for the standard normal.
    pub df: Option<f64>,
    /// The p-value of the chosen alternative.
    pub p_value: f64,
    /// The two-sided interval.
    pub interval: Interval,
}

/// All numbers of a pooled effect but the weights of the studies; small enough to copy.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(remote = "Self")]
#[non_exhaustive]
pub struct PoolSummary {
    /// The number of studies.
    pub k: usize,
    /// The pooled effect.
    pub estimate: f64,
    /// Its standard error by [`PoolSummary::test`].
    pub se: f64,
    /// (estimate - null value)/se.
    pub statistic: f64,
    /// Degrees of freedom of t; `None` for the standard normal.
    pub df: Option<f64>,
    /// The p-value of the chosen alternative.
    pub p_value: f64,
    /// The two-sided confidence interval.
    pub interval: Interval,
    /// The test that was asked for.
    pub test: Test,
    /// The confidence level of all intervals.
    pub level: f64,
    /// The model's standard error with the standard normal.
    pub wald: Inference,
    /// Hartung-Knapp, untruncated; `None` for a common effect, one study, or estimates that are all equal.
    pub hartung_knapp: Option<Inference>,
    /// Whether the Hartung-Knapp interval is narrower than the Wald interval.
    pub hartung_knapp_narrower: bool,
    /// The estimator of tau²; `None` for a common effect.
    pub tau2_estimator: Option<Tau2>,
    /// The variance between studies; 0 for a common effect and for one study.
    pub tau2: f64,
    /// Its standard error, where the estimator has one.
    pub se_tau2: Option<f64>,
    /// Its Q-profile interval; `None` for a common effect and for one study.
    pub tau2_interval: Option<Interval>,
    /// Whether the estimate of tau² lies on the boundary 0 though several studies were pooled at random
    /// effects.
    pub boundary: bool,
    /// Cochran's Q: sum (y - mean)²/v around the common effect, with k - 1 degrees of freedom.
    pub q: ChiSquaredTest,
    /// The share of variance that lies between studies, from 0 to 1: tau²/(tau² + typical variance). For a
    /// common effect max(0, (Q - df)/Q).
    pub i2: f64,
    /// tau²/(typical variance) + 1. For a common effect Q/df.
    pub h2: f64,
    /// I² at the limits of the interval of tau².
    pub i2_interval: Option<Interval>,
    /// H² at the limits of the interval of tau².
    pub h2_interval: Option<Interval>,
    /// (k - 1)/(sum w - sum w²/sum w), w = 1/v (Higgins & Thompson 2002, Stat. Med. 21); `None` for one
    /// study.
    pub typical_variance: Option<f64>,
    /// The interval for the effect in a new study. With a rule of degrees of freedom it is
    /// sqrt(tau² + se²) wide to either side in units of its quantile, se that of the model for
    /// [`Test::WiderOfBoth`] and of the test else; by the confidence distribution of tau² se is that of the
    /// model at each tau². `None` for a common effect, and where there are too few studies for it.
    pub prediction: Option<Interval>,
    /// The rule by which it was made; `None` for a common effect.
    pub prediction_rule: Option<PredictionRule>,
    /// The log-likelihood at these estimates, with all constants.
    pub log_likelihood: f64,
    /// The restricted log-likelihood at these estimates, with all constants and + log(k)/2.
    pub restricted_log_likelihood: f64,
}

/// The pooled effect and tau² with their intervals, for pools by the thousand. Its fields are those of
/// [`PoolSummary`].
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct PoolEstimate {
    /// The number of studies.
    pub k: usize,
    /// The pooled effect.
    pub estimate: f64,
    /// Its standard error by the test that was asked for.
    pub se: f64,
    /// Degrees of freedom of t; `None` for the standard normal.
    pub df: Option<f64>,
    /// The two-sided confidence interval.
    pub interval: Interval,
    /// The variance between studies; 0 for a common effect and for one study.
    pub tau2: f64,
    /// Its Q-profile interval; `None` for a common effect and for one study.
    pub tau2_interval: Option<Interval>,
}

/// A pooled effect: every field of [`PoolSummary`] (reached without naming it) and the weights of the
/// studies.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PooledEffect {
    /// All numbers but the weights.
    #[serde(flatten)]
    pub summary: PoolSummary,
    /// The weight of each study; they add up to 1.
    pub weights: Vec<f64>,
}

impl std::ops::Deref for PooledEffect {
    type Target = PoolSummary;

    fn deref(&self) -> &PoolSummary {
        &self.summary
    }
}

/// One-sided confidence bounds, each at the full confidence level.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct OneSidedBounds {
    /// The effect exceeds this with the given confidence.
    pub lower: f64,
    /// The effect is below this with the given confidence.
    pub upper: f64,
}

checked!(PoolSummary);

impl PoolSummary {
    /// Refuses numbers of which one does not follow from another; those that follow from the studies alone are
    /// checked where these are kept, in the pools of trials. The p-value may be one-sided, or against another
    /// null value.
    fn check(&self) -> Result<()> {
        let own = self.inference()?.interval();
        let near = |a: f64, b: f64| (a - b).abs() <= 1e-8 * (self.se + a.abs());
        let positive = |x: f64| x >= 0.0 && x.is_finite();
        let share = |x: f64| (0.0..=1.0).contains(&x);
        let of_either =
            self.se == self.wald.se || self.hartung_knapp.is_some_and(|other| self.se == other.se);
        let sound = self.k > 0
            && near(own.lower(), self.interval.lower())
            && near(own.upper(), self.interval.upper())
            && share(self.p_value)
            && positive(self.tau2)
            && self.se_tau2.is_none_or(positive)
            && self.typical_variance.is_none_or(positive)
            && self.tau2_interval.is_none_or(|interval| interval.lower() >= 0.0)
            && !(self.boundary && self.tau2 > 0.0)
            && share(self.i2)
            && self.q.df + 1.0 == self.k as f64
            && positive(self.wald.se)
            && (self.test != Test::WiderOfBoth || of_either);
        if sound {
            return Ok(());
        }
        Err(Error::invalid(format!(
            "the interval, tau2, I2 or number of studies of this pool do not follow from its estimate {}, standard error {} and Q {}; take \
             the pool as it was made",
            self.estimate, self.se, self.q.statistic
        )))
    }

    /// sqrt(tau²), the standard deviation of effects between studies.
    pub fn tau(&self) -> f64 {
        self.tau2.sqrt()
    }

    /// The effect with its confidence curve, two-sided against 0: of the wider of both the larger p-value.
    pub(crate) fn inference(&self) -> Result<curve::Inference> {
        if let (Test::WiderOfBoth, Some(Inference { se, df: Some(df), .. })) = (self.test, self.hartung_knapp)
        {
            return curve::Inference::larger_of(self.estimate, self.wald.se, (se, df), self.level);
        }
        curve::Inference::wald(self.estimate, self.se, self.df, self.level)
    }

    /// One-sided bounds of the effect at a level (0.95: 95 % each).
    ///
    /// # Errors
    /// [`ErrorKind::InvalidInput`] for a level outside (0, 1).
    pub fn one_sided(&self, level: f64) -> Result<OneSidedBounds> {
        check_level(level)?;
        let distance = |se: f64, df| -> Result<f64> {
            Ok(ReferenceDistribution::of(df)?.upper_quantile(1.0 - level) * se)
        };
        let distance = match (self.test, self.hartung_knapp) {
            (Test::WiderOfBoth, Some(other)) => {
                let (wald, other) = (distance(self.wald.se, None)?, distance(other.se, other.df)?);
                if wald.abs() >= other.abs() { wald } else { other }
            }
            _ => distance(self.se, self.df)?,
        };
        Ok(OneSidedBounds { lower: self.estimate - distance, upper: self.estimate + distance })
    }

    /// The interval for the effect in a new study, by another rule for its degrees of freedom.
    ///
    /// # Errors
    /// [`ErrorKind::InsufficientStudies`] with fewer than two studies, or fewer than three with
    /// [`PredictionDf::KMinus2`]; [`ErrorKind::NotEstimable`] for a common effect.
    pub fn prediction_interval(&self, rule: PredictionDf) -> Result<Interval> {
        let tail = upper_tail(self.level)?;
        if self.tau2_estimator.is_none() {
            let why = "a common effect says nothing of new studies; pool with random effects for a prediction interval";
            return Err(ErrorKind::NotEstimable(why.into()).into());
        }
        let needed = if rule == PredictionDf::KMinus2 { 3 } else { 2 };
        if self.k < needed {
            return Err(ErrorKind::InsufficientStudies(format!(
                "a prediction interval by this rule needs {studies}, and the pool has {}; take another rule",
                self.k,
                studies = counted(needed, "study")
            ))
            .into());
        }
        let k = self.k as f64;
        let of_test = if self.test == Test::WiderOfBoth { Some(k - 1.0) } else { self.df };
        let reference = ReferenceDistribution::of(rule.df(k, of_test))?;
        Ok(self.prediction_with(reference.upper_quantile(tail)))
    }

    /// Of the wider of both with the standard error of the model, so that it does not jump where the other
    /// takes over.
    pub(super) fn prediction_with(&self, quantile: f64) -> Interval {
        let se = if self.test == Test::WiderOfBoth { self.wald.se } else { self.se };
        Interval::around(self.estimate, quantile * (self.tau2 + se * se).sqrt())
    }
}
