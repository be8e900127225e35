import StarlingBroadcast
import StarlingCore
import StarlingLedger

/// What a ledger's members ask each other for beside their broadcast. A sender is named by its place among the members of the
/// genesis, which all have alike.
public enum LedgerMessage: Sendable {
  /// How far have you come with the senders from this place on?
  case askProgress(from: UInt16)
  /// The numbers that are delivered next of the senders from a place on.
  case progress(from: UInt16, [UInt64])
  /// What did you deliver under these numbers?
  case askWords(HistoryRange)
  /// What was delivered, from the first number asked for on, and the number that is delivered next of the sender. None at all:
  /// not now.
  case words(sender: UInt16, from: UInt64, next: UInt64, [DeliveryWord])
  /// Give me the batches with these numbers.
  case askBatches(HistoryRange)
  /// Batches, from the first number asked for on. None at all: not now.
  case batches(sender: UInt16, from: UInt64, [CarriedBatch])
  /// Give me your signature that this transfer is final.
  case askConfirmation(TransferNumber)
  /// The signature of the transfer that the member has applied under this number.
  case confirmation(TransferNumber, Ed25519Signature)
}

/// Numbers of one sender's batches.
public struct HistoryRange: Hashable, Sendable {
  /// The sender's place.
  public var sender: UInt16
  /// The first number.
  public var from: UInt64
  /// How many, 1 ... ``LedgerMessage/wordLimit``.
  public var count: UInt16

  /// Numbers of a sender.
  public init(sender: UInt16, from: UInt64, count: UInt16) {
    self.sender = sender
    self.from = from
    self.count = count
  }
}

/// What a member says that it delivered under some number.
public struct DeliveryWord: Hashable, Sendable {
  /// The batch's digest.
  public var digest: SHA256Digest
  /// The positions of the entries that it did not deliver, ascending.
  public var refused: [UInt16]
  /// The positions of those that it is not even ready for, ascending.
  public var unready: [UInt16]

  /// A word.
  public init(digest: SHA256Digest, refused: [UInt16], unready: [UInt16]) {
    self.digest = digest
    self.refused = refused
    self.unready = unready
  }

  var byteCount: Int { SHA256Digest.byteCount + 4 + 2 * (refused.count + unready.count) }
}

/// A batch as one member gives it to another: nothing of it is believed.
public struct CarriedBatch: Hashable, Sendable {
  /// Its sender's signature.
  public var signature: Ed25519Signature
  /// The encoded batch.
  public var encoded: [UInt8]

  /// A batch.
  public init(signature: Ed25519Signature, encoded: [UInt8]) {
    self.signature = signature
    self.encoded = encoded
  }

  var byteCount: Int { Ed25519Signature.byteCount + 4 + encoded.count }
}

extension LedgerMessage {
  /// The most numbers that are asked for at once.
  public static var wordLimit: Int { 128 }
  /// The most senders whose numbers one message tells.
  static var progressLimit: Int { 4_096 }
  /// The most bytes of words or batches in an answer, unless it is one batch: with its headers it fits one message of the
  /// transport.
  static var answerBytes: Int { NodeBatch.byteLimit }
}

extension LedgerMessage: WireMessage, SizedMessage {
  /// The size of the encoded form.
  public var encodedByteCount: Int {
    switch self {
    case .askProgress: 3
    case .progress(_, let numbers): 5 + 8 * numbers.count
    case .askWords, .askBatches: 13
    case .words(_, _, _, let words): 21 + words.reduce(0) { $0 + $1.byteCount }
    case .batches(_, _, let batches): 13 + batches.reduce(0) { $0 + $1.byteCount }
    case .askConfirmation: 1 + PublicKey.byteCount + 8
    case .confirmation: 1 + PublicKey.byteCount + 8 + Ed25519Signature.byteCount
    }
  }

  /// Appends a kind byte and the kind's fields.
  public func encode(into writer: inout WireWriter, peers: borrowing some PeerDirectory) {
    switch self {
    case .askProgress(let first):
      writer.write(UInt8(0))
      writer.write(integer: first)
    case .progress(let first, let numbers):
      writer.write(UInt8(1))
      writer.write(integer: first)
      writer.write(integer: UInt16(clamping: numbers.count))
      for number in numbers { writer.write(integer: number) }
    case .askWords(let range): write(2, range, into: &writer)
    case .words(let sender, let first, let next, let words):
      writer.write(UInt8(3))
      writer.write(integer: sender)
      writer.write(integer: first)
      writer.write(integer: next)
      writer.write(integer: UInt16(clamping: words.count))
      for word in words {
        writer.write(raw: word.digest.bytes)
        for positions in [word.refused, word.unready] {
          writer.write(integer: UInt16(clamping: positions.count))
          for position in positions { writer.write(integer: position) }
        }
      }
    case .askBatches(let range): write(4, range, into: &writer)
    case .batches(let sender, let first, let batches):
      writer.write(UInt8(5))
      writer.write(integer: sender)
      writer.write(integer: first)
      writer.write(integer: UInt16(clamping: batches.count))
      for batch in batches {
        writer.write(raw: batch.signature.bytes)
        writer.write(counted: batch.encoded)
      }
    case .askConfirmation(let number):
      writer.write(UInt8(6))
      write(number, into: &writer)
    case .confirmation(let number, let signature):
      writer.write(UInt8(7))
      write(number, into: &writer)
      writer.write(raw: signature.bytes)
    }
  }

  private func write(_ kind: UInt8, _ range: HistoryRange, into writer: inout WireWriter) {
    writer.write(kind)
    writer.write(integer: range.sender)
    writer.write(integer: range.from)
    writer.write(integer: range.count)
  }

  private func write(_ number: TransferNumber, into writer: inout WireWriter) {
    writer.write(raw: number.account.bytes)
    writer.write(integer: number.sequence)
  }

  /// Takes a message apart. Every count is checked before anything is made room for.
  public static func decode(
    from reader: inout WireReader, peers: inout some PeerDirectory
  ) throws(WireError) -> LedgerMessage {
    switch try reader.readByte() {
    case 0: return .askProgress(from: try reader.read())
    case 1:
      let first = try reader.read(UInt16.self)
      let count = try readCount(from: &reader, limit: progressLimit, each: 8)
      var numbers: [UInt64] = []
      numbers.reserveCapacity(count)
      for _ in 0..<count { numbers.append(try reader.read()) }
      return .progress(from: first, numbers)
    case 2: return .askWords(try HistoryRange(from: &reader))
    case 3: return try decodeWords(from: &reader)
    case 4: return .askBatches(try HistoryRange(from: &reader))
    case 5:
      let (sender, first) = (try reader.read(UInt16.self), try reader.read(UInt64.self))
      let count = try readCount(from: &reader, limit: wordLimit, each: Ed25519Signature.byteCount + 4)
      var batches: [CarriedBatch] = []
      batches.reserveCapacity(count)
      for _ in 0..<count {
        let signature = try reader.read(Ed25519Signature.self)
        batches.append(
          CarriedBatch(
            signature: signature, encoded: try reader.readCounted(limit: NodeBatch.byteLimit)))
      }
      return .batches(sender: sender, from: first, batches)
    case 6: return .askConfirmation(try TransferNumber(fromWire: &reader))
    case 7:
      let number = try TransferNumber(fromWire: &reader)
      return .confirmation(number, try reader.read(Ed25519Signature.self))
    case let kind: throw .invalid("a ledger's message of unknown kind \(kind)")
    }
  }

  private static func decodeWords(from reader: inout WireReader) throws(WireError) -> LedgerMessage {
    let (sender, first) = (try reader.read(UInt16.self), try reader.read(UInt64.self))
    let next = try reader.read(UInt64.self)
    let count = try readCount(from: &reader, limit: wordLimit, each: SHA256Digest.byteCount + 4)
    var words: [DeliveryWord] = []
    words.reserveCapacity(count)
    for _ in 0..<count {
      let digest = try reader.read(SHA256Digest.self)
      let refused = try readPositions(from: &reader)
      words.append(DeliveryWord(digest: digest, refused: refused, unready: try readPositions(from: &reader)))
    }
    return .words(sender: sender, from: first, next: next, words)
  }

  /// Takes positions of entries.
  private static func readPositions(from reader: inout WireReader) throws(WireError) -> [UInt16] {
    let count = try readCount(from: &reader, limit: BatchLimits.entries, each: 2)
    var positions: [UInt16] = []
    positions.reserveCapacity(count)
    for _ in 0..<count {
      let position = try reader.read(UInt16.self)
      guard position < BatchLimits.entries, positions.last.map({ $0 < position }) ?? true else {
        throw .invalid("a word whose refused entries are not in ascending order, or beyond a batch")
      }
      positions.append(position)
    }
    return positions
  }

  /// Takes a count of things that have so many bytes each, at least.
  private static func readCount(
    from reader: inout WireReader, limit: Int, each: Int
  ) throws(WireError) -> Int {
    let count = Int(try reader.read(UInt16.self))
    guard count <= limit, reader.remaining >= each * count else {
      throw .invalid("a count of \(count), where \(limit) are allowed, or more than came")
    }
    return count
  }
}

extension HistoryRange {
  init(from reader: inout WireReader) throws(WireError) {
    sender = try reader.read()
    from = try reader.read()
    count = try reader.read()
    guard count >= 1, Int(count) <= LedgerMessage.wordLimit else {
      throw .invalid("a request for \(count) numbers, where 1 to \(LedgerMessage.wordLimit) are allowed")
    }
  }
}

extension TransferNumber {
  fileprivate init(fromWire reader: inout WireReader) throws(WireError) {
    let account = try reader.readKey()
    self.init(account: account, sequence: try reader.read(UInt64.self))
  }
}
