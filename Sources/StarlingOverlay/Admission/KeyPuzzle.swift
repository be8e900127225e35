import StarlingCore

/// A puzzle that makes keys dear: only keys whose hash begins with a number of zero bits may join, so each costs
/// its owner 2^bits tries on average, and everybody else one hash to check. It slows whoever wants many names
/// down (Douceur's Sybil attack, IPTPS 2002); it stops nobody who has time.
///
/// The work is in the key itself, as in Hashcash (Back 1997) and S/Kademlia's static puzzle (Baumgart and Mies,
/// ICPADS 2007): it is done once, cannot be reused for another key, and needs no message.
public struct KeyPuzzle: AdmissionPolicy, Equatable {
  /// How many zero bits are needed: 0 ... 64.
  public let bits: Int

  /// The most bits that can be asked for. Beyond 40 or so nobody finds a key.
  public static let bitsLimit = 64

  /// - Parameter bits: the zero bits that are needed, 0 ... ``bitsLimit``.
  public init(bits: Int) {
    precondition((0...KeyPuzzle.bitsLimit).contains(bits), "a puzzle of \(bits) bits; it may have 0 to 64")
    self.bits = bits
  }

  /// How many keys must be tried on average: 2^bits.
  public var expectedTries: Double { Double(sign: .plus, exponent: bits, significand: 1) }

  /// The zero bits with which SHA-256 of a label and the key begins: 0 ... 256.
  public static func bits(of key: PublicKey) -> Int {
    var zeros = 0
    for byte in SHA256.hash(Array("starling key puzzle 1".utf8) + key.bytes).bytes {
      zeros += byte.leadingZeroBitCount
      if byte != 0 { break }
    }
    return zeros
  }

  /// Refuses keys with fewer bits.
  public func refusal(of key: PublicKey) -> AdmissionRefusal? {
    let found = KeyPuzzle.bits(of: key)
    return found >= bits ? nil : .puzzleUnsolved(bits: found, needed: bits)
  }
}
