use crate::compute::proportion::{DifferenceVariance, Proportion, TwoProportions};
use crate::error::{Error, ErrorKind, Result, counted};
use ndarray::Array2;
use serde::{Deserialize, Serialize};

/// The test of a difference in proportions that is repeated over the completions of missing outcomes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum TippingTest {
    /// The difference over its standard error with the pooled proportion. The default: its level holds where events are
    /// few.
    #[default]
    Pooled,
    /// The difference over its standard error with both proportions.
    Unpooled,
}

/// Two arms with events, people who were seen and people who were randomised: which completions of the missing outcomes
/// change the conclusion.
///
/// # Formula
///
/// Every pair of numbers of events among the missing, from none to all, gives a table of everybody, and a two-sided
/// p-value by the test that was chosen.
///
/// # Errors
/// `invalid_input` for more events than people seen or more seen than randomised; `insufficient_observations` for an arm
/// without people.
///
/// # Examples
/// ```
/// use armwise::missing::{MissingEvents, TippingTest};
///
/// let trial = MissingEvents::new([18, 38, 42], [7, 36, 41])?.test(TippingTest::Unpooled);
/// assert!((trial.p_value(0, 0)? - 0.00745).abs() < 1e-5);
/// // Three events among the five missing controls, none among the missing of the treatment.
/// let tipping = trial.tipping_point(0, 0.05)?.unwrap();
/// assert_eq!(tipping.control_events, 3);
/// assert_eq!(trial.grid()?.dim(), (5, 6));
/// # Ok::<(), armwise::Error>(())
/// ```
///
/// # References
/// Yan, Lee & Li (2009), Journal of Biopharmaceutical Statistics 19:1085. Liublinska & Rubin (2014), Statistics in
/// Medicine 33:4170 (the grid).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(remote = "Self")]
#[non_exhaustive]
pub struct MissingEvents {
    /// Events, people seen, people randomised, of the treatment.
    pub treatment: [u64; 3],
    /// Those of the control arm.
    pub control: [u64; 3],
    /// The test.
    pub test: TippingTest,
}

checked!(MissingEvents);

/// The first completion at which the conclusion changes.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct TippingPoint {
    /// Events among the missing of the treatment.
    pub treatment_events: u64,
    /// Events among the missing of the control arm.
    pub control_events: u64,
    /// The difference in proportions there.
    pub risk_difference: f64,
    /// The p-value there.
    pub p_value: f64,
}

/// A grid has at most as many cells.
const MOST_CELLS: u64 = 10_000_000;

impl MissingEvents {
    /// Events, people seen and people randomised of both arms.
    ///
    /// # Errors
    /// See [`MissingEvents`].
    pub fn new(treatment: [u64; 3], control: [u64; 3]) -> Result<Self> {
        let trial = Self { treatment, control, test: TippingTest::default() };
        trial.check()?;
        Ok(trial)
    }

    setters! {
        /// The test; default the pooled one.
        test: TippingTest;
    }

    /// The numbers of missing outcomes of both arms.
    pub fn missing(&self) -> [u64; 2] {
        [self.treatment, self.control].map(|[_, seen, randomised]| randomised - seen)
    }

    /// The p-value with so many events among the missing of treatment and control.
    ///
    /// # Errors
    /// `invalid_input` for more events than there are missing.
    pub fn p_value(&self, treatment: u64, control: u64) -> Result<f64> {
        let table = self.completed(treatment, control)?;
        let variance = match self.test {
            TippingTest::Pooled => DifferenceVariance::Pooled,
            TippingTest::Unpooled => DifferenceVariance::Unpooled,
        };
        match table.z_test(variance) {
            Ok(test) => Ok(test.p_values.two_sided),
            // Everybody alike: no difference, and nothing against it.
            Err(error) if error.kind().depends_on_outcome() && table.difference().estimate == 0.0 => Ok(1.0),
            Err(error) => Err(error),
        }
    }

    /// The difference in proportions with so many events among the missing of treatment and control.
    ///
    /// # Errors
    /// `invalid_input` for more events than there are missing.
    pub fn difference(&self, treatment: u64, control: u64) -> Result<f64> {
        Ok(self.completed(treatment, control)?.difference().estimate)
    }

    /// The differences in proportions by the events among the missing of the treatment (rows) and of the control arm
    /// (columns), each from 0.
    ///
    /// # Errors
    /// `invalid_input` for a grid of more than ten million cells.
    pub fn differences(&self) -> Result<Array2<f64>> {
        self.over_grid(|i, j| self.difference(i, j))
    }

    /// The p-values by the events among the missing of the treatment (rows) and of the control arm (columns), each from
    /// 0.
    ///
    /// # Errors
    /// `invalid_input` for a grid of more than ten million cells.
    pub fn grid(&self) -> Result<Array2<f64>> {
        self.over_grid(|i, j| self.p_value(i, j))
    }

    fn over_grid(&self, of: impl Fn(u64, u64) -> Result<f64>) -> Result<Array2<f64>> {
        let [rows, columns] = self.missing().map(|missing| missing.saturating_add(1));
        if rows.saturating_mul(columns) > MOST_CELLS {
            return Err(Error::invalid(format!(
                "a grid of {rows} x {columns} completions; look at single rows with tipping_point(..) instead"
            )));
        }
        let cells: Result<Vec<f64>> =
            (0..rows).flat_map(|i| (0..columns).map(move |j| (i, j))).map(|(i, j)| of(i, j)).collect();
        let shape = [rows, columns].map(|size| usize::try_from(size).unwrap_or(usize::MAX));
        Array2::from_shape_vec(shape, cells?)
            .map_err(|error| Error::invalid(format!("{error}; take a smaller grid")))
    }

    /// The smallest number of events among the missing of the control arm at which the p-value is on the other side of
    /// `alpha` than with none, the missing of the treatment having so many; `None` where no number changes that.
    ///
    /// # Errors
    /// `invalid_input` for more events than there are missing, or `alpha` outside 0 to 1.
    pub fn tipping_point(&self, treatment: u64, alpha: f64) -> Result<Option<TippingPoint>> {
        if !(alpha > 0.0 && alpha < 1.0) {
            return Err(Error::invalid(format!(
                "the significance level is {alpha}; give one between 0 and 1"
            )));
        }
        let first = self.p_value(treatment, 0)? <= alpha;
        for control in 1..=self.missing()[1] {
            let p_value = self.p_value(treatment, control)?;
            if (p_value <= alpha) != first {
                let risk_difference = self.difference(treatment, control)?;
                return Ok(Some(TippingPoint {
                    treatment_events: treatment,
                    control_events: control,
                    risk_difference,
                    p_value,
                }));
            }
        }
        Ok(None)
    }

    fn completed(&self, treatment: u64, control: u64) -> Result<TwoProportions> {
        let [of_treatment, of_control] = self.missing();
        if treatment > of_treatment || control > of_control {
            return Err(Error::invalid(format!(
                "events among the missing are {treatment} of {of_treatment} and {control} of {of_control}; give at most as many as are missing"
            )));
        }
        let [(x1, n1), (x0, n0)] =
            [(self.treatment, treatment), (self.control, control)].map(|([x, _, n], more)| (x + more, n));
        Ok(TwoProportions::new(Proportion::new(x1, n1)?, Proportion::new(x0, n0)?))
    }

    fn check(&self) -> Result<()> {
        for [events, seen, randomised] in [self.treatment, self.control] {
            if events > seen || seen > randomised {
                return Err(Error::invalid(format!(
                    "{} among {} seen of {randomised}; give at most as many of the former as of the latter",
                    counted(events, "event"),
                    counted(seen, "person")
                )));
            }
            if randomised == 0 {
                let why = "an arm has nobody; leave it out";
                return Err(ErrorKind::InsufficientObservations(why.to_owned()).into());
            }
        }
        Ok(())
    }
}

/// The difference in means where the missing of the treatment are `delta` below those who were seen.
///
/// # Formula
///
/// `m1 - delta (1 - q1) - m0` with the share `q1` of the treated who were seen; the missing of the control arm are as
/// those seen.
///
/// # Examples
/// ```
/// use armwise::missing::DeltaAdjustment;
///
/// let wellbeing = DeltaAdjustment::new(6.8, [180, 212], 6.4)?;
/// assert!((wellbeing.difference(1.0) - 0.249).abs() < 1e-3);
/// assert!((wellbeing.delta_at(0.0).unwrap() - 2.65).abs() < 1e-12);
/// # Ok::<(), armwise::Error>(())
/// ```
///
/// # References
/// Rubin (1977), JASA 72:538. Carpenter & Kenward (2013), Multiple Imputation and its Application, chapter 10.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct DeltaAdjustment {
    /// The difference in the means of those who were seen.
    pub complete_cases: f64,
    /// The share of the treated who are missing.
    pub missing: f64,
}

impl DeltaAdjustment {
    /// The mean of the treated who were seen, with their number and that of all, and the mean of the control arm.
    ///
    /// # Errors
    /// `invalid_input` for means that are not finite, and more people seen than randomised or none.
    pub fn new(treatment: f64, [seen, randomised]: [u64; 2], control: f64) -> Result<Self> {
        let complete_cases = treatment - control;
        if !complete_cases.is_finite() || seen == 0 || seen > randomised {
            return Err(Error::invalid(format!(
                "means of {treatment} and {control} with {seen} seen of {randomised} people; give finite means, and at least one person seen"
            )));
        }
        Ok(Self { complete_cases, missing: (randomised - seen) as f64 / randomised as f64 })
    }

    /// The difference at this delta.
    pub fn difference(&self, delta: f64) -> f64 {
        self.complete_cases - delta * self.missing
    }

    /// The delta at which the difference is this; `None` where nobody of the treated is missing.
    pub fn delta_at(&self, difference: f64) -> Option<f64> {
        let delta = (self.complete_cases - difference) / self.missing;
        (self.missing > 0.0 && delta.is_finite()).then_some(delta)
    }
}
