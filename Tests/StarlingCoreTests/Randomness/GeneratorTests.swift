import StarlingTestSupport
import Testing

@testable import StarlingCore

@Suite("Generators")
struct GeneratorTests {
  @Test("SplitMix64 has its published outputs")
  func splitMix() {
    var generator = SplitMix64(state: 1_234_567)
    let published: [UInt64] = [
      6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423,
      4_593_380_528_125_082_431, 16_408_922_859_458_223_821,
    ]
    #expect(published.map { _ in generator.next() } == published)
  }

  @Test("xoshiro256** from the state 1, 2, 3, 4 has the outputs of its authors' program")
  func xoshiro() {
    var generator = Xoshiro256(seed: 0)
    (generator.s0, generator.s1, generator.s2, generator.s3) = (1, 2, 3, 4)
    let published: [UInt64] = [
      11_520, 0, 1_509_978_240, 1_215_971_899_390_074_240, 1_216_172_134_540_287_360,
      607_988_272_756_665_600, 16_172_922_978_634_559_625, 8_476_171_486_693_032_832,
      10_595_114_339_597_558_777, 2_904_607_092_377_533_576,
    ]
    #expect(published.map { _ in generator.next() } == published)
  }

  @Test("A seed is spread over the state by SplitMix64")
  func seeding() {
    var mix = SplitMix64(state: 42)
    let generator = Xoshiro256(seed: 42)
    #expect([generator.s0, generator.s1, generator.s2, generator.s3] == (0..<4).map { _ in mix.next() })
  }

  @Test("Mixing is a bijection as far as 20,000 neighbouring numbers show, and flips half the bits")
  func mixing() {
    var images: Set<UInt64> = []
    var flipped = 0
    for i in UInt64(0)..<20_000 {
      images.insert(SplitMix64.mix(i))
      flipped += (SplitMix64.mix(i) ^ SplitMix64.mix(i ^ 1)).nonzeroBitCount
    }
    #expect(images.count == 20_000)
    #expect(abs(Double(flipped) / 20_000 - 32) < 0.5)
  }
}

@Suite("Draws")
struct SamplingTests {
  /// Hands out given words, then zeroes.
  struct Script: RandomSource {
    var words: [UInt64]
    var drawn = 0

    mutating func next() -> UInt64 {
      defer { drawn += 1 }
      return drawn < words.count ? words[drawn] : 0
    }
  }

  @Test("uniform(below:) draws every number equally often", arguments: [1, 2, 3, 7, 10, 64, 100])
  func uniform(bound: Int) {
    var random = testRandom()
    var counts = [Int](repeating: 0, count: bound)
    for _ in 0..<20_000 { counts[random.uniform(below: bound)] += 1 }
    #expect(
      bound == 1 || chiSquare(counts) < chiSquareLimit(degreesOfFreedom: bound - 1), "\(counts); \(replay)")
  }

  @Test("uniform(below:) three eighths of all words draws again for the words that would make it uneven")
  func rejection() {
    // With a bound of 3·2⁶¹ Lemire's product has a low half below 2⁶⁴ mod 3·2⁶¹ = 2⁶² for a quarter of the
    // words, word 0 among them. Without drawing again, of every eight words three give 0, three 1 and two 2
    // modulo 3.
    var script = Script(words: [0, .max])
    let bound = Int(3 * (UInt64(1) << 61))
    #expect(script.uniform(below: bound) == bound - 1)
    #expect(script.drawn == 2)
    var random = testRandom()
    var counts = [Int](repeating: 0, count: 3)
    for _ in 0..<9_000 { counts[random.uniform(below: bound) % 3] += 1 }
    #expect(chiSquare(counts) < chiSquareLimit(degreesOfFreedom: 2), "\(counts); \(replay)")
  }

  @Test("unit() lies in 0 ..< 1 at both ends of the words")
  func unit() {
    var script = Script(words: [0, .max])
    #expect(script.unit() == 0)
    #expect(script.unit() == 1 - 0x1p-53)
  }

  @Test("chance(1) is always true, chance(0) never, and chance(p) as often as p says")
  func chance() {
    var random = testRandom()
    var hits = 0
    for _ in 0..<10_000 {
      #expect(random.chance(1) && !random.chance(0))
      if random.chance(0.3) { hits += 1 }
    }
    // Five deviations of a binomial are 230.
    #expect(abs(hits - 3_000) < 230, "\(replay)")
  }

  @Test(
    "A sample has distinct numbers, as many as asked for, and every ordered sample is equally likely",
    arguments: [(2, 4), (2, 16), (3, 3)])
  func sample(count: Int, bound: Int) {
    var random = testRandom()
    var counts = [Int](repeating: 0, count: 4_096)
    for _ in 0..<20_000 {
      let drawn = random.sample(count, below: bound)
      #expect(drawn.count == count && Set(drawn).count == count, "\(replay)")
      #expect(drawn.allSatisfy { (0..<bound).contains($0) }, "\(replay)")
      counts[drawn.reduce(0) { $0 * 16 + $1 }] += 1
    }
    let seen = counts.filter { $0 > 0 }
    let arrangements = (0..<count).reduce(1) { $0 * (bound - $1) }
    #expect(seen.count == arrangements, "\(replay)")
    #expect(chiSquare(seen) < chiSquareLimit(degreesOfFreedom: arrangements - 1), "\(replay)")
  }

  @Test("A sample of more than there are is all there are; one of nothing is empty")
  func sampleEdges() {
    var random = testRandom()
    #expect(random.sample(10, below: 4).sorted() == [0, 1, 2, 3])
    #expect(random.sample(0, below: 4).isEmpty && random.sample(3, below: 0).isEmpty)
  }

  @Test("A shuffle makes every order of four equally likely")
  func shuffle() {
    var random = testRandom()
    var counts: [Int: Int] = [:]
    for _ in 0..<24_000 {
      var elements = [0, 1, 2, 3]
      random.shuffle(&elements)
      counts[elements.reduce(0) { $0 * 4 + $1 }, default: 0] += 1
    }
    #expect(counts.count == 24)
    let ordered = counts.keys.sorted().compactMap { counts[$0] }
    #expect(chiSquare(ordered) < chiSquareLimit(degreesOfFreedom: 23), "\(replay)")
  }
}
