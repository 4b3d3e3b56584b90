//! JSON of bounds, tipping points and planned trials that does not follow from itself.

use super::json::refuses;
use crate::support::survives;
use armwise::prelude::*;
use serde_json::json;

#[test]
fn bounds_and_tipping_points_refuse_what_their_constructor_refuses() {
    use armwise::missing::{Bounds, MissingBounds, TippingGrid, TippingTest};
    let text = "arm,event\nc,1\nc,0\nc,0\nc,\nt,1\nt,1\nt,0\nt,\n";
    let trial = Trial::builder("Utrecht", Table::from_csv_str(text).unwrap()).arm_labels("arm").control("c");
    let event = trial.build().unwrap().on(&Measure::binary("event")).unwrap();
    let bounds = Bounds::worst_case(armwise::Interval::new(0.0, 1.0).unwrap()).on(&event).unwrap();
    survives(&bounds);
    let valid = serde_json::to_value(&bounds).unwrap();
    refuses::<MissingBounds>(
        &valid,
        &[
            ("/level", json!(1.0)),
            ("/treatments", json!([])),
            ("/treatments/0/bounds/upper", json!(0.1)),
            ("/treatments/0/interval/lower", json!(-3.0)),
            ("/treatments/0/interval", json!(null)),
            ("/treatments/0/se/0", json!(-1.0)),
            ("/treatments/0/share", json!(2.0)),
            ("/treatments/0/treatment/counts/observed", json!(9)),
        ],
    );
    let grid = TippingGrid::of_events(&event, "t", TippingTest::Pooled, 0.05).unwrap();
    survives(&grid);
    refuses::<TippingGrid>(
        &serde_json::to_value(&grid).unwrap(),
        &[
            ("/alpha", json!(0.0)),
            ("/of_treatment", json!([0.0])),
            ("/p_values/0/0", json!(1.5)),
            ("/values/1", json!([0.1])),
            ("/plain_p_value", json!(-0.1)),
        ],
    );
}

#[test]
fn designs_refuse_what_does_not_follow() {
    use armwise::prospective::{Design, ExpectedOutcome, ListPlan, PlannedTrial, PowerGrid};

    let trial = PlannedTrial::new(ExpectedOutcome::proportions(0.26, 0.2)).unwrap();
    let design = trial.people_for(0.8).unwrap();
    survives(&design);
    let changes = [
        ("/power", json!(0.5)),
        ("/effect", json!(null)),
        ("/total", json!(1)),
        ("/people/control", json!(0)),
        ("/trial/attrition", json!(1.5)),
        ("/trial/outcome/proportions/treated", json!(26.0)),
        ("/trial/test/alpha", json!(0.0)),
        ("/assumptions", json!([])),
    ];
    refuses::<Design>(&serde_json::to_value(&design).unwrap(), &changes);
    let grid = trial.grid(&[100, 200], &[1.0]).unwrap();
    survives(&grid);
    let changes = [("/power/0/0", json!(0.99)), ("/control", json!([200, 100])), ("/effects/0", json!(0.2))];
    refuses::<PowerGrid>(&serde_json::to_value(&grid).unwrap(), &changes);
    let plan = ListPlan::new([("control", 1), ("guidance", 1)], 1).unwrap().people(4).unwrap();
    survives(&plan);
    let changes = [("/arms/0/1", json!(0)), ("/arms/1/0", json!("control")), ("/units/0/name", json!("2"))];
    refuses::<ListPlan>(&serde_json::to_value(&plan).unwrap(), &changes);
}
