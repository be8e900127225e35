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
    let advice = HostError.advice(code).map { "; \($0)" } ?? ""
    self.init("\(what): \(HostError.reason(code))\(advice).")
  }

  /// What to do about an `errno` that a user can do something about.
  private static func advice(_ code: Int32) -> String? {
    switch code {
    case ENOSPC, EDQUOT: "make room on that disk"
    case EROFS: "make that file system writable"
    case EMFILE: "allow the process more open files, with ulimit -n or LimitNOFILE="
    case ENFILE: "allow the machine more open files, with sysctl fs.file-max"
    case EFBIG: "allow the process larger files, with ulimit -f"
    case EACCES: "give this user the right to it"
    case EIO: "look after that disk"
    case ENETUNREACH, ENETDOWN, EHOSTUNREACH: "look after this machine's network"
    case EPERM: "look whether a firewall or a security module forbids it"
    default: nil
    }
  }

  /// What an `errno` means, in lower case.
  static func reason(_ code: Int32) -> String {
    guard let text = strerror(code) else { return "error \(code)" }
    let reason = String(cString: text)
    return reason.prefix(1).lowercased() + reason.dropFirst()
  }
}
