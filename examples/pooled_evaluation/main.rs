//! The main job: six municipal trials of social assistance, the effect of every arm in every city, and the
//! cities pooled: on outcomes at the end of the experiment, and on when people left benefit.
//!
//! Without arguments it runs on embedded participants, which are synthetic: municipalities, arms and numbers
//! of participants are those of the Dutch experiments of 2017 to 2020, the persons are invented. `--help`
//! says how to run it on another file.

mod arguments;
mod curves;
mod outcome;
mod tables;
mod words;

use arguments::Arguments;
use armwise::prelude::*;
use armwise::report::Report;
use armwise::report::format::percent;
use outcome::{Evaluation, binary, exits, score, time_on_benefit};
use std::process::ExitCode;

const FULL_TIME: Measure<Binary> = Outflow::full_time("hours_per_week");
/// Without a direction: part-time work is better than none, and worse than full-time work.
const PART_TIME: Measure<Binary> = Outflow::part_time("hours_per_week");
const PERMANENT: Measure<Binary> = Contract::permanent("contract");
const WELLBEING: Measure<Continuous> =
    Questionnaire::who5(&["who5_1", "who5_2", "who5_3", "who5_4", "who5_5"])
        .measure("wellbeing (WHO-5, 0 to 100)")
        .unit("points");
/// The months until people left benefit for work. Those who left otherwise can no longer leave it for work,
/// and those who withdrew were on benefit when last seen. Utrecht followed people for 16 months, the other
/// cities for at least 24.
const EXIT: Measure<TimeToEvent> = Measure::time_to_event("exit_month", "exit_reason")
    .of("work")
    .competing(&["other"])
    .censored(&["none"])
    .censored_at("censor_month")
    .unit("months")
    .named("exit to work")
    .higher_is_better();
const ANY_EXIT: Measure<TimeToEvent> = EXIT.any_cause().named("exit from benefit");

/// The months at which shares of people who left are reported; months on benefit are until the first.
const HORIZONS: [f64; 2] = [12.0, 24.0];

/// The primary outcome; the others are secondary.
const PRIMARY: &str = "full-time";

/// The tolerated harm on shares: two percentage points.
const POINTS: f64 = 2.0;

/// The tolerated harm on the WHO-5: half of the ten points that Topp et al. (2015, Psychotherapy and Psychosomatics 84)
/// call relevant.
const WELLBEING_POINTS: f64 = 5.0;

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
    let mut evaluations: Vec<Evaluation> = Vec::new();
    for &name in arguments.measures() {
        let evaluation = match name {
            "full-time" => binary(&trials, &FULL_TIME, POINTS, arguments.level)?,
            "part-time" => binary(&trials, &PART_TIME, POINTS, arguments.level)?,
            "permanent" => binary(&trials, &PERMANENT, POINTS, arguments.level)?,
            "exit-12" => exits(&trials, &EXIT, HORIZONS[0], POINTS, arguments.level)?,
            "exit-24" => exits(&trials, &EXIT, HORIZONS[1], POINTS, arguments.level)?,
            "benefit-12" => time_on_benefit(&trials, &ANY_EXIT, HORIZONS[0], arguments.level)?,
            _ => score(&trials, &WELLBEING, WELLBEING_POINTS, arguments.level)?,
        };
        evaluation.forest(&arguments.out, name)?;
        evaluations.push(Evaluation { is_primary: name == PRIMARY, ..evaluation });
    }

    let mut report = Report::new("Pooled evaluation of social assistance experiments");
    report.paragraph(source);
    found(&evaluations, arguments.level, &mut report)?;
    report.heading("The experiments").paragraph(words::design(&trials));
    secondary(&evaluations, &mut report);
    for evaluation in evaluations.iter().filter(|one| !one.is_time) {
        details(evaluation, &mut report)?;
    }
    if evaluations.iter().any(|one| one.is_time) {
        report.heading("Leaving benefit");
        report.push(&curves::table(&trials, &EXIT, HORIZONS, arguments.level)?);
        report.paragraph(curves::draw(&trials, &EXIT, HORIZONS, arguments.level, &arguments.out)?);
    }
    for evaluation in evaluations.iter().filter(|one| one.is_time) {
        details(evaluation, &mut report)?;
    }
    report.write_dir(&arguments.out)?;
    print!("{}", report.to_text());
    eprintln!("tables and figures are in {}", arguments.out.display());
    Ok(())
}

/// The measures at the end of the experiment, and those of the time until people left benefit.
fn groups(evaluations: &[Evaluation]) -> [Vec<&Evaluation>; 2] {
    [false, true].map(|is_time| evaluations.iter().filter(|one| one.is_time == is_time).collect())
}

/// The answer: the primary analysis of all measures in a table, and in words; then that of times.
fn found(evaluations: &[Evaluation], level: f64, report: &mut Report) -> armwise::Result<()> {
    report.heading("What was found");
    let level = percent(level).replace(".0%", "%");
    let titles = [
        format!(
            "Primary analysis: effect against control in points ({level} interval), all arms of all cities in one model for each measure"
        ),
        format!(
            "Over time: effect against control ({level} interval), points of people who left for work, and months on benefit"
        ),
    ];
    for (title, group) in titles.iter().zip(groups(evaluations)) {
        let headings: Vec<String> = group.iter().map(|one| one.heading()).collect();
        let columns: Vec<(&str, &JointlyPooled<AnyScale>)> =
            headings.iter().zip(&group).map(|(heading, one)| (heading.as_str(), &one.primary)).collect();
        if columns.is_empty() {
            continue;
        }
        report.push(&tables::effects(title, "Arm", &columns));
        for evaluation in group {
            report.paragraph(words::conclusion(evaluation)?);
        }
    }
    report.paragraph(words::multiplicity(evaluations)?);
    Ok(())
}

/// The other analyses that were planned.
fn secondary(evaluations: &[Evaluation], report: &mut Report) {
    report.heading("Secondary analyses");
    let titles = [
        [
            "Components: effect in points, where an arm of several components has the sum of their effects",
            "The model of the primary analysis after the other way to estimate effects",
        ],
        [
            "Components over time: effect in points of people who left for work, and in months on benefit",
            "The model over time, adjusted by pseudo-values",
        ],
    ];
    for ([of_components, of_others], group) in titles.into_iter().zip(groups(evaluations)) {
        if group.is_empty() {
            continue;
        }
        let components: Vec<(&str, &JointlyPooled<AnyScale>)> =
            group.iter().map(|one| (one.measure.as_str(), &one.components)).collect();
        report.push(&tables::effects(of_components, "Component", &components));
        for evaluation in &group {
            report.paragraph(words::components(evaluation));
        }
        let others: Vec<(String, &JointlyPooled<AnyScale>)> =
            group.iter().map(|one| (format!("{}, {}", one.measure, one.analyses[1]), &one.other)).collect();
        let columns: Vec<(&str, &JointlyPooled<AnyScale>)> =
            others.iter().map(|(name, other)| (name.as_str(), *other)).collect();
        report.push(&tables::effects(of_others, "Arm", &columns));
    }
}

/// One measure: its models, one treatment at a time, and every city.
fn details(evaluation: &Evaluation, report: &mut Report) -> armwise::Result<()> {
    report.heading(evaluation.measure.as_str());
    report.push(&evaluation.primary).push(&evaluation.components);
    if !evaluation.separate.is_empty() {
        report.push(&tables::separate(evaluation)?);
    }
    report.push(&evaluation.cities);
    for remark in &evaluation.remarks {
        report.paragraph(remark.as_str());
    }
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
