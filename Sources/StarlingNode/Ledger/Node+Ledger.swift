import StarlingCore
import StarlingLedger

/// What a node says of the ledger that it keeps.
extension Node {
  /// How the ledger begins; `nil` if the node keeps none.
  public var genesis: Genesis? { configuration.secure?.genesis }

  /// The accounts, and what is under way; `nil` if the node keeps none.
  public var ledger: LedgerKeeper? { host.process.diffusion.secure?.keeper }

  /// How many transfers were applied, in earlier runs too.
  public var transfersApplied: UInt64 { host.process.diffusion.secure?.transfersApplied ?? 0 }

  /// Has all that was applied kept, so that questions for it are answered in full.
  public mutating func keepLedger(into sink: inout some NodeSink & ~Copyable) {
    for write in host.change({ $0.diffusion.secure?.flush() ?? [] }) { sink.keep(write) }
  }

  /// This node's word that a transfer is final, which it must be here.
  public func confirm(_ transfer: SignedTransfer) -> Ed25519Signature? {
    host.process.diffusion.secure?.auth.confirm(transfer)
  }
}

/// Questions for what a node keeps of its ledger (``NodeSink/keep(_:)``).
public enum LedgerQuestion {
  /// Asks for what happened to an account before some position, the last first; answered by ``AccountEvent``s.
  public static func events(of account: PublicKey, before position: UInt64?, limit: Int) -> StableQuery {
    LedgerLog.events(of: account, before: position, limit: limit)
  }

  /// Asks for a transfer that was applied; answered by its encoded form.
  public static func transfer(_ number: TransferNumber) -> StableQuery { LedgerLog.transfer(number) }
}
