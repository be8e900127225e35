import Foundation
import StarlingCore
import Testing

/// The seed of randomised tests: `STARLING_TEST_SEED`, or 1.
let testSeed = ProcessInfo.processInfo.environment["STARLING_TEST_SEED"].flatMap(UInt64.init) ?? 1

/// What a failing randomised test prints.
let replay: Comment = "replay with STARLING_TEST_SEED=\(testSeed)"

/// The bytes that hexadecimal digits stand for.
func bytes(hex: String) -> [UInt8] {
  let digits = hex.utf8.map { $0 < 0x3A ? $0 - 0x30 : $0 - 0x57 }
  return stride(from: 0, to: digits.count, by: 2).map { digits[$0] << 4 | digits[$0 + 1] }
}

/// An identity that is the same on every run.
func testIdentity(_ i: Int) throws -> Identity { try Identity(seed: [UInt8](repeating: UInt8(i), count: 32)) }

/// A generator that is the same on every run.
func testRandom(_ seed: UInt64) throws -> ChaChaRandom {
  let key = (0..<32).map { UInt8(truncatingIfNeeded: seed >> UInt64(8 * ($0 % 8))) &+ UInt8($0) }
  return try #require(ChaChaRandom(seed: key))
}

/// A message whose every byte depends on its number and place.
func testMessage(_ number: Int, byteCount: Int) -> [UInt8] {
  var random = Xoshiro256(seed: UInt64(number))
  return (0..<byteCount).map { _ in UInt8(truncatingIfNeeded: random.next()) }
}
