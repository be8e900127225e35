/// A place on the Earth: where a simulated peer is.
public struct Place: Hashable, Sendable {
  /// What it is called.
  public let name: String
  /// Degrees north of the equator, −90 ... 90.
  public let latitude: Double
  /// Degrees east of Greenwich, −180 ... 180.
  public let longitude: Double

  /// The Earth's mean radius in kilometres (IUGG).
  public static let earthRadius = 6_371.0088

  /// - Parameters:
  ///   - name: what it is called.
  ///   - latitude: degrees north of the equator, −90 ... 90.
  ///   - longitude: degrees east of Greenwich, −180 ... 180.
  public init(name: String, latitude: Double, longitude: Double) {
    precondition((-90...90).contains(latitude), "a latitude of \(latitude) degrees")
    precondition((-180...180).contains(longitude), "a longitude of \(longitude) degrees")
    self.name = name
    self.latitude = latitude
    self.longitude = longitude
  }

  /// Where it is on a sphere of radius 1 around the Earth's middle: x towards 0° N 0° E, z towards the north pole.
  public var unitVector: SIMD3<Double> {
    let (north, east) = (sineAndCosine(degrees: latitude), sineAndCosine(degrees: longitude))
    return SIMD3(north.cosine * east.cosine, north.cosine * east.sine, north.sine)
  }

  /// The great-circle distance to another place in kilometres, the same to the bit on every machine. The Earth's
  /// flattening is left out: half a per cent at most.
  public func distance(to other: Place) -> Double {
    Place.distance(from: unitVector, to: other.unitVector)
  }

  /// The great-circle distance in kilometres between two places whose unit vectors are known.
  static func distance(from a: SIMD3<Double>, to b: SIMD3<Double>) -> Double {
    let difference = a - b
    let squares =
      difference.x * difference.x + difference.y * difference.y + difference.z * difference.z
    // The arc that belongs to a chord: 2·asin(chord/2). A chord is precise where an angle's cosine is not: nearby.
    return earthRadius * 2 * arcSine(min(1, squares.squareRoot() / 2))
  }
}

/// The delays of `--geography world`: what light in fibre takes along a path longer than the straight one, and what the ends
/// add.
public enum WorldDelays {
  /// How far a signal comes in a fibre, in kilometres a second: two thirds of the speed of light.
  public static let fibreSpeed = 299_792.458 * 2 / 3
  /// How many times longer than the great circle the way of a datagram is. A guess: of the round trips between cities, the
  /// best are 1.3 times as long as light in fibre would take, and the middle of those among servers and their clients
  /// about twice as long (A. Singla, B. Chandrasekaran, P. B. Godfrey, B. Maggs, "The Internet at the Speed of Light",
  /// HotNets 2014).
  public static let pathStretch = 1.7
  /// How long a datagram takes from a peer to its city's middle, or back: drawn uniformly for each peer, once. A guess.
  public static let lastMile = (from: Interval.milliseconds(1), to: Interval.milliseconds(10))
  /// By which share of itself a delay is longer at most, uniformly and each time anew. A guess.
  public static let jitter = 1 / Double(DelaySampler.jitterDivisor)

  /// The cities' places.
  public static let places = City.world.map(\.place)

  /// How long a datagram takes from one place's middle to another's, without the ends and jitter.
  public static func delay(from a: Place, to b: Place) -> Interval { delay(over: a.distance(to: b)) }

  private static func delay(over kilometres: Double) -> Interval {
    Interval(nanoseconds: Int64(kilometres / fibreSpeed * pathStretch * 1e9))
  }

  /// The delays in nanoseconds from each city to each, row after row.
  static let oneWay: [Int64] = {
    let vectors = places.map(\.unitVector)
    return vectors.flatMap { a in
      vectors.map { delay(over: Place.distance(from: a, to: $0)).nanoseconds }
    }
  }()

  /// The sums of the cities' weights up to and including each.
  private static let sums: [Int] = {
    var sum = 0
    return City.world.map { city in
      sum += city.weight
      return sum
    }
  }()

  /// Draws a city by its weight, and answers with its index.
  static func drawCity(_ random: inout some RandomSource & ~Copyable) -> Int {
    let draw = random.uniform(below: sums[sums.count - 1])
    var (low, high) = (0, sums.count - 1)
    while low < high {
      let middle = (low + high) / 2
      if sums[middle] > draw { high = middle } else { low = middle + 1 }
    }
    return low
  }

  /// Draws how long a peer's last mile takes, in nanoseconds.
  static func drawLastMile(_ random: inout some RandomSource & ~Copyable) -> Int32 {
    let width = Int((lastMile.to - lastMile.from).nanoseconds) + 1
    return Int32(lastMile.from.nanoseconds + Int64(random.uniform(below: width)))
  }
}
