import Foundation
import StarlingTestSupport
import Testing

@Suite("The guides' commands")
struct GuideTests {
  /// The guide's blocks of commands that are to be run as they stand, in order.
  private func commands(of guide: String) throws -> String {
    let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent()
    let text = try String(contentsOf: folder.appending(path: "docs/\(guide).md"), encoding: .utf8)
    let blocks = text.components(separatedBy: "\n```sh\n").dropFirst()
    return blocks.map { $0.components(separatedBy: "\n```\n")[0] }.joined(separator: "\n")
  }

  /// Two beginnings of ports, of ten each, of which those that the guide uses are free.
  private func freePorts() throws -> (listen: String, control: String) {
    for _ in 0..<100 {
      let ten = Int.random(in: 1_100..<3_200)
      let ports = (1...4).flatMap { [ten * 10 + $0, ten * 10 + 10 + $0] }
      if ports.allSatisfy(BoundSocket.isFree) { return ("\(ten)", "\(ten + 1)") }
    }
    throw CancellationError()
  }

  @Test(
    "A payment network is run, cheated and built on by the commands of the guide, one after the other",
    .enabled(
      if: FileManager.default.isExecutableFile(atPath: "/usr/bin/curl"),
      "install curl to test the guide: apt-get install curl"))
  func ledger() throws {
    let (listen, control) = try freePorts()
    let script = try commands(of: "guide-ledger")
      .replacingOccurrences(of: "127.0.0.1:440", with: "127.0.0.1:\(listen)")
      .replacingOccurrences(of: "127.0.0.1:401", with: "127.0.0.1:\(control)")
    let folder = try TemporaryFolder()
    let process = Process()
    // Whatever fails, no node outlives the test.
    process.executableURL = URL(filePath: "/usr/bin/timeout")
    process.arguments = [
      "-k", "5", "240", "/bin/bash", "-c",
      "set -euo pipefail; trap 'kill -9 $(jobs -p) || true' EXIT\n" + script,
    ]
    process.currentDirectoryURL = folder.url
    process.environment = [
      "HOME": folder.url.path,
      "PATH": CommandRun.binary.deletingLastPathComponent().path + ":/usr/bin:/bin",
    ]
    let output = Pipe()
    process.standardOutput = output
    process.standardError = output
    try process.run()
    let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    #expect(process.terminationStatus == 0, "\(text.suffix(2_000))")
    for line in [
      "paid 30 as number 0, final", "paid 12 as number 1, final", "All holds",
      "\"state\":\"final\"", "\"expected_next\"",
    ] {
      #expect(text.contains(line), "\(line) is not among \(text.suffix(2_000))")
    }
  }
}
