import StarlingCore

/// Finds a peer's own coordinate from the round-trip times it measures and the coordinates of those it measured them to.
///
/// F. Dabek, R. Cox, F. Kaashoek, R. Morris, "Vivaldi: A Decentralized Network Coordinate System", SIGCOMM 2004: the
/// algorithm of figure 3 with the adaptive timestep of section 2.5 and the heights of section 5.4. What guards it against
/// bad samples is not in that paper: see the README. Only + − × ÷ √ are used, so a seed gives the same coordinates on
/// every machine.
public struct Vivaldi: Sendable {
  /// c_c, the share of the way to where a sample says that the peer should be (section 4.2).
  public static let timestep = 0.25
  /// c_e, the weight of a new sample in the error estimate (section 4.2 has no other figure; this is that of the
  /// authors' code).
  public static let errorWeight = 0.25
  /// No sample moves a peer farther than this many milliseconds. A guess: far more than good samples ask for after the
  /// first ones.
  public static let moveLimit = 100.0
  /// No height is less than this many milliseconds, so that it can grow again. A guess.
  public static let leastHeight = 0.1
  /// No estimate of an error is believed to be less than this, or whoever claims to be sure would move others at will. A
  /// guess.
  public static let leastError = 0.02
  /// Of how many peers the last round-trip times are remembered. A guess.
  public static let peersRemembered = 32

  /// Where this peer is, and how sure it is.
  public private(set) var coordinate: NetworkCoordinate
  private let dimensions: Int
  /// The peers that were measured last, oldest first.
  private var links: [Link] = []

  private struct Link: Sendable {
    let peer: Peer
    var samples: SampleWindow
  }

  /// A peer that knows nothing yet.
  ///
  /// - Parameters:
  ///   - dimensions: of the Euclidean part: 2 or 3, the same for all peers of a network.
  ///   - coordinate: where it begins: where it was in its last life, if that is known.
  public init(dimensions: Int = 3, from coordinate: NetworkCoordinate = .origin) {
    precondition((2...3).contains(dimensions), "a space of \(dimensions) dimensions; it may have 2 or 3")
    self.dimensions = dimensions
    self.coordinate = coordinate
  }

  /// Takes a measured round trip and moves.
  ///
  /// - Parameters:
  ///   - roundTrip: the time measured to `peer`; what is not more than nothing, or more than a minute, is no measurement.
  ///   - peer: who answered.
  ///   - other: where it says that it is.
  ///   - random: chooses a direction where there is none.
  public mutating func observe(
    _ roundTrip: Interval, to peer: Peer, at other: NetworkCoordinate,
    random: inout some RandomSource & ~Copyable
  ) {
    guard roundTrip > .zero, roundTrip.inMilliseconds <= Double(NetworkCoordinate.limit) else { return }
    let measured = median(with: roundTrip, to: peer)
    let (ownError, otherError) = (
      max(Double(coordinate.error), Vivaldi.leastError), max(Double(other.error), Vivaldi.leastError)
    )
    // Figure 3: the sample's weight, its relative error, and the moving average of that.
    let weight = ownError / (ownError + otherError)
    let difference = measured - coordinate.distance(to: other)
    let sampleError = difference.magnitude / measured
    let gain = Vivaldi.errorWeight * weight
    let error = min(1, sampleError * gain + ownError * (1 - gain))
    let step = Vivaldi.timestep * weight * difference
    move(
      by: min(max(step, -Vivaldi.moveLimit), Vivaldi.moveLimit), from: other, error: error, random: &random)
  }

  /// Moves away from another coordinate, or towards it if `step` is negative, by so many milliseconds.
  private mutating func move(
    by step: Double, from other: NetworkCoordinate, error: Double, random: inout some RandomSource & ~Copyable
  ) {
    var (way, length) = coordinate.separation(from: other)
    let heights = Double(coordinate.height) + Double(other.height)
    // Peers at the same place part in a random direction (section 2.2), as if they were a little apart.
    if length < 0.001 {
      way = direction(&random)
      length = 1
    }
    // Section 5.4: the unit vector is the separation, with both heights added, over its length. All of it is the length
    // of the Euclidean part and of the height together, so that the distance changes by `step`.
    let whole = length + heights
    let position = SIMD3<Double>(coordinate.position) + way * (step / whole)
    let height = max(Vivaldi.leastHeight, Double(coordinate.height) + heights * (step / whole))
    let limit = Double(NetworkCoordinate.limit)
    let inside = position.clamped(lowerBound: SIMD3(repeating: -limit), upperBound: SIMD3(repeating: limit))
    coordinate = NetworkCoordinate(
      trusted: SIMD4(SIMD3<Float>(inside), Float(min(height, limit))), error: Float(error))
  }

  /// A vector of length 1: uniform in the ball, and then stretched.
  private func direction(_ random: inout some RandomSource & ~Copyable) -> SIMD3<Double> {
    while true {
      let z = dimensions == 3 ? 2 * random.unit() - 1 : 0
      let vector = SIMD3(2 * random.unit() - 1, 2 * random.unit() - 1, z)
      let squares = vector.x * vector.x + vector.y * vector.y + vector.z * vector.z
      if squares > 0.01, squares <= 1 { return vector / squares.squareRoot() }
    }
  }

  /// The median of the last measurements to a peer, with a new one, in milliseconds.
  private mutating func median(with roundTrip: Interval, to peer: Peer) -> Double {
    var link = Link(peer: peer, samples: SampleWindow())
    if let known = links.firstIndex(where: { $0.peer == peer }) {
      link = links.remove(at: known)
    } else if links.count == Vivaldi.peersRemembered {
      links.removeFirst()
    }
    link.samples.append(roundTrip.inMilliseconds)
    links.append(link)
    return link.samples.median
  }
}

/// The last four measurements to a peer.
private struct SampleWindow: Sendable {
  private var samples = SIMD4<Double>()
  private var count = 0

  mutating func append(_ sample: Double) {
    samples[count % 4] = sample
    // 4 ... 7 stand for a full window.
    count = count == 7 ? 4 : count + 1
  }

  /// The median; of an even number the lower of the middle two, because what disturbs a measurement makes it longer.
  var median: Double {
    let known = (0..<min(count, 4)).map { samples[$0] }.sorted()
    return known[(known.count - 1) / 2]
  }
}
