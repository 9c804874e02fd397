//! What holds of every case, mutation, corpus and minimised case.

use core::time::Duration;
use mqtt_assay_broker_model::history::ClientNo;
use mqtt_assay_broker_model::script::text::parse;
use mqtt_assay_broker_model::script::{Action, Script, Send, Step};
use mqtt_assay_broker_model::workload::Draw;
use mqtt_assay_broker_model::{Broker, Policy, direct};
use mqtt_assay_codec::{Decoder, PacketId, Receiver, Version};
use mqtt_assay_fuzz_engine::case::{Case, Refused};
use mqtt_assay_fuzz_engine::corpus::{self, Admission, Corpus};
use mqtt_assay_fuzz_engine::generate::Generator;
use mqtt_assay_fuzz_engine::minimise::{Effort, minimise};
use mqtt_assay_fuzz_engine::mutate::{Level, mutate, mutate_on};
use mqtt_assay_fuzz_engine::signature::Signature;
use proptest::prelude::*;

/// Cases of the grammar alone: what the workload writes breaks rules on purpose.
fn grammar() -> Generator {
    Generator { workload_percent: 0, closing: Duration::ZERO, ..Generator::default() }
}

fn case(seed: u64) -> Case {
    Generator::default().case(&mut Draw::new(seed))
}

/// A case after so many mutations.
fn mutated(seed: u64, times: usize) -> Case {
    let mut draw = Draw::new(seed);
    let generator = Generator::default();
    let mut case = generator.case(&mut draw);
    for _ in 0..times {
        let other = generator.case(&mut draw);
        case = mutate(&case, &other, &generator, &mut draw);
    }
    case
}

fn signature(case: &Case) -> Signature {
    Signature::of(&direct::play(case.script().clone(), Broker::new(Policy::default(), 1)).history)
}

fn is_raw(step: &Step) -> bool {
    matches!(step, Step::Client(_, Action::Send(Send::Raw(_) | Send::Broken(_), _)))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn every_packet_of_a_generated_case_is_well_formed(seed: u64) {
        let case = grammar().case(&mut Draw::new(seed));
        let Script { clients, steps, .. } = case.script();
        let well_formed = |version: Version, bytes: Option<Vec<u8>>| {
            let bytes = bytes.expect("it can be encoded");
            let decoder = Decoder::new(version, Receiver::Server);
            matches!(decoder.next(&bytes), Ok(Some((_, length))) if length == bytes.len())
        };
        for client in clients {
            prop_assert!(well_formed(client.version, client.connect.encode(client.version, &client.name)));
        }
        for step in steps {
            let Step::Client(client, action) = step else { continue };
            let of = &clients[client.index()];
            let bytes = match action {
                Action::Send(send, _) => send.encode(of.version, &of.name, PacketId::MIN),
                Action::Connect(Some(connect)) => connect.encode(of.version, &of.name),
                _ => continue,
            };
            prop_assert!(well_formed(of.version, bytes), "{action:?}");
        }
    }

    #[test]
    fn a_mutated_case_reads_back(seed: u64, times in 1..12usize) {
        let case = mutated(seed, times);
        prop_assert_eq!(&parse(case.text()).expect("it is a script"), case.script());
        prop_assert_eq!(case.text().parse::<Case>().expect("it is a case"), case);
    }

    #[test]
    fn the_same_seed_gives_the_same_mutation(seed: u64) {
        prop_assert_eq!(mutated(seed, 4), mutated(seed, 4));
    }

    #[test]
    fn a_corpus_holds_the_same_in_whatever_order_the_cases_came(seeds in prop::collection::vec(0..40u64, 1..10)) {
        let mut forth = Corpus::default();
        let mut back = Corpus::default();
        let mut halves = (Corpus::default(), Corpus::default());
        for seed in &seeds {
            forth.admit(&case(*seed), &signature(&case(*seed)));
            let half = if seed % 2 == 0 { &mut halves.0 } else { &mut halves.1 };
            half.admit(&case(*seed), &signature(&case(*seed)));
        }
        for seed in seeds.iter().rev() {
            back.admit(&case(*seed), &signature(&case(*seed)));
        }
        halves.1.merge(halves.0);
        prop_assert_eq!(&forth, &back);
        prop_assert_eq!(forth, halves.1);
    }

    /// What is sought is a property of the case alone: a raw packet with a byte, or a number of steps of a kind.
    #[test]
    fn the_smallest_case_shows_what_was_sought_and_stays_as_it_is(seed: u64, wanted in 1..4usize) {
        let case = mutated(seed, 6);
        let raw = |case: &Case| case.script().steps.iter().filter(|step| is_raw(step)).count();
        let publishes = |case: &Case| {
            let is = |step: &&Step| matches!(step, Step::Client(_, Action::Send(Send::Publish { .. }, _)));
            case.script().steps.iter().filter(is).count()
        };
        let (raws, wanted) = (raw(&case).min(1), wanted.min(publishes(&case)));
        // Of what nothing is sought in, one step is left.
        prop_assume!(raws + wanted > 0);
        let shows = |case: &Case| raw(case) >= raws && publishes(case) >= wanted;
        let effort = Effort { confirmations: 2, tries: 100_000 };
        let small = minimise(&case, effort, shows);
        prop_assert!(small.reproduced && shows(&small.case));
        prop_assert!(small.case.script().steps.len() == raws + wanted, "{}", small.case);
        let again = minimise(&small.case, effort, shows);
        prop_assert_eq!(&again.case, &small.case);
    }
}

#[test]
fn every_level_changes_cases() {
    let generator = Generator::default();
    for level in Level::ALL {
        let changed = (0..100).filter(|seed| {
            let mut draw = Draw::new(*seed);
            let (case, other) = (case(*seed), case(seed + 1));
            mutate_on(level, &case, &other, &generator, &mut draw) != case
        });
        let changed = changed.count();
        assert!(changed > 60, "{level:?}: {changed} of 100");
    }
}

#[test]
fn mutation_comes_to_raw_bytes_half_closed_connections_and_several_versions() {
    let cases: Vec<Case> = (0..200).map(|seed| mutated(seed, 3)).collect();
    let count = |test: &dyn Fn(&Case) -> bool| cases.iter().filter(|case| test(case)).count();
    assert!(count(&|case| case.script().steps.iter().any(is_raw)) > 50);
    assert!(count(&|case| case.text().contains("half-close")) > 2);
    assert!(count(&|case| case.text().contains("split=")) > 10);
    let versions = |case: &Case| {
        let mut versions: Vec<_> = case.script().clients.iter().map(|client| client.version as u8).collect();
        versions.sort_unstable();
        versions.dedup();
        versions.len()
    };
    assert!(count(&|case| versions(case) > 1) > 50);
    assert!(count(&|case| case.script().clients.iter().any(|client| client.version == Version::V3_1)) > 20);
}

#[test]
fn what_does_not_come_back_is_kept_as_it_was() {
    let case = case(1);
    let mut asked = 0;
    let once = |_: &Case| {
        asked += 1;
        asked == 1
    };
    let small = minimise(&case, Effort { confirmations: 3, tries: 100 }, once);
    assert!(!small.reproduced);
    assert_eq!((small.case, asked), (case, 2));
}

#[test]
fn bytes_that_do_not_matter_are_taken_away() {
    let text = "client a  clean_start=1\na > raw 30 0c 00 05 61 2f 62 2f 63 00 78 79 7a 7b\na > raw c0 00\n";
    let case: Case = text.parse().expect("a case");
    let shows = |case: &Case| case.text().contains("7a");
    let small = minimise(&case, Effort::default(), shows);
    assert!(small.case.text().contains("> raw 7a\n"), "{}", small.case);
    assert_eq!(small.case.script().steps.len(), 1);
}

#[test]
fn rare_answers_are_preferred() {
    let mut corpus = Corpus::default();
    let [usual, rare] = [1, 2].map(case);
    for _ in 0..1_000 {
        corpus.admit(&usual, &signature(&usual));
    }
    corpus.admit(&rare, &signature(&rare));
    let mut draw = Draw::new(1);
    let picked = (0..200).filter(|_| corpus.pick(&mut draw).is_some_and(|entry| *entry.case() == rare));
    assert!(picked.count() > 180);
}

#[test]
fn a_corpus_is_written_and_read() {
    let folder = std::env::temp_dir().join(format!("mqtt-assay-corpus-{}", std::process::id()));
    let mut corpus = Corpus::default();
    for seed in 0..20 {
        let first = corpus.admit(&case(seed), &signature(&case(seed)));
        assert!(seed > 0 || first == Admission::New);
    }
    corpus.save(&folder).expect("the folder can be written");
    let again = Corpus::load(&folder).expect("the folder can be read");
    let seeds = corpus::seeds(&folder).expect("the folder can be read");
    // A script that says nothing of answers is none of the corpus, and one that is no case is told by its name.
    std::fs::write(folder.join("own.script"), "client a\na > PINGREQ\n").expect("a file");
    let with_own = Corpus::load(&folder);
    std::fs::write(folder.join("wrong.script"), "# shows 1 x\nclient a\nb > PINGREQ\n").expect("a file");
    let wrong = Corpus::load(&folder).expect_err("one is no case");
    std::fs::remove_dir_all(&folder).expect("the folder is there");
    assert_eq!(again, corpus);
    assert_eq!(with_own, Ok(corpus.clone()));
    assert_eq!(seeds.len(), corpus.cases().len());
    assert!(wrong.to_string().contains("wrong.script: line 3, column 1"), "{wrong}");
}

#[test]
fn what_cannot_be_written_or_is_too_large_is_no_case() {
    let script: Script = "client a  clean_start=1\na > PINGREQ\n".parse().expect("a script");
    assert!(Case::new(script.clone()).is_some());
    let mut stranger = script.clone();
    stranger.steps.push(Step::Client(ClientNo(7), Action::Settle));
    assert_eq!(Case::new(stranger), None);
    let mut long = script;
    long.steps = vec![Step::Client(ClientNo(0), Action::Settle); 1_000];
    assert_eq!(Case::new(long.clone()), None);
    assert!(matches!(long.to_string().parse::<Case>(), Err(Refused::TooLarge)));
}
