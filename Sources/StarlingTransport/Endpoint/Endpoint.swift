import StarlingCore

/// All connections of one UDP socket, as a value that performs no I/O.
///
/// Every input comes with its instant, everything to be done goes into a ``TransportSink``, and all
/// randomness follows from the generator handed in, so a run is replayed from its seed. After every input
/// the driver asks for ``nextDeadline`` and calls ``expire(at:into:)`` then.
///
/// Messages are delivered reliably, whole and at most once, not necessarily in the order of sending.
public struct Endpoint {
  /// The configuration the endpoint was made with.
  public let configuration: TransportConfiguration
  /// The endpoint's own public key.
  public let publicKey: PublicKey
  /// What the endpoint has done so far.
  public private(set) var counters = TransportCounters()

  /// An endpoint without connections.
  ///
  /// - Parameters:
  ///   - identity: the key pair that peers come to know.
  ///   - configuration: the limits and times; a value out of its range is a bug of the caller's.
  ///   - random: a generator of the endpoint's own; it makes connection identifiers and ephemeral keys.
  public init(identity: Identity, configuration: TransportConfiguration, random: ChaChaRandom) {
    configuration.validate()
    self.configuration = configuration
    publicKey = identity.publicKey
  }

  /// Begins a connection. Messages may be sent on it at once; they wait until the handshake is done.
  ///
  /// - Parameters:
  ///   - address: where the peer listens.
  ///   - key: the peer's key; anyone else who answers is refused. `nil` takes anyone.
  /// - Throws: ``ConnectError`` when the table is full or the key is the endpoint's own.
  public mutating func connect(
    to address: SocketAddress, expecting key: PublicKey?, at now: Instant,
    into sink: inout some TransportSink & ~Copyable
  ) throws(ConnectError) -> ConnectionID {
    throw .tooManyConnections(limit: 0)
  }

  /// Sends a message.
  ///
  /// - Parameters:
  ///   - message: 0 ... ``TransportConfiguration/maximumMessageBytes`` bytes.
  /// - Throws: ``SendError`` when the message is not taken.
  public mutating func send(
    _ message: [UInt8], on connection: ConnectionID, at now: Instant,
    into sink: inout some TransportSink & ~Copyable
  ) throws(SendError) {
    throw .closed
  }

  /// Handles a datagram that came to the socket. Nothing in it can trap, and unless it authenticates it
  /// changes nothing but counters.
  public mutating func receive(
    _ datagram: [UInt8], from address: SocketAddress, at now: Instant,
    into sink: inout some TransportSink & ~Copyable
  ) {}

  /// Does what is due.
  public mutating func expire(at now: Instant, into sink: inout some TransportSink & ~Copyable) {}

  /// When ``expire(at:into:)`` is next to be called; ``Instant/distantFuture`` for never.
  public var nextDeadline: Instant { .distantFuture }

  /// Ends a connection and tells the peer. Messages not yet sent are discarded.
  public mutating func close(
    _ connection: ConnectionID, at now: Instant, into sink: inout some TransportSink & ~Copyable
  ) {}

  /// Ends all connections and tells their peers.
  public mutating func closeAll(at now: Instant, into sink: inout some TransportSink & ~Copyable) {}

  /// How many bytes of messages on a connection wait for their acknowledgement; 0 if it has ended.
  public func queuedBytes(on connection: ConnectionID) -> Int { 0 }

  /// The smoothed round-trip time of a connection; `nil` before it was measured, or if it has ended.
  public func roundTrip(on connection: ConnectionID) -> Interval? { nil }
}
