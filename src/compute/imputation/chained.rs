use super::categories::{Rows, multinomial, ordinal};
use super::counts::counts;
use super::draws::place;
use super::linear::{Drawn, block, independent, matched, normal_values, regression};
use crate::compute::interval::Interval;
use crate::compute::progress::Task;
use crate::compute::resampling::stream;
use crate::compute::threads::in_parts;
use crate::error::{Error, ErrorKind, Result, counted, number};
use ndarray::{Array1, Array2};
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

/// The regression from which missing values of a variable are drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum VariableModel {
    /// Normal, within the range of the variable where it has one.
    Linear,
    /// The value of one of the five people whose predicted mean is nearest.
    PredictiveMeanMatching,
    /// Multinomial logistic, of two levels logistic; codes from 0.
    Categories {
        /// The number of levels.
        levels: usize,
    },
    /// Proportional odds; codes from 0, in their order.
    Ordered {
        /// The number of levels.
        levels: usize,
    },
    /// Poisson, or negative binomial where counts spread more.
    Count,
    /// Logistic for an amount above zero, then matching of the logarithms of such amounts.
    TwoPart,
}

impl VariableModel {
    fn levels(self) -> Option<usize> {
        match self {
            Self::Categories { levels } | Self::Ordered { levels } => Some(levels),
            _ => None,
        }
    }

    /// The columns of the variable where it predicts others.
    fn width(self) -> usize {
        match self {
            Self::Categories { levels } | Self::Ordered { levels } => levels.saturating_sub(1),
            Self::TwoPart => 2,
            _ => 1,
        }
    }
}

/// A variable with missing values.
#[derive(Debug, Clone, PartialEq)]
pub struct Incomplete {
    name: String,
    values: Vec<f64>,
    model: VariableModel,
    range: Option<Interval>,
}

impl Incomplete {
    /// Values (of categories their codes) with NaN for what is missing.
    pub fn new(name: impl Into<String>, values: Vec<f64>, model: VariableModel) -> Self {
        Self { name: name.into(), values, model, range: None }
    }

    setters! {
        /// The smallest and the largest value, of a linear model. Default: none.
        range: Interval as Some;
    }

    fn missing(&self) -> Vec<usize> {
        (0..self.values.len()).filter(|&row| self.values[row].is_nan()).collect()
    }

    fn check(&self, rows: usize) -> Result<()> {
        let refuse = |why: String| Err(Error::invalid(why).in_column(&self.name));
        if self.values.len() != rows {
            return refuse(format!(
                "has {} where the first variable has {}; give one for everybody, NaN where missing",
                counted(self.values.len(), "value"),
                counted(rows, "value")
            ));
        }
        if self.range.is_some_and(|range| !(range.width() > 0.0 && range.width().is_finite())) {
            return refuse(
                "the range has no width, or no end; give the smallest and the largest value".to_owned(),
            );
        }
        let whole = |x: f64| x >= 0.0 && x == x.floor();
        for (row, &x) in self.values.iter().enumerate().filter(|(_, x)| !x.is_nan()) {
            let sound = match self.model {
                VariableModel::Categories { levels } | VariableModel::Ordered { levels } => {
                    whole(x) && x < levels as f64
                }
                VariableModel::Count => whole(x) && x <= 1e8,
                VariableModel::TwoPart => (0.0..=1e100).contains(&x),
                VariableModel::Linear | VariableModel::PredictiveMeanMatching => x.abs() <= 1e100,
            };
            if !sound || self.range.is_some_and(|range| !range.contains(x)) {
                let error = Error::invalid(format!(
                    "holds {}, which the imputation model or the range of the variable does not allow; choose another model or range",
                    number(x)
                ));
                return Err(error.in_column(&self.name).in_row(row));
            }
        }
        if self.values.iter().all(|x| x.is_nan()) && rows > 0 {
            let why = "nobody has a value, so that nothing can be imputed; leave the variable out, or the group without any";
            return Err(
                Error::from(ErrorKind::InsufficientObservations(why.to_owned())).in_column(&self.name)
            );
        }
        Ok(())
    }
}

/// Draws of missing values by chained equations.
///
/// # Formula
///
/// Missing values start as random observed ones. In every iteration each variable in turn, from the one with
/// the fewest missing values on, is regressed on all others where it was observed, parameters are drawn from
/// their (approximate) posterior distribution, and the missing values from the regression with these
/// parameters. The values after the last iteration are one imputation; each is a chain of its own, with its
/// own stream of random numbers.
///
/// # Assumptions
/// Missing at random given the variables. Columns that follow from others are left out of a regression.
///
/// # Errors
/// `invalid_input` for variables of unequal length, impossible values, fewer than two imputations;
/// `insufficient_observations` for a variable that nobody has, or too few people for its regression;
/// `stopped`.
///
/// # Examples
/// See [the module](crate::imputation).
///
/// # References
/// van Buuren, Brand, Groothuis-Oudshoorn & Rubin (2006), Journal of Statistical Computation and Simulation
/// 76:1049. White, Daniel & Royston (2010), Computational Statistics and Data Analysis 54:2267 (perfect
/// prediction). Little (1988), Journal of Business and Economic Statistics 6:287 (matching).
#[derive(Debug, Clone, PartialEq)]
pub struct ChainedEquations {
    variables: Vec<Incomplete>,
    imputations: u32,
    iterations: u32,
    seed: u64,
    group: u32,
}

/// The draws of [`ChainedEquations`].
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct ChainedImputations {
    /// By imputation and variable the values of its missing rows, in their order.
    pub values: Vec<Vec<Vec<f64>>>,
    /// By variable, imputation and iteration the mean of the imputed values; nothing of complete variables.
    pub means: Vec<Vec<Vec<f64>>>,
    /// The same of their standard deviations.
    pub spreads: Vec<Vec<Vec<f64>>>,
    /// A variable and another one that its regression left out, because it follows from others.
    pub left_out: Vec<[usize; 2]>,
    /// Variables that follow from others exactly where they were observed.
    pub determined: Vec<usize>,
}

/// What one chain gives.
struct Chain {
    values: Vec<Vec<f64>>,
    means: Vec<Vec<f64>>,
    spreads: Vec<Vec<f64>>,
    left_out: Vec<[usize; 2]>,
    determined: Vec<usize>,
}

impl ChainedEquations {
    /// Variables, complete or not; 20 imputations after 10 iterations, seed 1.
    ///
    /// # Errors
    /// See [`ChainedEquations`].
    pub fn new(variables: Vec<Incomplete>) -> Result<Self> {
        let rows = variables.first().map_or(0, |one| one.values.len());
        if rows == 0 {
            return Err(Error::invalid("there is nobody to impute; give at least one variable with values"));
        }
        for (i, one) in variables.iter().enumerate() {
            one.check(rows)?;
            if variables[..i].iter().any(|other| other.name == one.name) {
                let why = "two variables have this name; give each once";
                return Err(Error::invalid(why).in_column(&one.name));
            }
        }
        Ok(Self { variables, imputations: 20, iterations: 10, seed: 1, group: 0 })
    }

    setters! {
        /// The number of imputations, two or more. Default: 20.
        imputations: u32;
        /// The number of iterations of each, one or more. Default: 10.
        iterations: u32;
        /// The seed of the random numbers. Default: 1.
        seed: u64;
        /// The number of the group among several that have one seed, each with its own random numbers.
        /// Default: 0.
        group: u32;
    }

    /// Draws all imputations; the numbers do not depend on threads.
    ///
    /// # Errors
    /// See [`ChainedEquations`].
    pub fn run(&self) -> Result<ChainedImputations> {
        if self.imputations < 2 {
            let why = format!(
                "{} asked for; one says nothing of what is missing: make at least two, better 20 or more",
                counted(self.imputations, "imputation")
            );
            return Err(ErrorKind::InsufficientObservations(why).into());
        }
        if self.iterations == 0 {
            return Err(Error::invalid("no iteration is asked for; make at least one, better 10"));
        }
        let task = Task::start("imputations", u64::from(self.imputations));
        let m = self.imputations as usize;
        let parts = in_parts(m, 1, true, |range| {
            range.map(|imputation| self.chain(imputation, &task)).collect::<Result<Vec<Chain>>>()
        });
        let mut all = Vec::with_capacity(m);
        for part in parts {
            all.extend(part?);
        }
        let k = self.variables.len();
        let of = |part: fn(&Chain) -> &Vec<Vec<f64>>| {
            (0..k).map(|v| all.iter().map(|chain| part(chain)[v].clone()).collect()).collect()
        };
        let (means, spreads) = (of(|chain| &chain.means), of(|chain| &chain.spreads));
        let mut left_out: Vec<[usize; 2]> = all.iter().flat_map(|chain| chain.left_out.clone()).collect();
        left_out.sort_unstable();
        left_out.dedup();
        let mut determined: Vec<usize> = all.iter().flat_map(|chain| chain.determined.clone()).collect();
        determined.sort_unstable();
        determined.dedup();
        Ok(ChainedImputations {
            values: all.into_iter().map(|chain| chain.values).collect(),
            means,
            spreads,
            left_out,
            determined,
        })
    }

    fn chain(&self, imputation: usize, task: &Task) -> Result<Chain> {
        let mut numbers = stream(self.seed, u64::from(self.group) << 32 | imputation as u64);
        let missing: Vec<Vec<usize>> = self.variables.iter().map(Incomplete::missing).collect();
        let rows = self.variables[0].values.len();
        let seen: Vec<Vec<usize>> = self
            .variables
            .iter()
            .map(|one| (0..rows).filter(|&row| !one.values[row].is_nan()).collect())
            .collect();
        let mut values: Vec<Vec<f64>> = self.variables.iter().map(|one| one.values.clone()).collect();
        for (v, missing) in missing.iter().enumerate() {
            for &row in missing {
                values[v][row] = values[v][seen[v][place(&mut numbers, seen[v].len())]];
            }
        }
        let mut design = Design::new(&self.variables, &values);
        let mut order: Vec<usize> = (0..missing.len()).filter(|&v| !missing[v].is_empty()).collect();
        order.sort_by_key(|&v| missing[v].len());
        let k = self.variables.len();
        let mut chain = Chain {
            values: Vec::new(),
            means: vec![Vec::new(); k],
            spreads: vec![Vec::new(); k],
            left_out: Vec::new(),
            determined: Vec::new(),
        };
        // Of one incomplete variable every iteration is a draw like the first.
        let iterations = if order.len() > 1 { self.iterations } else { 1 };
        for _ in 0..iterations {
            for &v in &order {
                let locate = |error: Error| error.in_column(&self.variables[v].name);
                let drawn = self
                    .draw(v, [&seen[v], &missing[v]], &design, &mut chain, &mut numbers)
                    .map_err(locate)?;
                let n = drawn.len() as f64;
                let mean = drawn.iter().sum::<f64>() / n;
                chain.means[v].push(mean);
                chain.spreads[v].push((drawn.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / n).sqrt());
                for (&row, x) in missing[v].iter().zip(&drawn) {
                    values[v][row] = *x;
                }
                design.fill(v, self.variables[v].model, &values[v]);
                task.check()?;
            }
        }
        task.advance(1)?;
        chain.values = missing
            .iter()
            .zip(&values)
            .map(|(rows, own)| rows.iter().map(|&row| own[row]).collect())
            .collect();
        Ok(chain)
    }

    /// Values of the missing rows of a variable.
    fn draw(
        &self,
        v: usize,
        [seen, missing]: [&[usize]; 2],
        design: &Design,
        chain: &mut Chain,
        numbers: &mut ChaCha8Rng,
    ) -> Result<Vec<f64>> {
        let own = &self.variables[v];
        let mut columns: Vec<usize> =
            (0..design.matrix.ncols()).filter(|column| design.owner[*column] != Some(v)).collect();
        let x = block(&design.matrix, seen, &columns);
        let kept = independent(&x.t().dot(&x));
        if kept.len() < columns.len() {
            for (place, &column) in columns.iter().enumerate().filter(|(place, _)| !kept.contains(place)) {
                let constant = x.column(place).iter().all(|value| *value == x[[0, place]]);
                if let Some(other) = design.owner[column].filter(|_| !constant) {
                    chain.left_out.push([v, other]);
                }
            }
            columns = kept.iter().map(|place| columns[*place]).collect();
        }
        let x = block(&design.matrix, seen, &columns);
        let at = block(&design.matrix, missing, &columns);
        let y: Array1<f64> = seen.iter().map(|&row| own.values[row]).collect();
        let fit = |y: &Array1<f64>,
                   x: &Array2<f64>,
                   chain: &mut Chain,
                   numbers: &mut ChaCha8Rng|
         -> Result<Drawn> {
            let fit = regression(x, y.view(), numbers)?;
            if fit.determined {
                chain.determined.push(v);
            }
            Ok(fit)
        };
        match own.model {
            VariableModel::Linear => {
                let fit = fit(&y, &x, chain, numbers)?;
                Ok(normal_values(&fit, &at, own.range, numbers))
            }
            VariableModel::PredictiveMeanMatching => {
                let fit = fit(&y, &x, chain, numbers)?;
                Ok(matched(&fit, (&x, y.view()), &at, numbers))
            }
            VariableModel::Categories { .. } | VariableModel::Ordered { .. } => {
                levels(own.model, &x, &y, &at, numbers)
            }
            VariableModel::Count => counts(&x, y.view(), &at, numbers),
            VariableModel::TwoPart => {
                let positive = y.mapv(|y| f64::from(u8::from(y > 0.0)));
                let has = levels(VariableModel::Categories { levels: 2 }, &x, &positive, &at, numbers)?;
                let givers: Vec<usize> = (0..y.len()).filter(|&i| y[i] > 0.0).collect();
                let takers: Vec<usize> = (0..has.len()).filter(|&i| has[i] > 0.0).collect();
                let mut out = vec![0.0; has.len()];
                if takers.is_empty() {
                    return Ok(out);
                }
                let all: Vec<usize> = (0..x.ncols()).collect();
                let of_givers = block(&x, &givers, &all);
                let own_columns = independent(&of_givers.t().dot(&of_givers));
                let (of_givers, of_takers) =
                    (block(&x, &givers, &own_columns), block(&at, &takers, &own_columns));
                let logs: Array1<f64> = givers.iter().map(|&i| y[i].ln()).collect();
                let fit = fit(&logs, &of_givers, chain, numbers)?;
                let amounts: Array1<f64> = givers.iter().map(|&i| y[i]).collect();
                let drawn = matched(&fit, (&of_givers, amounts.view()), &of_takers, numbers);
                for (place, amount) in takers.into_iter().zip(drawn) {
                    out[place] = amount;
                }
                Ok(out)
            }
        }
    }
}

/// Codes of the missing rows, of the levels that were observed.
fn levels(
    model: VariableModel,
    x: &Array2<f64>,
    y: &Array1<f64>,
    at: &Array2<f64>,
    numbers: &mut ChaCha8Rng,
) -> Result<Vec<f64>> {
    let all = model.levels().unwrap_or(0);
    let occurring: Vec<usize> = (0..all).filter(|level| y.iter().any(|y| *y == *level as f64)).collect();
    if let [only] = occurring[..] {
        return Ok(vec![only as f64; at.nrows()]);
    }
    let codes: Vec<usize> =
        y.iter().map(|y| occurring.iter().position(|level| *level as f64 == *y).unwrap_or(0)).collect();
    let rows = Rows::augmented(x, &codes, occurring.len());
    let drawn = match model {
        VariableModel::Ordered { .. } => ordinal(&rows, occurring.len(), at, numbers)?,
        _ => multinomial(&rows, occurring.len(), at, numbers)?,
    };
    Ok(drawn.into_iter().map(|place| occurring[place] as f64).collect())
}

/// The variables as columns of predictors: an intercept, numbers less their mean in units of their spread,
/// indicators of all levels but the first.
struct Design {
    matrix: Array2<f64>,
    /// The variable of each column; none of the intercept.
    owner: Vec<Option<usize>>,
    start: Vec<usize>,
    /// The mean and the spread of what was observed.
    scale: Vec<[f64; 2]>,
}

impl Design {
    fn new(variables: &[Incomplete], values: &[Vec<f64>]) -> Self {
        let rows = variables[0].values.len();
        let (mut owner, mut start, mut scale) = (vec![None], Vec::new(), Vec::new());
        for (v, one) in variables.iter().enumerate() {
            start.push(owner.len());
            owner.extend(vec![Some(v); one.model.width()]);
            let seen: Vec<f64> = one.values.iter().copied().filter(|x| !x.is_nan()).collect();
            let n = seen.len() as f64;
            let mean = seen.iter().map(|x| x / n).sum::<f64>();
            let spread = seen.iter().map(|x| (x - mean).powi(2) / n).sum::<f64>().sqrt();
            scale.push([mean, if spread > 0.0 { spread } else { 1.0 }]);
        }
        let mut design = Self { matrix: Array2::ones((rows, owner.len())), owner, start, scale };
        for (v, one) in variables.iter().enumerate() {
            design.fill(v, one.model, &values[v]);
        }
        design
    }

    fn fill(&mut self, v: usize, model: VariableModel, values: &[f64]) {
        let (start, [mean, spread]) = (self.start[v], self.scale[v]);
        for (row, &x) in values.iter().enumerate() {
            match model {
                VariableModel::Categories { levels } | VariableModel::Ordered { levels } => {
                    for level in 1..levels {
                        self.matrix[[row, start + level - 1]] = f64::from(u8::from(x == level as f64));
                    }
                }
                VariableModel::TwoPart => {
                    self.matrix[[row, start]] = f64::from(u8::from(x > 0.0));
                    self.matrix[[row, start + 1]] = (x - mean) / spread;
                }
                _ => self.matrix[[row, start]] = (x - mean) / spread,
            }
        }
    }
}
