//! The results of an analysis plan as one table.

use std::fmt::{self, Display, Formatter};

use super::format::Limits;
use super::grid::{Align, Cell, Grid};
use super::outcome_table::{events_cell, p_cell, unit_words, versus};
use super::pool_words::{inferences, joint_statistics, statistics};
use super::tidy;
use super::words::{Words, interval_name, listed, measure_words, method_words};
use crate::design::{Direction, Label, MeasureInfo};
use crate::effect::{AnyScale, Estimate, Estimates};
use crate::protocol::{AnalysisRole, Failure, OutcomeRole, PlanAnswer, PlanPool, PlanResults, PoolResult};

/// What all rows of one analysis begin with.
struct Head<'a> {
    measure: &'a MeasureInfo,
    roles: (OutcomeRole, AnalysisRole),
    analysis: &'a str,
}

/// An effect, its interval and its p-value.
struct Effect<'a> {
    scale: &'a AnyScale,
    value: f64,
    se: f64,
    limits: Limits,
    p: f64,
}

impl Head<'_> {
    fn start(&self, trial: &str, treatment: &str) -> Vec<Cell> {
        let (outcome, analysis) = self.roles;
        vec![
            Cell::text(measure_words(self.measure)),
            Cell::text(self.analysis),
            Cell::text(format!("{outcome}, {analysis}")),
            Cell::text(trial),
            Cell::text(treatment),
        ]
    }

    fn estimate(&self, estimate: &Estimate<AnyScale>, events: bool) -> Vec<Cell> {
        let mut cells = self.start(estimate.trial(), estimate.treatment());
        let (treatment, reference) = (estimate.treatment_counts(), estimate.reference_counts());
        cells.push(versus(treatment.randomised, reference.randomised));
        cells.push(versus(treatment.analysed, reference.analysed));
        if events {
            cells.push(events_cell(estimate));
        }
        cells.extend(self.effect(&Effect {
            scale: &estimate.about().scale,
            value: estimate.value(),
            se: estimate.se(),
            limits: estimate.interval().into(),
            p: estimate.p_value(),
        }));
        cells
    }

    fn effect(&self, effect: &Effect) -> [Cell; 3] {
        let words = Words::new(effect.scale, self.measure, effect.se);
        let limits =
            Limits { lower: words.shown(effect.limits.lower), upper: words.shown(effect.limits.upper) };
        [
            Cell::text(format!("{}{}", effect.scale, unit_words(effect.scale, self.measure))),
            Cell::Estimate {
                text: words.cell(effect.value, effect.limits),
                value: words.shown(effect.value),
                limits,
            },
            p_cell(effect.p),
        ]
    }

    /// A row without people, which has an effect or the word of a failure.
    fn beside(
        &self,
        trial: &str,
        treatment: &str,
        events: bool,
        end: impl IntoIterator<Item = Cell>,
    ) -> Vec<Cell> {
        let mut cells = self.start(trial, treatment);
        cells.extend(vec![Cell::Missing; if events { 3 } else { 2 }]);
        cells.extend(end);
        cells
    }

    fn failure(&self, trial: &str, treatment: &str, events: bool, failure: &Failure) -> Vec<Cell> {
        let word = Cell::text(format!("no answer: {}", failure.kind.replace('_', " ")));
        self.beside(trial, treatment, events, [word])
    }
}

impl PlanResults {
    /// The results as one table: for every analysis a row per trial and treatment, then its pools. What has no answer has the word of its failure
    /// in the column of the scale.
    pub fn grid(&self) -> Grid {
        let events = self
            .estimates()
            .any(|(_, trial)| trial.iter().any(|one| one.treatment_counts().events.is_some()));
        let mut levels: Vec<f64> = self.estimates().map(|(_, trial)| trial.level()).collect();
        levels.dedup();
        let level = if let [level] = levels[..] { interval_name(level) } else { "CI".to_owned() };
        let mut grid = Grid::new(self.plan().title());
        for column in ["Outcome", "Analysis", "Roles", "Trial", "Treatment"] {
            grid = grid.column(column, Align::Left);
        }
        for column in ["Randomised", "Analysed"].into_iter().chain(events.then_some("Events")) {
            grid = grid.column(column, Align::Right);
        }
        grid = grid.column("Scale", Align::Left).column(format!("Effect ({level})"), Align::Right);
        grid = grid.column("p", Align::Right);
        let same = |one: &PlanAnswer, other: &PlanAnswer| {
            one.outcome == other.outcome && one.analysis == other.analysis
        };
        for answers in self.answers().chunk_by(same) {
            let (Some(first), Some(measure)) = (answers.first(), self.measure(answers)) else { continue };
            let head = Head {
                measure: &measure,
                roles: (first.outcome_role, first.analysis_role),
                analysis: &first.analysis,
            };
            for answer in answers {
                match &answer.result {
                    Ok(trial) => trial.iter().for_each(|one| grid.push(head.estimate(&one, events))),
                    Err(failure) => grid.push(head.failure(&answer.trial, "all", events, failure)),
                }
            }
            let pools = self.pools().iter();
            for pool in pools.filter(|pool| pool.outcome == first.outcome && pool.analysis == first.analysis)
            {
                push_pool(&mut grid, &head, pool, events);
            }
        }
        grid
    }

    /// What a reader of the table has to be told: directions of benefit, methods, failures, how much trials differ, and notices.
    pub fn notes(&self) -> Vec<String> {
        let mut notes: Vec<String> = Vec::new();
        let mut add = |note: String| {
            if !notes.contains(&note) {
                notes.push(note);
            }
        };
        add("roles: of the outcome in the trial, then of the analysis among those of its outcome".to_owned());
        for outcome in self.plan().outcomes() {
            let info = outcome.measure().info();
            if info.direction != Direction::Undeclared {
                add(format!("{}: {}", measure_words(&info), info.direction));
            }
        }
        for (answer, trial) in self.estimates() {
            if let Some(estimate) = trial.iter().next() {
                add(format!("{}, {}: {}", answer.outcome, answer.analysis, method_words(&estimate)));
            }
        }
        for answer in self.answers() {
            if let Err(failure) = &answer.result {
                add(format!("{}: {failure}", answer.analysis));
            }
        }
        self.pools().iter().map(pool_note).for_each(&mut add);
        if !self.unpooled().is_empty() {
            let arms = listed(self.unpooled().iter().map(Label::as_str));
            add(format!("in one trial only, so not pooled one at a time: {arms}"));
        }
        for (_, trial) in self.estimates() {
            for notice in trial.notices() {
                add(format!("{}, {}: {notice}", trial.trial(), trial.measure().name));
            }
        }
        notes
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

    /// Adds a row for every estimate, pool and failure to the long table.
    pub(super) fn push_tidy(&self, grid: &mut Grid) {
        for answers in self.answers().chunk_by(|one, other| one.outcome == other.outcome) {
            let Some(measure) = self.measure(answers) else { continue };
            for answer in answers {
                match &answer.result {
                    Ok(trial) => trial.iter().for_each(|one| tidy::push_estimate(grid, &one, None)),
                    Err(failure) => {
                        tidy::push_failure(
                            grid,
                            &measure,
                            &answer.trial,
                            "",
                            &answer.analysis,
                            failure.to_string(),
                        );
                    }
                }
            }
            for pool in self.pools().iter().filter(|pool| pool.outcome == measure.name) {
                match &pool.result {
                    Ok(PoolResult::OfTreatment(pooled)) => tidy::push_pooled_alone(grid, pooled),
                    Ok(PoolResult::Jointly(joint)) => tidy::push_joint(grid, joint),
                    Err(failure) => {
                        let treatment = pool.treatment.as_ref().map_or("", Label::as_str);
                        tidy::push_failure(
                            grid,
                            &measure,
                            "",
                            treatment,
                            &pool.analysis,
                            failure.to_string(),
                        );
                    }
                }
            }
        }
    }
}

fn push_pool(grid: &mut Grid, head: &Head, pool: &PlanPool, events: bool) {
    let method = format!("pooled: {}", pool.pool.replace('_', " "));
    match &pool.result {
        Ok(PoolResult::OfTreatment(pooled)) => {
            let (primary, _) = inferences(pooled);
            let effect = Effect {
                scale: &pooled.about().scale,
                value: pooled.value(),
                se: primary.se,
                limits: primary.limits,
                p: primary.p_value,
            };
            grid.push(head.beside(&method, pooled.treatment(), events, head.effect(&effect)));
        }
        Ok(PoolResult::Jointly(joint)) => {
            for coefficient in joint.coefficients() {
                let effect = Effect {
                    scale: &joint.about().scale,
                    value: coefficient.value(),
                    se: coefficient.se(),
                    limits: coefficient.interval().into(),
                    p: coefficient.p_value(),
                };
                grid.push(head.beside(&method, &coefficient.label, events, head.effect(&effect)));
            }
        }
        Err(failure) => {
            let treatment = pool.treatment.as_ref().map_or("all", Label::as_str);
            grid.push(head.failure(&method, treatment, events, failure));
        }
    }
}

/// How much trials differ, which trials are not in the pool, and what its result has to tell.
fn pool_note(pool: &PlanPool) -> String {
    let treatment = pool.treatment.as_ref().map_or_else(String::new, |treatment| format!(", {treatment}"));
    let mut note =
        format!("{}, {}{treatment}, {}: ", pool.outcome, pool.analysis, pool.pool.replace('_', " "));
    let notices = match &pool.result {
        Ok(PoolResult::OfTreatment(pooled)) => {
            note += &statistics(pooled);
            pooled.notices()
        }
        Ok(PoolResult::Jointly(joint)) => {
            note += &joint_statistics(joint);
            joint.notices()
        }
        Err(failure) => {
            note += &failure.to_string();
            &[]
        }
    };
    if !pool.failed.is_empty() {
        let failed = listed(pool.failed.iter().map(Label::as_str));
        note += &format!("; without {failed}, where the analysis has no answer");
    }
    notices.iter().fold(note, |note, notice| format!("{note}; {notice}"))
}

/// The table in columns of fixed width, and its notes.
impl Display for PlanResults {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(self.grid().to_text().trim_end())?;
        self.notes().iter().try_for_each(|note| write!(f, "\n  note: {note}"))
    }
}
