//! Numerical kernels: slices and array views in, small named structs out; no word of trials.

/// Consuming setters of options, each a line below its documentation: `level: f64;` sets the field `level`,
/// `offset: f64 as Some;` a field that may be absent, `model.level: f64;` hands the value to the setter of the
/// field `model`.
macro_rules! setters {
    () => {};
    ($(#[$doc:meta])* $field:ident: $type:ty; $($rest:tt)*) => {
        $(#[$doc])*
        #[must_use]
        pub fn $field(mut self, $field: $type) -> Self {
            self.$field = $field;
            self
        }
        setters! { $($rest)* }
    };
    ($(#[$doc:meta])* $field:ident: $type:ty as Some; $($rest:tt)*) => {
        $(#[$doc])*
        #[must_use]
        pub fn $field(mut self, $field: $type) -> Self {
            self.$field = Some($field);
            self
        }
        setters! { $($rest)* }
    };
    ($(#[$doc:meta])* $model:ident.$field:ident: $type:ty; $($rest:tt)*) => {
        $(#[$doc])*
        #[must_use]
        pub fn $field(mut self, $field: $type) -> Self {
            self.$model = self.$model.$field($field);
            self
        }
        setters! { $($rest)* }
    };
}

/// `From` of values that become another by one expression: `u64 => Events: |count| Self(count);`. A lifetime
/// that they have comes first: `'a;`.
macro_rules! from {
    ($life:lifetime; $($from:ty => $into:ty: |$value:ident| $become:expr;)*) => {
        $(impl<$life> From<$from> for $into {
            fn from($value: $from) -> Self {
                $become
            }
        })*
    };
    ($($from:ty => $into:ty: |$value:ident| $become:expr;)*) => {
        $(impl From<$from> for $into {
            fn from($value: $from) -> Self {
                $become
            }
        })*
    };
}

/// Reading and writing of types that derive both with `#[serde(remote = "Self")]`: what was read goes through its
/// `check`.
macro_rules! checked {
    ($($type:ty),*) => {
        $(impl serde::Serialize for $type {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
                <$type>::serialize(self, serializer)
            }
        }

        impl<'de> serde::Deserialize<'de> for $type {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
                let read = <$type>::deserialize(deserializer)?;
                read.check().map_err(serde::de::Error::custom)?;
                Ok(read)
            }
        })*
    };
}

pub mod balance;
pub mod bayes;
pub mod categorical;
pub(crate) mod coefficient;
pub(crate) mod confidence_curve;
pub(crate) mod counts;
pub(crate) mod curve;
pub mod distribution;
pub mod effect_size;
pub(crate) mod fitted;
pub(crate) mod gauss_legendre;
pub(crate) mod hypothesis;
pub mod imputation;
pub(crate) mod interval;
pub(crate) mod linalg;
pub mod longitudinal;
pub(crate) mod matrix_rows;
pub mod mean;
pub mod meta_analysis;
pub(crate) mod missing;
pub mod multiplicity;
pub mod multistate;
pub mod one_stage;
pub mod power;
pub mod progress;
pub mod proportion;
pub mod randomization;
pub mod rank;
pub mod rate;
pub(crate) mod reference_distribution;
pub mod regression;
pub mod resampling;
pub(crate) mod roots;
pub mod sequential;
pub mod summary_index;
pub mod survival;
pub(crate) mod tails;
pub(crate) mod threads;
mod uniform_expansion;
pub mod weighting;
pub(crate) mod words;
