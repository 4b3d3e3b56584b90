use super::waves::Waves;
use crate::compute::mean::{Difference, MeansVariance, Sample, TwoMeans};
use crate::compute::regression::{ClusterVariance, Clustered, Family, Fit, Fitted, Glm, ModelMatrix};
use crate::error::{Error, ErrorKind, Result, WaveProblem, counted};
use ndarray::{Array1, Array2};

/// The difference of changes of two groups between two waves.
///
/// # Formula
/// Pooled, over all rows: least squares on group, wave and their product, `(m_11 - m_10) - (m_01 - m_00)` of
/// the four means `m_gw`, with the rows of a unit dependent ([`ClusterVariance`]; CR2 with Student's t on
/// Satterthwaite's degrees of freedom). Of changes: the difference in mean change of units with both waves,
/// which is the estimate with fixed effects of units and waves. Where nobody is missing the two are one.
///
/// # Assumptions
/// Without the treatment both groups would have changed alike: holds by design where groups are randomised,
/// and is an assumption (parallel trends) where they are not.
///
/// # References
/// Bell RM, McCaffrey DF (2002), Survey Methodology 28:169. Angrist JD, Pischke JS (2009), Mostly Harmless
/// Econometrics, chapter 5.
///
/// ```
/// use armwise::longitudinal::{DifferenceInDifferences, Waves};
/// use armwise::mean::MeansVariance;
///
/// let score = [5.0, 6.0, 4.0, 4.5, 7.0, 6.5, 6.0, 8.0, 5.5, 8.5, 7.0];
/// let unit = [0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5];
/// let wave = [0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0];
/// let waves = Waves::new(&score, &unit, &wave)?;
/// let both = DifferenceInDifferences::new(&waves, &[0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1])?;
/// let changes = both.changes()?;
/// assert_eq!((changes.treatment.n, changes.control.n), (2, 3));
/// let effect = changes.difference(MeansVariance::Welch)?;
/// assert!((effect.estimate - (2.5 - 1.0 / 3.0)).abs() < 1e-12);
/// # Ok::<(), armwise::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct DifferenceInDifferences<'a> {
    waves: &'a Waves<'a>,
    /// The group of each unit.
    treated: Vec<bool>,
}

/// The changes of units with both waves.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct ChangesByGroup {
    /// Of the second group.
    pub treatment: Sample,
    /// Of the first.
    pub control: Sample,
}

impl ChangesByGroup {
    /// The difference in mean change.
    ///
    /// # Errors
    /// Those of two means.
    pub fn difference(&self, variance: MeansVariance) -> Result<Difference> {
        Ok(TwoMeans::new(self.treatment, self.control)?.difference(variance))
    }
}

impl<'a> DifferenceInDifferences<'a> {
    /// Of two waves, with the code of the group in each row: 0, or 1 for the treated.
    ///
    /// # Errors
    /// `invalid_input` unless there are two waves, for another code, or other lengths; `bad_waves` where a
    /// unit has rows of two groups; `insufficient_observations` where a group has no outcome in a wave.
    pub fn new(waves: &'a Waves<'a>, group: &[u32]) -> Result<Self> {
        if waves.numbers().len() != 2 {
            let why = format!(
                "a difference in differences is of two waves, but there are outcomes in {}; keep two of them",
                counted(waves.numbers().len(), "wave")
            );
            return Err(Error::invalid(why));
        }
        if group.iter().any(|code| *code > 1) {
            return Err(Error::invalid(
                "a difference in differences is of two groups; give 0, or 1 for the treated",
            ));
        }
        let two = |row| {
            let groups = vec!["0".to_owned(), "1".to_owned()];
            Error::from(ErrorKind::BadWaves(WaveProblem::TwoGroups { groups })).in_row(row)
        };
        let treated = waves.of_units(group, two)?.into_iter().map(|code| code == 1).collect();
        let this = Self { waves, treated };
        let counts = this.cells(|_| 1.0);
        if let Some(((g, w), _)) = counts.indexed_iter().find(|(_, count)| **count == 0.0) {
            let why = format!(
                "group {g} has no outcome in wave {}; take another wave, or leave the group out",
                waves.numbers()[w]
            );
            return Err(ErrorKind::InsufficientObservations(why).into());
        }
        Ok(this)
    }

    /// Sums over the rows of each group (rows) and wave (columns).
    fn cells(&self, value: impl Fn(usize) -> f64) -> Array2<f64> {
        let mut sums = Array2::zeros((2, 2));
        for (rows, treated) in self.waves.units().iter().zip(&self.treated) {
            for &(row, place) in rows {
                sums[[usize::from(*treated), place]] += value(row);
            }
        }
        sums
    }

    /// The means of each group (rows) in each wave (columns).
    pub fn means(&self) -> Array2<f64> {
        self.cells(|row| self.waves.outcome[row]) / self.cells(|_| 1.0)
    }

    /// The estimate of all rows.
    ///
    /// # Errors
    /// Those of the variance: `not_estimable` and `insufficient_observations` where units are too few.
    pub fn pooled(&self, variance: ClusterVariance) -> Result<Difference> {
        self.with_regression(|fit, clustered| {
            let covariance = clustered.covariance(variance)?;
            let last = Array2::from_shape_fn((1, 4), |(_, j)| f64::from(u8::from(j == 3)));
            let df = match variance {
                ClusterVariance::Cr0 => None,
                ClusterVariance::Cr2 => clustered.satterthwaite_of(last.view())?.first().copied(),
                _ => Some(clustered.n_clusters() as f64 - 1.0),
            };
            Ok(Difference { estimate: fit.estimates()[3], se: covariance[[3, 3]].max(0.0).sqrt(), df })
        })
    }

    /// The variance of the change of the first group, which differences of several groups from it share.
    ///
    /// # Errors
    /// As [`DifferenceInDifferences::pooled`].
    pub(crate) fn control_variance(&self, variance: ClusterVariance) -> Result<f64> {
        self.with_regression(|_, clustered| Ok(clustered.covariance(variance)?[[2, 2]]))
    }

    fn with_regression<T>(&self, with: impl FnOnce(&Fit, &Clustered) -> Result<T>) -> Result<T> {
        let n = self.waves.n();
        let (mut treated, mut later) = (Array1::<f64>::zeros(n), Array1::<f64>::zeros(n));
        let mut unit = vec![0; n];
        for ((code, rows), own) in (0..).zip(self.waves.units()).zip(&self.treated) {
            for &(row, place) in rows {
                (treated[row], later[row]) = (f64::from(u8::from(*own)), place as f64);
                unit[row] = code;
            }
        }
        let both = &treated * &later;
        let matrix = ModelMatrix::new(n)
            .intercept()?
            .numeric("group", treated.view())?
            .numeric("wave", later.view())?
            .numeric("group:wave", both.view())?;
        let outcomes = Array1::from(self.waves.outcome.to_vec());
        let fit = Glm::new(Family::Gaussian).fit(&matrix, &outcomes)?;
        let clustered = fit.clustered(&unit)?;
        with(&fit, &clustered)
    }

    /// The changes of units with both waves.
    ///
    /// # Errors
    /// `insufficient_observations` with fewer than two such units of a group.
    pub fn changes(&self) -> Result<ChangesByGroup> {
        let of = |wanted: bool| {
            let own = self.waves.units().iter().zip(&self.treated).filter(|(_, treated)| **treated == wanted);
            let changes: Vec<f64> = own
                .filter_map(|(rows, _)| match rows[..] {
                    [(first, _), (second, _)] => Some(self.waves.outcome[second] - self.waves.outcome[first]),
                    _ => None,
                })
                .collect();
            Sample::of(&changes)
        };
        Ok(ChangesByGroup { treatment: of(true)?, control: of(false)? })
    }
}
