//! When and how people left benefit in six municipal trials: curves of every arm, cumulative incidences of
//! two ways out, risks at 12 and 24 months, months on benefit, hazard ratios, tests, and the cities pooled.
//!
//! The participants are synthetic: municipalities, arms, numbers of participants and months of follow-up are
//! those of the Dutch experiments of 2017 to 2020, the persons and their months of exit are invented. Utrecht
//! followed people for 16 months, Nijmegen for 25, the other cities for 24. Without arguments it prints the
//! report; `--out DIR` also writes the figures there.

mod cities;
mod pools;
mod states;

use armwise::prelude::*;
use armwise::report::format::decimal;
use armwise::report::{CurvePlot, Report};
use cities::plain;
use lexopt::prelude::{Long, Short};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

const HELP: &str = "\
Tells when and how people left benefit in six cities, from the embedded participants.

usage: time_to_exit [--out DIR]

  --out DIR   where the figures go; default: nowhere
  --help      this text
";

/// The months until people left benefit for work. A person who left otherwise can no longer leave it for
/// work: that competes. A person who withdrew was on benefit when last seen: that is censoring.
pub(crate) const TO_WORK: Measure<TimeToEvent> = Measure::time_to_event("exit_month", "exit_reason")
    .of("work")
    .competing(&["other"])
    .censored(&["none"])
    .censored_at("censor_month")
    .unit("months")
    .named("exit to work")
    .higher_is_better();

/// The other way out, of which nobody says that more is better.
pub(crate) const OTHERWISE: Measure<TimeToEvent> = Measure::time_to_event("exit_month", "exit_reason")
    .of("other")
    .competing(&["work"])
    .censored(&["none"])
    .censored_at("censor_month")
    .unit("months")
    .named("other exit");

/// The arms that combine measures; every other arm is a measure of its own.
const COMBINATIONS: [(&str, &[&str]); 6] = [
    ("earnings_free_choice", &["earnings", "free_choice"]),
    ("earnings_guidance", &["earnings", "guidance"]),
    ("exemption_earnings", &["exemption", "earnings"]),
    ("guidance_earnings", &["guidance", "earnings"]),
    ("exemption_remote", &["exemption", "remote"]),
    ("exemption_on_demand", &["exemption", "free_choice"]),
];

fn trials() -> armwise::Result<Trials> {
    let table = Table::from_csv_str(include_str!("../data/participants.csv"))?;
    let mut builder = Trials::builder(table, "municipality")
        .participant("participant")
        .arm_labels("arm")
        .control("control")
        .strata(["stratum"]);
    for (arm, components) in COMBINATIONS {
        builder = builder.components(arm, components);
    }
    builder.build()
}

fn story(folder: Option<&Path>) -> armwise::Result<Report> {
    let trials = trials()?;
    let exits = trials.on(&TO_WORK)?;
    let mut report = Report::new("When and how people left benefit");
    report.paragraph(
        "The participants are synthetic: the municipalities, their arms and their numbers of participants are those of the \
         Dutch experiments with social assistance (2017 to 2020), the persons and their months of exit are invented.",
    );
    report.heading("Who left, and how").push(&cities::people(&exits)?);
    report.paragraph(
        "Those who left for another reason can no longer leave for work: their exit competes. Those who withdrew from the \
         study were on benefit when they were last seen: their time is censored there.",
    );
    report.heading("Curves");
    report.push(&cities::on_benefit(&exits)?).push(&cities::incidence(&exits)?);
    report.push(&cities::months(&exits)?);
    report.heading("Effects in every city").push(&cities::effects(&trials)?);
    report.paragraph(
        "Points are differences in the share of people, months are months on benefit, HR is the cause-specific hazard ratio \
         of Cox regression (Efron ties), and SHR the subdistribution hazard ratio of Fine and Gray; all against control, \
         without covariates, with 95% intervals.",
    );
    report.heading("Tests that all arms are alike").push(&cities::tests(&exits)?);
    report.paragraph(
        "p-values. The log-rank test compares hazards of exit to work, Gray's test its cumulative incidence. The last column \
         tests whether hazard ratios of exit to work change with time (Grambsch and Therneau): a small p-value says that one \
         hazard ratio is no summary, and that shares at a horizon and months are.",
    );
    let pooled = pools::Pools::new(&trials)?;
    report.heading("The cities together").push(&pooled.grid());
    for words in pooled.words() {
        report.paragraph(words);
    }
    report.push(&pooled.at_12).push(&pooled.at_24).push(&pooled.months).push(&pooled.hazard);
    report.heading("The parts of the arms");
    for components in &pooled.components {
        report.push(components);
    }
    report.heading("One stage").push(&OneStageCox::new().stratified().pool(&exits)?);
    report.heading("Month by month");
    states::section(&mut report)?;
    if let Some(folder) = folder {
        let _ = std::fs::create_dir_all(folder);
        figures(&exits, &pooled, folder)?;
    }
    Ok(report)
}

/// The share of people on benefit and of those who left otherwise in every city, and the hazard ratios of all
/// cities together. The main job draws the share that left for work.
fn figures(exits: &Comparisons<TimeToEvent>, pooled: &pools::Pools, folder: &Path) -> armwise::Result<()> {
    for city in exits {
        let times = city.times()?;
        let data = times.data()?.strata(city.arm_indices())?;
        let names = || city.arms().iter().map(|arm| plain(&arm.label));
        let on_benefit = CurvePlot::survival(&data, names())?
            .title(format!("On benefit in {}", city.trial()))
            .subtitle("Kaplan-Meier; exits for any reason")
            .value_label("On benefit (%)");
        let otherwise = CurvePlot::incidence(&data, 2, names())?
            .title(format!("Left benefit otherwise in {}", city.trial()))
            .subtitle("Cumulative incidence (Aalen-Johansen); leaving for work competes")
            .value_label("Left otherwise (%)");
        let end = cities::end(city)?;
        for (name, plot) in [("on-benefit", on_benefit), ("left-otherwise", otherwise)] {
            let plot = if end < 24.0 {
                plot.footnote(format!("Followed for {} months, not for 24.", decimal(end, 0)))
            } else {
                plot.horizon(24.0)
            };
            plot.time_label("Months since the start")
                .ticks_every(6.0)
                .horizon(12.0)
                .without_bands()
                .write_svg(folder.join(format!("{name}-{}.svg", city.trial().to_lowercase())))?;
        }
    }
    states::figures(folder)?;
    ForestPlot::of(&pooled.hazard)
        .subtitle("cause-specific, against control, within strata; all arms of all cities in one model")
        .write_svg(folder.join("hazard-ratios.svg"))
}

/// The folder for the figures, if there is one; `Err` holds the text to print instead.
fn folder() -> Result<Option<PathBuf>, String> {
    let mut folder = None;
    let mut parser = lexopt::Parser::from_env();
    while let Some(argument) = parser.next().map_err(|why| why.to_string())? {
        match argument {
            Long("out") => folder = Some(parser.value().map_err(|why| why.to_string())?.into()),
            Long("help") | Short('h') => return Err(HELP.to_owned()),
            other => return Err(format!("{}\n\n{HELP}", other.unexpected())),
        }
    }
    Ok(folder)
}

fn main() -> ExitCode {
    let folder = match folder() {
        Ok(folder) => folder,
        Err(words) => {
            eprintln!("{words}");
            return if words == HELP { ExitCode::SUCCESS } else { ExitCode::FAILURE };
        }
    };
    match story(folder.as_deref()) {
        Ok(report) => {
            print!("{}", report.to_text());
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}
