import Foundation
import Glibc
import StarlingCore
import StarlingRuntime

/// A real `starling node` as a process of its own.
final class TrialNode {
  let process = Process()
  let listen: SocketAddress
  let client: ControlClient

  private struct Announcement: Decodable {
    let listen: String
    let control: String
  }

  /// Starts a node and waits until it listens.
  init(_ binary: String, data: String, join: SocketAddress?) throws {
    let output = Pipe()
    process.executableURL = URL(filePath: binary)
    process.arguments =
      ["node", "--control", "127.0.0.1:0", "--json", "--data", data, "--join-timeout", "0s"]
      + (join.map { ["--join", "\($0)"] } ?? [])
    process.standardOutput = output
    guard FileManager.default.createFile(atPath: data + ".log", contents: nil) else {
      throw HostileError("the log of a node could not be made")
    }
    process.standardError = FileHandle(forWritingAtPath: data + ".log")
    try process.run()
    var text = Data()
    while !text.suffix(3).elementsEqual(Data("\n}\n".utf8)) {
      let more = output.fileHandleForReading.availableData
      guard !more.isEmpty else { throw HostileError("a node did not start; see \(data).log") }
      text += more
    }
    let announcement = try JSONDecoder().decode(Announcement.self, from: text)
    guard let listen = SocketAddress(announcement.listen), let control = SocketAddress(announcement.control)
    else {
      throw HostileError("a node said nothing")
    }
    self.listen = listen
    client = ControlClient(control)
  }

  deinit { if process.isRunning { process.terminate() } }

  /// Open descriptors, and anonymous memory in bytes.
  func usage() throws -> (descriptors: Int, memory: Int) {
    let folder = "/proc/\(process.processIdentifier)"
    let descriptors = try FileManager.default.contentsOfDirectory(atPath: folder + "/fd").count
    let status = try String(contentsOfFile: folder + "/status", encoding: .utf8)
    let line = status.split(separator: "\n").first { $0.hasPrefix("RssAnon:") } ?? ""
    let kilobytes = line.split(whereSeparator: \.isWhitespace).dropFirst().first.flatMap { Int($0) } ?? 0
    return (descriptors, kilobytes << 10)
  }
}
