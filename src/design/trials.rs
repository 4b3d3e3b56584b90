use super::builder::{DesignColumns, EmptyArms, design_setters, groups};
use super::outcome::OutcomeKind;
use super::values::OutcomeValues;
use super::{Arm, Comparison, Label, Measure, Trial};
use crate::data::{Table, check_twins};
use crate::error::{Error, ErrorKind, Result};
use std::collections::HashSet;
use std::marker::PhantomData;
use std::sync::Arc;

/// Several trials with arms of the same vocabulary: the municipalities of one experiment.
///
/// A municipality need not have every arm.
///
/// ```
/// use armwise::prelude::*;
///
/// let table = Table::from_csv_str(
///     "city,arm,works\nA,control,0\nA,guidance,1\nB,control,0\nB,control,1\nB,exemption,1\n",
/// )?;
/// let trials = Trials::builder(table, "city").arm_labels("arm").control("control").build()?;
/// assert_eq!(trials.iter().count(), 2);
/// assert_eq!(trials.trial("B")?.arm_labels().nth(1).unwrap(), "exemption");
/// # Ok::<(), armwise::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Trials<A = Label> {
    trials: Vec<Trial<A>>,
}

/// A builder of [`Trials`] from one table with a column that names the trial of each row.
#[derive(Debug, Clone)]
pub struct TrialsBuilder<A = Label> {
    table: Table,
    trial: String,
    columns: DesignColumns,
    arms: PhantomData<fn() -> A>,
}

impl Trials<Label> {
    /// A builder from a table whose column `trial` names the trial; name the column of the arms next.
    pub fn builder(table: Table, trial: &str) -> TrialsBuilder<Label> {
        TrialsBuilder { table, trial: trial.to_owned(), columns: DesignColumns::default(), arms: PhantomData }
    }
}

impl<A: Arm> Trials<A> {
    /// Trials that were built one by one.
    ///
    /// # Errors
    /// No trial, two of the same name, or names of trials or arms that differ by case, spacing or Unicode
    /// composition only.
    pub fn new(trials: impl IntoIterator<Item = Trial<A>>) -> Result<Self> {
        let mut trials: Vec<Trial<A>> = trials.into_iter().collect();
        if trials.is_empty() {
            return Err(ErrorKind::NoStudies.into());
        }
        let mut seen = HashSet::new();
        for trial in &trials {
            if !seen.insert(trial.name()) {
                let why = "two trials have this name; give each its own";
                return Err(Error::invalid(why).in_trial(trial.name()));
            }
        }
        check_twins(trials.iter().map(|trial| trial.name().as_str()))?;
        let arms = || trials.iter().flat_map(|trial| &trial.design.arms);
        check_twins(arms().map(|arm| arm.label.as_str()))?;
        check_twins(arms().flat_map(|arm| &arm.components).map(Label::as_str))?;
        let tables: Arc<[Table]> = trials.iter().map(|trial| trial.table().clone()).collect();
        for trial in &mut trials {
            trial.tables = tables.clone();
        }
        Ok(Self { trials })
    }

    /// The trials in the order in which they first occur in the data.
    pub fn iter(&self) -> std::slice::Iter<'_, Trial<A>> {
        self.trials.iter()
    }

    /// The number of trials.
    pub fn len(&self) -> usize {
        self.trials.len()
    }

    /// True if there is no trial, which no builder gives.
    pub fn is_empty(&self) -> bool {
        self.trials.is_empty()
    }

    /// One trial by its name.
    ///
    /// # Errors
    /// There is no such trial.
    pub fn trial(&self, name: &str) -> Result<&Trial<A>> {
        self.trials.iter().find(|trial| *trial.name() == name).ok_or_else(|| {
            let known = self.trials.iter().map(|trial| trial.name().to_string()).collect();
            ErrorKind::UnknownTrial { name: name.to_owned(), known }.into()
        })
    }

    /// Every trial with one measure.
    ///
    /// # Errors
    /// As for [`Trial::on`]; the error names the trial.
    pub fn on<K: OutcomeKind>(&self, measure: &Measure<K>) -> Result<Comparisons<K>>
    where
        Measure<K>: OutcomeValues,
    {
        Ok(Comparisons {
            comparisons: self.trials.iter().map(|trial| trial.on(measure)).collect::<Result<_>>()?,
        })
    }
}

impl<'a, A> IntoIterator for &'a Trials<A> {
    type Item = &'a Trial<A>;
    type IntoIter = std::slice::Iter<'a, Trial<A>>;
    fn into_iter(self) -> Self::IntoIter {
        self.trials.iter()
    }
}

/// The same measure in several trials.
#[derive(Debug, Clone)]
pub struct Comparisons<K> {
    comparisons: Vec<Comparison<K>>,
}

impl<K: OutcomeKind> Comparisons<K> {
    /// Comparisons that were made one by one, for instance from published counts.
    ///
    /// # Errors
    /// No comparison is given.
    pub fn new(comparisons: impl IntoIterator<Item = Comparison<K>>) -> Result<Self> {
        let comparisons: Vec<Comparison<K>> = comparisons.into_iter().collect();
        if comparisons.is_empty() {
            return Err(ErrorKind::NoStudies.into());
        }
        check_twins(comparisons.iter().map(|comparison| comparison.trial().as_str()))?;
        let arms = comparisons.iter().flat_map(Comparison::arms);
        check_twins(arms.map(|arm| arm.label.as_str()))?;
        Ok(Self { comparisons })
    }

    /// One comparison per trial.
    pub fn iter(&self) -> std::slice::Iter<'_, Comparison<K>> {
        self.comparisons.iter()
    }
}

impl<'a, K> IntoIterator for &'a Comparisons<K> {
    type Item = &'a Comparison<K>;
    type IntoIter = std::slice::Iter<'a, Comparison<K>>;
    fn into_iter(self) -> Self::IntoIter {
        self.comparisons.iter()
    }
}

impl TrialsBuilder<Label> {
    /// The column of the arms, whose labels are known only at run time; name the control with
    /// [`TrialsBuilder::control`].
    #[must_use]
    pub fn arm_labels(mut self, column: &str) -> Self {
        self.columns.arm = Some(column.to_owned());
        self
    }

    /// The label of the control arm, the same in every trial.
    #[must_use]
    pub fn control(mut self, label: &str) -> Self {
        self.columns.control = Some(label.to_owned());
        self
    }

    /// The column of the arms, and the enum whose first variant is the control.
    #[must_use]
    pub fn arms<A: Arm>(mut self, column: &str) -> TrialsBuilder<A> {
        self.columns.arm = Some(column.to_owned());
        TrialsBuilder { table: self.table, trial: self.trial, columns: self.columns, arms: PhantomData }
    }
}

impl<A: Arm> TrialsBuilder<A> {
    design_setters!();

    /// The trials, in the order in which they first occur in the data.
    ///
    /// # Errors
    /// As for [`TrialBuilder::build`](super::TrialBuilder::build), but a trial need not have every arm. The
    /// error names the trial.
    pub fn build(self) -> Result<Trials<A>> {
        self.columns.check_participants(&self.table)?;
        if self.table.rows() == 0 {
            return Err(ErrorKind::InsufficientObservations(
                "the table has no rows; check the file, or the selection of its rows".to_owned(),
            )
            .into());
        }
        let names = groups(&self.table, std::slice::from_ref(&self.trial))?;
        let mut members: Vec<Vec<usize>> = vec![Vec::new(); names.labels.len()];
        let mut order = Vec::new();
        for (row, &code) in names.codes.iter().enumerate() {
            let rows = &mut members[code as usize];
            if rows.is_empty() {
                order.push(code as usize);
            }
            rows.push(row);
        }
        let arms = groups(&self.table, self.columns.arm.as_slice())?;
        for column in self.columns.strata.iter().chain(&self.columns.clusters) {
            groups(&self.table, std::slice::from_ref(column))?;
        }
        let unknown =
            self.columns.components.keys().find(|arm| arms.labels.iter().all(|label| *label != ***arm));
        if let Some(label) = unknown {
            let known = arms.labels.iter().map(ToString::to_string).collect();
            return Err(ErrorKind::UnknownArm { label: label.clone(), known }.into());
        }
        let mut trials = Vec::with_capacity(order.len());
        for code in order {
            let name = names.labels[code].clone();
            let table = self.table.take(&members[code]);
            let design = self.columns.design::<A>(name.clone(), table, EmptyArms::LeftOut);
            let design = design.map_err(|error| error.in_trial(&name))?;
            trials.push(Trial::of(design));
        }
        Trials::new(trials)
    }
}
