import Glibc
import StarlingCore

/// Where results go: standard output, or the file of `--out`.
struct Output {
  private let descriptor: Int32
  private let path: String?

  /// Standard output.
  static let standard = Output(descriptor: STDOUT_FILENO, path: nil)

  private init(descriptor: Int32, path: String?) {
    self.descriptor = descriptor
    self.path = path
  }

  /// What a verb's `--out` says. The file is opened now, so that a run of an hour does not end in finding
  /// that its result cannot be written; its old contents stay until then.
  init(_ arguments: Arguments) throws(CommandError) {
    guard let path = arguments.text("out"), path != "-" else {
      self = .standard
      return
    }
    try self.init(path: path)
  }

  /// A file that is written whole, its old contents replaced.
  init(path: String) throws(CommandError) {
    let descriptor = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else {
      throw .failed(
        "\(quoted(path)) could not be written: \(String(cString: strerror(errno))); name another file.")
    }
    self.init(descriptor: descriptor, path: path)
  }

  /// Writes a text and a newline.
  func write(line: String) throws(CommandError) { try write(Array((line + "\n").utf8)) }

  /// Writes a result: as one JSON object, or as text for people.
  func write(
    _ value: @autoclosure () -> JSONValue, json: Bool, text: @autoclosure () -> String
  ) throws(CommandError) {
    try write(line: json ? value().text(indented: true) : text())
  }

  /// Writes bytes; into a file, in place of what it held.
  func write(_ bytes: [UInt8]) throws(CommandError) {
    // A device or a pipe cannot be cut, and has nothing to cut.
    if path != nil { _ = ftruncate(descriptor, 0) }
    var rest = bytes[...]
    while !rest.isEmpty {
      let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
      if count < 0, errno == EINTR { continue }
      guard count >= 0 else {
        let name = path.map(quoted) ?? "standard output"
        throw .failed("The result could not be written to \(name): \(String(cString: strerror(errno))).")
      }
      rest = rest.dropFirst(count)
    }
  }
}

/// Messages for people, on standard error. What cannot be written there is lost: nobody listens.
enum Messages {
  /// Whether they go to a terminal.
  static let areOnTerminal = isatty(STDERR_FILENO) == 1

  /// Writes a line.
  static func write(line: String) { write(line + "\n") }

  /// Writes a text as it is.
  static func write(_ text: String) {
    var rest = Array(text.utf8)[...]
    while !rest.isEmpty {
      let count = rest.withUnsafeBytes { Glibc.write(STDERR_FILENO, $0.baseAddress, $0.count) }
      if count < 0, errno == EINTR { continue }
      guard count > 0 else { return }
      rest = rest.dropFirst(count)
    }
  }
}
