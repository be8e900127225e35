import StarlingCore

/// The rules for the two texts of a manifest. Both end up on terminals, in file systems and in pages, and
/// come from strangers.
enum FileLabel {
  /// The longest name, in bytes of UTF-8: what Linux file systems take.
  static let nameByteLimit = 255
  /// The longest topic, in bytes of UTF-8. A guess: a short label.
  static let topicByteLimit = 64

  /// Why a text cannot be a file's name; `nil` if it can.
  static func fault(inName name: String) -> String? {
    if name.isEmpty { return "the file has no name" }
    if name.utf8.count > nameByteLimit {
      return "the file's name has \(name.utf8.count) bytes, where \(nameByteLimit) are allowed"
    }
    if name == "." || name == ".." { return "\"\(name)\" names a directory, not a file" }
    if name.utf8.contains(UInt8(ascii: "/")) { return "the file's name contains \"/\"" }
    if hasControlCharacters(name) { return "the file's name contains control characters" }
    return nil
  }

  /// Why a text cannot be a topic; `nil` if it can. The empty topic is allowed.
  static func fault(inTopic topic: String) -> String? {
    if topic.utf8.count > topicByteLimit {
      return "the topic has \(topic.utf8.count) bytes, where \(topicByteLimit) are allowed"
    }
    if hasControlCharacters(topic) { return "the topic contains control characters" }
    return nil
  }

  private static func hasControlCharacters(_ text: String) -> Bool {
    text.unicodeScalars.contains(where: \.isDisplayControl)
  }
}
