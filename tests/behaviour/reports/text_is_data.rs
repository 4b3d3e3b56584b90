//! Labels are data in every format: no spreadsheet runs them, no terminal obeys them, no reader follows them.

use armwise::prelude::*;
use armwise::report::Formulas;

#[test]
fn labels_do_nothing_in_csv_text_and_markdown() {
    let arms = [
        ("=HYPERLINK(\"http://x\")", 10, 100),
        ("@SUM(A1)", 15, 100),
        ("a\u{0}b\u{1b}[31m", 3, 50),
        ("[x](y:z)", 5, 60),
    ];
    let works = Measure::binary("works");
    let effects = Comparison::from_counts("+1+2", &works, arms).unwrap();
    let mut report = Report::new("=1+1");
    report.push(&effects.estimate(&DifferenceInProportions::new()).unwrap());
    let csv = report.to_csv();
    for wrong in [",=", ",@", ",+", "\n=", "\"=", "\"@", "\u{0}", "\u{1b}"] {
        assert!(!csv.contains(wrong), "{wrong:?} in {csv}");
    }
    assert!(csv.contains("'@SUM(A1)") && csv.contains("a\\u{0}b\\u{1b}[31m"), "{csv}");
    // Numbers below zero stay numbers.
    assert!(csv.contains(",-0."), "{csv}");
    assert!(report.to_csv_with(Formulas::Kept).contains(",@SUM(A1)"));
    let (text, markdown) = (report.to_text(), report.to_markdown());
    for written in [&text, &markdown] {
        assert!(!written.contains(['\u{0}', '\u{1b}']), "{written}");
    }
    assert!(!markdown.contains("[x](y:z)") || markdown.contains("\\[x](y:z)"), "{markdown}");
}
