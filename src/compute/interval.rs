//! A closed interval of the extended real line.

use crate::error::{Error, Result};

/// A closed interval, such as a confidence interval. The lower limit is never above the upper one, and a
/// limit may be infinite where that is the answer (the upper limit of a ratio whose control group had no
/// event).
///
/// It serialises as `{"lower": .., "upper": ..}`; infinite limits are the words `"Inf"` and `"-Inf"` in text
/// formats. The default is the point 0, for slices that are to be filled.
///
/// ```
/// use armwise::Interval;
///
/// let interval = Interval::new(0.05, 0.34)?;
/// assert!(interval.contains(0.2) && !interval.contains(0.0));
/// assert!(Interval::new(1.0, 0.0).is_err());
/// # Ok::<(), armwise::Error>(())
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(try_from = "Limits")]
pub struct Interval {
    #[serde(with = "extended")]
    lower: f64,
    #[serde(with = "extended")]
    upper: f64,
}

#[derive(serde::Deserialize)]
struct Limits {
    #[serde(with = "extended")]
    lower: f64,
    #[serde(with = "extended")]
    upper: f64,
}

impl TryFrom<Limits> for Interval {
    type Error = Error;

    fn try_from(limits: Limits) -> Result<Self> {
        Self::new(limits.lower, limits.upper)
    }
}

impl Interval {
    /// The interval from `lower` to `upper`.
    ///
    /// # Errors
    /// `invalid_input` where a limit is not a number or `lower > upper`.
    pub fn new(lower: f64, upper: f64) -> Result<Self> {
        if lower <= upper {
            Ok(Self { lower, upper })
        } else {
            Err(Error::invalid(format!(
                "an interval runs from the smaller to the larger limit, but {lower} to {upper} was given"
            )))
        }
    }

    /// The interval between two limits, in either order; the whole line where a limit is not a number, as
    /// then nothing is known.
    pub(crate) fn between(a: f64, b: f64) -> Self {
        if a.is_nan() || b.is_nan() {
            return Self { lower: f64::NEG_INFINITY, upper: f64::INFINITY };
        }
        Self { lower: a.min(b), upper: a.max(b) }
    }

    /// `centre` plus and minus `half_width`.
    pub(crate) fn around(centre: f64, half_width: f64) -> Self {
        Self::between(centre - half_width, centre + half_width)
    }

    /// The interval between the images of the limits under a monotone function.
    pub(crate) fn map(self, f: impl Fn(f64) -> f64) -> Self {
        Self::between(f(self.lower), f(self.upper))
    }

    /// Upper minus lower limit.
    pub fn width(&self) -> f64 {
        self.upper - self.lower
    }

    /// The lower limit.
    pub fn lower(&self) -> f64 {
        self.lower
    }

    /// The upper limit.
    pub fn upper(&self) -> f64 {
        self.upper
    }

    /// Whether `value` lies in the interval, limits included.
    pub fn contains(&self, value: f64) -> bool {
        self.lower <= value && value <= self.upper
    }
}

/// Serialises a number that may be infinite: JSON has no infinity, so text formats get the words "Inf" and
/// "-Inf".
pub(crate) mod extended {
    use serde::de::{Deserializer, Error, Unexpected, Visitor};
    use serde::ser::Serializer;

    #[allow(clippy::trivially_copy_pass_by_ref)] // serde's signature
    pub(crate) fn serialize<S: Serializer>(value: &f64, serializer: S) -> Result<S::Ok, S::Error> {
        match (value.is_infinite() && serializer.is_human_readable(), *value > 0.0) {
            (true, true) => serializer.serialize_str("Inf"),
            (true, false) => serializer.serialize_str("-Inf"),
            (false, _) => serializer.serialize_f64(*value),
        }
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
        if deserializer.is_human_readable() {
            deserializer.deserialize_any(NumberOrWord)
        } else {
            deserializer.deserialize_f64(NumberOrWord)
        }
    }

    struct NumberOrWord;

    impl Visitor<'_> for NumberOrWord {
        type Value = f64;

        fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("a number, \"Inf\" or \"-Inf\"")
        }

        fn visit_f64<E: Error>(self, value: f64) -> Result<f64, E> {
            Ok(value)
        }

        fn visit_u64<E: Error>(self, value: u64) -> Result<f64, E> {
            Ok(value as f64)
        }

        fn visit_i64<E: Error>(self, value: i64) -> Result<f64, E> {
            Ok(value as f64)
        }

        fn visit_str<E: Error>(self, word: &str) -> Result<f64, E> {
            match word {
                "Inf" => Ok(f64::INFINITY),
                "-Inf" => Ok(f64::NEG_INFINITY),
                _ => Err(E::invalid_value(Unexpected::Str(word), &self)),
            }
        }
    }
}
