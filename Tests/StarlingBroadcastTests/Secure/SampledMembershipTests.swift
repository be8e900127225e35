import StarlingBroadcast
import StarlingCore
import StarlingSimulator
import StarlingTestSupport
import Testing

@Suite("Secure broadcast: samples of an open network")
struct SampledMembershipTests {
  @Test("Every sample is one draw, and none is drawn twice while there are others")
  func draws() throws {
    var random = testRandom()
    let oracle = try #require(SampledMembership([Peer(4), Peer(9), Peer(4)], estimate: 100))
    let once = MultisetSample(size: 3, from: oracle, random: &random)
    #expect(once.members == [Peer(4), Peer(9)])
    #expect(once.multiplicity(at: 0) == 2 && once.multiplicity(at: 1) == 1)
    let twice = MultisetSample(size: 6, from: oracle, random: &random)
    #expect(twice.multiplicity(at: 0) == 4 && twice.multiplicity(at: 1) == 2)
  }

  @Test("A member is found at its position and nobody else is, however unevenly handles are spread")
  func search() {
    var random = testRandom()
    for population in [1, 2, 3, 50, 3_000] {
      for stride in [1, 7, 4_000_000_000 / population] {
        let clustered = (0..<population).map { UInt32($0 % 2 == 0 ? $0 : $0 * stride) }
        let oracle = ListedMembership(Set(clustered).sorted().map { Peer($0) })
        let sample = MultisetSample(size: random.uniform(below: 400) + 1, from: oracle, random: &random)
        for (position, member) in sample.members.enumerated() {
          #expect(sample.position(of: member) == position, "\(replay)")
        }
        let drawn = Set(sample.members)
        for index in clustered + [0, 1, .max, .max - 1] where !drawn.contains(Peer(index)) {
          #expect(sample.position(of: Peer(index)) == nil, "\(replay)")
        }
      }
    }
    let last = MultisetSample(all: ListedMembership([Peer(UInt32.max), Peer(UInt32(7))]))
    #expect(last.position(of: Peer(UInt32.max)) == 1)
  }

  @Test("An estimate that is no number of processes makes no population of that size")
  func estimates() {
    #expect(SampledMembership([], estimate: 10) == nil)
    for estimate in [Double.infinity, .nan, -1, 0, 1e300] {
      #expect(SampledMembership([Peer(1), Peer(2)], estimate: estimate)?.population == 2)
    }
    #expect(SampledMembership([Peer(1)], estimate: 70.5)?.population == 70)
  }

  @Test("Ready Broadcast delivers everywhere by samples that were given to it")
  func broadcast() throws {
    typealias Auth = IdealSecureAuthenticator
    typealias Sampled = ReadyBroadcast<Auth, SampledMembership>
    var random = testRandom()
    let parameters = SecureBroadcastParameters(
      gossip: 12, echo: 100, echoThreshold: 70, ready: 60, readyThreshold: 24, delivery: 80,
      deliveryThreshold: 56)
    var oracles: [SampledMembership] = []
    for _ in 0..<40 {
      let samples = (0..<400).map { _ in Peer(random.uniform(below: 40)) }
      oracles.append(try #require(SampledMembership(samples, estimate: 37)))
    }
    var network = secureNetwork(of: 40, random: &random) { peer in
      Sampled(
        identity: peer, auth: Auth(owner: peer), oracle: oracles[Int(peer.index)], parameters: parameters,
        entries: EntryLog(authorLimit: 10, windowLimit: 16))
    }
    network.run(until: .zero + .seconds(2))
    network.request(.broadcast(SyntheticBatch(number: 5, byteCount: 100), sequence: 0), of: Peer(11))
    network.run(until: .zero + .seconds(10))
    #expect(
      network.observer.deliveries[MessageIdentifier(origin: Peer(11), sequence: 0)]?.count == 40, "\(replay)")
  }
}
