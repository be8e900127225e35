import CStarlingShims
import Glibc

/// The operating system's randomness: the one place where a seed that nobody chose comes from.
public enum SystemEntropy {
  /// `count` random bytes from getrandom(2), 0 ... 256 of them; waits until the system has been seeded.
  ///
  /// - Throws: ``HostError`` when the kernel has no such call.
  public static func bytes(_ count: Int) throws(HostError) -> [UInt8] {
    precondition((0...256).contains(count), "more than 256 bytes may come in pieces")
    var bytes = [UInt8](repeating: 0, count: count)
    var filled = 0
    while filled < count {
      let got = bytes.withUnsafeMutableBytes {
        getrandom($0.baseAddress?.advanced(by: filled), count - filled, 0)
      }
      if got < 0, errno != EINTR {
        throw HostError("The operating system gave no random bytes", errno: errno)
      }
      filled += max(0, got)
    }
    return bytes
  }

  /// A random 64-bit number.
  public static func word() throws(HostError) -> UInt64 {
    try bytes(8).reduce(0) { $0 << 8 | UInt64($1) }
  }
}
