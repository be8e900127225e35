import CSQLite
import StarlingCore
import Synchronization

@testable import StarlingRuntime

#if canImport(Glibc)
  import Glibc
#endif

/// A disk whose power can be cut. SQLite's files in its folder go through ``PowerFileSystem``, which tells it of every change.
///
/// While there is power, what was written is read again, as from a page cache. When the power is cut, everything that was synced
/// stays, and of what was not any part: none of it, all of it, some of the changes, or some of their sectors; a change may be torn at
/// any byte, and what lies between what arrived is anything. Names that were given or taken away stay so only if their folder was
/// synced. What SQLite takes for granted holds: that the bytes beside those that are written stay as they are (its
/// `SQLITE_IOCAP_POWERSAFE_OVERWRITE`, which it assumes of every disk by default).
final class PowerDisk: @unchecked Sendable {
  /// What the power is cut at.
  enum Moment: CaseIterable {
    /// A change of any file, before or after it.
    case change
    /// A sync, before anything of it is done.
    case sync
    /// A change of the database itself: in the midst of a checkpoint.
    case checkpoint
  }

  /// A file, under whatever name.
  final class Contents {
    enum Change {
      case write(at: Int, [UInt8])
      case truncate(Int)
    }

    /// What a power cut leaves in any case.
    var synced: [UInt8] = []
    /// In their order.
    var changes: [Change] = []

    func sync() {
      for change in changes { Contents.apply(change, to: &synced) { 0 } }
      changes = []
    }

    /// What is there after a power cut.
    func left(after random: inout Xoshiro256) -> [UInt8] {
      var bytes = synced
      let hasGarbage = random.oneIn(2)
      var garbage = Xoshiro256(seed: random.next())
      for change in surviving(&random) {
        Contents.apply(change, to: &bytes) { hasGarbage ? UInt8(truncatingIfNeeded: garbage.next()) : 0 }
      }
      return bytes
    }

    private func surviving(_ random: inout Xoshiro256) -> [Change] {
      switch random.uniform(below: 6) {
      case 0: return []
      case 1: return changes
      case 2:
        // So many, and the next one in part.
        guard !changes.isEmpty else { return [] }
        let count = random.uniform(below: changes.count)
        guard case .write(let start, let bytes) = changes[count] else { return Array(changes[..<count]) }
        var end = random.uniform(below: bytes.count + 1)
        if let sector = [512, 4_096, nil][random.uniform(below: 3)] {
          end = max(0, min(bytes.count, (start + end) / sector * sector - start))
        }
        return changes[..<count] + [.write(at: start, Array(bytes[..<end]))]
      case 3: return changes.filter { _ in random.oneIn(2) }
      default:
        let sector = random.oneIn(2) ? 512 : 4_096
        return changes.flatMap { change in
          guard case .write(let start, let bytes) = change else { return random.oneIn(2) ? [change] : [] }
          var parts: [Change] = []
          var next = start
          while next < start + bytes.count {
            let end = min(start + bytes.count, (next / sector + 1) * sector)
            if random.oneIn(2) { parts.append(.write(at: next, Array(bytes[next - start..<end - start]))) }
            next = end
          }
          return parts
        }
      }
    }

    private static func apply(_ change: Change, to bytes: inout [UInt8], filling gap: () -> UInt8) {
      switch change {
      case .truncate(let size):
        if size < bytes.count { bytes.removeLast(bytes.count - size) }
        while bytes.count < size { bytes.append(gap()) }
      case .write(let start, let new):
        while bytes.count < start { bytes.append(gap()) }
        let over = min(new.count, bytes.count - start)
        bytes.replaceSubrange(start..<start + over, with: new)
      }
    }
  }

  let folder: String
  /// Whether a sync does nothing: then a power cut must be seen to do harm.
  let ignoresSync: Bool
  private(set) var hasPower = true
  private var names: [String: Contents] = [:]
  private var syncedNames: [String: Contents] = [:]
  /// What was done to names since the folder was synced; `nil` where one was taken away.
  private var nameChanges: [(name: String, contents: Contents?)] = []
  private var planned: (moment: Moment, countdown: Int)?
  /// How many cuts found something that was not synced.
  private(set) var harmfulCuts = 0

  init(folder: String, ignoresSync: Bool = false) {
    self.folder = folder
    self.ignoresSync = ignoresSync
    PowerFileSystem.install()
    PowerFileSystem.register(self)
  }

  /// Has the power cut at the next but so many of some moments.
  func plan(_ moment: Moment, after count: Int) { planned = (moment, count) }

  /// Has no cut come of what was planned.
  func forgetPlan() { planned = nil }

  /// Cuts the power now.
  func cut() {
    hasPower = false
    planned = nil
    if !nameChanges.isEmpty || names.values.contains(where: { !$0.changes.isEmpty }) { harmfulCuts += 1 }
  }

  /// Gives power again, to files that nobody has open: what is lost is lost now.
  func restore(_ random: inout Xoshiro256) {
    var left = syncedNames
    let prefix = random.oneIn(2) ? random.uniform(below: nameChanges.count + 1) : nil
    for (index, change) in nameChanges.enumerated() {
      let stays = prefix.map { index < $0 } ?? random.oneIn(2)
      if stays { left[change.name] = change.contents }
    }
    for name in DataDirectory.names(in: folder) { unlink(folder + "/" + name) }
    for (name, contents) in left.sorted(by: { $0.key < $1.key }) {
      contents.synced = contents.left(after: &random)
      contents.changes = []
      PowerDisk.write(contents.synced, to: name)
    }
    (names, syncedNames, nameChanges) = (left, left, [])
    hasPower = true
  }

  /// Puts an empty disk in its place.
  func replace() {
    for name in DataDirectory.names(in: folder) { unlink(folder + "/" + name) }
    (names, syncedNames, nameChanges, planned) = ([:], [:], [], nil)
    hasPower = true
  }

  private static func write(_ bytes: [UInt8], to path: String) {
    let file = Glibc.open(path, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
    defer { Glibc.close(file) }
    var done = 0
    while done < bytes.count {
      let wrote = bytes.withUnsafeBytes {
        Glibc.write(file, $0.baseAddress?.advanced(by: done), bytes.count - done)
      }
      if wrote <= 0 { return }
      done += wrote
    }
  }
}

// MARK: - What the file system tells

extension PowerDisk {
  /// Whether the power goes with this.
  private func isCut(at moments: [Moment]) -> Bool {
    guard let (moment, countdown) = planned, moments.contains(moment) else { return false }
    planned?.countdown = countdown - 1
    if countdown > 0 { return false }
    return true
  }

  /// A file was opened, and made if it was not there.
  func open(_ name: String) -> Contents {
    if let contents = names[name] { return contents }
    let contents = Contents()
    names[name] = contents
    nameChanges.append((name, contents))
    return contents
  }

  /// A file is to be changed.
  ///
  /// - Returns: whether there is power still.
  func change(_ contents: Contents, isDatabase: Bool, _ change: Contents.Change) -> Bool {
    guard hasPower else { return false }
    contents.changes.append(change)
    if isCut(at: isDatabase ? [.change, .checkpoint] : [.change]) { cut() }
    return hasPower
  }

  /// A file is to be synced, and the folder with it.
  func sync(_ contents: Contents, withFolder: Bool) -> Bool {
    guard hasPower else { return false }
    if isCut(at: [.sync]) {
      cut()
      return false
    }
    if ignoresSync { return true }
    contents.sync()
    if withFolder { syncNames() }
    return true
  }

  /// A name is to be taken away, and the folder synced.
  func delete(_ name: String, isSynced: Bool) -> Bool {
    guard hasPower else { return false }
    names[name] = nil
    nameChanges.append((name, nil))
    if isCut(at: [.change]) { cut() }
    if hasPower, isSynced, !ignoresSync { syncNames() }
    return hasPower
  }

  private func syncNames() { (syncedNames, nameChanges) = (names, []) }
}
