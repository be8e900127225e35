import StarlingCore
import Testing

@testable import StarlingApps

@Suite struct FileSharingBoundsTests {
  /// The manifest and the chunks of a file: two, unless more are wanted.
  private func parts(_ name: String, chunks: Int = 2) throws -> [[UInt8]] {
    try payloads(of: [UInt8](repeating: UInt8(name.utf8.count), count: 100 * chunks), name: name)
  }

  private func at(_ seconds: Double) -> Instant { .zero + .milliseconds(Int(seconds * 1_000)) }

  private func receiver(places: Int) -> Receiver {
    var configuration = FileSharingConfiguration()
    configuration.downloadLimit = places
    return Receiver(configuration)
  }

  @Test("one publisher cannot have more files arriving than its share")
  func shareOfOnePublisher() throws {
    var configuration = FileSharingConfiguration()
    configuration.downloadLimitPerPublisher = 2
    var receiver = Receiver(configuration)
    for name in ["a", "bb", "ccc"] {
      for part in try parts(name).prefix(2) { receiver.receive(part, from: try key(1), at: .zero) }
    }
    #expect(receiver.arriving == ["a", "bb"])
    for part in try parts("dddd").prefix(2) { receiver.receive(part, from: try key(2), at: .zero) }
    #expect(receiver.arriving == ["a", "bb", "dddd"])
  }

  @Test("a file takes a place when its first chunk comes, and an announcement alone takes none")
  func placeByChunk() throws {
    var receiver = receiver(places: 1)
    let (a, b) = (try parts("a"), try parts("bb"))
    receiver.receive(a[0], from: try key(1), at: at(0))
    receiver.receive(b[0], from: try key(2), at: at(0))
    #expect(receiver.arriving.isEmpty && receiver.sink.announcements.isEmpty)
    receiver.receive(b[1], from: try key(2), at: at(1))
    #expect(receiver.arriving == ["bb"])
    receiver.receive(b[2], from: try key(2), at: at(1))
    for part in a[1...] { receiver.receive(part, from: try key(1), at: at(1)) }
    #expect(receiver.completed == ["bb", "a"])
  }

  @Test(
    "when all room is taken a file may be silent for a second for each chunk that came, up to a minute, and gives way then"
  )
  func stalledGivesWay() throws {
    for (chunks, patience) in [(1, 1.0), (3, 3), (70, 60)] {
      var receiver = receiver(places: 2)
      for part in try parts("a", chunks: 100).prefix(1 + chunks) {
        receiver.receive(part, from: try key(1), at: at(0))
      }
      for part in try parts("bb", chunks: 100).prefix(99) {
        receiver.receive(part, from: try key(2), at: at(0.5))
      }
      let c = try parts("ccc", chunks: 3)
      receiver.receive(c[0], from: try key(3), at: at(0.5))
      receiver.receive(c[1], from: try key(3), at: at(patience - 0.1))
      #expect(receiver.arriving == ["a", "bb"] && receiver.sink.abandoned.isEmpty)
      receiver.receive(c[2], from: try key(3), at: at(patience))
      #expect(receiver.arriving == ["bb", "ccc"])
      #expect(receiver.sink.abandoned == [receiver.sink.announcements[0].manifest.identifier])
      #expect(receiver.sharing.filesInProgress[1].chunksDone == 2, "what came without a place is not lost")
    }
  }

  @Test("a file that gave way goes on where it was when its next chunk comes")
  func givesWayAndComesBack() throws {
    var receiver = receiver(places: 1)
    let (a, b) = (try parts("a", chunks: 3), try parts("bb", chunks: 3))
    for part in a[...1] { receiver.receive(part, from: try key(1), at: at(0)) }
    for part in b[...1] { receiver.receive(part, from: try key(2), at: at(2)) }
    #expect(receiver.arriving == ["bb"])
    receiver.receive(a[2], from: try key(1), at: at(4))
    #expect(receiver.arriving == ["a"] && receiver.sharing.filesInProgress[0].chunksDone == 2)
    receiver.receive(a[3], from: try key(1), at: at(4))
    for part in b[2...] { receiver.receive(part, from: try key(2), at: at(5)) }
    #expect(receiver.completed == ["a", "bb"])
  }

  /// Has a crowd announce `rate` files a second for a minute, each under a key of its own, and send the first of two
  /// chunks of each if it is to; and an honest peer publish 300 KB and a larger file behind it in the meantime.
  private func besiege(_ receiver: inout Receiver, rate: Int, sendsChunks: Bool) throws {
    let lies = try (0..<60 * rate).map { try parts("lie \($0)") }
    let songs = try ["song", "symphony"].map { name in
      try payloads(
        of: [UInt8](repeating: 7, count: name == "song" ? 300_000 : 600_000), name: name,
        chunkBytes: FileManifest.chunkByteLimit)
    }
    // Both are announced at once; the chunks of the second follow those of the first. One chunk in 400 ms.
    var honest = songs.map { (20.0, $0[0]) }
    for (i, chunk) in (songs[0].dropFirst() + songs[1].dropFirst()).enumerated() {
      honest.append((21 + 0.4 * Double(i), chunk))
    }
    for (n, lie) in lies.enumerated() {
      let second = Double(n) / Double(rate)
      while let (due, part) = honest.first, due <= second {
        honest.removeFirst()
        receiver.receive(part, from: try key(200), at: at(second))
      }
      for part in lie.prefix(sendsChunks ? 2 : 1) {
        receiver.receive(part, from: try mintedKey(n), at: at(second))
      }
    }
    #expect(honest.isEmpty)
  }

  @Test(
    "a crowd of keys that announces sixty files a second keeps no file out, whether it sends chunks or not",
    arguments: [false, true])
  func crowd(sendsChunks: Bool) throws {
    var receiver = Receiver()
    try besiege(&receiver, rate: 60, sendsChunks: sendsChunks)
    #expect(receiver.completed == ["song", "symphony"])
    #expect(receiver.arriving.count == (sendsChunks ? 128 : 0))
    // What it remembers is bounded, and what it forgot was told.
    let counters = receiver.sharing.counters
    #expect(receiver.sharing.awaitedPublishers.count <= 1_024 + 128)
    #expect(counters.filesCrowdedOut >= 3_600 - 1_024 - 128)
    #expect(counters.filesCrowdedOut == UInt64(receiver.sink.crowdedOut.count))
  }

  /// Files that are complete with their announcement, or with their one chunk.
  enum TinyFile: CaseIterable { case empty, emptyOfOneKey, oneChunk }

  @Test(
    "three hundred tiny files a second keep no file out where the disk takes a hundred, and none waits for it without a place",
    arguments: TinyFile.allCases)
  func tinyFiles(kind: TinyFile) throws {
    var configuration = FileSharingConfiguration()
    // Half of what waits by default: it is full after half of the time.
    configuration.waitingLimit = 512
    var receiver = Receiver(configuration, assemblyTime: .milliseconds(10))
    let (seconds, rate) = (7, 300)
    let song = try payloads(
      of: [UInt8](repeating: 7, count: 300_000), name: "song", chunkBytes: FileManifest.chunkByteLimit)
    var honest = [(3.0, song[0])]
    // It is silent for longer than its two chunks have others wait.
    for (i, chunk) in song.dropFirst().enumerated() {
      honest.append((i < 2 ? 4 + 0.4 * Double(i) : 6.3 + 0.1 * Double(i), chunk))
    }
    for n in 0..<seconds * rate {
      let second = Double(n) / Double(rate)
      while let (due, part) = honest.first, due <= second {
        honest.removeFirst()
        receiver.receive(part, from: try key(200), at: at(second))
      }
      for part in try payloads(of: kind == .oneChunk ? [1] : [], name: "lie \(n)") {
        receiver.receive(part, from: try mintedKey(kind == .emptyOfOneKey ? 0 : n), at: at(second))
      }
    }
    #expect(honest.isEmpty && receiver.completed.contains("song") && receiver.sink.abandoned.isEmpty)
    // The share of one publisher, and the honest file.
    #expect(receiver.longestAssemblyQueue <= (kind == .emptyOfOneKey ? 16 + 1 : 128))
    receiver.expire(until: at(60))
    #expect(receiver.arriving.isEmpty)
    // Every one of them arrived, or was told of as forgotten.
    #expect(receiver.sink.completed.count + receiver.sink.crowdedOut.count == 1 + seconds * rate)
    #expect(receiver.sink.crowdedOut.count > 500)
  }

  @Test(
    "a file that finds all places taken gets one with time, though nothing more is sent, and is whole at once"
  )
  func takenUpWithTime() throws {
    var receiver = receiver(places: 2)
    for (name, publisher) in [("a", UInt8(1)), ("bb", 2)] {
      for part in try parts(name, chunks: 60).prefix(31) {
        receiver.receive(part, from: try key(publisher), at: at(0))
      }
    }
    for part in try parts("ccc") { receiver.receive(part, from: try key(3), at: at(1)) }
    #expect(receiver.sharing.nextExpiry == at(2))
    receiver.expire(until: at(29))
    #expect(receiver.completed.isEmpty)
    receiver.expire(until: at(31))
    #expect(receiver.completed == ["ccc"] && receiver.arriving == ["bb"])
    #expect(receiver.sharing.nextExpiry == .distantFuture)
  }

  @Test("the publisher with the most places gives way first, the file that got nothing for the longest")
  func greediest() throws {
    var receiver = receiver(places: 4)
    for (second, (name, publisher)) in [("a", UInt8(1)), ("bb", 2), ("ccc", 2), ("dddd", 2)].enumerated() {
      for part in try parts(name).prefix(2) {
        receiver.receive(part, from: try key(publisher), at: at(Double(second) / 10))
      }
    }
    for part in try parts("eeeee").prefix(2) { receiver.receive(part, from: try key(3), at: at(2)) }
    #expect(receiver.arriving == ["a", "ccc", "dddd", "eeeee"])
    for part in try parts("ffffff").prefix(2) { receiver.receive(part, from: try key(3), at: at(2)) }
    #expect(receiver.arriving == ["a", "dddd", "eeeee", "ffffff"])
  }

  @Test(
    "of the files that wait, those of whoever has the fewest places come first, and then what has come the most of"
  )
  func takenUp() throws {
    var receiver = receiver(places: 2)
    let (a, b) = (try parts("a", chunks: 3), try parts("bb", chunks: 3))
    for part in a[...2] { receiver.receive(part, from: try key(1), at: at(0)) }
    for part in b[...2] { receiver.receive(part, from: try key(2), at: at(0)) }
    for part in try parts("ccc", chunks: 4)[...3] { receiver.receive(part, from: try key(2), at: at(0.1)) }
    for part in try parts("dddd")[...1] { receiver.receive(part, from: try key(3), at: at(0.2)) }
    for part in try parts("eeeee") { receiver.receive(part, from: try key(4), at: at(0.3)) }
    receiver.receive(a[3], from: try key(1), at: at(0.4))
    #expect(receiver.completed == ["a", "eeeee"] && receiver.arriving == ["bb", "dddd"])
  }

  @Test(
    "files that wait stay within their number, their bytes and their publisher's share, and the oldest gives way"
  )
  func waitingBounds() throws {
    func entry(_ name: String, of publisher: UInt8, chunks: Int = 1) throws -> WaitingFiles.Entry {
      let manifest = try FileManifest(
        name: name, topic: "t", contents: [UInt8](repeating: 1, count: 100 * chunks), chunkBytes: 100)
      return WaitingFiles.Entry(manifest: manifest, publisher: try key(publisher))
    }
    var configuration = FileSharingConfiguration()
    (configuration.waitingLimit, configuration.waitingLimitPerPublisher) = (6, 4)
    configuration.waitingByteLimit = 10_000
    var waiting = WaitingFiles(configuration)
    let refused = try (0..<9).flatMap { waiting.add(try entry("a\($0)", of: 1)) }
    #expect(refused.map(\.manifest.name) == (4..<9).map { "a\($0)" } && waiting.count == 4)
    let lost = try (UInt8(2)...5).flatMap { waiting.add(try entry("b\($0)", of: $0)) }
    #expect(lost.map(\.manifest.name) == ["a0", "a1"] && waiting.count == 6)
    #expect(waiting.add(try entry("huge", of: 20, chunks: 200)).map(\.manifest.name) == ["huge"])
    #expect(waiting.add(try entry("large", of: 20, chunks: 90)).count == 5)
    #expect(waiting.count == 2 && waiting.byteCount <= 10_000 && waiting.byteCount > 90 * 32)
    waiting.remove(try entry("large", of: 20, chunks: 90).manifest.identifier)
    waiting.remove(try entry("b5", of: 5).manifest.identifier, from: try key(5))
    #expect(waiting.count == 0 && waiting.byteCount == 0 && waiting.dueCount == 0)
  }

  @Test("finished files are remembered up to a number, the newest")
  func finishedFiles() {
    var finished = RecentFiles(limit: 3)
    let files = (0..<5).map { FileIdentifier(SHA256.hash([UInt8($0)])) }
    for file in files { finished.insert(file) }
    #expect(files.map(finished.contains) == [false, false, true, true, true])
  }
}
