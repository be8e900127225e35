import CStarlingShims
import Glibc
import StarlingCore
import StarlingOverlay

/// Makes a policy from a user's rules, reading the lists of keys that they name.
enum AdmissionFiles {
  /// More than any list needs: 600,000 keys with comments. A guess.
  private static let byteLimit = 64 << 20

  /// The policy that follows from rules.
  ///
  /// - Throws: ``HostError`` when a list cannot be read, or has a wrong line.
  static func policy(of rules: [AdmissionRule]) throws(HostError) -> any AdmissionPolicy {
    do {
      return try AdmissionRule.policy(of: rules) { try read($0) }
    } catch let error as HostError {
      throw error
    } catch {
      throw HostError("\(error)")
    }
  }

  private static func read(_ path: String) throws(HostError) -> String {
    let failure = "The list of keys \"\(path)\" could not be read"
    let file = try FileDescriptor(starling_open(path, O_RDONLY, 0), orThrow: failure)
    var contents: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 1 << 16)
    while true {
      let count = Glibc.read(file.number, &buffer, buffer.count)
      if count < 0, errno == EINTR { continue }
      guard count >= 0 else { throw HostError(failure, errno: errno) }
      if count == 0 { return String(decoding: contents, as: UTF8.self) }
      contents += buffer[..<count]
      guard contents.count <= byteLimit else {
        throw HostError("\(failure): it has more than \(byteLimit) bytes.")
      }
    }
  }
}
