//! Reports fit a page: tables go on below themselves, lines are wrapped, and nothing is lost by it.

use armwise::prelude::*;
use armwise::report::{Align, Cell, Grid, OutcomeTable, Report};

fn wide_table() -> OutcomeTable {
    let outflow = Measure::binary("outflow to work of more than 27 hours a week").higher_is_better();
    let arms = [("control", 16, 298), ("exemption_on_demand", 9, 148), ("guidance_and_earnings", 14, 147)];
    let cities = Comparisons::new(
        ["Groningen and Ten Boer", "Utrecht and Zeist"]
            .map(|city| Comparison::from_counts(city, &outflow, arms).unwrap()),
    )
    .unwrap();
    let difference = cities.estimate(&DifferenceInProportions::new()).unwrap();
    let ratio = cities.estimate(&RatioOfProportions::new()).unwrap();
    let odds = cities.estimate(&OddsRatio::new()).unwrap();
    OutcomeTable::new(&difference).relative(&ratio).unwrap().relative(&odds).unwrap()
}

#[test]
fn no_line_of_a_report_is_wider_than_120() {
    let table = wide_table();
    let mut report = Report::new("Wide tables");
    report.push(&table).paragraph("word ".repeat(100));
    let text = report.to_text();
    for line in text.lines() {
        assert!(line.chars().count() <= 120, "{line}");
    }
    // Every cell is there, and the labels stand in each part.
    let whole = table.to_string();
    assert!(whole.lines().any(|line| line.chars().count() > 120));
    for number in whole.split("  ").map(str::trim).filter(|cell| cell.ends_with(')') && cell.contains(" to "))
    {
        assert!(text.contains(number), "{number} is lost in\n{text}");
    }
    assert!(text.matches("exemption on demand  ").count() >= 4, "{text}");
    assert_eq!(text.matches("word").count(), 100);
}

#[test]
fn a_table_of_ones_own_is_part_of_a_report() {
    let mut grid = Grid::new("Counts").column("Arm", Align::Left).column("Events", Align::Right);
    grid.push([Cell::text("guidance"), Cell::versus(7, 6, "7 v 6")]);
    let mut report = Report::new("Own");
    report.push(&grid);
    assert!(report.to_text().contains(&grid.to_text()));
    assert!(report.to_markdown().contains(&grid.to_markdown()));

    let json = serde_json::to_string(&report).unwrap();
    assert_eq!(serde_json::from_str::<Report>(&json).unwrap(), report);
    let broken = json.replace(r#""fields":["7","6"]"#, r#""fields":["7"]"#);
    assert_ne!(broken, json);
    let why = serde_json::from_str::<Report>(&broken).unwrap_err().to_string();
    assert!(why.contains("the fields of its kind"), "{why}");
}
