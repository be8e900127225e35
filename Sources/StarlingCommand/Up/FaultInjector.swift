import Glibc
import StarlingCore

/// Does to a local network what the user wants to try it with, and keeps the time-line of what happened.
struct FaultInjector {
  /// What happened, and when after the first file.
  struct Entry {
    let time: Interval
    let event: String
    let nodes: [Int]
  }

  /// One thing to do to certain nodes.
  fileprivate struct Step {
    enum Action {
      case kill
      case restart
      case stop
      case resume
    }

    let time: Interval
    let action: Action
    let nodes: [Int]
  }

  private(set) var timeline: [Entry] = []
  /// The nodes that were, or will be, ended by force.
  let killed: Set<Int>
  /// Of these, those that are started again.
  let restarted: Set<Int>
  /// The nodes that nothing befalls: files are published at them.
  let untouched: [Int]
  fileprivate var steps: [Step] = []
  private var next = 0

  /// Draws the nodes.
  ///
  /// - Throws: a usage error when the faults need more nodes than there are.
  init(_ faults: [UpFault], nodes: Int, seed: UInt64) throws(CommandError) {
    var random = Xoshiro256(seed: seed &+ 0xFA)
    var left = Array(0..<nodes)
    var dead: [Int] = []
    var (killed, restarted) = (Set<Int>(), Set<Int>())
    func draw(_ count: Int, from pool: inout [Int]) -> [Int]? {
      guard count <= pool.count else { return nil }
      return (0..<count).map { _ in pool.remove(at: random.uniform(below: pool.count)) }.sorted()
    }
    for fault in faults {
      switch fault.kind {
      case .kill, .stop:
        guard let nodes = draw(fault.count, from: &left) else {
          throw .usage("The faults befall more nodes than there are: start more with --nodes.")
        }
        if case .stop(let end) = fault.kind {
          steps.append(Step(time: fault.time, action: .stop, nodes: nodes))
          steps.append(Step(time: end, action: .resume, nodes: nodes))
        } else {
          steps.append(Step(time: fault.time, action: .kill, nodes: nodes))
          dead += nodes
          killed.formUnion(nodes)
        }
      case .restart:
        guard let nodes = draw(fault.count, from: &dead) else {
          throw .usage(
            "--restart: Fewer nodes than that are killed before: kill more with --kill, or earlier.")
        }
        steps.append(Step(time: fault.time, action: .restart, nodes: nodes))
        restarted.formUnion(nodes)
      }
    }
    guard !left.isEmpty else {
      throw .usage("The faults leave no node at which files can be published: start more with --nodes.")
    }
    steps = steps.enumerated().sorted { ($0.element.time, $0.offset) < ($1.element.time, $1.offset) }.map(
      \.element)
    (self.killed, self.restarted, untouched) = (killed, restarted, left)
  }

  /// Whether something is still to be done.
  var isPending: Bool { next < steps.count }
  /// When the next thing is to be done.
  var nextTime: Interval? { isPending ? steps[next].time : nil }

  /// Does what is due.
  ///
  /// - Returns: the nodes that were started again.
  mutating func proceed(_ network: LocalNetwork, at time: Interval) throws(CommandError) -> [NodeProcess] {
    var started: [NodeProcess] = []
    while next < steps.count, steps[next].time <= time {
      let step = steps[next]
      next += 1
      switch step.action {
      case .kill: for node in step.nodes { network.kill(node) }
      case .stop: for node in step.nodes { network.signal(node, SIGSTOP) }
      case .resume: for node in step.nodes { network.signal(node, SIGCONT) }
      case .restart: for node in step.nodes { started.append(try network.restart(node)) }
      }
      note(step.action.name, step.nodes, at: time)
    }
    return started
  }

  /// Notes something that happened by itself.
  mutating func note(_ event: String, _ nodes: [Int], at time: Interval) {
    timeline.append(Entry(time: time, event: event, nodes: nodes))
    Messages.write(line: "\(Readable.decimal(time.inSeconds, 1)) s: \(event) \(FaultInjector.list(nodes))")
  }

  /// The numbers of nodes for people.
  static func list(_ nodes: [Int]) -> String {
    (nodes.count == 1 ? "node " : "nodes ") + nodes.map(String.init).joined(separator: ", ")
  }
}

extension FaultInjector.Step.Action {
  fileprivate var name: String {
    switch self {
    case .kill: "killed"
    case .restart: "restarted"
    case .stop: "stopped"
    case .resume: "continued"
    }
  }
}
