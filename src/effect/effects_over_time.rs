use super::about::About;
use super::contrast::Contrast;
use super::estimate::check_reference;
use super::estimates::Estimates;
use super::scale::RiskDifference;
use crate::compute::hypothesis::WaldTest;
use crate::compute::linalg::submatrix;
use crate::compute::multiplicity::{Alternative, Contrasts, SimultaneousInference};
use crate::design::{ComparedArm, Label};
use crate::error::{Error, ErrorKind, Result, counted, listed};
use ndarray::Array2;
use serde::{Deserialize, Serialize};

/// The effects of every treatment in every month, with the joint covariance of all; made by
/// [`MonthlyEffects::over_time`](crate::estimator::MonthlyEffects::over_time).
///
/// One month of it is an ordinary [`Estimates`] ([`at`](EffectsOverTime::at)), which pools like any other. A
/// curve of many months invites to look for the largest: [`simultaneous`](EffectsOverTime::simultaneous) gives
/// intervals that hold for all months and treatments together, and [`joint_test`](EffectsOverTime::joint_test) one
/// p-value of all months of a treatment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(remote = "Self")]
#[non_exhaustive]
pub struct EffectsOverTime {
    /// The identity of the effects; the horizon is that of each month.
    pub about: About,
    /// The reference with its numbers of people.
    pub reference: ComparedArm,
    /// The treatments.
    pub treatments: Vec<ComparedArm>,
    /// The months, ascending.
    pub months: Vec<usize>,
    /// The effects, treatments x months.
    #[serde(with = "crate::compute::matrix_rows")]
    pub values: Array2<f64>,
    /// Their covariance, in the order of the rows of the values.
    #[serde(with = "crate::compute::matrix_rows")]
    pub covariance: Array2<f64>,
    /// The degrees of freedom of each effect, treatments x months.
    #[serde(with = "crate::compute::matrix_rows")]
    pub df: Array2<f64>,
    /// The test that all effects of each treatment are 0; none where there are too many months for the data.
    pub joint: Vec<Option<WaldTest>>,
}

checked!(EffectsOverTime);

impl EffectsOverTime {
    pub(crate) fn checked(self) -> Result<Self> {
        self.check()?;
        Ok(self)
    }

    fn check(&self) -> Result<()> {
        let Self { about, reference, treatments, months, values, covariance, df, joint } = self;
        about.check_one_trial()?;
        check_reference(about, reference)?;
        let (k, t) = (treatments.len(), months.len());
        let size = k * t;
        let fits = values.dim() == (k, t) && df.dim() == (k, t) && covariance.dim() == (size, size);
        if size == 0 || !fits || joint.len() != k || !months.is_sorted_by(|a, b| a < b) {
            let why = format!(
                "the effects of {} in {} are not as many as their covariance says; give each month once, ascending",
                counted(k, "treatment"),
                counted(t, "month")
            );
            return Err(about.locate(Error::invalid(why)));
        }
        let finite = values.iter().chain(covariance).all(|value| value.is_finite());
        let positive = covariance.diag().iter().all(|variance| *variance > 0.0);
        let symmetric = covariance.indexed_iter().all(|((i, j), value)| {
            let scale = (covariance[[i, i]] * covariance[[j, j]]).sqrt();
            (value - covariance[[j, i]]).abs() <= 1e-9 * scale && value.abs() <= scale * (1.0 + 1e-9)
        });
        if !finite || !positive || !symmetric || !df.iter().all(|df| *df > 0.0) {
            let why = "the covariance is that of no effects, or degrees of freedom are not above 0; give those of the estimates";
            return Err(about.locate(Error::invalid(why)));
        }
        // Every contrast is checked where it is read.
        (0..t).try_for_each(|month| self.estimates(month).map(|_| ()))
    }

    /// The effects of all treatments in a month.
    ///
    /// # Errors
    /// The month is none of these.
    pub fn at(&self, month: usize) -> Result<Estimates<RiskDifference>> {
        let place = self.months.iter().position(|own| *own == month).ok_or_else(|| {
            let known: Vec<String> = self.months.iter().map(ToString::to_string).collect();
            let why = format!("there is no effect in month {month}; take one of {}", listed(&known));
            self.about.locate(Error::invalid(why))
        })?;
        self.estimates(place)
    }

    fn estimates(&self, place: usize) -> Result<Estimates<RiskDifference>> {
        let places: Vec<usize> = (0..self.treatments.len()).map(|i| i * self.months.len() + place).collect();
        let covariance = submatrix(self.covariance.view(), &places);
        let mut about = self.about.clone();
        about.measure.horizon = Some(counted(self.months[place], "month"));
        let contrasts = self.treatments.iter().enumerate().map(|(i, arm)| {
            let (value, df) = (self.values[[i, place]], Some(self.df[[i, place]]));
            Contrast::wald(arm.clone(), value, covariance[[i, i]], df, about.level)
                .map_err(|error| about.locate(error.in_arm(&arm.label)))
        });
        let contrasts = contrasts.collect::<Result<Vec<_>>>()?;
        Estimates::new(RiskDifference, about, self.reference.clone(), contrasts, covariance)
    }

    /// The place of a treatment.
    fn position(&self, treatment: &str) -> Result<usize> {
        self.treatments.iter().position(|arm| arm.label == treatment).ok_or_else(|| {
            let known = self.treatments.iter().map(|arm| arm.label.to_string()).collect();
            self.about.locate(ErrorKind::UnknownTreatment { name: treatment.to_owned(), known }.into())
        })
    }

    /// The trial.
    pub fn trial(&self) -> &Label {
        &self.about.trials[0]
    }

    /// The test that the effects of a treatment are 0 in all months: by the variance of the estimator chi-squared,
    /// F, or the approximate Hotelling test of Pustejovsky and Tipton (2018).
    ///
    /// # Errors
    /// There is no such treatment; there is no test, as the months are too many.
    pub fn joint_test(&self, treatment: impl AsRef<str>) -> Result<WaldTest> {
        let place = self.position(treatment.as_ref())?;
        self.joint[place].ok_or_else(|| {
            let why = "these months cannot be tested together: there are too few people for so many, or neighbouring months are nearly the \
                       same; name fewer months, such as every sixth";
            let error = Error::from(ErrorKind::NotEstimable(why.to_owned()));
            self.about.locate(error.in_arm(treatment.as_ref()))
        })
    }

    /// Intervals that hold together for all treatments and months at a level, with adjusted p-values, from the joint
    /// covariance (max-t); in the order of the treatments, and of the months of each. Student's t takes the
    /// smallest degrees of freedom of all.
    ///
    /// # Errors
    /// A level that is not between 0 and 1.
    pub fn simultaneous(&self, level: f64) -> Result<SimultaneousInference> {
        let values: Vec<f64> = self.values.iter().copied().collect();
        let df = self.df.iter().copied().reduce(f64::min);
        Contrasts::new(&values, self.covariance.view(), df)
            .and_then(|joint| joint.simultaneous(Alternative::TwoSided, level))
            .map_err(|error| self.about.locate(error))
    }
}
