use super::Estimator;
use super::blocked_means::blocked;
use super::clusters::{Responses, clustered_contrasts};
use super::options::{field, is_usual, level_setter};
use crate::compute::mean::{Blocks, MeansVariance, PooledDeviation, Sample, welch_df};
use crate::compute::reference_distribution::check_level;
use crate::design::{Comparison, Continuous, OutcomeKind};
use crate::effect::{
    About, Contrast, Estimand, Estimates, IntervalMethod, MeanDifference, Method, VarianceMethod,
};
use crate::error::{Error, ErrorKind, Result};
use ndarray::Array2;
use serde::{Deserialize, Serialize};

/// The difference of two means, treatment minus reference, without covariates.
///
/// Use it on scores, hours and wages, zeros included. With covariates:
/// [`LinearRegression`](crate::estimator::LinearRegression).
///
/// # Formula
/// Arm `a` has mean `m_a`, variance `s_a^2` (divisor `n_a - 1`) and `n_a` people: `m_1 - m_0`, in units of
/// the outcome. Standard error: the root of `v_1 + v_0` with `v_a = s_a^2 / n_a`. Welch's degrees of freedom:
/// `(v_1 + v_0)^2 / (v_1^2 / (n_1 - 1) + v_0^2 / (n_0 - 1))`. Two treatments share the reference: their
/// covariance is `v_0`.
///
/// # Assumptions
/// People (or the declared clusters) were randomised and are independent; means are near normal.
///
/// # Interval
/// Student's t with Welch's degrees of freedom, or `N - k` for the pooled variance; normal by
/// [`MeansVariance::Normal`]. Where clusters were declared: CR2 with Satterthwaite's degrees of freedom.
/// Within strata, and for matched sets: by [`DifferenceInMeans::blocks`].
///
/// # Errors
/// An arm with fewer than two outcomes, or a stratum where strata are used; arms that do not vary at all; an
/// arm in one cluster only.
///
/// # Examples
/// ```
/// use armwise::prelude::*;
///
/// let table = Table::from_csv_str("arm,score\nc,1\nc,2\nc,3\nt,3\nt,4\nt,8\n")?;
/// let trial = Trial::builder("Utrecht", table).arm_labels("arm").control("c").build()?;
/// let effect = trial
///     .on(&Measure::continuous("score"))?
///     .estimate(&DifferenceInMeans::new())?
///     .treatment("t")?;
/// assert_eq!(effect.value(), 3.0);
/// assert!((effect.df().unwrap() - 2.56).abs() < 1e-12);
/// # Ok::<(), armwise::Error>(())
/// ```
///
/// # References
/// Welch BL (1947), Biometrika 34:28, doi:10.1093/biomet/34.1-2.28. Gerber AS, Green DP (2012), Field
/// Experiments, chapter 3. Imai K, King G, Nall C (2009), Statistical Science 24:29, doi:10.1214/08-STS274.
/// Bell RM, McCaffrey DF (2002), Survey Methodology 28:169.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DifferenceInMeans {
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "field::variance")]
    variance: Option<MeansVariance>,
    #[serde(deserialize_with = "field::blocks")]
    blocks: Blocks,
    #[serde(skip_serializing_if = "is_usual")]
    pub(super) level: f64,
}

impl Default for DifferenceInMeans {
    fn default() -> Self {
        Self { variance: None, blocks: Blocks::Ignored, level: 0.95 }
    }
}

impl DifferenceInMeans {
    /// Welch, without strata, level 0.95; CR2 where clusters were declared.
    pub fn new() -> Self {
        Self::default()
    }

    setters! {
        /// Whether every arm has a variance of its own; default: Welch. Where clusters were declared or strata
        /// are used their variance is that of the design, and this is refused.
        variance: MeansVariance as Some;
        /// How the declared strata are used; default: they are not.
        ///
        /// ```
        /// use armwise::prelude::*;
        ///
        /// let table = Table::from_csv_str(
        ///     "\
        ///     twins,arm,score\n1,c,2\n1,t,5\n2,c,1\n2,t,3\n3,c,4\n3,t,5\n",
        /// )?;
        /// let trial = Trial::builder("Utrecht", table)
        ///     .arm_labels("arm")
        ///     .control("c")
        ///     .strata(["twins"])
        ///     .build()?;
        /// let matched = DifferenceInMeans::new().blocks(Blocks::MatchedSets);
        /// let effect = trial.on(&Measure::continuous("score"))?.estimate(&matched)?.treatment("t")?;
        /// assert_eq!((effect.value(), effect.df()), (2.0, Some(2.0)));
        /// # Ok::<(), armwise::Error>(())
        /// ```
        blocks: Blocks;
    }

    level_setter!();
}

impl DifferenceInMeans {
    /// One sample for each arm.
    fn samples<K: OutcomeKind>(comparison: &Comparison<K>) -> Result<Vec<Sample>> {
        let people = comparison.people()?;
        let arms = comparison.arms();
        Sample::by_group(&people.outcome, &people.arm, arms.len())
            .into_iter()
            .zip(arms)
            .map(|(sample, arm)| sample.map_err(|error| error.in_arm(&arm.label)))
            .collect()
    }
}

impl Estimator<Continuous> for DifferenceInMeans {
    type Scale = MeanDifference;

    fn estimate(&self, comparison: &Comparison<Continuous>) -> Result<Estimates<MeanDifference>> {
        check_level(self.level)?;
        let clustered = comparison.clusters().is_some();
        if let (Some(variance), true) = (self.variance, clustered || self.blocks != Blocks::Ignored) {
            return Err(Error::invalid(format!(
                "the variance {variance:?} is that of people who were randomised one by one without strata, but clusters or strata are \
                 used; leave variance(..) out"
            )));
        }
        if self.blocks != Blocks::Ignored {
            return blocked(comparison, self.blocks, self.level);
        }
        if clustered {
            let responses = Responses { values: &comparison.people()?.outcome, weights: None };
            let method = Method::new("difference in means");
            return clustered_contrasts(comparison, &responses, MeanDifference, method, self.level);
        }
        let chosen = self.variance.unwrap_or_default();
        let samples = Self::samples(comparison)?;
        let pooled = PooledDeviation::of(&samples);
        let variance = |sample: &Sample| match chosen {
            MeansVariance::Pooled => pooled.sd.powi(2) / sample.n as f64,
            MeansVariance::Welch | MeansVariance::Normal => sample.se().powi(2),
        };
        let (reference, v0) = (&samples[0], variance(&samples[0]));
        let variances: Vec<f64> = samples[1..].iter().map(variance).collect();
        let mut contrasts = Vec::with_capacity(variances.len());
        for ((arm, treatment), &v1) in comparison.treatments().iter().zip(&samples[1..]).zip(&variances) {
            if v0 + v1 == 0.0 {
                let why = "the outcome does not vary in this arm nor in the reference, so that their difference has no standard error; \
                           check the column, or leave the arm out";
                return Err(Error::from(ErrorKind::ZeroVariance(why.to_owned())).in_arm(&arm.label));
            }
            let df = match chosen {
                MeansVariance::Welch => Some(welch_df(treatment, reference)),
                MeansVariance::Pooled => Some(pooled.df),
                MeansVariance::Normal => None,
            };
            let value = treatment.mean - reference.mean;
            contrasts.push(Contrast::wald(arm.clone(), value, v0 + v1, df, self.level)?);
        }
        let k = variances.len();
        let covariance = Array2::from_shape_fn((k, k), |(i, j)| if i == j { v0 + variances[i] } else { v0 });
        let (variance, interval) = match chosen {
            MeansVariance::Welch => (VarianceMethod::Unpooled, IntervalMethod::StudentT),
            MeansVariance::Pooled => (VarianceMethod::Pooled, IntervalMethod::StudentT),
            MeansVariance::Normal => (VarianceMethod::Unpooled, IntervalMethod::Normal),
        };
        let method = Method::new("difference in means").variance(variance).interval(interval);
        let mut about = About::of(comparison, Estimand::Marginal, method, self.level)?;
        about.notices.extend(comparison.strata_ignored());
        Estimates::new(MeanDifference, about, comparison.reference().clone(), contrasts, covariance)
    }
}
