//! The National Supported Work trial of job training (`LaLonde` 1986; the 445 men of Dehejia & Wahba 1999):
//! real participants, randomised to training or control. Employment in 1978 means earnings above zero.

use armwise::prelude::*;

arms! {
    /// The arms of the trial; the first is the control.
    enum JobTraining { Control = "control", Training = "training" }
}

const EMPLOYED: Measure<Binary> =
    Measure::binary("employed_1978").named("employment in 1978").higher_is_better();
const EARNINGS: Measure<Continuous> =
    Measure::continuous("earnings_1978").named("earnings in 1978").unit("dollars").higher_is_better();

/// Measured before randomisation.
const COVARIATES: [&str; 8] =
    ["age", "education_years", "black", "hispanic", "married", "no_degree", "earnings_1974", "earnings_1975"];

fn main() -> armwise::Result<()> {
    let table = Table::from_csv_str(include_str!("data/nsw.csv"))?;
    let employed: Vec<Option<bool>> = table
        .column("earnings_1978")?
        .reals()?
        .map(|earnings| earnings.map(|dollars| dollars > 0.0))
        .collect();
    let table = table.with_flags("employed_1978", employed)?;
    let trial = Trial::builder("National Supported Work", table).arms::<JobTraining>("arm").build()?;

    println!("Employment in 1978");
    let employed = trial.on(&EMPLOYED)?;
    let logistic = LogisticRegression::new().adjust_for(COVARIATES);
    println!("{}", employed.estimate(&DifferenceInProportions::new())?);
    println!("{}", employed.estimate(&logistic.marginal(RiskDifference))?);
    println!("{}", employed.estimate(&RatioOfProportions::new())?);
    println!("{}", employed.estimate(&logistic)?);

    println!("\nEarnings in 1978; the published difference in means is 1794 dollars (Dehejia & Wahba 1999)");
    let earnings = trial.on(&EARNINGS)?;
    let ancova = LinearRegression::new().adjust_for(COVARIATES);
    let crude = earnings.estimate(&DifferenceInMeans::new())?;
    println!("{crude}");
    println!("{}", earnings.estimate(&LinearRegression::new())?);
    println!("{}", earnings.estimate(&ancova)?);
    println!("{}", earnings.estimate(&ancova.interacted())?);
    let published = crude.treatment(JobTraining::Training)?.value();
    assert_eq!(published.round(), 1794.0);

    println!("\nDoes training do more for men without a degree?");
    println!("{}", earnings.by_subgroup("no_degree")?.estimate(&DifferenceInMeans::new())?);
    Ok(())
}
