use super::bounds::{Bounds, scaled, step_after};
use super::motion::Motion;
use serde::{Deserialize, Serialize};

/// The probabilities to stop at each look.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(remote = "Self")]
#[non_exhaustive]
pub struct Exits {
    /// The information fraction of each look.
    pub looks: Vec<f64>,
    /// The probability to cross the upper bound at each look, and none before.
    pub above: Vec<f64>,
    /// The probability to cross the lower bound at each look, and none before: the opposite bound of a
    /// two-sided design, or that of futility. What is below the bound of the last look of a one-sided design
    /// is not counted.
    pub below: Vec<f64>,
}

checked!(Exits);

impl Exits {
    pub(super) fn of(looks: &[f64], bounds: &[Bounds], drift: f64, from: [f64; 2]) -> Self {
        let mut motion = Motion::from(from[0], from[1], drift);
        let (mut above, mut below) = (Vec::new(), Vec::new());
        for (k, &t) in looks.iter().enumerate() {
            let bounds = scaled(bounds[k], t);
            above.push(motion.above(t, bounds[1]));
            below.push(motion.below(t, bounds[0]));
            if k + 1 < looks.len() {
                motion = motion.within(t, bounds, step_after(looks, k));
            }
        }
        Self { looks: looks.to_vec(), above, below }
    }

    fn check(&self) -> crate::error::Result<()> {
        let k = self.looks.len();
        let probabilities = || self.above.iter().chain(&self.below);
        if k > 0
            && self.above.len() == k
            && self.below.len() == k
            && probabilities().all(|p| (0.0..=1.0 + 1e-9).contains(p))
            && self.looks.windows(2).all(|pair| pair[0] < pair[1])
        {
            return Ok(());
        }
        Err(crate::error::Error::invalid(
            "exits need a probability for each bound of each look, and looks that rise; give both",
        ))
    }

    /// The probability to have crossed the upper bound by each look.
    pub fn cumulative_above(&self) -> Vec<f64> {
        cumulative(self.above.iter().copied())
    }

    /// The probability to have crossed either bound by each look.
    pub fn cumulative(&self) -> Vec<f64> {
        cumulative(self.above.iter().zip(&self.below).map(|(above, below)| above + below))
    }

    /// The information fraction at which it stops, on average.
    pub fn expected_information(&self) -> f64 {
        let last = self.looks.len() - 1;
        let mut left = 1.0;
        let mut expected = 0.0;
        for k in 0..last {
            let stops = self.above[k] + self.below[k];
            expected += self.looks[k] * stops;
            left -= stops;
        }
        expected + self.looks[last] * left
    }
}

fn cumulative(probabilities: impl Iterator<Item = f64>) -> Vec<f64> {
    probabilities
        .scan(0.0, |sum, p| {
            *sum += p;
            Some(*sum)
        })
        .collect()
}
