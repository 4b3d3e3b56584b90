use crate::error::{Error, Result, counted, number};
use serde::{Deserialize, Serialize};

/// The largest number of hypotheses whose intersections are all tested: 32,767 of them.
const MOST: usize = 15;

/// A test of one intersection: that none of these hypotheses is false.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct IntersectionTest {
    /// The hypotheses, counted from 0.
    pub hypotheses: Vec<usize>,
    /// The p-value of the intersection by itself.
    pub p_value: f64,
    /// The largest p-value of the intersections that hold all of these: the closed test rejects it where this
    /// is at most alpha.
    pub adjusted: f64,
}

/// A closed test. [`closed_test`] makes it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ClosedTest {
    /// All intersections, the smallest first.
    pub intersections: Vec<IntersectionTest>,
    /// The adjusted p-values of the hypotheses.
    pub adjusted: Vec<f64>,
}

impl ClosedTest {
    /// The intersections that are rejected at `alpha` without any of their hypotheses: something in them is
    /// false, and nobody knows what. A test without them is consonant.
    pub fn dissonant(&self, alpha: f64) -> impl Iterator<Item = &IntersectionTest> {
        self.intersections.iter().filter(move |one| {
            one.adjusted <= alpha && one.hypotheses.iter().all(|&i| self.adjusted[i] > alpha)
        })
    }

    /// Whether every intersection that is rejected at `alpha` holds a hypothesis that is rejected.
    pub fn is_consonant(&self, alpha: f64) -> bool {
        self.dissonant(alpha).next().is_none()
    }
}

/// The closed test of `m` hypotheses with any test of their intersections.
///
/// # Formula
///
/// A hypothesis is rejected where every intersection that holds it is; its adjusted p-value is the largest of
/// theirs. The familywise error rate is kept where each intersection is tested at alpha. `test` gets the
/// hypotheses of an intersection, counted from 0 and ascending, and gives its p-value.
///
/// # Errors
/// `invalid_input` for no hypotheses or more than 15 (their intersections are too many: take a [`Graph`] or a
/// step-down procedure), and for a p-value outside 0 to 1; and every error of `test`.
///
/// # Examples
///
/// With Bonferroni's test of every intersection it is Holm's procedure:
/// ```
/// use armwise::multiplicity::{Adjustment, closed_test};
///
/// let p_values = [0.01, 0.04, 0.02];
/// let bonferroni = |hypotheses: &[usize]| {
///     let least = hypotheses.iter().map(|&i| p_values[i]).fold(1.0, f64::min);
///     Ok((hypotheses.len() as f64 * least).min(1.0))
/// };
/// let closed = closed_test(3, bonferroni)?;
/// assert_eq!(closed.adjusted, Adjustment::Holm.adjust(&p_values)?);
/// assert!(closed.is_consonant(0.05) && closed.intersections.len() == 7);
/// # Ok::<(), armwise::Error>(())
/// ```
///
/// # References
///
/// Marcus, Peritz & Gabriel (1976), Biometrika 63:655. Gabriel (1969), Annals of Mathematical Statistics
/// 40:224 (consonance).
///
/// [`Graph`]: super::Graph
pub fn closed_test(m: usize, mut test: impl FnMut(&[usize]) -> Result<f64>) -> Result<ClosedTest> {
    if !(1..=MOST).contains(&m) {
        return Err(Error::invalid(format!(
            "a closed test of {}; give 1 to {MOST}, or take a graph or a step-down procedure",
            counted(m, "hypothesis")
        )));
    }
    let sets = 1_usize << m;
    let mut p_values = vec![0.0; sets];
    for (set, p_value) in p_values.iter_mut().enumerate().skip(1) {
        let hypotheses = members(set, m);
        *p_value = test(&hypotheses)?;
        if !(0.0..=1.0).contains(p_value) {
            let places: Vec<String> = hypotheses.iter().map(ToString::to_string).collect();
            return Err(Error::invalid(format!(
                "the p-value of the intersection of hypotheses {} is {}; the test must give a number from 0 to 1",
                places.join(", "),
                number(*p_value)
            )));
        }
    }
    // The largest p-value of a set and all that hold it, from the largest sets down.
    let mut adjusted = p_values.clone();
    for set in (1..sets).rev() {
        for more in (0..m).filter(|i| set & (1 << i) == 0) {
            adjusted[set] = adjusted[set].max(adjusted[set | (1 << more)]);
        }
    }
    let mut intersections: Vec<IntersectionTest> = (1..sets)
        .map(|set| IntersectionTest {
            hypotheses: members(set, m),
            p_value: p_values[set],
            adjusted: adjusted[set],
        })
        .collect();
    intersections.sort_by(|a, b| {
        a.hypotheses.len().cmp(&b.hypotheses.len()).then_with(|| a.hypotheses.cmp(&b.hypotheses))
    });
    Ok(ClosedTest { intersections, adjusted: (0..m).map(|i| adjusted[1 << i]).collect() })
}

fn members(set: usize, m: usize) -> Vec<usize> {
    (0..m).filter(|i| set & (1 << i) != 0).collect()
}
