//! The words of an enum, beside its variants.

/// `Display` of an enum whose variants are words, one line for each:
/// `words! { Side { Left => "left", Right => "right" } }`.
macro_rules! words {
    ($name:ident { $($variant:ident $(($($field:pat),+))? $({ $($key:ident),+ })? => $words:expr,)+ }) => {
        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(match self {
                    $(Self::$variant $(($($field),+))? $({ $($key),+ })? => $words,)+
                })
            }
        }
    };
}
pub(crate) use words;
