import StarlingCore
import Testing

@testable import starling

@Suite("What a broadcast over nodes came to")
struct NetworkResultTests {
  /// Four nodes in a ring; a file of 10 chunks from node 1, which node 3 did not get whole.
  private func result(holders: [Bool]) -> NetworkResult {
    let file = NetworkResult.File(
      name: "f", bytes: 480_000, sha256: "ab", chunks: 10, publisher: 1,
      latencies: [30, nil, 10, holders[3] ? 20 : nil], digestsMatch: holders,
      parents: [1, nil, 1, 2])
    return NetworkResult(
      views: [[1], [2], [3], [0]], names: ["a", "b", "c", "d"], files: [file],
      payloadMessagesPerNode: [0, 20, 16, 0])
  }

  @Test("Redundancy counts messages with chunks beyond one per chunk and node other than the publisher")
  func redundancy() {
    #expect(abs((result(holders: [true, true, true, true]).redundancy ?? 0) - 0.2) < 1e-12)
  }

  @Test("Reliability leaves the publisher out, and a missing file is a failure")
  func reliability() throws {
    let whole = result(holders: [true, true, true, true])
    #expect(whole.reliability == 1)
    try whole.check()
    let partial = result(holders: [true, true, true, false])
    #expect(abs(partial.reliability - 2.0 / 3) < 1e-12)
    #expect(!partial.isDelivered)
    let error = #expect(throws: CommandError.self) { try partial.check() }
    #expect(error?.exitCode == 1)
  }

  @Test("The object has the fields that scripts rely on")
  func fields() {
    #expect(
      result(holders: [true, true, true, false]).json.text(indented: false)
        == #"{"nodes":4,"messages":11,"chunks":10,"files":[{"name":"f","bytes":480000,"sha256":"ab","#
        + #""chunks":10,"publisher":1,"delivered":3,"latency_ms":{"p50":10.0,"p99":30.0,"max":30.0}}],"#
        + #""delivered":3,"reliability":0.6666666666666666,"digest_ok":false,"payload_messages":36,"#
        + #""rmr":0.19999999999999996,"latency_ms":{"p50":10.0,"p99":30.0,"max":30.0},"#
        + #""view_size":{"mean":1.0,"stddev":0.0,"p1":1,"min":1,"max":1},"components":1,"strong_components":1}"#
    )
  }

  /// Six nodes were started; 1 and 4 were killed, 4 came back; 2 published.
  private func faulty() -> NetworkResult {
    var result = NetworkResult(
      views: [[1], [2], [3], [0], [0]], names: ["a:1", "c:3", "d:4", "e:5", "f:6"],
      files: [
        NetworkResult.File(
          name: "photo.bmp", bytes: 100, sha256: "ab", chunks: 1, publisher: 1,
          latencies: [30, nil, 10, nil, 20], digestsMatch: [true, true, true, false, true],
          parents: [1, nil, 1, nil, 2])
      ], payloadMessagesPerNode: [0, 4, 0, 0, 0])
    result.numbers = [0, 2, 3, 4, 5]
    var outcome = FileStream.Outcome()
    outcome.survivors = [0, 2, 3, 5]
    outcome.seconds = 9
    outcome.timeline = [
      .init(time: .seconds(2), event: "killed", nodes: [1, 4]),
      .init(time: .seconds(4), event: "restarted", nodes: [4]),
    ]
    result.faults = outcome
    return result
  }

  @Test("After faults, nodes keep their numbers, and what is counted is said: survivors")
  func survivors() throws {
    let result = faulty()
    #expect(result.isDelivered && result.held(result.files[0]) == "4 of 4 survivors")
    #expect(result.text.contains("4 of 4 survivors hold it"))
    let html = result.page(commandLine: "starling up").html()
    for fragment in [
      "A murmuration of 6 nodes", "6 started, 2 killed, 1 restarted", "4 of 4 survivors",
      "“photo.bmp” took from node 2",
      "How “photo.bmp” spread", "node 5, f:6", "1 node killed, then restarted", "1 node killed</text>",
      "Each dot is a file", "seconds after the first file",
    ] { #expect(html.contains(fragment), "\(fragment)") }
    #expect(!html.contains("node 1,") && !html.contains("5 of 6") && !html.contains("peer"))
    let graph = result.graphText(for: "x.graphml", seed: 1)
    #expect(
      graph.contains("<node id=\"n5\"><data key=\"label\">f:6</data></node>") && !graph.contains("\"n1\""))
    #expect(result.json.text(indented: false).contains("\"publisher\":2"))
  }

  @Test("Text, object and page count and time the same nodes: those that were not killed")
  func restartedIsNotSurvivor() throws {
    // Node 4 was killed and came back; it fetched the file long after the others had it.
    let file = NetworkResult.File(
      name: "photo.bmp", bytes: 100, sha256: "ab", chunks: 1, publisher: 1,
      latencies: [30, nil, 10, 9_000, 20], digestsMatch: [true, true, true, true, true],
      parents: [1, nil, 1, 2, 2])
    let faulty = faulty()
    var result = NetworkResult(
      views: faulty.views, names: faulty.names, files: [file],
      payloadMessagesPerNode: faulty.payloadMessagesPerNode)
    (result.numbers, result.faults) = (faulty.numbers, faulty.faults)
    result.faults?.files = [file]
    result.faults?.publishedAt = [0]
    #expect(result.text.contains("4 of 4 survivors") && result.text.contains("the last after 30 ms"))
    let json = result.json.text(indented: false)
    #expect(json.contains(#""delivered":4,"latency_ms":{"p50":20.0,"p99":30.0,"max":30.0}}]"#), "\(json)")
    #expect(json.contains(#"],"delivered":4,"#) && !json.contains("9000"))
    let html = result.page(commandLine: "starling up").html()
    #expect(html.contains("4 of 4 survivors") && html.contains("30 ms") && !html.contains("9,000"))
    // The time-line's axis ends with the slowest survivor, at hundredths of a second.
    #expect(
      result.faults?.drawing { $0.received(among: result.judged).max() }.tracks[0].points.map(\.y) == [0.03])
  }

  @Test("Numbers are written as people read them")
  func readable() {
    #expect(Readable.decimal(0.0454, 3) == "0.045")
    #expect(Readable.decimal(-0.0004, 3) == "0.000")
    #expect(Readable.decimal(12.96, 1) == "13.0")
    #expect(Readable.decimal(.nan, 1) == "-")
    #expect(Readable.size(1) == "1 byte")
    #expect(Readable.size(1_344_054) == "1.3 MB")
    #expect(Readable.table(["a", "b"], [["long", "7"]]) == ["a     b", "long  7"])
  }
}
