//! Numbers and their nouns agree.

use armwise::prelude::*;
use std::fs;
use std::path::{Path, PathBuf};

/// Nouns that stand behind numbers.
const NOUNS: &str = "arms bands bounds categories cells clusters codes coefficients columns combinations components covariates \
                     decimals effects elements estimates events groups identifiers items labels levels moderators names \
                     observations outcomes pairs participants replicates rows sets sites strata studies terms \
                     treatments trials values variances weights";

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

/// A format string has no number before a plural: `counted` and `agreeing` write both, so that nothing is
/// "1 clusters".
#[test]
fn no_plural_is_written_by_hand() {
    let mut files = Vec::new();
    sources(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/src")), &mut files);
    assert!(files.len() > 100);
    let nouns: Vec<&str> = NOUNS.split_whitespace().collect();
    let mut found = Vec::new();
    for file in files {
        let text = fs::read_to_string(&file).unwrap();
        for (i, line) in text.lines().enumerate().filter(|(_, line)| !line.trim_start().starts_with("//")) {
            for (at, _) in line.match_indices("} ") {
                let word = line[at + 2..].split(|c: char| !c.is_ascii_lowercase()).next().unwrap();
                // The number, not a name in words such as `{counted} trials`.
                if nouns.contains(&word) && line[..at].contains('{') && line.contains('"') {
                    found.push(format!("{}:{}: {}", file.display(), i + 1, line.trim()));
                }
            }
        }
    }
    // The sentence about few trials has two or more; where plurals are made.
    found.retain(|line| !line.contains("only {trials} trials") && !line.contains("src/error/words.rs"));
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn one_of_anything_is_singular() {
    let one = |notice: Notice| notice.to_string();
    let words = [
        one(Notice::MissingOutcome { participants: 1, of: 200 }),
        one(Notice::MissingCovariate { covariate: "age".to_owned(), participants: 1 }),
        one(Notice::MissingExposure { exposure: "months".to_owned(), participants: 1 }),
        one(Notice::NotApplicable { participants: 1, of: 200 }),
        one(Notice::ProratedScores { participants: 1 }),
        one(Notice::SharedClusters { clusters: 1 }),
        one(Notice::ClustersIgnored { clusters: 1 }),
        one(Notice::StrataIgnored { strata: 1 }),
        one(Notice::StrataLeftOut { strata: 1, of: 4 }),
        one(Notice::FewEvents { events: 1, coefficients: 1 }),
        one(Notice::FewTrials { trials: 1 }),
    ];
    for text in &words {
        println!("{text}");
        assert!(
            !text.contains("1 participants") && !text.contains("1 clusters") && !text.contains("1 strata"),
            "{text}"
        );
    }
    assert_eq!(words[0], "1 of 200 randomised has no outcome and is not analysed");
    assert_eq!(words[1], "1 participant is left out because \"age\" is missing");
    assert!(words[5].starts_with("1 cluster has people"), "{}", words[5]);
    assert!(words[6].contains("although 1 cluster was declared"), "{}", words[6]);
    let two = Notice::FewTrials { trials: 2 }.to_string();
    assert!(two.contains("report each trial as well") && two.contains("BayesianRandomEffects"), "{two}");
}
