//! The next experiment: what the six Dutch trials could have shown, what a larger one would, and the whole of
//! it rehearsed, as a memorandum that a council could read.
//!
//! Real are the cities, the number of their arms, their participants (CPB 2022), the share of the Utrecht
//! control arm that worked 12 hours a week or more (15%, CPB 2022), and what remained half-way in Wageningen.
//! Sizes by arm are not published, and equal arms are assumed.

use armwise::power::{Family, ProportionFormula, Rounding, TestLevel};
use armwise::prelude::*;
use armwise::progress::Progress;
use armwise::prospective::{
    Answer, ExpectedOutcome, HazardFormula, ListMethod, ListPlan, PlannedPool, PlannedTrial, PooledEstimand,
    SimulatedOutcome, SimulatedPopulation, Simulation,
};
use armwise::report::{Align, Cell, Grid, PowerCurvePlot};
use armwise::sequential::{BValue, GroupSequential, Rule, Spending};
use std::io::IsTerminal;
use std::ops::ControlFlow;

/// Participants (CPB 2022) and arms, the control arm among them.
const CITIES: [(&str, u64, u32); 6] = [
    ("Deventer", 364, 4),
    ("Groningen", 890, 5),
    ("Nijmegen", 304, 3),
    ("Tilburg", 780, 4),
    ("Utrecht", 710, 4),
    ("Wageningen", 410, 4),
];
/// The share of the control arm at work (Utrecht, 12 hours a week or more).
const BASE: f64 = 0.15;
/// The smallest effect that matters to a council: 3 points.
const MATTERS: f64 = 0.03;
/// How much true effects are taken to differ between cities, for want of a published figure: 1.5 points.
const TAU: f64 = 0.015;

const WORKS: Measure<Binary> = Measure::binary("outcome");

fn planned(control: f64, effect: f64, treatments: u32) -> armwise::Result<PlannedTrial> {
    let (treated, formula) = (control + effect, ProportionFormula::Unpooled);
    PlannedTrial::new(ExpectedOutcome::Proportions { treated, control, formula })?
        .treatments(treatments, Family::Dunnett)
}

fn arms_of(people: u64, arms: u32) -> armwise::Result<armwise::power::WholeSizes> {
    armwise::power::GroupSizes::equal((people / u64::from(arms)) as f64)?.whole(Rounding::EachGroupUp)
}

/// What each city could show of one treatment, and what twice its people, or 12 more months, would have.
fn what_they_could_show() -> armwise::Result<Grid> {
    let mut grid = Grid::new("The smallest effect shown with a power of 80%")
        .column("City", Align::Left)
        .column("People", Align::Right)
        .column("Arms", Align::Right)
        .column("Points", Align::Right)
        .column("Points, twice the people", Align::Right)
        .column("Ratio of rates", Align::Right)
        .column("Ratio, 12 more months", Align::Right);
    // At a constant rate, 15% in 16 months are 25% in 28: more people have found work, in every arm.
    let later = 1.0 - (1.0 - BASE).powf(28.0 / 16.0);
    for (city, people, arms) in CITIES {
        let points = |people: u64| -> armwise::Result<Cell> {
            let found = planned(BASE, MATTERS, arms - 1)?.detectable(arms_of(people, arms)?, 0.8)?;
            Ok(Cell::number(100.0 * found.effect, 1))
        };
        let ratio = |control_events: f64| -> armwise::Result<Cell> {
            let formula = HazardFormula::Schoenfeld;
            let outcome = ExpectedOutcome::TimeToEvent { hazard_ratio: 1.2, control_events, formula };
            let trial = PlannedTrial::new(outcome)?.treatments(arms - 1, Family::Dunnett)?;
            Ok(Cell::number(trial.detectable(arms_of(people, arms)?, 0.8)?.effect.exp(), 2))
        };
        grid.push([
            Cell::text(city),
            Cell::count(people),
            Cell::count(u64::from(arms)),
            points(people)?,
            points(2 * people)?,
            ratio(BASE)?,
            ratio(later)?,
        ]);
    }
    Ok(grid)
}

/// What the six cities could have shown together, and what more people or more cities would.
fn together() -> armwise::Result<()> {
    let city = planned(BASE, MATTERS, 1)?;
    let pool = PlannedPool::new(city, 6)?.tau(TAU)?;
    // About 3,458 participants in 25 arms.
    let each = 140;
    println!("{}", pool.detectable(each, 0.8)?);
    println!("{}", pool.clone().estimand(PooledEstimand::TheseCities).detectable(each, 0.8)?);
    println!("\nOf an effect of 3 points:");
    for (words, cities, people) in [
        ("as it was", 6, each),
        ("twice the people", 6, 2 * each),
        ("twice the cities", 12, each),
        ("four times the people", 6, 4 * each),
        ("four times the cities", 24, each),
    ] {
        let power = pool.clone().cities(cities)?.power(people)?.power;
        println!("  {words:<22} power {:.0}%", 100.0 * power);
    }
    println!("\n{}", pool.cities_for(0.8, 400)?);
    Ok(())
}

/// Half-way in Wageningen: what may be said of a trial that looks at its data before the end.
fn half_way() -> armwise::Result<()> {
    let test = TestLevel::two_sided(0.05)?;
    let rule = Rule::Spending(Spending::OBrienFlemingType);
    let remained = 284.0 / 410.0;
    println!(
        "Of 410 participants 110 had left the benefit, 16 withdrew and 284 remained. Looking then, with a bound that was \
         declared beforehand, is allowed:"
    );
    let looks = GroupSequential::new(&[0.5, 1.0], rule, test)?;
    println!(
        "  a look at half of the information claims an effect beyond z = {:.2}, and leaves {:.3} for the end (inflation \
         {:.3});",
        looks.critical_values()[0],
        looks.critical_values()[1],
        looks.inflation(0.8)?
    );
    let value = BValue::new(1.0, 0.5)?;
    println!(
        "  with z = 1 half-way, the end shows an effect with a chance of {:.0}% by the trend, {:.0}% by what the data say, \
         {:.0}% without an effect;",
        100.0 * value.by_trend(test),
        100.0 * value.predictive_power(test),
        100.0 * value.conditional_power(0.0, test)
    );
    println!(
        "  what may not be said: that those who remain ({:.0}%) are alike in all arms, as who left was not published by arm.",
        100.0 * remained
    );
    Ok(())
}

fn main() -> armwise::Result<()> {
    println!("MEMORANDUM: THE NEXT EXPERIMENT\n");
    println!("1. What the six experiments could show\n");
    println!("{}", what_they_could_show()?.to_text());
    println!(
        "One treatment against the control arm, at the level of all treatments of the city together (Dunnett); equal arms \
         are assumed, and 15% at work without treatment.\n"
    );
    println!("2. Together\n");
    together()?;

    println!("\n3. A design that shows 3 points in one trial\n");
    let trial = planned(BASE, MATTERS, 2)?.attrition(0.10)?;
    let design = trial.people_for(0.8)?;
    println!("{design}\n");
    let grid = trial.grid(&[500, 1_000, 2_000, 3_000, 4_000], &[1.0, 1.5, 2.0])?;
    println!("{}", PowerCurvePlot::table(&grid).to_text());

    println!("4. Its allocation list\n");
    let each = u32::try_from(design.people.control / 6 + 1).unwrap_or(u32::MAX);
    let cities = CITIES.map(|(city, ..)| (city, 3 * each));
    let arms = [("control", 1), ("exemption", 1), ("guidance", 1)];
    let plan = ListPlan::new(arms, 20_261_130)?
        .strata(cities)?
        .method(ListMethod::PermutedBlocks { sizes: vec![3, 6, 9] })?;
    let list = plan.draw()?;
    let text = list.to_csv();
    text.lines().take(4).for_each(|line| println!("  {line}"));
    println!(
        "  ... {} rows in all, arms of {:?}; the code of the list is {}.\n",
        list.rows().len(),
        list.counts(),
        list.check_code()
    );

    println!("5. Looking half-way\n");
    half_way()?;

    println!("\n6. The rehearsal\n");
    let outcome = SimulatedOutcome::Binary { proportions: vec![BASE, BASE + MATTERS, BASE] };
    let people = SimulatedPopulation::new(outcome, u32::try_from(design.total).unwrap_or(u32::MAX))?
        .arms(arms)?
        .dropout(vec![0.10; 3])?;
    let analysis = |trials: &Trials| {
        let effects = trials.trial("city 1")?.on(&WORKS)?.estimate(&DifferenceInProportions::new())?;
        Ok(effects.iter().map(|one| Answer::of(&one)).collect())
    };
    let terminal = std::io::stderr().is_terminal();
    let bar = Progress::new(move |step| {
        if terminal && step.depth == 0 {
            eprint!("\r{step}");
        }
        ControlFlow::Continue(())
    });
    let simulation = Simulation::new(people, 2_026).replicates(200).alpha(design.alpha_of_comparison);
    let rehearsed = bar.watch(|| simulation.run(&analysis))?;
    if terminal {
        eprintln!();
    }
    println!("{rehearsed}");
    Ok(())
}
