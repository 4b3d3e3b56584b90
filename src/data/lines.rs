//! The lines of a file in which the rows of its table stand.

/// The lines of the rows: a row and its line wherever the difference of both changes.
#[derive(Debug, Default)]
pub(crate) struct Lines(Vec<(usize, usize)>);

impl Lines {
    #[cfg(feature = "csv")]
    pub(super) fn push(&mut self, row: usize, line: usize) {
        if self.0.last().is_none_or(|(last, at)| at + (row - last) != line) {
            self.0.push((row, line));
        }
    }

    #[cfg(feature = "csv")]
    pub(super) fn starts(self) -> impl Iterator<Item = (usize, usize)> {
        self.0.into_iter()
    }

    /// The line (from 1) of a row (from 0).
    pub(super) fn of(&self, row: usize) -> usize {
        let after = self.0.partition_point(|(first, _)| *first <= row);
        self.0.get(after.wrapping_sub(1)).map_or(row + 1, |(first, line)| line + (row - first))
    }
}
