use super::one_stage::{
    Gathered, InteractionStatistic, OneStageEffects, OneStageInteraction, OneStagePooled, OneStageSummary,
    strata_ignored,
};
use crate::compute::curve::Inference;
use crate::compute::regression::{Fitted as _, ModelMatrix};
use crate::compute::survival::{Cox, CoxVariance, SurvivalData, Ties, TimeTransform};
use crate::design::{Comparisons, Label, Notice, TimeToEvent};
use crate::effect::LogHazardRatio;
use crate::error::{Error, Result};
use ndarray::ArrayView1;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Pools log hazard ratios in one stage: one Cox regression of all participants, with a baseline hazard of
/// its own for every trial.
///
/// Use it beside two stages where events are rare: a city without events in an arm counts with what it has,
/// and no estimate of a single trial is needed. With competing causes the hazards are those of the cause of
/// interest.
///
/// # Formula
/// `h(t) = h_trial(t) exp(b_arm)`, with `h_trial` of any form, and by [`stratified`](OneStageCox::stratified)
/// one in each declared stratum of each trial; `b` maximises the partial likelihood, all arms jointly. The
/// test of treatment by trial is the score test of the products of treatments and trials, which is defined
/// also where a city has no events in an arm.
///
/// # Assumptions
/// Hazard ratios are the same in all trials, and at all times; participants are independent (a notice says
/// where clusters were declared), and those who are censored are like those at risk. The score test that
/// effects do not change with time is part of the fit: where it rejects at 0.05, or cannot be made, a notice
/// says so.
///
/// # Interval
/// Normal, with the inverse information.
///
/// # Errors
/// Nobody with the event; a treatment whose hazard ratio is infinite, by name (`separation`); trials that
/// differ in measure or reference.
///
/// # Examples
/// ```
/// use armwise::pool::OneStageCox;
/// use armwise::prelude::*;
///
/// const EXIT: Measure<TimeToEvent> = Measure::time_to_event("exit_month", "exit_reason")
///     .of("work")
///     .competing(&["other"])
///     .censored(&["none"])
///     .censored_at("censor_month")
///     .named("exit to work")
///     .higher_is_better();
///
/// let table = Table::from_csv_path("examples/data/participants.csv")?;
/// let trials =
///     Trials::builder(table, "municipality").arm_labels("arm").control("control").build()?;
/// let exits = trials.on(&EXIT)?;
/// let pooled = OneStageCox::new().treatment("guidance").pool(&exits)?;
/// let guidance = pooled.treatment("guidance")?;
/// assert_eq!(guidance.trials.len(), 5);
/// assert!(pooled.interaction().unwrap().p_value > 0.05);
///
/// // Two stages are near it.
/// let effects = exits.estimate(&CoxRegression::new())?.treatment("guidance")?;
/// let two_stages = CommonEffect::new().pool(&effects)?;
/// assert!((two_stages.value() - guidance.value()).abs() < 0.02);
/// # Ok::<(), armwise::Error>(())
/// ```
///
/// # References
/// Tudur Smith C, Williamson PR, Marson AG (2005), Statistics in Medicine 24:1307. Simmonds MC, Higgins JPT
/// (2016), Statistical Methods in Medical Research 25:2858.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OneStageCox {
    treatment: Option<Label>,
    ties: Ties,
    baseline: Baseline,
    level: f64,
}

/// Who has the same baseline hazard.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Baseline {
    #[default]
    ByTrial,
    ByStratum,
}

impl Default for OneStageCox {
    fn default() -> Self {
        Self { treatment: None, ties: Ties::default(), baseline: Baseline::default(), level: 0.95 }
    }
}

/// The test of proportional hazards rejects below this p-value.
const REJECTED: f64 = 0.05;

/// All participants, in parallel vectors.
#[derive(Default)]
struct Rows {
    time: Vec<f64>,
    entry: Vec<f64>,
    cause: Vec<u32>,
    stratum: Vec<u32>,
    trial: Vec<usize>,
    arm: Vec<usize>,
}

impl OneStageCox {
    /// Of all treatments; Efron's ties; a baseline hazard for every trial; level 0.95.
    pub fn new() -> Self {
        Self::default()
    }

    setters! {
        /// What the likelihood makes of events at the same time; default: [`Ties::Efron`].
        ties: Ties;
        /// The confidence level, between 0 and 1; default 0.95.
        level: f64;
    }

    /// Only this treatment against the reference, in the trials that have it; default: all treatments.
    #[must_use]
    pub fn treatment(mut self, treatment: impl AsRef<str>) -> Self {
        self.treatment = Some(Label::new(treatment));
        self
    }

    /// A baseline hazard for each declared stratum of each trial. Default: one for each trial.
    #[must_use]
    pub fn stratified(mut self) -> Self {
        self.baseline = Baseline::ByStratum;
        self
    }

    /// The pooled effects.
    ///
    /// # Errors
    /// As listed for the type.
    pub fn pool(&self, comparisons: &Comparisons<TimeToEvent>) -> Result<OneStagePooled<LogHazardRatio>> {
        let gathered = Gathered::new(comparisons, self.treatment.as_deref())?;
        let measure = gathered.measure.name.clone();
        self.fitted(gathered).map_err(|error| error.in_measure(&measure))
    }

    fn fitted(&self, mut gathered: Gathered<'_, TimeToEvent>) -> Result<OneStagePooled<LogHazardRatio>> {
        let rows = self.rows(&gathered)?;
        let data = rows.data()?;
        let k = gathered.treatments.len();
        let of_arm: Vec<Vec<f64>> = (1..=k).map(|arm| rows.indicator(|row| rows.arm[row] == arm)).collect();
        let mut matrix = ModelMatrix::new(rows.time.len());
        for (label, column) in gathered.treatments.iter().zip(&of_arm) {
            matrix = matrix.numeric(format!("arm[{label}]"), ArrayView1::from(column))?;
        }
        let cox = Cox::new().ties(self.ties);
        // Rows of the table of all are rows of no table.
        let infinite = |error: Error| error.separated_by_arms("arm[");
        let fit = cox.fit(&data, &matrix).map_err(infinite)?;
        let covariance = fit.covariance(CoxVariance::Model)?;
        let coefficients = fit.coefficients();
        let wald = |arm: usize| {
            let se = covariance[[arm, arm]].sqrt();
            Inference::wald(coefficients[arm], se, None, self.level)
        };
        let inferences = (0..k).map(wald).collect::<Result<Vec<_>>>()?;
        let test = fit
            .proportional_hazards_test(TimeTransform::KaplanMeier)
            .and_then(|test| test.joint(&(0..k).collect::<Vec<_>>()));
        gathered.notices.extend(match test {
            Ok(test) if test.p_value < REJECTED => {
                Some(Notice::NonProportionalHazards { p_value: test.p_value })
            }
            Ok(_) => None,
            Err(error) => Some(Notice::ProportionalHazardsUntested { why: error.to_string() }),
        });
        if self.baseline == Baseline::ByTrial {
            gathered.notices.extend(strata_ignored(gathered.members.iter().copied(), &[]));
        }
        let silent = rows.silent(gathered.members.len());
        let interaction = match self.interaction(&gathered, &rows, &matrix, &silent) {
            Ok(interaction) => interaction,
            Err(error) => {
                let told = format!("the test of treatment by trial could not be made: {error}");
                gathered.notices.push(Notice::Other(told));
                None
            }
        };
        if !silent.is_empty() {
            let trials = silent.iter().map(|place| gathered.members[*place].trial().clone()).collect();
            gathered.notices.push(Notice::UninformativeTrials { trials });
        }
        gathered.conditional = self.baseline == Baseline::ByStratum;
        let stratified = if gathered.conditional { "within strata and trials" } else { "within trials" };
        let summary = OneStageSummary {
            model: format!("Cox regression {stratified} ({} ties)", self.ties),
            effects: OneStageEffects::Common,
            tau2: None,
            residual_variance: None,
            log_likelihood: fit.log_likelihood(),
            interaction,
            adjusted_for: Vec::new(),
            participants: rows.time.len() as u64,
            level: self.level,
            boundary: false,
        };
        gathered.result(LogHazardRatio, inferences, covariance, summary)
    }

    /// The score test of the products of treatments and trials; `None` where no treatment is in two trials
    /// with events.
    fn interaction(
        &self,
        gathered: &Gathered<'_, TimeToEvent>,
        rows: &Rows,
        arms: &ModelMatrix<'_>,
        silent: &[usize],
    ) -> Result<Option<OneStageInteraction>> {
        let mut products: Vec<(String, Vec<f64>)> = Vec::new();
        for (treatment, label) in (1..).zip(&gathered.treatments) {
            let having = gathered.members.iter().enumerate().filter(|(place, member)| {
                !silent.contains(place) && member.treatments().iter().any(|arm| arm.label == *label)
            });
            // The first is what the others differ from.
            for (place, member) in having.skip(1) {
                let column = rows.indicator(|row| rows.trial[row] == place && rows.arm[row] == treatment);
                products.push((format!("arm[{label}]:trial[{}]", member.trial()), column));
            }
        }
        if products.is_empty() {
            return Ok(None);
        }
        let mut matrix = arms.reborrow();
        let first = matrix.ncols();
        for (name, column) in &products {
            matrix = matrix.numeric(name.clone(), ArrayView1::from(column))?;
        }
        let tested: Vec<usize> = (first..matrix.ncols()).collect();
        let test = Cox::new().ties(self.ties).score_test(&rows.data()?, &matrix, &tested)?;
        Ok(Some(OneStageInteraction {
            test: InteractionStatistic::Score,
            statistic: test.statistic,
            df: test.df,
            denominator_df: None,
            p_value: test.p_value,
        }))
    }

    fn rows(&self, gathered: &Gathered<'_, TimeToEvent>) -> Result<Rows> {
        let mut rows = Rows::default();
        let mut strata: BTreeMap<(usize, u32), u32> = BTreeMap::new();
        for (place, member) in gathered.members.iter().enumerate() {
            let (times, people) = (member.times()?, member.people()?);
            let of_stratum = people.strata.as_ref().filter(|_| self.baseline == Baseline::ByStratum);
            for (row, &own) in people.arm.iter().enumerate() {
                let Some(arm) = gathered.arm(&member.arms()[own as usize].label) else { continue };
                let stratum = (place, of_stratum.map_or(0, |strata| strata.codes[row]));
                let next = strata.len();
                #[allow(clippy::cast_possible_truncation)] // fewer than rows
                let code = *strata.entry(stratum).or_insert(next as u32);
                rows.time.push(times.time[row]);
                // Before the start: observed from it on.
                rows.entry.push(times.entry.map_or(-1.0, |entry| entry[row]));
                rows.cause.push(times.cause[row]);
                rows.stratum.push(code);
                rows.trial.push(place);
                rows.arm.push(arm);
            }
        }
        Ok(rows)
    }
}

impl Rows {
    /// The events of the cause of interest within strata.
    fn data(&self) -> Result<SurvivalData<'_>> {
        let mut data = SurvivalData::new(&self.time, &self.cause)?.strata(&self.stratum)?;
        if self.entry.iter().any(|entry| *entry >= 0.0) {
            data = data.entry(&self.entry)?;
        }
        data.censoring_other_causes(1)
    }

    fn indicator(&self, is: impl Fn(usize) -> bool) -> Vec<f64> {
        (0..self.time.len()).map(|row| f64::from(u8::from(is(row)))).collect()
    }

    /// The places of the trials without an event.
    fn silent(&self, trials: usize) -> Vec<usize> {
        let mut events = vec![false; trials];
        (0..self.time.len()).for_each(|row| events[self.trial[row]] |= self.cause[row] == 1);
        (0..trials).filter(|place| !events[*place]).collect()
    }
}
