import StarlingBroadcast
import StarlingCore
import StarlingLedger
import StarlingTestSupport
import Testing

@testable import StarlingNode

@Suite("A ledger's member that was away, or is new")
struct LedgerCatchUpTests {
  private let seed = testSeed(default: 93)

  @Test("It has the same accounts as the others after it was away for hundreds of batches")
  func away() throws {
    let ledger = try LedgerNetwork(4, owners: 8, seed: seed)
    let (network, away) = (ledger.network, ledger.nodes[3])
    away.isHanging = true
    try ledger.pay(batches: 500, at: [0, 1, 2])
    network.run(for: .seconds(60))
    let missed = ledger.delivered(by: ledger.nodes[0]) - ledger.delivered(by: away)
    #expect(missed > 400)
    away.isHanging = false
    let back = network.now
    network.run(for: .seconds(60)) { ledger.isSettled() }
    print("caught up with \(missed) batches in", (network.now - back).nanoseconds / 1_000_000, "ms")
    network.run(for: .seconds(10))
    ledger.expectSame()
    // And it takes part again.
    try ledger.pay(batches: 20, at: [0, 1, 2, 3])
    network.run(for: .seconds(5))
    ledger.expectSame()
  }

  @Test(
    "One of which nothing is left but its key has all from the others, and its new batches get new numbers")
  func new() throws {
    let ledger = try LedgerNetwork(4, owners: 9, seed: seed)
    try ledger.pay(batches: 300, at: [0, 1, 2, 3])
    ledger.network.run(for: .seconds(5))
    try ledger.restart(3, after: StableMemory())
    // Before it knows that it is not new.
    try ledger.pay(at: 3, by: 8)
    ledger.network.run(for: .seconds(60)) { ledger.isSettled() }
    ledger.expectSame()
    try ledger.pay(batches: 40, at: [0, 1, 2, 3])
    ledger.network.run(for: .seconds(10))
    ledger.expectSame()
  }

  @Test("It gets there while the others go on")
  func load() throws {
    let ledger = try LedgerNetwork(4, owners: 8, seed: seed)
    ledger.nodes[3].isHanging = true
    try ledger.pay(batches: 400, at: [0, 1, 2])
    ledger.network.run(for: .seconds(60))
    ledger.nodes[3].isHanging = false
    var left: [Int] = []
    for _ in 0..<10 {
      try ledger.pay(batches: 30, at: [0, 1, 2])
      left.append(Int(ledger.delivered(by: ledger.nodes[0])) - Int(ledger.delivered(by: ledger.nodes[3])))
    }
    #expect(left.suffix(3).allSatisfy { $0 < 32 }, "\(left)")
    ledger.network.run(for: .seconds(30))
    ledger.expectSame()
  }

  /// What a liar says of what it delivered.
  enum Lie: CaseIterable {
    case otherDigests, refusals, garbage, silence

    func answer(_ values: [StableValue]) -> [StableValue]? {
      switch self {
      case .silence: nil
      case .otherDigests:
        values.map { pair in
          StableValue(key: pair.key.dropLast() + [~(pair.key.last ?? 0)], value: pair.value)
        }
      case .refusals:
        values.map { pair in
          pair.value.count == Ed25519Signature.byteCount
            ? StableValue(key: pair.key, value: pair.value + [0, 0]) : pair
        }
      case .garbage:
        values.map { pair in
          pair.value.count > Ed25519Signature.byteCount + 64
            ? StableValue(key: pair.key, value: pair.value.dropLast() + [~(pair.value.last ?? 0)]) : pair
        }
      }
    }
  }

  @Test(
    "Members that lie about what they delivered neither stop it nor are believed", arguments: Lie.allCases)
  func liars(lie: Lie) throws {
    let ledger = try LedgerNetwork(4, owners: 8, seed: seed)
    ledger.nodes[3].isHanging = true
    try ledger.pay(batches: 240, at: [0, 1, 2])
    ledger.network.run(for: .seconds(60))
    ledger.nodes[0].answer = lie.answer
    ledger.nodes[3].isHanging = false
    ledger.network.run(for: .seconds(60)) { ledger.isSettled() }
    ledger.network.run(for: .seconds(5))
    #expect(ledger.nodes[0].recallCount > 0, "the liar was asked")
    ledger.expectSame()
  }

  @Test("Two liars of seven, each in its own way, change nothing about that")
  func twoLiars() throws {
    let ledger = try LedgerNetwork(7, owners: 14, seed: seed)
    ledger.nodes[6].isHanging = true
    try ledger.pay(batches: 240, at: [0, 1, 2])
    ledger.network.run(for: .seconds(60))
    ledger.nodes[0].answer = Lie.garbage.answer
    ledger.nodes[3].answer = Lie.otherDigests.answer
    ledger.nodes[6].isHanging = false
    ledger.network.run(for: .seconds(60)) { ledger.isSettled() }
    ledger.network.run(for: .seconds(5))
    ledger.expectSame()
  }

  @Test("It is killed again and again in the midst of it, and nothing is applied twice or left out")
  func crashes() throws {
    let ledger = try LedgerNetwork(4, owners: 8, seed: seed)
    ledger.nodes[3].isHanging = true
    try ledger.pay(batches: 400, at: [0, 1, 2])
    ledger.network.run(for: .seconds(60))
    var lives = 0
    try ledger.restart(3)
    while !ledger.isSettled(), lives < 50 {
      let before = ledger.delivered(by: ledger.nodes[3])
      // As soon as it has got somewhere.
      ledger.network.run(for: .seconds(20)) { ledger.delivered(by: ledger.nodes[3]) > before + 60 }
      lives += 1
      try ledger.restart(3)
    }
    #expect(lives >= 3, "it was killed on the way")
    ledger.network.run(for: .seconds(60)) { ledger.isSettled() }
    ledger.expectSame()
  }

  @Test("Whoever is no member, or asks for too much, has nothing read")
  func strangers() throws {
    let ledger = try LedgerNetwork(4, owners: 8, seed: seed)
    try ledger.pay(batches: 20, at: [0, 1])
    ledger.network.run(for: .seconds(5))
    let node = ledger.nodes[0]
    var part = try #require(node.node.host.process.diffusion.secure)
    let place = try #require((0..<4).first { part.catchUp?.members[$0] == PeerTable.own })
    let range = HistoryRange(sender: UInt16(place), from: 0, count: 8)
    let member = try #require(part.broadcast.members.members.first { $0 != PeerTable.own })
    var effects = RecordingEffects(SecurePart.self, random: Xoshiro256(seed: 1))
    for ask in [LedgerMessage.askWords(range), .askBatches(range), .askProgress(from: 0)] {
      part.receive(.ledger(ask), from: Peer(4_000), at: ledger.network.now, into: &effects)
    }
    #expect(part.desk.takeRecalls().isEmpty && effects.sent.isEmpty)
    #expect(effects.indications.count == 3)
    // A member is answered, and no more than it may have open.
    for _ in 0..<100 {
      part.receive(.ledger(.askBatches(range)), from: member, at: ledger.network.now, into: &effects)
    }
    let recalls = part.desk.takeRecalls()
    #expect(recalls.count == HistoryDesk.openLimit)
    for recall in recalls {
      part.handle(.supply([], token: recall.token), at: ledger.network.now, into: &effects)
    }
    // However fast they are read: so many bytes a second, and no more.
    var read = 0
    for round in 0..<10_000 {
      let now = ledger.network.now + .milliseconds(round / 10)
      part.receive(.ledger(.askBatches(range)), from: member, at: now, into: &effects)
      for recall in part.desk.takeRecalls() {
        let values = [StableValue(key: [], value: [UInt8](repeating: 0, count: 60_000))]
        read += 60_000
        part.handle(.supply(values, token: recall.token), at: now, into: &effects)
      }
    }
    #expect(read >= HistoryDesk.burst && read < 2 * HistoryDesk.burst + 2 * 60_000)
  }
}

@Suite("A certificate that a node collects")
struct NodeCertificateTests {
  private let seed = testSeed(default: 94)

  @Test("It has the signatures of more members than may lie, and anybody can check it")
  func collected() throws {
    let ledger = try LedgerNetwork(4, owners: 8, seed: seed)
    let transfer = try #require(try ledger.pay(at: 1))
    let node = ledger.nodes[0]
    // Before it is final there.
    try node.node.certify(transfer.transfer.number, at: ledger.network.now, into: &node.sink)
    ledger.network.collect(from: node)
    #expect(node.sink.certified.map { $0.outcome.failure == .notFinal } == [true])
    ledger.network.run(for: .seconds(3))
    node.sink.certified = []
    // Asked for twice, told once.
    for _ in 0..<2 {
      try node.node.certify(transfer.transfer.number, at: ledger.network.now, into: &node.sink)
      ledger.network.collect(from: node)
    }
    ledger.network.run(for: .seconds(3))
    #expect(node.sink.certified.count == 1)
    let certificate = try #require(node.sink.certified.first).outcome.get()
    try certificate.verify(by: ledger.genesis)
    #expect(certificate.transfer == transfer && certificate.signatures.count == 2)
    let one = Certificate(
      ledger: certificate.ledger, transfer: certificate.transfer,
      signatures: Dictionary(
        uniqueKeysWithValues: certificate.signatures.prefix(1).map { ($0.key, $0.value) }))
    #expect(throws: (any Error).self) { try one.verify(by: ledger.genesis) }
  }

  @Test("There is none while too few members are there, and that is said after a while")
  func tooFew() throws {
    let ledger = try LedgerNetwork(4, owners: 8, seed: seed)
    let transfer = try #require(try ledger.pay(at: 1))
    ledger.network.run(for: .seconds(3))
    for other in ledger.nodes.dropFirst() { other.isHanging = true }
    let node = ledger.nodes[0]
    try node.node.certify(transfer.transfer.number, at: ledger.network.now, into: &node.sink)
    ledger.network.collect(from: node)
    ledger.network.run(for: .seconds(20))
    #expect(node.sink.certified.map { $0.outcome.failure } == [.tooFew(signed: 1, needed: 2)])
  }

  @Test(
    "A signature that is no member's word for this transfer does not count, and is held against the member")
  func forged() throws {
    let ledger = try LedgerNetwork(4, owners: 8, seed: seed)
    let transfer = try #require(try ledger.pay(at: 1))
    ledger.network.run(for: .seconds(3))
    let node = ledger.nodes[0]
    try node.node.certify(transfer.transfer.number, at: ledger.network.now, into: &node.sink)
    let recall = try #require(node.sink.recalls.first)
    var part = try #require(node.node.host.process.diffusion.secure)
    var effects = RecordingEffects(SecurePart.self, random: Xoshiro256(seed: 1))
    let values = recall.values { node.sink.stable.read($0) }
    part.handle(.supply(values, token: recall.token), at: ledger.network.now, into: &effects)
    let liar = try #require(part.broadcast.members.members.first { $0 != PeerTable.own })
    let other = Certificate.sign(transfer, in: SHA256.hash([]), by: try Identity(seed: seedBytes(seed, 2)))
    part.receive(
      .ledger(.confirmation(transfer.transfer.number, other)), from: liar, at: ledger.network.now,
      into: &effects)
    #expect(part.takeNotices().isEmpty)
    #expect(
      effects.indications.contains { if case .misbehaved(liar, .badSignature) = $0 { true } else { false } })
  }
}

extension Result {
  fileprivate var failure: Failure? { if case .failure(let failure) = self { failure } else { nil } }
}
