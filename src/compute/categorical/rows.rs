//! The rows of a regression with a categorical outcome, checked once and read in blocks.

use crate::compute::linalg::part;
use crate::compute::regression::{
    Aliasing, BLOCK, Category, Checked, ColumnMoments, Curve, Family, Link, ModelMatrix, Observations,
    Response, Weights,
};
use crate::error::{Error, ErrorKind, Result, counted};
use ndarray::{ArrayView2, aview0};
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
    /// Of the columns of the matrix, where they were checked in vectors.
    pub(super) moments: Option<ColumnMoments>,
}

/// The number of categories beyond which the products of the probabilities of the rows of a panel could overflow.
const MOST_IN_VECTORS: usize = 100;

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
                "holds {} where the matrix has {rows}",
                counted(outcome.codes.len(), "value"),
                rows = counted(n, "row")
            ))
            .in_column("response"));
        }
        let k = outcome.levels.len();
        if k < 2 || outcome.reference >= k {
            return Err(Error::invalid(format!(
                "the outcome has {categories} and the reference {}; give at least two, and a reference among them (from 0)",
                outcome.reference,
                categories = counted(k, "category")
            )));
        }
        if let Some(row) = outcome.codes.iter().position(|code| *code as usize >= k) {
            let what = format!(
                "holds the code {} beyond {categories}; codes count from 0",
                outcome.codes[row],
                categories = counted(k, "category")
            );
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
            moments: None,
        };
        rows.check_design(intercepts)?;
        rows.totals = rows.sum_weights();
        rows.check_categories()?;
        Ok(rows)
    }

    /// Values, lengths, weights and rank.
    fn check_design(&mut self, intercepts: Intercepts) -> Result<()> {
        // The checks of the generalised linear models, for a response without memory that every family takes.
        let zero = aview0(&0.0);
        let Some(nothing) = zero.broadcast(self.matrix.nrows()) else {
            return Err(Error::invalid("the matrix has more rows than memory"));
        };
        let observations = Observations::new(Response::Numbers(nothing), self.weights, None);
        let curve = Curve::new(Family::Binomial, Link::Logit)?;
        let (design, before) = match intercepts {
            Intercepts::InMatrix => (self.matrix.reborrow(), 0),
            Intercepts::Thresholds => (self.matrix.with_constant().reborrow(), 1),
        };
        let checked = Checked::of_data(&design, &observations, Family::Binomial, curve, Aliasing::Refuse)?;
        let own: Vec<usize> = (before..design.ncols()).collect();
        self.n = checked.totals.n;
        self.moments = checked.moments.map(|moments| moments.select(&own));
        Ok(())
    }

    /// What is known of the columns, where passes in vectors suit the rows.
    pub(super) fn vectorised(&self) -> Option<&ColumnMoments> {
        let suits = matches!(self.weights, Weights::None)
            && (1..=MOST_IN_VECTORS).contains(&self.categories())
            && self.matrix.ncols() > 0;
        self.moments.as_ref().filter(|_| suits)
    }

    fn sum_weights(&self) -> Vec<f64> {
        let mut totals = vec![0.0; self.levels.len()];
        let (mut weight, mut frequency) = (Vec::new(), Vec::new());
        for start in (0..self.codes.len()).step_by(BLOCK) {
            let range = start..(start + BLOCK).min(self.codes.len());
            self.read_weights(range.clone(), &mut weight, &mut frequency);
            for ((code, weight), frequency) in self.codes[range].iter().zip(&weight).zip(&frequency) {
                totals[*code as usize] += weight * frequency;
            }
        }
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
            Weights::Precision(prior) | Weights::Probability(prior) => {
                weight.iter_mut().zip(part(prior, rows)).for_each(|(out, w)| *out = *w);
            }
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
