import FoundationEssentials
import Glibc
import StarlingCore
import StarlingSimulator

/// What a process takes of the machine, as the kernel says.
struct ProcessUsage {
  /// Open files and sockets.
  let descriptors: Int
  /// Memory of its own in bytes: anonymous pages, not those of the program's file.
  let memory: Int

  /// Of a process that runs; `nil` if it does not, or the kernel does not tell.
  init?(_ process: pid_t) {
    guard let names = try? FileManager.default.contentsOfDirectory(atPath: "/proc/\(process)/fd"),
      let bytes = try? InputFile.read("/proc/\(process)/status", limit: 1 << 16)
    else { return nil }
    descriptors = names.count
    let line = String(decoding: bytes, as: UTF8.self).split(separator: "\n").first {
      $0.hasPrefix("RssAnon:")
    }
    guard
      let kilobytes = line?.split(whereSeparator: { $0 == " " || $0 == "\t" }).dropFirst().first.flatMap({
        Int($0)
      })
    else { return nil }
    memory = kilobytes << 10
  }
}

extension ProcessUsage {
  /// The processor time that a process took so far, in seconds; 0 if it does not run.
  static func processorSeconds(of process: pid_t) -> Double {
    guard let bytes = try? InputFile.read("/proc/\(process)/stat", limit: 1 << 16) else { return 0 }
    // proc(5): the name, which may hold anything, ends with the last parenthesis; user and system time are the
    // twelfth and thirteenth field after it.
    let text = String(decoding: bytes, as: UTF8.self)
    let fields = text[(text.lastIndex(of: ")") ?? text.startIndex)...].split(separator: " ")
    guard fields.count > 13, let user = Double(fields[12]), let system = Double(fields[13]) else { return 0 }
    return (user + system) / Double(sysconf(Int32(_SC_CLK_TCK)))
  }
}

/// What the nodes of a network take, on average and at most.
struct NetworkUsage {
  let descriptors: Distribution
  let memory: Distribution
  let connections: Distribution

  /// Of nodes that run and answer; `nil` if there are none.
  init?(_ nodes: [NodeProcess]) {
    var (descriptors, memory, connections): ([Int], [Int], [Int]) = ([], [], [])
    for node in nodes {
      guard let usage = ProcessUsage(node.process), let status = try? node.client.status() else { continue }
      descriptors.append(usage.descriptors)
      memory.append(usage.memory)
      connections.append(status.connections)
    }
    guard let first = Distribution(descriptors), let second = Distribution(memory),
      let third = Distribution(connections)
    else { return nil }
    (self.descriptors, self.memory, self.connections) = (first, second, third)
  }

  var json: JSONValue {
    func spread(_ values: Distribution) -> JSONValue {
      .object([("mean", .number((values.mean * 10).rounded() / 10)), ("max", .integer(Int(values.max)))])
    }
    return .object([
      ("descriptors", spread(descriptors)), ("memory_bytes", spread(memory)),
      ("connections", spread(connections)),
    ])
  }
}
