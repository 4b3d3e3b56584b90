//! Numbers in as few bytes as hold them.

/// Missing cells beside numbers: whole ones from 0 in one, two or four bytes, as long as they all are, else f64.
///
/// The largest value of a type, and NaN, stand for a missing cell.
#[derive(Debug, Clone)]
pub(super) enum Numbers {
    Byte(Vec<u8>),
    Short(Vec<u16>),
    Long(Vec<u32>),
    Real(Vec<f64>),
}

macro_rules! each {
    ($numbers:expr, $cells:ident => $result:expr) => {
        match $numbers {
            Numbers::Byte($cells) => $result,
            Numbers::Short($cells) => $result,
            Numbers::Long($cells) => $result,
            Numbers::Real($cells) => $result,
        }
    };
}

/// A cell of one of the four types.
trait Held: Copy {
    fn of(value: f64) -> Option<Self>;
    fn number(self) -> f64;
}

macro_rules! held {
    ($($whole:ty),*) => {$(
        impl Held for $whole {
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked by the way back")]
            fn of(value: f64) -> Option<Self> {
                if value.is_nan() {
                    return Some(Self::MAX);
                }
                let held = value as Self;
                (f64::from(held).to_bits() == value.to_bits() && held != Self::MAX).then_some(held)
            }

            fn number(self) -> f64 {
                if self == Self::MAX { f64::NAN } else { f64::from(self) }
            }
        }
    )*};
}

held!(u8, u16, u32);

impl Held for f64 {
    fn of(value: f64) -> Option<Self> {
        Some(value)
    }

    fn number(self) -> f64 {
        self
    }
}

impl Default for Numbers {
    fn default() -> Self {
        Self::Byte(Vec::new())
    }
}

impl Numbers {
    pub(super) fn len(&self) -> usize {
        each!(self, cells => cells.len())
    }

    pub(super) fn get(&self, row: usize) -> f64 {
        each!(self, cells => cells[row].number())
    }

    pub(super) fn iter(&self) -> impl ExactSizeIterator<Item = f64> {
        (0..self.len()).map(|row| self.get(row))
    }

    #[cfg(feature = "csv")]
    pub(super) fn truncate(&mut self, rows: usize) {
        each!(self, cells => cells.truncate(rows));
    }

    /// Adds numbers, for `capacity` of which there is room at first.
    #[cfg(feature = "csv")]
    pub(super) fn extend(&mut self, values: &[f64], capacity: usize) {
        fn held<T: Held>(cells: &mut Vec<T>, values: &[f64], capacity: usize) -> usize {
            if cells.is_empty() {
                cells.reserve_exact(capacity.max(values.len()));
            }
            let fitting = values.iter().map_while(|value| T::of(*value));
            let before = cells.len();
            cells.extend(fitting);
            cells.len() - before
        }
        let mut rest = values;
        loop {
            let done = each!(self, cells => held(cells, rest, capacity));
            rest = &rest[done..];
            if rest.is_empty() {
                return;
            }
            self.widen(capacity);
        }
    }

    #[cfg(feature = "csv")]
    fn widen(&mut self, capacity: usize) {
        fn wider<T: Held>(numbers: &Numbers, capacity: usize) -> Vec<T> {
            let mut cells = Vec::with_capacity(capacity.max(numbers.len()));
            cells.extend(numbers.iter().filter_map(T::of));
            cells
        }
        *self = match self {
            Self::Byte(_) => Self::Short(wider(self, capacity)),
            Self::Short(_) => Self::Long(wider(self, capacity)),
            Self::Long(_) | Self::Real(_) => Self::Real(wider(self, capacity)),
        };
    }

    #[cfg(feature = "csv")]
    pub(super) fn into_reals(self) -> Vec<f64> {
        match self {
            Self::Real(cells) => cells,
            compact => compact.iter().collect(),
        }
    }

    /// The cells of these rows, missing for `None`.
    pub(super) fn pick(&self, rows: impl Iterator<Item = Option<usize>>) -> Self {
        fn cells<T: Held>(cells: &[T], rows: impl Iterator<Item = Option<usize>>) -> Vec<T> {
            let missing = T::of(f64::NAN);
            rows.filter_map(|row| row.map_or(missing, |row| Some(cells[row]))).collect()
        }
        match self {
            Self::Byte(own) => Self::Byte(cells(own, rows)),
            Self::Short(own) => Self::Short(cells(own, rows)),
            Self::Long(own) => Self::Long(cells(own, rows)),
            Self::Real(own) => Self::Real(cells(own, rows)),
        }
    }
}
