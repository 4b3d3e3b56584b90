//! Whatever an estimate knows arrives in the pool, the report, the CSV and the figure, each said once however
//! many trials have it.

use armwise::data::{CsvReader, TableNotice};
use armwise::meta_analysis::{FunnelSide, MissingStudies};
use armwise::pool::CumulativeOrder;
use armwise::prelude::*;
use armwise::report::{FunnelPlot, Reportable};

const EVENT: Measure<Binary> = Measure::binary("event").higher_is_better();

/// One of every variant, about the arm "guidance" where it is about an arm.
fn all() -> Vec<Notice> {
    let arm = || Label::new("guidance");
    let trials = || vec![Label::new("Elsewhere")];
    let list = vec![
        Notice::MissingOutcome { participants: 3, of: 200 },
        Notice::OutcomeByWeights { participants: 3, of: 200 },
        Notice::Imputed { participants: Some(3), of: 200, imputations: 20, missing_information: 0.12 },
        Notice::ImputedWithout {
            column: "score".to_owned(),
            arm: arm(),
            left_out: vec!["age".to_owned(), "born".to_owned()],
        },
        Notice::ImputedExactly { column: "score".to_owned(), arm: arm() },
        Notice::ChainsApart { column: "score".to_owned(), arm: arm(), r_hat: 1.31 },
        Notice::MissingCovariate { covariate: "age".to_owned(), participants: 2 },
        Notice::ConstantCovariate { covariate: "female".to_owned() },
        Notice::EmptyStratumCell { stratum: "north".to_owned(), arm: arm() },
        Notice::NoVariation { arm: arm(), everybody: false },
        Notice::CertainArm { arm: arm(), everybody: true },
        Notice::BeyondHorizon { treatment: arm(), horizon: "12 months".to_owned() },
        Notice::ZeroStandardError { treatment: arm() },
        Notice::AddedHalf { name: Label::new("A") },
        Notice::ProratedScores { participants: 4 },
        Notice::BoundaryTau2,
        Notice::HartungKnappNarrower,
        Notice::TrialsWithoutArm { arm: arm(), trials: trials() },
        Notice::UninformativeTrials { trials: trials() },
        Notice::FewTrials { trials: 2 },
        Notice::Aliased { columns: vec!["x".to_owned()] },
        Notice::WeakTakeUp { treatment: arm(), f: 4.0 },
        Notice::UnboundedInterval { treatment: arm() },
        Notice::NoOverdispersion,
        Notice::EmptyCategory { category: Label::new("none") },
        Notice::NonProportionalOdds { p_value: 0.01 },
        Notice::ProportionalOddsUntested { why: "too few people".to_owned() },
        Notice::NonProportionalHazards { p_value: 0.02 },
        Notice::ProportionalHazardsUntested { why: "ties are exact".to_owned() },
        Notice::NoRandomisedGroups,
        Notice::StrataLeftOut { strata: 1, of: 4 },
        Notice::SharedClusters { clusters: 5 },
        Notice::ClustersIgnored { clusters: 6 },
        Notice::StrataIgnored { strata: 4 },
        Notice::UnequalStrata { p_value: 0.0004 },
        Notice::UnequalCovariates { arm: arm(), r2: 0.31, p_value: 0.0004 },
        Notice::DominantWeights { arm: arm(), people: 40, effective: 1.4, largest_share: 0.83 },
        Notice::ImpossibleLimits { treatment: arm() },
        Notice::WaldInstead { interval: "stratified Mee".to_owned() },
        Notice::OfTable(TableNotice::EmptyRows { rows: 2 }),
        Notice::Fallback { estimator: "linear regression".to_owned(), why: "separation".to_owned() },
        Notice::TooFewTrials {
            analysis: "a test".to_owned(),
            trials: 2,
            needed: 10,
            source: "a source".to_owned(),
        },
        Notice::NoInformation { trials: trials() },
        Notice::UndeclaredDirection,
        Notice::NotApplicable { participants: 2, of: 200 },
        Notice::NegativeAlpha { items: vec!["who5_2".to_owned()] },
        Notice::MissingExposure { exposure: "months".to_owned(), participants: 3 },
        Notice::SamePartsOfArms { arm: Label::new("a_b"), other: Label::new("b_a") },
        Notice::FewEvents { events: 9, coefficients: 4 },
        Notice::OfPopulation { population: "those who came".to_owned(), participants: 90, of: 120 },
        Notice::HarmonicMean { arm: arm(), n: 51.5, smallest: 20, largest: 300 },
        Notice::ShorterFollowUp {
            trials: vec![(Label::new("Elsewhere"), "month 16".to_owned())],
            horizon: "24 months".to_owned(),
        },
        Notice::BaselineOnly { participants: 3 },
        Notice::SimplerCovariance {
            asked: "unstructured".to_owned(),
            taken: "heterogeneous Toeplitz".to_owned(),
            why: "no maximum".to_owned(),
        },
        Notice::OfTrials { trials: trials(), notice: Box::new(Notice::NoOverdispersion) },
        Notice::ResamplesWithoutAnswer { failed: 3, of: 999, why: "separation".to_owned() },
        Notice::ReplicatesStopped { drawn: 250, of: 9999 },
        Notice::FewerAssignments { assignments: 20, draws: 9999 },
        Notice::PartialDraws { draws: 250, of: 9999 },
        Notice::FewClusters { arm: arm(), clusters: 4 },
        Notice::BlocksOfOneArm { blocks: 2, of: 9 },
        Notice::UndefinedReplays { treatment: arm(), replays: 5 },
        Notice::SmallestPValue { treatment: arm(), p_value: 0.1 },
        Notice::Other("something of a user's own".to_owned()),
    ];
    // The list is whole: every variant of the source is in it.
    let source = include_str!("../../src/design/notice.rs");
    let of_enum = source.split("pub enum Notice {").nth(1).unwrap().split("\n}\n").next().unwrap();
    let variants = of_enum.lines().filter_map(|line| line.strip_prefix("    "));
    let variants = variants.filter(|line| line.starts_with(|first: char| first.is_ascii_uppercase()));
    for variant in variants {
        let name = variant.split([' ', '(', ',']).next().unwrap();
        let here = list.iter().any(|notice| format!("{notice:?}").split([' ', '(']).next() == Some(name));
        assert!(here, "{name} is not tried");
    }
    list
}

/// Four cities with three arms, of which the first and the third know something.
fn effects(told: &Notice) -> Effects<RiskDifference> {
    let counts = [[10, 15, 22], [20, 15, 30], [17, 29, 25], [12, 22, 19]];
    let cities = ["A", "B", "C", "D"].iter().zip(counts).map(|(city, [control, guidance, both])| {
        let arms = [("control", control, 100), ("guidance", guidance, 100), ("both", both, 100)];
        let city = Comparison::from_counts(*city, &EVENT, arms).unwrap();
        city.components("both", ["guidance", "earnings"]).unwrap()
    });
    let effects = Comparisons::new(cities).unwrap().estimate(&DifferenceInProportions::new()).unwrap();
    let effects = effects.iter().enumerate().map(|(i, estimates)| {
        let mut document = serde_json::to_value(estimates).unwrap();
        if i % 2 == 0 {
            document["about"]["notices"] = serde_json::to_value([told]).unwrap();
        }
        serde_json::from_value(document).unwrap()
    });
    Effects::new(effects).unwrap()
}

/// As it is written anywhere: without marks of a format, line breaks and capitals.
fn plain(text: &str) -> String {
    let mut words = String::new();
    let mut inside = false;
    for letter in text.replace("\"\"", "\"").chars() {
        match letter {
            '<' => inside = true,
            '>' if inside => {
                inside = false;
                words.push(' ');
            }
            _ if inside => {}
            letter => words.push(letter),
        }
    }
    let words = words.replace("&quot;", "\"").replace("&lt;", "<").replace("&#34;", "\"");
    words
        .replace("&apos;", "'")
        .replace("&#39;", "'")
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ")
        .to_lowercase()
}

fn check(path: &str, told: &Notice, notices: &[Notice], result: &impl Reportable) {
    let words = plain(&told.to_string());
    assert_eq!(notices.iter().filter(|notice| *notice == told).count(), 1, "{path}: {told} in {notices:?}");
    let mut report = Report::new("All");
    report.push(result);
    let text = plain(&report.to_text());
    assert_eq!(text.matches(&words).count(), 1, "{path}: {words} in the text:\n{text}");
    let markdown = plain(&report.to_markdown());
    assert_eq!(markdown.matches(&words).count(), 1, "{path}: {words} in Markdown:\n{markdown}");
    let csv = plain(&report.to_csv());
    assert!(csv.contains(&words), "{path}: {words} in CSV:\n{csv}");
}

#[test]
fn every_notice_of_a_trial_arrives_once_in_every_result() {
    for notice in all() {
        let effects = effects(&notice);
        let guidance = effects.treatment("guidance").unwrap();
        let trials = vec![Label::new("A"), Label::new("C")];
        let told = match &notice {
            // Numbers of people are added up.
            Notice::MissingOutcome { .. } => Notice::MissingOutcome { participants: 6, of: 400 },
            Notice::OutcomeByWeights { .. } => Notice::OutcomeByWeights { participants: 6, of: 400 },
            Notice::MissingCovariate { covariate, .. } => {
                Notice::MissingCovariate { covariate: covariate.clone(), participants: 4 }
            }
            Notice::Imputed { imputations, missing_information, .. } => Notice::Imputed {
                participants: Some(6),
                of: 400,
                imputations: *imputations,
                missing_information: *missing_information,
            },
            Notice::ProratedScores { .. } => Notice::ProratedScores { participants: 8 },
            Notice::NotApplicable { .. } => Notice::NotApplicable { participants: 4, of: 400 },
            Notice::MissingExposure { exposure, .. } => {
                Notice::MissingExposure { exposure: exposure.clone(), participants: 6 }
            }
            Notice::OfPopulation { population, .. } => {
                Notice::OfPopulation { population: population.clone(), participants: 180, of: 240 }
            }
            Notice::StrataLeftOut { .. } => Notice::StrataLeftOut { strata: 2, of: 8 },
            Notice::SharedClusters { .. } => Notice::SharedClusters { clusters: 10 },
            Notice::ClustersIgnored { .. } => Notice::ClustersIgnored { clusters: 12 },
            Notice::StrataIgnored { .. } => Notice::StrataIgnored { strata: 8 },
            other => other.clone(),
        };
        let told = Notice::OfTrials { trials, notice: Box::new(told) };
        macro_rules! tried {
            ($path:literal, $result:expr) => {{
                let result = $result.unwrap();
                check($path, &told, result.notices(), &result);
                result
            }};
        }
        macro_rules! drawn {
            ($path:literal, $result:expr) => {{
                let result = tried!($path, $result);
                let svg = plain(&ForestPlot::of(&result).to_svg());
                assert!(svg.contains(&plain(&told.to_string())), "{}: {told} in the figure:\n{svg}", $path);
                result
            }};
        }
        let halves = [("A", "one"), ("B", "one"), ("C", "two"), ("D", "two")];
        let random = drawn!("random effects", RandomEffects::new().pool(&guidance));
        drawn!("common effect", CommonEffect::new().pool(&guidance));
        drawn!("participants", ParticipantWeighted::new().pool(&guidance));
        drawn!("Bayesian", BayesianRandomEffects::new().pool(&guidance));
        drawn!("side by side", SideBySide::new().pool(&guidance));
        drawn!("subgroups", Subgroups::by("half", halves).pool(&guidance));
        drawn!("joint", JointModel::random().pool(&effects));
        drawn!("components", ComponentModel::random().pool(&effects));
        drawn!("network", NetworkMetaAnalysis::random().pool(&effects));
        tried!(
            "meta-regression",
            MetaRegression::new()
                .number("x", [("A", 0.0), ("B", 1.0), ("C", 2.0), ("D", 4.0)])
                .fit(&guidance)
        );
        let sensitivity = random.sensitivity().unwrap();
        drawn!("left out", sensitivity.leave_one_out());
        drawn!("cumulative", sensitivity.cumulative(&CumulativeOrder::Precision));
        drawn!("trimmed", sensitivity.trim_and_fill(MissingStudies::L0, FunnelSide::Left));
        drawn!("Henmi-Copas", sensitivity.henmi_copas());
        tried!("influence", sensitivity.influence());
        tried!("asymmetry", sensitivity.asymmetry());
        let funnel = plain(&FunnelPlot::of(&random).to_svg());
        assert!(funnel.contains(&plain(&told.to_string())), "{told} in the funnel plot:\n{funnel}");
        // The table of the trials themselves.
        let mut report = Report::new("Trials");
        report.push(&effects);
        let words = plain(&told.to_string());
        for text in [report.to_text(), report.to_markdown()] {
            assert_eq!(plain(&text).matches(&words).count(), 1, "{words} in {text}");
        }
    }
}

/// A notice about another arm does not concern the pool of this one.
#[test]
fn notices_about_other_arms_stay_with_them() {
    let notice = Notice::NoVariation { arm: Label::new("both"), everybody: false };
    let effects = effects(&notice);
    let pooled = RandomEffects::new().pool(&effects.treatment("guidance").unwrap()).unwrap();
    assert!(!pooled.to_string().contains("had the event"), "{pooled}");
    assert!(JointModel::random().pool(&effects).unwrap().to_string().contains("nobody in arm \"both\""));
}

#[test]
fn subgroups_of_a_trial_keep_differences_and_interaction() {
    let text = "arm,female,score\nc,no,1\nc,no,3\nt,no,6\nt,no,8\nc,yes,2\nc,yes,4\nt,yes,3\nt,yes,5\n";
    let table = Table::from_csv_str(text).unwrap();
    let trial = Trial::builder("Utrecht", table).arm_labels("arm").control("c").build().unwrap();
    let score = trial.on(&Measure::continuous("score")).unwrap();
    let effects = score.by_subgroup("female").unwrap().estimate(&DifferenceInMeans::new()).unwrap();
    let mut report = Report::new("Subgroups");
    report.push(&effects);
    for text in [report.to_text(), report.to_markdown()] {
        assert!(
            text.contains("interaction: F = ") && text.contains("female yes vs no: difference"),
            "{text}"
        );
    }
    let csv = report.to_csv();
    assert!(csv.contains("subgroup_difference,") && csv.contains("\ninteraction,"), "{csv}");
}

/// What a reader left out of a file is told once, wherever results of the file go.
#[test]
fn notices_of_a_table_arrive_in_its_trials() {
    let mut text = "city,arm,event,s\n".to_owned();
    for i in 0..120 {
        text += &format!(
            "{},{},{},{}\n",
            ["A", "B", "C"][i % 3],
            ["c", "t"][i / 3 % 2],
            u8::from(i % 5 < 2),
            ["x", "y"][i / 6 % 2]
        );
    }
    text += ",,,\n,,,\n";
    let table = CsvReader::new().drop_empty_edges().text(&text).unwrap();
    let trials = Trials::builder(table, "city").arm_labels("arm").control("c").strata(["s"]).build().unwrap();
    let left_out = Notice::OfTable(TableNotice::EmptyRows { rows: 2 });
    assert!(trials.iter().all(|trial| trial.notices().contains(&left_out)));
    let effects = trials.on(&EVENT).unwrap().estimate(&DifferenceInProportions::new()).unwrap();
    // The crude effects do not use the strata, which they say.
    let ignored = Notice::StrataIgnored { strata: 2 };
    assert!(
        effects.iter().all(|trial| trial.notices().contains(&left_out) && trial.notices().contains(&ignored))
    );
    let pooled = RandomEffects::new().pool(&effects.treatment("t").unwrap()).unwrap();
    let text = plain(&pooled.to_string());
    for words in ["2 empty rows at the end of the file left out (a, b, c)", "6 strata were declared, but"] {
        assert_eq!(text.matches(words).count(), 1, "{words}: {text}");
    }
    // Those that use the strata do not say so.
    let within = DifferenceInProportions::new().mantel_haenszel(MantelHaenszelVariance::Sato);
    let adjusted = LogisticRegression::new().adjust_for(["s"]).marginal(RiskDifference);
    let standardised = LogisticRegression::new().marginal(RiskDifference);
    let event = trials.iter().next().unwrap().on(&EVENT).unwrap();
    for notices in [
        event.estimate(&within).unwrap().notices().to_vec(),
        event.estimate(&adjusted).unwrap().notices().to_vec(),
        event.estimate(&standardised).unwrap().notices().to_vec(),
    ] {
        assert!(!notices.contains(&ignored), "{notices:?}");
    }
    for notices in [
        event.estimate(&LogisticRegression::new()).unwrap().notices().to_vec(),
        event.estimate(&LinearRegression::new()).unwrap().notices().to_vec(),
        event.estimate(&RatioOfProportions::new()).unwrap().notices().to_vec(),
        event.estimate(&OddsRatio::new()).unwrap().notices().to_vec(),
        event.estimate(&FirthLogisticRegression::new()).unwrap().notices().to_vec(),
    ] {
        assert!(notices.contains(&ignored), "{notices:?}");
    }
    let spells = trials.iter().next().unwrap().on(&Measure::count("event")).unwrap();
    assert!(spells.estimate(&DifferenceInRates::new()).unwrap().notices().contains(&ignored));
    let score = trials.iter().next().unwrap().on(&Measure::continuous("event")).unwrap();
    assert!(score.estimate(&DifferenceInMeans::new()).unwrap().notices().contains(&ignored));
    assert!(score.estimate(&WinProbability::new(NetBenefit)).unwrap().notices().contains(&ignored));
    let blocked = score.estimate(&DifferenceInMeans::new().blocks(Blocks::BySize)).unwrap();
    assert!(!blocked.notices().contains(&ignored));
}
