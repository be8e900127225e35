import StarlingBroadcast
import StarlingCore
import StarlingLedger
import StarlingTestSupport
import Testing

@testable import StarlingNode

/// Nodes that keep a ledger, in virtual time, and owners who pay each other.
final class LedgerNetwork {
  let seed: UInt64
  let owners: [Identity]
  let members: [PeerRecord]
  let genesis: Genesis
  let network: NodeNetwork
  /// Who keeps an owner's books: the node where it pays.
  private(set) var accepted: [SignedTransfer] = []
  private var random: Xoshiro256

  init(_ count: Int, owners ownerCount: Int = 6, seed: UInt64) throws {
    self.seed = seed
    random = Xoshiro256(seed: seed)
    owners = try (0..<ownerCount).map { try Identity(seed: seedBytes(seed, 1_000 + $0)) }
    members = try (1...count).map { n in
      PeerRecord(key: try Identity(seed: seedBytes(seed, n)).publicKey, address: try address(n))
    }
    genesis = try Genesis(
      network: "test", members: members.map(\.key), byzantine: (count - 1) / 3,
      balances: Dictionary(uniqueKeysWithValues: owners.map { ($0.publicKey, 10_000) }))
    network = NodeNetwork([], seed: seed)
    for n in 1...count {
      network.nodes.append(try node(n))
      network.start(network.nodes[n - 1])
    }
    network.run(for: .seconds(10))
  }

  var nodes: [TestNode] { network.nodes }

  func node(_ n: Int, after memory: StableMemory = StableMemory()) throws -> TestNode {
    try TestNode(n, contacts: members.compactMap(\.address), seed: seed, after: memory) {
      $0.secure = SecureConfiguration(.bracha(byzantine: (members.count - 1) / 3), among: members)
      $0.secure?.genesis = genesis
    }
  }

  /// Kills a node and starts another life of it.
  func restart(_ index: Int, after memory: StableMemory? = nil) throws {
    let old = network.nodes[index]
    network.nodes[index] = try node(index + 1, after: memory ?? old.sink.stable)
    network.start(network.nodes[index])
  }

  /// Has an owner pay at a node.
  @discardableResult
  func pay(at index: Int, by payer: Int? = nil) throws -> SignedTransfer? {
    // Each owner pays at one node: one who asked two in turn would have to remember what was signed.
    let node = network.nodes[index]
    let payer = owners[
      payer ?? (index + network.nodes.count * random.uniform(below: owners.count / network.nodes.count))]
    let payee = owners[random.uniform(below: owners.count)]
    let account = try #require(node.node.ledger?.expected(of: payer.publicKey))
    let transfer = SignedTransfer(
      Transfer(
        account: payer.publicKey, sequence: account.next, funds: account.balance,
        destinations: [.init(account: payee.publicKey, amount: 1)]), in: genesis.hash, by: payer)
    defer { network.collect(from: node) }
    guard try node.node.submit([transfer], at: network.now, into: &node.sink) == [nil] else { return nil }
    accepted.append(transfer)
    return transfer
  }

  /// So many batches, at some nodes in turn.
  func pay(batches count: Int, at indices: [Int], every interval: Interval = .milliseconds(60)) throws {
    for round in 0..<count {
      try pay(at: indices[round % indices.count])
      network.run(for: interval)
    }
  }

  /// How many batches a node has delivered.
  func delivered(by node: TestNode) -> UInt64 {
    guard let secure = node.node.host.process.diffusion.secure else { return 0 }
    return secure.broadcast.members.members.reduce(0) { $0 + secure.broadcast.nextDelivered(of: $1) }
  }

  func hash(of node: TestNode) -> SHA256Digest? { node.node.ledger?.ledger.stateHash }

  /// Whether all nodes have applied all that was taken, each transfer once.
  func isSettled(_ nodes: [TestNode]? = nil) -> Bool {
    (nodes ?? network.nodes).allSatisfy { $0.node.transfersApplied == UInt64(accepted.count) }
  }

  /// Sees that all nodes have the same accounts and have applied each transfer once.
  func expectSame(_ nodes: [TestNode]? = nil) {
    let nodes = nodes ?? network.nodes
    #expect(Set(nodes.map(hash)).count == 1, "all have the same accounts")
    for node in nodes {
      #expect(node.node.transfersApplied == UInt64(accepted.count), "each was taken, so each is final")
      #expect(node.node.ledger?.ledger.total == genesis.supply)
      let numbers = node.sink.transfers.map(\.transfer.number)
      #expect(Set(numbers).count == numbers.count, "none is applied twice")
      #expect(!node.sink.events.contains { if case .missed = $0 { true } else { false } })
    }
  }
}
