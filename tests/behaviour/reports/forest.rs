//! Properties of the drawn figures: read back from the SVG text with a small parser.

use super::svg::{Element, check_texts, parse, text_boxes};
use super::{around as interval_around, between};
use armwise::effect::Interval;
use armwise::report::{Benefit, ForestAxis, ForestGroup, ForestPlot, ForestRow};

const LONG: &str = "Municipality with a name of two hundred characters, as administrations like them: the intermunicipal \
                    cooperation for work, income, participation and debt counseling of the eastern river region (pilot)";

const CITIES: [&str; 6] = ["Deventer", "Groningen", "Nijmegen", "Tilburg", "Utrecht", "Wageningen"];

/// An estimate with an interval around it.
type Values = (f64, Interval);

fn around(estimate: f64, half: f64) -> Values {
    (estimate, interval_around(estimate, half))
}

fn study(label: impl Into<String>, (estimate, interval): Values) -> ForestRow {
    ForestRow::study(label, estimate, interval)
}

fn pooled(label: impl Into<String>, (estimate, interval): Values) -> ForestRow {
    ForestRow::pooled(label, estimate, interval)
}

fn three_rows() -> ForestPlot {
    let axis = ForestAxis::percentage_points("Risk difference (percentage points)").benefit(Benefit::Higher);
    let study = |label: &str, n: [&str; 2], values, weight| study(label, values).columns(n).weight(weight);
    ForestPlot::new(axis)
        .title("Full-time outflow to work after 24 months")
        .subtitle("Guidance against control; more than 27 hours a week; intention to treat")
        .label_heading("Municipality")
        .columns(["Guidance n/N", "Control n/N"])
        .effect_heading("Difference (95% CI)")
        .group(
            ForestGroup::new("")
                .row(study("Deventer", ["7/172", "6/176"], around(0.007, 0.044), 0.42))
                .row(study("Utrecht", ["21/240", "12/236"], around(0.037, 0.045), 0.40))
                .row(study("Wageningen", ["9/80", "9/78"], around(-0.003, 0.10), 0.18))
                .row(
                    pooled("Random effects (REML)", around(0.018, 0.029))
                        .columns(["37/492", "27/490"])
                        .weight(1.0),
                )
                .note("tau2 = 0.0000, I2 = 0%, Q = 1.05 (df = 2, p = 0.59)"),
        )
        .footnote("CI: Miettinen-Nurminen. Squares have an area proportional to the weight.")
}

fn thirty_rows() -> ForestPlot {
    let axis = ForestAxis::percentage_points("Risk difference (percentage points)").benefit(Benefit::Higher);
    let mut plot = ForestPlot::new(axis)
        .title("Outflow to work by arm")
        .label_heading("Municipality")
        .columns(["Treated n/N", "Control n/N"])
        .effect_heading("Difference (95% CI)");
    for (g, arm) in ["Exemption", "Guidance", "Earnings release"].into_iter().enumerate() {
        let mut group = ForestGroup::new(arm);
        for i in 0..10 {
            let step = (i * 7 + g * 3) % 10;
            let label = format!("{}{}", CITIES[i % 6], if i < 6 { "" } else { " (second cohort)" });
            let values = around(0.012 * (step as f64 - 4.0), 0.03 + 0.006 * step as f64);
            let weight = 0.16 - 0.0133 * step as f64;
            let n = [format!("{}/{}", 7 + 3 * step, 172 + i), format!("{}/{}", 6 + 2 * step, 176 + i)];
            group = group.row(study(label, values).columns(n).weight(weight));
        }
        group = group
            .row(
                pooled("Random effects", around(0.006 + 0.004 * g as f64, 0.018))
                    .columns(["312/1764", "290/1805"])
                    .weight(1.0)
                    .prediction("95% prediction interval", between(-0.05, 0.07)),
            )
            .note("tau2 = 0.0006, I2 = 38%, Q = 14.5 (df = 9, p = 0.11)")
            .note("Not in this pool: Nijmegen, Tilburg (arm only in combination)");
        plot = plot.group(group);
    }
    plot
}

fn ratios() -> ForestPlot {
    let axis = ForestAxis::ratio("Odds ratio (logarithmic axis)").benefit(Benefit::Lower);
    let infinite = (0.9, between(-0.8, f64::INFINITY));
    let nowhere = (f64::NEG_INFINITY, between(f64::NEG_INFINITY, 0.4));
    ForestPlot::new(axis)
        .title("Return to benefits")
        .label_heading("Trial")
        .effect_heading("Odds ratio (95% CI)")
        .group(
            ForestGroup::new("")
                .row(study("Deventer", around(0.25, 0.48)).weight(0.45))
                .row(study("Groningen", around(-0.22, 0.61)).weight(0.35))
                .row(study("Nijmegen", around(-0.9, 4.8)).weight(0.05))
                .row(study("Tilburg", infinite).weight(0.05))
                .row(study("Utrecht", nowhere))
                .row(study("Wageningen", around(0.1, 0.8)).weight(0.10))
                .row(ForestRow::without_estimate("Zwolle", "no events"))
                .row(pooled("Common effect", around(0.05, 0.35)))
                .row(
                    pooled("Random effects", around(0.1, 2.9))
                        .prediction("95% prediction interval", between(-6.0, 6.5)),
                ),
        )
}

fn long_label() -> ForestPlot {
    let axis =
        ForestAxis::difference(LONG).benefit(Benefit::Lower).control_caption(LONG).treatment_caption(LONG);
    ForestPlot::new(axis)
        .title(LONG)
        .subtitle(format!("{LONG} {LONG} {LONG} {LONG}"))
        .label_heading(LONG)
        .columns([LONG, "n"])
        .effect_heading(LONG)
        .weight_heading(LONG)
        .group(
            ForestGroup::new(LONG)
                .row(study(LONG, around(0.3, 0.4)).columns([LONG, LONG]).weight(0.4).text(LONG))
                .row(study("A".repeat(200), around(-0.3, 0.4)).columns(["1"]).weight(0.6))
                .row(pooled(LONG, around(-0.1, 0.2)).prediction(LONG, between(-0.5, 0.4)))
                .note(format!("{LONG} {LONG} {LONG}")),
        )
        .footnote(format!("{LONG} {LONG}"))
}

fn unicode() -> ForestPlot {
    let axis = ForestAxis::percentage_points("Différence (points de pourcentage)").benefit(Benefit::Higher);
    let mut group = ForestGroup::new("Überbrückung & <Begleitung> \"x\"");
    for label in [
        "'s-Hertogenbosch",
        "Súdwest-Fryslân",
        "東京都 職業訓練",
        "Μακεδονία Ω",
        "Нижний Новгород",
        "emoji 🎓 e\u{301}\u{1}",
    ] {
        group = group.row(study(label, around(0.02, 0.05)).columns(["7‰", "≤ 5"]).weight(1.0 / 6.0));
    }
    ForestPlot::new(axis)
        .title("R&D <b>\"quoted\"</b> ]]> 'σ²' — τ² ≥ 0")
        .columns(["Größe", "人数"])
        .group(group.row(pooled("Ensemble (τ² = 0)", around(0.02, 0.02))))
}

fn bare() -> ForestPlot {
    ForestPlot::new(ForestAxis::difference("").range(between(0.0, 1.0)))
        .group(ForestGroup::new("").row(study("x", (f64::NAN, interval_around(0.0, 1.0)))))
        .group(ForestGroup::new("").row(study("", (0.0, between(1.0, -1.0)))))
        .group(ForestGroup::new("").note(""))
}

fn plots() -> Vec<(&'static str, ForestPlot)> {
    vec![
        ("three", three_rows()),
        ("thirty", thirty_rows()),
        ("ratios", ratios()),
        ("long", long_label()),
        ("unicode", unicode()),
        ("bare", bare()),
        ("empty", ForestPlot::new(ForestAxis::ratio(""))),
        ("arbitrary", arbitrary_plot(7)),
    ]
}

#[test]
fn texts_never_overlap_and_stay_inside() {
    for (name, plot) in plots() {
        check_texts(name, &plot);
    }
}

/// Plots of any size and shape: labels cut from a text of all scripts, estimates of all magnitudes.
fn arbitrary_plot(seed: u64) -> ForestPlot {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    let mut below = move |n: u64| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state % n
    };
    let source: Vec<char> =
        format!("{LONG} 東京都職業訓練 Ünï <&> Нижний {LONG} WWWWWWWWWWWWWWWW").chars().collect();
    let words = |most: u64, below: &mut dyn FnMut(u64) -> u64| -> String {
        let length = usize::try_from(below(most)).unwrap();
        let start = usize::try_from(below(source.len() as u64)).unwrap();
        source.iter().cycle().skip(start).take(length).collect()
    };
    let axis_label = words(100, &mut below);
    let axis = match below(3) {
        0 => ForestAxis::difference(axis_label),
        1 => ForestAxis::percentage_points(axis_label),
        _ => ForestAxis::ratio(axis_label),
    };
    let axis = match below(3) {
        0 => axis,
        1 => axis.benefit(Benefit::Higher).control_caption(words(60, &mut below)),
        _ => axis.benefit(Benefit::Lower).treatment_caption(words(250, &mut below)),
    };
    let size = libm::exp(below(30) as f64 - 15.0);
    let mut plot = ForestPlot::new(axis).title(words(150, &mut below)).label_heading(words(40, &mut below));
    plot = plot.columns((0..below(4)).map(|_| words(30, &mut below)).collect::<Vec<_>>());
    for _ in 0..below(4) {
        let mut group = ForestGroup::new(words(80, &mut below));
        for _ in 0..below(12) {
            let mut number = |scale: f64| scale * size * (below(1000) as f64 / 500.0 - 1.0);
            let mut values = around(number(1.0), number(2.0));
            match below(12) {
                0 => values.1 = between(values.1.lower(), f64::INFINITY),
                1 => values.1 = between(f64::NEG_INFINITY, values.1.upper()),
                2 => values.0 = f64::NAN,
                3 => values = around(values.0, 100.0 * values.1.lower()),
                _ => {}
            }
            let label = words(220, &mut below);
            let cells: Vec<String> = (0..below(4)).map(|_| words(12, &mut below)).collect();
            group = match below(6) {
                0 => group.note(label),
                1 => group.row(pooled(label, values).prediction(words(40, &mut below), values.1)),
                2 => group.row(study(label, values).columns(cells).text(words(60, &mut below))),
                _ => group.row(study(label, values).columns(cells).weight(0.001 * below(1000) as f64)),
            };
        }
        plot = plot.group(group);
    }
    plot
}

#[test]
fn texts_of_arbitrary_plots_never_overlap() {
    for seed in 1..=400 {
        let plot = arbitrary_plot(seed);
        check_texts(&format!("seed {seed}"), &plot);
        assert!(!plot.to_svg().contains("=\"NA") && !plot.to_svg().contains("NA,"), "seed {seed}");
    }
}

/// Only ticks, captions and the label of the axis stand under the plot; all other words keep out of it.
#[test]
fn words_keep_out_of_the_plot() {
    for (name, plot) in plots() {
        let elements = parse(&plot.to_svg());
        let grid: Vec<&Element> = elements.iter().filter(|element| element.name == "line").collect();
        let rule = grid[0].number("y1");
        let axis =
            grid.iter().rfind(|line| (line.number("x2") - line.number("x1") - 330.0).abs() < 0.02).unwrap();
        let (left, right, bottom) = (axis.number("x1"), axis.number("x2"), axis.number("y1"));
        for text in text_boxes(&elements).iter().filter(|text| text.top > rule && text.bottom < bottom) {
            assert!(text.right <= left - 8.0 || text.left >= right + 8.0, "{name}: {text:?}");
        }
    }
}

#[test]
fn marks_stay_inside_the_plot() {
    for (name, plot) in plots() {
        let elements = parse(&plot.to_svg());
        let width = elements[0].number("width");
        for polygon in elements.iter().filter(|element| element.name == "polygon") {
            let points = polygon.get("points").unwrap();
            for point in points.split(' ') {
                let (x, y) = point.split_once(',').unwrap();
                let (x, y): (f64, f64) = (x.parse().unwrap(), y.parse().unwrap());
                assert!(x > 0.0 && x < width && y.is_finite(), "{name}: {points}");
            }
        }
        for rectangle in elements.iter().filter(|element| element.name == "rect") {
            assert!(
                rectangle.number("width") >= 0.0 && rectangle.number("height") >= 0.0,
                "{name}: {rectangle:?}"
            );
        }
    }
}

#[test]
fn equal_plots_are_equal_bytes() {
    for (name, plot) in plots() {
        let first = plot.to_svg();
        for _ in 0..5 {
            assert_eq!(first, plot.clone().to_svg(), "{name}");
        }
        assert!(!first.contains("NaN") && !first.contains("inf\"") && !first.contains("\"-0.00\""), "{name}");
    }
}

#[test]
fn words_survive_escaped() {
    let svg = unicode().to_svg();
    assert!(svg.contains("Überbrückung &amp; &lt;Begleitung&gt;"));
    let elements = parse(&svg);
    assert_eq!(elements[0].get("role"), Some("img"));
    assert_eq!((elements[1].name.as_str(), elements[2].name.as_str()), ("title", "desc"));
    assert_eq!(elements[1].text, "R&D <b>\"quoted\"</b> ]]> 'σ²' — τ² ≥ 0");
    let texts: Vec<&str> = elements.iter().map(|element| element.text.as_str()).collect();
    for text in ["'s-Hertogenbosch", "東京都 職業訓練", "Нижний Новгород", "emoji 🎓 e\u{301}\u{fffd}", "≤ 5"]
    {
        assert!(texts.contains(&text), "{text}");
    }
    assert!(elements[2].text.contains("Ensemble (τ² = 0): +2.0 (0.0 to 4.0)"));
}

#[test]
fn numbers_are_never_shortened() {
    let half = 9_999_999.994;
    let axis = ForestAxis::difference("");
    let plot = ForestPlot::new(axis).group(ForestGroup::new("").row(pooled("x", around(-half, half))));
    assert!(!plot.to_svg().contains('…'));
}

#[test]
fn shortened_words_have_a_tooltip() {
    let elements = parse(&long_label().to_svg());
    assert_eq!(LONG.chars().count(), 200);
    let tooltips = elements.iter().filter(|element| element.name == "title" && element.text == LONG).count();
    assert!(tooltips > 5);
    assert!(elements.iter().any(|element| element.name == "title" && element.text == "A".repeat(200)));
}

#[test]
fn squares_have_areas_proportional_to_weights() {
    let elements = parse(&three_rows().to_svg());
    let sides: Vec<f64> = elements
        .iter()
        .filter(|element| element.name == "rect")
        .skip(1)
        .map(|square| square.number("width"))
        .collect();
    assert_eq!(sides.len(), 3);
    assert!((sides[0].powi(2) / sides[2].powi(2) - 0.42 / 0.18).abs() < 0.02);
    assert!(sides[0] > sides[1] && sides[1] > sides[2]);
}

#[test]
fn clipped_intervals_have_arrow_heads() {
    let heads = |plot: &ForestPlot| {
        let elements = parse(&plot.to_svg());
        let is_head =
            |element: &&Element| element.get("points").is_some_and(|points| points.split(' ').count() == 3);
        elements.iter().filter(is_head).count()
    };
    // Two are the arrows of the captions.
    assert_eq!(heads(&three_rows()), 2);
    // Nijmegen two, Tilburg and Utrecht one, the prediction interval two.
    assert!(heads(&ratios()) >= 2 + 6);
}

#[test]
fn captions_stand_on_the_side_of_the_benefit() {
    let x = |benefit| {
        let axis = ForestAxis::difference("").benefit(benefit);
        let plot = ForestPlot::new(axis).group(ForestGroup::new("").row(study("a", around(0.1, 0.4))));
        let boxes = text_boxes(&parse(&plot.to_svg()));
        let left = |words: &str| boxes.iter().find(|text| text.text == words).unwrap().left;
        (left("Favours control"), left("Favours treatment"))
    };
    let (control, treatment) = x(Benefit::Higher);
    assert!(control < treatment);
    let (control, treatment) = x(Benefit::Lower);
    assert!(treatment < control);
}

#[test]
fn files_are_whole_or_absent() {
    let folder = std::env::temp_dir().join(format!("armwise-forest-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let path = folder.join("forest.svg");
    three_rows().write_svg(&path).unwrap();
    thirty_rows().write_svg(&path).unwrap();
    assert_eq!(std::fs::read_to_string(&path).unwrap(), thirty_rows().to_svg());
    assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 1);
    let error = three_rows().write_svg(folder.join("none/forest.svg")).unwrap_err();
    assert_eq!(error.kind().name(), "write");
    std::fs::remove_dir_all(&folder).unwrap();
}

/// `ARMWISE_PICTURES=folder cargo test --test behaviour pictures` writes the figures of this file, to be
/// looked at.
#[test]
fn pictures() {
    if let Some(folder) = std::env::var_os("ARMWISE_PICTURES") {
        for (name, plot) in plots() {
            plot.write_svg(std::path::Path::new(&folder).join(format!("{name}.svg"))).unwrap();
        }
    }
}
