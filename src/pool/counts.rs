use super::consistent::{is_chi_squared, near};
use super::one_stage::{clusters_ignored, strata_ignored, told};
use super::pooled::check_pooled;
use crate::compute::curve::Inference;
use crate::compute::interval::Interval;
use crate::compute::meta_analysis::{
    self as kernel, AddTo, CellCorrection, CountMeasure, Counts, TablePool, TwoByTwo,
};
use crate::compute::words::words;
use crate::design::{ArmCounts, Binary, Comparison, Comparisons, Label, MeasureInfo, Notice, of_trials};
use crate::effect::{
    About, AnyScale, Checked, Estimand, LogOddsRatio, LogRiskRatio, Method, On, RiskDifference, Scale,
    ScaleForm, VarianceMethod,
};
use crate::error::{Error, ErrorKind, Result};
use serde::{Deserialize, Serialize};
use std::collections::HashSet;
use std::ops::Deref;
use std::sync::Arc;

/// Pools one treatment from counts of events, with weights that need no variances: for rare events.
///
/// Nothing is added to empty cells, and a trial without events in one arm keeps its information. Trials
/// without events in either arm say nothing of a ratio, which the result tells; they do count for a risk
/// difference.
///
/// # Formula
/// With events `a`, `c` and people `n1`, `n0` of treatment and control, `b = n1 - a`, `d = n0 - c`,
/// `N = n1 + n0`: odds ratio `sum(ad/N) / sum(bc/N)`, risk ratio `sum(a n0/N) / sum(c n1/N)`, risk difference
/// `sum((a n0 - c n1)/N) / sum(n1 n0/N)`; variances of Robins, Breslow and Greenland, of Greenland and
/// Robins, and of Sato.
///
/// # Assumptions
/// One effect common to all trials on the scale; unadjusted comparisons of randomised arms; independent
/// people, so that a notice says where clusters were declared.
///
/// # Interval
/// Normal.
///
/// # Errors
/// No trial had the treatment; no events, or only events, in an arm of all trials together, where a ratio is
/// asked for.
///
/// # Examples
/// ```
/// use armwise::prelude::*;
/// use armwise::pool::MantelHaenszel;
///
/// let outflow = Measure::binary("outflow");
/// let cities = Comparisons::new([
///     Comparison::from_counts("A", &outflow, [("control", 2, 99), ("guidance", 6, 104)])?,
///     Comparison::from_counts("B", &outflow, [("control", 0, 42), ("guidance", 1, 40)])?,
/// ])?;
/// let pooled = MantelHaenszel::new(LogRiskRatio).pool(&cities, "guidance")?;
/// let ratio = (6.0 * 99.0 / 203.0 + 42.0 / 82.0) / (2.0 * 104.0 / 203.0);
/// assert!((pooled.ratio().unwrap() - ratio).abs() < 1e-12);
/// # Ok::<(), armwise::Error>(())
/// ```
///
/// # References
/// Mantel N, Haenszel W (1959), Journal of the National Cancer Institute 22:719. Bradburn MJ et al. (2007),
/// Statistics in Medicine 26:53, doi:10.1002/sim.2528.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(bound = "S: TableScale")]
pub struct MantelHaenszel<S: TableScale> {
    scale: S,
    empty_cells: EmptyCells,
    level: f64,
}

/// What is done with trials in which an arm had no event, or events only; of single arms, with such arms.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum EmptyCells {
    /// Nothing is added in pooling; one half to the cells of such trials in `Q` alone. The default.
    #[default]
    AsTheyAre,
    /// One half is added to every cell of such trials.
    AddHalf,
    /// One half is added to every cell of all trials.
    AddHalfToAll,
}

words! {
    EmptyCells {
        AsTheyAre => "nothing added to empty cells",
        AddHalf => "half added where a cell is empty",
        AddHalfToAll => "half added to all cells",
    }
}

impl EmptyCells {
    /// What is added, to which cells.
    pub(super) fn correction(self) -> Result<CellCorrection> {
        Ok(match self {
            Self::AsTheyAre => CellCorrection::NONE,
            Self::AddHalf => CellCorrection::HALF_WHERE_ZERO,
            Self::AddHalfToAll => CellCorrection::add(0.5, AddTo::All)?,
        })
    }
}

/// A scale on which two by two tables are pooled: [`RiskDifference`], [`LogRiskRatio`] or [`LogOddsRatio`].
pub trait TableScale: Scale + Copy + private::Sealed {}

mod private {
    use super::{LogOddsRatio, LogRiskRatio, RiskDifference};

    pub trait Sealed {}
    impl Sealed for RiskDifference {}
    impl Sealed for LogRiskRatio {}
    impl Sealed for LogOddsRatio {}
}

impl TableScale for RiskDifference {}
impl TableScale for LogRiskRatio {}
impl TableScale for LogOddsRatio {}

impl<S: TableScale> MantelHaenszel<S> {
    /// On this scale; nothing is added to empty cells, level 0.95.
    pub fn new(scale: S) -> Self {
        Self { scale, empty_cells: EmptyCells::AsTheyAre, level: 0.95 }
    }

    setters! {
        /// What is done with empty cells; default nothing.
        empty_cells: EmptyCells;
        /// The confidence level, between 0 and 1; default 0.95.
        level: f64;
    }

    /// The pooled effect of one treatment.
    ///
    /// # Errors
    /// As listed for the type.
    pub fn pool(
        &self,
        comparisons: &Comparisons<Binary>,
        treatment: impl AsRef<str>,
    ) -> Result<PooledCounts<S>> {
        let method = CountMethod::MantelHaenszel { empty_cells: self.empty_cells };
        pooled(self.scale, comparisons, treatment.as_ref(), method, self.level)
    }
}

/// Pools one treatment from counts of events by Peto's one-step odds ratio: for events rarer than one in a
/// hundred, arms of similar size and effects that are not large. Outside these it is biased:
/// [`MantelHaenszel`].
///
/// # Formula
/// `sum(O - E) / sum V` with standard error `1 / sqrt(sum V)`: `O` the events under treatment, `E` and `V`
/// their expectation and variance given the margins of each trial's table. Nothing is added to empty cells.
///
/// ```
/// use armwise::prelude::*;
/// use armwise::pool::Peto;
///
/// let sanction = Measure::binary("sanction").lower_is_better();
/// let cities = Comparisons::new([
///     Comparison::from_counts("A", &sanction, [("control", 2, 500), ("guidance", 1, 500)])?,
///     Comparison::from_counts("B", &sanction, [("control", 1, 400), ("guidance", 0, 410)])?,
/// ])?;
/// let pooled = Peto::new().pool(&cities, "guidance")?;
/// assert!(pooled.ratio().unwrap() < 1.0 && pooled.trials.len() == 2);
/// # Ok::<(), armwise::Error>(())
/// ```
///
/// # References
/// Yusuf S et al. (1985), Progress in Cardiovascular Diseases 27:335. Bradburn MJ et al. (2007), Statistics
/// in Medicine 26:53.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Peto {
    level: f64,
}

impl Default for Peto {
    fn default() -> Self {
        Self::new()
    }
}

impl Peto {
    /// Level 0.95.
    pub fn new() -> Self {
        Self { level: 0.95 }
    }

    setters! {
        /// The confidence level, between 0 and 1; default 0.95.
        level: f64;
    }

    /// The pooled effect of one treatment.
    ///
    /// # Errors
    /// No trial had the treatment; no trial had both events and others.
    pub fn pool(
        &self,
        comparisons: &Comparisons<Binary>,
        treatment: impl AsRef<str>,
    ) -> Result<PooledCounts<LogOddsRatio>> {
        pooled(LogOddsRatio, comparisons, treatment.as_ref(), CountMethod::Peto, self.level)
    }
}

/// How counts were pooled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum CountMethod {
    /// [`MantelHaenszel`].
    MantelHaenszel {
        /// What was done with empty cells.
        empty_cells: EmptyCells,
    },
    /// [`Peto`].
    Peto,
}

impl CountMethod {
    fn empty_cells(self) -> EmptyCells {
        match self {
            Self::MantelHaenszel { empty_cells } => empty_cells,
            Self::Peto => EmptyCells::AsTheyAre,
        }
    }

    /// All numbers of the pool of these counts.
    fn pool(self, scale: &AnyScale, trials: &[TrialCounts], level: f64) -> Result<TablePool> {
        let tables: Vec<TwoByTwo> = trials.iter().map(TrialCounts::table).collect();
        let measure = match scale {
            AnyScale::RiskDifference => CountMeasure::RiskDifference,
            AnyScale::LogRiskRatio => CountMeasure::LogRiskRatio,
            AnyScale::LogOddsRatio => CountMeasure::LogOddsRatio,
            other => {
                let why = format!(
                    "counts are pooled as risk differences, risk ratios or odds ratios, not as {other}"
                );
                return Err(ErrorKind::Incompatible(why).into());
            }
        };
        if self == Self::Peto {
            return kernel::peto(&tables, level);
        }
        let correction = self.empty_cells().correction()?;
        let mut model = kernel::MantelHaenszel::new().level(level).pooling_correction(correction);
        if self.empty_cells() == EmptyCells::AddHalfToAll {
            model = model.q_correction(correction);
        }
        model.counts(measure, &tables)
    }
}

impl std::fmt::Display for CountMethod {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::MantelHaenszel { empty_cells } => write!(f, "Mantel-Haenszel, {empty_cells}"),
            Self::Peto => f.write_str("Peto"),
        }
    }
}

/// The counts of one trial.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct TrialCounts {
    /// The trial.
    pub trial: Label,
    /// Of the treatment.
    pub treatment: ArmCounts,
    /// Of the reference.
    pub reference: ArmCounts,
}

impl TrialCounts {
    fn table(&self) -> TwoByTwo {
        let arm = |counts: ArmCounts| Counts {
            events: counts.events.unwrap_or(0) as f64,
            n: counts.analysed as f64,
        };
        TwoByTwo { treatment: arm(self.treatment), control: arm(self.reference) }
    }

    fn has_empty_cell(&self) -> bool {
        [self.treatment, self.reference].iter().any(|arm| {
            let events = arm.events.unwrap_or(0);
            events == 0 || events == arm.analysed
        })
    }

    fn says_nothing(&self) -> bool {
        let events = |arm: ArmCounts| arm.events.unwrap_or(0);
        let all = events(self.treatment) + events(self.reference);
        all == 0 || all == self.treatment.analysed + self.reference.analysed
    }
}

/// The pool of the trials that had the treatment.
fn pooled<S: Scale>(
    scale: S,
    comparisons: &Comparisons<Binary>,
    treatment: &str,
    count_method: CountMethod,
    level: f64,
) -> Result<PooledCounts<S>> {
    let (mut members, mut without): (Vec<&Comparison<Binary>>, Vec<Label>) = (Vec::new(), Vec::new());
    let mut trials: Vec<TrialCounts> = Vec::new();
    let mut seen = HashSet::new();
    for comparison in comparisons {
        let Some(arm) = comparison.treatments().iter().find(|arm| arm.label == treatment) else {
            without.push(comparison.trial().clone());
            continue;
        };
        if let Some(first) = members.first() {
            belongs(first, comparison)?;
        }
        if !seen.insert(comparison.trial()) {
            let why = "this trial occurs twice; pool each trial once".to_owned();
            return Err(comparison.locate(ErrorKind::Incompatible(why).into()));
        }
        members.push(comparison);
        trials.push(TrialCounts {
            trial: comparison.trial().clone(),
            treatment: arm.counts,
            reference: comparison.reference().counts,
        });
    }
    let Some(first) = members.first() else {
        let mut known: Vec<String> = Vec::new();
        for arm in comparisons.iter().flat_map(Comparison::treatments) {
            if !known.iter().any(|label| arm.label == **label) {
                known.push(arm.label.to_string());
            }
        }
        return Err(ErrorKind::UnknownTreatment { name: treatment.to_owned(), known }.into());
    };
    let (treatment, measure) = (Label::new(treatment), first.measure().clone());
    let summary = count_method.pool(&scale.to_any(), &trials, level);
    let summary = summary.map_err(|error| error.in_arm(&treatment).in_measure(&measure.name))?;
    let mut notices = Vec::new();
    if !without.is_empty() {
        notices.push(Notice::TrialsWithoutArm { arm: treatment.clone(), trials: without });
    }
    notices.extend(clusters_ignored(members.iter().copied()));
    notices.extend(strata_ignored(members.iter().copied(), &[]));
    notices.extend(told(members.iter().copied(), &[&treatment]));
    let added = count_method.empty_cells();
    if scale.form() == ScaleForm::LogRatio && added == EmptyCells::AsTheyAre {
        let silent = trials.iter().filter(|trial| trial.says_nothing());
        let silent: Vec<Label> = silent.map(|trial| trial.trial.clone()).collect();
        if !silent.is_empty() {
            notices.push(Notice::NoInformation { trials: silent });
        }
    }
    let halved = |trial: &&TrialCounts| {
        added == EmptyCells::AddHalfToAll || (added == EmptyCells::AddHalf && trial.has_empty_cell())
    };
    let halved: Vec<Label> = trials.iter().filter(halved).map(|trial| trial.trial.clone()).collect();
    let halves: Vec<Notice> = halved.iter().map(|trial| Notice::AddedHalf { name: trial.clone() }).collect();
    notices.extend(of_trials(halved.iter().zip(halves.chunks(1))));
    let (estimator, variance) = match (count_method, scale.to_any()) {
        (CountMethod::Peto, _) => ("Peto", VarianceMethod::Other("hypergeometric".to_owned())),
        (_, AnyScale::RiskDifference) => ("Mantel-Haenszel", VarianceMethod::Sato),
        (_, AnyScale::LogRiskRatio) => ("Mantel-Haenszel", VarianceMethod::GreenlandRobins),
        _ => ("Mantel-Haenszel", VarianceMethod::RobinsBreslowGreenland),
    };
    let about = About {
        scale: scale.to_any(),
        measure,
        trials: trials.iter().map(|trial| trial.trial.clone()).collect(),
        reference: first.reference().label.clone(),
        estimand: Estimand::Marginal,
        method: Method::new(estimator).variance(variance),
        level,
        notices,
    };
    let inference = Inference::wald(summary.estimate, summary.se, None, level)?;
    Ok(PooledCounts::of(PooledCountsRecord {
        about: Arc::new(about),
        treatment,
        count_method,
        trials,
        inference,
        summary,
    }))
}

fn belongs(first: &Comparison<Binary>, other: &Comparison<Binary>) -> Result<()> {
    let apart = |what: &str, one: &str, two: &str| {
        let why = format!(
            "these trials do not belong together: the {what} of those before is \"{one}\", here it is \"{two}\"; pool them apart"
        );
        Err(other.locate(ErrorKind::Incompatible(why).into()))
    };
    if first.reference().label != other.reference().label {
        return apart("reference", &first.reference().label, &other.reference().label);
    }
    if first.measure() != other.measure() {
        let words = |measure: &MeasureInfo| {
            let horizon = measure.horizon.as_deref().unwrap_or("no horizon");
            format!("{}, {horizon}, {}", measure.name, measure.direction)
        };
        return apart("measure", &words(first.measure()), &words(other.measure()));
    }
    Ok(())
}

/// The effect of one treatment pooled from counts; by [`MantelHaenszel`] or [`Peto`]. [`Inference`] holds
/// what is said of it.
///
/// [`PooledCountsRecord`] has the fields and further methods.
pub type PooledCounts<S = AnyScale> = On<S, PooledCountsRecord>;

/// The data of [`PooledCounts`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct PooledCountsRecord {
    /// The identity of the effect; the trials are those that had the treatment.
    pub about: Arc<About>,
    /// The treatment.
    pub treatment: Label,
    /// By Mantel-Haenszel, with the rule for empty cells, or by Peto.
    pub count_method: CountMethod,
    /// The trials with their counts.
    pub trials: Vec<TrialCounts>,
    /// The pooled effect with its confidence curve.
    pub inference: Inference,
    /// All numbers, with heterogeneity.
    pub summary: TablePool,
}

impl Deref for PooledCountsRecord {
    type Target = Inference;

    fn deref(&self) -> &Inference {
        &self.inference
    }
}

impl Checked for PooledCountsRecord {
    fn about(&self) -> &About {
        &self.about
    }

    fn check(&self) -> Result<()> {
        let Self { about, treatment, count_method, trials, inference, summary } = self;
        about.check()?;
        for trial in trials {
            let counts = trial.treatment.check().and_then(|()| trial.reference.check());
            counts.map_err(|error| about.locate(error.in_trial(&trial.trial)))?;
        }
        if *treatment == about.reference || !trials.iter().map(|trial| &trial.trial).eq(&about.trials) {
            return Err(about.locate(Error::invalid(
                "a pool of counts needs the counts of all its trials, and a treatment that is not its reference",
            )));
        }
        let own =
            count_method.pool(&about.scale, trials, about.level).map_err(|error| about.locate(error))?;
        let pairs = [
            (own.estimate, summary.estimate, own.se),
            (own.se, summary.se, own.se),
            (own.statistic, summary.statistic, 1.0),
            (own.p_value, summary.p_value, 1.0),
            (own.interval.lower(), summary.interval.lower(), own.se),
            (own.interval.upper(), summary.interval.upper(), own.se),
            (own.q.statistic, summary.q.statistic, 1.0),
            (own.i2, summary.i2, 1.0),
            (own.h2, summary.h2, 1.0),
        ];
        let same = pairs.iter().all(|&(own, given, size)| near(own, given, size))
            && (own.k, own.k_for_q, own.level, own.q.df)
                == (summary.k, summary.k_for_q, summary.level, summary.q.df)
            && is_chi_squared(&summary.q);
        if !same || *inference != Inference::wald(summary.estimate, summary.se, None, about.level)? {
            return Err(about.locate(Error::invalid(
                "the pooled effect is not that of the counts; they were changed after it was computed",
            )));
        }
        check_pooled(inference)
    }
}

impl PooledCountsRecord {
    /// The treatment.
    pub fn treatment(&self) -> &Label {
        &self.treatment
    }

    /// The exponential of the value where the scale is a log ratio.
    pub fn ratio(&self) -> Option<f64> {
        self.about.ratio(self.value())
    }

    /// The exponential of the interval where the scale is a log ratio.
    pub fn ratio_interval(&self) -> Option<Interval> {
        self.about.ratio_interval(self.interval())
    }
}
