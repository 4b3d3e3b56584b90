//! Names that are either constants of a program or known at run time.

use std::sync::Arc;

/// A name: static in a `const` measure, shared when made at run time.
#[derive(Debug, Clone, Eq)]
pub(crate) enum Text {
    Static(&'static str),
    Shared(Arc<str>),
}

impl Text {
    pub(crate) fn as_str(&self) -> &str {
        match self {
            Self::Static(text) => text,
            Self::Shared(text) => text,
        }
    }

    pub(crate) fn shared(text: impl AsRef<str>) -> Self {
        Self::Shared(Arc::from(text.as_ref()))
    }
}

impl PartialEq for Text {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

/// A list of names: static in a `const` measure, shared when made at run time.
#[derive(Debug, Clone, Eq)]
pub(crate) enum TextList {
    Static(&'static [&'static str]),
    Shared(Arc<[Arc<str>]>),
}

impl TextList {
    pub(crate) fn shared<T: AsRef<str>>(names: impl IntoIterator<Item = T>) -> Self {
        Self::Shared(names.into_iter().map(|name| Arc::from(name.as_ref())).collect())
    }

    /// No names.
    pub(crate) const NONE: Self = Self::Static(&[]);

    pub(crate) fn contains(&self, name: &str) -> bool {
        self.iter().any(|other| other == name)
    }

    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Static(names) => names.len(),
            Self::Shared(names) => names.len(),
        }
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &str> {
        (0..self.len()).map(|i| match self {
            Self::Static(names) => names[i],
            Self::Shared(names) => &*names[i],
        })
    }
}

impl PartialEq for TextList {
    fn eq(&self, other: &Self) -> bool {
        self.len() == other.len() && self.iter().eq(other.iter())
    }
}
