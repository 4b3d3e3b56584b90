//! What the crate does in one situation after another, by hand and against the numeric layer: tables,
//! designs, categories, counts, margins, subgroups, plans, reports, bad input, edge cases, and the structure
//! of the crate itself.

mod advice;
mod allocation_lists;
mod analysis_plan;
mod architecture;
mod arm_pools;
mod bad_input;
mod baseline;
mod categories;
mod counts_and_take_up;
mod data;
mod declared_designs;
mod edge_cases;
mod families;
mod field_files;
mod field_pools;
mod field_programs;
mod field_trial;
mod hazards;
mod labels;
mod large_files;
mod marginal_models;
mod margins_and_subgroups;
mod missing_outcomes;
mod no_overlap;
mod notices_travel;
mod one_stage_times;
mod pairs_beside_blocks;
mod plan_people;
mod planned_families;
mod planned_trials;
mod printed;
mod randomization;
mod registers;
mod repeated;
mod report_widths;
mod reports;
mod resampling;
mod scales;
mod simulated_trials;
mod standardised_counts;
mod stops;
mod table_verbs;
mod times;
mod unequal_arms;
mod weights;

// Other test programs use the rest.
#[path = "../support/mod.rs"]
#[allow(dead_code)]
mod support;
