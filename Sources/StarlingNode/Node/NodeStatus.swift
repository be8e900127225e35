import StarlingApps
import StarlingCore
import StarlingOverlay
import StarlingTransport

/// A node at one instant, for people and dashboards.
public struct NodeStatus: Sendable {
  /// The node's key.
  public let key: PublicKey
  /// Where it listens, as far as it was told.
  public let listen: SocketAddress?
  /// The peers in its views, in the order in which they came.
  public let neighbours: [NeighbourStatus]
  /// How many peers it sends to.
  public let partialViewSize: Int
  /// How many peers are known to send to it.
  public let inViewSize: Int
  /// How many peers the network seems to have.
  public let estimatedSize: Double
  /// How many connections there are, those that are being opened included.
  public let connectionCount: Int
  /// How many peers are remembered.
  public let knownPeerCount: Int
  /// The peers with which it has nothing to do for a while.
  public let shunned: [ShunnedPeer]
  /// What it did so far.
  public let counters: NodeCounters
  /// The files being published, then those arriving.
  public let files: [FileProgress]
  /// Why a contact that answered did not let it in, while it is alone.
  public let joinRefusal: JoinRefusal?
  /// Posts that were delivered.
  public let postsDelivered: UInt64
  /// A sum over what these posts say: the same at nodes that delivered the same posts.
  public let postsDigest: UInt64
  /// The part in a secure broadcast, if it takes one.
  public let secure: SecureStatus?
}

/// A node's part in a secure broadcast.
public struct SecureStatus: Hashable, Sendable {
  /// How many instances take memory.
  public let liveInstances: Int
  /// How many signatures were checked.
  public let signatureChecks: UInt64
  /// How many messages were dropped because their instances are over, or too far ahead.
  public let dropped: UInt64
}

/// Why a contact that answered did not let a node into the network.
public struct JoinRefusal: Hashable, Sendable, CustomStringConvertible {
  /// Part of a sentence that says who refused, why, and what to do.
  public let description: String

  /// The contact at an address ended the connection, or did not make one.
  init(at address: SocketAddress, _ reason: CloseReason) { description = "\(address) answered: \(reason)" }

  /// A peer answered the request to join.
  init(by key: PublicKey) {
    description =
      "\(key.short) answered: its network's policy admits no more peers for now, or not this node's key; "
      + "wait, join through another contact, or ask its operator"
  }
}

/// A neighbour of a node.
public struct NeighbourStatus: Hashable, Sendable {
  /// Its key.
  public let key: PublicKey
  /// Where it can be reached, as far as is known.
  public let address: SocketAddress?
  /// Whether the node sends to it: it is in the partial view.
  public let isInPartialView: Bool
  /// Whether it sends to the node: it is in the in-view.
  public let isInInView: Bool
  /// Whether the node pushes broadcasts to it; otherwise it announces them.
  public let isEager: Bool
  /// The smoothed round-trip time, if it is known.
  public let roundTrip: Interval?
}

/// A peer that used up its budget.
public struct ShunnedPeer: Hashable, Sendable {
  /// Its key.
  public let key: PublicKey
  /// What it did last.
  public let fault: Misbehaviour
  /// For how much longer nothing is taken from it.
  public let remaining: Interval
}

/// What a node did so far.
public struct NodeCounters: Sendable {
  /// Messages of its process, losses and violations.
  public let host: ProcessHostCounters
  /// Datagrams, bytes and retransmissions.
  public let transport: TransportCounters
  /// Files.
  public let files: FileSharingCounters
  /// Broadcasts of others that were delivered, by ``NodeTraffic``.
  public let delivered: [UInt64]
  /// How often peers did what no correct peer does, by ``Misbehaviour``'s raw values.
  public let misbehaviour: [UInt64]
  /// Subscriptions that the policy let in, and that it refused; and why it refused the last one.
  public let subscriptionsAdmitted: UInt64
  /// See ``subscriptionsAdmitted``.
  public let subscriptionsRefused: UInt64
  /// See ``subscriptionsAdmitted``.
  public let lastRefusal: AdmissionRefusal?

  /// Messages of a kind that were handed to the transport.
  public func sent(_ traffic: NodeTraffic) -> TrafficCounters { host.sent[traffic.rawValue] }
  /// Messages of a kind that came.
  public func received(_ traffic: NodeTraffic) -> TrafficCounters { host.received[traffic.rawValue] }
  /// Payloads of a kind that came and were not delivered: they had come before, or were refused.
  public func redundant(_ traffic: NodeTraffic) -> UInt64 {
    received(traffic).messages - min(received(traffic).messages, delivered[traffic.rawValue])
  }
}
