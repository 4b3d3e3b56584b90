//! Two groups, from counts alone: 24% against 15% outflow, as published for Utrecht, with assumed arms
//! of 178.

use armwise::prelude::*;

fn main() -> armwise::Result<()> {
    let work = Measure::binary("work of 12 hours or more").higher_is_better();
    let counts = Comparison::from_counts("Utrecht", &work, [("control", 27, 178), ("exemption", 43, 178)])?;
    println!("{}", counts.estimate(&DifferenceInProportions::new())?);
    println!("{}", counts.estimate(&RatioOfProportions::new())?);
    println!("{}", counts.estimate(&OddsRatio::new())?);
    Ok(())
}
