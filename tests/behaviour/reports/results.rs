//! What is printed, tabulated and drawn of results.

use super::svg::check_texts;
use armwise::prelude::*;

const LONG: &str = "Municipality with a name of two hundred characters, as administrations like them: the intermunicipal \
                    cooperation for work, income, participation and debt counseling of the eastern river region (pilot)";

fn outflow() -> Measure<Binary> {
    Measure::binary("hours").named("full-time outflow").higher_is_better()
}

fn utrecht() -> Comparison<Binary> {
    Comparison::from_counts("Utrecht", &outflow(), [("control", 6, 176), ("guidance", 7, 172)]).unwrap()
}

/// Trials with differing counts, every third without guidance.
fn cities(names: impl IntoIterator<Item = String>) -> Comparisons<Binary> {
    let comparisons = names.into_iter().enumerate().map(|(i, name)| {
        let step = (i as u64 * 7) % 10;
        let control = ("control", 6 + 2 * step, 176 + 3 * step);
        let guidance = ("guidance", 7 + 3 * step, 172 + step);
        let exemption = ("exemption", 9 + step, 150 + step);
        let arms = if i % 3 == 2 { vec![control, exemption] } else { vec![control, guidance, exemption] };
        Comparison::from_counts(name, &outflow(), arms).unwrap()
    });
    Comparisons::new(comparisons).unwrap()
}

fn numbered(n: usize) -> Comparisons<Binary> {
    cities((0..n).map(|i| format!("City {i}")))
}

/// Two cities with participants whose covariates and outcomes are partly missing.
fn participants() -> Trials {
    let mut rows = vec![String::from("city,arm,age,works,score")];
    for i in 0..240_u32 {
        let city = if i % 2 == 0 { "Utrecht" } else { "Tilburg" };
        let arm = ["control", "guidance", "exemption"][(i / 2 % 3) as usize];
        let age = if i == 7 { String::new() } else { (20 + i * 37 % 41).to_string() };
        let works = if i == 10 { String::new() } else { u32::from(i * 29 % 11 < 4).to_string() };
        rows.push(format!("{city},{arm},{age},{works},{}", i * 31 % 53));
    }
    let table = Table::from_csv_str(&rows.join("\n")).unwrap();
    Trials::builder(table, "city").arm_labels("arm").control("control").build().unwrap()
}

fn check_words(text: &str) {
    for word in text.split(|c: char| c.is_whitespace() || ",()[]<>\"".contains(c)) {
        let number = word.trim_start_matches(['-', '+']);
        assert!(!["nan", "inf", "infinity"].contains(&number.to_lowercase().as_str()), "{word} in\n{text}");
    }
    assert!(text.lines().all(|line| line.trim_end() == line), "trailing blanks in\n{text}");
}

#[test]
fn an_estimate_reads_aloud() {
    let difference =
        utrecht().estimate(&DifferenceInProportions::new()).unwrap().treatment("guidance").unwrap();
    assert_eq!(
        difference.to_string(),
        "Utrecht, full-time outflow, guidance vs control: +0.7 points (95% CI -3.7 to 5.2, Miettinen-Nurminen), \
         p = 0.75, n 172 v 176, events 7 v 6"
    );
    let odds = utrecht().estimate(&OddsRatio::new()).unwrap().treatment("guidance").unwrap();
    assert!(odds.to_string().contains("control: odds ratio 1.20 (95% CI 0.41 to 3.49, "), "{odds}");
    let at_90 = DifferenceInProportions::new().level(0.9);
    assert!(utrecht().estimate(&at_90).unwrap().to_string().contains("(90% CI "));
}

#[test]
fn adjusted_estimates_say_for_what() {
    let works = Measure::binary("works").horizon("16 months");
    let trials = participants();
    let model = LogisticRegression::new().adjust_for(["age"]);
    let odds = trials.on(&works).unwrap().estimate(&model).unwrap().to_string();
    assert!(odds.contains("works at 16 months, guidance vs control: conditional odds ratio "), "{odds}");
    assert!(odds.contains(", adjusted for age (logistic regression"), "{odds}");
    assert!(odds.contains("\n  note: 1 of 120 randomised has no outcome and is not analysed"), "{odds}");
    assert!(odds.contains("\n  note: 1 participant is left out because \"age\" is missing"), "{odds}");
    let marginal = trials.on(&works).unwrap().estimate(&model.marginal(LogOddsRatio)).unwrap().to_string();
    assert!(marginal.contains(": marginal odds ratio "), "{marginal}");
    let points = trials.on(&works).unwrap().estimate(&model.marginal(RiskDifference)).unwrap().to_string();
    assert!(points.contains(" points (95% CI ") && !points.contains("marginal"), "{points}");

    let score = Measure::continuous("score").unit("points on a scale of 0 to 52");
    let means = trials.on(&score).unwrap().estimate(&DifferenceInMeans::new()).unwrap().to_string();
    assert!(
        means.contains(" points on a scale of 0 to 52 (95% CI ") && means.contains(", t with "),
        "{means}"
    );
    let unnamed = Measure::continuous("score");
    let means = trials.on(&unnamed).unwrap().estimate(&DifferenceInMeans::new()).unwrap().to_string();
    assert!(means.contains(": difference in means "), "{means}");
    for text in [odds, marginal, points, means] {
        check_words(&text);
    }
}

#[test]
fn arm_means_print_a_line_per_arm() {
    let variances = armwise::ndarray::Array2::from_diag(&armwise::ndarray::arr1(&[0.0004, 0.0009]));
    let means = ArmMeans::new(&utrecht(), vec![0.2, 0.3], variances, Method::new("by hand")).unwrap();
    let text = means.to_string();
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines[0], "Utrecht, full-time outflow, control: 0.200 (95% CI 0.161 to 0.239, normal), n 176");
    assert_eq!(lines.len(), 2);
}

#[test]
fn pools_print_both_tests_and_say_which_is_primary() {
    let effects = numbered(7).estimate(&DifferenceInProportions::new()).unwrap();
    let guidance = effects.treatment("guidance").unwrap();
    let pooled = RandomEffects::new().pool(&guidance).unwrap();
    let text = pooled.to_string();
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines[0], "full-time outflow, guidance vs control, 5 trials pooled (random effects, REML):");
    assert!(lines[1].starts_with("  City 0: +0.7 points (95% CI ") && lines[1].contains(", weight "));
    assert!(lines[6].starts_with("  pooled: ") && lines[6].matches("primary").count() == 1, "{text}");
    assert!(lines[6].contains("Wald") && lines[6].contains("Hartung-Knapp, t with 4 df"), "{text}");
    assert!(
        lines[7].starts_with("  approximate 95% prediction interval: ")
            && lines[7].ends_with("points (tau uncertain, by the Q-profile distribution)")
    );
    assert!(
        lines[8].starts_with("  tau = ")
            && lines[8].contains(" points (95% CI ")
            && lines[8].contains(", I2 = ")
    );
    assert!(
        text.contains("note: without the arm \"guidance\", so not in this pool: City 2, City 5"),
        "{text}"
    );
    let by_other_rule = RandomEffects::new().prediction_df(armwise::meta_analysis::PredictionDf::KMinus2);
    assert!(by_other_rule.pool(&guidance).unwrap().to_string().contains("(t with k - 2 = 3 df)"));

    let wald = RandomEffects::new().test(armwise::meta_analysis::Test::Normal).pool(&guidance).unwrap();
    assert!(wald.to_string().contains(", Wald; primary)"));
    let common = CommonEffect::new().pool(&guidance).unwrap().to_string();
    assert!(common.contains("(common effect)") && !common.contains("tau") && !common.contains("prediction"));
    let alone = numbered(1).estimate(&DifferenceInProportions::new()).unwrap();
    let alone = RandomEffects::new().pool(&alone.treatment("guidance").unwrap()).unwrap().to_string();
    assert!(alone.contains(", 1 trial pooled "), "{alone}");
    let joint = JointModel::random().pool(&effects).unwrap().to_string();
    assert!(
        joint.contains("\n  guidance: ")
            && joint.contains(", from City 0, City 1, City 3, City 4 and City 6\n")
    );
    assert!(joint.contains("\n  tau = ") && joint.contains(", Q-profile), Q = "), "{joint}");
    for text in [text, common, alone, joint, guidance.to_string(), effects.to_string()] {
        check_words(&text);
    }
}

#[test]
fn infinite_limits_are_words_everywhere() {
    let estimates = utrecht().estimate(&OddsRatio::new()).unwrap();
    let mut json = serde_json::to_value(&estimates).unwrap();
    let inference = &mut json["contrasts"][0]["inference"];
    inference["interval"] = serde_json::json!({"lower": "-Inf", "upper": "Inf"});
    inference["curve"] = serde_json::json!({"at_one_level": {"p_value": 1.0}});
    inference["p_value"] = 1.0.into();
    let open: Estimates<LogOddsRatio> = serde_json::from_value(json).unwrap();
    assert!(open.to_string().contains("(95% CI 0.00 to unbounded, "), "{open}");
    let table = OutcomeTable::new(&open);
    check_words(&table.to_string());
    let effects = Effects::new([open]).unwrap();
    let pooled = CommonEffect::new().pool(&effects.treatment("guidance").unwrap()).unwrap();
    check_words(&pooled.to_string());
    let plot = ForestPlot::of(&pooled);
    check_words(&plot.to_svg());
    check_texts("open", &plot);
    let mut report = Report::new("Open");
    report.push(&effects).push(&pooled);
    check_words(&report.to_markdown());
    let back: Report = serde_json::from_str(&serde_json::to_string(&report).unwrap()).unwrap();
    assert_eq!(back, report);
}

#[test]
fn nobody_with_the_event_is_told() {
    let counts =
        Comparison::from_counts("Utrecht", &outflow(), [("control", 0, 17), ("guidance", 0, 19)]).unwrap();
    let text = counts.estimate(&DifferenceInProportions::new()).unwrap().to_string();
    check_words(&text);
    assert!(text.contains("\n  note: "), "{text}");
}

#[test]
fn the_outcome_table_holds_what_consort_asks_for() {
    let works = Measure::binary("works").higher_is_better();
    let trials = participants();
    let comparisons = trials.on(&works).unwrap();
    let differences = comparisons.estimate(&DifferenceInProportions::new()).unwrap();
    let ratios = comparisons.estimate(&RatioOfProportions::new()).unwrap();
    let model = LogisticRegression::new().adjust_for(["age"]);
    let adjusted = comparisons.estimate(&model.marginal(RiskDifference)).unwrap();
    let table = OutcomeTable::new(&differences).relative(&ratios).unwrap().adjusted(&adjusted).unwrap();
    let text = table.to_string();
    let header = text.lines().nth(2).unwrap();
    for heading in
        ["Randomised", "Analysed", "Events", "Risk difference, points (95% CI)", "Risk ratio (95% CI)"]
    {
        assert!(header.contains(heading), "{header}");
    }
    assert!(header.contains("Adjusted risk difference, points (95% CI)"), "{header}");
    assert_eq!(table.grid().len(), 4);
    assert!(text.contains("40 v 40"), "{text}");
    assert!(text.contains(" adjusted for age; 95% CI: "), "{text}");
    assert!(text.contains(": Adjusted risk difference is of n "), "{text}");
    assert!(
        text.contains("note: 1 of 120 randomised has no outcome and is not analysed (Utrecht)\n")
            && text.contains("note: Utrecht, without an outcome: "),
        "{text}"
    );
    check_words(&text);
    let json = serde_json::to_string(&table).unwrap();
    assert_eq!(serde_json::from_str::<OutcomeTable>(&json).unwrap(), table);

    // What does not belong together is refused.
    let incompatible = |table: armwise::Result<OutcomeTable>| {
        let error = table.unwrap_err();
        assert_eq!(error.kind().name(), "incompatible", "{error}");
    };
    incompatible(OutcomeTable::new(&differences).relative(&differences));
    incompatible(OutcomeTable::new(&differences).adjusted(&ratios));
    incompatible(
        OutcomeTable::new(&numbered(2).estimate(&DifferenceInProportions::new()).unwrap())
            .adjusted(&adjusted),
    );
    incompatible(OutcomeTable::new(differences.trial("Utrecht").unwrap()).relative(&ratios));
    let two_arms = differences.treatment("guidance").unwrap();
    assert_eq!(two_arms.len(), 2);
}

#[test]
fn drawn_results_never_overlap() {
    for n in [1, 3, 6, 30] {
        let comparisons = numbered(n);
        let differences = comparisons.estimate(&DifferenceInProportions::new()).unwrap();
        let odds = comparisons.estimate(&OddsRatio::new()).unwrap();
        let pool = |treatment| RandomEffects::new().pool(&differences.treatment(treatment).unwrap()).unwrap();
        let (guidance, exemption) = (pool("guidance"), pool("exemption"));
        let one = ForestPlot::of(&guidance);
        check_texts("one", &one);
        assert!(one.to_svg().contains("7/172"));
        if n > 2 {
            assert!(one.to_svg().contains("City 2"), "the trial without the arm is named");
        }
        check_texts("two", &ForestPlot::of_all([&guidance, &exemption]).unwrap().title(LONG));
        let ratio = CommonEffect::new().pool(&odds.treatment("exemption").unwrap()).unwrap();
        check_texts("ratio", &ForestPlot::of(&ratio));
        if n > 1 {
            check_texts("joint", &ForestPlot::of(&JointModel::random().pool(&odds).unwrap()));
        }
        assert_eq!(one.to_svg(), ForestPlot::of(&guidance).to_svg());
    }
}

#[test]
fn figures_take_any_name() {
    let names = [
        LONG,
        "'s-Hertogenbosch",
        "東京都 職業訓練",
        "R&D <b>\"x\"</b>",
        "Нижний Новгород",
        "e\u{301} 🎓",
        "|",
    ];
    let comparisons = cities(names.map(ToOwned::to_owned));
    let effects = comparisons.estimate(&DifferenceInProportions::new()).unwrap();
    let pooled = RandomEffects::new().pool(&effects.treatment("guidance").unwrap()).unwrap();
    check_texts("names", &ForestPlot::of(&pooled));
    let joint = JointModel::random().pool(&effects).unwrap();
    check_texts("names, jointly", &ForestPlot::of(&joint));
    let mut report = Report::new(LONG);
    report.push(&effects).push(&pooled).push(&joint);
    assert!(report.to_text().contains("東京都") && report.to_markdown().contains("R&D &lt;b>"));
    let rows: Vec<usize> = report.to_csv().lines().map(|line| line.matches(',').count()).collect();
    assert!(rows.iter().all(|commas| *commas >= rows[0]));
}

#[test]
fn pools_that_do_not_belong_in_one_figure_are_refused() {
    let pool = |measure: &Measure<Binary>| {
        let arms = [("control", 6, 176), ("guidance", 7, 172)];
        let counts = Comparison::from_counts("Utrecht", measure, arms).unwrap();
        let effects = Effects::new([counts.estimate(&DifferenceInProportions::new()).unwrap()]).unwrap();
        CommonEffect::new().pool(&effects.treatment("guidance").unwrap()).unwrap()
    };
    let (one, other) = (pool(&outflow()), pool(&Measure::binary("contract")));
    let error = ForestPlot::of_all([&one, &other]).unwrap_err();
    assert!(error.to_string().contains("the measure is \"full-time outflow\" and \"contract\""), "{error}");
    assert_eq!(ForestPlot::of_all::<RiskDifference>([]).unwrap_err().kind().name(), "no_studies");
    let svg = ForestPlot::of_all([&one, &one]).unwrap().to_svg();
    assert!(svg.contains("Favours guidance"));
    assert!(!ForestPlot::of(&other).to_svg().contains("Favours"), "no direction of benefit was declared");
}

#[test]
fn a_report_is_written_whole() {
    let effects = numbered(3).estimate(&DifferenceInProportions::new()).unwrap();
    let guidance = effects.treatment("guidance").unwrap();
    let pooled = RandomEffects::new().pool(&guidance).unwrap();
    let mut report = Report::new("Guidance");
    report.push(&effects).heading("Pool").push(&pooled).push(&guidance).paragraph("Words.\nMore words.");
    report.push(&guidance.iter().next().unwrap().clone());
    report.push(&JointModel::common().pool(&effects).unwrap());
    let folder = std::env::temp_dir().join(format!("armwise-report-{}", std::process::id()));
    report.write_dir(folder.join("deep")).unwrap();
    report.forest_svg(folder.join("deep/forest.svg")).unwrap();
    let mut names: Vec<String> = std::fs::read_dir(folder.join("deep"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names.retain(|name| name != "report.json" || cfg!(not(feature = "json")));
    assert_eq!(names, ["forest.svg", "report.csv", "report.md", "report.txt"]);
    let text = std::fs::read_to_string(folder.join("deep/report.txt")).unwrap();
    std::fs::remove_dir_all(&folder).unwrap();
    assert_eq!(text, report.to_text());
    assert!(text.contains("\nPool\n----\n") && text.ends_with('\n'));
    assert!(text.contains("  note: without the arm \"guidance\", so not in this pool: City 2"), "{text}");
    let csv = report.to_csv();
    // 5 contrasts; 2 trials, 2 tests and a prediction interval; 2 estimates; 1 estimate; 2 coefficients.
    assert_eq!(csv.lines().count(), 1 + 5 + 5 + 2 + 1 + 2);
    for line in csv.lines() {
        for digits in line.split(',').filter(|field| field.parse::<f64>().is_ok()) {
            let significant = digits.trim_start_matches(['-', '0', '.']).chars().filter(char::is_ascii_digit);
            assert!(significant.count() <= 6, "{digits}");
        }
    }
    let error = Report::new("").forest_svg("nowhere.svg").unwrap_err();
    assert_eq!(error.kind().name(), "no_studies");
    let file = std::env::temp_dir().join(format!("armwise-file-{}", std::process::id()));
    std::fs::write(&file, "").unwrap();
    assert_eq!(report.write_dir(&file).unwrap_err().kind().name(), "write");
    std::fs::remove_file(&file).unwrap();
}

#[test]
fn a_one_stage_model_is_reported_like_the_other_pools() {
    let cities = numbered(3);
    let common = OneStageLogistic::common().pool(&cities).unwrap();
    let random = OneStageLogistic::random().treatment("exemption").pool(&cities).unwrap();
    let mut report = Report::new("One stage");
    report.push(&common).push(&random);
    let text = report.to_text();
    assert!(text.contains(&common.to_string()) && text.contains(&random.to_string()), "{text}");
    let markdown = report.to_markdown();
    for words in [
        "| Effect | Odds ratio (95% CI) | p |  | Trials |",
        "| guidance |",
        "- treatment by trial: likelihood ratio",
        "- tau2 = ",
    ] {
        assert!(markdown.contains(words), "{words} in\n{markdown}");
    }
    let csv = report.to_csv();
    assert_eq!(csv.lines().filter(|line| line.starts_with("one_stage,")).count(), 3, "{csv}");
    for text in [&text, &markdown, &csv] {
        check_words(text);
    }
    let back: Report = serde_json::from_str(&serde_json::to_string(&report).unwrap()).unwrap();
    assert_eq!(back, report);
}

#[test]
fn a_trial_whose_interval_has_another_level_than_the_pool_says_so() {
    let guidance =
        numbered(2).estimate(&DifferenceInProportions::new()).unwrap().treatment("guidance").unwrap();
    let pooled = RandomEffects::new().level(0.9).pool(&guidance).unwrap();
    let mut report = Report::new("Levels");
    report.push(&pooled);
    let markdown = report.to_markdown();
    assert!(markdown.contains("(90% CI)") && markdown.contains("| City 0 (95% CI) |"), "{markdown}");
    let figure = ForestPlot::of(&pooled).to_svg();
    assert!(figure.contains("City 0 (95% CI)"), "{figure}");
    let alike = ForestPlot::of(&RandomEffects::new().pool(&guidance).unwrap()).to_svg();
    assert!(!alike.contains("City 0 ("), "{alike}");
}

#[test]
fn pools_whose_measures_are_better_in_opposite_ways_share_no_figure() {
    let pooled = |measure: Measure<Binary>| {
        let counts = Comparison::from_counts("A", &measure, [("control", 6, 176), ("guidance", 7, 172)]);
        let effects = Comparisons::new([counts.unwrap()]).unwrap().estimate(&DifferenceInProportions::new());
        CommonEffect::new().pool(&effects.unwrap().treatment("guidance").unwrap()).unwrap()
    };
    let works = || Measure::binary("works");
    let (up, down) = (pooled(works().higher_is_better()), pooled(works().lower_is_better()));
    let error = ForestPlot::of_all([&up, &down]).unwrap_err();
    assert!(error.to_string().contains("direction of benefit"), "{error}");
}
