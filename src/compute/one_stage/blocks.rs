//! Participants by site, reduced to triangular factors: a linear model with terms of the sites needs no more
//! of them.

use crate::compute::linalg::{UpperFactor, aliased_columns};
use crate::compute::regression::{BLOCK, Category, ModelMatrix};
use crate::error::{Error, ErrorKind, Result, counted, number};
use ndarray::{Array1, Array2, ArrayView1, ArrayView2, Axis, Slice};

/// For every site the triangular factor of `[1, Z, X, y]`, in which `Z` are some of the columns of `X`.
///
/// Orthogonal rotations of the rows of a site change neither its likelihood nor its sums of squares, so
/// `p + q + 2` rows stand for all participants of a site.
#[derive(Debug, Clone)]
pub(super) struct SiteBlocks {
    pub(super) names: Vec<String>,
    /// `[1, Z, X, y]` of each site in as many rows as columns; sites without participants have none.
    pub(super) factors: Vec<Option<Array2<f64>>>,
    /// How many participants each site has.
    pub(super) sizes: Vec<usize>,
    /// How many columns `[1, Z]` has.
    pub(super) terms: usize,
    pub(super) columns: Vec<String>,
    pub(super) n: usize,
}

impl SiteBlocks {
    /// Reads the participants; `z` are positions of columns of the matrix.
    pub(super) fn new(
        matrix: &ModelMatrix,
        sites: Category,
        z: &[usize],
        y: ArrayView1<f64>,
    ) -> Result<Self> {
        let parts = sites.into_parts();
        let (n, p, names) = (matrix.nrows(), matrix.ncols(), parts.levels);
        if parts.codes.len() != n || y.len() != n {
            return Err(Error::invalid(format!(
                "the matrix has {rows}, but there are {} of sites and {}; give one of each for every row",
                counted(parts.codes.len(), "code"),
                counted(y.len(), "outcome"),
                rows = counted(n, "row")
            )));
        }
        if let Some(row) = parts.codes.iter().position(|&code| code as usize >= names.len()) {
            let why = format!(
                "the code {} does not exist among {}; codes count from 0",
                parts.codes[row],
                counted(names.len(), "site")
            );
            return Err(Error::invalid(why).in_column("site").in_row(row));
        }
        if let Some(row) = y.iter().position(|y| y.is_nan() || y.abs() > 1e140) {
            let why = format!(
                "holds {} where a finite number of at most 1e140 is needed; mend the value, or leave the row out",
                number(y[row])
            );
            return Err(Error::invalid(why).in_column("response").in_row(row));
        }
        let width = 1 + z.len() + p + 1;
        let mut waiting: Vec<Vec<f64>> = vec![Vec::new(); names.len()];
        let mut factors: Vec<Option<UpperFactor>> = vec![None; names.len()];
        let mut sizes = vec![0; names.len()];
        matrix.validate(|rows, block| {
            for (k, row) in rows.enumerate() {
                let site = parts.codes[row] as usize;
                let buffer = &mut waiting[site];
                buffer.push(1.0);
                buffer.extend(z.iter().map(|&j| block[[j, k]]));
                buffer.extend(block.column(k));
                buffer.push(y[row]);
                sizes[site] += 1;
                if buffer.len() >= BLOCK * width {
                    flush(buffer, width, &mut factors[site]);
                }
            }
        })?;
        for (buffer, factor) in waiting.iter_mut().zip(&mut factors) {
            flush(buffer, width, factor);
        }
        Ok(Self {
            names,
            factors: factors.into_iter().map(|factor| factor.map(UpperFactor::finish)).collect(),
            sizes,
            terms: 1 + z.len(),
            columns: matrix.names().to_vec(),
            n,
        })
    }

    /// How many columns the design has.
    pub(super) fn width(&self) -> usize {
        self.columns.len()
    }

    /// Whether a residual sum of squares is rounding beside the squares of the response.
    pub(super) fn is_perfect(&self, residual_sum: f64) -> bool {
        let last = self.terms + self.width();
        let of = |factor: &Array2<f64>| factor.column(last).iter().map(|y| y * y).sum::<f64>();
        residual_sum <= 1e-24 * self.factors.iter().flatten().map(of).sum::<f64>()
    }

    /// How many sites have participants.
    pub(super) fn inhabited(&self) -> usize {
        self.sizes.iter().filter(|size| **size > 0).count()
    }
}

fn flush(buffer: &mut Vec<f64>, width: usize, factor: &mut Option<UpperFactor>) {
    if buffer.is_empty() {
        return;
    }
    if let Ok(rows) = ArrayView2::from_shape((buffer.len() / width, width), buffer.as_slice()) {
        factor.get_or_insert_with(|| UpperFactor::new(width)).push(rows.t());
    }
    buffer.clear();
}

/// Some rows and columns of a matrix.
pub(super) fn corner(
    matrix: &Array2<f64>,
    rows: std::ops::Range<usize>,
    columns: std::ops::Range<usize>,
) -> ArrayView2<'_, f64> {
    let mut view = matrix.view();
    view.slice_axis_inplace(Axis(0), Slice::from(rows));
    view.slice_axis_inplace(Axis(1), Slice::from(columns));
    view
}

/// Least squares of the last column of a triangular factor on those before it.
#[derive(Debug, Clone)]
pub(super) struct LeastSquares {
    pub(super) coefficients: Array1<f64>,
    pub(super) residual_sum: f64,
}

impl LeastSquares {
    /// # Errors
    /// `rank_deficient`, with the names of aliased columns.
    pub(super) fn new(factor: &Array2<f64>, names: &[String]) -> Result<Self> {
        let p = names.len();
        let aliased = aliased_columns(corner(factor, 0..p, 0..p));
        if !aliased.is_empty() {
            let columns = aliased.iter().map(|&j| names[j].clone()).collect();
            return Err(ErrorKind::RankDeficient { columns }.into());
        }
        let mut coefficients = Array1::zeros(p);
        for i in (0..p).rev() {
            let done: f64 = (i + 1..p).map(|j| factor[[i, j]] * coefficients[j]).sum();
            coefficients[i] = (factor[[i, p]] - done) / factor[[i, i]];
        }
        Ok(Self { coefficients, residual_sum: factor[[p, p]].powi(2) })
    }
}
