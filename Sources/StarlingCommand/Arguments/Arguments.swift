import StarlingCore

/// What a verb was given, from its options, the environment and a configuration file, in this order.
struct Arguments: Sendable {
  /// The verb they are for.
  let verb: Verb
  /// The words that are not options.
  let operands: [String]
  private let given: [String: [String]]
  private let environment: [String: String]
  /// What a configuration file says, by option; consulted last.
  var file: ConfigurationFile?

  /// The values given on the command line by option name, in order.
  init(verb: Verb, given: [String: [String]], operands: [String], environment: [String: String]) {
    self.verb = verb
    self.given = given
    self.operands = operands
    self.environment = environment
  }

  /// These with what the file of `--config` says, if one is named.
  func withConfiguration() throws(CommandError) -> Arguments {
    guard let path = text("config") else { return self }
    var arguments = self
    arguments.file = try ConfigurationFile(path: path, for: verb)
    return arguments
  }

  /// A value and where it came from, for errors.
  struct Value {
    let text: String
    let origin: String
  }

  /// Whether a flag is there.
  func has(_ name: String) -> Bool { given[name] != nil || file?.flags.contains(name) == true }

  /// All values of an option that repeats; of the first source that has any.
  func isGiven(_ name: String) -> Bool { given[name] != nil }

  func values(_ name: String) -> [Value] {
    precondition(verb.option(named: name) != nil, "`starling \(verb.name)` declares no option --\(name)")
    if let texts = given[name] { return texts.map { Value(text: $0, origin: "--\(name)") } }
    if let option = verb.option(named: name), option.readsEnvironment,
      let text = environment[option.variable], !text.isEmpty
    {
      let texts = option.repeats ? text.split(separator: " ").map(String.init) : [text]
      return texts.map { Value(text: $0, origin: option.variable) }
    }
    guard let file, let texts = file.values[name] else { return [] }
    return texts.map { Value(text: $0, origin: "The key \"\(name)\" in \(file.path)") }
  }

  /// The value of an option as it was written.
  func text(_ name: String) -> String? { values(name).first?.text }

  /// The value of an option as `convert` understands it.
  ///
  /// - Throws: a usage error that names the option.
  func value<Result>(
    _ name: String, _ convert: (String) throws -> Result
  ) throws(CommandError) -> Result? {
    guard let value = values(name).first else { return nil }
    return try converted(value, convert)
  }

  /// All values of an option as `convert` understands them.
  func all<Result>(
    _ name: String, _ convert: (String) throws -> Result
  ) throws(CommandError) -> [Result] {
    var results: [Result] = []
    for value in values(name) { results.append(try converted(value, convert)) }
    return results
  }

  /// A whole number.
  func integer(_ name: String, in range: ClosedRange<Int>, default value: Int) throws(CommandError) -> Int {
    try self.value(name) { text in
      guard let number = Int(text), range.contains(number) else {
        throw QuantityError(
          "\(quoted(text)) must be a whole number from \(range.lowerBound) to \(range.upperBound).")
      }
      return number
    } ?? value
  }

  /// The seed of all random choices.
  func seed() throws(CommandError) -> UInt64 {
    try value("seed") { text in
      guard let seed = UInt64(text) else {
        throw QuantityError("\(quoted(text)) must be a whole number from 0 to \(UInt64.max).")
      }
      return seed
    } ?? 1
  }

  /// A duration such as `2s`.
  func duration(_ name: String, in range: ClosedRange<Interval>) throws(CommandError) -> Interval? {
    try value(name) { text in
      let duration = try Quantity.duration(text)
      guard range.contains(duration) else {
        throw QuantityError(
          "\(quoted(text)) is out of range; it may be \(Quantity.text(of: range.lowerBound)) to"
            + " \(Quantity.text(of: range.upperBound)).")
      }
      return duration
    }
  }

  /// A share such as `5%`.
  func share(_ name: String, default value: Double) throws(CommandError) -> Double {
    try self.value(name) { try Quantity.share($0) } ?? value
  }

  /// One of a few names.
  ///
  /// - Parameters:
  ///   - name: the option.
  ///   - value: what it is if it is not given.
  ///   - others: further names that it knows elsewhere, for whoever mistypes.
  ///   - excluded: choices that are none here.
  func choice<Choice: RawRepresentable & CaseIterable>(
    _ name: String, default value: Choice, beside others: [String] = [], except excluded: [Choice] = []
  ) throws(CommandError) -> Choice where Choice.RawValue == String {
    try self.value(name) { text in
      let choices = Choice.allCases.map(\.rawValue).filter { name in
        !excluded.contains { $0.rawValue == name }
      }
      if choices.contains(text), let choice = Choice(rawValue: text) { return choice }
      let names = choices + others
      let near = Suggestion.nearest(to: text, among: names).map { "did you mean \($0)?" }
      throw QuantityError(
        "\(quoted(text)) is not known: " + (near ?? "it may be \(names.joined(separator: ", "))."))
    } ?? value
  }

  /// An address such as `127.0.0.1:4000`.
  func address(_ name: String) throws(CommandError) -> SocketAddress? {
    try value(name, Arguments.address)
  }

  /// Understands an address.
  static func address(_ text: String) throws -> SocketAddress {
    if let port = text.split(separator: ":").last, let number = Int(port), number > Int(UInt16.max) {
      throw QuantityError("\(quoted(text)) has port \(number), which is not an address: ports end at 65535.")
    }
    guard let address = SocketAddress(text) else {
      throw QuantityError(
        "\(quoted(text)) is not an address; write it in numbers, like 127.0.0.1:4000 or [::1]:4000: names are not looked up."
      )
    }
    return address
  }

  private func converted<Result>(
    _ value: Value, _ convert: (String) throws -> Result
  ) throws(CommandError) -> Result {
    do {
      return try convert(value.text)
    } catch {
      throw .usage("\(value.origin): \(error)")
    }
  }
}
