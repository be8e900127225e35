import StarlingCore

/// Which messages a peer can still give to others, or some of them: for each origin, ranges of numbers.
@frozen
public struct Digest: Hashable, Sendable {
  /// One origin's.
  @frozen
  public struct Entry: Hashable, Sendable {
    /// Whose messages these are.
    public let origin: Peer
    /// The numbers, ascending.
    public let ranges: [SequenceRange]

    /// - Parameters:
    ///   - origin: whose messages these are.
    ///   - ranges: the numbers, ascending; 1 ... 255 of them.
    @inlinable
    public init(origin: Peer, ranges: [SequenceRange]) {
      self.origin = origin
      self.ranges = ranges
    }
  }

  /// The origins.
  public var entries: [Entry]
  /// Whether the sender would like to be told in return what the receiver has.
  public var wantsAnswer: Bool

  /// - Parameters:
  ///   - entries: the origins, each at most once.
  ///   - wantsAnswer: whether the sender would like to be told in return.
  @inlinable
  public init(entries: [Entry] = [], wantsAnswer: Bool = false) {
    self.entries = entries
    self.wantsAnswer = wantsAnswer
  }

  /// The most origins in one digest. A guess: 3 KB.
  @inlinable
  public static var entryLimit: Int { 64 }
  /// The most ranges in one digest. A guess: 4 KB.
  @inlinable
  public static var rangeLimit: Int { 256 }
  /// The most ranges of one origin: the newest. A guess; as long as nothing is missing there is one.
  @inlinable
  public static var rangesPerEntry: Int { 32 }

  /// How many ranges there are.
  @inlinable
  public var rangeCount: Int { entries.reduce(0) { $0 + $1.ranges.count } }

  /// Whether it keeps the bounds that hold on the wire.
  var isWithinLimits: Bool {
    entries.count <= Digest.entryLimit && rangeCount <= Digest.rangeLimit
      && entries.allSatisfy { entry in entry.ranges.allSatisfy { $0.lower <= $0.upper } }
  }

  /// The size of the encoded form.
  public var encodedByteCount: Int { 3 + 33 * entries.count + 16 * rangeCount }
}

/// What a peer has, in twelve bytes: two peers whose summaries are equal have the same messages, but for one
/// chance in 2⁶⁴.
@frozen
public struct Summary: Hashable, Sendable {
  /// How many messages it keeps.
  public let count: UInt32
  /// The sum of their fingerprints, which does not depend on their order.
  public let fingerprint: UInt64

  /// - Parameters:
  ///   - count: how many messages it keeps.
  ///   - fingerprint: the sum of their fingerprints.
  @inlinable
  public init(count: UInt32, fingerprint: UInt64) {
    self.count = count
    self.fingerprint = fingerprint
  }
}

extension Digest {
  func encode(into writer: inout WireWriter, peers: borrowing some PeerDirectory) {
    writer.write(UInt8(wantsAnswer ? 1 : 0))
    writer.write(integer: UInt16(entries.count))
    for entry in entries {
      writer.write(keyOf: entry.origin, from: peers)
      writer.write(UInt8(entry.ranges.count))
      for range in entry.ranges {
        writer.write(integer: range.lower)
        writer.write(integer: range.upper)
      }
    }
  }

  static func decode(
    from reader: inout WireReader, peers: inout some PeerDirectory
  ) throws(WireError) -> Digest {
    var digest = Digest()
    switch try reader.readByte() {
    case 0: break
    case 1: digest.wantsAnswer = true
    case let flag: throw .invalid("a digest with the flag \(flag), where 0 or 1 is known")
    }
    let count = Int(try reader.read(UInt16.self))
    guard count <= entryLimit else {
      throw .invalid("a digest of \(count) origins, where \(entryLimit) are allowed")
    }
    var ranges = 0
    for _ in 0..<count {
      let origin = try reader.readPeerKey(into: &peers)
      let entry = Entry(origin: origin, ranges: try decodeRanges(from: &reader))
      ranges += entry.ranges.count
      guard ranges <= rangeLimit else {
        throw .invalid("a digest of \(ranges) ranges or more, where \(rangeLimit) are allowed")
      }
      digest.entries.append(entry)
    }
    return digest
  }

  private static func decodeRanges(from reader: inout WireReader) throws(WireError) -> [SequenceRange] {
    var ranges: [SequenceRange] = []
    for _ in 0..<Int(try reader.readByte()) {
      let (lower, upper) = (try reader.read(UInt64.self), try reader.read(UInt64.self))
      guard lower <= upper else { throw .invalid("a range from \(lower) to \(upper)") }
      ranges.append(SequenceRange(lower, upper))
    }
    return ranges
  }
}
