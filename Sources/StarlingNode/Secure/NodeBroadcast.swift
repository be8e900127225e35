import StarlingBroadcast
import StarlingCore

/// How a node brings messages to all: by the broadcast tree over its overlay, or by a secure broadcast among a known
/// membership. Then the overlay still shows who is there, and what comes by the tree is dropped: it would be delivered
/// without the promise.
public struct NodeBroadcast: BroadcastProcess {
  /// How the tree's messages are signed.
  public typealias Auth = KeyAuthenticator

  /// A message of either.
  public enum Message: PayloadCarrying {
    /// The tree's.
    case tree(BroadcastTree<KeyAuthenticator>.Message)
    /// The secure broadcast's.
    case secure(SecureMember.Message)

    /// What a message of the tree carries.
    public var carriedBroadcast: Broadcast<KeyAuthenticator>? {
      if case .tree(let message) = self { message.carriedBroadcast } else { nil }
    }
  }

  /// A timer of either.
  public enum Timer {
    /// The tree's.
    case tree(BroadcastTree<KeyAuthenticator>.Timer)
    /// The secure broadcast's.
    case secure(SecureMember.Timer)
  }

  /// The tree; idle in a secure network.
  var tree: BroadcastTree<KeyAuthenticator>
  /// The part in a secure network.
  var secure: SecureMember?
  init(tree: BroadcastTree<KeyAuthenticator>, secure: SecureMember?) {
    self.tree = tree
    self.secure = secure
  }

  /// Starts the one that is used.
  public mutating func start(at now: Instant, into effects: inout some Effects<Self> & ~Copyable) {
    guard secure != nil else {
      _ = effects.embedding(TreeLayer.self) { tree.start(at: now, into: &$0) }
      return
    }
    tell(effects.embedding(SecureLayer.self) { secure?.start(at: now, into: &$0) }, into: &effects)
  }

  /// Broadcasts, or keeps the tree's links.
  public mutating func handle(
    _ request: BroadcastRequest<[UInt8]>, at now: Instant, into effects: inout some Effects<Self> & ~Copyable
  ) {
    guard secure != nil else {
      _ = effects.embedding(TreeLayer.self) { tree.handle(request, at: now, into: &$0) }
      return
    }
    switch request {
    case .broadcast(let payload):
      // What the node itself made can be encoded.
      guard let batch = try? NodeBatch(encoded: payload) else { return }
      tell(effects.embedding(SecureLayer.self) { secure?.handle(batch, at: now, into: &$0) }, into: &effects)
    case .linkDoubtful(let peer):
      disconnect(from: peer, at: now, into: &effects)
      tell(
        effects.embedding(SecureLayer.self) { secure?.repeat(to: peer, at: now, into: &$0) }, into: &effects)
    case .linkUp, .linkDown: return
    }
  }

  /// Takes a message of the one that is used.
  public mutating func receive(
    _ message: Message, from sender: Peer, at now: Instant,
    into effects: inout some Effects<Self> & ~Copyable
  ) {
    switch message {
    case .tree(let message):
      guard secure == nil else { return }
      _ = effects.embedding(TreeLayer.self) { tree.receive(message, from: sender, at: now, into: &$0) }
    case .secure(let message):
      tell(
        effects.embedding(SecureLayer.self) { secure?.receive(message, from: sender, at: now, into: &$0) },
        into: &effects)
    }
  }

  /// Hands a timer to the one that set it.
  public mutating func expire(
    _ timer: Timer, at now: Instant, into effects: inout some Effects<Self> & ~Copyable
  ) {
    switch timer {
    case .tree(let timer):
      _ = effects.embedding(TreeLayer.self) { tree.expire(timer, at: now, into: &$0) }
    case .secure(let timer):
      tell(
        effects.embedding(SecureLayer.self) { secure?.expire(timer, at: now, into: &$0) }, into: &effects)
    }
  }

  /// What is essential to the tree.
  public static func isEssential(_ timer: Timer) -> Bool {
    switch timer {
    case .tree(let timer): BroadcastTree<KeyAuthenticator>.isEssential(timer)
    case .secure(let timer): SecureMember.isEssential(timer)
    }
  }

  /// Tells the one that is used that a link is lost.
  public mutating func disconnect(
    from peer: Peer, at now: Instant, into effects: inout some Effects<Self> & ~Copyable
  ) {
    guard secure != nil else {
      _ = effects.embedding(TreeLayer.self) { tree.disconnect(from: peer, at: now, into: &$0) }
      return
    }
    tell(
      effects.embedding(SecureLayer.self) { secure?.disconnect(from: peer, at: now, into: &$0) },
      into: &effects)
  }

  /// Calls `body` with every peer that is remembered.
  func forEachPeer(_ body: (Peer) -> Void) {
    tree.forEachPeer(body)
    secure?.members.members.forEach(body)
  }

  private mutating func tell(
    _ indications: [SecureMember.Indication], into effects: inout some Effects<Self> & ~Copyable
  ) {
    guard let log = secure?.log, let kept = secure?.kept else { return }
    for indication in indications {
      switch indication {
      case .delivered(let batch, let refused):
        keep(
          log.delivered(
            batch, refused: refused, isKept: secure?.hasEchoed(batch) ?? false, kept: UInt64(kept)),
          into: &effects)
        if let posts = batch.payload.posts, let last = posts.posts.last {
          secure?.settle(posts.author, through: last.number)
          keep(log.settled(posts.author, below: last.number + 1), into: &effects)
        }
        let accepted = (0..<batch.payload.entryCount).filter { !refused.contains(UInt16($0)) }
        secure?.note(refused, of: batch.identifier)
        indicate(batch, accepted, into: &effects)
      case .completed(let batch, let refused):
        let accepted = (secure?.refusals[batch.identifier] ?? []).filter { !refused.contains($0) }
        if accepted.isEmpty { continue }
        keep(log.said(.delivered(batch, refused: refused)), into: &effects)
        secure?.note(refused, of: batch.identifier)
        indicate(batch, accepted.map { Int($0) }, into: &effects)
      case .misbehaved(let peer, let what): effects.indicate(.misbehaved(peer, what))
      case .missed(let sender, let first, let next):
        keep(log.goesOn(from: next, of: sender, kept: UInt64(kept)), into: &effects)
        // What an earlier life of this node brought is no loss here.
        if sender == PeerTable.own { continue }
        effects.indicate(.missed(MessageIdentifier(origin: sender, sequence: first)))
      case .broadcasting(let number, let batch): effects.indicate(.keep(log.took(batch, as: number)))
      case .logged(let step): keep(log.said(step), into: &effects)
      case .overloaded: break
      }
    }
  }

  private func keep(_ writes: [StableWrite], into effects: inout some Effects<Self> & ~Copyable) {
    for write in writes { effects.indicate(.keep(write)) }
  }

  private func indicate(
    _ batch: SignedBatch<KeySecureAuthenticator>, _ accepted: [Int],
    into effects: inout some Effects<Self> & ~Copyable
  ) {
    effects.indicate(
      .delivered(
        Broadcast(
          identifier: batch.identifier, hops: batch.hops, payload: batch.payload.encoded(of: accepted),
          signature: batch.signature),
        from: batch.identifier.origin))
  }
}

extension NodeBroadcast {
  private enum TreeLayer: Embedding {
    typealias Outer = NodeBroadcast
    typealias Inner = BroadcastTree<KeyAuthenticator>
    static func message(_ message: Inner.Message) -> Message { .tree(message) }
    static func timer(_ timer: Inner.Timer) -> Timer { .tree(timer) }
    static func indication(_ indication: Inner.Indication) -> NodeBroadcast.Indication? { indication }
  }

  private enum SecureLayer: Embedding {
    typealias Outer = NodeBroadcast
    typealias Inner = SecureMember
    static func message(_ message: Inner.Message) -> Message { .secure(message) }
    static func timer(_ timer: Inner.Timer) -> Timer { .secure(timer) }
    static func indication(_ indication: Inner.Indication) -> NodeBroadcast.Indication? { nil }
  }
}

extension NodeBroadcast.Message: WireMessage {
  /// The size of the encoded form.
  public var encodedByteCount: Int {
    switch self {
    case .tree(let message): 1 + message.encodedByteCount
    case .secure(let message): 1 + message.encodedByteCount
    }
  }

  /// Appends a byte that tells the two apart, and the message.
  public func encode(into writer: inout WireWriter, peers: borrowing some PeerDirectory) {
    switch self {
    case .tree(let message): writer.write(0, message, peers: peers)
    case .secure(let message): writer.write(1, message, peers: peers)
    }
  }

  /// Takes a message apart.
  public static func decode(
    from reader: inout WireReader, peers: inout some PeerDirectory
  ) throws(WireError) -> Self {
    switch try reader.readByte() {
    case 0: .tree(try BroadcastTree<KeyAuthenticator>.Message.decode(from: &reader, peers: &peers))
    case 1: .secure(try SecureMember.Message.decode(from: &reader, peers: &peers))
    case let kind: throw .invalid("a message of an unknown kind of broadcast, \(kind)")
    }
  }
}
