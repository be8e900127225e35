/// The text that `--help` prints.
enum Help {
  private static let width = 96

  /// The help of some verbs, or the list of all.
  static func text(on chosen: [Verb], among verbs: [Verb]) -> String {
    chosen.isEmpty ? list(of: verbs) : chosen.map(text).joined(separator: "\n\n\n")
  }

  private static func list(of verbs: [Verb]) -> String {
    let rows = verbs.map { ("starling " + $0.name, $0.summary) }
    return """
      starling: peer-to-peer networks that keep working when machines fail

      \(table(rows))

      Every verb takes --help. Results go to standard output, as text or with --json as one JSON
      object; progress and errors go to standard error. The exit code is 0 when it was done, 1 when it
      could not be done, and 2 when it was asked for wrongly.
      """
  }

  private static func text(of verb: Verb) -> String {
    var usage = "starling \(verb.name)"
    for operand in verb.operands { usage += operand.isOptional ? " [\(operand.name)]" : " \(operand.name)" }
    if !verb.options.isEmpty { usage += " [options]" }
    var rows = verb.operands.map { ($0.name, $0.summary) }
    for option in verb.options {
      var summary = option.summary
      if option.repeats { summary += "; may be given again" }
      if option.readsEnvironment { summary += " [\(option.variable)]" }
      rows.append(("--" + option.name + (option.value.map { " " + $0 } ?? ""), summary))
    }
    rows.append(("--help", "print this"))
    var text = "starling \(verb.name): \(verb.summary)\n\nusage: \(usage)\n\n\(table(rows))"
    if !verb.notes.isEmpty { text += "\n\n" + verb.notes }
    return text
  }

  /// Two columns, the second broken into lines.
  private static func table(_ rows: [(String, String)]) -> String {
    let column = min(28, rows.map(\.0.count).max() ?? 0) + 4
    var lines: [String] = []
    for (left, right) in rows {
      var line = "  " + left
      if line.count > column - 2 {
        lines.append(line)
        line = ""
      }
      line += String(repeating: " ", count: column - line.count)
      for word in right.split(separator: " ") {
        if line.count + word.count > width {
          lines.append(trimmed(line))
          line = String(repeating: " ", count: column)
        }
        line += word + " "
      }
      lines.append(trimmed(line))
    }
    return lines.joined(separator: "\n")
  }

  private static func trimmed(_ line: String) -> String {
    var line = line
    while line.last == " " { line.removeLast() }
    return line
  }
}
