//! Arms known only at run time: every municipality in the file, every arm it had, and guidance pooled.

use armwise::prelude::*;

/// Part-time work is an aim here.
const PART_TIME: Measure<Binary> = Outflow::part_time("hours_per_week").higher_is_better();

fn main() -> armwise::Result<()> {
    // The participants are synthetic: the design of the experiments is real, the persons are invented.
    let table = Table::from_csv_str(include_str!("data/participants.csv"))?;
    let trials = Trials::builder(table, "municipality").arm_labels("arm").control("control").build()?;
    for trial in &trials {
        let arms: Vec<&str> = trial.arm_labels().map(Label::as_str).collect();
        println!("{}: {}", trial.name(), arms.join(", "));
    }

    let effects = trials.on(&PART_TIME)?.estimate(&DifferenceInProportions::new())?;
    println!("\n{}", effects.trial("Groningen")?);
    println!("\n{}", RandomEffects::new().pool(&effects.treatment("guidance")?)?);
    Ok(())
}
