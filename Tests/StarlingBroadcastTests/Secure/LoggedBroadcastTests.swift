import StarlingBroadcast
import StarlingCore
import StarlingSimulator
import StarlingTestSupport
import Testing

/// What another life of a process does that has its log: nothing that contradicts the one before.
@Suite("Secure broadcast: a process that crashes and comes back")
struct LoggedBroadcastTests {
  private static let nodes = 16
  private static let parameters = SecureBroadcastParameters(
    gossip: 12, echo: 60, echoThreshold: 40, ready: 40, readyThreshold: 14, delivery: 60,
    deliveryThreshold: 40)

  private func entries() -> EntryLog<UInt32, UInt32> { EntryLog(authorLimit: 1_000, windowLimit: 64) }

  private func ready(_ peer: Peer) -> IdealReady {
    IdealReady(
      identity: peer, auth: IdealSecureAuthenticator(owner: peer),
      oracle: NumberedMembership(population: Self.nodes), parameters: Self.parameters, entries: entries())
  }

  private func echo(_ peer: Peer) -> IdealEcho {
    IdealEcho(
      identity: peer, auth: IdealSecureAuthenticator(owner: peer),
      oracle: NumberedMembership(population: Self.nodes), parameters: Self.parameters, entries: entries())
  }

  private func bracha(_ peer: Peer) -> IdealBracha {
    IdealBracha(
      identity: peer, auth: IdealSecureAuthenticator(owner: peer),
      members: MultisetSample(all: NumberedMembership(population: Self.nodes)), byzantine: 5,
      entries: entries(),
      startsLate: true)
  }

  private func signed(
    _ number: UInt32, by sender: Int, sequence: UInt64, entries: [BatchEntry<UInt32, UInt32>] = []
  ) -> SignedBatch<IdealSecureAuthenticator> {
    let identifier = MessageIdentifier(origin: Peer(sender), sequence: sequence)
    let payload = SyntheticBatch(number: number, byteCount: 100, entries: entries)
    let auth = IdealSecureAuthenticator(owner: Peer(sender))
    return SignedBatch(
      identifier: identifier, payload: payload,
      signature: auth.sign(IdealSecureAuthenticator.digest(of: payload), as: identifier), hops: 1)
  }

  private func entry(_ author: UInt32, _ sequence: UInt64, _ contents: UInt32) -> BatchEntry<UInt32, UInt32> {
    BatchEntry(author: author, sequence: sequence, contents: contents)
  }

  /// What a process echoed, and of what it was ready, in an instance of a sender that lies.
  private func words<Inner: SecureBroadcastProcess>(
    _ effects: RecordingEffects<OrderedBroadcast<Inner>>, _ instance: MessageIdentifier
  ) -> [Vote<IdealSecureAuthenticator>] where Inner.Auth == IdealSecureAuthenticator {
    effects.indications.compactMap {
      switch $0 {
      case .logged(.echoed(let batch, let refused)) where batch.identifier == instance:
        Vote(for: batch, refused: refused)
      case .logged(.ready(let vote)) where vote.identifier == instance: vote
      default: nil
      }
    }
  }

  /// A process that echoed a batch is given another of the same sender and number in its next life, and another entry of the
  /// same author and number in another sender's batch.
  private func contradicts<Inner: SecureBroadcastProcess>(
    remembering: Bool, _ make: (Peer) -> Inner,
    giving: (SignedBatch<IdealSecureAuthenticator>) -> Inner.Message
  ) -> (echoesOther: Bool, refusedOfEntry: [UInt16]?) where Inner.Auth == IdealSecureAuthenticator {
    var life = linked(Peer(1), make(Peer(1))).ordered
    var effects = RecordingEffects(OrderedBroadcast<Inner>.self, random: testRandom())
    life.start(at: .zero, into: &effects)
    let (first, other) = (
      signed(1, by: 3, sequence: 0, entries: [entry(9, 5, 1)]), signed(2, by: 3, sequence: 0)
    )
    life.receive(giving(first), from: Peer(3), at: .zero, into: &effects)
    #expect(words(effects, first.identifier).map(\.digest) == [first.digest])
    var memory = StableMemory()
    for indication in effects.indications where remembering { memory.note(indication) }

    var next = linked(Peer(1), make(Peer(1)), after: memory).ordered
    effects.clear()
    next.start(at: .zero, into: &effects)
    next.receive(giving(other), from: Peer(3), at: .zero, into: &effects)
    let conflicting = signed(3, by: 4, sequence: 0, entries: [entry(9, 5, 2), entry(9, 6, 2)])
    next.receive(giving(conflicting), from: Peer(4), at: .zero, into: &effects)
    return (
      words(effects, first.identifier).contains { $0.digest != first.digest },
      words(effects, conflicting.identifier).first?.refused
    )
  }

  @Test(
    "Neither another batch of an instance nor another entry of an author and number is echoed in the next life"
  )
  func echoes() {
    func check<Inner: SecureBroadcastProcess>(
      _ make: (Peer) -> Inner, giving: (SignedBatch<IdealSecureAuthenticator>) -> Inner.Message
    ) where Inner.Auth == IdealSecureAuthenticator {
      let honest = contradicts(remembering: true, make, giving: giving)
      #expect(!honest.echoesOther && honest.refusedOfEntry == [0])
      // Who forgets lies: that is what the log is for.
      let forgetful = contradicts(remembering: false, make, giving: giving)
      #expect(forgetful.echoesOther && forgetful.refusedOfEntry == [])
    }
    check(bracha) { .send($0) }
    check(echo) { .gossip(.gossip($0)) }
    check(ready) { .echo(.gossip(.gossip($0))) }
  }

  @Test("An entry that was echoed in a batch that is forgotten is remembered, until it is settled")
  func retained() {
    func check<Inner: SecureBroadcastProcess>(
      _ make: (Peer) -> Inner, giving: (SignedBatch<IdealSecureAuthenticator>) -> Inner.Message
    ) where Inner.Auth == IdealSecureAuthenticator {
      var life = make(Peer(1))
      var effects = RecordingEffects(Inner.self, random: testRandom())
      life.start(at: .zero, into: &effects)
      let batch = signed(1, by: 3, sequence: 0, entries: [entry(9, 5, 1), entry(8, 2, 1)])
      life.receive(giving(batch), from: Peer(3), at: .zero, into: &effects)
      life.settle(8, through: 2)
      effects.clear()
      life.handle(.forget(batch.identifier), at: .zero, into: &effects)
      let steps = effects.indications.compactMap { if case .logged(let step) = $0 { step } else { nil } }
      let kept = steps.compactMap { if case .retained(let entry) = $0 { entry } else { nil } }
      #expect(kept == [entry(9, 5, 1)])
      var next = make(Peer(1))
      for step in steps { next.recall(step) }
      next.start(at: .zero, into: &effects)
      effects.clear()
      let other = signed(3, by: 4, sequence: 0, entries: [entry(9, 5, 2)])
      next.receive(giving(other), from: Peer(4), at: .zero, into: &effects)
      let refused = effects.indications.compactMap {
        if case .logged(.echoed(_, let refused)) = $0 { refused } else { nil }
      }
      #expect(refused == [[0]])
    }
    check(bracha) { .send($0) }
    check(echo) { .gossip(.gossip($0)) }
    check(ready) { .echo(.gossip(.gossip($0))) }
  }

  /// Has every process crash at once while batches are under way, several times, and come back with its log.
  private func powerCuts<Inner: SecureBroadcastProcess>(_ make: (Peer) -> Inner)
  where Inner.Auth == IdealSecureAuthenticator {
    var random = testRandom()
    var network = linkedNetwork(of: Self.nodes, random: &random, make)
    network.run(until: .zero + .seconds(2))
    var number = 0
    let senders = 0..<3
    func broadcast() {
      for sender in senders {
        network.request(
          .broadcast(SyntheticBatch(number: UInt32(number * 3 + sender), byteCount: 100)), of: Peer(sender))
      }
      number += 1
    }
    for _ in 0..<3 {
      // More than are kept, in all.
      for _ in 0..<25 {
        broadcast()
        network.run(until: network.now + .milliseconds(Int(random.uniform(below: 40))))
      }
      for peer in 0..<Self.nodes { network.crash(Peer(peer)) }
      for peer in 0..<Self.nodes {
        let memory = (network.observer.stable[UInt32(peer)] ?? StableMemory()).pruned(for: Peer(peer))
        network.restart(Peer(peer), with: linked(Peer(peer), make(Peer(peer)), after: memory))
      }
      for peer in 0..<Self.nodes {
        for other in 0..<Self.nodes where other != peer {
          network.request(.disconnect(Peer(other)), of: Peer(peer))
        }
      }
    }
    broadcast()
    network.run(until: network.now + .seconds(60))
    for sender in senders {
      for sequence in 0..<UInt64(number) {
        let instance = MessageIdentifier(origin: Peer(sender), sequence: sequence)
        let times = network.observer.deliveries[instance]?.values.sorted() ?? []
        #expect(times == [Int](repeating: 1, count: Self.nodes), "\(sender) \(sequence); \(replay)")
        #expect(network.observer.contents[instance]?.count == 1, "\(replay)")
      }
    }
  }

  @Test("Bracha's: after power cuts everybody delivers everything, once") func brachaPowerCuts() {
    powerCuts(bracha)
  }

  @Test("Ready Broadcast: after power cuts everybody delivers everything, once") func readyPowerCuts() {
    powerCuts(ready)
  }
}
