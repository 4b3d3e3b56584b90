//! Arms that do not overlap: a win probability of 1 has a test and an interval.

use crate::support::{labelled, survives};
use armwise::prelude::*;

const SCORE: Measure<Continuous> = Measure::continuous("y").higher_is_better();

fn comparison(csv: &str) -> Comparison<Continuous> {
    labelled(Table::from_csv_str(csv).unwrap(), "c").build().unwrap().on(&SCORE).unwrap()
}

/// The treatment `t` is above all of the control, `u` overlaps.
const ARMS: &str = "arm,y\nc,1\nc,2\nc,3\nt,7\nt,8\nt,9\nu,2\nu,5\nu,0\n";

#[test]
fn the_net_benefit_is_one_with_the_exact_rank_sum_test() {
    let effects = comparison(ARMS).estimate(&WinProbability::new(NetBenefit)).unwrap();
    survives(&effects);
    let effect = effects.treatment("t").unwrap();
    assert_eq!((effect.value(), effect.se()), (1.0, 0.0));
    // R: wilcox.test(c(7, 8, 9), 1:3) gives 0.1.
    assert!((effect.p_value() - 0.1).abs() < 1e-12);
    assert!((effect.interval().lower() + 0.174_474_985_659).abs() < 1e-9 && effect.interval().upper() == 1.0);
    assert!(effect.win_probability_interval().lower() > 0.4);
    assert_eq!(effect.method().interval.to_string(), "exact rank sum");
    assert!(effect.notices().contains(&Notice::ZeroStandardError { treatment: Label::new("t") }));
    assert!(!effect.to_string().contains("neither arm shows variation"), "{effect}");
    // One curve: a margin is read off it.
    let margin = effect.non_inferiority(0.2).unwrap();
    assert!((margin.p_value - effect.p_above(-0.2).unwrap()).abs() < 1e-12);
    // Other arms keep their own.
    let other = effects.treatment("u").unwrap();
    assert!(other.se() > 0.0 && other.method().interval.to_string() == "logit");
    assert!(effect.to_string().contains("exact rank sum"), "{effect}");
}

#[test]
fn below_all_is_the_mirror_and_odds_are_refused_with_what_is_known() {
    let below = comparison(&ARMS.replace("t,7\nt,8\nt,9", "t,-7\nt,-8\nt,-9"));
    let effect = below.estimate(&WinProbability::new(NetBenefit)).unwrap().treatment("t").unwrap();
    assert_eq!(effect.value(), -1.0);
    assert!((effect.p_value() - 0.1).abs() < 1e-12 && effect.interval().lower() == -1.0);
    let error = below.estimate(&WinProbability::new(LogWinOdds)).unwrap_err();
    assert_eq!(error.kind().name(), "not_estimable");
    let text = error.to_string();
    assert!(text.contains("below everybody") && text.contains("-1.000 to 0.174 and p = 0.100"), "{text}");
    let level = comparison("arm,y\nc,2\nc,2\nt,2\nt,2\nt,2\n");
    let error = level.estimate(&WinProbability::new(NetBenefit)).unwrap_err();
    assert_eq!(error.kind().name(), "zero_variance");
    assert!(error.to_string().contains("level with everybody"), "{error}");
}
