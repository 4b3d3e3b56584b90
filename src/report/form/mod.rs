//! The one middle form: a result as rows of typed cells, and the table that they make. Every format and every
//! forest plot is written from it.

pub(crate) mod columns;
pub(crate) mod row;
pub(crate) mod table;
