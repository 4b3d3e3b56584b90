use super::imputation::ImputationTrace;
use super::imputed_estimates::{ImputedEstimates, combine};
use crate::compute::progress::Task;
use crate::compute::threads::in_parts;
use crate::data::{Column, ColumnKind, Table};
use crate::design::{Arm, Comparison, Label, Measure, Notice, OutcomeKind, OutcomeValues, Trial};
use crate::error::{Error, ErrorKind, Result, counted, number};
use crate::estimator::Estimator;
use std::collections::HashMap;

/// The degrees of freedom that an analysis would have of complete data.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
#[non_exhaustive]
pub enum CompleteDf {
    /// Those that the estimator has of the imputed data, of several the smallest; without end where it has
    /// none. The default.
    #[default]
    OfEstimator,
    /// Without end: those of Rubin (1987).
    Infinite,
    /// This number.
    Number(f64),
}

/// A trial of which missing values were imputed several times.
///
/// Made by [`Imputation`](crate::missing::Imputation), or of one table that holds all imputations under each
/// other ([`ImputedTrial::from_stacked`]). Every estimator of the crate runs on it
/// ([`ImputedComparison::estimate`]), and its effects are combined by Rubin's rules.
///
/// # Examples
/// ```
/// use armwise::missing::ImputedTrial;
/// use armwise::prelude::*;
///
/// let text = "imputation,id,arm,score\n\
///     0,1,c,1\n0,2,c,2\n0,3,c,\n0,4,t,3\n0,5,t,4\n0,6,t,8\n\
///     1,1,c,1\n1,2,c,2\n1,3,c,4\n1,4,t,3\n1,5,t,4\n1,6,t,8\n\
///     2,1,c,1\n2,2,c,2\n2,3,c,3\n2,4,t,3\n2,5,t,4\n2,6,t,8\n";
/// let stacked = Table::from_csv_str(text)?;
/// let imputed = ImputedTrial::from_stacked(&stacked, "imputation", "id", |table| {
///     Trial::builder("Utrecht", table).arm_labels("arm").control("c").build()
/// })?;
/// let score = imputed.on(&Measure::continuous("score"))?;
/// let effects = score.estimate(&DifferenceInMeans::new())?;
/// let effect = effects.treatment("t")?;
/// assert!((effect.value() - (5.0 - 13.0 / 6.0)).abs() < 1e-12);
/// assert!(effects.missing_information("t")?.unwrap() > 0.0);
/// # Ok::<(), armwise::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct ImputedTrial<A = Label> {
    /// At least two, with the same people in the same order.
    trials: Vec<Trial<A>>,
    /// The trial as it was seen.
    seen: Option<Trial<A>>,
    notices: Vec<Notice>,
    traces: Vec<ImputationTrace>,
}

impl<A: Arm> ImputedTrial<A> {
    /// Imputations that stand under each other, told apart by whole numbers in one column; the rows of
    /// imputation 0, where there are any, are the data as they were seen. `build` makes the trial of the rows
    /// of one imputation.
    ///
    /// # Errors
    /// `insufficient_observations` for fewer than two imputations; `invalid_input` for an imputation or a
    /// participant without a number or a name, and for imputations that do not hold the same participants
    /// once each, in the same arms; those of `build`.
    pub fn from_stacked(
        stacked: &Table,
        imputation: &str,
        participant: &str,
        build: impl Fn(Table) -> Result<Trial<A>>,
    ) -> Result<Self> {
        let numbers = stacked.column(imputation)?.counts().map_err(|error| error.in_column(imputation))?;
        let people = stacked.labelled(participant)?;
        let mut rows: Vec<(u64, Vec<usize>)> = Vec::new();
        for (row, number) in numbers.enumerate() {
            let Some(number) = number else {
                let why = "the imputation of this row is not known; number it, or leave the row out";
                return Err(stacked.locate(Error::invalid(why).in_column(imputation), row));
            };
            match rows.iter_mut().find(|(other, _)| *other == number) {
                Some((_, rows)) => rows.push(row),
                None => rows.push((number, vec![row])),
            }
        }
        rows.sort_by_key(|(number, _)| *number);
        let codes = people.as_codes()?;
        let same = |why: String| Error::invalid(why).in_column(participant);
        let mut places: HashMap<u32, usize> = HashMap::new();
        let mut trials = Vec::with_capacity(rows.len());
        for (at, (number, rows)) in rows.iter_mut().enumerate() {
            if at == 0 {
                for (place, row) in rows.iter().enumerate() {
                    if codes[*row] as usize >= people.levels().len() {
                        let why = "the participant has no identifier; fill it in, or leave the row out";
                        return Err(stacked.locate(same(why.to_owned()), *row));
                    }
                    if places.insert(codes[*row], place).is_some() {
                        let name = &people.levels()[codes[*row] as usize];
                        return Err(same(format!(
                            "{name} occurs twice in imputation {number}; give everybody one row in each"
                        )));
                    }
                }
            } else {
                let mut found: Vec<usize> =
                    rows.iter().filter_map(|row| places.get(&codes[*row]).copied()).collect();
                found.sort_unstable();
                found.dedup();
                if found.len() != places.len() || rows.len() != places.len() {
                    return Err(same(format!(
                        "imputation {number} has {} where the first one has {}; give every imputation the same participants, once each",
                        counted(rows.len(), "row"),
                        counted(places.len(), "participant")
                    )));
                }
                rows.sort_by_key(|row| places[&codes[*row]]);
            }
            trials.push(build(stacked.take(rows))?);
        }
        let seen = (rows.first().is_some_and(|(number, _)| *number == 0)).then(|| trials.remove(0));
        Self::of(trials, seen)
    }

    /// Imputations of one trial, with the trial as it was seen.
    pub(crate) fn of(trials: Vec<Trial<A>>, seen: Option<Trial<A>>) -> Result<Self> {
        let Some(first) = trials.first().filter(|_| trials.len() > 1) else {
            let why = "one imputation says nothing of what is missing; make at least two, better 20 or more";
            return Err(ErrorKind::InsufficientObservations(why.to_owned()).into());
        };
        if let Some(other) = trials.iter().chain(&seen).position(|other| !first.has_people_of(other)) {
            let why = format!(
                "the arms of the people in data set {} are not those of the first; impute no arm, and give everybody one",
                other + 1
            );
            return Err(Error::invalid(why).in_trial(first.name()));
        }
        Ok(Self { trials, seen, notices: Vec::new(), traces: Vec::new() })
    }

    /// With what has to be said of the imputation, and the course of its chains.
    pub(super) fn told(self, notices: Vec<Notice>, traces: Vec<ImputationTrace>) -> Self {
        Self { notices, traces, ..self }
    }

    /// The data as they were seen, where the stack does not hold them as imputation 0: a column that says
    /// which cells of another one were imputed.
    ///
    /// # Errors
    /// `unknown_column`; `column_type` unless the marks are yes and no, or 1 and 0.
    pub fn imputed_where(mut self, column: &str, mark: &str) -> Result<Self> {
        let seen = self.seen.as_ref().unwrap_or(&self.trials[0]);
        let marks = self.trials[0].table().flags(mark)?;
        let blank: Vec<bool> = marks.iter().map(|mark| *mark == 1).collect();
        let blanked =
            blanked(seen.table().column(column)?, &blank).map_err(|error| error.in_column(column))?;
        self.seen = Some(seen.with_table(seen.table().replacing(column, blanked)?));
        Ok(self)
    }

    /// The imputed trials, at least two.
    pub fn trials(&self) -> &[Trial<A>] {
        &self.trials
    }

    /// The trial as it was seen, where that is known.
    pub fn seen(&self) -> Option<&Trial<A>> {
        self.seen.as_ref()
    }

    /// What has to be said of the imputation; every effect says it, too.
    pub fn notices(&self) -> &[Notice] {
        &self.notices
    }

    /// The course of the chains by column and arm; none of imputations that were made elsewhere.
    pub fn traces(&self) -> &[ImputationTrace] {
        &self.traces
    }

    /// The same with `delta` added to the imputed cells of a column of numbers, in one arm: the missing of
    /// that arm differ by so much from those that the imputation took them for. Zero changes nothing.
    ///
    /// # Errors
    /// `invalid_input` where it is not known which cells were imputed, and for a delta that is not finite;
    /// `unknown_arm`; `column_type` for a column that does not hold numbers.
    pub fn delta(&self, column: &str, arm: &str, delta: f64) -> Result<Self> {
        let Some(seen) = &self.seen else {
            let why = "which cells were imputed is not known; stack the data as they were seen as imputation 0, or name their mark with \
                       imputed_where(..)";
            return Err(Error::invalid(why).in_column(column));
        };
        if !delta.is_finite() {
            return Err(Error::invalid(format!("delta is {}; give a finite number", number(delta))));
        }
        let place = seen.arm_labels().position(|label| label.as_str() == arm);
        let Some(place) = place else {
            let known = seen.arm_labels().map(ToString::to_string).collect();
            let unknown = ErrorKind::UnknownArm { label: arm.to_owned(), known };
            return Err(Error::from(unknown).in_trial(seen.name()));
        };
        let missing = seen.table().column(column)?;
        let arms = seen.arms_of_rows();
        let shifted = |trial: &Trial<A>| -> Result<Trial<A>> {
            let values = trial.table().reals(column)?;
            let cells = values.iter().enumerate().map(|(row, value)| {
                let hit = missing.is_missing(row) && arms[row] as usize == place;
                Some(if hit { value + delta } else { *value }).filter(|value| !value.is_nan())
            });
            let shifted = Column::of_reals(cells).map_err(|error| error.in_column(column))?;
            Ok(trial.with_table(trial.table().replacing(column, shifted)?))
        };
        let trials = self.trials.iter().map(shifted).collect::<Result<_>>()?;
        Ok(Self { trials, ..self.clone() })
    }

    /// Every arm of the trial with one measure.
    ///
    /// # Errors
    /// As [`Trial::on`].
    pub fn on<K: OutcomeKind>(&self, measure: &Measure<K>) -> Result<ImputedComparison<K>>
    where
        Measure<K>: OutcomeValues,
    {
        let comparisons = self.trials.iter().map(|trial| trial.on(measure)).collect::<Result<Vec<_>>>()?;
        // Of outcomes that nobody has the trial as seen has no comparison.
        let observed = match &self.seen {
            Some(seen) => Some(seen.outcomes_seen(measure)?),
            None => None,
        };
        let notices = self.notices.clone();
        Ok(ImputedComparison { comparisons, observed, complete_df: CompleteDf::default(), notices })
    }
}

/// The column with blank cells where `blank` is true.
fn blanked(column: &Column, blank: &[bool]) -> Result<Column> {
    fn kept<T>(cells: impl Iterator<Item = Option<T>>, blank: &[bool]) -> Vec<Option<T>> {
        cells.zip(blank).map(|(cell, blank)| cell.filter(|_| !blank)).collect()
    }
    match column.kind() {
        ColumnKind::Real => Column::of_reals(kept(column.reals()?, blank)),
        ColumnKind::Count => Column::of_reals(kept(column.reals()?, blank)),
        ColumnKind::Flag => Column::of_flags(kept(column.flags()?, blank)),
        _ => Column::of_categories(kept(column.categories()?, blank)),
    }
}

/// The arms of an imputed trial with one measure: one comparison for each imputation.
#[derive(Debug, Clone)]
pub struct ImputedComparison<K> {
    comparisons: Vec<Comparison<K>>,
    /// The people with an outcome that was seen.
    observed: Option<u64>,
    complete_df: CompleteDf,
    notices: Vec<Notice>,
}

impl<K: OutcomeKind> ImputedComparison<K> {
    setters! {
        /// The degrees of freedom of complete data. Default: those of the estimator.
        complete_df: CompleteDf;
    }

    /// One comparison for each imputation.
    pub fn comparisons(&self) -> &[Comparison<K>] {
        &self.comparisons
    }

    /// The effects of an estimator, combined over the imputations by Rubin's rules.
    ///
    /// # Formula
    /// That of [`Imputations`](crate::missing::Imputations) for every treatment, and of
    /// [`JointImputations`](crate::missing::JointImputations) for their covariance; on the scale of the
    /// effects, so that ratios are combined by their logarithms.
    ///
    /// # Errors
    /// Those of the estimator, with the number of the imputation; `not_estimable` where an arm has no effect
    /// in one of them; `stopped`.
    pub fn estimate<E: Estimator<K> + Sync>(&self, estimator: &E) -> Result<ImputedEstimates<E::Scale>>
    where
        Comparison<K>: Sync,
    {
        let task = Task::start("imputations", self.comparisons.len() as u64);
        let parts = in_parts(self.comparisons.len(), 1, true, |range| {
            range
                .map(|at| {
                    let estimates = self.comparisons[at].estimate(estimator)?;
                    task.advance(1)?;
                    Ok(estimates)
                })
                .collect::<Result<Vec<_>>>()
        });
        let mut each = Vec::with_capacity(self.comparisons.len());
        for part in parts {
            each.extend(part?);
        }
        let first = &self.comparisons[0];
        let people: u64 = first.arms().iter().map(|arm| arm.counts.randomised).sum();
        let concerned = people - (first.not_applicable() as u64).min(people);
        let imputed = self.observed.map(|observed| concerned - observed.min(concerned));
        combine(each, self.complete_df, [imputed, Some(people)], &self.notices)
    }
}
