//! Whole campaigns against the reference broker, in memory: they find its faults, and none where there is none.

use mqtt_assay_broker_model::history::History;
use mqtt_assay_broker_model::rules::{self, Accusation};
use mqtt_assay_broker_model::workload::{Draw, Workload};
use mqtt_assay_broker_model::{Broker, Mutant, Policy, direct};
use mqtt_assay_fuzz_engine::campaign::{Campaign, Plan};
use mqtt_assay_fuzz_engine::case::Case;
use mqtt_assay_fuzz_engine::corpus::Corpus;
use mqtt_assay_fuzz_engine::finding::{Findings, Key};
use mqtt_assay_fuzz_engine::generate::Generator;
use mqtt_assay_fuzz_engine::minimise::{Effort, minimise};
use mqtt_assay_fuzz_engine::signature::Signature;

fn play(case: &Case, mutant: Option<Mutant>) -> History {
    let broker = Broker::new(Policy::default(), 1);
    let broker = match mutant {
        Some(mutant) => broker.with_mutant(mutant),
        None => broker,
    };
    direct::play(case.script().clone(), broker).history
}

fn accusations(history: &History) -> Vec<Accusation> {
    rules::judge(history, Workload::BOUNDS).accusations
}

/// What the first cases of a campaign find; stops after the first that finds anything, if `first` says so.
fn hunt(cases: usize, seed: u64, mutant: Option<Mutant>, first: bool) -> (Findings, Campaign) {
    let mut campaign = Campaign::new(Plan::default(), seed);
    let mut findings = Findings::default();
    for _ in 0..cases {
        let case = campaign.next_case();
        let history = play(&case, mutant);
        for accusation in accusations(&history) {
            findings.add(Key::of(&accusation), &case);
        }
        campaign.observe(&case, &history);
        if first && !findings.is_empty() {
            break;
        }
    }
    (findings, campaign)
}

/// The smallest case that shows this finding.
fn small(key: &Key, case: &Case, mutant: Option<Mutant>) -> Case {
    let shows = |case: &Case| accusations(&play(case, mutant)).iter().any(|found| Key::of(found) == *key);
    minimise(case, Effort { confirmations: 1, tries: 500 }, shows).case
}

/// How many cases: `CASES` in the environment, to hunt longer.
fn cases(usual: usize) -> usize {
    std::env::var("CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(usual)
}

#[test]
fn nothing_is_found_where_nothing_is_wrong() {
    let (findings, _) = hunt(cases(3_000), 11, None, false);
    let shown = findings.iter().map(|(key, finding)| format!("{key}\n{}", small(key, &finding.case, None)));
    let shown: Vec<String> = shown.collect();
    assert!(shown.is_empty(), "{}", shown.join("\n"));
}

/// Faults of many kinds: of sessions, deliveries, codes, and of what is malformed.
const FAULTS: &[Mutant] = &[
    Mutant::WillNeverPublished,
    Mutant::NoLocalIgnored,
    Mutant::RetainedFlagCleared,
    Mutant::FixedHeaderFlagsAccepted,
    Mutant::PacketIdZeroAccepted,
    Mutant::TrailingBytesAccepted,
    Mutant::BadFilterGranted,
    Mutant::TopicAliasZeroAccepted,
    Mutant::SubscribeQos3Accepted,
    Mutant::IllFormedUtf8Accepted,
];

#[test]
fn faults_are_found_and_shown_by_small_cases() {
    for &fault in FAULTS {
        let (findings, _) = hunt(5_000, 5, Some(fault), true);
        let Some((key, finding)) = findings.iter().next() else { panic!("{fault:?} is not found") };
        let small = small(key, &finding.case, Some(fault));
        let found = accusations(&play(&small, Some(fault)));
        assert!(found.iter().any(|found| Key::of(found) == *key), "{fault:?}: {key} is lost in\n{small}");
        assert!(accusations(&play(&small, None)).is_empty(), "{fault:?}: without it, too, in\n{small}");
        assert!(small.script().steps.len() <= 12, "{fault:?}: {key} is not small in\n{small}");
    }
}

#[test]
fn a_seed_gives_the_same_campaign_byte_for_byte() {
    let texts = |seed| {
        let mut campaign = Campaign::new(Plan::default(), seed);
        let texts = (0..300).map(|_| {
            let case = campaign.next_case();
            campaign.observe(&case, &play(&case, None));
            case.to_string()
        });
        texts.collect::<Vec<_>>()
    };
    assert_eq!(texts(3), texts(3));
    assert_ne!(texts(3), texts(4));
}

#[test]
fn mutation_reaches_answers_that_generation_does_not() {
    const CASES: usize = 5_000;
    let (_, campaign) = hunt(CASES, 9, None, false);
    let mut generated = Corpus::default();
    let mut draw = Draw::new(9);
    for _ in 0..CASES {
        let case = Generator::default().case(&mut draw);
        generated.admit(&case, &Signature::of(&play(&case, None)));
    }
    let known: Vec<&str> = generated.iter().map(|(part, _)| part).collect();
    let beyond = campaign.corpus().iter().filter(|(part, _)| known.binary_search(part).is_err()).count();
    assert!(campaign.corpus().len() > generated.len(), "{} and {}", campaign.corpus().len(), generated.len());
    assert!(beyond > generated.len() / 4, "{beyond} beyond {}", generated.len());
}
