import StarlingCore
import StarlingOverlay

/// Looks for a key that solves a network's puzzle, by trying one random key after another.
public struct KeySearch: Sendable {
  /// The puzzle.
  public let puzzle: KeyPuzzle
  /// How many keys were tried.
  public private(set) var tries = 0

  /// A search that has not begun.
  ///
  /// - Parameter bits: the zero bits that the key needs, 0 ... ``KeyPuzzle/bitsLimit``.
  public init(bits: Int) { puzzle = KeyPuzzle(bits: bits) }

  /// Tries some more keys.
  ///
  /// - Parameter count: how many at most.
  /// - Returns: the seed of an identity whose key solves the puzzle; `nil` if none of them did.
  /// - Throws: ``HostError`` when the system gives no randomness or no memory.
  public mutating func run(tries count: Int) throws(HostError) -> [UInt8]? {
    for _ in 0..<count {
      let seed = try SystemEntropy.bytes(Identity.seedByteCount)
      tries += 1
      do throws(IdentityError) {
        if puzzle.refusal(of: try Identity(seed: seed).publicKey) == nil { return seed }
      } catch {
        throw HostError("An identity could not be made: \(error).")
      }
    }
    return nil
  }
}
