//! The table that CONSORT 2025 asks for.

use serde::{Deserialize, Serialize};

use crate::compute::balance::attrition;
use crate::design::{ArmCounts, Label, Notice, of_trials};
use crate::effect::{AnyScale, Effects, Estimate, Estimates, Scale, ScaleForm};
use crate::error::{Error, ErrorKind, Result};
use crate::report::base::format::{capitalised, distinct, p_value, percent};
use crate::report::base::grid::{Align, Cell, Grid};
use crate::report::english::effects::{estimand_words, interval_name, measure_words, method_words};
use crate::report::english::scale::unit_words;
use crate::report::form::columns::{analysed, effect, events, label, p, randomised, treatment};
use crate::report::form::row::Row;
use crate::report::form::table::{ResultTable, Tabulate};

/// The table that CONSORT 2025 asks for: one row per trial and treatment, with how many were randomised, are
/// analysed and had the event in each arm, and several estimates of the same outcome side by side: absolute
/// and relative, unadjusted and adjusted.
///
/// The table is checked: all estimates must be of the same measure, trials, treatments and reference.
///
/// ```
/// use armwise::prelude::*;
/// use armwise::report::OutcomeTable;
///
/// let outflow = Measure::binary("outflow").higher_is_better();
/// let counts = Comparison::from_counts(
///     "Utrecht",
///     &outflow,
///     [("control", 6, 176), ("guidance", 7, 172)],
/// )?;
/// let difference = counts.estimate(&DifferenceInProportions::new())?;
/// let ratio = counts.estimate(&RatioOfProportions::new())?;
/// let table = OutcomeTable::new(&difference).relative(&ratio)?;
/// assert_eq!(
///     table.grid().to_csv().lines().next(),
///     Some(
///         "Trial,Treatment,Randomised treatment,Randomised reference,\
///           Analysed treatment,Analysed reference,\
///           Events treatment,Events reference,\
///           \"Risk difference, points (95% CI)\",\"Risk difference, points (95% CI) lower\",\
///           \"Risk difference, points (95% CI) upper\",\"Risk difference, p\",\
///           Risk ratio (95% CI),Risk ratio (95% CI) lower,Risk ratio (95% CI) upper,\
///           \"Risk ratio, p\""
///     )
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
        let scale = effects.first().scale().clone();
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
    /// Numbers are in the unit of their heading, also in CSV: percentage points, ratios, units of the
    /// measure.
    pub fn grid(&self) -> Grid {
        let one = self.first.first();
        let title = format!("{}, treatment v {}", measure_words(one.measure()), one.reference());
        let mut grid = Grid::new(title).column("Trial", Align::Left).column("Treatment", Align::Left);
        grid = grid.column("Randomised", Align::Right).column("Analysed", Align::Right);
        let rows: Vec<Row> =
            self.first.iter().flat_map(Estimates::iter).map(|estimate| Row::of(&estimate)).collect();
        let has_events = rows.iter().any(|row| row.events().is_some());
        if has_events {
            grid = grid.column("Events", Align::Right);
        }
        for effects in self.effects() {
            let (heading, one) = (heading(effects), effects.first());
            let unit = unit_words(&one.scale(), one.measure());
            let level = interval_name(one.level());
            grid = grid.column(format!("{heading}{unit} ({level})"), Align::Right);
            grid = grid.column(format!("{heading}, p"), Align::Right);
        }
        for row in &rows {
            let mut cells = vec![label(row), treatment(row), randomised(row), analysed(row)];
            cells.extend(has_events.then(|| events(row)));
            for effects in self.effects() {
                let same = same(effects, &row.label, &row.about.treatment).map(|estimate| Row::of(&estimate));
                cells.extend(same.map_or_else(<[Cell; 2]>::default, |row| [effect(&row), p(&row)]));
            }
            grid.push(cells);
        }
        grid
    }

    /// The notes below the table: methods, covariates, analyses of fewer people, and the
    /// notices of every trial.
    pub fn notes(&self) -> Vec<String> {
        let methods = self.effects().flat_map(|effects| {
            let heading = heading(effects);
            let methods = effects.iter().map(|trial| method_words(trial.method(), trial.level()));
            methods.map(move |method| format!("{heading}: {method}"))
        });
        let fewer = self.effects().skip(1).flat_map(|effects| {
            let heading = heading(effects);
            let all = self.first.iter().flat_map(Estimates::iter);
            all.filter_map(move |estimate| {
                let (trial, treatment) = (estimate.trial(), estimate.treatment());
                let n = |of: &Estimate<AnyScale>| {
                    [of.treatment_counts().analysed, of.reference_counts().analysed]
                };
                let other = n(&same(effects, trial, treatment)?);
                let [treated, untreated] = other;
                (other != n(&estimate))
                    .then(|| format!("{trial}, {treatment}: {heading} is of n {treated} v {untreated}"))
            })
        });
        let missing = self.effects().flatten().filter_map(missing_words);
        // Each notice once, with the trials that have it.
        let notices = self.effects().flat_map(|effects| {
            let told = of_trials(effects.iter().map(|trial| (trial.trial(), trial.notices())));
            told.into_iter().map(|notice| notice.to_string())
        });
        distinct(methods.chain(fewer).chain(notices).chain(missing))
    }
}

impl Tabulate for OutcomeTable {
    fn table(&self) -> ResultTable {
        let all = self.effects().flatten().flat_map(Estimates::iter);
        let rows: Vec<Row> = all.map(|estimate| Row::of(&estimate)).collect();
        let notices: Vec<Notice> = self.notes().into_iter().map(Notice::Other).collect();
        let table = ResultTable::new(rows[0].about.clone(), "", rows).notices(&notices);
        ResultTable { grids: vec![self.grid()], ..table }
    }
}

/// The people without an outcome in each arm, and the test that their shares are equal:
/// `Utrecht, without an outcome: earnings 9 of 177 (5.1%), control 3 of 179 (1.7%); equal shares: p = 0.076`.
fn missing_words(trial: &Estimates<AnyScale>) -> Option<String> {
    trial
        .notices()
        .iter()
        .find(|notice| matches!(notice, Notice::MissingOutcome { .. } | Notice::OutcomeByWeights { .. }))?;
    let all: Vec<Estimate<AnyScale>> = trial.iter().collect();
    let last = all.last()?;
    let treated = all.iter().map(|one| (one.treatment(), one.treatment_counts()));
    let arms: Vec<(&Label, ArmCounts)> =
        treated.chain([(last.reference(), last.reference_counts())]).collect();
    let missing = |arm: &ArmCounts| arm.randomised.saturating_sub(arm.observed);
    let of = |(name, arm): &(&Label, ArmCounts)| {
        let share = percent(missing(arm) as f64 / arm.randomised.max(1) as f64);
        format!("{name} {} of {} ({share})", missing(arm), arm.randomised)
    };
    let counts: (Vec<u64>, Vec<u64>) = arms.iter().map(|(_, arm)| (missing(arm), arm.randomised)).unzip();
    let test = attrition(&counts.0, &counts.1).ok().and_then(|found| found.test);
    let test = test.map_or_else(String::new, |test| format!("; equal shares: {}", p_value(test.p_value)));
    let arms: Vec<String> = arms.iter().map(of).collect();
    Some(format!("{}, without an outcome: {}{test}", trial.trial(), arms.join(", ")))
}

/// `Adjusted odds ratio, conditional`.
fn heading(effects: &Effects<AnyScale>) -> String {
    let (one, adjusted) = (effects.first(), is_adjusted(effects));
    let name = one.scale().to_string();
    let effect = if adjusted { format!("Adjusted {name}") } else { capitalised(&name) };
    let estimand = estimand_words(&one.scale(), one.estimand(), adjusted);
    estimand.map_or_else(|| effect.clone(), |words| format!("{effect}, {words}"))
}

fn is_adjusted(effects: &Effects<AnyScale>) -> bool {
    effects.iter().any(|trial| !trial.method().adjusted_for.is_empty())
}

/// The same contrast among other effects.
fn same(effects: &Effects<AnyScale>, trial: &str, treatment: &Label) -> Option<Estimate<AnyScale>> {
    effects.trial(trial).ok()?.treatment(treatment).ok()
}

/// Whether other effects are of the same measure, reference, level, trials and treatments.
fn belongs(first: &Effects<AnyScale>, other: &Effects<AnyScale>) -> Result<()> {
    let (one, two) = (first.first(), other.first());
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
