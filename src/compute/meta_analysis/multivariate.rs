//! Joint pooling of correlated effects: several contrasts of one trial, components, networks.

use super::dense::Square;
use super::multivariate_pool::MultivariatePool;
use super::options::{MOST_COEFFICIENTS, Tau2};
use super::regression::{Orthogonal, Rows};
use super::structured::{Stacked, Structure};
use super::tau2::{ChiSquaredQuantiles, Likelihood, LogLikelihoods};
use crate::compute::coefficient::Wald;
use crate::compute::hypothesis::ChiSquaredTest;
use crate::compute::interval::Interval;
use crate::compute::linalg::held_jointly;
use crate::compute::reference_distribution::check_level;
use crate::error::{Error, ErrorKind, Result, agreeing, counted};
use ndarray::{Array2, ArrayView2};
use serde::{Deserialize, Serialize};

/// How the effects of one trial vary between trials.
///
/// The structures of several parameters are fitted by REML or ML. But for `FixedCorrelation` and `Nested`,
/// their matrix between trials has a row for each outcome: those that [`MultivariateData::outcomes`] names, or
/// else the coefficients, where every effect belongs to one (a single 1 in its row of the design). A variance or a
/// correlation that no trial tells of (an outcome of one trial only, two outcomes that are in no trial together) is refused by name.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum BetweenStructure {
    /// One tau², and the same given correlation between all effects of a trial. The default, with correlation
    /// 1/2.
    #[default]
    FixedCorrelation,
    /// One tau², and one correlation that is estimated.
    CompoundSymmetry,
    /// A tau² for each coefficient, and one correlation that is estimated.
    HeteroscedasticCompoundSymmetry,
    /// A tau² for each coefficient, no correlation.
    Diagonal,
    /// A tau² for each coefficient and a correlation for each pair (van Houwelingen, Arends & Stijnen 2002,
    /// Stat. Med. 21).
    Unstructured,
    /// Three levels: effects within clusters (Konstantopoulos 2011, Res. Synth. Methods 2). tau² is the sum
    /// of both variances, and the correlation the share that lies between clusters.
    Nested,
}

/// The distribution to which the coefficients of a joint model are referred.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum CoefficientTest {
    /// Standard normal.
    Normal,
    /// t with (number of trials - 1) degrees of freedom. The default: few trials make the normal too liberal.
    #[default]
    TrialsMinus1,
    /// t with (effects - coefficients) degrees of freedom.
    Residual,
}

/// Estimates of several effects in each of several trials, with their covariance within the trial and the
/// design that says which coefficients each effect is the sum of.
///
/// Trials may have different numbers of effects. The effects of different trials are independent.
///
/// # Examples
/// ```
/// use armwise::meta_analysis::MultivariateData;
/// use armwise::ndarray::array;
///
/// // Trial 1 tried a and b against one control, trial 2 both measures at once.
/// let data = MultivariateData::new(["a", "b"])
///     .trial(
///         &[0.10, 0.05],
///         array![[0.02, 0.01], [0.01, 0.02]].view(),
///         array![[1.0, 0.0], [0.0, 1.0]].view(),
///     )?
///     .trial(&[0.12], array![[0.02]].view(), array![[1.0, 1.0]].view())?;
/// assert_eq!((data.trials(), data.effects()), (2, 3));
/// # Ok::<(), armwise::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct MultivariateData {
    pub(super) names: Vec<String>,
    pub(super) y: Vec<f64>,
    pub(super) x: Vec<f64>,
    pub(super) blocks: Vec<Square>,
    /// Where they were named.
    outcomes: Option<Outcomes>,
}

/// The outcomes of correlated effects: the rows of the matrix between trials.
#[derive(Debug, Clone, PartialEq)]
struct Outcomes {
    names: Vec<String>,
    /// The outcome of each effect.
    of: Vec<usize>,
}

impl MultivariateData {
    /// No trials yet; the names of the coefficients, that is of the columns of every design.
    pub fn new<S: Into<String>>(names: impl IntoIterator<Item = S>) -> Self {
        Self {
            names: names.into_iter().map(Into::into).collect(),
            y: Vec::new(),
            x: Vec::new(),
            blocks: Vec::new(),
            outcomes: None,
        }
    }

    /// Says which outcome every effect of every trial is, in the order in which they were added. The matrix between trials then has
    /// a row for each outcome, in the order of their first appearance, whatever the design: multivariate meta-regression
    /// (Berkey et al. 1998, Stat. Med. 17).
    ///
    /// # Errors
    /// [`ErrorKind::InvalidInput`] unless there is one name for each effect.
    pub fn outcomes<S: AsRef<str>>(mut self, names: &[S]) -> Result<Self> {
        if names.len() != self.y.len() {
            return Err(Error::invalid(format!(
                "{} for {}; name the outcome of every effect, after the last trial was added",
                agreeing(names.len(), "outcome", ["is named", "are named"]),
                counted(self.y.len(), "effect")
            )));
        }
        let mut found: Vec<String> = Vec::new();
        let mut place = |name: &str| {
            found.iter().position(|other| other == name).unwrap_or_else(|| {
                found.push(name.to_owned());
                found.len() - 1
            })
        };
        let of = names.iter().map(|name| place(name.as_ref())).collect();
        self.outcomes = Some(Outcomes { names: found, of });
        Ok(self)
    }

    /// Adds a trial: its m effects, their m x m covariance matrix, and its m x p part of the design.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidInput`] where shapes differ or numbers are not finite, and after the outcomes were named;
    /// [`ErrorKind::InvalidVariance`] unless the covariance matrix is symmetric and positive definite.
    pub fn trial(
        mut self,
        yi: &[f64],
        covariance: ArrayView2<'_, f64>,
        design: ArrayView2<'_, f64>,
    ) -> Result<Self> {
        self.push(yi, covariance, design)?;
        Ok(self)
    }

    /// As [`MultivariateData::trial`], in place.
    ///
    /// # Errors
    /// As [`MultivariateData::trial`].
    pub fn push(
        &mut self,
        yi: &[f64],
        covariance: ArrayView2<'_, f64>,
        design: ArrayView2<'_, f64>,
    ) -> Result<()> {
        let (m, p, trial) = (yi.len(), self.names.len(), self.blocks.len() + 1);
        if self.outcomes.is_some() {
            return Err(Error::invalid(format!(
                "trial {trial} was added after the outcomes of all effects were named; name them last"
            )));
        }
        if m == 0 || covariance.dim() != (m, m) || design.dim() != (m, p) {
            let (effects, coefficients) = (counted(m, "effect"), counted(p, "coefficient"));
            return Err(Error::invalid(format!(
                "trial {trial} has {effects}, a covariance of {:?} and a design of {:?}; with {coefficients} \
                 they must be {m} x {m} and {m} x {p}, and there must be an effect",
                covariance.dim(),
                design.dim()
            )));
        }
        if !yi.iter().chain(design.iter()).all(|x| x.abs() <= 1e30) {
            return Err(Error::invalid(format!(
                "the effects and the design of trial {trial} must be finite"
            )));
        }
        let block = Square::from_fn(m, |i, j| 0.5 * (covariance[[i, j]] + covariance[[j, i]]));
        let symmetric = (0..m).all(|i| {
            (0..i).all(|j| {
                let scale = (block[(i, i)] * block[(j, j)]).sqrt();
                (covariance[[i, j]] - covariance[[j, i]]).abs() <= 1e-8 * scale
            })
        });
        let in_range = (0..m).all(|i| (1e-40..=1e40).contains(&block[(i, i)]));
        if !symmetric || !in_range || block.cholesky().is_none() {
            return Err(ErrorKind::InvalidVariance(format!(
                "the covariance matrix of trial {trial} must be symmetric and positive definite; \
                 build it from the arms of the trial, not from rounded standard errors"
            ))
            .into());
        }
        self.y.extend_from_slice(yi);
        self.x.extend(design.rows().into_iter().flat_map(|row| row.to_vec()));
        self.blocks.push(block);
        Ok(())
    }

    /// The same effects with a variance between trials added to their covariance: tau² on the diagonal, and
    /// tau² times the correlation elsewhere in each trial.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidInput`] for a negative tau² or a correlation outside 0 to 1.
    pub fn with_between(mut self, tau2: f64, correlation: f64) -> Result<Self> {
        if !((0.0..=1e40).contains(&tau2) && (0.0..=1.0).contains(&correlation)) {
            return Err(Error::invalid(format!(
                "tau² must be 0 or more and the correlation lie from 0 to 1, not {tau2} and {correlation}"
            )));
        }
        for block in &mut self.blocks {
            let n = block.n;
            for i in 0..n {
                for j in 0..n {
                    block[(i, j)] += tau2 * if i == j { 1.0 } else { correlation };
                }
            }
        }
        Ok(self)
    }

    /// The number of trials.
    pub fn trials(&self) -> usize {
        self.blocks.len()
    }

    /// The number of effects of all trials together.
    pub fn effects(&self) -> usize {
        self.y.len()
    }

    /// Independent rows: with S = LL' and L^-1 V L^-T = U D U' in each trial, U'L^-1 y has the covariance D +
    /// tau² I.
    pub(super) fn rotate(&self, correlation: f64, q: &[f64]) -> Result<(Rows, f64)> {
        let p = self.names.len();
        let mut rows = Rows { y: self.y.clone(), v: Vec::with_capacity(self.y.len()), x: q.to_vec(), p };
        let mut log_det = 0.0;
        let mut start = 0;
        for (index, block) in self.blocks.iter().enumerate() {
            let n = block.n;
            let between = Square::from_fn(n, |i, j| if i == j { 1.0 } else { correlation });
            let factor = between.cholesky().ok_or_else(|| {
                Error::invalid(format!(
                    "effects of a trial cannot all correlate at {correlation} between trials where there are {n}; \
                     take a correlation from 0 to below 1 (1/2 for contrasts with a shared control)"
                ))
            })?;
            log_det += factor.log_determinant();
            let mut half = block.clone();
            let mut column = vec![0.0; n];
            for _ in 0..2 {
                for j in 0..n {
                    (0..n).for_each(|i| column[i] = half[(i, j)]);
                    factor.forward(&mut column);
                    (0..n).for_each(|i| half[(i, j)] = column[i]);
                }
                half = Square::from_fn(n, |i, j| half[(j, i)]);
            }
            let (values, vectors) = half.eigen();
            if values.iter().any(|value| *value <= 0.0 || value.is_nan()) {
                return Err(ErrorKind::InvalidVariance(format!(
                    "the covariance matrix of trial {} is singular; leave out an effect that the others determine",
                    index + 1
                ))
                .into());
            }
            rows.v.extend(values);
            let mut transform = |cells: &mut [f64], stride: usize| {
                (0..n).for_each(|i| column[i] = cells[i * stride]);
                factor.forward(&mut column);
                for i in 0..n {
                    cells[i * stride] = (0..n).map(|c| vectors[(c, i)] * column[c]).sum();
                }
            };
            transform(&mut rows.y[start..start + n], 1);
            for j in 0..p {
                transform(&mut rows.x[start * p + j..(start + n) * p], p);
            }
            start += n;
        }
        Ok((rows, log_det))
    }
}

/// A model of correlated effects: y = X beta, with the covariance V within each trial, and tau² S between
/// trials.
///
/// # Formula
/// Generalised least squares, beta = (X'W X)^-1 X'W y with W = (V + tau² S)^-1, block by block. S has ones on
/// its diagonal and the correlation elsewhere: 1/2 makes all contrasts of a trial, those between its
/// treatments included, vary by the same tau² (Lu & Ades 2004, Stat. Med. 23). tau² is estimated by REML
/// (default), ML, the generalised DerSimonian-Laird (Q - df)/tr(P S), or Paule-Mandel.
///
/// # Defaults
/// `random_effects()`: REML, correlation 1/2, t with trials - 1 degrees of freedom, level 0.95.
/// `common_effect()`: tau² = 0, the rest alike.
///
/// # Errors
/// [`ErrorKind::NoStudies`]; [`ErrorKind::InsufficientStudies`] where tau² or the t test lack degrees of
/// freedom; [`ErrorKind::Collinear`] with the names of the coefficients that cannot be told apart;
/// [`ErrorKind::InvalidInput`] for options out of range, names of coefficients that occur twice, and estimators of tau² that
/// have no joint form; [`ErrorKind::NotEstimable`] for a variance or correlation between trials that no trial tells of.
///
/// # Examples
/// ```
/// use armwise::meta_analysis::{CoefficientTest, MultivariateData, MultivariateModel};
/// use armwise::ndarray::array;
///
/// let (covariance, design) =
///     (array![[0.02, 0.01], [0.01, 0.02]], array![[1.0, 0.0], [0.0, 1.0]]);
/// let data = MultivariateData::new(["exemption", "guidance"])
///     .trial(&[0.10, 0.05], covariance.view(), design.view())?
///     .trial(&[0.02, 0.07], covariance.view(), design.view())?;
/// let pooled =
///     MultivariateModel::common_effect().test(CoefficientTest::Normal).pool(&data)?;
/// assert!((pooled.coefficient("exemption")?.estimate - 0.06).abs() < 1e-12);
/// # Ok::<(), armwise::Error>(())
/// ```
///
/// # References
/// Gleser & Olkin 2009; Jackson, Riley & White 2011, Stat. Med. 30.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MultivariateModel {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) tau2: Option<Tau2>,
    pub(super) structure: BetweenStructure,
    pub(super) correlation: f64,
    test: CoefficientTest,
    pub(super) level: f64,
}

impl MultivariateModel {
    /// Effects that vary between trials: REML, correlation 1/2.
    pub fn random_effects() -> Self {
        Self {
            tau2: Some(Tau2::Reml),
            structure: BetweenStructure::FixedCorrelation,
            correlation: 0.5,
            test: CoefficientTest::TrialsMinus1,
            level: 0.95,
        }
    }

    /// No variance between trials.
    pub fn common_effect() -> Self {
        Self { tau2: None, ..Self::random_effects() }
    }

    /// Whether contrasts with one control vary together by its share of half: what joint models of trials are.
    pub(crate) fn shares_a_control(&self) -> bool {
        self.structure == BetweenStructure::FixedCorrelation && self.correlation == 0.5
    }

    setters! {
        /// The estimator of tau²: REML, ML, DerSimonian-Laird or Paule-Mandel; makes a common effect random.
        tau2: Tau2 as Some;
        /// How effects that vary between trials do so; default one tau² with a given correlation.
        structure: BetweenStructure;
        /// The correlation between trials of effects of one trial, from 0 to below 1; default 1/2. For
        /// [`BetweenStructure::FixedCorrelation`]: the other structures estimate theirs, or have none.
        correlation: f64;
        /// The reference distribution; default t with trials - 1 degrees of freedom.
        test: CoefficientTest;
        /// The confidence level, between 0 and 1; default 0.95.
        level: f64;
    }

    /// Fits the model, in time that grows with the cube of the number of coefficients.
    ///
    /// # Errors
    /// As listed for the type; `invalid_input` with more than 1,000 coefficients.
    pub fn pool(&self, data: &MultivariateData) -> Result<MultivariatePool> {
        check_level(self.level)?;
        if !(self.correlation >= 0.0 && self.correlation < 1.0) {
            return Err(Error::invalid(format!(
                "the correlation between trials must lie from 0 to below 1, not {}; 1/2 suits a shared control",
                self.correlation
            )));
        }
        if data.blocks.is_empty() {
            return Err(ErrorKind::NoStudies.into());
        }
        if data.names.is_empty() {
            return Err(Error::invalid(
                "a joint model needs at least one coefficient; name the columns of the design",
            ));
        }
        held_jointly(data.names.len(), MOST_COEFFICIENTS, "coefficients")?;
        if let Some(i) = (1..data.names.len()).find(|&i| data.names[..i].contains(&data.names[i])) {
            return Err(Error::invalid(format!(
                "two coefficients are named \"{}\"; give each its own name",
                data.names[i]
            )));
        }
        let basis = Orthogonal::new(&data.x, &data.names)?;
        let (independent, _) = data.rotate(0.0, &basis.q)?;
        let zero = independent.at(0.0)?;
        let q = ChiSquaredTest::new(zero.q, independent.df() as f64)?;
        let fit = match (self.tau2, self.structure) {
            (None, _) => self.one_variance(data, &basis, None)?,
            (Some(method), BetweenStructure::FixedCorrelation) => {
                self.one_variance(data, &basis, Some(method))?
            }
            (Some(method), _) => self.structured(data, &basis, &independent, method)?,
        };
        let p = data.names.len();
        let df = match self.test {
            CoefficientTest::Normal => None,
            CoefficientTest::TrialsMinus1 => Some(data.trials() - 1),
            CoefficientTest::Residual => Some(independent.df()),
        };
        if df == Some(0) {
            return Err(ErrorKind::InsufficientStudies(
                "there are no degrees of freedom for a t test of the coefficients; take the normal test"
                    .into(),
            )
            .into());
        }
        let covariance = basis.covariance(&fit.covariance);
        let wald = Wald::new(df.map(|df| df as f64), self.level)?;
        let named = data.names.iter().zip(basis.coefficients(&fit.coefficients)).enumerate();
        let coefficients = named
            .map(|(i, (name, estimate))| wald.coefficient(name, estimate, covariance[(i, i)].sqrt()))
            .collect();
        Ok(MultivariatePool {
            trials: data.trials(),
            effects: data.effects(),
            coefficients,
            covariance: Array2::from_shape_fn((p, p), |cell| covariance[cell]),
            tau2_estimator: self.tau2,
            tau2: fit.tau2,
            se_tau2: fit.se_tau2,
            tau2_interval: fit.tau2_interval,
            boundary: fit.boundary,
            correlation: fit.correlation,
            structure: self.structure,
            between_covariance: fit
                .between
                .map(|between| Array2::from_shape_fn((between.n, between.n), |cell| between[cell])),
            typical_variance: if independent.df() > 0 { independent.df() as f64 / zero.trace_p } else { 0.0 },
            q,
            residual_q: fit.residual_q,
            log_likelihood: fit.log.full,
            restricted_log_likelihood: fit.log.restricted,
            level: self.level,
        })
    }

    fn one_variance(&self, data: &MultivariateData, basis: &Orthogonal, method: Option<Tau2>) -> Result<Fit> {
        let (rows, log_det_between) = data.rotate(self.correlation, &basis.q)?;
        let estimate = method.map(|method| rows.tau2(method)).transpose()?;
        let tau2 = estimate.map_or(0.0, |estimate| estimate.tau2);
        let at = rows.at(tau2)?;
        let log = rows.log_likelihoods(tau2, &at);
        Ok(Fit {
            covariance: at.covariance(),
            residual_q: Some(at.q),
            coefficients: at.coefficients,
            tau2,
            se_tau2: estimate.and_then(|estimate| estimate.se),
            tau2_interval: match method {
                Some(_) if rows.df() > 0 => {
                    Some(rows.q_profile(ChiSquaredQuantiles::new(rows.df() as f64, self.level)?)?)
                }
                _ => None,
            },
            boundary: method.is_some() && tau2 == 0.0,
            correlation: method.map(|_| self.correlation),
            between: None,
            log: LogLikelihoods {
                full: log.full - 0.5 * log_det_between,
                restricted: log.restricted - 0.5 * log_det_between,
            },
        })
    }

    fn structured(
        &self,
        data: &MultivariateData,
        basis: &Orthogonal,
        rows: &Rows,
        method: Tau2,
    ) -> Result<Fit> {
        let likelihood = match method {
            Tau2::Reml => Likelihood::Restricted,
            Tau2::Ml => Likelihood::Full,
            other => {
                return Err(Error::invalid(format!(
                    "a covariance between trials of several parameters is fitted by REML or ML, not by {other:?}"
                )));
            }
        };
        let structure = match self.structure {
            BetweenStructure::CompoundSymmetry => Structure::CompoundSymmetry,
            BetweenStructure::HeteroscedasticCompoundSymmetry => Structure::Heteroscedastic,
            BetweenStructure::Diagonal | BetweenStructure::FixedCorrelation => Structure::Diagonal,
            BetweenStructure::Unstructured => Structure::Unstructured,
            BetweenStructure::Nested => Structure::Nested,
        };
        let Outcomes { names, of } =
            if structure == Structure::Nested { data.places()? } else { data.levels()? };
        let q = names.len();
        let stacked = Stacked { y: &data.y, x: &basis.q, p: rows.p, blocks: &data.blocks, levels: of, q };
        stacked.check_estimable(structure, likelihood, &names)?;
        let rough = rows.tau2(Tau2::DerSimonianLaird)?.tau2;
        let fit = stacked.fit(structure, likelihood, rough)?;
        let variance = |i: usize| fit.between[(i, i)];
        let tau2 = (0..q).map(variance).sum::<f64>() / q as f64;
        let correlation = match structure {
            Structure::Diagonal => None,
            Structure::Unstructured if q != 2 => None,
            _ if q < 2 || variance(0) * variance(1) <= 0.0 => None,
            _ => Some(fit.between[(0, 1)] / (variance(0) * variance(1)).sqrt()),
        };
        let smallest = fit.between.clone().eigen().0.into_iter().fold(f64::INFINITY, f64::min);
        // Of three levels the variance of either.
        let smallest =
            if structure == Structure::Nested { smallest.min(fit.between[(0, 1)]) } else { smallest };
        Ok(Fit {
            boundary: smallest <= 1e-9 * (tau2 + rows.v.iter().fold(f64::INFINITY, |least, v| least.min(*v))),
            covariance: fit.covariance,
            coefficients: fit.coefficients,
            tau2,
            se_tau2: None,
            tau2_interval: None,
            residual_q: None,
            correlation,
            between: (structure != Structure::Nested).then_some(fit.between),
            log: LogLikelihoods { full: fit.full, restricted: fit.restricted },
        })
    }
}

/// What either way of fitting gives, with coefficients of the orthonormal columns.
struct Fit {
    coefficients: Vec<f64>,
    covariance: Square,
    tau2: f64,
    se_tau2: Option<f64>,
    tau2_interval: Option<Interval>,
    boundary: bool,
    correlation: Option<f64>,
    between: Option<Square>,
    residual_q: Option<f64>,
    log: LogLikelihoods,
}

impl MultivariateData {
    /// The outcome that each effect is: the one named, or the coefficient that it belongs to.
    fn levels(&self) -> Result<Outcomes> {
        let p = self.names.len();
        let level = |row: &[f64]| {
            let ones = row.iter().filter(|x| **x == 1.0).count();
            let zeros = row.iter().filter(|x| **x == 0.0).count();
            if ones == 1 && zeros == p - 1 { row.iter().position(|x| *x == 1.0) } else { None }
        };
        let outcomes = if let Some(named) = &self.outcomes {
            named.clone()
        } else {
            let levels: Option<Vec<usize>> = self.x.chunks_exact(p).map(level).collect();
            let of = levels.ok_or_else(|| {
                Error::invalid(
                    "this covariance between trials needs to know the outcome of every effect, and the design does \
                     not say it (a single 1 in each row); name them with outcomes, or take a fixed correlation",
                )
            })?;
            Outcomes { names: self.names.clone(), of }
        };
        let mut start = 0;
        for (index, block) in self.blocks.iter().enumerate() {
            let own = &outcomes.of[start..start + block.n];
            if (1..own.len()).any(|i| own[..i].contains(&own[i])) {
                return Err(Error::invalid(format!(
                    "trial {} has two effects of the same outcome, of which this covariance between trials can \
                     make nothing; combine them, or take the nested structure",
                    index + 1
                )));
            }
            start += block.n;
        }
        Ok(outcomes)
    }

    /// The place of each effect within its cluster.
    fn places(&self) -> Result<Outcomes> {
        let largest = self.blocks.iter().map(|block| block.n).max().unwrap_or(0);
        if largest < 2 || self.blocks.len() < 2 {
            return Err(ErrorKind::InsufficientStudies(
                "three levels need two clusters, and one cluster with two effects; take one variance instead"
                    .into(),
            )
            .into());
        }
        let names = (1..=largest).map(|place| format!("effect {place}")).collect();
        Ok(Outcomes { names, of: self.blocks.iter().flat_map(|block| 0..block.n).collect() })
    }
}
