//! The figures of results.

pub(crate) mod baujat;
pub(crate) mod curves;
mod curves_drawing;
mod forest;
pub(crate) mod funnel;
pub(crate) mod network_graph;
pub(crate) mod occupation;
pub(crate) mod over_time;
mod panels;
pub(crate) mod power_curve;
pub(crate) mod randomization;
pub(crate) mod tipping;

use super::draw::axis::ForestAxis;
use super::form::row::About;
use crate::compute::interval::Interval;
use crate::design::Notice;
use crate::effect::{Scale, ScaleForm};
use crate::pool::ArmNumbers;
use crate::report::base::format::capitalised;
use crate::report::english::effects::estimand_words;
use crate::report::english::scale::unit_words;

/// The axis of effects, with decimals that fit this standard error, and tell the limits of these intervals
/// from no effect.
fn axis_of(about: &About, se: f64, intervals: &[Interval]) -> ForestAxis {
    let scale = &about.scale;
    let estimand = about.estimand.and_then(|one| estimand_words(scale, one, false));
    let name = estimand.map_or_else(|| scale.to_string(), |words| format!("{words} {scale}"));
    let name = capitalised(&name);
    let decimals = about.words(se).telling(intervals).decimals();
    if scale.name() == ArmNumbers::PROPORTION {
        return ForestAxis::percentage_points(format!("{name} (%)")).decimals(decimals);
    }
    match scale.form() {
        ScaleForm::PercentagePoints => {
            ForestAxis::percentage_points(format!("{name} (percentage points)")).decimals(decimals)
        }
        ScaleForm::LogRatio => {
            let axis = ForestAxis::ratio(format!("{name} (logarithmic axis)"));
            if decimals > 2 { axis.decimals(decimals) } else { axis }
        }
        ScaleForm::Difference => {
            let unit = unit_words(scale, &about.measure);
            ForestAxis::difference(format!("{name}{unit}")).decimals(decimals.min(6))
        }
    }
}

/// Notices as sentences below a figure.
fn sentences(notices: &[Notice]) -> impl Iterator<Item = String> + '_ {
    notices.iter().map(|notice| capitalised(&format!("{notice}.")))
}
