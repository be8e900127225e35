import CSodium

/// A hash of a set that follows each change of it: LtHash with 1,024 numbers of 16 bits (M. Bellare, D. Micciancio, "A New
/// Paradigm for Collision-Free Hashing: Incrementality at Reduced Cost", EUROCRYPT 1997; K. Lewi, W. Kim, I. Maykov,
/// S. Weis, "Securing Update Propagation with Homomorphic Hashing", 2019).
///
/// Each member stands for a vector of 1,024 numbers that look random, the ChaCha20 keystream under the member's SHA-256, and
/// the set for their sum modulo 2¹⁶. So a member is put in or taken out without a look at the others, in whatever order. Two
/// sets with one sum are a short vector of a lattice, which takes some 2²⁰⁰ steps to find; two members with one vector take
/// the 2¹²⁸ of SHA-256. The exclusive or of plain hashes, or their sum in 256 bits, would not do: whoever chooses the members
/// solves linear equations for the one, and for the other finds lists that add up alike (D. Wagner, "A Generalized Birthday
/// Problem", CRYPTO 2002).
public struct SetHash: Sendable {
  /// Four numbers in each, added apart from each other.
  private var words: [UInt64]

  private static let byteCount = 2_048

  /// The hash of no members.
  public init() { words = [UInt64](repeating: 0, count: SetHash.byteCount / 8) }

  /// Puts a member in.
  ///
  /// - Parameter member: its bytes, other than those of every member that is in: the sum of 2¹⁶ alike is zero.
  public mutating func insert(_ member: [UInt8]) {
    let vector = SetHash.vector(of: member)
    for i in words.indices { words[i] = SetHash.sum(words[i], vector[i]) }
  }

  /// Takes a member out that is in.
  public mutating func remove(_ member: [UInt8]) {
    let vector = SetHash.vector(of: member)
    for i in words.indices { words[i] = SetHash.difference(words[i], vector[i]) }
  }

  /// What the set's members add up to, as bytes.
  public var bytes: [UInt8] {
    var writer = WireWriter(capacity: SetHash.byteCount)
    for word in words { writer.write(integer: word) }
    return writer.bytes
  }

  private static func vector(of member: [UInt8]) -> [UInt64] {
    // One key makes one stream only, so the nonce may stay zero.
    let nonce = [UInt8](repeating: 0, count: Int(crypto_stream_chacha20_ietf_NONCEBYTES))
    var vector = [UInt64](repeating: 0, count: byteCount / 8)
    vector.withUnsafeMutableBytes { bytes in
      guard let start = bytes.baseAddress else { return }
      crypto_stream_chacha20_ietf(
        start.assumingMemoryBound(to: UInt8.self), UInt64(byteCount), nonce, SHA256.hash(member).bytes)
    }
    // The same on machines of either byte order.
    for i in vector.indices { vector[i] = UInt64(littleEndian: vector[i]) }
    return vector
  }

  /// The highest bit of each of the four numbers, which alone could carry into the next.
  private static let high: UInt64 = 0x8000_8000_8000_8000

  private static func sum(_ a: UInt64, _ b: UInt64) -> UInt64 {
    ((a & ~high) &+ (b & ~high)) ^ ((a ^ b) & high)
  }

  private static func difference(_ a: UInt64, _ b: UInt64) -> UInt64 {
    ((a | high) &- (b & ~high)) ^ ((a ^ ~b) & high)
  }
}
