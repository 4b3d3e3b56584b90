//! Labels, wherever they are used: twins are refused, undeclared ones are refused, misspelt ones are
//! suggested.

use armwise::prelude::*;

/// Two labels that a reader takes for one, and a word for their difference.
const TWINS: [(&str, &str, &str); 6] = [
    ("North", "north", "case"),
    ("north", "north ", "space"),
    ("no  work", "no work", "space"),
    ("north", "north\u{a0}", "space"),
    ("no\u{200b}rth", "north", "space"),
    ("caf\u{e9}", "cafe\u{301}", "Unicode"),
];

/// Eight people in two arms, whose labels in column `x` alternate.
fn people(first: &str, second: &str) -> armwise::Result<Table> {
    let x = (0..8).map(|i| if i % 2 == 0 { first } else { second });
    Table::new()
        .with_categories("arm", (0..8).map(|i| if i < 4 { "control" } else { "guidance" }))?
        .with_categories("x", x)?
        .with_counts("works", [0, 1, 1, 0, 1, 1, 0, 1])
}

fn trial(table: Table) -> armwise::Result<Trial> {
    Trial::builder("Utrecht", table).arm_labels("arm").control("control").build()
}

type Use = fn(Table) -> armwise::Result<()>;

const LEVELS: Measure<Ordinal> = Measure::ordinal("x", &["low", "high"]);
const WORKS: Measure<Binary> = Measure::binary("works");

/// Every use of a column of labels.
const USES: [(&str, Use); 10] = [
    ("arms", |table| Trial::builder("U", table).arm_labels("x").control("north").build().map(drop)),
    ("trials", |table| Trials::builder(table, "x").arm_labels("arm").control("control").build().map(drop)),
    ("strata", |table| {
        Trial::builder("U", table).arm_labels("arm").control("control").strata(["x"]).build().map(drop)
    }),
    ("clusters", |table| {
        Trial::builder("U", table).arm_labels("arm").control("control").clusters("x").build().map(drop)
    }),
    ("an event", |table| trial(table)?.on(&Measure::level("x", "north").others_are_no()).map(drop)),
    ("ordered levels", |table| trial(table)?.on(&Measure::ordinal("x", &["north", "south"])).map(drop)),
    ("levels", |table| trial(table)?.on(&Measure::nominal("x", &["north", "south"])).map(drop)),
    ("subgroups", |table| trial(table)?.on(&WORKS)?.by_subgroup("x").map(drop)),
    ("a covariate", |table| {
        trial(table)?.on(&WORKS)?.estimate(&LinearRegression::new().adjust_for(["x"])).map(drop)
    }),
    ("a part of a table", |table| table.split_by("x").map(drop)),
];

#[test]
fn twins_are_refused_wherever_labels_are_used() {
    for (first, second, difference) in TWINS {
        for (what, used) in USES {
            let error = used(people(first, second).unwrap()).expect_err(what);
            assert_eq!(error.kind().name(), "twin_labels", "{what}: {error}");
            assert_eq!(error.place().column.as_deref(), Some("x"), "{what}: {error}");
            assert!(error.to_string().contains(difference), "{what}: {error}");
        }
    }
    for (what, used) in &USES[3..] {
        if ![USES[4].0, USES[5].0, USES[6].0].contains(what) {
            let result = used(people("north", "south").unwrap());
            assert!(result.is_ok(), "{what}: {result:?}");
        }
    }
}

#[test]
fn identifiers_that_are_twins_are_one_person_twice() {
    let ids = ["p1", "p2", "p3", "p4", "P1", "p6", "p7", "p8"];
    let table = people("a", "b").unwrap().with_categories("id", ids).unwrap();
    let trial = Trial::builder("U", table).arm_labels("arm").control("control").participant("id");
    assert_eq!(trial.build().unwrap_err().kind().name(), "twin_labels");
}

/// Trials that are built one by one, published counts and effects meet for the first time where they are
/// joined.
#[test]
fn twins_are_refused_between_trials() {
    let counts = |trial: &str, arm: &str| {
        Comparison::from_counts(trial, &WORKS, [("control", 6, 176), (arm, 7, 172)]).unwrap()
    };
    let effects =
        |trial: &str, arm: &str| counts(trial, arm).estimate(&DifferenceInProportions::new()).unwrap();
    let name = |error: armwise::Error| error.kind().name();
    assert!(Comparisons::new([counts("Utrecht", "a"), counts("Tilburg", "a")]).is_ok());
    for (one, two) in [(["Utrecht", "a"], ["utrecht", "a"]), (["Utrecht", "a"], ["Tilburg", "A"])] {
        let both = Comparisons::new([counts(one[0], one[1]), counts(two[0], two[1])]);
        assert_eq!(name(both.unwrap_err()), "twin_labels");
        let both = Effects::new([effects(one[0], one[1]), effects(two[0], two[1])]);
        assert_eq!(name(both.unwrap_err()), "twin_labels");
    }
    let twice = Comparison::from_counts("U", &WORKS, [("control", 1, 9), ("Control", 1, 9)]);
    assert_eq!(name(twice.unwrap_err()), "twin_labels");
    let built = |trial: &str, arm: &str| {
        let table = people("a", "b").unwrap().recode("arm", [("guidance", arm)]).unwrap();
        Trial::builder(trial, table).arm_labels("arm").control("control").build().unwrap()
    };
    assert!(Trials::new([built("Utrecht", "a"), built("Tilburg", "b")]).is_ok());
    assert_eq!(name(Trials::new([built("Utrecht", "a"), built("UTRECHT", "a")]).unwrap_err()), "twin_labels");
    assert_eq!(name(Trials::new([built("Utrecht", "a"), built("Tilburg", "A")]).unwrap_err()), "twin_labels");
}

#[test]
fn one_combination_has_one_name() {
    let name = |error: armwise::Error| error.kind().name();
    let arms = ["control", "earnings_guidance", "guidance_earnings"];
    let table = || {
        Table::new()
            .with_categories("city", ["A", "A", "B", "B"])
            .unwrap()
            .with_categories("arm", [arms[0], arms[1], arms[0], arms[2]])
            .unwrap()
    };
    // In one trial it is an error, unless the arms declare what they are made of.
    let builder = || Trial::builder("A", table()).arm_labels("arm").control("control");
    let error = builder().build().unwrap_err();
    assert!(error.to_string().contains("\"earnings_guidance\" and \"guidance_earnings\""), "{error}");
    assert_eq!(name(error), "twin_labels");
    let first = builder().components(arms[1], ["earnings first"]).components(arms[2], ["guidance first"]);
    assert!(first.build().is_ok());
    let same = builder().components(arms[1], ["e", "g"]).components(arms[2], ["g", "e"]);
    assert_eq!(name(same.build().unwrap_err()), "invalid_input");
    // Over trials they are two arms, and the pool says so.
    let cities = ["A", "B", "C"].into_iter().zip([1, 2, 1]).map(|(city, which)| {
        Comparison::from_counts(city, &WORKS, [("control", 10, 90), (arms[which], 13, 80)]).unwrap()
    });
    let effects = Comparisons::new(cities).unwrap().estimate(&DifferenceInProportions::new()).unwrap();
    let pair = Notice::SamePartsOfArms { arm: arms[1].into(), other: arms[2].into() };
    assert!(JointModel::random().pool(&effects).unwrap().notices().contains(&pair));
    assert!(NetworkMetaAnalysis::random().pool(&effects).unwrap().notices().contains(&pair));
    assert!(
        !RandomEffects::new().pool(&effects.treatment(arms[1]).unwrap()).unwrap().notices().contains(&pair)
    );
}

#[test]
fn a_label_of_an_event_is_declared_or_refused() {
    let table = || people("vast", "onbekend").unwrap();
    let on = |measure: Measure<Binary>| trial(table()).unwrap().on(&measure);
    let level = || Measure::level("x", "vast");
    for (measure, kind, words) in [
        (level(), "undeclared_labels", ["\"onbekend\" in 4 rows (2, 4, 6, 8)", "no(&[..])"]),
        (level().no(&["geen"]), "undeclared_labels", ["declared are: geen, vast", "missing(&[..])"]),
        (level().no(&["onbekent"]), "undeclared_labels", ["did you mean \"onbekent\"", "column \"x\""]),
        (
            Measure::level("x", "vat").others_are_no(),
            "absent_level",
            ["did you mean \"vast\"", "may_be_absent()"],
        ),
        (
            level().no(&["onbekend", "vast"]),
            "invalid_input",
            ["as the event and as no event", "column \"x\""],
        ),
        (
            level().no(&["onbekend"]).missing(&["onbekend"]),
            "invalid_input",
            ["declared twice", "column \"x\""],
        ),
        (level().no(&["onbekend", ""]), "invalid_input", ["empty", "column \"x\""]),
        (Measure::binary("works").no(&["onbekend"]), "invalid_input", ["Measure::level", "works"]),
    ] {
        let error = on(measure).unwrap_err();
        assert_eq!(error.kind().name(), kind, "{error}");
        for word in words {
            assert!(error.to_string().contains(word), "{word:?} is not in: {error}");
        }
    }
    let counts = |measure: Measure<Binary>| {
        let comparison = on(measure).unwrap();
        let arm = &comparison.arms()[1].counts;
        (arm.randomised, arm.analysed, arm.events, comparison.notices().len())
    };
    assert_eq!(counts(level().no(&["onbekend"])), (4, 4, Some(2), 0));
    assert_eq!(counts(level().others_are_no()), (4, 4, Some(2), 0));
    // Everybody known had the event, which is told of both arms.
    assert_eq!(counts(level().missing(&["onbekend"])), (4, 2, Some(2), 3));
    assert_eq!(counts(level().not_applicable(&["onbekend"])), (4, 2, Some(2), 3));
    let nobody = Measure::level("x", "geen").no(&["vast", "onbekend"]);
    assert_eq!(on(nobody.clone()).unwrap_err().kind().name(), "absent_level");
    assert_eq!(counts(nobody.may_be_absent()), (4, 4, Some(0), 2));
}

/// A city in which nobody had the event is no misspelt level: the others show that it exists.
#[test]
fn a_level_has_to_occur_in_one_of_the_trials() {
    let text =
        "city,arm,contract\nA,control,none\nA,guidance,temporary\nB,control,permanent\nB,guidance,none\n";
    let table = Table::from_csv_str(text).unwrap();
    let trials = Trials::builder(table.clone(), "city").arm_labels("arm").control("control").build().unwrap();
    let permanent = Contract::permanent("contract");
    assert_eq!(trials.on(&permanent).unwrap().iter().count(), 2);
    assert!(trials.trial("A").unwrap().on(&permanent).is_ok());
    let alone = trial(table.keep_category("city", "A").unwrap()).unwrap();
    let error = alone.on(&permanent).unwrap_err();
    assert_eq!(error.kind().name(), "absent_level", "{error}");
    let together = Trials::new([alone, trials.trial("B").unwrap().clone()]).unwrap();
    assert!(together.on(&permanent).is_ok());
}

#[test]
fn other_outcomes_of_labels_know_missing_and_not_applicable() {
    let table = people("low", "n/a").unwrap();
    let trial = trial(table).unwrap();
    let error = trial.on(&LEVELS).unwrap_err();
    assert!(error.to_string().contains("\"n/a\" in 4 rows (2, 4, 6, 8)"), "{error}");
    let comparison = trial.on(&LEVELS.not_applicable(&["n/a"])).unwrap();
    assert_eq!(comparison.notices().len(), 1);
    assert_eq!(comparison.outcomes(), [0.0; 4]);
    let nominal = Measure::nominal("x", &["low", "high"]).missing(&["n/a"]);
    assert_eq!(trial.on(&nominal).unwrap().arms()[0].counts.observed, 2);
}

#[test]
fn coded_measures_are_data() {
    use armwise::design::AnyMeasure;
    let text = r#"{"kind": "category_is", "column": "c", "level": "vast", "no": ["geen"], "missing": ["onbekend"],
        "not_applicable": ["n.v.t."]}"#;
    let measure =
        Measure::level("c", "vast").no(&["geen"]).missing(&["onbekend"]).not_applicable(&["n.v.t."]);
    for measure in [AnyMeasure::from(measure), Measure::ordinal("c", &["a", "b"]).missing(&["x"]).into()] {
        let json = serde_json::to_string(&measure).unwrap();
        assert_eq!(serde_json::from_str::<AnyMeasure>(&json).unwrap(), measure, "{json}");
    }
    let read: AnyMeasure = serde_json::from_str(text).unwrap();
    assert_eq!(
        read,
        Measure::level("c", "vast").no(&["geen"]).missing(&["onbekend"]).not_applicable(&["n.v.t."]).into()
    );
}

#[test]
fn misspelt_and_absent_labels_list_those_that_there_are() {
    let table = Table::from_csv_str("arm,works\nTRUE,1\nFALSE,0\nTRUE,0\nFALSE,1\n").unwrap();
    let error =
        Trial::builder("U", table).arm_labels("arm").control("FALSE").build().unwrap_err().to_string();
    assert!(error.contains("no, yes") && error.contains("category(column)"), "{error}");
    let error = Trial::builder("U", people("a", "b").unwrap()).arm_labels("arm").control("contrl").build();
    let error = error.unwrap_err().to_string();
    assert!(error.contains("did you mean \"control\"") && error.contains("control, guidance"), "{error}");

    let many = (0..10_000).map(|i| format!("label {i}"));
    let table = Table::new().with_categories("x", many).unwrap();
    let error = table.keep_category("x", "lable 77").unwrap_err().to_string();
    assert!(
        error.contains("and 9,995 more") && error.contains("did you mean") && error.len() < 400,
        "{error}"
    );
    // A swap of neighbours is one mistake.
    let error = people("a", "b").unwrap().column("wroks").unwrap_err().to_string();
    assert!(error.contains("did you mean \"works\""), "{error}");
}

#[test]
fn an_empty_label_is_never_a_level() {
    for empty in ["", " ", "\u{a0}", "\u{200b}"] {
        assert!(Table::new().with_categories("x", ["a", empty]).is_err());
        assert!(Comparison::from_counts("U", &WORKS, [("control", 1, 9), (empty, 1, 9)]).is_err());
        let table = Table::from_csv_str(&format!("id,x\n1,a\n2,\"{empty}\"\n")).unwrap();
        assert_eq!(table.column("x").unwrap().missing(), 1);
        assert!(people("a", "b").unwrap().recode("x", [("a", empty)]).is_err());
    }
}
