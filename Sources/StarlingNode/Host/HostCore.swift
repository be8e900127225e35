import StarlingCore
import StarlingTransport

/// Everything of a process host but the process: what the process's effects act upon.
struct HostCore<P: Process>: ~Copyable where P.Message: WireMessage {
  /// A timer of the process or of the host itself.
  enum Timer {
    case process(P.Timer)
    /// Look for connections that are not needed.
    case connectionCheck
    /// The time in which a peer is avoided is over.
    case avoidanceOver(Peer)
  }

  /// Why a peer is avoided.
  struct Avoidance {
    /// Whether the process has yet to be told that the peer cannot be reached.
    var isUntold: Bool
    /// Until when.
    var until: Instant
    /// Whether the layer above wants it: then connections that the peer opens are closed too.
    var isShunned = false
  }

  let configuration: ProcessHostConfiguration
  let hooks: ProcessHooks<P>
  let peers: SharedPeerTable
  var endpoint: Endpoint
  var random: ChaChaRandom
  var now = Instant.zero
  var events = TransportEvents()
  var indications = Queue<P.Indication>()
  var reports = Queue<HostEvent>()
  var timers: TimerHeap<Timer>
  var connections = HostConnections()
  var waiting = WaitingMessages<Parcel>()
  var avoided = PeerMap<Avoidance>()
  var retained = PeerMap<Int>()
  var counters = ProcessHostCounters()
  var isCheckScheduled = false
  /// Peers of whom the process is to be told that messages may be lost.
  var doubtful = Queue<Peer>()
  /// What the process sent to itself.
  var ownMessages = Queue<P.Message>()

  init(
    endpoint: consuming Endpoint, peers: SharedPeerTable, random: ChaChaRandom,
    configuration: ProcessHostConfiguration, hooks: ProcessHooks<P>
  ) {
    self.endpoint = endpoint
    self.peers = peers
    self.random = random
    self.configuration = configuration
    self.hooks = hooks
    timers = TimerHeap(limit: configuration.timerLimit)
  }

  func trafficClass(of message: P.Message) -> Int {
    let found = hooks.trafficClass(message)
    return (0..<ProcessHostCounters.classCount).contains(found) ? found : ProcessHostCounters.classCount - 1
  }

  /// Frees the handles that nobody references, if the table has filled up.
  mutating func freePeers(of process: P) {
    guard let forEachPeer = hooks.forEachPeer, peers.table.isSweepDue else { return }
    let connected = connections.all.compactMap(\.peer)
    let others = avoided.keys.members + retained.keys.members + waiting.entries.map(\.peer)
    let freed = peers.table.sweep { mark in
      forEachPeer(process, mark)
      connected.forEach(mark)
      others.forEach(mark)
    }
    counters.peersFreed += UInt64(freed)
  }
}

// MARK: - The process's effects

extension HostCore: Effects {
  typealias Owner = P

  /// A message encoded once, however many peers it goes to.
  struct Parcel {
    let frame: [UInt8]
    let trafficClass: Int
    /// The message itself, if the process may hear it from itself.
    var own: P.Message?
  }

  mutating func next() -> UInt64 { random.next() }

  mutating func prepare(_ message: P.Message) -> Parcel {
    var writer = WireWriter(capacity: message.encodedByteCount + 2)
    HostFrame.begin(.message, in: &writer)
    message.encode(into: &writer, peers: peers.table)
    return Parcel(
      frame: writer.bytes, trafficClass: trafficClass(of: message),
      own: hooks.isHeardByItself(message) ? message : nil)
  }

  mutating func send(_ parcel: Parcel, to peer: Peer) {
    guard peer != PeerTable.own else {
      if let message = parcel.own { ownMessages.append(message) }
      return
    }
    guard let connection = connections.preferredIndex(for: peer) ?? openConnection(to: peer) else {
      return wait(parcel, for: peer)
    }
    hand(parcel, to: connection)
  }

  private mutating func hand(_ parcel: Parcel, to connection: Int) {
    do {
      try endpoint.send(
        parcel.frame, on: connections[connection].identifier, at: now, into: &events)
      connections[connection].lastUsed = now
      counters.sent[parcel.trafficClass].count(parcel.frame.count)
    } catch {
      dropped(on: connection, because: error)
    }
  }

  mutating func schedule(_ timer: P.Timer, at instant: Instant) {
    if timers.insert(.process(timer), at: max(instant, now), isExempt: P.isEssential(timer)) { return }
    if counters.timersRefused == 0 { reports.append(.tooManyTimers) }
    counters.timersRefused += 1
  }

  mutating func indicate(_ indication: P.Indication) { indications.append(indication) }

  private mutating func dropped(on connection: Int, because error: SendError) {
    switch error {
    case .messageTooLarge: counters.droppedTooLarge += 1
    case .closed: counters.droppedUnreachable += 1
    case .queueFull: counters.droppedQueueFull += 1
    }
    guard case .queueFull = error, !connections[connection].isCongested else { return }
    connections[connection].isCongested = true
    guard let peer = connections[connection].peer else { return }
    doubtful.append(peer)
    reports.append(.queueFull(peers.table.record(of: peer).key))
  }
}

// MARK: - Opening and closing connections

extension HostCore {
  /// Opens a connection to a peer where it is known to listen.
  ///
  /// - Returns: its index; `nil` if the peer is avoided, or there is no address or no room.
  private mutating func openConnection(to peer: Peer) -> Int? {
    guard avoided[peer] == nil, mayOpen(to: peer) else { return nil }
    let record = peers.table.record(of: peer)
    if let address = record.address,
      let connection = try? open(
        to: address, expecting: record.key, peer: peer,
        hearsay: peers.table.isAddressMet(of: peer) ? nil : address)
    {
      return connections.index(of: connection)
    }
    avoid(peer, isUntold: true)
    return nil
  }

  /// Whether the bounds allow another connection to where a peer is said to be. Whoever invents peers makes others
  /// send to the addresses that it gives them, so this must stay slow; and what they ask for must not fill the table.
  private func mayOpen(to peer: Peer) -> Bool {
    guard let address = peers.table.record(of: peer).address, !peers.table.isAddressMet(of: peer) else {
      return true
    }
    let openings = connections.openings(toHostOf: address)
    return openings.all < configuration.hearsayOpenings
      && openings.ofHost < configuration.hearsayOpeningsPerHost
  }

  /// Keeps a message for which there is no connection yet, or drops it.
  private mutating func wait(_ parcel: Parcel, for peer: Peer) {
    guard avoided[peer] == nil else { return counters.droppedUnreachable += 1 }
    if waiting.append(parcel, byteCount: parcel.frame.count, to: peer, at: now) {
      counters.deferred += 1
    } else {
      counters.droppedUnreachable += 1
      avoid(peer, isUntold: true)
    }
  }

  /// Sends what waited and now has a connection, or may have one. Every opening ends within seconds, and then this
  /// is called, so nothing waits for long.
  mutating func sendWaiting() {
    guard !waiting.isEmpty else { return }
    for peer in waiting.entries.map(\.peer) {
      let connection = connections.preferredIndex(for: peer) ?? openConnection(to: peer)
      let isOver = avoided[peer] != nil || waiting.isOverdue(peer, at: now)
      guard connection != nil || isOver, let entry = waiting.take(peer) else { continue }
      if let connection {
        for parcel in entry.parcels { hand(parcel, to: connection) }
      } else {
        counters.droppedUnreachable += UInt64(entry.parcels.count)
        if avoided[peer] == nil { avoid(peer, isUntold: true) }
      }
    }
  }

  /// Opens a connection and introduces this end on it.
  ///
  /// - Parameter hearsay: the address, if only others have told it.
  mutating func open(
    to address: SocketAddress, expecting key: PublicKey?, peer: Peer?, hearsay: SocketAddress? = nil
  ) throws(ConnectError) -> ConnectionID {
    let connection = try endpoint.connect(
      to: address, expecting: key, openings: hearsay == nil ? nil : configuration.hearsayDatagrams, at: now,
      into: &events)
    connections.append(
      HostConnection(
        identifier: connection, peer: peer, isOutgoing: true, hearsay: hearsay, lastUsed: now))
    scheduleCheck()
    // Queued first, so that it is the first message unless the network reorders.
    try? endpoint.send(
      HostFrame.introduction(port: configuration.listenPort ?? 0), on: connection, at: now, into: &events)
    return connection
  }

  /// Sends nothing to a peer for a while.
  ///
  /// - Parameters:
  ///   - isUntold: whether the process is to be told at the end of it that the peer is lost; it must not be told
  ///     in the middle of a handler.
  ///   - wait: for how long; ``ProcessHostConfiguration/avoidance`` if `nil`.
  mutating func avoid(_ peer: Peer, isUntold: Bool, for wait: Interval? = nil) {
    avoid(peer, isUntold: isUntold, until: now + (wait ?? configuration.avoidance))
  }

  /// Has nothing to do with a peer for a while.
  mutating func shun(_ peer: Peer, until end: Instant) {
    avoid(peer, isUntold: false, until: end)
    guard let position = avoided.position(of: peer) else { return }
    avoided[position].isShunned = true
    for connection in connections.all where connection.peer == peer {
      endpoint.close(connection.identifier, at: now, into: &events)
    }
  }

  private mutating func avoid(_ peer: Peer, isUntold: Bool, until end: Instant) {
    let (position, isNew) = avoided.insert(Avoidance(isUntold: isUntold, until: end), for: peer)
    avoided[position].isUntold = avoided[position].isUntold || isUntold
    avoided[position].until = max(avoided[position].until, end)
    if isNew { _ = timers.insert(.avoidanceOver(peer), at: end, isExempt: true) }
  }

  /// Ends an avoidance if its time has come.
  ///
  /// - Returns: whether the process is to be told that the peer is lost.
  mutating func endAvoidance(of peer: Peer) -> Bool {
    guard let avoidance = avoided[peer] else { return false }
    guard avoidance.until <= now else {
      _ = timers.insert(.avoidanceOver(peer), at: avoidance.until, isExempt: true)
      return false
    }
    avoided.remove(peer)
    return avoidance.isUntold
  }

  mutating func scheduleCheck() {
    guard !isCheckScheduled else { return }
    isCheckScheduled = true
    _ = timers.insert(.connectionCheck, at: now + configuration.redundantLimit, isExempt: true)
  }

  /// Closes what is not needed: connections that another one has replaced, and those to peers that nobody
  /// retains, when they have been silent for long enough.
  mutating func checkConnections() {
    isCheckScheduled = false
    for connection in connections.all where isDispensable(connection) {
      if let index = connections.index(of: connection.identifier) {
        connections[index].isClosedQuietly = true
      }
      endpoint.close(connection.identifier, at: now, into: &events)
    }
    if !connections.all.isEmpty { scheduleCheck() }
  }

  private func isDispensable(_ connection: HostConnection) -> Bool {
    guard connection.establishedAt != nil, let peer = connection.peer, !connection.isClosedQuietly,
      endpoint.queuedBytes(on: connection.identifier) == 0
    else { return false }
    let silence = now - connection.lastUsed
    let isReplaced =
      connections.preferredIndex(for: peer).map {
        connections[$0].identifier != connection.identifier && connections[$0].establishedAt != nil
      } ?? false
    if isReplaced { return silence >= configuration.redundantLimit }
    guard let idleLimit = configuration.idleLimit, retained[peer] == nil else { return false }
    return silence >= idleLimit
  }
}

/// Writes down what the endpoint wants done, to be handled when it has returned.
struct TransportEvents: TransportSink {
  enum Event {
    case transmit([UInt8], SocketAddress)
    case connected(ConnectionID, PublicKey, SocketAddress, isOutgoing: Bool)
    case received([UInt8], ConnectionID)
    case writable(ConnectionID)
    case closed(ConnectionID, CloseReason)
  }

  var queue = Queue<Event>()

  mutating func transmit(_ datagram: [UInt8], to address: SocketAddress) {
    queue.append(.transmit(datagram, address))
  }
  mutating func connected(
    _ connection: ConnectionID, to key: PublicKey, at address: SocketAddress, initiated: Bool
  ) {
    queue.append(.connected(connection, key, address, isOutgoing: initiated))
  }
  mutating func received(_ message: [UInt8], on connection: ConnectionID) {
    queue.append(.received(message, connection))
  }
  mutating func writable(_ connection: ConnectionID) { queue.append(.writable(connection)) }
  mutating func closed(_ connection: ConnectionID, _ reason: CloseReason) {
    queue.append(.closed(connection, reason))
  }
}
