//! What was observed besides the covariates: response, weights, offset.

use super::family::Family;
use super::matrix::{BLOCK, Indicator, ModelMatrix};
use crate::compute::linalg::part;
use crate::error::{Error, ErrorKind, Result, counted, number};
use ndarray::{Array1, ArrayView1};
use std::ops::Range;

/// Numbers beyond this would overflow when squared and summed.
const LARGEST: f64 = 1e140;

/// Sums that are formed next to each other, so that none waits for another.
const LANES: usize = 4;

/// The response of a regression.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub enum Response<'a> {
    /// Numbers, in a view of any stride.
    Numbers(ArrayView1<'a, f64>),
    /// A 0/1 outcome.
    Binary(Indicator<'a>),
    /// Successes out of trials in each row; the modelled response is their share.
    Grouped(Grouped<'a>),
}

/// Successes out of trials in each row.
#[derive(Debug, Clone, Copy)]
pub struct Grouped<'a> {
    /// The number of successes.
    pub successes: ArrayView1<'a, f64>,
    /// The number of trials, at least the successes. Rows with 0 trials do not count.
    pub trials: ArrayView1<'a, f64>,
}

from! {
    'a;
    ArrayView1<'a, f64> => Response<'a>: |values| Self::Numbers(values);
    &'a Array1<f64> => Response<'a>: |values| Self::Numbers(values.view());
    &'a [f64] => Response<'a>: |values| Self::Numbers(values.into());
}

impl<'a, T> From<&'a [T]> for Response<'a>
where
    Indicator<'a>: From<&'a [T]>,
{
    fn from(values: &'a [T]) -> Self {
        Self::Binary(values.into())
    }
}

from! {
    'a;
    Indicator<'a> => Response<'a>: |values| Self::Binary(values);
    Grouped<'a> => Response<'a>: |values| Self::Grouped(values);
}

/// What a weight means. All kinds give the same coefficients and different standard errors.
#[derive(Debug, Clone, Copy, Default)]
#[non_exhaustive]
pub enum Weights<'a> {
    /// Every row counts once.
    #[default]
    None,
    /// Precision (analytic, prior) weights: the variance of a row is inversely proportional to its weight.
    /// The number of observations is the number of rows with a positive weight.
    Precision(ArrayView1<'a, f64>),
    /// Probability (sampling, survey) weights: a row stands for others that were not observed, in any unit.
    /// The likelihood is then one in name only, so that it gives no variance, no test and no information
    /// criterion; robust variances hold, whatever the unit.
    Probability(ArrayView1<'a, f64>),
    /// How often each row was observed: every result equals that of the expanded data.
    Frequency(&'a [u64]),
}

impl<'a> Weights<'a> {
    /// The same weights with a shorter borrow.
    pub(crate) fn reborrow<'d>(self) -> Weights<'d>
    where
        'a: 'd,
    {
        match self {
            Self::None => Weights::None,
            Self::Precision(weights) => Weights::Precision(weights.reborrow()),
            Self::Probability(weights) => Weights::Probability(weights.reborrow()),
            Self::Frequency(counts) => Weights::Frequency(counts),
        }
    }

    /// The weights that are numbers in any unit.
    pub(crate) fn numbers(&self) -> Option<ArrayView1<'a, f64>> {
        match self {
            Self::Precision(weights) | Self::Probability(weights) => Some(*weights),
            Self::None | Self::Frequency(_) => None,
        }
    }

    /// Refuses what a likelihood says, whose size is that of the unit of probability weights.
    pub(crate) fn check_likelihood(&self, what: &str) -> Result<()> {
        match self {
            Self::Probability(_) => Err(Error::invalid(format!(
                "{what} of probability weights depends on their unit; use a robust variance such as Hc0, or give the weights as those of \
                 precision or frequency if that is what they are"
            ))),
            _ => Ok(()),
        }
    }
}

/// What was observed in the rows of a regression besides the covariates.
#[derive(Debug, Clone)]
pub struct Observations<'a> {
    pub(crate) response: Response<'a>,
    pub(crate) weights: Weights<'a>,
    pub(crate) offset: Option<ArrayView1<'a, f64>>,
}

/// The rows of one block.
#[derive(Debug, Clone)]
pub(crate) struct Rows {
    pub(crate) y: Vec<f64>,
    /// Prior weight times trials: the weight of one unit.
    pub(crate) weight: Vec<f64>,
    /// How many such units there are.
    pub(crate) frequency: Vec<f64>,
    pub(crate) offset: Vec<f64>,
}

/// Totals over the rows.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Totals {
    /// Observations: rows with a positive weight, or the sum of the frequencies.
    pub(crate) n: f64,
    /// The sum of weight times frequency.
    pub(crate) weight: f64,
    /// The weighted mean of the response.
    pub(crate) mean: f64,
    /// The weighted mean of `exp(offset)`.
    pub(crate) mean_exposure: f64,
    pub(crate) smallest: f64,
    pub(crate) largest: f64,
    /// Whether the response is 0 or 1 in every row.
    pub(crate) binary: bool,
}

/// Whether every number is between `least` and [`LARGEST`].
fn in_range(values: &[f64], least: f64) -> bool {
    values.iter().all(|x| (least..=LARGEST).contains(x))
}

impl Totals {
    /// Adds a block of rows.
    fn add(&mut self, block: &Rows, has_offset: bool) {
        // Deviations from a value among them do not overflow, and lose no digits to a large common value.
        let origin = if self.weight > 0.0 { self.mean } else { block.y.first().copied().unwrap_or(0.0) };
        let (mut weights, mut deviations, mut n) = ([0.0; LANES], [0.0; LANES], [0.0; LANES]);
        let (mut smallest, mut largest) = ([f64::INFINITY; LANES], [f64::NEG_INFINITY; LANES]);
        let mut binary = true;
        for start in (0..block.y.len()).step_by(LANES) {
            let end = (start + LANES).min(block.y.len());
            let rows =
                block.y[start..end].iter().zip(&block.weight[start..end]).zip(&block.frequency[start..end]);
            for (lane, ((&y, &weight), &frequency)) in rows.enumerate() {
                let w = weight * frequency;
                let counts = w > 0.0;
                binary &= y == 0.0 || y == 1.0;
                weights[lane] += if counts { w } else { 0.0 };
                deviations[lane] += if counts { w * (y - origin) } else { 0.0 };
                n[lane] += if counts { frequency } else { 0.0 };
                smallest[lane] = if counts && y < smallest[lane] { y } else { smallest[lane] };
                largest[lane] = if counts && y > largest[lane] { y } else { largest[lane] };
            }
        }
        let weight: f64 = weights.iter().sum();
        self.binary &= binary;
        if weight == 0.0 {
            return;
        }
        if has_offset {
            let (mut sum, mut exposure) = (self.weight, self.mean_exposure);
            for ((weight, frequency), offset) in block.weight.iter().zip(&block.frequency).zip(&block.offset)
            {
                let w = weight * frequency;
                if w > 0.0 {
                    sum += w;
                    exposure += (offset.exp() - exposure) * (w / sum);
                }
            }
            self.mean_exposure = exposure;
        }
        self.n += n.iter().sum::<f64>();
        self.weight += weight;
        self.mean = origin + deviations.iter().sum::<f64>() / self.weight;
        self.smallest = smallest.iter().fold(self.smallest, |least, y| least.min(*y));
        self.largest = largest.iter().fold(self.largest, |most, y| most.max(*y));
    }
}

impl Rows {
    pub(crate) fn new() -> Self {
        Self {
            y: Vec::with_capacity(BLOCK),
            weight: Vec::with_capacity(BLOCK),
            frequency: Vec::with_capacity(BLOCK),
            offset: Vec::with_capacity(BLOCK),
        }
    }

    /// `(y, weight, frequency)` of each row.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (f64, f64, f64)> {
        self.y.iter().zip(&self.weight).zip(&self.frequency).map(|((y, w), f)| (*y, *w, *f))
    }
}

impl<'d> Observations<'d> {
    /// Of a response, weights and an offset, not checked.
    pub fn new<'a: 'd>(
        response: Response<'d>,
        weights: Weights<'a>,
        offset: Option<ArrayView1<'a, f64>>,
    ) -> Self {
        Self { response, weights: weights.reborrow(), offset: offset.map(ArrayView1::reborrow) }
    }

    pub(crate) fn rows(&self) -> usize {
        match self.response {
            Response::Numbers(values) => values.len(),
            Response::Binary(Indicator::Bytes(values)) => values.len(),
            Response::Binary(Indicator::Flags(values)) => values.len(),
            Response::Grouped(grouped) => grouped.successes.len(),
        }
    }

    /// Reads a block of rows.
    pub(crate) fn read(&self, rows: Range<usize>, into: &mut Rows) {
        let n = rows.len();
        let copy = |view: &ArrayView1<f64>, into: &mut Vec<f64>| {
            into.clear();
            into.extend(part(*view, rows.clone()));
        };
        let constant = |value: f64, into: &mut Vec<f64>| {
            into.clear();
            into.resize(n, value);
        };
        constant(1.0, &mut into.weight);
        constant(1.0, &mut into.frequency);
        match &self.response {
            Response::Numbers(values) => copy(values, &mut into.y),
            Response::Binary(values) => {
                into.y.clear();
                match values {
                    Indicator::Bytes(values) => {
                        into.y.extend(values[rows.clone()].iter().map(|v| f64::from(*v)));
                    }
                    Indicator::Flags(values) => {
                        into.y.extend(values[rows.clone()].iter().map(|v| f64::from(u8::from(*v))));
                    }
                }
            }
            Response::Grouped(Grouped { successes, trials }) => {
                copy(trials, &mut into.weight);
                copy(successes, &mut into.y);
                for (y, m) in into.y.iter_mut().zip(&into.weight) {
                    *y = if *m > 0.0 { *y / m } else { 0.0 };
                }
            }
        }
        match self.weights {
            Weights::None => {}
            Weights::Precision(weights) | Weights::Probability(weights) => {
                into.weight.iter_mut().zip(part(weights, rows.clone())).for_each(|(w, prior)| *w *= prior);
            }
            Weights::Frequency(counts) => {
                into.frequency
                    .iter_mut()
                    .zip(&counts[rows.clone()])
                    .for_each(|(f, count)| *f = *count as f64);
            }
        }
        match &self.offset {
            Some(offset) => copy(offset, &mut into.offset),
            None => constant(0.0, &mut into.offset),
        }
    }

    /// 1 for rows with a positive weight, else 0.
    pub(crate) fn counted(&self, rows: Range<usize>) -> Vec<f64> {
        let mut block = Rows::new();
        self.read(rows, &mut block);
        block.iter().map(|(_, weight, frequency)| f64::from(u8::from(weight * frequency > 0.0))).collect()
    }

    /// The totals of a response of 0 and 1 without weights and offset; `None` for other responses, and where
    /// a value is neither.
    fn binary_totals(&self, family: Family) -> Option<Totals> {
        let plain = matches!(self.weights, Weights::None) && self.offset.is_none();
        let allowed = matches!(family, Family::Binomial | Family::QuasiBinomial);
        let (n, ones) = match &self.response {
            _ if !(plain && allowed) => return None,
            Response::Numbers(values) => {
                let count = |wanted: f64| match values.as_slice() {
                    Some(values) => values.iter().map(|y| u64::from(*y == wanted)).sum::<u64>(),
                    None => values.iter().map(|y| u64::from(*y == wanted)).sum(),
                };
                let (ones, zeros) = (count(1.0), count(0.0));
                let n = values.len() as u64;
                (ones + zeros == n).then_some((n, ones))?
            }
            Response::Binary(Indicator::Bytes(values)) => {
                (values.len() as u64, values.iter().map(|y| u64::from(*y)).sum())
            }
            Response::Binary(Indicator::Flags(values)) => {
                (values.len() as u64, values.iter().map(|y| u64::from(*y)).sum())
            }
            Response::Grouped(_) => return None,
        };
        let (n, ones) = (n as f64, ones as f64);
        (n > 0.0).then_some(Totals {
            n,
            weight: n,
            mean: ones / n,
            mean_exposure: 1.0,
            smallest: if ones == n { 1.0 } else { 0.0 },
            largest: if ones > 0.0 { 1.0 } else { 0.0 },
            binary: true,
        })
    }

    /// Checks lengths and values, and sums up.
    // One check after the other, each with its sentence.
    #[allow(clippy::too_many_lines)]
    pub(crate) fn validate(&self, matrix: &ModelMatrix, family: Family) -> Result<Totals> {
        let n = matrix.nrows();
        let lengths = [
            ("response", Some(self.rows())),
            ("trials", if let Response::Grouped(g) = &self.response { Some(g.trials.len()) } else { None }),
            ("offset", self.offset.map(|offset| offset.len())),
            (
                "weights",
                match self.weights {
                    Weights::None => None,
                    Weights::Precision(weights) | Weights::Probability(weights) => Some(weights.len()),
                    Weights::Frequency(counts) => Some(counts.len()),
                },
            ),
        ];
        for (what, length) in lengths {
            if let Some(length) = length.filter(|length| *length != n) {
                return Err(Error::invalid(format!(
                    "holds {values} where the matrix has {rows}",
                    values = counted(length, "value"),
                    rows = counted(n, "row")
                ))
                .in_column(what));
            }
        }
        let grouped = match self.response {
            Response::Grouped(grouped) => Some(grouped),
            _ => None,
        };
        if grouped.is_some() && !matches!(family, Family::Binomial | Family::QuasiBinomial) {
            return Err(Error::invalid("successes out of trials need the binomial family"));
        }
        let refuse = |column: &str, row: usize, x: f64, needed: &str| {
            Err(Error::invalid(format!(
                "holds {} where {needed} is needed; mend the value, or leave the row out",
                number(x)
            ))
            .in_column(column)
            .in_row(row))
        };
        if let Response::Binary(Indicator::Bytes(values)) = self.response
            && let Some(row) = values.iter().position(|value| *value > 1)
        {
            return refuse("response", row, f64::from(values[row]), "0 or 1");
        }
        if let Some(totals) = self.binary_totals(family) {
            return Ok(totals);
        }
        let mut totals = Totals {
            n: 0.0,
            weight: 0.0,
            mean: 0.0,
            mean_exposure: 1.0,
            smallest: f64::INFINITY,
            largest: f64::NEG_INFINITY,
            binary: false,
        };
        let mut block = Rows::new();
        totals.binary = grouped.is_none();
        let weighed = self.weights.numbers().is_some();
        let exact = |x: f64| x.is_finite() && x.abs() <= LARGEST;
        for start in (0..n).step_by(BLOCK) {
            self.read(start..(start + BLOCK).min(n), &mut block);
            // The rows are looked at one by one where one of them is to be named.
            let fine = grouped.is_none()
                && in_range(&block.y, -LARGEST)
                && in_range(&block.offset, -LARGEST)
                && in_range(&block.weight, 0.0)
                && (family == Family::Gaussian || block.y.iter().all(|y| family.refuse(*y).is_none()));
            for (k, (y, weight, _)) in block.iter().enumerate().take(if fine { 0 } else { BLOCK }) {
                let (row, offset) = (start + k, block.offset[k]);
                if let Some(Grouped { successes, trials }) = grouped {
                    let (s, m) = (successes[row], trials[row]);
                    if !(m >= 0.0 && exact(m) && m == m.floor()) {
                        return refuse("trials", row, m, "a whole number that is not negative");
                    }
                    if !(s >= 0.0 && s <= m && s == s.floor()) {
                        return refuse("successes", row, s, "a whole number between 0 and the trials");
                    }
                } else if !exact(y) {
                    return refuse("response", row, y, "a finite number of at most 1e140");
                } else if let Some(needed) = family.refuse(y) {
                    return refuse("response", row, y, needed);
                }
                if weighed && !(weight >= 0.0 && exact(weight)) {
                    return refuse("weights", row, weight, "a finite number that is not negative");
                }
                if !exact(offset) {
                    return refuse("offset", row, offset, "a finite number of at most 1e140");
                }
            }
            totals.add(&block, self.offset.is_some());
        }
        if totals.weight > LARGEST {
            return Err(Error::invalid("the weights sum to more than 1e140; divide them by their mean"));
        }
        if totals.n == 0.0 {
            return Err(ErrorKind::InsufficientObservations(
                "there is no row with a positive weight; check the selection of rows".to_owned(),
            )
            .into());
        }
        Ok(totals)
    }
}

/// A row at the estimate.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Unit {
    pub(crate) row: usize,
    pub(crate) eta: f64,
    pub(crate) y: f64,
    /// Prior weight times trials.
    pub(crate) weight: f64,
    pub(crate) frequency: f64,
}
