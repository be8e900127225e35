import StarlingCore
import StarlingOverlay
import StarlingRuntime

extension Verb {
  /// `starling keys new`
  static let keysNew = Verb(
    "keys new", "make an identity and write it to a file that only you can read",
    options: [
      Option("out", "FILE", "where to write it; nothing may be there yet (default starling.key)"),
      Option("puzzle", "BITS", "search for a key that solves a network's puzzle (default 0)"),
      Option("time-limit", "TIME", "give up the search after this long (default 10min)"),
      .json,
    ],
    notes: """
      An identity is an Ed25519 key pair. Its public key is the peer's name in the network; whoever
      has the file can speak in that name, so keep it to yourself.
      A puzzle of BITS bits takes 2^BITS tries on average: some minute for 20, twice that for 21.
      """
  ) { arguments throws(CommandError) in
    let path = arguments.text("out") ?? "starling.key"
    let bits = try arguments.value("puzzle") { try AdmissionRule.bits($0) } ?? 0
    let limit = try arguments.duration("time-limit", in: .seconds(1)...Quantity.longestDuration)
    let seed = bits > 0 ? try solve(bits, within: limit ?? .seconds(600)) : nil
    let identity = try explaining { try IdentityFile.create(at: path, seed: seed) }
    try Output.standard.write(
      .object([
        ("key", .string(identity.publicKey.description)), ("file", .string(path)),
        ("puzzle_bits", .integer(KeyPuzzle.bits(of: identity.publicKey))),
      ]),
      json: arguments.has("json"), text: "\(identity.publicKey)\nwritten to \(path)")
  }

  /// `starling keys show`
  static let keysShow = Verb(
    "keys show", "print the public key of an identity",
    operands: [Operand(name: "FILE", summary: "the file that `starling keys new` wrote")],
    options: [.json, .out],
    notes: "With --json it also says how many bits of a network's puzzle the key solves."
  ) { arguments throws(CommandError) in
    let path = arguments.operands[0]
    let identity = try explaining { try IdentityFile.read(path) }
    let key = identity.publicKey.description
    try Output(arguments).write(
      .object([
        ("key", .string(key)), ("file", .string(path)),
        ("puzzle_bits", .integer(KeyPuzzle.bits(of: identity.publicKey))),
      ]), json: arguments.has("json"), text: key)
  }

  /// Searches for the seed of a key that solves a puzzle.
  private static func solve(_ bits: Int, within limit: Interval) throws(CommandError) -> [UInt8] {
    let clock = ContinuousClock()
    let end = clock.now + .nanoseconds(limit.nanoseconds)
    var search = KeySearch(bits: bits)
    var progress = Progress()
    defer { progress.finish() }
    let expected = Int(clamping: Int64(min(search.puzzle.expectedTries, 9e18)))
    while clock.now < end {
      if let seed = try explaining({ try search.run(tries: 1_000) }) { return seed }
      progress.report("keys tried, and needed on average", search.tries, of: expected)
    }
    throw .failed(
      "No key of \(search.tries) solves a puzzle of \(Quantity.count(bits, "bit")): give a longer --time-limit or fewer bits."
    )
  }
}
