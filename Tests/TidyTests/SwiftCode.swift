/// The code of a Swift file with comments and the letters of string literals blanked out, so that a rule
/// looks only at what is compiled. Code interpolated into strings stays.
struct SwiftCode {
  /// As many lines as the file has.
  let lines: [String]
  private let bytes: [[UInt8]]

  init(_ source: String) {
    var scanner = Scanner(input: Array(source.unicodeScalars))
    scanner.scanCode(endingAt: nil)
    var text = String.UnicodeScalarView()
    text.append(contentsOf: scanner.output)
    lines = String(text).split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    bytes = lines.map { Array($0.utf8) }
  }

  /// The modules that are imported, with their line numbers.
  var imports: [(line: Int, module: String)] {
    lines.enumerated().compactMap { index, line in
      let words = line.split(separator: " ").drop { $0.hasPrefix("@") || $0 == "public" || $0 == "private" }
      guard words.first == "import", words.count >= 2 else { return nil }
      let kinds = ["struct", "class", "enum", "func", "protocol", "typealias", "var", "let"]
      let path = Array(words.dropFirst().drop { kinds.contains(String($0)) })
      return path.first.map { (index + 1, String($0.prefix { $0 != "." })) }
    }
  }

  /// The numbers of the lines that contain `token`; a letter at its start begins a word.
  func lines(containing token: String) -> [Int] {
    let wanted = Array(token.utf8)
    return bytes.indices.filter { SwiftCode.contains(bytes[$0], wanted) }.map { $0 + 1 }
  }

  private static func contains(_ line: [UInt8], _ wanted: [UInt8]) -> Bool {
    guard let first = wanted.first, line.count >= wanted.count else { return false }
    let beginsWord = isWord(first)
    for start in 0...(line.count - wanted.count) where line[start] == first {
      if beginsWord, start > 0, isWord(line[start - 1]) { continue }
      if line[start..<(start + wanted.count)].elementsEqual(wanted) { return true }
    }
    return false
  }

  private static func isWord(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), 0x80...,
      UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"):
      true
    default: false
    }
  }
}

/// Walks through a file and copies what is code.
private struct Scanner {
  let input: [Unicode.Scalar]
  var position = 0
  var output: [Unicode.Scalar] = []

  func startsWith(_ text: String) -> Bool { input[position...].starts(with: text.unicodeScalars) }

  mutating func skip(_ count: Int) {
    for scalar in input[position..<min(input.count, position + count)] where scalar == "\n" {
      output.append(scalar)
    }
    position = min(input.count, position + count)
  }

  /// Copies code until the parenthesis that closes an interpolation, or until the end.
  mutating func scanCode(endingAt end: Unicode.Scalar?) {
    var depth = 0
    while position < input.count {
      let scalar = input[position]
      if startsWith("//") {
        while position < input.count, input[position] != "\n" { skip(1) }
      } else if startsWith("/*") {
        while position < input.count, !startsWith("*/") { skip(1) }
        skip(2)
      } else if scalar == "\"" || scalar == "#", let hashes = stringStart() {
        scanString(hashes: hashes)
      } else {
        if scalar == "(" { depth += 1 }
        if scalar == ")" {
          if depth == 0, end == ")" { return }
          depth -= 1
        }
        output.append(scalar)
        position += 1
      }
    }
  }

  /// How many `#` a string literal here begins with; `nil` if there is none.
  private func stringStart() -> Int? {
    let hashes = input[position...].prefix { $0 == "#" }.count
    let quote = position + hashes
    return quote < input.count && input[quote] == "\"" ? hashes : nil
  }

  private mutating func scanString(hashes: Int) {
    skip(hashes)
    let quotes = startsWith("\"\"\"") ? "\"\"\"" : "\""
    let closing = quotes + String(repeating: "#", count: hashes)
    let escape = "\\" + String(repeating: "#", count: hashes)
    skip(quotes.unicodeScalars.count)
    output += quotes.unicodeScalars
    while position < input.count, !startsWith(closing) {
      if startsWith(escape + "(") {
        skip(escape.unicodeScalars.count + 1)
        output.append("(")
        scanCode(endingAt: ")")
        output.append(")")
        skip(1)
      } else if startsWith(escape) {
        skip(escape.unicodeScalars.count + 1)
      } else {
        skip(1)
      }
    }
    skip(closing.unicodeScalars.count)
    output += quotes.unicodeScalars
  }
}
