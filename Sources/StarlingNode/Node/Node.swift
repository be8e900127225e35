import StarlingApps
import StarlingBroadcast
import StarlingCore
import StarlingLedger
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
  /// Posts that were delivered, and a sum over what they say.
  var postsDelivered: UInt64 = 0
  /// How many of each member.
  var postsByAuthor: [PublicKey: UInt64] = [:]
  var postsDigest: UInt64 = 0
  /// The number of the node's next post.
  var nextPost: UInt64
  /// The neighbours that were lost, the last one first, with their addresses: bounded.
  var formerNeighbours: [PeerRecord] = []
  /// Whether there was ever a neighbour.
  var wasJoined = false
  /// Why the node was kept out of the network last, if it was; forgotten when it has a neighbour.
  var joinRefusal: JoinRefusal?
  /// Members that run another secure broadcast, as an operator was told once.
  var mismatched = PeerSet()
  /// What was said to the transfers that were handed in last.
  var submissions: [SubmissionRefusal?] = []
  /// Whether the last broadcast was handed to none of the peers that it was meant for.
  var wasRefusedByAll = false

  /// How many former neighbours are remembered. A guess.
  static let formerNeighbourLimit = 64

  /// A node that has not started.
  ///
  /// - Parameters:
  ///   - identity: the node's key pair.
  ///   - configuration: all that can be set.
  ///   - seed: 32 bytes from the operating system's entropy, never used before; in a test, any.
  ///   - firstSequence: the number of the node's first broadcast, above all that it used before with this
  ///     key: peers ignore numbers that they have seen.
  ///   - read: answers questions for what earlier runs had kept (``NodeSink/keep(_:)``).
  /// - Throws: ``NodeError`` when the seed has the wrong length, or the policy does not let the node's own key in.
  public init(
    identity: Identity, configuration: NodeConfiguration, seed: [UInt8], firstSequence: UInt64,
    reading read: (StableQuery) -> [StableValue] = { _ in [] }
  ) throws(NodeError) {
    guard var random = ChaChaRandom(seed: seed) else {
      throw .seedLength(seed.count, expected: ChaChaRandom.seedByteCount)
    }
    if let secure = configuration.secure, !secure.members.contains(where: { $0.key == identity.publicKey }) {
      throw .notAMember(identity.publicKey)
    }
    if let refusal = configuration.admission.refusal(of: identity.publicKey) {
      throw .inadmissible(identity.publicKey, refusal)
    }
    let own = PeerRecord(key: identity.publicKey, address: configuration.listen)
    let peers = SharedPeerTable(PeerTable(own: own, capacity: configuration.peerLimit))
    let secure = try Node.secureMember(
      configuration.secure, identity, network: configuration.transport.network, peers: peers, reading: read)
    self.configuration = configuration
    self.peers = peers
    key = identity.publicKey
    nextPost = firstSequence
    let auth = KeyAuthenticator(
      identity: identity, network: configuration.transport.network, peers: peers,
      policy: configuration.admission)
    let door = KeyAdmission(
      identity: identity, network: configuration.transport.network, peers: peers,
      policy: configuration.admission, record: admission)
    var reader = WireReader(configuration.memory)
    let seen = (try? SeenMessages.decode(from: &reader, peers: &peers.table)) ?? SeenMessages()
    let process = NodeProcess(
      overlay: Scamp(identity: PeerTable.own, door: door, configuration: configuration.membership),
      diffusion: NodeBroadcast(
        tree: BroadcastTree(
          identity: PeerTable.own, auth: auth, configuration: configuration.broadcast,
          firstSequence: firstSequence, seen: seen), secure: secure))
    let endpoint = Endpoint(
      identity: identity, configuration: configuration.transport, random: random.split())
    host = ProcessHost(
      process: process, endpoint: endpoint, peers: peers, random: random.split(),
      configuration: configuration.host, hooks: .node)
    // Links to members are kept, however silent.
    for peer in secure?.broadcast.members.members ?? [] where peer != PeerTable.own { host.retain(peer) }
    files = FileSharing(configuration: configuration.files)
    files.noteFinished(configuration.finishedFiles)
    contacts = ContactList(configuration.contacts, at: .zero)
  }

  /// The node's part in a secure broadcast, whose members' handles are given out here.
  private static func secureMember(
    _ configuration: SecureConfiguration?, _ identity: Identity, network: [UInt8], peers: SharedPeerTable,
    reading read: (StableQuery) -> [StableValue]
  ) throws(NodeError) -> SecurePart? {
    guard let configuration else { return nil }
    var members = PeerSet()
    for record in configuration.members {
      guard let peer = try? peers.table.intern(record) else {
        throw .tooManyMembers(configuration.members.count)
      }
      members.insert(peer)
      // Where an operator says that a member is, is no hearsay.
      if peer != PeerTable.own, let address = record.address { peers.table.confirm(address, of: peer) }
    }
    if let genesis = configuration.genesis, Set(genesis.members) != Set(configuration.members.map(\.key)) {
      throw .otherMembers
    }
    let auth = KeySecureAuthenticator(
      identity: identity, network: network, peers: peers, members: members,
      ledger: configuration.genesis?.hash)
    do {
      return try SecurePart(
        configuration: configuration, members: members, auth: auth, peers: peers, reading: read)
    } catch {
      throw .strangeRecollection(error)
    }
  }

  /// When ``expire(at:into:)`` is next to be called; ``Instant/distantFuture`` for never.
  public var nextDeadline: Instant {
    guard !isShutDown else { return .distantFuture }
    var next = host.nextDeadline
    if isAlone { next = min(next, contacts.nextDeadline) }
    // What is past waits for room: that comes with a datagram, or a neighbour turns out to hang.
    next = min(next, files.nextDeadline > now ? files.nextDeadline : now + .milliseconds(100))
    return min(next, files.nextExpiry)
  }

  /// Whether messages wait for their acknowledgement on a connection that moves.
  public var hasUnsentMessages: Bool {
    mutating get { host.longestQueueBytes(at: now, patience: NodeConfiguration.hangingNeighbourPatience) > 0 }
  }

  /// The number of the next broadcast, or in a secure network of the next post: what must not be used again after a
  /// restart begins below it.
  public var nextSequence: UInt64 { isSecure ? nextPost : host.process.diffusion.tree.nextSequence }

  /// The messages that a later run need not be given again, encoded: those of every origin, except those whose files
  /// are arriving, or wait, or are known by chunks alone. Such a file begins anew, so its messages must count as new.
  ///
  /// In a secure network nothing: what is to be remembered of it is kept at once (``NodeSink/keep(_:)``).
  public var memory: [UInt8] {
    if isSecure { return [] }
    var arriving = files.awaitedPublishers
    forEachKeptChunk { origin, file, _ in if files.isWanted(file) { arriving.insert(origin) } }
    let stored = host.process.diffusion.tree.seen.stored.filter { origin in
      !arriving.contains(peers.table.record(of: origin.origin).key)
    }
    guard let seen = try? SeenMessages(stored) else { return [] }
    var writer = WireWriter(capacity: seen.encodedByteCount)
    seen.encode(into: &writer, peers: peers.table)
    return writer.bytes
  }

  /// How many chunks of files that are being published were not broadcast yet.
  public var unsentChunkCount: Int { files.unsentChunkCount }

  /// The peers that a later run may look for, the likeliest first: neighbours, then former ones.
  public var rememberedPeers: [PeerRecord] {
    var records: [PeerRecord] = []
    for peer in host.process.overlay.acquaintances {
      let record = peers.table.record(of: peer)
      if record.address != nil { records.append(record) }
    }
    for record in formerNeighbours where !records.contains(where: { $0.key == record.key }) {
      records.append(record)
    }
    return records
  }

  /// Whether the node is alone and every contact that it was given has answered that it will not let it in.
  public var isRefusedByAll: Bool { isAlone && contacts.haveAllRefused }

  /// Whether it takes part in a secure broadcast.
  var isSecure: Bool { host.process.diffusion.secure != nil }

  /// Whether the node has no neighbour.
  public var isAlone: Bool { neighbours.count == 0 }
}

/// Why posts are not broadcast.
public enum PostError: Error, Hashable, Sendable, CustomStringConvertible {
  /// The node's broadcast makes no promise that posts need.
  case notSecure
  /// There is room for so many batches only.
  case tooMany(room: Int)

  /// One sentence.
  public var description: String {
    switch self {
    case .notSecure:
      "posts need a broadcast that liars cannot split; start the node with --broadcast secure or bracha"
    case .tooMany(let room):
      "there is room for \(room) batches now; hand in fewer posts at once, put more in each batch, or wait until others are delivered"
    }
  }
}

/// Why a ledger cannot be asked.
public enum LedgerError: Error, Hashable, Sendable {
  /// The members keep none.
  case noLedger
}

/// Why there is no node.
public enum NodeError: Error, Hashable, Sendable, CustomStringConvertible {
  /// The seed has the wrong length.
  case seedLength(Int, expected: Int)
  /// The network's policy does not let the node's own key in.
  case inadmissible(PublicKey, AdmissionRefusal)
  /// The node's own key is not among the members of the secure broadcast.
  case notAMember(PublicKey)
  /// There are more members than the table of peers has room for.
  case tooManyMembers(Int)
  /// The genesis names other members than those of the secure broadcast.
  case otherMembers
  /// What is said to be kept of earlier runs is something else.
  case strangeRecollection(WireError)

  /// One sentence.
  public var description: String {
    switch self {
    case .seedLength(let count, let expected): "the seed has \(count) bytes; it needs \(expected)"
    case .notAMember(let key):
      "its own key \(key) is not in the list of members; add it to the file of --members, or name another key with --identity"
    case .otherMembers:
      "the genesis names other members than the list: give the list that the genesis was made with"
    case .strangeRecollection(let error):
      "what its state keeps of the secure broadcast is not what a node writes (\(error)); without it the node could contradict itself, so give it a new key and a new state"
    case .tooManyMembers(let count): "\(count) members are more than the table of peers has room for"
    case .inadmissible(let key, let refusal):
      "its own policy keeps its key \(key) out, because \(refusal)"
        + (refusal == .notListed ? "; add it there, or name another key with --identity" : "")
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
    contacts = ContactList(configuration.contacts, remembered: configuration.remembered, at: now)
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
    files.expire(at: now, into: &fileOutputs)
    settle(into: &sink)
  }

  /// Publishes a file: broadcasts its manifest now, and its chunks as the sink is asked for them.
  ///
  /// - Throws: ``PublishError`` when the file is being published already, too many are, or no neighbour takes it.
  public mutating func publish(
    _ manifest: FileManifest, at now: Instant, into sink: inout some NodeSink & ~Copyable
  ) throws(PublishError) {
    guard begin(at: now) else { return }
    try files.publish(manifest, at: now, into: &fileOutputs)
    if isAlone { sink.report(.publishedAlone(manifest.identifier)) }
    wasRefusedByAll = false
    settle(into: &sink)
    guard !wasRefusedByAll else {
      files.withdraw(manifest.identifier)
      throw .undeliverable
    }
  }

  /// Hands in a chunk that was asked for; see ``NodeSink/requestChunk(_:of:)``. No bytes at all say that it
  /// could not be read.
  public mutating func supply(
    _ chunk: [UInt8], index: Int, of file: FileIdentifier, at now: Instant,
    into sink: inout some NodeSink & ~Copyable
  ) {
    guard begin(at: now) else { return }
    files.supply(chunk, index: index, of: file, into: &fileOutputs)
    wasRefusedByAll = false
    settle(into: &sink)
    guard wasRefusedByAll else { return }
    files.withdraw(file)
    sink.report(.publicationFailed(file))
  }

  /// Says that a file which was complete is kept: whoever waits for its place gets it. Up to then a later run would
  /// fetch the file anew.
  public mutating func assembled(
    _ file: FileIdentifier, at now: Instant, into sink: inout some NodeSink & ~Copyable
  ) {
    let isRunning = begin(at: now)
    // Also true after the end, and part of what a later run is told.
    files.assembled(file, at: self.now, into: &fileOutputs)
    if isRunning { settle(into: &sink) }
  }

  /// Lets go of a file that is arriving, or complete, and cannot be kept. It may come again if somebody publishes it
  /// again.
  public mutating func giveUp(_ file: FileIdentifier) { files.giveUp(file) }

  /// Broadcasts posts of this node's own, in their order.
  ///
  /// - Parameters:
  ///   - contents: what each says, at most ``Post/byteLimit`` bytes.
  ///   - batchLimit: how many travel together at most, 1 to ``BatchLimits/entries``.
  /// - Returns: the number of the first.
  /// - Throws: ``PostError`` when the node's broadcast is no secure one, or too many posts wait.
  public mutating func post(
    _ contents: [[UInt8]], batchLimit: Int, at now: Instant, into sink: inout some NodeSink & ~Copyable
  ) throws(PostError) -> UInt64 {
    guard let secure = host.process.diffusion.secure?.broadcast else { throw .notSecure }
    let first = nextPost
    let posts = contents.enumerated().map { Post(number: first + UInt64($0.offset), contents: $0.element) }
    let batches = PostBatch.batches(
      of: posts, by: key, entryLimit: batchLimit, byteLimit: NodeBatch.byteLimit)
    guard begin(at: now), batches.count <= secure.room else { throw .tooMany(room: secure.room) }
    nextPost += UInt64(posts.count)
    for batch in batches { host.handle(.broadcast(batch.encoded), at: now, into: &hostOutputs) }
    settle(into: &sink)
    return first
  }

  /// Brings clients' transfers to all members.
  ///
  /// - Parameter transfers: signed ones, in the order of each account's numbers.
  /// - Returns: of each why it is not brought to the others; `nil` when it is, or was before.
  /// - Throws: ``LedgerError/noLedger`` when the members keep no ledger.
  public mutating func submit(
    _ transfers: [SignedTransfer], at now: Instant, into sink: inout some NodeSink & ~Copyable
  ) throws(LedgerError) -> [SubmissionRefusal?] {
    guard configuration.secure?.genesis != nil else { throw .noLedger }
    submissions = []
    handle(.submit(transfers), at: now, into: &sink)
    // A node that has left takes nothing.
    return submissions.count == transfers.count ? submissions : transfers.map { _ in .overloaded }
  }

  /// Leaves the network in good order: the neighbours are told, and find others. ``shutDown(at:into:)`` follows
  /// once ``hasUnsentMessages`` is false, or after a while.
  public mutating func leave(at now: Instant, into sink: inout some NodeSink & ~Copyable) {
    guard begin(at: now) else { return }
    host.handle(.leave, at: now, into: &hostOutputs)
    settle(into: &sink)
  }

  /// Says that the node did not run for a while, though its clock stood still meanwhile: whoever gave it up is
  /// found out soon.
  public mutating func awaken(at now: Instant, into sink: inout some NodeSink & ~Copyable) {
    guard begin(at: now) else { return }
    host.demandProofs(within: Node.proofPatience, at: now, into: &hostOutputs)
    settle(into: &sink)
  }

  /// Says that the machine's network was away and is back: a node that is alone looks for others at once, however
  /// long it was to wait.
  public mutating func noteNetworkIsBack(at now: Instant, into sink: inout some NodeSink & ~Copyable) {
    guard begin(at: now) else { return }
    contacts.tryAtOnce(at: now)
    settle(into: &sink)
  }

  /// How long a peer has to show that it is still there, after this node did not run for a while. A guess: long
  /// against a round trip and two retransmissions.
  static let proofPatience = Interval.seconds(5)

  /// Ends all connections, telling the peers. The node ignores every input afterwards.
  public mutating func shutDown(at now: Instant, into sink: inout some NodeSink & ~Copyable) {
    guard begin(at: now) else { return }
    host.shutDown(at: now, into: &hostOutputs)
    isShutDown = true
    while let output = hostOutputs.queue.popFirst() {
      if case .transmit(let datagram, let address) = output { sink.transmit(datagram, to: address) }
    }
  }

  mutating func begin(at now: Instant) -> Bool {
    self.now = max(self.now, now)
    return !isShutDown
  }
}
