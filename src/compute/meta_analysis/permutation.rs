//! Permutation test of a meta-regression.

use super::meta_regression::{Heterogeneity, MetaRegression, Problem};
use super::moderator::{Intercept, Moderators};
use super::options::Tau2;
use super::regression::Rows;
use crate::compute::progress::Task;
use crate::error::{Error, Result};
use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

/// How many permutations are to be tried, and from which seed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Permutations {
    /// All different arrangements are enumerated where there are no more than this; else this many are drawn.
    pub most: usize,
    /// The seed of the draws; without effect where all are enumerated.
    pub seed: u64,
}

/// The result of [`MetaRegression::permutation_test`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct PermutationTest {
    /// The number of arrangements: all different ones, or those drawn.
    pub permutations: usize,
    /// Whether these were all.
    pub exact: bool,
    /// That no moderator has an effect, by the chi-squared statistic of all of them.
    pub moderators_p_value: f64,
    /// Each coefficient but the intercept.
    pub coefficients: Vec<PermutedCoefficient>,
}

/// A coefficient under permutation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PermutedCoefficient {
    /// Its name.
    pub name: String,
    /// estimate/se of the studies as they are.
    pub statistic: f64,
    /// The share of arrangements, the observed one included, with a statistic at least as large in absolute
    /// value.
    pub p_value: f64,
}

/// Statistics that differ by less than this share are equal: rounding must not tell apart what symmetry makes
/// the same.
const TIE: f64 = 1e-9;

impl MetaRegression {
    /// Tests moderators by giving them to other studies: under the hypothesis that effects and variances have
    /// nothing to do with them, every assignment is as likely (Higgins & Thompson 2004, Stat. Med. 23). It
    /// needs no degrees of freedom and no normality.
    ///
    /// All different assignments are tried where `permutations.most` allows; else a random sample, with the
    /// p-value (1 + extreme)/(1 + drawn). Draws depend on the seed and their number only.
    ///
    /// ```
    /// use armwise::meta_analysis::{MetaRegression, Moderators, Permutations};
    ///
    /// let dose = Moderators::new().number("dose", &[0.0, 1.0, 2.0, 3.0]);
    /// let (yi, vi) = ([0.1, 0.3, 0.5, 0.7], [0.01, 0.01, 0.01, 0.01]);
    /// let test = MetaRegression::new().permutation_test(
    ///     &yi,
    ///     &vi,
    ///     &dose,
    ///     Permutations { most: 1000, seed: 1 },
    /// )?;
    /// // One order of 4! = 24 fits as well: the reverse.
    /// assert!(test.exact && (test.moderators_p_value - 2.0 / 24.0).abs() < 1e-12);
    /// # Ok::<(), armwise::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`MetaRegression::fit`]; [`ErrorKind::InvalidInput`](crate::ErrorKind::InvalidInput) without
    /// moderators, with `most` = 0, and with moment weights.
    pub fn permutation_test(
        &self,
        yi: &[f64],
        vi: &[f64],
        moderators: &Moderators,
        permutations: Permutations,
    ) -> Result<PermutationTest> {
        let problem = self.prepare(yi, vi, moderators)?;
        if problem.coding.terms.is_empty() {
            return Err(Error::invalid("a permutation test exchanges moderators; name one"));
        }
        if permutations.most == 0 {
            return Err(Error::invalid("a permutation test needs permutations; 1000 or more are customary"));
        }
        if self.heterogeneity == Heterogeneity::Additive(Tau2::GeneralizedQ) {
            return Err(Error::invalid(
                "moment weights belong to studies, which a permutation test exchanges; take another estimator of tau²",
            ));
        }
        let solution = problem.solve(&problem.rows)?;
        let observed = Statistics {
            moderators: problem.moderator_statistic(&solution),
            coefficients: problem.statistics(&solution),
        };
        let mut tally = Tally { extreme: vec![0; observed.coefficients.len()], moderators: 0 };
        let mut classes = classes(&problem.rows);
        let first = first_of_class(&classes);
        let arrangements = arrangements(&classes);
        let exact = arrangements <= permutations.most as f64;
        let mut rows = problem.rows.clone();
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "no more than `most`")]
        let total = if exact { arrangements as u64 } else { permutations.most as u64 };
        let task = Task::start("arrangements", total);
        let mut assign = |classes: &[usize], tally: &mut Tally| {
            let p = rows.p;
            for (study, class) in classes.iter().enumerate() {
                let row = &problem.rows.x[first[*class] * p..(first[*class] + 1) * p];
                rows.x[study * p..(study + 1) * p].copy_from_slice(row);
            }
            tally.count(&observed, &Statistics::of(&problem, &rows));
        };
        let tried = if exact {
            classes.sort_unstable();
            let mut tried = 0;
            loop {
                assign(&classes, &mut tally);
                task.advance(1)?;
                tried += 1;
                if !next_arrangement(&mut classes) {
                    break tried;
                }
            }
        } else {
            for replicate in 0..permutations.most {
                let mut numbers = ChaCha8Rng::seed_from_u64(permutations.seed);
                numbers.set_stream(replicate as u64);
                let mut drawn = classes.clone();
                drawn.shuffle(&mut numbers);
                assign(&drawn, &mut tally);
                task.advance(1)?;
            }
            permutations.most
        };
        let p_value = |extreme: usize| {
            let itself = f64::from(u8::from(!exact));
            (itself + extreme as f64) / (itself + tried as f64)
        };
        let skipped = usize::from(problem.coding.intercept == Intercept::Included);
        let named = problem.names.iter().zip(&observed.coefficients).zip(&tally.extreme).skip(skipped);
        Ok(PermutationTest {
            permutations: tried,
            exact,
            moderators_p_value: p_value(tally.moderators),
            coefficients: named
                .map(|((name, statistic), extreme)| PermutedCoefficient {
                    name: name.clone(),
                    statistic: *statistic,
                    p_value: p_value(*extreme),
                })
                .collect(),
        })
    }
}

struct Statistics {
    moderators: f64,
    coefficients: Vec<f64>,
}

impl Statistics {
    /// An arrangement that cannot be fitted counts as extreme, which errs towards no effect.
    fn of(problem: &Problem<'_>, rows: &Rows) -> Self {
        match problem.solve(rows) {
            Ok(solution) => Self {
                moderators: problem.moderator_statistic(&solution),
                coefficients: problem.statistics(&solution),
            },
            Err(_) => Self { moderators: f64::INFINITY, coefficients: vec![f64::INFINITY; rows.p] },
        }
    }
}

struct Tally {
    extreme: Vec<usize>,
    moderators: usize,
}

impl Tally {
    fn count(&mut self, observed: &Statistics, permuted: &Statistics) {
        let reaches = |permuted: f64, observed: f64| permuted.abs() >= observed.abs() * (1.0 - TIE);
        self.moderators += usize::from(reaches(permuted.moderators, observed.moderators));
        for ((extreme, permuted), observed) in
            self.extreme.iter_mut().zip(&permuted.coefficients).zip(&observed.coefficients)
        {
            *extreme += usize::from(reaches(*permuted, *observed));
        }
    }
}

/// Studies with the same row of the design are of one class; classes are numbered from 0.
fn classes(rows: &Rows) -> Vec<usize> {
    let mut found: Vec<usize> = Vec::new();
    (0..rows.y.len())
        .map(|i| {
            found.iter().position(|first| rows.row(*first) == rows.row(i)).unwrap_or_else(|| {
                found.push(i);
                found.len() - 1
            })
        })
        .collect()
}

fn first_of_class(classes: &[usize]) -> Vec<usize> {
    let count = classes.iter().max().map_or(0, |largest| largest + 1);
    (0..count).map(|class| classes.iter().position(|other| *other == class).unwrap_or(0)).collect()
}

/// k! over the factorials of the sizes of the classes.
pub fn arrangements(classes: &[usize]) -> f64 {
    let mut sizes = vec![0.0; classes.len()];
    let mut product = 1.0;
    for (i, class) in classes.iter().enumerate() {
        sizes[*class] += 1.0;
        product *= (i as f64 + 1.0) / sizes[*class];
    }
    product.round()
}

/// The next arrangement in the order of a dictionary; none after the last.
pub fn next_arrangement(classes: &mut [usize]) -> bool {
    let Some(pivot) = (1..classes.len()).rev().find(|i| classes[i - 1] < classes[*i]).map(|i| i - 1) else {
        return false;
    };
    if let Some(larger) = (pivot + 1..classes.len()).rev().find(|i| classes[*i] > classes[pivot]) {
        classes.swap(pivot, larger);
    }
    classes[pivot + 1..].reverse();
    true
}
