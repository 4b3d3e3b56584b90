//! Arithmetic on vectors of numbers that stand for different sets of studies, one in each lane.

// Calls that were not expanded would pass vectors through memory, and lose the instruction set.
#![allow(clippy::inline_always)]

use pulp::Simd;
use std::ops::{Add, BitAnd, BitOr, Div, Mul, Not, Sub};

/// The lanes of the widest vectors.
pub(super) const MOST_LANES: usize = 8;

#[derive(Clone, Copy)]
pub(super) struct Vector<S: Simd> {
    pub(super) simd: S,
    pub(super) lanes: S::f64s,
}

/// A truth value in each lane.
#[derive(Clone, Copy)]
pub(super) struct Mask<S: Simd> {
    simd: S,
    lanes: S::m64s,
}

macro_rules! operator {
    ($operator:ident, $name:ident, $instruction:ident) => {
        impl<S: Simd> $operator for Vector<S> {
            type Output = Self;

            #[inline(always)]
            fn $name(self, other: Self) -> Self {
                Self { simd: self.simd, lanes: self.simd.$instruction(self.lanes, other.lanes) }
            }
        }

        impl<S: Simd> $operator<f64> for Vector<S> {
            type Output = Self;

            #[inline(always)]
            fn $name(self, other: f64) -> Self {
                self.$name(Self::splat(self.simd, other))
            }
        }
    };
}

operator!(Add, add, add_f64s);
operator!(Sub, sub, sub_f64s);
operator!(Mul, mul, mul_f64s);
operator!(Div, div, div_f64s);

macro_rules! comparison {
    ($name:ident, $instruction:ident) => {
        #[inline(always)]
        pub(super) fn $name(self, other: Self) -> Mask<S> {
            Mask { simd: self.simd, lanes: self.simd.$instruction(self.lanes, other.lanes) }
        }
    };
}

impl<S: Simd> Vector<S> {
    #[inline(always)]
    pub(super) fn splat(simd: S, value: f64) -> Self {
        Self { simd, lanes: simd.splat_f64s(value) }
    }

    /// The same number in all lanes.
    #[inline(always)]
    pub(super) fn all(self, value: f64) -> Self {
        Self::splat(self.simd, value)
    }

    comparison!(above, greater_than_f64s);
    comparison!(at_least, greater_than_or_equal_f64s);
    comparison!(at_most, less_than_or_equal_f64s);

    #[inline(always)]
    pub(super) fn min(self, other: Self) -> Self {
        Self { simd: self.simd, lanes: self.simd.min_f64s(self.lanes, other.lanes) }
    }

    #[inline(always)]
    pub(super) fn max(self, other: Self) -> Self {
        Self { simd: self.simd, lanes: self.simd.max_f64s(self.lanes, other.lanes) }
    }

    #[inline(always)]
    pub(super) fn abs(self) -> Self {
        Self { simd: self.simd, lanes: self.simd.abs_f64s(self.lanes) }
    }

    #[inline(always)]
    pub(super) fn sqrt(self) -> Self {
        Self { simd: self.simd, lanes: self.simd.sqrt_f64s(self.lanes) }
    }

    /// `self * factor + addend`, rounded once where the machine can.
    #[inline(always)]
    pub(super) fn mul_add(self, factor: Self, addend: Self) -> Self {
        Self { simd: self.simd, lanes: self.simd.mul_add_e_f64s(self.lanes, factor.lanes, addend.lanes) }
    }

    /// `self` where `mask` holds, else `other`.
    #[inline(always)]
    pub(super) fn where_or(self, mask: Mask<S>, other: Self) -> Self {
        Self { simd: self.simd, lanes: self.simd.select_f64s(mask.lanes, self.lanes, other.lanes) }
    }

    /// The numbers of all lanes; beyond the last lane zeros.
    #[inline(always)]
    pub(super) fn to_array(self) -> [f64; MOST_LANES] {
        let mut numbers = [0.0; MOST_LANES];
        S::as_mut_simd_f64s(&mut numbers).0[0] = self.lanes;
        numbers
    }

    #[inline(always)]
    pub(super) fn from_array(simd: S, numbers: &[f64; MOST_LANES]) -> Self {
        Self { simd, lanes: S::as_simd_f64s(numbers).0[0] }
    }
}

impl<S: Simd> Mask<S> {
    /// Whether it holds in some lane.
    #[inline(always)]
    pub(super) fn any(self) -> bool {
        self.simd.first_true_m64s(self.lanes) < S::F64_LANES
    }

    /// Ones where it holds, else zeros.
    #[inline(always)]
    pub(super) fn indicator(self) -> Vector<S> {
        Vector::splat(self.simd, 1.0).where_or(self, Vector::splat(self.simd, 0.0))
    }
}

impl<S: Simd> BitAnd for Mask<S> {
    type Output = Self;

    #[inline(always)]
    fn bitand(self, other: Self) -> Self {
        Self { simd: self.simd, lanes: self.simd.and_m64s(self.lanes, other.lanes) }
    }
}

impl<S: Simd> BitOr for Mask<S> {
    type Output = Self;

    #[inline(always)]
    fn bitor(self, other: Self) -> Self {
        Self { simd: self.simd, lanes: self.simd.or_m64s(self.lanes, other.lanes) }
    }
}

impl<S: Simd> Not for Mask<S> {
    type Output = Self;

    #[inline(always)]
    fn not(self) -> Self {
        Self { simd: self.simd, lanes: self.simd.not_m64s(self.lanes) }
    }
}
