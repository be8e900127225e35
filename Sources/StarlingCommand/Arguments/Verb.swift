/// One thing the command can do: what it accepts, its help, and the function that does it.
struct Verb: Sendable {
  /// For example `keys new`.
  let words: [String]
  /// What it does, in half a sentence.
  let summary: String
  /// The words that follow.
  let operands: [Operand]
  /// The options it knows, without `--help`, which all know.
  let options: [Option]
  /// What the help says beyond the options.
  let notes: String
  /// Does it.
  let run: @Sendable (Arguments) throws(CommandError) -> Void

  init(
    _ name: String, _ summary: String, operands: [Operand] = [], options: [Option], notes: String = "",
    run: @escaping @Sendable (Arguments) throws(CommandError) -> Void
  ) {
    words = name.split(separator: " ").map(String.init)
    self.summary = summary
    self.operands = operands
    self.options = options
    self.notes = notes
    self.run = run
  }

  /// The words in one text.
  var name: String { words.joined(separator: " ") }

  /// The option of that name.
  func option(named name: String) -> Option? { options.first { $0.name == name } }
}
