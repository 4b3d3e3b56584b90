use crate::compute::interval::Interval;
use crate::compute::missing::{
    DeviationBounds, ImbensManski, LeeBounds, LeeBoundsByCell, MonotoneBounds, PartlyObserved, Selection,
    TrimmedArm, WorstCase,
};
use crate::compute::reference_distribution::check_level;
use crate::design::{
    Binary, ComparedArm, Comparison, Continuous, Count, Label, MeasureInfo, Notice, OutcomeKind,
};
use crate::effect::AnyScale;
use crate::error::{Error, Result, counted};
use serde::{Deserialize, Serialize};

/// What is assumed of those who have no outcome.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum MissingAssumption {
    /// Nothing but the range of the outcome.
    WorstCase {
        /// The smallest and the largest value of an outcome.
        range: Interval,
    },
    /// Their mean in an arm is not above, or not below, that of those seen in it.
    Monotone {
        /// The smallest and the largest value of an outcome.
        range: Interval,
        /// Which of both.
        selection: Selection,
    },
    /// They differ by at most so many standard deviations from those seen in their arm.
    Deviations {
        /// The number of standard deviations.
        k: f64,
    },
    /// Treatment makes everybody more likely to be seen, or everybody less likely: bounds for those who are
    /// seen in either arm.
    Trimmed {
        /// The column whose categories tighten the bounds.
        cells: Option<String>,
    },
}

/// A kind of outcome of which bounds are known: events, numbers on a scale, counts.
pub trait BoundedOutcome: OutcomeKind + private::Sealed {
    /// The scale of the difference.
    #[doc(hidden)]
    const SCALE: AnyScale;
}

mod private {
    pub trait Sealed {}
    impl Sealed for super::Binary {}
    impl Sealed for super::Continuous {}
    impl Sealed for super::Count {}
}

impl BoundedOutcome for Binary {
    const SCALE: AnyScale = AnyScale::RiskDifference;
}
impl BoundedOutcome for Continuous {
    const SCALE: AnyScale = AnyScale::MeanDifference;
}
impl BoundedOutcome for Count {
    const SCALE: AnyScale = AnyScale::MeanDifference;
}

/// Bounds of the difference between every treatment and the reference where some have no outcome.
///
/// Use them beside an analysis that assumes more: they say how much of its answer the assumption makes.
///
/// # Formula
/// That of [`WorstCase`], [`MonotoneBounds`], [`DeviationBounds`], [`LeeBounds`] or [`LeeBoundsByCell`] for
/// each treatment, against everybody who was randomised. People whom the question does not concern are not
/// among the missing.
///
/// # Assumptions
/// Randomisation, and what [`MissingAssumption`] says. Standard errors take people as independent.
///
/// # Interval
/// [`ImbensManski`]: it covers the effect. Bounds by cells have none.
///
/// # Errors
/// `invalid_input` for an outcome outside the range, and for people without a cell; `not_estimable` where
/// cells trim different arms; `insufficient_observations` where an arm is too small.
///
/// # Examples
/// ```
/// use armwise::Interval;
/// use armwise::missing::Bounds;
/// use armwise::prelude::*;
///
/// let text = "arm,works\nc,0\nc,1\nc,0\nc,\nt,1\nt,1\nt,0\nt,\n";
/// let trial = Trial::builder("Utrecht", Table::from_csv_str(text)?)
///     .arm_labels("arm")
///     .control("c")
///     .build()?;
/// let works = trial.on(&Measure::binary("works"))?;
/// let bounds = Bounds::worst_case(Interval::new(0.0, 1.0)?).on(&works)?;
/// let treatment = bounds.treatment("t")?;
/// assert_eq!((treatment.bounds.lower(), treatment.bounds.upper()), (0.0, 0.5));
/// println!("{bounds}");
/// # Ok::<(), armwise::Error>(())
/// ```
///
/// # References
/// Those of the numbers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Bounds {
    assumption: MissingAssumption,
    level: f64,
}

impl Bounds {
    fn new(assumption: MissingAssumption) -> Self {
        Self { assumption, level: 0.95 }
    }

    /// Whatever the missing would have been, within the range of the outcome: 0 to 1 of an event.
    pub fn worst_case(range: Interval) -> Self {
        Self::new(MissingAssumption::WorstCase { range })
    }

    /// Where the missing of an arm do not have a higher, or not a lower, mean than those seen in it.
    pub fn monotone(range: Interval, selection: Selection) -> Self {
        Self::new(MissingAssumption::Monotone { range, selection })
    }

    /// Where the missing of an arm are at most `k` standard deviations away from those seen in it.
    pub fn deviations(k: f64) -> Self {
        Self::new(MissingAssumption::Deviations { k })
    }

    /// Of the effect on those who would be seen in either arm (Lee).
    pub fn trimmed() -> Self {
        Self::new(MissingAssumption::Trimmed { cells: None })
    }

    /// The same, tightened by the categories of a column that was known before treatment.
    pub fn trimmed_by(cells: &str) -> Self {
        Self::new(MissingAssumption::Trimmed { cells: Some(cells.to_owned()) })
    }

    setters! {
        /// The confidence level of the intervals; default 0.95.
        level: f64;
    }

    /// The bounds of every treatment.
    ///
    /// # Errors
    /// See [`Bounds`].
    pub fn on<K: BoundedOutcome>(&self, comparison: &Comparison<K>) -> Result<MissingBounds> {
        check_level(self.level).map_err(|error| comparison.locate(error))?;
        let cells = match &self.assumption {
            MissingAssumption::Trimmed { cells: Some(column) } => Some(cells(comparison, column)?),
            _ => None,
        };
        let (labels, cells) = cells.map_or((Vec::new(), None), |(labels, codes)| (labels, Some(codes)));
        let arm = |arm: usize, cell: Option<u32>| {
            seen(comparison, arm, cells.as_deref().zip(cell))
                .map_err(|error| comparison.locate(error.in_arm(&comparison.arms()[arm].label)))
        };
        let control = arm(0, None)?;
        let mut treatments = Vec::with_capacity(comparison.treatments().len());
        for (place, treatment) in comparison.treatments().iter().enumerate() {
            let locate = |error: Error| comparison.locate(error.in_arm(&treatment.label));
            let own = arm(place + 1, None)?;
            let numbers = match &self.assumption {
                MissingAssumption::WorstCase { range } => {
                    let bounds = WorstCase::new(&own, &control, *range).map_err(locate)?;
                    Numbers::of(bounds.effect, bounds.se, bounds.complete_cases)
                }
                MissingAssumption::Monotone { range, selection } => {
                    let bounds = MonotoneBounds::new(&own, &control, *range, *selection).map_err(locate)?;
                    Numbers::of(bounds.effect, bounds.se, bounds.complete_cases)
                }
                MissingAssumption::Deviations { k } => {
                    let bounds = DeviationBounds::new(&own, &control, *k).map_err(locate)?;
                    Numbers::of(bounds.effect, Some(bounds.se), bounds.complete_cases)
                }
                MissingAssumption::Trimmed { cells: None } => {
                    let bounds = LeeBounds::new(&own, &control).map_err(locate)?;
                    let numbers = Numbers::of(bounds.effect, Some(bounds.se), bounds.complete_cases);
                    Numbers { trimmed: Some(bounds.trimmed), share: Some(bounds.share), ..numbers }
                }
                MissingAssumption::Trimmed { cells: Some(column) } => {
                    let pairs = (0_u32..)
                        .zip(&labels)
                        .map(|(cell, label)| {
                            let within = |error: Error| error.in_column(&format!("{column}, {label}"));
                            let own = arm(place + 1, Some(cell)).map_err(within)?;
                            Ok([own, arm(0, Some(cell)).map_err(within)?])
                        })
                        .collect::<Result<Vec<_>>>()?;
                    let bounds = LeeBoundsByCell::new(&pairs).map_err(locate)?;
                    let numbers = Numbers::of(bounds.effect, None, bounds.without_cells.complete_cases);
                    Numbers { trimmed: Some(bounds.trimmed), ..numbers }
                }
            };
            treatments.push(numbers.bounded(treatment.clone(), self.level).map_err(locate)?);
        }
        let mut notices: Vec<Notice> = comparison
            .notices()
            .iter()
            // The missing are what the bounds are about.
            .filter(|notice| !matches!(notice, Notice::MissingOutcome { .. } | Notice::NoVariation { .. }))
            .cloned()
            .collect();
        notices.extend(comparison.clusters_ignored());
        let bounds = MissingBounds {
            trial: comparison.trial().clone(),
            measure: comparison.measure().clone(),
            scale: K::SCALE,
            assumption: self.assumption.clone(),
            reference: comparison.reference().clone(),
            treatments,
            level: self.level,
            notices,
        };
        bounds.check()?;
        Ok(bounds)
    }
}

/// The cell of every row of the table, and their labels.
fn cells<K: OutcomeKind>(comparison: &Comparison<K>, column: &str) -> Result<(Vec<Label>, Vec<u32>)> {
    let people = comparison.people()?;
    let locate = |error: Error| comparison.locate(error.in_column(column));
    let labelled = people.table.labelled(column).map_err(locate)?;
    let codes = labelled.as_codes().map_err(locate)?.to_vec();
    let beyond = |row: usize| codes[row] as usize >= labelled.levels().len();
    if let Some(row) = (0..codes.len()).find(|&row| people.assigned[row] != u32::MAX && beyond(row)) {
        let why = "the cell of this person is not known; fill it in, or make \"not known\" a category";
        return Err(comparison.locate(people.table.locate(Error::invalid(why).in_column(column), row)));
    }
    let mut used: Vec<u32> = codes
        .iter()
        .zip(people.assigned.iter())
        .filter(|(_, arm)| **arm != u32::MAX)
        .map(|(code, _)| *code)
        .collect();
    used.sort_unstable();
    used.dedup();
    let labels = used.iter().map(|code| Label::new(&labelled.levels()[*code as usize])).collect();
    let place = |code: &u32| {
        used.binary_search(code).map_or(u32::MAX, |place| u32::try_from(place).unwrap_or(u32::MAX))
    };
    Ok((labels, codes.iter().map(place).collect()))
}

/// An arm, or the people of one cell in it.
fn seen<K: OutcomeKind>(
    comparison: &Comparison<K>,
    arm: usize,
    cell: Option<(&[u32], u32)>,
) -> Result<PartlyObserved> {
    let Some(people) = &comparison.people else {
        let counts = comparison.arms()[arm].counts;
        let Some(events) = counts.events else {
            return Err(comparison.people().map(|_| ()).err().unwrap_or_else(|| Error::invalid("no people")));
        };
        return PartlyObserved::events(events, counts.analysed, counts.randomised);
    };
    let within = |row: usize| cell.is_none_or(|(codes, cell)| codes[row] == cell);
    let outcomes = people
        .rows
        .iter()
        .zip(&people.arm)
        .zip(&people.outcome)
        .filter(|((row, of), _)| **of as usize == arm && within(**row as usize))
        .map(|(_, outcome)| *outcome)
        .collect();
    let assigned = people.assigned.iter().enumerate();
    let randomised = assigned.filter(|(row, of)| **of as usize == arm && within(*row)).count() as u64;
    PartlyObserved::new(outcomes, randomised)
}

/// The numbers of a treatment before its interval.
struct Numbers {
    bounds: Interval,
    se: Option<[f64; 2]>,
    complete_cases: f64,
    trimmed: Option<TrimmedArm>,
    share: Option<f64>,
}

impl Numbers {
    fn of(bounds: Interval, se: Option<[f64; 2]>, complete_cases: f64) -> Self {
        Self { bounds, se, complete_cases, trimmed: None, share: None }
    }

    fn bounded(self, treatment: ComparedArm, level: f64) -> Result<BoundedTreatment> {
        let Self { bounds, se, complete_cases, trimmed, share } = self;
        let interval =
            se.map(|se| ImbensManski::new([bounds.lower(), bounds.upper()], se, level)).transpose()?;
        let interval = interval.map(|one| one.interval);
        Ok(BoundedTreatment { treatment, complete_cases, bounds, se, interval, trimmed, share })
    }
}

/// The bounds of every treatment of a trial, as [`Bounds`] gives them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(remote = "Self")]
#[non_exhaustive]
pub struct MissingBounds {
    /// The trial.
    pub trial: Label,
    /// The measure.
    pub measure: MeasureInfo,
    /// The scale: a difference in proportions or in means.
    pub scale: AnyScale,
    /// What is assumed.
    pub assumption: MissingAssumption,
    /// The arm with which every treatment is compared.
    pub reference: ComparedArm,
    /// The treatments.
    pub treatments: Vec<BoundedTreatment>,
    /// The level of intervals.
    pub level: f64,
    /// Everything that has to be said beside the numbers.
    pub notices: Vec<Notice>,
}

checked!(MissingBounds);

/// The bounds of one treatment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct BoundedTreatment {
    /// The treatment with its numbers of people.
    pub treatment: ComparedArm,
    /// The difference between those who were seen.
    pub complete_cases: f64,
    /// The bounds of the difference.
    pub bounds: Interval,
    /// The standard errors of the lower and the upper bound, where they are known.
    pub se: Option<[f64; 2]>,
    /// The interval that covers the difference (Imbens and Manski), where standard errors are known.
    pub interval: Option<Interval>,
    /// The arm that was trimmed, where one may be.
    pub trimmed: Option<TrimmedArm>,
    /// The share of it that was trimmed, without cells.
    pub share: Option<f64>,
}

impl MissingBounds {
    /// The bounds of a treatment.
    ///
    /// # Errors
    /// There is no such treatment.
    pub fn treatment(&self, treatment: impl AsRef<str>) -> Result<&BoundedTreatment> {
        let label = treatment.as_ref();
        self.treatments.iter().find(|own| own.treatment.label == label).ok_or_else(|| {
            let known = self.treatments.iter().map(|own| own.treatment.label.to_string()).collect();
            let unknown = crate::error::ErrorKind::UnknownTreatment { name: label.to_owned(), known };
            Error::from(unknown).in_measure(&self.measure.name).in_trial(&self.trial)
        })
    }

    fn check(&self) -> Result<()> {
        check_level(self.level)?;
        self.reference.counts.check()?;
        if self.treatments.is_empty() {
            return Err(Error::invalid("there is no treatment; give one beside the reference"));
        }
        for own in &self.treatments {
            let refuse = |what: &str| {
                Err(Error::invalid(format!("{what}; read the bounds anew")).in_arm(&own.treatment.label))
            };
            own.treatment.counts.check()?;
            let finite = |interval: Interval| interval.lower().is_finite() && interval.upper().is_finite();
            if !finite(own.bounds) || !own.complete_cases.is_finite() {
                return refuse("the bounds are not finite");
            }
            let expected = own
                .se
                .map(|se| ImbensManski::new([own.bounds.lower(), own.bounds.upper()], se, self.level))
                .transpose()?
                .map(|one| one.interval);
            let size = own.bounds.lower().abs().max(own.bounds.upper().abs());
            let near = |a: f64, b: f64| (a - b).abs() <= 1e-8 * (1.0 + size);
            let same = match (expected, own.interval) {
                (None, None) => true,
                (Some(a), Some(b)) => near(a.lower(), b.lower()) && near(a.upper(), b.upper()),
                _ => false,
            };
            if !same {
                return refuse("the interval is not that of the bounds and their standard errors");
            }
            if own.share.is_some_and(|share| !(0.0..=1.0).contains(&share)) {
                return refuse("a share is not between 0 and 1");
            }
        }
        Ok(())
    }

    /// The number of people who were randomised and not seen, `12 of 200`.
    pub(crate) fn missing_words(&self, own: &BoundedTreatment) -> String {
        let [missing, of] = [own.treatment.counts, self.reference.counts]
            .map(|counts| [counts.randomised - counts.observed, counts.randomised])
            .into_iter()
            .fold([0, 0], |sum, one| [sum[0] + one[0], sum[1] + one[1]]);
        format!("{missing} of {} missing", counted(of, "person"))
    }
}
