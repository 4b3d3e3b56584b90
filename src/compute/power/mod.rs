//! Power, sample size and detectable effect of tests between groups, before anything is measured.
//!
//! [`TwoProportionsPower`] and [`TwoMeansPower`] are the main types; each answers three questions: the power
//! of given sizes, the size for a given power, and the effect that is detected with it.
//!
//! | question | answer |
//! |---|---|
//! | two proportions (pooled, unpooled, arcsine, continuity, exact, log ratio, log odds) | [`TwoProportionsPower`] |
//! | two means, by Student's t, with covariates | [`TwoMeansPower`] |
//! | any effect with a known variance; non-inferiority, equivalence | [`WaldPower`] |
//! | several means, a table of counts | [`anova_power`], [`chi_square_power`] |
//! | several groups against one (Bonferroni, Sidak, Dunnett) | [`ManyToOne`], [`Family`] |
//! | people in clusters | [`Clustering`] |
//! | people who leave, or do not take up what they are offered | [`inflated_for_attrition`], [`inflated_for_take_up`] |
//!
//! # Conventions
//!
//! - [`TestLevel`] holds the significance level and the tails that count. A two-sided test also rejects in
//!   the direction opposite to the effect; several published formulas leave that out ([`Tails::Nearer`]).
//! - Sizes are real numbers, so that the size for a power and the power of a size are inverse functions.
//!   [`Rounding`] names how whole people are made of them.
//!
//! ```
//! use armwise::power::{GroupSizes, ProportionFormula, TestLevel, TwoProportionsPower};
//!
//! let test = TestLevel::two_sided(0.05)?;
//! let design = TwoProportionsPower::new(0.25, 0.20, ProportionFormula::Pooled)?;
//! let power = design.power(GroupSizes::equal(400.0)?, test)?;
//! assert!((power - 0.3948191).abs() < 1e-7);
//! let sizes = design.sizes(0.8, 1.0, test.nearer_tail())?;
//! assert!((sizes.control() - 1093.739).abs() < 1e-3);
//! # Ok::<(), armwise::Error>(())
//! ```

mod clusters;
mod fisher;
mod inflation;
mod level;
mod many;
mod means;
mod omnibus;
mod proportions;
mod search;
mod sizes;
mod wald;

#[doc(alias("design effect", "icc", "intracluster correlation", "cluster randomised"))]
pub use clusters::Clustering;
pub use inflation::{inflated_for_attrition, inflated_for_take_up};
#[doc(alias("alpha", "one-sided", "two-sided"))]
pub use level::{Tails, TestLevel};
#[doc(alias("bonferroni", "sidak", "dunnett", "shared control", "multi-arm"))]
pub use many::{Family, ManyToOne};
#[doc(alias("power.t.test", "ancova", "noncentral t"))]
pub use means::TwoMeansPower;
#[doc(alias("power.anova.test", "pwr.chisq.test", "cohen f", "cohen w"))]
pub use omnibus::{anova_power, chi_square_power};
#[doc(alias("power.prop.test", "fleiss", "arcsine", "cohen h", "farrington-manning"))]
pub use proportions::{Direction, ProportionFormula, TwoProportionsPower};
pub(crate) use sizes::whole_above;
pub use sizes::{GroupSizes, Rounding, WholeSizes};
#[doc(alias("noninferiority", "equivalence", "tost", "schoenfeld"))]
pub use wald::{Aim, WaldPower};

use crate::error::{Error, Result, number};

/// Refuses a power that no finite size has.
pub(crate) fn check_power(power: f64) -> Result<()> {
    if power > 0.0 && power < 1.0 {
        return Ok(());
    }
    Err(Error::invalid(format!(
        "the power is {}; give one above 0 and below 1, such as 0.8 or 0.9 (no finite size has power 1)",
        number(power)
    )))
}

/// Refuses a ratio of sizes that is not a positive number.
fn check_ratio(ratio: f64) -> Result<()> {
    if ratio > 0.0 && ratio.is_finite() {
        return Ok(());
    }
    Err(Error::invalid(format!(
        "the ratio of the sizes is {}; give the size of the treated group over that of the control, such as 1",
        number(ratio)
    )))
}

/// Refuses a share that is not from 0 to below 1.
fn check_share(what: &str, share: f64) -> Result<()> {
    if (0.0..1.0).contains(&share) {
        return Ok(());
    }
    Err(Error::invalid(format!("{what} is {}; give a share from 0 to below 1", number(share))))
}
