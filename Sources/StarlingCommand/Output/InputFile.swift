import Glibc
import StarlingApps

/// Reading a file that the user named.
enum InputFile {
  /// The whole contents of a file, or of standard input for `-`.
  ///
  /// - Parameter limit: the most bytes there may be.
  static func read(_ path: String, limit: Int) throws(CommandError) -> [UInt8] {
    if path == "-" { return try read(descriptor: STDIN_FILENO, name: "standard input", limit: limit) }
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw unreadable(path, errno) }
    defer { close(descriptor) }
    return try read(descriptor: descriptor, name: quoted(path), limit: limit)
  }

  /// Checks that a file can be read, by reading its first byte, and says how long it is.
  static func size(_ path: String) throws(CommandError) -> Int {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard descriptor >= 0 else { throw unreadable(path, errno) }
    defer { close(descriptor) }
    var status = stat()
    guard fstat(descriptor, &status) == 0 else { throw unreadable(path, errno) }
    if status.st_mode & S_IFMT == S_IFDIR { throw unreadable(path, EISDIR) }
    guard status.st_mode & S_IFMT == S_IFREG else {
      throw .failed("\(quoted(path)) is not a file: name a regular file.")
    }
    var byte: UInt8 = 0
    guard Glibc.read(descriptor, &byte, 1) >= 0 else { throw unreadable(path, errno) }
    return Int(status.st_size)
  }

  /// Fails if a file of so many bytes is larger than what can be broadcast.
  static func checkThatBroadcasts(_ path: String, _ bytes: Int) throws(CommandError) {
    let limit = FileManifest.byteLimit
    guard UInt64(bytes) > limit else { return }
    throw .failed(
      "\(path == "-" ? "Standard input" : quoted(path)) has \(bytes) bytes, and a file of at most \(limit) can be "
        + "broadcast: split it, for example with: split -b 80M")
  }

  private static func read(
    descriptor: Int32, name: String, limit: Int
  ) throws(CommandError) -> [UInt8] {
    var contents: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 1 << 16)
    while true {
      let count = Glibc.read(descriptor, &buffer, buffer.count)
      if count < 0, errno == EINTR { continue }
      guard count >= 0 else { throw unreadable(name, errno) }
      if count == 0 { return contents }
      guard contents.count + count <= limit else {
        throw .failed("\(name) is larger than the \(limit) bytes allowed here: give a smaller file.")
      }
      contents += buffer[..<count]
    }
  }

  private static func unreadable(_ path: String, _ code: Int32) -> CommandError {
    let path = path.hasPrefix("\"") || path == "standard input" ? path : quoted(path)
    return switch code {
    case ENOENT: .failed("There is no file \(path): check its name.")
    case EISDIR: .failed("\(path) is a directory: name a file in it.")
    case EACCES: .failed("The file \(path) may not be read: change its permissions or be another user.")
    default: .failed("\(path) could not be read: \(String(cString: strerror(code))).")
    }
  }
}
