//! Scripts on the simulated network: the player decides, the clients' hosts carry out.
//!
//! What differs from the event heap: times come in ticks, what a script holds back is held for the whole client, until
//! it opens its next connection, and a request to connect to a crashed broker waits until the broker is back.

use super::{Close, Command, Conditions, Event, Fault, Memory, Simulation, Trouble};
use crate::net::shape::Shape;
use crate::serve;
use crate::setup::Setup;
use crate::story::End;
use mqtt_assay_broker_model::Mutant;
use mqtt_assay_broker_model::history::{self, ClientNo, How};
use mqtt_assay_broker_model::script::{Network, Order, Played, Player, Script, Told};
use std::collections::BTreeSet;
use std::time::Duration;

impl Conditions {
    /// The conditions that a script asks for. The step grows with the delays, since a coarse one costs less.
    pub fn of(script: &Script, mutant: Option<Mutant>) -> Self {
        let Network { delay_min, delay_max, split_percent, merge_percent } = script.network;
        let tick = (delay_max / 4).max(Duration::from_millis(1));
        let shape = Shape {
            cut_max: (split_percent > 0).then_some(100),
            held_percent: merge_percent,
            held_max: delay_max / 2,
            ..Shape::PLAIN
        };
        Conditions {
            seed: script.seed,
            tick: Duration::from_millis(u64::try_from(tick.as_millis()).unwrap_or(1)),
            latency_min: delay_min.max(Duration::from_millis(1)),
            latency_max: delay_max.max(Duration::from_millis(1)),
            client_shape: shape,
            broker_shape: shape,
            setup: Setup::Full,
            mutant: mutant.map(serve::Fault::Model),
        }
    }
}

/// Plays a script against the served broker, or a mutant of it, to its end.
///
/// # Errors
///
/// The simulation cannot begin or go on: no fault of the broker's.
pub fn play(script: Script, mutant: Option<Mutant>) -> Result<Played, Trouble> {
    let conditions = Conditions::of(&script, mutant);
    let names = script.clients.iter().map(|client| client.name.clone()).collect();
    let simulation = Simulation::new(conditions)?;
    let mut stage = Stage { simulation, player: Player::new(script), names, held: BTreeSet::new() };
    stage.tell(Told::Time);
    while !stage.player.is_over() {
        for told in stage.simulation.step()? {
            stage.relay(&told);
        }
        if stage.player.deadline().is_some_and(|due| due <= stage.simulation.elapsed()) {
            stage.tell(Told::Time);
        }
    }
    Ok(stage.player.finish())
}

struct Stage {
    simulation: Simulation,
    player: Player,
    /// The clients' names, by their numbers.
    names: Vec<String>,
    /// Clients of which the network holds everything back.
    held: BTreeSet<ClientNo>,
}

impl Stage {
    fn relay(&mut self, told: &super::Told) {
        let place = self.names.iter().position(|name| **name == *told.client);
        let Some(client) = place.and_then(|place| u16::try_from(place).ok()).map(ClientNo) else { return };
        let Ok(connection) = u32::try_from(told.connection) else { return };
        self.tell(match &told.event {
            Event::Opened => Told::Opened(client, connection),
            Event::Refused => Told::Failed(client, connection),
            Event::Received(bytes) => Told::Read(client, connection, bytes),
            Event::Ended(End::Closed) => Told::Ended(client, connection, How::Fin),
            Event::Ended(_) => Told::Ended(client, connection, How::Reset),
        });
    }

    /// Tells the player, and has its orders carried out.
    fn tell(&mut self, told: Told<'_>) {
        self.player.handle(self.simulation.elapsed(), told);
        while let Some(order) = self.player.poll() {
            self.carry_out(order);
        }
    }

    fn carry_out(&mut self, order: Order) {
        let (client, command) = match order {
            Order::Open(client, connection) => {
                if self.held.remove(&client) {
                    self.fault(client, Fault::Release);
                }
                (client, Command::Open { connection: connection.into() })
            }
            Order::Write(client, connection, bytes) => {
                (client, Command::Write { connection: connection.into(), bytes })
            }
            Order::Close(client, connection, how) => {
                let how = match how {
                    How::Fin => Close::Fin,
                    How::Reset => Close::Reset,
                    How::Silently => Close::Silent,
                };
                (client, Command::Close { connection: connection.into(), how })
            }
            // An orderly end, too, reads on to the end of the other direction.
            Order::HalfClose(client, connection) => {
                (client, Command::Close { connection: connection.into(), how: Close::Fin })
            }
            // A client that has never connected has nothing to stop.
            Order::Fault(_, 0, history::Fault::Stall | history::Fault::Unstall) => return,
            Order::Fault(client, connection, history::Fault::Stall) => {
                (client, Command::Stall { connection: connection.into(), stalled: true })
            }
            Order::Fault(client, connection, history::Fault::Unstall) => {
                (client, Command::Stall { connection: connection.into(), stalled: false })
            }
            Order::Fault(client, _, history::Fault::Hold) => {
                if self.held.insert(client) {
                    self.fault(client, Fault::Hold);
                }
                return;
            }
            Order::Fault(client, _, history::Fault::Release) => {
                if self.held.remove(&client) {
                    self.fault(client, Fault::Release);
                }
                return;
            }
            Order::Fault(_, _, history::Fault::Crash) => return self.simulation.fault(&Fault::Crash),
            Order::Fault(_, _, history::Fault::Restart(memory)) => {
                let memory = match memory {
                    history::Memory::Kept => Memory::Kept,
                    history::Memory::Lost | history::Memory::Unknown => Memory::Lost,
                };
                return self.simulation.fault(&Fault::Bounce(memory));
            }
        };
        if let Some(name) = self.names.get(client.index()) {
            self.simulation.command(name, command);
        }
    }

    fn fault(&mut self, client: ClientNo, fault: fn(String) -> Fault) {
        if let Some(name) = self.names.get(client.index()) {
            self.simulation.fault(&fault(name.clone()));
        }
    }
}
