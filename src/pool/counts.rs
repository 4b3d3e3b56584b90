use super::one_stage::clusters_ignored;
use crate::compute::curve::Inference;
use crate::compute::interval::Interval;
use crate::compute::meta_analysis::{
    self as kernel, AddTo, CellCorrection, CountMeasure, Counts, TablePool, TwoByTwo,
};
use crate::design::{ArmCounts, Binary, Comparison, Comparisons, Label, MeasureInfo, Notice};
use crate::effect::{AnyScale, LogOddsRatio, LogRiskRatio, RiskDifference, Scale, ScaleForm};
use crate::error::{Error, ErrorKind, Result};
use serde::{Deserialize, Serialize};
use std::collections::HashSet;

/// Pools one treatment from counts of events, with weights that need no variances: for rare events.
///
/// Nothing is added to empty cells, and a trial without events in one arm keeps its information. Trials without events in either arm
/// say nothing of a ratio, which the result tells; they do count for a risk difference.
///
/// # Formula
/// With events `a`, `c` and people `n1`, `n0` of treatment and control, `b = n1 - a`, `d = n0 - c`, `N = n1 + n0`: odds ratio
/// `sum(ad/N) / sum(bc/N)`, risk ratio `sum(a n0/N) / sum(c n1/N)`, risk difference `sum((a n0 - c n1)/N) / sum(n1 n0/N)`; variances of Robins,
/// Breslow and Greenland, of Greenland and Robins, and of Sato.
///
/// # Assumptions
/// One effect common to all trials on the scale; unadjusted comparisons of randomised arms; independent people, so that a notice says
/// where clusters were declared.
///
/// # Interval
/// Normal.
///
/// # Errors
/// No trial had the treatment; no events, or only events, in an arm of all trials together, where a ratio is asked for.
///
/// # Examples
/// ```
/// use armwise::prelude::*;
/// use armwise::MantelHaenszel;
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
/// Mantel N, Haenszel W (1959), Journal of the National Cancer Institute 22:719. Bradburn MJ et al. (2007), Statistics in Medicine 26:53,
/// doi:10.1002/sim.2528.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(bound = "S: TableScale")]
pub struct MantelHaenszel<S: TableScale> {
    scale: S,
    empty_cells: EmptyCells,
    level: f64,
}

/// What is done with trials in which an arm had no event, or events only.
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

/// A scale on which two by two tables are pooled: [`RiskDifference`], [`LogRiskRatio`] or [`LogOddsRatio`].
pub trait TableScale: Scale + Copy + private::Sealed {
    #[doc(hidden)]
    fn measure(self) -> CountMeasure;
}

mod private {
    pub trait Sealed {}
}

macro_rules! table_scales {
    ($($name:ident),+) => {
        $(impl private::Sealed for $name {}
        impl TableScale for $name {
            fn measure(self) -> CountMeasure {
                CountMeasure::$name
            }
        })+
    };
}
table_scales!(RiskDifference, LogRiskRatio, LogOddsRatio);

impl<S: TableScale> MantelHaenszel<S> {
    /// On this scale; nothing is added to empty cells, level 0.95.
    pub fn new(scale: S) -> Self {
        Self { scale, empty_cells: EmptyCells::AsTheyAre, level: 0.95 }
    }

    /// What is done with empty cells; default nothing.
    #[must_use]
    pub fn empty_cells(mut self, rule: EmptyCells) -> Self {
        self.empty_cells = rule;
        self
    }

    /// The confidence level, between 0 and 1; default 0.95.
    #[must_use]
    pub fn level(mut self, level: f64) -> Self {
        self.level = level;
        self
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
        let data = Data::of(comparisons, treatment.as_ref())?;
        let correction = match self.empty_cells {
            EmptyCells::AsTheyAre => CellCorrection::NONE,
            EmptyCells::AddHalf => CellCorrection::HALF_WHERE_ZERO,
            EmptyCells::AddHalfToAll => CellCorrection::add(0.5, AddTo::All)?,
        };
        let mut model = kernel::MantelHaenszel::new().level(self.level).pooling_correction(correction);
        if self.empty_cells == EmptyCells::AddHalfToAll {
            model = model.q_correction(correction);
        }
        let pool = model.counts(self.scale.measure(), &data.tables());
        let method = CountMethod::MantelHaenszel { empty_cells: self.empty_cells };
        data.pooled(self.scale, method, pool)
    }
}

/// Pools one treatment from counts of events by Peto's one-step odds ratio: for events rarer than one in a hundred, arms of similar
/// size and effects that are not large. Outside these it is biased: [`MantelHaenszel`].
///
/// # Formula
/// `sum(O - E) / sum V` with standard error `1 / sqrt(sum V)`: `O` the events under treatment, `E` and `V` their expectation and variance given
/// the margins of each trial's table. Nothing is added to empty cells.
///
/// ```
/// use armwise::prelude::*;
/// use armwise::Peto;
///
/// let sanction = Measure::binary("sanction").lower_is_better();
/// let cities = Comparisons::new([
///     Comparison::from_counts("A", &sanction, [("control", 2, 500), ("guidance", 1, 500)])?,
///     Comparison::from_counts("B", &sanction, [("control", 1, 400), ("guidance", 0, 410)])?,
/// ])?;
/// let pooled = Peto::new().pool(&cities, "guidance")?;
/// assert!(pooled.ratio().unwrap() < 1.0 && pooled.trials().len() == 2);
/// # Ok::<(), armwise::Error>(())
/// ```
///
/// # References
/// Yusuf S et al. (1985), Progress in Cardiovascular Diseases 27:335. Bradburn MJ et al. (2007), Statistics in Medicine 26:53.
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

    /// The confidence level, between 0 and 1; default 0.95.
    #[must_use]
    pub fn level(mut self, level: f64) -> Self {
        self.level = level;
        self
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
        let data = Data::of(comparisons, treatment.as_ref())?;
        let pool = kernel::peto(&data.tables(), self.level);
        data.pooled(LogOddsRatio, CountMethod::Peto, pool)
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

struct Data {
    treatment: Label,
    reference: Label,
    measure: MeasureInfo,
    trials: Vec<TrialCounts>,
    notices: Vec<Notice>,
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

impl Data {
    fn of(comparisons: &Comparisons<Binary>, treatment: &str) -> Result<Self> {
        let mut trials: Vec<TrialCounts> = Vec::new();
        let mut seen = HashSet::new();
        let mut without = Vec::new();
        let mut first: Option<&Comparison<Binary>> = None;
        let mut members = Vec::new();
        let mut notices = Vec::new();
        for comparison in comparisons {
            let Some(arm) = comparison.treatments().iter().find(|arm| arm.label == treatment) else {
                without.push(comparison.trial().clone());
                continue;
            };
            let first = *first.get_or_insert(comparison);
            belongs(first, comparison)?;
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
        let Some(first) = first else {
            let mut known: Vec<String> = Vec::new();
            for arm in comparisons.iter().flat_map(Comparison::treatments) {
                if !known.iter().any(|label| arm.label == **label) {
                    known.push(arm.label.to_string());
                }
            }
            return Err(ErrorKind::UnknownTreatment { name: treatment.to_owned(), known }.into());
        };
        let treatment = Label::new(treatment);
        if !without.is_empty() {
            notices.push(Notice::TrialsWithoutArm { arm: treatment.clone(), trials: without });
        }
        notices.extend(clusters_ignored(members.into_iter()));
        let (reference, measure) = (first.reference().label.clone(), first.measure().clone());
        Ok(Self { treatment, reference, measure, trials, notices })
    }

    fn tables(&self) -> Vec<TwoByTwo> {
        self.trials.iter().map(TrialCounts::table).collect()
    }

    fn pooled<S: Scale>(
        mut self,
        scale: S,
        method: CountMethod,
        pool: Result<TablePool>,
    ) -> Result<PooledCounts<S>> {
        let pool = pool.map_err(|error| error.in_arm(&self.treatment).in_measure(&self.measure.name))?;
        let added = match method {
            CountMethod::MantelHaenszel { empty_cells } => empty_cells,
            CountMethod::Peto => EmptyCells::AsTheyAre,
        };
        if scale.form() == ScaleForm::LogRatio && added == EmptyCells::AsTheyAre {
            let silent = self.trials.iter().filter(|trial| trial.says_nothing());
            let silent: Vec<Label> = silent.map(|trial| trial.trial.clone()).collect();
            if !silent.is_empty() {
                self.notices.push(Notice::NoInformation { trials: silent });
            }
        }
        for trial in &self.trials {
            if added == EmptyCells::AddHalfToAll || (added == EmptyCells::AddHalf && trial.has_empty_cell()) {
                self.notices.push(Notice::AddedHalf { name: trial.trial.clone() });
            }
        }
        let Self { treatment, reference, measure, trials, notices } = self;
        Ok(PooledCounts { scale, treatment, reference, measure, method, trials, pool, notices })
    }
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

/// The effect of one treatment pooled from counts; by [`MantelHaenszel`] or [`Peto`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "PooledCountsWire<S>", bound = "S: Scale")]
pub struct PooledCounts<S: Scale> {
    scale: S,
    treatment: Label,
    reference: Label,
    measure: MeasureInfo,
    method: CountMethod,
    trials: Vec<TrialCounts>,
    pool: TablePool,
    notices: Vec<Notice>,
}

#[derive(Deserialize)]
#[serde(bound = "S: Scale")]
struct PooledCountsWire<S: Scale> {
    scale: S,
    treatment: Label,
    reference: Label,
    measure: MeasureInfo,
    method: CountMethod,
    trials: Vec<TrialCounts>,
    pool: TablePool,
    notices: Vec<Notice>,
}

impl<S: Scale> TryFrom<PooledCountsWire<S>> for PooledCounts<S> {
    type Error = Error;

    fn try_from(wire: PooledCountsWire<S>) -> Result<Self> {
        let PooledCountsWire { scale, treatment, reference, measure, method, trials, pool, notices } = wire;
        for trial in &trials {
            trial
                .treatment
                .check()
                .and_then(|()| trial.reference.check())
                .map_err(|error| error.in_trial(&trial.trial))?;
        }
        super::pooled::check_pooled(&Inference::wald(pool.estimate, pool.se, None, pool.level)?)?;
        if trials.len() != pool.k {
            return Err(Error::invalid("a pool of counts needs the counts of all its trials"));
        }
        Ok(Self { scale, treatment, reference, measure, method, trials, pool, notices })
    }
}

impl<S: Scale> PooledCounts<S> {
    /// The scale.
    pub fn scale(&self) -> &S {
        &self.scale
    }

    /// The treatment.
    pub fn treatment(&self) -> &Label {
        &self.treatment
    }

    /// The arm it is compared with.
    pub fn reference(&self) -> &Label {
        &self.reference
    }

    /// The measure.
    pub fn measure(&self) -> &MeasureInfo {
        &self.measure
    }

    /// By Mantel-Haenszel, with the rule for empty cells, or by Peto.
    pub fn method(&self) -> CountMethod {
        self.method
    }

    /// The trials with their counts.
    pub fn trials(&self) -> &[TrialCounts] {
        &self.trials
    }

    /// The pooled value on the scale.
    pub fn value(&self) -> f64 {
        self.pool.estimate
    }

    /// The exponential of the value where the scale is a log ratio.
    pub fn ratio(&self) -> Option<f64> {
        (self.scale.form() == ScaleForm::LogRatio).then(|| self.pool.ratio())
    }

    /// The standard error.
    pub fn se(&self) -> f64 {
        self.pool.se
    }

    /// The two-sided p-value of no effect.
    pub fn p_value(&self) -> f64 {
        self.pool.p_value
    }

    /// The confidence interval.
    pub fn interval(&self) -> Interval {
        self.pool.interval
    }

    /// All numbers, with heterogeneity.
    pub fn summary(&self) -> TablePool {
        self.pool
    }

    /// What a reader has to be told.
    pub fn notices(&self) -> &[Notice] {
        &self.notices
    }

    /// The same with its scale known only at run time.
    pub fn to_any(&self) -> PooledCounts<AnyScale> {
        PooledCounts {
            scale: self.scale.to_any(),
            treatment: self.treatment.clone(),
            reference: self.reference.clone(),
            measure: self.measure.clone(),
            method: self.method,
            trials: self.trials.clone(),
            pool: self.pool,
            notices: self.notices.clone(),
        }
    }
}
