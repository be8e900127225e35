import StarlingApps
import StarlingBroadcast
import StarlingCore
import StarlingOverlay
import StarlingTransport

/// A whole peer as a value that performs no I/O: transport, membership, broadcast and file sharing, and the
/// routing between them. The runtime runs it over a socket; a test or a simulation in virtual time.
///
/// After every input the driver asks for ``nextDeadline`` and calls ``expire(at:into:)`` then. A node is
/// confined to one event loop; it shares a table with its parts, so it cannot be copied.
public struct Node: ~Copyable {
  /// What was set.
  public let configuration: NodeConfiguration
  /// The node's key.
  public let key: PublicKey
  let peers: SharedPeerTable
  var host: ProcessHost<NodeProcess>
  var files: FileSharing
  var contacts: ContactList
  /// The peers in the views, each with the views that it is in.
  var neighbours = PeerMap<NeighbourViews>()
  var hostOutputs = HostOutputs()
  var fileOutputs = FileOutputs()
  /// What the admission of subscriptions has seen.
  let admission = AdmissionRecord()
  var misbehaviour = [UInt64](repeating: 0, count: Misbehaviour.allCases.count)
  var delivered = [UInt64](repeating: 0, count: NodeTraffic.allCases.count)
  var now = Instant.zero
  var isShutDown = false

  /// A node that has not started.
  ///
  /// - Parameters:
  ///   - identity: the node's key pair.
  ///   - configuration: all that can be set.
  ///   - seed: 32 bytes from the operating system's entropy, never used before; in a test, any.
  ///   - firstSequence: the number of the node's first broadcast, above all that it used before with this
  ///     key: peers ignore numbers that they have seen.
  /// - Throws: ``NodeError`` when the seed has the wrong length, or the policy does not let the node's own key in.
  public init(
    identity: Identity, configuration: NodeConfiguration, seed: [UInt8], firstSequence: UInt64
  ) throws(NodeError) {
    guard var random = ChaChaRandom(seed: seed) else {
      throw .seedLength(seed.count, expected: ChaChaRandom.seedByteCount)
    }
    if let refusal = configuration.admission.refusal(of: identity.publicKey) {
      throw .inadmissible(identity.publicKey, refusal)
    }
    self.configuration = configuration
    key = identity.publicKey
    let own = PeerRecord(key: identity.publicKey, address: configuration.listen)
    peers = SharedPeerTable(PeerTable(own: own, capacity: configuration.peerLimit))
    let auth = KeyAuthenticator(identity: identity, network: configuration.transport.network, peers: peers)
    let door = KeyAdmission(
      identity: identity, network: configuration.transport.network, peers: peers,
      policy: configuration.admission, record: admission)
    let process = NodeProcess(
      overlay: Scamp(identity: PeerTable.own, door: door, configuration: configuration.membership),
      diffusion: BroadcastTree(
        identity: PeerTable.own, auth: auth, configuration: configuration.broadcast,
        firstSequence: firstSequence))
    let endpoint = Endpoint(
      identity: identity, configuration: configuration.transport, random: random.split())
    host = ProcessHost(
      process: process, endpoint: endpoint, peers: peers, random: random.split(),
      configuration: configuration.host, hooks: .node)
    files = FileSharing(configuration: configuration.files)
    contacts = ContactList(configuration.contacts, at: .zero)
  }

  /// When ``expire(at:into:)`` is next to be called; ``Instant/distantFuture`` for never.
  public var nextDeadline: Instant {
    guard !isShutDown else { return .distantFuture }
    var next = host.nextDeadline
    if isAlone { next = min(next, contacts.nextDeadline) }
    // What is past waits for room: that comes with a datagram, or a neighbour turns out to hang.
    next = min(next, files.nextDeadline > now ? files.nextDeadline : now + .milliseconds(100))
    return next
  }

  /// Whether the node has no neighbour.
  public var isAlone: Bool { neighbours.count == 0 }
}

/// Why there is no node.
public enum NodeError: Error, Hashable, Sendable, CustomStringConvertible {
  /// The seed has the wrong length.
  case seedLength(Int, expected: Int)
  /// The network's policy does not let the node's own key in.
  case inadmissible(PublicKey, AdmissionRefusal)

  /// One sentence.
  public var description: String {
    switch self {
    case .seedLength(let count, let expected): "the seed has \(count) bytes; it needs \(expected)"
    case .inadmissible(let key, let refusal):
      "\(key) may not join the network that it would be a node of, because \(refusal)"
    }
  }
}

/// The views of a node that a neighbour is in.
struct NeighbourViews {
  var isInPartialView = false
  var isInInView = false
}

// MARK: - Inputs

extension Node {
  /// Starts the node, which begins to look for its contacts.
  public mutating func start(at now: Instant, into sink: inout some NodeSink & ~Copyable) {
    guard begin(at: now) else { return }
    contacts = ContactList(configuration.contacts, at: now)
    host.start(at: now, into: &hostOutputs)
    settle(into: &sink)
  }

  /// Handles a datagram that came to the socket. Nothing in it can trap.
  public mutating func receive(
    _ datagram: [UInt8], from address: SocketAddress, at now: Instant,
    into sink: inout some NodeSink & ~Copyable
  ) {
    guard begin(at: now) else { return }
    host.receive(datagram, from: address, at: now, into: &hostOutputs)
    settle(into: &sink)
  }

  /// Does what is due.
  public mutating func expire(at now: Instant, into sink: inout some NodeSink & ~Copyable) {
    guard begin(at: now) else { return }
    host.expire(at: now, into: &hostOutputs)
    settle(into: &sink)
  }

  /// Publishes a file: broadcasts its manifest now, and its chunks as the sink is asked for them.
  ///
  /// - Throws: ``PublishError`` when the file is being published already or too many are.
  public mutating func publish(
    _ manifest: FileManifest, at now: Instant, into sink: inout some NodeSink & ~Copyable
  ) throws(PublishError) {
    guard begin(at: now) else { return }
    try files.publish(manifest, at: now, into: &fileOutputs)
    if isAlone { sink.report(.publishedAlone(manifest.identifier)) }
    settle(into: &sink)
  }

  /// Hands in a chunk that was asked for; see ``NodeSink/requestChunk(_:of:)``. No bytes at all say that it
  /// could not be read.
  public mutating func supply(
    _ chunk: [UInt8], index: Int, of file: FileIdentifier, at now: Instant,
    into sink: inout some NodeSink & ~Copyable
  ) {
    guard begin(at: now) else { return }
    files.supply(chunk, index: index, of: file, into: &fileOutputs)
    settle(into: &sink)
  }

  /// Ends all connections, telling the peers. The node ignores every input afterwards.
  public mutating func shutDown(at now: Instant, into sink: inout some NodeSink & ~Copyable) {
    guard begin(at: now) else { return }
    host.shutDown(at: now, into: &hostOutputs)
    isShutDown = true
    while let output = hostOutputs.queue.popFirst() {
      if case .transmit(let datagram, let address) = output { sink.transmit(datagram, to: address) }
    }
  }

  private mutating func begin(at now: Instant) -> Bool {
    self.now = max(self.now, now)
    return !isShutDown
  }
}
