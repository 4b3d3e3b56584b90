//! Bytes that should be a CSV file, through to estimates and a report.

use crate::support::Numbers;
use armwise::prelude::*;

const FILES: &[&str] = &[
    "arm,works,score,stratum\nc,0,1.5,a\nc,1,2,b\nt,1,3.25,a\nt,0,,b\nt,1,4,a\nc,0,0,a\n",
    "sep=;\narm;works;score;stratum\r\nc;ja;1,5;a\r\nt;nee;2,0;b\r\nc;nee;1.234,5;a\r\nt;ja;;b\r\n",
    "\u{feff}arm\tworks\tscore\tstratum\nc\t0\t12-03-2019\ta\nt\t1\t13-03-2019\tb\nc\t1\t31-02-2019\ta\n",
    "arm,works,score,stratum\n\"c\",0,\"1\"\"2\",a\nt,1,\"3\n4\",b\n'c',TRUE,€ 5,a\nt,N/A,5%,b\n",
    include_str!("../../examples/data/nsw.csv"),
];

const PIECES: &[&str] = &[
    ",",
    ";",
    "\t",
    "\"",
    "'",
    "\n",
    "\r",
    "\r\n",
    "\u{feff}",
    "\0",
    "NA",
    "1e400",
    "-0",
    "\u{2212}5",
    "1'234",
    "(5)",
    "5-",
    "1.234.567,89",
    "9007199254740993",
    "=1+1",
    "nan",
    "inf",
    "00",
    "31-02-2020",
    "arm",
    "é",
    "e\u{301}",
    "🦀",
    "\u{202e}",
    " ",
];

/// A file, its middle perhaps lost, changed in a few places, in one of three encodings.
fn draw(numbers: &mut Numbers) -> Vec<u8> {
    let mut file = FILES[numbers.below(FILES.len())].to_owned();
    if file.len() > 2000 {
        let lines: Vec<&str> = file.lines().take(1 + numbers.below(30)).collect();
        file = lines.join("\n");
    }
    for _ in 0..numbers.below(6) {
        let places: Vec<usize> = file.char_indices().map(|(i, _)| i).chain([file.len()]).collect();
        let (a, b) = (places[numbers.below(places.len())], places[numbers.below(places.len())]);
        match numbers.below(4) {
            0 => file.insert_str(a, PIECES[numbers.below(PIECES.len())]),
            1 => file.replace_range(a..a.max(b), ""),
            2 => {
                let piece = file[a.min(b)..a.max(b)].to_owned();
                if piece.len() < 4000 {
                    file.insert_str(a, &piece);
                }
            }
            _ => {
                let kept = places[numbers.below(places.len())];
                file.truncate(kept);
            }
        }
    }
    match numbers.below(8) {
        0 => file.encode_utf16().flat_map(u16::to_le_bytes).collect(),
        1 => file.chars().map(|c| u8::try_from(u32::from(c)).unwrap_or(b'?')).collect(),
        2 => {
            let mut bytes = file.into_bytes();
            if !bytes.is_empty() {
                let place = numbers.below(bytes.len());
                bytes[place] = numbers.below(256) as u8;
            }
            bytes
        }
        _ => file.into_bytes(),
    }
}

pub(crate) fn attack(numbers: &mut Numbers) -> u64 {
    let bytes = draw(numbers);
    let mut reader = if numbers.chance(0.3) { CsvReader::dutch_excel() } else { CsvReader::new() };
    if numbers.chance(0.3) {
        reader = reader.category("stratum").flag("works");
    }
    if numbers.chance(0.2) {
        reader = reader.real("score");
    }
    let table = match reader.reader(bytes.as_slice()) {
        Ok(table) => table,
        Err(error) => {
            says(&error);
            return 1;
        }
    };
    let names: Vec<String> = table.names().map(str::to_owned).collect();
    let pick = |numbers: &mut Numbers, usual: &str| {
        if names.is_empty() || numbers.chance(0.8) {
            usual.to_owned()
        } else {
            names[numbers.below(names.len())].clone()
        }
    };
    let (arm, outcome, strata) = (pick(numbers, "arm"), pick(numbers, "works"), pick(numbers, "stratum"));
    let control = if numbers.chance(0.9) { "c" } else { "t" };
    let mut builder = Trial::builder("Utrecht", table).arm_labels(&arm).control(control);
    if numbers.chance(0.5) {
        builder = builder.strata([strata.as_str()]);
    }
    let trial = match builder.build() {
        Ok(trial) => trial,
        Err(error) => {
            says(&error);
            return 2;
        }
    };
    let mut report = Report::new("From a file");
    let works = Measure::binary("works").from_column(&outcome);
    let score = Measure::continuous("score").from_column(&pick(numbers, "score"));
    match trial.on(&works).and_then(|comparison| comparison.estimate(&DifferenceInProportions::new())) {
        Ok(estimates) => drop(report.push(&estimates)),
        Err(error) => says(&error),
    }
    match trial.on(&score).and_then(|comparison| comparison.estimate(&DifferenceInMeans::new())) {
        Ok(estimates) => drop(report.push(&estimates)),
        Err(error) => says(&error),
    }
    let nan = String::from_utf8_lossy(&bytes).contains("NaN");
    for text in [report.to_text(), report.to_markdown(), report.to_csv()] {
        assert!(nan || !text.contains("NaN"), "{text}");
    }
    3
}

/// An error is a sentence that fits a screen, and shows nothing that a terminal obeys.
pub(crate) fn says(error: &armwise::Error) {
    let text = error.to_string();
    assert!(!text.is_empty() && text.chars().count() < 20_000, "{} characters: {text}", text.len());
    crate::labels::plain(&text);
}
