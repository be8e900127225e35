import StarlingCore

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// The seed of all randomised tests: `STARLING_TEST_SEED`, 1 by default.
package let testSeed: UInt64 = getenv("STARLING_TEST_SEED").flatMap { UInt64(String(cString: $0)) } ?? 1

/// How to run the tests once more with the seed of this run: for the message of a failed expectation.
package let replay = "replay: STARLING_TEST_SEED=\(testSeed) swift test"

/// The generator of a randomised test. Each test has its own sequence, whichever others run.
package func testRandom(_ name: String = #function) -> Xoshiro256 {
  print("\(name): STARLING_TEST_SEED=\(testSeed)")
  return Xoshiro256(seed: testSeed)
}
