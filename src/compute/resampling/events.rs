// Places and counts are small and positive.
#![allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]

use super::resamples::{check_replicates, each};
use crate::compute::distribution::Binomial;
use crate::compute::progress::Step;
use crate::error::{Error, Result, counted};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// The most people of a group: their binomial probabilities are tabulated.
const MOST_PEOPLE: u64 = 10_000_000;

/// Groups in which each person has an event or not, resampled within the groups.
///
/// # Formula
/// The number of events among `n` people drawn with replacement from `n`, of whom `x` have the event, is
/// binomial with `n` and `x / n`: one number is drawn for each group instead of `n` people, and the
/// distribution is the same. Replicate `b` takes the numbers at places `b` times the number of groups and
/// on of one stream of ChaCha8.
///
/// # Errors
/// `invalid_input` for no group, more events than people, no people or more than ten million, and as
/// [`Resamples`](super::Resamples).
///
/// # Examples
/// ```
/// use armwise::resampling::{BootstrapDistribution, EventResamples};
///
/// let groups = EventResamples::new(&[(23, 61), (14, 57)])?;
/// let difference = |x: &[u64]| Some(x[0] as f64 / 61.0 - x[1] as f64 / 57.0);
/// let all = groups.enumerated(10_000, difference)?;
/// let exact = BootstrapDistribution::enumerated(23.0 / 61.0 - 14.0 / 57.0, &all)?;
/// assert!((exact.se() - 0.0843).abs() < 1e-4);
/// let drawn = groups.drawn(9_999, 1, difference)?;
/// let drawn = BootstrapDistribution::drawn(exact.estimate(), &drawn)?;
/// assert!((drawn.se() / exact.se() - 1.0).abs() < 0.03);
/// # Ok::<(), armwise::Error>(())
/// ```
///
/// # References
/// Efron & Tibshirani (1993), An Introduction to the Bootstrap, chapter 5. Walker (1977), ACM Transactions on
/// Mathematical Software 3:253 (alias tables).
#[derive(Debug, Clone, PartialEq)]
pub struct EventResamples {
    tables: Vec<Table>,
}

/// The probabilities of a number of events, and the alias of each.
#[derive(Debug, Clone, PartialEq)]
struct Table {
    /// The number of events of the first entry; entries are those with a probability above zero.
    first: u64,
    probabilities: Vec<f64>,
    keep: Vec<f64>,
    alias: Vec<u32>,
}

impl EventResamples {
    /// The events and the people of each group.
    ///
    /// # Errors
    /// As listed for the type.
    pub fn new(groups: &[(u64, u64)]) -> Result<Self> {
        if groups.is_empty() {
            return Err(Error::invalid("there is no group to resample; give the events and people of each"));
        }
        let table = |&(events, n): &(u64, u64)| {
            if n == 0 || n > MOST_PEOPLE || events > n {
                return Err(Error::invalid(format!(
                    "{} among {} cannot be resampled; give the events, then the people, of whom there are 1 to 10 million",
                    counted(usize::try_from(events).unwrap_or(usize::MAX), "event"),
                    counted(usize::try_from(n).unwrap_or(usize::MAX), "person")
                )));
            }
            Table::new(events, n)
        };
        Ok(Self { tables: groups.iter().map(table).collect::<Result<_>>()? })
    }

    /// The number of different resamples: vectors of events whose probability is a number above zero.
    pub fn different(&self) -> f64 {
        self.tables.iter().map(|table| table.probabilities.len() as f64).product()
    }

    /// The statistic of the events of each replicate.
    ///
    /// # Errors
    /// No replicates, or more than ten million.
    pub fn drawn<T: Send>(
        &self,
        replicates: usize,
        seed: u64,
        statistic: impl Fn(&[u64]) -> T + Sync,
    ) -> Result<Vec<T>> {
        let (drawn, stopped) = self.drawn_so_far(replicates, seed, statistic)?;
        stopped.map_or(Ok(drawn), |step| Err(step.into()))
    }

    /// The same of the replicates that were finished, in their order, and how many they were where the work
    /// was stopped.
    pub(crate) fn drawn_so_far<T: Send>(
        &self,
        replicates: usize,
        seed: u64,
        statistic: impl Fn(&[u64]) -> T + Sync,
    ) -> Result<(Vec<T>, Option<Step>)> {
        check_replicates(replicates)?;
        let groups = self.tables.len();
        let state = || (ChaCha8Rng::seed_from_u64(seed), usize::MAX, vec![0; groups]);
        Ok(each("replicates", replicates, state, |(numbers, next, events), replicate| {
            if *next != replicate {
                // Words have 32 bits, and each group takes two.
                numbers.set_word_pos(2 * (replicate * groups) as u128);
            }
            *next = replicate + 1;
            for (events, table) in events.iter_mut().zip(&self.tables) {
                *events = table.draw(numbers.next_u64());
            }
            statistic(events)
        }))
    }

    /// The statistic of every vector of events with its probability.
    ///
    /// # Errors
    /// More of them than `limit`.
    pub fn enumerated<T: Send>(
        &self,
        limit: usize,
        statistic: impl Fn(&[u64]) -> T + Sync,
    ) -> Result<Vec<(T, f64)>> {
        let different = self.different();
        if different > limit as f64 {
            return Err(Error::invalid(format!(
                "there are {different:.3e} different resamples, and at most {limit} are to be enumerated; draw replicates, or raise the limit"
            )));
        }
        let (all, stopped) = each(
            "resamples",
            different as usize,
            || vec![0; self.tables.len()],
            |events, mut place| {
                let mut probability = 1.0;
                for (events, table) in events.iter_mut().zip(&self.tables) {
                    let entry = place % table.probabilities.len();
                    place /= table.probabilities.len();
                    *events = table.first + entry as u64;
                    probability *= table.probabilities[entry];
                }
                // Products may be too small for a number.
                (probability > 0.0).then(|| (statistic(events), probability))
            },
        );
        stopped.map_or(Ok(all.into_iter().flatten().collect()), |step| Err(step.into()))
    }
}

impl Table {
    fn new(events: u64, n: u64) -> Result<Self> {
        let binomial = Binomial::new(n, events as f64 / n as f64)?;
        // Out from the mode, to where probabilities are no numbers any more.
        let positive = |x: &u64| binomial.pmf(*x) > 0.0;
        let below = (0..events).rev().take_while(positive).count() as u64;
        let above = (events + 1..=n).take_while(positive).count() as u64;
        let first = events - below;
        let probabilities: Vec<f64> = (first..=events + above).map(|x| binomial.pmf(x)).collect();
        let m = probabilities.len();
        let mut keep: Vec<f64> = probabilities.iter().map(|p| p * m as f64).collect();
        let mut alias: Vec<u32> = (0_u32..).take(m).collect();
        let (mut small, mut large): (Vec<usize>, Vec<usize>) = (0..m).partition(|i| keep[*i] < 1.0);
        while let (Some(&one), Some(&other)) = (small.last(), large.last()) {
            small.pop();
            alias[one] = other as u32;
            keep[other] -= 1.0 - keep[one];
            if keep[other] < 1.0 {
                large.pop();
                small.push(other);
            }
        }
        // What is left is one but for rounding.
        small.into_iter().chain(large).for_each(|i| keep[i] = 1.0);
        Ok(Self { first, probabilities, keep, alias })
    }

    fn draw(&self, bits: u64) -> u64 {
        let place = (bits >> 11) as f64 * (0.5_f64).powi(53) * self.keep.len() as f64;
        let entry = (place as usize).min(self.keep.len() - 1);
        let entry =
            if place - (entry as f64) < self.keep[entry] { entry } else { self.alias[entry] as usize };
        self.first + entry as u64
    }
}
