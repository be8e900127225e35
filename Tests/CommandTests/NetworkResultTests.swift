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
