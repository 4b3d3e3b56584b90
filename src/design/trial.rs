use super::allocation::{Allocation, Assigned};
use super::comparison::{ArmCounts, ComparedArm, Comparison, Groups, People};
use super::outcome::OutcomeKind;
use super::values::OutcomeValues;
use super::{Arm, Label, Measure, Notice, TrialBuilder};
use crate::data::Table;
use crate::error::{Error, ErrorKind, Result};
use std::marker::PhantomData;
use std::sync::Arc;

/// A randomised trial: who was assigned to which arm, within which strata and clusters, and what was
/// measured.
///
/// `A` is an enum made by [`arms!`](crate::arms), or [`Label`] where the arms are known only at run time.
///
/// ```
/// use armwise::prelude::*;
///
/// arms! { enum Utrecht { Control = "control", Guidance = "guidance" } }
///
/// let table =
///     Table::from_csv_str("arm,hours\ncontrol,0\ncontrol,30\nguidance,32\nguidance,20\n")?;
/// let trial = Trial::builder("Utrecht", table).arms::<Utrecht>("arm").build()?;
/// let effect =
///     trial.on(&Outflow::full_time("hours"))?.estimate(&DifferenceInProportions::new())?;
/// assert_eq!(effect.treatment(Utrecht::Guidance)?.value(), 0.0);
/// # Ok::<(), armwise::Error>(())
/// ```
///
/// A label does not stand for a typed arm:
///
/// ```compile_fail,E0277
/// use armwise::prelude::*;
/// arms! { enum Utrecht { Control = "control", Guidance = "guidance" } }
/// fn compare(trial: &Trial<Utrecht>) {
///     let _ = trial.compare("guidance");
/// }
/// ```
///
/// The arm itself does, and a label does where the arms are known only at run time:
///
/// ```
/// use armwise::prelude::*;
/// arms! { enum Utrecht { Control = "control", Guidance = "guidance" } }
/// fn compare(typed: &Trial<Utrecht>, labelled: &Trial) {
///     let _ = typed.compare(Utrecht::Guidance);
///     let _ = labelled.compare("guidance");
/// }
/// ```
#[derive(Debug, Clone)]
pub struct Trial<A = Label> {
    pub(super) design: Arc<Design>,
    /// The tables of all trials among which this one stands: a level may occur in any of them.
    pub(super) tables: Arc<[Table]>,
    pub(super) arms: PhantomData<fn() -> A>,
}

/// The design and the data of a trial.
#[derive(Debug)]
pub(super) struct Design {
    pub name: Label,
    pub table: Table,
    pub arms: Vec<ArmDesign>,
    /// The arm of every row of the table.
    pub arm: Vec<u32>,
    pub strata: Option<Groups>,
    pub clusters: Option<Groups>,
    pub assigned: Assigned,
    pub take_up: Option<String>,
    pub notices: Vec<Notice>,
}

/// An arm and its components.
#[derive(Debug, Clone)]
pub(super) struct ArmDesign {
    pub label: Label,
    pub components: Vec<Label>,
}

impl Trial<Label> {
    /// A builder of a trial; name the column of the arms next.
    pub fn builder(name: impl AsRef<str>, table: Table) -> TrialBuilder<Label> {
        TrialBuilder::new(Label::new(name), table)
    }
}

impl<A> Trial<A> {
    pub(super) fn of(design: Design) -> Self {
        let tables = Arc::from([design.table.clone()]);
        Self { design: Arc::new(design), tables, arms: PhantomData }
    }

    /// The comparison of these arms, the first being the reference.
    fn comparison<K: OutcomeKind>(&self, arms: &[usize], measure: &Measure<K>) -> Result<Comparison<K>>
    where
        Measure<K>: OutcomeValues,
    {
        let locate = |error: Error| error.in_measure(measure.name()).in_trial(&self.design.name);
        measure.check_rows(&self.tables).map_err(locate)?;
        // First the trial itself, whose errors say more.
        let comparison = self.design.compare(arms, measure)?;
        measure.check_occurs(&self.tables).map_err(locate)?;
        Ok(comparison)
    }
}

impl<A: Arm> Trial<A> {
    /// The name of the trial.
    pub fn name(&self) -> &Label {
        &self.design.name
    }

    /// The participants.
    pub fn table(&self) -> &Table {
        &self.design.table
    }

    /// The labels of the arms, the reference first.
    pub fn arm_labels(&self) -> impl Iterator<Item = &Label> {
        self.design.arms.iter().map(|arm| &arm.label)
    }

    /// The labels of the declared strata; none where no strata were declared.
    pub fn stratum_labels(&self) -> &[Label] {
        self.design.strata.as_ref().map_or(&[], |strata| &strata.labels)
    }

    /// The labels of the declared clusters; none where no clusters were declared.
    pub fn cluster_labels(&self) -> &[Label] {
        self.design.clusters.as_ref().map_or(&[], |clusters| &clusters.labels)
    }

    /// How people were allocated to arms: as declared, else within the declared strata, by the declared
    /// clusters.
    pub fn allocation(&self) -> &Allocation {
        &self.design.assigned.allocation
    }

    /// The share of each arm that received what it was assigned, the reference first.
    ///
    /// # Errors
    /// No take-up column was declared; it is missing for a whole arm, or not between 0 and 1.
    pub fn take_up(&self) -> Result<Vec<f64>> {
        let Some(column) = &self.design.take_up else {
            return Err(Error::invalid("no take-up was declared; name its column with take_up(..)")
                .in_trial(self.name()));
        };
        let received = self.design.table.reals(column)?;
        let mut sums = vec![(0.0, 0.0); self.design.arms.len()];
        for (row, (&arm, &value)) in self.design.arm.iter().zip(received.iter()).enumerate() {
            if !value.is_nan() && !(0.0..=1.0).contains(&value) {
                let why = format!(
                    "holds {value} where take-up is needed; give 1 (received), 0 (not received) or a share between them"
                );
                let error = Error::invalid(why).in_column(column).in_trial(self.name());
                return Err(self.design.table.locate(error, row));
            }
            if !value.is_nan() {
                let sum = &mut sums[arm as usize];
                *sum = (sum.0 + value, sum.1 + 1.0);
            }
        }
        if let Some(empty) = sums.iter().position(|(_, n)| *n == 0.0) {
            let error = Error::from(ErrorKind::EmptyArm(
                "take-up is missing for the whole arm; fill in the column, or leave take_up(..) out"
                    .to_owned(),
            ));
            return Err(error.in_arm(&self.design.arms[empty].label).in_trial(self.name()));
        }
        Ok(sums.iter().map(|(sum, n)| sum / n).collect())
    }

    /// The notices about the design.
    pub fn notices(&self) -> &[Notice] {
        &self.design.notices
    }

    /// Every arm of the trial with one measure.
    ///
    /// # Errors
    /// A column is missing or of the wrong type, a value is impossible, or an arm has no outcome at all.
    pub fn on<K: OutcomeKind>(&self, measure: &Measure<K>) -> Result<Comparison<K>>
    where
        Measure<K>: OutcomeValues,
    {
        let arms: Vec<usize> = (0..self.design.arms.len()).collect();
        self.comparison(&arms, measure)
    }

    /// The comparison of the control with those of `arms` that the trial has; the other arms are left out.
    pub(crate) fn on_arms<K: OutcomeKind>(
        &self,
        arms: &[Label],
        measure: &Measure<K>,
    ) -> Result<Comparison<K>>
    where
        Measure<K>: OutcomeValues,
    {
        let chosen = |(i, arm): (usize, &ArmDesign)| (i == 0 || arms.contains(&arm.label)).then_some(i);
        let chosen: Vec<usize> = self.design.arms.iter().enumerate().filter_map(chosen).collect();
        if chosen.len() < 2 {
            let why = "the trial has none of the chosen arms besides its control; choose an arm that it has"
                .to_owned();
            return Err(Error::from(ErrorKind::EmptyArm(why))
                .in_measure(measure.name())
                .in_trial(self.name()));
        }
        self.comparison(&chosen, measure)
    }

    /// The arm of every row of the table, as an index of [`Trial::arm_labels`].
    pub(crate) fn arms_of_rows(&self) -> &[u32] {
        &self.design.arm
    }

    /// The declared strata and clusters.
    pub(crate) fn declared_groups(&self) -> Vec<&Groups> {
        self.design.strata.iter().chain(&self.design.clusters).collect()
    }

    /// Whether these are the same arms with the same people.
    pub(crate) fn has_people_of(&self, other: &Self) -> bool {
        self.arm_labels().eq(other.arm_labels()) && self.design.arm == other.design.arm
    }

    /// The same people with other values in columns that do not describe the design.
    pub(crate) fn with_table(&self, table: Table) -> Self {
        let Design { name, table: _, arms, arm, strata, clusters, assigned, take_up, notices } =
            &*self.design;
        Self::of(Design {
            name: name.clone(),
            table,
            arms: arms.clone(),
            arm: arm.clone(),
            strata: strata.clone(),
            clusters: clusters.clone(),
            assigned: assigned.clone(),
            take_up: take_up.clone(),
            notices: notices.clone(),
        })
    }

    /// The number of people with an outcome.
    pub(crate) fn outcomes_seen<K: OutcomeKind>(&self, measure: &Measure<K>) -> Result<u64>
    where
        Measure<K>: OutcomeValues,
    {
        let locate = |error: Error| error.in_measure(measure.name()).in_trial(&self.design.name);
        let values = measure.values(&self.design.table).map_err(locate)?;
        Ok(values.values.iter().filter(|value| !value.is_nan()).count() as u64)
    }

    /// Narrows the trial to one arm, against the control unless [`Versus::versus`] names another.
    pub fn compare(&self, arm: impl Into<A>) -> Versus<'_, A> {
        Versus { trial: self, arm: arm.into(), other: None }
    }
}

/// One arm of a trial against another.
#[derive(Debug, Clone)]
pub struct Versus<'a, A> {
    trial: &'a Trial<A>,
    arm: A,
    other: Option<A>,
}

impl<A: Arm> Versus<'_, A> {
    /// The arm to compare with; default: the control.
    #[must_use]
    pub fn versus(mut self, other: impl Into<A>) -> Self {
        self.other = Some(other.into());
        self
    }

    /// The two arms with one measure.
    ///
    /// # Errors
    /// As for [`Trial::on`]; the trial does not have the arm; both arms are the same.
    pub fn on<K: OutcomeKind>(&self, measure: &Measure<K>) -> Result<Comparison<K>>
    where
        Measure<K>: OutcomeValues,
    {
        let design = &self.trial.design;
        let arm = design.position(self.arm.label())?;
        let other = self.other.as_ref().map_or(Ok(0), |other| design.position(other.label()))?;
        if arm == other {
            let why = format!("\"{}\" is compared with itself; name another arm", self.arm.label());
            return Err(Error::invalid(why).in_trial(&design.name));
        }
        self.trial.comparison(&[other, arm], measure)
    }
}

impl Design {
    fn position(&self, label: &str) -> Result<usize> {
        self.arms.iter().position(|arm| arm.label == label).ok_or_else(|| {
            let known = self.arms.iter().map(|arm| arm.label.to_string()).collect();
            Error::from(ErrorKind::UnknownArm { label: label.to_owned(), known }).in_trial(&self.name)
        })
    }

    /// The comparison of these arms, the first being the reference.
    fn compare<K: OutcomeKind>(&self, arms: &[usize], measure: &Measure<K>) -> Result<Comparison<K>>
    where
        Measure<K>: OutcomeValues,
    {
        let locate = |error: Error| error.in_measure(measure.name()).in_trial(&self.name);
        let values = measure.values(&self.table).map_err(locate)?;
        let mut index = vec![u32::MAX; self.arms.len()];
        for (to, &from) in arms.iter().enumerate() {
            index[from] = u32::try_from(to).unwrap_or(u32::MAX);
        }
        let mut counts =
            vec![ArmCounts { randomised: 0, observed: 0, analysed: 0, events: None }; arms.len()];
        let mut keep = vec![false; self.arm.len()];
        let (mut prorated, mut lacking) = (0, 0);
        let (mut not_applicable, mut compared) =
            (0, self.arm.iter().map(|&arm| index[arm as usize]).collect::<Vec<u32>>());
        for (row, &arm) in self.arm.iter().enumerate() {
            if let Some(count) = counts.get_mut(index[arm as usize] as usize) {
                count.randomised += 1;
                keep[row] = !values.values[row].is_nan();
                let lacks = values.lacking.as_ref().is_some_and(|(_, rows)| rows[row]);
                lacking += usize::from(lacks);
                count.observed += u64::from(keep[row] || lacks);
                prorated += usize::from(keep[row] && values.prorated.get(row).copied().unwrap_or(false));
                if values.not_applicable.get(row).copied().unwrap_or(false) {
                    not_applicable += 1;
                    compared[row] = u32::MAX;
                }
            }
        }
        let exposure = values.lacking.map(|(exposure, _)| exposure);
        let everybody = People {
            table: self.table.clone(),
            rows: (0..u32::try_from(self.table.rows()).unwrap_or(u32::MAX)).collect(),
            assigned: compared.into(),
            arm: self.arm.iter().map(|&arm| index[arm as usize]).collect(),
            outcome: values.values,
            second: values.second,
            entry: values.entry,
            strata: self.strata.clone(),
            clusters: self.clusters.clone(),
            allocated: Some(Arc::new(Assigned { place: index.clone(), ..self.assigned.clone() })),
            take_up: self.take_up.clone(),
        };
        let arms = arms.iter().enumerate().zip(&counts).map(|((to, &from), &counts)| ComparedArm {
            label: self.arms[from].label.clone(),
            components: if to == 0 && from == 0 { Vec::new() } else { self.arms[from].components.clone() },
            counts,
        });
        let mut comparison = Comparison {
            trial: self.name.clone(),
            measure: measure.info(),
            kind: measure.kind.clone(),
            arms: arms.collect(),
            notices: self.notices.clone(),
            people: Some(everybody.keep(&keep)),
            subgroup: false,
        };
        comparison.note_missing_outcomes(not_applicable);
        if let (Some(exposure), true) = (exposure, lacking > 0) {
            comparison.notices.push(Notice::MissingExposure { exposure, participants: lacking });
        }
        if prorated > 0 {
            comparison.notices.push(Notice::ProratedScores { participants: prorated });
        }
        comparison.count_analysed()?;
        comparison.note_constant_outcomes();
        Ok(comparison)
    }
}
