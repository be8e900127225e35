import StarlingBroadcast
import StarlingCore
import StarlingLedger

/// A batch that may carry transfers.
public protocol TransferPayload: BatchPayload where Author == PublicKey {
  /// The transfers, entry by entry; `nil` of a batch that carries something else.
  var transfers: [SignedTransfer]? { get }
  /// A batch of transfers.
  init(transfers: [SignedTransfer])
  /// The most transfers of a batch.
  static var entryLimit: Int { get }
}

/// Knows whose signatures of transfers count.
public protocol TransferAuthenticator: SecureAuthenticator where Payload: TransferPayload {
  /// Whether a transfer is signed by its account's owner for this ledger.
  func isSigned(_ transfer: SignedTransfer) -> Bool
}

/// A secure broadcast that delivers each sender's batches in order, and tells so.
public protocol SourceOrderedBroadcast<Auth>: Process where Indication == OrderedIndication<Auth> {
  /// How batches are signed.
  associatedtype Auth: SecureAuthenticator

  /// How many more batches it takes before some have found their place.
  var room: Int { get }
  /// What asks it to broadcast a batch.
  static func broadcasting(_ batch: Auth.Payload) -> Request
  /// Says that entries of an author up to a number are done with: no others are voted for under these numbers.
  mutating func settle(_ author: Auth.Payload.Author, through sequence: UInt64)
}

extension OrderedBroadcast: SourceOrderedBroadcast {
  /// What asks it to broadcast a batch.
  public static func broadcasting(_ batch: Auth.Payload) -> Request { .broadcast(batch) }
}

extension TransferBatch: TransferPayload {
  /// What fits one message of the transport.
  public static var byteLimit: Int { [UInt8].byteLimit }
  /// The most transfers of a batch.
  public static var entryLimit: Int { BatchLimits.entries }

  /// Its transfers.
  public var transfers: [SignedTransfer]? { entries }

  /// A batch of transfers.
  public init(transfers: [SignedTransfer]) { self.init(transfers) }

  /// How many bytes it has on the wire.
  public var byteCount: Int { encodedByteCount }

  /// How many transfers.
  public var entryCount: Int { entries.count }

  /// A transfer: its account, its number, and the SHA-256 of what its owner signs but for the ledger.
  public func entry(at position: Int) -> BatchEntry<PublicKey, SIMD4<UInt64>> {
    let transfer = entries[position].transfer
    return BatchEntry(
      author: transfer.account, sequence: transfer.sequence, contents: transfer.contentsDigest)
  }

  /// A transfer's account and number.
  public func name(ofEntryAt position: Int) -> (author: PublicKey, sequence: UInt64) {
    (entries[position].transfer.account, entries[position].transfer.sequence)
  }
}

extension Transfer {
  /// The SHA-256 of the encoded form, without a heap object: thousands are remembered. The signature is left out: an owner
  /// can make several of one transfer, and two of these do not conflict.
  var contentsDigest: SIMD4<UInt64> {
    var writer = WireWriter(capacity: encodedByteCount)
    encode(into: &writer)
    return SHA256.hash(writer.bytes).numbers
  }
}
