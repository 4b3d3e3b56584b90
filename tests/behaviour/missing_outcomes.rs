//! Bounds, tipping points and imputation of trials.

use crate::support::{labelled, survives};
use armwise::Interval;
use armwise::missing::{
    Bounds, CompleteDf, DeltaGrid, Imputation, ImputationModel, ImputedTrial, MissingBounds, Selection,
    TippingGrid, TippingTest,
};
use armwise::prelude::*;
use armwise::report::{Report, TippingPlot};
use rayon::ThreadPoolBuilder;

const SCORE: Measure<Continuous> = Measure::continuous("score");
const WORKS: Measure<Binary> = Measure::binary("works");

/// Numbers in (0, 1) without pattern.
fn uniform(i: usize, stream: usize) -> f64 {
    let wave = ((i as f64) * 12.9898 + (stream as f64) * 78.233).sin() * 43758.5453;
    (wave - wave.floor()).clamp(1e-9, 1.0 - 1e-9)
}

fn normal(i: usize, stream: usize) -> f64 {
    armwise::distribution::Normal.quantile(uniform(i, stream))
}

/// A trial in which the outcome is missing for those who started low, more so without guidance; the effect is 2.
fn trial(n: usize, holes: bool) -> Trial {
    let mut text = "id,arm,district,before,score,works,contract,visits,wage\n".to_owned();
    for i in 0..n {
        let guided = i % 2 == 1;
        let before = 50.0 + 10.0 * normal(i, 1);
        let score = before + 2.0 * f64::from(u8::from(guided)) + 5.0 * normal(i, 2);
        let chance = 1.0 / (1.0 + ((before - 48.0) / if guided { 8.0 } else { 3.0 }).exp());
        let gone = holes && uniform(i, 3) < chance;
        let works = uniform(i, 4) < 0.4;
        let contract = ["none", "temporary", "permanent"][(i * 7 + i / 5) % 3];
        let wage = if works { 1500.0 + 400.0 * normal(i, 6) } else { 0.0 };
        let cell = |text: String, hole: bool| if hole { String::new() } else { text };
        let arm = if guided { "guidance" } else { "control" };
        let other = holes && i % 11 == 4;
        text += &format!(
            "{i},{arm},{},{before:.1},{},{},{},{},{}\n",
            ["north", "south"][(i / 2) % 2],
            cell(format!("{score:.2}"), gone),
            cell(u8::from(works).to_string(), gone),
            cell(contract.to_owned(), other),
            cell((i % 5).to_string(), other),
            cell(format!("{wage:.0}"), gone),
        );
    }
    labelled(Table::from_csv_str(&text).unwrap(), "control").strata(["district"]).build().unwrap()
}

fn everything() -> Imputation {
    Imputation::new(11)
        .impute("score", ImputationModel::Linear)
        .impute("works", ImputationModel::Logistic)
        .impute(
            "contract",
            ImputationModel::Ordinal {
                levels: ["none", "temporary", "permanent"].map(str::to_owned).to_vec(),
            },
        )
        .impute("visits", ImputationModel::Count)
        .impute("wage", ImputationModel::TwoPart)
        .predictors(["before"])
        .imputations(3)
        .iterations(4)
}

#[test]
fn imputation_finds_the_effect_that_complete_cases_miss() {
    let trial = trial(1200, true);
    let plain = trial.on(&SCORE).unwrap().estimate(&DifferenceInMeans::new()).unwrap();
    let imputed = Imputation::new(5)
        .impute("score", ImputationModel::Linear)
        .predictors(["before"])
        .run(&trial)
        .unwrap();
    let effects = imputed.on(&SCORE).unwrap().estimate(&DifferenceInMeans::new()).unwrap();
    let (plain, effect) = (plain.treatment("guidance").unwrap(), effects.treatment("guidance").unwrap());
    assert!((plain.value() - 2.0).abs() > 2.0 * plain.se(), "{}", plain.value());
    assert!((effect.value() - 2.0).abs() < 2.5 * effect.se(), "{}", effect.value());
    let fraction = effects.missing_information("guidance").unwrap().unwrap();
    assert!((0.01..0.9).contains(&fraction), "{fraction}");
    assert!(effects.missing_information("nothing").is_err());
    assert_eq!(effect.treatment_counts().analysed, 600);
    let told = effect.notices().iter().find(|notice| matches!(notice, Notice::Imputed { .. })).unwrap();
    let missing = trial.table().column("score").unwrap().missing();
    assert!(
        told.to_string().starts_with(&format!("{missing} outcomes were imputed, of 1200 randomised,")),
        "{told}"
    );
    survives(effects.estimates());
    // Pools take it like any other.
    let other = Trial::builder("Tilburg", trial.table().clone())
        .arm_labels("arm")
        .control("control")
        .build()
        .unwrap();
    let other = other.on(&SCORE).unwrap().estimate(&DifferenceInMeans::new()).unwrap();
    let both = Effects::new([effects.into_estimates(), other]).unwrap();
    assert!(RandomEffects::new().pool(&both.treatment("guidance").unwrap()).is_ok());
}

#[test]
fn a_complete_trial_is_analysed_as_it_is() {
    let trial = trial(200, false);
    let imputed = everything().run(&trial).unwrap();
    assert!(imputed.traces().is_empty() && imputed.notices().is_empty());
    let one =
        trial.on(&SCORE).unwrap().estimate(&DifferenceInMeans::new()).unwrap().treatment("guidance").unwrap();
    let all = imputed
        .on(&SCORE)
        .unwrap()
        .estimate(&DifferenceInMeans::new())
        .unwrap()
        .treatment("guidance")
        .unwrap();
    assert_eq!((one.value(), one.se()), (all.value(), all.se()));
    let infinite = imputed.on(&SCORE).unwrap().complete_df(CompleteDf::Infinite);
    assert_eq!(
        infinite.estimate(&DifferenceInMeans::new()).unwrap().treatment("guidance").unwrap().df(),
        None
    );
    assert!(!all.notices().iter().any(|notice| matches!(notice, Notice::MissingOutcome { .. })));
}

#[test]
fn every_kind_of_column_is_completed_with_the_same_bits_on_any_threads() {
    let trial = trial(160, true);
    let tables = || -> Vec<String> {
        let imputed = everything().run(&trial).unwrap();
        for one in imputed.trials() {
            let table = one.table();
            assert!(table.names().all(|name| table.column(name).unwrap().missing() == 0));
        }
        imputed.trials().iter().map(|one| format!("{:?}", columns(one.table()))).collect()
    };
    let with = |threads| ThreadPoolBuilder::new().num_threads(threads).build().unwrap().install(tables);
    let one = with(1);
    assert!(one == with(2) && one == with(3));
    let imputed = everything().iterations(10).run(&trial).unwrap();
    assert!(imputed.traces().iter().all(|trace| trace.means.len() == 3 && trace.means[0].len() == 10));
    assert!(imputed.traces().iter().any(|trace| trace.r_hat().is_some()));
    // What was seen stays.
    let (seen, completed) = (trial.table(), imputed.trials()[0].table());
    let pairs = seen
        .column("score")
        .unwrap()
        .reals()
        .unwrap()
        .zip(completed.column("score").unwrap().reals().unwrap());
    assert!(pairs.into_iter().all(|(seen, value)| seen.is_none() || seen == value));
    // A delta moves the imputed alone, and nothing at 0.
    let effect = |trial: &ImputedTrial| {
        trial
            .on(&SCORE)
            .unwrap()
            .estimate(&DifferenceInMeans::new())
            .unwrap()
            .treatment("guidance")
            .unwrap()
            .value()
    };
    let plain = effect(&imputed);
    assert_eq!(plain, effect(&imputed.delta("score", "guidance", 0.0).unwrap()));
    let arm = trial.table().column("arm").unwrap();
    let guided = (0..160).filter(|&i| arm.categories().unwrap().nth(i) == Some(Some("guidance")));
    let gone = guided.filter(|&i| seen.column("score").unwrap().is_missing(i)).count() as f64;
    let moved = effect(&imputed.delta("score", "guidance", -3.0).unwrap());
    assert!((plain - moved - 3.0 * gone / 80.0).abs() < 1e-9);
    assert!(
        imputed.delta("score", "nobody", 1.0).is_err()
            && imputed.delta("score", "guidance", f64::NAN).is_err()
    );
}

fn columns(table: &Table) -> Vec<Vec<String>> {
    let words = |name: &str| {
        let column = table.column(name).unwrap().clone();
        match column.reals() {
            Ok(numbers) => numbers.map(|x| format!("{:?}", x.map(f64::to_bits))).collect(),
            Err(_) => column.categories().unwrap().map(|label| format!("{label:?}")).collect(),
        }
    };
    table.names().map(words).collect()
}

#[test]
fn impossible_imputations_say_which_column_and_arm() {
    let text = "arm,before,score\nc,1,\nc,2,\nc,3,\nt,1,3\nt,2,\nt,3,5\n";
    let trial = labelled(Table::from_csv_str(text).unwrap(), "c").build().unwrap();
    let run = |imputation: Imputation| imputation.run(&trial).unwrap_err();
    let score = |model| Imputation::new(1).impute("score", model);
    let error = run(score(ImputationModel::Linear));
    assert_eq!(error.kind().name(), "insufficient_observations");
    let words = error.to_string();
    assert!(words.contains("score") && words.contains("\"c\"") && words.contains("Utrecht"), "{words}");
    assert_eq!(run(Imputation::new(1)).kind().name(), "invalid_input");
    assert_eq!(run(Imputation::new(1).predictors(["nothing"])).kind().name(), "unknown_column");
    assert_eq!(run(score(ImputationModel::Linear).predictors(["score"])).kind().name(), "invalid_input");
    let one =
        labelled(Table::from_csv_str("arm,score\nc,1\nc,2\nt,1\nt,\nt,4\n").unwrap(), "c").build().unwrap();
    let error = score(ImputationModel::Linear).imputations(1).run(&one).unwrap_err();
    assert_eq!(error.kind().name(), "insufficient_observations");
    let range = Interval::new(0.0, 3.0).unwrap();
    let error = score(ImputationModel::Linear).range("score", range).run(&one).unwrap_err();
    assert_eq!(error.kind().name(), "invalid_input");
    let error = score(ImputationModel::Count).range("score", range).run(&one).unwrap_err();
    assert_eq!(error.kind().name(), "invalid_input");
}

#[test]
fn stacked_imputations_hold_the_same_people() {
    let build = |table: Table| labelled(table, "c").build();
    let of = |text: &str| {
        ImputedTrial::from_stacked(&Table::from_csv_str(text).unwrap(), "m", "id", build).map(|_| ())
    };
    let refused = |text: &str| of(text).unwrap_err().kind().name();
    assert!(of("m,id,arm,y\n1,1,c,1\n1,2,t,2\n2,2,t,3\n2,1,c,1\n").is_ok());
    assert_eq!(refused("m,id,arm,y\n1,1,c,1\n1,2,t,2\n"), "insufficient_observations");
    assert_eq!(refused("m,id,arm,y\n1,1,c,1\n1,2,t,2\n2,1,c,1\n2,3,t,1\n"), "invalid_input");
    assert_eq!(refused("m,id,arm,y\n1,1,c,1\n1,1,t,2\n2,1,c,1\n2,1,t,1\n"), "invalid_input");
    assert_eq!(refused("m,id,arm,y\n1,1,c,1\n1,2,t,2\n2,1,t,1\n2,2,c,1\n"), "invalid_input");
}

#[test]
fn worst_case_bounds_hold_every_completion_of_a_small_trial() {
    let text = "arm,works\nc,0\nc,1\nc,\nc,\nt,1\nt,0\nt,1\nt,\nt,\n";
    let trial = labelled(Table::from_csv_str(text).unwrap(), "c").build().unwrap();
    let works = trial.on(&WORKS).unwrap();
    let range = Interval::new(0.0, 1.0).unwrap();
    let bounds = Bounds::worst_case(range).on(&works).unwrap();
    let own = bounds.treatment("t").unwrap();
    let (mut low, mut high) = (f64::INFINITY, f64::NEG_INFINITY);
    for code in 0..16_u8 {
        let bits: Vec<u8> = (0..4).map(|bit| code >> bit & 1).collect();
        let effect = f64::from(2 + bits[0] + bits[1]) / 5.0 - f64::from(1 + bits[2] + bits[3]) / 4.0;
        (low, high) = (low.min(effect), high.max(effect));
        assert!(own.bounds.lower() <= effect + 1e-12 && effect <= own.bounds.upper() + 1e-12);
    }
    assert!((own.bounds.lower() - low).abs() < 1e-12 && (own.bounds.upper() - high).abs() < 1e-12);
    let counts = [("c", 1, 4), ("t", 2, 5)];
    let published = Comparison::from_counts("Utrecht", &WORKS, counts).unwrap();
    let narrow = Bounds::worst_case(range).on(&published).unwrap();
    assert!(narrow.treatments[0].bounds.width() < 1e-12);
}

#[test]
fn bounds_have_labels_intervals_and_words() {
    let trial = trial(300, true);
    let score = trial.on(&SCORE).unwrap();
    let range = Interval::new(0.0, 120.0).unwrap();
    let all: Vec<MissingBounds> = [
        Bounds::worst_case(range),
        Bounds::monotone(range, Selection::MissingNotHigher),
        Bounds::deviations(0.2),
        Bounds::trimmed(),
        Bounds::trimmed_by("district"),
    ]
    .iter()
    .map(|bounds| bounds.on(&score).unwrap())
    .collect();
    let mut report = Report::new("Bounds");
    for bounds in &all {
        survives(bounds);
        report.push(bounds);
        let own = bounds.treatment("guidance").unwrap();
        if let Some(interval) = own.interval {
            assert!(interval.lower() <= own.bounds.lower() && own.bounds.upper() <= interval.upper());
        }
        let words = bounds.to_string();
        assert!(
            words.starts_with("Utrecht, score: bounds of the difference in means (")
                && words.contains("guidance vs control"),
            "{words}"
        );
        assert!(!words.contains("not analysed"), "{words}");
    }
    assert!(all[1].treatments[0].bounds.width() < all[0].treatments[0].bounds.width());
    assert!(all[4].treatments[0].interval.is_none() && all[3].treatments[0].trimmed.is_some());
    assert!(
        report.to_markdown().contains("| Complete cases |") && report.to_text().contains("worst case within")
    );
    assert_eq!(all[0].treatment("nobody").unwrap_err().kind().name(), "unknown_treatment");
    let narrow = Bounds::worst_case(Interval::new(0.0, 20.0).unwrap()).on(&score).unwrap_err();
    assert_eq!(narrow.kind().name(), "invalid_input");
    let unknown = Bounds::trimmed_by("nothing").on(&score).unwrap_err();
    assert_eq!(unknown.kind().name(), "unknown_column");
    // Numbers that were changed are refused.
    let mut document = serde_json::to_value(&all[0]).unwrap();
    document["treatments"][0]["interval"]["upper"] = 500.0.into();
    assert!(serde_json::from_value::<MissingBounds>(document).is_err());
}

/// People who would be seen in either arm have an effect of 3; treatment makes others be seen, too, who score low.
#[test]
fn trimmed_bounds_hold_the_effect_on_those_who_are_always_seen() {
    let mut text = "arm,score\n".to_owned();
    for i in 0..6000 {
        let treated = i % 2 == 0;
        let (always, sometimes) = (uniform(i, 1) < 0.6, uniform(i, 2) < 0.4);
        let base = if always { 10.0 } else { 6.0 } + 2.0 * normal(i, 3);
        let seen = always || treated && sometimes;
        let score = base + if treated { 3.0 } else { 0.0 };
        let arm = if treated { "t" } else { "c" };
        text += &if seen { format!("{arm},{score:.4}\n") } else { format!("{arm},\n") };
    }
    let trial = labelled(Table::from_csv_str(&text).unwrap(), "c").build().unwrap();
    let bounds = Bounds::trimmed().on(&trial.on(&SCORE).unwrap()).unwrap();
    let own = bounds.treatment("t").unwrap();
    assert!(own.bounds.contains(3.0) && own.complete_cases < 3.0 - 0.2, "{bounds}");
}

#[test]
fn tipping_points_are_grids_with_a_figure() {
    let trial = trial(300, true);
    let works = trial.on(&WORKS).unwrap();
    let grid = TippingGrid::of_events(&works, "guidance", TippingTest::Pooled, 0.05).unwrap();
    survives(&grid);
    let missing = |arm: usize| works.arms()[arm].counts.randomised - works.arms()[arm].counts.observed;
    assert_eq!(grid.cells() as u64, (missing(0) + 1) * (missing(1) + 1));
    assert!(grid.changed() > 0 && grid.changed() < grid.cells());
    let figure = TippingPlot::of(&grid).width(500.0).to_svg();
    assert!(figure.contains("<svg") && figure.contains("Control: events among the missing"));
    let mut report = Report::new("Tipping points");
    report.push(&grid);
    assert!(report.to_text().contains("another conclusion than without any departure"));
    assert!(grid.to_string().contains("the conclusion at 0.05 changes in"), "{grid}");
    assert!(TippingGrid::of_events(&works, "nobody", TippingTest::Pooled, 0.05).is_err());
    assert!(TippingGrid::of_events(&works, "guidance", TippingTest::Pooled, 1.0).is_err());

    let imputed = Imputation::new(3)
        .impute("score", ImputationModel::PredictiveMeanMatching)
        .predictors(["before"])
        .imputations(5)
        .run(&trial)
        .unwrap();
    let deltas = DeltaGrid::new("guidance", [0.0, -4.0, -8.0, -12.0]).of_reference([-4.0, 0.0, 4.0]);
    let grid = deltas.run(&imputed, &SCORE, &LinearRegression::new().adjust_for(["before"])).unwrap();
    survives(&grid);
    assert!((grid.values[0][1] - grid.plain).abs() < 1e-12);
    assert!(grid.values.windows(2).all(|rows| rows[0][1] > rows[1][1]));
    assert!(TippingPlot::of(&grid).to_svg().contains("added to what was imputed"));
    assert!(grid.to_string().contains("5 imputations, linear regression"), "{grid}");
    let one_way =
        DeltaGrid::new("guidance", [0.0, -5.0]).run(&imputed, &SCORE, &DifferenceInMeans::new()).unwrap();
    assert_eq!((one_way.of_reference.len(), one_way.cells()), (1, 2));
    assert!(TippingPlot::of(&one_way).to_svg().contains("<svg"));
}
