//! The arguments of the program.

use lexopt::prelude::{Long, Short, ValueExt};
use std::path::PathBuf;

pub(crate) const HELP: &str = "\
Pools the effects of the arms of several municipal trials.

usage: pooled_evaluation [--data FILE.csv] [--out DIR] [--measure NAME]... [--level LEVEL]

  --data FILE.csv   participants with the columns of the embedded file (examples/data/participants.csv); a file
                    without months of exit needs --measure of the other measures
  --out DIR         where tables and figures go; default: target/pooled_evaluation
  --measure NAME    full-time, part-time, permanent, wellbeing, exit-12, exit-24 (exit to work by then) or
                    benefit-12 (months on benefit until then); may be repeated; default: all seven
  --level LEVEL     confidence level; default: 0.95
  --help            this text
";

const MEASURES: [&str; 7] =
    ["full-time", "part-time", "permanent", "wellbeing", "exit-12", "exit-24", "benefit-12"];

#[derive(Debug)]
pub(crate) struct Arguments {
    pub data: Option<PathBuf>,
    pub out: PathBuf,
    pub level: f64,
    measures: Vec<&'static str>,
}

impl Arguments {
    /// The arguments, or `None` if the user asked for help.
    pub(crate) fn parse() -> Result<Option<Self>, lexopt::Error> {
        let mut arguments = Self {
            data: None,
            out: PathBuf::from("target/pooled_evaluation"),
            level: 0.95,
            measures: Vec::new(),
        };
        let mut parser = lexopt::Parser::from_env();
        while let Some(argument) = parser.next()? {
            match argument {
                Long("data") => arguments.data = Some(parser.value()?.into()),
                Long("out") => arguments.out = parser.value()?.into(),
                Long("level") => arguments.level = parser.value()?.parse()?,
                Long("measure") => {
                    let name = parser.value()?.string()?;
                    let known = MEASURES.iter().find(|known| **known == name);
                    let unknown =
                        || format!("\"{name}\" is not one of the measures: {}", MEASURES.join(", "));
                    arguments.measures.push(known.ok_or_else(unknown)?);
                }
                Long("help") | Short('h') => return Ok(None),
                other => return Err(other.unexpected()),
            }
        }
        Ok(Some(arguments))
    }

    /// The measures that the user named, or all.
    pub(crate) fn measures(&self) -> &[&'static str] {
        if self.measures.is_empty() { &MEASURES } else { &self.measures }
    }
}
