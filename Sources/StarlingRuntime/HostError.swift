import Glibc

/// Why the machine, the user's settings or another program did not let something happen.
public struct HostError: Error, Hashable, Sendable, CustomStringConvertible {
  /// One sentence that says what is wrong and, where it helps, what to do.
  public let description: String

  /// An error that says `sentence`.
  public init(_ sentence: String) { description = sentence }

  /// An error that says what was tried and what the operating system answered.
  ///
  /// - Parameters:
  ///   - what: the beginning of the sentence, such as `The file "x" could not be read`.
  ///   - code: an `errno`.
  init(_ what: String, errno code: Int32) {
    self.init("\(what): \(HostError.reason(code)).")
  }

  /// What an `errno` means, in lower case.
  static func reason(_ code: Int32) -> String {
    guard let text = strerror(code) else { return "error \(code)" }
    let reason = String(cString: text)
    return reason.prefix(1).lowercased() + reason.dropFirst()
  }
}
