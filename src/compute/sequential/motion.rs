//! The density of a Brownian motion that has not crossed its bounds, from look to look (Armitage, McPherson &
//! Rowe 1969): quadrature over panels as wide as the narrower of the two steps beside a look.

use crate::compute::distribution::Normal;

/// The points and weights of 16-point Gauss-Legendre quadrature on -1 to 1, the half above 0.
const HALF_RULE: [(f64, f64); 8] = [
    (0.095_012_509_837_637_44, 0.189_450_610_455_068_5),
    (0.281_603_550_779_258_9, 0.182_603_415_044_923_58),
    (0.458_016_777_657_227_4, 0.169_156_519_395_002_54),
    (0.617_876_244_402_643_7, 0.149_595_988_816_576_73),
    (0.755_404_408_355_003, 0.124_628_971_255_533_87),
    (0.865_631_202_387_831_7, 0.095_158_511_682_492_78),
    (0.944_575_023_073_232_6, 0.062_253_523_938_647_89),
    (0.989_400_934_991_649_9, 0.027_152_459_411_754_095),
];
/// The width of a panel in standard deviations of the narrower step.
const PANEL: f64 = 2.0;
/// What lies further out, in standard deviations, does not count.
const REACH: f64 = 9.0;
/// A step from further away, in standard deviations, does not arrive: its density is below 1e-300.
const FAR: f64 = 38.0;
const SQRT_TAU: f64 = 2.506_628_274_631_000_7;

/// The motion at a look: masses at points, all within the bounds so far.
#[derive(Debug, Clone)]
pub(super) struct Motion {
    drift: f64,
    time: f64,
    start: [f64; 2],
    /// Ascending, each with its mass.
    points: Vec<(f64, f64)>,
}

impl Motion {
    /// From `b` at `time`.
    pub(super) fn from(time: f64, b: f64, drift: f64) -> Self {
        Self { drift, time, start: [time, b], points: vec![(b, 1.0)] }
    }

    /// The points from which a step to about `to` arrives.
    fn near(&self, from: f64, to: f64) -> &[(f64, f64)] {
        let first = self.points.partition_point(|(b, _)| *b < from);
        let last = self.points.partition_point(|(b, _)| *b <= to);
        &self.points[first..last.max(first)]
    }

    /// The probability to be above `b` at a later time.
    pub(super) fn above(&self, time: f64, b: f64) -> f64 {
        self.beyond(time, b, 1.0)
    }

    /// The probability to be below `b` at a later time.
    pub(super) fn below(&self, time: f64, b: f64) -> f64 {
        self.beyond(time, b, -1.0)
    }

    fn beyond(&self, time: f64, b: f64, side: f64) -> f64 {
        if b.is_infinite() {
            return if b * side > 0.0 { 0.0 } else { self.mass() };
        }
        let step = time - self.time;
        let sd = step.sqrt();
        let shifted = b - self.drift * step;
        self.points.iter().map(|(from, mass)| mass * Normal.sf(side * (shifted - from) / sd)).sum()
    }

    /// The probability of not having crossed.
    pub(super) fn mass(&self) -> f64 {
        self.points.iter().map(|(_, mass)| mass).sum()
    }

    /// At a later time, within these bounds; `next` is the step after it, if there is one.
    pub(super) fn within(&self, time: f64, [lower, upper]: [f64; 2], next: Option<f64>) -> Self {
        let step = time - self.time;
        let (sd, mean_step) = (step.sqrt(), self.drift * step);
        let since = time - self.start[0];
        let (centre, spread) = (self.start[1] + self.drift * since, REACH * since.sqrt());
        // A finite bound that lies further out is kept: the way to a later crossing may lead past it.
        let low = if lower > centre - FAR / REACH * spread { lower } else { centre - spread };
        let high = if upper < centre + FAR / REACH * spread { upper } else { centre + spread };
        let mut points = Vec::new();
        if low < high {
            let width = PANEL * next.map_or(sd, |next| next.sqrt().min(sd));
            let panels = ((high - low) / width).ceil().max(1.0);
            let half = 0.5 * (high - low) / panels;
            #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // some thousands
            for panel in 0..panels as u64 {
                let middle = low + half * (2 * panel + 1) as f64;
                let rule = HALF_RULE.iter().rev().map(|(x, w)| (-x, *w)).chain(HALF_RULE);
                for (x, weight) in rule {
                    let b = middle + half * x;
                    let from = b - mean_step;
                    let density: f64 = self
                        .near(from - FAR * sd, from + FAR * sd)
                        .iter()
                        .map(|(start, mass)| mass * (-0.5 * ((from - start) / sd).powi(2)).exp())
                        .sum();
                    points.push((b, half * weight * density / (sd * SQRT_TAU)));
                }
            }
        }
        Self { drift: self.drift, time, start: self.start, points }
    }
}
