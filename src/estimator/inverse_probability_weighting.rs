use super::Estimator;
use super::adjustment::{self, ARM, Adjustment, Prepared, adjustment_setters};
use super::clusters::{Weighting, refuse_alone, weighted_means};
use super::options::{field, is_usual, usual_level};
use super::regression::MeanOutcome;
use crate::compute::categorical::MultinomialRegression;
use crate::compute::regression::{Family, Glm};
use crate::compute::weighting::{InverseProbability, Normalization, NuisanceVariance};
use crate::design::{Comparison, Notice, OutcomeKind};
use crate::effect::{ArmMeans, ContrastScale, Estimates, VarianceMethod};
use crate::error::{Error, ErrorKind, Result, SeparatedModel};
use ndarray::Array1;
use serde::{Deserialize, Serialize};

/// Effects by weighting every person with the inverse of the probability of the arm, given the covariates.
///
/// In a randomised trial this adjusts for chance imbalance without a model of the outcome. With one:
/// [`DoublyRobust`](crate::estimator::DoublyRobust).
///
/// # Formula
/// `mu_a = sum(w_i y_i) / sum(w_i)` over arm `a` with `w_i = 1 / P(a | x_i)` from a multinomial (two arms:
/// logistic) regression of the arm on the covariates; a scale contrasts the means. With
/// [`of_observation`](InverseProbabilityWeighting::of_observation) `w_i = 1 / P(observed | a, x_i)` from a
/// logistic regression of everybody randomised. With probability weights ([`weights`](Self::weights))
/// regression and means are weighted by them too.
///
/// # Assumptions
/// People were randomised, or the covariates explain who is in which arm; nobody was bound to be in one arm.
///
/// # Interval
/// Normal. The variance stacks the estimating equations of weights and means by default; estimating the
/// probabilities makes it smaller than with the weights taken as known. With declared clusters the influences
/// are summed by cluster, with Student's t on Satterthwaite's degrees of freedom of each contrast.
///
/// # Errors
/// Covariates that separate the arms; aliased columns by name; a log ratio of a mean that is not positive.
///
/// # Examples
/// ```
/// use armwise::prelude::*;
///
/// let table = Table::from_csv_str(
///     "\
///     arm,age,works\nc,20,0\nc,40,1\nc,30,0\nc,45,0\nt,25,1\nt,35,0\nt,50,1\n\
///     t,22,1\n",
/// )?;
/// let trial = Trial::builder("Utrecht", table).arm_labels("arm").control("c").build()?;
/// let weighting = InverseProbabilityWeighting::new(RiskDifference).adjust_for(["age"]);
/// let effect = trial.on(&Measure::binary("works"))?.estimate(&weighting)?.treatment("t")?;
/// assert!(effect.value() > 0.0 && effect.se() > 0.0);
/// # Ok::<(), armwise::Error>(())
/// ```
///
/// # References
/// Lunceford JK, Davidian M (2004), Statistics in Medicine 23:2937. Williamson EJ, Forbes A, White IR (2014),
/// Statistics in Medicine 33:721. Seaman SR, White IR (2013), Statistical Methods in Medical Research 22:278
/// (missing outcomes). Ridgeway G et al. (2015), Journal of Causal Inference 3:237 (survey weights).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InverseProbabilityWeighting<S> {
    pub(super) scale: S,
    #[serde(flatten, deserialize_with = "adjustment::weighted")]
    pub(super) adjustment: Adjustment,
    #[serde(default, rename = "probability_of", deserialize_with = "field::probability_of")]
    inverted: Inverted,
    #[serde(default, deserialize_with = "field::variance")]
    variance: NuisanceVariance,
    #[serde(default = "usual_level", skip_serializing_if = "is_usual")]
    pub(super) level: f64,
}

/// The probability that weights invert.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Inverted {
    /// Of the arm, given the covariates.
    #[default]
    Assignment,
    /// Of an outcome, given arm and covariates.
    Observation,
}

impl<S: ContrastScale> InverseProbabilityWeighting<S> {
    /// On this scale; without covariates; stacked variance; level 0.95.
    pub fn new(scale: S) -> Self {
        let (adjustment, variance) = (Adjustment::default(), NuisanceVariance::Stacked);
        Self { scale, adjustment, inverted: Inverted::Assignment, variance, level: 0.95 }
    }

    adjustment_setters!(sampled);

    setters! {
        /// The variance; default: stacked.
        variance: NuisanceVariance;
    }

    /// Weighs people who have an outcome with the inverse of the probability of having one, given arm and
    /// covariates, so that they stand for all who were randomised. Right where outcomes are missing at random
    /// given these. The probability comes from a logistic regression of having an outcome, whose estimation
    /// the stacked variance counts; declared clusters are not counted, with a notice. Default: the inverse of
    /// the probability of the arm.
    ///
    /// ```
    /// use armwise::prelude::*;
    ///
    /// let text = "arm,young,works\nc,1,0\nc,1,1\nc,1,\nc,0,1\nc,0,0\nc,0,1\nt,1,\nt,1,1\n\
    ///     t,1,0\nt,0,1\nt,0,\nt,0,1\n";
    /// let trial = Trial::builder("Utrecht", Table::from_csv_str(text)?)
    ///     .arm_labels("arm")
    ///     .control("c")
    ///     .build()?;
    /// let weighting =
    ///     InverseProbabilityWeighting::new(RiskDifference).of_observation().adjust_for(["young"]);
    /// let effect = trial.on(&Measure::binary("works"))?.estimate(&weighting)?.treatment("t")?;
    /// assert_eq!(
    ///     (effect.treatment_counts().randomised, effect.treatment_counts().analysed),
    ///     (6, 4)
    /// );
    /// assert!(effect.value() > 0.0 && effect.se() > 0.0);
    /// # Ok::<(), armwise::Error>(())
    /// ```
    #[must_use]
    pub fn of_observation(mut self) -> Self {
        self.inverted = Inverted::Observation;
        self
    }
}

impl<K: MeanOutcome, S> Weighting<K> for InverseProbabilityWeighting<S> {
    fn arm_means(&self, comparison: &Comparison<K>) -> Result<ArmMeans> {
        match self.inverted {
            Inverted::Assignment => self.by_assignment(comparison),
            Inverted::Observation => self.by_observation(comparison),
        }
    }
}

impl<S> InverseProbabilityWeighting<S> {
    /// From everybody who was randomised and has the covariates.
    fn by_observation<K: OutcomeKind>(&self, comparison: &Comparison<K>) -> Result<ArmMeans> {
        let estimator = "weighting by the inverse probability of an outcome";
        self.adjustment.refuse_precision("having one")?;
        let everybody = comparison.with_missing_outcomes()?;
        let prepared = self.adjustment.prepare(&everybody, Family::Binomial, estimator, self.level)?;
        let people = prepared.comparison().people()?;
        let observed = comparison.people()?;
        let mut outcomes = vec![f64::NAN; people.assigned.len()];
        for (&row, &outcome) in observed.rows.iter().zip(&observed.outcome) {
            outcomes[row as usize] = outcome;
        }
        let y: Array1<f64> = people.rows.iter().map(|&row| outcomes[row as usize]).collect();
        let means = prepared.with_columns(|columns| {
            if people.outcome.iter().all(|observed| *observed == 1.0) {
                // Nobody is missing, so that everybody stands for one.
                let ones = Array1::ones(people.rows.len());
                let weights = columns.weights.numbers().unwrap_or(ones.view());
                let shares = InverseProbability::of_weighted_shares(prepared.arms(people), weights)?;
                return shares.means(y.view(), Normalization::Hajek);
            }
            let response = Glm::new(Family::Binomial).weights(columns.weights);
            let response = response.fit(&columns.matrix, columns.outcome).map_err(bound_to_be)?;
            InverseProbability::of_response(&response, ARM)?.means(y.view(), Normalization::Hajek)
        })?;
        let mut analysed = self.adjustment.complete(comparison)?.into_owned();
        // Whether all had the event, and who has no outcome, is a matter of the analysed.
        let of_analysed = |notice: &Notice| {
            matches!(
                notice,
                Notice::NoVariation { .. } | Notice::MissingOutcome { .. } | Notice::NotApplicable { .. }
            )
        };
        analysed.notices.retain(of_analysed);
        let others = prepared.comparison().notices.iter().filter(|told| !of_analysed(told));
        analysed.notices.extend(others.cloned());
        analysed.notices.extend(prepared.design_ignored());
        analysed.notices.extend(prepared.dominant_weights(means.weights())?);
        for notice in &mut analysed.notices {
            if let Notice::MissingOutcome { participants, of } = *notice {
                *notice = Notice::OutcomeByWeights { participants, of };
            }
        }
        let method = prepared.method(VarianceMethod::Weighted(self.variance));
        let (values, covariance) = (means.values().to_vec(), means.covariance(self.variance));
        refuse_alone(&analysed)?;
        Ok(ArmMeans::new(&analysed, values, covariance, method)?.level(self.level))
    }

    fn by_assignment<K: OutcomeKind>(&self, comparison: &Comparison<K>) -> Result<ArmMeans> {
        let estimator = "inverse-probability weighting";
        self.adjustment.refuse_precision("the arm, whose probability is modelled,")?;
        let prepared: Prepared<K> =
            self.adjustment.prepare(comparison, Family::Gaussian, estimator, self.level)?;
        let people = prepared.comparison().people()?;
        let means = prepared.with_columns(|columns| {
            let covariates = prepared.covariates()?;
            let propensity = MultinomialRegression::new()
                .weights(columns.weights)
                .fit(&covariates, prepared.arms(people))
                .map_err(|error| error.separating(SeparatedModel::Assignment))?;
            InverseProbability::of_level(&propensity)?.means(columns.outcome, Normalization::Hajek)
        })?;
        Ok(weighted_means(&prepared, &means, self.variance)?.level(self.level))
    }

    /// The same estimator on another scale.
    pub(super) fn on<T>(self, scale: T) -> InverseProbabilityWeighting<T> {
        let Self { adjustment, inverted, variance, level, .. } = self;
        InverseProbabilityWeighting { scale, adjustment, inverted, variance, level }
    }
}

/// Says what separation means where the response is having an outcome.
fn bound_to_be(error: Error) -> Error {
    match error.kind() {
        ErrorKind::Separation { .. } => ErrorKind::NotEstimable(
            "everybody in an arm, or with some covariates, has an outcome or has none, so that the probability of one is 1 or 0 there and \
             has no logistic regression; leave the covariate out, or where one arm is complete leave of_observation() out and report \
             the range of the missing"
                .to_owned(),
        )
        .into(),
        _ => error,
    }
}

impl<K: MeanOutcome, S: ContrastScale> Estimator<K> for InverseProbabilityWeighting<S> {
    type Scale = S;

    fn estimate(&self, comparison: &Comparison<K>) -> Result<Estimates<S>> {
        self.arm_means(comparison)?.contrast(self.scale.clone())
    }
}
