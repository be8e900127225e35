/// Something that is fed with arbitrary bytes and must neither trap nor break its promises.
struct FuzzTarget: Sendable {
  /// The name, which is also that of its folder of inputs.
  let name: String
  /// Takes an input. A promise that is broken is a failed precondition.
  let run: @Sendable ([UInt8]) -> Void
  /// Inputs to begin with, made by our own encoders.
  let seeds: @Sendable () -> [[UInt8]]

  init(
    _ name: String, seeds: @escaping @Sendable () -> [[UInt8]], run: @escaping @Sendable ([UInt8]) -> Void
  ) {
    self.name = name
    self.run = run
    self.seeds = seeds
  }

  /// All targets: the decoders, then whole processes.
  static let all: [FuzzTarget] =
    transportTargets + messageTargets + fileTargets + textTargets + diskTargets + processTargets
    + endpointTargets + secureTargets + ledgerTargets
}

/// Fails with what was promised.
func promise(_ isKept: Bool, _ what: @autoclosure () -> String) {
  precondition(isKept, what())
}

/// Reads an input as a program: numbers, one after the other, that end with zeros.
struct FuzzProgram {
  private let bytes: [UInt8]
  private(set) var position = 0

  init(_ bytes: [UInt8]) { self.bytes = bytes }

  /// Whether there is more.
  var isAtEnd: Bool { position >= bytes.count }

  /// The next byte.
  mutating func byte() -> UInt8 {
    guard position < bytes.count else { return 0 }
    defer { position += 1 }
    return bytes[position]
  }

  /// A number below a bound of at most 256.
  mutating func number(below bound: Int) -> Int { Int(byte()) % bound }

  /// A length byte and that many bytes, or what is left of them.
  mutating func counted() -> [UInt8] {
    let end = min(bytes.count, position + 1 + Int(position < bytes.count ? bytes[position] : 0))
    defer { position = max(position, end) }
    return position + 1 < end ? Array(bytes[(position + 1)..<end]) : []
  }
}
