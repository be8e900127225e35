/// Takes a command line apart: verb, options, operands.
enum ArgumentParser {
  /// What a command line asks for.
  enum Request {
    /// To run a verb.
    case run(Verb, Arguments)
    /// To print the help of these verbs, or the list of all if there are none.
    case help([Verb])
  }

  /// Understands the words after the program's name.
  ///
  /// - Parameters:
  ///   - words: the command line without the program's name.
  ///   - verbs: what there is to choose from.
  ///   - environment: the environment's variables by name.
  static func parse(
    _ words: [String], verbs: [Verb], environment: [String: String]
  ) throws(CommandError) -> Request {
    guard let first = words.first else {
      throw .usage("Say what to do, for example `starling up`; `starling help` lists the verbs.")
    }
    if first == "--help" || first == "-h" { return .help([]) }
    if first == "help" { return try help(on: Array(words.dropFirst()), verbs: verbs) }
    if first == "--version" { return try parse(["version"], verbs: verbs, environment: environment) }
    let group = group(words, verbs)
    if !group.isEmpty, words.count > 1, ["--help", "-h"].contains(words[1]) { return .help(group) }
    let verb = try find(words, in: verbs)
    let rest = Array(words.dropFirst(verb.words.count))
    if rest.prefix(while: { $0 != "--" }).contains(where: { $0 == "--help" || $0 == "-h" }) {
      return .help([verb])
    }
    return .run(verb, try arguments(rest, of: verb, among: verbs, environment: environment))
  }

  private static func help(on words: [String], verbs: [Verb]) throws(CommandError) -> Request {
    if words.isEmpty || words.first == "--help" { return .help([]) }
    let group = group(words, verbs)
    if words.count == 1, !group.isEmpty { return .help(group) }
    return .help([try find(words, in: verbs)])
  }

  /// The verbs that share their first word with the command line, as `keys new` and `keys show` do: for help on
  /// `keys`. None where that word is a verb of its own.
  private static func group(_ words: [String], _ verbs: [Verb]) -> [Verb] {
    let sharing = verbs.filter { $0.words.first == words.first }
    return sharing.contains { $0.words.count == 1 } ? [] : sharing
  }

  /// The verb whose words the command line begins with.
  private static func find(_ words: [String], in verbs: [Verb]) throws(CommandError) -> Verb {
    let fitting = verbs.filter { words.starts(with: $0.words) }
    if let verb = fitting.max(by: { $0.words.count < $1.words.count }) { return verb }
    let first = words.first ?? ""
    let followers = verbs.filter { $0.words.count > 1 && $0.words.first == first }.map(\.words[1])
    if !followers.isEmpty {
      let choice = followers.map { "`starling \(first) \($0)`" }.joined(separator: " or ")
      throw .usage("`starling \(first)` is not complete: say \(choice).")
    }
    let name = words.prefix(2).joined(separator: " ")
    let near =
      Suggestion.nearest(to: name, among: verbs.map(\.name)) ?? second(like: first, in: verbs)
      ?? Suggestion.nearest(to: first, among: verbs.compactMap(\.words.first))
    let advice = near.map { "did you mean `starling \($0)`?" } ?? "`starling help` lists the verbs."
    throw .usage("There is no verb \(quoted(first)): \(advice)")
  }

  /// The verb whose second word `word` resembles: `simulate attack` for `attac`.
  private static func second(like word: String, in verbs: [Verb]) -> String? {
    let longer = verbs.filter { $0.words.count == 2 }
    guard let near = Suggestion.nearest(to: word, among: longer.map(\.words[1])) else { return nil }
    return longer.first { $0.words[1] == near }?.name
  }

  private static func arguments(
    _ words: [String], of verb: Verb, among verbs: [Verb], environment: [String: String]
  ) throws(CommandError) -> Arguments {
    var given: [String: [String]] = [:]
    var operands: [String] = []
    var index = 0
    while index < words.count {
      let word = words[index]
      index += 1
      if word == "--" {
        operands += words[index...]
        break
      }
      guard word.hasPrefix("-"), word != "-" else {
        operands.append(word)
        continue
      }
      let parts = word.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
      let option = try option(parts[0], of: verb)
      var value = parts.count == 2 ? parts[1] : nil
      if option.value == nil, value != nil {
        throw .usage("--\(option.name) takes no value: leave out what follows the equals sign.")
      }
      if let placeholder = option.value, value == nil {
        guard index < words.count, !words[index].hasPrefix("--") else {
          throw .usage("--\(option.name) needs a value: --\(option.name) \(placeholder).")
        }
        value = words[index]
        index += 1
      }
      if given[option.name] != nil, !option.repeats {
        throw .usage("--\(option.name) was given twice: give it once.")
      }
      given[option.name, default: []].append(value ?? "")
    }
    try check(operands, of: verb, among: verbs)
    return Arguments(verb: verb, given: given, operands: operands, environment: environment)
  }

  private static func option(_ word: String, of verb: Verb) throws(CommandError) -> Option {
    if word.hasPrefix("--"), let option = verb.option(named: String(word.dropFirst(2))) { return option }
    let near = Suggestion.nearest(to: word, among: verb.options.map { "--" + $0.name } + ["--help"])
    let advice = near.map { "did you mean \($0)?" } ?? "`starling \(verb.name) --help` lists the options."
    throw .usage("`starling \(verb.name)` has no option \(quoted(word)): \(advice)")
  }

  private static func check(_ operands: [String], of verb: Verb, among verbs: [Verb]) throws(CommandError) {
    if operands.count < verb.operands.count, !verb.operands[operands.count].isOptional {
      let missing = verb.operands[operands.count]
      throw .usage("`starling \(verb.name)` needs \(missing.name): \(missing.summary).")
    }
    if operands.count > verb.operands.count {
      let excess = operands[verb.operands.count]
      if verb.words.count == 1,
        let near = second(like: excess, in: verbs.filter { $0.words[0] == verb.words[0] })
      {
        throw .usage(
          "`starling \(verb.name)` does not know what to do with \(quoted(excess)): did you mean `starling \(near)`?"
        )
      }
      throw .usage(
        "`starling \(verb.name)` does not know what to do with \(quoted(excess)): leave it out, or see"
          + " `starling \(verb.name) --help`.")
    }
  }
}
