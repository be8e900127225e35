import StarlingBroadcast
import StarlingCore
import StarlingLedger
import StarlingNode

/// How many signatures a process has checked. A simulation runs on one thread.
final class CheckCounter: @unchecked Sendable {
  var count: UInt64 = 0
}

/// The ideal signature scheme, with every check counted: of batches, of votes, and of transfers.
struct CountingTransferAuthenticator: TransferAuthenticator {
  private let base: IdealTransferAuthenticator
  private let checks: CheckCounter

  init(_ base: IdealTransferAuthenticator, checks: CheckCounter) {
    self.base = base
    self.checks = checks
  }

  static var digestByteCount: Int { IdealTransferAuthenticator.digestByteCount }
  static var signatureByteCount: Int { IdealTransferAuthenticator.signatureByteCount }

  static func digest(of payload: TransferBatch) -> SIMD4<UInt64> {
    IdealTransferAuthenticator.digest(of: payload)
  }

  func sign(_ digest: SIMD4<UInt64>, as identifier: MessageIdentifier) -> UInt64 {
    base.sign(digest, as: identifier)
  }

  func admits(_ sender: Peer) -> Bool { base.admits(sender) }

  func verifies(_ signature: UInt64, of digest: SIMD4<UInt64>, as identifier: MessageIdentifier) -> Bool {
    checks.count += 1
    return base.verifies(signature, of: digest, as: identifier)
  }

  func admits(entryAt position: Int, of batch: SignedBatch<CountingTransferAuthenticator>) -> Bool {
    let transfer = batch.payload.entries[position]
    return transfer.transfer.fault == nil && isSigned(transfer)
  }

  func isSigned(_ transfer: SignedTransfer) -> Bool {
    checks.count += 1
    return base.isSigned(transfer)
  }
}
