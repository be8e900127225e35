import StarlingCore

/// All connections of one UDP socket, as a value that performs no I/O.
///
/// Every input comes with its instant, everything to be done goes into a ``TransportSink``, and all
/// randomness follows from the generator handed in, so a run is replayed from its seed. After every input
/// the driver asks for ``nextDeadline`` and calls ``expire(at:into:)`` then.
///
/// Messages are delivered reliably, whole and at most once, not necessarily in the order of sending. Two
/// endpoints that connect to each other at the same time have two connections.
public struct Endpoint {
  /// The configuration the endpoint was made with.
  public let configuration: TransportConfiguration
  /// What the endpoint has done so far.
  public internal(set) var counters = TransportCounters()

  let credentials: HandshakeCredentials
  var random: ChaChaRandom
  var connections = Table<Connection>()
  var responders = Table<ResponderHandshake>()
  var closing = Table<ClosingConnection>()
  /// Never iterated: hashing differs between runs.
  var routes: [ConnectionID: Route] = [:]
  /// Who opened a handshake that is still known, so that a repeated first datagram opens no second one.
  var openings: [Opening: ConnectionID] = [:]

  /// Where what a datagram names is to be found.
  enum Route {
    case connection(Int)
    case responder(Int)
    case closing(Int)
  }

  /// An endpoint without connections.
  ///
  /// - Parameters:
  ///   - identity: the key pair that peers come to know.
  ///   - configuration: the limits and times; a value out of its range is a bug of the caller's.
  ///   - random: a generator of the endpoint's own; it makes connection identifiers and ephemeral keys.
  public init(identity: Identity, configuration: TransportConfiguration, random: ChaChaRandom) {
    configuration.validate()
    self.configuration = configuration
    var random = random
    credentials = HandshakeCredentials(identity: identity, random: &random)
    self.random = random
  }

  /// The endpoint's own public key.
  public var publicKey: PublicKey { credentials.publicKey }

  /// When ``expire(at:into:)`` is next to be called; ``Instant/distantFuture`` for never.
  public var nextDeadline: Instant { min(connections.earliest, responders.earliest, closing.earliest) }

  /// Begins a connection. Messages may be sent on it at once; they wait until the handshake is done.
  ///
  /// - Parameters:
  ///   - address: where the peer listens.
  ///   - key: the peer's key; anyone else who answers is refused. `nil` takes anyone.
  ///   - openings: how many times the first datagram is sent at most, 1 or more, where nobody has shown yet to
  ///     want it; as often as ``TransportConfiguration/handshakeTimeout`` allows if `nil`.
  /// - Throws: ``ConnectError`` when the table is full, half of it is taken by connections that this end asked
  ///   for, or the key is the endpoint's own.
  public mutating func connect(
    to address: SocketAddress, expecting key: PublicKey?, openings: Int? = nil, at now: Instant,
    into sink: inout some TransportSink & ~Copyable
  ) throws(ConnectError) -> ConnectionID {
    guard key != publicKey else { throw .ownKey }
    guard connections.count < configuration.maximumConnections else {
      throw .tooManyConnections(limit: configuration.maximumConnections)
    }
    guard outgoingCount < configuration.maximumOutgoingConnections else {
      throw .tooManyConnections(limit: configuration.maximumOutgoingConnections)
    }
    let id = newID()
    var noise = NoiseHandshake(
      isInitiator: true,
      prologue: HandshakeCredentials.prologue(network: configuration.network, initiator: id),
      ownStatic: credentials.staticPair, ephemeral: X25519KeyPair(random: &random))
    guard let ephemeral = try? noise.write(payload: []) else {
      preconditionFailure("the first message has nothing in it that could fail")
    }
    let tag = HandshakeDatagram.networkTag(network: configuration.network, ephemeral: ephemeral)
    let datagram = HandshakeDatagram.initiate(
      from: id, ephemeral: ephemeral, tag: tag, byteCount: configuration.datagramBytes)
    var connection = Connection(id: id, address: address, opening: nil, limits: configuration, at: now)
    connection.handshake = InitiatorHandshake(noise: noise, expected: key, datagram: datagram, at: now)
    let patience =
      openings.map { InitiatorHandshake.patience(openings: $0) } ?? configuration.handshakeTimeout
    connection.handshakeDeadline = now + min(patience, configuration.handshakeTimeout)
    connection.transmit(datagram, counters: &counters, into: &sink)
    add(connection)
    return id
  }

  /// Sends a message.
  ///
  /// - Parameters:
  ///   - message: 0 ... ``TransportConfiguration/maximumMessageBytes`` bytes.
  ///   - connection: what ``connect(to:expecting:at:into:)`` returned or the sink was told of.
  /// - Throws: ``SendError`` when the message is not taken.
  public mutating func send(
    _ message: [UInt8], on connection: ConnectionID, at now: Instant,
    into sink: inout some TransportSink & ~Copyable
  ) throws(SendError) {
    guard case .connection(let i) = routes[connection] else { throw .closed }
    guard message.count <= configuration.maximumMessageBytes else {
      throw .messageTooLarge(limit: configuration.maximumMessageBytes)
    }
    try connections[i].outgoing.append(message)
    counters.messagesSent += 1
    connections[i].flush(at: now, counters: &counters, into: &sink)
    settle(i, at: now, into: &sink)
  }

  /// Handles a datagram that came to the socket. Nothing in it can trap, and unless it authenticates it
  /// changes nothing but counters and, if it opens a handshake, a bounded table of those.
  public mutating func receive(
    _ datagram: [UInt8], from address: SocketAddress, at now: Instant,
    into sink: inout some TransportSink & ~Copyable
  ) {
    counters.datagramsReceived += 1
    counters.bytesReceived += UInt64(datagram.count)
    guard let kind = datagram.first.flatMap(DatagramKind.init(rawValue:)),
      let receiver = HandshakeDatagram.receiver(of: datagram)
    else { return counters.drop(.malformed) }
    if kind == .initiate { return receiveInitiate(datagram, from: address, at: now, into: &sink) }
    switch (kind, routes[receiver]) {
    case (.packet, .connection(let i)):
      connections[i].receive(datagram, at: now, counters: &counters, into: &sink)
      settle(i, at: now, into: &sink)
    case (.respond, .connection(let i)):
      connections[i].receiveRespond(
        datagram, credentials: credentials, at: now, counters: &counters, into: &sink)
      if connections[i].ended == .ownKey, !isOwnOpening(connections[i]) { connections[i].ended = .keyInUse }
      settle(i, at: now, into: &sink)
    case (.refuse, .connection(let i)):
      guard let reason = HandshakeDatagram.parseRefuse(datagram) else { return counters.drop(.malformed) }
      connections[i].handshake?.refusal = reason
    case (.confirm, .responder(let i)): receiveConfirm(datagram, by: i, at: now, into: &sink)
    case (.confirm, .connection), (.confirm, .closing): counters.drop(.handshakeRepeated)
    case (.packet, .closing(let i)): repeatClose(i, after: datagram, into: &sink)
    default: counters.drop(.unknownConnection)
    }
  }

  /// Does what is due.
  public mutating func expire(at now: Instant, into sink: inout some TransportSink & ~Copyable) {
    // Whatever is removed makes room for the last element, which is then looked at in its place.
    var i = 0
    while i < connections.count {
      guard connections.deadlines[i] <= now else {
        i += 1
        continue
      }
      connections[i].expire(at: now, counters: &counters, into: &sink)
      if settle(i, at: now, into: &sink) { i += 1 }
    }
    i = 0
    while i < responders.count {
      if responders.deadlines[i] <= now { removeResponder(i, forgettingOpening: true) } else { i += 1 }
    }
    i = 0
    while i < closing.count {
      if closing.deadlines[i] <= now { removeClosing(i) } else { i += 1 }
    }
  }

  /// Asks all peers for a sign of life: after a time in which this end did not run, those that have given it up
  /// are found out soon.
  ///
  /// - Parameters:
  ///   - patience: how long each has to answer before its connection ends.
  ///   - now: the current instant.
  ///   - sink: takes what is to be done.
  public mutating func demandProofs(
    within patience: Interval, at now: Instant, into sink: inout some TransportSink & ~Copyable
  ) {
    for i in 0..<connections.count {
      connections[i].demandProof(within: patience, at: now, counters: &counters, into: &sink)
      connections.setDeadline(connections[i].deadline, at: i)
    }
  }

  /// Asks one peer for a sign of life within a while; see ``demandProofs(within:at:into:)``.
  ///
  /// - Parameters:
  ///   - connection: which one; one that has ended, or whose handshake is not done, is left alone.
  ///   - patience: after how long without an answer the connection ends.
  ///   - now: the current instant.
  ///   - sink: takes what is to be done.
  public mutating func demandProof(
    on connection: ConnectionID, within patience: Interval, at now: Instant,
    into sink: inout some TransportSink & ~Copyable
  ) {
    guard case .connection(let i) = routes[connection] else { return }
    connections[i].demandProof(within: patience, at: now, counters: &counters, into: &sink)
    connections.setDeadline(connections[i].deadline, at: i)
  }

  /// Ends a connection and tells the peer. Messages not yet sent are discarded.
  ///
  /// - Parameters:
  ///   - connection: which one; one that has ended is left alone.
  ///   - isInadmissible: whether the peer is to be told that its key is not admitted here.
  ///   - now: the current instant.
  ///   - sink: takes what is to be done.
  public mutating func close(
    _ connection: ConnectionID, asInadmissible isInadmissible: Bool = false, at now: Instant,
    into sink: inout some TransportSink & ~Copyable
  ) {
    guard case .connection(let i) = routes[connection] else { return }
    connections[i].ended = isInadmissible ? .inadmissible : .local
    settle(i, at: now, into: &sink)
  }

  /// Ends all connections and tells their peers; handshakes begun by others are forgotten.
  public mutating func closeAll(at now: Instant, into sink: inout some TransportSink & ~Copyable) {
    while !responders.isEmpty { removeResponder(responders.count - 1, forgettingOpening: true) }
    while !connections.isEmpty {
      connections[connections.count - 1].ended = .local
      settle(connections.count - 1, at: now, into: &sink)
    }
  }

  /// How many bytes of messages on a connection wait for their acknowledgement; 0 if it has ended.
  public func queuedBytes(on connection: ConnectionID) -> Int {
    guard case .connection(let i) = routes[connection] else { return 0 }
    return connections[i].outgoing.queuedBytes
  }

  /// The smoothed round-trip time of a connection; `nil` before it was measured, or if it has ended.
  public func roundTrip(on connection: ConnectionID) -> Interval? {
    guard case .connection(let i) = routes[connection] else { return nil }
    let estimator = connections[i].recovery.roundTrip
    return estimator.hasSample ? estimator.smoothed : nil
  }

  /// How many connections this end asked for, those that are up included.
  private var outgoingCount: Int {
    var count = 0
    for i in 0..<connections.count where connections[i].opening == nil { count += 1 }
    return count
  }

  /// Whether the opening that a connection began with came back to this very endpoint: its address is the
  /// endpoint's own, and not that of another one with the same key.
  private func isOwnOpening(_ connection: Connection) -> Bool {
    guard
      let ephemeral = connection.handshake.flatMap({ HandshakeDatagram.parseInitiate($0.datagram)?.ephemeral }
      )
    else { return false }
    return openings.keys.contains { $0.ephemeral.elementsEqual(ephemeral) }
  }
}
