import StarlingCore

/// Connections are born, moved and buried here, so that the tables and the routes into them agree.
extension Endpoint {
  /// An identifier that is not in use.
  mutating func newID() -> ConnectionID {
    while true {
      let id = ConnectionID(random.next())
      if id.value != 0, routes[id] == nil { return id }
    }
  }

  @discardableResult
  mutating func add(_ connection: Connection) -> Int {
    let i = connections.append(connection, deadline: connection.deadline)
    routes[connection.id] = .connection(i)
    if let opening = connection.opening { openings[opening] = connection.id }
    return i
  }

  mutating func add(_ responder: ResponderHandshake) {
    let i = responders.append(responder, deadline: responder.deadline)
    routes[responder.id] = .responder(i)
    openings[responder.opening] = responder.id
  }

  /// Brings the table up to date after a connection was called, and buries it if it has ended.
  ///
  /// - Returns: whether it is still there.
  @discardableResult
  mutating func settle(_ i: Int, at now: Instant, into sink: inout some TransportSink & ~Copyable) -> Bool {
    guard let reason = connections[i].ended else {
      connections.setDeadline(connections[i].deadline, at: i)
      return true
    }
    var connection = connections.remove(at: i)
    if i < connections.count { routes[connections[i].id] = .connection(i) }
    forget(connection.id, connection.opening)
    counters.closes += 1
    if let code = reason.codeForPeer { sayGoodbye(&connection, code, at: now, into: &sink) }
    sink.closed(connection.id, reason)
    return false
  }

  /// Tells the peer that a connection is over, and remembers it for a while: three probe timeouts, as RFC
  /// 9000, section 10.2, has it.
  mutating func sayGoodbye(
    _ connection: inout Connection, _ code: CloseCode, at now: Instant,
    into sink: inout some TransportSink & ~Copyable
  ) {
    guard let datagram = connection.sealClose(code) else { return }
    connection.transmit(datagram, counters: &counters, into: &sink)
    guard closing.count < configuration.maximumConnections else { return }
    let remembered = ClosingConnection(
      id: connection.id, address: connection.address, opening: connection.opening, datagram: datagram,
      until: now + connection.recovery.roundTrip.probeTimeout * 3)
    let i = closing.append(remembered, deadline: remembered.deadline)
    routes[connection.id] = .closing(i)
    if let opening = connection.opening { openings[opening] = connection.id }
  }

  /// The peer of a closed connection seems not to know.
  mutating func repeatClose(
    _ i: Int, after datagram: [UInt8], into sink: inout some TransportSink & ~Copyable
  ) {
    guard closing[i].answers(datagram) else { return counters.drop(.unknownConnection) }
    counters.noteSent(closing[i].datagram.count)
    sink.transmit(closing[i].datagram, to: closing[i].address)
  }

  @discardableResult
  mutating func removeResponder(_ i: Int, forgettingOpening: Bool) -> ResponderHandshake {
    let responder = responders.remove(at: i)
    if i < responders.count { routes[responders[i].id] = .responder(i) }
    forget(responder.id, forgettingOpening ? responder.opening : nil)
    return responder
  }

  mutating func removeClosing(_ i: Int) {
    let closed = closing.remove(at: i)
    if i < closing.count { routes[closing[i].id] = .closing(i) }
    forget(closed.id, closed.opening)
  }

  private mutating func forget(_ id: ConnectionID, _ opening: Opening?) {
    routes[id] = nil
    if let opening { openings[opening] = nil }
  }
}

extension CloseReason {
  /// What the peer is told; `nil` when it knows already.
  fileprivate var codeForPeer: CloseCode? {
    switch self {
    case .peer, .peerFull, .notAdmitted, .violationReported: nil
    case .inadmissible: .inadmissible
    case .violation: .violation
    default: .application
    }
  }
}
