import Foundation
import StarlingCore
import Testing

/// A `starling` process that runs until it is stopped.
private final class RunningCommand {
  let process: Foundation.Process
  private let output = Pipe()
  private let messages = Pipe()

  /// - Parameter shell: a command for the shell that is to become the process.
  init(_ words: [String], environment: [String: String] = [:], shell: String = "") throws {
    process = try CommandRun.process(words, environment: environment)
    if !shell.isEmpty {
      process.executableURL = URL(filePath: "/bin/sh")
      process.arguments = ["-c", shell + "; exec \"$0\" \"$@\"", CommandRun.binary.path] + words
    }
    process.standardInput = FileHandle.nullDevice
    process.standardOutput = output
    process.standardError = messages
    try CommandRun.start(process)
  }

  deinit { if process.isRunning { process.terminate() } }

  /// Reads standard output, or standard error, until it holds `text` or ends.
  func read(until text: String, messages isMessages: Bool = false) -> String {
    let handle = (isMessages ? messages : output).fileHandleForReading
    var read = ""
    while !read.contains(text) {
      let data = handle.availableData
      if data.isEmpty { break }
      read += String(decoding: data, as: UTF8.self)
    }
    return read
  }

  /// Sends a signal, and answers with the exit code, 128 and more for death by a signal.
  func stop(_ signal: Int32) -> Int32 {
    kill(process.processIdentifier, signal)
    process.waitUntilExit()
    return process.terminationReason == .exit ? process.terminationStatus : 128 + process.terminationStatus
  }
}

@Suite("Networks of real nodes")
struct NetworkTests {
  private func object(_ text: String) throws -> [String: Any] {
    try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
  }

  @Test("A network that is brought up once delivers every file everywhere, and prints one object")
  func upOnce() throws {
    let folder = try TemporaryFolder()
    let bytes = [UInt8]((0..<150_000).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 >> 8) })
    let large = folder.path("large")
    try Data(bytes).write(to: URL(filePath: large))
    let empty = try folder.write("empty", "")
    let report = folder.path("report.html")
    let run = try CommandRun(
      [
        "up", "--nodes", "5", "--once", "--json", "--broadcast", large, "--broadcast", empty, "--delay",
        "gaussian:2ms,1ms", "--loss", "1%", "--report", report,
      ], environment: ["TMPDIR": folder.url.path, "STARLING_CONFIG": "/nowhere"])
    #expect(run.exitCode == 0, "\(run.messages)")
    let result = try run.json()
    #expect(result["nodes"] as? Int == 5)
    #expect(result["delivered"] as? Int == 10)
    #expect(result["reliability"] as? Double == 1)
    #expect(result["digest_ok"] as? Bool == true)
    #expect(result["components"] as? Int == 1)
    let files = try #require(result["files"] as? [[String: Any]])
    #expect(
      files.map { $0["sha256"] as? String }
        == [SHA256.hash(bytes).description, SHA256.hash([UInt8]()).description])
    #expect(files.map { $0["bytes"] as? Int } == [150_000, 0])
    #expect(try #require(result["payload_messages"] as? Int) >= 4 * 4)
    #expect(try String(contentsOfFile: report, encoding: .utf8).contains("<svg"))
    let left = try FileManager.default.contentsOfDirectory(atPath: folder.url.path).sorted()
    #expect(left == ["empty", "large", "report.html"], "the nodes' folder stayed")
  }

  @Test("A network stays up, takes a file from publish, and leaves nothing behind after an interruption")
  func upAndTalk() throws {
    let folder = try TemporaryFolder()
    let up = try RunningCommand(["up", "--nodes", "3"], environment: ["TMPDIR": folder.url.path])
    let told = up.read(until: "Stop it with", messages: true)
    let address = try #require(
      told.components(separatedBy: "--control ").dropFirst().first?.prefix { !$0.isWhitespace })
    let publication = try CommandRun(
      ["publish", "-", "--control", String(address), "--topic", "t", "--name", "greeting", "--json"],
      input: "hello")
    #expect(publication.exitCode == 0, "\(publication.messages)")
    #expect(
      try publication.json()["digest"] as? String == SHA256.hash(Array("hello".utf8)).description)
    #expect(up.stop(SIGINT) == 0)
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.url.path).isEmpty)
  }

  @Test("A file published at one node is announced and completed at another; both stop cleanly")
  func publishAndWatch() throws {
    let folder = try TemporaryFolder()
    let key = folder.path("a.key")
    let shown = try CommandRun(["keys", "new", "--out", key, "--json"]).json()["key"] as? String
    let first = try RunningCommand([
      "node", "--control", "127.0.0.1:0", "--data", folder.path("a"), "--identity", key, "--json",
    ])
    let a = try object(first.read(until: "}\n"))
    #expect(a["key"] as? String == shown)
    let (listen, control) = (try #require(a["listen"] as? String), try #require(a["control"] as? String))
    let configuration = try folder.write(
      "b.json5", "{ join: ['\(listen)'], data: '\(folder.path("b"))', control: '127.0.0.1:0' }")
    let second = try RunningCommand(["node", "--config", configuration, "--json"])
    let b = try object(second.read(until: "}\n"))
    _ = second.read(until: "Joined", messages: true)
    let watch = try RunningCommand([
      "watch", "--control", try #require(b["control"] as? String), "--topic", "birds", "--count", "2",
      "--json",
    ])
    _ = watch.read(until: "watching", messages: true)
    let file = try folder.write("starling.txt", "Sturnus vulgaris")
    // It would wait for ever: the tree carries files alone.
    let posts = try CommandRun(["watch", "--posts", "--control", control])
    #expect(posts.exitCode == 1 && posts.messages.contains("it has no posts"), "\(posts.messages)")
    for topic in ["others", "birds"] {
      let run = try CommandRun(["publish", file, "--control", control, "--topic", topic])
      #expect(run.exitCode == 0, "\(run.messages)")
    }
    let events = try watch.read(until: "completed").split(separator: "\n").map { try object(String($0)) }
    #expect(events.map { $0["event"] as? String } == ["announced", "completed"])
    #expect(events.allSatisfy { $0["topic"] as? String == "birds" && $0["publisher"] as? String == shown })
    let path = try #require(events.last?["path"] as? String)
    #expect(try String(contentsOfFile: path, encoding: .utf8) == "Sturnus vulgaris")
    #expect(second.stop(SIGINT) == 0)
    #expect(first.stop(SIGTERM) == 0)
  }

  @Test(
    "Members of a secure network deliver the same posts and files, and a killed one that comes back catches up"
  )
  func secure() throws {
    let folder = try TemporaryFolder()
    let file = try folder.write("hello", "hello, members")
    let posts = try CommandRun(
      [
        "up", "--nodes", "4", "--broadcast", "bracha", "--byzantine", "25%", "--posts", "40", "--batch", "4",
        "--batch", "16", "--once", "--json",
      ], environment: ["TMPDIR": folder.url.path])
    #expect(posts.exitCode == 0, "\(posts.messages)")
    #expect(posts.messages.contains("never fails while at most 1 of 4 members may lie"))
    let rows = try #require(try posts.json()["posts"] as? [[String: Any]])
    #expect(rows.map { $0["batch"] as? Int } == [4, 16])
    for row in rows { #expect(row["agreeing"] as? Int == 4 && row["posts"] as? Int == 40) }
    let weak = "--gossip 4 --echo 9 --echo-threshold 5 --ready 6 --ready-threshold 2 --delivery 9"
    let files = try CommandRun(
      [
        "up", "--nodes", "5", "--broadcast", "secure", "--accept-weak", "--broadcast", file, "--once",
        "--json",
      ]
        + "--delivery-threshold 5 \(weak) --kill 1@200ms --restart 1@1500ms".split(separator: " ").map(
          String.init),
      environment: ["TMPDIR": folder.url.path])
    #expect(files.exitCode == 0, "\(files.messages)")
    let faults = try #require(try files.json()["faults"] as? [String: Any])
    #expect(faults["restarted_files_held"] as? Int == 1)
  }

  @Test("A member that listens elsewhere than its own line in the list says is told so")
  func elsewhere() throws {
    let folder = try TemporaryFolder()
    var lines: [String] = []
    for (name, port) in [("a", 4_400), ("b", 4_401)] {
      let made = try CommandRun(["keys", "new", "--out", folder.path(name), "--json"]).json()
      lines.append("\(try #require(made["key"] as? String)) 127.0.0.1:\(port)")
    }
    let members = try folder.write("members", lines.joined(separator: "\n"))
    let words = [
      "node", "--members", members, "--identity", folder.path("a"), "--data", folder.path("data"),
      "--broadcast",
      "bracha", "--byzantine", "0", "--listen", "127.0.0.1:0",
    ]
    for advertise in [false, true] {
      let node = try RunningCommand(words + (advertise ? ["--advertise", "127.0.0.1:4400"] : []))
      let told = node.read(until: "event=started", messages: true)
      #expect(
        told.contains("note: The list of members says that this node is at 127.0.0.1:4400") != advertise,
        "\(told)")
      _ = node.stop(SIGTERM)
    }
  }

  @Test("Nodes that are killed, restarted and stopped while files flow cost the survivors nothing")
  func faults() throws {
    let folder = try TemporaryFolder()
    var words = ["up", "--nodes", "6", "--once", "--json", "--interval", "300ms"]
    words += ["--kill", "2@500ms", "--restart", "1@1200ms", "--stop", "1@400ms..1500ms"]
    for i in 0..<6 { words += ["--broadcast", try folder.write("f\(i)", "file \(i)")] }
    let report = folder.path("report.html")
    let run = try CommandRun(words + ["--report", report], environment: ["TMPDIR": folder.url.path])
    #expect(run.exitCode == 0, "\(run.messages)")
    let result = try run.json()
    #expect(result["nodes"] as? Int == 5 && result["reliability"] as? Double == 1)
    let faults = try #require(result["faults"] as? [String: Any])
    #expect(faults["survivors"] as? Int == 4)
    #expect(faults["restarted"] as? Int == 1 && faults["restarted_caught_up"] as? Int == 1)
    let timeline = try #require(faults["timeline"] as? [[String: Any]])
    #expect(
      timeline.map { $0["event"] as? String } == ["stopped", "killed", "restarted", "continued"])
    let killed = try #require(timeline[1]["nodes"] as? [Int])
    let back = try #require(timeline[2]["nodes"] as? [Int])
    #expect(killed.count == 2 && killed.contains(back[0]))
    for name in ["usage_before", "usage_after"] {
      let usage = try #require(faults[name] as? [String: Any])
      let memory = try #require((usage["memory_bytes"] as? [String: Any])?["mean"] as? Double)
      #expect((1e5...1e9).contains(memory))
    }
    #expect(try String(contentsOfFile: report, encoding: .utf8).contains("What happened to the nodes"))
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.url.path).count == 7)
  }

  @Test(
    "A node that is killed comes back as itself; one that may write no large file passes them on and lives")
  func killedAndLimited() throws {
    let folder = try TemporaryFolder()
    func start(_ name: String, _ words: [String], shell: String = "") throws -> (
      RunningCommand, [String: Any]
    ) {
      let words = ["node", "--control", "127.0.0.1:0", "--data", folder.path(name), "--json"] + words
      let node = try RunningCommand(words, shell: shell)
      return (node, try object(node.read(until: "}\n")))
    }
    let (first, a) = try start("a", [])
    let join = ["--join", try #require(a["listen"] as? String)]
    // So many blocks of 512 or 1,024 bytes: room for the state, not for the file.
    let (limited, b) = try start("b", join, shell: "ulimit -f 300")
    _ = limited.read(until: "Joined", messages: true)
    let (killed, c) = try start("c", ["--join", try #require(b["listen"] as? String)])
    _ = killed.read(until: "Joined", messages: true)
    // Its disk takes a moment.
    usleep(500_000)
    #expect(killed.stop(SIGKILL) == 128 + SIGKILL)
    let (again, d) = try start("c", [])
    _ = again.read(until: "Joined", messages: true)
    #expect(d["key"] as? String == c["key"] as? String)
    let control = try #require(d["control"] as? String)
    let watch = try RunningCommand([
      "watch", "--control", try #require(a["control"] as? String), "--count", "4", "--json",
    ])
    _ = watch.read(until: "watching", messages: true)
    let large = try folder.write("large", String(repeating: "starling ", count: 90_000))
    let small = try folder.write("small", "small")
    #expect(try CommandRun(["publish", large, "--control", control]).exitCode == 0)
    let refused = limited.read(until: "event=disk_refuses", messages: true)
    #expect(refused.contains("ulimit -f"), "\(refused)")
    #expect(try CommandRun(["publish", small, "--control", control]).exitCode == 0)
    #expect(limited.read(until: "event=disk_works", messages: true).contains("disk_works"))
    #expect(watch.stop(SIGCONT) == 0)
    for node in [again, limited, first] { #expect(node.stop(SIGTERM) == 0) }
    let left = try FileManager.default.contentsOfDirectory(atPath: folder.path("b/files"))
    #expect(left == ["small"])
  }

  @Test("A node that is not let in says why, and its contact says whom it turned away")
  func refused() throws {
    let folder = try TemporaryFolder()
    let keys = ["a", "b"].map { folder.path("\($0).key") }
    for key in keys { _ = try CommandRun(["keys", "new", "--out", key]) }
    let shown = try CommandRun(["keys", "show", keys[0], "--json"]).json()["key"] as? String
    let list = try folder.write("list", try #require(shown))
    let contact = try RunningCommand([
      "node", "--identity", keys[0], "--data", folder.path("a"), "--admit", "keys:\(list)", "--json",
    ])
    let listen = try #require(try object(contact.read(until: "}\n"))["listen"] as? String)
    // It does not wait for the hour to pass: the one contact has said no.
    let join = ["node", "--join", listen, "--join-timeout", "1h"]
    let stranger = try CommandRun(join + ["--identity", keys[1]])
    #expect(stranger.exitCode == 1)
    let last = String(stranger.messages.split(separator: "\n").last ?? "")
    #expect(last.contains("not let in") && last.contains("does not admit this node's key"), "\(last)")
    let told = contact.read(until: "not on the list", messages: true)
    #expect(told.contains("event=turned_away"), "\(told)")
    // One that has another contact waits for that one, and then says what the first one said.
    let silent = try BoundSocket()
    let hopeful = try CommandRun(
      [
        "node", "--join", listen, "--join", "127.0.0.1:\(silent.port)", "--join-timeout", "2s", "--identity",
        keys[1],
      ])
    #expect(hopeful.exitCode == 1 && hopeful.messages.contains("does not admit this node's key"))
    let double = try CommandRun(join + ["--identity", keys[0], "--data", folder.path("c")])
    #expect(double.exitCode == 1 && double.messages.contains("runs there with this node's key"))
    // Once its key is on the list, and the list is read again, the stranger is let in.
    _ = try folder.write("list", "not a key")
    #expect(kill(contact.process.processIdentifier, SIGHUP) == 0)
    let kept = contact.read(until: "event=policy_refused", messages: true)
    #expect(kept.contains("goes on with the lists that it had"), "\(kept)")
    let other = try CommandRun(["keys", "show", keys[1], "--json"]).json()["key"] as? String
    _ = try folder.write("list", [shown, other].compactMap { $0 }.joined(separator: "\n"))
    #expect(kill(contact.process.processIdentifier, SIGHUP) == 0)
    #expect(contact.read(until: "event=policy_read", messages: true).contains("policy_read"))
    let friend = try RunningCommand(join + ["--identity", keys[1]])
    #expect(friend.read(until: "event=joined", messages: true).contains("event=joined"))
    #expect(friend.stop(SIGTERM) == 0)
    #expect(contact.stop(SIGTERM) == 0)
  }

  @Test("A control interface that other machines reach is warned of, one of this machine is not")
  func openControl() throws {
    let open = try RunningCommand(["node", "--control", "0.0.0.0:0"])
    #expect(open.read(until: "data ").contains("without a password"))
    #expect(open.read(until: "\n", messages: true).contains("event=control_open"))
    // The node lives through a hang-up, whether or not there is something to read again.
    #expect(kill(open.process.processIdentifier, SIGHUP) == 0)
    #expect(open.read(until: "event=hangup", messages: true).contains("Nothing to read again"))
    #expect(open.stop(SIGTERM) == 0)

    let folder = try TemporaryFolder()
    let closed = try RunningCommand(["node", "--control", "127.0.0.1:0", "--json"])
    let control = try #require(try object(closed.read(until: "}\n"))["control"] as? String)
    // It has begun to run when it takes a file.
    let file = try folder.write("file", "x")
    #expect(try CommandRun(["publish", file, "--control", control]).exitCode == 0)
    #expect(closed.stop(SIGTERM) == 0)
    #expect(!closed.read(until: "event=control_open", messages: true).contains("control_open"))
  }
}
