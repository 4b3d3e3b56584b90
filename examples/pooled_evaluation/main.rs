//! The main job: six municipal trials of social assistance, the effect of every arm in every city, and the
//! cities pooled.
//!
//! Without arguments it runs on embedded participants, which are synthetic: municipalities, arms and numbers
//! of participants are those of the Dutch experiments of 2017 to 2020, the persons are invented. `--help`
//! says how to run it on another file.

mod arguments;
mod outcome;
mod words;

use arguments::Arguments;
use armwise::prelude::*;
use armwise::report::Report;
use outcome::{Evaluation, binary, score};
use std::process::ExitCode;

const FULL_TIME: Measure<Binary> = Outflow::full_time("hours_per_week");
/// Part-time work is an aim here.
const PART_TIME: Measure<Binary> = Outflow::part_time("hours_per_week").higher_is_better();
const PERMANENT: Measure<Binary> = Contract::permanent("contract");
const WELLBEING: Measure<Continuous> =
    Questionnaire::who5(&["who5_1", "who5_2", "who5_3", "who5_4", "who5_5"])
        .measure("wellbeing (WHO-5, 0 to 100)")
        .unit("points");

/// The arms that combine measures; every other arm is a measure of its own.
const COMBINATIONS: [(&str, &[&str]); 6] = [
    ("earnings_free_choice", &["earnings", "free_choice"]),
    ("earnings_guidance", &["earnings", "guidance"]),
    ("exemption_earnings", &["exemption", "earnings"]),
    ("guidance_earnings", &["guidance", "earnings"]),
    ("exemption_remote", &["exemption", "remote"]),
    ("exemption_on_demand", &["exemption", "free_choice"]),
];

fn trials(table: Table) -> armwise::Result<Trials> {
    let arms = table.column("arm")?.to_categories()?;
    let mut builder = Trials::builder(table, "municipality")
        .participant("participant")
        .arm_labels("arm")
        .control("control")
        .strata(["stratum"])
        .take_up("received");
    for (arm, components) in COMBINATIONS {
        if arms.levels().iter().any(|label| **label == *arm) {
            builder = builder.components(arm, components);
        }
    }
    builder.build()
}

fn evaluate(arguments: &Arguments) -> armwise::Result<()> {
    let (table, source) = match &arguments.data {
        Some(path) => (Table::from_csv_path(path)?, format!("Participants read from {}.", path.display())),
        None => (
            Table::from_csv_str(include_str!("../data/participants.csv"))?,
            "The participants are synthetic: the municipalities, their arms and their numbers of participants are those of the \
             Dutch experiments with social assistance (2017 to 2020), the persons are invented."
                .to_owned(),
        ),
    };
    let trials = trials(table)?;

    let mut report = Report::new("Pooled evaluation of social assistance experiments");
    report.paragraph(source);
    report.paragraph(words::design(&trials));
    let mut evaluations: Vec<Evaluation> = Vec::new();
    for &name in arguments.measures() {
        let evaluation = match name {
            "full-time" => binary(&trials, &FULL_TIME, arguments.level, &mut report)?,
            "part-time" => binary(&trials, &PART_TIME, arguments.level, &mut report)?,
            "permanent" => binary(&trials, &PERMANENT, arguments.level, &mut report)?,
            _ => score(&trials, &WELLBEING, arguments.level, &mut report)?,
        };
        evaluation.forest(&arguments.out, name)?;
        evaluations.push(evaluation);
    }
    report.heading("What is shown, and what is not");
    for paragraph in words::conclusion(&evaluations)? {
        report.paragraph(paragraph);
    }
    report.write_dir(&arguments.out)?;
    print!("{}", report.to_text());
    eprintln!("tables and figures are in {}", arguments.out.display());
    Ok(())
}

fn main() -> ExitCode {
    let arguments = match Arguments::parse() {
        Ok(Some(arguments)) => arguments,
        Ok(None) => {
            print!("{}", arguments::HELP);
            return ExitCode::SUCCESS;
        }
        Err(why) => {
            eprintln!("{why}\n\n{}", arguments::HELP);
            return ExitCode::FAILURE;
        }
    };
    match evaluate(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}
