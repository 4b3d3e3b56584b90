//! Properties of funnel plots, Baujat's plots, graphs of networks, and of forest plots of whole analyses.

use super::svg::{Element, check_svg, parse};
use armwise::meta_analysis::{CoefficientTest, FunnelSide, MissingStudies};
use armwise::pool::Approach;
use armwise::prelude::*;
use armwise::report::{BaujatPlot, EdgeWidth};

const LONG: &str = "Intermunicipal cooperation for work, income, participation and debt counseling of the eastern river region";

fn outflow() -> Measure<Binary> {
    Measure::binary("outflow").higher_is_better()
}

/// `trials` trials whose small ones have the large effects, names of all kinds first.
fn cities(trials: u64) -> Comparisons<Binary> {
    let odd = ["R&D <Utrecht>", "'s-Hertogenbosch \"x\"", LONG, "東京都", "Súdwest-Fryslân"];
    let city = |i: u64| {
        let name =
            usize::try_from(i).ok().and_then(|i| odd.get(i)).map_or(format!("City {i}"), ToString::to_string);
        let n = 60 + 37 * i;
        let arms =
            [("control", n / 8, n), ("guidance", n / 8 + 4 + 3 * (i % 4), n), ("R&D <exemption>", n / 7, n)];
        Comparison::from_counts(&name, &outflow(), arms).unwrap()
    };
    Comparisons::new((0..trials).map(city)).unwrap()
}

fn guidance(trials: u64) -> TreatmentEffects<RiskDifference> {
    cities(trials).estimate(&DifferenceInProportions::new()).unwrap().treatment("guidance").unwrap()
}

fn network(trials: u64) -> NetworkGraph {
    let effects = cities(trials).estimate(&DifferenceInProportions::new()).unwrap();
    NetworkGraph::of(&NetworkMetaAnalysis::common().test(CoefficientTest::Normal).pool(&effects).unwrap())
}

/// A network of `arms` arms with long names, each compared with the control and the one before.
fn wide_network(arms: usize) -> NetworkGraph {
    let names: Vec<String> = (0..arms).map(|i| format!("{LONG} {i}")).collect();
    let trials = (1..arms).map(|i| {
        let list = [("control", 9, 90), (names[i - 1].as_str(), 12, 95), (names[i].as_str(), 14, 91)];
        Comparison::from_counts(format!("Trial {i}"), &outflow(), list).unwrap()
    });
    let effects = Comparisons::new(trials).unwrap().estimate(&DifferenceInProportions::new()).unwrap();
    NetworkGraph::of(&NetworkMetaAnalysis::common().test(CoefficientTest::Normal).pool(&effects).unwrap())
}

fn figures(trials: u64) -> Vec<(String, String)> {
    let effects = guidance(trials);
    let model = RandomEffects::new();
    let pooled = model.pool(&effects).unwrap();
    let sensitivity = model.sensitivity(&effects).unwrap();
    let mut list = vec![
        ("funnel", FunnelPlot::of(&pooled).to_svg()),
        ("wide funnel", FunnelPlot::of(&pooled).width(f64::NAN).width(1e9).title("").subtitle(LONG).to_svg()),
        ("narrow funnel", FunnelPlot::of(&pooled).width(-1.0).footnote(LONG).to_svg()),
        ("network", network(trials).to_svg()),
        ("participants", network(trials).edge_width(EdgeWidth::Participants).title("").to_svg()),
    ];
    if trials > 1 {
        let influence = sensitivity.influence().unwrap();
        list.push(("baujat", BaujatPlot::of(&influence).to_svg()));
        list.push(("narrow baujat", BaujatPlot::of(&influence).width(0.0).to_svg()));
        for approach in [Approach::WiderOfBoth, Approach::CommonEffect, Approach::Bayesian] {
            let ways = SideBySide::new().prespecified(approach).pool(&effects).unwrap();
            list.push(("side by side", ForestPlot::of(&ways).to_svg()));
        }
    }
    if trials > 2 {
        list.push(("asymmetry", FunnelPlot::of_asymmetry(&sensitivity.asymmetry().unwrap()).to_svg()));
        let filled = sensitivity.trim_and_fill(MissingStudies::L0, FunnelSide::Left).unwrap();
        list.push(("filled", FunnelPlot::of_filled(&filled).to_svg()));
        let groups = effects.iter().enumerate();
        let groups =
            groups.map(|(i, estimate)| (estimate.trial().clone(), if i == 0 { "<one>" } else { "others" }));
        let groups = Subgroups::by("size & shape", groups).pool(&effects).unwrap();
        list.push(("subgroups", ForestPlot::of(&groups).to_svg()));
    }
    list.into_iter().map(|(name, svg)| (format!("{name} of {trials}"), svg)).collect()
}

#[test]
fn texts_stay_apart_and_numbers_are_numbers() {
    for trials in [1, 2, 3, 6, 40] {
        let again = figures(trials);
        for ((name, svg), (_, second)) in figures(trials).iter().zip(&again) {
            assert_eq!(svg, second, "{name}");
            check_svg(name, svg);
            assert!(!svg.contains("NaN") && !svg.contains("\"inf") && !svg.contains("\"NA"), "{name}");
        }
    }
    for arms in [2, 3, 9, 30] {
        check_svg(&format!("{arms} arms"), &wide_network(arms).to_svg());
    }
}

#[test]
fn all_names_are_there_escaped() {
    for (name, svg) in figures(6) {
        if name.starts_with("network") || name.starts_with("participants") {
            assert!(svg.contains("R&amp;D &lt;exemption&gt;: n = ") && !svg.contains("R&D"), "{name}");
            continue;
        }
        let words: String = parse(&svg).into_iter().map(|element| element.text + "\n").collect();
        for trial in guidance(6).iter().map(|estimate| estimate.trial().to_string()) {
            assert!(words.contains(&trial), "{name}: {trial}");
        }
        assert!(!svg.contains("R&D"), "{name}");
    }
}

#[test]
fn few_trials_carry_the_notice_of_the_tests() {
    let svg = |trials| FunnelPlot::of(&RandomEffects::new().pool(&guidance(trials)).unwrap()).to_svg();
    assert!(svg(9).contains("A funnel plot means little with 9 trials"));
    assert!(!svg(10).contains("means little"));
}

#[test]
fn points_stand_where_the_numbers_are() {
    let pooled = RandomEffects::new().pool(&guidance(12)).unwrap();
    let circles = |svg: &str| parse(svg).iter().filter(|element| element.name == "circle").count();
    assert_eq!(circles(&FunnelPlot::of(&pooled).to_svg()), 12);
    let effects = guidance(12);
    let sensitivity = RandomEffects::new().sensitivity(&effects).unwrap();
    let filled = sensitivity.trim_and_fill(MissingStudies::L0, FunnelSide::Left).unwrap();
    let k0 = filled.filled.k0;
    assert!(k0 > 0);
    let svg = FunnelPlot::of_filled(&filled).to_svg();
    assert_eq!(circles(&svg), 12 + k0);
    let hollow = |element: &&Element| element.name == "circle" && element.get("fill") == Some("#ffffff");
    assert_eq!(parse(&svg).iter().filter(hollow).count(), k0);
    // The smaller the standard error, the higher the point.
    let svg = FunnelPlot::of(&pooled).to_svg();
    let heights: Vec<f64> = parse(&svg)
        .iter()
        .filter(|element| element.name == "circle")
        .map(|circle| circle.number("cy"))
        .collect();
    let se: Vec<f64> = effects.iter().map(|estimate| estimate.se()).collect();
    for (i, j) in (0..12).flat_map(|i| (0..12).map(move |j| (i, j))) {
        assert!(se[i] >= se[j] || heights[i] <= heights[j] + 0.01);
    }
}

#[test]
fn areas_of_arms_are_proportional_to_participants() {
    let elements = parse(&network(4).to_svg());
    let radius: Vec<f64> =
        elements.iter().filter(|element| element.name == "circle").map(|circle| circle.number("r")).collect();
    assert_eq!(radius.len(), 3);
    assert!(radius.iter().all(|radius| (radius - 24.0).abs() < 0.01));
}

#[test]
fn nothing_to_draw_is_told() {
    let svg = ForestPlot::of(&OneStageComparison::<RiskDifference>::new("guidance")).to_svg();
    check_svg("no analysis", &svg);
    assert!(svg.contains("Guidance") && svg.contains("no analysis"), "{svg}");
    let all = ForestPlot::of_all::<RiskDifference>([]).unwrap_err();
    assert_eq!(all.kind().name(), "no_studies");
}

#[test]
fn the_trial_of_subgroups_has_its_own_name() {
    let text = "arm,sex,score\nc,no,1\nc,no,3\nt,no,6\nt,no,8\nc,<yes>,2\nc,<yes>,4\nt,<yes>,3\nt,<yes>,5\n";
    let table = Table::from_csv_str(text).unwrap();
    let trial = Trial::builder("R&D <Utrecht>", table).arm_labels("arm").control("c").build().unwrap();
    let subgroups = trial.on(&Measure::continuous("score")).unwrap().by_subgroup("sex").unwrap();
    let svg = ForestPlot::of(&subgroups.estimate(&DifferenceInMeans::new()).unwrap()).to_svg();
    check_svg("subgroups of a trial", &svg);
    assert!(
        svg.contains("R&amp;D &lt;Utrecht&gt;, against c, by sex") && svg.contains("Sex: &lt;yes&gt;"),
        "{svg}"
    );
}
