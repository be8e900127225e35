import StarlingTestSupport
import Testing

@testable import StarlingCore

@Suite struct PlaceTests {
  private func city(_ name: String) throws -> Place {
    try #require(WorldDelays.places.first { $0.name == name }, "\(name)")
  }

  /// Computed with the haversine formula by another program, on a sphere of 6,371.0088 km.
  @Test("Great-circle distances are those of another formula to .1%")
  func distances() throws {
    let known: [(String, String, kilometres: Double)] = [
      ("London", "New York", 5_570.5), ("London", "Sydney", 16_994.1), ("Tokyo", "Los Angeles", 8_816.6),
      ("Singapore", "Quito", 19_729.2), ("Auckland", "Madrid", 19_596.2), ("Berlin", "Hamburg", 255.7),
    ]
    for (a, b, kilometres) in known {
      let distance = try city(a).distance(to: try city(b))
      #expect(abs(distance - kilometres) < 0.001 * kilometres, "\(a), \(b): \(distance)")
      #expect(try city(b).distance(to: try city(a)) == distance)
    }
    let half = Double.pi * Place.earthRadius
    let poles = [90, -90].map { Place(name: "pole", latitude: $0, longitude: 0) }
    #expect(abs(poles[0].distance(to: poles[1]) - half) < 1e-6)
    #expect(poles[0].distance(to: poles[0]) == 0)
  }

  @Test("Sines, cosines and arcs are right to the last digits, over full turns")
  func circle() {
    for degrees in stride(from: -360.0, through: 360, by: 0.5) {
      let (sine, cosine) = sineAndCosine(degrees: degrees)
      #expect(abs(sine * sine + cosine * cosine - 1) < 1e-14)
      #expect(
        abs(sineAndCosine(degrees: degrees / 2).sine.magnitude - ((1 - cosine) / 2).squareRoot()) < 1e-7)
      if (0...90).contains(degrees) { #expect(abs(arcSine(sine) - degrees * .pi / 180) < 1e-7, "\(degrees)") }
    }
    for (degrees, sine) in [
      (0.0, 0.0), (30, 0.5), (90, 1), (150, 0.5), (180, 0), (270, -1), (-30, -0.5), (-90, -1),
    ] {
      #expect(abs(sineAndCosine(degrees: degrees).sine - sine) < 1e-15)
      #expect(
        abs(sineAndCosine(degrees: degrees + (degrees < 0 ? 90 : -90)).cosine - (degrees < 0 ? -sine : sine))
          < 1e-15)
    }
    for x in [0.001, 0.1, 0.3, 0.5] {
      #expect(abs(sineAndCosine(degrees: arcSine(x) * 180 / .pi).sine - x) < 1e-12)
    }
  }

  @Test("There are 150 to 200 cities of different names, on every inhabited continent")
  func cities() {
    let cities = City.world
    #expect((150...200).contains(cities.count))
    #expect(Set(cities.map(\.place.name)).count == cities.count)
    #expect(cities.allSatisfy { $0.weight > 0 && $0.weight < 400 })
    // No two cities are one: a slip in a coordinate puts places on each other, or into another's country.
    for (i, a) in cities.enumerated() {
      for b in cities[..<i] {
        #expect(a.place.distance(to: b.place) > 20, "\(a.place.name), \(b.place.name)")
      }
    }
  }

  @Test("Peers are in cities by their weight, and those asked for are those used")
  func sampling() throws {
    var random = testRandom()
    let peers = 20_000
    var sampler = DelaySampler(.world, peers: 10, random: &random)
    #expect(sampler.place(of: Peer(10)) == nil)
    sampler.grow(to: peers, random: &random)
    var counts: [String: Int] = [:]
    for i in 0..<peers { counts[try #require(sampler.place(of: Peer(i))).name, default: 0] += 1 }
    let total = Double(City.world.reduce(0) { $0 + $1.weight })
    let statistic = City.world.reduce(0.0) { sum, city in
      let expected = Double(peers) * Double(city.weight) / total
      let difference = Double(counts[city.place.name, default: 0]) - expected
      return sum + difference * difference / expected
    }
    #expect(statistic < chiSquareLimit(degreesOfFreedom: City.world.count - 1), "\(replay)")
    #expect(DelaySampler(.constant(.zero), peers: 1, random: &random).place(of: Peer(0)) == nil)
  }

  @Test("A delay is that of light in fibre along a longer way, the ends', and jitter of up to a tenth")
  func delays() throws {
    var random = testRandom()
    let sampler = DelaySampler(.world, peers: 200, random: &random)
    for i in 0..<200 {
      let (a, b) = (Peer(i), Peer(random.uniform(below: 200)))
      let places = (try #require(sampler.place(of: a)), try #require(sampler.place(of: b)))
      let way = places.0.distance(to: places.1) / 199_861.638 * 1.7 * 1_000
      let samples = (0..<200).map { _ in sampler.sample(from: a, to: b, random: &random).inMilliseconds }
      let (least, most) = (try #require(samples.min()), try #require(samples.max()))
      #expect(least >= way + 2 && least <= 1.02 * (way + 20), "\(places)")
      // That 200 uniform draws range over less than .85 of their law has probability 10⁻¹².
      #expect(most / least > 1.085 && most / least <= 1.1, "\(places)")
      // The way there has the same fixed part as the way back.
      let back = (0..<200).map { _ in sampler.sample(from: b, to: a, random: &random).inMilliseconds }.min()
      #expect(abs(try #require(back) / least - 1) < 0.02)
    }
    let london = try city("London")
    #expect(abs(WorldDelays.delay(from: london, to: try city("New York")).inMilliseconds - 47.38) < 0.05)
  }

  @Test("The same seed draws the same places and delays on every machine: this hash was computed once")
  func replaying() {
    var random = Xoshiro256(seed: 7)
    let sampler = DelaySampler(.world, peers: 1_000, random: &random)
    var hash: UInt64 = 0
    for i in 0..<1_000 {
      let delay = sampler.sample(from: Peer(i), to: Peer(i * 7 % 1_000), random: &random)
      hash = SplitMix64.mix(hash ^ UInt64(delay.nanoseconds))
    }
    for delay in WorldDelays.oneWay { hash = SplitMix64.mix(hash ^ UInt64(delay)) }
    #expect(hash == 13_462_444_484_731_402_973)
  }

  @Test("A geography is the world or a matrix, and nothing else")
  func parsing() throws {
    #expect(try DelayModel.parse(geography: "world") { _ in "" } == .world)
    #expect(DelayModel.world.description == "world")
    let matrix = try DelayModel.parse(geography: "matrix:a file") { _ in "0 1 1 0" }
    #expect(matrix.description == "matrix:a file")
    for text in ["", "World", "constant:1ms", "world:"] {
      #expect(throws: QuantityError("\"\(text)\" is not a geography; write world or matrix:FILE.")) {
        try DelayModel.parse(geography: text) { _ in "" }
      }
    }
  }
}
