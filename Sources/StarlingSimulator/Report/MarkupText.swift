/// Text and numbers as they must stand in HTML, SVG and XML.
enum MarkupText {
  /// `text` with the five characters that markup takes for itself replaced, fit for contents and attributes.
  ///
  /// Control characters other than tab and line break, which XML forbids even when escaped, become U+FFFD.
  static func escaped(_ text: String) -> String {
    var safe = ""
    safe.reserveCapacity(text.utf8.count)
    for character in text.unicodeScalars {
      switch character {
      case "&": safe += "&amp;"
      case "<": safe += "&lt;"
      case ">": safe += "&gt;"
      case "\"": safe += "&quot;"
      case "'": safe += "&#39;"
      case "\t", "\n": safe.unicodeScalars.append(character)
      case "\u{0}"..."\u{1F}", "\u{7F}"..."\u{9F}", "\u{FFFE}", "\u{FFFF}": safe += "\u{FFFD}"
      default: safe.unicodeScalars.append(character)
      }
    }
    return safe
  }
}
