use super::Label;
use std::fmt::Debug;

/// An arm of a trial: an enum made by [`arms!`](crate::arms), or a [`Label`] known at run time.
///
/// The first of [`Arm::ALL`] is the control, against which every other arm is estimated.
pub trait Arm: Clone + Eq + Debug + Send + Sync + 'static {
    /// All arms in their declared order, the control first; empty where arms are known only at run time.
    const ALL: &'static [Self];

    /// The label that the arm has in the data.
    fn label(&self) -> &str;

    /// The components that add up to the arm. An arm that combines nothing is its own component, and a
    /// control has none.
    fn components(&self) -> &'static [&'static str] {
        &[]
    }
}

impl Arm for Label {
    const ALL: &'static [Self] = &[];

    fn label(&self) -> &str {
        self.as_str()
    }
}

/// Declares the arms of a trial as an enum. The first is the control.
///
/// Every arm has the label that stands in the data, and, where it combines several measures, its components.
///
/// ```
/// use armwise::prelude::*;
///
/// arms! {
///     /// The arms of the Tilburg experiment.
///     pub enum Tilburg {
///         Control = "control",
///         Guidance = "guidance",
///         ExemptionEarnings = "exemption_earnings": ["exemption", "earnings"],
///     }
/// }
/// assert_eq!(Tilburg::ALL[0].label(), "control");
/// assert_eq!(Tilburg::ExemptionEarnings.components(), ["exemption", "earnings"]);
/// ```
#[macro_export]
macro_rules! arms {
    ($(#[$meta:meta])* $visibility:vis enum $name:ident {
        $($(#[$arm_meta:meta])* $arm:ident = $label:literal $(: [$($component:literal),+ $(,)?])?),+ $(,)?
    }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[allow(missing_docs)]
        $visibility enum $name { $($(#[$arm_meta])* $arm),+ }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                $crate::design::Arm::label(self)
            }
        }

        impl $crate::design::Arm for $name {
            const ALL: &'static [Self] = &[$(Self::$arm),+];

            fn label(&self) -> &str {
                match self { $(Self::$arm => $label),+ }
            }

            fn components(&self) -> &'static [&'static str] {
                match self { $(Self::$arm => &[$($($component),+)?]),+ }
            }
        }
    };
}
