use super::one_stage::{
    Gathered, InteractionStatistic, OneStageEffects, OneStageInteraction, OneStagePooled, OneStageSummary,
    covariate_values, strata_ignored,
};
use crate::compute::curve::Inference;
use crate::compute::linalg::submatrix;
use crate::compute::regression::{Fitted as _, ModelMatrix};
use crate::compute::survival::{Cox, CoxVariance, SurvivalData, Ties, TimeTransform};
use crate::design::{Comparisons, Label, Notice, TimeToEvent};
use crate::effect::{IntervalMethod, LogHazardRatio, VarianceMethod};
use crate::error::{Error, Result};
use ndarray::ArrayView1;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// Pools log hazard ratios in one stage: one Cox regression of all participants, with a baseline hazard of
/// its own for every trial.
///
/// Use it beside two stages where events are rare: a city without events in an arm counts with what it has,
/// and no estimate of a single trial is needed. With competing causes the hazards are those of the cause of
/// interest.
///
/// # Formula
/// `h(t) = h_trial(t) exp(b_arm + x'g)`, with `h_trial` of any form, and by
/// [`stratified`](OneStageCox::stratified) one in each declared stratum of each trial; covariates `x` have one
/// coefficient each for all trials; `b` and `g` maximise the partial likelihood, all arms jointly. The test of
/// treatment by trial is the score test of the products of treatments and trials, which is defined also where
/// a city has no events in an arm; it takes people as independent.
///
/// # Assumptions
/// Hazard ratios are the same in all trials, and at all times; participants, or the declared clusters, are
/// independent, and those who are censored are like those at risk. The score test that
/// effects do not change with time is part of the fit: where it rejects at 0.05, or cannot be made, a notice
/// says so.
///
/// # Interval
/// Normal, with the inverse information; with declared clusters Student's t on the clusters of both arms of an
/// effect less 1, with the sums of score residuals over clusters (Lin & Wei 1989) times `G / (G - 1)`.
///
/// # Errors
/// Nobody with the event; a treatment or covariate whose hazard ratio is infinite, by name (`separation`); a
/// covariate that is a category; a clustered variance without declared clusters; trials that differ in measure
/// or reference.
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
    #[serde(default)]
    covariates: Vec<String>,
    #[serde(default)]
    variance: Option<CoxVariance>,
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
        let (ties, baseline) = (Ties::default(), Baseline::default());
        Self { treatment: None, ties, baseline, covariates: Vec::new(), variance: None, level: 0.95 }
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
    /// The cluster of each; people of a trial that declared none are clusters of their own.
    cluster: Vec<u32>,
    /// Whether a trial declared clusters.
    clustered: bool,
    covariates: Vec<Vec<f64>>,
}

impl OneStageCox {
    /// Of all treatments; Efron's ties; a baseline hazard for every trial; level 0.95.
    pub fn new() -> Self {
        Self::default()
    }

    setters! {
        /// What the likelihood makes of events at the same time; default: [`Ties::Efron`].
        ties: Ties;
        /// The variance; default: model-based, and clustered with the factor `G / (G - 1)` where a trial declared
        /// clusters.
        variance: CoxVariance as Some;
        /// The confidence level, between 0 and 1; default 0.95.
        level: f64;
    }

    /// The covariates: numbers and yes/no columns, each with one coefficient for all trials. Default: none.
    #[must_use]
    pub fn adjust_for<T: AsRef<str>>(mut self, covariates: impl IntoIterator<Item = T>) -> Self {
        self.covariates = covariates.into_iter().map(|name| name.as_ref().to_owned()).collect();
        self
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
        let rows = self.rows(&mut gathered)?;
        let variance = self.variance_of(&rows)?;
        let clustered = matches!(variance, CoxVariance::Clustered | CoxVariance::ClusteredSmallSample);
        let data = rows.data(clustered)?;
        let k = gathered.treatments.len();
        let of_arm: Vec<Vec<f64>> = (1..=k).map(|arm| rows.indicator(|row| rows.arm[row] == arm)).collect();
        let mut matrix = ModelMatrix::new(rows.time.len());
        for (label, column) in gathered.treatments.iter().zip(&of_arm) {
            matrix = matrix.numeric(format!("arm[{label}]"), ArrayView1::from(column))?;
        }
        for (name, values) in self.covariates.iter().zip(&rows.covariates) {
            matrix = matrix.numeric(name, ArrayView1::from(values))?;
        }
        let cox = Cox::new().ties(self.ties);
        // Rows of the table of all are rows of no table.
        let infinite = |error: Error| error.separated_by_arms("arm[");
        let fit = cox.fit(&data, &matrix).map_err(infinite)?;
        let arms: Vec<usize> = (0..k).collect();
        let covariance = submatrix(fit.covariance(variance)?.view(), &arms);
        let coefficients = fit.coefficients();
        let wald = |arm: usize| {
            let (se, df) = (covariance[[arm, arm]].sqrt(), clustered.then(|| rows.cluster_df(arm + 1)));
            Inference::wald(coefficients[arm], se, df, self.level)
        };
        let inferences = (0..k).map(wald).collect::<Result<Vec<_>>>()?;
        let test =
            fit.proportional_hazards_test(TimeTransform::KaplanMeier).and_then(|test| test.joint(&arms));
        gathered.notices.extend(match test {
            Ok(test) if test.p_value < REJECTED => {
                Some(Notice::NonProportionalHazards { p_value: test.p_value })
            }
            Ok(_) => None,
            Err(error) => Some(Notice::ProportionalHazardsUntested { why: error.to_string() }),
        });
        if self.baseline == Baseline::ByTrial {
            gathered.notices.extend(strata_ignored(gathered.members.iter().copied(), &self.covariates));
        }
        if variance != CoxVariance::Model {
            let interval = if clustered { IntervalMethod::StudentT } else { IntervalMethod::Normal };
            gathered.robust = Some((VarianceMethod::Hazard(variance), interval));
        }
        if clustered {
            gathered.notices.retain(|notice| !matches!(notice, Notice::ClustersIgnored { .. }));
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
        let by_stratum = self.baseline == Baseline::ByStratum;
        gathered.conditional = by_stratum || !self.covariates.is_empty();
        let stratified = if by_stratum { "within strata and trials" } else { "within trials" };
        let summary = OneStageSummary {
            model: format!("Cox regression {stratified} ({} ties)", self.ties),
            effects: OneStageEffects::Common,
            tau2: None,
            residual_variance: None,
            log_likelihood: fit.log_likelihood(),
            interaction,
            adjusted_for: self.covariates.clone(),
            participants: rows.time.len() as u64,
            level: self.level,
            boundary: false,
        };
        gathered.result(LogHazardRatio, inferences, covariance, summary)
    }

    /// The variance that was chosen, or the default one.
    fn variance_of(&self, rows: &Rows) -> Result<CoxVariance> {
        let clustered =
            matches!(self.variance, Some(CoxVariance::Clustered | CoxVariance::ClusteredSmallSample));
        if clustered && !rows.clustered {
            return Err(Error::invalid(
                "this variance needs clusters, but no trial declared any; name their column with clusters(..)",
            ));
        }
        let usual = rows.clustered && self.ties != Ties::Exact;
        let usual = if usual { CoxVariance::ClusteredSmallSample } else { CoxVariance::Model };
        Ok(self.variance.unwrap_or(usual))
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
        let test = Cox::new().ties(self.ties).score_test(&rows.data(false)?, &matrix, &tested)?;
        Ok(Some(OneStageInteraction {
            test: InteractionStatistic::Score,
            statistic: test.statistic,
            df: test.df,
            denominator_df: None,
            p_value: test.p_value,
        }))
    }

    fn rows(&self, gathered: &mut Gathered<'_, TimeToEvent>) -> Result<Rows> {
        let mut rows = Rows { covariates: vec![Vec::new(); self.covariates.len()], ..Rows::default() };
        let mut strata: BTreeMap<(usize, u32), u32> = BTreeMap::new();
        let mut clusters: BTreeMap<(usize, u32), u32> = BTreeMap::new();
        let complete = gathered.complete(&self.covariates)?;
        for (place, member) in complete.iter().enumerate() {
            let (times, people) = (member.times()?, member.people()?);
            let values = self.covariates.iter().map(|name| covariate_values(member, name));
            let values = values.collect::<Result<Vec<_>>>()?;
            rows.clustered |= people.clusters.is_some();
            let of_stratum = people.strata.as_ref().filter(|_| self.baseline == Baseline::ByStratum);
            for (row, &own) in people.arm.iter().enumerate() {
                let Some(arm) = gathered.arm(&member.arms()[own as usize].label) else { continue };
                let stratum = (place, of_stratum.map_or(0, |strata| strata.codes[row]));
                #[allow(clippy::cast_possible_truncation)] // fewer than rows
                let next = |codes: &mut BTreeMap<(usize, u32), u32>, key: (usize, u32)| {
                    let next = codes.len() as u32;
                    *codes.entry(key).or_insert(next)
                };
                let code = next(&mut strata, stratum);
                // People count as rows of the table, which are fewer than 2^32.
                let own = people.clusters.as_ref().map_or(people.rows[row], |own| own.codes[row]);
                rows.cluster.push(next(&mut clusters, (place, own)));
                for (column, values) in rows.covariates.iter_mut().zip(&values) {
                    column.push(values[row]);
                }
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
    /// The degrees of freedom of an effect: the clusters of its two arms in the trials that have it, less 1.
    fn cluster_df(&self, treatment: usize) -> f64 {
        let with = |row: &usize| self.arm[*row] == treatment;
        let trials: BTreeSet<usize> = (0..self.arm.len()).filter(with).map(|row| self.trial[row]).collect();
        let of = |row: &usize| {
            trials.contains(&self.trial[*row]) && (self.arm[*row] == treatment || self.arm[*row] == 0)
        };
        let clusters: BTreeSet<u32> = (0..self.arm.len()).filter(of).map(|row| self.cluster[row]).collect();
        clusters.len() as f64 - 1.0
    }

    /// The events of the cause of interest within strata.
    fn data(&self, clustered: bool) -> Result<SurvivalData<'_>> {
        let mut data = SurvivalData::new(&self.time, &self.cause)?.strata(&self.stratum)?;
        if self.entry.iter().any(|entry| *entry >= 0.0) {
            data = data.entry(&self.entry)?;
        }
        if clustered {
            data = data.clusters(&self.cluster)?;
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
