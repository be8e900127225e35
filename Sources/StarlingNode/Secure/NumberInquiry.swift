import StarlingBroadcast
import StarlingCore

/// How a member that remembers nothing finds out which numbers an earlier life with its key gave to batches: under none of them
/// may it ever broadcast another. It broadcasts nothing until enough others have named the last that they know.
///
/// An answer carries the member's own signature, so that nobody can make it believe in numbers that it never used. A batch that
/// was delivered anywhere was echoed by b + 1 correct members besides, so that one of N - 1 - b who answer knows it, if the
/// member that forgot counts among the b who may lie.
struct NumberInquiry {
  /// Who is asked and has not answered.
  private(set) var unheard: [Peer]
  /// How many have to answer yet.
  private(set) var missing: Int
  /// The first number that is free, as far as is known.
  private(set) var first: UInt64 = 0

  /// How often those who have not answered are asked (a guess).
  static let interval = Interval.seconds(1)
  /// How many are asked at most. Where samples decide, nearly all correct members know what is delivered.
  static let askLimit = 64

  /// - Parameters:
  ///   - members: all, this one among them.
  ///   - own: this one.
  ///   - byzantine: b.
  ///   - random: draws whom to ask.
  init(members: PeerSet, own: Peer, byzantine: Int, random: inout some RandomSource & ~Copyable) {
    unheard = members.members.filter { $0 != own }
    missing = unheard.count - byzantine
    guard unheard.count > NumberInquiry.askLimit else { return }
    for i in 0..<NumberInquiry.askLimit {
      unheard.swapAt(i, i + random.uniform(below: unheard.count - i))
    }
    unheard.removeLast(unheard.count - NumberInquiry.askLimit)
    missing = NumberInquiry.askLimit - NumberInquiry.askLimit / 3
  }

  /// Takes a member's answer.
  ///
  /// - Parameters:
  ///   - number: the greatest number that it knows; `nil` if none.
  ///   - peer: the member.
  mutating func take(_ number: UInt64?, by peer: Peer) {
    guard let i = unheard.firstIndex(of: peer) else { return }
    unheard.remove(at: i)
    missing -= 1
    if let number, number < .max { first = max(first, number + 1) }
  }
}

/// A batch that some member knows, with its sender's signature over its number and digest.
public struct KnownBatch: Hashable, Sendable {
  /// The number that its sender gave it.
  public var sequence: UInt64
  /// Its digest.
  public var digest: SHA256Digest
  /// The sender's signature.
  public var signature: Ed25519Signature

  /// A batch.
  public init(sequence: UInt64, digest: SHA256Digest, signature: Ed25519Signature) {
    self.sequence = sequence
    self.digest = digest
    self.signature = signature
  }
}

/// What members ask each other about the numbers of their batches.
public enum NumberMessage: Sendable {
  /// Which is the last of my batches that you know?
  case ask
  /// The batch of the asker with the greatest number; `nil` if none is known.
  case known(KnownBatch?)
}

extension NumberMessage: WireMessage {
  /// The size of the encoded form.
  public var encodedByteCount: Int {
    switch self {
    case .ask, .known(nil): 1
    case .known: 1 + 8 + SHA256Digest.byteCount + Ed25519Signature.byteCount
    }
  }

  /// Appends a kind byte and the kind's fields.
  public func encode(into writer: inout WireWriter, peers: borrowing some PeerDirectory) {
    switch self {
    case .ask: writer.write(UInt8(0))
    case .known(nil): writer.write(UInt8(1))
    case .known(let batch?):
      writer.write(UInt8(2))
      writer.write(integer: batch.sequence)
      writer.write(raw: batch.digest.bytes)
      writer.write(raw: batch.signature.bytes)
    }
  }

  /// Takes a message apart.
  public static func decode(
    from reader: inout WireReader, peers: inout some PeerDirectory
  ) throws(WireError) -> NumberMessage {
    switch try reader.readByte() {
    case 0: return .ask
    case 1: return .known(nil)
    case 2:
      let (sequence, digest) = (try reader.read(UInt64.self), try reader.read(SHA256Digest.self))
      return .known(
        KnownBatch(sequence: sequence, digest: digest, signature: try reader.read(Ed25519Signature.self)))
    case let kind: throw .invalid("a message of unknown kind \(kind) about the numbers of batches")
    }
  }
}
