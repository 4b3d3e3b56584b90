// Places and counts are small and positive; short loops read as calls.
#![allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::needless_for_each)]

use crate::compute::progress::{Step, Task};
use crate::compute::threads::in_parts;
use crate::error::{Error, ErrorKind, Result, counted};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// The most replicates of one bootstrap.
const MOST_REPLICATES: usize = 10_000_000;
/// The most different resamples that are enumerated unless a limit is given.
pub const ENUMERATED: usize = 100_000;
/// Replicates that one thread takes at a time.
const PART: usize = 16;

/// Units (people, clusters, studies) that are resampled with replacement within strata.
///
/// A resample is the number of times that each unit occurs in it. What is computed from it is a function of
/// these counts, which serve as weights.
///
/// # Formula
/// With strata of `n_k` units there are `prod n_k^n_k` resamples, of which
/// `prod (2 n_k - 1)! / (n_k! (n_k - 1)!)` differ. The counts `c` of a stratum have the multinomial
/// probability `n_k! / (prod c! n_k^n_k)`.
///
/// Replicate `b` of a seed is drawn from stream `b` of ChaCha8 with that seed, so that it depends on seed and
/// `b` alone: not on the number of threads, and not on how many other replicates there are.
///
/// # Errors
/// `insufficient_observations` for fewer than two units in a stratum; `invalid_input` for no replicates, for
/// more than ten million, and for more different resamples than the limit of an enumeration.
///
/// # Examples
/// ```
/// use armwise::resampling::Resamples;
///
/// let y = [1.0, 2.0, 4.0, 7.0];
/// let mean = |counts: &[u32]| {
///     let sum: f64 = y.iter().zip(counts).map(|(y, count)| y * f64::from(*count)).sum();
///     sum / 4.0
/// };
/// let units = Resamples::of(4)?;
/// assert_eq!((units.different(), units.resamples()), (35.0, 256.0));
/// let all = units.enumerated(100, mean)?;
/// let expected: f64 = all.iter().map(|(mean, probability)| mean * probability).sum();
/// assert!((expected - 3.5).abs() < 1e-12);
/// let drawn = units.drawn(2_000, 1, mean)?;
/// assert!((drawn.iter().sum::<f64>() / 2_000.0 - 3.5).abs() < 0.15);
/// # Ok::<(), armwise::Error>(())
/// ```
///
/// # References
/// Efron (1979), Annals of Statistics 7:1. Fisher & Hall (1991), Journal of Statistical Planning and Inference
/// 27:157 (enumeration). Salmon et al. (2011), SC '11 (counter-based streams).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resamples {
    /// The units of each stratum.
    strata: Vec<Vec<u32>>,
    units: usize,
}

impl Resamples {
    /// Units that are resampled together, `0..units`.
    ///
    /// # Errors
    /// Fewer than two units.
    pub fn of(units: usize) -> Result<Self> {
        Self::within(&vec![0_u32; units])
    }

    /// Units that are resampled within strata: the code of the stratum of each unit. Codes need not be
    /// consecutive.
    ///
    /// # Errors
    /// No units, or a stratum with one.
    pub fn within(strata: &[u32]) -> Result<Self> {
        if strata.len() > u32::MAX as usize {
            return Err(Error::invalid("there are more than 4 billion units; resample clusters of them"));
        }
        let mut order: Vec<u32> = (0_u32..).take(strata.len()).collect();
        order.sort_by_key(|&unit| strata[unit as usize]);
        let same = |a: &u32, b: &u32| strata[*a as usize] == strata[*b as usize];
        let groups: Vec<Vec<u32>> = order.chunk_by(same).map(<[u32]>::to_vec).collect();
        if groups.is_empty() || groups.iter().any(|group| group.len() < 2) {
            let why = format!(
                "{} in a stratum cannot be resampled; two or more show how units vary, so join strata or resample without them",
                counted(groups.iter().map(Vec::len).min().unwrap_or(0), "unit")
            );
            return Err(ErrorKind::InsufficientObservations(why).into());
        }
        Ok(Self { strata: groups, units: strata.len() })
    }

    /// The number of units.
    pub fn units(&self) -> usize {
        self.units
    }

    /// The number of resamples, each as likely as any other: `prod n_k^n_k`.
    pub fn resamples(&self) -> f64 {
        self.strata.iter().map(|units| (units.len() as f64).powf(units.len() as f64)).product()
    }

    /// The number of different resamples: `prod C(2 n_k - 1, n_k)`.
    pub fn different(&self) -> f64 {
        self.strata.iter().map(|units| different(units.len())).product::<f64>().round()
    }

    /// The statistic of every replicate, in their order.
    ///
    /// # Errors
    /// No replicates, or more than ten million.
    pub fn drawn<T: Send>(
        &self,
        replicates: usize,
        seed: u64,
        statistic: impl Fn(&[u32]) -> T + Sync,
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
        statistic: impl Fn(&[u32]) -> T + Sync,
    ) -> Result<(Vec<T>, Option<Step>)> {
        check_replicates(replicates)?;
        Ok(each(
            "replicates",
            replicates,
            || vec![0; self.units],
            |counts, replicate| {
                self.draw(seed, replicate as u64, counts);
                statistic(counts)
            },
        ))
    }

    /// Writes the counts of one replicate.
    pub(crate) fn draw(&self, seed: u64, replicate: u64, counts: &mut [u32]) {
        counts.fill(0);
        let mut numbers = stream(seed, replicate);
        for units in &self.strata {
            let n = units.len() as u32;
            for _ in 0..n {
                counts[units[numbers.random_range(0..n) as usize] as usize] += 1;
            }
        }
    }

    /// The statistic of every different resample with its probability.
    ///
    /// # Errors
    /// More different resamples than `limit`.
    pub fn enumerated<T: Send>(
        &self,
        limit: usize,
        statistic: impl Fn(&[u32]) -> T + Sync,
    ) -> Result<Vec<(T, f64)>> {
        let different = self.different();
        if different > limit as f64 {
            return Err(Error::invalid(format!(
                "there are {different:.3e} different resamples, and at most {limit} are to be enumerated; draw replicates, or raise the limit"
            )));
        }
        let tables: Vec<Vec<(Vec<u32>, f64)>> =
            self.strata.iter().map(|units| all_counts(units.len())).collect();
        // At most the limit.
        let total = tables.iter().map(Vec::len).product();
        let (all, stopped) = each(
            "resamples",
            total,
            || vec![0; self.units],
            |counts, mut place| {
                let mut probability = 1.0;
                for (units, table) in self.strata.iter().zip(&tables) {
                    let (of_stratum, share) = &table[place % table.len()];
                    place /= table.len();
                    probability *= share;
                    for (&unit, &count) in units.iter().zip(of_stratum) {
                        counts[unit as usize] = count;
                    }
                }
                (statistic(counts), probability)
            },
        );
        stopped.map_or(Ok(all), |step| Err(step.into()))
    }

    /// The statistic of the sample without each unit in turn, in the order of the units.
    ///
    /// # Errors
    /// The work was stopped.
    pub fn left_out<T: Send>(&self, statistic: impl Fn(&[u32]) -> T + Sync) -> Result<Vec<T>> {
        let (all, stopped) = each(
            "units left out",
            self.units,
            || vec![1; self.units],
            |counts, unit| {
                counts[unit] = 0;
                let without = statistic(counts);
                counts[unit] = 1;
                without
            },
        );
        stopped.map_or(Ok(all), |step| Err(step.into()))
    }

    /// The stratum of each unit, counted from 0 in the order of their codes.
    pub fn stratum_of_units(&self) -> Vec<usize> {
        let mut of = vec![0; self.units];
        for (stratum, units) in self.strata.iter().enumerate() {
            units.iter().for_each(|&unit| of[unit as usize] = stratum);
        }
        of
    }
}

/// The answers of `0..total` that were finished, and how many they were where the work was stopped; `state` is
/// what a thread keeps from one to the next.
pub(crate) fn each<T: Send, S>(
    units: &'static str,
    total: usize,
    state: impl Fn() -> S + Sync,
    answer: impl Fn(&mut S, usize) -> T + Sync,
) -> (Vec<T>, Option<Step>) {
    let task = Task::start(units, total as u64);
    let parts = in_parts(total, PART, true, |part| {
        let mut kept = state();
        let mut answers = Vec::with_capacity(part.len());
        for place in part {
            if task.stopped() {
                break;
            }
            answers.push(answer(&mut kept, place));
            if task.advance(1).is_err() {
                break;
            }
        }
        answers
    });
    (parts.into_iter().flatten().collect(), task.check().err())
}

/// The stream of a replicate.
pub(crate) fn stream(seed: u64, replicate: u64) -> ChaCha8Rng {
    let mut numbers = ChaCha8Rng::seed_from_u64(seed);
    numbers.set_stream(replicate);
    numbers
}

/// Refuses numbers of replicates that no machine should try.
pub(crate) fn check_replicates(replicates: usize) -> Result<()> {
    match replicates {
        0 => Err(Error::invalid("a bootstrap needs replicates; give a number such as 9999")),
        1..=MOST_REPLICATES => Ok(()),
        _ => Err(Error::invalid(format!(
            "the number of replicates is {replicates}, more than ten million; 9999 give intervals whose Monte Carlo error hardly shows"
        ))),
    }
}

/// `C(2n - 1, n)`.
fn different(n: usize) -> f64 {
    (1..=n).map(|i| (n as f64 - 1.0 + i as f64) / i as f64).product()
}

/// All counts of `n` units that add up to `n`, each with its probability.
fn all_counts(n: usize) -> Vec<(Vec<u32>, f64)> {
    let mut found = Vec::new();
    let mut counts = vec![0; n];
    fill(&mut counts, 0, n, 1.0, &mut found);
    found
}

/// `probability` is that of the counts before `place`: the product of `C(left, count) / n^count`.
fn fill(
    counts: &mut Vec<u32>,
    place: usize,
    left: usize,
    probability: f64,
    found: &mut Vec<(Vec<u32>, f64)>,
) {
    let n = counts.len() as f64;
    if place + 1 == counts.len() {
        counts[place] = left as u32;
        let share = (0..left).fold(probability, |share, _| share / n);
        found.push((counts.clone(), share));
        return;
    }
    let mut share = probability;
    for count in 0..=left {
        if count > 0 {
            share *= (left - count + 1) as f64 / count as f64 / n;
        }
        counts[place] = count as u32;
        fill(counts, place + 1, left - count, share, found);
    }
}
