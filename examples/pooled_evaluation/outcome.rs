//! One measure: the effect of every arm in every city, and the cities together.

use super::words;
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
    /// Whether it is of the time until people left benefit.
    pub is_time: bool,
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
    /// The cities that could not be followed until the horizon, in words.
    pub left_out: Vec<String>,
    /// What the tables leave unsaid.
    pub remarks: Vec<String>,
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

/// The share of people who left benefit for the cause of interest by a horizon, where people are followed for
/// different times and can leave otherwise. The primary analysis is without covariates, as for the binary
/// measures; the other one regresses pseudo-values on the same covariates.
pub(crate) fn exits(
    trials: &Trials,
    measure: &Measure<TimeToEvent>,
    horizon: f64,
    margin: f64,
    level: f64,
) -> armwise::Result<Evaluation> {
    let followed = Followed::until(horizon, trials, measure)?;
    let risk = RiskAtHorizon::new(RiskDifference, horizon).level(level);
    let crude = followed.cities.estimate(&risk)?;
    let adjusted = followed.cities.estimate(&risk.adjust_for(COVARIATES))?;
    let mut remarks = Vec::new();
    let cities = OutcomeTable::new(&crude);
    let cities = match followed.cities.estimate(&RiskAtHorizon::new(LogRiskRatio, horizon).level(level)) {
        Ok(ratio) => cities.relative(&ratio)?,
        // A city in which nobody of an arm left has no ratio of risks.
        Err(error) => {
            remarks.push(format!("The table has no risk ratios: {error}"));
            cities
        }
    };
    let evaluation = evaluate(&crude, &adjusted, ["unadjusted", "adjusted"], cities, margin, level)?;
    let of = format!("{} by {}", measure.name(), words::span(horizon));
    Ok(Evaluation { measure: of, is_time: true, left_out: followed.left_out, remarks, ..evaluation })
}

/// The mean time on benefit until a horizon. It has no better direction, because people leave benefit not for
/// work alone.
pub(crate) fn time_on_benefit(
    trials: &Trials,
    measure: &Measure<TimeToEvent>,
    horizon: f64,
    level: f64,
) -> armwise::Result<Evaluation> {
    let followed = Followed::until(horizon, trials, measure)?;
    let mean = RestrictedMeanTime::new(MeanDifference, horizon).level(level);
    let crude = followed.cities.estimate(&mean)?;
    let adjusted = followed.cities.estimate(&mean.adjust_for(COVARIATES))?;
    let cities = OutcomeTable::new(&crude);
    let evaluation = evaluate(&crude, &adjusted, ["unadjusted", "adjusted"], cities, 0.0, level)?;
    let of = format!("time on benefit until {}", words::span(horizon));
    Ok(Evaluation { measure: of, is_time: true, left_out: followed.left_out, ..evaluation })
}

/// The cities whose arms can all be followed until a horizon.
struct Followed {
    cities: Comparisons<TimeToEvent>,
    left_out: Vec<String>,
}

impl Followed {
    fn until(horizon: f64, trials: &Trials, measure: &Measure<TimeToEvent>) -> armwise::Result<Self> {
        let all = trials.on(measure)?;
        let cities = all.followed_until(horizon)?;
        let mut left_out = Vec::new();
        for city in &all {
            if cities.iter().all(|kept| kept.trial() != city.trial()) {
                let ends = city.follow_up()?.into_iter().flatten().fold(f64::INFINITY, f64::min);
                left_out.push(format!("{}, followed for {}", city.trial(), words::span(ends)));
            }
        }
        Ok(Self { cities, left_out })
    }
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
        is_time: false,
        is_primary: false,
        margin,
        primary: joint.pool(primary)?.to_any(),
        components: components.to_any(),
        separate,
        other: joint.pool(other)?.to_any(),
        analyses,
        cities,
        left_out: Vec::new(),
        remarks: Vec::new(),
    })
}

impl Evaluation {
    /// The measure, with the number of cities where some are left out.
    pub(crate) fn heading(&self) -> String {
        match (self.primary.trials().len(), self.left_out.len()) {
            (_, 0) => self.measure.clone(),
            (kept, left) => format!("{}, {kept} of {} cities", self.measure, kept + left),
        }
    }

    /// Draws the primary analysis, the components, and the pools of one treatment at a time with their cities.
    pub(crate) fn forest(&self, folder: &Path, name: &str) -> armwise::Result<()> {
        std::fs::create_dir_all(folder).ok();
        let subtitle =
            |of: &str| format!("against control, {}; {of}; random effects, REML", self.analyses[0]);
        let titled = |plot: ForestPlot| {
            if self.is_time { plot.title(words::capitalised(&self.measure)) } else { plot }
        };
        titled(ForestPlot::of(&self.primary))
            .subtitle(subtitle("all arms of all cities in one model"))
            .write_svg(folder.join(format!("{name}.svg")))?;
        titled(ForestPlot::of(&self.components))
            .subtitle(subtitle("every arm is the sum of its components"))
            .write_svg(folder.join(format!("{name}-components.svg")))?;
        if self.separate.is_empty() {
            return Ok(());
        }
        titled(ForestPlot::of_all(&self.separate)?)
            .label_heading("Municipality")
            .write_svg(folder.join(format!("{name}-cities.svg")))
    }
}
