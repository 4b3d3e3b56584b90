use super::Estimator;
use super::adjustment::{self, Adjustment, Prepared, adjustment_setters};
use super::clusters::{declared_clusters, refuse_alone};
use super::options::{field, is_usual, usual_level};
use crate::compute::multistate::PeriodModel;
use crate::compute::regression::{ClusterVariance, Family};
use crate::design::{Comparison, MonthlyStates};
use crate::effect::{
    About, Contrast, EffectsOverTime, Estimand, Estimates, IntervalMethod, RiskDifference, VarianceMethod,
};
use crate::error::{Error, ErrorKind, Result, counted};
use ndarray::{Array1, Array2};
use serde::{Deserialize, Serialize};

/// The difference in the share of people in some states, month by month: the intention-to-treat effects of a register.
///
/// Use it for a curve of effects over time with one covariance of all months, and for the mean effect over some
/// months. As an estimator it gives that mean; [`over_time`](MonthlyEffects::over_time) gives all months.
///
/// # Formula
/// Least squares of the indicator `y_im` of the states, over people `i` and months `m` in which they are seen, on an
/// indicator of every month, an indicator of every treatment and month, and covariates with one coefficient each. The
/// second kind are the effects `b_am`: without covariates the difference in shares of those seen in month `m`. Their
/// covariance sums the scores of each person, or of each declared cluster, over months ([`ClusterVariance`]; default
/// CR2). The mean over `M` months is `sum_m b_am / M` with the variance of that sum.
///
/// # Assumptions
/// People (or clusters) are independent. Who is no longer seen is missing at random given arm and month; where that is
/// in doubt for all months before, take [`StateOccupation`](crate::estimator::StateOccupation).
///
/// # Interval
/// Student's t with Satterthwaite's degrees of freedom of each effect with CR2, else on the people or clusters less 1.
/// Joint tests take the same variance: approximate Hotelling with CR2 (Pustejovsky & Tipton 2018), F with CR1 and
/// CR1S, chi-squared with CR0.
///
/// # Errors
/// No month, or one beyond the register or the follow-up of an arm; a state that is not declared, or all; people of an
/// arm and of the reference who do not differ in a month; an arm of one person; the errors of the covariates.
///
/// # Examples
/// ```
/// use armwise::prelude::*;
///
/// let people = Table::from_csv_path("examples/data/participants.csv")?
///     .keep_category("municipality", "Wageningen")?;
/// let trial = Trial::builder("Wageningen", people)
///     .arm_labels("arm")
///     .control("control")
///     .build()?;
/// let table = Table::from_csv_path("examples/data/registry_panel.csv")?
///     .keep_category("municipality", "Wageningen")?;
/// let states = Register::from_long(table, "participant", "month", "state")
///     .states(["benefit", "part_time", "full_time", "other"])
///     .aims(["part_time", "full_time"])
///     .months(24)
///     .measure()?;
/// let panel = trial.on(&states)?;
///
/// let works = MonthlyEffects::new(["part_time", "full_time"], [6, 12, 18, 24]);
/// let effects = works.over_time(&panel)?;
/// let test = effects.joint_test("guidance")?;
/// assert!(test.denominator_df.is_some() && test.p_value > 0.01);
/// let bands = effects.simultaneous(0.95)?;
/// assert!(bands.critical_value > 2.5);
/// assert_eq!(effects.at(12)?.measure().horizon.as_deref(), Some("12 months"));
///
/// // The mean effect over the second year.
/// let year = panel.estimate(&MonthlyEffects::new(["part_time", "full_time"], 13..=24))?;
/// assert!(year.treatment("exemption")?.value() > 0.1);
/// # Ok::<(), armwise::Error>(())
/// ```
///
/// # References
/// Liang KY, Zeger SL (1986), Biometrika 73:13. Bell RM, McCaffrey DF (2002), Survey Methodology 28:169.
/// Pustejovsky JE, Tipton E (2018), Journal of Business & Economic Statistics 36:672.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MonthlyEffects {
    states: Vec<String>,
    months: Vec<usize>,
    #[serde(flatten, deserialize_with = "adjustment::unweighted")]
    pub(super) adjustment: Adjustment,
    #[serde(default = "usual_variance", deserialize_with = "field::variance")]
    variance: ClusterVariance,
    #[serde(default = "usual_level", skip_serializing_if = "is_usual")]
    pub(super) level: f64,
}

fn usual_variance() -> ClusterVariance {
    ClusterVariance::Cr2
}

/// The name in results.
const NAME: &str = "monthly effects by linear regression";

impl MonthlyEffects {
    /// Of being in any of these states in these months; without covariates; CR2; level 0.95.
    pub fn new<T: AsRef<str>>(
        states: impl IntoIterator<Item = T>,
        months: impl IntoIterator<Item = usize>,
    ) -> Self {
        let states = states.into_iter().map(|state| state.as_ref().to_owned()).collect();
        let mut months: Vec<usize> = months.into_iter().collect();
        months.sort_unstable();
        months.dedup();
        let (adjustment, variance) = (Adjustment::default(), usual_variance());
        Self { states, months, adjustment, variance, level: 0.95 }
    }

    adjustment_setters!(covariates);

    setters! {
        /// The variance of people, or of declared clusters, over months; default: [`ClusterVariance::Cr2`].
        variance: ClusterVariance;
    }

    /// The effects in every month.
    ///
    /// # Errors
    /// As for the mean effect.
    pub fn over_time(&self, comparison: &Comparison<MonthlyStates>) -> Result<EffectsOverTime> {
        let locate = |error: Error| comparison.locate(error);
        let prepared = self.prepare(comparison).map_err(locate)?;
        let effects =
            self.with_model(&prepared, |model| model.effects(self.variance, &[])).map_err(locate)?;
        let mut about = self.about(&prepared).map_err(locate)?;
        about.measure.horizon = None;
        let people = prepared.comparison();
        let dim = effects.estimates.dim();
        EffectsOverTime {
            about,
            reference: people.reference().clone(),
            treatments: people.treatments().to_vec(),
            months: self.months.clone(),
            df: Array2::from_shape_fn(dim, |(i, m)| effects.df[i * dim.1 + m]),
            values: effects.estimates,
            covariance: effects.covariance,
            joint: effects.joint.into_iter().map(Result::ok).collect(),
        }
        .checked()
    }

    fn prepare<'c>(&self, comparison: &'c Comparison<MonthlyStates>) -> Result<Prepared<'c, MonthlyStates>> {
        if self.months.is_empty() {
            return Err(Error::invalid("no month is named; give one or more"));
        }
        self.months.iter().try_for_each(|month| comparison.check_month(*month))?;
        let prepared = self.adjustment.prepare(comparison, Family::Gaussian, NAME, self.level)?;
        refuse_alone(prepared.comparison())?;
        Ok(prepared)
    }

    /// `12 months`, or `months 13 to 24`.
    fn horizon(&self) -> String {
        match &self.months[..] {
            [month] => counted(*month, "month"),
            [first, .., last] if last - first + 1 == self.months.len() => {
                format!("mean of months {first} to {last}")
            }
            months => {
                let months: Vec<String> = months.iter().map(ToString::to_string).collect();
                format!("mean of months {}", months.join(", "))
            }
        }
    }

    fn about(&self, prepared: &Prepared<MonthlyStates>) -> Result<About> {
        let people = prepared.comparison();
        let method =
            prepared.method(VarianceMethod::Clustered(self.variance)).interval(IntervalMethod::StudentT);
        let mut about = About::of(people, Estimand::Marginal, method, self.level)?;
        about.measure = people.described(&people.chosen(&self.states)?, &self.horizon());
        about.measure.unit = None;
        about.notices.extend(prepared.strata_ignored());
        Ok(about)
    }

    /// What is made of the regression over people and months.
    fn with_model<T>(
        &self,
        prepared: &Prepared<MonthlyStates>,
        with: impl FnOnce(&PeriodModel) -> Result<T>,
    ) -> Result<T> {
        let people = prepared.comparison();
        let chosen = people.chosen(&self.states)?;
        let clusters = match people.clusters() {
            None => None,
            Some(_) => Some(&declared_clusters(people)?.codes),
        };
        let (k, t) = (people.arms().len(), self.months.len());
        let sequences = people.sequences()?;
        let (mut outcome, mut cluster, mut arm) = (Vec::new(), Vec::new(), Vec::new());
        let (mut month, mut person) = (Vec::new(), Vec::new());
        // Those seen, and those of them in the states, by arm and month.
        let mut seen = Array2::<usize>::zeros((k, t));
        let mut inside = Array2::<f64>::zeros((k, t));
        for ((i, own), &of_arm) in (0_u32..).zip(&sequences).zip(people.arm_indices()) {
            for ((place, code), at) in (0..).zip(0_u32..).zip(&self.months) {
                if let Some(&state) = own.get(at - 1) {
                    let value = chosen.value(state);
                    outcome.push(value);
                    cluster.push(clusters.map_or(i, |codes| codes[i as usize]));
                    arm.push(of_arm);
                    month.push(code);
                    person.push(i as usize);
                    seen[[of_arm as usize, place]] += 1;
                    inside[[of_arm as usize, place]] += value;
                }
            }
        }
        self.check_cells(people, &seen, &inside)?;
        let matrix = prepared.covariates()?;
        let column = |j: usize| {
            let mut of_people = Array1::zeros(sequences.len());
            matrix.fill_column(j, 0..sequences.len(), None, of_people.view_mut());
            person.iter().map(|&i| of_people[i]).collect::<Array1<f64>>()
        };
        let columns: Vec<Array1<f64>> = (1..matrix.ncols()).map(column).collect();
        let mut model = PeriodModel::new(&outcome, &cluster, (k, &arm), (t, &month))?;
        for (name, values) in matrix.names()[1..].iter().zip(&columns) {
            model = model.covariate(name, values.view());
        }
        with(&model)
    }

    /// Somebody of every arm is seen in every month, and people differ.
    fn check_cells(
        &self,
        people: &Comparison<MonthlyStates>,
        seen: &Array2<usize>,
        inside: &Array2<f64>,
    ) -> Result<()> {
        let lasts = people.last_months()?;
        for (i, arm) in people.arms().iter().enumerate() {
            for (place, &month) in self.months.iter().enumerate() {
                let constant = |i: usize| {
                    let (n, events) = (seen[[i, place]] as f64, inside[[i, place]]);
                    events == 0.0 || events == n
                };
                if month > lasts[i] {
                    let (horizon, last) = (counted(month, "month"), format!("month {}", lasts[i]));
                    let error = Error::from(ErrorKind::BeyondFollowUp { horizon, last });
                    return Err(error.in_arm(&arm.label));
                }
                if i > 0 && constant(i) && constant(0) {
                    let why = format!(
                        "the people of this arm do not differ in month {month}, nor do those of the reference, so that the effect has no \
                         standard error; leave the month out"
                    );
                    return Err(Error::from(ErrorKind::ZeroVariance(why)).in_arm(&arm.label));
                }
            }
        }
        Ok(())
    }
}

impl Estimator<MonthlyStates> for MonthlyEffects {
    type Scale = RiskDifference;

    fn estimate(&self, comparison: &Comparison<MonthlyStates>) -> Result<Estimates<RiskDifference>> {
        let prepared = self.prepare(comparison)?;
        let weights = vec![1.0 / self.months.len() as f64; self.months.len()];
        let means = self.with_model(&prepared, |model| model.averages(self.variance, &[weights]))?;
        let about = self.about(&prepared)?;
        let people = prepared.comparison();
        let Some(mean) = means.into_iter().next() else {
            return Err(Error::invalid("there is no mean over months; name a month"));
        };
        let contrasts = people.treatments().iter().enumerate().map(|(i, arm)| {
            let (value, df) = (mean.estimates[i], Some(mean.df[i]));
            Contrast::wald(arm.clone(), value, mean.covariance[[i, i]], df, self.level)
                .map_err(|error| error.in_arm(&arm.label))
        });
        let contrasts = contrasts.collect::<Result<Vec<_>>>()?;
        Estimates::new(RiskDifference, about, people.reference().clone(), contrasts, mean.covariance)
    }
}
