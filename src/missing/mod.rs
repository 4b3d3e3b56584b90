//! Outcomes that were not seen: bounds, tipping points, and effects from imputed data sets.
//!
//! Nothing here is a default: who is missing, and why, is a question of substance, and every answer names its
//! assumption. The complete cases, weights
//! ([`InverseProbabilityWeighting`](crate::estimator::InverseProbabilityWeighting)), imputation and bounds
//! are read side by side, with the one that was specified beforehand first.
//!
//! # Trials
//!
//! | question | type |
//! |---|---|
//! | which effects are possible, under assumptions from none to monotone selection? | [`Bounds`], [`MissingBounds`] |
//! | at which outcomes of the missing does the conclusion change? | [`TippingGrid`], [`DeltaGrid`]; drawn by [`TippingPlot`](crate::report::TippingPlot) |
//! | missing values drawn several times, within arms, from what was seen | [`Imputation`] with an [`ImputationModel`] for each column |
//! | effects from a trial of which missing values were imputed several times | [`ImputedTrial`], [`ImputedComparison`], [`ImputedEstimates`] |
//!
//! # Numbers, without words of trials
//!
//! [`PartlyObserved`] is the main type: the outcomes of an arm that were seen, and how many people it has.
//!
//! | question | answer |
//! |---|---|
//! | which effects are possible, whatever the missing would have been? | [`WorstCase`] |
//! | where the missing of an arm do not have a higher, or not a lower, mean than those seen | [`MonotoneBounds`] |
//! | where they are at most k standard deviations away | [`DeviationBounds`] |
//! | the effect on those who would be seen in either arm | [`LeeBounds`], [`LeeBoundsByCell`] |
//! | an interval that covers the effect within such bounds | [`ImbensManski`] |
//! | how many events among the missing change the conclusion? | [`MissingEvents`] |
//! | how much worse must the missing be? | [`DeltaAdjustment`] |
//! | one answer from several imputed data sets | [`Imputations`], [`JointImputations`] |
//! | a joint test from statistics alone, or from likelihood ratios | [`combined_statistics`] (D2), [`combined_likelihood_ratios`] (D3) |
//! | what if those who left an arm follow the reference from then on? | [`ReferenceBased`] over [`Waves`] |
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
mod imputation;
mod imputed;
mod imputed_estimates;
mod tipping;

#[doc(alias(
    "rubin rules",
    "multiple imputation",
    "barnard-rubin",
    "fraction of missing information",
    "d1"
))]
pub use crate::compute::missing::{CombinedImputations, Imputations, JointImputations};
#[doc(alias("tipping point", "delta adjustment", "pattern mixture", "sensitivity analysis"))]
pub use crate::compute::missing::{DeltaAdjustment, MissingEvents, TippingPoint, TippingTest};
#[doc(alias("monotone treatment response", "monotone selection", "kling-liebman"))]
pub use crate::compute::missing::{DeviationBounds, MonotoneBounds, Selection};
#[doc(alias("worst-case bounds", "manski bounds", "imbens-manski"))]
pub use crate::compute::missing::{ImbensManski, PartlyObserved, WorstCase};
#[doc(alias("lee bounds", "trimming bounds", "always observed"))]
pub use crate::compute::missing::{LeeBounds, LeeBoundsByCell, TrimmedArm};
#[doc(alias(
    "jump to reference",
    "copy increments in reference",
    "conditional mean imputation",
    "rbmi"
))]
pub use crate::compute::missing::{ReferenceBased, ReferenceBasedFit, ReferenceStrategy};
pub use crate::compute::missing::{Waves, WavesLikelihood};
#[doc(alias("d2", "d3", "meng-rubin", "likelihood ratio after imputation"))]
pub use crate::compute::missing::{combined_likelihood_ratios, combined_statistics};
#[doc(alias("manski", "horowitz-manski", "lee bounds by group"))]
pub use bounds::{BoundedOutcome, BoundedTreatment, Bounds, MissingAssumption, MissingBounds};
#[doc(alias("multiple imputation", "mice", "chained equations", "predictive mean matching"))]
pub use imputation::{Imputation, ImputationModel, ImputationTrace};
#[doc(alias("multiple imputation", "mice", "stacked imputations"))]
pub use imputed::{CompleteDf, ImputedComparison, ImputedTrial};
#[doc(alias("rubin rules", "pool imputations"))]
pub use imputed_estimates::ImputedEstimates;
#[doc(alias("tipping point analysis", "delta adjustment", "pattern mixture"))]
pub use tipping::{DeltaGrid, TippingGrid, TippingQuestion};
