import StarlingBroadcast
import StarlingCore
import StarlingLedger

/// The secure broadcast that a node takes part in: the same at every member but for its own samples.
public struct SecureConfiguration: Sendable {
  /// Which broadcast runs.
  public enum Broadcast: Hashable, Sendable {
    /// Ready Broadcast: probabilistic secure broadcast.
    case secure(SecureBroadcastParameters)
    /// Echo Broadcast: consistency without totality.
    case consistent(SecureBroadcastParameters)
    /// Bracha's reliable broadcast, while at most so many lie: fewer than a third of all.
    case bracha(byzantine: Int)

    /// Its name on the command line.
    public var name: String {
      switch self {
      case .secure: "secure"
      case .consistent: "consistent"
      case .bracha: "bracha"
      }
    }
  }

  /// Which broadcast runs.
  public var broadcast: Broadcast
  /// All members with their addresses, this node among them.
  public var members: [PeerRecord]
  /// How the ledger begins that the members keep; `nil` if they keep none.
  public var genesis: Genesis?
  /// The bounds of what is under way.
  public var ordered: OrderedBroadcastConfiguration

  /// How many members may lie: where samples decide, less than a third.
  var byzantine: Int {
    if case .bracha(let byzantine) = broadcast { byzantine } else { max(0, members.count - 1) / 3 }
  }

  /// A secure broadcast among a membership.
  ///
  /// - Parameters:
  ///   - broadcast: which one.
  ///   - members: all members, each once, this node among them.
  public init(_ broadcast: Broadcast, among members: [PeerRecord]) {
    self.broadcast = broadcast
    self.members = members
    ordered = OrderedBroadcastConfiguration()
  }
}
