//! Quadrature over tau.

use super::model::{Model, Node, Scales};
use crate::compute::gauss_legendre::{POINTS, rule};
use crate::compute::progress::Task;
use crate::error::Step;

/// Below this many log units under the maximum the density does not matter (3e-17 of it).
const NEGLIGIBLE: f64 = 38.0;

/// The error of the integral, relative to it.
const ACCURACY: f64 = 1e-13;

/// A bound that smooth densities do not reach: some ten panels are usual.
const MOST_PANELS: usize = 1000;

/// Tau is not followed further: its square must stay finite.
const LARGEST_TAU: f64 = 1e100;

/// A node with its share of the posterior.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Weighted {
    pub(super) node: Node,
    pub(super) weight: f64,
}

/// A stretch of `asinh(tau / scale)`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Panel {
    pub(super) start: f64,
    pub(super) end: f64,
}

/// The posterior of tau as panels and nodes, both ascending in tau.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Grid {
    pub(super) scale: f64,
    pub(super) ln_evidence: f64,
    /// The relative error that was asked for.
    pub(super) tolerance: f64,
    pub(super) panels: Vec<Panel>,
    pub(super) nodes: Vec<Weighted>,
}

/// A panel before normalisation: nodes weigh as their density times the width of their stretch, relative to
/// `exp(top)`.
struct Draft {
    start: f64,
    end: f64,
    integral: f64,
    nodes: Vec<Weighted>,
}

impl Draft {
    fn new(model: &Model, scale: f64, top: f64, start: f64, end: f64) -> Self {
        let (middle, half) = (0.5 * (start + end), 0.5 * (end - start));
        let mut nodes = Vec::with_capacity(POINTS);
        let mut integral = 0.0;
        for (x, w) in rule() {
            let u = middle + half * x;
            let node = model.at(scale * u.sinh());
            let weight = half * w * scale * u.cosh() * (node.ln_density - top).exp();
            integral += weight;
            nodes.push(Weighted { node, weight });
        }
        Self { start, end, integral, nodes }
    }
}

impl Grid {
    /// # Errors
    /// The work was stopped.
    pub(super) fn new(model: &Model) -> Result<Self, Step> {
        let Scales { smallest: scale, largest } = model.scales();
        let Range { start, end, top, best } = Range::find(model);
        let tolerance = ACCURACY.max(model.rounding(scale * best.sinh()));
        // Wider panels would leave the conditional distributions unresolved where the density of tau itself
        // is smooth.
        let mut pieces = 1.0;
        while (end - start) / pieces > 2.0 {
            pieces += 1.0;
        }
        let width = (end - start) / pieces;
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // at most 250 for asinh(1e120)
        let mut open: Vec<Draft> = (0..pieces as usize)
            .map(|i| {
                let left = start + width * i as f64;
                Draft::new(model, scale, top, left, (left + width).min(end))
            })
            .collect();
        let mut closed: Vec<Draft> = Vec::with_capacity(open.len());
        let mut total: f64 = open.iter().map(|draft| draft.integral).sum();
        let task = Task::start("panels", None);
        while !open.is_empty() && closed.len() + open.len() < MOST_PANELS {
            let mut halves = Vec::new();
            for draft in open {
                let middle = 0.5 * (draft.start + draft.end);
                let left = Draft::new(model, scale, top, draft.start, middle);
                let right = Draft::new(model, scale, top, middle, draft.end);
                task.advance(1)?;
                let both = left.integral + right.integral;
                if (both - draft.integral).abs() <= tolerance * total {
                    closed.push(draft);
                } else {
                    halves.push(left);
                    halves.push(right);
                }
            }
            open = halves;
            total = closed.iter().chain(&open).map(|draft| draft.integral).sum();
        }
        closed.extend(open);
        closed.sort_by(|a, b| a.start.total_cmp(&b.start));
        let power = moment_power(model);
        let moment = |tau: f64| (largest / tau.max(largest)).powf(power);
        let panels = closed.iter().map(|d| Panel { start: d.start, end: d.end }).collect();
        let nodes = closed
            .into_iter()
            .flat_map(|draft| draft.nodes)
            .map(|Weighted { node, weight }| Weighted { node, weight: weight / total })
            .filter(|Weighted { node, weight }| *weight > 1e-18 * moment(node.tau))
            .collect();
        Ok(Self { scale, ln_evidence: top + total.ln(), tolerance, panels, nodes })
    }

    /// The posterior density of the transformed tau `u`.
    pub(super) fn density(&self, model: &Model, u: f64) -> f64 {
        self.scale * u.cosh() * (model.at(self.scale * u.sinh()).ln_density - self.ln_evidence).exp()
    }
}

/// The highest moment of tau that exists, up to the second: it must be integrated too, and its integrand
/// falls more slowly than the density.
fn moment_power(model: &Model) -> f64 {
    match model.decay() {
        decay if decay > 3.0 => 2.0,
        decay if decay > 2.0 => 1.0,
        _ => 0.0,
    }
}

/// Where the posterior is, in `u = asinh(tau / scale)`, and the largest log density of `u`, times a power of
/// tau where a moment needs it.
struct Range {
    start: f64,
    end: f64,
    /// The log of the largest density of `u`.
    top: f64,
    /// Where that is.
    best: f64,
}

impl Range {
    fn find(model: &Model) -> Self {
        let Scales { smallest: scale, largest } = model.scales();
        let limit = (model.upper().min(LARGEST_TAU) / scale).asinh();
        let beyond = (largest / scale).asinh() + 2.0;
        let power = moment_power(model);
        let height = |u: f64| {
            let tau = scale * u.sinh();
            let moment = if tau > largest { power * (tau / largest).ln() } else { 0.0 };
            model.at(tau).ln_density + u.cosh().ln() + moment
        };
        // The log density bends on a scale of about 1 in u, however many studies there are: steps of a
        // quarter miss no summit.
        let mut step: f64 = 0.25;
        let mut scan = Vec::with_capacity(64);
        let (mut top, mut best) = (f64::NEG_INFINITY, 0.0);
        let mut u: f64 = 0.0;
        loop {
            let at = height(u.min(limit));
            scan.push((u.min(limit), at));
            if at > top {
                (top, best) = (at, u.min(limit));
            }
            if u >= limit || (u > beyond && at < top - NEGLIGIBLE) {
                break;
            }
            u += if u > beyond { 1.0 } else { step };
        }
        // With many studies the summit is sharp: climb it until the neighbours are near in height.
        loop {
            let (left, right) = ((best - step).max(0.0), (best + step).min(limit));
            let (at_left, at_right) = (height(left), height(right));
            let drop = top - at_left.min(at_right);
            for (u, at) in [(left, at_left), (right, at_right)] {
                if at > top {
                    (top, best) = (at, u);
                }
            }
            if drop.abs() < 4.0 || step < 1e-9 {
                break;
            }
            step *= 0.5;
        }
        let matters = |&&(_, at): &&(f64, f64)| at > top - NEGLIGIBLE;
        let first = scan.iter().find(matters).map_or(best, |(u, _)| *u).min(best);
        let last = scan.iter().rev().find(matters).map_or(best, |(u, _)| *u).max(best);
        let outward = |u: f64| if u >= beyond { u + 1.0 } else { u + 0.25 };
        Self { start: (first - 0.25).max(0.0), end: outward(last).min(limit), top: top + scale.ln(), best }
    }
}
