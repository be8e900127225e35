/// What a peer did that no correct peer does. Protocols tell it to the layer above, which keeps the budgets;
/// see the README of StarlingNode's group.
@frozen
public enum Misbehaviour: UInt8, Sendable, Hashable, CaseIterable {
  /// A message that cannot be decoded.
  case malformed
  /// A signature that is not its signer's.
  case badSignature
  /// A subscription that the network's policy does not admit.
  case inadmissible
  /// More subscriptions than a peer may send.
  case subscriptionFlood
  /// Something old, sent again.
  case replay
  /// An answer to nothing that was asked, or too much of anything that costs its receiver.
  case unsolicited
  /// A message of another broadcast than the one that this network runs: a mistake in somebody's settings.
  case otherBroadcast

  /// The name under which it is counted: snake_case.
  public var name: String {
    switch self {
    case .malformed: "malformed"
    case .badSignature: "bad_signature"
    case .inadmissible: "inadmissible"
    case .subscriptionFlood: "subscription_flood"
    case .replay: "replay"
    case .unsolicited: "unsolicited"
    case .otherBroadcast: "other_broadcast"
    }
  }
}
