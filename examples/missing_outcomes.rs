//! Wellbeing, which a third of the people did not answer: complete cases, weights, imputation and bounds side by side, in
//! one city and pooled over all, and what it would take to change the conclusion.

use armwise::Interval;
use armwise::missing::{Bounds, DeltaGrid, Imputation, ImputationModel, ImputedTrial, Selection};
use armwise::prelude::*;

const WELLBEING: Measure<Continuous> =
    Measure::continuous("wellbeing").unit("points on a scale of 0 to 100").higher_is_better();

/// What was known before treatment, or from the register.
const KNOWN: [&str; 6] =
    ["wellbeing_baseline", "self_efficacy_baseline", "age", "female", "months_on_benefit", "hours_per_week"];

/// Cities that have the arm.
const CITIES: [&str; 5] = ["Utrecht", "Wageningen", "Tilburg", "Groningen", "Deventer"];

/// The WHO-5 score: five answers of 0 to 5, times 4.
fn with_score(table: Table) -> armwise::Result<Table> {
    let mut sums = vec![Some(0.0); table.rows()];
    for item in ["who5_1", "who5_2", "who5_3", "who5_4", "who5_5"] {
        for (sum, answer) in sums.iter_mut().zip(table.column(item)?.reals()?) {
            *sum = sum.zip(answer).map(|(sum, answer)| sum + 4.0 * answer);
        }
    }
    table.with_reals("wellbeing", sums)
}

/// Twenty draws of every missing score within its arm. The normal model keeps to the range of the score.
fn imputed(trial: &Trial) -> armwise::Result<ImputedTrial> {
    Imputation::new(15)
        .impute("wellbeing", ImputationModel::Linear)
        .range("wellbeing", Interval::new(0.0, 100.0)?)
        .predictors(KNOWN)
        .run(trial)
}

fn main() -> armwise::Result<()> {
    // The participants are synthetic: the design of the experiments is real, the persons are invented.
    let table = with_score(Table::from_csv_str(include_str!("data/participants.csv"))?)?;
    let city = |name: &str| -> armwise::Result<Trial> {
        let people = table.keep_category("municipality", name)?;
        Trial::builder(name, people).arm_labels("arm").control("control").strata(["stratum"]).build()
    };
    let regression = LinearRegression::new().adjust_for(["wellbeing_baseline", "stratum"]);

    let groningen = city("Groningen")?;
    let wellbeing = groningen.on(&WELLBEING)?;
    println!("In one city, guidance against control");
    println!("\nPre-specified: imputation within arms, adjusted for the baseline");
    let completed = imputed(&groningen)?;
    let effects = completed.on(&WELLBEING)?.estimate(&regression)?;
    println!("{}", effects.treatment("guidance")?);
    let joint = &effects.joint().test;
    println!("any arm against control: D1 = {:.2}, p = {:.2}", joint.statistic, joint.p_value);
    println!("\nComplete cases, adjusted for the baseline");
    println!("{}", wellbeing.estimate(&regression)?.treatment("guidance")?);
    println!("\nWeights of those who answered");
    let weights = InverseProbabilityWeighting::new(MeanDifference).of_observation().adjust_for(KNOWN);
    println!("{}", wellbeing.estimate(&weights)?.treatment("guidance")?);

    println!("\nBounds");
    let guidance = groningen.compare("guidance").on(&WELLBEING)?;
    let range = Interval::new(0.0, 100.0)?;
    for bounds in [
        Bounds::worst_case(range),
        Bounds::monotone(range, Selection::MissingNotHigher),
        Bounds::deviations(0.1),
        Bounds::trimmed(),
        Bounds::trimmed_by("stratum"),
    ] {
        println!("{}", bounds.on(&guidance)?);
    }

    println!("\nHow much lower would those be who did not answer?");
    let grid = DeltaGrid::new("guidance", [0.0, -5.0, -10.0, -15.0]).of_reference([-10.0, -5.0, 0.0]);
    println!("{}", grid.run(&completed, &WELLBEING, &regression)?);

    println!("\nPooled over the cities with guidance");
    let (mut complete, mut drawn) = (Vec::new(), Vec::new());
    for name in CITIES {
        let trial = city(name)?;
        complete.push(trial.on(&WELLBEING)?.estimate(&regression)?);
        drawn.push(imputed(&trial)?.on(&WELLBEING)?.estimate(&regression)?.into_estimates());
    }
    for (words, estimates) in [("imputation", drawn), ("complete cases", complete)] {
        let effects = Effects::new(estimates)?.treatment("guidance")?;
        println!("\n{words}: {}", RandomEffects::new().pool(&effects)?);
    }
    Ok(())
}
