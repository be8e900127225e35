import StarlingBroadcast
import StarlingCore
import StarlingLedger
import StarlingTestSupport
import Testing

@testable import StarlingNode

/// Seven members, of whom two may lie; this is the last of them, and the first is the sender. It delivered batch 3 without the
/// entry at 1, and that instance is over.
@Suite("What becomes of an entry that was not delivered while its instance lived")
struct DisputeTests {
  private var catchUp = CatchUp(
    members: (1...6).map { Peer($0) } + [PeerTable.own], own: 6, byzantine: 2,
    ordered: OrderedBroadcastConfiguration())
  private let batch: CatchUp.Batch
  private var asked: [Peer: Int] = [:]

  init() throws {
    let owners = try (0..<3).map { try Identity(seed: seedBytes(5, $0)) }
    let transfers = owners.map {
      SignedTransfer(
        Transfer(
          account: $0.publicKey, sequence: 4, funds: 9,
          destinations: [.init(account: owners[0].publicKey, amount: 1)]), in: SHA256.hash([]), by: $0)
    }
    batch = CatchUp.Batch(
      identifier: MessageIdentifier(origin: Peer(1), sequence: 3), payload: NodeBatch(transfers: transfers),
      signature: owners[0].sign([1]), hops: 1)
    catchUp.passed(0, to: 100_000, at: .zero)
    catchUp.take(progress: [100_000], from: 0, of: Peer(2))
  }

  /// Has it do what is due for some seconds, and members answer what it asks.
  ///
  /// - Parameter say: what a member has not delivered, and what it is not ready for; `nil` for nothing.
  /// - Returns: what it did besides asking.
  private mutating func run(
    seconds: Int, isApplied: Bool = false, say: (Int) -> (refused: [UInt16], unready: [UInt16])?
  ) -> [CatchUp.Act] {
    var done: [CatchUp.Act] = []
    for second in 0..<seconds {
      let now = Instant.zero + .seconds(second)
      let acts = catchUp.settleDisputes(at: now) { _, number in isApplied && number == 4 }
      for act in acts {
        guard case .ask(.askWords(let range), let peer) = act else {
          done.append(act)
          continue
        }
        asked[peer, default: 0] += 1
        guard let said = say(Int(peer.index)) else { continue }
        let word = DeliveryWord(digest: batch.digest, refused: said.refused, unready: said.unready)
        catchUp.take(
          words: [word], of: range.sender, from: range.from, next: 100_000, by: peer, at: now)
      }
      _ = catchUp.tick(at: now)
    }
    return done
  }

  private func completed(_ acts: [CatchUp.Act]) -> Bool {
    acts.contains { if case .complete(_, []) = $0 { true } else { false } }
  }

  @Test("Three who delivered it are believed, and two are not")
  mutating func delivered() {
    catchUp.dispute(batch, refused: [1], unready: [1])
    #expect(run(seconds: 20) { $0 <= 2 ? ([], []) : ([1], [1]) }.isEmpty)
    #expect(completed(run(seconds: 200) { $0 <= 3 ? ([], []) : ([1], [1]) }))
  }

  @Test("Three who are ready for it make this member ready, which is to be kept; with five it is delivered")
  mutating func ready() {
    catchUp.dispute(batch, refused: [1], unready: [1])
    let three = run(seconds: 20) { $0 <= 3 ? ([1], []) : ([1], [1]) }
    #expect(three.count == 1 && !completed(three))
    guard case .vouch(let vote)? = three.first else {
      Issue.record("it did not become ready")
      return
    }
    #expect(vote.refused.isEmpty && vote.digest == batch.digest && vote.signature == batch.signature)
    #expect(completed(run(seconds: 200) { $0 <= 4 ? ([1], []) : ([1], [1]) }))
  }

  @Test("While it is not known, the others are asked ever more rarely; what was applied is asked for no more")
  mutating func pace() {
    catchUp.dispute(batch, refused: [1], unready: [1])
    #expect(run(seconds: 600) { _ in ([1], [1]) }.isEmpty)
    #expect((10...20).contains(asked[Peer(2)] ?? 0), "1, 2, 4, … 64 seconds")
    let settled = run(seconds: 1, isApplied: true) { _ in ([1], [1]) }
    guard case .settled(batch.identifier)? = settled.first else {
      Issue.record("it is not settled")
      return
    }
    #expect(!catchUp.isDisputed(batch.identifier))
  }

  @Test("While the instance lives, nobody is asked: votes complete it")
  mutating func live() {
    catchUp.passed(0, to: 100_000, at: .zero)
    var late = batch
    late = CatchUp.Batch(
      identifier: MessageIdentifier(origin: Peer(1), sequence: 99_999), payload: late.payload,
      signature: late.signature, hops: 1)
    catchUp.dispute(late, refused: [1], unready: [])
    #expect(run(seconds: 30) { _ in ([], []) }.isEmpty && asked.isEmpty)
    catchUp.dispute(late, refused: [], unready: [])
    #expect(!catchUp.isDisputed(late.identifier))
  }

  @Test("No more is remembered than there is room for")
  mutating func room() {
    for number in 0..<UInt64(CatchUp.disputeLimit + 100) {
      let other = CatchUp.Batch(
        identifier: MessageIdentifier(origin: Peer(1), sequence: number), payload: batch.payload,
        signature: batch.signature, hops: 1)
      catchUp.dispute(other, refused: [1], unready: [1])
    }
    #expect(catchUp.disputes.count == CatchUp.disputeLimit)
  }
}
