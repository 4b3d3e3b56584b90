//! What is printed does not contradict itself: an interval and its p-value, a level and its name, a unit and
//! its number.

use crate::support::data::{ARMS, WORKS, cities};
use crate::support::{Numbers, estimators, labelled, pools};
use armwise::meta_analysis::chance_p_score;
use armwise::prelude::*;
use armwise::report::format::p_value;

/// The limits and the p-value in a line such as `+7.1 points (95% CI 0.01 to 14.23, ...), p = 0.0497`.
fn printed(line: &str) -> Option<([f64; 2], f64)> {
    let (_, rest) = line.split_once("% CI ")?;
    let (lower, rest) = rest.split_once(" to ")?;
    let upper = rest.split([',', ')', ' ']).next()?;
    let p = line.split(", p ").nth(1)?.split([',', ';', ' ']).collect::<Vec<_>>();
    let number = |text: &str| match text {
        "infinity" | "inf" => Some(f64::INFINITY),
        "-infinity" | "-inf" => Some(f64::NEG_INFINITY),
        text => text.trim_start_matches('<').parse().ok(),
    };
    let p_value = match p[..] {
        ["=", p, ..] => p.parse().ok()?,
        ["<", ..] => 0.0,
        [">", ..] => 1.0,
        _ => return None,
    };
    Some(([number(lower)?, number(upper)?], p_value))
}

/// The side of the null on which the interval lies agrees with the p-value; both are near the border where
/// one of them is.
fn agree(line: &str, null: f64, level: f64) -> Result<bool, String> {
    let Some(([lower, upper], p)) = printed(line) else { return Ok(false) };
    let alpha = 1.0 - level;
    let excludes = lower > null || upper < null;
    let touches = lower == null || upper == null;
    let contradicts = if touches {
        // The limit is no effect, to more digits than anybody needs.
        (p - alpha).abs() > 2e-4
    } else if excludes {
        p >= alpha - 1e-12
    } else {
        p <= alpha + 1e-12
    };
    if contradicts { Err(line.to_owned()) } else { Ok(true) }
}

/// Every line of one effect in a text.
fn check(text: &str, null: f64, level: f64, seen: &mut usize) {
    let whole = text.replace("\n      ", " ");
    for line in whole.lines() {
        match agree(line, null, level) {
            Ok(is_effect) => *seen += usize::from(is_effect),
            Err(line) => panic!("{line}"),
        }
    }
}

/// Counts of two arms near the border of significance, by every interval of counts.
#[test]
fn intervals_of_counts_agree_with_their_p_values() {
    let mut seen = 0;
    for n in [43, 100, 211, 5000] {
        for control in 1..12 {
            for treated in 1..40 {
                let comparison = Comparison::from_counts(
                    "Utrecht",
                    &WORKS,
                    [("control", control * n / 100 + 1, n), ("guidance", treated * n / 100 + 1, n + 3)],
                );
                let comparison = comparison.unwrap();
                let difference = comparison.estimate(&DifferenceInProportions::new()).unwrap();
                check(&difference.to_string(), 0.0, 0.95, &mut seen);
                let ratio = comparison.estimate(&RatioOfProportions::new()).unwrap();
                check(&ratio.to_string(), 1.0, 0.95, &mut seen);
                let odds = comparison.estimate(&OddsRatio::new().level(0.9)).unwrap();
                check(&odds.to_string(), 1.0, 0.9, &mut seen);
            }
        }
    }
    assert!(seen > 3000, "{seen}");
}

/// The listed estimators, each on trials in which the effect is near the border.
#[test]
fn intervals_of_every_estimator_agree_with_their_p_values() {
    let mut seen = 0;
    let listed = estimators::all();
    for seed in 0..30 {
        let mut numbers = Numbers(seed);
        let mut csv = "arm,works,score,age,district,contract\n".to_owned();
        for i in 0..150 {
            let arm = i % 3;
            let works = numbers.chance(0.3 + 0.13 * arm as f64);
            let score = 10.0 * numbers.next() + 1.2 * arm as f64;
            let contract = match (works, numbers.chance(0.5)) {
                (false, _) => "none",
                (true, true) => "temporary",
                (true, false) => "permanent",
            };
            let age = 20.0 + 40.0 * numbers.next();
            let district = numbers.chance(0.5);
            csv += &format!(
                "{},{},{score:.2},{age:.1},{},{contract}\n",
                ARMS[arm],
                u8::from(works),
                u8::from(district)
            );
        }
        let table = Table::from_csv_str(&csv).unwrap();
        let trial = labelled(table, "control").strata(["district"]).build().unwrap();
        for one in &listed {
            let Some(estimates) = one.of(&trial, 0.95) else { continue };
            let null = if estimates.scale().to_string().contains("ratio")
                || estimates.scale().to_string().contains("odds")
            {
                1.0
            } else {
                0.0
            };
            check(&estimates.to_string(), null, 0.95, &mut seen);
        }
    }
    assert!(seen > 3000, "{seen}");
}

/// Pools near the border.
#[test]
fn intervals_of_pools_agree_with_their_p_values() {
    let mut seen = 0;
    for seed in 0..60 {
        let mut numbers = Numbers(seed);
        let mut count = |p: f64| (0..120).filter(|_| numbers.chance(p)).count() as u64 + 1;
        let data: Vec<Vec<(&str, u64, u64)>> = (0..5)
            .map(|_| {
                vec![
                    ("control", count(0.15), 140),
                    ("guidance", count(0.22), 140),
                    ("exemption", count(0.2), 140),
                ]
            })
            .collect();
        let data: Vec<&[(&str, u64, u64)]> = data.iter().map(Vec::as_slice).collect();
        let effects = cities(&data).estimate(&DifferenceInProportions::new()).unwrap();
        let guidance = effects.treatment("guidance").unwrap();
        for pool in pools::all() {
            let Ok(pooled) = pool.pool(&guidance) else { continue };
            let text = pooled.to_string();
            let level = pooled.summary.level;
            let line = text.lines().find(|line| line.trim_start().starts_with("pooled:")).unwrap().to_owned();
            let first = line.split("; 9").next().unwrap().to_owned();
            let first = if first.contains(", p ") { first } else { line };
            check(&first, 0.0, level, &mut seen);
            // No limit of a figure is written as no effect either.
            let svg = ForestPlot::of(&pooled).to_svg();
            assert!(!svg.contains(">(0.0 to") && !svg.contains(" to 0.0)<"), "{svg}");
        }
        for pool in pools::all_joint() {
            check(&pool.pool(&effects).unwrap().to_string(), 0.0, 0.95, &mut seen);
        }
    }
    assert!(seen > 500, "{seen}");
}

/// The referee's case: 7.1 (0.0 to 14.2), p = 0.050.
#[test]
fn a_limit_that_rounds_to_no_effect_has_more_digits() {
    assert_eq!(p_value(0.0497), "p = 0.0497");
    assert_eq!(p_value(0.050_04), "p = 0.05004");
    assert_eq!(p_value(0.05), "p = 0.050");
    assert_eq!(p_value(0.0512), "p = 0.051");
    let mut seen = 0;
    for treated in 20..60 {
        let arms = [("control", 20, 200), ("guidance", treated, 211)];
        let comparison = Comparison::from_counts("Utrecht", &WORKS, arms).unwrap();
        let effect =
            comparison.estimate(&DifferenceInProportions::new()).unwrap().treatment("guidance").unwrap();
        let lower = effect.interval().lower();
        // Without the rule it would be 0.0.
        if lower.abs() < 0.0005 && lower != 0.0 {
            seen += 1;
            let text = comparison.estimate(&DifferenceInProportions::new()).unwrap().to_string();
            assert!(!text.contains("% CI 0.0 to"), "{text}");
        }
    }
    assert!(seen > 0);
    // Ratios in large trials.
    let arms = [("control", 40_000, 100_000), ("guidance", 40_600, 100_000)];
    let large = Comparison::from_counts("Utrecht", &WORKS, arms).unwrap();
    let text = large.estimate(&RatioOfProportions::new()).unwrap().to_string();
    assert!(text.contains("risk ratio 1.015 (95% CI 1.004 to 1.026"), "{text}");
}

#[test]
fn levels_below_one_are_not_called_100_percent() {
    let comparison =
        Comparison::from_counts("Utrecht", &WORKS, [("control", 20, 200), ("guidance", 40, 211)]).unwrap();
    for (level, name) in [
        (0.95, "95% CI"),
        (0.999, "99.9% CI"),
        (0.999_99, "99.999% CI"),
        (0.999_999_9, "99.99999% CI"),
        (0.6827, "68.27% CI"),
    ] {
        let text = comparison.estimate(&DifferenceInProportions::new().level(level)).unwrap().to_string();
        assert!(text.contains(&format!("({name} ")), "{name}: {text}");
        let error =
            Comparison::from_counts("Utrecht", &WORKS, [("control", 0, 9), ("guidance", 4, 9)]).unwrap();
        let error = error.estimate(&RatioOfProportions::new().level(level)).unwrap_err().to_string();
        assert!(error.contains(&format!("its {} interval", name.trim_end_matches(" CI"))), "{error}");
    }
}

fn effects() -> Effects<RiskDifference> {
    let arms: [&[(&str, u64, u64)]; 4] = [
        &[("control", 10, 100), ("free_choice", 15, 90), ("guidance", 12, 95)],
        &[("control", 20, 100), ("free_choice", 18, 90), ("guidance", 28, 95)],
        &[("control", 9, 80), ("free_choice", 12, 85), ("guidance", 9, 85)],
        &[("control", 7, 80), ("free_choice", 16, 85), ("guidance", 14, 85)],
    ];
    cities(&arms).estimate(&DifferenceInProportions::new()).unwrap()
}

/// Tau stands in points, I2 with its interval, a prediction interval is called approximate.
#[test]
fn the_variation_between_trials_is_told_in_full() {
    let effects = effects();
    let pooled = RandomEffects::new().pool(&effects.treatment("guidance").unwrap()).unwrap();
    let text = pooled.to_string();
    assert!(
        text.contains("tau = ") && text.contains(" points (95% CI ") && !text.contains("tau2 ="),
        "{text}"
    );
    assert!(text.contains("I2 = ") && text.contains("% (95% CI "), "{text}");
    assert!(text.contains("approximate 95% prediction interval: "), "{text}");
    let svg = ForestPlot::of(&pooled).to_svg().replace("</text>", " ");
    assert!(svg.contains("pproximate 95% prediction"), "{svg}");
    let ways = SideBySide::new().pool(&effects.treatment("guidance").unwrap()).unwrap().to_string();
    assert!(ways.contains("approximate prediction interval"), "{ways}");
    // What is a posterior distribution is exact, given its priors.
    let bayesian = BayesianRandomEffects::new().pool(&effects.treatment("guidance").unwrap()).unwrap();
    assert!(!bayesian.to_string().contains("approximate"), "{bayesian}");
    assert!(
        !bayesian
            .to_string()
            .lines()
            .skip(1)
            .any(|line| line.contains("Mean effect") && line.contains(" CI"))
    );
}

/// The P-score beside what chance gives.
#[test]
fn p_scores_stand_beside_chance() {
    let network = NetworkMetaAnalysis::random().pool(&effects()).unwrap();
    let text = network.to_string();
    assert!(
        text.contains("if no arm differed, the best of 3 arms would have about 0.77 by chance"),
        "{text}"
    );
    // By simulation, with another stream of numbers.
    for (arms, expected) in [(3, 0.7726), (5, 0.8024), (11, 0.8436)] {
        assert!((chance_p_score(arms) - expected).abs() < 0.002, "{arms}: {}", chance_p_score(arms));
    }
    assert!(chance_p_score(1).is_nan());
}

/// Labels are words in what people read, and data in CSV.
#[test]
fn labels_are_read_as_words() {
    let effects = effects();
    let joint = JointModel::random().pool(&effects).unwrap();
    let network = NetworkMetaAnalysis::random().pool(&effects).unwrap();
    let pooled = RandomEffects::new().pool(&effects.treatment("free_choice").unwrap()).unwrap();
    let texts = [joint.to_string(), network.to_string(), pooled.to_string(), effects.to_string()];
    let figures = [
        ForestPlot::of(&joint).to_svg(),
        ForestPlot::of(&network).to_svg(),
        ForestPlot::of(&pooled).to_svg(),
    ];
    for text in texts.iter().chain(&figures) {
        assert!(!text.contains("free_choice"), "{text}");
        assert!(text.to_lowercase().contains("free choice"), "{text}");
    }
    let mut report = Report::new("All");
    report.push(&joint).push(&pooled);
    assert!(!report.to_markdown().contains("free_choice"), "{}", report.to_markdown());
    assert!(report.to_csv().contains("free_choice"), "{}", report.to_csv());
    // Yes and no of a column are no labels either.
    let mut csv = "arm,works,female\n".to_owned();
    for i in 0..60 {
        csv += &format!(
            "{},{},{}\n",
            ["control", "guidance"][i % 2],
            u8::from(i % 7 < 3),
            ["yes", "no"][i / 30]
        );
    }
    let trial = labelled(Table::from_csv_str(&csv).unwrap(), "control").build().unwrap();
    let subgroups = trial.on(&WORKS).unwrap().by_subgroup("female").unwrap();
    let subgroups = subgroups.estimate(&DifferenceInProportions::new()).unwrap();
    let svg = ForestPlot::of(&subgroups).to_svg();
    assert!(svg.contains(">Not female<") && svg.contains(">Female<") && !svg.contains("Female: no"), "{svg}");
    // Of a verb or a noun "not" would be no English.
    for (column, yes, no) in [
        ("works", "Works: yes", "Works: no"),
        ("has_children", "Has children: yes", "Has children: no"),
        ("benefits", "Benefits: yes", "Benefits: no"),
        ("need", "Need: yes", "Need: no"),
        ("employed", "Employed", "Not employed"),
        ("eligible", "Eligible", "Not eligible"),
    ] {
        let csv = csv.replace("arm,works,female", &format!("arm,found,{column}"));
        let trial = labelled(Table::from_csv_str(&csv).unwrap(), "control").build().unwrap();
        let subgroups = trial.on(&Measure::binary("found")).unwrap().by_subgroup(column).unwrap();
        let svg = ForestPlot::of(&subgroups.estimate(&DifferenceInProportions::new()).unwrap()).to_svg();
        assert!(svg.contains(&format!(">{yes}<")) && svg.contains(&format!(">{no}<")), "{column}: {svg}");
    }
}

/// A difference between differences is called so, once.
#[test]
fn differences_between_subgroups_have_their_name() {
    let csv = "arm,female,score\nc,no,1\nc,no,3\nt,no,6\nt,no,8\nc,yes,2\nc,yes,4\nt,yes,3\nt,yes,5\n";
    let table = Table::from_csv_str(csv).unwrap();
    let trial = Trial::builder("Utrecht", table).arm_labels("arm").control("c").build().unwrap();
    for (measure, words) in [
        (Measure::continuous("score"), "difference of differences in means -"),
        (Measure::continuous("score").unit("points of the scale"), "difference -"),
    ] {
        let score = trial.on(&measure).unwrap();
        let text =
            score.by_subgroup("female").unwrap().estimate(&DifferenceInMeans::new()).unwrap().to_string();
        assert!(text.contains(words) && !text.contains("difference difference"), "{text}");
    }
}

/// "(95% CI)" stands in one line of a figure.
#[test]
fn the_level_is_not_broken_in_figures() {
    let effects = effects();
    let guidance = effects.treatment("guidance").unwrap();
    let mut figures = vec![
        ForestPlot::of(&RandomEffects::new().pool(&guidance).unwrap()),
        ForestPlot::of(&SideBySide::new().pool(&guidance).unwrap()),
        ForestPlot::of(&BayesianRandomEffects::new().pool(&guidance).unwrap()),
        ForestPlot::of(&JointModel::random().pool(&effects).unwrap()),
        ForestPlot::of(&NetworkMetaAnalysis::random().pool(&effects).unwrap()),
    ];
    let odds = cities(&[&[("control", 10, 100), ("guidance", 15, 90)]]).estimate(&OddsRatio::new()).unwrap();
    figures.push(ForestPlot::of(&CommonEffect::new().pool(&odds.treatment("guidance").unwrap()).unwrap()));
    for figure in figures {
        let svg = figure.to_svg();
        for text in svg.split("<text").skip(1) {
            let words = text.split_once('>').unwrap().1.split("</text>").next().unwrap();
            let broken = words.ends_with("(95%") || words.starts_with("CI)") || words == "interval)";
            assert!(!broken, "{words}: {svg}");
        }
        assert!(svg.contains("(95% CI)") || svg.contains("(95% interval)"), "{svg}");
    }
}
