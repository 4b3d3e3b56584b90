use super::data::{Feature, SurvivalData};
use crate::compute::regression::{
    Category, ClusterVariance, Family, Fit, Fitted, Glm, Link, ModelMatrix, VarianceType,
};
use crate::error::{Error, ErrorKind, Result, counted, grouped};
use ndarray::{Array1, Array2, ArrayView2, Axis};
use serde::{Deserialize, Serialize};

/// A row for each period in which a person was at risk of the event: the data of hazards in discrete time.
///
/// The period of a time is `ceil(time / length)`: with a length of 1 and times in months, month 3 is the period 3,
/// and so is 2.4. Somebody who leaves without an event in a period was at risk in it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PersonPeriods {
    /// The row of the person, from 0.
    pub person: Vec<u32>,
    /// The period, from 1.
    pub period: Vec<u32>,
    /// Whether the event was in it: 0 or 1.
    pub event: Vec<u8>,
}

/// How the hazard of somebody with all covariates zero changes over the periods.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum BaselineShape {
    /// A level for each period with an event; without an event the hazard of a period is 0.
    #[default]
    EachPeriod,
    /// A polynomial of the third degree in `period / 12`.
    Cubic,
}

/// Hazards in discrete time: a regression of the event in each period at risk.
///
/// # Formula
/// `g(P(event in period m | at risk in it)) = a_m + x'b`. With the complementary log-log link `b` are log hazard
/// ratios of the continuous time behind the periods, and near those of [`Cox`](super::Cox) where periods are short
/// and many are at risk in each; with the logit link they are log odds ratios of the event in a period.
///
/// # References
/// Prentice RL, Gloeckler LA (1978), Biometrics 34:57. Singer JD, Willett JB (1993), Journal of Educational
/// Statistics 18:155.
///
/// ```
/// use armwise::ndarray::array;
/// use armwise::regression::{Link, ModelMatrix};
/// use armwise::survival::{DiscreteTime, SurvivalData};
///
/// let data = SurvivalData::new(
///     &[1.0, 2.0, 3.0, 3.0, 1.0, 2.0, 2.0, 3.0],
///     &[1, 1, 0, 1, 1, 0, 1, 0],
/// )?;
/// let arm = array![0.0, 0.0, 0.0, 0.0, 1.0, 1.0, 1.0, 1.0];
/// let matrix = ModelMatrix::new(8).numeric("arm", arm.view())?;
/// let fit = DiscreteTime::new(1.0).link(Link::ComplementaryLogLog).fit(&data, &matrix)?;
/// assert_eq!((fit.person_periods, fit.periods.len()), (17, 3));
/// # Ok::<(), armwise::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct DiscreteTime {
    length: f64,
    link: Link,
    baseline: BaselineShape,
}

/// A fitted regression of hazards in discrete time. The parameters of the baseline come first in `parameters`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DiscreteTimeFit {
    /// The names of the coefficients of covariates.
    pub names: Vec<String>,
    /// The parameters of the baseline, then the coefficients of the covariates.
    pub parameters: Array1<f64>,
    /// Their covariance matrix: the inverse of the expected information.
    pub covariance: Array2<f64>,
    /// Their covariance matrix with the periods of a person, or a cluster of the data, as one unit (CR0).
    pub clustered_covariance: Array2<f64>,
    /// The periods with a level of their own.
    pub periods: Vec<u32>,
    /// The number of periods at risk that were used.
    pub person_periods: usize,
    /// The number of events.
    pub events: usize,
    /// The log-likelihood.
    pub log_likelihood: f64,
    link: Link,
    baseline: BaselineShape,
    last_period: u32,
}

/// The mean risks of a population under several settings of its covariates.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StandardizedRisks {
    /// The risk under each setting.
    pub risks: Array1<f64>,
    /// Their covariance matrix with the inverse information.
    pub covariance: Array2<f64>,
    /// Their covariance matrix with the clustered one.
    pub clustered_covariance: Array2<f64>,
}

impl PersonPeriods {
    /// The periods at risk of each row.
    ///
    /// # Errors
    /// `invalid_input` for a length that is not above 0, times of more than a million periods, entry times, and
    /// an event at time 0, which lies in no period.
    pub fn new(data: &SurvivalData, length: f64) -> Result<Self> {
        data.refuse("a regression in discrete time", &[Feature::Entry])?;
        if !(length > 0.0 && length.is_finite()) {
            return Err(Error::invalid(format!("the length of a period is {length}; give one above 0")));
        }
        let mut all = Self { person: Vec::new(), period: Vec::new(), event: Vec::new() };
        for row in 0..data.n() {
            let last = (data.time[row] / length).ceil();
            if last > 1e6 {
                return Err(Error::invalid(format!(
                    "the time {} takes {last} periods of {length}; give a longer period",
                    data.time[row]
                ))
                .in_row(row));
            }
            if last == 0.0 && data.is_event(row) {
                return Err(Error::invalid(
                    "an event at time 0 lies in no period; count the first period as 1",
                )
                .in_row(row));
            }
            #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // 0 to 1e6
            let last = last as u32;
            for period in 1..=last {
                all.person.push(super::grid::code(row));
                all.period.push(period);
                all.event.push(u8::from(period == last && data.is_event(row)));
            }
        }
        Ok(all)
    }
}

/// Products of one pass over the rows that take some seconds.
const MOST_PRODUCTS: f64 = 1e10;

impl DiscreteTime {
    /// With periods of a length, the logit link, and a level for each period.
    pub fn new(length: f64) -> Self {
        Self { length, link: Link::Logit, baseline: BaselineShape::default() }
    }

    /// The link: [`Link::Logit`] or [`Link::ComplementaryLogLog`]. Default: the logit.
    #[must_use]
    pub fn link(mut self, link: Link) -> Self {
        self.link = link;
        self
    }

    /// The baseline. Default: [`BaselineShape::EachPeriod`].
    #[must_use]
    pub fn baseline(mut self, baseline: BaselineShape) -> Self {
        self.baseline = baseline;
        self
    }

    /// Fits the model; `matrix` has a row for each person.
    ///
    /// # Errors
    /// `no_events`; `invalid_input` for another link, another number of rows, entry times, weights or strata, and
    /// more than 1e10 products of rows and pairs of coefficients; as [`PersonPeriods::new`] and [`Glm::fit`].
    pub fn fit(&self, data: &SurvivalData, matrix: &ModelMatrix) -> Result<DiscreteTimeFit> {
        data.refuse("a regression in discrete time", &[Feature::Weights, Feature::Strata])?;
        if !matches!(self.link, Link::Logit | Link::ComplementaryLogLog) {
            return Err(Error::invalid(
                "a hazard in discrete time takes the logit or the complementary log-log link",
            ));
        }
        if matrix.nrows() != data.n() {
            return Err(Error::invalid(format!(
                "the rows of the matrix are {}, the times {}; give one row for each time",
                matrix.nrows(),
                data.n()
            )));
        }
        matrix.validate(|_, _| ())?;
        data.check_events()?;
        let mut rows = PersonPeriods::new(data, self.length)?;
        let last_period = rows.period.iter().copied().max().unwrap_or(0);
        let mut seen = vec![false; last_period as usize + 1];
        (0..rows.event.len())
            .filter(|&k| rows.event[k] == 1)
            .for_each(|k| seen[rows.period[k] as usize] = true);
        let periods: Vec<u32> = (1..=last_period).filter(|period| seen[*period as usize]).collect();
        if self.baseline == BaselineShape::EachPeriod {
            let kept: Vec<usize> = (0..rows.event.len()).filter(|&k| seen[rows.period[k] as usize]).collect();
            rows.person = kept.iter().map(|&k| rows.person[k]).collect();
            rows.event = kept.iter().map(|&k| rows.event[k]).collect();
            rows.period = kept.iter().map(|&k| rows.period[k]).collect();
        }
        let n = rows.person.len();
        let columns =
            matrix.ncols() + if self.baseline == BaselineShape::EachPeriod { periods.len() } else { 0 };
        if n as f64 * (columns as f64).powi(2) > MOST_PRODUCTS {
            return Err(Error::invalid(format!(
                "{} person-periods and {} are too many for a hazard of its own in each period; take longer periods, such as months \
                 for days",
                grouped(n),
                counted(columns, "coefficient")
            )));
        }
        let people = dense(matrix);
        let covariates =
            people.select(Axis(0), &rows.person.iter().map(|person| *person as usize).collect::<Vec<_>>());
        // A level that no row has as the reference, so that each period has its own column.
        let place = |period: &u32| super::grid::code(periods.partition_point(|known| known < period) + 1);
        let codes: Vec<u32> = rows.period.iter().map(place).collect();
        let powers = Array2::from_shape_fn((n, 3), |(k, j)| power(rows.period[k], j + 1));
        let levels = std::iter::once("none".to_owned()).chain(periods.iter().map(ToString::to_string));
        let mut model = ModelMatrix::new(n);
        let of_baseline = match self.baseline {
            BaselineShape::EachPeriod => {
                model = model.category("period", Category::new(&codes, levels).reference(0))?;
                periods.len()
            }
            BaselineShape::Cubic => {
                model = model.intercept()?;
                for (column, name) in powers.columns().into_iter().zip(["period", "period^2", "period^3"]) {
                    model = model.numeric(name, column)?;
                }
                4
            }
        };
        for (column, name) in covariates.columns().into_iter().zip(matrix.names()) {
            model = model.numeric(name.clone(), column)?;
        }
        let fit: Fit = Glm::new(Family::Binomial).link(self.link).fit(&model, &rows.event[..])?;
        let clusters: Vec<u32> = match data.clusters {
            None => rows.person.clone(),
            Some(codes) => rows.person.iter().map(|person| codes[*person as usize]).collect(),
        };
        let clustered = fit.clustered(&clusters)?;
        let events = rows.event.iter().map(|event| usize::from(*event)).sum();
        let fitted = DiscreteTimeFit {
            names: matrix.names().to_vec(),
            parameters: fit.estimates(),
            covariance: fit.covariance(VarianceType::Model)?,
            clustered_covariance: clustered.covariance(ClusterVariance::Cr0)?,
            periods: if self.baseline == BaselineShape::EachPeriod { periods } else { Vec::new() },
            person_periods: n,
            events,
            log_likelihood: fit.log_likelihood().unwrap_or(f64::NEG_INFINITY),
            link: self.link,
            baseline: self.baseline,
            last_period,
        };
        debug_assert_eq!(fitted.parameters.len(), of_baseline + fitted.names.len());
        Ok(fitted)
    }
}

impl DiscreteTimeFit {
    /// The parameters of the baseline.
    pub fn baseline(&self) -> Array1<f64> {
        self.parameters.iter().take(self.of_baseline()).copied().collect()
    }

    /// The coefficients of the covariates.
    pub fn coefficients(&self) -> Array1<f64> {
        self.parameters.iter().skip(self.of_baseline()).copied().collect()
    }

    /// The standard errors of the coefficients of the covariates by a covariance matrix of all parameters.
    pub fn se_of(&self, covariance: ArrayView2<f64>) -> Array1<f64> {
        covariance.diag().iter().skip(self.of_baseline()).map(|variance| variance.max(0.0).sqrt()).collect()
    }

    fn of_baseline(&self) -> usize {
        self.parameters.len() - self.names.len()
    }

    /// The risk of the event up to and including a period, averaged over people, under settings of their
    /// covariates (an array of people x covariates each): `1 - prod (1 - hazard)`. Covariances by the delta method,
    /// the people held fixed.
    ///
    /// # Errors
    /// `invalid_input` for a setting with another number of columns or without rows; `not_estimable` for a period
    /// beyond the last that was seen.
    pub fn standardized_risks(&self, settings: &[ArrayView2<f64>], until: u32) -> Result<StandardizedRisks> {
        if until > self.last_period {
            return Err(ErrorKind::NotEstimable(format!(
                "the period {until} lies beyond the follow-up, which ends with {}; give one of at most that",
                self.last_period
            ))
            .into());
        }
        let (first, q) = (self.of_baseline(), self.parameters.len());
        let mut risks = Array1::zeros(settings.len());
        let mut gradients = Array2::<f64>::zeros((settings.len(), q));
        for (s, setting) in settings.iter().enumerate() {
            if setting.ncols() != self.names.len() || setting.nrows() == 0 {
                return Err(Error::invalid(format!(
                    "a setting needs rows with one number for each covariate, {} of them",
                    self.names.len()
                )));
            }
            let share = 1.0 / setting.nrows() as f64;
            for person in setting.rows() {
                let of_covariates: f64 =
                    person.iter().zip(self.parameters.iter().skip(first)).map(|(x, b)| x * b).sum();
                let mut survival = 1.0;
                let mut slopes = Array1::<f64>::zeros(q);
                for period in 1..=until {
                    let Some(own) = self.baseline_row(period) else { continue };
                    let eta = of_covariates + own.iter().map(|(j, x)| x * self.parameters[*j]).sum::<f64>();
                    // The hazard, and its derivative over what it leaves.
                    let (left, slope) = if self.link == Link::ComplementaryLogLog {
                        ((-eta.exp()).exp(), eta.exp())
                    } else {
                        let hazard = 1.0 / (1.0 + (-eta).exp());
                        (1.0 - hazard, hazard)
                    };
                    survival *= left;
                    for (j, x) in &own {
                        slopes[*j] += slope * x;
                    }
                    person.iter().enumerate().for_each(|(j, x)| slopes[first + j] += slope * x);
                }
                risks[s] += share * (1.0 - survival);
                gradients.row_mut(s).scaled_add(share * survival, &slopes);
            }
        }
        let by = |covariance: &Array2<f64>| gradients.dot(covariance).dot(&gradients.t());
        Ok(StandardizedRisks {
            risks,
            covariance: by(&self.covariance),
            clustered_covariance: by(&self.clustered_covariance),
        })
    }

    /// The columns of the baseline in a period; `None` where its hazard is 0.
    fn baseline_row(&self, period: u32) -> Option<Vec<(usize, f64)>> {
        match self.baseline {
            BaselineShape::EachPeriod => {
                self.periods.binary_search(&period).ok().map(|place| vec![(place, 1.0)])
            }
            BaselineShape::Cubic => Some((0..4).map(|j| (j, power(period, j))).collect()),
        }
    }
}

#[allow(clippy::cast_possible_truncation, clippy::cast_possible_wrap)] // 0 to 3
fn power(period: u32, exponent: usize) -> f64 {
    (f64::from(period) / 12.0).powi(exponent as i32)
}

/// The matrix as one array.
pub(super) fn dense(matrix: &ModelMatrix) -> Array2<f64> {
    let mut all = Array2::zeros((matrix.nrows(), matrix.ncols()));
    matrix.for_each_block(|rows, block| {
        for (row, x) in rows.zip(block.columns()) {
            all.row_mut(row).assign(&x);
        }
    });
    all
}
