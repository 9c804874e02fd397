//! The last lines of what a broker prints, on either stream.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::process::Child;
use tokio::task::JoinSet;

/// So many lines are kept: a sanitizer's report has hundreds.
const LINES: usize = 400;
/// So many bytes of each.
const BYTES: usize = 400;
/// How long the last bytes may take after a death: others may hold the streams open.
const DRAINING: Duration = Duration::from_millis(200);

/// Reads until both streams end, or until dropped.
#[derive(Debug)]
pub(super) struct Tail {
    lines: Arc<Mutex<VecDeque<String>>>,
    readers: JoinSet<()>,
}

impl Tail {
    /// Takes the streams of the child.
    pub(super) fn of(child: &mut Child) -> Tail {
        let lines = Arc::new(Mutex::new(VecDeque::new()));
        let mut readers = JoinSet::new();
        if let Some(stream) = child.stdout.take() {
            readers.spawn(read(stream, Arc::clone(&lines)));
        }
        if let Some(stream) = child.stderr.take() {
            readers.spawn(read(stream, Arc::clone(&lines)));
        }
        Tail { lines, readers }
    }

    /// Waits a little for what was printed last.
    pub(super) async fn drained(&mut self) {
        let all = async { while self.readers.join_next().await.is_some() {} };
        let _ = tokio::time::timeout(DRAINING, all).await;
    }

    /// The lines so far.
    pub(super) fn lines(&self) -> Vec<String> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect()
    }
}

async fn read(mut stream: impl AsyncRead + Unpin, lines: Arc<Mutex<VecDeque<String>>>) {
    let keep = |line: &mut Vec<u8>| {
        let text = String::from_utf8_lossy(line).trim_end().to_owned();
        line.clear();
        if !text.is_empty() {
            let mut lines = lines.lock().unwrap_or_else(PoisonError::into_inner);
            if lines.len() == LINES {
                lines.pop_front();
            }
            lines.push_back(text);
        }
    };
    let (mut line, mut chunk) = (Vec::new(), [0; 4096]);
    while let Ok(count @ 1..) = stream.read(&mut chunk).await {
        for byte in &chunk[..count] {
            match byte {
                b'\n' => keep(&mut line),
                // The rest of a line that is too long is left out.
                byte if line.len() < BYTES => line.push(*byte),
                _ => {}
            }
        }
    }
    keep(&mut line);
}
