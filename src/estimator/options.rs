//! The level of estimators, and errors of their options that name the field and the words that it takes.

use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use std::marker::PhantomData;

/// The level of an estimator that says none.
pub(super) fn usual_level() -> f64 {
    0.95
}

// The signature that serde asks for.
#[allow(clippy::trivially_copy_pass_by_ref)]
pub(super) fn is_usual(level: &f64) -> bool {
    *level == usual_level()
}

/// The setter of the level.
macro_rules! level_setter {
    () => {
        /// The confidence level, between 0 and 1; default 0.95.
        #[must_use]
        pub fn level(mut self, level: f64) -> Self {
            self.level = level;
            self
        }
    };
}
pub(super) use level_setter;

/// Readers of fields, each under the name of its field: an error about a word names the field.
pub(super) mod field {
    use serde::de::{Deserialize, Deserializer, Error};

    macro_rules! fields {
        ($($field:ident),+) => {
            $(pub(in super::super) fn $field<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
                deserializer: D,
            ) -> Result<T, D::Error> {
                T::deserialize(deserializer)
                    .map_err(|error| D::Error::custom(format_args!("{}: {error}", stringify!($field))))
            })+
        };
    }
    fields!(
        amount,
        blocks,
        interval,
        probability_of,
        simultaneous,
        strata,
        stratified,
        ties,
        variance,
        weights,
        zero_cells
    );
}

/// A type whose options are known by name.
pub trait Named {
    /// The names of the options.
    const OPTIONS: &'static [&'static str];
}

/// The type parameter of an estimator as its last field: as data it is nothing, and refuses every option that
/// the fields before it did not take.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Of<T>(PhantomData<T>);

impl<T> Default for Of<T> {
    fn default() -> Self {
        Self(PhantomData)
    }
}

impl<T> Serialize for Of<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(std::iter::empty::<((), ())>())
    }
}

impl<'de, T: Named> Deserialize<'de> for Of<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Nothing<T>(Of<T>);

        impl<'de, T: Named> Visitor<'de> for Nothing<T> {
            type Value = Of<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("no further options")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Of<T>, A::Error> {
                match map.next_key::<String>()? {
                    Some(option) => Err(serde::de::Error::unknown_field(&option, T::OPTIONS)),
                    None => Ok(self.0),
                }
            }
        }
        deserializer.deserialize_map(Nothing(Self::default()))
    }
}
