//! What the machine offers: vector instructions, and threads. Work is split over threads with the feature
//! `rayon`, and done in the calling thread without it.
//!
//! Results come back in the order of the parts and are combined in that order, so that they have the same
//! bits whatever the number of threads.

#[cfg(feature = "rayon")]
use crate::compute::progress::{current, within};
use pulp::{Arch, WithSimd};
use std::ops::Range;
use std::sync::OnceLock;

/// The vector instructions of this machine; asking for them each time would cost more than a short sum.
pub(crate) fn instruction_set() -> Arch {
    static FOUND: OnceLock<Arch> = OnceLock::new();
    *FOUND.get_or_init(Arch::new)
}

/// Does work of which there is too little for the widest vectors, where division takes twice as long.
pub(crate) fn dispatch_narrow<W: WithSimd>(work: W) -> W::Output {
    match instruction_set() {
        #[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
        Arch::V4(wide) => pulp::Simd::vectorize(*wide, work),
        other => other.dispatch(work),
    }
}

/// Splits `0..length` into parts of `size` and calls `work` on each; `parallel` is whether the work is worth
/// waking threads.
pub fn in_parts<T: Send>(
    length: usize,
    size: usize,
    parallel: bool,
    work: impl Fn(Range<usize>) -> T + Sync,
) -> Vec<T> {
    let part = |k: usize| work(k * size..((k + 1) * size).min(length));
    let parts = length.div_ceil(size);
    #[cfg(feature = "rayon")]
    if parallel && parts > 1 {
        use rayon::prelude::*;
        let hook = current();
        return (0..parts).into_par_iter().map(|k| within(&hook, || part(k))).collect();
    }
    let _ = parallel;
    (0..parts).map(part).collect()
}

/// Splits `out` into parts of `size`, and calls `work` on each with the place of its first element.
///
/// # Errors
/// The error of the first part that fails.
pub fn fill_in_parts<T: Send, E: Send>(
    out: &mut [T],
    size: usize,
    parallel: bool,
    work: impl Fn(usize, &mut [T]) -> Result<(), E> + Sync,
) -> Result<(), E> {
    #[cfg(feature = "rayon")]
    if parallel && out.len() > size {
        use rayon::prelude::*;
        let hook = current();
        let done: Vec<Result<(), E>> = out
            .par_chunks_mut(size)
            .enumerate()
            .map(|(k, part)| within(&hook, || work(k * size, part)))
            .collect();
        return done.into_iter().collect();
    }
    let _ = parallel;
    out.chunks_mut(size).enumerate().try_for_each(|(k, part)| work(k * size, part))
}
