import StarlingCore
import StarlingTestSupport
import Testing

@Suite struct DelaySamplerTests {
  private func samples(_ text: String, count: Int = 100_000) throws -> [Double] {
    var random = testRandom("samples of \(text)")
    let model = try DelayModel.parse(text) { _ in "" }
    let sampler = DelaySampler(model, peers: 2, random: &random)
    return (0..<count).map { _ in
      sampler.sample(from: Peer(0), to: Peer(1), random: &random).inMilliseconds
    }
  }

  private func mean(_ values: [Double]) -> Double { values.reduce(0, +) / Double(values.count) }

  private func deviation(_ values: [Double]) -> Double {
    let mean = mean(values)
    return (values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(values.count)).squareRoot()
  }

  /// Holds the empirical quantiles to the law: the share of samples below the law's quantile must be within
  /// 4.5 standard errors.
  private func expectQuantiles(_ values: [Double], _ law: (Double) -> Double) {
    for p in [0.0001, 0.0005, 0.01, 0.1, 0.25, 0.5, 0.75, 0.9, 0.99, 0.9995, 0.9999] {
      let below = Double(values.count { $0 < law(p) }) / Double(values.count)
      let standardError = (p * (1 - p) / Double(values.count)).squareRoot()
      #expect(abs(below - p) < 4.5 * standardError, "at \(p): \(below)")
    }
  }

  @Test("a constant is constant, also as a law without spread")
  func constant() throws {
    for text in ["constant:50ms", "uniform:50ms,50ms", "gaussian:50ms,0", "lognormal:50ms,0"] {
      #expect(Set(try samples(text, count: 100)) == [50])
    }
  }

  @Test("uniform delays have the mean, the spread and the bounds of their law, both included")
  func uniform() throws {
    let values = try samples("uniform:20ms,80ms")
    #expect(abs(mean(values) - 50) < 0.2)
    #expect(abs(deviation(values) - 60 / 12.0.squareRoot()) < 0.1)
    #expect(values.allSatisfy { (20...80).contains($0) })
    #expect(Set(try samples("uniform:1ns,3ns", count: 200)).count == 3)
  }

  @Test("Gaussian delays have the mean, deviation and quantiles of their law")
  func gaussian() throws {
    let values = try samples("gaussian:50ms,10ms")
    #expect(abs(mean(values) - 50) < 0.2)
    #expect(abs(deviation(values) - 10) < 0.1)
    expectQuantiles(values) { 50 + 10 * inverseNormal($0) }
  }

  @Test("a Gaussian truncated at 0 has the law of a normal variable given that it is not negative")
  func truncated() throws {
    // Half-normal: mean √(2/π), deviation √(1 − 2/π), quantile Φ⁻¹((1 + p)/2).
    let half = try samples("gaussian:0ms,10ms")
    #expect(half.allSatisfy { $0 >= 0 })
    #expect(abs(mean(half) - 7.978845608) < 0.08)
    #expect(abs(deviation(half) - 6.028102749) < 0.08)
    expectQuantiles(half) { 10 * inverseNormal((1 + $0) / 2) }
    // Mean one deviation: Φ(−1) = 0.15866 is cut away; the mean is 10 (1 + φ(1)/Φ(1)).
    let one = try samples("gaussian:10ms,10ms")
    #expect(abs(mean(one) - 12.875999) < 0.12)
    expectQuantiles(one) { 10 + 10 * inverseNormal(0.15865525393145705 * (1 - $0) + $0) }
  }

  @Test("lognormal delays have the median, mean, deviation and quantiles of their law")
  func lognormal() throws {
    let values = try samples("lognormal:60ms,0.5")
    // Mean m·e^(σ²/2); variance (e^σ² − 1) mean².
    #expect(abs(mean(values) - 67.98891) < 0.5)
    #expect(abs(deviation(values) - 36.23447) < 0.9)
    expectQuantiles(values) { 60 * exponential(0.5 * inverseNormal($0)) }
    expectQuantiles(try samples("lognormal:60ms,2")) { 60 * exponential(2 * inverseNormal($0)) }
  }

  @Test("the heaviest tail there may be is cut at a day, and does not trap")
  func heaviest() throws {
    let values = try samples("lognormal:24h,10", count: 50_000)
    #expect(values.allSatisfy { (0...86_400_000).contains($0) })
  }

  @Test("each peer keeps one row of the matrix, rows are drawn evenly, and new peers draw theirs")
  func matrix() throws {
    var random = testRandom()
    let model = try DelayModel.parse("matrix:m") { _ in "0 10 20\n 30 0 40\n 50 60 0" }
    var sampler = DelaySampler(model, peers: 10, random: &random)
    sampler.grow(to: 3_000, random: &random)
    var counts: [Double: Int] = [:]
    for i in 0..<3_000 {
      let delay = sampler.sample(from: Peer(0), to: Peer(i), random: &random)
      if delay != sampler.sample(from: Peer(0), to: Peer(i), random: &random) { Issue.record("\(i) moved") }
      counts[delay.inMilliseconds, default: 0] += 1
    }
    let rows: [[Double]] = [[5, 10], [15, 20], [25, 30]]
    #expect(counts[5, default: 0] > 800)
    #expect(rows.contains { row in counts.keys.sorted() == ([5] + row).sorted().reduced() })
    for count in counts.values { #expect((850...2_150).contains(count)) }
  }

  @Test("the same seed draws the same delays on every machine: this hash was computed once")
  func replay() throws {
    var hash: UInt64 = 0
    for text in ["uniform:20ms,80ms", "gaussian:50ms,30ms", "lognormal:60ms,0.5"] {
      var random = Xoshiro256(seed: 7)
      let model = try DelayModel.parse(text) { _ in "" }
      let sampler = DelaySampler(model, peers: 2, random: &random)
      for _ in 0..<20_000 {
        let delay = sampler.sample(from: Peer(0), to: Peer(1), random: &random)
        hash = SplitMix64.mix(hash ^ UInt64(delay.nanoseconds))
      }
    }
    #expect(hash == 18_113_457_677_291_632_817)
  }
}

extension [Double] {
  /// Sorted numbers without repetitions.
  fileprivate func reduced() -> [Double] {
    reduce(into: []) { if $0.last != $1 { $0.append($1) } }
  }
}
