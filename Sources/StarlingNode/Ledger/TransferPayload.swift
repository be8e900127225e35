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
