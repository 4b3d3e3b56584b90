//! One row of a result: what it is about, and its numbers.

use crate::compute::interval::Interval;
use crate::compute::meta_analysis::ChiSquaredTest;
use crate::design::{ArmCounts, Direction, Label, MeasureInfo, Notice};
use crate::effect::{AnyScale, Estimand, Estimate};
use crate::report::base::format::p_value_near;
use crate::report::base::grid::Cell;
use crate::report::draw::forest::Shape;
use crate::report::english::effects::{
    contrast_words, estimand_words, interval_name, interval_words, measure_words, reference_words,
    variance_words,
};
use crate::report::english::scale::{Words, amount, amount_heading, scale_heading};

/// What the numbers of a result are about.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct About {
    pub(crate) measure: MeasureInfo,
    pub(crate) scale: AnyScale,
    pub(crate) estimand: Option<Estimand>,
    pub(crate) treatment: Label,
    pub(crate) reference: Label,
    pub(crate) level: f64,
}

/// What a result is about, read off its accessors.
macro_rules! about {
    ($result:expr, $treatment:expr, $estimand:expr, $level:expr) => {
        crate::report::form::row::About {
            measure: $result.measure().clone(),
            scale: $result.scale().clone(),
            estimand: $estimand,
            treatment: $treatment.clone(),
            reference: $result.reference().clone(),
            level: $level,
        }
    };
}
pub(crate) use about;

impl About {
    /// That of a result, for one treatment.
    pub(crate) fn of_result(about: &crate::effect::About, treatment: &Label) -> Self {
        Self {
            measure: about.measure.clone(),
            scale: about.scale.clone(),
            estimand: Some(about.estimand),
            treatment: treatment.clone(),
            reference: about.reference.clone(),
            level: about.level,
        }
    }

    /// A measure of this name and nothing else: for what has no numbers.
    pub(crate) fn nothing(name: &str) -> Self {
        let direction = Direction::Undeclared;
        Self {
            measure: MeasureInfo { name: name.to_owned(), unit: None, horizon: None, direction },
            scale: AnyScale::Other(String::new()),
            estimand: None,
            treatment: Label::new(""),
            reference: Label::new(""),
            level: f64::NAN,
        }
    }

    /// The same of another treatment.
    pub(crate) fn of(&self, treatment: &Label) -> Self {
        Self { treatment: treatment.clone(), ..self.clone() }
    }

    pub(crate) fn measure(&self) -> String {
        measure_words(&self.measure)
    }

    /// `guidance vs control`.
    pub(crate) fn contrast(&self) -> String {
        if self.is_single() {
            return self.treatment.to_string();
        }
        contrast_words(&self.treatment, &self.reference)
    }

    /// Whether it is the value of an arm by itself, against no other.
    pub(crate) fn is_single(&self) -> bool {
        self.reference.as_str().is_empty()
    }

    /// `95% CI`.
    pub(crate) fn interval_name(&self) -> String {
        interval_name(self.level)
    }

    /// `Risk difference, points (95% CI)`.
    pub(crate) fn heading(&self) -> String {
        self.heading_of(&self.interval_name())
    }

    pub(crate) fn heading_of(&self, interval: &str) -> String {
        format!("{} ({interval})", scale_heading(&self.scale, &self.measure))
    }

    /// `tau, points`.
    pub(crate) fn amount_heading(&self, name: &str) -> String {
        amount_heading(&self.scale, name)
    }

    pub(crate) fn amount(&self, x: f64) -> String {
        amount(&self.scale, x)
    }

    pub(crate) fn amount_cell(&self, x: f64) -> Cell {
        Cell::worded(x, self.amount(x))
    }

    /// Words with decimals for this standard error.
    pub(crate) fn words(&self, se: f64) -> Words {
        if self.is_single() {
            return Words::of_arm(&self.scale, &self.measure, se);
        }
        Words::new(&self.scale, &self.measure, se)
    }

    /// A value with its interval.
    pub(crate) fn effect_cell(&self, value: f64, interval: Interval) -> Cell {
        self.row("", "").effect(value, interval).effect_cell()
    }

    /// A row about the same, without numbers yet.
    pub(crate) fn row(&self, kind: &'static str, label: impl Into<String>) -> Row {
        Row {
            kind,
            label: label.into(),
            about: self.clone(),
            trials: Vec::new(),
            estimator: String::new(),
            adjusted_for: Vec::new(),
            method: String::new(),
            variance: None,
            estimate: None,
            se: None,
            df: None,
            interval: None,
            p_value: None,
            counts: None,
            alone: None,
            weight: None,
            heterogeneity: Heterogeneity::default(),
            notices: Vec::new(),
            cells: Vec::new(),
            precision: None,
            drawn: Drawn::default(),
        }
    }
}

/// A row of a result; what does not apply is left out.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Row {
    /// The stable word of what the row is, such as `trial` or `pooled`.
    pub(crate) kind: &'static str,
    /// The name of the row in tables and figures.
    pub(crate) label: String,
    pub(crate) about: About,
    /// The trials on which it rests.
    pub(crate) trials: Vec<Label>,
    pub(crate) estimator: String,
    pub(crate) adjusted_for: Vec<String>,
    /// How the interval was made.
    pub(crate) method: String,
    pub(crate) variance: Option<String>,
    pub(crate) estimate: Option<f64>,
    pub(crate) se: Option<f64>,
    pub(crate) df: Option<f64>,
    pub(crate) interval: Option<Interval>,
    pub(crate) p_value: Option<f64>,
    /// Of treatment and reference.
    pub(crate) counts: Option<[ArmCounts; 2]>,
    /// Of an arm by itself.
    pub(crate) alone: Option<ArmCounts>,
    pub(crate) weight: Option<f64>,
    pub(crate) heterogeneity: Heterogeneity,
    pub(crate) notices: Vec<Notice>,
    /// Cells that the rows of one table only have.
    pub(crate) cells: Vec<Cell>,
    /// The standard error that decides the decimals, where it is not that of the row.
    pub(crate) precision: Option<f64>,
    pub(crate) drawn: Drawn,
}

/// The variation between trials.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Heterogeneity {
    pub(crate) tau2: Option<f64>,
    pub(crate) tau2_interval: Option<Interval>,
    pub(crate) i2: Option<f64>,
    pub(crate) i2_interval: Option<Interval>,
    pub(crate) q: Option<ChiSquaredTest>,
}

/// A row in a forest plot.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Drawn {
    /// `None` for a row that is not drawn.
    pub(crate) shape: Option<Shape>,
    /// Its name there, where it is another one.
    pub(crate) label: Option<String>,
    /// The sub-heading under which it stands.
    pub(crate) group: String,
    pub(crate) prediction: Option<(String, Interval)>,
    /// Lines of words below the row.
    pub(crate) remarks: Vec<String>,
}

impl Row {
    /// An estimate of one trial.
    pub(crate) fn of(estimate: &Estimate<AnyScale>) -> Self {
        let method = estimate.method();
        let about = about!(estimate, estimate.treatment(), Some(estimate.estimand()), estimate.level());
        let row = Self {
            trials: vec![estimate.trial().clone()],
            estimator: method.estimator.clone(),
            adjusted_for: method.adjusted_for.clone(),
            variance: variance_words(&method.variance),
            counts: Some([estimate.treatment_counts(), estimate.reference_counts()]),
            notices: estimate.notices().to_vec(),
            ..about.row("trial", estimate.trial().as_str())
        };
        let row = row.effect(estimate.value(), estimate.interval()).tested(
            estimate.se(),
            estimate.df(),
            estimate.p_value(),
        );
        Self { method: interval_words(&method.interval, estimate.df()), ..row }.drawn(Shape::Square)
    }

    pub(crate) fn effect(self, estimate: f64, interval: Interval) -> Self {
        Self { estimate: Some(estimate), interval: Some(interval), ..self }
    }

    /// Standard error, degrees of freedom and p-value; the method is the distribution of the test.
    pub(crate) fn tested(self, se: f64, df: Option<f64>, p_value: f64) -> Self {
        Self { se: Some(se), df, p_value: Some(p_value), method: reference_words(df), ..self }
    }

    pub(crate) fn drawn(mut self, shape: Shape) -> Self {
        self.drawn.shape = Some(shape);
        self
    }

    /// One more cell that only the rows of one table have.
    pub(crate) fn with_cell(mut self, cell: Cell) -> Self {
        self.cells.push(cell);
        self
    }

    pub(crate) fn noticed(self, notices: &[Notice]) -> Self {
        Self { notices: notices.to_vec(), ..self }
    }

    /// The standard error that decides the decimals.
    pub(crate) fn precision(&self) -> f64 {
        let width = self.interval.map_or(0.0, |interval| interval.width() / 4.0);
        self.precision.or(self.se).unwrap_or(width)
    }

    pub(crate) fn words(&self) -> Words {
        let words = self.about.words(self.precision());
        match self.interval {
            // A limit of zero says nothing of its own about an arm by itself.
            Some(interval) if !self.about.is_single() => words.telling(&[interval]),
            _ => words,
        }
    }

    /// The effect with its interval, the interval alone, or nothing.
    pub(crate) fn effect_cell(&self) -> Cell {
        let Some(interval) = self.interval else { return Cell::missing() };
        let words = self.words();
        let shown = interval.map(|limit| words.shown(limit));
        match self.estimate {
            Some(value) => Cell::estimate(words.shown(value), shown, words.estimate(value, interval)),
            None => Cell::worded_interval(shown, words.limits(interval)),
        }
    }

    /// `+2.1 points (95% CI -2.9 to 7.3, normal)`; `how` may be empty.
    pub(crate) fn effect_words(&self, how: &str) -> String {
        let (Some(value), Some(interval)) = (self.estimate, self.interval) else { return String::new() };
        format!("{} ({}{})", self.words().value(value), self.interval_words(interval), with_comma(how))
    }

    /// The estimand and a blank, where it has to be said.
    pub(crate) fn estimand_words(&self) -> String {
        let adjusted = !self.adjusted_for.is_empty();
        let words = self.about.estimand.and_then(|one| estimand_words(&self.about.scale, one, adjusted));
        words.map_or_else(String::new, |words| words + " ")
    }

    /// `p = 0.41`.
    pub(crate) fn p_words(&self) -> String {
        self.p_value.map_or_else(String::new, |p| p_value_near(p, 1.0 - self.about.level))
    }

    /// `95% CI -2.9 to 7.3`.
    pub(crate) fn interval_words(&self, interval: Interval) -> String {
        format!("{} {}", self.about.interval_name(), self.words().limits(interval))
    }

    /// Events of both arms, where the outcome is an event.
    pub(crate) fn events(&self) -> Option<[u64; 2]> {
        let [treatment, reference] = self.counts?;
        Some([treatment.events?, reference.events?])
    }

    /// `n 172 v 176, events 7 v 6`.
    pub(crate) fn people_words(&self) -> Option<String> {
        let [treatment, reference] = self.counts?;
        let people = format!("n {} v {}", treatment.analysed, reference.analysed);
        Some(match self.events() {
            Some([treated, untreated]) => format!("{people}, events {treated} v {untreated}"),
            None => people,
        })
    }
}

/// `, words`, or nothing.
pub(crate) fn with_comma(words: &str) -> String {
    if words.is_empty() { String::new() } else { format!(", {words}") }
}
