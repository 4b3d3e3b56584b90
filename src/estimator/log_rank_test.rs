//! Tests of whether the arms differ in when an event happens at all.

use crate::compute::hypothesis::ChiSquaredTest;
use crate::compute::survival::{GrayTest, LogRank, LogRankWeight};
use crate::design::{Comparison, Label, MeasureInfo, Notice, TimeToEvent};
use crate::error::{Error, ErrorKind, Result};
use serde::{Deserialize, Serialize};

/// A test of the log-rank family, or Gray's, that all arms have the event of interest at the same pace.
///
/// Use it beside an effect: it says whether arms differ, not by how much. For how much:
/// [`RiskAtHorizon`](crate::estimator::RiskAtHorizon),
/// [`RestrictedMeanTime`](crate::estimator::RestrictedMeanTime).
///
/// # Formula
/// `(O - E)' V^- (O - E)` over arms with the observed events `O` of the cause, those expected `E` if its hazard
/// were the same in all arms, and their hypergeometric covariance `V`, summed over the strata where it is
/// stratified; chi-squared on arms less 1. Competing causes leave without an event (the hazard of the cause). With
/// [`of_incidence`](LogRankTest::of_incidence): Gray's test, of the cumulative incidence of the cause.
///
/// # Assumptions
/// People were randomised one by one; within an arm (and stratum) those who are censored are like those who stay.
///
/// # Interval
/// None: it is a test.
///
/// # Errors
/// Nobody had the event; no two arms are at risk together; no strata were declared for a stratified test; entry
/// times or another weight with Gray's test.
///
/// # Examples
/// ```
/// use armwise::estimator::LogRankTest;
/// use armwise::prelude::*;
///
/// const EXIT: Measure<TimeToEvent> = Measure::time_to_event("exit_month", "exit_reason")
///     .of("work")
///     .competing(&["other"])
///     .censored(&["none"])
///     .censored_at("censor_month");
///
/// let table = Table::from_csv_path("examples/data/participants.csv")?
///     .keep_category("municipality", "Tilburg")?;
/// let trial = Trial::builder("Tilburg", table)
///     .arm_labels("arm")
///     .control("control")
///     .strata(["stratum"])
///     .build()?;
/// let exits = trial.on(&EXIT)?;
/// let hazards = exits.test_times(&LogRankTest::new().stratified())?;
/// let incidences = exits.test_times(&LogRankTest::new().stratified().of_incidence())?;
/// assert_eq!((hazards.df, incidences.df), (3.0, 3.0));
/// assert!((hazards.p_value - incidences.p_value).abs() < 0.1);
/// # Ok::<(), armwise::Error>(())
/// ```
///
/// # References
/// Mantel N (1966), Cancer Chemotherapy Reports 50:163. Peto R, Peto J (1972), Journal of the Royal Statistical
/// Society A 135:185. Gray RJ (1988), Annals of Statistics 16:1141.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LogRankTest {
    weight: LogRankWeight,
    #[serde(default)]
    stratified: bool,
    #[serde(default)]
    of: Tested,
}

/// What is tested.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Tested {
    /// The hazard of the cause of interest.
    #[default]
    Hazard,
    /// The hazard of any event.
    AnyHazard,
    /// The cumulative incidence of the cause of interest.
    Incidence,
}

impl Default for LogRankTest {
    fn default() -> Self {
        Self { weight: LogRankWeight::LogRank, stratified: false, of: Tested::Hazard }
    }
}

impl LogRankTest {
    /// The log-rank test of the hazard of the cause of interest, over all people together.
    pub fn new() -> Self {
        Self::default()
    }

    /// The weight of the events at each time; default: the log-rank test's, 1.
    #[must_use]
    pub fn weight(mut self, weight: LogRankWeight) -> Self {
        self.weight = weight;
        self
    }

    /// Compares people within the declared strata. Default: all together, with a notice where strata were
    /// declared.
    #[must_use]
    pub fn stratified(mut self) -> Self {
        self.stratified = true;
        self
    }

    /// Tests events of any cause. Default: of the cause of interest.
    #[must_use]
    pub fn of_any_cause(mut self) -> Self {
        self.of = Tested::AnyHazard;
        self
    }

    /// Tests the cumulative incidence of the cause of interest, by Gray's test. Default: its hazard.
    #[must_use]
    pub fn of_incidence(mut self) -> Self {
        self.of = Tested::Incidence;
        self
    }

    fn words(self) -> String {
        let weight = match self.weight {
            LogRankWeight::LogRank => "log-rank".to_owned(),
            LogRankWeight::GehanBreslow => "Gehan-Breslow".to_owned(),
            LogRankWeight::TaroneWare => "Tarone-Ware".to_owned(),
            LogRankWeight::PetoPeto => "Peto-Peto".to_owned(),
            LogRankWeight::FlemingHarrington { rho, gamma } => {
                format!("Fleming-Harrington ({rho}, {gamma})")
            }
        };
        let test = match self.of {
            Tested::Hazard => weight,
            Tested::AnyHazard => format!("{weight} of any cause"),
            Tested::Incidence => "Gray".to_owned(),
        };
        if self.stratified { format!("{test}, within strata") } else { test }
    }
}

/// The result of a test of times: [`Comparison::test_times`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct TimesTest {
    /// The trial.
    pub trial: Label,
    /// The measure.
    pub measure: MeasureInfo,
    /// The test in words.
    pub name: String,
    /// Its chi-square statistic.
    pub statistic: f64,
    /// The degrees of freedom.
    pub df: f64,
    /// The p-value.
    pub p_value: f64,
    /// The arms, the reference first.
    pub arms: Vec<Label>,
    /// The (weighted) events of each arm less those expected, in the order of the arms; of Gray's test the scores.
    pub excess: Vec<f64>,
    /// The number of people.
    pub n: u64,
    /// The number of strata with people; 1 where the test is not stratified.
    pub strata: usize,
    /// The notices.
    pub notices: Vec<Notice>,
}

impl Comparison<TimeToEvent> {
    /// Tests whether all arms have the event at the same pace.
    ///
    /// # Errors
    /// See [`LogRankTest`].
    pub fn test_times(&self, test: &LogRankTest) -> Result<TimesTest> {
        self.tested(*test).map_err(|error| self.locate(error))
    }

    fn tested(&self, test: LogRankTest) -> Result<TimesTest> {
        let times = self.times()?;
        let mut data = times.data()?;
        let mut notices = self.notices().to_vec();
        let mut strata = 1;
        if test.stratified {
            let Some(groups) = &self.people()?.strata else {
                let why = "no strata were declared; declare them with strata(..), or leave stratified() out";
                return Err(ErrorKind::NotEstimable(why.to_owned()).into());
            };
            strata = groups.occurring();
            data = data.strata(&groups.codes)?;
        } else {
            notices.extend(self.strata_ignored());
        }
        notices.extend(self.clusters_ignored());
        let arms = self.arm_indices();
        let (excess, found): (Vec<f64>, ChiSquaredTest) = if test.of == Tested::Incidence {
            if test.weight != LogRankWeight::LogRank {
                let why = "Gray's test has no weights here; leave weight(..) or of_incidence() out";
                return Err(Error::invalid(why));
            }
            let gray = GrayTest::new(&data, arms, 1)?;
            (gray.score.to_vec(), gray.test)
        } else {
            if test.of == Tested::Hazard {
                data = data.censoring_other_causes(1)?;
            }
            let found = LogRank::new(&data, arms, test.weight)?;
            (found.observed.iter().zip(&found.expected).map(|(o, e)| o - e).collect(), found.test)
        };
        Ok(TimesTest {
            trial: self.trial().clone(),
            measure: self.measure().clone(),
            name: test.words(),
            statistic: found.statistic,
            df: found.df,
            p_value: found.p_value,
            arms: self.arms().iter().map(|arm| arm.label.clone()).collect(),
            excess,
            n: self.arms().iter().map(|arm| arm.counts.analysed).sum(),
            strata,
            notices,
        })
    }
}
