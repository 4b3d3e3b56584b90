//! Studies as Markdown.

use super::study::{Cell, Results, Study, Truth};
use std::fmt::Write;

pub(crate) const LEGEND: &str = "Each cell: coverage in per cent where the treatment has an effect / type I error in per cent, of as many \
    replicates without one / median width of the interval. `-` marks coverage more than two Monte Carlo standard errors (se) below 95%, `+` more than \
    two above. Where some replicates gave no interval (an error), their share in per cent follows in brackets, and the rest is of the others.";

/// -1 below, 1 above 95% by more than two Monte Carlo standard errors.
fn side(cell: &Cell) -> i8 {
    let excess = cell.coverage() - 95.0;
    if excess.abs() <= cell.noise() {
        0
    } else if excess < 0.0 {
        -1
    } else {
        1
    }
}

fn text(effect: &Cell, null: &Cell) -> String {
    if effect.intervals == 0 {
        return "none".to_owned();
    }
    let mark = ["-", "", "+"][usize::try_from(side(effect) + 1).unwrap()];
    let type_1 = if null.tests == 0 {
        "-".to_owned()
    } else {
        format!("{:.1}", 100.0 * null.rejected as f64 / null.tests as f64)
    };
    let width = effect.median_width();
    let width = if width < 0.1 { format!("{width:.4}") } else { format!("{width:.3}") };
    let absent = 100.0 * (1.0 - effect.intervals as f64 / effect.replicates as f64);
    let absent = match absent {
        0.0 => String::new(),
        share if share < 0.05 => " (<0.1)".to_owned(),
        share => format!(" ({share:.1})"),
    };
    format!("{:.1}{mark} / {type_1} / {width}{absent}", effect.coverage())
}

pub(crate) fn markdown(study: &Study, results: &Results) -> String {
    let all = results.values().next().map_or(0, |cells| cells[0].replicates);
    let se = 0.5 * Cell { intervals: all, ..Cell::default() }.noise();
    let mut out = format!("## {}\n\n{} {all} replicates (se {se:.2} points).\n\n", study.title, study.about);
    let sized = study.sizes.len() > 1;
    let first = if sized { "| method | per arm |" } else { "| method |" };
    writeln!(out, "{first} {} |", study.settings.join(" | ")).unwrap();
    writeln!(out, "|{}", "---|".repeat(study.settings.len() + 1 + usize::from(sized))).unwrap();
    let mut missed = [Vec::new(), Vec::new()];
    for (method, name) in study.methods.iter().enumerate() {
        let mut cells_of = [Vec::new(), Vec::new()];
        for (size, label) in study.sizes.iter().enumerate() {
            write!(out, "| {name} |").unwrap();
            if sized {
                write!(out, " {label} |").unwrap();
            }
            for (setting, words) in study.settings.iter().enumerate() {
                let cell = |truth| &results[&(size, setting, truth)][method];
                let effect = cell(Truth::Effect);
                write!(out, " {} |", text(effect, cell(Truth::NoEffect))).unwrap();
                if effect.intervals > 0 && side(effect) != 0 {
                    let place = if sized { format!("{label} at {words}") } else { words.clone() };
                    cells_of[usize::from(side(effect) > 0)].push(place);
                }
            }
            out.push('\n');
        }
        let all = study.sizes.len() * study.settings.len();
        for (missed, cells) in missed.iter_mut().zip(cells_of) {
            match cells.len() {
                0 => {}
                n if n == all => missed.push(format!("{name} everywhere")),
                _ => missed.push(format!("{name} ({})", cells.join(", "))),
            }
        }
    }
    for (words, missed) in ["Below", "Above"].iter().zip(missed) {
        let list = if missed.is_empty() { "none".to_owned() } else { missed.join("; ") };
        writeln!(out, "\n{words} 95% by more than two Monte Carlo standard errors: {list}.").unwrap();
    }
    out
}
