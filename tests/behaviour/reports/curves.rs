//! Properties of figures of curves over time.

use super::svg::{Element, check_svg, parse};
use armwise::report::CurvePlot;
use armwise::survival::{AalenJohansen, CurveInterval, KaplanMeier, SurvivalData, SurvivalQuantity};
use std::fmt::Write as _;

const LONG: &str = "Intermunicipal cooperation for work, income, participation and debt counseling <R&D>";

/// Months, reasons and arms of people who leave by and by, in any number of arms.
struct People {
    months: Vec<f64>,
    reason: Vec<u32>,
    arm: Vec<u32>,
}

/// A repeatable set of people; the follow-up of the last arm is the shortest.
fn people(arms: u32, each: u32, end: f64) -> People {
    let mut state = 12345_u64;
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as f64 / (1_u64 << 31) as f64
    };
    let (mut months, mut reason, mut arm) = (Vec::new(), Vec::new(), Vec::new());
    for code in 0..arms {
        let until = if code + 1 == arms { (0.7 * end).round() } else { end };
        for _ in 0..each {
            let month = (-(1.0 - next()).ln() * 1.6 * end / (1.0 + 0.3 * f64::from(code))).ceil();
            let cause = 1 + u32::from(next() < 0.3);
            months.push(month.min(until));
            reason.push(if month <= until { cause } else { 0 });
            arm.push(code);
        }
    }
    People { months, reason, arm }
}

impl People {
    fn data(&self) -> SurvivalData<'_> {
        SurvivalData::new(&self.months, &self.reason).unwrap().strata(&self.arm).unwrap()
    }
}

fn names(arms: u32) -> Vec<String> {
    (0..arms).map(|i| if i == 1 { LONG.to_owned() } else { format!("arm <{i}> & more") }).collect()
}

#[test]
fn texts_stay_apart_and_figures_repeat() {
    for (arms, each, end) in [(1, 5, 24.0), (2, 60, 24.0), (4, 180, 24.0), (9, 40, 1e5), (13, 12, 0.02)] {
        let people = people(arms, each, end);
        let data = people.data();
        let survival = CurvePlot::survival(&data, names(arms)).unwrap();
        let incidence = CurvePlot::incidence(&data, 1, names(arms)).unwrap();
        for plot in [survival, incidence] {
            let marked = plot.clone().horizon(0.5 * end).horizon(0.9 * end).horizon(0.91 * end);
            let figures = [
                plot.clone(),
                plot.clone().width(1.0).title(LONG).subtitle(LONG).footnote(LONG).time_label(LONG),
                plot.clone().width(1e9).ticks_every(end / 8.0).interval(CurveInterval::Plain).level(0.5),
                plot.clone().ticks_every(1e-9).value_label(LONG).level(f64::NAN),
                marked.clone(),
                marked.clone().without_bands(),
                marked.ticks_every(end / 4.0).width(360.0),
                plot.horizon(f64::NAN).horizon(-1.0).horizon(10.0 * end),
            ];
            for figure in figures {
                let svg = figure.to_svg();
                assert_eq!(svg, figure.clone().to_svg());
                check_svg(&format!("{arms} arms of {each}"), &svg);
                assert!(!svg.contains("NaN") && !svg.contains("inf,") && !svg.contains("& more"));
            }
        }
    }
}

/// The corners of every line that is drawn through points.
fn lines(elements: &[Element]) -> Vec<Vec<(f64, f64)>> {
    let lines = elements.iter().filter(|element| element.name == "polyline");
    let corner = |text: &str| {
        let (x, y) = text.split_once(',').unwrap();
        (x.parse().unwrap(), y.parse().unwrap())
    };
    lines.map(|line| line.get("points").unwrap().split(' ').map(corner).collect()).collect()
}

#[test]
fn curves_go_where_the_numbers_are() {
    let people = people(2, 40, 24.0);
    let data = people.data();
    let curves = KaplanMeier::by_stratum(&data).unwrap();
    let svg = CurvePlot::survival(&data, ["control", "guidance"]).unwrap().ticks_every(6.0).to_svg();
    let elements = parse(&svg);
    let drawn = lines(&elements);
    // Two curves and two samples of lines in the table.
    assert_eq!(drawn.len(), 4);
    let (left, top) = drawn[0][0];
    // The curve of the control reaches month 24, the end of the axis.
    let right = drawn[0].last().unwrap().0;
    let place = |month: f64| left + (right - left) * month / 24.0;
    // The lowest corner of a line at a month, below the top of the axis.
    let depth = |corners: &[(f64, f64)], month: f64| {
        let there = corners.iter().filter(|corner| (corner.0 - place(month)).abs() < 0.02);
        there.map(|corner| corner.1).fold(0.0, f64::max) - top
    };
    let first = &curves[0].points[0];
    let unit = depth(&drawn[0], first.time) / (1.0 - first.survival);
    for (curve, corners) in curves.iter().zip(&drawn) {
        for point in &curve.points {
            let found = depth(corners, point.time) / unit;
            assert!((found - (1.0 - point.survival)).abs() < 1e-3, "{point:?}: {found}");
        }
        assert!(corners.windows(2).all(|pair| pair[0].0 <= pair[1].0 && pair[0].1 <= pair[1].1));
    }
}

#[test]
fn patterns_and_names_tell_arms_apart() {
    let people = people(6, 30, 24.0);
    let data = people.data();
    let svg = CurvePlot::survival(&data, names(6)).unwrap().to_svg();
    let elements = parse(&svg);
    let patterns: Vec<_> = elements
        .iter()
        .filter(|element| element.name == "polyline")
        .map(|line| line.get("stroke-dasharray").map(str::to_owned))
        .collect();
    let (curves, samples) = patterns.split_at(6);
    assert_eq!(curves, samples);
    assert!((0..6).all(|i| (0..i).all(|j| curves[i] != curves[j])));
    for name in names(6) {
        let whole =
            |element: &&Element| matches!(element.name.as_str(), "text" | "title") && element.text == name;
        assert!(elements.iter().filter(whole).count() >= 2, "{name}");
    }
    let inks: Vec<_> = elements.iter().filter_map(|element| element.get("stroke")).collect();
    assert!(inks.iter().all(|ink| ink[1..3] == ink[3..5] && ink[3..5] == ink[5..7]), "shades of grey only");
}

#[test]
fn numbers_at_risk_are_those_of_the_data() {
    let people = people(3, 50, 24.0);
    let data = people.data();
    let svg = CurvePlot::incidence(&data, 1, names(3)).unwrap().ticks_every(6.0).horizon(15.0).to_svg();
    let texts: Vec<String> = parse(&svg).into_iter().filter(|e| e.name == "text").map(|e| e.text).collect();
    let start = texts.iter().position(|text| text == "Number at risk").unwrap();
    for code in 0..3_u32 {
        let mut numbers = Vec::new();
        for time in [0.0, 6.0, 12.0, 15.0, 18.0, 24.0] {
            let rows = people.months.iter().zip(&people.arm);
            numbers.push(rows.filter(|(month, arm)| **arm == code && **month >= time).count().to_string());
        }
        let mut own: Vec<&String> = texts[start + 1..].iter().filter(|text| numbers.contains(text)).collect();
        own.dedup();
        assert!(numbers.iter().all(|number| own.contains(&number)), "{numbers:?} in {texts:?}");
    }
    // Someone who comes under observation at month 3 counts from then on; weights are summed.
    let late = SurvivalData::new(&[5.0, 9.0, 9.0], &[1, 1, 0]).unwrap();
    let late = late.entry(&[0.0, 3.0, 0.0]).unwrap().weights(&[1.0, 2.5, 1.0]).unwrap();
    let svg = CurvePlot::survival(&late, ["all"]).unwrap().ticks_every(4.0).to_svg();
    let texts: Vec<String> = parse(&svg).into_iter().filter(|e| e.name == "text").map(|e| e.text).collect();
    let start = texts.iter().position(|text| text == "Number at risk (weighted)").unwrap();
    assert_eq!(&texts[start + 1..start + 5], ["all", "2", "4.5", "3.5"]);
    assert!(svg.contains("sums of weights"));
}

#[test]
fn horizons_carry_their_numbers() {
    let people = people(2, 80, 20.0);
    let data = people.data();
    let svg =
        CurvePlot::incidence(&data, 1, ["control", "R&D"]).unwrap().horizon(12.0).horizon(20.0).to_svg();
    let curves = AalenJohansen::by_stratum(&data).unwrap();
    for (curve, name) in curves.iter().zip(["control", "R&amp;D"]) {
        let found = curve.estimate(&[SurvivalQuantity::CumulativeIncidence { cause: 1, at: 12.0 }]).unwrap();
        let limits = CurveInterval::LogLog.interval(found.values[0], found.se()[0], 0.95).unwrap().unwrap();
        let mut words = format!("{name} at 12: {:.1}% (", 100.0 * found.values[0]);
        write!(words, "{:.1}% to {:.1}%)", 100.0 * limits.lower(), 100.0 * limits.upper()).unwrap();
        // In the tooltip of the point, and in the description.
        assert_eq!(svg.matches(&words).count(), 2, "{words} in {svg}");
    }
    // The second arm was followed for 14 months.
    assert!(svg.contains("Before the horizon 20 the follow-up ends of R&amp;D at 14."), "{svg}");
    assert!(svg.contains("R&amp;D at 20: beyond its follow-up"));
    assert_eq!(parse(&svg).iter().filter(|element| element.name == "circle").count(), 3);
}

#[test]
fn what_cannot_be_drawn_is_refused() {
    let people = people(2, 8, 12.0);
    let data = people.data();
    for names in [vec!["control"], vec!["a", "b", "c"], vec![]] {
        let error = CurvePlot::survival(&data, names.clone()).unwrap_err().to_string();
        assert!(error.contains("give one name for each stratum"), "{error}");
        assert_eq!(CurvePlot::incidence(&data, 1, names).unwrap_err().kind().name(), "invalid_input");
    }
    let error = CurvePlot::incidence(&data, 0, ["a", "b"]).unwrap_err();
    assert!(error.to_string().contains("cause"), "{error}");
    let censored = people.data().censoring_other_causes(1).unwrap();
    assert!(CurvePlot::survival(&censored, ["a", "b"]).is_ok());
    assert_eq!(CurvePlot::incidence(&censored, 1, ["a", "b"]).unwrap_err().kind().name(), "invalid_input");
}

#[test]
fn thousands_of_times_stay_a_small_file() {
    let n = 30_000_u32;
    let months: Vec<f64> = (0..n).map(|i| f64::from(i).sqrt()).collect();
    let reason = vec![1_u32; n as usize];
    let data = SurvivalData::new(&months, &reason).unwrap();
    let svg = CurvePlot::survival(&data, ["all"]).unwrap().to_svg();
    check_svg("many times", &svg);
    assert!(svg.len() < 700_000, "{}", svg.len());
}

/// Nobody of two with the event is no proof that there is none.
#[test]
fn a_curve_without_events_has_no_interval_in_words() {
    let data =
        SurvivalData::new(&[1.0, 2.0, 1.0, 2.0], &[0, 0, 1, 1]).unwrap().strata(&[0, 0, 1, 1]).unwrap();
    for figure in [CurvePlot::survival(&data, ["c", "t"]), CurvePlot::incidence(&data, 1, ["c", "t"])] {
        let svg = figure.unwrap().horizon(2.0).to_svg();
        assert!(svg.contains("c at 2: ") && svg.contains("t at 2: "), "{svg}");
        assert!(!svg.contains("% to "), "{svg}");
    }
}
