//! Randomisation tests of trials: declared allocations, what is replayed, words, notices, errors, stops.

use crate::support::survives;
use armwise::design::{Allocation, AllocationKind};
use armwise::inference::{OtherArms, RandomizationTest, StepDownTest};
use armwise::pool::PooledRandomizationTest;
use armwise::prelude::*;
use armwise::progress::Progress;
use armwise::proportion::{Proportion, TwoProportions};
use armwise::randomization::{Exactness, JointStatistic, Replays, Statistic};
use armwise::report::{Grid, RandomizationPlot};
use std::ops::ControlFlow;
use std::time::Instant;

/// Two cities of three arms within strata, an outcome missing here and there.
const PEOPLE: &str = "\
city,arm,stratum,score,works
A,c,1,2.0,0
A,c,1,3.5,0
A,c,2,4.0,1
A,c,2,2.5,0
A,t,1,5.0,1
A,t,1,4.5,0
A,t,2,6.0,1
A,t,2,5.5,1
A,u,1,3.0,0
A,u,1,2.0,1
A,u,2,4.5,0
A,u,2,,1
B,c,1,1.0,0
B,c,1,2.0,0
B,c,1,2.5,1
B,t,1,3.0,1
B,t,1,3.5,0
B,t,1,4.0,1
";

fn cities() -> Trials {
    let table = Table::from_csv_str(PEOPLE).unwrap();
    Trials::builder(table, "city").arm_labels("arm").control("c").strata(["stratum"]).build().unwrap()
}

fn score() -> Measure<Continuous> {
    Measure::continuous("score")
}

#[test]
fn the_declared_allocation_is_replayed() {
    let cities = cities();
    let trial = cities.trial("A").unwrap();
    assert_eq!(trial.allocation().kind, AllocationKind::Stratified);
    let score = trial.on(&score()).unwrap();
    let test = RandomizationTest::new().on(&score).unwrap();
    // 4! / (2! 2!) assignments in each stratum.
    assert_eq!(test.treatments[0].assignments, Some(36));
    assert_eq!(test.treatments[0].replays, Replays::Enumerated { assignments: 36 });
    let text = test.to_string();
    assert!(text.starts_with("A, score: randomisation test (studentised difference in means"), "{text}");
    assert!(text.contains("allocation within strata of stratum, other arms held"), "{text}");
    assert!(text.contains("36 assignments could have happened, fewer than the 9999 draws"), "{text}");
    survives(&test);
    let grid = Grid::from(&test);
    assert_eq!(grid.len(), 2);
    // One stratum has one person of arm u with a score, so that its spread there is not known.
    assert!(text.contains("(studentised difference in means;"), "{text}");

    let redrawn = RandomizationTest::new()
        .other_arms(OtherArms::Redrawn)
        .joint(JointStatistic::LargestAbsolute)
        .on(&score)
        .unwrap();
    // 6! / (2! 2! 2!) in each stratum.
    assert_eq!(redrawn.treatments[0].assignments, Some(8_100));
    let joint = redrawn.joint.as_ref().unwrap();
    assert!(joint.p_value >= redrawn.treatments[0].p_values.two_sided - 1e-12);
    assert!(redrawn.to_string().contains("all treatments together (largest absolute value"));
    survives(&redrawn);

    let mut report = Report::new("Replays");
    report.push(&test).push(&redrawn);
    let text = report.to_text();
    assert!(text.contains("Randomisation test of score in A: studentised difference in means"), "{text}");
    assert_eq!(serde_json::from_str::<Report>(&report.to_json().unwrap()).unwrap(), report);
    let figure = RandomizationPlot::of(&test, "t").unwrap().to_svg();
    assert!(figure.contains("observed ") && figure == RandomizationPlot::of(&test, "t").unwrap().to_svg());
    assert!(RandomizationPlot::of(&test, "x").is_err());
}

#[test]
fn an_estimator_is_asked_again_in_every_replay() {
    let cities = cities();
    let score = cities.trial("B").unwrap().on(&score()).unwrap();
    let statistic = Statistic::StudentizedDifference;
    let closed = RandomizationTest::new().statistic(statistic).on(&score).unwrap();
    let welch = DifferenceInMeans::new();
    let asked = RandomizationTest::of(&welch).on(&score).unwrap();
    let [a, b] = [&closed.treatments[0], &asked.treatments[0]];
    assert!((a.statistic - b.statistic).abs() < 1e-12);
    assert_eq!(a.p_values, b.p_values);
    assert!(asked.to_string().contains("difference in means, value over standard error"), "{asked}");
    // And of draws, which are the same assignments.
    let drawn = |test: armwise::inference::RandomizationResult| test.treatments[0].p_values;
    assert_eq!(
        drawn(
            RandomizationTest::new()
                .statistic(statistic)
                .exactness(Exactness::Never)
                .draws(500)
                .seed(3)
                .on(&score)
                .unwrap()
        ),
        drawn(
            RandomizationTest::of(&welch).exactness(Exactness::Never).draws(500).seed(3).on(&score).unwrap()
        )
    );
    // An adjusted estimator in a trial with missing outcomes and several arms.
    let all = cities.trial("A").unwrap().on(&self::score()).unwrap();
    let adjusted = LinearRegression::new().adjust_for(["stratum"]);
    let test = RandomizationTest::of(&adjusted).on(&all).unwrap();
    assert_eq!(test.treatments.len(), 2);
    assert!(test.treatments.iter().all(|own| own.p_values.two_sided > 0.0));
    survives(&test);
}

#[test]
fn published_counts_give_fishers_test() {
    let work = Measure::binary("work");
    let arms = [("control", 6, 176), ("guidance", 17, 172), ("earnings", 9, 150)];
    let counts = Comparison::from_counts("Utrecht", &work, arms).unwrap();
    let test = RandomizationTest::new().statistic(Statistic::DifferenceInMeans).on(&counts).unwrap();
    let fisher = TwoProportions::new(Proportion::new(17, 172).unwrap(), Proportion::new(6, 176).unwrap());
    let own = test.treatment("guidance").unwrap();
    assert!((own.p_values.greater - fisher.fisher_test().greater).abs() < 1e-11);
    assert!(own.replays.exact() && own.assignments.is_none() && own.interval.is_none());
    // A studentised test of counts is exact too.
    assert!(RandomizationTest::new().on(&counts).unwrap().treatments.iter().all(|own| own.replays.exact()));
}

#[test]
fn allocations_are_checked_against_the_data() {
    let build = |text: &str, allocation: Allocation| {
        let table = Table::from_csv_str(text).unwrap();
        Trial::builder("Utrecht", table).arm_labels("arm").control("c").allocation(allocation).build()
    };
    let says = |result: armwise::Result<Trial>, words: &str| {
        let error = result.unwrap_err().to_string();
        assert!(error.contains(words), "{error}");
    };
    let pairs = "arm,pair,y\nc,1,2\nt,1,3\nc,2,4\nt,2,1\n";
    let trial = build(pairs, Allocation::paired("pair")).unwrap();
    assert_eq!(trial.stratum_labels().len(), 2);
    let test = RandomizationTest::new().on(&trial.on(&Measure::continuous("y")).unwrap()).unwrap();
    assert!(test.to_string().contains("t of pairs; allocation within pairs of pair"), "{test}");
    says(
        build("arm,pair,y\nc,1,2\nt,1,3\nc,1,4\nt,2,1\nc,2,1\n", Allocation::paired("pair")),
        "Utrecht, arm \"c\": block \"1\" has 2 people in this arm where the allocation declares 1",
    );
    says(
        build("arm,school,y\nc,1,2\nt,1,3\nc,2,4\n", Allocation::clustered("school")),
        "Utrecht, column \"school\": cluster \"1\" has people in \"c\" and in \"t\"",
    );
    says(
        build(
            "arm,region,school,y\nc,1,1,2\nc,2,1,3\nt,2,2,4\n",
            Allocation::blocked_clustered(["region"], "school"),
        ),
        "cluster \"1\" has people in the blocks \"1\" and \"2\"",
    );
    says(
        build(pairs, Allocation::complete().sizes([("c", 3), ("t", 1)])),
        "arm \"c\": there are 2 people in this arm where the allocation declares 3",
    );
    says(build(pairs, Allocation::complete().sizes([("x", 3)])), "\"x\" is not one of the arms");
    says(build(pairs, Allocation::blocked(["site"])), "there is no column \"site\"");
    // It is plain data.
    let allocation = Allocation::blocked_clustered(["region"], "school").sizes([("c", 2), ("t", 2)]);
    let json = serde_json::to_string(&allocation).unwrap();
    assert_eq!(serde_json::from_str::<Allocation>(&json).unwrap(), allocation);
    assert!(serde_json::from_str::<Allocation>("{\"kind\":\"complete\",\"block\":[]}").is_err());
}

#[test]
fn clusters_are_moved_as_a_whole() {
    let mut text = "arm,school,y\n".to_owned();
    for (school, arm) in [(1, "c"), (2, "c"), (3, "c"), (4, "t"), (5, "t"), (6, "t")] {
        for person in 0..3 {
            text += &format!("{arm},{school},{}\n", school + person % 2);
        }
    }
    let table = Table::from_csv_str(&text).unwrap();
    let trial =
        Trial::builder("Utrecht", table).arm_labels("arm").control("c").clusters("school").build().unwrap();
    assert_eq!(trial.allocation().kind, AllocationKind::Clustered);
    let test = RandomizationTest::new().on(&trial.on(&Measure::continuous("y")).unwrap()).unwrap();
    assert_eq!(test.treatments[0].assignments, Some(20));
    assert!((test.treatments[0].p_values.two_sided - 0.1).abs() < 1e-12);
    let text = test.to_string();
    assert!(text.contains("3 clusters in arm \"c\", fewer than 10"), "{text}");
    assert!(text.contains("no assignment could have given \"t\" a p-value below 0.100"), "{text}");
}

#[test]
fn one_replay_adjusts_outcomes_and_arms() {
    let cities = cities();
    let trial = cities.trial("A").unwrap();
    let (score, works) = (trial.on(&score()).unwrap(), trial.on(&Measure::binary("works")).unwrap());
    let proportions = DifferenceInProportions::new();
    let family = StepDownTest::new("primary")
        .with(&score)
        .unwrap()
        .with_estimator(&works, &proportions)
        .unwrap()
        .run()
        .unwrap();
    assert_eq!(family.hypotheses.len(), 4);
    assert_eq!(family.replays, Replays::Enumerated { assignments: 8_100 });
    for own in &family.hypotheses {
        assert!(own.p_value <= own.adjusted && own.adjusted <= own.single_step, "{own:?}");
        assert!(
            own.p_value <= own.min_p_adjusted + 1e-12 && own.min_p_adjusted <= own.min_p_single_step + 1e-12
        );
    }
    // The raw p-value is that of the test by itself.
    let alone = RandomizationTest::new().other_arms(OtherArms::Redrawn).on(&score).unwrap();
    assert_eq!(family.hypotheses[0].p_value, alone.treatments[0].p_values.two_sided);
    let text = family.to_string();
    assert!(
        text.starts_with(
            "family \"primary\" of 4 hypotheses: step-down over one replay, two-sided (all 8,100"
        ),
        "{text}"
    );
    survives(&family);
    assert_eq!(Grid::from(&family).len(), 4);

    // One hypothesis is not adjusted.
    let other = cities.trial("B").unwrap().on(&self::score()).unwrap();
    let one = StepDownTest::new("one").with(&other).unwrap().run().unwrap();
    assert_eq!(one.hypotheses[0].p_value, one.hypotheses[0].adjusted);

    // Cities are drawn independently of each other.
    let both = StepDownTest::new("cities").draws(999).seed(4).with(&score).unwrap().with(&other).unwrap();
    let both = both.run().unwrap();
    assert_eq!(both.replays, Replays::Drawn { draws: 999, of: 999, seed: 4 });
    assert_eq!(both.hypotheses.len(), 3);
}

#[test]
fn a_pooled_effect_is_replayed_in_every_city() {
    let scores = cities().on(&score()).unwrap();
    let (welch, pool) = (DifferenceInMeans::new(), RandomEffects::new());
    let test = PooledRandomizationTest::of(&welch, &pool).on(&scores, "t").unwrap();
    // 36 assignments in A, 20 in B.
    assert_eq!(test.replays, Replays::Enumerated { assignments: 720 });
    assert!(test.p_values.two_sided >= 1.0 / 720.0 && test.p_values.two_sided < 0.1, "{test}");
    assert!(
        test.to_string()
            .starts_with("2 trials, score, t vs c: randomisation test of the pooled effect (random effects)")
    );
    survives(&test);
    assert!(RandomizationPlot::of_pool(&test).to_svg().contains("Pooled effect, random effects"));
    let mut report = Report::new("Cities");
    assert!(report.push(&test).to_markdown().contains("pooled effect (random effects)"));
    let common = CommonEffect::new();
    let drawn = PooledRandomizationTest::of(&welch, &common).enumerate_up_to(1).draws(400).seed(2);
    let drawn = drawn.on(&scores, "t").unwrap();
    assert_eq!(drawn.replays, Replays::Drawn { draws: 400, of: 400, seed: 2 });
    let joint = JointModel::common();
    assert!(
        PooledRandomizationTest::of(&welch, &joint).draws(50).enumerate_up_to(1).on(&scores, "t").is_ok()
    );
    let error = PooledRandomizationTest::of(&welch, &pool).on(&scores, "x").unwrap_err().to_string();
    assert!(error.contains("there is no estimate for \"x\""), "{error}");
}

#[test]
fn what_cannot_be_replayed_is_an_error() {
    let cities = cities();
    let trial = cities.trial("A").unwrap();
    let score = trial.on(&score()).unwrap();
    let says = |error: armwise::Error, words: &str| {
        assert!(error.to_string().contains(words) && error.to_string().contains(';'), "{error}");
    };
    says(RandomizationTest::new().draws(0).on(&score).unwrap_err(), "a randomisation test without draws");
    let clock = Instant::now();
    says(
        RandomizationTest::new().draws(1 << 60).on(&score).unwrap_err(),
        "1,152,921,504,606,846,976 draws are more than can be kept",
    );
    assert!(clock.elapsed().as_secs() < 1);
    let pair = trial.compare("t").on(&self::score()).unwrap();
    assert!(RandomizationTest::new().on(&pair).is_ok());
    says(
        RandomizationTest::new().other_arms(OtherArms::Redrawn).on(&pair).unwrap_err(),
        "A, score: everybody is to be drawn anew, but the comparison leaves \"u\" out",
    );
    let table = Table::from_csv_str("arm,site,y\nc,1,2\nt,1,3\nc,1,4\nt,1,1\nc,2,1\nc,2,3\n").unwrap();
    let trial =
        Trial::builder("Utrecht", table).arm_labels("arm").control("c").strata(["site"]).build().unwrap();
    let y = trial.on(&Measure::continuous("y")).unwrap();
    says(
        RandomizationTest::new().statistic(Statistic::BlockedDifferenceInMeans).on(&y).unwrap_err(),
        "Utrecht, y, arm \"t\": block \"2\" has nobody in this arm",
    );
    // The default does without that block, and says so.
    let text = RandomizationTest::new().on(&y).unwrap().to_string();
    assert!(text.contains("of 2 blocks 1 block has people of one arm only"), "{text}");
    says(StepDownTest::new("none").run().unwrap_err(), "the family \"none\" holds no hypothesis");
    says(RandomizationTest::new().level(1.5).on(&score).unwrap_err(), "the level is 1.5");
}

#[test]
fn a_stop_keeps_the_draws_that_are_finished() {
    let mut text = "arm,y\n".to_owned();
    for person in 0..4_000 {
        text += &format!("{},{}\n", if person % 2 == 0 { "c" } else { "t" }, person * 37 % 101);
    }
    let table = Table::from_csv_str(&text).unwrap();
    let trial = Trial::builder("Utrecht", table).arm_labels("arm").control("c").build().unwrap();
    let y = trial.on(&Measure::continuous("y")).unwrap();
    let clock = Instant::now();
    let hook = Progress::new(
        move |step| {
            if step.done > 32 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        },
    );
    let test = hook.watch(|| RandomizationTest::new().draws(5_000_000).on(&y)).unwrap();
    assert!(clock.elapsed().as_secs() < 30);
    let Replays::Drawn { draws, of, .. } = test.treatments[0].replays else { panic!("{test}") };
    assert!((33..5_000_000).contains(&draws) && of == 5_000_000);
    assert!(test.to_string().contains("of 5000000 draws: the p-value is valid"), "{test}");
}
