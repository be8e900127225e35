import StarlingCore
import StarlingOverlay
import StarlingSimulator
import StarlingTestSupport
import Testing

@Suite("Brahms: samples of an open network")
struct BrahmsTests {
  @Test("A sampler keeps each of what it was shown with the same probability, however often each was shown")
  func sampler() {
    var random = testRandom()
    var counts = [Int](repeating: 0, count: 50)
    for _ in 0..<10_000 {
      var sampler = MinWiseSampler(random: &random)
      for peer in 0..<50 { for _ in 0...(peer % 7) { sampler.show(Peer(peer)) } }
      if let peer = sampler.peer { counts[Int(peer.index)] += 1 }
    }
    #expect(chiSquare(counts) < chiSquareLimit(degreesOfFreedom: 49), "\(counts); \(replay)")
  }

  @Test("Among correct peers the samples are uniform, and their ranks tell how many peers there are")
  func uniform() {
    for seed in 0..<3 {
      var random = testRandom()
      for _ in 0..<seed { _ = random.next() }
      var network = brahmsNetwork(of: 150, sampleSize: 24, random: &random)
      network.run(until: .zero + .seconds(25 * 10))
      var counts = [Int](repeating: 0, count: 150)
      var estimates = 0.0
      for peer in 0..<150 {
        for sample in network[Peer(peer)].correct?.samples ?? [] { counts[Int(sample.index)] += 1 }
        estimates += network[Peer(peer)].correct?.populationEstimate ?? 0
      }
      #expect(counts.reduce(0, +) == 150 * 24)
      #expect(
        chiSquare(counts) < chiSquareLimit(degreesOfFreedom: 149),
        "\(chiSquare(counts)), seed \(seed); \(replay)")
      let mean = estimates / 150
      #expect(mean > 138 && mean < 170, "\(mean); \(replay)")
    }
  }

  @Test(
    "Liars who push as much as others, push to all, or all to one, have their own share of the samples and no more",
    arguments: [15, 30])
  func poison(liars: Int) {
    let share = Double(liars) / 150
    for attack in [BrahmsAttack.balanced, .flood, .targeted(Peer(100))] {
      var random = testRandom()
      var network = brahmsNetwork(of: 150, liars: liars, attack: attack, sampleSize: 16, random: &random)
      network.run(until: .zero + .seconds(25 * 10))
      let poison = network.poison(liars: liars)
      // Five deviations of as many independent draws.
      let deviation = (share * (1 - share) / Double(16 * (150 - liars))).squareRoot()
      #expect(abs(poison.samples - share) < 5 * deviation, "\(attack): \(poison); \(replay)")
      #expect(poison.views < 0.75, "\(attack): \(poison); \(replay)")
      guard case .balanced = attack else { continue }
      // Views hold more liars than that, and more still without what holds them back.
      #expect(poison.views > 1.5 * share, "\(poison); \(replay)")
      let plain = poisonOfPlainGossip(of: 150, liars: liars, rounds: 25, random: &random)
      #expect(plain > 3 * share, "\(plain); \(replay)")
    }
  }

  /// The liars' share of the views of pushes and pulls without Brahms's limits and memory, when they push as much as
  /// others and answer with names of theirs.
  private func poisonOfPlainGossip(of nodes: Int, liars: Int, rounds: Int, random: inout Xoshiro256) -> Double
  {
    let configuration = BrahmsConfiguration(population: nodes, sampleSize: 1)
    let (size, half) = (configuration.viewSize, configuration.viewSize / 2)
    var views = (0..<nodes).map { _ in random.sample(size, below: nodes) }
    for _ in 0..<rounds {
      var pushed = [[Int]](repeating: [], count: nodes)
      for peer in 0..<nodes {
        let targets =
          peer < liars
          ? random.sample(half, below: nodes - liars).map { $0 + liars }
          : random.sample(half, below: views[peer].count).map { views[peer][$0] }
        for target in targets { pushed[target].append(peer) }
      }
      let before = views
      for peer in liars..<nodes {
        var pulled: [Int] = []
        for index in random.sample(half, below: before[peer].count) {
          let asked = before[peer][index]
          pulled += asked < liars ? (0..<size).map { _ in random.uniform(below: liars) } : before[asked]
        }
        let fromPushes = random.sample(half, below: pushed[peer].count).map { pushed[peer][$0] }
        let fromPulls = random.sample(size - half, below: pulled.count).map { pulled[$0] }
        views[peer] = Set(fromPushes + fromPulls).sorted()
      }
    }
    let all = views[liars...].joined()
    return Double(all.count { $0 < liars }) / Double(all.count)
  }

  @Test("Peers that died leave the samples, though a fifth of all messages is lost") func departures() {
    var random = testRandom()
    var network = brahmsNetwork(of: 100, sampleSize: 16, loss: 0.2, random: &random)
    network.run(until: .zero + .seconds(200))
    for peer in 80..<100 { network.crash(Peer(peer)) }
    network.run(until: .zero + .seconds(900))
    var (dead, all) = (0, 0)
    for peer in 0..<80 {
      let samples = network[Peer(peer)].correct?.samples ?? []
      dead += samples.count { $0.index >= 80 }
      all += samples.count
    }
    #expect(all > 80 * 15 && dead * 50 < all, "\(dead) of \(all); \(replay)")
  }

  // MARK: - One peer by itself

  private func lone() -> (Brahms, BrahmsConfiguration) {
    let configuration = BrahmsConfiguration(population: 100, sampleSize: 8)
    return (
      Brahms(identity: Peer(0), contacts: (1..<20).map { Peer($0) }, configuration: configuration),
      configuration
    )
  }

  @Test("What was not asked for, too long or asked twice costs nothing") func bounds() {
    var (brahms, configuration) = lone()
    var effects = RecordingEffects(Brahms.self, random: testRandom())
    brahms.start(at: .zero, into: &effects)
    let asked = effects.sent.compactMap { if case .pullRequest = $0.message { $0.to } else { nil } }
    #expect(asked.count == configuration.pulls)
    effects.clear()
    let before = brahms.samples
    let names = (100..<110).map { Peer($0) }
    brahms.receive(.pullReply(names), from: Peer(50), at: .zero, into: &effects)
    #expect(brahms.samples == before, "nobody asked")
    let tooMany = (0...configuration.viewSize).map { Peer(200 + $0) }
    brahms.receive(.pullReply(tooMany), from: asked[0], at: .zero, into: &effects)
    #expect(brahms.samples == before && effects.indications.count == 1)
    for _ in 0..<1_000 {
      for peer in 0..<1_000 { brahms.receive(.pullRequest, from: Peer(peer), at: .zero, into: &effects) }
    }
    #expect(effects.sent.count == 8 * configuration.viewSize, "each once a round, and an end to them")
  }

  @Test("A round with more pushes than correct peers send leaves the view as it is") func blocked() {
    var (brahms, configuration) = lone()
    var effects = RecordingEffects(Brahms.self, random: testRandom())
    brahms.start(at: .zero, into: &effects)
    func round(pushes: Int) {
      let asked = effects.sent.compactMap { if case .pullRequest = $0.message { $0.to } else { nil } }
      effects.clear()
      for peer in 0..<pushes { brahms.receive(.push, from: Peer(300 + peer), at: .zero, into: &effects) }
      for peer in asked {
        brahms.receive(.pullReply([Peer(400), Peer(401), Peer(402)]), from: peer, at: .zero, into: &effects)
      }
      brahms.expire(.round, at: .zero, into: &effects)
    }
    let before = brahms.view
    round(pushes: configuration.pushes + 1)
    #expect(brahms.view == before && brahms.blockedRounds == 1)
    round(pushes: 0)
    #expect(brahms.view == before && brahms.blockedRounds == 2)
    round(pushes: configuration.pushes)
    #expect(brahms.view.contains(Peer(300)) && brahms.blockedRounds == 2)
  }
}
