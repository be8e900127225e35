import Glibc
import StarlingBroadcast
import StarlingSimulator

/// About how much memory a simulation of secure broadcasts takes, so that what cannot fit is refused at its start.
struct MemoryEstimate {
  /// All processes and the messages of one broadcast, in bytes.
  let bytes: Double

  /// What a process takes before it subscribes to anything, in bytes: measured.
  private static let processBytes = 1_024.0
  /// What a process takes for each subscription, in bytes: measured among a million processes.
  private static let subscriptionBytes = 52.0
  /// What an echo or ready message of Bracha's broadcast takes in flight, in bytes: measured. Everybody's to everybody
  /// are under way at once.
  private static let messageBytes = 24.0

  /// - Parameters:
  ///   - broadcast: what is simulated.
  ///   - nodes: how many processes there are.
  ///   - runs: how many simulations run at once.
  init(_ broadcast: SecureScenario.Broadcast, nodes: Int, runs: Int = 1) {
    let count = Double(nodes)
    let each: Double
    switch broadcast {
    case .bracha: each = MemoryEstimate.messageBytes * count
    // There are about as many subscriptions as messages of a broadcast.
    case .secure(let sizes): each = MemoryEstimate.process(BroadcastCost.secure(nodes: nodes, sizes))
    case .consistent(let sizes):
      each = MemoryEstimate.process(
        BroadcastCost.gossip(nodes: nodes, sample: sizes.gossip) + Double(min(sizes.echo, nodes)))
    case .gossip(let sample):
      each = MemoryEstimate.process(BroadcastCost.gossip(nodes: nodes, sample: sample))
    }
    bytes = each * count * Double(runs)
  }

  private static func process(_ subscriptions: Double) -> Double {
    processBytes + subscriptionBytes * subscriptions
  }

  /// Refuses what does not fit.
  ///
  /// - Parameter memory: what there is, in bytes; the machine's if not given.
  func check(memory: Double = machineBytes) throws(CommandError) {
    guard bytes > memory else { return }
    throw .failed(
      "This simulation would take some \(MemoryEstimate.text(bytes)) of memory, and the machine has"
        + " \(MemoryEstimate.text(memory)): give fewer --nodes.")
  }

  /// The physical memory of this machine, in bytes.
  static var machineBytes: Double {
    Double(sysconf(Int32(_SC_PHYS_PAGES))) * Double(sysconf(Int32(_SC_PAGESIZE)))
  }

  private static func text(_ bytes: Double) -> String { Readable.decimal(bytes / 1e9, 1) + " GB" }
}
