use super::{Binomial, Tails};
use crate::compute::tails::Side;
use crate::error::{Error, Result, counted};

/// The hypergeometric distribution: events among the treated when the totals of a two-by-two table are fixed.
///
/// # Formula
///
/// P(X = x) = `C(n1, x) C(n0, t - x) / C(n1 + n0, t)` with `n1` treated, `n0` controls and `t` events in
/// total; the support runs from `max(0, t - n0)` to `min(n1, t)`. Each probability is a quotient of binomial
/// probabilities with success probability `t / (n1 + n0)` (Loader 2000); tails are sums from their largest
/// term.
///
/// ```
/// use armwise::distribution::Hypergeometric;
///
/// // Fisher's one-sided p-value of 3 events among 4 treated and 1 among 4 controls.
/// let table = Hypergeometric::new(4, 4, 4)?;
/// assert!((table.sf(2) - 17.0 / 70.0).abs() < 1e-15);
/// # Ok::<(), armwise::Error>(())
/// ```
///
/// # References
///
/// Loader (2000), Fast and accurate computation of binomial probabilities.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hypergeometric {
    n_treated: u64,
    n_control: u64,
    total_events: u64,
}

/// A tail then takes less than 10 ms.
const MOST: u64 = 100_000_000_000;

impl Hypergeometric {
    /// With the sizes of the two arms and the number of events in both together.
    ///
    /// # Errors
    ///
    /// `InvalidInput` if there are more events than participants, or more than 10^11 participants.
    pub fn new(n_treated: u64, n_control: u64, total_events: u64) -> Result<Self> {
        match n_treated.checked_add(n_control) {
            Some(n) if n > MOST => Err(Error::invalid(format!(
                "the number of participants is {n}, and a tail takes time in proportion to the root of their number; give at \
                 most {MOST}, or use a test on large samples"
            ))),
            Some(n) if total_events <= n => Ok(Self { n_treated, n_control, total_events }),
            _ => Err(Error::invalid(format!(
                "{events} among {n_treated} treated and {n_control} controls; \
                 there cannot be more events than participants",
                events = counted(total_events, "event")
            ))),
        }
    }

    /// The least number of events among the treated.
    pub fn min(&self) -> u64 {
        self.total_events.saturating_sub(self.n_control)
    }

    /// The greatest number of events among the treated.
    pub fn max(&self) -> u64 {
        self.n_treated.min(self.total_events)
    }

    tail_methods!(u64);

    /// P(X = x).
    pub fn pmf(&self, x: u64) -> f64 {
        self.ln_pmf(x).exp()
    }

    /// The natural logarithm of P(X = x); minus infinity outside the support.
    pub fn ln_pmf(&self, x: u64) -> f64 {
        if x < self.min() || x > self.max() {
            return f64::NEG_INFINITY;
        }
        if self.min() == self.max() {
            return 0.0;
        }
        let n = self.n_treated + self.n_control;
        // The larger of p and 1 - p would lose digits.
        let (events, treated, control) = if self.total_events <= n / 2 {
            (self.total_events, x, self.total_events - x)
        } else {
            (n - self.total_events, self.n_treated - x, self.n_control - (self.total_events - x))
        };
        let p = events as f64 / n as f64;
        let ln_pmf = |n, x| Binomial::unchecked(n, p).ln_pmf(x);
        (ln_pmf(self.n_treated, treated) + ln_pmf(self.n_control, control) - ln_pmf(n, events)).min(0.0)
    }

    fn tails(self, x: u64) -> Tails {
        if x < self.min() {
            return Tails::BELOW_SUPPORT;
        }
        if x >= self.max() {
            return Tails::ABOVE_SUPPORT;
        }
        let (n1, n0, t) = (self.n_treated as f64, self.n_control as f64, self.total_events as f64);
        let mean = n1 / (n1 + n0) * t;
        let mut k = x as f64;
        let (mut sum, mut term) = (1.0, 1.0);
        if k < mean {
            // P(X = k - 1) / P(X = k), downwards from x.
            for _ in self.min()..x {
                term *= k / (n1 - k + 1.0) * (n0 - t + k) / (t - k + 1.0);
                sum += term;
                k -= 1.0;
                if term < 1e-18 * sum {
                    break;
                }
            }
            Tails::new(Side::Lower, self.ln_pmf(x) + f64::ln(sum))
        } else {
            k += 1.0;
            for _ in x + 1..self.max() {
                term *= (n1 - k) / (k + 1.0) * (t - k) / (n0 - t + k + 1.0);
                sum += term;
                k += 1.0;
                if term < 1e-18 * sum {
                    break;
                }
            }
            Tails::new(Side::Upper, self.ln_pmf(x + 1) + f64::ln(sum))
        }
    }
}
