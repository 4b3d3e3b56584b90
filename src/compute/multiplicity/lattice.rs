//! The distribution of a maximum from directions that cover a sphere evenly, for any correlation.

use super::directions::{along, classes, each_direction};
use crate::compute::distribution::{ChiSquared, FisherF};
use crate::error::{Result, Step};
use ndarray::Array2;

const DIRECTIONS: u32 = 1 << 16;
/// Parts of the directions, whose differences tell the error.
const BLOCKS: usize = 8;
const CLASSES: usize = 1 << 9;

/// The largest statistic along each direction, in classes with their shares, for each block of directions.
#[derive(Debug, Clone)]
pub(super) struct Maxima {
    blocks: Vec<Vec<(f64, f64)>>,
    rank: usize,
    two_sided: bool,
}

/// The law of the squared length of the statistics.
pub(super) enum Length {
    Normal(ChiSquared),
    StudentT(FisherF, f64),
}

impl Length {
    pub(super) fn new(rank: usize, df: f64) -> Result<Self> {
        let rank = rank as f64;
        Ok(if df == f64::INFINITY {
            Self::Normal(ChiSquared::new(rank)?)
        } else {
            Self::StudentT(FisherF::new(rank, df)?, rank)
        })
    }

    fn beyond(&self, square: f64) -> f64 {
        match self {
            Self::Normal(chi) => chi.sf(square),
            Self::StudentT(f, rank) => f.sf(square / rank),
        }
    }
}

/// For each place in `order` the maxima over the statistics from there on; over all where only the first is
/// wanted.
///
/// # Errors
/// The work was stopped.
pub(super) fn maxima(
    factor: &Array2<f64>,
    order: &[usize],
    all: bool,
    two_sided: bool,
) -> Result<Vec<Maxima>, Step> {
    let rank = factor.ncols();
    let places = if all { order.len() } else { 1 };
    let mut maxima: Vec<Maxima> =
        (0..places).map(|_| Maxima { blocks: Vec::with_capacity(BLOCKS), rank, two_sided }).collect();
    let count = if rank == 1 { 1 } else { DIRECTIONS };
    let mut blocks: Vec<Vec<Vec<f64>>> = vec![vec![Vec::new(); BLOCKS]; places];
    let mut seen = 0;
    each_direction(rank, count, |direction, length| {
        // Directions of the circle come in order; those of a lattice are spread evenly over any run of them.
        let block = if rank <= 2 { seen % BLOCKS } else { seen * BLOCKS / count as usize };
        seen += 1;
        let (mut up, mut down) = (f64::NEG_INFINITY, f64::NEG_INFINITY);
        for (place, &i) in order.iter().enumerate().rev() {
            let form = along(factor.row(i), direction) / length;
            up = up.max(form);
            down = down.max(-form);
            if place < places {
                let into = &mut blocks[place][block];
                if two_sided {
                    into.push(up.max(down));
                } else {
                    into.extend([up, down]);
                }
            }
        }
    })?;
    for (maxima, blocks) in maxima.iter_mut().zip(blocks) {
        maxima.blocks =
            blocks.into_iter().filter(|b| !b.is_empty()).map(|block| classes(block, CLASSES)).collect();
    }
    Ok(maxima)
}

impl Maxima {
    /// `P(max > c)`, and three standard errors of it over the blocks.
    pub(super) fn above(&self, c: f64, length: &Length) -> (f64, f64) {
        if self.two_sided && c <= 0.0 {
            return (1.0, 0.0);
        }
        let reached = |most: f64| length.beyond((c / most).powi(2));
        let block = |classes: &Vec<(f64, f64)>| -> f64 {
            if c > 0.0 {
                classes
                    .iter()
                    .filter(|(_, most)| *most > 0.0)
                    .map(|(share, most)| share * reached(*most))
                    .sum()
            } else {
                let below = classes.iter().filter(|(_, most)| *most < 0.0);
                1.0 - below.map(|(share, most)| share * reached(*most)).sum::<f64>()
            }
        };
        let blocks: Vec<f64> = self.blocks.iter().map(block).collect();
        let n = blocks.len() as f64;
        let mean = blocks.iter().sum::<f64>() / n;
        if blocks.len() < 2 {
            return (mean, 0.0);
        }
        let squares: f64 = blocks.iter().map(|p| (p - mean).powi(2)).sum();
        (mean.clamp(0.0, 1.0), 3.0 * (squares / (n * (n - 1.0))).sqrt())
    }

    pub(super) fn rank(&self) -> usize {
        self.rank
    }
}
