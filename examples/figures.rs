//! Every kind of figure from one set of trials: forest plots, funnel plots, Baujat's plot, the graph of a
//! network, and curves of the time on benefit.
//!
//! Without arguments it prints the list of figures; `--out DIR` writes the figures there.

use armwise::meta_analysis::{FunnelSide, MissingStudies, SubgroupTau2};
use armwise::prelude::*;
use armwise::report::{BaujatPlot, CurvePlot, EdgeWidth};
use armwise::survival::SurvivalData;
use lexopt::prelude::{Long, Short};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

const HELP: &str = "\
Draws every kind of figure from the embedded participants.

usage: figures [--out DIR]

  --out DIR   where the figures go; default: nowhere, only their names and sizes are printed
  --help      this text
";

/// Part-time work is an aim here.
const PART_TIME: Measure<Binary> = Outflow::part_time("hours_per_week").higher_is_better();

/// The arms that combine measures; every other arm is a measure of its own.
const COMBINATIONS: [(&str, &[&str]); 6] = [
    ("earnings_free_choice", &["earnings", "free_choice"]),
    ("earnings_guidance", &["earnings", "guidance"]),
    ("exemption_earnings", &["exemption", "earnings"]),
    ("guidance_earnings", &["guidance", "earnings"]),
    ("exemption_remote", &["exemption", "remote"]),
    ("exemption_on_demand", &["exemption", "free_choice"]),
];

type Figure = (&'static str, String);

/// The participants are synthetic: the design of the experiments is real, the persons are invented.
fn trials() -> armwise::Result<Trials> {
    let table = Table::from_csv_str(include_str!("data/participants.csv"))?;
    let mut builder = Trials::builder(table, "municipality").arm_labels("arm").control("control");
    for (arm, components) in COMBINATIONS {
        builder = builder.components(arm, components);
    }
    builder.build()
}

/// Months on benefit of the people of one city, and the share that left it for work.
fn curves(city: &str) -> armwise::Result<[Figure; 2]> {
    let table = Table::from_csv_str(include_str!("data/participants.csv"))?;
    let mut arms: Vec<&str> = Vec::new();
    let (mut months, mut reasons, mut codes) = (Vec::new(), Vec::new(), Vec::new());
    let cities = table.column("municipality")?.categories()?;
    let of_arm = table.column("arm")?.categories()?;
    let exits = table.column("exit_month")?.reals()?.zip(table.column("exit_reason")?.categories()?);
    let ends = table.column("censor_month")?.reals()?;
    for (((place, arm), (exit, reason)), end) in cities.zip(of_arm).zip(exits).zip(ends) {
        let (Some(arm), Some(month)) = (arm.filter(|_| place == Some(city)), exit.or(end)) else { continue };
        let code = arms.iter().position(|known| *known == arm).unwrap_or_else(|| {
            arms.push(arm);
            arms.len() - 1
        });
        months.push(month);
        reasons.push(match reason {
            Some("work") => 1,
            Some("none") | None => 0,
            Some(_) => 2,
        });
        codes.push(u32::try_from(code).unwrap_or(u32::MAX));
    }
    let data = SurvivalData::new(&months, &reasons)?.strata(&codes)?;
    let names = || arms.iter().map(|arm| arm.replace('_', " "));
    let time = "Months since the start";
    let on_benefit = CurvePlot::survival(&data, names())?
        .title(format!("On benefit in {city}"))
        .value_label("On benefit (%)")
        .time_label(time)
        .ticks_every(6.0);
    let to_work = CurvePlot::incidence(&data, 1, names())?
        .title(format!("Left benefit for work in {city}"))
        .subtitle("Cumulative incidence; other exits compete")
        .value_label("Left for work (%)")
        .time_label(time)
        .ticks_every(6.0)
        .without_bands()
        .horizon(12.0);
    Ok([("curves-survival", on_benefit.to_svg()), ("curves-incidence", to_work.to_svg())])
}

fn figures() -> armwise::Result<Vec<Figure>> {
    let trials = trials()?;
    let cities = trials.on(&PART_TIME)?;
    let effects = cities.estimate(&DifferenceInProportions::new())?;
    let guidance = effects.treatment("guidance")?;
    let pooled = RandomEffects::new().pool(&guidance)?;
    let sensitivity = RandomEffects::new().sensitivity(&guidance)?;
    let trimmed = sensitivity.trim_and_fill(MissingStudies::R0, FunnelSide::Left)?;

    let sizes = guidance.iter().map(|effect| {
        let people = effect.treatment_counts().analysed + effect.reference_counts().analysed;
        (effect.trial().clone(), if people > 300 { "large" } else { "small" })
    });
    let sizes = Subgroups::by("size of the trial", sizes).tau2(SubgroupTau2::Common).pool(&guidance)?;
    let utrecht = trials.trial("Utrecht")?.on(&PART_TIME)?.by_subgroup("female")?;
    let utrecht = utrecht.estimate(&DifferenceInProportions::new())?;
    let components = ComponentModel::random().pool(&effects)?;
    let network = NetworkMetaAnalysis::random().pool(&effects)?;

    let odds = cities.estimate(&OddsRatio::new())?;
    let stages = OneStageComparison::new("guidance")
        .two_stage("Two stages, common effect", &CommonEffect::new().pool(&odds.treatment("guidance")?)?)?
        .two_stage("Two stages, random effects", &RandomEffects::new().pool(&odds.treatment("guidance")?)?)?
        .one_stage("One stage, logistic", &OneStageLogistic::common().pool(&cities)?)?;

    let [on_benefit, to_work] = curves("Deventer")?;
    Ok(vec![
        ("forest", ForestPlot::of(&pooled).to_svg()),
        ("forest-subgroups-of-trials", ForestPlot::of(&sizes).to_svg()),
        ("forest-subgroups-of-utrecht", ForestPlot::of(&utrecht).to_svg()),
        ("forest-side-by-side", ForestPlot::of(&SideBySide::new().pool(&guidance)?).to_svg()),
        ("forest-components", ForestPlot::of(&components).to_svg()),
        ("forest-network", ForestPlot::of(&network).to_svg()),
        ("forest-one-stage", ForestPlot::of(&stages).to_svg()),
        ("funnel", FunnelPlot::of(&pooled).to_svg()),
        ("funnel-asymmetry", FunnelPlot::of_asymmetry(&sensitivity.asymmetry()?).to_svg()),
        ("funnel-filled", FunnelPlot::of_filled(&trimmed).to_svg()),
        ("baujat", BaujatPlot::of(&sensitivity.influence()?).to_svg()),
        ("network", NetworkGraph::of(&network).to_svg()),
        (
            "network-participants",
            NetworkGraph::of(&network)
                .edge_width(EdgeWidth::Participants)
                .title("Who was compared with whom")
                .to_svg(),
        ),
        on_benefit,
        to_work,
    ])
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

fn write(folder: &Path, figures: &[Figure]) -> std::io::Result<()> {
    std::fs::create_dir_all(folder)?;
    figures.iter().try_for_each(|(name, svg)| std::fs::write(folder.join(format!("{name}.svg")), svg))
}

fn main() -> ExitCode {
    let folder = match folder() {
        Ok(folder) => folder,
        Err(words) => {
            eprintln!("{words}");
            return if words == HELP { ExitCode::SUCCESS } else { ExitCode::FAILURE };
        }
    };
    let figures = match figures() {
        Ok(figures) => figures,
        Err(error) => {
            eprintln!("{error}");
            return ExitCode::FAILURE;
        }
    };
    for (name, svg) in &figures {
        println!("{name}.svg: {} bytes", svg.len());
    }
    match folder.map(|folder| write(&folder, &figures)) {
        Some(Err(error)) => {
            eprintln!("the figures cannot be written: {error}");
            ExitCode::FAILURE
        }
        _ => ExitCode::SUCCESS,
    }
}
