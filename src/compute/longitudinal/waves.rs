use crate::error::{Error, ErrorKind, Result, WaveProblem, counted};

/// One outcome for each unit and wave in which it was measured.
///
/// Waves have numbers, which need not follow each other: the distance between two waves is the difference of
/// their numbers. Units have codes, which need not be consecutive.
///
/// ```
/// use armwise::longitudinal::Waves;
///
/// let waves = Waves::new(&[3.0, 4.0, 2.5], &[7, 7, 9], &[0, 2, 0])?;
/// assert_eq!((waves.n_units(), waves.numbers()), (2, &[0, 2][..]));
/// // A unit has one outcome in a wave.
/// assert!(Waves::new(&[3.0, 4.0], &[7, 7], &[1, 1]).is_err());
/// # Ok::<(), armwise::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Waves<'a> {
    pub(super) outcome: &'a [f64],
    numbers: Vec<u32>,
    /// The rows by unit, each with the place of its wave, ascending.
    units: Vec<Vec<(usize, usize)>>,
}

impl<'a> Waves<'a> {
    /// The outcomes, each with the code of its unit and the number of its wave.
    ///
    /// # Errors
    /// `invalid_input` where lengths differ or an outcome is not finite; `insufficient_observations` without
    /// rows; `bad_waves` where a unit is measured twice in a wave.
    pub fn new(outcome: &'a [f64], unit: &[u32], wave: &[u32]) -> Result<Self> {
        if unit.len() != outcome.len() || wave.len() != outcome.len() {
            return Err(Error::invalid(
                "outcomes, units and waves differ in number; give one of each for each row",
            ));
        }
        if let Some(row) = outcome.iter().position(|y| y.is_nan() || y.abs() >= 1e150) {
            let why = format!("an outcome is {}; leave rows without an outcome out", outcome[row]);
            return Err(Error::invalid(why).in_row(row));
        }
        if outcome.is_empty() {
            let why =
                "there is no outcome in any wave; give a row for each unit and wave with one".to_owned();
            return Err(ErrorKind::InsufficientObservations(why).into());
        }
        let mut numbers = wave.to_vec();
        numbers.sort_unstable();
        numbers.dedup();
        let mut order: Vec<usize> = (0..outcome.len()).collect();
        order.sort_by_key(|&row| (unit[row], wave[row]));
        let mut units: Vec<Vec<(usize, usize)>> = Vec::new();
        let mut last = None;
        for row in order {
            let place = numbers.partition_point(|number| *number < wave[row]);
            if last == Some((unit[row], place)) {
                let (unit, wave) = (unit[row].to_string(), wave[row].to_string());
                return Err(
                    Error::from(ErrorKind::BadWaves(WaveProblem::MeasuredTwice { unit, wave })).in_row(row)
                );
            }
            match units.last_mut() {
                Some(own) if last.is_some_and(|(code, _)| code == unit[row]) => own.push((row, place)),
                _ => units.push(vec![(row, place)]),
            }
            last = Some((unit[row], place));
        }
        Ok(Self { outcome, numbers, units })
    }

    /// Refuses waves that were declared but have no outcome.
    ///
    /// # Errors
    /// `bad_waves` with the first of them.
    pub fn declared(self, numbers: impl IntoIterator<Item = u32>) -> Result<Self> {
        match numbers.into_iter().find(|number| !self.numbers.contains(number)) {
            Some(wave) => Err(ErrorKind::BadWaves(WaveProblem::NobodyAnswered(wave.to_string())).into()),
            None => Ok(self),
        }
    }

    /// The numbers of the waves, ascending.
    pub fn numbers(&self) -> &[u32] {
        &self.numbers
    }

    /// The number of units.
    pub fn n_units(&self) -> usize {
        self.units.len()
    }

    /// The number of rows.
    pub fn n(&self) -> usize {
        self.outcome.len()
    }

    /// The rows of each unit, with the places of their waves.
    pub(super) fn units(&self) -> &[Vec<(usize, usize)>] {
        &self.units
    }

    /// The place of a wave among the numbers.
    pub(super) fn place(&self, number: u32) -> Result<usize> {
        self.numbers.iter().position(|own| *own == number).ok_or_else(|| {
            let known: Vec<String> = self.numbers.iter().map(ToString::to_string).collect();
            Error::invalid(format!("there is no wave {number}; the waves are {}", known.join(", ")))
        })
    }

    /// One value for each unit, of values that are the same in all of its rows.
    pub(super) fn of_units<T: Copy + PartialEq>(
        &self,
        values: &[T],
        differs: impl Fn(usize) -> Error,
    ) -> Result<Vec<T>> {
        if values.len() != self.n() {
            let rows = counted(self.n(), "row");
            return Err(Error::invalid(format!(
                "{} for {rows}; give one for each row",
                counted(values.len(), "value")
            )));
        }
        let one = |rows: &Vec<(usize, usize)>| {
            let value = values[rows[0].0];
            match rows.iter().find(|(row, _)| values[*row] != value) {
                Some(&(row, _)) => Err(differs(row)),
                None => Ok(value),
            }
        };
        self.units.iter().map(one).collect()
    }
}
