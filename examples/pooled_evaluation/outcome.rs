//! One measure: the effect of every arm in every city, and the cities together.

use armwise::Estimator;
use armwise::design::OutcomeKind;
use armwise::estimator::{RatioOfProportions, ZeroCells};
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
    pub other: Result<JointlyPooled<AnyScale>, String>,
    /// What the primary and the other analysis are.
    pub analyses: [&'static str; 2],
    pub cities: OutcomeTable,
}

/// A binary measure. Its primary analysis is the difference in risk without covariates, as the plan says
/// (`examples/data/analysis_plan.json`); the standardised difference after logistic regression is the other one.
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
    let adjusted = LogisticRegression::new().adjust_for(COVARIATES).level(level).marginal(RiskDifference);
    let adjusted = everywhere(&comparisons, &adjusted);
    evaluate(&crude, adjusted, ["unadjusted", "adjusted"], cities, margin, level)
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
    evaluate(&adjusted, Ok(crude), ["adjusted", "unadjusted"], cities, margin, level)
}

fn evaluate<S: Scale>(
    primary: &Effects<S>,
    other: Result<Effects<S>, String>,
    analyses: [&'static str; 2],
    cities: OutcomeTable,
    margin: f64,
    level: f64,
) -> armwise::Result<Evaluation> {
    let joint = JointModel::random().level(level);
    let cities = match &other {
        Ok(other) if analyses[0] == "unadjusted" => cities.adjusted(other)?,
        _ => cities,
    };
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
        other: match other {
            Ok(other) => Ok(joint.pool(&other)?.to_any()),
            Err(why) => Err(why),
        },
        analyses,
        cities,
    })
}

/// The effects in all cities, or why a city has none. Without the cities in which nobody had the event the others
/// would be a selection on the outcome, so there is no pool of the rest.
fn everywhere<K: OutcomeKind, E: Estimator<K>>(
    comparisons: &Comparisons<K>,
    estimator: &E,
) -> Result<Effects<E::Scale>, String> {
    let answers: Vec<_> = comparisons.iter().map(|comparison| comparison.estimate(estimator)).collect();
    let refused: Vec<String> =
        answers.iter().filter_map(|one| Some(one.as_ref().err()?.to_string())).collect();
    if !refused.is_empty() {
        return Err(refused.join("; "));
    }
    let estimates: Vec<_> = answers.into_iter().filter_map(Result::ok).collect();
    Effects::new(estimates).map_err(|error| error.to_string())
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
