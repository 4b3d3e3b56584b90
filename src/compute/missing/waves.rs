use crate::compute::regression::Category;
use crate::error::{Error, ErrorKind, Result, counted, number};
use ndarray::{Array1, Array2, ArrayView2};

/// Outcomes of people at several waves with their arm and covariates, the first arm being the reference.
///
/// # Errors
/// Of [`Waves::new`]: `invalid_input` for shapes that differ, infinite outcomes, covariates that are not
/// finite and codes beyond the arms; `insufficient_observations` for a wave that nobody answered, and an arm
/// of which nobody did.
///
/// # Examples
/// ```
/// use armwise::missing::Waves;
/// use armwise::ndarray::{Array2, array};
/// use armwise::regression::Category;
///
/// let outcomes = array![[5.0, 6.0], [4.0, f64::NAN], [6.0, 8.0], [f64::NAN, f64::NAN]];
/// let arm = Category::new(&[0, 0, 1, 1], ["control", "guidance"]);
/// let waves = Waves::new(outcomes.view(), arm, Array2::zeros((4, 0)).view())?;
/// assert_eq!(waves.seen(), [3, 2]);
/// # Ok::<(), armwise::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Waves {
    /// People by waves, in units of `scale`; NaN where missing.
    pub(super) outcomes: Array2<f64>,
    pub(super) codes: Vec<u32>,
    pub(super) arms: Vec<String>,
    /// People by intercept, arms and covariates, each covariate less its mean and in units of its spread.
    pub(super) design: Array2<f64>,
    /// Means and spreads of the covariates.
    pub(super) centres: Vec<[f64; 2]>,
    /// The mean and the spread of the outcomes.
    pub(super) scale: [f64; 2],
}

/// The mean of numbers with their spread, which is 1 where all are equal.
fn scale_of(values: &[f64]) -> [f64; 2] {
    let n = values.len() as f64;
    let mean = values.iter().map(|x| x / n).sum::<f64>();
    let spread = (values.iter().map(|x| (x - mean).powi(2) / n).sum::<f64>()).sqrt();
    [mean, if spread > 0.0 { spread } else { 1.0 }]
}

impl Waves {
    /// People by waves with NaN for what is missing, the arm of each, and people by covariates.
    ///
    /// # Errors
    /// See [`Waves`].
    pub fn new(outcomes: ArrayView2<f64>, arm: Category, covariates: ArrayView2<f64>) -> Result<Self> {
        let arm = arm.into_parts();
        let (n, waves) = outcomes.dim();
        if arm.codes.len() != n || covariates.nrows() != n || waves == 0 || arm.levels.len() < 2 {
            return Err(Error::invalid(format!(
                "{} with {}, the arms of {} and the covariates of {}; give at least one wave and two arms, and a row of each for everybody",
                counted(n, "person"),
                counted(waves, "wave"),
                counted(arm.codes.len(), "person"),
                counted(covariates.nrows(), "person")
            )));
        }
        if let Some(row) = arm.codes.iter().position(|code| *code as usize >= arm.levels.len()) {
            let why = format!("holds the code {} beyond the arms; codes count from 0", arm.codes[row]);
            return Err(Error::invalid(why).in_column("arm").in_row(row));
        }
        if let Some(bad) = outcomes.iter().find(|y| y.is_infinite() || y.abs() > 1e100) {
            let why = format!(
                "an outcome is {}; give numbers up to 1e100, and NaN for what is missing",
                number(*bad)
            );
            return Err(Error::invalid(why));
        }
        if let Some(bad) = covariates.iter().find(|x| x.is_nan() || x.abs() > 1e100) {
            let why =
                format!("a covariate is {}; give finite numbers up to 1e100 for everybody", number(*bad));
            return Err(Error::invalid(why));
        }
        for (j, wave) in outcomes.columns().into_iter().enumerate() {
            if wave.iter().all(|y| y.is_nan()) {
                let why = format!("nobody answered wave {}; leave it out", j + 1);
                return Err(ErrorKind::InsufficientObservations(why).into());
            }
            for (code, label) in arm.levels.iter().enumerate() {
                if !wave.iter().zip(arm.codes).any(|(y, c)| *c as usize == code && !y.is_nan()) {
                    let why = format!(
                        "nobody of the arm {label} answered wave {}, so that its mean there is not known; leave out the arm or the wave",
                        j + 1
                    );
                    return Err(ErrorKind::InsufficientObservations(why).into());
                }
            }
        }
        let all: Vec<f64> = outcomes.iter().copied().filter(|y| !y.is_nan()).collect();
        let scale = scale_of(&all);
        let centres: Vec<[f64; 2]> =
            covariates.columns().into_iter().map(|column| scale_of(&column.to_vec())).collect();
        let a = arm.levels.len();
        let design = Array2::from_shape_fn((n, a + centres.len()), |(i, c)| match c {
            0 => 1.0,
            c if c < a => f64::from(u8::from(arm.codes[i] as usize == c)),
            c => (covariates[[i, c - a]] - centres[c - a][0]) / centres[c - a][1],
        });
        Ok(Self {
            outcomes: outcomes.mapv(|y| (y - scale[0]) / scale[1]),
            codes: arm.codes.to_vec(),
            arms: arm.levels,
            design,
            centres,
            scale,
        })
    }

    /// The number of people.
    pub fn people(&self) -> usize {
        self.codes.len()
    }

    /// The number of waves.
    pub fn waves(&self) -> usize {
        self.outcomes.ncols()
    }

    /// The labels of the arms, the reference first.
    pub fn arms(&self) -> &[String] {
        &self.arms
    }

    /// How many answered each wave.
    pub fn seen(&self) -> Vec<usize> {
        self.outcomes.columns().into_iter().map(|wave| wave.iter().filter(|y| !y.is_nan()).count()).collect()
    }

    /// The waves that a person answered.
    pub(super) fn pattern(&self, row: usize) -> Vec<usize> {
        (0..self.waves()).filter(|&j| !self.outcomes[[row, j]].is_nan()).collect()
    }

    /// The sums that the normal model needs, of all people by the waves that they answered.
    pub(super) fn patterns(&self) -> Vec<Pattern> {
        let (p, waves) = (self.design.ncols(), self.waves());
        let mut patterns: Vec<Pattern> = Vec::new();
        for row in 0..self.people() {
            let observed = self.pattern(row);
            if observed.is_empty() {
                continue;
            }
            let at = patterns.iter().position(|one| one.observed == observed).unwrap_or_else(|| {
                patterns.push(Pattern {
                    observed,
                    n: 0.0,
                    xx: Array2::zeros((p, p)),
                    xy: Array2::zeros((p, waves)),
                    yy: Array2::zeros((waves, waves)),
                });
                patterns.len() - 1
            });
            patterns[at].add(self, row, 1.0);
        }
        patterns
    }

    /// Coefficients (waves by intercept, arms and covariates) in the units that were given.
    pub(super) fn in_units(&self, beta: &Array2<f64>) -> Array2<f64> {
        let (a, [mean, spread]) = (self.arms.len(), self.scale);
        let mut out = beta * spread;
        for (j, row) in beta.rows().into_iter().enumerate() {
            out[[j, 0]] += mean;
            for (c, [centre, width]) in self.centres.iter().enumerate() {
                out[[j, a + c]] = spread * row[a + c] / width;
                out[[j, 0]] -= out[[j, a + c]] * centre;
            }
        }
        out
    }

    /// Least squares of numbers on the arms and the covariates, everybody or all but one person; the effects
    /// of the arms.
    pub(super) fn effects(&self, final_wave: &Array1<f64>, without: Option<usize>) -> Result<Vec<f64>> {
        let p = self.design.ncols();
        let mut xx = self.design.t().dot(&self.design);
        let mut xy = self.design.t().dot(final_wave);
        if let Some(row) = without {
            let x = self.design.row(row);
            for c in 0..p {
                for d in 0..p {
                    xx[[c, d]] -= x[c] * x[d];
                }
                xy[c] -= x[c] * final_wave[row];
            }
        }
        let factor = crate::compute::linalg::Cholesky::new(xx.view())
            .filter(|factor| factor.smallest_pivot > 1e-12)
            .ok_or_else(dependent)?;
        Ok(factor.solve(xy.view()).iter().skip(1).take(self.arms.len() - 1).copied().collect())
    }
}

/// The error of covariates and arms that depend on each other.
pub(super) fn dependent() -> Error {
    let why = "arms and covariates depend on each other among those who answered a wave, so that its means are not known; \
               leave out a covariate";
    ErrorKind::NotEstimable(why.to_owned()).into()
}

/// Sums over the people who answered the same waves.
#[derive(Debug, Clone)]
pub(super) struct Pattern {
    pub observed: Vec<usize>,
    pub n: f64,
    /// p x p.
    pub xx: Array2<f64>,
    /// p x waves, 0 where not answered.
    pub xy: Array2<f64>,
    /// waves x waves, likewise.
    pub yy: Array2<f64>,
}

impl Pattern {
    /// Adds a person, or takes one away with the sign -1.
    pub(super) fn add(&mut self, waves: &Waves, row: usize, sign: f64) {
        let (x, y) = (waves.design.row(row), waves.outcomes.row(row));
        self.n += sign;
        for c in 0..x.len() {
            for d in 0..x.len() {
                self.xx[[c, d]] += sign * x[c] * x[d];
            }
            for &j in &self.observed {
                self.xy[[c, j]] += sign * x[c] * y[j];
            }
        }
        for &j in &self.observed {
            for &k in &self.observed {
                self.yy[[j, k]] += sign * y[j] * y[k];
            }
        }
    }
}
