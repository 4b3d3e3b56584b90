//! The cache lines of the next rows are asked for while the products of these rows keep the arithmetic units
//! busy.

use super::panel::ROWS;

/// The columns whose next rows are still to be asked for.
pub(super) struct Ahead<'c> {
    columns: std::slice::Iter<'c, &'c [f64]>,
    row: usize,
}

/// Two columns whose lines are asked for, one of each at every step.
pub(super) struct Lines {
    #[cfg_attr(not(target_arch = "x86_64"), allow(dead_code))]
    places: [*const f64; 2],
    #[cfg_attr(not(target_arch = "x86_64"), allow(dead_code))]
    left: usize,
}

impl<'c> Ahead<'c> {
    /// From this row on.
    #[inline(always)]
    pub(super) fn new(columns: &'c [&'c [f64]], row: usize) -> Self {
        Self { columns: columns.iter(), row }
    }

    #[inline(always)]
    pub(super) fn next_columns(&mut self) -> Lines {
        let Some(first) = self.columns.next() else {
            return Lines { places: [std::ptr::null(); 2], left: 0 };
        };
        let second = self.columns.next().unwrap_or(first);
        // Addresses only: nothing is read through them.
        let place = |column: &[f64]| column.as_ptr().wrapping_add(self.row);
        Lines { places: [place(first), place(second)], left: ROWS / 8 }
    }
}

impl Lines {
    #[inline(always)]
    pub(super) fn fetch(&mut self) {
        #[cfg(target_arch = "x86_64")]
        if self.left > 0
            && let Some(sse) = pulp::core_arch::x86::Sse::try_new()
        {
            self.left -= 1;
            for place in &mut self.places {
                sse._mm_prefetch::<{ std::arch::x86_64::_MM_HINT_T0 }>(place.cast());
                *place = place.wrapping_add(8);
            }
        }
    }
}
