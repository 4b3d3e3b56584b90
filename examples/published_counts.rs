//! Pooling from a table of published counts, without microdata: the 13 trials of the BCG vaccine against
//! tuberculosis (Colditz et al. 1994, JAMA 271:698, as tabulated by van Houwelingen, Arends & Stijnen 2002,
//! Statistics in Medicine 21:589, table I).

use armwise::meta_analysis::{Tau2, Test};
use armwise::prelude::*;

const TUBERCULOSIS: Measure<Binary> = Measure::binary("tuberculosis").lower_is_better();

/// Trial; vaccinated: cases, people; not vaccinated: cases, people.
const TRIALS: [(&str, u64, u64, u64, u64); 13] = [
    ("Aronson 1948", 4, 123, 11, 139),
    ("Ferguson & Simes 1949", 6, 306, 29, 303),
    ("Rosenthal et al. 1960", 3, 231, 11, 220),
    ("Hart & Sutherland 1977", 62, 13598, 248, 12867),
    ("Frimodt-Moller et al. 1973", 33, 5069, 47, 5808),
    ("Stein & Aronson 1953", 180, 1541, 372, 1451),
    ("Vandiviere et al. 1973", 8, 2545, 10, 629),
    ("TPT Madras 1980", 505, 88391, 499, 88391),
    ("Coetzee & Berjak 1968", 29, 7499, 45, 7277),
    ("Rosenthal et al. 1961", 17, 1716, 65, 1665),
    ("Comstock et al. 1974", 186, 50634, 141, 27338),
    ("Comstock & Webster 1969", 5, 2498, 3, 2341),
    ("Comstock et al. 1976", 27, 16913, 29, 17854),
];

fn main() -> armwise::Result<()> {
    let comparisons = TRIALS.map(|(trial, vaccinated, n1, unvaccinated, n0)| {
        let arms = [("no vaccine", unvaccinated, n0), ("BCG", vaccinated, n1)];
        Comparison::from_counts(trial, &TUBERCULOSIS, arms)
    });
    let comparisons = Comparisons::new(comparisons.into_iter().collect::<armwise::Result<Vec<_>>>()?)?;
    let effects = comparisons.estimate(&RatioOfProportions::new())?.treatment("BCG")?;

    println!("REML, the wider of Wald and Hartung-Knapp");
    println!("{}", RandomEffects::new().pool(&effects)?);
    println!("\nDerSimonian-Laird and Wald, as published before 2000");
    println!("{}", RandomEffects::new().tau2(Tau2::DerSimonianLaird).test(Test::Normal).pool(&effects)?);
    println!("\nCommon effect");
    println!("{}", CommonEffect::new().pool(&effects)?);
    Ok(())
}
