import StarlingCore

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// The generator of a randomised test: seeded by `STARLING_TEST_SEED`, 1 by default, and printed so that a
/// failure can be replayed.
func testRandom(_ name: String = #function) -> Xoshiro256 {
  let seed = getenv("STARLING_TEST_SEED").flatMap { UInt64(String(cString: $0)) } ?? 1
  print("\(name): STARLING_TEST_SEED=\(seed)")
  return Xoshiro256(seed: seed)
}
