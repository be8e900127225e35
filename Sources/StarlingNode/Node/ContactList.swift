import StarlingCore
import StarlingTransport

/// Decides when a node that is alone tries which of its contacts, and of the peers that it knew: a state machine
/// of its own, which knows nothing of the node.
///
/// All contacts are tried at once, each again after a wait that doubles; of the peers that it knew, a few at
/// once, and more patiently. The node asks the first that answers to be joined through, and another one if it is
/// still alone after a while.
struct ContactList {
  /// The wait after a first failure. A guess.
  static let shortestWait = Interval.seconds(1)
  /// The longest that doubling makes the wait. A guess: a contact that is away gets an attempt of three or four
  /// datagrams every 20 s, and a node whose network was away for long is back soon.
  static let longestWait = Interval.seconds(10)
  /// The wait after a contact has said that its network does not admit this node. A guess.
  static let refusedWait = Interval.seconds(30)
  /// How long a contact has to bring a neighbour before another is asked. A guess: joining takes a few
  /// round trips, and the membership asks again by itself after 5 s.
  static let patience = Interval.seconds(10)

  /// The longest wait for a peer that the node knew. A guess: nobody asked for it, and it may be gone for good.
  static let longestRememberedWait = Interval.seconds(300)
  /// How many peers that the node knew are listed, and how many of them are tried at once. Guesses.
  static let rememberedLimit = 32
  static let rememberedAtOnce = 4

  private enum State {
    case waiting(until: Instant)
    case connecting(ConnectionID)
    case connected(ConnectionID, Peer)
    /// The address is the node's own.
    case isSelf
  }

  private struct Contact {
    let address: SocketAddress
    /// Whether it is no contact that a user named, but a peer that the node knew.
    let isRemembered: Bool
    var state: State
    var failures = 0
    /// Whether it answered last that it will not have this node, or is none to be joined through.
    var isRefused = false
  }

  private var contacts: [Contact]
  /// Whom the node asked last, and until when no other is asked.
  private var asked: (index: Int, until: Instant)?

  /// A list of contacts, each to be tried at once.
  ///
  /// - Parameters:
  ///   - addresses: the contacts.
  ///   - remembered: where peers were that the node knew, the likeliest first.
  ///   - now: the current instant.
  init(_ addresses: [SocketAddress], remembered: [SocketAddress] = [], at now: Instant) {
    contacts = addresses.map { Contact(address: $0, isRemembered: false, state: .waiting(until: now)) }
    remember(remembered, at: now)
  }

  /// Lists peers that the node knew, to be tried at once, instead of those that it was told of before.
  mutating func remember(_ addresses: [SocketAddress], at now: Instant) {
    // What is being tried stays: its connection will report.
    contacts.removeAll { contact in
      guard contact.isRemembered, case .waiting = contact.state else { return false }
      return true
    }
    asked = nil
    for address in addresses {
      guard contacts.count(where: \.isRemembered) < ContactList.rememberedLimit else { return }
      guard !contacts.contains(where: { $0.address == address }) else { continue }
      contacts.append(Contact(address: address, isRemembered: true, state: .waiting(until: now)))
    }
  }

  /// When a node that is alone has something to do.
  var nextDeadline: Instant {
    var next = Instant.distantFuture
    let isBusy = rememberedInProgress >= ContactList.rememberedAtOnce
    for contact in contacts where !(contact.isRemembered && isBusy) {
      if case .waiting(let until) = contact.state { next = min(next, until) }
    }
    if let asked, nextToAsk(after: asked.index) != nil { next = min(next, asked.until) }
    return next
  }

  /// The contacts to connect to now. Each is answered by ``connecting(_:over:)`` or ``failed(_:at:)``.
  func due(at now: Instant) -> [(index: Int, address: SocketAddress)] {
    var room = ContactList.rememberedAtOnce - rememberedInProgress
    return contacts.indices.compactMap { i in
      guard case .waiting(let until) = contacts[i].state, until <= now else { return nil }
      if contacts[i].isRemembered {
        guard room > 0 else { return nil }
        room -= 1
      }
      return (i, contacts[i].address)
    }
  }

  private var rememberedInProgress: Int {
    contacts.count { contact in
      guard contact.isRemembered, case .connecting = contact.state else { return false }
      return true
    }
  }

  /// Whom to join through now: a contact that has just answered, or another one after a while.
  mutating func contactToAsk(at now: Instant) -> Peer? {
    if let asked, now < asked.until { return nil }
    let last = asked?.index ?? contacts.count - 1
    let mayRepeat = asked == nil
    guard let next = nextToAsk(after: last, mayRepeat: mayRepeat),
      case .connected(_, let peer) = contacts[next].state
    else { return nil }
    asked = (next, now + ContactList.patience)
    return peer
  }

  /// The next connected contact in the order of the list.
  private func nextToAsk(after last: Int, mayRepeat: Bool = false) -> Int? {
    guard !contacts.isEmpty else { return nil }
    for step in 1...contacts.count {
      let i = (last + step) % contacts.count
      if i == last, !mayRepeat { return nil }
      if case .connected = contacts[i].state { return i }
    }
    return nil
  }

  mutating func connecting(_ index: Int, over connection: ConnectionID) {
    contacts[index].state = .connecting(connection)
  }

  /// Notes that a contact cannot be reached.
  ///
  /// - Returns: after how long it is tried again; `nil` for a peer that nobody named.
  mutating func failed(_ index: Int, at now: Instant) -> Interval? {
    let isRemembered = contacts[index].isRemembered
    let wait = min(
      ContactList.shortestWait * (1 << min(contacts[index].failures, 16)),
      isRemembered ? ContactList.longestRememberedWait : ContactList.longestWait)
    contacts[index].failures += 1
    contacts[index].state = .waiting(until: now + wait)
    return isRemembered ? nil : wait
  }

  /// Which contact a connection leads to, if any.
  func address(of connection: ConnectionID) -> SocketAddress? {
    index(of: connection).map { contacts[$0].address }
  }

  /// Notes that a connection is up; ignores those that are not a contact's.
  mutating func connected(_ connection: ConnectionID, to peer: Peer) {
    guard let index = index(of: connection) else { return }
    contacts[index].state = .connected(connection, peer)
    contacts[index].failures = 0
    contacts[index].isRefused = false
  }

  /// Notes that a connection ended; ignores those that are not a contact's.
  ///
  /// - Returns: the contact's address and the wait, if it was named by a user and not reached at all, or turned
  ///   this node away.
  mutating func closed(
    _ connection: ConnectionID, _ reason: CloseReason, at now: Instant
  ) -> (address: SocketAddress, wait: Interval)? {
    guard let index = index(of: connection) else { return nil }
    if asked?.index == index { asked = nil }
    contacts[index].isRefused = ContactList.isRefusal(reason)
    if reason == .ownKey {
      contacts[index].state = .isSelf
      return nil
    }
    if reason == .notAdmitted {
      // It will say the same for as long as its operator does nothing.
      contacts[index].state = .waiting(until: now + ContactList.refusedWait)
      return contacts[index].isRemembered ? nil : (contacts[index].address, ContactList.refusedWait)
    }
    if case .connected = contacts[index].state {
      contacts[index].state = .waiting(until: now + ContactList.shortestWait)
      return nil
    }
    return failed(index, at: now).map { (contacts[index].address, $0) }
  }

  /// Whether every contact that a user named has answered, and none will let the node in: waiting for another answer
  /// is in vain until somebody changes something. A contact that refuses for now is no such.
  var haveAllRefused: Bool {
    var isAnyRefused = false
    for contact in contacts where !contact.isRemembered {
      if case .isSelf = contact.state { continue }
      guard contact.isRefused else { return false }
      isAnyRefused = true
    }
    return isAnyRefused
  }

  private static func isRefusal(_ reason: CloseReason) -> Bool {
    switch reason {
    case .notAdmitted, .inadmissible, .keyInUse, .unexpectedKey, .network, .version: true
    case .local, .peer, .peerFull, .handshakeTimedOut, .ownKey, .idle, .unresponsive, .violation,
      .violationReported:
      false
    }
  }

  /// Has all that wait tried at once, and begins anew with the waits: what was in the way is gone.
  mutating func tryAtOnce(at now: Instant) {
    for index in contacts.indices {
      guard case .waiting = contacts[index].state else { continue }
      contacts[index].state = .waiting(until: now)
      contacts[index].failures = 0
    }
  }

  /// Lets contacts be asked again at once: the node has lost its last neighbour.
  mutating func forgetAsked() { asked = nil }

  private func index(of connection: ConnectionID) -> Int? {
    contacts.firstIndex {
      switch $0.state {
      case .connecting(let known), .connected(let known, _): known == connection
      case .waiting, .isSelf: false
      }
    }
  }
}
