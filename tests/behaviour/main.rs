//! What the crate does in one situation after another, by hand and against the numeric layer: designs, categories, counts, margins,
//! subgroups, plans, edge cases, and the structure of the crate itself.

mod analysis_plan;
mod architecture;
mod categories;
mod counts_and_take_up;
mod declared_designs;
mod edge_cases;
mod field_files;
mod labels;
mod large_files;
mod margins_and_subgroups;
mod table_verbs;

// Other test programs use the rest.
#[path = "../support/mod.rs"]
#[allow(dead_code)]
mod support;
