//! Outcomes of units that are measured in several waves: mixed models for repeated measures, generalised
//! estimating equations, and difference in differences.
//!
//! [`Waves`] holds one row for each unit and wave in which it was measured; a wave that was missed is no row.
//! [`WaveMeans`] is the model of the means: every wave has its own mean and every group its own difference in it.
//!
//! | question | method |
//! |---|---|
//! | how do groups differ in every wave, where outcomes are missing at random? | [`MixedModel`], then [`MixedModelFit::coefficient`] |
//! | all waves of a group at once? | [`MixedModelFit::joint_test`] |
//! | the same for a binary outcome, or with weaker assumptions? | [`EstimatingEquations`] |
//! | how did groups change between two waves? | [`DifferenceInDifferences`] |
//!
//! ```
//! use armwise::longitudinal::{CovarianceStructure, DfMethod, MixedModel, WaveMeans, Waves};
//!
//! // Six units in two waves; the last unit missed the second.
//! let score = [5.0, 6.0, 4.0, 4.5, 7.0, 6.5, 6.0, 8.0, 5.5, 8.5, 7.0];
//! let unit = [0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5];
//! let wave = [1, 2, 1, 2, 1, 2, 1, 2, 1, 2, 1];
//! let group = [0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1];
//! let waves = Waves::new(&score, &unit, &wave)?;
//! let means = WaveMeans::new(&waves, 2, &group)?;
//! let fit = MixedModel::new(CovarianceStructure::Unstructured).fit(&means)?;
//! let effect = fit.effect(1, 2)?.to_vec();
//! let second = fit.coefficient(&effect, DfMethod::Satterthwaite, 0.95)?;
//! assert!((second.estimate - 2.819).abs() < 1e-3 && second.df.is_some());
//! # Ok::<(), armwise::Error>(())
//! ```

mod difference_in_differences;
mod elements;
mod estimating_equations;
mod mixed_model;
mod mixed_model_fit;
mod patterns;
mod search;
mod small_sample;
mod structure;
mod wave_means;
mod waves;
mod working_correlation;

pub use difference_in_differences::{ChangesByGroup, DifferenceInDifferences};
pub use estimating_equations::{EquationsFit, EquationsVariance, EstimatingEquations};
pub use mixed_model::{LikelihoodCriterion, MixedModel};
pub use mixed_model_fit::MixedModelFit;
pub use small_sample::{DfMethod, KenwardRogerTest};
pub use structure::CovarianceStructure;
pub use wave_means::WaveMeans;
pub use waves::Waves;
pub use working_correlation::{CorrelationMoments, WorkingCorrelation};
