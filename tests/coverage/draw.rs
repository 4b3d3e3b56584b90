//! Random numbers, and the distribution of covariates from which true effects are known.

use armwise::distribution::Normal;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

const SEED: u64 = 20_171_001;

/// The random numbers of one replicate.
pub(crate) struct Stream(ChaCha8Rng);

impl Stream {
    pub(crate) fn new(cell: u64, replicate: u64) -> Self {
        let mut numbers = ChaCha8Rng::seed_from_u64(SEED);
        numbers.set_stream((cell << 32) | replicate);
        Self(numbers)
    }

    pub(crate) fn uniform(&mut self) -> f64 {
        self.0.random::<f64>()
    }

    pub(crate) fn normal(&mut self) -> f64 {
        // Half a step up, as the quantile at 0 is infinite.
        Normal.quantile(self.uniform() + f64::EPSILON / 4.0)
    }

    pub(crate) fn exponential(&mut self) -> f64 {
        -(-self.uniform()).ln_1p()
    }

    pub(crate) fn poisson(&mut self, mean: f64) -> f64 {
        let (mut count, mut waited) = (0.0, self.exponential());
        while waited < mean {
            count += 1.0;
            waited += self.exponential();
        }
        count
    }

    pub(crate) fn binomial(&mut self, n: u64, p: f64) -> u64 {
        (0..n).map(|_| u64::from(self.uniform() < p)).sum()
    }

    /// Exchanges the values at random (Fisher and Yates).
    // A uniform number below 1 times a length is a place.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    pub(crate) fn shuffle<T>(&mut self, values: &mut [T]) {
        for last in (1..values.len()).rev() {
            let at = (self.uniform() * (last + 1) as f64) as usize;
            values.swap(last, at);
        }
    }
}

/// A covariate that is standard normal, and a stratum of two equally large ones.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Person {
    pub(crate) x: f64,
    pub(crate) long_term: bool,
}

impl Person {
    pub(crate) fn draw(stream: &mut Stream) -> Self {
        Self { x: stream.normal(), long_term: stream.uniform() < 0.5 }
    }

    /// What covariates add to the log odds of an event: young and short on benefit find work.
    pub(crate) fn log_odds(self) -> f64 {
        -0.6 * self.x - if self.long_term { 0.8 } else { 0.0 }
    }

    /// The mean of a function over all people, to about 12 digits: the trapezium rule on the normal density.
    pub(crate) fn mean(of: impl Fn(Self) -> f64) -> f64 {
        let (mut sum, mut weight) = (0.0, 0.0);
        for step in -160..=160 {
            let x = f64::from(step) / 20.0;
            let density = (-0.5 * x * x).exp();
            weight += density;
            sum +=
                0.5 * density * [false, true].map(|long_term| of(Self { x, long_term })).iter().sum::<f64>();
        }
        sum / weight
    }

    /// The intercept of the log odds with which this share of all people has the event.
    pub(crate) fn intercept(share: f64) -> f64 {
        let (mut low, mut high) = (-30.0, 30.0);
        for _ in 0..80 {
            let middle = 0.5 * (low + high);
            if Self::mean(|person| logistic(middle + person.log_odds())) < share {
                low = middle;
            } else {
                high = middle;
            }
        }
        0.5 * (low + high)
    }
}

pub(crate) fn logistic(log_odds: f64) -> f64 {
    1.0 / (1.0 + (-log_odds).exp())
}
