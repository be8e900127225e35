import StarlingCore

@testable import StarlingApps

let fileTargets = [
  FuzzTarget("manifest") {
    fuzzManifests.map(\.encoded)
  } run: { bytes in
    guard let manifest = try? FileManifest(encoded: bytes) else { return }
    promise(manifest.encoded == bytes, "a manifest encodes to what it came from")
    promise(manifest.byteCount <= FileManifest.byteLimit, "a file is not too large")
    let sum = (0..<manifest.chunkCount).reduce(0) { $0 + manifest.byteCount(ofChunk: $1) }
    promise(UInt64(sum) == manifest.byteCount, "the chunks make the file")
  },
  FuzzTarget("filemessage") {
    fuzzManifests.map { FileMessage.manifest($0).encoded }
      + [FileMessage.chunk(file: fuzzManifests[0].identifier, index: 3, bytes: [1, 2, 3]).encoded]
  } run: { bytes in
    let position = FileMessage.chunkPosition(in: bytes)
    guard let message = try? FileMessage(encoded: bytes) else { return }
    promise(message.encoded == bytes, "a message encodes to what it came from")
    if case .chunk(let file, let index, _) = message {
      promise(position?.file == file && position?.index == index, "a chunk says where it belongs")
    }
  },
  FuzzTarget("filesharing") {
    let manifest = FileMessage.manifest(fuzzManifests[1]).encoded
    let chunk = FileMessage.chunk(file: fuzzManifests[1].identifier, index: 0, bytes: [1, 2]).encoded
    return [
      [0, 1, UInt8(manifest.count)] + manifest + [0, 1, UInt8(chunk.count)] + chunk,
      [1, 0, 2, 9, 3, 1, 4, 0],
    ]
  } run: {
    runFileSharing(FuzzProgram($0))
  },
]

private let fuzzManifests: [FileManifest] = {
  let manifests = [
    try? FileManifest(name: "a", topic: "", contents: [], chunkBytes: 1),
    try? FileManifest(name: "b.txt", topic: "t", contents: [1, 2, 3], chunkBytes: 2),
    try? FileManifest(name: "ä", topic: "news", contents: [UInt8](repeating: 7, count: 300), chunkBytes: 100),
  ]
  return manifests.compactMap { $0 }
}()

private struct FuzzFileSink: FileSharingSink {
  var stored: [FileIdentifier: Set<Int>] = [:]
  var announced: [FileIdentifier: FileManifest] = [:]
  var requested: [(Int, FileIdentifier)] = []
  var completed: [FileIdentifier] = []

  mutating func broadcast(_ payload: [UInt8]) {
    promise((try? FileMessage(encoded: payload)) != nil, "what is broadcast can be read")
  }
  mutating func requestChunk(_ index: Int, of file: FileIdentifier) { requested.append((index, file)) }
  mutating func announced(_ manifest: FileManifest, by publisher: PublicKey) {
    announced[manifest.identifier] = manifest
  }
  mutating func store(_ chunk: [UInt8], index: Int, of file: FileIdentifier) {
    guard let manifest = announced[file] else {
      preconditionFailure("a chunk of a file that nobody announced")
    }
    promise(manifest.verifies(chunk, index: index), "only what was announced is stored")
    promise(stored[file, default: []].insert(index).inserted, "a chunk is stored once")
  }
  mutating func completed(_ file: FileIdentifier) {
    promise(stored[file]?.count ?? 0 == announced[file]?.chunkCount ?? 0, "a complete file has its chunks")
    completed.append(file)
  }
  mutating func published(_ file: FileIdentifier) {}
  mutating func publicationFailed(_ file: FileIdentifier) {}
  mutating func recall(_ file: FileIdentifier, from publisher: PublicKey) {}
  mutating func abandoned(_ file: FileIdentifier) { stored[file] = nil }
  mutating func crowdedOut(_ file: FileIdentifier) {}
}

private func runFileSharing(_ program: FuzzProgram) {
  var program = program
  var files = FileSharing()
  var sink = FuzzFileSink()
  var now = Instant.zero
  for _ in 0..<200 where !program.isAtEnd {
    switch program.number(below: 5) {
    case 0:
      let origin = FuzzDirectory.key(program.number(below: 4))
      files.receive(program.counted(), from: origin, at: now, into: &sink)
    case 1: try? files.publish(fuzzManifests[program.number(below: 3)], at: now, into: &sink)
    case 2:
      now = now + .milliseconds(Int(program.byte()) * 100)
      // The disk is as slow as the program likes.
      if !sink.completed.isEmpty { files.assembled(sink.completed.removeFirst(), at: now, into: &sink) }
    case 3:
      files.proceed(at: now, into: &sink)
      files.expire(at: now, into: &sink)
    default:
      guard !sink.requested.isEmpty else { break }
      let (index, file) = sink.requested.removeFirst()
      files.supply(program.counted(), index: index, of: file, into: &sink)
    }
    promise(files.filesInProgress.count <= 1_024, "files in progress are bounded")
  }
}
