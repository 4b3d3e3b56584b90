//! What missing outcomes can do to an effect: bounds without assumptions, bounds under monotonicity, tipping points,
//! differences between the missing and the seen, reference-based imputation, and the combination of imputations.

mod bounds;
mod imputations;
mod joint_tests;
mod lee;
mod lee_cells;
mod monotone;
mod reference_based;
mod tipping;
mod waves;
mod waves_model;

pub use bounds::{ImbensManski, PartlyObserved, WorstCase};
pub use imputations::{CombinedImputations, Imputations, JointImputations};
pub use joint_tests::{combined_likelihood_ratios, combined_statistics};
pub use lee::{LeeBounds, TrimmedArm};
pub use lee_cells::LeeBoundsByCell;
pub use monotone::{DeviationBounds, MonotoneBounds, Selection};
pub use reference_based::{ReferenceBased, ReferenceBasedFit, ReferenceStrategy};
pub use tipping::{DeltaAdjustment, MissingEvents, TippingPoint, TippingTest};
pub use waves::Waves;
pub use waves_model::WavesLikelihood;
