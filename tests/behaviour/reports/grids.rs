//! Plain tables in every format.

use super::between;
use armwise::report::{Align, Cell, Grid};

fn grid() -> Grid {
    let mut grid = Grid::new("Effects")
        .column("Arm, \"measure\"", Align::Left)
        .column("n", Align::Right)
        .column("CI", Align::Right)
        .column("p", Align::Right);
    grid.push([
        Cell::text("Guidance | intensive"),
        Cell::count(12_345_678),
        Cell::interval(between(-1.0 / 3.0, 2.0), 2),
        Cell::worded(0.000_012_3, "p < 0.001"),
    ]);
    grid.push([Cell::text("東京\nline"), Cell::missing(), Cell::missing(), Cell::number(f64::NAN, 2)]);
    let words = Cell::worded_interval(between(0.5, f64::INFINITY), "50% or more");
    grid.push([Cell::text("a\\b"), Cell::count(0), words]);
    grid
}

#[test]
fn text_lines_up() {
    let expected = [
        "Effects",
        "",
        "Arm, \"measure\"               n             CI          p",
        "--------------------  --------  -------------  ---------",
        "Guidance | intensive  12345678  -0.33 to 2.00  p < 0.001",
        "東京 line                    -              -         NA",
        "a\\b                          0    50% or more          -",
        "",
    ];
    assert_eq!(grid().to_text(), expected.join("\n"));
}

#[test]
fn markdown_escapes_pipes() {
    let text = grid().to_markdown();
    assert!(text.contains("| Guidance \\| intensive | 12345678 | -0.33 to 2.00 | p &lt; 0.001 |\n"));
    assert!(text.contains("| a\\\\b |"));
    assert!(text.contains("| 東京 line | - | - | NA |"));
}

#[test]
fn csv_quotes_and_rounds() {
    let expected = "\"Arm, \"\"measure\"\"\",n,CI lower,CI upper,p\n\
                    Guidance | intensive,12345678,-0.333333,2,0.0000123\n\
                    \"東京\nline\",,,,\n\
                    a\\b,0,0.5,inf,\n";
    assert_eq!(grid().to_csv(), expected);
    let mut one = Grid::new("").column("a", Align::Left);
    one.push([Cell::missing()]);
    assert_eq!(one.to_csv(), "a\n\"\"\n");
}

#[test]
fn ragged_rows_are_filled() {
    let mut grid = Grid::new("").column("a", Align::Left);
    grid.push([Cell::text("x")]);
    grid.push([Cell::text("y"), Cell::count(2)]);
    assert_eq!(grid.to_csv(), "a,\nx,\ny,2\n");
    assert_eq!(grid.to_text(), "a\n-  -\nx  -\ny  2\n");
    assert_eq!((grid.len(), grid.is_empty()), (2, false));
}
