use crate::error::counted;
use serde::{Deserialize, Serialize};
use std::fmt;

/// The units that are resampled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ResampledUnit {
    /// People.
    People,
    /// Clusters with all their people.
    Clusters,
    /// Trials of a pool, with all their effects.
    Trials,
    /// Nothing: effects are drawn from the model of a pool.
    ModelDraws,
}

/// The groups within which units are resampled, so that every group keeps its number of units.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ResampledWithin {
    /// Every arm of every declared stratum.
    ArmsAndStrata,
    /// Every arm.
    Arms,
    /// Every declared stratum: of clusters that hold people of several arms.
    Strata,
    /// All units together.
    Nothing,
}

/// How a distribution was made by resampling.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Resampling {
    /// The units.
    pub unit: ResampledUnit,
    /// The groups within which they are resampled.
    pub within: ResampledWithin,
    /// The number of replicates that were drawn, or of all different resamples.
    pub replicates: u64,
    /// The seed of the draws; `None` where all resamples were enumerated.
    pub seed: Option<u64>,
}

impl fmt::Display for ResampledUnit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::People => "people",
            Self::Clusters => "clusters",
            Self::Trials => "trials",
            Self::ModelDraws => "draws from the model",
        })
    }
}

impl fmt::Display for ResampledWithin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::ArmsAndStrata => " within arms and strata",
            Self::Arms => " within arms",
            Self::Strata => " within strata",
            Self::Nothing => "",
        })
    }
}

impl fmt::Display for Resampling {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { unit, within, replicates, seed } = self;
        match seed {
            Some(seed) => write!(f, "of {unit}{within}, {}, seed {seed}", counted(replicates, "replicate")),
            None => write!(f, "of {unit}{within}, all {replicates} resamples"),
        }
    }
}
