@testable import StarlingRuntime

#if canImport(Glibc)
  import Glibc
#endif

/// A directory that goes away with its last reference.
final class TemporaryDirectory: Sendable {
  let path: String

  init() throws { path = try DataDirectory.makeTemporary(prefix: "starling-test-") }

  deinit { DataDirectory.removeTree(path) }

  /// The path of something in it.
  func callAsFunction(_ name: String) -> String { path + "/" + name }

  /// Writes a file with these permissions.
  @discardableResult
  func write(_ bytes: [UInt8], to name: String, mode: mode_t = 0o600) -> String {
    let fd = open(self(name), O_WRONLY | O_CREAT | O_TRUNC, 0o600)
    _ = Glibc.write(fd, bytes, bytes.count)
    fchmod(fd, mode)
    close(fd)
    return self(name)
  }
}

/// A whole file; `nil` if it cannot be read.
func contents(_ path: String) -> [UInt8]? {
  let fd = open(path, O_RDONLY)
  guard fd >= 0 else { return nil }
  defer { close(fd) }
  var all: [UInt8] = []
  var buffer = [UInt8](repeating: 0, count: 64 << 10)
  while true {
    let count = read(fd, &buffer, buffer.count)
    guard count > 0 else { return all }
    all += buffer[..<count]
  }
}
