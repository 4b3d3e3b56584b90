use super::allocation::Assigned;
use super::outcome::{Binary, OutcomeKind};
use super::{Label, MeasureInfo, Notice};
use crate::data::{Table, check_arms, is_blank};
use crate::error::{Error, ErrorKind, Result, counted};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::collections::HashSet;
use std::sync::Arc;

/// The numbers of people of an arm at each step, as CONSORT 2025 asks for them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ArmCounts {
    /// People randomised to the arm.
    pub randomised: u64,
    /// People with an outcome.
    pub observed: u64,
    /// People in the analysis: with an outcome and every covariate that it uses.
    pub analysed: u64,
    /// People with the event, among the analysed; `None` where the outcome is not an event.
    pub events: Option<u64>,
}

/// The largest number of people that an `f64` counts one by one.
const TOO_MANY: u64 = 1 << 53;

impl ArmCounts {
    /// Every step keeps a part of the step before.
    pub(crate) fn check(&self) -> Result<()> {
        let steps = [self.events.unwrap_or(0), self.analysed, self.observed, self.randomised, TOO_MANY];
        if steps.is_sorted() {
            return Ok(());
        }
        Err(Error::invalid(format!(
            "the numbers of people are {} randomised, {} with an outcome, {} analysed and {} with the event; each must be at \
             most the one before it, and the first at most 2^53",
            self.randomised,
            self.observed,
            self.analysed,
            self.events.unwrap_or(0)
        )))
    }
}

/// One arm of a comparison.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ComparedArm {
    /// The arm.
    pub label: Label,
    /// The components that add up to it: itself unless it was declared a combination; none for a control.
    pub components: Vec<Label>,
    /// Its numbers of people.
    pub counts: ArmCounts,
}

/// Groups of participants: strata or clusters.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Groups {
    pub labels: Arc<[Label]>,
    pub codes: Vec<u32>,
    /// The columns that declare them.
    pub columns: Arc<[String]>,
}

impl Groups {
    /// The number of groups that have people.
    pub(crate) fn occurring(&self) -> usize {
        let mut seen = vec![false; self.labels.len()];
        self.codes.iter().for_each(|&code| seen[code as usize] = true);
        seen.iter().filter(|seen| **seen).count()
    }
}

/// The participants of a comparison who have an outcome, in parallel vectors.
#[derive(Debug, Clone)]
pub(crate) struct People {
    pub table: Table,
    /// The row of each participant in the table.
    pub rows: Vec<u32>,
    /// The arm of every row of the table, with or without an outcome; `u32::MAX` outside the comparison.
    pub assigned: Arc<[u32]>,
    /// The arm of each participant, as an index into the arms of the comparison.
    pub arm: Vec<u32>,
    /// The outcome of each participant: 0 or 1, a number, or the index of a level.
    pub outcome: Vec<f64>,
    /// The exposure of a count, or the cause of an event at a time (0: none was seen).
    pub second: Option<Vec<f64>>,
    /// The time at which each participant came under observation, where it was declared.
    pub entry: Option<Vec<f64>>,
    pub strata: Option<Groups>,
    pub clusters: Option<Groups>,
    /// The allocation of everybody who was randomised; none where people were made up of others.
    pub allocated: Option<Arc<Assigned>>,
    /// The column that says whether a participant received what the arm offers.
    pub take_up: Option<String>,
}

/// The arms of a trial with one measure: what an estimator works on.
///
/// The first arm is the reference. Every arm knows how many people were randomised to it, had the outcome,
/// and are analysed.
///
/// ```
/// use armwise::prelude::*;
///
/// let table =
///     Table::from_csv_str("arm,works\ncontrol,0\ncontrol,1\nguidance,1\nguidance,\n")?;
/// let trial =
///     Trial::builder("Utrecht", table).arm_labels("arm").control("control").build()?;
/// let comparison = trial.on(&Measure::binary("works"))?;
/// assert_eq!(comparison.reference().label, "control");
/// assert_eq!(comparison.arms()[1].counts.randomised, 2);
/// assert_eq!(comparison.arms()[1].counts.analysed, 1);
/// # Ok::<(), armwise::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Comparison<K> {
    pub(crate) trial: Label,
    pub(crate) measure: MeasureInfo,
    pub(crate) kind: K,
    pub(crate) arms: Vec<ComparedArm>,
    pub(crate) notices: Vec<Notice>,
    pub(crate) people: Option<People>,
    /// Whether these are the people of a subgroup, whom a covariate need not tell apart.
    pub(crate) subgroup: bool,
}

impl<K: OutcomeKind> Comparison<K> {
    /// The trial.
    pub fn trial(&self) -> &Label {
        &self.trial
    }

    /// The measure.
    pub fn measure(&self) -> &MeasureInfo {
        &self.measure
    }

    /// The kind of outcome, with its levels, exposure or event column.
    pub fn kind(&self) -> &K {
        &self.kind
    }

    /// The arms, the reference first.
    pub fn arms(&self) -> &[ComparedArm] {
        &self.arms
    }

    /// The arm against which the others are compared.
    pub fn reference(&self) -> &ComparedArm {
        &self.arms[0]
    }

    /// The arms other than the reference.
    pub fn treatments(&self) -> &[ComparedArm] {
        &self.arms[1..]
    }

    /// The notices about these data.
    pub fn notices(&self) -> &[Notice] {
        &self.notices
    }

    /// The outcomes of the participants who have one, in the order of the data; empty for published counts.
    /// Binary outcomes are 0 or 1, levels count from 0.
    pub fn outcomes(&self) -> &[f64] {
        self.people.as_ref().map_or(&[], |people| &people.outcome)
    }

    /// For each of [`Comparison::outcomes`], the index of its arm in [`Comparison::arms`].
    pub fn arm_indices(&self) -> &[u32] {
        self.people.as_ref().map_or(&[], |people| &people.arm)
    }

    /// For each of [`Comparison::outcomes`], the code of its declared stratum; empty where none were declared.
    pub fn stratum_indices(&self) -> &[u32] {
        self.people.as_ref().and_then(|people| people.strata.as_ref()).map_or(&[], |strata| &strata.codes)
    }

    /// For each of [`Comparison::outcomes`], the code of its declared cluster; empty where none were declared.
    pub fn cluster_indices(&self) -> &[u32] {
        self.clusters().map_or(&[], |clusters| &clusters.codes)
    }

    /// For each of [`Comparison::outcomes`], the value of a covariate; `None` where it is missing.
    ///
    /// # Errors
    /// There is no such column, it is a category, or the comparison was made from published counts.
    pub fn covariate(&self, column: &str) -> Result<Vec<Option<f64>>> {
        let people = self.people()?;
        let values = people.table.reals(column).map_err(|error| self.locate(error))?;
        Ok(people
            .rows
            .iter()
            .map(|&row| Some(values[row as usize]).filter(|value| !value.is_nan()))
            .collect())
    }

    /// The participants, which a comparison from published counts does not have.
    pub(crate) fn people(&self) -> Result<&People> {
        self.people.as_ref().ok_or_else(|| {
            self.locate(
                ErrorKind::NotEstimable(
                    "this estimator needs participants, but the comparison was made from published counts; \
                     use a difference in proportions, or read the participants"
                        .to_owned(),
                )
                .into(),
            )
        })
    }

    /// The clusters that were declared, one code for each participant.
    pub(crate) fn clusters(&self) -> Option<&Groups> {
        self.people.as_ref().and_then(|people| people.clusters.as_ref())
    }

    /// The notice of an estimator that takes people as independent although clusters were declared.
    pub(crate) fn clusters_ignored(&self) -> Option<Notice> {
        self.clusters().map(|clusters| Notice::ClustersIgnored { clusters: clusters.occurring() })
    }

    /// The notices of an estimator that does not use the declared strata.
    pub(crate) fn strata_ignored(&self) -> Vec<Notice> {
        let strata = self.people.as_ref().and_then(|people| people.strata.as_ref());
        let strata = strata.map_or(0, Groups::occurring);
        let ignored = (strata > 1).then_some(Notice::StrataIgnored { strata });
        ignored.into_iter().chain(self.unequal_strata()).collect()
    }

    /// The same of an estimator that adjusts for these columns: nothing where the strata are among them, and
    /// unequal strata alone where others are.
    pub(crate) fn strata_ignored_beside(&self, covariates: &[String]) -> Vec<Notice> {
        let Some(strata) = self.people.as_ref().and_then(|people| people.strata.as_ref()) else {
            return Vec::new();
        };
        match covariates {
            [] => self.strata_ignored(),
            _ if strata.columns.iter().all(|column| covariates.contains(column)) => Vec::new(),
            _ => self.unequal_strata().into_iter().collect(),
        }
    }

    /// Adds trial and measure to an error.
    pub(crate) fn locate(&self, error: Error) -> Error {
        error.in_measure(&self.measure.name).in_trial(&self.trial)
    }

    /// The comparison restricted to participants who have all of these covariates.
    pub(crate) fn complete<'a>(&self, covariates: impl Iterator<Item = &'a str>) -> Result<Cow<'_, Self>> {
        let people = self.people()?;
        let mut keep = vec![true; people.rows.len()];
        let mut notices = Vec::new();
        for covariate in covariates {
            let column = people.table.column(covariate).map_err(|error| self.locate(error))?;
            let mut dropped = 0;
            for (keep, &row) in keep.iter_mut().zip(&people.rows) {
                if *keep && column.is_missing(row as usize) {
                    *keep = false;
                    dropped += 1;
                }
            }
            if dropped > 0 {
                notices.push(Notice::MissingCovariate {
                    covariate: covariate.to_owned(),
                    participants: dropped,
                });
            }
        }
        if notices.is_empty() {
            return Ok(Cow::Borrowed(self));
        }
        let mut complete = self.clone();
        complete.notices.extend(notices);
        complete.people = Some(people.keep(&keep));
        complete.count_analysed()?;
        complete.notices.retain(|notice| !matches!(notice, Notice::NoVariation { .. }));
        complete.note_constant_outcomes();
        Ok(Cow::Owned(complete))
    }

    /// The comparison in which everybody is as many people as a column of frequencies says; those without a
    /// frequency are one.
    // Frequencies are checked to be whole numbers in range.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    pub(crate) fn repeated(&self, column: &str) -> Result<Self> {
        /// The most people that rows may stand for.
        const MOST: f64 = 5e7;
        let people = self.people()?;
        let values = people.table.reals(column).map_err(|error| self.locate(error))?;
        let refuse = |row: usize, why: String| {
            Err(self.locate(people.table.locate(Error::invalid(why).in_column(column), row)))
        };
        let mut randomised = vec![0_u64; self.arms.len()];
        let mut total = 0.0;
        for (row, (&value, &arm)) in values.iter().zip(people.assigned.iter()).enumerate() {
            if arm == u32::MAX {
                continue;
            }
            let value = if value.is_nan() { 1.0 } else { value };
            if value < 1.0 || value != value.floor() {
                return refuse(
                    row,
                    format!("a frequency of {value}; give whole numbers of 1 or more, or leave the row out"),
                );
            }
            total += value;
            if total > MOST {
                let why = "the frequencies add up to more than 50 million people; compare the counts with Comparison::from_counts, or fit the \
                           numeric regression::Glm with Weights::Frequency";
                return refuse(row, why.to_owned());
            }
            randomised[arm as usize] += value as u64;
        }
        let count = |row: u32| match values[row as usize] {
            value if value.is_nan() => 1,
            value => value as usize,
        };
        let counts: Vec<usize> = people.rows.iter().map(|&row| count(row)).collect();
        let mut repeated = self.clone();
        for ((arm, randomised), i) in repeated.arms.iter_mut().zip(randomised).zip(0_u32..) {
            arm.counts.randomised = randomised;
            let of_arm = people.arm.iter().zip(&counts).filter(|(arm, _)| **arm == i);
            arm.counts.observed = of_arm.map(|(_, n)| *n as u64).sum();
        }
        repeated.people = Some(people.repeat(&counts));
        repeated.count_analysed()?;
        if repeated.notices.iter().any(|notice| matches!(notice, Notice::MissingOutcome { .. })) {
            repeated.notices.retain(|notice| !matches!(notice, Notice::MissingOutcome { .. }));
            // People to whom the outcome does not apply are not among the assigned, whose weights were
            // summed.
            repeated.note_missing_outcomes(0);
        }
        Ok(repeated)
    }

    /// The comparison of the participants for whose outcome `keep` is true.
    pub(crate) fn restricted(&self, keep: impl Fn(f64) -> bool) -> Result<Self> {
        let keep: Vec<bool> = self.people()?.outcome.iter().map(|&outcome| keep(outcome)).collect();
        self.keeping(&keep)
    }

    /// The comparison of everybody who was randomised to these arms, with 1 for an outcome and 0 for none;
    /// without strata and clusters.
    pub(crate) fn with_missing_outcomes(&self) -> Result<Self> {
        let people = self.people()?;
        let mut observed = vec![0.0; people.assigned.len()];
        people.rows.iter().for_each(|&row| observed[row as usize] = 1.0);
        let rows = (0_u32..).zip(people.assigned.iter()).filter(|(_, arm)| **arm != u32::MAX);
        let rows: Vec<u32> = rows.map(|(row, _)| row).collect();
        let mut everybody = self.clone();
        everybody.people = Some(People {
            table: people.table.clone(),
            arm: rows.iter().map(|&row| people.assigned[row as usize]).collect(),
            outcome: rows.iter().map(|&row| observed[row as usize]).collect(),
            rows,
            assigned: people.assigned.clone(),
            second: None,
            entry: None,
            strata: None,
            clusters: None,
            allocated: None,
            take_up: None,
        });
        everybody.count_analysed()?;
        Ok(everybody)
    }

    /// The same people with an outcome of another kind, one for each.
    pub(crate) fn with_outcome<O: OutcomeKind>(&self, kind: O, outcome: Vec<f64>) -> Result<Comparison<O>> {
        let people = People { outcome, second: None, entry: None, ..self.people()?.clone() };
        let Self { trial, measure, arms, notices, subgroup, .. } = self.clone();
        Ok(Comparison { trial, measure, kind, arms, notices, people: Some(people), subgroup })
    }

    /// The comparison of those participants for whom `keep` is true.
    pub(crate) fn keeping(&self, keep: &[bool]) -> Result<Self> {
        let people = self.people()?;
        let mut restricted = self.clone();
        restricted.people = Some(people.keep(keep));
        restricted.count_analysed()?;
        restricted.notices.retain(|notice| !matches!(notice, Notice::NoVariation { .. }));
        restricted.note_constant_outcomes();
        Ok(restricted)
    }

    /// Adds notices with the numbers of people whom the question does not concern, and of the others who have
    /// no outcome.
    pub(super) fn note_missing_outcomes(&mut self, not_applicable: usize) {
        let randomised: u64 = self.arms.iter().map(|arm| arm.counts.randomised).sum();
        let observed: u64 = self.arms.iter().map(|arm| arm.counts.observed).sum();
        let count = |n: u64| usize::try_from(n).unwrap_or(usize::MAX);
        self.notices.extend(Notice::of_missing(
            count(randomised - observed),
            not_applicable,
            count(randomised),
        ));
    }

    /// The number of participants whom the question does not concern.
    pub(crate) fn not_applicable(&self) -> usize {
        let number = |notice: &Notice| match notice {
            Notice::NotApplicable { participants, .. } => Some(*participants),
            _ => None,
        };
        self.notices.iter().find_map(number).unwrap_or(0)
    }

    /// Adds a notice for every arm in which nobody or everybody had the event.
    pub(super) fn note_constant_outcomes(&mut self) {
        if K::NAME != Binary::NAME {
            return;
        }
        for arm in &self.arms {
            let ArmCounts { analysed, events: Some(events), .. } = arm.counts else { continue };
            let everybody = events == analysed;
            if events == 0 || everybody {
                self.notices.push(Notice::NoVariation { arm: arm.label.clone(), everybody });
            }
        }
    }

    /// Counts the analysed participants and their events again.
    pub(crate) fn count_analysed(&mut self) -> Result<()> {
        let Some(people) = &self.people else { return Ok(()) };
        let mut analysed = vec![0_u64; self.arms.len()];
        let mut events = vec![0_u64; self.arms.len()];
        for (&arm, &outcome) in people.arm.iter().zip(&people.outcome) {
            analysed[arm as usize] += 1;
            events[arm as usize] += u64::from(outcome == 1.0);
        }
        let binary = K::NAME == Binary::NAME;
        for ((arm, analysed), events) in self.arms.iter_mut().zip(analysed).zip(events) {
            arm.counts.analysed = analysed;
            arm.counts.events = binary.then_some(events);
        }
        if let Some(empty) = self.arms.iter().find(|arm| arm.counts.analysed == 0) {
            let label = empty.label.clone();
            let observed = empty.counts.observed;
            let why = if observed == 0 {
                "nobody in this arm has the outcome; leave the arm out with compare(..).versus(..), or check the column"
            } else {
                "nobody in this arm has every covariate; adjust for fewer covariates"
            };
            return Err(self.locate(Error::from(ErrorKind::EmptyArm(why.to_owned())).in_arm(&label)));
        }
        Ok(())
    }
}

impl Comparison<Binary> {
    /// A comparison from published counts: for every arm its label, the events and the number of people, the
    /// reference first.
    ///
    /// # Errors
    /// Fewer than two arms, two arms of one label, an arm without people, or more events than people.
    ///
    /// ```
    /// use armwise::prelude::*;
    ///
    /// let outflow = Measure::binary("outflow").higher_is_better();
    /// let counts = Comparison::from_counts(
    ///     "Utrecht",
    ///     &outflow,
    ///     [("control", 6, 176), ("guidance", 7, 172)],
    /// )?;
    /// let effect = counts.estimate(&DifferenceInProportions::new())?.treatment("guidance")?;
    /// assert!((effect.value() - 0.0066).abs() < 1e-4);
    /// # Ok::<(), armwise::Error>(())
    /// ```
    pub fn from_counts<L: AsRef<str>>(
        trial: impl AsRef<str>,
        measure: &super::Measure<Binary>,
        arms: impl IntoIterator<Item = (L, u64, u64)>,
    ) -> Result<Self> {
        let trial = Label::new(trial);
        let locate = |error: Error| error.in_measure(measure.name()).in_trial(&trial);
        let mut compared: Vec<ComparedArm> = Vec::new();
        let mut seen = HashSet::new();
        for (label, events, n) in arms {
            if !seen.insert(Label::new(&label)) {
                let why = "two arms have this label; give each its own";
                return Err(locate(Error::invalid(why).in_arm(label.as_ref())));
            }
            if is_blank(label.as_ref()) {
                return Err(locate(Error::invalid("an arm has no label; give each its own")));
            }
            if n == 0 || n > TOO_MANY || events > n {
                let why = format!(
                    "there cannot be {events} among {people}; give the events, then the people, of whom there are 1 to 2^53",
                    events = counted(events, "event"),
                    people = counted(n, "person")
                );
                return Err(locate(Error::invalid(why).in_arm(label.as_ref())));
            }
            let label = Label::new(label);
            let components = if compared.is_empty() { Vec::new() } else { vec![label.clone()] };
            let counts = ArmCounts { randomised: n, observed: n, analysed: n, events: Some(events) };
            compared.push(ComparedArm { label, components, counts });
        }
        if compared.len() < 2 {
            return Err(locate(Error::invalid(
                "a comparison needs at least two arms; give the reference first",
            )));
        }
        check_arms(compared.iter().map(|arm| arm.label.as_str()), |_| false).map_err(locate)?;
        Ok(Self {
            trial,
            measure: measure.info(),
            kind: Binary,
            arms: compared,
            notices: Vec::new(),
            people: None,
            subgroup: false,
        })
    }

    /// The components of an arm that combines several measures.
    ///
    /// # Errors
    /// No arm has that label.
    pub fn components<C: AsRef<str>>(
        mut self,
        arm: &str,
        components: impl IntoIterator<Item = C>,
    ) -> Result<Self> {
        let known: Vec<String> = self.arms.iter().map(|arm| arm.label.to_string()).collect();
        match self.arms.iter_mut().find(|other| other.label == arm) {
            Some(found) => {
                found.components = components.into_iter().map(Label::new).collect();
                Ok(self)
            }
            None => Err(self.locate(ErrorKind::UnknownArm { label: arm.to_owned(), known }.into())),
        }
    }
}

impl People {
    /// The participants for whom `keep` is true.
    pub(crate) fn keep(&self, keep: &[bool]) -> Self {
        self.repeat(&keep.iter().map(|keep| usize::from(*keep)).collect::<Vec<_>>())
    }

    /// Every participant as many times as a count says.
    pub(super) fn repeat(&self, counts: &[usize]) -> Self {
        fn repeat<T: Copy>(values: &[T], counts: &[usize]) -> Vec<T> {
            values.iter().zip(counts).flat_map(|(value, count)| std::iter::repeat_n(*value, *count)).collect()
        }
        let groups = |groups: &Groups| Groups {
            labels: groups.labels.clone(),
            codes: repeat(&groups.codes, counts),
            columns: groups.columns.clone(),
        };
        Self {
            table: self.table.clone(),
            rows: repeat(&self.rows, counts),
            assigned: self.assigned.clone(),
            arm: repeat(&self.arm, counts),
            outcome: repeat(&self.outcome, counts),
            second: self.second.as_ref().map(|second| repeat(second, counts)),
            entry: self.entry.as_ref().map(|entry| repeat(entry, counts)),
            strata: self.strata.as_ref().map(groups),
            clusters: self.clusters.as_ref().map(groups),
            allocated: self.allocated.clone(),
            take_up: self.take_up.clone(),
        }
    }
}
