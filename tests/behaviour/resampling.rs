//! Bootstrap, jackknife and wild cluster bootstrap of trials: bad input, notices, stops, pools, words.

use armwise::Result;
use armwise::inference::{Bootstrap, Jackknife, WildClusterBootstrap};
use armwise::meta_analysis::{PredictionDf, PredictionRule};
use armwise::prelude::*;
use armwise::progress::Progress;
use armwise::report::Report;
use armwise::resampling::{BootstrapInterval, EventResamples, Resamples, WildBootstrap, WildWeights};
use std::ops::ControlFlow;

const SCORE: Measure<Continuous> = Measure::continuous("score");
const WORKS: Measure<Binary> = Measure::binary("works");

fn trial(csv: &str, clusters: bool, strata: bool) -> Trial {
    let mut trial =
        Trial::builder("Utrecht", Table::from_csv_str(csv).unwrap()).arm_labels("arm").control("c");
    if clusters {
        trial = trial.clusters("team");
    }
    if strata {
        trial = trial.strata(["site"]);
    }
    trial.build().unwrap()
}

/// The sentence of an error: where, and after a semicolon what to do.
fn says<T: std::fmt::Debug>(result: Result<T>, parts: &[&str]) {
    let sentence = result.unwrap_err().to_string();
    assert!(sentence.contains("; "), "{sentence}");
    for part in parts {
        assert!(sentence.contains(part), "{sentence} lacks {part}");
    }
}

const PEOPLE: &str = "arm,team,site,score,works\nc,1,a,1,0\nc,1,a,2,1\nc,2,b,4,0\nc,2,b,3,1\nt,3,a,5,1\nt,3,a,6,1\n\
    t,4,b,9,0\nt,4,b,7,1\n";

#[test]
fn bad_input_is_refused_at_once() {
    let people = trial(PEOPLE, false, false);
    let score = people.on(&SCORE).unwrap();
    let means = DifferenceInMeans::new();
    let drawing = || Bootstrap::of(&means).enumerate_up_to(0);
    says(score.estimate(&drawing()), &["Utrecht", "score", "seed"]);
    says(score.estimate(&drawing().seed(1).replicates(0)), &["needs replicates", "9999"]);
    says(score.estimate(&drawing().seed(1).replicates(1 << 60)), &["more than ten million"]);
    says(score.estimate(&drawing().seed(1).replicates(99).level(0.999)), &["do not reach", "lower level"]);

    // One cluster in an arm.
    let one = PEOPLE.replace("t,4", "t,3");
    let one = trial(&one, true, false);
    says(one.on(&SCORE).unwrap().estimate(&Bootstrap::of(&means)), &["arm \"t\"", "cluster"]);
    let linear = LinearRegression::new();
    says(
        one.on(&SCORE).unwrap().estimate(&WildClusterBootstrap::of(linear.clone())),
        &["arm \"t\"", "cluster"],
    );
    says(score.estimate(&WildClusterBootstrap::of(linear.clone())), &["cluster"]);

    // A stratum with one arm.
    let empty = PEOPLE.replace("t,4,b", "t,4,a");
    let empty = trial(&empty, false, true);
    let scores = empty.on(&SCORE).unwrap();
    says(scores.estimate(&Bootstrap::of(&means)), &["arm \"t\"", "stratum \"b\"", "strata_ignored"]);
    says(scores.estimate(&Jackknife::of(&means)), &["stratum \"b\""]);
    assert!(scores.estimate(&Bootstrap::of(&means).strata_ignored()).is_ok());

    // An estimator with an error of its own says it.
    let unknown = LinearRegression::new().adjust_for(["age"]);
    says(score.estimate(&Bootstrap::of(&unknown)), &["no column \"age\""]);

    says(Resamples::of(1), &["1 unit"]);
    says(Resamples::of(40).unwrap().enumerated(1_000, |_| ()), &["at most 1000"]);
    says(EventResamples::new(&[(3, 2)]), &["3 events among 2 people"]);
    says(EventResamples::new(&[]), &["no group"]);
    let x = armwise::ndarray::Array2::ones((4, 1));
    let test = WildBootstrap::new(1).draws(0).enumerate_up_to(0);
    says(test.test(x.view(), &[1.0, 2.0, 3.0, 5.0], &[1, 1, 2, 2], 0), &["needs replicates"]);
    says(test.test(x.view(), &[1.0; 4], &[1; 4], 0), &["two clusters"]);
}

#[test]
fn people_without_an_outcome_matter_to_some_estimators() {
    let mut csv = String::from("arm,age,works\n");
    for person in 0..60 {
        let works = if person % 5 == 4 { String::new() } else { (u8::from(person % 3 == 0)).to_string() };
        csv += &format!("{},{},{works}\n", ["c", "t"][person % 2], 20 + (person * 7) % 30);
    }
    let trial = Trial::builder("Utrecht", Table::from_csv_str(&csv).unwrap())
        .arm_labels("arm")
        .control("c")
        .build()
        .unwrap();
    let works = trial.on(&WORKS).unwrap();
    let plain = DifferenceInProportions::new();
    assert!(works.estimate(&Bootstrap::of(&plain)).is_ok());
    let weighted = InverseProbabilityWeighting::new(RiskDifference).adjust_for(["age"]).of_observation();
    says(works.estimate(&Bootstrap::of(&weighted).seed(1)), &["people without an outcome"]);
}

#[test]
fn resamples_without_an_answer_are_counted() {
    // One event in an arm: more than a third of the resamples have none, and a ratio has no value there.
    let counts =
        |events| Comparison::from_counts("Utrecht", &WORKS, [("c", events, 30), ("t", 12, 30)]).unwrap();
    let ratio = RatioOfProportions::new();
    says(counts(1).estimate(&Bootstrap::of(&ratio)), &["have no answer", "more than a tenth"]);
    let effects = counts(4).estimate(&Bootstrap::of(&ratio)).unwrap();
    let told = effects.notices().iter().find_map(|notice| match notice {
        Notice::ResamplesWithoutAnswer { failed, of, .. } => Some((*failed, *of)),
        _ => None,
    });
    let (failed, of) = told.expect("a notice");
    assert!(failed > 0 && failed < of);
    let text = effects.to_string();
    assert!(text.contains("resamples have no answer") && text.contains("bootstrap percentile"), "{text}");
}

#[test]
fn a_stop_keeps_what_is_finished() {
    let trial = trial(PEOPLE, false, false);
    let score = trial.on(&SCORE).unwrap();
    let means = DifferenceInMeans::new();
    let bootstrap = Bootstrap::of(&means).enumerate_up_to(0).replicates(10_000_000).seed(1).level(0.8);
    let impatient = Progress::new(|step| {
        if step.units == "replicates" && step.done > 500 {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    });
    let effects = impatient.watch(|| score.estimate(&bootstrap)).unwrap();
    let told = effects
        .notices()
        .iter()
        .any(|notice| matches!(notice, Notice::ReplicatesStopped { of: 10_000_000, .. }));
    assert!(told, "{:?}", effects.notices());
    let at_once = Progress::new(|_| ControlFlow::Break(()));
    let error = at_once.watch(|| score.estimate(&bootstrap)).unwrap_err();
    assert_eq!(error.kind().name(), "stopped");
}

fn cities() -> Effects<RiskDifference> {
    let cities =
        [("A", 20, 30, 26), ("B", 15, 31, 20), ("C", 22, 24, 30), ("D", 18, 29, 22), ("E", 20, 33, 31)];
    let cities = cities.map(|(city, control, help, more)| {
        Comparison::from_counts(city, &WORKS, [("c", control, 100), ("help", help, 100), ("more", more, 100)])
            .unwrap()
    });
    Comparisons::new(cities).unwrap().estimate(&DifferenceInProportions::new()).unwrap()
}

#[test]
fn pools_are_resampled_by_trial_and_from_their_model() {
    let effects = cities();
    let help = effects.treatment("help").unwrap();
    let random = RandomEffects::new();
    let pooled = random.pool(&help).unwrap();
    let by_trial = Bootstrap::of(&random).pool(&help).unwrap();
    assert_eq!(by_trial.effect("help").unwrap().value(), pooled.value());
    assert!(by_trial.method().interval.to_string().ends_with("of trials, all 126 resamples"));
    let from_model = Bootstrap::of(&random).from_model().replicates(1_999).seed(4).pool(&help).unwrap();
    let ratio = from_model.effect("help").unwrap().se() / pooled.summary.wald.se;
    assert!((0.9..1.15).contains(&ratio), "{ratio}");
    for kind in [BootstrapInterval::Bca, BootstrapInterval::Studentized, BootstrapInterval::Basic] {
        let bootstrap = Bootstrap::of(&random).interval(kind).level(0.8);
        assert!(bootstrap.pool(&help).unwrap().effect("help").unwrap().interval().width() > 0.0);
    }

    // An average over participants has its own standard error from the model.
    let average = ParticipantWeighted::new();
    let own = average.pool(&help).unwrap();
    let by_trial = Bootstrap::of(&average).pool(&help).unwrap();
    assert_eq!(by_trial.effect("help").unwrap().value(), own.value());
    let drawn = Bootstrap::of(&average).from_model().replicates(1_999).seed(4).pool(&help).unwrap();
    let ratio = drawn.effect("help").unwrap().se() / own.se();
    assert!((0.9..1.1).contains(&ratio), "{ratio}");

    let joint = JointModel::random();
    let own = joint.pool(&effects).unwrap();
    let resampled = Bootstrap::of(&joint).pool(&effects).unwrap();
    for one in own.coefficients() {
        assert_eq!(resampled.effect(&one.label).unwrap().value(), one.value());
    }
    let drawn = Bootstrap::of(&joint).from_model().replicates(1_999).seed(4).pool(&effects).unwrap();
    let ratio = drawn.effect("more").unwrap().se() / own.coefficient("more").unwrap().se();
    assert!((0.9..1.15).contains(&ratio), "{ratio}");
    let correlation = |covariance: armwise::ndarray::ArrayView2<f64>| {
        covariance[[0, 1]] / (covariance[[0, 0]] * covariance[[1, 1]]).sqrt()
    };
    assert!((correlation(drawn.covariance.view()) - correlation(own.covariance())).abs() < 0.08);

    let mut report = Report::new("Resampled");
    report.push(&resampled);
    let text = report.to_text();
    assert!(text.contains("help") && text.contains("bootstrap percentile of trials"), "{text}");
    let json = serde_json::to_string(&resampled).unwrap();
    let read: armwise::inference::ResampledPool<RiskDifference> = serde_json::from_str(&json).unwrap();
    assert_eq!(read, resampled);

    let alone = Effects::new([effects.trial("A").unwrap().clone()]).unwrap();
    says(Bootstrap::of(&random).pool(&alone.treatment("help").unwrap()), &["one trial", "from_model()"]);
    says(Bootstrap::of(&random).bca().from_model().seed(1).pool(&help), &["acceleration"]);
}

#[test]
fn predictions_by_every_rule() {
    let effects = cities();
    let pooled = RandomEffects::new().pool(&effects.treatment("help").unwrap()).unwrap();
    let rules = [
        PredictionRule::ConfidenceDistribution,
        PredictionRule::Nagashima { draws: 2_000, seed: 1 },
        PredictionRule::Df(PredictionDf::KMinus1),
    ];
    for rule in rules {
        let own =
            RandomEffects::new().prediction_rule(rule).pool(&effects.treatment("help").unwrap()).unwrap();
        assert_eq!(own.prediction().unwrap(), pooled.prediction_by(rule).unwrap());
        assert!(own.prediction().unwrap().contains(pooled.value()));
    }
    let known = pooled.prediction_by(PredictionDf::Normal).unwrap();
    assert!(pooled.prediction_by(rules[0]).unwrap().width() > known.width());
    says(pooled.prediction_by(PredictionRule::Nagashima { draws: 0, seed: 1 }), &["needs replicates"]);
    let joint = JointModel::random().pool(&effects).unwrap();
    let interval = joint.prediction("help").unwrap();
    assert!(interval.width() >= joint.coefficient("help").unwrap().interval().width());
    says(joint.prediction("nothing"), &["nothing"]);
    says(JointModel::common().pool(&effects).unwrap().prediction("help"), &["common effect"]);
}

#[test]
fn a_wild_bootstrap_says_how_it_was_drawn() {
    let teams = trial(PEOPLE, true, false);
    let score = teams.on(&SCORE).unwrap();
    let wild = WildClusterBootstrap::of(LinearRegression::new());
    let effects = score.estimate(&wild).unwrap();
    // Four clusters: no p-value is below 1/8, so that the interval has no limits, which a notice says.
    assert!(effects.treatment("t").unwrap().p_value() >= 0.125);
    let open = effects.notices().iter().any(|notice| matches!(notice, Notice::UnboundedInterval { .. }));
    assert!(open && effects.to_string().contains("all 16 draws"), "{effects}");
    let webb = score.estimate(&wild.clone().weights(WildWeights::Webb)).unwrap();
    assert!(webb.to_string().contains("Webb, null imposed, all 1296 draws"), "{webb}");
    says(score.estimate(&wild.enumerate_up_to(3)), &["seed"]);
}
