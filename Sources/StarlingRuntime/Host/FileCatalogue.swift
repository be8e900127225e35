import StarlingApps
import StarlingCore

/// The files that a node knows of, for its users: bounded, and without the long lists of digests once a file
/// is done.
struct FileCatalogue {
  /// The most files. Of those that are done the one that was done first gives way, and no other: whoever took long to
  /// arrive is to be found here afterwards, too.
  static let limit = 1_024

  private struct Entry {
    var file: ControlFile
    /// Kept while chunks come or go.
    var manifest: FileManifest?
    /// Its number among those that were done, in the order in which they were.
    var doneNumber = 0
  }

  private var entries: [Entry] = []
  private var doneCount = 0

  /// All files, in the order in which they became known.
  var files: [ControlFile] { entries.map(\.file) }

  /// The manifest of a file that is on its way.
  func manifest(of file: FileIdentifier) -> FileManifest? {
    position(of: file).flatMap { entries[$0].manifest }
  }

  /// What is known of a file.
  func file(_ file: FileIdentifier) -> ControlFile? { position(of: file).map { entries[$0].file } }

  /// Adds a file, or begins again with one that failed or was done.
  ///
  /// - Returns: false if there is no room, because everything here is on its way.
  mutating func add(
    _ manifest: FileManifest, by publisher: PublicKey, state: ControlFile.State, path: String?
  ) -> Bool {
    if let position = position(of: manifest.identifier) {
      entries.remove(at: position)
    } else if entries.count >= FileCatalogue.limit {
      let done = entries.indices.filter { entries[$0].manifest == nil }
      guard let first = done.min(by: { entries[$0].doneNumber < entries[$1].doneNumber }) else {
        return false
      }
      entries.remove(at: first)
    }
    entries.append(
      Entry(
        file: ControlFile(
          file: manifest.identifier.description, name: manifest.name, topic: manifest.topic,
          bytes: manifest.byteCount, digest: manifest.digest.description,
          publisher: publisher.description, state: state, chunksDone: 0, chunks: manifest.chunkCount,
          path: path, parent: nil),
        manifest: manifest))
    return true
  }

  /// Adds a file that was finished in an earlier run.
  mutating func recall(_ file: ControlFile) {
    guard entries.count < FileCatalogue.limit else { return }
    doneCount += 1
    entries.append(Entry(file: file, manifest: nil, doneNumber: doneCount))
  }

  /// Notes over which link a file's last chunk came: every node's answer for one and the same message makes a
  /// tree.
  mutating func noteArrival(of index: Int, of file: FileIdentifier, from neighbour: PublicKey) {
    guard let position = position(of: file), index == entries[position].file.chunks - 1 else { return }
    entries[position].file.parent = neighbour.description
  }

  /// A file is done, for better or worse.
  mutating func finish(_ file: FileIdentifier, state: ControlFile.State, path: String? = nil) {
    guard let position = position(of: file) else { return }
    entries[position].file.state = state
    if let path { entries[position].file.path = path }
    if state != .failed { entries[position].file.chunksDone = entries[position].file.chunks }
    entries[position].manifest = nil
    doneCount += 1
    entries[position].doneNumber = doneCount
  }

  /// From the end: what is asked for is mostly new.
  private func position(of file: FileIdentifier) -> Int? {
    let name = file.description
    return entries.lastIndex { $0.file.file == name }
  }
}
