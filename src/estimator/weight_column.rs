use serde::de::value::MapAccessDeserializer;
use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;

/// The column of the weights of a regression, by what a weight means.
///
/// All kinds give the same effects and different standard errors. A name alone is one of probability weights,
/// which most surveys have; as data `"w"` is the same as `{"probability": "w"}`, beside `{"precision": "w"}`
/// and `{"frequency": "n"}`.
///
/// ```
/// use armwise::estimator::WeightColumn;
/// use armwise::prelude::*;
///
/// let csv = "arm,works,w,n\nc,0,1,2\nc,1,2,1\nc,0,1,3\nc,1,3,1\nt,1,2,4\nt,1,1,1\n\
///     t,0,1,2\nt,1,2,1\n";
/// let trial = Trial::builder("Utrecht", Table::from_csv_str(csv)?)
///     .arm_labels("arm")
///     .control("c")
///     .build()?;
/// let works = trial.on(&Measure::binary("works"))?;
/// let weighted = works.estimate(&LogisticRegression::new().weights("w"))?.treatment("t")?;
/// assert_eq!(weighted.method().variance.to_string(), "HC0");
/// // Seven people in the control arm, in four rows.
/// let counted = LogisticRegression::new().weights(WeightColumn::Frequency("n".to_owned()));
/// let counted = works.estimate(&counted)?.treatment("t")?;
/// assert_eq!(counted.reference_counts().analysed, 7);
/// # Ok::<(), armwise::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum WeightColumn {
    /// A person stands for others who were not observed, in any unit: inverse probabilities of selection. The
    /// default variance is robust, and a model-based one, which depends on the unit, is refused.
    Probability(String),
    /// The variance of an outcome is inversely proportional to its weight (analytic weights).
    Precision(String),
    /// How many people a row stands for, each observed with these very values: every result is that of the
    /// table with as many rows.
    Frequency(String),
}

impl WeightColumn {
    /// The name of the column.
    pub fn column(&self) -> &str {
        match self {
            Self::Probability(column) | Self::Precision(column) | Self::Frequency(column) => column,
        }
    }
}

/// The kinds by their words.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Tagged {
    Probability(String),
    Precision(String),
    Frequency(String),
}

impl Serialize for WeightColumn {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Probability(column) => serializer.serialize_str(column),
            Self::Precision(column) => Tagged::Precision(column.clone()).serialize(serializer),
            Self::Frequency(column) => Tagged::Frequency(column.clone()).serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for WeightColumn {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Kinds;

        impl<'de> Visitor<'de> for Kinds {
            type Value = WeightColumn;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("the name of a column of weights, or one of {\"probability\": ..}, {\"precision\": ..}, {\"frequency\": ..}")
            }

            fn visit_str<E: serde::de::Error>(self, column: &str) -> Result<WeightColumn, E> {
                Ok(column.into())
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<WeightColumn, A::Error> {
                Ok(match Tagged::deserialize(MapAccessDeserializer::new(map))? {
                    Tagged::Probability(column) => WeightColumn::Probability(column),
                    Tagged::Precision(column) => WeightColumn::Precision(column),
                    Tagged::Frequency(column) => WeightColumn::Frequency(column),
                })
            }
        }
        deserializer.deserialize_any(Kinds)
    }
}

from! {
    &str => WeightColumn: |column| Self::Probability(column.to_owned());
    &String => WeightColumn: |column| Self::Probability(column.clone());
    String => WeightColumn: |column| Self::Probability(column);
}

impl fmt::Display for WeightColumn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Probability(column) => f.write_str(column),
            Self::Precision(column) => write!(f, "{column} (precision)"),
            Self::Frequency(column) => write!(f, "{column} (frequency)"),
        }
    }
}

/// The setter of the weights of a regression.
macro_rules! weights_setter {
    () => {
        /// The column of the weights, above zero: a name is one of probability weights, whose variance is
        /// robust by default (HC0 where it would be model-based);
        /// [`WeightColumn`](crate::estimator::WeightColumn) also has weights of precision and of frequency.
        /// Default: everybody counts once.
        #[must_use]
        pub fn weights(mut self, column: impl Into<$crate::estimator::WeightColumn>) -> Self {
            self.adjustment.weights = Some(column.into());
            self
        }
    };
}
pub(super) use weights_setter;
