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

  /// The hash of the accounts and of what waits, equal at nodes that were delivered the same; `nil` if the node keeps no
  /// ledger. It costs what has changed since it was asked for last.
  public mutating func ledgerDigest() -> SHA256Digest? { host.change { $0.diffusion.secure?.ledgerDigest() } }

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

/// Questions for what a node keeps of its ledger (``NodeSink/keep(_:)``). All that was applied must be kept before they are
/// asked (``Node/keepLedger(into:)``).
public enum LedgerQuestion {
  /// What happened to an account before some position, the last first, each with its transfer.
  ///
  /// - Parameters:
  ///   - account: the account.
  ///   - state: its state now.
  ///   - position: `nil` for the last there is.
  ///   - limit: the most that are wanted.
  ///   - read: answers a question for what is kept.
  /// - Throws: ``WireError`` for what no member wrote.
  public static func events(
    of account: PublicKey, _ state: Ledger.Account, before position: UInt64?, limit: Int,
    reading read: (StableQuery) -> [StableValue]
  ) throws(WireError) -> [(event: AccountEvent, transfer: SignedTransfer)] {
    try AccountTrail(of: account, state).events(before: position ?? .max, limit: limit, reading: read)
  }

  /// A transfer that was applied; `nil` if none of its number was.
  ///
  /// - Parameters:
  ///   - number: the transfer's.
  ///   - state: its account's state now.
  ///   - read: answers a question for what is kept.
  /// - Throws: ``WireError`` for what no member wrote.
  public static func transfer(
    _ number: TransferNumber, _ state: Ledger.Account, reading read: (StableQuery) -> [StableValue]
  ) throws(WireError) -> SignedTransfer? {
    try AccountTrail(of: number.account, state).transfer(number.sequence, reading: read)
  }
}
