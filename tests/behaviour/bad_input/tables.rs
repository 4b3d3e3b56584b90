//! Tables, trials and measures.

use super::check::{all_of, ensure, says};
use crate::support::labelled;
use armwise::data::CsvReader;
use armwise::design::TrialBuilder;
use armwise::prelude::*;

const WORKS: Measure<Binary> = Measure::binary("works");
const SCORE: Measure<Continuous> = Measure::continuous("score");
const FULL_TIME: Measure<Binary> = Outflow::full_time("hours");
const CONTRACT: Measure<Ordinal> = Contract::ordinal("contract");
const WHO5: Measure<Continuous> = Questionnaire::who5(&["w1", "w2", "w3", "w4", "w5"]).measure("wellbeing");
const PRORATED: Measure<Continuous> =
    Questionnaire::new(&["w1", "w2"], 0.0, 5.0).prorated_from(3).measure("wellbeing");
const NO_ITEMS: Measure<Continuous> = Questionnaire::new(&[], 0.0, 5.0).measure("wellbeing");
const APPLICATIONS: Measure<Count> = Measure::count("applications").exposure("weeks");
const WEEKS: Measure<TimeToEvent> = Measure::time_to_event("weeks", "works");

/// Name, CSV, what is tried, the words that the sentence must hold.
type Case<T> = (&'static str, &'static str, T, &'static [&'static str]);

type Declare = fn(TrialBuilder) -> TrialBuilder;
type Ask = fn(Trial) -> armwise::Result<()>;
type Model = fn(LogisticRegression) -> LogisticRegression;
type Try = fn(Table) -> armwise::Result<()>;

/// Designs that the builder refuses.
const DESIGNS: &[Case<Declare>] = &[
    ("header only", "arm,works\n", |trial| trial, &["no rows"]),
    ("an empty table", "", |trial| trial, &["Utrecht", "no rows"]),
    (
        "one arm only",
        "arm,works\ncontrol,1\ncontrol,0\n",
        |trial| trial,
        &["Utrecht", "column \"arm\"", "control"],
    ),
    ("no control", "arm,works\na,1\nb,0\n", |trial| trial, &["Utrecht", "control"]),
    (
        "missing arm cell",
        "arm,works\ncontrol,1\n,0\nguidance,1\n",
        |trial| trial,
        &["Utrecht", "column \"arm\"", "row 2"],
    ),
    (
        "missing stratum",
        "arm,works,district\ncontrol,1,a\nguidance,0,\n",
        |trial| trial.strata(["district"]),
        &["Utrecht", "column \"district\"", "row 2"],
    ),
    (
        "missing cluster",
        "arm,works,office\ncontrol,1,a\nguidance,0,\n",
        |trial| trial.clusters("office"),
        &["Utrecht", "column \"office\"", "row 2"],
    ),
    (
        "unknown column of strata",
        "arm,works,district\ncontrol,1,a\nguidance,0,b\n",
        |trial| trial.strata(["distrct"]),
        &["Utrecht", "did you mean \"district\""],
    ),
    (
        "duplicated ids",
        "id,arm,works\n7,control,1\n8,guidance,0\n7,guidance,1\n",
        |trial| trial.participant("id"),
        &["Utrecht", "column \"id\"", "7"],
    ),
    (
        "missing id",
        "id,arm,works\n7,control,1\n,guidance,0\n9,guidance,1\n",
        |trial| trial.participant("id"),
        &["Utrecht", "column \"id\"", "row 2"],
    ),
    (
        "take-up that is no number",
        "arm,works,received\ncontrol,1,x\nguidance,0,y\n",
        |trial| trial.take_up("received"),
        &["Utrecht", "column \"received\""],
    ),
    (
        "components of an unknown arm",
        "arm,works\ncontrol,1\nguidance,0\n",
        |trial| trial.components("guidence", ["a", "b"]),
        &["Utrecht", "did you mean \"guidance\""],
    ),
];

/// Questions that a trial refuses.
const MEASURES: &[Case<Ask>] = &[
    (
        "unknown column",
        "arm,works\ncontrol,1\nguidance,0\n",
        |trial| trial.on(&SCORE).map(drop),
        &["Utrecht", "score"],
    ),
    (
        "misspelt column",
        "arm,Works\ncontrol,1\nguidance,0\n",
        |trial| trial.on(&WORKS).map(drop),
        &["Utrecht", "did you mean \"Works\""],
    ),
    (
        "an event that is 2",
        "arm,works\ncontrol,1\nguidance,2\nguidance,0\n",
        |trial| trial.on(&WORKS).map(drop),
        &["Utrecht", "column \"works\"", "row 2", "0 or 1"],
    ),
    (
        "an event that is a word",
        "arm,works\ncontrol,maybe\nguidance,often\n",
        |trial| trial.on(&WORKS).map(drop),
        &["Utrecht", "column \"works\""],
    ),
    (
        "a score that is a word",
        "arm,score\ncontrol,high\nguidance,low\n",
        |trial| trial.on(&SCORE).map(drop),
        &["Utrecht", "column \"score\""],
    ),
    (
        "an outcome missing for a whole arm",
        "arm,works\ncontrol,1\ncontrol,0\nguidance,\nguidance,\n",
        |trial| trial.on(&WORKS).map(drop),
        &["Utrecht", "works", "arm \"guidance\""],
    ),
    (
        "an outcome missing for everybody",
        "arm,works\ncontrol,\nguidance,\n",
        |trial| trial.on(&WORKS).map(drop),
        &["Utrecht", "works"],
    ),
    (
        "negative hours",
        "arm,hours\ncontrol,30\nguidance,-3\n",
        |trial| trial.on(&FULL_TIME).map(drop),
        &["Utrecht", "full-time outflow", "column \"hours\"", "row 2", "-3"],
    ),
    (
        "too many hours",
        "arm,hours\ncontrol,30\nguidance,169\n",
        |trial| trial.on(&FULL_TIME).map(drop),
        &["column \"hours\"", "row 2", "168"],
    ),
    (
        "an unknown contract",
        "arm,contract\ncontrol,none\nguidance,seasonal\n",
        |trial| trial.on(&CONTRACT).map(drop),
        &["Utrecht", "column \"contract\"", "seasonal", "permanent"],
    ),
    (
        "a score out of range",
        "arm,w1,w2,w3,w4,w5\ncontrol,0,1,2,3,4\nguidance,5,5,5,5,6\n",
        |trial| trial.on(&WHO5).map(drop),
        &["Utrecht", "wellbeing", "column \"w5\"", "row 2", "6"],
    ),
    (
        "prorating from too many items",
        "arm,w1,w2\ncontrol,0,1\nguidance,5,5\n",
        |trial| trial.on(&PRORATED).map(drop),
        &["Utrecht", "wellbeing", "3 items"],
    ),
    (
        "a questionnaire without items",
        "arm,w1\ncontrol,0\nguidance,5\n",
        |trial| trial.on(&NO_ITEMS).map(drop),
        &["Utrecht", "wellbeing", "item"],
    ),
    (
        "half an application",
        "arm,applications,weeks\ncontrol,1,1\nguidance,1.5,1\n",
        |trial| trial.on(&APPLICATIONS).map(drop),
        &["column \"applications\"", "row 2", "1.5"],
    ),
    (
        "no exposure",
        "arm,applications,weeks\ncontrol,1,1\nguidance,1,0\n",
        |trial| trial.on(&APPLICATIONS).map(drop),
        &["column \"weeks\"", "row 2"],
    ),
    (
        "a negative time",
        "arm,weeks,works\ncontrol,1,1\nguidance,-1,0\n",
        |trial| trial.on(&WEEKS).map(drop),
        &["column \"weeks\"", "row 2", "-1"],
    ),
    (
        "hours in the wrong order",
        "arm,hours\ncontrol,1\nguidance,2\n",
        |trial| trial.on(&Outflow::between(30.0, 20.0, "hours")).map(drop),
        &["Utrecht", "30", "20"],
    ),
    (
        "a threshold that is NaN",
        "arm,hours\ncontrol,1\nguidance,2\n",
        |trial| trial.on(&Outflow::above(f64::NAN, "hours")).map(drop),
        &["Utrecht", "168"],
    ),
    (
        "an unknown arm",
        "arm,works\ncontrol,1\nguidance,0\n",
        |trial| trial.compare("guidence").on(&WORKS).map(drop),
        &["Utrecht", "did you mean \"guidance\""],
    ),
    (
        "an arm against itself",
        "arm,works\ncontrol,1\nguidance,0\n",
        |trial| trial.compare("control").on(&WORKS).map(drop),
        &["Utrecht", "control", "itself"],
    ),
    (
        "no take-up",
        "arm,works\ncontrol,1\nguidance,0\n",
        |trial| trial.take_up().map(drop),
        &["Utrecht", "take_up(..)"],
    ),
    (
        "an unknown treatment",
        "arm,works\ncontrol,1\nguidance,0\ncontrol,0\n",
        |trial| trial.on(&WORKS)?.estimate(&DifferenceInProportions::new())?.treatment("guidence").map(drop),
        &["Utrecht", "works", "did you mean \"guidance\""],
    ),
];

/// Models that participants cannot answer.
const MODELS: &[Case<Model>] = &[
    (
        "an unknown reference level",
        "arm,works,contract\ncontrol,1,none\nguidance,0,permanent\ncontrol,0,permanent\nguidance,1,none\n",
        |model| model.adjust_for(["contract"]).reference_level("contract", "seasonal"),
        &["Utrecht", "works", "column \"contract\"", "seasonal", "permanent"],
    ),
    (
        "a reference level of a covariate that is not there",
        "arm,works,contract\ncontrol,1,none\nguidance,0,permanent\n",
        |model| model.reference_level("contract", "none"),
        &["Utrecht", "works", "column \"contract\""],
    ),
    (
        "a covariate named twice",
        "arm,works,age\ncontrol,1,20\nguidance,0,30\n",
        |model| model.adjust_for(["age", "age"]),
        &["Utrecht", "works", "column \"age\"", "twice"],
    ),
    (
        "a misspelt covariate",
        "arm,works,age\ncontrol,1,20\nguidance,0,30\n",
        |model| model.adjust_for(["agee"]),
        &["Utrecht", "works", "did you mean \"age\""],
    ),
    (
        "a covariate that nobody in an arm has",
        "arm,works,age\ncontrol,1,20\nguidance,0,\ncontrol,0,30\nguidance,1,\n",
        |model| model.adjust_for(["age"]),
        &["Utrecht", "works", "arm \"guidance\"", "covariate"],
    ),
    (
        "weights of zero",
        "arm,works,w\ncontrol,1,1\nguidance,0,0\ncontrol,0,1\nguidance,1,1\n",
        |model| model.weights("w"),
        &["Utrecht", "works", "row 2", "weight"],
    ),
    (
        "weights that are words",
        "arm,works,w\ncontrol,1,a\nguidance,0,b\ncontrol,0,a\nguidance,1,a\n",
        |model| model.weights("w"),
        &["Utrecht", "works", "column \"w\""],
    ),
];

/// Other ways from a table, or from published counts.
const OTHERS: &[Case<Try>] = &[
    (
        "control not named",
        "arm,works\na,1\nb,0\n",
        |table| Trial::builder("Utrecht", table).arm_labels("arm").build().map(drop),
        &["Utrecht", "control(..)"],
    ),
    (
        "arms not named",
        "arm,works\na,1\nb,0\n",
        |table| Trial::builder("Utrecht", table).control("a").build().map(drop),
        &["Utrecht", "arm_labels(..)"],
    ),
    (
        "an unknown trial",
        "city,arm,works\nUtrecht,control,1\nUtrecht,guidance,0\n",
        |table| {
            Trials::builder(table, "city")
                .arm_labels("arm")
                .control("control")
                .build()?
                .trial("Utrect")
                .map(drop)
        },
        &["did you mean \"Utrecht\""],
    ),
    (
        "a city without a control",
        "city,arm,works\nUtrecht,control,1\nUtrecht,guidance,0\nTilburg,guidance,1\nTilburg,exemption,1\n",
        |table| Trials::builder(table, "city").arm_labels("arm").control("control").build().map(drop),
        &["Tilburg", "control"],
    ),
    (
        "a city with one arm",
        "city,arm,works\nUtrecht,control,1\nUtrecht,guidance,0\nTilburg,control,1\n",
        |table| Trials::builder(table, "city").arm_labels("arm").control("control").build().map(drop),
        &["Tilburg", "control"],
    ),
    (
        "a row without a city",
        "city,arm,works\nUtrecht,control,1\n,guidance,0\n",
        |table| Trials::builder(table, "city").arm_labels("arm").control("control").build().map(drop),
        &["column \"city\"", "row 2"],
    ),
    (
        "published counts where participants are needed",
        "",
        |_| {
            Comparison::from_counts("Utrecht", &WORKS, [("control", 1, 5), ("guidance", 2, 5)])?
                .estimate(&LogisticRegression::new())
                .map(drop)
        },
        &["Utrecht", "works", "participants"],
    ),
    (
        "more events than people",
        "",
        |_| Comparison::from_counts("Utrecht", &WORKS, [("control", 1, 5), ("guidance", 6, 5)]).map(drop),
        &["Utrecht", "works", "arm \"guidance\"", "6", "5"],
    ),
    (
        "counts of nobody",
        "",
        |_| Comparison::from_counts("Utrecht", &WORKS, [("control", 0, 0), ("guidance", 1, 5)]).map(drop),
        &["Utrecht", "works", "arm \"control\""],
    ),
    (
        "counts of one arm",
        "",
        |_| Comparison::from_counts("Utrecht", &WORKS, [("control", 1, 5)]).map(drop),
        &["Utrecht", "works", "two arms"],
    ),
    (
        "counts of an arm twice",
        "",
        |_| Comparison::from_counts("Utrecht", &WORKS, [("control", 1, 5), ("control", 2, 5)]).map(drop),
        &["Utrecht", "works", "arm \"control\"", "label"],
    ),
    (
        "more people than numbers can count",
        "",
        |_| {
            Comparison::from_counts("Utrecht", &WORKS, [("control", 1, u64::MAX), ("guidance", 2, u64::MAX)])
                .map(drop)
        },
        &["Utrecht", "works", "arm \"control\"", "people"],
    ),
    ("no comparison at all", "", |_| Comparisons::<Binary>::new([]).map(drop), &["trial"]),
];

/// Every case is refused, in a sentence with its words.
fn refused<T: Copy>(cases: &[Case<T>], attempt: impl Fn(Table, T) -> armwise::Result<()>) {
    for &(name, csv, what, words) in cases {
        let table = if csv.is_empty() { Ok(Table::new()) } else { Table::from_csv_str(csv) };
        match table.and_then(|table| attempt(table, what)) {
            Ok(()) => ensure(false, || format!("{name}: there is an answer")),
            Err(error) => says(name, &error, words),
        }
    }
}

#[test]
fn every_case_has_its_sentence() {
    all_of(|| {
        refused(DESIGNS, |table, design| design(labelled(table, "control")).build().map(drop));
        refused(MEASURES, |table, ask| ask(labelled(table, "control").build()?));
        refused(MODELS, |table, model| {
            let works = labelled(table, "control").build()?.on(&WORKS)?;
            works.estimate(&model(LogisticRegression::new())).map(drop)
        });
        refused(OTHERS, |table, attempt| attempt(table));
    });
}

#[test]
fn files_that_cannot_be_read() {
    says("an empty file", &Table::from_csv_str("").unwrap_err(), &["names of the columns"]);
    says(
        "no file",
        &Table::from_csv_path("/nowhere/participants.csv").unwrap_err(),
        &["/nowhere/participants.csv"],
    );
    says("too few cells", &Table::from_csv_str("arm,works\ncontrol\n").unwrap_err(), &["1"]);
    says("a column twice", &Table::from_csv_str("arm,arm\ncontrol,1\n").unwrap_err(), &["arm"]);
    let infinite = Table::from_csv_str("arm,score\ncontrol,inf\nguidance,NaN\ncontrol,1\n");
    match infinite {
        // Words, which the measure then refuses by name.
        Ok(table) => {
            let error = labelled(table, "control").build().unwrap().on(&SCORE).unwrap_err();
            says("NaN and infinities", &error, &["Utrecht", "column \"score\""]);
        }
        Err(error) => says("NaN and infinities", &error, &["score", "inf"]),
    }
    let declared =
        CsvReader::new().real("score").text("arm,score\ncontrol,inf\nguidance,NaN\ncontrol,1e999\n");
    says("NaN and infinities in a number", &declared.unwrap_err(), &["score", "row 1", "row 3"]);
    for cell in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        let error = Table::new().with_reals("score", [1.0, cell]).unwrap_err();
        says("NaN in memory", &error, &["column \"score\"", "row 2"]);
    }
    let ragged = Table::new().with_reals("a", [1.0, 2.0]).unwrap().with_reals("b", [1.0]);
    says("columns of different length", &ragged.unwrap_err(), &["column \"b\"", "2", "1"]);
}

#[test]
fn an_arm_with_nobody() {
    arms! { enum Typed { Control = "control", Guidance = "guidance", Exemption = "exemption" } }
    let table = Table::from_csv_str("arm,works\ncontrol,1\nguidance,0\n").unwrap();
    let error = Trial::builder("Utrecht", table.clone()).arms::<Typed>("arm").build().unwrap_err();
    says("an arm with nobody", &error, &["Utrecht", "arm \"exemption\"", "nobody"]);
    let table = Table::from_csv_str("arm,works\ncontrol,1\nguidence,0\nexemption,0\n").unwrap();
    let error = Trial::builder("Utrecht", table).arms::<Typed>("arm").build().unwrap_err();
    says("an unknown label", &error, &["Utrecht", "column \"arm\"", "row 2", "did you mean \"guidance\""]);
}
