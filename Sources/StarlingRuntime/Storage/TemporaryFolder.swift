import CStarlingShims
import Glibc

/// A folder for one run of one process, which holds a lock on it as long as it lives. One whose owner was killed is
/// found by the free lock and taken away by whoever comes next.
public final class TemporaryFolder: Sendable {
  /// The folder's path.
  public let path: String
  private let lock: FileDescriptor

  /// How old a folder must be to be taken away: one that is just being made has no lock yet. A guess.
  private static let youth = 10

  /// Makes a folder under TMPDIR, for its owner only, and takes away those that dead owners left.
  ///
  /// - Parameter prefix: what its name begins with.
  public init(prefix: String) throws(HostError) {
    TemporaryFolder.removeStale(prefix: prefix)
    path = try DataDirectory.makeTemporary(prefix: prefix)
    let what = "A temporary folder could not be locked"
    lock = try FileDescriptor(starling_open(path + "/lock", O_RDWR | O_CREAT, 0o600), orThrow: what)
    guard flock(lock.number, LOCK_EX | LOCK_NB) == 0 else { throw HostError(what, errno: errno) }
  }

  /// Takes the folder away with all it holds.
  public func remove() { DataDirectory.removeTree(path) }

  /// Takes away this user's folders with that prefix whose owners are dead.
  static func removeStale(prefix: String, olderThan seconds: Int = youth) {
    let parent = DataDirectory.temporaryParent
    for name in DataDirectory.names(in: parent) where name.hasPrefix(prefix) {
      let folder = parent + "/" + name
      var status = stat()
      guard lstat(folder, &status) == 0, status.st_mode & S_IFMT == S_IFDIR, status.st_uid == geteuid(),
        time(nil) - status.st_mtim.tv_sec >= seconds
      else { continue }
      // Its own lock, and those of the nodes that have their folders in it.
      let inner = DataDirectory.names(in: folder).map { "\(folder)/\($0)/lock" }
      let locks = ([folder + "/lock"] + inner).filter { access($0, F_OK) == 0 }
      guard access(folder + "/lock", F_OK) == 0, locks.allSatisfy(isFree) else { continue }
      DataDirectory.removeTree(folder)
    }
  }

  private static func isFree(_ path: String) -> Bool {
    let descriptor = starling_open(path, O_RDWR | O_NOFOLLOW, 0)
    guard descriptor >= 0 else { return false }
    // Closing it gives the lock back.
    defer { close(descriptor) }
    return flock(descriptor, LOCK_EX | LOCK_NB) == 0
  }
}
