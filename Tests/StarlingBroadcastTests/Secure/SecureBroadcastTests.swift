import StarlingBroadcast
import StarlingCore
import StarlingSimulator
import StarlingTestSupport
import Testing

/// What Ready Broadcast, Echo Broadcast and Bracha's promise, on simulated networks with liars.
struct SecureBroadcastTests {
  /// Samples so large among 64 processes that ε is negligible for 6 liars.
  private static let nodes = 64
  private static let parameters = SecureBroadcastParameters(
    gossip: 16, echo: 300, echoThreshold: 230, ready: 120, readyThreshold: 48, delivery: 200,
    deliveryThreshold: 140)

  private func ready(_ peer: Peer, of nodes: Int = Self.nodes) -> IdealReady {
    ReadyBroadcast(
      identity: peer, auth: IdealSecureAuthenticator(owner: peer),
      oracle: NumberedMembership(population: nodes),
      parameters: Self.parameters, entries: EntryLog(authorLimit: 1_000, windowLimit: 16))
  }

  private static let everybody = MultisetSample(all: NumberedMembership(population: 16))

  private func bracha(_ peer: Peer) -> IdealBracha {
    BrachaBroadcast(
      identity: peer, auth: IdealSecureAuthenticator(owner: peer), members: Self.everybody, byzantine: 5,
      entries: EntryLog(authorLimit: 1_000, windowLimit: 16))
  }

  private func signed(
    _ number: UInt32, by sender: Peer, sequence: UInt64 = 0, entries: [BatchEntry<UInt32, UInt32>] = []
  ) -> SignedBatch<IdealSecureAuthenticator> {
    let auth = IdealSecureAuthenticator(owner: sender)
    let identifier = MessageIdentifier(origin: sender, sequence: sequence)
    let payload = SyntheticBatch(number: number, byteCount: 100, entries: entries)
    return SignedBatch(
      identifier: identifier, payload: payload,
      signature: auth.sign(auth.digest(of: payload), as: identifier),
      hops: 1)
  }

  @Test("The parameters of these tests are safe")
  func parametersAreSafe() {
    #expect(EpsilonCalculator(nodes: Self.nodes, byzantine: 0.1).failures(Self.parameters).epsilon < 1e-5)
  }

  @Test("Everybody delivers a correct sender's batches though a tenth says nothing, and at the computed cost")
  func validity() throws {
    var random = testRandom()
    var network = secureNetwork(of: Self.nodes, random: &random) { $0.index >= 58 ? nil : ready($0) }
    network.run(until: .zero + .seconds(2))
    let before = network.observer.sent
    for sequence in 0..<3 {
      network.request(
        .broadcast(SyntheticBatch(number: UInt32(sequence), byteCount: 100), sequence: UInt64(sequence)),
        of: Peer(3))
    }
    network.run(until: .zero + .seconds(10))
    for sequence in 0..<3 {
      let delivered = try #require(
        network.observer.deliveries[MessageIdentifier(origin: Peer(3), sequence: UInt64(sequence))])
      #expect(delivered.count == 58, "sequence \(sequence); \(replay)")
      #expect(delivered.values.allSatisfy { $0.batch == UInt32(sequence) && $0.refused.isEmpty }, "\(replay)")
    }
    #expect(network.observer.accusations == 0 && network.observer.contradictions == 0)
    // 58 of 64 processes send, each three times what the calculator says.
    let expected = 3 * 58 * BroadcastCost.secure(nodes: Self.nodes, Self.parameters)
    let ratio = Double(network.observer.sent - before) / expected
    #expect(ratio > 0.9 && ratio < 1.1, "\(ratio); \(replay)")
  }

  @Test("Whoever starts late hears of what is under way by its own subscriptions")
  func lateSubscriber() {
    var random = testRandom()
    let delay = DelayModel.uniform(from: .milliseconds(10), to: .milliseconds(90))
    let delays = DelaySampler(delay, peers: Self.nodes, random: &random)
    var network = SecureSimulation<IdealReady>(
      capacity: Self.nodes, network: LossyNetwork(delays: delays, loss: 0), observer: DeliveryBook(),
      seed: random.next())
    for _ in 0..<63 { _ = network.add { Actor(correct: ready($0)) } }
    network.run(until: .zero + .seconds(1))
    network.request(.broadcast(SyntheticBatch(number: 9, byteCount: 100), sequence: 0), of: Peer(0))
    network.run(until: .zero + .seconds(5))
    _ = network.add { Actor(correct: ready($0)) }
    network.run(until: .zero + .seconds(8))
    #expect(
      network.observer.deliveries[MessageIdentifier(origin: Peer(0), sequence: 0)]?.count == 64, "\(replay)")
  }

  @Test("A sender that says one thing to half and another to the rest makes nobody deliver differently")
  func equivocation() {
    var random = testRandom()
    var network = secureNetwork(of: Self.nodes, random: &random) { $0.index >= 58 ? nil : ready($0) }
    network.run(until: .zero + .seconds(2))
    let (one, other) = (signed(1, by: Peer(60)), signed(2, by: Peer(60)))
    for i in 0..<58 {
      network.request(.send([(.echo(.gossip(.gossip(i % 2 == 0 ? one : other))), Peer(i))]), of: Peer(60))
    }
    // All liars echo and are ready for both.
    for liar in 58..<64 {
      for batch in [one, other] {
        let vote = Vote<IdealSecureAuthenticator>(
          identifier: batch.identifier, digest: batch.digest, signature: batch.signature, refused: [], hops: 2
        )
        network.request(
          .send((0..<58).flatMap { [(.echo(.echo(vote)), Peer($0)), (.ready(vote), Peer($0))] }),
          of: Peer(liar))
      }
    }
    network.run(until: .zero + .seconds(20))
    let delivered = network.observer.deliveries[one.identifier] ?? [:]
    #expect(Set(delivered.values.map(\.batch)).count <= 1, "\(replay)")
    #expect(delivered.isEmpty || delivered.count == 58, "\(delivered.count) delivered; \(replay)")
    #expect(network.observer.contradictions == 0)
  }

  @Test("What a sender tells to enough is fetched by those whom it kept it from")
  func fetch() {
    var random = testRandom()
    var network = secureNetwork(of: 16, random: &random) { bracha($0) }
    // Eleven echoes of sixteen are a quorum against five liars; the other five processes never see the batch itself.
    let batch = signed(7, by: Peer(15))
    for i in 0..<11 { network.request(.send([(.send(batch), Peer(i))]), of: Peer(15)) }
    network.run(until: .zero + .seconds(20))
    #expect(network.observer.deliveries[batch.identifier]?.count == 16, "\(replay)")
  }

  @Test("A batch that its sender did not sign is delivered by nobody, and told")
  func forgery() {
    var random = testRandom()
    var network = secureNetwork(of: Self.nodes, random: &random) { $0.index == 63 ? nil : ready($0) }
    network.run(until: .zero + .seconds(2))
    let real = signed(1, by: Peer(63))
    let forged = SignedBatch<IdealSecureAuthenticator>(
      identifier: MessageIdentifier(origin: Peer(4), sequence: 0), payload: real.payload,
      signature: real.signature,
      hops: 1)
    let vote = Vote<IdealSecureAuthenticator>(
      identifier: forged.identifier, digest: forged.digest, signature: forged.signature, refused: [], hops: 1)
    for i in 0..<63 {
      network.request(
        .send([
          (.echo(.gossip(.gossip(forged))), Peer(i)), (.echo(.echo(vote)), Peer(i)), (.ready(vote), Peer(i)),
        ]), of: Peer(63))
    }
    network.run(until: .zero + .seconds(10))
    #expect(network.observer.deliveries.isEmpty)
    #expect(network.observer.accusations >= 63, "one for each who was told; \(replay)")
  }

  @Test(
    "Two batches with conflicting entries: one of them at most is delivered, and the other entries by all")
  func entries() throws {
    var random = testRandom()
    var network = secureNetwork(of: Self.nodes, random: &random) { $0.index >= 58 ? nil : ready($0) }
    network.run(until: .zero + .seconds(2))
    func batch(_ number: UInt32, fraud: UInt32) -> SyntheticBatch {
      SyntheticBatch(
        number: number, byteCount: 100,
        entries: [
          BatchEntry(author: 100 + number, sequence: 1, contents: 5),
          BatchEntry(author: 7, sequence: 1, contents: fraud),
          BatchEntry(author: 200 + number, sequence: 1, contents: 6),
        ])
    }
    network.request(.broadcast(batch(1, fraud: 1), sequence: 0), of: Peer(1))
    network.request(.broadcast(batch(2, fraud: 2), sequence: 0), of: Peer(2))
    network.run(until: .zero + .seconds(20))
    let first = try #require(network.observer.deliveries[MessageIdentifier(origin: Peer(1), sequence: 0)])
    let second = try #require(network.observer.deliveries[MessageIdentifier(origin: Peer(2), sequence: 0)])
    #expect(first.count == 58 && second.count == 58, "\(replay)")
    for (peer, delivery) in first {
      #expect(delivery.refused == [] || delivery.refused == [1], "\(replay)")
      #expect(second[peer]?.refused == [] || second[peer]?.refused == [1], "\(replay)")
    }
    // Consistency and totality of the entry: the same of the two everywhere, or none.
    let takers = [first, second].map { deliveries in deliveries.values.count { $0.refused.isEmpty } }
    #expect(takers == [58, 0] || takers == [0, 58] || takers == [0, 0], "\(takers); \(replay)")
  }

  @Test("What is forgotten takes no memory and is not opened by what belonged to it")
  func forget() {
    var random = testRandom()
    var network = secureNetwork(of: Self.nodes, random: &random) { ready($0) }
    network.run(until: .zero + .seconds(2))
    network.request(.broadcast(SyntheticBatch(number: 1, byteCount: 100), sequence: 0), of: Peer(0))
    network.run(until: .zero + .seconds(5))
    for i in 0..<Self.nodes {
      network.request(.forget(MessageIdentifier(origin: Peer(0), sequence: 0)), of: Peer(i))
      #expect(network[Peer(i)].correct?.liveInstances == 0)
    }
  }

  @Test("Bracha's broadcast reaches all though a third less one says nothing")
  func bracha() {
    var random = testRandom()
    var network = secureNetwork(of: 16, random: &random) { $0.index >= 11 ? nil : bracha($0) }
    network.request(.broadcast(SyntheticBatch(number: 4, byteCount: 100), sequence: 0), of: Peer(2))
    network.run(until: .zero + .seconds(5))
    let delivered = network.observer.deliveries[MessageIdentifier(origin: Peer(2), sequence: 0)] ?? [:]
    #expect(delivered.count == 11 && delivered.values.allSatisfy { $0.batch == 4 }, "\(replay)")
    #expect(network.observer.sent == 15 + 11 * 15 * 2)
  }

  @Test(
    "Bracha's quorums hold against a sender that says two things and five who help it, however it divides them"
  )
  func brachaEquivocation() {
    for share in 1..<11 {
      var random = testRandom()
      var network = secureNetwork(of: 16, random: &random) { $0.index >= 11 ? nil : bracha($0) }
      let (one, other) = (signed(1, by: Peer(12)), signed(2, by: Peer(12)))
      for i in 0..<11 { network.request(.send([(.send(i < share ? one : other), Peer(i))]), of: Peer(12)) }
      for liar in 11..<16 {
        // Each side hears what would make it deliver its own.
        let lies: [(IdealBracha.Message, Peer)] = (0..<11).flatMap { i in
          let batch = i < share ? one : other
          let vote = Vote<IdealSecureAuthenticator>(
            identifier: batch.identifier, digest: batch.digest, signature: batch.signature, refused: [],
            hops: 2)
          return [(IdealBracha.Message.echo(vote), Peer(i)), (.ready(vote), Peer(i))]
        }
        network.request(.send(lies), of: Peer(liar))
      }
      network.run(until: .zero + .seconds(10))
      let delivered = network.observer.deliveries[one.identifier] ?? [:]
      #expect(Set(delivered.values.map(\.batch)).count <= 1, "share \(share); \(replay)")
      #expect(delivered.isEmpty || delivered.count == 11, "share \(share): \(delivered.count); \(replay)")
    }
  }
}
