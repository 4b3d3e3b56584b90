use std::fmt::{self, Display, Formatter};

use serde::{Deserialize, Serialize};

use super::format::{Limits, p_value, percent};
use super::grid::{Align, Cell, Grid};
use super::words::{Words, estimand_words, interval_name, measure_words, method_words, percent_of};
use crate::design::{Label, MeasureInfo};
use crate::effect::{AnyScale, Effects, Estimate, Estimates, Scale, ScaleForm};
use crate::error::{Error, ErrorKind, Result};

/// The table that CONSORT 2025 asks for: one row per trial and treatment, with how many were randomised, are analysed and had the event in
/// each arm, and several estimates of the same outcome side by side: absolute and relative, unadjusted and adjusted.
///
/// The table is checked: all estimates must be of the same measure, trials, treatments and reference.
///
/// ```
/// use armwise::prelude::*;
/// use armwise::report::OutcomeTable;
///
/// let outflow = Measure::binary("outflow").higher_is_better();
/// let counts = Comparison::from_counts("Utrecht", &outflow, [("control", 6, 176), ("guidance", 7, 172)])?;
/// let difference = counts.estimate(&DifferenceInProportions::new())?;
/// let ratio = counts.estimate(&RatioOfProportions::new())?;
/// let table = OutcomeTable::new(&difference).relative(&ratio)?;
/// assert_eq!(
///     table.grid().to_csv().lines().next(),
///     Some("Trial,Treatment,Randomised treatment,Randomised reference,Analysed treatment,Analysed reference,\
///           Events treatment,Events reference,\
///           \"Risk difference, points (95% CI)\",\"Risk difference, points (95% CI) lower\",\
///           \"Risk difference, points (95% CI) upper\",\"Risk difference, p\",\
///           Risk ratio (95% CI),Risk ratio (95% CI) lower,Risk ratio (95% CI) upper,\"Risk ratio, p\"")
/// );
/// println!("{table}");
/// # Ok::<(), armwise::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Vec<Effects<AnyScale>>", into = "Vec<Effects<AnyScale>>")]
pub struct OutcomeTable {
    first: Effects<AnyScale>,
    others: Vec<Effects<AnyScale>>,
}

impl From<OutcomeTable> for Vec<Effects<AnyScale>> {
    fn from(table: OutcomeTable) -> Self {
        let mut all = vec![table.first];
        all.extend(table.others);
        all
    }
}

impl TryFrom<Vec<Effects<AnyScale>>> for OutcomeTable {
    type Error = Error;

    fn try_from(effects: Vec<Effects<AnyScale>>) -> Result<Self> {
        let mut effects = effects.into_iter();
        let first = effects.next().ok_or(ErrorKind::NoStudies)?;
        effects.try_fold(Self { first, others: Vec::new() }, Self::with)
    }
}

impl OutcomeTable {
    /// A table of the effects of several trials, or of one trial.
    pub fn new(effects: impl Into<Effects<AnyScale>>) -> Self {
        Self { first: effects.into(), others: Vec::new() }
    }

    /// Adds a relative effect: a ratio.
    ///
    /// # Errors
    /// The scale is no ratio; or measure, reference, trials or treatments are not those of the table.
    pub fn relative(self, effects: impl Into<Effects<AnyScale>>) -> Result<Self> {
        let effects = effects.into();
        let scale = sample(&effects).scale().clone();
        if scale.form() != ScaleForm::LogRatio {
            let why = format!(
                "a relative effect is a ratio, but these estimates are on the scale \"{scale}\"; \
                 use RatioOfProportions or OddsRatio, or start the table with this scale"
            );
            return Err(ErrorKind::Incompatible(why).into());
        }
        self.with(effects)
    }

    /// Adds an adjusted effect, absolute or relative.
    ///
    /// # Errors
    /// No trial adjusts for anything; or measure, reference, trials or treatments are not those of the table.
    pub fn adjusted(self, effects: impl Into<Effects<AnyScale>>) -> Result<Self> {
        let effects = effects.into();
        if !is_adjusted(&effects) {
            let why = "these effects are not adjusted for any covariate; estimate them with adjust_for([..])";
            return Err(ErrorKind::Incompatible(why.to_owned()).into());
        }
        self.with(effects)
    }

    fn with(mut self, effects: Effects<AnyScale>) -> Result<Self> {
        belongs(&self.first, &effects)?;
        self.others.push(effects);
        Ok(self)
    }

    /// All effects of the table, in the order of their columns.
    pub fn effects(&self) -> impl Iterator<Item = &Effects<AnyScale>> {
        std::iter::once(&self.first).chain(&self.others)
    }

    /// The table, titled with the measure and the reference.
    ///
    /// Numbers are in the unit of their heading, also in CSV: percentage points, ratios, units of the measure.
    pub fn grid(&self) -> Grid {
        let one = sample(&self.first);
        let has_events =
            self.first.iter().flat_map(Estimates::iter).any(|estimate| events(&estimate).is_some());
        let title = format!("{}, treatment v {}", measure_words(one.measure()), one.reference());
        let mut grid = Grid::new(title).column("Trial", Align::Left).column("Treatment", Align::Left);
        grid = grid.column("Randomised", Align::Right).column("Analysed", Align::Right);
        if has_events {
            grid = grid.column("Events", Align::Right);
        }
        for effects in self.effects() {
            let level = interval_name(sample(effects).level());
            let heading = Heading::of(effects);
            grid = grid.column(format!("{}{} ({level})", heading.effect, heading.unit), Align::Right);
            grid = grid.column(format!("{}, p", heading.effect), Align::Right);
        }
        for trial in &self.first {
            for estimate in trial.iter() {
                let mut row = vec![
                    Cell::text(trial.trial().as_str()),
                    Cell::text(estimate.treatment().as_str()),
                    versus(estimate.treatment_counts().randomised, estimate.reference_counts().randomised),
                    versus(estimate.treatment_counts().analysed, estimate.reference_counts().analysed),
                ];
                if has_events {
                    row.push(events_cell(&estimate));
                }
                for effects in self.effects() {
                    row.extend(
                        same(effects, &estimate).map_or([Cell::Missing, Cell::Missing], |e| cells(&e)),
                    );
                }
                grid.push(row);
            }
        }
        grid
    }

    /// What a reader of the table has to be told: methods, covariates, analyses of fewer people, and the notices of every trial.
    pub fn notes(&self) -> Vec<String> {
        let mut notes: Vec<String> = Vec::new();
        let mut add = |note: String| {
            if !notes.contains(&note) {
                notes.push(note);
            }
        };
        for effects in self.effects() {
            let heading = Heading::of(effects).effect;
            for estimate in effects.iter().filter_map(|trial| trial.iter().next()) {
                add(format!("{heading}: {}", method_words(&estimate)));
            }
        }
        for effects in self.effects().skip(1) {
            let heading = Heading::of(effects).effect;
            for estimate in self.first.iter().flat_map(Estimates::iter) {
                let Some(other) = same(effects, &estimate) else { continue };
                let n = |estimate: &Estimate<AnyScale>| {
                    (estimate.treatment_counts().analysed, estimate.reference_counts().analysed)
                };
                if n(&other) != n(&estimate) {
                    let (treated, untreated) = n(&other);
                    let (trial, treatment) = (estimate.trial(), estimate.treatment());
                    add(format!("{trial}, {treatment}: {heading} is of n {treated} v {untreated}"));
                }
            }
        }
        for trial in self.effects().flatten() {
            for notice in trial.notices() {
                add(format!("{}: {notice}", trial.trial()));
            }
        }
        notes
    }
}

/// The table in columns of fixed width, and its notes.
impl Display for OutcomeTable {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(self.grid().to_text().trim_end())?;
        self.notes().iter().try_for_each(|note| write!(f, "\n  note: {note}"))
    }
}

struct Heading {
    effect: String,
    unit: String,
}

impl Heading {
    fn of(effects: &Effects<AnyScale>) -> Self {
        let one = sample(effects);
        let scale = &one.about().scale;
        let adjusted = is_adjusted(effects);
        let name = scale.to_string();
        let mut effect = if adjusted { format!("Adjusted {name}") } else { capitalised(&name) };
        if let Some(estimand) = estimand_words(scale, one.estimand(), adjusted) {
            effect = format!("{effect}, {estimand}");
        }
        Self { effect, unit: unit_words(scale, one.measure()) }
    }
}

/// `, points` or `, hours`.
pub(super) fn unit_words(scale: &AnyScale, measure: &MeasureInfo) -> String {
    match (scale.form(), &measure.unit) {
        (ScaleForm::PercentagePoints, _) => ", points".to_owned(),
        (ScaleForm::Difference, Some(unit)) if *scale == AnyScale::MeanDifference => format!(", {unit}"),
        _ => String::new(),
    }
}

pub(super) fn capitalised(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}

/// A trial that tells what all have in common.
fn sample(effects: &Effects<AnyScale>) -> &Estimates<AnyScale> {
    effects.first()
}

fn is_adjusted(effects: &Effects<AnyScale>) -> bool {
    effects.iter().any(|trial| !trial.method().adjusted_for.is_empty())
}

fn events(estimate: &Estimate<AnyScale>) -> Option<(u64, u64)> {
    estimate.treatment_counts().events.zip(estimate.reference_counts().events)
}

pub(super) fn versus(treatment: u64, reference: u64) -> Cell {
    Cell::Versus { text: format!("{treatment} v {reference}"), treatment, reference }
}

pub(super) fn events_cell(estimate: &Estimate<AnyScale>) -> Cell {
    events(estimate).map_or(Cell::Missing, |(treatment, reference)| {
        let share = |events, n| format!("{events} ({})", percent(percent_of(events, n)));
        let treated = share(treatment, estimate.treatment_counts().analysed);
        let untreated = share(reference, estimate.reference_counts().analysed);
        Cell::Versus { text: format!("{treated} v {untreated}"), treatment, reference }
    })
}

/// The same contrast among other effects.
fn same(effects: &Effects<AnyScale>, estimate: &Estimate<AnyScale>) -> Option<Estimate<AnyScale>> {
    effects.trial(estimate.trial()).ok()?.treatment(estimate.treatment()).ok()
}

fn cells(estimate: &Estimate<AnyScale>) -> [Cell; 2] {
    let words = Words::new(&estimate.about().scale, estimate.measure(), estimate.se());
    let limits: Limits = estimate.interval().into();
    let p = estimate.p_value();
    [
        Cell::Estimate {
            text: words.cell(estimate.value(), limits),
            value: words.shown(estimate.value()),
            limits: Limits { lower: words.shown(limits.lower), upper: words.shown(limits.upper) },
        },
        p_cell(p),
    ]
}

/// A p-value without the letter.
pub(super) fn p_cell(p: f64) -> Cell {
    let text = p_value(p);
    Cell::worded(p, text.trim_start_matches("p = ").trim_start_matches("p "))
}

/// Whether other effects are of the same measure, reference, level, trials and treatments.
fn belongs(first: &Effects<AnyScale>, other: &Effects<AnyScale>) -> Result<()> {
    let (one, two) = (sample(first), sample(other));
    let differ = |what: &str, a: &str, b: &str| {
        let why = format!("these effects do not belong in one table: the {what} is \"{a}\" and \"{b}\"");
        Err(Error::from(ErrorKind::Incompatible(why)))
    };
    let said = |text: &Option<String>| text.clone().unwrap_or_else(|| "not said".to_owned());
    let (a, b) = (one.measure(), two.measure());
    if a.name != b.name {
        return differ("measure", &a.name, &b.name);
    }
    if a.unit != b.unit {
        return differ("unit", &said(&a.unit), &said(&b.unit));
    }
    if a.horizon != b.horizon {
        return differ("horizon", &said(&a.horizon), &said(&b.horizon));
    }
    if one.reference() != two.reference() {
        return differ("reference", one.reference(), two.reference());
    }
    let names = |effects: &Effects<AnyScale>| sorted(effects.iter().map(|trial| trial.trial().clone()));
    if names(first) != names(other) {
        return differ("list of trials", &names(first).join(", "), &names(other).join(", "));
    }
    for trial in first {
        let treatments = sorted(trial.treatments().cloned());
        let others = sorted(other.trial(trial.trial())?.treatments().cloned());
        if treatments != others {
            return differ("list of treatments", &treatments.join(", "), &others.join(", "))
                .map_err(|error| error.in_trial(trial.trial()));
        }
    }
    Ok(())
}

fn sorted(labels: impl Iterator<Item = Label>) -> Vec<String> {
    let mut names: Vec<String> = labels.map(|label| label.to_string()).collect();
    names.sort();
    names
}
