//! The results of an analysis plan as one table.

use crate::design::{Direction, Label, MeasureInfo, Notice};
use crate::effect::{AnyScale, Estimates};
use crate::protocol::{Failure, InSubgroup, PlanAnswer, PlanPool, PlanResults, PoolResult};
use crate::report::base::format::{distinct, listed, p_number, plain_label};
use crate::report::base::grid::{Cell, Grid};
use crate::report::english::effects::{interval_name, measure_words, method_words, wald_words};
use crate::report::english::scale::unit_words;
use crate::report::form::columns::{
    analysed, effect, events, grid, left, own, own0, own1, own2, own3, p, randomised, right,
};
use crate::report::form::row::{About, Row};
use crate::report::form::table::{ResultTable, Tabulate};

use super::families::unanswered;
use super::pools::statistics;

/// A row for something without an answer, with the reason among the notices.
fn failed(measure: &MeasureInfo, treatment: Option<&Label>, analysis: &str, failure: &Failure) -> Row {
    let about = About { measure: measure.clone(), ..About::nothing("") };
    let about = treatment.map_or(about.clone(), |treatment| about.of(treatment));
    let row = about.row("failed", "").noticed(&[Notice::Other(failure.to_string())]);
    Row { estimator: analysis.to_owned(), ..row }
}

/// The word in the place of the scale where there is no answer.
fn failure_words(failure: &Failure) -> String {
    format!("no answer: {}", failure.kind.replace('_', " "))
}

/// `risk difference, points`.
fn scale_words(row: &Row) -> String {
    format!("{}{}", row.about.scale, unit_words(&row.about.scale, &row.about.measure))
}

/// `; people who read the letter; female: no`, or nothing.
fn people_words(population: Option<&String>, subgroup: Option<&InSubgroup>) -> String {
    let parts = [population.cloned(), subgroup.map(ToString::to_string)];
    parts.into_iter().flatten().flat_map(|part| ["; ".to_owned(), part]).collect()
}

/// Gives a row its own cells: outcome, analysis, roles, trial, treatment, scale. The long table has
/// population and subgroup behind the estimator.
fn placed(row: Row, answer: &PlanAnswer, people: &str, place: [&str; 3]) -> Row {
    let roles = format!("{}, {}", answer.outcome_role, answer.analysis_role);
    let outcome = row.about.measure();
    let analysis = format!("{}{people}", answer.analysis);
    let [trial, treatment, scale] = place;
    let cells = [&outcome, &analysis, &roles, trial, &plain_label(treatment), scale]
        .map(|words: &str| Cell::text(words));
    Row { cells: cells.to_vec(), estimator: format!("{}{people}", row.estimator), ..row }
}

impl PlanResults {
    /// The results as one table: for every analysis a row per trial and treatment, then its pools. What has
    /// no answer has the word of its failure in the column of the scale.
    pub fn grid(&self) -> Grid {
        self.table().grids.into_iter().next().unwrap_or_default()
    }

    /// The adjusted p-value of an effect in a family of the plan.
    fn adjusted(&self, of: &crate::effect::About, treatment: &Label) -> Cell {
        let mut families = self.families().iter().filter_map(|family| family.result.as_ref().ok());
        let found = families.find_map(|family| family.of(of, treatment));
        found.map_or_else(Cell::missing, |one| Cell::worded(one.adjusted, p_number(one.adjusted)))
    }

    fn rows(&self) -> Vec<Row> {
        let mut rows = Vec::new();
        let same = |one: &PlanAnswer, other: &PlanAnswer| {
            one.outcome == other.outcome && one.analysis == other.analysis
        };
        for answers in self.answers().chunk_by(same) {
            let Some((first, measure)) = answers.first().zip(self.measure(answers)) else { continue };
            for answer in answers {
                let people = people_words(answer.population.as_ref(), answer.subgroup.as_ref());
                match &answer.result {
                    Ok(trial) => rows.extend(trial.iter().map(|one| {
                        let row = Row::of(&one);
                        let scale = scale_words(&row);
                        let row = placed(row, first, &people, [&answer.trial, one.treatment(), &scale]);
                        row.with_cell(self.adjusted(trial.about(), one.treatment()))
                    })),
                    Err(failure) => {
                        let row = failed(&measure, None, &answer.analysis, failure);
                        let row = Row { trials: vec![answer.trial.clone()], ..row };
                        rows.push(placed(
                            row,
                            first,
                            &people,
                            [&answer.trial, "all", &failure_words(failure)],
                        ));
                    }
                }
            }
            let pools = self.pools().iter();
            for pool in pools.filter(|pool| pool.outcome == first.outcome && pool.analysis == first.analysis)
            {
                let method = format!("pooled: {}", pool.pool.replace('_', " "));
                let people = people_words(pool.population.as_ref(), pool.subgroup.as_ref());
                let (table, of) = match &pool.result {
                    Ok(PoolResult::OfTreatment(pooled)) => (pooled.table(), pooled.about()),
                    Ok(PoolResult::Jointly(joint)) => (joint.table(), joint.about()),
                    Err(failure) => {
                        let treatment = pool.treatment.as_ref().map_or("all", Label::as_str);
                        let row = failed(&measure, pool.treatment.as_ref(), &pool.analysis, failure);
                        rows.push(placed(row, first, &people, [&method, treatment, &failure_words(failure)]));
                        continue;
                    }
                };
                let own = table.rows.into_iter().filter(|row| row.kind != "trial");
                rows.extend(own.map(|row| {
                    let (treatment, scale) = (row.about.treatment.clone(), scale_words(&row));
                    placed(row, first, &people, [&method, &treatment, &scale])
                        .with_cell(self.adjusted(of, &treatment))
                }));
            }
        }
        rows
    }

    /// The notes below the table: directions of benefit, methods, failures, how much trials
    /// differ, and notices.
    pub fn notes(&self) -> Vec<String> {
        let roles =
            "roles: of the outcome in the trial, then of the analysis among those of its outcome".to_owned();
        let infos = self.plan().outcomes().iter().map(|outcome| outcome.measure().info());
        let directions = infos
            .filter(|info| info.direction != Direction::Undeclared)
            .map(|info| format!("{}: {}", measure_words(&info), info.direction));
        let methods = self.estimates().filter(|(_, trial)| !trial.is_empty()).map(|(answer, trial)| {
            let method = method_words(trial.method(), trial.level());
            format!("{}, {}: {method}", answer.outcome, answer.analysis)
        });
        let failures = self
            .answers()
            .iter()
            .filter_map(|answer| Some(format!("{}: {}", answer.analysis, answer.result.as_ref().err()?)));
        let arms = listed(self.unpooled().iter().map(Label::as_str));
        let unpooled =
            (!arms.is_empty()).then(|| format!("in one trial only, so not pooled one at a time: {arms}"));
        let notices = self.estimates().flat_map(|(_, trial)| {
            let place = format!("{}, {}", trial.trial(), trial.measure().name);
            trial.notices().iter().map(move |notice| format!("{place}: {notice}"))
        });
        let interactions = self.interactions().iter().map(|one| {
            let place = format!("{}, {}, {}", one.outcome, one.analysis, one.trial);
            match &one.result {
                Err(failure) => format!("{place}: no test of interaction: {failure}"),
                Ok(effects) => {
                    let test = effects
                        .interaction
                        .as_ref()
                        .map_or_else(|| "cannot be tested".to_owned(), wald_words);
                    format!("{place}: interaction of treatment and {}: {test}", effects.column)
                }
            }
        });
        let notes =
            std::iter::once(roles).chain(directions).chain(methods).chain(failures).chain(interactions);
        let families = self.families().iter().flat_map(|family| match &family.result {
            Ok(adjusted) => {
                unanswered(adjusted).map(|line| format!("family \"{}\": {line}", family.name)).collect()
            }
            Err(failure) => vec![format!("family \"{}\": {failure}", family.name)],
        });
        let pools = self.pools().iter().map(pool_note);
        distinct(notes.chain(pools).chain(families).chain(unpooled).chain(notices))
    }

    /// All answers with their effects.
    fn estimates(&self) -> impl Iterator<Item = (&PlanAnswer, &Estimates<AnyScale>)> {
        self.answers().iter().filter_map(|answer| Some((answer, answer.result.as_ref().ok()?)))
    }

    fn measure(&self, answers: &[PlanAnswer]) -> Option<MeasureInfo> {
        let outcome = &answers.first()?.outcome;
        let planned = self.plan().outcomes().iter().find(|planned| planned.measure().name() == outcome)?;
        Some(planned.measure().info())
    }
}

/// How much trials differ, which trials are not in the pool, and what its result has to tell.
fn pool_note(pool: &PlanPool) -> String {
    let treatment = pool.treatment.as_ref().map_or_else(String::new, |treatment| format!(", {treatment}"));
    let place = format!("{}, {}{treatment}, {}", pool.outcome, pool.analysis, pool.pool.replace('_', " "));
    let (told, notices) = match &pool.result {
        Ok(PoolResult::OfTreatment(pooled)) => (statistics(pooled), pooled.notices()),
        Ok(PoolResult::Jointly(joint)) => (joint.table().lines.join("; "), joint.notices()),
        Err(failure) => (failure.to_string(), &[][..]),
    };
    let failed = listed(pool.failed.iter().map(Label::as_str));
    let without = (!failed.is_empty()).then(|| format!("without {failed}, where the analysis has no answer"));
    let notes = std::iter::once(told).chain(without).chain(notices.iter().map(Notice::to_string));
    format!("{place}: {}", notes.collect::<Vec<_>>().join("; "))
}

impl Tabulate for PlanResults {
    fn table(&self) -> ResultTable {
        let rows = self.rows();
        let levels = distinct(self.estimates().map(|(_, trial)| trial.level()));
        let level = if let [level] = levels[..] { interval_name(level) } else { "CI".to_owned() };
        let mut columns = vec![
            left("Outcome", own0),
            left("Analysis", own1),
            left("Roles", own2),
            left("Trial", own3),
            left("Treatment", |row| own(row, 4)),
            right("Randomised", randomised),
            right("Analysed", analysed),
        ];
        if rows.iter().any(|row| row.events().is_some()) {
            columns.push(right("Events", events));
        }
        columns.extend([
            left("Scale", |row| own(row, 5)),
            right(format!("Effect ({level})"), effect),
            right("p", p),
        ]);
        if !self.families().is_empty() {
            columns.push(right("Adjusted p", |row| own(row, 6)));
        }
        let shown = rows.iter().filter(|row| !["pooled_beside", "prediction"].contains(&row.kind));
        let mut grids = vec![grid(self.plan().title(), &columns, shown)];
        let families = self.families().iter().filter_map(|family| family.result.as_ref().ok());
        grids.extend(families.clone().map(Grid::from));
        let of_families = families.flat_map(|family| family.table().rows);
        let rows = rows.into_iter().chain(of_families).collect();
        let notices: Vec<Notice> = self.notes().into_iter().map(Notice::Other).collect();
        let table = ResultTable::new(About::nothing(self.plan().title()), "", rows).notices(&notices);
        ResultTable { grids, ..table }
    }
}
