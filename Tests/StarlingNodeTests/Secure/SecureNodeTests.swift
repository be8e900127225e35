import StarlingApps
import StarlingBroadcast
import StarlingCore
import StarlingOverlay
import StarlingTestSupport
import Testing

@testable import StarlingNode

@Suite("Secure broadcast among nodes")
struct SecureNodeTests {
  private static let samples = SecureBroadcastParameters(
    gossip: 6, echo: 24, echoThreshold: 14, ready: 16, readyThreshold: 6, delivery: 24, deliveryThreshold: 14)

  /// Nodes that all know each other, none started.
  private func network(
    _ count: Int, _ broadcast: SecureConfiguration.Broadcast, seed: UInt64, loss: Double = 0
  ) throws -> NodeNetwork {
    var members: [PeerRecord] = []
    for n in 1...count {
      members.append(
        PeerRecord(key: try Identity(seed: seedBytes(seed, n)).publicKey, address: try address(n)))
    }
    let nodes = try (1...count).map { n in
      try TestNode(n, contacts: n == 1 ? [] : [try address(1)], seed: seed) {
        $0.secure = SecureConfiguration(broadcast, among: members)
      }
    }
    return NodeNetwork(nodes, seed: seed, loss: loss)
  }

  private func post(_ texts: [String], at node: TestNode, of network: NodeNetwork, batch: Int = 1_024) throws
  {
    _ = try node.node.post(texts.map { Array($0.utf8) }, batchLimit: batch, at: network.now, into: &node.sink)
    network.collect(from: node)
  }

  private func texts(of node: TestNode) -> [String] {
    node.sink.posts.map { String(decoding: $0.post.contents, as: UTF8.self) }
  }

  private static let broadcasts: [SecureConfiguration.Broadcast] = [
    .bracha(byzantine: 2), .secure(samples), .consistent(samples),
  ]

  @Test(
    "Every node delivers every post once, in its author's order, though datagrams are lost",
    arguments: broadcasts)
  func posts(broadcast: SecureConfiguration.Broadcast) throws {
    let seed = testSeed(default: 71)
    let network = try network(8, broadcast, seed: seed, loss: 0.02)
    for node in network.nodes { network.start(node) }
    network.run(for: .seconds(10))
    for round in 0..<5 {
      for (i, node) in network.nodes.enumerated() {
        try post((0..<7).map { "\(i) \(round * 7 + $0)" }, at: node, of: network, batch: 3)
      }
    }
    network.run(for: .seconds(60)) { network.nodes.allSatisfy { $0.sink.posts.count == 8 * 35 } }
    for node in network.nodes {
      #expect(node.sink.posts.count == 8 * 35)
      for i in 0..<8 {
        #expect(texts(of: node).filter { $0.hasPrefix("\(i) ") } == (0..<35).map { "\(i) \($0)" })
      }
      #expect(node.status.postsDigest == network.nodes[0].status.postsDigest)
    }
  }

  @Test(
    "A file goes to every node by the secure broadcast, and what a member sends by the tree is not delivered")
  func file() throws {
    let seed = testSeed(default: 72)
    let network = try network(7, .bracha(byzantine: 2), seed: seed)
    for node in network.nodes { network.start(node) }
    network.run(for: .seconds(10))
    let contents = (0..<100_000).map { UInt8(truncatingIfNeeded: $0 / 7) }
    let publisher = network.nodes[2]
    let manifest = try network.publish(contents, name: "a.txt", from: publisher, chunkBytes: 8 << 10)
    let receivers = network.nodes.filter { $0 !== publisher }
    network.run(for: .seconds(30)) { receivers.allSatisfy { !$0.sink.completed.isEmpty } }
    for node in receivers { #expect(node.contents(of: manifest) == contents) }
    #expect(!publisher.sink.events.contains { if case .spokenFor = $0 { true } else { false } })

    // The tree's way, with a signature that is good.
    let liar = network.nodes[0]
    let identity = try Identity(seed: seedBytes(seed, 1))
    let auth = KeyAuthenticator(
      identity: identity, network: Array("test".utf8), peers: liar.node.peers, policy: OpenPolicy())
    let identifier = MessageIdentifier(origin: PeerTable.own, sequence: 99)
    let payload = FileMessage.manifest(
      try FileManifest(name: "b.txt", topic: "", contents: [1], chunkBytes: 1_024)
    ).encoded
    let broadcast = Broadcast<KeyAuthenticator>(
      identifier: identifier, hops: 1, payload: payload, signature: auth.sign(payload, as: identifier))
    var core = NodeBroadcast(
      tree: BroadcastTree(identity: Peer(5), auth: auth),
      secure: receivers[0].node.host.process.diffusion.secure)
    var effects = RecordingEffects(NodeBroadcast.self, random: Xoshiro256(seed: 1))
    core.receive(.tree(.push(broadcast)), from: Peer(1), at: .zero, into: &effects)
    #expect(effects.indications.isEmpty)
  }

  @Test(
    "Who starts late, and who was cut off for a while, delivers what the others did", arguments: broadcasts)
  func late(broadcast: SecureConfiguration.Broadcast) throws {
    let seed = testSeed(default: 73)
    let network = try network(8, broadcast, seed: seed)
    let late = network.nodes[7]
    late.isHanging = true
    for node in network.nodes where node !== late { network.start(node) }
    network.run(for: .seconds(10))
    try post(["before"], at: network.nodes[1], of: network)
    network.run(for: .seconds(5))
    late.isHanging = false
    network.start(late)
    network.run(for: .seconds(40)) { late.sink.posts.count == 1 }
    #expect(texts(of: late) == ["before"])
    // Long enough for every connection to be given up.
    late.isHanging = true
    network.run(for: .seconds(60))
    try post(["meanwhile"], at: network.nodes[2], of: network)
    network.run(for: .seconds(10))
    late.isHanging = false
    network.run(for: .seconds(90)) { late.sink.posts.count == 2 }
    #expect(texts(of: late) == ["before", "meanwhile"])
    for node in network.nodes { #expect(texts(of: node) == ["before", "meanwhile"]) }
  }

  @Test("Nobody posts in another's name, nor without a secure broadcast")
  func names() throws {
    let seed = testSeed(default: 74)
    let network = try network(4, .bracha(byzantine: 1), seed: seed)
    let (liar, victim) = (network.nodes[0], network.nodes[1])
    let identity = try Identity(seed: seedBytes(seed, 1))
    let members = liar.node.host.process.diffusion.secure?.broadcast.members ?? PeerSet()
    let auth = KeySecureAuthenticator(
      identity: identity, network: Array("test".utf8), peers: liar.node.peers, members: members)
    func batch(by author: PublicKey) throws -> SignedBatch<KeySecureAuthenticator> {
      let posts = PostBatch(author: author, posts: [Post(number: 1, contents: [1])])
      let payload = try NodeBatch(encoded: posts.encoded)
      let identifier = MessageIdentifier(origin: PeerTable.own, sequence: 0)
      return SignedBatch(
        identifier: identifier, payload: payload,
        signature: auth.sign(KeySecureAuthenticator.digest(of: payload), as: identifier), hops: 1)
    }
    #expect(auth.verifies(try batch(by: liar.key)))
    #expect(!auth.verifies(try batch(by: victim.key)))
    let open = try TestNode(9, contacts: [], seed: seed)
    #expect(throws: PostError.notSecure) {
      _ = try open.node.post([[1]], batchLimit: 1, at: .zero, into: &open.sink)
    }
  }

  @Test("A node whose key is no member's is not made, and says so")
  func stranger() throws {
    let member = PeerRecord(key: try Identity(seed: seedBytes(5, 2)).publicKey, address: try address(2))
    #expect(throws: NodeError.notAMember(try Identity(seed: seedBytes(5, 1)).publicKey)) {
      _ = try TestNode(1, contacts: [], seed: 5) {
        $0.secure = SecureConfiguration(.bracha(byzantine: 0), among: [member])
      }
    }
  }
}

@Suite("A member of a secure broadcast that is started again")
struct SecureRestartTests {
  private let broadcast = SecureConfiguration.Broadcast.bracha(byzantine: 1)

  private func members(_ count: Int, seed: UInt64) throws -> [PeerRecord] {
    try (1...count).map { n in
      PeerRecord(key: try Identity(seed: seedBytes(seed, n)).publicKey, address: try address(n))
    }
  }

  private func start(_ network: NodeNetwork) {
    for node in network.nodes { network.start(node) }
    network.run(for: .seconds(10))
  }

  private func post(_ text: String, at node: TestNode, of network: NodeNetwork) throws {
    _ = try node.node.post([Array(text.utf8)], batchLimit: 1, at: network.now, into: &node.sink)
    network.collect(from: node)
  }

  private func texts(of node: TestNode) -> [String] {
    node.sink.posts.map { String(decoding: $0.post.contents, as: UTF8.self) }
  }

  /// A network of four in which the fourth comes back after posts of the first, with what it remembers.
  private func restart(
    posts: Int, remembering: Bool, then check: (NodeNetwork, TestNode, TestNode) throws -> Void
  ) throws {
    let seed = testSeed(default: 81)
    let members = try members(4, seed: seed)
    let nodes = try (1...4).map { n in
      try TestNode(n, contacts: n == 1 ? [] : [try address(1)], seed: seed) {
        $0.secure = SecureConfiguration(broadcast, among: members)
      }
    }
    let network = NodeNetwork(nodes, seed: seed)
    start(network)
    let (author, old) = (nodes[0], nodes[3])
    try post("own", at: old, of: network)
    network.run(for: .seconds(5))
    // As kill -9 would: nobody is told.
    network.nodes.removeLast()
    for i in 0..<posts {
      try post("\(i)", at: author, of: network)
      network.run(for: .milliseconds(200))
    }
    network.run(for: .seconds(40))
    let new = try TestNode(
      4, contacts: [try address(1)], seed: seed, firstSequence: 1_000,
      after: remembering ? old.sink.stable : StableMemory()
    ) { $0.secure = SecureConfiguration(broadcast, among: members) }
    network.nodes.append(new)
    network.start(new)
    network.run(for: .seconds(60))
    try check(network, author, new)
  }

  @Test("It delivers what it missed, takes up its own numbers, and delivers nothing twice")
  func remembers() throws {
    try restart(posts: 20, remembering: true) { network, author, new in
      #expect(texts(of: new) == (0..<20).map { "\($0)" })
      try post("again", at: new, of: network)
      network.run(for: .seconds(10))
      for node in network.nodes { #expect(texts(of: node).last == "again") }
      #expect(texts(of: author).filter { $0 == "own" } == ["own"])
    }
  }

  @Test(
    "A post's number that was used stays used, though every member was started again since",
    arguments: [true, false])
  func usedNumbers(remembering: Bool) throws {
    let seed = testSeed(default: 82)
    let members = try members(4, seed: seed)
    // An author whose later lives begin to number their posts anew: whether the others remember is what matters.
    func node(_ n: Int, after memory: StableMemory) throws -> TestNode {
      try TestNode(n, contacts: members.compactMap(\.address), seed: seed, after: memory) {
        $0.secure = SecureConfiguration(broadcast, among: members)
      }
    }
    let network = NodeNetwork(try (1...4).map { try node($0, after: StableMemory()) }, seed: seed)
    start(network)
    try post("to bob", at: network.nodes[0], of: network)
    network.run(for: .seconds(5))
    for n in 1...4 {
      let old = network.nodes.removeFirst()
      network.run(for: .seconds(1))
      // How far each sender has come is always remembered (2), and what was said and settled (3, 5) is what it is about.
      var kept = old.sink.stable
      if !remembering { kept.values = kept.values.filter { $0.key.first == 2 } }
      network.nodes.append(try node(n, after: kept))
      network.start(network.nodes[3])
      network.run(for: .seconds(40))
    }
    try post("to carol", at: network.nodes[0], of: network)
    network.run(for: .seconds(10))
    for node in network.nodes { #expect(texts(of: node) == (remembering ? [] : ["to carol"])) }
  }

  @Test(
    "A member whose state is lost broadcasts what it is given at once under numbers that it never used, in order",
    arguments: [false, true])
  func lostState(isKilledAgain: Bool) throws {
    let seed = testSeed(default: 83)
    let members = try members(4, seed: seed)
    func node(_ n: Int, life: UInt64, after memory: StableMemory = StableMemory()) throws -> TestNode {
      let contacts = members.compactMap(\.address)
      return try TestNode(
        n, contacts: contacts, seed: seed, firstSequence: 1_000 * life + 1, after: memory
      ) { $0.secure = SecureConfiguration(broadcast, among: members) }
    }
    let network = NodeNetwork(try (1...4).map { try node($0, life: 0) }, seed: seed)
    start(network)
    for number in 0..<9 { try post("old \(number)", at: network.nodes[3], of: network) }
    network.run(for: .seconds(5))
    network.nodes.removeLast()
    network.run(for: .seconds(1))
    var reborn = try node(4, life: 1)
    network.nodes.append(reborn)
    network.start(reborn)
    // Nobody has been heard yet.
    for number in 0..<5 { try post("new \(number)", at: reborn, of: network) }
    if isKilledAgain {
      network.nodes.removeLast()
      reborn = try node(4, life: 2, after: reborn.sink.stable)
      network.nodes.append(reborn)
      network.start(reborn)
    }
    network.run(for: .seconds(10))
    try post("last", at: reborn, of: network)
    network.run(for: .seconds(60))
    let (old, new) = ((0..<9).map { "old \($0)" }, (0..<5).map { "new \($0)" })
    for node in network.nodes { #expect(texts(of: node) == old + new + ["last"]) }
    #expect(reborn.sink.events.contains(.forgotten(9)))
  }

  @Test("Nobody is believed about own numbers without the own signature, nor before enough have answered")
  func numbersOfOwn() throws {
    let seed = testSeed(default: 84)
    let members = try members(5, seed: seed)
    let node = try TestNode(1, contacts: [], seed: seed) {
      $0.secure = SecureConfiguration(broadcast, among: members)
    }
    var part = try #require(node.node.host.process.diffusion.secure)
    let others = part.broadcast.members.members.filter { $0 != PeerTable.own }
    var effects = RecordingEffects(SecurePart.self, random: Xoshiro256(seed: 1))
    part.start(at: .zero, into: &effects)
    // Only who has not answered is asked again.
    func asked() -> Set<Peer> {
      Set(effects.sent.compactMap { if case .numbers(.ask) = $0.message { $0.to } else { nil } })
    }
    #expect(asked() == Set(others))
    let posts = PostBatch(author: node.key, posts: [Post(number: 1, contents: [1])])
    part.handle(.broadcast(posts.encoded), at: .zero, into: &effects)
    let digest = SHA256.hash([1])
    func known(_ number: UInt64, signedAs signed: UInt64) -> NumberMessage {
      let instance = MessageIdentifier(origin: PeerTable.own, sequence: signed)
      return .known(
        KnownBatch(sequence: number, digest: digest, signature: part.auth.sign(digest, as: instance)))
    }
    func isOpen() -> Bool {
      effects.sent.contains { if case .member(.bracha(.send)) = $0.message { true } else { false } }
    }
    part.receive(.numbers(known(1 << 40, signedAs: 7)), from: others[0], at: .zero, into: &effects)
    #expect(effects.indications.contains { if case .misbehaved(others[0], _) = $0 { true } else { false } })
    part.receive(.numbers(known(7, signedAs: 7)), from: others[1], at: .zero, into: &effects)
    for _ in 0..<3 { part.receive(.numbers(.known(nil)), from: others[2], at: .zero, into: &effects) }
    part.receive(.numbers(.known(nil)), from: Peer(4_000), at: .zero, into: &effects)
    #expect(!isOpen())
    effects.clear()
    part.expire(.inquiry, at: .zero + .seconds(1), into: &effects)
    #expect(asked() == [others[0], others[3]])
    // Four less the one that may lie.
    part.receive(.numbers(.known(nil)), from: others[3], at: .zero, into: &effects)
    #expect(isOpen())
    for case .member(.bracha(.send(let batch))) in effects.sent.map(\.message) {
      #expect(batch.identifier.sequence == 8)
    }
  }

  @Test(
    "It goes on with what can still be had after it was away for long, and says from where it missed something"
  )
  func away() throws {
    try restart(posts: 200, remembering: true) { network, author, new in
      try post("now", at: author, of: network)
      network.run(for: .seconds(60))
      let texts = texts(of: new)
      #expect(texts.last == "now")
      let first = try #require(texts.first.flatMap { Int($0) })
      #expect(texts.dropLast() == (first..<200).map { "\($0)" }[...])
      let missed = new.sink.events.compactMap {
        if case .missedBroadcasts(author.key, let first, let next) = $0 { first..<next } else { nil }
      }
      #expect(missed.first?.lowerBound == 0 && missed.last?.upperBound == UInt64(first))
    }
  }
}
