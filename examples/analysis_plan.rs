//! A statistical analysis plan as data: every outcome of six municipalities, crude and adjusted, pooled, in
//! one call and one table.

use armwise::prelude::*;
use armwise::protocol::AnalysisPlan;

fn main() -> armwise::Result<()> {
    // The participants are synthetic: the design of the experiments is real, the persons are invented.
    let table = Table::from_csv_str(include_str!("data/participants.csv"))?;
    let trials = Trials::builder(table, "municipality")
        .arm_labels("arm")
        .control("control")
        .strata(["stratum"])
        .take_up("received")
        .build()?;

    let plan = AnalysisPlan::from_json(include_str!("data/analysis_plan.json"))?;
    let results = plan.run_all(&trials)?;
    println!("{results}\n");
    println!(
        "{} answers, of which {} have none; {} outcomes read, {} models fitted",
        results.answers().len(),
        results.answers().iter().filter(|answer| answer.result.is_err()).count(),
        results.comparisons(),
        results.fits()
    );
    Ok(())
}
