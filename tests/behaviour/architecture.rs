//! The structure of the crate, held by tests: layers, lengths of files, headings of documentation.

use std::fs;
use std::path::{Path, PathBuf};

/// No file is longer than this.
const LINES: usize = 600;

fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            files.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files.sort();
    files
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// The layer of a file: its folder below `src`, or its name for files directly in `src`.
fn layer(path: &Path) -> String {
    let inside = path.strip_prefix(root().join("src")).expect("a file of src");
    let first = inside.components().next().expect("a component");
    first.as_os_str().to_string_lossy().trim_end_matches(".rs").to_owned()
}

/// The names that follow `crate::` in the code of a file, comments left out; `crate::{a, b}` names several.
fn imports(text: &str) -> Vec<String> {
    let code: Vec<&str> = text.lines().filter(|line| !line.trim_start().starts_with("//")).collect();
    let code = code.join("\n");
    let mut names = Vec::new();
    for (place, _) in code.match_indices("crate::") {
        if code[..place].ends_with('$') {
            continue;
        }
        let rest = &code[place + "crate::".len()..];
        let word =
            |text: &str| text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect::<String>();
        if let Some(group) = rest.strip_prefix('{') {
            let end = group.find("};").unwrap_or(group.len());
            names.extend(
                group[..end].split(',').map(|part| word(part.trim())).filter(|name| !name.is_empty()),
            );
        } else {
            names.push(word(rest));
        }
    }
    names
}

#[test]
fn a_file_imports_only_from_folders_that_sort_before_its_own() {
    let mut seen = 0;
    for path in sources(&root().join("src")) {
        let own = layer(&path);
        if ["internal", "lib", "prelude"].contains(&own.as_str()) {
            continue;
        }
        let text = fs::read_to_string(&path).expect("text");
        for name in imports(&text) {
            seen += 1;
            let allowed = name == "error" || (own != "error" && name <= own && name != "internal");
            assert!(allowed, "{} imports crate::{name}, which sorts after \"{own}\"", path.display());
        }
    }
    assert!(seen > 100, "only {seen} imports were found");
}

/// The library is compiled once for all test programs, and not a second time for tests of its own.
#[test]
fn tests_live_in_tests() {
    let files = sources(&root().join("src"));
    assert!(files.len() > 100, "only {} files were found", files.len());
    for path in files {
        let text = fs::read_to_string(&path).expect("text");
        let code: String = text.lines().filter(|line| !line.trim_start().starts_with("//")).collect();
        let holds = ["#[test]", "cfg(test)", "all(test", "proptest!"].iter().any(|mark| code.contains(mark));
        assert!(!holds, "{} holds tests; move them to tests/kernels or tests/behaviour", path.display());
    }
    let manifest = fs::read_to_string(root().join("Cargo.toml")).expect("text");
    assert!(manifest.contains("\n[lib]\ntest = false\n"), "Cargo.toml lacks test = false of the library");
}

#[test]
fn only_one_file_names_the_factorisation_library() {
    for path in sources(&root().join("src")) {
        let text = fs::read_to_string(&path).expect("text");
        let names =
            text.lines().any(|line| !line.trim_start().starts_with("//") && line.contains("nalgebra::"));
        assert!(!names || path.ends_with("compute/linalg.rs"), "{} names nalgebra", path.display());
    }
}

#[test]
fn files_are_short() {
    for folder in ["src", "tests", "benches", "examples"] {
        for path in sources(&root().join(folder)) {
            let lines = fs::read_to_string(&path).expect("text").lines().count();
            assert!(lines <= LINES, "{} has {lines} lines; split it", path.display());
        }
    }
}

/// Lines of examples that are longer are cut off at the right of a page of the documentation.
#[test]
fn examples_fit_the_page() {
    const PAGE: usize = 92;
    for path in sources(&root().join("src")) {
        let mut inside = false;
        for (number, line) in fs::read_to_string(&path).expect("text").lines().enumerate() {
            let line = line.trim_start();
            let Some(text) = line.strip_prefix("///").or_else(|| line.strip_prefix("//!")) else {
                inside &= line.starts_with("#[doc");
                continue;
            };
            let text = text.strip_prefix(' ').unwrap_or(text);
            if text.starts_with("```") {
                inside = !inside;
            }
            let shown = inside && !text.starts_with("# ");
            assert!(!shown || text.chars().count() <= PAGE, "{}:{}: {text}", path.display(), number + 1);
        }
    }
}

/// The structs that are documented under the names of their members:
/// `pub type OddsRatio = Proportions<LogOddsRatio>`.
const FAMILIES: [&str; 3] = ["Proportions", "Rates", "Regression"];

/// Whether a line names a member of a family.
fn names_member(line: &str) -> bool {
    FAMILIES.iter().any(|family| line.starts_with("pub type ") && line.contains(&format!(" = {family}<")))
}

/// The doc comment directly above the first public struct of a file, or the first member of a family.
fn doc_of_main_type(text: &str) -> String {
    let mut doc = Vec::new();
    for line in text.lines() {
        if let Some(words) = line.strip_prefix("///") {
            doc.push(words.trim().to_owned());
        } else if line.starts_with("pub struct") && !line.contains("PooledTrial") || names_member(line) {
            break;
        } else if !line.starts_with("#[") {
            doc.clear();
        }
    }
    doc.join("\n")
}

#[test]
fn estimators_and_pools_document_the_same_things() {
    let headings = ["# Formula", "# Assumptions", "# Interval", "# Errors", "# Examples", "# References"];
    let (mut documented, mut members) = (0, 0);
    for folder in ["src/estimator", "src/pool"] {
        for path in sources(&root().join(folder)) {
            let text = fs::read_to_string(&path).expect("text");
            let implements = text.contains("Estimator<") && text.contains("\nimpl") && text.contains("for ");
            let estimates = implements
                && text.lines().any(|line| line.starts_with("impl") && line.contains("Estimator<"));
            let pools = text.contains("pub fn pool<");
            let member = text.lines().any(names_member);
            members += usize::from(member);
            let family = FAMILIES.iter().any(|family| text.contains(&format!("pub struct {family}<")));
            // The registry holds estimators that are documented where they stand.
            let registry = path.ends_with("registry.rs");
            if registry || family || !(estimates || pools || member) {
                continue;
            }
            documented += 1;
            let doc = doc_of_main_type(&text);
            for heading in headings {
                assert!(doc.contains(heading), "{}: the main type lacks \"{heading}\"", path.display());
            }
            assert!(doc.contains("assert"), "{}: the example asserts nothing", path.display());
        }
    }
    assert!(members >= 9, "only {members} members of families were found");
    assert!(documented >= 10, "only {documented} estimators and pools were found");
}
