//! Forest plots of pooled results.

use super::axis::{Benefit, ForestAxis};
use super::forest::{ForestGroup, ForestInterval, ForestPlot, PooledRow, StudyRow};
use super::format::{Limits, p_value};
use super::outcome_table::{capitalised, unit_words};
use super::pool_words::{
    NamedInference, adjusted_for, inferences, joint_statistics, model_words, pool_model, pool_scale,
    prediction_name, statistics,
};
use super::words::{Words, contrast_words, estimand_words, interval_name, listed, measure_words};
use crate::design::{Direction, Label, MeasureInfo, Notice};
use crate::effect::{AnyScale, Estimand, Estimate, Scale, ScaleForm};
use crate::error::{Error, ErrorKind, Result};
use crate::pool::{JointlyPooled, Pooled, PooledTrial};

impl ForestPlot {
    /// The figure of a pool: a row per trial with its counts, its interval and its weight, the pooled effect with both tests, the
    /// prediction interval, heterogeneity, and the trials that did not have the arm.
    ///
    /// Title and headings can still be set. What a trial has to tell (missing outcomes) stands in its estimate, not in the figure.
    ///
    /// ```
    /// use armwise::prelude::*;
    /// use armwise::report::ForestPlot;
    ///
    /// let outflow = Measure::binary("outflow").higher_is_better();
    /// let cities = Comparisons::new([
    ///     Comparison::from_counts("Deventer", &outflow, [("control", 10, 100), ("guidance", 15, 100)])?,
    ///     Comparison::from_counts("Utrecht", &outflow, [("control", 6, 176), ("guidance", 7, 172)])?,
    ///     Comparison::from_counts("Tilburg", &outflow, [("control", 20, 180), ("exemption", 31, 170)])?,
    /// ])?;
    /// let effects = cities.estimate(&DifferenceInProportions::new())?;
    /// let pooled = RandomEffects::new().pool(&effects.treatment("guidance")?)?;
    /// let svg = ForestPlot::of(&pooled).label_heading("Municipality").to_svg();
    /// assert!(svg.contains("7/172") && svg.contains("Favours guidance") && svg.contains("Tilburg"));
    /// # Ok::<(), armwise::Error>(())
    /// ```
    pub fn of<S: Scale>(pooled: &Pooled<S>) -> Self {
        let adjusted = adjusted_for(pooled);
        let mut subtitle =
            format!("{}; {}", contrast_words(pooled.treatment(), pooled.reference()), pool_model(pooled));
        if !adjusted.is_empty() {
            subtitle = format!("{subtitle}; adjusted for {}", listed(&adjusted));
        }
        let heading = |arm: &Label| format!("{} {}", capitalised(arm), counts_name(pooled));
        Self::new(axis(&[pooled]))
            .title(capitalised(&measure_words(pooled.measure())))
            .subtitle(subtitle)
            .label_heading("Trial")
            .columns([heading(pooled.treatment()), heading(pooled.reference())])
            .effect_heading(effect_heading(&pooled.scale().to_any(), pooled.measure(), pooled.summary.level))
            .group(group("", pooled))
            .footnotes(&[pooled])
    }

    /// Several pools of the same measure in one figure, a group of rows each: several treatments, or a crude and an adjusted analysis.
    ///
    /// # Errors
    /// There is no pool, or they differ in scale, measure, reference, level, or in being marginal or conditional.
    ///
    /// ```
    /// use armwise::prelude::*;
    /// use armwise::report::ForestPlot;
    ///
    /// let outflow = Measure::binary("outflow").higher_is_better();
    /// let arms = [("control", 10, 100), ("guidance", 15, 100), ("exemption", 12, 90)];
    /// let cities = Comparisons::new([
    ///     Comparison::from_counts("Deventer", &outflow, arms)?,
    ///     Comparison::from_counts("Utrecht", &outflow, arms)?,
    /// ])?;
    /// let effects = cities.estimate(&DifferenceInProportions::new())?;
    /// let guidance = RandomEffects::new().pool(&effects.treatment("guidance")?)?;
    /// let exemption = RandomEffects::new().pool(&effects.treatment("exemption")?)?;
    /// let plot = ForestPlot::of_all([&guidance, &exemption])?.title("Outflow after two years");
    /// assert!(plot.to_svg().contains("Favours treatment"));
    /// # Ok::<(), armwise::Error>(())
    /// ```
    pub fn of_all<'a, S: Scale>(pools: impl IntoIterator<Item = &'a Pooled<S>>) -> Result<Self> {
        let pools: Vec<&Pooled<S>> = pools.into_iter().collect();
        let Some((first, others)) = pools.split_first() else { return Err(ErrorKind::NoStudies.into()) };
        for other in others {
            belongs(first, other)?;
        }
        let once = |pooled: &Pooled<S>| {
            pools.iter().filter(|other| other.treatment() == pooled.treatment()).count() == 1
        };
        let counts = counts_name(first);
        let mut models: Vec<String> = Vec::new();
        for pooled in &pools {
            let model = pool_model(pooled);
            if !models.contains(&model) {
                models.push(model);
            }
        }
        let mut plot = Self::new(axis(&pools))
            .title(capitalised(&measure_words(first.measure())))
            .subtitle(format!("against {}; {}", first.reference(), models.join("; ")))
            .label_heading("Trial")
            .columns([format!("Treatment {counts}"), format!("{} {counts}", capitalised(first.reference()))])
            .effect_heading(effect_heading(&first.scale().to_any(), first.measure(), first.summary.level));
        for pooled in &pools {
            let adjusted = adjusted_for(pooled);
            let mut heading = capitalised(pooled.treatment());
            if !once(pooled) || !adjusted.is_empty() {
                let words = if adjusted.is_empty() {
                    "unadjusted".to_owned()
                } else {
                    format!("adjusted for {}", listed(&adjusted))
                };
                heading = format!("{heading}, {words}");
            }
            plot = plot.group(group(&heading, pooled));
        }
        Ok(plot.footnotes(&pools))
    }

    /// The figure of a joint or a component model: a row per treatment or component, and the trials that tell about it.
    ///
    /// ```
    /// use armwise::prelude::*;
    /// use armwise::report::ForestPlot;
    ///
    /// let outflow = Measure::binary("outflow").higher_is_better();
    /// let cities = Comparisons::new([
    ///     Comparison::from_counts("A", &outflow, [("control", 10, 100), ("guidance", 15, 100), ("exemption", 12, 90)])?,
    ///     Comparison::from_counts("B", &outflow, [("control", 8, 90), ("guidance", 7, 95)])?,
    /// ])?;
    /// let pooled = JointModel::common().pool(&cities.estimate(&DifferenceInProportions::new())?)?;
    /// assert!(ForestPlot::of_joint(&pooled).to_svg().contains("guidance: A and B"));
    /// # Ok::<(), armwise::Error>(())
    /// ```
    pub fn of_joint<S: Scale>(joint: &JointlyPooled<S>) -> Self {
        let scale = joint.scale().to_any();
        let measure = joint.measure();
        let se = joint.coefficients().iter().map(|one| one.se()).fold(0.0, f64::max);
        let words = Words::new(&scale, measure, se);
        let axis =
            captioned(axis_on(&scale, measure, joint.estimand(), &words), measure, joint.reference(), None);
        let mut rows = ForestGroup::new("");
        for coefficient in joint.coefficients() {
            let interval = forest_interval(coefficient.value(), coefficient.interval().into());
            let n = format!("{} of {}", coefficient.trials.len(), joint.trials().len());
            let row = StudyRow::new(coefficient.label.as_str(), interval)
                .columns([n, p_words(coefficient.p_value())]);
            rows = rows.row(row);
        }
        rows = rows.note(joint_statistics(joint));
        for notice in joint.notices().iter().filter(|notice| **notice != Notice::BoundaryTau2) {
            rows = rows.note(capitalised(&notice.to_string()));
        }
        let mut plot = Self::new(axis)
            .title(capitalised(&measure_words(measure)))
            .subtitle(format!(
                "against {}; all effects pooled jointly; {}",
                joint.reference(),
                model_words(joint.model.tau2_estimator)
            ))
            .label_heading("Effect")
            .columns(["Trials", "p"])
            .effect_heading(effect_heading(&scale, measure, joint.model.level))
            .group(rows);
        for coefficient in joint.coefficients() {
            plot = plot.footnote(format!(
                "{}: {}",
                coefficient.label,
                listed(coefficient.trials.iter().map(Label::as_str))
            ));
        }
        plot
    }

    /// How the intervals of the trials were made.
    fn footnotes<S: Scale>(mut self, pools: &[&Pooled<S>]) -> Self {
        let mut methods: Vec<String> = Vec::new();
        for trial in pools.iter().flat_map(|pooled| &pooled.trials) {
            let level = interval_name(trial.estimate.level());
            let method = format!("{level}: {}", trial.estimate.method().interval);
            if !methods.contains(&method) {
                methods.push(method);
            }
        }
        self = self.footnote(format!(
            "Trials: {}. The area of a square is proportional to the weight.",
            methods.join("; ")
        ));
        if counts_name(pools[0]) == "n/N" {
            self = self.footnote("n/N: people with the event, of the people analysed.");
        }
        self
    }
}

/// The rows of one pool.
fn group<S: Scale>(heading: &str, pooled: &Pooled<S>) -> ForestGroup {
    let summary = pooled.summary;
    let mut group = ForestGroup::new(heading);
    for trial in &pooled.trials {
        group = group.row(trial_row(pooled, &trial));
    }
    let (primary, others) = inferences(pooled);
    let label = capitalised(&pool_model(pooled));
    let mut row = PooledRow::new(label, forest_interval(pooled.value(), primary.limits))
        .columns(totals(pooled, pooled.trials.iter()));
    if let Some(prediction) = pooled.prediction() {
        row = row.prediction(prediction_name(summary.level), prediction.into());
    }
    group = group.row(row).note(tests_words(pooled, &primary, &others)).note(statistics(pooled));
    for notice in pooled.notices() {
        match notice {
            // The lines above tell these two already: tau2 = 0, and both tests.
            Notice::BoundaryTau2 | Notice::HartungKnappNarrower => {}
            other => group = group.note(capitalised(&other.to_string())),
        }
    }
    group
}

/// A trial with its counts, its interval and its weight.
pub(super) fn trial_row<S: Scale>(pooled: &Pooled<S>, trial: &PooledTrial) -> StudyRow {
    let estimate = &trial.estimate;
    let with_events = counts_name(pooled) == "n/N";
    let limits: Limits = estimate.interval().into();
    let label = trial_label(estimate, pooled.summary.level);
    let row = StudyRow::new(label, forest_interval(estimate.value(), limits))
        .columns(arm_counts(estimate).map(|arm| counts_words(arm, with_events)))
        .weight(trial.weight);
    if limits.lower.is_infinite() || limits.upper.is_infinite() {
        return row.text(pool_scale(pooled).cell(estimate.value(), limits));
    }
    row
}

/// The name of a trial, with the level of its interval where it is not the one in the heading.
pub(super) fn trial_label<S: Scale>(estimate: &Estimate<S>, level: f64) -> String {
    if estimate.level() == level {
        return estimate.trial().to_string();
    }
    format!("{} ({})", estimate.trial(), interval_name(estimate.level()))
}

/// The counts of both arms over these trials of a pool.
pub(super) fn totals<'a, S: Scale>(
    pooled: &Pooled<S>,
    trials: impl Iterator<Item = &'a PooledTrial>,
) -> [String; 2] {
    let mut sums = [(0, 0), (0, 0)];
    for trial in trials {
        for (sum, arm) in sums.iter_mut().zip(arm_counts(&trial.estimate)) {
            sum.0 += arm.0;
            sum.1 += arm.1;
        }
    }
    let with_events = counts_name(pooled) == "n/N";
    sums.map(|arm| counts_words(arm, with_events))
}

/// `Hartung-Knapp, t with 3 df (drawn): p = 0.094; Wald: -0.3 to 4.5, p = 0.024`.
fn tests_words<S: Scale>(pooled: &Pooled<S>, primary: &NamedInference, others: &[NamedInference]) -> String {
    let words = pool_scale(pooled);
    let drawn = if others.is_empty() { "" } else { " (drawn)" };
    let first = format!("{}{drawn}: {}", primary.how(), p_value(primary.p_value));
    let others = others
        .iter()
        .map(|other| format!("{}: {}, {}", other.how(), words.limits(other.limits), p_value(other.p_value)));
    std::iter::once(first).chain(others).collect::<Vec<_>>().join("; ")
}

/// A p-value in a column that is headed "p".
pub(super) fn p_words(p: f64) -> String {
    let text = p_value(p);
    text.trim_start_matches("p = ").trim_start_matches("p ").to_owned()
}

pub(super) fn forest_interval(estimate: f64, Limits { lower, upper }: Limits) -> ForestInterval {
    ForestInterval { estimate, lower, upper }
}

/// Events and analysed people of treatment and reference; 0 events where the outcome is none.
pub(super) fn arm_counts<S: Scale>(estimate: &Estimate<S>) -> [(u64, u64); 2] {
    [estimate.treatment_counts(), estimate.reference_counts()]
        .map(|arm| (arm.events.unwrap_or(0), arm.analysed))
}

pub(super) fn counts_words((events, n): (u64, u64), with_events: bool) -> String {
    if with_events { format!("{events}/{n}") } else { n.to_string() }
}

/// `n/N` where all trials count events, else `N`.
pub(super) fn counts_name<S: Scale>(pooled: &Pooled<S>) -> &'static str {
    let all = pooled.trials.iter().all(|trial| {
        let estimate = &trial.estimate;
        estimate.treatment_counts().events.is_some() && estimate.reference_counts().events.is_some()
    });
    if all { "n/N" } else { "N" }
}

/// `Difference, points (95% CI)`.
pub(super) fn effect_heading(scale: &AnyScale, measure: &MeasureInfo, level: f64) -> String {
    format!("{}{} ({})", capitalised(&scale.to_string()), unit_words(scale, measure), interval_name(level))
}

pub(super) fn axis<S: Scale>(pools: &[&Pooled<S>]) -> ForestAxis {
    let first = pools[0];
    let scale = first.scale().to_any();
    let se = pools.iter().map(|pooled| pooled.se()).fold(0.0, f64::max);
    let words = Words::new(&scale, first.measure(), se);
    let one = pools.iter().all(|pooled| pooled.treatment() == first.treatment()).then(|| first.treatment());
    captioned(
        axis_on(&scale, first.measure(), first.estimand(), &words),
        first.measure(),
        first.reference(),
        one,
    )
}

pub(super) fn axis_on(
    scale: &AnyScale,
    measure: &MeasureInfo,
    estimand: Estimand,
    words: &Words,
) -> ForestAxis {
    let mut label = scale.to_string();
    if let Some(estimand) = estimand_words(scale, estimand, false) {
        label = format!("{estimand} {label}");
    }
    match scale.form() {
        ScaleForm::PercentagePoints => {
            ForestAxis::percentage_points(capitalised(&format!("{label} (percentage points)")))
                .decimals(words.decimals())
        }
        ScaleForm::LogRatio => ForestAxis::ratio(capitalised(&format!("{label} (logarithmic axis)"))),
        ScaleForm::Difference => {
            let unit = unit_words(scale, measure);
            ForestAxis::difference(capitalised(&format!("{label}{unit}"))).decimals(words.decimals().min(6))
        }
    }
}

/// "Favours control" and "favours guidance", where the measure says which way is better.
pub(super) fn captioned(
    axis: ForestAxis,
    measure: &MeasureInfo,
    reference: &Label,
    treatment: Option<&Label>,
) -> ForestAxis {
    let axis = match measure.direction {
        Direction::HigherIsBetter => axis.benefit(Benefit::Higher),
        Direction::LowerIsBetter => axis.benefit(Benefit::Lower),
        Direction::Undeclared => axis,
    };
    axis.control_caption(format!("Favours {reference}"))
        .treatment_caption(format!("Favours {}", treatment.map_or("treatment", Label::as_str)))
}

fn belongs<S: Scale>(first: &Pooled<S>, other: &Pooled<S>) -> Result<()> {
    let said = |text: &Option<String>| text.clone().unwrap_or_else(|| "not said".to_owned());
    let parts = |pooled: &Pooled<S>| {
        let measure = pooled.measure();
        [
            ("scale", pooled.scale().to_any().to_string()),
            ("measure", measure.name.clone()),
            ("unit", said(&measure.unit)),
            ("horizon", said(&measure.horizon)),
            ("reference", pooled.reference().to_string()),
            ("direction of benefit", measure.direction.to_string()),
            ("estimand", pooled.estimand().to_string()),
            ("level", interval_name(pooled.summary.level)),
        ]
    };
    let (one, two) = (parts(first), parts(other));
    match one.iter().zip(&two).find(|(a, b)| a != b) {
        None => Ok(()),
        Some(((what, a), (_, b))) => Err(Error::from(ErrorKind::Incompatible(format!(
            "these pools do not belong in one figure: the {what} is \"{a}\" and \"{b}\"; draw a figure for each"
        )))),
    }
}
