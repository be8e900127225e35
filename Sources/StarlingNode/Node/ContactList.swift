import StarlingCore
import StarlingTransport

/// Decides when a node that is alone tries which of its contacts: a state machine of its own, which knows
/// nothing of the node.
///
/// All contacts are tried at once, each again after a wait that doubles. The node asks the first that
/// answers to be joined through, and another one if it is still alone after a while.
struct ContactList {
  /// The wait after a first failure. A guess.
  static let shortestWait = Interval.seconds(1)
  /// The longest that doubling makes the wait. A guess.
  static let longestWait = Interval.seconds(30)
  /// How long a contact has to bring a neighbour before another is asked. A guess: joining takes a few
  /// round trips, and the membership asks again by itself after 5 s.
  static let patience = Interval.seconds(10)

  private enum State {
    case waiting(until: Instant)
    case connecting(ConnectionID)
    case connected(ConnectionID, Peer)
    /// The address is the node's own.
    case isSelf
  }

  private struct Contact {
    let address: SocketAddress
    var state: State
    var failures = 0
  }

  private var contacts: [Contact]
  /// Whom the node asked last, and until when no other is asked.
  private var asked: (index: Int, until: Instant)?

  /// A list of contacts, each to be tried at once.
  init(_ addresses: [SocketAddress], at now: Instant) {
    contacts = addresses.map { Contact(address: $0, state: .waiting(until: now)) }
  }

  /// When a node that is alone has something to do.
  var nextDeadline: Instant {
    var next = Instant.distantFuture
    for contact in contacts {
      if case .waiting(let until) = contact.state { next = min(next, until) }
    }
    if let asked, nextToAsk(after: asked.index) != nil { next = min(next, asked.until) }
    return next
  }

  /// The contacts to connect to now. Each is answered by ``connecting(_:over:)`` or ``failed(_:at:)``.
  func due(at now: Instant) -> [(index: Int, address: SocketAddress)] {
    contacts.indices.compactMap { i in
      guard case .waiting(let until) = contacts[i].state, until <= now else { return nil }
      return (i, contacts[i].address)
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
  /// - Returns: after how long it is tried again.
  mutating func failed(_ index: Int, at now: Instant) -> Interval {
    let wait = min(
      ContactList.shortestWait * (1 << min(contacts[index].failures, 16)), ContactList.longestWait)
    contacts[index].failures += 1
    contacts[index].state = .waiting(until: now + wait)
    return wait
  }

  /// Notes that a connection is up; ignores those that are not a contact's.
  mutating func connected(_ connection: ConnectionID, to peer: Peer) {
    guard let index = index(of: connection) else { return }
    contacts[index].state = .connected(connection, peer)
    contacts[index].failures = 0
  }

  /// Notes that a connection ended; ignores those that are not a contact's.
  ///
  /// - Returns: the contact's address and the wait, if it was not reached at all.
  mutating func closed(
    _ connection: ConnectionID, isSelf: Bool, at now: Instant
  ) -> (address: SocketAddress, wait: Interval)? {
    guard let index = index(of: connection) else { return nil }
    if asked?.index == index { asked = nil }
    if isSelf {
      contacts[index].state = .isSelf
      return nil
    }
    if case .connected = contacts[index].state {
      contacts[index].state = .waiting(until: now + ContactList.shortestWait)
      return nil
    }
    return (contacts[index].address, failed(index, at: now))
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
