use super::*;

const WHOLE: &str = r#"
[broker]
name = "Mosquitto"
version = "2.0.11"
denied_topic = "secret/topic"
connect_timeout = 2.5

[addresses]
tcp = "mqtt://127.0.0.1:{port}"
wss = "wss://broker.example/mqtt"

[tls]
ca = "ca.pem"

[credentials]
user = "alice"
password = "right"
wrong_user = "alice"
wrong_password = "wrong"
checks_passwords = true
anonymous = false

[authentication]
method = "SCRAM-SHA-256"

[abilities."5.0"]
maximum_qos = { announced = 1, found = 1 }
retain = { found = true }

[limits."5.0"]
receive_maximum = { announced = 20, found = 20 }

[process]
spawn = "mosquitto -p {port}"
stop = "kill {pid}"
start_timeout = 5
"#;

#[test]
fn a_whole_profile_is_read() {
    let profile = BrokerProfile::read(WHOLE).unwrap();
    assert_eq!(profile.broker.connect_timeout, Some(Duration::from_millis(2500)));
    let addresses: Vec<_> = profile.addresses.all().collect();
    let expected = [(Over::Tcp, "mqtt://127.0.0.1:{port}"), (Over::Wss, "wss://broker.example/mqtt")];
    assert_eq!(addresses, expected);
    let five = &profile.abilities["5.0"];
    assert_eq!(five.maximum_qos.as_ref().map(|item| (item.announced, item.found)), Some((Some(1), Some(1))));
    assert_eq!(five.retain.as_ref().and_then(|item| item.announced), None);
    assert_eq!(profile.process.start_timeout, Some(Duration::from_secs(5)));
}

/// All but the password, which no file of ours repeats.
#[test]
fn what_is_written_is_read_again() {
    let mut profile = BrokerProfile::read(WHOLE).unwrap();
    profile.credentials.password = None;
    assert_eq!(BrokerProfile::read(&profile.text()), Ok(profile));
}

#[test]
fn an_empty_profile_is_one() {
    assert_eq!(BrokerProfile::read(""), Ok(BrokerProfile::default()));
    assert_eq!(BrokerProfile::default().text(), "");
}

#[test]
fn comments_are_wrapped_and_harmless() {
    let mut profile = BrokerProfile::default();
    let how = format!("a\nretain = {{ found = true }} {}", "word ".repeat(40));
    let item = Item { announced: None, found: Some(false), how };
    profile.abilities.entry("3.1.1".into()).or_default().retain = Some(item);
    let text = profile.text();
    assert!(text.lines().all(|line| line.chars().count() <= 110), "{text}");
    let again = BrokerProfile::read(&text).unwrap();
    assert_eq!(again.abilities["3.1.1"].retain.as_ref().unwrap().found, Some(false));
}

#[test]
fn what_is_wrong_is_told_with_its_line() {
    for (text, line, hint) in [
        ("[broker]\nnome = 'x'", 2, "unknown field `nome`"),
        ("\n[brokers]", 2, "unknown field `brokers`"),
        ("[broker", 1, ""),
        ("[broker]\nname = 'x'\ndenied_topic = 'a/#'", 3, "Topic Name"),
        ("[broker]\nconnect_timeout = 0", 2, "seconds"),
        ("[addresses]\ntcp = 'mqtts://h'", 2, "no mqtt:// address"),
        ("[addresses]\n\ntls = 'mqtts://h/path'", 3, "something follows"),
        ("[addresses]\nws = 'ws://user:secret@h'", 2, "[credentials]"),
        ("[addresses]\nwss = 'wss://user:secret@h:x'", 2, "port"),
        ("[addresses]\ntcp = 'mqtt://h:{port}'", 1, "spawn"),
        ("\n[tls]\ncert = 'c.pem'", 2, "`key`"),
        ("[tls]\nca = 'c.pem'\ninsecure = true", 1, "insecure"),
        ("[credentials]\npassword = 'secret'", 1, "`user`"),
        ("[credentials]\nwrong_user = 'x'", 1, "wrong pair"),
        ("[credentials]\nuser = 'x'\npassword = 'y'\nwrong_user = 'x'\nwrong_password = 'y'", 1, "right one"),
        ("[abilities.'4']\nretain = { found = true }", 1, "no version"),
        ("[abilities.'5.0']\nretain = { fond = true }", 2, "unknown field `fond`"),
        ("[limits.'5.0']\nreceive_maximum = { found = -1 }", 2, "-1"),
        ("[process]\nspawn = \"mosquitto '\"", 1, "quotation mark"),
        ("[process]\nspawn = ''", 1, "empty"),
        ("[process]\nstop = 'kill {pid}'", 1, "`spawn`"),
    ] {
        let wrong = BrokerProfile::read(text).unwrap_err();
        assert!(wrong.line == line && wrong.what.contains(hint), "{text:?}: {wrong}");
        assert!(!wrong.to_string().contains("secret") && !wrong.what.contains('\n'), "{text:?}: {wrong}");
    }
}
