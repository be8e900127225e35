import Foundation
import Testing

/// One run of the real command as a process of its own.
struct CommandRun {
  /// How it ended; 128 and more for a signal, as shells say it.
  let exitCode: Int32
  /// What it wrote to standard output.
  let output: String
  /// What it wrote to standard error.
  let messages: String

  /// The binary that was built with these tests: it lies beside the bundle that runs them.
  static let binary: URL = {
    URL(filePath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent()
      .appending(path: "starling")
  }()

  /// Runs the command to its end.
  ///
  /// - Parameters:
  ///   - words: what follows the command's name.
  ///   - environment: variables to add; those of the tests that concern the command are taken out.
  ///   - input: what it finds on standard input.
  init(_ words: [String], environment: [String: String] = [:], input: String? = nil) throws {
    let process = try CommandRun.process(words, environment: environment)
    let (output, messages) = (Pipe(), Pipe())
    process.standardOutput = output
    process.standardError = messages
    let feed = Pipe()
    process.standardInput = feed
    try CommandRun.start(process)
    if let input { try feed.fileHandleForWriting.write(contentsOf: Data(input.utf8)) }
    try feed.fileHandleForWriting.close()
    // Both are read at once, or a command that fills one pipe would wait for ever.
    let collector = PipeReader(messages.fileHandleForReading)
    let outputData = output.fileHandleForReading.readDataToEndOfFile()
    self.messages = collector.text()
    process.waitUntilExit()
    self.output = String(decoding: outputData, as: UTF8.self)
    exitCode =
      process.terminationReason == .exit ? process.terminationStatus : 128 + process.terminationStatus
  }

  /// A process that runs the command, not started yet.
  static func process(_ words: [String], environment: [String: String] = [:]) throws -> Foundation.Process {
    let process = Process()
    process.executableURL = binary
    process.arguments = words
    process.environment = ProcessInfo.processInfo.environment
      .filter { !$0.key.hasPrefix("STARLING_") }
      .merging(environment) { $1 }
    return process
  }

  /// Starts a process, and ends it by force after a minute: a command that hangs must not hang the tests.
  static func start(_ process: Foundation.Process) throws {
    try process.run()
    let identifier = process.processIdentifier
    Thread.detachNewThread {
      let deadline = Date(timeIntervalSinceNow: 60)
      while process.isRunning, Date() < deadline { Thread.sleep(forTimeInterval: 0.2) }
      if process.isRunning { kill(identifier, SIGKILL) }
    }
  }

  /// What it wrote, as a JSON object.
  func json() throws -> [String: Any] {
    try #require(try JSONSerialization.jsonObject(with: Data(output.utf8)) as? [String: Any])
  }
}

/// Reads a pipe to its end on a thread of its own.
private final class PipeReader: @unchecked Sendable {
  private var data = Data()
  private let done = DispatchSemaphore(value: 0)

  init(_ handle: FileHandle) {
    Thread.detachNewThread { [self] in
      data = handle.readDataToEndOfFile()
      done.signal()
    }
  }

  func text() -> String {
    done.wait()
    return String(decoding: data, as: UTF8.self)
  }
}

/// A folder that is there for one test.
final class TemporaryFolder {
  let url: URL

  init() throws {
    url = FileManager.default.temporaryDirectory.appending(path: "starling-test-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(at: url) }

  /// The path of a file in it.
  func path(_ name: String) -> String { url.appending(path: name).path }

  /// Writes a file in it and answers with its path.
  func write(_ name: String, _ text: String, mode: Int = 0o644) throws -> String {
    let path = path(name)
    try Data(text.utf8).write(to: URL(filePath: path))
    try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: path)
    return path
  }
}
