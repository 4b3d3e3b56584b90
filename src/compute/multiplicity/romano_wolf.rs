use super::Alternative;
use super::adjustment::running_maximum;
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
/// Ties count, up to a relative 1e-8.
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
    let sized = |value: f64| match alternative {
        Alternative::TwoSided => value.abs(),
        Alternative::Greater => value,
        Alternative::Less => -value,
    };
    let t: Vec<f64> = statistics.iter().map(|&value| sized(value)).collect();
    let least: Vec<f64> = t.iter().map(|t| t - 1e-8 * t.abs()).collect();
    let mut order: Vec<usize> = (0..m).collect();
    order.sort_by(|&i, &j| t[j].total_cmp(&t[i]));
    let mut counts = [vec![0_usize; m], vec![0; m], vec![0; m]];
    for draw in draws.rows() {
        let all = draw.iter().map(|&value| sized(value)).fold(f64::NEG_INFINITY, f64::max);
        let mut left = f64::NEG_INFINITY;
        for (rank, &j) in order.iter().enumerate().rev() {
            let own = sized(draw[j]);
            left = left.max(own);
            counts[0][j] += usize::from(own >= least[j]);
            counts[1][j] += usize::from(all >= least[j]);
            counts[2][rank] += usize::from(left >= least[j]);
        }
    }
    let share = |count: usize| (1 + count) as f64 / (1 + draws.nrows()) as f64;
    let mut step_down = vec![0.0; m];
    for (p_value, &j) in running_maximum(counts[2].iter().map(|&count| share(count))).iter().zip(&order) {
        step_down[j] = *p_value;
    }
    let [alone, all, _] = &counts;
    Ok(RomanoWolf {
        unadjusted: alone.iter().map(|&count| share(count)).collect(),
        single_step: all.iter().map(|&count| share(count)).collect(),
        step_down,
        order,
        draws: draws.nrows(),
    })
}
