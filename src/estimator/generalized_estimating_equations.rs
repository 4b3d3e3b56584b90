use super::Estimator;
use super::adjustment::{self, Adjustment, adjustment_setters};
use super::options::{field, is_usual, usual_level};
use super::wave_estimator::WaveEstimator;
use super::wave_rows::{Baseline, WaveRows};
use crate::compute::hypothesis::WaldTest;
use crate::compute::linalg::Cholesky;
use crate::compute::longitudinal::{
    CorrelationMoments, EquationsVariance, EstimatingEquations, WorkingCorrelation,
};
use crate::compute::regression::Family;
use crate::design::{Binary, Comparison, Continuous, OutcomeKind, Repeated};
use crate::effect::{
    About, Estimand, Estimates, IntervalMethod, LogOddsRatio, MeanDifference, Scale, VarianceMethod,
    WaveEffects,
};
use crate::error::{Error, ErrorKind, Result, counted};
use ndarray::{Array1, Array2, Axis};
use serde::{Deserialize, Serialize};

/// The effect in every wave of a survey by generalised estimating equations: differences in means, or log
/// odds ratios of an event.
///
/// Use it for an event in several waves, and for scores where the covariance of waves should not matter for
/// the standard errors. As an estimator it gives the mean effect over the waves, or that of one wave
/// ([`at`](GeneralizedEstimatingEquations::at)).
///
/// # Formula
/// `g(mu_iw) = m_w + b_aw + u'z_i` with the identity for scores and the logit for an event: a mean of the
/// reference and an effect of every treatment in every wave; a slope for every wave of the declared baseline
/// and one slope of each further covariate. See
/// [`EstimatingEquations`](crate::longitudinal::EstimatingEquations).
///
/// # Assumptions
/// People are independent. Missing outcomes are missing completely at random given arm, wave and covariates;
/// where they depend on earlier outcomes take [`RepeatedMeasures`](crate::estimator::RepeatedMeasures).
///
/// # Interval
/// Student's t on the people less the coefficients, with the variance of Mancl and DeRouen (2001) by default
/// ([`EquationsVariance`]).
///
/// # Errors
/// An arm without outcome in a wave; declared clusters; an event that is separated by arm and wave; a working
/// correlation that is none; fewer people than coefficients.
///
/// # Examples
/// ```
/// use armwise::prelude::*;
///
/// const WORKS: Measure<Repeated<Binary>> =
///     Measure::repeated_binary("in work", &[("8 months", "w1"), ("16 months", "w2")]);
///
/// let text = "arm,w1,w2\nc,0,1\nc,1,1\nc,0,0\nc,0,\nc,1,0\nc,0,0\nt,1,1\nt,0,1\nt,1,1\n\
///     t,0,0\nt,1,\nt,1,1\n";
/// let trial = Trial::builder("Utrecht", Table::from_csv_str(text)?)
///     .arm_labels("arm")
///     .control("c")
///     .build()?;
/// let equations = GeneralizedEstimatingEquations::exchangeable();
/// let waves = trial.on(&WORKS)?.estimate_waves(&equations)?;
/// assert!(waves.at("16 months")?.treatment("t")?.value() > 0.0);
/// assert!(waves.averaged()?.treatment("t")?.p_value() > 0.05);
/// # Ok::<(), armwise::Error>(())
/// ```
///
/// # References
/// Liang KY, Zeger SL (1986), Biometrika 73:13. Mancl LA, DeRouen TA (2001), Biometrics 57:126. Kauermann G,
/// Carroll RJ (2001), Journal of the American Statistical Association 96:1387.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GeneralizedEstimatingEquations {
    correlation: WorkingCorrelation,
    #[serde(default)]
    moments: CorrelationMoments,
    #[serde(default, deserialize_with = "field::variance")]
    variance: EquationsVariance,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    at: Option<String>,
    #[serde(flatten, deserialize_with = "adjustment::unweighted")]
    pub(super) adjustment: Adjustment,
    #[serde(default = "usual_level", skip_serializing_if = "is_usual")]
    pub(super) level: f64,
}

const NAME: &str = "generalised estimating equations";

impl GeneralizedEstimatingEquations {
    /// With this working correlation; Mancl and DeRouen's variance; level 0.95.
    pub fn new(correlation: WorkingCorrelation) -> Self {
        Self {
            correlation,
            moments: CorrelationMoments::default(),
            variance: EquationsVariance::default(),
            at: None,
            adjustment: Adjustment::default(),
            level: 0.95,
        }
    }

    /// With one correlation of any two waves.
    pub fn exchangeable() -> Self {
        Self::new(WorkingCorrelation::Exchangeable)
    }

    adjustment_setters!(covariates);

    setters! {
        /// How the working correlation is made from residuals; default: [`CorrelationMoments::Counts`].
        moments: CorrelationMoments;
        /// The variance of the coefficients; default: [`EquationsVariance::ManclDeRouen`].
        variance: EquationsVariance;
    }

    /// The wave of which [`estimate`](crate::Comparison::estimate) gives the effect; default: the mean over
    /// all waves.
    #[must_use]
    pub fn at(mut self, wave: impl Into<String>) -> Self {
        self.at = Some(wave.into());
        self
    }

    fn effects<X, S: Scale>(
        &self,
        comparison: &Comparison<Repeated<X>>,
        family: Family,
        scale: &S,
    ) -> Result<WaveEffects<S>>
    where
        Repeated<X>: OutcomeKind,
    {
        let options = (&self.adjustment, Baseline::Covariate);
        let rows = WaveRows::new(comparison, options, family, NAME, self.level)?;
        let estimand = match family {
            Family::Binomial if !rows.method.adjusted_for.is_empty() => Estimand::Conditional,
            _ => Estimand::Marginal,
        };
        rows.with_means(|means| {
            let fit =
                EstimatingEquations::new(family, self.correlation).moments(self.moments).fit_means(means)?;
            let p = fit.names.len();
            if fit.units <= p {
                let why = format!(
                    "there are {} for {}; leave covariates or waves out",
                    counted(fit.units, "participant"),
                    counted(p, "coefficient")
                );
                return Err(ErrorKind::InsufficientObservations(why).into());
            }
            let df = (fit.units - p) as f64;
            let combinations = rows.combinations(|group, wave| {
                let mut row = Array1::zeros(p);
                let name = format!("group {group}:wave {wave}");
                let column = fit.names.iter().position(|own| *own == name);
                row[column.ok_or_else(|| Error::invalid(format!("there is no coefficient {name}")))?] = 1.0;
                Ok(row)
            })?;
            let values = combinations.dot(&fit.coefficients);
            let all = fit.covariance(self.variance)?;
            let covariance = combinations.dot(&all).dot(&combinations.t());
            let joint = joint(&values, &covariance, rows.treatments(), rows.effects.len(), df);
            let mut method = rows.method.clone();
            let Self { correlation, moments, variance, .. } = *self;
            method.variance = VarianceMethod::EstimatingEquations { correlation, moments, variance };
            let method = method.interval(IntervalMethod::StudentT);
            let about = About::of(&rows.people, estimand, method, self.level)?;
            let numbers = (values, covariance, vec![Some(df); combinations.nrows()]);
            rows.effects(scale, about, numbers, joint)
        })
    }
}

/// The F tests of all waves of each treatment, on the degrees of freedom of the t beside them; none where the
/// covariance of so many waves is singular.
fn joint(
    values: &Array1<f64>,
    covariance: &Array2<f64>,
    treatments: usize,
    waves: usize,
    df: f64,
) -> Vec<Option<WaldTest>> {
    let of = |treatment: usize| {
        let own: Vec<usize> = (0..waves).map(|wave| wave * treatments + treatment).collect();
        let values = values.select(Axis(0), &own);
        let factor = Cholesky::new(covariance.select(Axis(0), &own).select(Axis(1), &own).view())?;
        let chi2 = values.dot(&factor.solve(values.view()));
        (factor.smallest_pivot > 1e-10).then(|| WaldTest::new(chi2, waves as f64, Some(df)).ok()).flatten()
    };
    (0..treatments).map(of).collect()
}

macro_rules! of_kinds {
    ($($kind:ty, $scale:ident, $family:expr;)+) => {
        $(impl WaveEstimator<Repeated<$kind>> for GeneralizedEstimatingEquations {
            type Scale = $scale;

            fn estimate_waves(&self, comparison: &Comparison<Repeated<$kind>>) -> Result<WaveEffects<$scale>> {
                self.effects(comparison, $family, &$scale)
            }
        }

        impl Estimator<Repeated<$kind>> for GeneralizedEstimatingEquations {
            type Scale = $scale;

            fn estimate(&self, comparison: &Comparison<Repeated<$kind>>) -> Result<Estimates<$scale>> {
                let effects = self.effects(comparison, $family, &$scale)?;
                match &self.at {
                    Some(wave) => effects.at(wave),
                    None => effects.averaged(),
                }
            }
        })+
    };
}

of_kinds! {
    Continuous, MeanDifference, Family::Gaussian;
    Binary, LogOddsRatio, Family::Binomial;
}
