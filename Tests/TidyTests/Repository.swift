import FoundationEssentials

/// The repository these tests are part of.
enum Repository {
  /// A text file: where it is below the root, and what it says.
  struct File {
    let path: String
    let text: String

    /// The module, for a file below `Sources`: the name of its folder.
    var module: String {
      path.split(separator: "/").dropFirst().first.map(String.init) ?? ""
    }
  }

  /// The folder of Package.swift, found from where this file is.
  static let root: URL = {
    var folder = URL(filePath: #filePath)
    for _ in 0..<3 { folder = folder.deletingLastPathComponent() }
    return folder
  }()

  /// Every Swift file below a folder of the repository, in order of their names.
  static func swiftFiles(in folder: String) throws -> [File] {
    try files(in: folder).filter { $0.path.hasSuffix(".swift") }
  }

  /// Every text file below a folder, or the file of that name.
  static func files(in path: String) throws -> [File] {
    let url = root.appending(path: path)
    var isFolder = false
    guard FileManager.default.fileExists(atPath: url.path, isDirectory: &isFolder) else { return [] }
    var paths = [path]
    if isFolder {
      paths = try FileManager.default.subpathsOfDirectory(atPath: url.path).sorted().map { path + "/" + $0 }
    }
    return try paths.compactMap { path in
      let url = root.appending(path: path)
      guard FileManager.default.fileExists(atPath: url.path, isDirectory: &isFolder), !isFolder else {
        return nil
      }
      return String(data: try Data(contentsOf: url), encoding: .utf8).map { File(path: path, text: $0) }
    }
  }
}
