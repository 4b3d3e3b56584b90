//! Tables and their columns, from memory and from CSV.

mod csv;
mod odd_cells;
mod tables;
