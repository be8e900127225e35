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

  @Test("when all room is taken a file that has stalled gives way, and one that has not does not")
  func stalledGivesWay() throws {
    var configuration = FileSharingConfiguration()
    configuration.downloadLimit = 2
    var sharing = FileSharing(configuration: configuration)
    var sink = RecordingSink()
    sharing.receive(try manifestPayload("a"), from: try key(1), at: .zero, into: &sink)
    let later = Instant.zero + .seconds(30)
    sharing.receive(try manifestPayload("b"), from: try key(2), at: later, into: &sink)
    sharing.receive(try manifestPayload("c"), from: try key(3), at: later, into: &sink)
    #expect(sink.announcements.map(\.manifest.name) == ["a", "b"])
    sharing.receive(try manifestPayload("c"), from: try key(3), at: .zero + .seconds(60), into: &sink)
    #expect(sink.announcements.map(\.manifest.name) == ["a", "b", "c"])
    #expect(sink.abandoned == [sink.announcements[0].manifest.identifier])
    #expect(sharing.filesInProgress.map(\.manifest.name) == ["b", "c"])
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
