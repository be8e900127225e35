import StarlingBroadcast
import StarlingCore
import StarlingLedger
import StarlingTestSupport
import Testing

@testable import StarlingNode

@Suite("A ledger that nodes keep")
struct NodeLedgerTests {
  private static let owners = 6
  private let seed = testSeed(default: 91)

  private func owner(_ n: Int) throws -> Identity { try Identity(seed: seedBytes(seed, 1_000 + n)) }

  private func members(_ count: Int) throws -> [PeerRecord] {
    try (1...count).map { n in
      PeerRecord(key: try Identity(seed: seedBytes(seed, n)).publicKey, address: try address(n))
    }
  }

  private func genesis(_ members: [PeerRecord]) throws -> Genesis {
    var balances: [PublicKey: UInt64] = [:]
    for n in 0..<Self.owners { balances[try owner(n).publicKey] = 1_000 }
    return try Genesis(
      network: "test", members: members.map(\.key), byzantine: (members.count - 1) / 3, balances: balances)
  }

  private func node(_ n: Int, of members: [PeerRecord], after memory: StableMemory = StableMemory()) throws
    -> TestNode
  {
    try TestNode(n, contacts: members.compactMap(\.address), seed: seed, after: memory) {
      $0.secure = SecureConfiguration(.bracha(byzantine: (members.count - 1) / 3), among: members)
      $0.secure?.genesis = try? genesis(members)
    }
  }

  private func network(_ count: Int) throws -> NodeNetwork {
    let members = try members(count)
    let network = NodeNetwork(try (1...count).map { try node($0, of: members) }, seed: seed)
    for node in network.nodes { network.start(node) }
    network.run(for: .seconds(10))
    return network
  }

  /// What an owner signs next, as a node knows its account.
  private func payment(
    _ amount: UInt64, from payer: Int, to payee: Int, at node: TestNode
  ) throws -> SignedTransfer {
    let (payer, payee) = (try owner(payer), try owner(payee))
    let account = try #require(node.node.ledger?.expected(of: payer.publicKey))
    let transfer = Transfer(
      account: payer.publicKey, sequence: account.next, funds: account.balance,
      destinations: [.init(account: payee.publicKey, amount: amount)])
    return SignedTransfer(transfer, in: try #require(node.node.genesis?.hash), by: payer)
  }

  private func submit(_ transfers: [SignedTransfer], at node: TestNode, of network: NodeNetwork) throws
    -> [SubmissionRefusal?]
  {
    defer { network.collect(from: node) }
    return try node.node.submit(transfers, at: network.now, into: &node.sink)
  }

  private func history(
    of owner: Int, before position: UInt64? = nil, limit: Int = 1_000, at node: TestNode
  ) throws -> [AccountEvent] {
    // As whoever asks does.
    node.node.keepLedger(into: &node.sink)
    let (ledger, account) = (try #require(node.node.ledger?.ledger), try self.owner(owner).publicKey)
    return try LedgerQuestion.events(
      of: account, ledger[account], before: position, limit: limit, reading: node.sink.stable.read
    ).map(\.event)
  }

  private func transfer(_ number: TransferNumber, at node: TestNode) throws -> SignedTransfer? {
    let ledger = try #require(node.node.ledger?.ledger)
    return try LedgerQuestion.transfer(number, ledger[number.account], reading: node.sink.stable.read)
  }

  private func balances(of node: TestNode) throws -> [UInt64] {
    let ledger = try #require(node.node.ledger?.ledger)
    return try (0..<Self.owners).map { ledger[try owner($0).publicKey].balance }
  }

  @Test("A transfer is final at every node, and what came of it can be asked for")
  func pay() throws {
    let network = try network(4)
    let first = network.nodes[0]
    let transfer = try payment(300, from: 0, to: 1, at: first)
    #expect(try submit([transfer], at: first, of: network) == [nil])
    network.run(for: .seconds(3))
    for node in network.nodes {
      #expect(try balances(of: node) == [700, 1_300, 1_000, 1_000, 1_000, 1_000])
      #expect(node.sink.transfers == [transfer])
      node.node.keepLedger(into: &node.sink)
      let ledger = try #require(node.node.ledger?.ledger)
      let paid = try LedgerQuestion.events(
        of: try owner(1).publicKey, ledger[try owner(1).publicKey], before: nil, limit: 9,
        reading: node.sink.stable.read)
      let event = try #require(paid.first).event
      #expect(event.credit == 300 && event.balance == 1_300 && event.payer == transfer.transfer.account)
      #expect(paid.count == 1 && paid.first?.transfer == transfer)
      let kept = try LedgerQuestion.transfer(
        transfer.transfer.number, ledger[transfer.transfer.account], reading: node.sink.stable.read)
      #expect(kept == transfer)
    }
    // Again, and what it cannot have been.
    #expect(try submit([transfer], at: network.nodes[1], of: network) == [.numberUsed(next: 1)])
    let forged = SignedTransfer(
      transfer: try payment(1, from: 2, to: 1, at: first).transfer, signature: transfer.signature)
    #expect(try submit([forged], at: first, of: network) == [.unsigned])
  }

  @Test("What happened to an account, payments and credits in turn, can be asked for page by page")
  func pages() throws {
    let network = try network(4)
    let node = network.nodes[0]
    // Owner 0 pays in runs of every length, and is paid in between.
    for (payer, payee) in [(1, 0), (0, 1), (0, 1), (1, 0), (1, 0), (0, 2), (0, 2), (0, 2), (2, 0), (0, 1)] {
      #expect(try submit([try payment(10, from: payer, to: payee, at: node)], at: node, of: network) == [nil])
      network.run(for: .seconds(1))
    }
    network.run(for: .seconds(10))
    let all = try history(of: 0, at: node)
    #expect(all.map(\.position) == (0..<10).reversed())
    #expect(
      all.reversed().map { $0.credit ?? 0 } == [10, 0, 0, 10, 10, 0, 0, 0, 10, 0])
    #expect(
      all.reversed().map(\.balance) == [1_010, 1_000, 990, 1_000, 1_010, 1_000, 990, 980, 990, 980])
    #expect(all.filter { $0.credit == nil }.map(\.sequence) == (0..<6).reversed())
    for limit in 1...4 {
      for position in 0...10 {
        let expected = all.filter { $0.position < position }.prefix(limit)
        #expect(try history(of: 0, before: UInt64(position), limit: limit, at: node) == Array(expected))
      }
    }
  }

  @Test(
    "What happened to an account is told page by page however much it is, and each of its transfers by its number"
  )
  func manyPages() throws {
    let network = try network(4)
    let node = network.nodes[0]
    let count = 2 * LedgerKeeper.accountWindow
    var transfers: [SignedTransfer] = []
    for _ in 0..<2 {
      for _ in 0..<LedgerKeeper.accountWindow {
        transfers.append(try payment(1, from: 3, to: 4, at: node))
        #expect(try submit([transfers[transfers.count - 1]], at: node, of: network) == [nil])
      }
      network.run(for: .seconds(1))
    }
    for owner in [3, 4] {
      let all = try history(of: owner, at: node)
      #expect(all.map(\.position) == (0..<UInt64(count)).reversed())
      for position in 0...UInt64(count) {
        let page = try history(of: owner, before: position, limit: 5, at: node)
        #expect(page == Array(all.filter { $0.position < position }.prefix(5)))
      }
    }
    for transfer in transfers {
      #expect(try self.transfer(transfer.transfer.number, at: node) == transfer)
    }
    let payer = try owner(3).publicKey
    for sequence in [UInt64(count), .max] {
      let number = TransferNumber(account: payer, sequence: sequence)
      #expect(try transfer(number, at: node) == nil)
    }
    let other = TransferNumber(account: try owner(4).publicKey, sequence: 0)
    #expect(try transfer(other, at: node) == nil)
  }

  @Test("A transfer is voted for if its owner signed it for this ledger, and otherwise not")
  func forged() throws {
    let network = try network(4)
    let (liar, other) = (network.nodes[0], network.nodes[1])
    let good = try payment(1, from: 2, to: 1, at: liar)
    let forged = SignedTransfer(
      transfer: try payment(500, from: 3, to: 0, at: liar).transfer, signature: good.signature)
    let elsewhere = SignedTransfer(
      try payment(1, from: 4, to: 1, at: liar).transfer, in: SHA256.hash([]), by: try owner(4))
    let auth = try #require(other.node.host.process.diffusion.secure?.auth)
    let batch = SignedBatch<KeySecureAuthenticator>(
      identifier: MessageIdentifier(origin: Peer(2), sequence: 0),
      payload: NodeBatch(transfers: [good, forged, elsewhere]), signature: good.signature, hops: 1)
    #expect((0..<3).map { auth.admits(entryAt: $0, of: batch) } == [true, false, false])
  }

  @Test(
    "Nodes that are killed in the midst of transfers, all at once or one after another, have the same accounts again"
  )
  func crashes() throws {
    let members = try members(4)
    let network = try network(4)
    var random = Xoshiro256(seed: seed)
    var accepted: [SignedTransfer] = []
    for round in 0..<6 {
      for _ in 0..<20 {
        // An owner who asked two nodes in turn would have to remember what was signed.
        let payer = random.uniform(below: Self.owners)
        let node = network.nodes[payer % 4]
        let transfer = try payment(
          UInt64(1 + random.uniform(below: 9)), from: payer, to: random.uniform(below: Self.owners), at: node)
        if try submit([transfer], at: node, of: network) == [nil] { accepted.append(transfer) }
        network.run(for: .milliseconds(Int(random.uniform(below: 120))))
      }
      let killed = round % 2 == 0 ? [0, 1, 2, 3] : [random.uniform(below: 4)]
      for i in killed {
        let old = network.nodes[i]
        network.nodes[i] = try node(i + 1, of: members, after: old.sink.stable)
        network.nodes[i].sink.transfers = old.sink.transfers
      }
      for i in killed { network.start(network.nodes[i]) }
      network.run(for: .seconds(20))
    }
    network.run(for: .seconds(60))
    let hashes = network.nodes.compactMap { $0.node.ledger?.ledger.stateHash }
    #expect(Set(hashes).count == 1 && hashes.count == 4)
    for node in network.nodes {
      let ledger = try #require(node.node.ledger?.ledger)
      #expect(ledger.total == 6_000)
      #expect(node.node.transfersApplied == UInt64(accepted.count), "each was taken, so each is final")
      for transfer in accepted {
        #expect(ledger[transfer.transfer.account].next > transfer.transfer.sequence)
      }
    }
  }
}
