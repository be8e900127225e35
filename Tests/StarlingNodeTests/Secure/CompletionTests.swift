import StarlingBroadcast
import StarlingCore
import StarlingLedger
import StarlingTestSupport
import Testing

@testable import StarlingNode

/// Four members, of whom one may lie; this is the first, and the second sends.
@Suite("What is delivered late")
struct CompletionTests {
  private let members: [Identity]
  private let owners: [Identity]
  private let genesis: Genesis
  private let peers: SharedPeerTable
  private let handles: PeerSet

  init() throws {
    members = try (0..<4).map { try Identity(seed: seedBytes(7, $0)) }
    owners = try (0..<2).map { try Identity(seed: seedBytes(8, $0)) }
    genesis = try Genesis(
      network: "test", members: members.map(\.publicKey), byzantine: 1,
      balances: Dictionary(uniqueKeysWithValues: owners.map { ($0.publicKey, 100) }))
    peers = SharedPeerTable(PeerTable(own: PeerRecord(key: members[0].publicKey, address: nil)))
    var handles = PeerSet()
    for member in members {
      handles.insert(try peers.table.intern(PeerRecord(key: member.publicKey, address: nil)))
    }
    self.handles = handles
  }

  private func life(after memory: StableMemory) throws -> SecurePart {
    var configuration = SecureConfiguration(
      .bracha(byzantine: 1), among: members.map { PeerRecord(key: $0.publicKey, address: nil) })
    configuration.genesis = genesis
    let auth = KeySecureAuthenticator(
      identity: members[0], network: Array("test".utf8), peers: peers, members: handles,
      ledger: genesis.hash)
    return try SecurePart(
      configuration: configuration, members: handles, auth: auth, peers: peers, reading: { memory.read($0) })
  }

  private func batch(_ number: UInt64, _ owner: Identity, sequence: UInt64) -> CatchUp.Batch {
    let transfer = SignedTransfer(
      Transfer(
        account: owner.publicKey, sequence: sequence, funds: 100,
        destinations: [.init(account: owners[0].publicKey, amount: 1)]), in: genesis.hash, by: owner)
    return CatchUp.Batch(
      identifier: MessageIdentifier(origin: handles[1], sequence: number),
      payload: NodeBatch(transfers: [transfer]), signature: members[1].sign([1]), hops: 1)
  }

  @Test("A transfer that is completed late, and waits for another, is there after a crash")
  func waits() throws {
    var memory = StableMemory()
    var part = try life(after: memory)
    func deliver(_ batch: CatchUp.Batch, refused: [UInt16]) {
      var effects = RecordingEffects(SecurePart.self, random: testRandom())
      part.ask(.catchUp(batch, refused: refused), at: .zero, into: &effects)
      for case .keep(let writes) in effects.indications { for write in writes { memory.apply(write) } }
    }
    // The second of its owner, so that it waits; refused at first.
    let early = batch(0, owners[1], sequence: 1)
    deliver(early, refused: [0])
    deliver(batch(1, owners[0], sequence: 0), refused: [])
    for write in part.flush() { memory.apply(write) }
    #expect(part.keeper?.ledger.heldCount == 0 && part.transfersApplied == 1)
    #expect(part.catchUp?.isDisputed(early.identifier) == true)
    // The next life would not be given it again.
    deliver(early, refused: [])
    #expect(part.keeper?.ledger.heldCount == 1)
    let next = try life(after: memory)
    #expect(next.keeper?.ledger.heldCount == 1 && next.transfersApplied == 1)
    #expect(next.catchUp?.isDisputed(early.identifier) == false)
  }

  @Test("What is disputed is known after a crash, with what this member was ready for")
  func disputed() throws {
    var memory = StableMemory()
    var part = try life(after: memory)
    var effects = RecordingEffects(SecurePart.self, random: testRandom())
    let early = batch(0, owners[1], sequence: 0)
    part.ask(.catchUp(early, refused: [0]), at: .zero, into: &effects)
    for case .keep(let writes) in effects.indications { for write in writes { memory.apply(write) } }
    let next = try life(after: memory)
    #expect(next.catchUp?.refused(of: early.identifier) == [0])
    #expect(next.catchUp?.disputes[early.identifier]?.unready == [0])
  }
}
