import StarlingBroadcast
import StarlingCore
import StarlingSimulator
import StarlingTestSupport
import Testing

@Suite("Secure broadcast: links that were lost")
struct RenewalTests {
  private static let nodes = 40
  private static let parameters = SecureBroadcastParameters(
    gossip: 10, echo: 120, echoThreshold: 84, ready: 60, readyThreshold: 24, delivery: 100,
    deliveryThreshold: 70)
  private static let everybody = MultisetSample(all: NumberedMembership(population: nodes))

  private func entries() -> IdealEntries { EntryLog(authorLimit: 1_000, windowLimit: 16) }

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

  private func bracha(_ peer: Peer, startsLate: Bool = false) -> IdealBracha {
    IdealBracha(
      identity: peer, auth: IdealSecureAuthenticator(owner: peer), members: Self.everybody, byzantine: 13,
      entries: entries(), startsLate: startsLate)
  }

  private func batch(_ number: Int) -> SyntheticBatch {
    SyntheticBatch(number: UInt32(number), byteCount: 100)
  }

  /// How many of two batches' deliveries there are when all links lose everything for three seconds, beginning at a
  /// time after the batches set out.
  ///
  /// - Parameter isTold: whether the processes are told that the links were lost.
  private func deliveries<Inner: SecureBroadcastProcess>(
    outageAfter offset: Interval, isTold: Bool, _ make: (Peer) -> Inner
  ) -> Int where Inner.Auth == IdealSecureAuthenticator {
    var random = testRandom()
    var network = linkedNetwork(of: Self.nodes, random: &random, make)
    network.run(until: .zero + .seconds(2))
    network.request(.broadcast(batch(1)), of: Peer(3))
    network.request(.broadcast(batch(2)), of: Peer(4))
    network.run(until: network.now + offset)
    network.network.isDown = true
    network.run(until: network.now + .milliseconds(100))
    // The ends learn of the loss early or late, each by itself.
    for moment in 0..<2 {
      for peer in 0..<Self.nodes where isTold {
        for other in 0..<Self.nodes where (peer + other) % 2 == moment {
          network.request(.disconnect(Peer(other)), of: Peer(peer))
        }
      }
      if moment == 0 { network.run(until: network.now + .seconds(3)) }
    }
    network.network.isDown = false
    network.run(until: network.now + .seconds(90))
    return network.observer.count(3, 0) + network.observer.count(4, 0)
  }

  /// Looks at outages that begin at each phase of a broadcast.
  private func check<Inner: SecureBroadcastProcess>(_ make: (Peer) -> Inner)
  where Inner.Auth == IdealSecureAuthenticator {
    var untold = 0
    for milliseconds in [5, 30, 60, 90, 120, 160, 200] {
      let offset = Interval.milliseconds(milliseconds)
      let delivered = deliveries(outageAfter: offset, isTold: true, make)
      #expect(delivered == 2 * Self.nodes, "\(delivered) after an outage at \(milliseconds) ms; \(replay)")
      if deliveries(outageAfter: offset, isTold: false, make) < 2 * Self.nodes { untold += 1 }
    }
    #expect(untold >= 3, "what these outages lose is for ever, but for the renewal; \(untold) of 7")
  }

  @Test("Ready Broadcast: everybody delivers what was under way when all links were lost") func readyOutage()
  {
    check(ready)
  }

  @Test("Echo Broadcast: everybody delivers what was under way when all links were lost") func echoOutage() {
    check(echo)
  }

  @Test("Bracha's: everybody delivers what was under way when all links were lost") func brachaOutage() {
    check { bracha($0) }
  }

  /// How many deliver a batch that set out while eight were cut off from all others.
  private func deliveriesByTheCutOff<Inner: SecureBroadcastProcess>(isTold: Bool, _ make: (Peer) -> Inner)
    -> Int
  where Inner.Auth == IdealSecureAuthenticator {
    var random = testRandom()
    var network = linkedNetwork(of: Self.nodes, random: &random, make)
    network.run(until: .zero + .seconds(2))
    network.network.cut = 30...37
    network.request(.broadcast(batch(1)), of: Peer(3))
    network.run(until: network.now + .seconds(10))
    network.network.cut = nil
    for peer in 0..<Self.nodes where isTold {
      for other in 30...37 {
        network.request(.disconnect(Peer(other)), of: Peer(peer))
        network.request(.disconnect(Peer(peer)), of: Peer(other))
      }
    }
    network.run(until: network.now + .seconds(10))
    return network.observer.count(3, 0)
  }

  @Test("Who was cut off has what it missed from those who have it, not from the sender alone")
  func cutOff() {
    #expect(deliveriesByTheCutOff(isTold: true, echo) == Self.nodes)
    #expect(deliveriesByTheCutOff(isTold: true, ready) == Self.nodes)
    #expect(deliveriesByTheCutOff(isTold: true) { bracha($0) } == Self.nodes)
    #expect(deliveriesByTheCutOff(isTold: false, ready) == Self.nodes - 8)
  }

  @Test("A subscription that was lost is sent again") func lostSubscriptions() {
    var random = testRandom()
    var network = LinkedSimulation<IdealReady>(
      capacity: Self.nodes, network: GappyNetwork(of: Self.nodes, random: &random), observer: LinkedBook(),
      seed: random.next())
    network.network.isDown = true
    for _ in 0..<Self.nodes { _ = network.add { linked($0, ready($0)) } }
    network.network.isDown = false
    for peer in 0..<Self.nodes {
      for other in 0..<Self.nodes { network.request(.disconnect(Peer(other)), of: Peer(peer)) }
    }
    network.run(until: .zero + .seconds(3))
    network.request(.broadcast(batch(1)), of: Peer(0))
    network.run(until: .zero + .seconds(10))
    #expect(network.observer.count(0, 0) == Self.nodes, "\(replay)")
  }

  /// Crashes a process while a batch is under way, and starts another life of it after one that it never heard of.
  private func restart<Inner: SecureBroadcastProcess>(_ make: (Peer, Bool) -> Inner)
  where Inner.Auth == IdealSecureAuthenticator {
    var random = testRandom()
    var network = linkedNetwork(of: Self.nodes, random: &random) { make($0, false) }
    network.run(until: .zero + .seconds(2))
    func broadcast(_ number: Int, of sender: Int, for milliseconds: Int) {
      network.request(.broadcast(batch(number)), of: Peer(sender))
      network.run(until: network.now + .milliseconds(milliseconds))
    }
    broadcast(1, of: 3, for: 1_000)
    broadcast(2, of: 3, for: 60)
    let victim = Peer(7)
    var memory = StableMemory()
    memory.next = [Peer(3): network[victim].ordered.nextDelivered(of: Peer(3))]
    network.crash(victim)
    broadcast(3, of: 3, for: 300)
    network.restart(victim, with: linked(victim, make(victim, true), after: memory))
    for peer in 0..<Self.nodes where peer != 7 { network.request(.disconnect(victim), of: Peer(peer)) }
    network.run(until: network.now + .seconds(8))
    broadcast(4, of: 3, for: 1_000)
    broadcast(5, of: 7, for: 1_000)
    for sequence in 0..<4 {
      #expect(network.observer.count(3, UInt64(sequence)) == Self.nodes, "batch \(sequence); \(replay)")
    }
    #expect(network.observer.count(7, 0) == Self.nodes, "\(replay)")
    #expect(network.observer.contents.values.allSatisfy { $0.count == 1 })
  }

  @Test("Ready Broadcast: another life of a process delivers what is live and what follows")
  func readyRestart() { restart { peer, _ in ready(peer) } }

  @Test("Bracha's: another life of a process delivers what is live and what follows")
  func brachaRestart() { restart { bracha($0, startsLate: $1) } }

  /// How many words about one live instance a subscriber hears that asks a thousand times a second, for 20 seconds.
  private func repetitions<Inner: SecureBroadcastProcess>(
    of process: Inner, asking message: Inner.Message
  ) -> (words: Int, timers: Int) where Inner.Auth == IdealSecureAuthenticator {
    var process = process
    var effects = RecordingEffects(Inner.self, random: testRandom())
    process.start(at: .zero, into: &effects)
    process.handle(.broadcast(batch(1), sequence: 0), at: .zero, into: &effects)
    effects.clear()
    var due: [(timer: Inner.Timer, at: Instant)] = []
    var timers = 0
    for millisecond in 0..<20_000 {
      let now = Instant.zero + .milliseconds(millisecond)
      process.receive(message, from: Peer(9), at: now, into: &effects)
      timers += effects.timers.count
      due += effects.timers
      effects.timers.removeAll()
      for timer in due where timer.at <= now { process.expire(timer.timer, at: now, into: &effects) }
      due.removeAll { $0.at <= now }
    }
    return (effects.sent.count, timers)
  }

  @Test("Who asks for everything a thousand times a second has it once in five seconds")
  func pace() {
    // One word: the echo or the sender's batch. To begin with there is the first subscription's, and the second's.
    let ofEcho = repetitions(of: echo(Peer(0)), asking: .subscribe)
    #expect(ofEcho.words == 1 + 4 && ofEcho.timers == 4, "\(ofEcho)")
    let ofGossip = repetitions(of: echo(Peer(0)), asking: .gossip(.subscribe))
    #expect(ofGossip.words == 1 + 4 && ofGossip.timers == 4, "\(ofGossip)")
    // The batch and its echo.
    let ofBracha = repetitions(of: bracha(Peer(0)), asking: .renew)
    #expect(ofBracha.words == 2 * 4 && ofBracha.timers == 4, "\(ofBracha)")
  }

  @Test("Votes that are repeated change nothing, and a batch that all have is not given again")
  func repeatedVotes() {
    var random = testRandom()
    var network = linkedNetwork(of: Self.nodes, random: &random, ready)
    network.run(until: .zero + .seconds(2))
    network.request(.broadcast(batch(1)), of: Peer(0))
    network.run(until: .zero + .seconds(5))
    let gossiped = network.observer.gossiped
    let checks = (0..<Self.nodes).map { network[Peer($0)].ordered.inner.signatureChecks }
    for peer in 0..<Self.nodes {
      for other in 0..<Self.nodes { network.request(.disconnect(Peer(other)), of: Peer(peer)) }
    }
    network.run(until: .zero + .seconds(60))
    #expect(network.observer.count(0, 0) == Self.nodes)
    #expect(gossiped > 0 && network.observer.gossiped == gossiped)
    #expect(checks == (0..<Self.nodes).map { network[Peer($0)].ordered.inner.signatureChecks })
  }
}

@Suite("Secure broadcast: when a peer is asked to repeat itself")
struct LinkRenewalTests {
  private let peer = Peer(1)

  /// The moments, in whole seconds, at which a peer is asked.
  private func asked(
    _ renewal: inout LinkRenewal, first: Instant?, heardAt: Int? = nil, until end: Int
  ) -> [Int] {
    var timers = first.map { [$0] } ?? []
    var moments: [Int] = []
    for second in 0...end {
      let now = Instant.zero + .seconds(second)
      if second == heardAt, let timer = renewal.hear(peer, at: now) { timers.append(timer) }
      while let timer = timers.first(where: { $0 <= now }) {
        timers.removeAll { $0 == timer }
        let (asks, next) = renewal.expire(peer, at: now)
        if asks { moments.append(second) }
        if let next { timers.append(next) }
      }
    }
    return moments
  }

  @Test("A silent peer is asked after 1, 3, 7, 15 and 31 seconds, and every 30 from then on")
  func silence() {
    var renewal = LinkRenewal()
    let first = renewal.lose(peer, at: .zero)
    #expect(asked(&renewal, first: first, until: 130) == [1, 3, 7, 15, 31, 61, 91, 121])
  }

  @Test("Who is heard again is asked once more, a second later at most, and then no more")
  func heard() {
    var renewal = LinkRenewal()
    let first = renewal.lose(peer, at: .zero)
    #expect(asked(&renewal, first: first, heardAt: 0, until: 100) == [1])
    #expect(renewal.isEmpty)
    let second = renewal.lose(peer, at: .zero)
    #expect(asked(&renewal, first: second, heardAt: 40, until: 100) == [1, 3, 7, 15, 31, 41])
    #expect(renewal.isEmpty)
  }

  @Test("A link that is lost a thousand times a second sets one timer a second")
  func flapping() {
    var renewal = LinkRenewal()
    var timers = 0
    for millisecond in 0..<20_000 {
      let now = Instant.zero + .milliseconds(millisecond)
      if renewal.lose(peer, at: now) != nil { timers += 1 }
      if renewal.hear(peer, at: now) != nil { timers += 1 }
    }
    #expect(timers <= 20)
  }
}
