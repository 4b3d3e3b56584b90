//! Every municipality writes its estimates as JSON. The program that pools them never sees a participant, and
//! gives the same digits.

use armwise::prelude::*;
use std::path::{Path, PathBuf};

const PERMANENT: Measure<Binary> = Contract::permanent("contract");

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

/// The program of a municipality.
fn municipality(trial: &Trial, folder: &Path) -> Result<PathBuf> {
    let estimates = trial.on(&PERMANENT)?.estimate(&DifferenceInProportions::new())?;
    let path = folder.join(format!("{}.json", trial.name()));
    std::fs::write(&path, serde_json::to_string_pretty(&estimates)?)?;
    Ok(path)
}

/// The program that receives the files.
fn pool(files: &[PathBuf]) -> Result<Pooled<RiskDifference>> {
    let mut estimates = Vec::new();
    for file in files {
        let estimate: Estimates<RiskDifference> = serde_json::from_str(&std::fs::read_to_string(file)?)?;
        estimates.push(estimate);
    }
    Ok(RandomEffects::new().pool(&Effects::new(estimates)?.treatment("guidance")?)?)
}

fn main() -> Result<()> {
    // The participants are synthetic: the design of the experiments is real, the persons are invented.
    let table = Table::from_csv_str(include_str!("data/participants.csv"))?;
    let trials = Trials::builder(table, "municipality").arm_labels("arm").control("control").build()?;
    let folder = std::env::temp_dir().join(format!("armwise-exchange-{}", std::process::id()));
    std::fs::create_dir_all(&folder)?;

    let files: Vec<PathBuf> =
        trials.iter().map(|trial| municipality(trial, &folder)).collect::<Result<_>>()?;
    let from_files = pool(&files)?;
    let with_participants = RandomEffects::new()
        .pool(&trials.on(&PERMANENT)?.estimate(&DifferenceInProportions::new())?.treatment("guidance")?)?;

    println!("{from_files}");
    println!(
        "\nthe same to the last digit as with the participants at hand: {}",
        from_files == with_participants
    );
    std::fs::remove_dir_all(&folder)?;
    Ok(())
}
