import StarlingBroadcast
import StarlingCore

/// A broadcast's message as an adversary sees it: what it can make up.
protocol Falsifiable: SizedMessage, PayloadCarrying<IdealAuthenticator> {
  /// A message that carries a broadcast.
  static func carrying(_ broadcast: Broadcast<IdealAuthenticator>) -> Self
  /// A message that says "I have this"; `nil` if the protocol has none.
  static func announcing(_ identifier: MessageIdentifier) -> Self?
}

extension Broadcast: Falsifiable where Auth == IdealAuthenticator {
  static func carrying(_ broadcast: Broadcast) -> Broadcast { broadcast }
  static func announcing(_ identifier: MessageIdentifier) -> Broadcast? { nil }
}

extension BroadcastTree.Message: Falsifiable where Auth == IdealAuthenticator {
  static func carrying(_ broadcast: Broadcast<IdealAuthenticator>) -> Self { .push(broadcast) }
  static func announcing(_ identifier: MessageIdentifier) -> Self? { .announce(identifier) }
}
