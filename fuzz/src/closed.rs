//! Formulas that take less than a microsecond, a thousand of them in a case.

use crate::support::Numbers;
use armwise::distribution::Normal;
use armwise::effect_size;
use armwise::mean::{MeansVariance, Sample, TwoMeans};
use armwise::proportion::{
    DifferenceInterval, OddsRatioInterval, Proportion, ProportionInterval, RatioInterval, TwoProportions,
};

