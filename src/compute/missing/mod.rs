//! What missing outcomes can do to an effect: bounds without assumptions, bounds under monotonicity, tipping points,
//! differences between the missing and the seen, and the combination of imputations.
//!
//! [`PartlyObserved`] is the main type: the outcomes of an arm that were seen, and how many people it has.
//!
//! | question | answer |
//! |---|---|
//! | which effects are possible, whatever the missing would have been? | [`WorstCase`] |
//! | the effect on those who would be seen in either arm | [`LeeBounds`] |
//! | an interval that covers the effect within such bounds | [`ImbensManski`] |
//! | how many events among the missing change the conclusion? | [`MissingEvents`] |
//! | how much worse must the missing be? | [`DeltaAdjustment`] |
//! | one answer from several imputed data sets | [`Imputations`], [`JointImputations`] |
//!
//! ```
//! use armwise::missing::{PartlyObserved, WorstCase};
//! use armwise::effect::Interval;
//!
//! let treatment = PartlyObserved::events(190, 850, 930)?;
//! let control = PartlyObserved::events(150, 840, 925)?;
//! let bounds = WorstCase::new(&treatment, &control, Interval::new(0.0, 1.0)?)?;
//! assert!((bounds.effect.lower() + 0.0498).abs() < 1e-4);
//! assert!((bounds.effect.upper() - 0.1282).abs() < 1e-4);
//! # Ok::<(), armwise::Error>(())
//! ```

mod bounds;
mod imputations;
mod lee;
mod tipping;

#[doc(alias("worst-case bounds", "manski bounds", "imbens-manski"))]
pub use bounds::{ImbensManski, PartlyObserved, WorstCase};
#[doc(alias(
    "rubin rules",
    "multiple imputation",
    "barnard-rubin",
    "fraction of missing information",
    "d1"
))]
pub use imputations::{CombinedImputations, Imputations, JointImputations};
#[doc(alias("lee bounds", "trimming bounds", "always observed"))]
pub use lee::{LeeBounds, TrimmedArm};
#[doc(alias("tipping point", "delta adjustment", "pattern mixture", "sensitivity analysis"))]
pub use tipping::{DeltaAdjustment, MissingEvents, TippingPoint, TippingTest};
