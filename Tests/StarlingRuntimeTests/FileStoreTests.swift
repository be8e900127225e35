import Glibc
import StarlingApps
import StarlingCore
import Testing

@testable import StarlingRuntime

@Suite struct FileStoreTests {
  private let directory: TemporaryDirectory
  private let data: DataDirectory
  private let store: FileStore

  init() throws {
    directory = try TemporaryDirectory()
    data = try DataDirectory(directory("data"))
    store = FileStore(data)
  }

  private func bytes(_ count: Int, salt: UInt64 = 0) -> [UInt8] {
    (0..<count).map { UInt8(truncatingIfNeeded: SplitMix64.mix(UInt64($0) &+ salt)) }
  }

  private func manifest(_ contents: [UInt8], name: String = "photo.jpg") throws -> FileManifest {
    try FileManifest(name: name, topic: "t", contents: contents, chunkBytes: 1_000)
  }

  private func receive(_ contents: [UInt8], as manifest: FileManifest) throws -> String {
    for index in (0..<manifest.chunkCount).reversed() {
      let start = index * manifest.chunkBytes
      let chunk = Array(contents[start..<(start + manifest.byteCount(ofChunk: index))])
      try store.store(chunk, index: index, of: manifest)
    }
    return try #require(store.assembly(of: manifest)).run()
  }

  private func names(_ path: String) -> [String] {
    var names: [String] = []
    guard let directory = opendir(path) else { return names }
    defer { closedir(directory) }
    while let entry = readdir(directory) {
      names.append(
        withUnsafeBytes(of: entry.pointee.d_name) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) })
    }
    return names.filter { !$0.hasPrefix(".") }.sorted()
  }

  @Test("chunks in any order become the file, under its name, and nothing is left in incoming")
  func assembly() throws {
    for count in [0, 1, 999, 1_000, 1_001, 25_300] {
      let contents = bytes(count)
      let path = try receive(contents, as: manifest(contents, name: "file \(count)"))
      #expect(path == directory("data/files/file \(count)"))
      #expect(StarlingRuntimeTests.contents(path) == contents)
    }
    #expect(names(data.incoming).isEmpty)
  }

  @Test("another file with the name is kept: the new one gets a part of its digest into its name")
  func collision() throws {
    let (first, second) = (bytes(3_000), bytes(3_000, salt: 1 << 32))
    let path = try receive(first, as: manifest(first))
    let other = try receive(second, as: manifest(second))
    #expect(contents(path) == first)
    #expect(other == directory("data/files/photo-\(SHA256.hash(second).description.prefix(8)).jpg"))
    #expect(contents(other) == second)
    // The same contents again need no second file.
    #expect(try receive(second, as: manifest(second)) == other)
    #expect(names(data.files).count == 2)
  }

  @Test("no other files, whatever their names, keep a file from getting one")
  func takenNames() throws {
    let wanted = bytes(3_000)
    let digest = SHA256.hash(wanted).description
    let names = ["photo.jpg", "photo-\(digest.prefix(8)).jpg", "photo-\(digest).jpg", "photo-\(digest)"]
    for (salt, name) in names.enumerated() {
      let liar = bytes(10, salt: UInt64(salt))
      let path = try receive(liar, as: manifest(liar, name: name))
      // A name with another file's whole digest is not given.
      #expect((path == directory("data/files/\(name)")) == (salt < 2), "\(path)")
    }
    let path = try receive(wanted, as: manifest(wanted))
    #expect(path == directory("data/files/photo-\(digest).jpg") && contents(path) == wanted)
    let own = bytes(20, salt: 9)
    let ownName = "x-\(SHA256.hash(own)).txt"
    #expect(try receive(own, as: manifest(own, name: ownName)) == directory("data/files/\(ownName)"))
  }

  @Test("a name of 255 bytes still has room for the digest")
  func longNames() throws {
    let name = String(repeating: "ü", count: 125) + ".jpeg"
    let (first, second) = (bytes(10), bytes(20))
    _ = try receive(first, as: manifest(first, name: name))
    let other = try receive(second, as: manifest(second, name: name))
    #expect(contents(other) == second)
    #expect(other.hasSuffix(".jpeg"))
  }

  @Test("what changed on the disk since it came is thrown away, not handed to the user")
  func damaged() throws {
    let contents = bytes(3_000)
    let manifest = try manifest(contents)
    try store.store(Array(contents[..<1_000]), index: 0, of: manifest)
    try store.store(Array(contents[2_000...]), index: 2, of: manifest)
    let assembly = try #require(store.assembly(of: manifest))
    #expect(throws: HostError.self) { try assembly.run() }
    #expect(names(data.files).isEmpty && names(data.incoming).isEmpty)
  }

  @Test("a disk that refuses is one sentence a file, and the file is not assembled")
  func diskErrors() throws {
    let manifest = try manifest(bytes(3_000))
    rmdir(data.incoming)
    directory.write([], to: "data/incoming")
    #expect(throws: HostError.self) { try store.store(bytes(1_000), index: 0, of: manifest) }
    #expect(throws: Never.self) { try store.store(bytes(1_000), index: 1, of: manifest) }
    #expect(store.assembly(of: manifest) == nil)
  }

  @Test("folders that somebody took away are made anew")
  func lostFolders() throws {
    let (contents, other) = (bytes(3_000), bytes(2_000))
    rmdir(data.incoming)
    rmdir(data.files)
    let path = try receive(contents, as: manifest(contents))
    #expect(StarlingRuntimeTests.contents(path) == contents)
    rmdir(data.incoming)
    let upload = try FileUpload(name: "x", topic: "", into: data)
    try other.withUnsafeBytes { try upload.write($0) }
    #expect(StarlingRuntimeTests.contents(try upload.finish().path) == other)
  }

  @Test("an upload in pieces of any length becomes a published file whose chunks can be read")
  func uploads() throws {
    let contents = bytes(150_001)
    let upload = try FileUpload(name: "notes.txt", topic: "news", into: data)
    var start = 0
    for length in [1, 50_000, 49_152, 0, 50_848] {
      try contents[start..<(start + length)].withUnsafeBytes { try upload.write($0) }
      start += length
    }
    let (manifest, path) = try upload.finish()
    #expect(manifest == (try FileManifest(name: "notes.txt", topic: "news", contents: contents)))
    #expect(StarlingRuntimeTests.contents(path) == contents)
    store.publish(manifest, at: path)
    for index in 0..<manifest.chunkCount {
      #expect(manifest.verifies(try store.chunk(index, of: manifest.identifier), index: index))
    }
    truncate(path, 100_000)
    #expect(throws: HostError.self) { try store.chunk(3, of: manifest.identifier) }
    unlink(path)
    #expect(throws: HostError.self) { try store.chunk(0, of: manifest.identifier) }
  }

  @Test("an upload with an impossible name is refused, and a cancelled one leaves nothing")
  func badUploads() throws {
    for name in ["", "..", "a/b", "a\u{0}b", "a\nb", "a\u{202E}gpj.exe", String(repeating: "x", count: 256)] {
      #expect(throws: HostError.self) { try FileUpload(name: name, topic: "", into: data) }
    }
    let upload = try FileUpload(name: "x", topic: "", into: data)
    try bytes(100_000).withUnsafeBytes { try upload.write($0) }
    #expect(names(data.incoming).count == 1)
    upload.cancel()
    #expect(names(data.incoming).isEmpty)
  }

  @Test("one node at a time uses a directory, and what a run left incomplete is cleared by the next")
  func exclusive() throws {
    #expect {
      try DataDirectory(directory("data"))
    } throws: { error in
      "\(error)".contains("in use by another node")
    }
    var other: DataDirectory? = try DataDirectory(directory("other/"))
    directory.write([1], to: "other/incoming/x.part")
    directory.write([1], to: "other/files/kept")
    other = nil
    #expect(other == nil)
    let again = try DataDirectory(directory("other"))
    #expect(names(again.incoming).isEmpty)
    #expect(names(again.files) == ["kept"])
    again.remove()
    #expect(contents(directory("other/files/kept")) == [1])
  }

  @Test("without a directory a temporary one is made, and it goes with all it holds")
  func temporary() throws {
    let temporary = try DataDirectory(nil)
    let file = temporary.files + "/x"
    close(open(file, O_CREAT | O_WRONLY, 0o600))
    #expect(access(file, F_OK) == 0)
    temporary.remove()
    #expect(access(temporary.path, F_OK) != 0)
  }
}
