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

extension Node {
  /// Hands in what was read: see ``NodeSink/recall(_:)``.
  ///
  /// - Parameters:
  ///   - values: the answers; none if nothing can be read.
  ///   - token: the recall's.
  public mutating func supply(
    _ values: [StableValue], for token: UInt64, at now: Instant, into sink: inout some NodeSink & ~Copyable
  ) { handle(.supply(values, token: token), at: now, into: &sink) }

  /// Collects the signatures of b + 1 members that a transfer is final. The sink is told of it (``NodeSink/certified(_:_:)``),
  /// once for all who asked for the same meanwhile.
  ///
  /// - Throws: ``LedgerError/noLedger`` when the members keep no ledger.
  public mutating func certify(
    _ number: TransferNumber, at now: Instant, into sink: inout some NodeSink & ~Copyable
  ) throws(LedgerError) {
    guard genesis != nil else { throw .noLedger }
    handle(.certify(number), at: now, into: &sink)
  }

  /// Whether the node is behind the others, and is given what it lacks.
  public var isCatchingUp: Bool { host.process.diffusion.secure?.catchUp?.isBehind ?? false }

  mutating func handle(
    _ request: SecurePart.Request, at now: Instant, into sink: inout some NodeSink & ~Copyable
  ) {
    guard begin(at: now) else { return }
    let now = self.now
    host.act(at: now, into: &hostOutputs) { process, core in
      process.pass(request, at: now, into: &core)
    }
    settle(into: &sink)
  }
}

extension GroupMember where Diffusion == NodeBroadcast {
  /// Takes what concerns a ledger alone.
  fileprivate mutating func pass(
    _ request: SecurePart.Request, at now: Instant, into effects: inout some Effects<Self> & ~Copyable
  ) {
    let faults = effects.embedding(DiffusionLayer.self) {
      diffusion.pass(request, at: now, into: &$0)
    }
    punish(faults, at: now, into: &effects)
  }
}

/// Questions for what a node keeps of its ledger (``NodeSink/keep(_:)``).
public enum LedgerQuestion {
  /// What happened to an account before some position, the last first.
  ///
  /// - Parameters:
  ///   - account: the account.
  ///   - position: everything is below it; all is wanted if it is `nil`.
  ///   - limit: the most that is wanted.
  ///   - read: answers a question for what is kept.
  /// - Returns: `nil` if what is kept is not what a node writes.
  public static func events<Failure: Error>(
    of account: PublicKey, before position: UInt64?, limit: Int,
    reading read: (StableQuery) throws(Failure) -> [StableValue]
  ) throws(Failure) -> [AccountEvent]? {
    try LedgerLog.events(of: account, before: position, limit: limit, reading: read)
  }

  /// A transfer that was applied; `nil` if none is kept.
  ///
  /// - Parameter read: answers a question for what is kept.
  public static func transfer<Failure: Error>(
    _ number: TransferNumber, reading read: (StableQuery) throws(Failure) -> [StableValue]
  ) throws(Failure) -> SignedTransfer? {
    try read(LedgerLog.transfer(number)).first.flatMap { LedgerLog.transfer(number, in: $0) }
  }
}
