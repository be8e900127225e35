import StarlingCore

/// Where a peer is in a space whose distances are round-trip times: up to three Euclidean dimensions, which stand for the
/// core of the network, and a height, which stands for the way from the peer to the core and back.
///
/// F. Dabek, R. Cox, F. Kaashoek, R. Morris, "Vivaldi: A Decentralized Network Coordinate System", SIGCOMM 2004, section
/// 5.4 (height vectors) and section 2.5 (error estimates).
@frozen
public struct NetworkCoordinate: Hashable, Sendable {
  /// The three Euclidean components, of which the last is 0 in two dimensions, and the height, in milliseconds.
  @usableFromInline let components: SIMD4<Float>
  /// What the peer believes its relative error to be: 0 ... 1. 1 is ignorance.
  public let error: Float

  /// No component is beyond this many milliseconds: no round trip on the Earth is a minute long.
  @inlinable
  public static var limit: Float { 60_000 }

  /// Where everybody begins: the middle of the space, with all the error there can be.
  @inlinable
  public static var origin: NetworkCoordinate { NetworkCoordinate(trusted: SIMD4(), error: 1) }

  @usableFromInline
  init(trusted components: SIMD4<Float>, error: Float) {
    self.components = components
    self.error = error
  }

  /// A coordinate with these components; `nil` if one is no finite number or out of range.
  ///
  /// - Parameters:
  ///   - position: three components in milliseconds, each −``limit`` ... ``limit``.
  ///   - height: in milliseconds, 0 ... ``limit``.
  ///   - error: the relative error, 0 ... 1.
  public init?(position: SIMD3<Float>, height: Float, error: Float) {
    let components = SIMD4(position, height)
    // A comparison with NaN is false.
    for i in 0..<3 where !(components[i].magnitude <= NetworkCoordinate.limit) { return nil }
    guard height >= 0, height <= NetworkCoordinate.limit, error >= 0, error <= 1 else { return nil }
    self.init(trusted: components, error: error)
  }

  /// The Euclidean components in milliseconds.
  public var position: SIMD3<Float> { SIMD3(components.x, components.y, components.z) }

  /// The height in milliseconds.
  public var height: Float { components.w }

  /// The estimated round-trip time between two peers: the distance of their positions, and both heights.
  public func roundTrip(to other: NetworkCoordinate) -> Interval {
    Interval(nanoseconds: Int64(distance(to: other) * 1e6))
  }

  /// The same in milliseconds.
  public func distance(to other: NetworkCoordinate) -> Double {
    separation(from: other).length + Double(height) + Double(other.height)
  }

  /// The way from the other's position to this one's, and its length, in milliseconds.
  func separation(from other: NetworkCoordinate) -> (vector: SIMD3<Double>, length: Double) {
    let vector = SIMD3<Double>(position) - SIMD3<Double>(other.position)
    let squares = vector.x * vector.x + vector.y * vector.y + vector.z * vector.z
    return (vector, squares.squareRoot())
  }
}

extension NetworkCoordinate {
  /// Five numbers of 32 bits.
  @inlinable
  public static var encodedByteCount: Int { 20 }

  /// Appends the components, the height and the error, as IEEE 754 numbers of 32 bits.
  public func encode(into writer: inout WireWriter) {
    for i in 0..<4 { writer.write(integer: components[i].bitPattern) }
    writer.write(integer: error.bitPattern)
  }
}

extension WireReader {
  /// Takes a network coordinate.
  ///
  /// - Throws: ``WireError/invalid(_:)`` if a number is not finite or out of range.
  public mutating func readCoordinate() throws(WireError) -> NetworkCoordinate {
    var numbers: [Float] = []
    for _ in 0..<5 { numbers.append(Float(bitPattern: try read(UInt32.self))) }
    let position = SIMD3(numbers[0], numbers[1], numbers[2])
    guard let coordinate = NetworkCoordinate(position: position, height: numbers[3], error: numbers[4]) else {
      throw .invalid("a network coordinate with a number that is out of range")
    }
    return coordinate
  }
}
