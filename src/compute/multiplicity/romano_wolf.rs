use super::Alternative;
use super::step_down::{MaxT, NullStatistics, max_t};
use crate::error::{Error, Result, counted};
use ndarray::ArrayView2;
use serde::{Deserialize, Serialize};

/// P-values of many hypotheses from null statistics that were drawn together.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct RomanoWolf {
    /// The p-value of each hypothesis by itself.
    pub unadjusted: Vec<f64>,
    /// Adjusted in one step: against the largest null statistic of all hypotheses.
    pub single_step: Vec<f64>,
    /// Adjusted in steps down: against the largest of the hypotheses that are left.
    pub step_down: Vec<f64>,
    /// The hypotheses, the largest statistic first. Counted from 0.
    pub order: Vec<usize>,
    /// The number of draws.
    pub draws: usize,
}

/// The step-down procedure of Romano and Wolf, from null statistics that were drawn together for all
/// hypotheses.
///
/// # Formula
///
/// `statistics` holds `t_j`; row b of `draws` (draws x hypotheses) the null statistics of draw b: of a
/// bootstrap already centred, `(b* - b) / se*`. Two-sided tests take absolute values of both, tests of `Less`
/// turn both around. With the hypotheses ordered by `t`, the largest first, and `B` draws, the p-value of the
/// r-th is
///
/// ```text
/// (1 + number of draws whose largest statistic from hypothesis r on is >= t_r) / (1 + B)
/// ```
///
/// or the one before it where that is larger. In one step the largest of all hypotheses is taken throughout.
/// Ties count, up to 1e-9 of the largest statistic.
///
/// # Errors
/// `invalid_input` for no hypotheses or no draws, numbers that are not finite, and for as many columns as
/// there are hypotheses not given.
///
/// # Examples
/// ```
/// use armwise::multiplicity::{Alternative, romano_wolf};
/// use armwise::ndarray::array;
///
/// let draws = array![[0.3, -1.2], [-2.2, 0.4], [1.1, 0.9], [-0.2, 0.1]];
/// let test = romano_wolf(&[2.5, -1.0], draws.view(), Alternative::TwoSided)?;
/// assert_eq!(test.step_down, [0.2, 0.4]);
/// assert_eq!(test.single_step, [0.2, 0.8]);
/// # Ok::<(), armwise::Error>(())
/// ```
///
/// # References
///
/// Romano & Wolf (2005), Econometrica 73:1237. Romano & Wolf (2016), Statistics & Probability Letters 113:38.
/// Westfall & Young (1993), Resampling-Based Multiple Testing, algorithm 4.1.
pub fn romano_wolf(
    statistics: &[f64],
    draws: ArrayView2<f64>,
    alternative: Alternative,
) -> Result<RomanoWolf> {
    let m = statistics.len();
    if m == 0 || draws.nrows() == 0 {
        return Err(Error::invalid(
            "a step-down test needs statistics and draws; give at least one hypothesis and one draw",
        ));
    }
    if draws.ncols() != m {
        return Err(Error::invalid(format!(
            "{} of draws for {}; give one column for each",
            counted(draws.ncols(), "column"),
            counted(m, "statistic")
        )));
    }
    if !statistics.iter().chain(draws.iter()).all(|value| value.is_finite()) {
        return Err(Error::invalid(
            "a statistic is not finite; leave out its draw, or a hypothesis without variance",
        ));
    }
    let values: Vec<f64> = draws.iter().copied().collect();
    RomanoWolf::of(statistics, &values, NullStatistics::Drawn, alternative)
}

impl RomanoWolf {
    /// From `values[replay * hypotheses + hypothesis]`.
    pub(crate) fn of(
        statistics: &[f64],
        values: &[f64],
        replays: NullStatistics,
        alternative: Alternative,
    ) -> Result<Self> {
        let MaxT { unadjusted, single_step, step_down, order } =
            max_t(statistics, values, replays, alternative)?;
        Ok(Self { unadjusted, single_step, step_down, order, draws: values.len() / statistics.len() })
    }
}
