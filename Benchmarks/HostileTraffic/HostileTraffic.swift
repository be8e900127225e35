// Sends millions of mutated and random datagrams at a live node while honest peers publish files through it, and
// garbage at its control interface. Fails if the node ends, grows, or an honest file is lost.
//
// usage: HostileTraffic STARLING [DATAGRAMS] [SEED]

import Foundation
import Glibc
import StarlingCore
import StarlingRuntime

/// One trial.
struct HostileTraffic {
  /// How many sockets the datagrams come from, each of an address of its own.
  static let sockets = 96
  /// What a node may grow by: tables fill up once, and the memory allocator keeps what it had. The honest files are
  /// small, since the broadcast's history keeps up to 32 MiB of what passed.
  static let memoryAllowance = 8 << 20

  let wanted: Int
  let target: TrialNode
  let publisher: TrialNode
  let other: TrialNode
  let folder: String
  let seed: UInt64

  /// Publishes files on and on until it is told to stop, in a thread of its own.
  private final class HonestFlow: @unchecked Sendable {
    private let lock = NSLock()
    private var isOver = false
    private var failures = 0
    private var digests: [String] = []

    func stop() { lock.withLock { isOver = true } }
    var published: [String] { lock.withLock { digests } }
    var failed: Int { lock.withLock { failures } }

    func start(_ client: ControlClient, folder: String) {
      Thread.detachNewThread { [self] in
        var number = 0
        while !lock.withLock({ isOver }) {
          number += 1
          let path = "\(folder)/honest-\(number)"
          let text = String(repeating: "honest \(number)\n", count: 50 + number * 37 % 100)
          try? Data(text.utf8).write(to: URL(filePath: path))
          let published = try? client.publish(file: path)
          lock.withLock {
            if let published { digests.append(published.file) } else { failures += 1 }
          }
          usleep(700_000)
        }
      }
    }
  }

  func run() throws -> Bool {
    let flow = HonestFlow()
    flow.start(publisher.client, folder: folder)
    var recorder = try RecordingPeer(target: target.listen, network: "starling")
    var turns = 0
    for _ in 0..<200 {
      recorder.turn(opening: recorder.recorded.count < 60)
      usleep(5_000)
    }
    let sockets = (0..<HostileTraffic.sockets).compactMap(HostileSocket.init)
    guard sockets.count == HostileTraffic.sockets else { throw HostileError("no sockets") }
    var forge = DatagramForge(seed: seed)
    var garbage = HTTPGarbage(seed: seed &+ 1)
    forge.recorded = recorder.recorded

    let begin = try target.client.status().counters["datagrams_received"] ?? 0
    var before = try target.usage()
    var (sent, handled, batch, isWarm) = (0, 0, 2_000, false)
    let start = ContinuousClock.now
    while handled < wanted {
      for turn in 0..<(batch / 50) {
        sent += sockets[(sent / 50 + turn) % sockets.count].send(
          (0..<50).map { _ in forge.next() }, to: target.listen)
      }
      // Now and then another peer, whose budget is whole, takes the place of the one that is recorded.
      turns += 1
      if turns % 200 == 0 { recorder = try RecordingPeer(target: target.listen, network: "starling") }
      recorder.turn(opening: turns % 20 == 1)
      if recorder.recorded.count > 20 { forge.recorded = recorder.recorded }
      garbage.send(to: target.client.address)
      guard target.process.isRunning else { throw HostileError("the node ended after \(handled) datagrams") }
      let now = Int(try target.client.status().counters["datagrams_received"] ?? 0) - Int(begin)
      // What the kernel's buffer did not hold never reached the node: less at once next time.
      batch = now - handled < batch * 9 / 10 ? max(200, batch * 9 / 10) : min(20_000, batch * 21 / 20)
      batch -= batch % 50
      handled = now
      if !isWarm, handled > wanted / 20 {
        isWarm = true
        before = try target.usage()
      }
      if turns % 100 == 0 { FileHandle.standardError.write(Data("\(handled) of \(wanted)\n".utf8)) }
      if ContinuousClock.now - start > .seconds(1_500) { throw HostileError("it took too long") }
    }
    let seconds = (ContinuousClock.now - start) / .seconds(1)
    flow.stop()
    usleep(2_000_000)
    let lost = try waitForFiles(flow.published)
    let after = try target.usage()
    let status = try target.client.status()
    print(
      """
      datagrams handled       \(handled) in \(Int(seconds)) s, \(sent) sent from \(sockets.count) addresses
      of these made by        \(DatagramForge.Kind.allCases.map { "\($0) \(forge.made[$0.rawValue])" }.joined(separator: ", "))
      requests of garbage     \(garbage.sent)
      dropped by the node     \(status.counters["datagrams_dropped"] ?? 0)
      handshakes, violations  \(status.counters["handshakes"] ?? 0), \(status.counters["violations"] ?? 0)
      honest files            \(flow.published.count) published, \(flow.failed) refused, \(lost) lost
      descriptors             \(before.descriptors) before, \(after.descriptors) after
      memory                  \(before.memory >> 10) KiB before, \(after.memory >> 10) KiB after
      """)
    var isGood = true
    func demand(_ condition: Bool, _ sentence: String) {
      guard !condition else { return }
      isGood = false
      print("FAILED: \(sentence)")
    }
    demand(lost == 0 && flow.failed == 0, "an honest file was lost")
    demand(!flow.published.isEmpty, "no honest file was published")
    demand(after.descriptors <= before.descriptors + 2, "the node holds more descriptors")
    demand(after.memory <= before.memory + HostileTraffic.memoryAllowance, "the node has grown")
    return isGood
  }

  /// How many files did not arrive at both receivers.
  private func waitForFiles(_ files: [String]) throws -> Int {
    for _ in 0..<600 {
      if try missing(files) == 0 { return 0 }
      usleep(100_000)
    }
    return try missing(files)
  }

  private func missing(_ files: [String]) throws -> Int {
    var missing = 0
    for node in [target, other] {
      let complete = Set(try node.client.files().filter { $0.state == .complete }.map(\.file))
      missing += files.count { !complete.contains($0) }
    }
    return missing
  }
}

@main
enum Main {
  static func main() {
    signal(SIGPIPE, SIG_IGN)
    let words = CommandLine.arguments
    guard words.count >= 2 else {
      print("usage: HostileTraffic STARLING [DATAGRAMS] [SEED]")
      exit(2)
    }
    do {
      let wanted = words.count > 2 ? Int(words[2]) ?? 0 : 10_000_000
      let seed = words.count > 3 ? UInt64(words[3]) ?? 1 : 1
      let folder = NSTemporaryDirectory() + "/starling-hostile-\(getpid())"
      try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
      defer { try? FileManager.default.removeItem(atPath: folder) }
      let target = try TrialNode(words[1], data: folder + "/target", join: nil)
      let publisher = try TrialNode(words[1], data: folder + "/publisher", join: target.listen)
      let other = try TrialNode(words[1], data: folder + "/other", join: target.listen)
      usleep(3_000_000)
      let trial = HostileTraffic(
        wanted: wanted, target: target, publisher: publisher, other: other, folder: folder, seed: seed)
      let isGood = try trial.run()
      for node in [other, publisher, target] { node.process.terminate() }
      for node in [other, publisher, target] { node.process.waitUntilExit() }
      exit(isGood ? 0 : 1)
    } catch {
      print("FAILED: \(error)")
      exit(1)
    }
  }
}
