/// A protocol as a pure state machine: the *process* of Cachin, Guerraoui and Rodrigues, "Introduction to
/// Reliable and Secure Distributed Programming" (2nd edition, section 1.4).
///
/// A process takes *requests* from the layer above, exchanges *messages* with other processes over links,
/// sets *timers*, and raises *indications* to the layer above. Every input comes with the instant at which
/// it happens, and everything the process wants done goes into a sink of effects that the driver owns. A
/// process never reads a clock, opens a socket, logs, or draws randomness other than from that sink. So the
/// simulator runs the code that ships, and a run is replayed from its seed.
///
/// Inputs are handled one at a time and to the end. What comes from another peer must never trap: a faulty
/// message is dropped and counted.
///
/// Layers compose by containment: see ``Embedding``.
public protocol Process {
  /// What processes of this kind send each other.
  associatedtype Message
  /// What a timer carries back when it expires. Timers cannot be cancelled: a process recognises one that
  /// no longer matters and ignores it.
  associatedtype Timer
  /// What the layer above may ask for.
  associatedtype Request
  /// What the process tells the layer above.
  associatedtype Indication

  /// Handles the first input of a process's life.
  mutating func start(at now: Instant, into effects: inout some Effects<Self> & ~Copyable)

  /// Handles a request of the layer above.
  mutating func handle(
    _ request: Request, at now: Instant, into effects: inout some Effects<Self> & ~Copyable)

  /// Handles a message. The link is authenticated: `sender` is who sent it. Links may lose, delay,
  /// duplicate and reorder.
  mutating func receive(
    _ message: Message, from sender: Peer, at now: Instant,
    into effects: inout some Effects<Self> & ~Copyable)

  /// Handles the expiry of a timer that this process set.
  mutating func expire(
    _ timer: Timer, at now: Instant, into effects: inout some Effects<Self> & ~Copyable)

  /// Whether a driver must take this timer however many are set. Of such timers a process sets few, whatever others
  /// do: those without which it would stand still.
  static func isEssential(_ timer: Timer) -> Bool

  /// Handles the loss of the link to a peer, as the transport reports it. A link that is merely slow is not
  /// lost. Drivers without connections never call it.
  mutating func disconnect(
    from peer: Peer, at now: Instant, into effects: inout some Effects<Self> & ~Copyable)
}

extension Process {
  /// No timer is.
  @inlinable
  public static func isEssential(_ timer: Timer) -> Bool { false }

  /// Does nothing: for processes that wait for a request or a message.
  @inlinable
  public mutating func start(at now: Instant, into effects: inout some Effects<Self> & ~Copyable) {}

  /// Does nothing: for processes that keep no links.
  @inlinable
  public mutating func disconnect(
    from peer: Peer, at now: Instant, into effects: inout some Effects<Self> & ~Copyable
  ) {}
}
