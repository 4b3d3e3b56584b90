//! How far work is: what a hook is told, and what is said of work that was stopped.

use std::fmt;

/// How far a piece of work is. Work within work reports too, with a greater `depth`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Step {
    /// The units of the work, in words: "draws", "outcomes".
    pub units: &'static str,
    /// The number of units that are finished.
    pub done: u64,
    /// The number of all units, where it is known beforehand.
    pub total: Option<u64>,
    /// 0 for the outermost work.
    pub depth: usize,
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.total {
            Some(total) => write!(f, "{} of {total} {}", self.done, self.units),
            None => write!(f, "{} {}", self.done, self.units),
        }
    }
}
