import StarlingCore

/// One connection: asked for by this end and still shaking hands, or up.
///
/// It seals and opens packets, and turns messages into them; the ``Endpoint`` finds it by its identifier,
/// calls it at its deadline, and buries it once `ended` is set.
struct Connection {
  /// This end's identifier, which the peer writes into its packets.
  let id: ConnectionID
  /// Where this end's datagrams go. It never changes: see the folder's README.
  let address: SocketAddress
  /// The ephemeral key with which the peer opened the handshake, if it did.
  let opening: Opening?
  let limits: TransportConfiguration

  /// What is there until the peer has answered.
  var handshake: InitiatorHandshake?
  /// What is there from then on.
  var session: Session?
  /// The handshake's last datagram, repeated with every probe until the peer shows that it has it.
  var confirmation: [UInt8]?
  /// When a handshake that this end began, and that the peer has not completed, is given up.
  var handshakeDeadline: Instant?

  var received = ReceivedPackets()
  var recovery: LossRecovery
  var outgoing: OutgoingMessages
  var incoming: IncomingMessages
  var nextNumber: UInt64 = 0

  /// Whether to ask for an acknowledgement even if there is nothing to say.
  var wantsPing = false
  /// How many packets may go out beyond the window.
  var probes = 0
  /// When an authentic packet last came, or the first was sent that should be answered by one.
  var aliveAt: Instant
  var isAnswerAwaited = false
  /// Until when the peer has to show that it is there, if it was asked for that.
  var proofDeadline: Instant?
  var lastSentAt: Instant

  /// Why the connection is over.
  var ended: CloseReason?

  /// The keys of a connection, and to whom.
  struct Session {
    let peer: PublicKey
    let peerID: ConnectionID
    let sending: AEADKey
    let receiving: AEADKey
  }

  init(
    id: ConnectionID, address: SocketAddress, opening: Opening?, limits: TransportConfiguration,
    at now: Instant
  ) {
    self.id = id
    self.address = address
    self.opening = opening
    self.limits = limits
    recovery = LossRecovery(windowBytes: limits.windowBytes)
    outgoing = OutgoingMessages(byteLimit: limits.sendQueueBytes, messageLimit: limits.sendQueueMessages)
    incoming = IncomingMessages(byteLimit: limits.reassemblyBytes)
    aliveAt = now
    lastSentAt = now
  }

  /// When ``expire(at:counters:into:)`` is next due.
  var deadline: Instant {
    if let handshake { return min(handshake.repeatAt, handshakeDeadline ?? .distantFuture) }
    var earliest = idleDeadline
    for other in [handshakeDeadline, recovery.deadline, received.deadline, keepAliveDeadline] {
      if let other { earliest = min(earliest, other) }
    }
    return earliest
  }

  private var idleDeadline: Instant {
    min(aliveAt + limits.idleTimeout, proofDeadline ?? .distantFuture)
  }

  private var keepAliveDeadline: Instant? {
    // While an answer is awaited, the probe timer does the asking.
    guard let keepAlive = limits.keepAlive, !recovery.hasOutstanding else { return nil }
    return max(aliveAt, lastSentAt) + keepAlive
  }

  /// Asks the peer for a sign of life within a while, which ends the connection if none comes.
  mutating func demandProof(
    within patience: Interval, at now: Instant, counters: inout TransportCounters,
    into sink: inout some TransportSink & ~Copyable
  ) {
    guard session != nil, ended == nil, proofDeadline == nil else { return }
    proofDeadline = now + patience
    wantsPing = true
    probes = max(probes, 1)
    flush(at: now, counters: &counters, into: &sink)
  }

  /// Does what is due.
  mutating func expire(
    at now: Instant, counters: inout TransportCounters, into sink: inout some TransportSink & ~Copyable
  ) {
    if let handshakeDeadline, handshakeDeadline <= now {
      ended = handshake?.refusal ?? .handshakeTimedOut
      return
    }
    guard session != nil else { return repeatInitiate(at: now, counters: &counters, into: &sink) }
    if idleDeadline <= now {
      ended = recovery.hasOutstanding ? .unresponsive : .idle
      return
    }
    if let keepAliveDeadline, keepAliveDeadline <= now { wantsPing = true }
    if let deadline = recovery.deadline, deadline <= now {
      recover(at: now, counters: &counters, into: &sink)
    }
    if ended == nil { flush(at: now, counters: &counters, into: &sink) }
  }

  /// The loss timer or the probe timer is due.
  private mutating func recover(
    at now: Instant, counters: inout TransportCounters, into sink: inout some TransportSink & ~Copyable
  ) {
    let (lost, oldest) = recovery.expire(at: now)
    note(lost: lost, counters: &counters)
    guard !oldest.isEmpty else { return }
    guard recovery.probeInterval <= limits.idleTimeout else {
      ended = .unresponsive
      return
    }
    if let confirmation {
      counters.retransmissions += 1
      transmit(confirmation, counters: &counters, into: &sink)
    }
    for packet in oldest {
      for part in packet.fragments { outgoing.repeatSending(part) }
    }
    probes = 2
    wantsPing = !outgoing.hasNext()
  }

  mutating func note(lost: [SentPacket], counters: inout TransportCounters) {
    counters.packetsLost += UInt64(lost.count)
    for packet in lost {
      for part in packet.fragments { outgoing.repeatSending(part) }
    }
  }

  /// The handshake is done and these are its keys.
  mutating func establish(
    _ session: Session, peerReassemblyBytes: Int, initiated: Bool, at now: Instant,
    into sink: inout some TransportSink & ~Copyable
  ) {
    self.session = session
    handshake = nil
    outgoing.peerReassemblyBytes = peerReassemblyBytes
    aliveAt = now
    // Each end makes the other answer: the responder tells so that it has the keys, and the initiator is
    // sure to have a probe timer that repeats the confirmation.
    wantsPing = true
    sink.connected(id, to: session.peer, at: address, initiated: initiated)
  }
}
