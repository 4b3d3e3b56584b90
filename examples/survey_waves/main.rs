//! Four waves of a survey that people missed more and more: effects on wellbeing in every wave by a mixed
//! model for repeated measures, the same by other models side by side, and work by generalised estimating
//! equations.
//!
//! The participants are synthetic. Without arguments it prints the report; `--out DIR` also writes the figure
//! there.

use armwise::estimator::DifferenceOf;
use armwise::longitudinal::CovarianceStructure;
use armwise::prelude::*;
use armwise::report::{Align, Cell, EffectsOverTimePlot, Grid, Report};
use lexopt::prelude::{Long, Short};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

const HELP: &str = "\
Compares three arms in four waves of a survey, from the embedded participants.

usage: survey_waves [--out DIR]

  --out DIR   where the figure goes; default: nowhere
  --help      this text
";

/// Wellbeing before the start and in four waves. An empty cell is a wave that somebody missed.
const WELLBEING: Measure<Repeated<Continuous>> = Measure::repeated(
    "wellbeing",
    &[
        ("start", "baseline"),
        ("6 months", "score_1"),
        ("12 months", "score_2"),
        ("18 months", "score_3"),
        ("24 months", "score_4"),
    ],
)
.baseline("start")
.unit("points")
.higher_is_better();

/// Whether people work, in the same waves.
const WORK: Measure<Repeated<Binary>> = Measure::repeated_binary(
    "in work",
    &[("6 months", "work_1"), ("12 months", "work_2"), ("18 months", "work_3"), ("24 months", "work_4")],
)
.higher_is_better();

/// One row for each person, from one for each person and wave.
fn trial() -> armwise::Result<Trial> {
    let waves = Table::from_csv_str(include_str!("../data/repeated_survey.csv"))?;
    let people = waves.widen("id", "wave", ["score", "work"])?;
    let people = people.recode("arm", [("0", "control"), ("1", "guidance"), ("2", "exemption")])?;
    Trial::builder("Survey", people).participant("id").arm_labels("arm").control("control").build()
}

/// The effect in the last wave by models that assume more or less.
fn side_by_side(
    comparison: &Comparison<Repeated<Continuous>>,
    last: Estimates<MeanDifference>,
) -> armwise::Result<Grid> {
    let at = "24 months";
    let structure = |structure| RepeatedMeasures::new(structure).at(at);
    let mut grid = Grid::new("The effect at 24 months by other models, points")
        .column("Model", Align::Left)
        .column("People", Align::Right);
    for arm in last.treatments() {
        grid = grid.column(arm.to_string(), Align::Right);
    }
    let mixed = |model: RepeatedMeasures| comparison.estimate(&model);
    let rows = [
        (
            "mixed model, unstructured (declared beforehand)",
            mixed(structure(CovarianceStructure::Unstructured))?,
        ),
        (
            "mixed model, heterogeneous Toeplitz",
            mixed(structure(CovarianceStructure::HeterogeneousToeplitz))?,
        ),
        ("mixed model, compound symmetry", mixed(structure(CovarianceStructure::CompoundSymmetry))?),
        (
            "baseline as an outcome with one mean (cLDA)",
            mixed(structure(CovarianceStructure::Unstructured).constrained_baseline())?,
        ),
        (
            "estimating equations, exchangeable",
            comparison.estimate(&GeneralizedEstimatingEquations::exchangeable().at(at))?,
        ),
        (
            "difference in differences, all outcomes",
            comparison.estimate(&DifferenceInDifferences::new().at(at))?,
        ),
        (
            "difference in differences, people with both waves",
            comparison.estimate(&DifferenceInDifferences::new().at(at).of(DifferenceOf::Changes))?,
        ),
        ("analysis of covariance of the wave alone", last),
    ];
    for (name, effects) in rows {
        let arms = effects.contrasts.iter().map(|one| one.treatment_counts().analysed);
        let people = effects.reference.counts.analysed + arms.sum::<u64>();
        let cells = effects.contrasts.iter().map(|one| Cell::effect(effects.about(), &one.inference));
        grid.push([Cell::text(name), Cell::count(people)].into_iter().chain(cells));
    }
    Ok(grid)
}

fn story(folder: Option<&Path>) -> armwise::Result<Report> {
    let trial = trial()?;
    let comparison = trial.on(&WELLBEING)?;
    let declared = RepeatedMeasures::unstructured().or_else([
        CovarianceStructure::HeterogeneousToeplitz,
        CovarianceStructure::HeterogeneousAutoregressive,
    ]);
    let waves = comparison.estimate_waves(&declared)?;
    let mut report = Report::new("Wellbeing in four waves of a survey");
    report.paragraph(
        "The participants and their answers are synthetic, and so are the names of arms and the months. Fewer people answered \
         every next wave.",
    );
    report.heading("Effects on wellbeing");
    report.paragraph(
        "Differences in mean points against control by a mixed model for repeated measures, with a slope of the baseline for \
         every wave: everybody with any outcome counts, and a missed wave may depend on what was answered before. 95% \
         intervals; declared beforehand: unstructured covariance of the waves, REML, Kenward and Roger's intervals, and \
         simpler covariances where that one cannot be fitted.",
    );
    report.push(&waves);
    let last = trial.on(&Measure::continuous("score_4").named("wellbeing").unit("points"))?;
    let ancova = last.estimate(&LinearRegression::new().adjust_for(["baseline"]))?;
    report.push(&side_by_side(&comparison, ancova)?);
    report.heading("Effects on work");
    report.paragraph(
        "Odds ratios of working against control by generalised estimating equations with an exchangeable working correlation \
         and Mancl and DeRouen's standard errors. People who missed a wave are taken as like those of their arm who did not.",
    );
    let work = trial.on(&WORK)?.estimate_waves(&GeneralizedEstimatingEquations::exchangeable())?;
    report.push(&work);
    if let Some(folder) = folder {
        let _ = std::fs::create_dir_all(folder);
        EffectsOverTimePlot::of_waves(&waves)?
            .title("Effects on wellbeing in four waves")
            .times([6.0, 12.0, 18.0, 24.0])?
            .time_label("Months since the start")
            .value_label("Difference in means (points)")
            .write_svg(folder.join("wellbeing.svg"))?;
    }
    Ok(report)
}

/// The folder for the figure, if there is one; `Err` holds the text to print instead.
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
