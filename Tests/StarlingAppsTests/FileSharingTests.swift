import StarlingCore
import Testing

@testable import StarlingApps

@Suite struct FileSharingTests {
  @Test("a file of any size arrives whole, whatever the order of its chunks")
  func roundTrip() throws {
    var random = Xoshiro256(seed: testSeed(default: 11))
    var sizes = [0, 1, 99, 100, 101, 200]
    for _ in 0..<20 { sizes.append(random.uniform(below: 3_000)) }
    for size in sizes {
      let contents = randomBytes(size, &random)
      let messages = try payloads(of: contents)
      #expect(messages.count == 1 + (size + 99) / 100)
      var chunks = Array(messages.dropFirst())
      random.shuffle(&chunks)
      var sharing = FileSharing()
      var sink = RecordingSink()
      for payload in [messages[0]] + chunks {
        sharing.receive(payload, from: try key(1), at: .zero, into: &sink)
      }
      let announced = try #require(sink.announcements.first)
      #expect(announced.publisher == (try key(1)))
      #expect(sink.completed == [announced.manifest.identifier])
      #expect(sink.assembled == contents)
      #expect(SHA256.hash(sink.assembled) == announced.manifest.digest)
      // It is awaited until it is kept: a run that ends before must have it sent again.
      #expect(sharing.awaitedPublishers == [try key(1)] && sharing.isWanted(announced.manifest.identifier))
      sharing.assembled(announced.manifest.identifier, at: .zero, into: &sink)
      #expect(sharing.awaitedPublishers.isEmpty && !sharing.isWanted(announced.manifest.identifier))
      #expect(sharing.filesInProgress.isEmpty)
    }
  }

  @Test("a file that is complete and cannot be kept comes again when it is published again")
  func givenUp() throws {
    for contents in [[], [UInt8](repeating: 3, count: 150)] {
      let messages = try payloads(of: contents)
      var sharing = FileSharing()
      var sink = RecordingSink()
      for round in 1...2 {
        for payload in messages { sharing.receive(payload, from: try key(1), at: .zero, into: &sink) }
        #expect(sink.completed.count == round)
        sharing.giveUp(sink.completed[0])
        sharing.assembled(sink.completed[0], at: .zero, into: &sink)
        #expect(sharing.filesInProgress.isEmpty && sharing.counters.filesGivenUp == round)
      }
    }
  }

  @Test("the first chunk waits for the pause after its manifest, and each next one for room")
  func pacing() throws {
    let contents = [UInt8](repeating: 1, count: 200)
    let manifest = try FileManifest(name: "a", topic: "", contents: contents, chunkBytes: 100)
    var sharing = FileSharing()
    var sink = RecordingSink()
    let start = Instant(nanoseconds: 5)
    try sharing.publish(manifest, at: start, into: &sink)
    #expect(sharing.nextDeadline == start + .seconds(1))
    sharing.proceed(at: start + .milliseconds(999), into: &sink)
    #expect(sink.requests.isEmpty)
    sharing.proceed(at: start + .seconds(1), into: &sink)
    sharing.proceed(at: start + .seconds(2), into: &sink)
    #expect(sink.requests.map(\.index) == [0])
    #expect(sharing.nextDeadline == .distantFuture)
    sharing.supply(Array(contents[..<100]), index: 0, of: manifest.identifier, into: &sink)
    #expect(sink.requests.count == 1)
    #expect(sharing.filesInProgress.map(\.chunksDone) == [1])
    sharing.proceed(at: start + .seconds(3), into: &sink)
    #expect(sink.requests.map(\.index) == [0, 1])
    #expect(sink.published.isEmpty)
    sharing.supply(Array(contents[100...]), index: 1, of: manifest.identifier, into: &sink)
    #expect(sink.published == [manifest.identifier])
    #expect(sharing.counters.chunksPublished == 2)
  }

  @Test("a chunk that was not asked for is not broadcast")
  func unaskedSupply() throws {
    let manifest = try FileManifest(name: "a", topic: "", contents: [1, 2], chunkBytes: 1)
    var sharing = FileSharing()
    var sink = RecordingSink()
    try sharing.publish(manifest, at: .zero, into: &sink)
    sharing.supply([1], index: 0, of: manifest.identifier, into: &sink)
    sharing.proceed(at: .zero + .seconds(1), into: &sink)
    sharing.supply([2], index: 1, of: manifest.identifier, into: &sink)
    #expect(sink.broadcasts.count == 1)
  }

  @Test("a file that changed since its manifest was made is given up, and the next one goes on")
  func changedFile() throws {
    let first = try FileManifest(name: "a", topic: "", contents: [1], chunkBytes: 1)
    let second = try FileManifest(name: "b", topic: "", contents: [2], chunkBytes: 1)
    var sharing = FileSharing()
    var sink = RecordingSink()
    try sharing.publish(first, at: .zero, into: &sink)
    try sharing.publish(second, at: .zero, into: &sink)
    let later = Instant.zero + .seconds(1)
    sharing.proceed(at: later, into: &sink)
    sharing.supply([9], index: 0, of: first.identifier, into: &sink)
    #expect(sink.failed == [first.identifier])
    #expect(sink.broadcasts.count == 2)
    sharing.proceed(at: later, into: &sink)
    sharing.supply([2], index: 0, of: second.identifier, into: &sink)
    #expect(sink.published == [second.identifier])
  }

  @Test("publishing is refused for a file in the queue, and when the queue is full")
  func publishRefusals() throws {
    var configuration = FileSharingConfiguration()
    configuration.publicationLimit = 1
    var sharing = FileSharing(configuration: configuration)
    var sink = RecordingSink()
    let manifest = try FileManifest(name: "a", topic: "", contents: [1])
    try sharing.publish(manifest, at: .zero, into: &sink)
    #expect(throws: PublishError.alreadyPublishing) { try sharing.publish(manifest, at: .zero, into: &sink) }
    let other = try FileManifest(name: "b", topic: "", contents: [1])
    #expect(throws: PublishError.tooManyFiles(limit: 1)) {
      try sharing.publish(other, at: .zero, into: &sink)
    }
  }

  @Test("chunks that come before their manifest are asked for again when it is here")
  func chunksFirst() throws {
    let contents = (0..<250).map { UInt8($0) }
    let messages = try payloads(of: contents)
    var receiver = Receiver()
    for payload in messages.reversed() {
      #expect(receiver.sink.stored.isEmpty)
      receiver.receive(payload, from: try key(1), at: .zero)
    }
    #expect(receiver.sink.assembled == contents)
    #expect(receiver.sink.completed.count == 1)
    #expect(receiver.sharing.counters.chunksWithoutPlace == 3)
  }

  @Test("a corrupted chunk is refused, and the right one is still taken afterwards")
  func corruptedChunk() throws {
    let messages = try payloads(of: [UInt8](repeating: 3, count: 150))
    var sharing = FileSharing()
    var sink = RecordingSink()
    sharing.receive(messages[0], from: try key(1), at: .zero, into: &sink)
    var corrupted = messages[1]
    corrupted[40] ^= 1
    sharing.receive(corrupted, from: try key(1), at: .zero, into: &sink)
    sharing.receive(Array(messages[1].dropLast()), from: try key(1), at: .zero, into: &sink)
    #expect(sink.stored.isEmpty)
    #expect(sharing.counters.chunksRefused == 2)
    for payload in messages[1...] { sharing.receive(payload, from: try key(1), at: .zero, into: &sink) }
    #expect(sink.completed.count == 1)
  }

  @Test("a chunk with an index beyond the manifest is refused")
  func indexBeyond() throws {
    let messages = try payloads(of: [UInt8](repeating: 3, count: 150))
    var sharing = FileSharing()
    var sink = RecordingSink()
    sharing.receive(messages[0], from: try key(1), at: .zero, into: &sink)
    for index: UInt8 in [2, 64, 128] {
      var beyond = messages[1]
      beyond[36] = index
      sharing.receive(beyond, from: try key(1), at: .zero, into: &sink)
    }
    #expect(sharing.counters.chunksRefused == 3)
    #expect(sink.stored.isEmpty)
  }

  @Test("a file begins with a chunk from who announced it; then chunks are taken from everybody")
  func anyPublisher() throws {
    let messages = try payloads(of: [UInt8](repeating: 3, count: 150))
    var receiver = Receiver()
    receiver.receive(messages[2], from: try key(9), at: .zero)
    receiver.receive(messages[0], from: try key(1), at: .zero)
    receiver.receive(messages[1], from: try key(9), at: .zero)
    #expect(receiver.sink.stored.isEmpty && receiver.sink.announcements.isEmpty)
    receiver.receive(messages[1], from: try key(1), at: .zero)
    #expect(receiver.sink.stored.count == 1)
    receiver.receive(messages[2], from: try key(9), at: .zero)
    #expect(receiver.sink.completed.count == 1)
    #expect(receiver.sharing.counters.chunksWithoutPlace == 2)
  }

  @Test(
    "a crowd that announces a file and sends one chunk of it each keeps its publisher's chunks from nobody")
  func crowdOfPublishers() throws {
    let messages = try payloads(of: [UInt8](repeating: 3, count: 450))
    var receiver = Receiver()
    for liar: UInt8 in 10..<30 {
      for message in messages[0...1] { receiver.receive(message, from: try key(liar), at: .zero) }
    }
    for message in messages { receiver.receive(message, from: try key(1), at: .zero + .seconds(1_800)) }
    #expect(receiver.sink.completed.count == 1)
  }

  @Test("whoever repeats a manifest first in its own name cannot shut its author out")
  func repeatedManifest() throws {
    let messages = try payloads(of: [UInt8](repeating: 3, count: 150))
    for copycatSends in [false, true] {
      var receiver = Receiver()
      receiver.receive(messages[2], from: try key(1), at: .zero)
      receiver.receive(messages[0], from: try key(9), at: .zero)
      if copycatSends { receiver.receive(messages[2], from: try key(9), at: .zero) }
      receiver.receive(messages[0], from: try key(1), at: .zero)
      receiver.receive(messages[1], from: try key(1), at: .zero)
      #expect(receiver.sink.announcements.map(\.publisher) == [try key(copycatSends ? 9 : 1)])
      #expect(receiver.sink.completed.count == 1)
    }
  }

  @Test("a file that waited for its turn is announced once more before its first chunk")
  func announcedAgain() throws {
    let first = try FileManifest(name: "a", topic: "", contents: [1], chunkBytes: 1)
    let second = try FileManifest(name: "b", topic: "", contents: [2], chunkBytes: 1)
    var sharing = FileSharing()
    var sink = RecordingSink()
    try sharing.publish(first, at: .zero, into: &sink)
    try sharing.publish(second, at: .zero, into: &sink)
    sharing.proceed(at: .zero + .seconds(1), into: &sink)
    #expect(sink.broadcasts.count == 2)
    sharing.supply([1], index: 0, of: first.identifier, into: &sink)
    sharing.proceed(at: .zero + .seconds(6), into: &sink)
    #expect(sink.requests.map(\.file) == [first.identifier, second.identifier])
    #expect(sink.broadcasts.count == 4 && sink.broadcasts[3] == sink.broadcasts[1])
  }

  @Test("nothing is stored or announced twice, and a finished file does not begin again")
  func duplicates() throws {
    let messages = try payloads(of: [UInt8](repeating: 3, count: 150))
    var sharing = FileSharing()
    var sink = RecordingSink()
    for payload in [messages[0], messages[0], messages[1], messages[1], messages[2]] + messages[..<2] {
      sharing.receive(payload, from: try key(1), at: .zero, into: &sink)
    }
    // The same before and after it was put together.
    sharing.assembled(sink.completed[0], at: .zero, into: &sink)
    sharing.receive(messages[2], from: try key(1), at: .zero, into: &sink)
    #expect(sink.announcements.count == 1)
    #expect(sink.stored.count == 2)
    #expect(sink.completed.count == 1)
    #expect(sharing.counters.manifestsRepeated == 2)
    #expect(sharing.counters.chunksRepeated == 3)
  }

  @Test("a peer does not fetch the file that it publishes itself")
  func ownFile() throws {
    let contents: [UInt8] = [1, 2, 3]
    let manifest = try FileManifest(name: "file", topic: "t", contents: contents, chunkBytes: 100)
    var sharing = FileSharing()
    var sink = RecordingSink()
    try sharing.publish(manifest, at: .zero, into: &sink)
    for payload in try payloads(of: contents) {
      sharing.receive(payload, from: try key(9), at: .zero, into: &sink)
    }
    #expect(sink.announcements.isEmpty)
    #expect(sink.stored.isEmpty)
  }

  @Test("random bytes, and messages cut anywhere, are counted and do nothing else")
  func garbage() throws {
    var random = Xoshiro256(seed: testSeed(default: 12))
    let messages = try payloads(of: [UInt8](repeating: 3, count: 150))
    var sharing = FileSharing()
    var sink = RecordingSink()
    for _ in 0..<500 {
      var payload = randomBytes(random.uniform(below: 200), &random)
      if !payload.isEmpty { payload[0] = UInt8(random.uniform(below: 4)) }
      sharing.receive(payload, from: try key(1), at: .zero, into: &sink)
    }
    for count in 0..<messages[0].count {
      sharing.receive(Array(messages[0][..<count]), from: try key(1), at: .zero, into: &sink)
    }
    #expect(sink.announcements.isEmpty)
    #expect(sink.stored.isEmpty)
    #expect(sharing.counters.malformed >= UInt64(messages[0].count))
  }
}
