//! Generated scripts under proptest, and those under which the rules once accused the reference broker wrongly.

use mqtt_assay::simulation::{Carrier, Stage, Style, found, write_finding};
use mqtt_assay_broker_model::rules::Accusation;
use mqtt_assay_broker_model::script::{Script, text};
use mqtt_assay_broker_model::simulate::Setup;
use mqtt_assay_broker_model::workload::{Profile, Workload};
use mqtt_assay_codec::Version;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;
use std::path::Path;

const REGRESSIONS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../broker-model/tests/regressions");

/// What the rules say of a script: nothing, or each finding with the smallest script that leads to it.
fn said(stage: &Stage, script: &Script) -> String {
    let outcome = stage.run_script(script.clone(), Workload::BOUNDS).expect("the network carries it");
    let mut shapes: Vec<_> = outcome.verdicts.accusations.iter().map(Accusation::shape).collect();
    shapes.sort_unstable();
    shapes.dedup();
    let mut said = Vec::new();
    for shape in shapes {
        let finding = found(stage, script.clone(), Workload::BOUNDS, shape).expect("the network carries it");
        let replay = format!("mqtt-assay simulate --script FILE --carrier {}", stage.carrier.name());
        if let Some(finding) = finding {
            write_finding(&mut said, &finding, &replay, Style { colours: false }).expect("memory");
        }
    }
    String::from_utf8(said).expect("text")
}

/// Workloads of all sorts, each with the seed of one script.
fn workload() -> impl Strategy<Value = (Workload, u64)> {
    let profile = option::of(select(Profile::ALL.to_vec()));
    let version = option::of(select(vec![Version::V3_1_1, Version::V5]));
    (profile, version, any::<u64>())
        .prop_map(|(profile, version, seed)| (Workload { profile, version }, seed))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, ..ProptestConfig::default() })]

    #[test]
    fn no_rule_accuses_the_reference_broker((workload, seed) in workload()) {
        let stage = Stage { setup: Setup { workload, ..Setup::default() }, carrier: Carrier::Direct };
        let said = said(&stage, &workload.script(seed));
        prop_assert!(said.is_empty(), "{}", said);
    }
}

#[test]
fn what_was_accused_wrongly_is_accused_no_more() {
    let mut played = 0;
    for entry in std::fs::read_dir(Path::new(REGRESSIONS)).expect("the folder is there") {
        let path = entry.expect("it can be listed").path();
        let script = std::fs::read_to_string(&path).expect("it can be read");
        let script = text::parse(&script).unwrap_or_else(|errors| panic!("{}\n{errors}", path.display()));
        for carrier in [Carrier::Direct, Carrier::Turmoil] {
            let said = said(&Stage { carrier, ..Stage::default() }, &script);
            assert!(said.is_empty(), "{} on {}\n{said}", path.display(), carrier.name());
        }
        played += 1;
    }
    assert!(played > 10, "{played} scripts in {REGRESSIONS}");
}
