//! The bytes, their order and their end are never changed, whatever the shape.

use super::*;
use proptest::prelude::*;
use std::collections::VecDeque;
use std::future::poll_fn;
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::sleep;

/// What came of the bytes that were written.
#[derive(Clone, PartialEq, Eq, Debug)]
enum Written {
    Segment(Vec<u8>),
    Shutdown,
    Reset,
}

/// What comes to be read.
#[derive(Clone, Debug)]
enum Coming {
    Chunk(Vec<u8>),
    Pause(u8),
    Reset,
}

/// The far end: notes every write on its own, and has its reads prepared. Its last word is the end of the stream.
struct FarEnd {
    written: Arc<Mutex<Vec<Written>>>,
    coming: VecDeque<Coming>,
    pause: Option<Pin<Box<Sleep>>>,
}

impl FarEnd {
    fn new(coming: impl IntoIterator<Item = Coming>) -> (Self, Arc<Mutex<Vec<Written>>>) {
        let written = Arc::default();
        let coming = coming.into_iter().collect();
        (FarEnd { written: Arc::clone(&written), coming, pause: None }, written)
    }

    fn note(&self, written: Written) {
        self.written.lock().expect("no test thread panics with it").push(written);
    }
}

impl AsyncWrite for FarEnd {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.note(Written::Segment(bytes.to_vec()));
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.note(Written::Shutdown);
        Poll::Ready(Ok(()))
    }
}

impl AsyncRead for FarEnd {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        loop {
            if let Some(pause) = &mut self.pause {
                ready!(pause.as_mut().poll(context));
                self.pause = None;
            }
            match self.coming.pop_front() {
                None => return Poll::Ready(Ok(())),
                Some(Coming::Reset) => return Poll::Ready(Err(io::ErrorKind::ConnectionReset.into())),
                Some(Coming::Pause(millis)) => {
                    self.pause = Some(Box::pin(sleep(Duration::from_millis(millis.into()))));
                }
                Some(Coming::Chunk(mut bytes)) => {
                    let rest = bytes.split_off(bytes.len().min(buffer.remaining()));
                    buffer.put_slice(&bytes);
                    if !rest.is_empty() {
                        self.coming.push_front(Coming::Chunk(rest));
                    }
                    return Poll::Ready(Ok(()));
                }
            }
        }
    }
}

impl Wire for FarEnd {
    fn reset_on_drop(&mut self) {
        self.note(Written::Reset);
    }
}

fn in_virtual_time<T>(story: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .expect("a runtime without I/O")
        .block_on(story)
}

/// Writes each of these, then shuts down; gives what the far end saw.
fn written(shape: Shape, seed: u64, writes: &[Vec<u8>]) -> Vec<Written> {
    in_virtual_time(async {
        let (far_end, written) = FarEnd::new([]);
        let mut stream = Shaped::new(far_end, shape, seed, "a 1");
        for bytes in writes {
            stream.write_all(bytes).await.expect("the far end takes all");
        }
        stream.shutdown().await.expect("the far end takes all");
        let written = written.lock().expect("no test thread panics with it");
        written.clone()
    })
}

/// Reads to the end; gives the chunks, and how it ended.
fn read(shape: Shape, seed: u64, coming: &[Coming]) -> (Vec<Vec<u8>>, io::Result<()>) {
    in_virtual_time(async {
        let (far_end, _) = FarEnd::new(coming.to_vec());
        let mut stream = Shaped::new(far_end, shape, seed, "a 1");
        let (mut chunks, mut buffer) = (Vec::new(), [0; 100]);
        loop {
            match stream.read(&mut buffer).await {
                Ok(0) => return (chunks, Ok(())),
                Ok(count) => chunks.push(buffer[..count].to_vec()),
                Err(error) => return (chunks, Err(error)),
            }
        }
    })
}

fn segments(written: &[Written]) -> Vec<Vec<u8>> {
    let segment = |written: &Written| match written {
        Written::Segment(bytes) => Some(bytes.clone()),
        Written::Shutdown | Written::Reset => None,
    };
    written.iter().filter_map(segment).collect()
}

fn shapes() -> impl Strategy<Value = Shape> {
    let cut_max = prop_oneof![Just(None), (1..20usize).prop_map(Some), Just(Some(usize::MAX))];
    (cut_max, 0..=100u8, 0..20u64, 0..=100u8, 0..20u64).prop_map(
        |(cut_max, held_percent, held, delayed_percent, delay)| Shape {
            cut_max,
            held_percent,
            held_max: Duration::from_millis(held),
            delayed_percent,
            delay_max: Duration::from_millis(delay),
        },
    )
}

fn chunks() -> impl Strategy<Value = Vec<Vec<u8>>> {
    prop::collection::vec(prop::collection::vec(any::<u8>(), 1..300), 0..12)
}

proptest! {
    #[test]
    fn what_is_written_arrives_unchanged_before_the_end(shape in shapes(), seed: u64, writes in chunks()) {
        let seen = written(shape, seed, &writes);
        prop_assert_eq!(segments(&seen).concat(), writes.concat());
        prop_assert_eq!(seen.last(), Some(&Written::Shutdown));
        prop_assert!(!segments(&seen).iter().any(Vec::is_empty));
        if let Some(most) = shape.cut_max {
            let longest = writes.concat().len() / PIECES;
            prop_assert!(segments(&seen).iter().all(|segment| segment.len() <= most.max(longest)));
        }
    }

    #[test]
    fn what_is_read_is_unchanged_and_so_is_its_end(
        shape in shapes(),
        seed: u64,
        came in chunks(),
        pauses in prop::collection::vec(0..20u8, 12),
        reset: bool,
    ) {
        let mut coming = Vec::new();
        for (bytes, pause) in came.iter().zip(pauses) {
            coming.extend([Coming::Pause(pause), Coming::Chunk(bytes.clone())]);
        }
        coming.extend(reset.then_some(Coming::Reset));
        let (chunks, end) = read(shape, seed, &coming);
        prop_assert_eq!(chunks.concat(), came.concat());
        prop_assert_eq!(end.map_err(|error| error.kind()).err(), reset.then_some(io::ErrorKind::ConnectionReset));
    }

    #[test]
    fn the_same_seed_makes_the_same_pieces(shape in shapes(), seed: u64, bytes in chunks()) {
        prop_assert_eq!(written(shape, seed, &bytes), written(shape, seed, &bytes));
        let coming: Vec<Coming> = bytes.into_iter().map(Coming::Chunk).collect();
        prop_assert_eq!(read(shape, seed, &coming).0, read(shape, seed, &coming).0);
    }
}

#[test]
fn bytewise_is_one_byte_at_a_time() {
    let bytes: Vec<u8> = (0..=255).collect();
    let single: Vec<Vec<u8>> = bytes.iter().map(|byte| vec![*byte]).collect();
    assert_eq!(segments(&written(Shape::BYTEWISE, 7, std::slice::from_ref(&bytes))), single);
    assert_eq!(read(Shape::BYTEWISE, 7, &[Coming::Chunk(bytes)]).0, single);
}

#[test]
fn mixed_cuts_and_merges() {
    let writes: Vec<Vec<u8>> = (0..100).map(|byte| vec![byte; 10]).collect();
    let seen = segments(&written(Shape::MIXED, 7, &writes));
    assert!(seen.iter().any(|segment| segment.len() == 1), "{seen:?}");
    assert!(seen.iter().any(|segment| segment.len() == 10), "{seen:?}");
    assert!(seen.iter().any(|segment| segment.len() > 10), "{seen:?}");
}

/// Everything is held back, as long as nothing is flushed, for up to 20 ms.
const HOLDING: Shape = Shape { held_percent: 100, held_max: Duration::from_millis(20), ..Shape::PLAIN };

#[test]
fn a_flush_sends_what_is_held_in_one_segment() {
    in_virtual_time(async {
        let (far_end, written) = FarEnd::new([]);
        let mut stream = Shaped::new(far_end, HOLDING, 7, "a 1");
        stream.write_all(b"one").await.expect("it is held");
        stream.write_all(b"two").await.expect("it is held");
        assert_eq!(*written.lock().expect("one thread"), []);
        stream.flush().await.expect("the far end takes all");
        assert_eq!(*written.lock().expect("one thread"), [Written::Segment(b"onetwo".to_vec())]);
    });
}

#[test]
fn what_is_held_goes_out_by_itself_while_somebody_reads() {
    in_virtual_time(async {
        let (far_end, written) = FarEnd::new([Coming::Pause(200)]);
        let (mut reader, mut writer) = tokio::io::split(Shaped::new(far_end, HOLDING, 7, "a 1"));
        // The reader waits already when the writer comes.
        let write = async {
            sleep(Duration::from_millis(10)).await;
            writer.write_all(b"held").await.expect("it is held");
            sleep(HOLDING.held_max).await;
            assert_eq!(*written.lock().expect("one thread"), [Written::Segment(b"held".to_vec())]);
        };
        let mut buffer = [0; 8];
        let (read, ()) = tokio::join!(reader.read(&mut buffer), write);
        assert_eq!(read.expect("the stream ends"), 0);
    });
}

#[test]
fn reads_that_wait_are_merged() {
    let chunk = |bytes: &[u8]| Coming::Chunk(bytes.to_vec());
    let coming = [chunk(b"one"), chunk(b"two"), Coming::Pause(100), chunk(b"three")];
    let (chunks, end) = read(HOLDING, 7, &coming);
    assert_eq!(chunks, [b"onetwo".to_vec(), b"three".to_vec()]);
    assert!(end.is_ok());
}

#[test]
fn delays_take_time() {
    let shape = Shape { delayed_percent: 100, delay_max: Duration::from_secs(1), ..Shape::BYTEWISE };
    in_virtual_time(async {
        let begun = tokio::time::Instant::now();
        let (far_end, _) = FarEnd::new([]);
        let mut stream = Shaped::new(far_end, shape, 7, "a 1");
        stream.write_all(b"0123456789").await.expect("the far end takes all");
        assert!(begun.elapsed() > Duration::from_secs(1), "{:?}", begun.elapsed());
    });
}

#[test]
fn a_reset_drops_what_is_held() {
    in_virtual_time(async {
        let (far_end, written) = FarEnd::new([]);
        let mut stream = Shaped::new(far_end, HOLDING, 7, "a 1");
        stream.write_all(b"held").await.expect("it is held");
        stream.reset_on_drop();
        drop(stream);
        assert_eq!(*written.lock().expect("one thread"), [Written::Reset]);
    });
}

#[test]
fn a_broken_stream_says_so() {
    in_virtual_time(async {
        let (near, far) = tokio::io::duplex(64);
        drop(far);
        let mut stream = Shaped::new(near, HOLDING, 7, "a 1");
        stream.write_all(b"held").await.expect("it is held");
        assert_eq!(stream.flush().await.map_err(|e| e.kind()), Err(io::ErrorKind::BrokenPipe));
        assert_eq!(poll_fn(|context| Pin::new(&mut stream).poll_flush(context)).await.ok(), Some(()));
    });
}

/// The same layer over a real socket.
#[tokio::test]
async fn a_socket_carries_it() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free loopback port");
    let address = Address::tcp(listener.local_addr().expect("it is bound")).shaped(Shape::MIXED, 7);
    let connected = async |connection| {
        let opening = address.open(Caller { client: "a", connection }, Duration::from_secs(5));
        let (near, far) = tokio::join!(opening, listener.accept());
        let (far, _) = far.expect("it is open");
        (near.expect("it is open"), Shaped::new(far, Shape::MIXED, 8, "a 1"))
    };

    let (mut near, mut far) = connected(1).await;
    let bytes: Vec<u8> = (0..5_000u32).map(|n| n as u8).collect();
    let send = async {
        near.write_all(&bytes).await.expect("it is open");
        near.shutdown().await.expect("it is open");
    };
    let mut came = Vec::new();
    let (read, ()) = tokio::join!(far.read_to_end(&mut came), send);
    assert_eq!(read.expect("an orderly end"), bytes.len());
    assert!(came == bytes);

    let (mut near, mut far) = connected(2).await;
    near.reset_on_drop();
    drop(near);
    assert_eq!(far.read(&mut [0; 8]).await.map_err(|e| e.kind()), Err(io::ErrorKind::ConnectionReset));
}
