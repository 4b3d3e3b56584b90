use super::data::{Feature, SurvivalData, codes};
use super::discrete_time::dense;
use super::grid::Grid;
use crate::compute::hypothesis::SignedTest;
use crate::compute::linalg::Cholesky;
use crate::compute::regression::ModelMatrix;
use crate::compute::roots::root;
use crate::error::{Collinearity, Error, ErrorKind, Result, SeparatedBy, SeparatedModel};
use ndarray::{Array1, Array2};
use serde::{Deserialize, Serialize};

/// The log-rank test of a treatment against a control adjusted for covariates, and the marginal hazard ratio that
/// belongs to it. Adjustment takes nothing away from what the test says without covariates, and never needs a
/// model that is right.
///
/// # Formula
/// With `y1, y0` at risk and `Y1 = exp(theta) y1`, `Y = Y1 + y0`, the score `U(theta) = (1/n) sum {A - Y1 / Y}`
/// over events, and its variance `V = (1/n) sum Y1 y0 / Y^2`, in the test at `theta = 0` by the hypergeometric
/// distribution. Each row has a derived outcome `O = w (dN - Y e^(theta A) d / Y)` summed over time, `w = y0 / Y`
/// under treatment and `Y1 / Y` under control; its least-squares slopes on the covariates within arms (and
/// strata) give the part of the score that imbalance of the covariates explains, and of the variance.
///
/// The marginal hazard ratio solves `U(theta)` = that part, with slopes at the unadjusted one. It is not the
/// coefficient of a Cox model with covariates.
///
/// # References
/// Ye T, Shao J, Yi Y (2024), Biometrika 111:691. Ye T, Shao J, Yi Y, Zhao Q (2023), Journal of the American
/// Statistical Association 118:2370.
///
/// ```
/// use armwise::ndarray::array;
/// use armwise::regression::ModelMatrix;
/// use armwise::survival::{AdjustedLogRank, SurvivalData};
///
/// let data = SurvivalData::new(
///     &[2.0, 3.0, 3.0, 5.0, 6.0, 7.0, 9.0, 11.0],
///     &[1, 1, 0, 1, 1, 0, 1, 1],
/// )?;
/// let age = array![30.0, 41.0, 25.0, 52.0, 33.0, 47.0, 28.0, 39.0];
/// let matrix = ModelMatrix::new(8).numeric("age", age.view())?;
/// let test = AdjustedLogRank::new(&data, &[1, 0, 1, 0, 1, 0, 1, 0], &matrix)?;
/// assert!(test.adjusted_variance <= test.variance);
/// # Ok::<(), armwise::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AdjustedLogRank {
    /// The number of people in both arms.
    pub n: usize,
    /// The number of events.
    pub events: usize,
    /// The score at no effect, per person.
    pub score: f64,
    /// Its variance, times the number of people.
    pub variance: f64,
    /// The log-rank test: positive where the treatment has more events than were to be expected.
    pub test: SignedTest,
    /// The score less the part of the covariates.
    pub adjusted_score: f64,
    /// Its variance, times the number of people.
    pub adjusted_variance: f64,
    /// The adjusted test.
    pub adjusted_test: SignedTest,
    /// The slopes on the covariates under control, at no effect.
    pub slopes_control: Array1<f64>,
    /// The slopes under treatment.
    pub slopes_treatment: Array1<f64>,
    /// The log hazard ratio of the Cox regression on the treatment alone (Breslow's ties).
    pub log_hazard_ratio: f64,
    /// Its standard error.
    pub se: f64,
    /// The adjusted marginal log hazard ratio.
    pub adjusted_log_hazard_ratio: f64,
    /// Its standard error, with the variance of the score at the adjusted estimate.
    pub adjusted_se: f64,
    /// Its standard error with that at the unadjusted estimate, which is never above `se`.
    pub adjusted_se_unadjusted_plugin: f64,
}

/// The two arms at each time with events: events of treatment and control, at risk of both.
struct Arms<'d> {
    data: &'d SurvivalData<'d>,
    grid: &'d Grid,
    arm: &'d [u32],
    /// Events of control and treatment, at risk of both, by slot.
    at: Vec<[f64; 4]>,
}

/// What the covariates explain.
struct Explained {
    term: f64,
    reduction: f64,
    slopes: [Array1<f64>; 2],
}

impl AdjustedLogRank {
    /// Compares the rows with the code 1 (treatment) with those with 0 (control); all rows belong to one of both.
    /// Strata of the data are those of the test and of the slopes.
    ///
    /// # Errors
    /// `invalid_input` for other codes, another number of rows, entry times and weights; `empty_arm`; `no_events`;
    /// `separation` where only one arm has events; `collinear` for a covariate that does not vary within an arm,
    /// or follows from others; `zero_variance` where nothing is left after adjustment.
    pub fn new(data: &SurvivalData, arm: &[u32], covariates: &ModelMatrix) -> Result<Self> {
        data.refuse("the covariate-adjusted log-rank test", &[Feature::Entry, Feature::Weights])?;
        let n_arms = codes("arms", arm, data.n())?;
        if n_arms > 2 {
            return Err(Error::invalid(
                "the arms must be 0 (control) and 1 (treatment); leave the rows of others out",
            ));
        }
        if covariates.nrows() != data.n() {
            return Err(Error::invalid(format!(
                "the rows of the covariates are {}, the times {}; give one row for each time",
                covariates.nrows(),
                data.n()
            )));
        }
        for which in [0, 1] {
            if !arm.contains(&which) {
                return Err(ErrorKind::EmptyArm(format!(
                    "no row has the arm {which}; 0 is control, 1 treatment"
                ))
                .into());
            }
        }
        covariates.validate(|_, _| ())?;
        data.check_events()?;
        let arms = Arms::new(data, arm);
        let n = data.n() as f64;
        let x = dense(covariates);
        let names = covariates.names();
        let (score, variance) = (arms.score(0.0), arms.variance(0.0, true));
        if variance.is_nan() || variance <= 0.0 {
            return Err(no_variance());
        }
        let at_null = arms.explained(&x, 0.0, names)?;
        let adjusted_score = score - at_null.term;
        let adjusted_variance = variance - at_null.reduction;
        if adjusted_variance.is_nan() || adjusted_variance <= 0.0 {
            return Err(no_variance());
        }
        let log_hazard_ratio = arms.solve(0.0)?;
        let at_estimate = arms.explained(&x, log_hazard_ratio, names)?;
        let own = arms.variance(log_hazard_ratio, false);
        let adjusted = arms.solve(at_estimate.term)?;
        let at_adjusted = arms.variance(adjusted, false);
        let se = |plugin: f64| ((plugin - at_estimate.reduction) / (plugin * plugin * n)).max(0.0).sqrt();
        Ok(Self {
            n: data.n(),
            events: data.events(),
            score,
            variance,
            test: SignedTest::normal(n.sqrt() * score / variance.sqrt()),
            adjusted_score,
            adjusted_variance,
            adjusted_test: SignedTest::normal(n.sqrt() * adjusted_score / adjusted_variance.sqrt()),
            slopes_control: at_null.slopes[0].clone(),
            slopes_treatment: at_null.slopes[1].clone(),
            log_hazard_ratio,
            se: 1.0 / (n * own).sqrt(),
            adjusted_log_hazard_ratio: adjusted,
            adjusted_se: se(at_adjusted),
            adjusted_se_unadjusted_plugin: se(own),
        })
    }
}

impl<'d> Arms<'d> {
    fn new(data: &'d SurvivalData<'d>, arm: &'d [u32]) -> Self {
        let grid = data.grid();
        let mut at = vec![[0.0; 4]; grid.len()];
        for row in 0..data.n() {
            let (slot, arm) = (grid.exit[row] as usize, arm[row] as usize);
            at[slot][2 + arm] += 1.0;
            if data.is_event(row) {
                at[slot][arm] += 1.0;
            }
        }
        for slots in &grid.strata {
            for slot in (slots.start + 1..slots.end).rev() {
                for arm in [2, 3] {
                    at[slot - 1][arm] += at[slot][arm];
                }
            }
        }
        Self { data, grid, arm, at }
    }

    fn n(&self) -> f64 {
        self.data.n() as f64
    }

    /// `U(theta)`
    fn score(&self, theta: f64) -> f64 {
        let of = |[d0, d1, y0, y1]: &[f64; 4]| {
            let y1 = theta.exp() * y1;
            if d0 + d1 > 0.0 { d1 - (d0 + d1) * y1 / (y1 + y0) } else { 0.0 }
        };
        self.at.iter().map(of).sum::<f64>() / self.n()
    }

    /// `V(theta)`, by the hypergeometric distribution where ties are asked for.
    fn variance(&self, theta: f64, ties: bool) -> f64 {
        let of = |[d0, d1, y0, y1]: &[f64; 4]| {
            let d = d0 + d1;
            if d <= 0.0 {
                return 0.0;
            }
            let y1 = theta.exp() * y1;
            let y = y1 + y0;
            let factor = if ties && d > 1.0 { (y - d) / (y - 1.0) } else { 1.0 };
            d * (y1 / y) * (y0 / y) * factor
        };
        self.at.iter().map(of).sum::<f64>() / self.n()
    }

    /// The `theta` at which the score is a given number; it falls from its largest to its smallest value.
    fn solve(&self, target: f64) -> Result<f64> {
        let excess = |theta: f64| self.score(theta) - target;
        let (mut low, mut high) = (-1.0, 1.0);
        while excess(low) <= 0.0 {
            low *= 2.0;
            if low < -60.0 {
                return Err(infinite(crate::error::Sign::Negative));
            }
        }
        while excess(high) >= 0.0 {
            high *= 2.0;
            if high > 60.0 {
                return Err(infinite(crate::error::Sign::Positive));
            }
        }
        Ok(root(excess, low, high))
    }

    /// Slopes of the derived outcomes on the covariates, and what follows from them.
    fn explained(&self, x: &Array2<f64>, theta: f64, names: &[String]) -> Result<Explained> {
        let p = x.ncols();
        let (data, grid) = (self.data, self.grid);
        if p == 0 {
            return Ok(Explained { term: 0.0, reduction: 0.0, slopes: [Array1::zeros(0), Array1::zeros(0)] });
        }
        // The weight of an event of each arm at a slot, and what those at risk have borne up to it.
        let mut weights = vec![[0.0; 2]; grid.len()];
        let mut borne = vec![[0.0; 2]; grid.len()];
        for slots in &grid.strata {
            for slot in slots.start + 1..slots.end {
                let [d0, d1, y0, y1] = self.at[slot];
                borne[slot] = borne[slot - 1];
                let y1 = theta.exp() * y1;
                let y = y1 + y0;
                if d0 + d1 > 0.0 {
                    weights[slot] = [y1 / y, y0 / y];
                    borne[slot][0] += y1 / y * (d0 + d1) / y;
                    borne[slot][1] += y0 / y * theta.exp() * (d0 + d1) / y;
                }
            }
        }
        let cells = data.n_strata() * 2;
        let mut count = vec![0.0; cells];
        let mut mean_x = Array2::<f64>::zeros((cells, p));
        let mut mean_o = vec![0.0; cells];
        let outcome = |row: usize| {
            let (slot, arm) = (grid.exit[row] as usize, self.arm[row] as usize);
            let event = if data.is_event(row) { weights[slot][arm] } else { 0.0 };
            event - borne[slot][arm]
        };
        let cell = |row: usize| data.stratum(row) * 2 + self.arm[row] as usize;
        for row in 0..data.n() {
            let cell = cell(row);
            count[cell] += 1.0;
            mean_o[cell] += outcome(row);
            let mut mean = mean_x.row_mut(cell);
            mean += &x.row(row);
        }
        for cell in (0..cells).filter(|cell| count[*cell] > 0.0) {
            mean_o[cell] /= count[cell];
            let mut mean = mean_x.row_mut(cell);
            mean /= count[cell];
        }
        let mut products = [Array2::<f64>::zeros((p, p)), Array2::<f64>::zeros((p, p))];
        let mut with_outcome = [Array1::<f64>::zeros(p), Array1::<f64>::zeros(p)];
        // Over both arms, by stratum: weighted by its share of people.
        let mut spread = Array2::<f64>::zeros((p, p));
        let mut size = vec![0.0; data.n_strata()];
        let mut whole = Array2::<f64>::zeros((data.n_strata(), p));
        for (stratum, size) in size.iter_mut().enumerate() {
            let mut mean = whole.row_mut(stratum);
            for cell in [2 * stratum, 2 * stratum + 1] {
                *size += count[cell];
                mean.scaled_add(count[cell], &mean_x.row(cell));
            }
            if *size > 0.0 {
                mean /= *size;
            }
        }
        for row in 0..data.n() {
            let (cell, stratum, arm) = (cell(row), data.stratum(row), self.arm[row] as usize);
            let own = &x.row(row) - &mean_x.row(cell);
            with_outcome[arm].scaled_add(outcome(row) - mean_o[cell], &own);
            let all = &x.row(row) - &whole.row(stratum);
            let share =
                if size[stratum] > 1.0 { size[stratum] / self.n() / (size[stratum] - 1.0) } else { 0.0 };
            for i in 0..p {
                for j in 0..p {
                    products[arm][[i, j]] += own[i] * own[j];
                    spread[[i, j]] += share * all[i] * all[j];
                }
            }
        }
        let mut slopes = [Array1::zeros(p), Array1::zeros(p)];
        for arm in 0..2 {
            let factor = Cholesky::new(products[arm].view()).filter(|factor| factor.smallest_pivot > 1e-11);
            let Some(factor) = factor else { return Err(constant(&products[arm], names)) };
            slopes[arm] = factor.solve(with_outcome[arm].view());
        }
        let mut term = 0.0;
        for (cell, count) in count.iter().enumerate() {
            let (stratum, arm) = (cell / 2, cell % 2);
            let sign = if arm == 1 { 1.0 } else { -1.0 };
            let away = &mean_x.row(cell) - &whole.row(stratum);
            term += sign * count * away.dot(&slopes[arm]);
        }
        let treated = self.arm.iter().filter(|arm| **arm == 1).count() as f64 / self.n();
        let both = &slopes[0] + &slopes[1];
        let reduction = treated * (1.0 - treated) * both.dot(&spread.dot(&both));
        Ok(Explained { term: term / self.n(), reduction, slopes })
    }
}

/// The covariates that do not vary within an arm, or follow from others there.
fn constant(products: &Array2<f64>, names: &[String]) -> Error {
    let mut columns: Vec<String> =
        (0..names.len()).filter(|j| products[[*j, *j]] <= 0.0).map(|j| names[j].clone()).collect();
    if columns.is_empty() {
        columns = crate::compute::linalg::aliased_columns(products.view())
            .into_iter()
            .map(|j| names[j].clone())
            .collect();
    }
    if columns.is_empty() {
        columns = names.to_vec();
    }
    ErrorKind::Collinear { what: Collinearity::Covariates, components: columns }.into()
}

fn infinite(sign: crate::error::Sign) -> Error {
    ErrorKind::Separation {
        complete: true,
        coefficients: vec![("treatment".to_owned(), sign)],
        model: SeparatedModel::Times,
        by: SeparatedBy::Arms,
    }
    .into()
}

fn no_variance() -> Error {
    ErrorKind::ZeroVariance(
        "nobody of one arm is at risk at the time of an event of the other, or covariates explain all; compare the arms without covariates"
            .to_owned(),
    )
    .into()
}
