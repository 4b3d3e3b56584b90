//! Published meta-analyses and analyses of times, reproduced number by number: every number as printed, its
//! page or table, and ours. The program fails if ours do not round to it. The data are embedded; each file is
//! a table of the publication that its name cites.

mod check;
mod counts;
mod data;
mod effects;
mod networks;
mod times;

use check::Checks;

fn main() -> data::Result<()> {
    let mut checks = Checks::default();
    counts::tuberculosis(&mut checks)?;
    counts::diuretics(&mut checks)?;
    counts::beta_blockers(&mut checks)?;
    counts::catheters(&mut checks)?;
    effects::expectancy(&mut checks)?;
    effects::school_calendars(&mut checks)?;
    effects::periodontal(&mut checks)?;
    networks::diabetes(&mut checks)?;
    times::leukaemia(&mut checks)?;
    times::cirrhosis(&mut checks)?;
    times::gammopathy(&mut checks)?;
    Ok(checks.finish()?)
}
