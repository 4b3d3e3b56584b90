use super::Tails;
use crate::compute::tails::{IncompleteBeta, UnitPoint};
use crate::error::{Error, Result};

/// The binomial distribution: successes among `n` independent trials.
///
/// # Formula
///
/// P(X = x) = `C(n, x) p^x (1 - p)^(n - x)`; P(X > x) = `I_p(x + 1, n - x)`, the regularised incomplete beta
/// function.
///
/// ```
/// use armwise::distribution::Binomial;
///
/// let coin = Binomial::new(10, 0.5)?;
/// assert!((coin.pmf(5) - 252.0 / 1024.0).abs() < 1e-15);
/// assert!((coin.sf(8) - 11.0 / 1024.0).abs() < 1e-16);
/// # Ok::<(), armwise::Error>(())
/// ```
///
/// # References
///
/// Loader (2000), Fast and accurate computation of binomial probabilities.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Binomial {
    n: u64,
    p: f64,
}

impl Binomial {
    /// With `n` trials and probability `p` of success in each.
    ///
    /// # Errors
    ///
    /// `InvalidInput` unless 0 <= p <= 1 and n <= 2^52.
    pub fn new(n: u64, p: f64) -> Result<Self> {
        if n > 1 << 52 {
            Err(Error::invalid(format!(
                "the number of trials is {n}; give at most 2^52, up to which counts are exact"
            )))
        } else if (0.0..=1.0).contains(&p) {
            Ok(Self { n, p })
        } else {
            Err(Error::invalid(format!("the probability is {p}; give a number from 0 to 1")))
        }
    }

    /// For a `p` that is known to be a probability.
    pub(super) fn unchecked(n: u64, p: f64) -> Self {
        Self { n, p }
    }

    /// The number of trials.
    pub fn n(&self) -> u64 {
        self.n
    }

    /// The probability of success.
    pub fn p(&self) -> f64 {
        self.p
    }

    tail_methods!(u64);

    /// P(X = x).
    pub fn pmf(&self, x: u64) -> f64 {
        self.ln_pmf(x).exp()
    }

    /// The natural logarithm of P(X = x); minus infinity outside the support.
    pub fn ln_pmf(&self, x: u64) -> f64 {
        let (n, p) = (self.n as f64, self.p);
        let k = x as f64;
        if x > self.n || (p == 0.0 && x > 0) || (p == 1.0 && x < self.n) {
            f64::NEG_INFINITY
        } else if x == 0 {
            if self.n == 0 { 0.0 } else { n * (-p).ln_1p() }
        } else if x == self.n {
            n * p.ln()
        } else {
            let kernel = IncompleteBeta::new(k, n - k);
            // p^x q^(n-x) / B(x, n - x) = C(n, x) p^x q^(n-x) x (n - x) / n.
            kernel.ln_density(self.point(k)) - (k * ((n - k) / n)).ln()
        }
    }

    /// The probability p as a point of the beta distribution with shapes `a` and `n - a`.
    fn point(&self, a: f64) -> UnitPoint {
        UnitPoint { x: self.p, y: 1.0 - self.p, excess: self.n as f64 * self.p - a }
    }

    fn tails(self, x: u64) -> Tails {
        if x >= self.n || self.p == 0.0 {
            return Tails::ABOVE_SUPPORT;
        }
        if self.p == 1.0 {
            return Tails::BELOW_SUPPORT;
        }
        let (a, b) = ((x + 1) as f64, (self.n - x) as f64);
        let kernel = IncompleteBeta::new(a, b);
        kernel.tails(kernel.point(self.p)).mirrored()
    }
}
