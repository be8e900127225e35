import StarlingBroadcast
import StarlingCore

/// A secure broadcast as its adversary sees it: what there is to be said in it, and what can be found out.
protocol AttackedBroadcast: SecureBroadcastProcess where Auth == IdealSecureAuthenticator {
  /// What gives a sender's batch to one process.
  static func giving(_ batch: SignedBatch<Auth>) -> Message
  static func echo(_ vote: Vote<Auth>) -> Message
  /// `nil` where nobody tells that it is ready.
  static func ready(_ vote: Vote<Auth>) -> Message?
  /// What asks for the receiver's messages.
  static var subscriptions: [Message] { get }
  /// What asks for a batch, and what answers that; `nil` where nobody does.
  static func fetch(_ digest: UInt64, of instance: MessageIdentifier) -> Message?
  static func supply(_ batch: SignedBatch<Auth>) -> Message?
  /// Whether a message asks for the receiver's echoes, and whether for its readiness.
  static func asks(_ message: Message) -> (echoes: Bool, readiness: Bool)
  /// Whether a message passes a sender's batch on, so that it may be late.
  static func passesOn(_ message: Message) -> Bool
  /// Whether everybody's echoes go to everybody without being asked for.
  static var asksEverybody: Bool { get }
  /// Whether the process has committed to a batch of an instance: by Echo Broadcast's delivery, or by being ready.
  func hasCommitted(to instance: MessageIdentifier) -> Bool
}

extension EchoBroadcast: AttackedBroadcast where Auth == IdealSecureAuthenticator {
  static func giving(_ batch: SignedBatch<Auth>) -> Message { .gossip(.gossip(batch)) }
  static func echo(_ vote: Vote<Auth>) -> Message { .echo(vote) }
  static func ready(_ vote: Vote<Auth>) -> Message? { nil }
  static var subscriptions: [Message] { [.gossip(.subscribe), .subscribe] }
  static func fetch(_ digest: UInt64, of instance: MessageIdentifier) -> Message? { nil }
  static func supply(_ batch: SignedBatch<Auth>) -> Message? { nil }
  static func asks(_ message: Message) -> (echoes: Bool, readiness: Bool) {
    if case .subscribe = message { (true, false) } else { (false, false) }
  }
  static func passesOn(_ message: Message) -> Bool {
    if case .gossip(.gossip) = message { true } else { false }
  }
  static var asksEverybody: Bool { false }
  func hasCommitted(to instance: MessageIdentifier) -> Bool { hasDelivered(instance) }
}

extension ReadyBroadcast: AttackedBroadcast where Auth == IdealSecureAuthenticator {
  static func giving(_ batch: SignedBatch<Auth>) -> Message { .echo(Echo.giving(batch)) }
  static func echo(_ vote: Vote<Auth>) -> Message { .echo(.echo(vote)) }
  static var subscriptions: [Message] { Echo.subscriptions.map(Message.echo) + [.subscribe] }
  static func fetch(_ digest: UInt64, of instance: MessageIdentifier) -> Message? { .fetch(instance, digest) }
  static func supply(_ batch: SignedBatch<Auth>) -> Message? { .supply(batch) }
  static func ready(_ vote: Vote<Auth>) -> Message? { .ready(vote) }
  static func asks(_ message: Message) -> (echoes: Bool, readiness: Bool) {
    switch message {
    case .echo(let message): Echo.asks(message)
    case .subscribe: (false, true)
    default: (false, false)
    }
  }
  static func passesOn(_ message: Message) -> Bool {
    if case .echo(let message) = message { Echo.passesOn(message) } else { false }
  }
  static var asksEverybody: Bool { false }
  func hasCommitted(to instance: MessageIdentifier) -> Bool { isReady(for: instance) }
}

extension BrachaBroadcast: AttackedBroadcast where Auth == IdealSecureAuthenticator {
  static func giving(_ batch: SignedBatch<Auth>) -> Message { .send(batch) }
  static var subscriptions: [Message] { [] }
  static func fetch(_ digest: UInt64, of instance: MessageIdentifier) -> Message? { .fetch(instance, digest) }
  static func supply(_ batch: SignedBatch<Auth>) -> Message? { .supply(batch) }
  static func echo(_ vote: Vote<Auth>) -> Message { .echo(vote) }
  static func ready(_ vote: Vote<Auth>) -> Message? { .ready(vote) }
  static func asks(_ message: Message) -> (echoes: Bool, readiness: Bool) { (false, false) }
  static func passesOn(_ message: Message) -> Bool { false }
  static var asksEverybody: Bool { true }
  func hasCommitted(to instance: MessageIdentifier) -> Bool { isReady(for: instance) }
}
