import CSQLite
import StarlingCore
import Synchronization

#if canImport(Glibc)
  import Glibc
#endif

/// SQLite's own file system, with every change of a file on a ``PowerDisk`` told to that disk. It is SQLite's default from the first
/// such disk on, and does nothing to files elsewhere.
enum PowerFileSystem {
  /// A file that SQLite has open.
  private final class OpenFile {
    let disk: PowerDisk
    let contents: PowerDisk.Contents
    let isDatabase: Bool
    /// Whether the next sync is one of the folder as well: SQLite's own file system does so for a journal that is new.
    var syncsFolder: Bool

    init(_ disk: PowerDisk, _ contents: PowerDisk.Contents, isDatabase: Bool, syncsFolder: Bool) {
      self.disk = disk
      self.contents = contents
      self.isDatabase = isDatabase
      self.syncsFolder = syncsFolder
    }
  }

  /// What lies before the file of SQLite's own file system.
  private struct Head {
    var base = sqlite3_file()
    var open: Unmanaged<OpenFile>?
  }

  /// SQLite's codes for what fails, which are written in a way that is not imported.
  private enum Failure {
    static let read = SQLITE_IOERR | 1 << 8
    static let write = SQLITE_IOERR | 3 << 8
    static let sync = SQLITE_IOERR | 4 << 8
    static let truncate = SQLITE_IOERR | 6 << 8
    static let size = SQLITE_IOERR | 7 << 8
    static let delete = SQLITE_IOERR | 10 << 8
  }

  private typealias File = UnsafeMutablePointer<sqlite3_file>

  private static let disks = Mutex<[String: PowerDisk]>([:])
  private static let headBytes = (MemoryLayout<Head>.size + 15) / 16 * 16
  nonisolated(unsafe) private static let own: UnsafeMutablePointer<sqlite3_vfs>? = sqlite3_vfs_find(nil)
  nonisolated(unsafe) private static let methods = makeMethods()
  private static let isInstalled: Bool = {
    guard let first = own?.pointee else { return false }
    let system = UnsafeMutablePointer<sqlite3_vfs>.allocate(capacity: 1)
    system.initialize(to: first)
    system.pointee.pNext = nil
    system.pointee.zName = UnsafePointer(strdup("power"))
    system.pointee.szOsFile += Int32(headBytes)
    system.pointee.xOpen = { _, name, file, flags, given in open(name, file, flags, given) }
    system.pointee.xDelete = { _, name, isSynced in
      if let name, let disk = disk(of: name), !disk.delete(String(cString: name), isSynced: isSynced != 0) {
        return Failure.delete
      }
      // Nothing is synced in truth.
      return own?.pointee.xDelete(own, name, 0) ?? SQLITE_ERROR
    }
    system.pointee.xFullPathname = { _, name, count, path in
      own?.pointee.xFullPathname(own, name, count, path) ?? SQLITE_ERROR
    }
    return sqlite3_vfs_register(system, 1) == SQLITE_OK
  }()

  static func install() { precondition(isInstalled, "SQLite takes no other file system") }

  static func register(_ disk: PowerDisk) { disks.withLock { $0[disk.folder] = disk } }

  static func forget(_ disk: PowerDisk) { disks.withLock { $0[disk.folder] = nil } }

  private static func disk(of name: UnsafePointer<CChar>) -> PowerDisk? {
    let path = String(cString: name)
    guard let slash = path.lastIndex(of: "/") else { return nil }
    return disks.withLock { $0[String(path[..<slash])] }
  }

  private static func open(
    _ name: UnsafePointer<CChar>?, _ file: File?, _ flags: Int32, _ given: UnsafeMutablePointer<Int32>?
  ) -> Int32 {
    guard let own, let file else { return SQLITE_ERROR }
    guard let name, let disk = disk(of: name) else { return own.pointee.xOpen(own, name, file, flags, given) }
    let head = UnsafeMutableRawPointer(file).bindMemory(to: Head.self, capacity: 1)
    head.initialize(to: Head())
    guard disk.hasPower else { return SQLITE_CANTOPEN }
    let code = own.pointee.xOpen(own, name, below(file), flags, given)
    guard code == SQLITE_OK else { return code }
    let isJournal = flags & (SQLITE_OPEN_MAIN_JOURNAL | SQLITE_OPEN_SUPER_JOURNAL | SQLITE_OPEN_WAL) != 0
    let open = OpenFile(
      disk, disk.open(String(cString: name)), isDatabase: flags & SQLITE_OPEN_MAIN_DB != 0,
      syncsFolder: isJournal && flags & SQLITE_OPEN_CREATE != 0)
    head.pointee.open = Unmanaged.passRetained(open)
    head.pointee.base.pMethods = UnsafePointer(methods)
    return SQLITE_OK
  }

  /// The file of SQLite's own file system.
  private static func below(_ file: File?) -> File? {
    file.map { (UnsafeMutableRawPointer($0) + headBytes).assumingMemoryBound(to: sqlite3_file.self) }
  }

  private static func opened(_ file: File?) -> OpenFile? {
    file.flatMap {
      UnsafeMutableRawPointer($0).assumingMemoryBound(to: Head.self).pointee.open?.takeUnretainedValue()
    }
  }

  private static func makeMethods() -> UnsafeMutablePointer<sqlite3_io_methods> {
    var methods = sqlite3_io_methods()
    // With shared memory, and without mapped files, of which writes could not be told.
    methods.iVersion = 2
    methods.xClose = { file in
      let code =
        PowerFileSystem.below(file)?.pointee.pMethods.pointee.xClose(PowerFileSystem.below(file))
        ?? SQLITE_ERROR
      if let file {
        UnsafeMutableRawPointer(file).assumingMemoryBound(to: Head.self).pointee.open?.release()
      }
      return code
    }
    methods.xRead = { file, bytes, count, offset in
      guard PowerFileSystem.opened(file)?.disk.hasPower == true else { return Failure.read }
      return PowerFileSystem.below(file)?.pointee.pMethods.pointee.xRead(
        PowerFileSystem.below(file), bytes, count, offset) ?? SQLITE_ERROR
    }
    methods.xWrite = { file, bytes, count, offset in
      guard let open = PowerFileSystem.opened(file) else { return SQLITE_ERROR }
      let change = PowerDisk.Contents.Change.write(
        at: Int(offset), Array(UnsafeRawBufferPointer(start: bytes, count: Int(count))))
      guard open.disk.change(open.contents, isDatabase: open.isDatabase, change) else {
        return Failure.write
      }
      return PowerFileSystem.below(file)?.pointee.pMethods.pointee.xWrite(
        PowerFileSystem.below(file), bytes, count, offset) ?? SQLITE_ERROR
    }
    methods.xTruncate = { file, size in
      guard let open = PowerFileSystem.opened(file) else { return SQLITE_ERROR }
      guard open.disk.change(open.contents, isDatabase: open.isDatabase, .truncate(Int(size))) else {
        return Failure.truncate
      }
      return PowerFileSystem.below(file)?.pointee.pMethods.pointee.xTruncate(
        PowerFileSystem.below(file), size) ?? SQLITE_ERROR
    }
    methods.xSync = { file, _ in
      guard let open = PowerFileSystem.opened(file) else { return SQLITE_ERROR }
      guard open.disk.sync(open.contents, withFolder: open.syncsFolder) else { return Failure.sync }
      open.syncsFolder = false
      return SQLITE_OK
    }
    methods.xFileSize = { file, size in
      guard PowerFileSystem.opened(file)?.disk.hasPower == true else { return Failure.size }
      return PowerFileSystem.below(file)?.pointee.pMethods.pointee.xFileSize(
        PowerFileSystem.below(file), size) ?? SQLITE_ERROR
    }
    methods.xLock = {
      PowerFileSystem.below($0)?.pointee.pMethods.pointee.xLock(PowerFileSystem.below($0), $1) ?? SQLITE_ERROR
    }
    methods.xUnlock = {
      PowerFileSystem.below($0)?.pointee.pMethods.pointee.xUnlock(PowerFileSystem.below($0), $1)
        ?? SQLITE_ERROR
    }
    methods.xCheckReservedLock = {
      PowerFileSystem.below($0)?.pointee.pMethods.pointee.xCheckReservedLock(PowerFileSystem.below($0), $1)
        ?? SQLITE_ERROR
    }
    methods.xFileControl = {
      PowerFileSystem.below($0)?.pointee.pMethods.pointee.xFileControl(PowerFileSystem.below($0), $1, $2)
        ?? SQLITE_ERROR
    }
    methods.xSectorSize = {
      PowerFileSystem.below($0)?.pointee.pMethods.pointee.xSectorSize(PowerFileSystem.below($0)) ?? 4_096
    }
    methods.xDeviceCharacteristics = {
      PowerFileSystem.below($0)?.pointee.pMethods.pointee.xDeviceCharacteristics(PowerFileSystem.below($0))
        ?? 0
    }
    methods.xShmMap = {
      PowerFileSystem.below($0)?.pointee.pMethods.pointee.xShmMap(PowerFileSystem.below($0), $1, $2, $3, $4)
        ?? SQLITE_ERROR
    }
    methods.xShmLock = {
      PowerFileSystem.below($0)?.pointee.pMethods.pointee.xShmLock(PowerFileSystem.below($0), $1, $2, $3)
        ?? SQLITE_ERROR
    }
    methods.xShmBarrier = {
      PowerFileSystem.below($0)?.pointee.pMethods.pointee.xShmBarrier(PowerFileSystem.below($0))
    }
    methods.xShmUnmap = {
      PowerFileSystem.below($0)?.pointee.pMethods.pointee.xShmUnmap(PowerFileSystem.below($0), $1)
        ?? SQLITE_ERROR
    }
    let pointer = UnsafeMutablePointer<sqlite3_io_methods>.allocate(capacity: 1)
    pointer.initialize(to: methods)
    return pointer
  }
}
