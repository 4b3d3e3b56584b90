//! Numbers that carry their first and second derivatives with respect to a few parameters (forward
//! differentiation).
//!
//! Griewank & Walther (2008), Evaluating Derivatives, chapter 13: Taylor polynomials of degree 2 in `N`
//! variables.

use std::ops::{Add, AddAssign, Mul, Neg, Sub};

/// A value with gradient and Hessian; `Jet<0>` is a plain number.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Jet<const N: usize> {
    /// The value.
    pub value: f64,
    /// Its first derivatives.
    pub gradient: [f64; N],
    /// Its second derivatives.
    pub hessian: [[f64; N]; N],
}

/// A function of one number with its first two derivatives there.
#[derive(Debug, Clone, Copy)]
pub(super) struct Curve {
    pub(super) value: f64,
    pub(super) first: f64,
    pub(super) second: f64,
}

impl<const N: usize> Jet<N> {
    /// A number without derivatives.
    pub fn constant(value: f64) -> Self {
        Self { value, gradient: [0.0; N], hessian: [[0.0; N]; N] }
    }

    /// The parameter at a position.
    pub fn parameter(position: usize, value: f64) -> Self {
        let mut jet = Self::constant(value);
        jet.gradient[position] = 1.0;
        jet
    }

    /// `f(self)`, from the value and derivatives of `f` at the value of `self` (chain rule).
    pub(super) fn compose(&self, f: Curve) -> Self {
        let mut out = Self::constant(f.value);
        for i in 0..N {
            out.gradient[i] = f.first * self.gradient[i];
            for j in 0..N {
                out.hessian[i][j] =
                    f.first * self.hessian[i][j] + f.second * self.gradient[i] * self.gradient[j];
            }
        }
        out
    }

    /// As a function of the first parameter alone.
    pub(super) fn of_first(&self) -> Jet<1> {
        Jet { value: self.value, gradient: [self.gradient[0]], hessian: [[self.hessian[0][0]]] }
    }

    /// The product with a constant.
    #[must_use]
    pub fn scale(mut self, factor: f64) -> Self {
        self.value *= factor;
        for i in 0..N {
            self.gradient[i] *= factor;
            for h in &mut self.hessian[i] {
                *h *= factor;
            }
        }
        self
    }

    /// The exponential.
    #[must_use]
    pub fn exp(&self) -> Self {
        let e = self.value.exp();
        self.compose(Curve { value: e, first: e, second: e })
    }

    /// The natural logarithm.
    #[must_use]
    pub fn ln(&self) -> Self {
        let inverse = self.value.recip();
        self.compose(Curve { value: self.value.ln(), first: inverse, second: -inverse * inverse })
    }

    /// The square root.
    #[must_use]
    pub fn sqrt(&self) -> Self {
        let root = self.value.sqrt();
        let first = 0.5 / root;
        self.compose(Curve { value: root, first, second: -0.5 * first / self.value })
    }

    /// One over the number.
    #[must_use]
    pub fn reciprocal(&self) -> Self {
        let inverse = self.value.recip();
        self.compose(Curve {
            value: inverse,
            first: -inverse * inverse,
            second: 2.0 * inverse * inverse * inverse,
        })
    }
}

impl<const N: usize> AddAssign for Jet<N> {
    fn add_assign(&mut self, other: Self) {
        self.value += other.value;
        for i in 0..N {
            self.gradient[i] += other.gradient[i];
            for j in 0..N {
                self.hessian[i][j] += other.hessian[i][j];
            }
        }
    }
}

impl<const N: usize> Add for Jet<N> {
    type Output = Self;
    fn add(mut self, other: Self) -> Self {
        self += other;
        self
    }
}

impl<const N: usize> Neg for Jet<N> {
    type Output = Self;
    fn neg(self) -> Self {
        self.scale(-1.0)
    }
}

impl<const N: usize> Sub for Jet<N> {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        self + -other
    }
}

impl<const N: usize> Mul for Jet<N> {
    type Output = Self;
    fn mul(self, other: Self) -> Self {
        let mut out = Self::constant(self.value * other.value);
        for i in 0..N {
            out.gradient[i] = self.value * other.gradient[i] + self.gradient[i] * other.value;
            for j in 0..N {
                out.hessian[i][j] = self.value * other.hessian[i][j]
                    + self.hessian[i][j] * other.value
                    + self.gradient[i] * other.gradient[j]
                    + self.gradient[j] * other.gradient[i];
            }
        }
        out
    }
}
