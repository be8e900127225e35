import StarlingCore

/// What is remembered of one origin's messages, in a form that can be stored.
public struct SeenOrigin: Hashable, Sendable {
  /// Whose messages these are.
  public let origin: Peer
  /// The highest number seen.
  public let newest: UInt64
  /// The ranges below it that are still missing, ascending and apart from each other.
  public let missing: [SequenceRange]

  /// - Parameters:
  ///   - origin: whose messages these are.
  ///   - newest: the highest number seen.
  ///   - missing: the ranges below it that are still missing; ``SeenMessages/init(_:)`` checks them.
  public init(origin: Peer, newest: UInt64, missing: [SequenceRange]) {
    self.origin = origin
    self.newest = newest
    self.missing = missing
  }

  /// The most ranges that one origin can have: as many gaps as are kept, and every second number of a window.
  public static var missingLimit: Int { SeenSequences.gapLimit + 128 }
}

/// Why a stored memory of messages cannot be used.
public enum SeenMessagesError: Error, Hashable, Sendable, CustomStringConvertible {
  /// More origins than are remembered.
  case origins(Int)
  /// An origin that is there twice.
  case twice(Peer)
  /// Ranges that are too many, overlap, or are not below the highest number.
  case ranges(Peer)

  /// One sentence.
  public var description: String {
    switch self {
    case .origins(let count):
      "The memory of messages names \(count) origins, where \(SeenMessages.originLimit) are allowed; "
        + "start without it."
    case .twice(let peer): "The memory of messages names \(peer) twice; start without it."
    case .ranges(let peer):
      "The memory of messages of \(peer) has ranges that cannot be; start without it."
    }
  }
}

extension SeenMessages {
  /// All that is remembered, the origins in the order in which they were taken in.
  public var stored: [SeenOrigin] {
    (0..<origins.count).sorted { age(at: $0) > age(at: $1) }.map { position in
      let sequences = origins[position]
      return SeenOrigin(
        origin: origins.keys[position], newest: sequences.window.newest, missing: sequences.missingRanges())
    }
  }

  /// The memory that ``stored`` wrote down. Nothing of it is in the history of the peer that begins with it. Of an
  /// origin's messages those count that its window tells apart: what lies before was not written down as a number,
  /// and guessed from the gaps it could be anything that the origin liked.
  ///
  /// - Parameter stored: at most ``originLimit`` origins, none of them twice.
  /// - Throws: ``SeenMessagesError`` when this is not what a memory looks like.
  public init(_ stored: [SeenOrigin]) throws(SeenMessagesError) {
    self.init()
    guard stored.count <= SeenMessages.originLimit else { throw .origins(stored.count) }
    for origin in stored {
      guard let sequences = SeenSequences(restoring: origin) else { throw .ranges(origin.origin) }
      guard origins.position(of: origin.origin) == nil else { throw .twice(origin.origin) }
      takeIn(sequences, of: origin.origin)
    }
  }
}

extension SeenSequences {
  init?(restoring stored: SeenOrigin) {
    guard stored.missing.count <= SeenOrigin.missingLimit else { return nil }
    var previous: SequenceRange?
    for range in stored.missing {
      guard range.lower <= range.upper, range.upper < stored.newest else { return nil }
      if let previous, range.lower <= previous.upper { return nil }
      previous = range
    }
    window = SequenceWindow(first: stored.newest)
    gaps = []
    keptFrom = stored.newest == .max ? .max : stored.newest + 1
    let oldest = window.oldest
    var next = 0
    for number in oldest..<stored.newest {
      while next < stored.missing.count, stored.missing[next].upper < number { next += 1 }
      let isMissing = next < stored.missing.count && stored.missing[next].contains(number)
      if !isMissing { _ = window.insert(number) }
    }
    for range in stored.missing where range.lower < oldest {
      gaps.append(SequenceRange(range.lower, min(range.upper, oldest - 1)))
    }
    guard gaps.count <= SeenSequences.gapLimit else { return nil }
  }
}

extension SeenMessages: WireMessage {
  /// The size of the encoded form.
  public var encodedByteCount: Int {
    stored.reduce(2) { $0 + MessageIdentifier.encodedByteCount + 2 + 16 * $1.missing.count }
  }

  /// Appends a 16-bit count of origins; for each its key, the highest number, a 16-bit count and the missing
  /// ranges.
  public func encode(into writer: inout WireWriter, peers: borrowing some PeerDirectory) {
    let stored = stored
    writer.write(integer: UInt16(stored.count))
    for origin in stored {
      writer.write(keyOf: origin.origin, from: peers)
      writer.write(integer: origin.newest)
      writer.write(integer: UInt16(origin.missing.count))
      for range in origin.missing {
        writer.write(integer: range.lower)
        writer.write(integer: range.upper)
      }
    }
  }

  /// Takes a memory apart and checks it.
  public static func decode(
    from reader: inout WireReader, peers: inout some PeerDirectory
  ) throws(WireError) -> SeenMessages {
    var stored: [SeenOrigin] = []
    for _ in 0..<Int(try reader.read(UInt16.self)) {
      let origin = try reader.readPeerKey(into: &peers)
      let newest = try reader.read(UInt64.self)
      var missing: [SequenceRange] = []
      for _ in 0..<Int(try reader.read(UInt16.self)) {
        missing.append(SequenceRange(try reader.read(), try reader.read()))
      }
      stored.append(SeenOrigin(origin: origin, newest: newest, missing: missing))
    }
    do throws(SeenMessagesError) { return try SeenMessages(stored) } catch {
      throw .invalid(error.description)
    }
  }
}
