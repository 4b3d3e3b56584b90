//! What is wrong with a plan, all of it, before anything is run.

use super::outcome::{AnalysisRole, PlannedAnalysis, PlannedOutcome, PlannedSubgroups};
use super::plan::AnalysisPlan;
use crate::compute::reference_distribution::check_level;
use crate::data::Column;
use crate::design::{AnyMeasure, Arm, Population, Trial};
use crate::error::{Error, ErrorKind, Result};

impl AnalysisPlan {
    /// Whether the plan fits the trials: every column, arm, category and level exists, and every estimator
    /// fits its outcome.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidPlan`] with everything that does not fit.
    ///
    /// ```
    /// use armwise::prelude::*;
    /// use armwise::protocol::{AnalysisPlan, PlannedOutcome};
    ///
    /// let table = Table::from_csv_str("arm,works\nc,0\nc,1\nt,1\nt,1\n")?;
    /// let trial = Trial::builder("Utrecht", table).arm_labels("arm").control("c").build()?;
    /// let plan = AnalysisPlan::new("Work").outcome(
    ///     PlannedOutcome::new(Measure::binary("work")).analysis(DifferenceInMeans::new()),
    /// );
    /// let error = plan.check(std::slice::from_ref(&trial)).unwrap_err();
    /// assert!(error.to_string().contains("2 errors"));
    /// assert!(error.to_string().contains("did you mean \"works\"?"));
    /// # Ok::<(), armwise::Error>(())
    /// ```
    pub fn check<'a, A: Arm>(&self, trials: impl IntoIterator<Item = &'a Trial<A>>) -> Result<()> {
        let trials: Vec<&Trial<A>> = trials.into_iter().collect();
        let mut errors = Vec::new();
        errors.extend(check_level(self.level).err());
        if self.outcomes.is_empty() {
            errors.push(Error::invalid("the plan has no outcome; give at least one"));
        }
        errors.extend(unknown_arms(self, &trials));
        for (i, outcome) in self.outcomes.iter().enumerate() {
            let name = outcome.measure.name();
            let twice = self.outcomes[..i].iter().any(|other| other.measure.name() == name);
            let mut found = check_outcome(outcome, &trials);
            if twice {
                found.push(Error::invalid("two outcomes have this name; give each its own"));
            }
            errors.extend(found.into_iter().map(|error| error.in_measure(name)));
        }
        for pool in &self.pools {
            errors.extend(pool.check().err());
        }
        errors.extend(self.check_families(&trials));
        if errors.is_empty() { Ok(()) } else { Err(ErrorKind::InvalidPlan { errors }.into()) }
    }
}

/// The chosen arms that no trial has as a treatment.
fn unknown_arms<A: Arm>(plan: &AnalysisPlan, trials: &[&Trial<A>]) -> Vec<Error> {
    let mut known: Vec<String> = Vec::new();
    for arm in trials.iter().flat_map(|trial| trial.arm_labels().skip(1)) {
        if !known.iter().any(|label| *arm == label.as_str()) {
            known.push(arm.to_string());
        }
    }
    let unknown = plan.treatments.iter().filter(|arm| !known.iter().any(|label| **arm == label.as_str()));
    unknown.map(|arm| ErrorKind::UnknownArm { label: arm.to_string(), known: known.clone() }.into()).collect()
}

fn check_outcome<A: Arm>(outcome: &PlannedOutcome, trials: &[&Trial<A>]) -> Vec<Error> {
    let (measure, analyses) = (&outcome.measure, &outcome.analyses);
    let mut errors = Vec::new();
    let mut columns = measure.columns();
    let of_estimators = analyses.iter().flat_map(PlannedAnalysis::estimators).flat_map(|one| one.columns());
    let of_people = analyses.iter().flat_map(|analysis| {
        let population = analysis.population.as_ref().map(Population::column);
        population.into_iter().chain(analysis.subgroups.as_ref().map(|subgroups| subgroups.column.as_str()))
    });
    for column in of_estimators.chain(of_people) {
        if !columns.contains(&column) {
            columns.push(column);
        }
    }
    for column in columns {
        let lacking: Vec<(&&Trial<A>, Error)> = trials
            .iter()
            .filter_map(|trial| trial.table().column(column).err().map(|error| (trial, error)))
            .collect();
        let all = lacking.len() == trials.len();
        let first = lacking.into_iter().next();
        errors.extend(first.map(|(trial, error)| if all { error } else { error.in_trial(trial.name()) }));
    }
    errors.extend(measure.check_labels().err());
    errors.extend(unknown_category(outcome, trials));
    if analyses.is_empty() {
        errors.push(Error::invalid("the outcome has no analysis; give at least one estimator"));
    }
    for (i, analysis) in analyses.iter().enumerate() {
        let is_new = |other: &PlannedAnalysis| !other.is_of_the_same(analysis);
        if analyses[..i].iter().all(is_new) {
            errors.extend(unfit_people(analysis, trials));
        }
        for estimator in analysis.estimators() {
            errors.extend(estimator.check(measure.kind()).err());
            errors.extend(undeclared_category(measure, estimator.category()));
        }
        errors.extend(analysis.level.and_then(|level| check_level(level).err()));
        let label = analysis.label();
        if analyses[..i].iter().any(|other| other.label() == label) {
            let why = format!(
                "two analyses are called \"{label}\"; leave one out, or give each a label of its own"
            );
            errors.push(Error::invalid(why));
        }
    }
    if analyses.iter().filter(|analysis| analysis.role == AnalysisRole::Primary).count() > 1 {
        errors.push(Error::invalid(
            "the outcome has several primary analyses; give all but one the role ancillary",
        ));
    }
    errors
}

/// What does not fit the trials of the people of an analysis: labels of its population, levels of its
/// subgroups. Columns that do not exist are told of elsewhere.
fn unfit_people<A: Arm>(analysis: &PlannedAnalysis, trials: &[&Trial<A>]) -> Vec<Error> {
    let mut errors = Vec::new();
    if let Some(population) = &analysis.population {
        let wrong = population.check().err();
        let is_sound = wrong.is_none();
        errors.extend(wrong);
        if is_sound && trials.iter().all(|trial| trial.table().column(population.column()).is_ok()) {
            let of_trials: Vec<Error> =
                trials.iter().filter_map(|trial| population.check_trial(trial).err()).collect();
            let absent = population.occurs(trials.iter().copied()).err().filter(|_| of_trials.is_empty());
            errors.extend(of_trials.into_iter().chain(absent));
        }
    }
    let Some(PlannedSubgroups { column, levels }) = &analysis.subgroups else { return errors };
    if let Some(twice) = (1..levels.len()).find(|&i| levels[..i].contains(&levels[i])) {
        let why = format!("the level \"{}\" of the subgroups is named twice; name it once", levels[twice]);
        errors.push(Error::invalid(why).in_column(column));
    }
    let labelled: Option<Vec<Column>> =
        trials.iter().map(|trial| trial.table().labelled(column).ok()).collect();
    let known: Vec<String> = labelled
        .iter()
        .flatten()
        .flat_map(|column| column.levels().iter().map(ToString::to_string))
        .collect();
    let absent =
        levels.iter().filter(|level| !known.is_empty() && !known.iter().any(|one| **level == one.as_str()));
    errors.extend(absent.map(|level| {
        let mut known = known.clone();
        known.sort();
        known.dedup();
        Error::from(ErrorKind::UnknownCategory { label: level.to_string(), known }).in_column(column)
    }));
    errors
}

/// A category that the measure does not declare.
fn undeclared_category(measure: &AnyMeasure, category: Option<&str>) -> Option<Error> {
    let (known, label) = (measure.levels()?, category?);
    if known.contains(&label) {
        return None;
    }
    let known = known.into_iter().map(str::to_owned).collect();
    Some(ErrorKind::UnknownCategory { label: label.to_owned(), known }.into())
}

/// A category that does not occur in any trial would be an event that never happens.
fn unknown_category<A: Arm>(outcome: &PlannedOutcome, trials: &[&Trial<A>]) -> Option<Error> {
    let (column, level) = outcome.measure.category()?;
    let mut known: Vec<String> = Vec::new();
    for trial in trials {
        let Ok(categories) = trial.table().column(column).and_then(crate::data::Column::to_categories) else {
            return None;
        };
        known.extend(categories.levels().iter().map(ToString::to_string));
    }
    if known.iter().any(|other| other == level) {
        return None;
    }
    known.sort();
    known.dedup();
    Some(Error::from(ErrorKind::UnknownCategory { label: level.to_owned(), known }).in_column(column))
}
