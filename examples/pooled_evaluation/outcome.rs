//! One measure: effects in every city, crude and adjusted, and the cities pooled.

use armwise::Estimator;
use armwise::design::OutcomeKind;
use armwise::estimator::{RatioOfProportions, ZeroCells};
use armwise::prelude::*;
use armwise::report::{ForestPlot, OutcomeTable, Report};
use std::path::Path;

/// The measures whose effects are pooled over the cities that had them as an arm of their own.
const TREATMENTS: [&str; 3] = ["guidance", "exemption", "earnings"];

/// The covariates that were measured before the experiment.
const COVARIATES: [&str; 5] = ["stratum", "age", "female", "education", "self_efficacy_baseline"];

/// All results on one measure, with the scale known at run time.
pub(crate) struct Evaluation {
    pub measure: String,
    pub crude: Vec<Pooled<AnyScale>>,
    pub components: JointlyPooled<AnyScale>,
}

/// A binary measure: risk differences, risk ratios, and risk differences standardised after logistic
/// regression.
pub(crate) fn binary(
    trials: &Trials,
    measure: &Measure<Binary>,
    level: f64,
    report: &mut Report,
) -> armwise::Result<Evaluation> {
    let comparisons = trials.on(measure)?;
    let crude = comparisons.estimate(&DifferenceInProportions::new().level(level))?;
    let relative =
        comparisons.estimate(&RatioOfProportions::new().level(level).zero_cells(ZeroCells::AddHalf))?;
    report.heading(measure.name());
    let table = OutcomeTable::new(&crude).relative(&relative)?;
    let adjusted = LogisticRegression::new().adjust_for(COVARIATES).level(level).marginal(RiskDifference);
    evaluate(&comparisons, crude, table, &adjusted, level, report)
}

/// A score: differences in means, and analysis of covariance with the score at baseline.
pub(crate) fn score(
    trials: &Trials,
    measure: &Measure<Continuous>,
    level: f64,
    report: &mut Report,
) -> armwise::Result<Evaluation> {
    let comparisons = trials.on(measure)?;
    let crude = comparisons.estimate(&DifferenceInMeans::new().level(level))?;
    report.heading(measure.name());
    let table = OutcomeTable::new(&crude);
    let ancova = LinearRegression::new().adjust_for(["wellbeing_baseline", "stratum"]).level(level);
    evaluate(&comparisons, crude, table, &ancova, level, report)
}

fn evaluate<K: OutcomeKind, S: Scale, E: Estimator<K, Scale = S>>(
    comparisons: &Comparisons<K>,
    crude: Effects<S>,
    table: OutcomeTable,
    adjusted: &E,
    level: f64,
    report: &mut Report,
) -> armwise::Result<Evaluation> {
    let (adjusted, refused) = where_it_fits(comparisons, adjusted);
    match &adjusted {
        Some(adjusted) if refused.is_empty() => report.push(&table.adjusted(adjusted)?),
        _ => report.push(&table),
    };
    for why in refused {
        report.paragraph(format!("No adjusted effects: {why}"));
    }

    let mut pools = Vec::new();
    for treatment in TREATMENTS {
        let Ok(effects) = crude.treatment(treatment) else { continue };
        let pooled = RandomEffects::new().level(level).pool(&effects)?;
        report.push(&pooled);
        if let Some(effects) = adjusted.as_ref().and_then(|adjusted| adjusted.treatment(treatment).ok()) {
            report.push(&RandomEffects::new().level(level).pool(&effects)?);
        }
        pools.push(pooled.to_any());
    }
    report.push(&JointModel::random().level(level).pool(&crude)?);
    let components = ComponentModel::random().level(level).pool(&crude)?;
    report.push(&components);
    let measure = components.measure().name.clone();
    Ok(Evaluation { measure, crude: pools, components: components.to_any() })
}

/// The effects in the cities where the estimator has an answer, and its errors in the others.
fn where_it_fits<K: OutcomeKind, E: Estimator<K>>(
    comparisons: &Comparisons<K>,
    estimator: &E,
) -> (Option<Effects<E::Scale>>, Vec<armwise::Error>) {
    let (mut estimates, mut refused) = (Vec::new(), Vec::new());
    for comparison in comparisons {
        match comparison.estimate(estimator) {
            Ok(effects) => estimates.push(effects),
            Err(why) => refused.push(why),
        }
    }
    (Effects::new(estimates).ok(), refused)
}

impl Evaluation {
    /// Draws the pools and the component model.
    pub(crate) fn forest(&self, folder: &Path, name: &str) -> armwise::Result<()> {
        std::fs::create_dir_all(folder).ok();
        if !self.crude.is_empty() {
            ForestPlot::of_all(&self.crude)?
                .label_heading("Municipality")
                .write_svg(folder.join(format!("{name}.svg")))?;
        }
        ForestPlot::of(&self.components)
            .subtitle("against control; every arm is the sum of its components; random effects, REML")
            .write_svg(folder.join(format!("{name}-components.svg")))
    }
}
