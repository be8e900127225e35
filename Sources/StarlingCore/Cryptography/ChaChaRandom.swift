import CSodium

/// A generator for secrets: the ChaCha20 keystream with fast key erasure (Bernstein, "Fast-key-erasure
/// random-number generators", 2017).
///
/// Everything follows from the seed, so a simulation replays it; a node seeds it from the operating system's
/// entropy. Each block of keystream begins with the key of the next, and what was handed out is forgotten,
/// so whoever reads the state later cannot tell what came before. A copy continues with the same numbers:
/// hand out parts with ``split()``, not copies.
public struct ChaChaRandom: RandomSource, Sendable, CustomStringConvertible {
  /// A seed has 32 bytes.
  public static var seedByteCount: Int { 32 }
  // 512 bytes cost 8 ChaCha20 blocks; of them the first 32 bytes are the next key.
  private static let blockBytes = 512

  private var block: [UInt8]
  private var position: Int

  /// A generator whose whole sequence follows from `seed`.
  ///
  /// - Parameter seed: 32 bytes; `nil` comes back for any other number of them.
  public init?(seed: [UInt8]) {
    guard seed.count == ChaChaRandom.seedByteCount else { return nil }
    self.init(key: seed)
  }

  private init(key: [UInt8]) {
    block = key + [UInt8](repeating: 0, count: ChaChaRandom.blockBytes - key.count)
    position = ChaChaRandom.blockBytes
  }

  /// The next 64 bits.
  public mutating func next() -> UInt64 {
    if ChaChaRandom.blockBytes - position < 8 { refill() }
    var value: UInt64 = 0
    for i in position..<(position + 8) {
      value = value << 8 | UInt64(block[i])
      block[i] = 0
    }
    position += 8
    return value
  }

  /// The next `count` bytes.
  public mutating func bytes(_ count: Int) -> [UInt8] {
    var result: [UInt8] = []
    result.reserveCapacity(count)
    while result.count < count {
      if position == ChaChaRandom.blockBytes { refill() }
      let taken = min(count - result.count, ChaChaRandom.blockBytes - position)
      for i in position..<(position + taken) {
        result.append(block[i])
        block[i] = 0
      }
      position += taken
    }
    return result
  }

  /// A generator of its own for a part of the program, independent of this one from here on.
  public mutating func split() -> ChaChaRandom {
    ChaChaRandom(key: bytes(ChaChaRandom.seedByteCount))
  }

  /// Says what it is, not its state.
  public var description: String { "ChaCha20 generator" }

  private mutating func refill() {
    let key = Array(block[..<ChaChaRandom.seedByteCount])
    // One key makes one block only, so the nonce may stay zero.
    let nonce = [UInt8](repeating: 0, count: Int(crypto_stream_chacha20_ietf_NONCEBYTES))
    crypto_stream_chacha20_ietf(&block, UInt64(block.count), nonce, key)
    position = ChaChaRandom.seedByteCount
  }
}
