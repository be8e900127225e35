/// An option of a verb: `--name VALUE`, or `--name` alone for a flag.
struct Option: Sendable {
  /// Without the two dashes.
  let name: String
  /// What stands for the value in the help; `nil` for a flag, which takes none.
  let value: String?
  /// What it does, and its default, in half a sentence.
  let summary: String
  /// Whether it may be given more than once.
  let repeats: Bool
  /// Whether the environment variable ``variable`` stands in for it.
  let readsEnvironment: Bool

  /// An option with a value.
  init(
    _ name: String, _ value: String, _ summary: String, repeats: Bool = false, readsEnvironment: Bool = false
  ) {
    self.name = name
    self.value = value
    self.summary = summary
    self.repeats = repeats
    self.readsEnvironment = readsEnvironment
  }

  private init(flag name: String, _ summary: String) {
    self.name = name
    value = nil
    self.summary = summary
    repeats = false
    readsEnvironment = false
  }

  /// An option without a value.
  static func flag(_ name: String, _ summary: String) -> Option { Option(flag: name, summary) }

  /// For example `STARLING_LISTEN`.
  var variable: String {
    "STARLING_" + name.uppercased().split(separator: "-").joined(separator: "_")
  }
}

extension Option {
  /// `--json`, which every verb that prints a result has.
  static let json = flag("json", "print exactly one JSON object on standard output")
  /// `--out`, likewise.
  static let out = Option("out", "FILE", "write to FILE what would go to standard output")
  /// `--seed`, which every randomised verb has.
  static let seed = Option("seed", "N", "make the random choices follow from N (default 1)")
}

/// A word that is not an option, such as the file to publish.
struct Operand: Sendable {
  /// What stands for it in the help.
  let name: String
  /// What it is, in half a sentence.
  let summary: String
  /// Whether it may be left out; then those after it may be, too.
  var isOptional = false
}
