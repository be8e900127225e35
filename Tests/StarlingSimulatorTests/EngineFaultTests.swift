import StarlingCore
import StarlingTestSupport
import Testing

@testable import StarlingSimulator

@Suite("Faults in the engine")
struct EngineFaultTests {
  private func received(_ simulation: borrowing RelayNetwork, by peer: Int) -> Int {
    simulation.observer.receipts.count { $0.peer == Peer(peer) }
  }

  @Test("What was due to a peer's former life never reaches the next, what was sent since does")
  func restart() {
    var simulation = relays(3)
    simulation.request(.wait(1, until: .milliseconds(30)), of: Peer(1))
    simulation.request(.send(.note(1), to: [Peer(1)]), of: Peer(0))
    simulation.run(until: .milliseconds(2))
    simulation.crash(Peer(1))
    simulation.request(.send(.note(2), to: [Peer(1)]), of: Peer(0))
    simulation.run(until: .milliseconds(5))
    simulation.restart(Peer(1), with: Relay(identity: Peer(1)))
    simulation.request(.wait(2, until: .milliseconds(40)), of: Peer(1))
    simulation.run(until: .milliseconds(100))
    let seen = simulation.observer.lines.filter { $0.peer == Peer(1) && $0.at > .zero }.map(\.indication)
    #expect(seen == [.started, .received(.note(2), from: Peer(0)), .expired(2)])
    #expect(simulation.isLive(Peer(1)) && simulation[Peer(1)].received == 1)
  }

  @Test("A peer that is restarted while it lives crashes first; crashing twice is crashing once")
  func restartOfTheLiving() {
    var simulation = relays(2)
    simulation.request(.send(.note(1), to: [Peer(1)]), of: Peer(0))
    simulation.restart(Peer(1), with: Relay(identity: Peer(1)))
    simulation.crash(Peer(1))
    simulation.crash(Peer(1))
    simulation.restart(Peer(1), with: Relay(identity: Peer(1)))
    simulation.request(.send(.note(2), to: [Peer(1)]), of: Peer(0))
    simulation.run(until: .milliseconds(100))
    #expect(simulation.observer.receipts.map(\.indication) == [.received(.note(2), from: Peer(0))])
  }

  @Test("A hundred lives keep their events apart")
  func manyLives() {
    var simulation = relays(1)
    for life in 0..<100 {
      simulation.request(.wait(life, until: .milliseconds(10_000 + life)), of: Peer(0))
      simulation.crash(Peer(0))
      simulation.restart(Peer(0), with: Relay(identity: Peer(0)))
    }
    simulation.request(.wait(100, until: .milliseconds(20_000)), of: Peer(0))
    simulation.run(until: .milliseconds(30_000))
    let expired = simulation.observer.lines.map(\.indication).filter { $0 != .started }
    #expect(expired == [.expired(100)])
    #expect(simulation.core.pointee.timers.count == 0)
  }

  @Test("A clock that gains a fifth lets a timer of 12 s expire after 10 s, and shows its own time then")
  func fastClock() {
    var simulation = relays(2)
    simulation.run(until: .milliseconds(1_000))
    simulation.speedUpClock(of: Peer(0), gain: 200_000)
    for peer in 0..<2 { simulation.request(.wait(7, until: .milliseconds(13_000)), of: Peer(peer)) }
    simulation.run(until: .milliseconds(20_000))
    let expired = simulation.observer.lines.filter { $0.indication == .expired(7) }
    #expect(expired.map(\.peer) == [Peer(0), Peer(1)])
    #expect(expired.map(\.at) == [.milliseconds(11_000), .milliseconds(13_000)])
  }

  @Test("A fast clock never shows less than a timer's instant when that timer expires")
  func fastClockRounding() {
    var random = testRandom()
    for _ in 0..<2_000 {
      var clock = FastClock()
      let gain = UInt64(random.uniform(below: 1_000_001))
      let begin = Instant(nanoseconds: UInt64(random.uniform(below: 1 << 50)))
      clock.speedUp(gain: gain, offset: UInt64(random.uniform(below: 1 << 40)), at: begin)
      let due = clock.shows(at: begin) + Interval(nanoseconds: Int64(random.uniform(below: 1 << 52)))
      let at = clock.time(when: due)
      #expect(clock.shows(at: at) >= due, "gain \(gain); \(replay)")
      #expect(clock.shows(at: at + Interval(nanoseconds: -1)) < due || at == begin, "gain \(gain); \(replay)")
    }
  }

  @Test("A copy keeps lives and clocks")
  func copies() {
    var simulation = relays(2)
    simulation.crash(Peer(0))
    simulation.restart(Peer(0), with: Relay(identity: Peer(0)))
    simulation.speedUpClock(of: Peer(1), gain: 1_000_000)
    simulation.request(.wait(1, until: .milliseconds(50)), of: Peer(0))
    simulation.request(.wait(2, until: .milliseconds(50)), of: Peer(1))
    var copy = simulation.copy()
    simulation.run(until: .milliseconds(100))
    copy.run(until: .milliseconds(100))
    #expect(copy.traceHash == simulation.traceHash && copy.observer.lines == simulation.observer.lines)
    #expect(copy.observer.lines.last?.at == .milliseconds(50))
  }
}

@Suite("Faulty networks")
struct FaultyNetworkTests {
  private let peers = (0..<20).map { Peer($0) }

  private func network(loss: Double = 0) -> FaultyNetwork {
    var random = Xoshiro256(seed: 1)
    let delays = DelaySampler(.constant(.milliseconds(10)), peers: 20, random: &random)
    return FaultyNetwork(LossyNetwork(delays: delays, loss: loss), capacity: 20)
  }

  /// The pairs between which a message gets through now.
  private func open(_ network: inout FaultyNetwork) -> Set<[Peer]> {
    var random = Xoshiro256(seed: 2)
    var pairs: Set<[Peer]> = []
    for a in peers {
      for b in peers where network.delay(from: a, to: b, at: .zero, random: &random) != nil {
        pairs.insert([a, b])
      }
    }
    return pairs
  }

  @Test("A cut parts the two sides and nobody else, one way or both, and mending it undoes it")
  func cuts() throws {
    var network = network()
    let all = open(&network)
    #expect(all.count == 400)
    let left = Set(peers.prefix(8))
    let parted = network.cut(Array(left), oneWay: false)
    let both = try #require(parted)
    #expect(open(&network) == all.filter { left.contains($0[0]) == left.contains($0[1]) })
    let few = Set(peers[6..<12])
    let silenced = network.cut(Array(few), oneWay: true)
    let oneWay = try #require(silenced)
    #expect(
      open(&network)
        == all.filter {
          left.contains($0[0]) == left.contains($0[1]) && !(few.contains($0[0]) && !few.contains($0[1]))
        })
    network.mend(both)
    #expect(open(&network) == all.filter { !(few.contains($0[0]) && !few.contains($0[1])) })
    network.mend(oneWay)
    let isFaulty = network.isFaulty
    #expect(open(&network) == all && !isFaulty)
  }

  @Test("Sixteen cuts can be at once; a seventeenth is refused, and a mended one makes room")
  func manyCuts() throws {
    var network = network()
    var cuts: [FaultyNetwork.Cut] = []
    while let cut = network.cut([Peer(cuts.count % 20)], oneWay: cuts.count % 2 == 0) { cuts.append(cut) }
    #expect(cuts.count == 16)
    network.mend(try #require(cuts.last))
    let another = network.cut([Peer(0)], oneWay: false)
    #expect(another != nil)
  }

  @Test("What slow peers send takes longer by what was said, what they receive does not")
  func slow() {
    var network = network()
    var random = Xoshiro256(seed: 1)
    network.slowDown([Peer(3)], by: .seconds(3))
    let sent = network.delay(from: Peer(3), to: Peer(4), at: .zero, random: &random)
    let got = network.delay(from: Peer(4), to: Peer(3), at: .zero, random: &random)
    #expect(sent == .milliseconds(3_010) && got == .milliseconds(10))
    network.slowDown([Peer(3)], by: .zero)
    let isFaulty = network.isFaulty
    #expect(!isFaulty)
  }

  @Test("Bursts take the stated share of time and last as long as stated, on average")
  func bursts() {
    var random = testRandom()
    var bursts = LossBursts(share: 0.1, meanLength: .seconds(5), capacity: 50)
    var (bad, ends, looks) = (0, 0, 0)
    var was = [Bool](repeating: false, count: 50)
    for step in 0..<20_000 {
      for peer in 0..<50 {
        let now = Instant.zero + .milliseconds(500) * step
        let isBad = bursts.isLosing(to: Peer(peer), at: now, random: &random)
        looks += 1
        if isBad { bad += 1 }
        if was[peer] && !isBad { ends += 1 }
        was[peer] = isBad
      }
    }
    let share = Double(bad) / Double(looks)
    // 50 peers for 10,000 s see some 10,000 bursts; what a look each 0.5 s misses makes the mean seem 5% longer.
    let length = Double(bad) * 0.5 / Double(ends)
    #expect(abs(share - 0.1) < 0.01, "\(share); \(replay)")
    #expect(length > 4.6 && length < 5.8, "\(length); \(replay)")
  }

  @Test("The stated share of the messages comes twice, each copy with a delay of its own")
  func duplication() {
    var random = Xoshiro256(seed: testSeed)
    let delays = DelaySampler(
      .uniform(from: .milliseconds(10), to: .milliseconds(90)), peers: 2, random: &random)
    var faulty = FaultyNetwork(LossyNetwork(delays: delays, loss: 0), capacity: 2)
    faulty.setSecondCopies(share: 0.2)
    var simulation = Simulation<Relay, FaultyNetwork, RelayLog>(
      capacity: 2, network: faulty, observer: RelayLog(), seed: testSeed)
    for _ in 0..<2 { simulation.add { Relay(identity: $0) } }
    for _ in 0..<5_000 { simulation.request(.send(.note(1), to: [Peer(1)]), of: Peer(0)) }
    simulation.run(until: .milliseconds(1_000))
    let copies = simulation.observer.receipts.count - 5_000
    #expect(abs(copies - 1_000) < 150, "\(copies); \(replay)")
    #expect(simulation.core.pointee.parcels.count == 0)
  }
}
