import StarlingBroadcast
import StarlingCore
import StarlingLedger

/// Transfers that get one number in the order of all.
struct OrderBatch: Sendable {
  let transfers: TransferBatch
  /// Computed here, never believed.
  let digest: SIMD4<UInt64>

  init(_ transfers: [SignedTransfer]) {
    self.transfers = TransferBatch(transfers)
    digest = CountingTransferAuthenticator.digest(of: self.transfers)
  }

  /// What stands where a leader left a gap.
  static let empty = OrderBatch([])
}

/// A member's word for a batch under a number of a view: the leader's is its pre-prepare, the others' are their prepares. It
/// is signed, because a certificate is made of such words.
struct OrderVote: Sendable {
  let view: UInt64
  let sequence: UInt64
  let digest: SIMD4<UInt64>
  let signature: UInt64
}

/// What proves that a batch is prepared: the words of a quorum for it.
struct OrderCertificate: Sendable {
  let view: UInt64
  let sequence: UInt64
  let digest: SIMD4<UInt64>
  /// Of different members.
  let signatures: [(signer: Peer, signature: UInt64)]
}

/// That a quorum has executed everything up to a number.
struct OrderCheckpoint: Sendable {
  var sequence: UInt64 = 0
  /// The hash of all that was executed, in order: it stands for the state that this leads to.
  var history = SIMD4<UInt64>(repeating: 0)
  /// Of different members; none for the beginning, which needs no proof.
  var signatures: [(signer: Peer, signature: UInt64)] = []
}

/// A member gives a view up: what it knows to be prepared, since a checkpoint.
struct ViewChange: Sendable {
  /// The view that is to come.
  let view: UInt64
  let author: Peer
  let stable: OrderCheckpoint
  /// In the order of their numbers.
  let prepared: [OrderCertificate]
  let signature: UInt64
  /// Of all but the signature.
  let digest: SIMD4<UInt64>
}

/// The leader of a view says by which ``ViewChange``s it begins; what is proposed anew follows from these.
struct NewView: Sendable {
  let view: UInt64
  let changes: [(author: Peer, digest: SIMD4<UInt64>)]
  let signature: UInt64
}

/// What members send each other.
enum OrderMessage: Sendable {
  /// Transfers of clients, for the leader to order.
  case forward([SignedTransfer])
  /// Transfers that the leader of a view did not order in time, for all to wait for.
  case suspect(view: UInt64, [SignedTransfer])
  /// pre-prepare.
  case propose(OrderVote, OrderBatch)
  /// prepare.
  case prepare(OrderVote)
  /// commit. Nobody has to prove it to others, so the link's word is enough.
  case commit(view: UInt64, sequence: UInt64, digest: SIMD4<UInt64>)
  case checkpoint(sequence: UInt64, history: SIMD4<UInt64>, signature: UInt64)
  case viewChange(ViewChange)
  case newView(NewView)
  /// View changes that a new view refers to and that have not come.
  case wantViewChanges(view: UInt64, of: [Peer])
  /// A batch that is decided or proposed, and not here.
  case wantBatch(sequence: UInt64, digest: SIMD4<UInt64>)
  case batch(sequence: UInt64, OrderBatch)
  /// What was executed from a number on.
  case wantDecided(from: UInt64)
  case decided(from: UInt64, [SIMD4<UInt64>])
}

extension OrderMessage: SizedMessage {
  private static let digest = CountingTransferAuthenticator.digestByteCount
  private static let signature = CountingTransferAuthenticator.signatureByteCount
  private static let vote = 8 + 8 + digest + signature
  /// A member's number, and its signature.
  private static let signer = 4 + signature

  /// A kind byte and the kind's fields. Who sent it is known from the link.
  var encodedByteCount: Int {
    switch self {
    case .forward(let transfers): 1 + TransferBatch(transfers).encodedByteCount
    case .suspect(_, let transfers): 1 + 8 + TransferBatch(transfers).encodedByteCount
    case .propose(_, let batch): 1 + Self.vote + batch.transfers.encodedByteCount
    case .prepare: 1 + Self.vote
    case .commit: 1 + 8 + 8 + Self.digest
    case .checkpoint: 1 + 8 + Self.digest + Self.signature
    case .viewChange(let change):
      change.prepared.reduce(
        1 + 8 + Self.signer + 8 + Self.digest + 4 + change.stable.signatures.count * Self.signer
      ) {
        $0 + 8 + 8 + Self.digest + 4 + $1.signatures.count * Self.signer
      }
    case .newView(let new): 1 + 8 + Self.signature + 4 + new.changes.count * (4 + Self.digest)
    case .wantViewChanges(_, let authors): 1 + 8 + 4 + 4 * authors.count
    case .wantBatch: 1 + 8 + Self.digest
    case .batch(_, let batch): 1 + 8 + batch.transfers.encodedByteCount
    case .wantDecided: 1 + 8
    case .decided(_, let digests): 1 + 8 + 4 + digests.count * Self.digest
    }
  }
}

/// What is signed, folded into a digest for the ideal signature scheme: kinds and views are told apart.
enum OrderStatement {
  static func vote(view: UInt64, sequence: UInt64, digest: SIMD4<UInt64>) -> SIMD4<UInt64> {
    fold([1, view, sequence], digest)
  }

  static func checkpoint(sequence: UInt64, history: SIMD4<UInt64>) -> SIMD4<UInt64> {
    fold([2, sequence], history)
  }

  static func viewChange(
    _ view: UInt64, author: Peer, stable: OrderCheckpoint, prepared: [OrderCertificate]
  ) -> SIMD4<UInt64> {
    var digest = fold([3, view, UInt64(author.index), stable.sequence], stable.history)
    for (signer, signature) in stable.signatures { digest = fold([UInt64(signer.index), signature], digest) }
    for certificate in prepared {
      digest = fold([certificate.view, certificate.sequence], digest ^ certificate.digest)
      for (signer, signature) in certificate.signatures {
        digest = fold([UInt64(signer.index), signature], digest)
      }
    }
    return digest
  }

  static func newView(
    _ view: UInt64, changes: [(author: Peer, digest: SIMD4<UInt64>)]
  ) -> SIMD4<UInt64> {
    changes.reduce(fold([4, view], SIMD4(repeating: 0))) {
      fold([UInt64($1.author.index)], $0 ^ $1.digest)
    }
  }

  /// The hash of what was executed, one batch further.
  static func history(_ before: SIMD4<UInt64>, then digest: SIMD4<UInt64>) -> SIMD4<UInt64> {
    fold([5, digest[0], digest[1], digest[2], digest[3]], before)
  }

  private static func fold(_ words: [UInt64], _ digest: SIMD4<UInt64>) -> SIMD4<UInt64> {
    var result = SIMD4<UInt64>(repeating: 0)
    for i in 0..<4 {
      var word = SplitMix64.mix(UInt64(i) &+ 1)
      for j in 0..<4 { word = SplitMix64.mix(word ^ digest[j]) }
      for other in words { word = SplitMix64.mix(word ^ other) }
      result[i] = word
    }
    return result
  }
}
