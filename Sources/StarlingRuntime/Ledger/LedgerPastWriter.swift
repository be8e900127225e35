import StarlingCore
import StarlingLedger
import StarlingNode

/// Writes a long past into the data directory of a ledger's member (`LedgerPast`), for measurements.
package final class LedgerPastWriter {
  private let directory: DataDirectory
  private let store: StateStore
  private let storage: StableStorage
  private var past: LedgerPast

  /// Begins the past of the node with this key, in a directory that is made if it is not there.
  package init(in path: String, of identity: Identity, _ genesis: Genesis) throws(HostError) {
    directory = try DataDirectory(path)
    // It makes the tables.
    store = try StateStore(at: directory.state)
    storage = try StableStorage(at: directory.state, for: identity.publicKey, in: genesis.networkName)
    past = LedgerPast(of: identity, genesis)
  }

  /// The accounts.
  package var ledger: Ledger { past.ledger }

  /// Batches of transfers are delivered, and are on disk when it returns.
  package func deliver(_ batches: [[SignedTransfer]]) throws(HostError) {
    var writes: [StableWrite] = []
    for batch in batches { writes += past.deliver(batch) }
    try storage.commit(writes)
  }

  /// Nothing more is delivered.
  package func finish() throws(HostError) { try storage.commit(past.finish()) }

  /// Makes of a copy of one member's directory another member's, who delivered the same.
  package static func handOver(
    _ path: String, to identity: Identity, _ genesis: Genesis
  ) throws(HostError) {
    let directory = try DataDirectory(path)
    try StableStorage.rename(at: directory.state, to: identity.publicKey, in: genesis.networkName)
  }
}
