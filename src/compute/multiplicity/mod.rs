//! Many hypotheses at once: adjusted p-values, combined p-values, graphs of hypotheses, closed tests, and
//! simultaneous intervals from the joint distribution of the estimates.
//!
//! [`Adjustment`] is the main type where only p-values are known, [`Contrasts`] where their covariance is
//! known too: a joint distribution rejects more, and gives intervals beside the p-values.
//!
//! | question | answer |
//! |---|---|
//! | adjusted p-values (Bonferroni, Sidak, Holm, Hochberg, Hommel) | [`Adjustment`] |
//! | the false discovery rate (Benjamini-Hochberg, sharpened q) | [`Adjustment`], [`two_stage_rejections`] |
//! | weights and an order (fallback, gatekeeping, graphs) | [`Graph`], [`serial_gatekeeping`] |
//! | any test of intersections, closed; consonance | [`closed_test`] |
//! | several groups against one (Dunnett), any contrasts (max-t) | [`Contrasts`], [`GroupMeans::dunnett`] |
//! | all pairs of groups (Tukey) | [`GroupMeans::tukey`] |
//! | the distribution of the largest of several statistics | [`MultivariateT`] |
//! | step-down from null statistics that were drawn (Romano-Wolf) | [`romano_wolf`] |
//! | step-down from all replays of a design, max-t and min-p (Westfall-Young) | [`StepDown`] |
//! | one p-value from several (Fisher, Stouffer, Simes, Cauchy, ...) | [`Combination`] |
//!
//! # Conventions
//!
//! - An adjusted p-value is the smallest level at which the procedure rejects the hypothesis: reject where
//!   it is at most alpha. It stands in the order in which the p-values were given.
//! - P-values are numbers from 0 to 1. A missing one is an error: a hypothesis without a p-value belongs to
//!   no family.
//!
//! ```
//! use armwise::multiplicity::Adjustment;
//!
//! let p_values = [0.012, 0.034, 0.021];
//! let near = |(a, b): (&f64, f64)| (a - b).abs() < 1e-15;
//! let holm = Adjustment::Holm.adjust(&p_values)?;
//! assert!(holm.iter().zip([0.036, 0.042, 0.042]).all(near));
//! let bonferroni = Adjustment::Bonferroni.adjust(&p_values)?;
//! assert!(bonferroni.iter().zip([0.036, 0.102, 0.063]).all(near));
//! # Ok::<(), armwise::Error>(())
//! ```

mod adjustment;
mod closed;
mod combination;
mod contrasts;
pub(crate) mod directions;
mod graph;
mod group_means;
mod lattice;
mod multivariate_t;
mod product;
mod romano_wolf;
mod step_down;

#[doc(no_inline)]
pub use super::meta_analysis::Alternative;
#[doc(alias(
    "fdr",
    "fwer",
    "familywise error rate",
    "false discovery rate",
    "bonferroni",
    "holm",
    "sidak",
    "hochberg",
    "hommel",
    "benjamini-hochberg",
    "benjamini-yekutieli",
    "p.adjust",
    "q-value",
    "sharpened q-values",
    "fixed sequence",
    "multiple testing",
    "multiplicity correction"
))]
pub use adjustment::{Adjustment, ErrorRate, TwoStage, two_stage_rejections};
#[doc(alias("closure principle", "consonance", "intersection test"))]
pub use closed::{ClosedTest, IntersectionTest, closed_test};
#[doc(alias(
    "fisher combination",
    "stouffer",
    "tippett",
    "simes",
    "cauchy combination",
    "pearson combination"
))]
pub use combination::{Combination, CombinedPValue};
#[doc(alias("max-t", "glht", "multcomp", "simultaneous confidence intervals", "dunnett", "step-down"))]
pub use contrasts::{Contrasts, SimultaneousContrast, SimultaneousInference};
#[doc(alias(
    "gmcp",
    "graphicalmcp",
    "gatekeeping",
    "fallback procedure",
    "weighted holm",
    "alpha recycling"
))]
pub use graph::{Graph, GraphTest, serial_gatekeeping};
#[doc(alias("tukey", "tukey-kramer", "tukey hsd", "dunnett", "pairwise comparisons"))]
pub use group_means::{GroupMeans, Tukey, TukeyPair};
#[doc(alias("mvtnorm", "pmvt", "qmvt", "dunnett", "equicoordinate"))]
pub use multivariate_t::{Integration, MultivariateT, TailOfMaximum};
#[doc(alias("romano-wolf", "westfall-young", "rwolf"))]
pub use romano_wolf::{RomanoWolf, romano_wolf};
#[doc(alias("westfall-young", "max-t", "min-p", "free step-down"))]
pub use step_down::{NullStatistics, StepDown};

use crate::error::{Error, Result, number};

/// Refuses an empty list, and what is no p-value.
fn check_p_values(p_values: &[f64]) -> Result<()> {
    if p_values.is_empty() {
        return Err(Error::invalid("there are no p-values; give at least one"));
    }
    match p_values.iter().position(|p| !(0.0..=1.0).contains(p)) {
        None => Ok(()),
        Some(place) => Err(Error::invalid(format!(
            "p-value {} is {}; give numbers from 0 to 1, and leave out hypotheses that have none",
            place + 1,
            number(p_values[place])
        ))),
    }
}

/// Refuses a significance level that is not strictly between 0 and 1.
fn check_alpha(alpha: f64) -> Result<()> {
    if alpha > 0.0 && alpha < 1.0 {
        return Ok(());
    }
    Err(Error::invalid(format!("the significance level is {}; give one between 0 and 1", number(alpha))))
}

/// The places of the values, the smallest first; equal values keep their order.
fn ascending(values: &[f64]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|&i, &j| values[i].total_cmp(&values[j]));
    order
}
