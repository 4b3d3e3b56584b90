//! From the estimates of several trials to one answer.

mod component_model;
mod joint;
mod joint_model;
mod pooled;
mod univariate;

pub use component_model::ComponentModel;
pub use joint::{JointlyPooled, PooledCoefficient};
pub use joint_model::JointModel;
pub use pooled::{Pooled, PooledTrial};
pub use univariate::{CommonEffect, RandomEffects};
