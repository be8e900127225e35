import StarlingCore
import StarlingTestSupport
import Testing

@testable import StarlingSimulator

@Suite("Simulation")
struct EngineSimulationTests {
  typealias Line = RelayLog.Line

  @Test("A message arrives once, after the network's delay, with its sender's name")
  func delivery() {
    var simulation = relays(3)
    simulation.run(until: .milliseconds(5))
    simulation.request(.send(.note(7), to: [Peer(1), Peer(2)]), of: Peer(0))
    simulation.run(until: .milliseconds(1_000))
    #expect(
      simulation.observer.receipts == [
        Line(indication: .received(.note(7), from: Peer(0)), peer: Peer(1), at: .milliseconds(15)),
        Line(indication: .received(.note(7), from: Peer(0)), peer: Peer(2), at: .milliseconds(15)),
      ])
    #expect(simulation.observer.sent == 2 && simulation.eventCount == 2)
  }

  @Test("A timer expires at its instant, at its own peer, and at once if the instant has passed")
  func timers() {
    var simulation = relays(2)
    simulation.run(until: .milliseconds(50))
    simulation.request(.wait(1, until: .milliseconds(80)), of: Peer(1))
    simulation.request(.wait(2, until: .milliseconds(20)), of: Peer(0))
    simulation.request(.wait(3, until: .distantFuture), of: Peer(0))
    simulation.run(until: .milliseconds(10_000))
    let expired = simulation.observer.lines.filter { $0.indication != .started }
    #expect(
      expired == [
        Line(indication: .expired(2), peer: Peer(0), at: .milliseconds(50)),
        Line(indication: .expired(1), peer: Peer(1), at: .milliseconds(80)),
      ])
  }

  @Test("A peer starts when it is added, with the next handle")
  func adding() {
    var random = Xoshiro256(seed: 1)
    let delays = DelaySampler(.constant(.zero), peers: 2, random: &random)
    var simulation = RelayNetwork(
      capacity: 2, network: LossyNetwork(delays: delays, loss: 0), observer: RelayLog(), seed: 1)
    let first = simulation.add { Relay(identity: $0) }
    simulation.run(until: .milliseconds(30))
    let second = simulation.add { Relay(identity: $0) }
    #expect(first == Peer(0) && second == Peer(1) && simulation[second].identity == second)
    #expect(simulation.observer.lines.map(\.at) == [.zero, .milliseconds(30)] && simulation.count == 2)
  }

  @Test("run(until:) lets happen what is due up to and at the instant, makes it now, and never goes back")
  func runUntil() {
    var simulation = relays(1)
    for i in 1...5 { simulation.request(.wait(i, until: .milliseconds(10 * i)), of: Peer(0)) }
    simulation.run(until: .milliseconds(30))
    #expect(simulation.eventCount == 3 && simulation.now == .milliseconds(30))
    simulation.run(until: .milliseconds(30) + Interval(nanoseconds: -1))
    #expect(simulation.eventCount == 3 && simulation.now == .milliseconds(30))
    simulation.run(until: .milliseconds(45))
    #expect(simulation.eventCount == 4 && simulation.now == .milliseconds(45))
    simulation.runToQuiet(atMost: .milliseconds(9_000))
    #expect(simulation.eventCount == 5 && simulation.now == .milliseconds(50))
  }

  @Test("A crashed peer gets no message, timer or request, and what it sent before still arrives")
  func crash() {
    var simulation = relays(3)
    simulation.request(.send(.note(1), to: [Peer(1)]), of: Peer(0))
    simulation.request(.wait(1, until: .milliseconds(5)), of: Peer(0))
    simulation.request(.send(.note(2), to: [Peer(0)]), of: Peer(2))
    simulation.crash(Peer(0))
    simulation.request(.send(.note(3), to: [Peer(1)]), of: Peer(0))
    simulation.run(until: .milliseconds(100))
    #expect(simulation.observer.receipts.map(\.peer) == [Peer(1)])
    #expect(!simulation.observer.lines.contains { $0.indication == .expired(1) })
    #expect(!simulation.isLive(Peer(0)) && simulation.isLive(Peer(1)) && simulation[Peer(0)].received == 0)
  }

  @Test("What is sent to a peer that does not exist vanishes")
  func nobody() {
    var simulation = relays(2)
    simulation.request(.send(.note(1), to: [Peer(2), Peer(1 << 30), Peer(1)]), of: Peer(0))
    simulation.run(until: .milliseconds(100))
    #expect(simulation.observer.receipts.map(\.peer) == [Peer(1)])
  }

  @Test("The stated share of messages is lost, whoever sends them", arguments: [0, 0.02, 0.3, 1])
  func loss(share: Double) {
    var simulation = relays(20, loss: share, seed: testSeed)
    let everyone = (0..<20).map { Peer($0) }
    for _ in 0..<50 { for peer in everyone { simulation.request(.send(.note(1), to: everyone), of: peer) } }
    simulation.run(until: .milliseconds(100))
    let lost = 20_000 - simulation.observer.receipts.count
    let deviation = (20_000 * share * (1 - share)).squareRoot()
    #expect(abs(Double(lost) - 20_000 * share) <= 5 * deviation, "\(lost) lost; \(replay)")
  }

  /// A thousand messages that are passed on at random, over delays of some spread.
  private func trace(seed: UInt64, delay: DelayModel) -> (hash: UInt64, log: [Line], events: UInt64) {
    var simulation = relays(50, delay: delay, loss: 0.01, seed: seed)
    for i in 0..<20 {
      simulation.request(.send(.pass(left: 60, bound: 50), to: [Peer(i)]), of: Peer(i + 20))
      simulation.request(.wait(i, until: .milliseconds(i * 7)), of: Peer(i))
    }
    simulation.run(until: .milliseconds(4_000))
    return (simulation.traceHash, simulation.observer.lines, simulation.eventCount)
  }

  @Test("The same seed makes the same trace twice, another seed another")
  func seeds() {
    let delay = DelayModel.gaussian(mean: .milliseconds(30), deviation: .milliseconds(10))
    let (a, b) = (trace(seed: 5, delay: delay), trace(seed: 5, delay: delay))
    #expect(a.hash == b.hash && a.log == b.log && a.events == b.events)
    #expect(a.events > 500)
    let hashes = Set((0..<20).map { trace(seed: $0, delay: delay).hash })
    #expect(hashes.count == 20)
  }

  @Test("The trace hash tells a sender, a receiver, an instant or the order of two events apart")
  func traceHash() {
    func hash(_ sends: [(from: Int, to: Int, at: Int)], timer: Int? = nil) -> UInt64 {
      var simulation = relays(4)
      for (from, to, at) in sends {
        simulation.run(until: .milliseconds(at))
        simulation.request(.send(.note(1), to: [Peer(to)]), of: Peer(from))
      }
      if let timer { simulation.request(.wait(1, until: .milliseconds(timer)), of: Peer(1)) }
      simulation.run(until: .milliseconds(1_000))
      return simulation.traceHash
    }
    let hashes = [
      hash([]), hash([(0, 1, 0)]), hash([(2, 1, 0)]), hash([(0, 2, 0)]), hash([(0, 1, 1)]),
      hash([(0, 1, 0), (2, 3, 0)]), hash([(2, 3, 0), (0, 1, 0)]), hash([], timer: 10),
    ]
    #expect(Set(hashes).count == hashes.count)
  }

  @Test("A parcel is kept until its last arrival and no longer, lost or never sent ones not at all")
  func parcels() {
    var simulation = relays(4, delay: .uniform(from: .milliseconds(10), to: .milliseconds(90)))
    func kept(_ simulation: borrowing RelayNetwork) -> Int { simulation.core.pointee.parcels.count }
    simulation.request(.send(.note(1), to: [Peer(1), Peer(2), Peer(3)]), of: Peer(0))
    simulation.request(.prepareOnly(.note(2)), of: Peer(0))
    #expect(kept(simulation) == 1)
    while simulation.observer.receipts.count < 3 {
      #expect(kept(simulation) == 1)
      simulation.run(until: simulation.now + .milliseconds(1))
    }
    #expect(kept(simulation) == 0)

    var lossy = relays(4, loss: 1)
    lossy.request(.send(.note(1), to: [Peer(1), Peer(2)]), of: Peer(0))
    #expect(kept(lossy) == 0)

    var crashing = relays(4)
    crashing.request(.send(.note(1), to: [Peer(1), Peer(2)]), of: Peer(0))
    crashing.request(.wait(1, until: .milliseconds(5)), of: Peer(1))
    crashing.crash(Peer(1))
    crashing.run(until: .milliseconds(50))
    #expect(kept(crashing) == 0 && crashing.core.pointee.timers.count == 0)
  }
}

@Suite("A copy of a simulation")
struct EngineCopyTests {
  /// Messages to many peers under way, timers waiting, one peer crashed.
  private func busy() -> RelayNetwork {
    var simulation = relays(
      30, delay: .gaussian(mean: .milliseconds(50), deviation: .milliseconds(20)), loss: 0.05, seed: testSeed)
    for i in 0..<30 {
      simulation.request(.send(.pass(left: 40, bound: 30), to: [Peer(1), Peer(2), Peer(i)]), of: Peer(i))
      simulation.request(.wait(i, until: .milliseconds(40 + i * 3)), of: Peer(i))
    }
    simulation.crash(Peer(7))
    simulation.run(until: .milliseconds(60))
    return simulation
  }

  private func state(_ simulation: borrowing RelayNetwork) -> [Int] {
    (0..<simulation.count).map { simulation[Peer($0)].received }
  }

  @Test("It goes on just as the original would have")
  func sameFuture() {
    var original = busy()
    var copy = original.copy()
    #expect(copy.traceHash == original.traceHash && copy.now == original.now)
    #expect(state(copy) == state(original) && !copy.isLive(Peer(7)))
    original.run(until: .milliseconds(5_000))
    copy.run(until: .milliseconds(5_000))
    #expect(copy.traceHash == original.traceHash && copy.eventCount == original.eventCount)
    #expect(copy.observer.lines == original.observer.lines && state(copy) == state(original))
    #expect(copy.core.pointee.parcels.count == 0 && original.core.pointee.parcels.count == 0)
  }

  @Test("What happens in it does not happen in the original")
  func independence() {
    var undisturbed = busy()
    undisturbed.run(until: .milliseconds(5_000))

    var original = busy()
    let (before, hash, lines) = (state(original), original.traceHash, original.observer.lines.count)
    do {
      var copy = original.copy()
      copy.random = Xoshiro256(seed: 99)
      copy.crash(Peer(3))
      copy.request(.send(.pass(left: 100, bound: 30), to: [Peer(4)]), of: Peer(5))
      copy.run(until: .milliseconds(5_000))
      #expect(copy.traceHash != undisturbed.traceHash)
    }
    #expect(state(original) == before && original.traceHash == hash && original.isLive(Peer(3)))
    #expect(original.observer.lines.count == lines && original.now == .milliseconds(60))
    original.run(until: .milliseconds(5_000))
    #expect(original.traceHash == undisturbed.traceHash && state(original) == state(undisturbed))
  }
}
