//! The values that a column can be made of, with or without missing cells.

use std::borrow::Cow;
use std::sync::Arc;

/// A value that can be a cell of a [`Column`](crate::data::Column): a number (`T = f64`), a yes or no
/// (`T = bool`) or a label (`T = Cow<str>`); an `Option` of those, in which `None` is a missing cell; or a
/// reference to any of them.
///
/// It is implemented for all number types, `bool`, `&str`, `String` and `Arc<str>`.
///
/// ```
/// use armwise::Table;
///
/// let ages = vec![Some(34.0), None];
/// let table = Table::new()
///     .with_reals("age", &ages)?
///     .with_categories("arm", ["control", "guidance"])?;
/// assert_eq!(table.column("age")?.missing(), 1);
/// # Ok::<(), armwise::Error>(())
/// ```
pub trait Cell<T> {
    /// The value, or `None` for a missing cell.
    fn into_cell(self) -> Option<T>;
}

impl<T, C: Cell<T>> Cell<T> for Option<C> {
    fn into_cell(self) -> Option<T> {
        self.and_then(Cell::into_cell)
    }
}

impl<'a, T, C> Cell<T> for &'a Option<C>
where
    &'a C: Cell<T>,
{
    fn into_cell(self) -> Option<T> {
        self.as_ref().and_then(Cell::into_cell)
    }
}

impl Cell<bool> for bool {
    fn into_cell(self) -> Option<bool> {
        Some(self)
    }
}

impl Cell<bool> for &bool {
    fn into_cell(self) -> Option<bool> {
        Some(*self)
    }
}

macro_rules! numbers {
    ($($number:ty)*) => {$(
        impl Cell<f64> for $number {
            #[allow(clippy::cast_lossless, reason = "one body for all number types")]
            fn into_cell(self) -> Option<f64> {
                Some(self as f64)
            }
        }

        impl Cell<f64> for &$number {
            fn into_cell(self) -> Option<f64> {
                (*self).into_cell()
            }
        }
    )*};
}

numbers!(f64 f32 u8 u16 u32 u64 usize i8 i16 i32 i64 isize);

impl<'a> Cell<Cow<'a, str>> for &'a str {
    fn into_cell(self) -> Option<Cow<'a, str>> {
        Some(Cow::Borrowed(self))
    }
}

impl<'a> Cell<Cow<'a, str>> for &&'a str {
    fn into_cell(self) -> Option<Cow<'a, str>> {
        Some(Cow::Borrowed(self))
    }
}

impl<'a> Cell<Cow<'a, str>> for String {
    fn into_cell(self) -> Option<Cow<'a, str>> {
        Some(Cow::Owned(self))
    }
}

impl<'a> Cell<Cow<'a, str>> for &'a String {
    fn into_cell(self) -> Option<Cow<'a, str>> {
        Some(Cow::Borrowed(self))
    }
}

impl<'a> Cell<Cow<'a, str>> for Arc<str> {
    fn into_cell(self) -> Option<Cow<'a, str>> {
        Some(Cow::Owned(self.as_ref().to_owned()))
    }
}

impl<'a> Cell<Cow<'a, str>> for &'a Arc<str> {
    fn into_cell(self) -> Option<Cow<'a, str>> {
        Some(Cow::Borrowed(self))
    }
}
