//! The reference broker passes every check, in both versions, over real loopback sockets.

mod support;

use mqtt_assay::target::Target;
use mqtt_assay::verdict::Verdict;
use std::time::Duration;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_reference_broker_conforms() {
    let options = support::options(Target::Reference { mutant: None }, Duration::from_secs(5));
    let run = support::quietly(&options).await.expect("the reference broker can be served");
    let complaints = support::complaints(&run);
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
    assert_eq!(run.results.len(), run.planned);
    assert!(run.results.iter().any(|r| r.verdict == Verdict::Conforms));
    // The whole table of wrong packets in every place: what is left out would show here.
    let cases: usize = run.results.iter().map(|r| r.cases).sum();
    assert!(cases > 15_000, "{cases} cases of the table judged");
}
