/// Reads markup as strictly as XML and says what is wrong with it: enough of a parser to trust a report by.
struct MarkupChecker {
  private(set) var problems: [String] = []
  /// All text outside tags, as it stands in the source.
  private(set) var text = ""
  private(set) var tags: [String] = []
  private(set) var attributes: [String] = []
  private var open: [String] = []
  private let characters: [Character]
  private var next = 0

  init(_ markup: String) {
    characters = Array(markup)
    while next < characters.count { step() }
    if !open.isEmpty { problems.append("never closed: \(open)") }
  }

  private mutating func step() {
    if open.last == "style" {
      skipStyle()
    } else if characters[next] == "<" {
      next += 1
      readTag()
    } else {
      text.append(characters[next])
      next += 1
    }
  }

  private mutating func skipStyle() {
    let end = Array("</style>")
    while next < characters.count, Array(characters[next...].prefix(end.count)) != end { next += 1 }
    open.removeLast()
    next += end.count
  }

  private mutating func word() -> String {
    var word = ""
    while next < characters.count,
      characters[next].isLetter || characters[next].isNumber
        || "-:!".contains(characters[next])
    {
      word.append(characters[next])
      next += 1
    }
    return word
  }

  private mutating func readTag() {
    let closing = next < characters.count && characters[next] == "/"
    if closing { next += 1 }
    let name = word()
    if name.isEmpty { problems.append("a bare < before \(String(characters[next...].prefix(20)))") }
    tags.append(name)
    var empty = name == "!DOCTYPE"
    while next < characters.count, characters[next] != ">" {
      switch characters[next] {
      case "/":
        empty = true
        next += 1
      case " ", "\n": next += 1
      default: readAttribute(of: name)
      }
    }
    next += 1
    if closing {
      if open.popLast() != name { problems.append("</\(name)> closes something else") }
    } else if !empty {
      open.append(name)
    }
  }

  private mutating func readAttribute(of tag: String) {
    let name = word()
    if tag == "!DOCTYPE" && name == "html" { return }
    guard next + 1 < characters.count, !name.isEmpty, characters[next] == "=", characters[next + 1] == "\""
    else {
      problems.append("<\(tag)> has an attribute \(name) without a quoted value")
      next += 1
      return
    }
    next += 2
    var value = ""
    while next < characters.count, characters[next] != "\"" {
      if characters[next] == "<" { problems.append("< inside \(name)") }
      value.append(characters[next])
      next += 1
    }
    next += 1
    attributes.append("\(name)=\(value)")
  }
}
