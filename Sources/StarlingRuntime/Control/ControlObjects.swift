/// What a node says about itself: the answer of `GET /api/v1/status`.
public struct ControlStatus: Codable, Hashable, Sendable {
  /// The program's version.
  public var version = ""
  /// The node's public key, 64 hexadecimal digits.
  public var key = ""
  /// The name of the network that it takes part in.
  public var network = ""
  /// Where its UDP socket listens.
  public var listen = ""
  /// Where its control interface listens.
  public var control = ""
  /// The directory that holds its files.
  public var data = ""
  /// How long it has been running, in milliseconds.
  public var uptimeMs: UInt64 = 0
  /// How many connections it has, those that are being opened included.
  public var connections = 0
  /// How many peers are its neighbours: in one of its views.
  public var neighbours = 0
  /// How many peers are in its partial view.
  public var partialView = 0
  /// How many peers are known to have it in theirs.
  public var inView = 0
  /// How many peers the network seems to have.
  public var estimatedSize = 0.0
  /// How it brings messages to all: `tree`, or a secure broadcast's name.
  public var broadcast = ""
  /// The probability that a broadcast fails though its adversary does what it can; left out where nothing bounds it.
  public var epsilon: Double?
  /// How many members a secure broadcast has.
  public var members: Int?
  /// Posts that were delivered.
  public var postsDelivered: UInt64 = 0
  /// A sum over what these posts say, 16 hexadecimal digits: the same at nodes that delivered the same posts.
  public var postsDigest = ""
  /// How many files are on their way, in or out.
  public var filesInProgress = 0
  /// What it has counted, by name.
  public var counters: [String: UInt64] = [:]
  /// How often peers broke protocol, by what they did.
  public var misbehaviour: [String: UInt64] = [:]
  /// The peers that it has nothing to do with for a while, because they broke protocol too often.
  public var shunned: [ControlShunnedPeer] = []
  /// Why a contact that answered did not let it into the network; left out when it is in, or nobody answered.
  public var joinRefusal: String?

  /// A status with nothing in it.
  public init() {}
}

/// A peer that a node has nothing to do with for a while: an element of ``ControlStatus/shunned``.
public struct ControlShunnedPeer: Codable, Hashable, Sendable {
  /// The peer's public key, 64 hexadecimal digits.
  public var key: String
  /// What it did last: a name as in ``ControlStatus/misbehaviour``.
  public var fault: String
  /// For how many more milliseconds.
  public var remainingMs: Double
}

/// A neighbour of a node: an element of the answer of `GET /api/v1/peers`.
public struct ControlPeer: Codable, Hashable, Sendable {
  /// The peer's public key, 64 hexadecimal digits.
  public var key: String
  /// Where it listens, if known.
  public var address: String?
  /// Whether it is in the node's partial view.
  public var inPartialView: Bool
  /// Whether it is known to have the node in its partial view.
  public var inInView: Bool
  /// Whether the broadcast tree uses the link: payloads go over it at once, not on demand only.
  public var eager: Bool
  /// The smoothed round-trip time in milliseconds, if known.
  public var roundTripMs: Double?
}

/// The answer of `GET /api/v1/peers`.
public struct ControlPeers: Codable, Hashable, Sendable {
  /// In the order in which they became neighbours.
  public var peers: [ControlPeer]
}

/// A member of a node's secure network: an element of the answer of `GET /api/v1/members`.
public struct ControlMember: Codable, Hashable, Sendable {
  /// Its public key, 64 hexadecimal digits.
  public var key: String
  /// Where it listens.
  public var address: String?
  /// How many of its posts were delivered.
  public var postsDelivered: UInt64
}

/// The answer of `GET /api/v1/members`.
public struct ControlMembers: Codable, Hashable, Sendable {
  /// In the order of the file of members.
  public var members: [ControlMember]
}

/// A file that a node has published or received, or is about to: an element of the answer of
/// `GET /api/v1/files`.
public struct ControlFile: Codable, Hashable, Sendable {
  /// How far a file is.
  public enum State: String, Codable, Hashable, Sendable {
    /// This node brings it to the others.
    case publishing
    /// This node brought it to the others.
    case published
    /// It is arriving.
    case receiving
    /// It is here.
    case complete
    /// It could not be received or kept.
    case failed
  }

  /// The file's identifier, 64 hexadecimal digits.
  public var file: String
  /// Its name.
  public var name: String
  /// Its topic.
  public var topic: String
  /// Its size.
  public var bytes: UInt64
  /// The SHA-256 of its contents, 64 hexadecimal digits.
  public var digest: String
  /// Who published it: a public key.
  public var publisher: String
  /// How far it is.
  public var state: State
  /// How many of its chunks are here, or were brought to the others.
  public var chunksDone: Int
  /// How many chunks it has.
  public var chunks: Int
  /// Where it is on this node's disk, once it is complete.
  public var path: String?
  /// The neighbour from which the file's last chunk came first: this node's parent in the tree that the file
  /// took.
  public var parent: String?
}

/// The answer of `GET /api/v1/files`.
public struct ControlFiles: Codable, Hashable, Sendable {
  /// In the order in which they became known.
  public var files: [ControlFile]
}

/// The answer of `POST /api/v1/files`.
public struct ControlPublication: Codable, Hashable, Sendable {
  /// The file's identifier, 64 hexadecimal digits.
  public var file: String
  /// The SHA-256 of its contents, 64 hexadecimal digits.
  public var digest: String
  /// Its size.
  public var bytes: UInt64
}

/// The answer of `POST /api/v1/posts`.
public struct ControlPosting: Codable, Hashable, Sendable {
  /// The number of the first post.
  public var first: UInt64
  /// How many posts there are.
  public var posts: Int
}

/// A post that was delivered: the data of one of `GET /api/v1/posts`.
public struct ControlPost: Codable, Hashable, Sendable {
  /// Whose post it is: a public key.
  public var author: String
  /// Its number among the author's.
  public var number: UInt64
  /// What it says; what is not UTF-8 is replaced.
  public var text: String
  /// The wall clock's time at delivery, in milliseconds since 1970.
  public var time: UInt64
}

/// Something that happened to a file: the data of one of `GET /api/v1/events`.
public struct ControlEvent: Codable, Hashable, Sendable {
  /// What happened.
  public enum Kind: String, Codable, Hashable, Sendable {
    /// Another peer publishes the file.
    case announced
    /// The file is here, as a whole.
    case completed
    /// The file could not be received or kept.
    case failed
  }

  /// What happened.
  public var event: Kind
  /// The file's identifier, 64 hexadecimal digits.
  public var file: String
  /// Its name.
  public var name: String
  /// Its topic.
  public var topic: String
  /// Its size.
  public var bytes: UInt64
  /// The SHA-256 of its contents, 64 hexadecimal digits.
  public var digest: String
  /// Where it is on the node's disk, once it is complete.
  public var path: String?
  /// Who published it: a public key.
  public var publisher: String
  /// The wall clock's time, in milliseconds since 1970.
  public var time: UInt64
}
