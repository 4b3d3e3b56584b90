//! The rows of a regression with a categorical outcome, checked once and read in blocks.

use crate::compute::linalg::part;
use crate::compute::regression::{
    Aliasing, Category, Checked, Family, Link, ModelMatrix, Observations, Response, Weights,
};
use crate::compute::regression::{Curve, Indicator};
use crate::error::{Error, ErrorKind, Result};
use ndarray::ArrayView2;
use std::ops::Range;

/// Design matrix, outcome codes and weights.
#[derive(Debug, Clone)]
pub(super) struct CategoryRows<'a> {
    pub(super) matrix: ModelMatrix<'a>,
    pub(super) codes: &'a [u32],
    pub(super) weights: Weights<'a>,
    pub(super) levels: Vec<String>,
    pub(super) reference: usize,
    /// Rows with a positive weight, or the sum of the frequencies.
    pub(super) n: f64,
    /// The sum of the weights of each category.
    pub(super) totals: Vec<f64>,
}

/// Where the intercepts of a model are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Intercepts {
    /// A column of the matrix, if wanted.
    InMatrix,
    /// The thresholds of the model: the matrix may not hold one.
    Thresholds,
}

/// A block of rows.
pub(super) struct RowBlock<'b> {
    /// The first row.
    pub(super) start: usize,
    /// One design column in each row.
    pub(super) x: ArrayView2<'b, f64>,
    pub(super) codes: &'b [u32],
    /// The weight of one unit.
    pub(super) weight: &'b [f64],
    /// How many such units there are.
    pub(super) frequency: &'b [f64],
}

impl<'a> CategoryRows<'a> {
    pub(super) fn new(
        matrix: ModelMatrix<'a>,
        outcome: Category<'a>,
        weights: Weights<'a>,
        intercepts: Intercepts,
    ) -> Result<Self> {
        let outcome = outcome.into_parts();
        let n = matrix.nrows();
        if outcome.codes.len() != n {
            return Err(Error::invalid(format!(
                "holds {} values where the matrix has {n} rows",
                outcome.codes.len()
            ))
            .in_column("response"));
        }
        let k = outcome.levels.len();
        if k < 2 || outcome.reference >= k {
            return Err(Error::invalid(format!(
                "the outcome has {k} categories and the reference {}; give at least two, and a reference among them (from 0)",
                outcome.reference
            )));
        }
        if let Some(row) = outcome.codes.iter().position(|code| *code as usize >= k) {
            let what = format!("holds the code {} where there are {k} categories", outcome.codes[row]);
            return Err(Error::invalid(what).in_column("response").in_row(row));
        }
        let mut rows = Self {
            n: 0.0,
            totals: vec![0.0; k],
            codes: outcome.codes,
            levels: outcome.levels,
            reference: outcome.reference,
            matrix,
            weights,
        };
        rows.n = rows.check_design(intercepts)?;
        rows.totals = rows.sum_weights();
        rows.check_categories()?;
        Ok(rows)
    }

    /// Values, lengths, weights and rank; gives the number of observations.
    fn check_design(&self, intercepts: Intercepts) -> Result<f64> {
        // The checks of the generalised linear models, for a response that every family takes.
        let nothing = vec![false; self.matrix.nrows()];
        let response = Response::Binary(Indicator::Flags(&nothing));
        let observations = Observations::new(response, self.weights, None);
        let curve = Curve::new(Family::Gaussian, Link::Identity)?;
        let design = match intercepts {
            Intercepts::InMatrix => self.matrix.reborrow(),
            Intercepts::Thresholds => self.matrix.with_constant().reborrow(),
        };
        Ok(Checked::of_data(&design, &observations, Family::Gaussian, curve, Aliasing::Refuse)?.totals.n)
    }

    fn sum_weights(&self) -> Vec<f64> {
        let mut totals = vec![0.0; self.levels.len()];
        self.for_each_block(|block| {
            for (k, code) in block.codes.iter().enumerate() {
                totals[*code as usize] += block.weight[k] * block.frequency[k];
            }
        });
        totals
    }

    fn check_categories(&self) -> Result<()> {
        let observed = self.totals.iter().filter(|total| **total > 0.0).count();
        if observed < 2 {
            return Err(ErrorKind::ConstantOutcome(
                "all rows have the same category, so that no coefficient has a finite estimate; report its proportion with an interval"
                    .to_owned(),
            )
            .into());
        }
        let missing = self.totals.iter().position(|total| *total == 0.0);
        missing.map_or(Ok(()), |k| {
            Err(ErrorKind::NotEstimable(format!(
                "no row has the category \"{}\", whose probability is then estimated as 0; leave it out of the categories",
                self.levels[k]
            ))
            .into())
        })
    }

    pub(super) fn categories(&self) -> usize {
        self.levels.len()
    }

    /// `sum W_k ln(W_k / W)`: the log-likelihood of constant probabilities.
    pub(super) fn null_log_likelihood(&self) -> f64 {
        let all: f64 = self.totals.iter().sum();
        self.totals.iter().map(|total| total * (total / all).ln()).sum()
    }

    /// Weight and frequency of some rows.
    pub(super) fn read_weights(&self, rows: Range<usize>, weight: &mut Vec<f64>, frequency: &mut Vec<f64>) {
        for values in [&mut *weight, &mut *frequency] {
            values.clear();
            values.resize(rows.len(), 1.0);
        }
        match self.weights {
            Weights::Prior(prior) => weight.iter_mut().zip(part(prior, rows)).for_each(|(out, w)| *out = *w),
            Weights::Frequency(counts) => {
                frequency.iter_mut().zip(&counts[rows]).for_each(|(out, count)| *out = *count as f64);
            }
            Weights::None => {}
        }
    }

    pub(super) fn for_each_block(&self, mut with: impl FnMut(RowBlock)) {
        let (mut weight, mut frequency) = (Vec::new(), Vec::new());
        self.matrix.for_each_block(|range, x| {
            self.read_weights(range.clone(), &mut weight, &mut frequency);
            with(RowBlock {
                start: range.start,
                x,
                codes: &self.codes[range],
                weight: &weight,
                frequency: &frequency,
            });
        });
    }
}
