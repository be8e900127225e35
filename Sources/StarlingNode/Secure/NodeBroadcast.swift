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
    /// What the members of a ledger ask each other for.
    case ledger(LedgerMessage)
    /// What members ask each other about the numbers of their batches.
    case numbers(NumberMessage)

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
    case secure(SecurePart.Timer)
  }

  /// The tree; idle in a secure network.
  var tree: BroadcastTree<KeyAuthenticator>
  /// The part in a secure network.
  var secure: SecurePart?

  init(tree: BroadcastTree<KeyAuthenticator>, secure: SecurePart?) {
    self.tree = tree
    self.secure = secure
  }

  /// Starts the one that is used.
  public mutating func start(at now: Instant, into effects: inout some Effects<Self> & ~Copyable) {
    guard secure != nil else {
      _ = effects.embedding(TreeLayer.self) { tree.start(at: now, into: &$0) }
      return
    }
    _ = effects.embedding(SecureLayer.self) { secure?.start(at: now, into: &$0) }
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
      _ = effects.embedding(SecureLayer.self) { secure?.handle(.broadcast(payload), at: now, into: &$0) }
    case .linkDoubtful(let peer):
      disconnect(from: peer, at: now, into: &effects)
      _ = effects.embedding(SecureLayer.self) { secure?.handle(.repeat(peer), at: now, into: &$0) }
    case .linkUp, .linkDown, .ring: return
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
    case .secure(let message): pass(.member(message), from: sender, at: now, into: &effects)
    case .ledger(let message): pass(.ledger(message), from: sender, at: now, into: &effects)
    case .numbers(let message): pass(.numbers(message), from: sender, at: now, into: &effects)
    }
  }

  private mutating func pass(
    _ message: SecurePart.Message, from sender: Peer, at now: Instant,
    into effects: inout some Effects<Self> & ~Copyable
  ) {
    _ = effects.embedding(SecureLayer.self) { secure?.receive(message, from: sender, at: now, into: &$0) }
  }

  /// Takes what concerns a ledger alone.
  mutating func pass(
    _ request: SecurePart.Request, at now: Instant, into effects: inout some Effects<Self> & ~Copyable
  ) {
    _ = effects.embedding(SecureLayer.self) { secure?.handle(request, at: now, into: &$0) }
  }

  /// Hands a timer to the one that set it.
  public mutating func expire(
    _ timer: Timer, at now: Instant, into effects: inout some Effects<Self> & ~Copyable
  ) {
    switch timer {
    case .tree(let timer):
      _ = effects.embedding(TreeLayer.self) { tree.expire(timer, at: now, into: &$0) }
    case .secure(let timer):
      _ = effects.embedding(SecureLayer.self) { secure?.expire(timer, at: now, into: &$0) }
    }
  }

  /// What is essential to the tree.
  public static func isEssential(_ timer: Timer) -> Bool {
    switch timer {
    case .tree(let timer): BroadcastTree<KeyAuthenticator>.isEssential(timer)
    case .secure(let timer): SecurePart.isEssential(timer)
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
    _ = effects.embedding(SecureLayer.self) { secure?.disconnect(from: peer, at: now, into: &$0) }
  }

  /// Calls `body` with every peer that is remembered.
  func forEachPeer(_ body: (Peer) -> Void) {
    tree.forEachPeer(body)
    secure?.broadcast.members.members.forEach(body)
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
    typealias Inner = SecurePart
    static func message(_ message: Inner.Message) -> Message {
      switch message {
      case .member(let message): .secure(message)
      case .ledger(let message): .ledger(message)
      case .numbers(let message): .numbers(message)
      }
    }
    static func timer(_ timer: Inner.Timer) -> Timer { .secure(timer) }
    static func indication(_ indication: Inner.Indication) -> NodeBroadcast.Indication? { indication }
  }
}

extension NodeBroadcast.Message: WireMessage {
  /// The size of the encoded form.
  public var encodedByteCount: Int {
    switch self {
    case .tree(let message): 1 + message.encodedByteCount
    case .secure(let message): 1 + message.encodedByteCount
    case .ledger(let message): 1 + message.encodedByteCount
    case .numbers(let message): 1 + message.encodedByteCount
    }
  }

  /// Appends a byte that tells them apart, and the message.
  public func encode(into writer: inout WireWriter, peers: borrowing some PeerDirectory) {
    switch self {
    case .tree(let message): writer.write(0, message, peers: peers)
    case .secure(let message): writer.write(1, message, peers: peers)
    case .ledger(let message): writer.write(2, message, peers: peers)
    case .numbers(let message): writer.write(3, message, peers: peers)
    }
  }

  /// Takes a message apart.
  public static func decode(
    from reader: inout WireReader, peers: inout some PeerDirectory
  ) throws(WireError) -> Self {
    switch try reader.readByte() {
    case 0: .tree(try BroadcastTree<KeyAuthenticator>.Message.decode(from: &reader, peers: &peers))
    case 1: .secure(try SecureMember.Message.decode(from: &reader, peers: &peers))
    case 2: .ledger(try LedgerMessage.decode(from: &reader, peers: &peers))
    case 3: .numbers(try NumberMessage.decode(from: &reader, peers: &peers))
    case let kind: throw .invalid("a message of an unknown kind of broadcast, \(kind)")
    }
  }
}
