//! The programs that broke an early version, with the time and memory that each takes.

use crate::field_programs::PROGRAMS;
use crate::sizes::PEAK;
use std::time::{Duration, Instant};

/// No program takes longer in a release build, nor more memory.
const MOST: (Duration, usize) = (Duration::from_millis(100), 100_000_000);

/// Prints a table; false where a program took too long or too much.
pub(crate) fn measure() -> bool {
    println!("{:<26} {:>10} {:>10}", "program", "time", "peak, MB");
    let mut sound = true;
    for (name, program) in PROGRAMS {
        let base = PEAK.current_usage();
        PEAK.reset_peak_usage();
        let start = Instant::now();
        program();
        let (time, peak) = (start.elapsed(), PEAK.peak_usage().saturating_sub(base));
        println!("{name:<26} {time:>10.1?} {:>10.1}", peak as f64 / 1e6);
        if peak > MOST.1 || time > MOST.0 && !cfg!(debug_assertions) {
            println!("  ^ too much");
            sound = false;
        }
    }
    sound
}
