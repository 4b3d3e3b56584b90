//! Non-inferiority and equivalence of an estimate, and the number needed to treat.

use super::Estimate;
use super::method::IntervalMethod;
use super::scale::{AnyScale, RiskDifference, Scale};
use crate::compute::distribution::{Normal, StudentT};
use crate::compute::interval::{Interval, extended};
use crate::compute::mean::OneSidedTest;
use crate::compute::proportion::{
    DifferenceInterval, DifferenceTest, NumberNeededToTreat, Proportion, TwoProportions,
};
use crate::compute::words::words;
use crate::design::Direction;
use crate::error::{Error, ErrorKind, Result};
use serde::{Deserialize, Serialize};

/// The statistic behind a test against a margin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum MarginTest {
    /// The distance of the estimate from the margin over its standard error, by the normal or Student's t distribution of the estimate.
    Wald,
    /// The score test of a difference in proportions (Farrington & Manning 1990, Statistics in Medicine 9:1447), from the counts.
    FarringtonManning,
    /// The same with the factor `(N - 1) / N` on its square (Miettinen & Nurminen 1985), from the counts.
    MiettinenNurminen,
}

words! {
    MarginTest {
        Wald => "Wald",
        FarringtonManning => "Farrington-Manning",
        MiettinenNurminen => "Miettinen-Nurminen",
    }
}

/// What the confidence interval says of a margin of non-inferiority.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum NonInferiorityConclusion {
    /// The whole interval lies on the better side of no effect.
    Superior,
    /// The whole interval lies on the better side of the margin, and holds no effect or effects for the worse.
    NonInferior,
    /// The interval holds the margin.
    Inconclusive,
    /// The whole interval lies beyond the margin, on the worse side.
    Inferior,
}

words! {
    NonInferiorityConclusion {
        Superior => "superior",
        NonInferior => "non-inferior",
        Inconclusive => "inconclusive",
        Inferior => "inferior",
    }
}

/// What the interval says of margins of equivalence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum EquivalenceConclusion {
    /// The whole interval lies between the margins.
    Equivalent,
    /// The interval holds a margin.
    Inconclusive,
    /// The whole interval lies beyond a margin.
    Different,
}

words! {
    EquivalenceConclusion { Equivalent => "equivalent", Inconclusive => "inconclusive", Different => "different", }
}

/// The test that a treatment is not worse than the reference by a margin or more; see [`Estimate::non_inferiority`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Asked<S>", bound = "S: Scale")]
#[non_exhaustive]
pub struct NonInferiority<S: Scale> {
    /// The estimate.
    pub estimate: Estimate<S>,
    /// The margin, a positive distance from no effect on the scale.
    pub margin: f64,
    /// The statistic.
    pub test: MarginTest,
    /// The effect at the edge of the null hypothesis: minus the margin where higher is better, else the margin.
    pub null: f64,
    /// The statistic, positive in favour of non-inferiority.
    #[serde(with = "extended")]
    pub statistic: f64,
    /// The one-sided p-value.
    pub p_value: f64,
    /// What the interval of the estimate says.
    pub conclusion: NonInferiorityConclusion,
}

/// Two one-sided tests (Schuirmann 1987) that an effect lies between two margins; see [`Estimate::equivalence`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Asked<S>", bound = "S: Scale")]
#[non_exhaustive]
pub struct Equivalence<S: Scale> {
    /// The estimate.
    pub estimate: Estimate<S>,
    /// The margin, a positive distance from no effect on the scale, in both directions.
    pub margin: f64,
    /// The statistic.
    pub test: MarginTest,
    /// Against an effect of minus the margin or less.
    pub lower: OneSidedTest,
    /// Against an effect of the margin or more.
    pub upper: OneSidedTest,
    /// The larger of both p-values.
    pub p_value: f64,
    /// The interval of level `1 - 2 alpha`, `alpha` being 1 less the level of the estimate.
    pub interval: Interval,
    /// The level of that interval.
    pub interval_level: f64,
    /// What that interval says.
    pub conclusion: EquivalenceConclusion,
}

/// What a result follows from; the rest is computed anew where it is read.
#[derive(Deserialize)]
#[serde(bound = "S: Scale")]
struct Asked<S: Scale> {
    estimate: Estimate<S>,
    margin: f64,
    test: MarginTest,
}

impl<S: Scale> TryFrom<Asked<S>> for NonInferiority<S> {
    type Error = Error;

    fn try_from(asked: Asked<S>) -> Result<Self> {
        asked.estimate.test_non_inferiority(asked.margin, asked.test)
    }
}

impl<S: Scale> TryFrom<Asked<S>> for Equivalence<S> {
    type Error = Error;

    fn try_from(asked: Asked<S>) -> Result<Self> {
        asked.estimate.test_equivalence(asked.margin, asked.test)
    }
}

impl MarginTest {
    /// The test of which the interval of an estimate is the inversion.
    fn of(interval: &IntervalMethod) -> Self {
        match interval {
            IntervalMethod::Difference(DifferenceInterval::MiettinenNurminen) => Self::MiettinenNurminen,
            IntervalMethod::Difference(DifferenceInterval::Mee) => Self::FarringtonManning,
            _ => Self::Wald,
        }
    }

    fn of_counts(self) -> Option<(DifferenceTest, DifferenceInterval)> {
        match self {
            Self::Wald => None,
            Self::FarringtonManning => Some((DifferenceTest::FarringtonManning, DifferenceInterval::Mee)),
            Self::MiettinenNurminen => {
                Some((DifferenceTest::MiettinenNurminen, DifferenceInterval::MiettinenNurminen))
            }
        }
    }
}

impl<S: Scale> Estimate<S> {
    /// The test that the treatment is not worse than the reference by `margin` or more. What is better comes from the measure.
    ///
    /// The margin is positive and on the scale: of log ratios a logarithm, such as `1.25_f64.ln()`. The conclusion is drawn from the interval of the
    /// estimate, so that at a level of 0.95 the one-sided error is 2.5%. The p-value is that of the test which the interval inverts:
    /// Miettinen-Nurminen and Farrington-Manning (Mee) from the counts, else Wald, `(b + margin) / se` where higher is better.
    ///
    /// # Errors
    /// A margin that is not positive; a measure without a direction; a standard error of zero.
    ///
    /// ```
    /// use armwise::prelude::*;
    ///
    /// let outflow = Measure::binary("outflow").higher_is_better();
    /// let counts = Comparison::from_counts("Utrecht", &outflow, [("control", 82, 100), ("online", 80, 100)])?;
    /// let online = counts.estimate(&DifferenceInProportions::new())?.treatment("online")?;
    /// let test = online.non_inferiority(0.15)?;
    /// assert_eq!(test.conclusion, NonInferiorityConclusion::NonInferior);
    /// assert!(test.p_value < 0.025 && online.non_inferiority(0.05)?.p_value > 0.025);
    /// # Ok::<(), armwise::Error>(())
    /// ```
    pub fn non_inferiority(&self, margin: f64) -> Result<NonInferiority<S>> {
        self.test_non_inferiority(margin, MarginTest::of(&self.method().interval))
    }

    /// Two one-sided tests that the effect lies between minus the margin and the margin, with the interval of level `1 - 2 alpha`, where `alpha` is 1
    /// less the level of the estimate: of an estimate at 0.95 the 90% interval.
    ///
    /// # Errors
    /// A margin that is not positive; a level of 0.5 or less; a standard error of zero.
    ///
    /// ```
    /// use armwise::prelude::*;
    ///
    /// let outflow = Measure::binary("outflow").higher_is_better();
    /// let counts = Comparison::from_counts("Utrecht", &outflow, [("control", 820, 1000), ("online", 815, 1000)])?;
    /// let test = counts.estimate(&DifferenceInProportions::new())?.treatment("online")?.equivalence(0.05)?;
    /// assert_eq!(test.conclusion, EquivalenceConclusion::Equivalent);
    /// assert!(test.p_value < 0.05 && (test.interval_level - 0.9).abs() < 1e-12);
    /// # Ok::<(), armwise::Error>(())
    /// ```
    pub fn equivalence(&self, margin: f64) -> Result<Equivalence<S>> {
        self.test_equivalence(margin, MarginTest::of(&self.method().interval))
    }

    fn test_non_inferiority(&self, margin: f64, test: MarginTest) -> Result<NonInferiority<S>> {
        self.check_margin(margin)?;
        let null = match self.measure().direction {
            Direction::HigherIsBetter => -margin,
            Direction::LowerIsBetter => margin,
            Direction::Undeclared => {
                return Err(self.locate(Error::invalid(
                    "nobody has said what is better; declare the measure with higher_is_better() or lower_is_better()",
                )));
            }
        };
        let OneSidedTest { statistic, p_value } = self.one_sided(null, test)?;
        // The interval as seen from the better side.
        let (lower, upper) = (self.interval().lower(), self.interval().upper());
        let (worst, best) = if null < 0.0 { (lower, upper) } else { (-upper, -lower) };
        let conclusion = if worst > 0.0 {
            NonInferiorityConclusion::Superior
        } else if worst > -margin {
            NonInferiorityConclusion::NonInferior
        } else if best < -margin {
            NonInferiorityConclusion::Inferior
        } else {
            NonInferiorityConclusion::Inconclusive
        };
        Ok(NonInferiority { estimate: self.clone(), margin, test, null, statistic, p_value, conclusion })
    }

    fn test_equivalence(&self, margin: f64, test: MarginTest) -> Result<Equivalence<S>> {
        self.check_margin(margin)?;
        let interval_level = 2.0 * self.level() - 1.0;
        if interval_level <= 0.0 {
            let why = format!(
                "equivalence at a level of {} has an interval of level {interval_level}; estimate at a level above 0.5",
                self.level()
            );
            return Err(self.locate(Error::invalid(why)));
        }
        let (lower, upper) = (self.one_sided(-margin, test)?, self.one_sided(margin, test)?);
        let interval = if let Some((_, interval)) = test.of_counts() {
            self.counts()?
                .difference_interval(interval, interval_level)
                .map_err(|error| self.locate(error))?
        } else {
            let half = self.upper_quantile(1.0 - self.level())? * self.se();
            Interval::new(self.value() - half, self.value() + half)?
        };
        let conclusion = if interval.lower() > -margin && interval.upper() < margin {
            EquivalenceConclusion::Equivalent
        } else if interval.lower() > margin || interval.upper() < -margin {
            EquivalenceConclusion::Different
        } else {
            EquivalenceConclusion::Inconclusive
        };
        let p_value = lower.p_value.max(upper.p_value);
        let estimate = self.clone();
        Ok(Equivalence {
            estimate,
            margin,
            test,
            lower,
            upper,
            p_value,
            interval,
            interval_level,
            conclusion,
        })
    }

    /// The test of `null` or less for a negative null, of `null` or more for a positive one.
    fn one_sided(&self, null: f64, test: MarginTest) -> Result<OneSidedTest> {
        if let Some((test, _)) = test.of_counts() {
            let two_sided = self.counts()?.difference_test(null, test).map_err(|error| self.locate(error))?;
            return Ok(if null < 0.0 {
                OneSidedTest { statistic: two_sided.statistic, p_value: two_sided.p_values.greater }
            } else {
                OneSidedTest { statistic: -two_sided.statistic, p_value: two_sided.p_values.less }
            });
        }
        if self.se() == 0.0 {
            let why = "the standard error is zero, so that no margin can be tested; use a score interval, which has a test from the counts";
            return Err(self.locate(ErrorKind::ZeroVariance(why.to_owned()).into()));
        }
        let distance = if null < 0.0 { self.value() - null } else { null - self.value() };
        let statistic = distance / self.se();
        let p_value = match self.df().map(StudentT::new) {
            Some(t) => t?.sf(statistic),
            None => Normal.sf(statistic),
        };
        Ok(OneSidedTest { statistic, p_value })
    }

    fn upper_quantile(&self, tail: f64) -> Result<f64> {
        Ok(match self.df() {
            Some(df) => StudentT::new(df)?.upper_quantile(tail),
            None => Normal.upper_quantile(tail),
        })
    }

    /// The counts whose crude difference the estimate is.
    fn counts(&self) -> Result<TwoProportions> {
        let arms = [self.treatment_counts(), self.reference_counts()];
        if let [Some(treated), Some(untreated)] = arms.map(|arm| arm.events) {
            let two = TwoProportions::new(
                Proportion::new(treated, arms[0].analysed)?,
                Proportion::new(untreated, arms[1].analysed)?,
            );
            let crude = (two.difference().estimate - self.value()).abs() <= 1e-12;
            if crude && self.scale().to_any() == AnyScale::RiskDifference && self.df().is_none() {
                return Ok(two);
            }
        }
        let why = "this test is one of the counts, but the estimate is no unadjusted difference in proportions of independent people; \
                   use non_inferiority(..) or equivalence(..)";
        Err(self.locate(ErrorKind::NotEstimable(why.to_owned()).into()))
    }

    fn check_margin(&self, margin: f64) -> Result<()> {
        if margin > 0.0 && margin.is_finite() {
            return Ok(());
        }
        Err(self.locate(Error::invalid(format!(
            "the margin is {margin}; give a positive distance from no effect, on the scale of the estimate"
        ))))
    }

    fn locate(&self, error: Error) -> Error {
        error.in_arm(self.treatment()).in_measure(&self.measure().name).in_trial(self.trial())
    }
}

impl Estimate<RiskDifference> {
    /// As [`Estimate::non_inferiority`], by a named test: Farrington and Manning's from the counts of an unadjusted difference in proportions. The
    /// conclusion is that of the interval of the estimate; [`Mee`](DifferenceInterval::Mee) inverts the Farrington-Manning test.
    ///
    /// # Errors
    /// As [`Estimate::non_inferiority`]; a test of counts for an estimate that is no unadjusted difference in proportions.
    ///
    /// ```
    /// use armwise::prelude::*;
    ///
    /// let cured = Measure::binary("cured").higher_is_better();
    /// let counts = Comparison::from_counts("Utrecht", &cured, [("control", 82, 100), ("new", 80, 100)])?;
    /// let effect = counts.estimate(&DifferenceInProportions::new())?.treatment("new")?;
    /// let test = effect.non_inferiority_by(MarginTest::FarringtonManning, 0.1)?;
    /// assert!((test.statistic - 1.431584).abs() < 1e-6);
    /// # Ok::<(), armwise::Error>(())
    /// ```
    pub fn non_inferiority_by(
        &self,
        test: MarginTest,
        margin: f64,
    ) -> Result<NonInferiority<RiskDifference>> {
        self.test_non_inferiority(margin, test)
    }

    /// As [`Estimate::equivalence`], by a named test, with the interval that inverts it.
    ///
    /// # Errors
    /// As [`Estimate::equivalence`] and [`Estimate::non_inferiority_by`].
    pub fn equivalence_by(&self, test: MarginTest, margin: f64) -> Result<Equivalence<RiskDifference>> {
        self.test_equivalence(margin, test)
    }

    /// The number needed to treat for one event more: the reciprocal of the difference, with the reciprocals of its interval; two pieces where the
    /// interval holds 0 (Altman 1998, BMJ 317:1309). Negative numbers mean one event fewer.
    ///
    /// # Errors
    /// The interval is the point 0.
    ///
    /// ```
    /// use armwise::prelude::*;
    /// use armwise::proportion::NumberNeededInterval;
    ///
    /// let outflow = Measure::binary("outflow");
    /// let counts = Comparison::from_counts("Utrecht", &outflow, [("control", 10, 50), ("guidance", 12, 50)])?;
    /// let needed = counts.estimate(&DifferenceInProportions::new())?.treatment("guidance")?.number_needed_to_treat()?;
    /// assert!((needed.estimate - 25.0).abs() < 1e-9);
    /// assert!(matches!(needed.interval, NumberNeededInterval::Disjoint { .. }));
    /// # Ok::<(), armwise::Error>(())
    /// ```
    pub fn number_needed_to_treat(&self) -> Result<NumberNeededToTreat> {
        NumberNeededToTreat::of(self.value(), self.interval()).map_err(|error| self.locate(error))
    }
}
