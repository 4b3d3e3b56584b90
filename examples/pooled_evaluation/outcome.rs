//! One measure: the effect of every arm in every city, and the cities together.

use armwise::estimator::{WithFallback, ZeroCells};
use armwise::prelude::*;
use armwise::report::{ForestPlot, OutcomeTable};
use std::path::Path;

/// The measures whose effects are also pooled one by one, over the cities that had them as an arm of their own.
const TREATMENTS: [&str; 3] = ["guidance", "exemption", "earnings"];

/// The covariates that were measured before the experiment.
const COVARIATES: [&str; 5] = ["stratum", "age", "female", "education", "self_efficacy_baseline"];

/// All results on one measure, with the scale known at run time.
pub(crate) struct Evaluation {
    pub measure: String,
    /// The outcome that was named as the primary one before the data were seen.
    pub is_primary: bool,
    /// The tolerated harm, in the unit of the tables.
    pub margin: f64,
    /// The primary analysis: all arms of all cities in one model.
    pub primary: JointlyPooled<AnyScale>,
    /// The same effects, where an arm of several components has the sum of theirs.
    pub components: JointlyPooled<AnyScale>,
    /// One treatment at a time, from the cities that had it.
    pub separate: Vec<Pooled<AnyScale>>,
    /// The same model after the other analysis: adjusted where the primary one is not.
    pub other: JointlyPooled<AnyScale>,
    /// What the primary and the other analysis are.
    pub analyses: [&'static str; 2],
    pub cities: OutcomeTable,
}

/// A binary measure. Its primary analysis is the difference in risk without covariates, as the plan says
/// (`examples/data/analysis_plan.json`); the standardised difference after logistic regression is the other
/// one. A city in which that has no answer, because nobody of an arm had the event, is estimated by linear
/// regression: so it was settled beforehand, and no city is left out for its outcomes.
pub(crate) fn binary(
    trials: &Trials,
    measure: &Measure<Binary>,
    margin: f64,
    level: f64,
) -> armwise::Result<Evaluation> {
    let comparisons = trials.on(measure)?;
    let crude = comparisons.estimate(&DifferenceInProportions::new().level(level))?;
    let ratio = RatioOfProportions::new().level(level).zero_cells(ZeroCells::AddHalf);
    let cities = OutcomeTable::new(&crude).relative(&comparisons.estimate(&ratio)?)?;
    let logistic = LogisticRegression::new().adjust_for(COVARIATES).level(level).marginal(RiskDifference);
    let linear = LinearRegression::new().adjust_for(COVARIATES).level(level);
    let adjusted = comparisons.estimate(&WithFallback::new(logistic, linear))?;
    evaluate(&crude, &adjusted, ["unadjusted", "adjusted"], cities, margin, level)
}

/// A score. Its primary analysis is that of covariance with the score at baseline, as the plan says; the difference
/// in means is the other one.
pub(crate) fn score(
    trials: &Trials,
    measure: &Measure<Continuous>,
    margin: f64,
    level: f64,
) -> armwise::Result<Evaluation> {
    let comparisons = trials.on(measure)?;
    let crude = comparisons.estimate(&DifferenceInMeans::new().level(level))?;
    let ancova = LinearRegression::new().adjust_for(["wellbeing_baseline", "stratum"]).level(level);
    let adjusted = comparisons.estimate(&ancova)?;
    let cities = OutcomeTable::new(&adjusted);
    evaluate(&adjusted, &crude, ["adjusted", "unadjusted"], cities, margin, level)
}

fn evaluate<S: Scale>(
    primary: &Effects<S>,
    other: &Effects<S>,
    analyses: [&'static str; 2],
    cities: OutcomeTable,
    margin: f64,
    level: f64,
) -> armwise::Result<Evaluation> {
    let joint = JointModel::random().level(level);
    let cities = if analyses[0] == "unadjusted" { cities.adjusted(other)? } else { cities };
    let mut separate = Vec::new();
    for treatment in TREATMENTS {
        if let Ok(effects) = primary.treatment(treatment) {
            separate.push(RandomEffects::new().level(level).pool(&effects)?.to_any());
        }
    }
    let components = ComponentModel::random().level(level).pool(primary)?;
    Ok(Evaluation {
        measure: components.measure().name.clone(),
        is_primary: false,
        margin,
        primary: joint.pool(primary)?.to_any(),
        components: components.to_any(),
        separate,
        other: joint.pool(other)?.to_any(),
        analyses,
        cities,
    })
}

impl Evaluation {
    /// Draws the primary analysis, the components, and the pools of one treatment at a time with their cities.
    pub(crate) fn forest(&self, folder: &Path, name: &str) -> armwise::Result<()> {
        std::fs::create_dir_all(folder).ok();
        let subtitle =
            |of: &str| format!("against control, {}; {of}; random effects, REML", self.analyses[0]);
        ForestPlot::of(&self.primary)
            .subtitle(subtitle("all arms of all cities in one model"))
            .write_svg(folder.join(format!("{name}.svg")))?;
        ForestPlot::of(&self.components)
            .subtitle(subtitle("every arm is the sum of its components"))
            .write_svg(folder.join(format!("{name}-components.svg")))?;
        if self.separate.is_empty() {
            return Ok(());
        }
        ForestPlot::of_all(&self.separate)?
            .label_heading("Municipality")
            .write_svg(folder.join(format!("{name}-cities.svg")))
    }
}
