//! Registers of monthly states: what is refused, what becomes of them, and what results say.

use armwise::prelude::*;
use armwise::report::{EffectsOverTimePlot, OccupationPlot};

const PEOPLE: &str = "id,arm,end\n1,control,3\n2,control,3\n3,control,\n4,help,3\n5,help,2\n6,help,3\n";

fn trial(people: &str) -> Trial {
    Trial::builder("Utrecht", Table::from_csv_str(people).unwrap())
        .arm_labels("arm")
        .control("control")
        .participant("id")
        .build()
        .unwrap()
}

fn register(rows: &str) -> Register {
    let table = Table::from_csv_str(&format!("id,month,state\n{rows}")).unwrap();
    Register::from_long(table, "id", "month", "state").states(["benefit", "part", "work"]).months(3)
}

const ROWS: &str = "1,1,benefit\n1,2,benefit\n1,3,work\n2,1,benefit\n2,2,part\n3,1,work\n3,2,work\n3,3,work\n\
    4,1,work\n4,2,work\n4,3,benefit\n5,1,part\n5,2,work\n5,3,work\n6,1,benefit\n6,2,benefit\n6,3,benefit\n";

fn panel(register: &Register) -> armwise::Result<Comparison<MonthlyStates>> {
    trial(PEOPLE).on(&register.measure()?)
}

#[test]
fn all_bad_rows_of_a_register_are_one_error() {
    let rows =
        "1,1,benefit\n1,1,work\n2,1,retired\n2,4,work\n3,2,work\n3,1.5,work\n9,1,work\n4,,work\n5,1,\n";
    let error = panel(&register(rows)).unwrap_err();
    assert_eq!(error.kind().name(), "bad_register");
    let text = error.to_string();
    for part in [
        "Utrecht, state: 8 rows of the register cannot be:",
        "- row 2 (line 3): 1 in month 1: the person has another row of this month",
        "the state \"retired\" is not declared; declared are: benefit, part, work",
        "- 2 rows 4, 6 (lines 5, 7): 2 in month 4, 3 in month 1.5: months are 1 to 3",
        "3 in month 2: the person has no row of the month before",
        "9 in month 1: the person is not among the participants",
        "\"month\" is empty",
        "\"state\" is empty",
    ] {
        assert!(text.contains(part), "{part} in {text}");
    }
    // People of other trials of the same table are no strangers.
    let people = "id,city,arm\n1,A,c\n2,A,t\n3,B,c\n4,B,t\n";
    let trials = Trials::builder(Table::from_csv_str(people).unwrap(), "city")
        .participant("id")
        .arm_labels("arm")
        .control("c")
        .build()
        .unwrap();
    let months = register("1,1,benefit\n2,1,work\n3,1,work\n4,1,benefit\n").measure().unwrap();
    assert_eq!(trials.on(&months).unwrap().iter().count(), 2);
    let strangers = register("1,1,benefit\n2,1,work\n3,1,work\n4,1,benefit\n8,1,work\n");
    assert_eq!(trials.on(&strangers.measure().unwrap()).unwrap_err().kind().name(), "bad_register");
    let others = strangers.outsiders(Outsiders::LeftOut).measure().unwrap();
    assert_eq!(trials.on(&others).unwrap().iter().count(), 2);
    // A month after the end of follow-up that the trial declares.
    let error = panel(&register(ROWS).followed_until("end")).unwrap_err().to_string();
    assert!(error.contains("5 in month 3: the follow-up of the person ends before, by \"end\""), "{error}");
}

#[test]
fn declarations_of_a_register_are_checked() {
    let refused = |register: Register, words: &str| {
        let error = register.measure().unwrap_err().to_string();
        assert!(error.contains(words), "{words} in {error}");
    };
    refused(register(ROWS).states(["benefit"]), "name 2 to 250 with states(..)");
    refused(register(ROWS).states(["benefit", "benefit"]), "empty or declared twice");
    refused(register(ROWS).months(0), "give 1 to 1200 with months(..)");
    refused(register(ROWS).no_row_is("gone"), "\"gone\"");
    refused(register(ROWS).aims(["wrok"]), "\"wrok\"");
    refused(register(ROWS).states(["benefit", "Work"]), "Work");
    let unknown = Register::from_long(Table::from_csv_str(PEOPLE).unwrap(), "id", "month", "state");
    assert_eq!(unknown.states(["a", "b"]).months(2).measure().unwrap_err().kind().name(), "unknown_column");
    let panel = panel(&register(ROWS)).unwrap();
    let occupied =
        |states: &[&str], month| panel.estimate(&StateOccupation::new(RiskDifference, states, month));
    assert!(occupied(&["gone"], 2).unwrap_err().to_string().contains("gone"));
    assert!(occupied(&[], 2).unwrap_err().to_string().contains("no state is named"));
    assert!(occupied(&["benefit", "part", "work"], 2).is_err());
    assert!(occupied(&["work"], 0).unwrap_err().to_string().contains("give 1 to 3"));
    assert!(panel.sustained(["benefit"], 2).unwrap_err().to_string().contains("in month 0"));
    assert!(panel.sustained(["work"], 4).is_err());
}

#[test]
fn people_without_a_row_are_what_was_declared() {
    // Followed until the last row: the second person leaves after month 2.
    let ends = panel(&register(ROWS)).unwrap();
    let lengths = |panel: &Comparison<MonthlyStates>| {
        panel.sequences().unwrap().iter().map(|own| own.len()).collect::<Vec<_>>()
    };
    assert_eq!(lengths(&ends), [3, 2, 3, 3, 3, 3]);
    // Months without a row are on benefit; the trial says until when people were followed.
    let rows = "1,3,work\n3,1,work\n4,1,work\n4,2,work\n5,2,part\n";
    let filled = panel(&register(rows).no_row_is("benefit").followed_until("end")).unwrap();
    assert_eq!(lengths(&filled), [3, 3, 3, 3, 2, 3]);
    assert_eq!(filled.sequences().unwrap()[0], [0, 0, 2]);
    assert_eq!(filled.sequences().unwrap()[5], [0, 0, 0]);
    assert!(filled.notices().is_empty());
    // Without a row and without such a declaration a person has no states.
    let nobody = ROWS.replace("6,1,benefit\n6,2,benefit\n6,3,benefit\n", "");
    let panel = panel(&register(&nobody)).unwrap();
    assert!(
        panel.notices().iter().any(|notice| matches!(notice, Notice::MissingOutcome { participants: 1, .. }))
    );
    assert_eq!(panel.arms()[1].counts.analysed, 2);
}

#[test]
fn states_become_outcomes_of_other_kinds() {
    let panel = panel(&register(ROWS).aims(["work"])).unwrap();
    let works = panel.observed_in(["work"], 3).unwrap();
    assert_eq!(works.outcomes(), [1.0, 1.0, 0.0, 1.0, 0.0]);
    assert_eq!(
        (works.measure().name.as_str(), works.measure().horizon.as_deref()),
        ("state: work", Some("3 months"))
    );
    assert_eq!(works.measure().direction, Direction::HigherIsBetter);
    assert!(
        works
            .notices()
            .iter()
            .any(|notice| matches!(notice, Notice::MissingOutcome { participants: 1, of: 6 }))
    );
    let off = panel.observed_in(["benefit", "part"], 1).unwrap();
    assert_eq!(off.measure().direction, Direction::LowerIsBetter);
    assert_eq!(panel.observed_in(["part"], 1).unwrap().measure().direction, Direction::Undeclared);
    let months = panel.complete_months_in(["work", "part"], 3).unwrap();
    assert_eq!(months.outcomes(), [1.0, 3.0, 2.0, 3.0, 0.0]);
    assert_eq!(months.measure().horizon.as_deref(), Some("until 3 months"));
    let exits = panel.sustained(["part", "work"], 2).unwrap();
    assert_eq!(exits.measure().name, "part or work for at least 2 months");
    let times = exits.times().unwrap();
    assert_eq!(times.time, [2.0, 1.0, 1.0, 1.0, 1.0, 2.0]);
    assert_eq!(times.cause, [0, 0, 1, 1, 1, 0]);
    // By subgroup, as any comparison.
    assert_eq!(panel.states(), ["benefit", "part", "work"]);
    // Beyond the follow-up of an arm.
    let short = ROWS.replace("1,3,work\n", "").replace("3,3,work\n", "");
    let short = trial(PEOPLE).on(&register(&short).measure().unwrap()).unwrap();
    let error = short.estimate(&StateOccupation::new(RiskDifference, ["work"], 3)).unwrap_err();
    assert_eq!(error.kind().name(), "beyond_follow_up", "{error}");
    assert!(short.observed_in(["work"], 3).unwrap_err().to_string().contains("seen so long"));
    let effects = MonthlyEffects::new(["work"], [1, 3]).over_time(&short).unwrap_err();
    assert_eq!(effects.kind().name(), "beyond_follow_up", "{effects}");
}

fn wageningen() -> Comparison<MonthlyStates> {
    let people = Table::from_csv_path("examples/data/participants.csv").unwrap();
    let people = people.keep_category("municipality", "Wageningen").unwrap();
    let trial = Trial::builder("Wageningen", people)
        .arm_labels("arm")
        .control("control")
        .strata(["stratum"])
        .build()
        .unwrap();
    let table = Table::from_csv_path("examples/data/registry_panel.csv").unwrap();
    let table = table.keep_category("municipality", "Wageningen").unwrap();
    let register = Register::from_long(table, "participant", "month", "state")
        .states(["benefit", "part_time", "full_time", "other"])
        .aims(["part_time", "full_time"])
        .months(24);
    trial.on(&register.measure().unwrap()).unwrap()
}

#[test]
fn effects_over_time_hold_together_and_pool() {
    let panel = wageningen();
    let works = MonthlyEffects::new(["part_time", "full_time"], [6, 12, 18, 24]);
    let effects = works.over_time(&panel).unwrap();
    let bands = effects.simultaneous(0.95).unwrap();
    assert_eq!(bands.contrasts.len(), 12);
    for (place, band) in bands.contrasts.iter().enumerate() {
        let one = effects.at(effects.months[place % 4]).unwrap();
        let one = one.treatment(&effects.treatments[place / 4].label).unwrap();
        let (alone, together) = (one.interval(), band.interval);
        assert!(together.contains(alone.lower()) && together.contains(alone.upper()), "{place}");
    }
    assert!(effects.at(7).unwrap_err().to_string().contains("take one of 6, 12, 18, 24"));
    assert!(effects.joint_test("nobody").is_err());
    // Read back as it was written.
    let text = serde_json::to_string(&effects).unwrap();
    let read: EffectsOverTime = serde_json::from_str(&text).unwrap();
    assert_eq!(read, effects);
    let broken = text.replacen("\"months\":[6,12", "\"months\":[12,6", 1);
    assert!(serde_json::from_str::<EffectsOverTime>(&broken).is_err());
    // Many months are nearly the same.
    let every =
        MonthlyEffects::new(["benefit"], 4..=24).variance(ClusterVariance::Cr1).over_time(&panel).unwrap();
    if let Err(error) = every.joint_test("guidance") {
        assert!(error.to_string().contains("name fewer months"), "{error}");
    }
    // The mean is one effect with the measure of its months.
    let year = panel.estimate(&MonthlyEffects::new(["part_time", "full_time"], 13..=24)).unwrap();
    let line = year.treatment("guidance").unwrap().to_string();
    assert!(line.contains("state: part_time or full_time, mean of months 13 to 24"), "{line}");
    assert!(year.notices().iter().any(|notice| matches!(notice, Notice::StrataIgnored { .. })));
    // Nobody is elsewhere in month 1.
    let error = MonthlyEffects::new(["full_time"], [1]).over_time(&panel).unwrap_err();
    assert!(
        error.to_string().contains("do not differ in month 1") || error.kind().name() == "zero_variance",
        "{error}"
    );
    let groups = panel.by_subgroup("stratum").unwrap().estimate(&StateOccupation::new(
        RiskDifference,
        ["benefit"],
        12,
    ));
    assert!(groups.unwrap().interaction().unwrap().p_value > 0.0);
}

#[test]
fn figures_of_registers_are_the_same_every_time() {
    let panel = wageningen();
    let figure = OccupationPlot::of(&panel).unwrap().time_label("Months since the start");
    let svg = figure.to_svg();
    assert_eq!(svg, figure.to_svg());
    for part in ["control (n = 55)", "part time", "Share of people (%)", "guidance in month 24: benefit"] {
        assert!(svg.contains(part), "{part}");
    }
    let works = MonthlyEffects::new(["part_time", "full_time"], [6, 12, 18, 24]);
    let effects = works.over_time(&panel).unwrap();
    let svg = EffectsOverTimePlot::of(&effects).unwrap().to_svg();
    for part in ["guidance (all months: p = 0.", "that hold for all months and treatments", "month 12: "] {
        assert!(svg.contains(part), "{part}");
    }
    // Seven shades are not told apart.
    let states = ["a", "b", "c", "d", "e", "f", "g"];
    let table = Table::from_csv_str("id,month,state\n1,1,a\n2,1,b\n3,1,c\n4,1,d\n5,1,e\n6,1,f\n").unwrap();
    let many = Register::from_long(table, "id", "month", "state").states(states).months(1).measure().unwrap();
    let error = OccupationPlot::of(&trial(PEOPLE).on(&many).unwrap()).unwrap_err().to_string();
    assert!(error.contains("7 states cannot be told apart"), "{error}");
}
