import StarlingCore
import Testing

@testable import StarlingApps

@Suite struct FileSharingBoundsTests {
  private func manifestPayload(_ name: String) throws -> [UInt8] {
    try payloads(of: [1, 2, 3], name: name)[0]
  }

  @Test("one publisher cannot have more files arriving than its share")
  func shareOfOnePublisher() throws {
    var configuration = FileSharingConfiguration()
    configuration.downloadLimitPerPublisher = 2
    var sharing = FileSharing(configuration: configuration)
    var sink = RecordingSink()
    for name in ["a", "b", "c"] {
      sharing.receive(try manifestPayload(name), from: try key(1), at: .zero, into: &sink)
    }
    #expect(sink.announcements.map(\.manifest.name) == ["a", "b"])
    #expect(sharing.counters.manifestsCrowdedOut == 1)
    sharing.receive(try manifestPayload("d"), from: try key(2), at: .zero, into: &sink)
    #expect(sink.announcements.count == 3)
  }

  /// The manifest and the two chunks of a file.
  private func parts(_ name: String) throws -> [[UInt8]] {
    try payloads(of: [UInt8](repeating: UInt8(name.utf8.count), count: 150), name: name)
  }

  private func at(_ seconds: Int) -> Instant { .zero + .seconds(seconds) }

  private func sharing(places: Int) -> FileSharing {
    var configuration = FileSharingConfiguration()
    configuration.downloadLimit = places
    return FileSharing(configuration: configuration)
  }

  @Test("when all room is taken a file that has stalled gives way, and one that has not does not")
  func stalledGivesWay() throws {
    var sharing = sharing(places: 2)
    var sink = RecordingSink()
    for (name, publisher, second) in [("a", UInt8(1), 0), ("b", 2, 30)] {
      for part in try parts(name).prefix(2) {
        sharing.receive(part, from: try key(publisher), at: at(second), into: &sink)
      }
    }
    let manifest = try parts("c")[0]
    sharing.receive(manifest, from: try key(3), at: at(59), into: &sink)
    #expect(sink.announcements.map(\.manifest.name) == ["a", "b"] && sink.abandoned.isEmpty)
    sharing.receive(manifest, from: try key(3), at: at(60), into: &sink)
    #expect(sink.announcements.map(\.manifest.name) == ["a", "b", "c"])
    #expect(sink.abandoned == [sink.announcements[0].manifest.identifier])
    #expect(sharing.filesInProgress.map(\.manifest.name) == ["b", "c"])
  }

  @Test("a crowd of keys that announce and send nothing displaces no file that arrives, and keeps none out")
  func crowd() throws {
    var sharing = sharing(places: 8)
    var sink = RecordingSink()
    // Honest publisher 200 was there first; 201 comes when the crowd has taken all places.
    let (early, late) = (try parts("early"), try parts("late"))
    for part in early.prefix(2) { sharing.receive(part, from: try key(200), at: at(0), into: &sink) }
    for second in 0..<120 {
      for n in 0..<10 {
        let minted = try parts("lie \(second) \(n)")[0]
        let unique = PublicKey((0..<32).map { UInt8(truncatingIfNeeded: second * 10 + n + $0 * 256) ^ 0xA5 })
        sharing.receive(minted, from: try #require(unique), at: at(second), into: &sink)
      }
      if second == 5 { sharing.receive(late[0], from: try key(201), at: at(second), into: &sink) }
      if second == 7 { sharing.receive(late[1], from: try key(201), at: at(second), into: &sink) }
      if second == 50 { sharing.receive(early[2], from: try key(200), at: at(second), into: &sink) }
      if second == 60 { sharing.receive(late[2], from: try key(201), at: at(second), into: &sink) }
    }
    let names = sink.completed.compactMap { file in
      sink.announcements.first { $0.manifest.identifier == file }?.manifest.name
    }
    #expect(names == ["early", "late"])
    #expect(sharing.filesInProgress.count <= 8 && sharing.counters.manifestsTakenUp > 0)
  }

  @Test("the publisher with the most places gives way first, the file that got nothing for the longest")
  func greediest() throws {
    var sharing = sharing(places: 4)
    var sink = RecordingSink()
    for (second, (name, publisher)) in [("a", UInt8(1)), ("bb", 2), ("ccc", 2), ("dddd", 2)].enumerated() {
      sharing.receive(try parts(name)[0], from: try key(publisher), at: at(second), into: &sink)
    }
    // A chunk came of bb: it arrives. Of the two others of publisher 2 one gives way, though a is older.
    sharing.receive(try parts("bb")[1], from: try key(2), at: at(12), into: &sink)
    sharing.receive(try parts("e")[0], from: try key(3), at: at(14), into: &sink)
    #expect(sharing.filesInProgress.map(\.manifest.name) == ["a", "bb", "dddd", "e"])
    sharing.receive(try parts("f")[0], from: try key(3), at: at(14), into: &sink)
    #expect(sharing.filesInProgress.map(\.manifest.name) == ["a", "bb", "e", "f"])
    // Now publisher 3 has the most, and gets no more; what gave way waited, and comes first.
    sharing.receive(try parts("g")[0], from: try key(3), at: at(30), into: &sink)
    #expect(sharing.filesInProgress.map(\.manifest.name) == ["a", "bb", "f", "ccc"])
  }

  @Test("what was crowded out is taken up when there is room, first of whoever has the fewest places")
  func takenUp() throws {
    var sharing = sharing(places: 2)
    var sink = RecordingSink()
    let (a, b, c, d) = (try parts("a"), try parts("bb"), try parts("ccc"), try parts("dddd"))
    for part in a.prefix(2) { sharing.receive(part, from: try key(1), at: at(0), into: &sink) }
    for part in b.prefix(2) { sharing.receive(part, from: try key(2), at: at(0), into: &sink) }
    sharing.receive(c[0], from: try key(2), at: at(1), into: &sink)
    for part in d { sharing.receive(part, from: try key(3), at: at(2), into: &sink) }
    #expect(sharing.counters.manifestsCrowdedOut == 2 && sink.announcements.count == 2)
    sharing.receive(a[2], from: try key(1), at: at(3), into: &sink)
    // The chunks of dddd were held meanwhile: it is complete at once, and then there is room for ccc.
    #expect(sink.announcements.map(\.manifest.name) == ["a", "bb", "dddd", "ccc"])
    #expect(sink.completed.count == 2 && sharing.counters.manifestsTakenUp == 2)
    #expect(sharing.filesInProgress.map(\.manifest.name) == ["bb", "ccc"])
  }

  @Test("announcements that wait stay within their number, bytes and time, and the greediest gives way first")
  func waitingBounds() throws {
    func entry(_ name: String, of publisher: UInt8, chunks: Int = 1, at now: Instant = .zero) throws
      -> WaitingFiles.Entry
    {
      let manifest = try FileManifest(
        name: name, topic: "t", contents: [UInt8](repeating: 1, count: 100 * chunks), chunkBytes: 100)
      return WaitingFiles.Entry(manifest: manifest, publisher: try key(publisher), announcedAt: now)
    }
    var configuration = FileSharingConfiguration()
    (configuration.waitingLimit, configuration.waitingLimitPerPublisher) = (6, 4)
    configuration.waitingByteLimit = 3_000
    var waiting = WaitingFiles(configuration)
    for n in 0..<9 { waiting.add(try entry("a\(n)", of: 1)) }
    #expect(waiting.count == 4)
    for publisher in UInt8(2)...9 { waiting.add(try entry("b\(publisher)", of: publisher)) }
    // Three of the greedy one gave way, and then there was one of each.
    let kept = try (0..<9).filter { n in
      waiting.contains(try entry("a\(n)", of: 1).manifest.identifier, from: try key(1))
    }
    #expect(waiting.count == 6 && kept == [0])
    waiting.add(try entry("huge", of: 20, chunks: 100))
    #expect(waiting.count == 6)
    var wide = configuration
    (wide.waitingLimit, wide.waitingByteLimit) = (100, 6 * (256 + 32))
    var crowded = WaitingFiles(wide)
    for publisher in UInt8(1)...9 { crowded.add(try entry("c\(publisher)", of: publisher)) }
    #expect(crowded.count == 6, "bytes are bounded too")
    wide.waitingByteLimit *= 10
    crowded = WaitingFiles(wide)
    for publisher in UInt8(1)...9 { crowded.add(try entry("d\(publisher)", of: publisher)) }
    #expect(crowded.count == 9)
    #expect(waiting.next(at: .zero, places: [try key(1): 1])?.publisher == (try key(2)))
    #expect(waiting.next(at: .zero + configuration.waitingTime, places: [:]) == nil && waiting.isEmpty)
  }

  private func entry(_ index: Int, bytes: Int = 1, from origin: UInt8) throws -> HeldChunks.Entry {
    HeldChunks.Entry(
      file: FileIdentifier(SHA256.hash([0])), index: index, bytes: [UInt8](repeating: 0, count: bytes),
      origin: try key(origin))
  }

  @Test("held chunks stay within their number and bytes, and the greediest origin gives way first")
  func heldChunks() throws {
    var configuration = FileSharingConfiguration()
    configuration.heldChunkLimit = 5
    configuration.heldChunkLimitPerPublisher = 4
    configuration.heldByteLimit = 100
    var held = HeldChunks(configuration)
    #expect(held.hold(try entry(0, from: 1)) == 0)
    for index in 0..<6 { _ = held.hold(try entry(index, from: 2)) }
    #expect(held.count == 5)
    #expect(held.hold(try entry(7, from: 3)) == 1)
    let file = FileIdentifier(SHA256.hash([0]))
    #expect(held.take(file, from: try key(1)).map(\.index) == [0])
    #expect(held.take(file, from: try key(2)).map(\.index) == [3, 4, 5])
    #expect(held.hold(try entry(8, bytes: 60, from: 4)) == 0)
    #expect(held.hold(try entry(9, bytes: 60, from: 5)) == 1)
    #expect(held.hold(try entry(9, bytes: 101, from: 6)) == 1)
    #expect(held.take(file, from: try key(3)).map(\.index) == [7])
    #expect(held.take(file, from: try key(4)).isEmpty)
    #expect(held.take(file, from: try key(5)).map(\.index) == [9])
    #expect(held.count == 0)
  }

  @Test("finished files are remembered up to a number, the newest")
  func finishedFiles() {
    var finished = FinishedFiles(limit: 3)
    let files = (0..<5).map { FileIdentifier(SHA256.hash([UInt8($0)])) }
    for file in files { finished.insert(file) }
    #expect(files.map(finished.contains) == [false, false, true, true, true])
  }
}
