import StarlingCore

/// Which of one origin's messages a peer can still give to others, or some of them: a few ranges of numbers.
///
/// One origin and no array: a message that holds an array is copied and destroyed by counting references, and
/// the simulator copies every message of every kind.
@frozen
public struct Digest: Sendable {
  @usableFromInline let storage: InlineArray<4, SequenceRange>
  /// Whose messages these are.
  public let origin: Peer
  @usableFromInline let storedCount: UInt8
  /// Whether the sender would like to be told in return what the receiver has.
  public var wantsAnswer: Bool

  /// The most ranges in one digest. A guess: as long as nothing is missing an origin has one, and a message of
  /// another kind should not take much more memory for the digests' sake.
  @inlinable
  public static var rangeLimit: Int { 4 }
  /// The most ranges that are told of one origin, in several digests: the newest. A guess.
  @inlinable
  public static var rangesPerOrigin: Int { 32 }

  /// - Parameters:
  ///   - origin: whose messages these are.
  ///   - ranges: the numbers, ascending; those beyond ``rangeLimit`` are left out. None says that there is
  ///     nothing to tell.
  ///   - wantsAnswer: whether the sender would like to be told in return.
  @inlinable
  public init(origin: Peer, ranges: some Collection<SequenceRange> = [], wantsAnswer: Bool = false) {
    var storage = InlineArray<4, SequenceRange>(repeating: SequenceRange(0, 0))
    var count = 0
    for range in ranges.prefix(Digest.rangeLimit) {
      storage[count] = range
      count += 1
    }
    self.storage = storage
    self.origin = origin
    storedCount = UInt8(count)
    self.wantsAnswer = wantsAnswer
  }

  /// How many ranges there are.
  @inlinable
  public var count: Int { Int(storedCount) }

  /// The numbers, ascending.
  public var ranges: [SequenceRange] { (0..<count).map { storage[$0] } }

  /// Whether no range is turned round.
  @usableFromInline
  var isOrdered: Bool { (0..<count).allSatisfy { storage[$0].lower <= storage[$0].upper } }

  /// The size of the encoded form.
  @inlinable
  public var encodedByteCount: Int { 2 + 32 + 16 * count }

  /// As many digests as it takes to tell of ranges, those with the newest numbers first.
  ///
  /// - Parameters:
  ///   - ranges: the numbers, ascending.
  ///   - origin: whose messages these are.
  @usableFromInline
  static func several(telling ranges: ArraySlice<SequenceRange>, of origin: Peer) -> [Digest] {
    var digests: [Digest] = []
    var rest = ranges
    while !rest.isEmpty {
      digests.append(Digest(origin: origin, ranges: rest.suffix(rangeLimit)))
      rest = rest.dropLast(rangeLimit)
    }
    return digests
  }
}

extension Digest: Hashable {
  /// Whether two digests tell the same.
  public static func == (a: Digest, b: Digest) -> Bool {
    a.origin == b.origin && a.wantsAnswer == b.wantsAnswer && a.count == b.count
      && (0..<a.count).allSatisfy { a.storage[$0] == b.storage[$0] }
  }

  /// Hashes what it tells.
  public func hash(into hasher: inout Hasher) {
    hasher.combine(origin)
    hasher.combine(wantsAnswer)
    hasher.combine(ranges)
  }
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
    writer.write(keyOf: origin, from: peers)
    writer.write(storedCount)
    for i in 0..<count {
      writer.write(integer: storage[i].lower)
      writer.write(integer: storage[i].upper)
    }
  }

  static func decode(
    from reader: inout WireReader, peers: inout some PeerDirectory
  ) throws(WireError) -> Digest {
    let flag = try reader.readByte()
    guard flag <= 1 else { throw .invalid("a digest with the flag \(flag), where 0 or 1 is known") }
    let origin = try reader.readPeerKey(into: &peers)
    let count = Int(try reader.readByte())
    guard count <= rangeLimit else {
      throw .invalid("a digest of \(count) ranges, where \(rangeLimit) are allowed")
    }
    var ranges: [SequenceRange] = []
    for _ in 0..<count {
      let (lower, upper) = (try reader.read(UInt64.self), try reader.read(UInt64.self))
      guard lower <= upper else { throw .invalid("a range from \(lower) to \(upper)") }
      ranges.append(SequenceRange(lower, upper))
    }
    return Digest(origin: origin, ranges: ranges, wantsAnswer: flag == 1)
  }
}
