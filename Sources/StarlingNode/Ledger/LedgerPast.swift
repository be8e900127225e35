import StarlingBroadcast
import StarlingCore
import StarlingLedger

/// Makes what a ledger's member would have on stable storage had it brought and delivered some transfers, by the code by which a
/// node writes it: for measurements of nodes with a long past. Nobody looks at the owners' signatures.
package struct LedgerPast {
  private let log: SecureLog
  private let auth: KeySecureAuthenticator
  private let owner: PublicKey
  private var ledgerLog = LedgerLog()
  private var number: UInt64 = 0
  /// The accounts.
  package private(set) var ledger: Ledger

  /// The past of the member with this key, before anything was delivered.
  package init(of identity: Identity, _ genesis: Genesis) {
    let peers = SharedPeerTable(PeerTable(own: PeerRecord(key: identity.publicKey, address: nil)))
    log = SecureLog(peers: peers, keepsHistory: true)
    var members = PeerSet()
    _ = members.insert(PeerTable.own)
    auth = KeySecureAuthenticator(
      identity: identity, network: Array(genesis.networkName.utf8), peers: peers, members: members,
      ledger: genesis.hash)
    owner = identity.publicKey
    ledger = Ledger(genesis)
  }

  /// A batch of transfers is delivered.
  ///
  /// - Returns: what is to be kept of it.
  package mutating func deliver(_ transfers: [SignedTransfer]) -> [StableWrite] {
    let identifier = MessageIdentifier(origin: PeerTable.own, sequence: number)
    let payload = NodeBatch(transfers: transfers)
    let batch = SignedBatch<KeySecureAuthenticator>(
      identifier: identifier, payload: payload,
      signature: auth.sign(KeySecureAuthenticator.digest(of: payload), as: identifier), hops: 0)
    number += 1
    for transfer in transfers {
      for applied in ledger.deliver(transfer) { ledgerLog.note(applied) }
    }
    let kept = UInt64(OrderedBroadcastConfiguration().kept)
    return log.delivered(batch, refused: [], isKept: false, kept: kept, isDisputed: { _ in false })
      + (ledgerLog.isFull ? finish() : [])
  }

  /// Nothing more is delivered for now.
  ///
  /// - Returns: what is to be kept of the accounts.
  package mutating func finish() -> [StableWrite] {
    ledgerLog.flush(ledger, delivered: [(owner, number)])
  }
}
