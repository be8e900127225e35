import StarlingBroadcast
import StarlingCore

/// One member's part in the secure broadcast of a known membership: Ready Broadcast, Echo Broadcast or Bracha's, each
/// in the order of its senders.
public struct SecureMember: SourceOrderedBroadcast {
  /// How batches are signed.
  public typealias Auth = KeySecureAuthenticator
  typealias Ready = OrderedBroadcast<ReadyBroadcast<KeySecureAuthenticator, ListedMembership>>
  typealias Echo = OrderedBroadcast<EchoBroadcast<KeySecureAuthenticator, ListedMembership>>
  typealias Bracha = OrderedBroadcast<BrachaBroadcast<KeySecureAuthenticator>>

  /// A message of the broadcast that runs.
  public enum Message: Sendable {
    /// Ready Broadcast's.
    case ready(ReadyBroadcast<KeySecureAuthenticator, ListedMembership>.Message)
    /// Echo Broadcast's.
    case echo(EchoBroadcast<KeySecureAuthenticator, ListedMembership>.Message)
    /// Bracha's.
    case bracha(BrachaBroadcast<KeySecureAuthenticator>.Message)
  }

  /// A timer of the broadcast that runs.
  public enum Timer {
    /// Ready Broadcast's.
    case ready(OrderedBroadcast<ReadyBroadcast<KeySecureAuthenticator, ListedMembership>>.Timer)
    /// Echo Broadcast's.
    case echo(OrderedBroadcast<EchoBroadcast<KeySecureAuthenticator, ListedMembership>>.Timer)
    /// Bracha's.
    case bracha(OrderedBroadcast<BrachaBroadcast<KeySecureAuthenticator>>.Timer)
  }

  /// What it can be asked for.
  public enum Request {
    /// Bring a batch to every member, this one too.
    case broadcast(NodeBatch)
    /// Repeat to a member, after a while, what this one said: something on its way there was lost without its knowing.
    case `repeat`(Peer)
    /// Ask a member to repeat what it said.
    case renew(Peer)
    /// Deliver what a correct member has delivered; see ``OrderedBroadcast/Request/catchUp(_:refused:)``.
    case catchUp(SignedBatch<KeySecureAuthenticator>, refused: [UInt16])
    /// Correct members know own batches with numbers up to this one.
    case used(through: UInt64)
    /// Own batches may have numbers from this one on.
    case numbered(from: UInt64)
  }

  /// What it tells: ``OrderedIndication``.
  public typealias Indication = OrderedIndication<KeySecureAuthenticator>

  /// Which broadcast runs: just one of them is there.
  private var ready: Ready?
  private var echo: Echo?
  private var bracha: Bracha?
  /// All members, this one among them.
  let members: PeerSet

  /// - Parameters:
  ///   - configuration: the broadcast and its membership.
  ///   - members: the members' handles, this one's among them.
  ///   - auth: signs and checks.
  ///   - past: what an earlier life left.
  init(
    configuration: SecureConfiguration, members: PeerSet, auth: KeySecureAuthenticator,
    past: SecureRecollection
  ) {
    self.members = members
    kept = configuration.ordered.kept
    let oracle = ListedMembership(members.members)
    // In posts each member speaks for itself alone, and in order: what is under way is what its window holds. In transfers
    // a batch may have as many authors as entries, and a liar's share of those of whom nothing was ever final is that of
    // its whole window.
    let inFlight = configuration.ordered.window * BatchLimits.entries
    let entries = EntryLog<PublicKey, SIMD4<UInt64>>(
      authorLimit: configuration.genesis == nil ? members.count : inFlight, windowLimit: inFlight)
    switch configuration.broadcast {
    case .secure(let parameters):
      ready = OrderedBroadcast(
        identity: PeerTable.own, auth: auth,
        inner: ReadyBroadcast(
          identity: PeerTable.own, auth: auth, oracle: oracle, parameters: parameters, entries: entries),
        nextDelivered: past.nextDelivered, undelivered: past.undelivered, logged: past.logged,
        firstOwn: past.firstOwn, configuration: configuration.ordered)
    case .consistent(let parameters):
      echo = OrderedBroadcast(
        identity: PeerTable.own, auth: auth,
        inner: EchoBroadcast(
          identity: PeerTable.own, auth: auth, oracle: oracle, parameters: parameters, entries: entries),
        nextDelivered: past.nextDelivered, undelivered: past.undelivered, logged: past.logged,
        firstOwn: past.firstOwn, configuration: configuration.ordered)
    case .bracha(let byzantine):
      bracha = OrderedBroadcast(
        identity: PeerTable.own, auth: auth,
        inner: BrachaBroadcast(
          identity: PeerTable.own, auth: auth, members: MultisetSample(all: oracle), byzantine: byzantine,
          entries: entries, startsLate: true),
        nextDelivered: past.nextDelivered, undelivered: past.undelivered, logged: past.logged,
        firstOwn: past.firstOwn, configuration: configuration.ordered)
    }
    for (author, number) in past.floors where number > 0 { settle(author, through: number - 1) }
  }

  /// How many delivered instances of one sender live on.
  let kept: Int

  /// The number of the batch of a sender that is delivered next.
  func nextDelivered(of sender: Peer) -> UInt64 {
    ready?.nextDelivered(of: sender) ?? echo?.nextDelivered(of: sender) ?? bracha?.nextDelivered(of: sender)
      ?? 0
  }

  /// Whether the batch of this digest was echoed, and so is kept.
  func hasEchoed(_ batch: SignedBatch<KeySecureAuthenticator>) -> Bool {
    let (digest, instance) = (batch.digest, batch.identifier)
    return ready?.inner.hasEchoed(digest, of: instance) ?? echo?.inner.hasEchoed(digest, of: instance)
      ?? bracha?.inner.hasEchoed(digest, of: instance) ?? false
  }

  /// The positions of a batch's entries that it is not ready for; `nil` if it is not ready for the batch at all.
  func unready(_ batch: SignedBatch<KeySecureAuthenticator>) -> [UInt16]? {
    let (digest, instance) = (batch.digest, batch.identifier)
    return ready?.inner.unready(digest, of: instance) ?? bracha?.inner.unready(digest, of: instance)
  }

  /// How many batches may still be handed in before some have found their place.
  public var room: Int { ready?.room ?? echo?.room ?? bracha?.room ?? 0 }

  /// How many instances take memory.
  var liveInstances: Int {
    ready?.inner.liveInstances ?? echo?.inner.liveInstances ?? bracha?.inner.liveInstances ?? 0
  }

  /// How many signatures were checked.
  var signatureChecks: UInt64 {
    ready?.inner.signatureChecks ?? echo?.inner.signatureChecks ?? bracha?.inner.signatureChecks ?? 0
  }

  /// How many messages were dropped because their instances are over, or too far ahead.
  var dropped: UInt64 { ready?.dropped ?? echo?.dropped ?? bracha?.dropped ?? 0 }

  /// Starts the broadcast.
  public mutating func start(at now: Instant, into effects: inout some Effects<Self> & ~Copyable) {
    _ = effects.embedding(ReadyLayer.self) { ready?.start(at: now, into: &$0) }
    _ = effects.embedding(EchoLayer.self) { echo?.start(at: now, into: &$0) }
    _ = effects.embedding(BrachaLayer.self) { bracha?.start(at: now, into: &$0) }
  }

  /// What asks it to broadcast a batch.
  public static func broadcasting(_ batch: NodeBatch) -> Request { .broadcast(batch) }

  /// Brings a batch to every member, or repeats itself.
  public mutating func handle(
    _ request: Request, at now: Instant, into effects: inout some Effects<Self> & ~Copyable
  ) {
    switch request {
    case .broadcast(let batch):
      _ = effects.embedding(ReadyLayer.self) { ready?.handle(.broadcast(batch), at: now, into: &$0) }
      _ = effects.embedding(EchoLayer.self) { echo?.handle(.broadcast(batch), at: now, into: &$0) }
      _ = effects.embedding(BrachaLayer.self) { bracha?.handle(.broadcast(batch), at: now, into: &$0) }
    case .repeat(let peer):
      guard members.contains(peer) else { return }
      _ = effects.embedding(ReadyLayer.self) { ready?.handle(.repeat(peer), at: now, into: &$0) }
      _ = effects.embedding(EchoLayer.self) { echo?.handle(.repeat(peer), at: now, into: &$0) }
      _ = effects.embedding(BrachaLayer.self) { bracha?.handle(.repeat(peer), at: now, into: &$0) }
    case .renew(let peer):
      guard members.contains(peer) else { return }
      _ = effects.embedding(ReadyLayer.self) { ready?.handle(.renew(peer), at: now, into: &$0) }
      _ = effects.embedding(EchoLayer.self) { echo?.handle(.renew(peer), at: now, into: &$0) }
      _ = effects.embedding(BrachaLayer.self) { bracha?.handle(.renew(peer), at: now, into: &$0) }
    case .catchUp(let batch, let refused):
      _ = effects.embedding(ReadyLayer.self) {
        ready?.handle(.catchUp(batch, refused: refused), at: now, into: &$0)
      }
      _ = effects.embedding(EchoLayer.self) {
        echo?.handle(.catchUp(batch, refused: refused), at: now, into: &$0)
      }
      _ = effects.embedding(BrachaLayer.self) {
        bracha?.handle(.catchUp(batch, refused: refused), at: now, into: &$0)
      }
    case .numbered(let first):
      _ = effects.embedding(ReadyLayer.self) { ready?.handle(.numbered(from: first), at: now, into: &$0) }
      _ = effects.embedding(EchoLayer.self) { echo?.handle(.numbered(from: first), at: now, into: &$0) }
      _ = effects.embedding(BrachaLayer.self) { bracha?.handle(.numbered(from: first), at: now, into: &$0) }
    case .used(let number):
      _ = effects.embedding(ReadyLayer.self) { ready?.handle(.used(through: number), at: now, into: &$0) }
      _ = effects.embedding(EchoLayer.self) { echo?.handle(.used(through: number), at: now, into: &$0) }
      _ = effects.embedding(BrachaLayer.self) { bracha?.handle(.used(through: number), at: now, into: &$0) }
    }
  }

  /// Takes a message of a member. Members that run another broadcast than this one are not heard.
  public mutating func receive(
    _ message: Message, from sender: Peer, at now: Instant,
    into effects: inout some Effects<Self> & ~Copyable
  ) {
    guard members.contains(sender) else { return effects.indicate(.misbehaved(sender, .unsolicited)) }
    guard runs(message) else { return effects.indicate(.misbehaved(sender, .otherBroadcast)) }
    switch message {
    case .ready(let message):
      _ = effects.embedding(ReadyLayer.self) { ready?.receive(message, from: sender, at: now, into: &$0) }
    case .echo(let message):
      _ = effects.embedding(EchoLayer.self) { echo?.receive(message, from: sender, at: now, into: &$0) }
    case .bracha(let message):
      _ = effects.embedding(BrachaLayer.self) { bracha?.receive(message, from: sender, at: now, into: &$0) }
    }
  }

  /// Whether a message is of the broadcast that runs here.
  private func runs(_ message: Message) -> Bool {
    switch message {
    case .ready: ready != nil
    case .echo: echo != nil
    case .bracha: bracha != nil
    }
  }

  /// Does what is due.
  public mutating func expire(
    _ timer: Timer, at now: Instant, into effects: inout some Effects<Self> & ~Copyable
  ) {
    switch timer {
    case .ready(let timer):
      _ = effects.embedding(ReadyLayer.self) { ready?.expire(timer, at: now, into: &$0) }
    case .echo(let timer):
      _ = effects.embedding(EchoLayer.self) { echo?.expire(timer, at: now, into: &$0) }
    case .bracha(let timer):
      _ = effects.embedding(BrachaLayer.self) { bracha?.expire(timer, at: now, into: &$0) }
    }
  }

  /// Tells the broadcast that a link is lost.
  public mutating func disconnect(
    from peer: Peer, at now: Instant, into effects: inout some Effects<Self> & ~Copyable
  ) {
    guard members.contains(peer) else { return }
    _ = effects.embedding(ReadyLayer.self) { ready?.disconnect(from: peer, at: now, into: &$0) }
    _ = effects.embedding(EchoLayer.self) { echo?.disconnect(from: peer, at: now, into: &$0) }
    _ = effects.embedding(BrachaLayer.self) { bracha?.disconnect(from: peer, at: now, into: &$0) }
  }

  /// Says that an author's entries up to a number are done with: nothing else is accepted under these numbers.
  public mutating func settle(_ author: PublicKey, through number: UInt64) {
    ready?.settle(author, through: number)
    echo?.settle(author, through: number)
    bracha?.settle(author, through: number)
  }
}

// MARK: - How the broadcasts are wired in

extension SecureMember {
  private enum ReadyLayer: Embedding {
    typealias Outer = SecureMember
    typealias Inner = Ready
    static func message(_ message: Ready.Message) -> Message { .ready(message) }
    static func timer(_ timer: Ready.Timer) -> Timer { .ready(timer) }
    static func indication(_ indication: Ready.Indication) -> SecureMember.Indication? { indication }
  }

  private enum EchoLayer: Embedding {
    typealias Outer = SecureMember
    typealias Inner = Echo
    static func message(_ message: Echo.Message) -> Message { .echo(message) }
    static func timer(_ timer: Echo.Timer) -> Timer { .echo(timer) }
    static func indication(_ indication: Echo.Indication) -> SecureMember.Indication? { indication }
  }

  private enum BrachaLayer: Embedding {
    typealias Outer = SecureMember
    typealias Inner = Bracha
    static func message(_ message: Bracha.Message) -> Message { .bracha(message) }
    static func timer(_ timer: Bracha.Timer) -> Timer { .bracha(timer) }
    static func indication(_ indication: Bracha.Indication) -> SecureMember.Indication? { indication }
  }
}

extension SecureMember.Message: WireMessage {
  /// The size of the encoded form.
  public var encodedByteCount: Int {
    switch self {
    case .ready(let message): 1 + message.encodedByteCount
    case .echo(let message): 1 + message.encodedByteCount
    case .bracha(let message): 1 + message.encodedByteCount
    }
  }

  /// Appends a byte that names the broadcast, and its message.
  public func encode(into writer: inout WireWriter, peers: borrowing some PeerDirectory) {
    switch self {
    case .ready(let message): writer.write(0, message, peers: peers)
    case .echo(let message): writer.write(1, message, peers: peers)
    case .bracha(let message): writer.write(2, message, peers: peers)
    }
  }

  /// Takes a message apart.
  public static func decode(
    from reader: inout WireReader, peers: inout some PeerDirectory
  ) throws(WireError) -> Self {
    switch try reader.readByte() {
    case 0: .ready(try ReadyBroadcast.Message.decode(from: &reader, peers: &peers))
    case 1: .echo(try EchoBroadcast.Message.decode(from: &reader, peers: &peers))
    case 2: .bracha(try BrachaBroadcast.Message.decode(from: &reader, peers: &peers))
    case let broadcast: throw .invalid("a message of an unknown secure broadcast, \(broadcast)")
    }
  }

  /// Whether a batch travels in it.
  var carriesBatch: Bool {
    switch self {
    case .ready(.echo(.gossip(.gossip))), .ready(.supply), .echo(.gossip(.gossip)), .bracha(.send),
      .bracha(.supply):
      true
    default: false
    }
  }
}
