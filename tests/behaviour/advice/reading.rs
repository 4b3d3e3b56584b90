//! Files, tables, designs and measures.

use super::{Case, trial};
use armwise::data::CsvReader;
use armwise::effect_size::EffectSize;
use armwise::prelude::*;
use armwise::report::Report;
use armwise::{Interval, Result};

const WORKS: Measure<Binary> = Measure::binary("works");

arms! { enum Typed { Control = "c", Guidance = "guidance", Exemption = "exemption" } }

fn two_arms() -> Result<Trial> {
    trial("arm,works,contract\nc,1,vast\nt,0,vast\nc,0,onbekend\nt,1,flex\n")
}

fn builder(csv: &str, control: &str) -> Result<()> {
    Trial::builder("Utrecht", Table::from_csv_str(csv)?).arm_labels("arm").control(control).build().map(drop)
}

pub(super) const CASES: &[Case] = &[
    (
        "cells that are no numbers",
        || CsvReader::new().real("age").text("arm,age\nc,31\nt,many\n\nt,few\n").map(drop),
        &["2 cells could not be read", "column \"age\", row 2 (line 3)", "row 3 (line 5)", "mend the file"],
        &[],
    ),
    (
        "one cell that is no number",
        || CsvReader::new().real("age").text("arm,age\nc,31\nt,many\n").map(drop),
        &["1 cell could not be read"],
        &["cells could"],
    ),
    (
        "a column that is misspelt",
        || two_arms()?.on(&Measure::binary("wroks")).map(drop),
        &["did you mean \"works\"", "the columns are: arm, works, contract"],
        &[],
    ),
    (
        "a level that is misspelt",
        || two_arms()?.table().keep_category("contract", "vst").map(drop),
        &["did you mean \"vast\"", "the categories are: flex, onbekend, vast"],
        &[],
    ),
    ("two labels that look alike", || builder("arm\nc\nt\nT\n", "c"), &["\"T\" and \"t\"", "recode("], &[]),
    (
        "times that cannot be",
        || {
            let exit = Measure::time_to_event("month", "reason").of("work").censored(&["none"]);
            trial("arm,month,reason\nc,-3,work\nc,4,moved\nt,,work\nt,5,none\n")?.on(&exit).map(drop)
        },
        &[
            "3 times are impossible",
            "row 1 (line 2): -3: column \"month\"",
            "the cause \"moved\" is not declared; declared are: work, none",
            "row 3 (line 4): there was an event",
        ],
        &["1 times", "1 rows"],
    ),
    (
        "one time that cannot be",
        || {
            let exit = Measure::time_to_event("month", "reason").of("work").censored(&["none"]);
            trial("arm,month,reason\nc,3,work\nt,,work\nt,5,none\n")?.on(&exit).map(drop)
        },
        &["a time is impossible:\n- row 2 (line 3): there was an event"],
        &["times are"],
    ),
    (
        "labels that a measure does not declare",
        || two_arms()?.on(&Measure::level("contract", "vast")).map(drop),
        &[
            "\"onbekend\" in 1 row (3; line 4)",
            "\"flex\" in 1 row (4; line 5)",
            "are not declared",
            "not_applicable(&[..])",
        ],
        &["1 rows"],
    ),
    (
        "a level that nobody has",
        || two_arms()?.on(&Measure::level("contract", "vats").others_are_no()).map(drop),
        &["no row has the level \"vats\"", "did you mean \"vast\"", "may_be_absent()"],
        &[],
    ),
    (
        "words where numbers are needed",
        || two_arms()?.on(&Measure::continuous("contract")).map(drop),
        &["Utrecht", "column \"contract\"", "mend the data"],
        &[],
    ),
    (
        "no file",
        || Table::from_csv_path("/nowhere/participants.csv").map(drop),
        &["/nowhere/participants.csv", "check the path"],
        &["folder"],
    ),
    (
        "a folder that is a file",
        || Report::new("A").write_dir("/dev/null/report"),
        &["cannot write", "check that the folder exists"],
        &["cannot read"],
    ),
    ("semicolons", || Table::from_csv_str("arm;works\nc;1\nt;0\n").map(drop), &["the header", "b';'"], &[]),
    (
        "a label that is no arm",
        || {
            let table = Table::from_csv_str("arm,works\n\nc,1\nguidence,0\nexemption,1\n")?;
            Trial::builder("Utrecht", table).arms::<Typed>("arm").build().map(drop)
        },
        &[
            "column \"arm\", row 2 (line 4)",
            "did you mean \"guidance\"",
            "the arms are: c, guidance, exemption",
        ],
        &[],
    ),
    (
        "an arm with nobody",
        || {
            let table = Table::from_csv_str("arm,works\nc,1\nguidance,0\n")?;
            Trial::builder("Utrecht", table).arms::<Typed>("arm").build().map(drop)
        },
        &["arm \"exemption\"", "nobody was randomised to this arm"],
        &[],
    ),
    (
        "a trial that is not there",
        || {
            let table = Table::from_csv_str("city,arm\nA,c\nA,t\nB,c\nB,t\n")?;
            Trials::builder(table, "city").arm_labels("arm").control("c").build()?.trial("C").map(drop)
        },
        &["the trials are: A, B"],
        &["did you mean"],
    ),
    (
        "a control that is misspelt",
        || builder("arm\ncontrol\ntreatment\nguidance\n", "contrl"),
        &["\"contrl\"", "did you mean \"control\"", "control, guidance, treatment"],
        &["yes and no"],
    ),
    (
        "a control among ten thousand labels",
        || {
            let labels = (0..10_000).map(|i| format!("label {i}"));
            let table = Table::new().with_categories("arm", labels)?;
            Trial::builder("Utrecht", table).arm_labels("arm").control("control").build().map(drop)
        },
        &["and 9,995 more"],
        &["label 77,"],
    ),
    (
        "arms that are TRUE and FALSE",
        || builder("arm\nTRUE\nFALSE\n", "FALSE"),
        &["no, yes", "read as yes and no", "category(column)"],
        &[],
    ),
    (
        "no declared control",
        || Trial::builder("Utrecht", Table::from_csv_str("arm\na\nb\n")?).arm_labels("arm").build().map(drop),
        &["name its label with control(..)"],
        &[],
    ),
    (
        "people who occur twice",
        || {
            let table = Table::from_csv_str("id,arm\n7,c\n8,t\n\n7,t\n")?;
            Trial::builder("Utrecht", table)
                .arm_labels("arm")
                .control("c")
                .participant("id")
                .build()
                .map(drop)
        },
        &["1 participant identifier occurs more than once", "7 in row 1 (line 2) and row 3 (line 5)"],
        &["identifiers", "occur more"],
    ),
    (
        "an empty cell of strata",
        || {
            let table = Table::from_csv_str("arm,s\n\"c\",\"a\nb\"\nt,\n")?;
            Trial::builder("Utrecht", table).arm_labels("arm").control("c").strata(["s"]).build().map(drop)
        },
        &["column \"s\", row 2 (line 4)", "fill it in"],
        &[],
    ),
    (
        "an empty cell of strata among the rows that were kept",
        || {
            let table = Table::from_csv_str("arm,s,age\nc,a,20\nt,b,70\nt,,30\n")?
                .keep_where("age", |age| age < 60.0)?;
            Trial::builder("Utrecht", table).arm_labels("arm").control("c").strata(["s"]).build().map(drop)
        },
        &["row 3 (line 4)"],
        &["row 2"],
    ),
    (
        "an empty cell of strata of a table in memory",
        || {
            let table =
                Table::new().with_categories("arm", ["c", "t"])?.with_categories("s", [Some("a"), None])?;
            Trial::builder("Utrecht", table).arm_labels("arm").control("c").strata(["s"]).build().map(drop)
        },
        &["row 2:"],
        &["line"],
    ),
    (
        "an event that is 2",
        || trial("arm,works\nc,1\nt,2\n")?.on(&WORKS).map(drop),
        &["column \"works\", row 2 (line 3)", "found 2, expected"],
        &[],
    ),
    (
        "a table without rows",
        || builder("arm\nc\n", "c"),
        &["a comparison needs at least two arms"],
        &["1 arms"],
    ),
    (
        "an arm in which nobody has an outcome",
        || trial("arm,works\nc,1\nt,\nt,\n")?.on(&WORKS).map(drop),
        &["arm \"t\""],
        &[],
    ),
    (
        "an interval of a ratio that is not around it",
        || EffectSize::from_ratio_interval(1.5, Interval::new(1.2, 1.5)?, 0.95, None).map(drop),
        &["the ratio 1.5", "from 1.2 to 1.5", "check the numbers"],
        &["0.405", "0.18", "take the interval of a ratio by"],
    ),
    (
        "an interval of a ratio without width",
        || EffectSize::from_ratio_interval(0.5, Interval::new(0.5, 0.5)?, 0.95, None).map(drop),
        &["from 0.5 to 0.5 has no width", "from_p_value"],
        &["0.693"],
    ),
    (
        "an interval without width",
        || EffectSize::from_interval(0.5, Interval::new(0.5, 0.5)?, 0.95, None).map(drop),
        &["from 0.5 to 0.5 has no width"],
        &[],
    ),
    (
        "a level of 95",
        || two_arms()?.on(&WORKS)?.estimate(&DifferenceInProportions::new().level(95.0)).map(drop),
        &["the confidence level is 95", "such as 0.95"],
        &[],
    ),
    (
        "values of an arm that nobody declared",
        || two_arms()?.compare("guidance").on(&WORKS).map(drop),
        &["the arms are: c, t"],
        &[],
    ),
];
