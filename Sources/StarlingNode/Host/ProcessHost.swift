import StarlingCore
import StarlingTransport

/// Runs any process over an ``Endpoint``: the driver of a real network, as `Simulation` is that of a
/// simulated one. It opens connections as the process sends, encodes and decodes its messages, keeps its
/// timers, and tells it when the last connection to a peer is lost. Still a value that performs no I/O: see
/// ``ProcessHostSink``.
///
/// The node's own handle is ``PeerTable/own``; see ``ProcessHooks/isHeardByItself``. What it sends to
/// others may be lost: when a queue is full, when a peer cannot be reached, or with a connection.
///
/// A host shares its peer table with whoever it was given by, so it is not to be copied, and cannot be.
public struct ProcessHost<P: Process>: ~Copyable where P.Message: WireMessage {
  /// The process.
  public private(set) var process: P
  var core: HostCore<P>

  /// A host that has not started.
  ///
  /// - Parameters:
  ///   - process: the process; its own handle is ``PeerTable/own``.
  ///   - endpoint: an endpoint without connections, which the host takes over.
  ///   - peers: the table of handles, in which the node itself has handle 0.
  ///   - random: a generator of the process's own.
  ///   - configuration: bounds and waits.
  ///   - hooks: what the host needs to know of the process beyond the contract.
  public init(
    process: P, endpoint: consuming Endpoint, peers: SharedPeerTable, random: ChaChaRandom,
    configuration: ProcessHostConfiguration = ProcessHostConfiguration(),
    hooks: ProcessHooks<P> = ProcessHooks()
  ) {
    self.process = process
    core = HostCore(
      endpoint: endpoint, peers: peers, random: random, configuration: configuration, hooks: hooks)
  }

  /// What the host did so far.
  public var counters: ProcessHostCounters { core.counters }
  /// What its transport did so far.
  public var transportCounters: TransportCounters { core.endpoint.counters }

  /// When ``expire(at:into:)`` is next to be called; ``Instant/distantFuture`` for never.
  public var nextDeadline: Instant { min(core.timers.nextInstant, core.endpoint.nextDeadline) }
}

// MARK: - Inputs

extension ProcessHost {
  /// Starts the process.
  public mutating func start(at now: Instant, into sink: inout some ProcessHostSink<P> & ~Copyable) {
    core.now = now
    process.start(at: now, into: &core)
    settle(into: &sink)
  }

  /// Changes the process in a way that has no effects.
  mutating func change<Result>(_ body: (inout P) -> Result) -> Result { body(&process) }

  /// Has the process do something that is no request of the layer above.
  mutating func act(
    at now: Instant, into sink: inout some ProcessHostSink<P> & ~Copyable,
    _ body: (inout P, inout HostCore<P>) -> Void
  ) {
    core.now = now
    body(&process, &core)
    settle(into: &sink)
  }

  /// Hands the process a request of the layer above.
  public mutating func handle(
    _ request: P.Request, at now: Instant, into sink: inout some ProcessHostSink<P> & ~Copyable
  ) {
    core.now = now
    process.handle(request, at: now, into: &core)
    settle(into: &sink)
  }

  /// Handles a datagram that came to the socket. Nothing in it can trap.
  public mutating func receive(
    _ datagram: [UInt8], from address: SocketAddress, at now: Instant,
    into sink: inout some ProcessHostSink<P> & ~Copyable
  ) {
    core.now = now
    core.freePeers(of: process)
    core.endpoint.receive(datagram, from: address, at: now, into: &core.events)
    settle(into: &sink)
  }

  /// Does what is due.
  public mutating func expire(at now: Instant, into sink: inout some ProcessHostSink<P> & ~Copyable) {
    core.now = now
    core.endpoint.expire(at: now, into: &core.events)
    settle(into: &sink)
    // A handler may set a timer for now. It waits for the next call, so that no process holds this one.
    for _ in 0..<core.timers.count {
      guard let timer = core.timers.popDue(at: now) else { break }
      switch timer {
      case .process(let timer): process.expire(timer, at: now, into: &core)
      case .connectionCheck: core.checkConnections()
      case .avoidanceOver(let peer):
        if core.endAvoidance(of: peer) { tellLost(peer) }
      }
      settle(into: &sink)
    }
  }

  /// Opens a connection to a peer of which only the address is known: a contact. The sink is told when it is
  /// ``ProcessHostSink/connected(_:to:)`` or ``ProcessHostSink/closed(_:to:_:)``.
  ///
  /// - Throws: ``ConnectError`` when there is no room for another connection.
  public mutating func connect(
    to address: SocketAddress, at now: Instant, into sink: inout some ProcessHostSink<P> & ~Copyable
  ) throws(ConnectError) -> ConnectionID {
    core.now = now
    let connection = try core.open(to: address, expecting: nil, peer: nil)
    settle(into: &sink)
    return connection
  }

  /// Has nothing to do with a peer until an instant: closes its connections, opens none, and closes those that it
  /// opens.
  public mutating func shun(
    _ peer: Peer, until end: Instant, at now: Instant, into sink: inout some ProcessHostSink<P> & ~Copyable
  ) {
    core.now = now
    core.shun(peer, until: end)
    settle(into: &sink)
  }

  /// Asks all peers for a sign of life within a while; see ``Endpoint/demandProofs(within:at:into:)``.
  public mutating func demandProofs(
    within patience: Interval, at now: Instant, into sink: inout some ProcessHostSink<P> & ~Copyable
  ) {
    core.now = now
    core.endpoint.demandProofs(within: patience, at: now, into: &core.events)
    settle(into: &sink)
  }

  /// Ends all connections, telling the peers.
  public mutating func shutDown(at now: Instant, into sink: inout some ProcessHostSink<P> & ~Copyable) {
    core.now = now
    for i in core.connections.all.indices { core.connections[i].isClosedQuietly = true }
    core.endpoint.closeAll(at: now, into: &core.events)
    settle(into: &sink)
  }
}

// MARK: - What the layer above may ask and know

extension ProcessHost {
  /// Keeps connections to a peer however long they are silent. Calls add up.
  public mutating func retain(_ peer: Peer) {
    let position = core.retained.insert(0, for: peer).position
    core.retained[position] += 1
  }

  /// Undoes one ``retain(_:)``.
  public mutating func release(_ peer: Peer) {
    guard let position = core.retained.keys.position(of: peer) else { return }
    core.retained[position] -= 1
    if core.retained[position] <= 0 { core.retained.remove(peer) }
  }

  /// The bytes that wait on the fullest connection that moves: what a sender that can wait should look at.
  ///
  /// - Parameters:
  ///   - now: the current instant.
  ///   - patience: a connection on which nothing was acknowledged for so long does not count: one neighbour
  ///     that hangs must not hold the others up.
  public mutating func longestQueueBytes(at now: Instant, patience: Interval) -> Int {
    var longest = 0
    for i in core.connections.all.indices {
      let bytes = core.endpoint.queuedBytes(on: core.connections[i].identifier)
      if bytes < core.connections[i].waitingBytes || core.connections[i].waitingBytes == 0 {
        core.connections[i].drainedAt = now
      }
      core.connections[i].waitingBytes = bytes
      if now - core.connections[i].drainedAt < patience { longest = max(longest, bytes) }
    }
    return longest
  }

  /// Whether some peer that is retained can be sent so many bytes more.
  public func hasRoom(for bytes: Int) -> Bool {
    for peer in core.retained.keys.members {
      // One without a connection gets one as soon as something is sent to it.
      guard let i = core.connections.preferredIndex(for: peer) else { return true }
      let connection = core.connections[i]
      let waiting = core.endpoint.queuedBytes(on: connection.identifier)
      if waiting + bytes <= core.endpoint.configuration.sendQueueBytes { return true }
    }
    return false
  }

  /// The smoothed round-trip time to a peer; `nil` while it is not known.
  public func roundTrip(to peer: Peer) -> Interval? {
    core.connections.preferredIndex(for: peer).flatMap {
      core.endpoint.roundTrip(on: core.connections[$0].identifier)
    }
  }

  /// How many connections there are, those that are being opened included.
  public var connectionCount: Int { core.connections.all.count }
}

// MARK: - What the transport reports

extension ProcessHost {
  /// Handles everything that the endpoint and the process have left to do, oldest first.
  private mutating func settle(into sink: inout some ProcessHostSink<P> & ~Copyable) {
    hearItself()
    flush(into: &sink)
    while let event = core.events.queue.popFirst() {
      switch event {
      case .transmit(let datagram, let address): sink.transmit(datagram, to: address)
      case .connected(let connection, let key, let address, let isOutgoing):
        connected(connection, to: key, at: address, isOutgoing: isOutgoing, into: &sink)
      case .received(let message, let connection): received(message, on: connection)
      case .writable(let connection):
        if let i = core.connections.index(of: connection) { core.connections[i].isCongested = false }
      case .closed(let connection, let reason): closed(connection, reason, into: &sink)
      }
      hearItself()
      flush(into: &sink)
    }
  }

  /// Hands the process what it sent to itself, and tells it whose messages may be lost.
  private mutating func hearItself() {
    while let message = core.ownMessages.popFirst() {
      process.receive(message, from: PeerTable.own, at: core.now, into: &core)
    }
    while let peer = core.doubtful.popFirst() {
      if let doubt = core.hooks.doubt { process.handle(doubt(peer), at: core.now, into: &core) }
    }
  }

  private mutating func flush(into sink: inout some ProcessHostSink<P> & ~Copyable) {
    while let indication = core.indications.popFirst() { sink.indicated(indication) }
    while let report = core.reports.popFirst() { sink.report(report) }
  }

  private mutating func connected(
    _ connection: ConnectionID, to key: PublicKey, at address: SocketAddress, isOutgoing: Bool,
    into sink: inout some ProcessHostSink<P> & ~Copyable
  ) {
    let record = PeerRecord(key: key, address: address)
    guard let peer = try? core.peers.table.intern(record), peer != PeerTable.own else {
      if core.peers.table.isFull { core.reports.append(.peerTableFull) }
      return core.endpoint.close(connection, at: core.now, into: &core.events)
    }
    core.peers.table.confirm(address, of: peer)
    guard core.hooks.admits?(process, peer) != false else {
      core.counters.connectionsRefused += 1
      core.reports.append(.inadmissible(key))
      return core.endpoint.close(connection, asInadmissible: true, at: core.now, into: &core.events)
    }
    if core.avoided[peer]?.isShunned == true {
      core.counters.connectionsRefused += 1
      return core.endpoint.close(connection, at: core.now, into: &core.events)
    }
    core.avoided.remove(peer)
    if core.connections.index(of: connection) == nil {
      core.connections.append(
        HostConnection(identifier: connection, isOutgoing: isOutgoing, lastUsed: core.now))
      core.scheduleCheck()
    }
    guard let i = core.connections.index(of: connection) else { return }
    if core.connections.isReturn(of: peer, at: address, isOutgoing: isOutgoing, now: core.now) {
      core.doubtful.append(peer)
    }
    // A peer that was started anew soon after it had connected looks like one that opened a connection while this end did.
    for other in core.connections.all where other.peer == peer && other.establishedAt != nil {
      core.endpoint.demandProof(
        on: other.identifier, within: core.configuration.proofPatience, at: core.now, into: &core.events)
    }
    core.connections[i].peer = peer
    core.connections[i].establishedAt = core.now
    core.connections[i].address = address
    core.connections[i].isOfSmallerKey = isOutgoing == (core.endpoint.publicKey < key)
    core.connections[i].lastUsed = core.now
    sink.connected(connection, to: peer)
    core.sendWaiting()
  }

  private mutating func received(_ bytes: [UInt8], on connection: ConnectionID) {
    guard let i = core.connections.index(of: connection), let peer = core.connections[i].peer else {
      return
    }
    core.connections[i].lastUsed = core.now
    var reader = WireReader(bytes)
    do throws(WireError) {
      switch try HostFrame.readKind(from: &reader) {
      case .introduction: try receiveIntroduction(from: &reader, on: i, peer: peer)
      case .message:
        let message = try decodeMessage(from: &reader)
        core.counters.received[core.trafficClass(of: message)].count(bytes.count)
        process.receive(message, from: peer, at: core.now, into: &core)
      }
    } catch {
      countViolation(by: peer, on: core.connections.index(of: connection), "\(error)")
    }
  }

  /// Whoever opened a connection says at which port it listens; the host part is where its datagrams come
  /// from, which it cannot choose.
  private mutating func receiveIntroduction(
    from reader: inout WireReader, on connection: Int, peer: Peer
  ) throws(WireError) {
    let port = try reader.read(UInt16.self)
    try reader.finish()
    guard !core.connections[connection].isOutgoing, !core.connections[connection].hasIntroduction else {
      throw .invalid("an introduction where none belongs")
    }
    core.connections[connection].hasIntroduction = true
    guard port != 0, let known = core.peers.table.record(of: peer).address,
      let address = SocketAddress(host: known.host, port: port)
    else { return }
    core.peers.table.confirm(address, of: peer)
  }

  private func decodeMessage(from reader: inout WireReader) throws(WireError) -> P.Message {
    core.peers.table.beginDecoding()
    do throws(WireError) {
      let message = try P.Message.decode(from: &reader, peers: &core.peers.table)
      try reader.finish()
      return message
    } catch {
      core.peers.table.undoDecoding()
      throw error
    }
  }

  private mutating func closed(
    _ connection: ConnectionID, _ reason: CloseReason,
    into sink: inout some ProcessHostSink<P> & ~Copyable
  ) {
    guard let closed = core.connections.remove(connection) else { return }
    sink.closed(connection, to: closed.peer, reason)
    // At the end: what this connection's peer is sent anew has to know that it is avoided.
    defer { core.sendWaiting() }
    guard let peer = closed.peer, !closed.isClosedQuietly else { return }
    guard !core.connections.hasConnection(to: peer) else {
      // What was on its way over this one is lost, and the peer does not know.
      if reason == .unresponsive { core.doubtful.append(peer) }
      return
    }
    if closed.establishedAt == nil { core.peers.table.doubtAddress(of: peer) }
    let isHopeless = closed.establishedAt == nil && closed.hearsay != nil || reason == .notAdmitted
    core.avoid(peer, isUntold: false, for: isHopeless ? core.configuration.longAvoidance : nil)
    tellLost(peer)
  }

  private mutating func tellLost(_ peer: Peer) {
    process.disconnect(from: peer, at: core.now, into: &core)
  }

  private mutating func countViolation(by peer: Peer, on connection: Int?, _ fault: String) {
    if core.peers.table.isFull {
      // Not the sender's fault as far as anyone can tell: the message may have named a peer too many.
      core.counters.droppedTableFull += 1
      return core.reports.append(.peerTableFull)
    }
    core.counters.violations += 1
    core.reports.append(.violation(core.peers.table.record(of: peer).key, fault))
    if let blame = core.hooks.blame {
      process.handle(blame(peer), at: core.now, into: &core)
    } else if let connection {
      core.endpoint.close(core.connections[connection].identifier, at: core.now, into: &core.events)
    }
  }
}
