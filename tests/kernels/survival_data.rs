//! Made-up times for the tests of the survival kernel.

use armwise::ndarray::Array2;

/// Pseudo-random numbers between 0 and 1 (the middle bits of a linear congruence).
pub(crate) struct Draw(pub(crate) u64);

impl Draw {
    pub(crate) fn next(&mut self) -> f64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) as f64 + 0.5) / f64::from(1_u32 << 31)
    }
}

/// Rows with times, causes 0 to 2, two groups and two covariates.
#[derive(Clone)]
pub(crate) struct Made {
    pub(crate) time: Vec<f64>,
    pub(crate) cause: Vec<u32>,
    pub(crate) group: Vec<u32>,
    pub(crate) x: Array2<f64>,
}

impl Made {
    /// `months`: whole times with many ties; else none.
    pub(crate) fn new(n: usize, seed: u64, months: bool) -> Self {
        let mut draw = Draw(seed);
        let mut made =
            Self { time: Vec::new(), cause: Vec::new(), group: Vec::new(), x: Array2::zeros((n, 2)) };
        for i in 0..n {
            let group = u32::from(draw.next() < 0.5);
            let x = draw.next() * 4.0 - 2.0;
            let rate = 0.08 * (0.5 * f64::from(group) + 0.4 * x).exp();
            let (event, censored) = (-draw.next().ln() / rate, 2.0 + 22.0 * draw.next());
            let cause = if event > censored { 0 } else { 1 + u32::from(draw.next() < 0.35) };
            let time = event.min(censored);
            made.time.push(if months { time.ceil() } else { time });
            made.cause.push(cause);
            made.group.push(group);
            made.x[[i, 0]] = f64::from(group);
            made.x[[i, 1]] = x;
        }
        made
    }

    /// The same rows in another order.
    pub(crate) fn reversed(&self) -> Self {
        let n = self.time.len();
        Self {
            time: self.time.iter().rev().copied().collect(),
            cause: self.cause.iter().rev().copied().collect(),
            group: self.group.iter().rev().copied().collect(),
            x: Array2::from_shape_fn((n, 2), |(i, j)| self.x[[n - 1 - i, j]]),
        }
    }
}

pub(crate) fn near(a: f64, b: f64, tolerance: f64) -> bool {
    (a - b).abs() <= tolerance * (1.0 + b.abs())
}

/// Remission of leukaemia in weeks (Freireich et al. 1963): 6-MP, then placebo.
pub(crate) fn freireich() -> (Vec<f64>, Vec<u32>, Vec<u32>) {
    let treated = [6, 6, 6, 6, 7, 9, 10, 10, 11, 13, 16, 17, 19, 20, 22, 23, 25, 32, 32, 34, 35];
    let relapse = [1, 1, 1, 0, 1, 0, 1, 0, 0, 1, 1, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0];
    let placebo = [1, 1, 2, 2, 3, 4, 4, 5, 5, 8, 8, 8, 8, 11, 11, 12, 12, 15, 17, 22, 23];
    let time = treated.iter().chain(&placebo).map(|weeks| f64::from(*weeks)).collect();
    let cause = relapse.iter().copied().chain(std::iter::repeat_n(1, 21)).collect();
    (time, cause, (0..42).map(|row| u32::from(row >= 21)).collect())
}
