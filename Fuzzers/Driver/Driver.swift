#if canImport(Glibc)
  import Glibc
#endif

/// The target that STARLING_FUZZ_TARGET names.
private let chosen: FuzzTarget = {
  let name = getenv("STARLING_FUZZ_TARGET").map { String(cString: $0) } ?? ""
  if let target = FuzzTarget.all.first(where: { $0.name == name }) { return target }
  print("Set STARLING_FUZZ_TARGET to one of: \(FuzzTarget.all.map(\.name).joined(separator: " ")).")
  exit(2)
}()

/// libFuzzer calls this with every input that it makes.
@_cdecl("LLVMFuzzerTestOneInput")
public func testOneInput(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  chosen.run(Array(UnsafeBufferPointer(start: start, count: count)))
  return 0
}
