import StarlingApps
import StarlingCore
import StarlingLedger
import StarlingOverlay

/// What a node wants done. A sink only notes things down: it cannot call the node back.
public protocol NodeSink: ~Copyable {
  /// Send a datagram from the node's socket. It may be lost.
  mutating func transmit(_ datagram: [UInt8], to address: SocketAddress)
  /// Read a chunk of a file that is being published, and hand it to `supply` after the running call has
  /// returned. No other chunk is asked for before that.
  mutating func requestChunk(_ index: Int, of file: FileIdentifier)
  /// Another peer publishes a file, of which a chunk came: the first, or again after the file had given way. An empty
  /// file is complete at once.
  mutating func announced(_ manifest: FileManifest, by publisher: PublicKey)
  /// The first copy of what claims to be a chunk came over the link from a neighbour: the file's way through
  /// the tree.
  mutating func arrived(_ index: Int, of file: FileIdentifier, from neighbour: PublicKey)
  /// Keep a chunk. It was checked against the manifest and comes only once; chunks come in any order.
  mutating func store(_ chunk: [UInt8], index: Int, of file: FileIdentifier)
  /// Every chunk of a file was given out for storing. Who puts them together checks the digest of the whole, and then
  /// calls ``Node/assembled(_:at:into:)``, or ``Node/giveUp(_:)`` if it could not be done. Until then the file keeps
  /// its place, for which another may wait.
  mutating func completed(_ file: FileIdentifier)
  /// Posts of a member, this node included, that every correct member delivers: in the order of the author's
  /// numbers, unless the author lied.
  mutating func delivered(_ posts: [Post], by author: PublicKey)
  /// A transfer is final: it was applied here, and every correct member will apply it.
  mutating func applied(_ applied: Ledger.Applied)
  /// A transfer that this node took from a client is no longer brought to the others, who refused it again and again.
  mutating func abandoned(_ transfer: SignedTransfer)
  /// Read what is kept (``StableRecall/values(reading:)``) when all that was to be kept so far is, and hand it to
  /// ``Node/supply(_:for:at:into:)`` after the running call has returned. If it cannot be read, hand in nothing.
  mutating func recall(_ recall: StableRecall)
  /// A certificate that was asked for (``Node/certify(_:at:into:)``) is there, or will not be.
  mutating func certified(_ number: TransferNumber, _ outcome: Result<Certificate, CertificateFailure>)
  /// Keep something, so that a later run is given it (``Node/init(identity:configuration:seed:firstSequence:reading:)``), before anything leaves that is
  /// transmitted, or told, by the running call or a later one.
  mutating func keep(_ write: StableWrite)
  /// Something happened that an operator may want to know.
  mutating func report(_ event: NodeEvent)
}

/// Something that happened in a node.
public enum NodeEvent: Hashable, Sendable, CustomStringConvertible {
  /// The node has its first neighbour.
  case joined
  /// The node has lost its last neighbour.
  case isolated
  /// A contact cannot be reached: why, and after how long it is tried again.
  case contactUnreachable(SocketAddress, reason: String, retryIn: Interval)
  /// A peer that was asked to be joined through refused.
  case joinRefused(by: PublicKey)
  /// A peer was turned away, because the network's policy does not admit its key.
  case turnedAway(PublicKey, because: AdmissionRefusal?)
  /// A peer came into one of the node's views and was in none.
  case neighbourUp(PublicKey)
  /// A peer is in none of the node's views any more.
  case neighbourDown(PublicKey)
  /// A peer sent what no correct peer sends.
  case violation(PublicKey, String)
  /// A peer broke the protocol too often: it is left alone for so long.
  case shunned(PublicKey, for: Misbehaviour, lasting: Interval)
  /// A message of a peer was missed: its number. Nobody who told of it has it any more.
  case missed(PublicKey, UInt64)
  /// A sender's broadcasts in a secure network were missed: the first number, and the first that was not. Nobody has them any more.
  case missedBroadcasts(PublicKey, UInt64, UInt64)
  /// A member of a secure broadcast does not know which numbers its key has used, and broadcasts nothing before others have
  /// answered.
  case unnumbered
  /// Its key was used before, and what that run kept is not here: the first number that is free.
  case forgotten(UInt64)
  /// A message in the node's own name came that it never sent: its number.
  case spokenFor(UInt64)
  /// Messages to a peer are being dropped because too many wait. Said once until there is room again.
  case queueFull(PublicKey)
  /// The table of peers is full, and all in it are needed.
  case peerTableFull
  /// Too many timers are set.
  case tooManyTimers
  /// The last chunk of a published file was handed to the broadcast.
  case published(FileIdentifier)
  /// A file was published by a node without neighbours: nobody has heard of it.
  case publishedAlone(FileIdentifier)
  /// A file that is being published is not what its manifest says any more, or cannot be read.
  case publicationFailed(FileIdentifier)
  /// A file stopped arriving and gave way to another. What was stored of it is useless.
  case fileAbandoned(FileIdentifier)
  /// A file that was announced was forgotten, because too many others were.
  case fileCrowdedOut(FileIdentifier)

  /// One sentence, without a full stop.
  public var description: String {
    switch self {
    case .joined: "joined the network"
    case .isolated: "lost the last neighbour"
    case .contactUnreachable(let address, let reason, let wait):
      "cannot reach the contact \(address): \(reason); next try in \(wait.nanoseconds / 1_000_000_000) s"
    case .joinRefused(let key): "not let in: \(JoinRefusal(by: key))"
    case .turnedAway(let key, let refusal):
      "turned \(key.short) away\(refusal.map { ": \($0)" } ?? "")"
    case .neighbourUp(let key): "new neighbour \(key.short)"
    case .neighbourDown(let key): "lost neighbour \(key.short)"
    case .violation(let key, let fault): "\(key.short) broke the protocol: \(fault)"
    case .shunned(let key, let what, let interval):
      "shunning \(key.short) for \(Quantity.text(of: interval)): \(what.name) once too often"
    case .missedBroadcasts(let key, let first, let next):
      "missed \(next - first) broadcasts of \(key.short), from number \(first) on: nobody has them any more"
    case .unnumbered:
      "asking the other members which numbers this key has used; batches wait until they have answered"
    case .forgotten(let first):
      "this key has broadcast up to number \(first - 1) before, and the state that knew is not here; it goes on with number \(first)"
    case .missed(let key, let number):
      "missed message \(number) of \(key.short): nobody who told of it has it any more"
    case .spokenFor(let number):
      "message \(number) came in this node's own name, which it never sent: another node uses its key, or its state on disk was lost; give each node a key of its own"
    case .queueFull(let key): "dropping messages to \(key.short), which takes them too slowly"
    case .peerTableFull: "the table of peers is full; raise its limit"
    case .tooManyTimers: "too many timers are set; raise their limit"
    case .published(let file): "published file \(file)"
    case .publishedAlone(let file): "published file \(file) without a neighbour to hear of it"
    case .publicationFailed(let file): "file \(file) changed or cannot be read while it is being published"
    case .fileAbandoned(let file): "gave up file \(file), which had stopped arriving"
    case .fileCrowdedOut(let file):
      "forgot file \(file), of which nothing arrives, because too many others are announced; if it is wanted, have "
        + "it published again"
    }
  }
}
