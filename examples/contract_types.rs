//! Outcomes of several categories: the type of contract in Groningen, with every treatment, all categories
//! together, and pooled.

use armwise::prelude::*;

/// None, temporary or permanent, from the least to the most secure.
const CONTRACT: Measure<Ordinal> = Contract::ordinal("contract");

fn main() -> armwise::Result<()> {
    // The participants are synthetic: the design of the experiments is real, the persons are invented.
    let table = Table::from_csv_str(include_str!("data/participants.csv"))?;
    let trials = Trials::builder(table, "municipality")
        .arm_labels("arm")
        .control("control")
        .strata(["stratum"])
        .build()?;
    let groningen = trials.trial("Groningen")?.on(&CONTRACT)?;

    println!("Do the arms differ at all?");
    println!("{}", groningen.test_independence(IndependenceTest::CochranMantelHaenszel)?);
    println!("{}", groningen.test_order(OrderedTest::MeanScores(CategoryScores::Midranks))?);

    println!("\nEvery arm and contract; the intervals hold together:\n");
    let crude = DifferenceInCategories::new().simultaneous(Simultaneous::MaxT);
    println!("{}", groningen.estimate_categories(&crude)?.grid().to_text());

    println!("The same, adjusted:");
    let covariates = ["age", "female", "education", "months_on_benefit"];
    let multinomial = MultinomialRegression::new().adjust_for(covariates).marginal(RiskDifference);
    println!("{}", groningen.estimate_categories(&multinomial)?.category("permanent")?);

    println!("\nOne number for the order:");
    println!("{}", groningen.estimate(&ProportionalOddsRegression::new().adjust_for(covariates))?);
    println!("{}", groningen.estimate(&WinProbability::new(NetBenefit))?);

    println!("\nPermanent contracts, all municipalities:");
    let permanent = DifferenceInCategories::new().in_category("permanent");
    let effects = trials.on(&CONTRACT)?.estimate(&permanent)?;
    println!("{}", RandomEffects::new().pool(&effects.treatment("guidance")?)?);
    Ok(())
}
