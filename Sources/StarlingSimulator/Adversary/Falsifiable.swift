import StarlingBroadcast
import StarlingCore

/// A broadcast's message as an adversary sees it: what it can make up.
protocol Falsifiable: SizedMessage, PayloadCarrying<IdealAuthenticator> {
  /// A message that carries a broadcast.
  static func carrying(_ broadcast: Broadcast<IdealAuthenticator>) -> Self
  /// A message that says "I have this"; `nil` if the protocol has none.
  static func announcing(_ identifier: MessageIdentifier) -> Self?
  /// If this asks for a broadcast, the answer that it is gone.
  var denial: Self? { get }
}

extension Broadcast: Falsifiable where Auth == IdealAuthenticator {
  static func carrying(_ broadcast: Broadcast) -> Broadcast { broadcast }
  static func announcing(_ identifier: MessageIdentifier) -> Broadcast? { nil }
  var denial: Broadcast? { nil }
}

extension RingBroadcast.Message: Falsifiable where Auth == IdealAuthenticator {
  static func carrying(_ broadcast: Broadcast<IdealAuthenticator>) -> Self { .repair(.supply(broadcast)) }
  static func announcing(_ identifier: MessageIdentifier) -> Self? { .announce(identifier, isLate: false) }
  var denial: Self? {
    if case .repair(let message) = self { message.denial.map { .repair($0) } } else { nil }
  }
}

extension BroadcastTree.Message: Falsifiable where Auth == IdealAuthenticator {
  static func carrying(_ broadcast: Broadcast<IdealAuthenticator>) -> Self { .push(broadcast) }
  static func announcing(_ identifier: MessageIdentifier) -> Self? { .announce(identifier) }
  var denial: Self? {
    switch self {
    case .graft(let identifier), .fetch(let identifier): .gone(identifier)
    default: nil
    }
  }
}
