import CStarlingShims
import Glibc
import StarlingCore

/// The file that holds a peer's identity: a line with the format's version, and the 32-byte seed in
/// hexadecimal. Whoever can read it can speak in the peer's name, so only its owner may.
public enum IdentityFile {
  /// The file's first line.
  static let header = "starling-identity 1"
  private static let headerPrefix = "starling-identity "
  /// More than any file of this version holds.
  private static let byteLimit = 256

  /// Makes a new identity from the system's entropy and writes it.
  ///
  /// - Parameters:
  ///   - path: where; nothing may be there yet.
  ///   - chosen: the identity's seed if it was searched for, 32 bytes from the system's entropy.
  /// - Throws: ``HostError`` when something is there, or it cannot be written; then nothing is left behind.
  public static func create(at path: String, seed chosen: [UInt8]? = nil) throws(HostError) -> Identity {
    let seed: [UInt8]
    if let chosen { seed = chosen } else { seed = try SystemEntropy.bytes(Identity.seedByteCount) }
    let identity = try identity(from: seed)
    let fd = starling_open(path, O_WRONLY | O_CREAT | O_EXCL, 0o600)
    if fd == -EEXIST {
      throw HostError("The file \"\(path)\" exists already and is not overwritten; choose another name.")
    }
    let file = try FileDescriptor(fd, orThrow: "The identity file \"\(path)\" could not be created")
    let text = Array("\(header)\n\(hexadecimal(seed))\n".utf8)
    // The permissions are set once more, since a umask may have taken the owner's own.
    guard fchmod(file.number, 0o600) == 0, write(file.number, text, text.count) == text.count,
      fsync(file.number) == 0
    else {
      let code = errno
      unlink(path)
      throw HostError("The identity file \"\(path)\" could not be written", errno: code)
    }
    DataDirectory.syncFolder(holding: path)
    return identity
  }

  /// Reads an identity, or makes one if there is nothing yet. A crash leaves a whole file or none; whatever is
  /// there stays, for it may be all that leads to the node's key.
  static func readOrCreate(_ path: String) throws(HostError) -> Identity {
    var status = stat()
    guard lstat(path, &status) != 0, errno == ENOENT else {
      if status.st_mode & S_IFMT == S_IFLNK, access(path, F_OK) != 0, errno == ENOENT {
        throw HostError(
          "The identity file \"\(path)\" is a symbolic link that leads nowhere; put back what it led to, or remove "
            + "the link and the node makes a new key.")
      }
      return try read(path)
    }
    unlink(path + ".new")
    let identity = try create(at: path + ".new")
    let result = starling_rename_new(path + ".new", path)
    guard result == 0 else {
      unlink(path + ".new")
      throw HostError("The identity file \"\(path)\" could not be created", errno: -result)
    }
    DataDirectory.syncFolder(holding: path)
    return identity
  }

  /// Reads an identity. A symbolic link is followed; what it leads to is checked.
  ///
  /// - Throws: ``HostError`` when the file cannot be read, is another user's or open to others, or holds something
  ///   else.
  public static func read(_ path: String) throws(HostError) -> Identity {
    let fd = starling_open(path, O_RDONLY | O_NONBLOCK, 0)
    if fd == -ENOENT {
      throw HostError("There is no identity file \"\(path)\"; make one with: starling keys new --out \(path)")
    }
    let file = try FileDescriptor(fd, orThrow: "The identity file \"\(path)\" could not be read")
    var status = stat()
    guard fstat(file.number, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
      throw HostError("The identity file \"\(path)\" is not a file.")
    }
    // Root's is as good: it could read and change the node's own as well.
    guard isTrusted(owner: status.st_uid) else {
      throw HostError(
        "The identity file \"\(path)\" belongs to another user, who knows the key and can change it; use a key of "
          + "your own, or take the file over with: chown \(geteuid()) \(path)")
    }
    guard status.st_mode & 0o077 == 0 else {
      throw HostError(
        "The identity file \"\(path)\" can be read or written by others; protect it with: chmod 600 \(path)")
    }
    var bytes = [UInt8](repeating: 0, count: byteLimit)
    let count = Glibc.read(file.number, &bytes, byteLimit)
    guard count >= 0 else {
      throw HostError("The identity file \"\(path)\" could not be read", errno: errno)
    }
    return try identity(from: try seed(in: bytes[..<count], path: path))
  }

  static func seed(in bytes: ArraySlice<UInt8>, path: String) throws(HostError) -> [UInt8] {
    // As bytes: to a string a carriage return and a line feed are one character, which ends no line.
    guard !bytes.contains(UInt8(ascii: "\r")) else {
      throw HostError(
        "The identity file \"\(path)\" has the line ends of another system; `sed -i 's/\\r$//' \"\(path)\"` mends it."
      )
    }
    let text = String(decoding: bytes, as: UTF8.self)
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
    guard let first = lines.first, first.hasPrefix(headerPrefix) else {
      throw HostError("The file \"\(path)\" is not an identity file of starling.")
    }
    guard first == header else {
      throw HostError(
        "The identity file \"\(path)\" has a format that this version of starling does not know; upgrade starling."
      )
    }
    guard lines.count == 3, lines[2].isEmpty, let seed = StarlingCore.bytes(hexadecimal: lines[1].utf8),
      seed.count == Identity.seedByteCount
    else {
      throw HostError("The identity file \"\(path)\" is damaged: it must hold 64 hexadecimal digits.")
    }
    return seed
  }

  /// Whether a key may be another's file.
  static func isTrusted(owner: uid_t) -> Bool { owner == geteuid() || owner == 0 }

  private static func identity(from seed: [UInt8]) throws(HostError) -> Identity {
    do {
      return try Identity(seed: seed)
    } catch {
      throw HostError("The identity cannot be used: \(error).")
    }
  }
}
