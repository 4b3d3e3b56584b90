use super::randomization::OtherArms;
use crate::compute::interval::extended;
use crate::compute::randomization::{
    JointStatistic, NullDistribution, RandomizationInterval, RandomizationPValues, Replays, Statistic,
};
use crate::design::{Allocation, Label, MeasureInfo, Notice};
use crate::error::{Error, Result};
use serde::{Deserialize, Serialize};

/// The share of replays beyond the ends of a distribution.
const NEGLIGIBLE: f64 = 1e-4;

/// Bins of the distribution that a result keeps.
const BINS: usize = 40;

/// The statistic that was replayed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum TestedStatistic {
    /// One of the design.
    Design(Statistic),
    /// The value of an estimator over its standard error; the words of its method.
    Estimator(String),
}

/// The result of a [`RandomizationTest`](super::RandomizationTest): a p-value of every treatment, with
/// everything by which it was made.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(remote = "Self")]
#[non_exhaustive]
pub struct RandomizationResult {
    /// The trial.
    pub trial: Label,
    /// The measure.
    pub measure: MeasureInfo,
    /// The arm with which every treatment is compared.
    pub reference: Label,
    /// The statistic.
    pub statistic: TestedStatistic,
    /// The allocation that was replayed.
    pub allocation: Allocation,
    /// The other arms while one treatment is compared with the reference.
    pub other_arms: OtherArms,
    /// The treatments.
    pub treatments: Vec<RandomizedTreatment>,
    /// The test of all treatments together, where it was asked for.
    pub joint: Option<JointResult>,
    /// The level of intervals.
    pub level: f64,
    /// Everything that has to be said beside the numbers.
    pub notices: Vec<Notice>,
}
checked!(RandomizationResult);

/// The randomisation test of one treatment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct RandomizedTreatment {
    /// The treatment.
    pub treatment: Label,
    /// The observed statistic; infinite where arms differ and have no spread.
    #[serde(with = "extended")]
    pub statistic: f64,
    /// The p-values.
    pub p_values: RandomizationPValues,
    /// The Monte Carlo standard error of the two-sided p-value; zero where it is exact.
    pub monte_carlo_error: f64,
    /// The two-sided p-value of the most extreme statistic that an assignment has.
    pub smallest_p_value: f64,
    /// The number of replays for which the statistic is not defined; they count as extreme.
    pub undefined: u64,
    /// How assignments were replayed.
    pub replays: Replays,
    /// The number of assignments that could have happened; none where it is 2^63 or more.
    pub assignments: Option<u64>,
    /// The interval of an effect that is the same for everybody, where the statistic has one.
    pub interval: Option<RandomizationInterval>,
    /// The distribution of the statistic over the replays.
    pub distribution: RandomizationDistribution,
}

/// The test of all treatments together.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct JointResult {
    /// The statistic.
    pub statistic: JointStatistic,
    /// Its observed value.
    #[serde(with = "extended")]
    pub value: f64,
    /// The p-value of one as large.
    pub p_value: f64,
    /// The Monte Carlo standard error of the p-value; zero where it is exact.
    pub monte_carlo_error: f64,
    /// How assignments were replayed.
    pub replays: Replays,
}

/// The distribution of a statistic over the replays, in bins of equal width.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct RandomizationDistribution {
    /// The lower end of the first bin.
    pub low: f64,
    /// The upper end of the last bin.
    pub high: f64,
    /// The share of replays in each bin, those beyond either end in the last one; infinite and undefined statistics
    /// are in none.
    pub shares: Vec<f64>,
}

impl RandomizationDistribution {
    pub(crate) fn of(null: &NullDistribution, hypothesis: usize) -> Self {
        let weight = |replay: usize| null.weights().map_or(1.0, |weights| weights[replay]);
        let finite = || null.statistics(hypothesis).enumerate().filter(|(_, value)| value.is_finite());
        let farthest = finite().fold(0.0_f64, |most, (_, value)| most.max(value.abs()));
        let total: f64 = match null.weights() {
            Some(weights) => weights.iter().sum(),
            None => null.statistics(hypothesis).count() as f64,
        };
        // Sizes in narrow bins: the outermost share of NEGLIGIBLE sets no width.
        let mut sizes = vec![0.0; 100 * BINS];
        let last = sizes.len() - 1;
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        for (replay, value) in finite().filter(|_| farthest > 0.0) {
            sizes[((value.abs() / farthest * last as f64) as usize).min(last)] += weight(replay) / total;
        }
        let mut beyond = 0.0;
        let reached = sizes.iter().rposition(|share| {
            beyond += share;
            beyond > NEGLIGIBLE
        });
        let observed = null.observed()[hypothesis].abs();
        let observed = if observed.is_finite() { observed } else { 0.0 };
        let most = (reached.unwrap_or(last) + 1) as f64 / sizes.len() as f64 * farthest;
        let most = most.max(observed.min(farthest));
        let most = if most > 0.0 { most } else { 1.0 };
        let mut shares = vec![0.0; BINS];
        for (replay, value) in finite() {
            let place = (f64::midpoint(value / most, 1.0) * BINS as f64).floor().max(0.0);
            // A floor between 0 and the number of bins.
            #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
            let bin = (place as usize).min(BINS - 1);
            shares[bin] += weight(replay) / total;
        }
        Self { low: -most, high: most, shares }
    }

    /// Shares of one at most, in bins that have a width.
    pub(crate) fn check(&self) -> Result<()> {
        let range = self.low.is_finite() && self.high.is_finite() && self.low < self.high;
        let shares = self.shares.iter().all(|share| *share >= 0.0);
        if range && shares && self.shares.iter().sum::<f64>() <= 1.0 + 1e-6 {
            return Ok(());
        }
        Err(Error::invalid("the distribution has shares that are none; read the result anew"))
    }
}

impl RandomizationResult {
    /// The test of a treatment.
    ///
    /// # Errors
    /// No such treatment.
    pub fn treatment(&self, treatment: impl AsRef<str>) -> Result<&RandomizedTreatment> {
        let name = treatment.as_ref();
        self.treatments.iter().find(|own| own.treatment == name).ok_or_else(|| {
            let known = self.treatments.iter().map(|own| own.treatment.to_string()).collect();
            crate::error::ErrorKind::UnknownTreatment { name: name.to_owned(), known }.into()
        })
    }

    /// Refuses what no test gives.
    pub(crate) fn check(&self) -> Result<()> {
        let locate = |error: Error| error.in_measure(&self.measure.name).in_trial(&self.trial);
        self.allocation.check().map_err(locate)?;
        let probability = |p: f64| (0.0..=1.0).contains(&p);
        let of_joint = self.joint.iter().flat_map(|joint| [joint.p_value, joint.monte_carlo_error]);
        let of_treatments = self.treatments.iter().flat_map(|own| {
            let p = own.p_values;
            [p.two_sided, p.greater, p.less, own.monte_carlo_error, own.smallest_p_value]
        });
        if !of_joint.chain(of_treatments).chain([self.level]).all(probability) {
            return Err(locate(Error::invalid(
                "a p-value, an error or the level is not between 0 and 1; read the result anew",
            )));
        }
        if self.treatments.is_empty() || self.treatments.iter().any(|own| own.statistic.is_nan()) {
            return Err(locate(Error::invalid(
                "a test without a treatment or without a statistic; read the result anew",
            )));
        }
        let check = |own: &RandomizedTreatment| {
            own.distribution.check().map_err(|error| locate(error.in_arm(&own.treatment)))
        };
        self.treatments.iter().try_for_each(check)
    }
}

/// Pools of which a randomisation test can be made.
pub trait PooledStatistic<S: crate::effect::Scale> {
    /// The pooled value of a treatment over its standard error.
    ///
    /// # Errors
    /// Those of the pool.
    fn statistic(&self, effects: &crate::effect::Effects<S>, treatment: &Label) -> Result<f64>;

    /// The pool in words.
    fn words(&self) -> String;
}
