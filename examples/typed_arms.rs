//! Typed arms: the compiler knows the arms of the Tilburg experiment, and which of them are combinations.

use armwise::prelude::*;

arms! {
    /// The arms of the Tilburg experiment; the first is the control.
    enum Tilburg {
        Control = "control",
        Guidance = "guidance",
        ExemptionEarnings = "exemption_earnings": ["exemption", "earnings"],
        GuidanceEarnings = "guidance_earnings": ["guidance", "earnings"],
    }
}

const FULL_TIME: Measure<Binary> = Outflow::full_time("hours_per_week");
const WELLBEING: Measure<Continuous> =
    Questionnaire::who5(&["who5_1", "who5_2", "who5_3", "who5_4", "who5_5"])
        .measure("wellbeing")
        .unit("points");

fn main() -> armwise::Result<()> {
    // The participants are synthetic: the design of the experiment is real, the persons are invented.
    let table = Table::from_csv_str(include_str!("data/participants.csv"))?;
    let tilburg = table.keep_category("municipality", "Tilburg")?;
    let trial = Trial::builder("Tilburg", tilburg)
        .participant("participant")
        .arms::<Tilburg>("arm")
        .strata(["stratum"])
        .build()?;

    let effects = trial.on(&FULL_TIME)?.estimate(&DifferenceInProportions::new())?;
    println!("{effects}");
    println!("\nGuidance beside earnings, against guidance alone:");
    println!("{}", effects.between(Tilburg::GuidanceEarnings, Tilburg::Guidance)?);

    println!("\nOnly the people over 50:");
    let older = trial.table().keep_where("age", |age| age > 50.0)?;
    let trial = Trial::builder("Tilburg, over 50", older).arms::<Tilburg>("arm").build()?;
    let ancova = LinearRegression::new().adjust_for(["wellbeing_baseline"]);
    println!("{}", trial.compare(Tilburg::Guidance).on(&WELLBEING)?.estimate(&ancova)?);
    Ok(())
}
