import StarlingBroadcast
import StarlingCore
import StarlingNode
import StarlingOverlay

/// What the network of a run looked like at one instant.
public struct NetworkSample: Hashable, Sendable {
  /// When.
  public let at: Instant
  /// How many peers lived.
  public let live: Int
  /// Their partial views: the mean, the 1st percentile and the least.
  public let meanView: Double
  /// The 1st percentile of the views' sizes.
  public let p1View: Double
  /// The least view's size.
  public let leastView: Double
  /// Arcs of the graph of views that lead from one live peer to another.
  public let arcs: Int
  /// Entries of views that name a peer which no longer lives.
  public let deadEntries: Int
  /// Weak components of that graph.
  public let components: Int
  /// Events that are due, whether or not their peer still lives.
  public let waitingEvents: Int
}

extension BroadcastRun {
  func sample(of network: borrowing Network) -> NetworkSample {
    let live = counted(in: network)
    let views = ViewCensus(of: network, among: live)
    let sizes = Distribution(views.sizes)
    return NetworkSample(
      at: network.now, live: views.sizes.count, meanView: sizes?.mean ?? 0, p1View: sizes?.p1 ?? 0,
      leastView: sizes?.min ?? 0, arcs: views.graph.edgeCount, deadEntries: views.deadEntries,
      components: views.graph.weakComponents().count - (live.count - views.sizes.count),
      waitingEvents: network.waitingEvents)
  }
}

/// The partial views of some peers, and the graph that they make.
struct ViewCensus {
  /// How many peers each of them knows.
  private(set) var sizes: [Int] = []
  /// The arcs between them; vertices are all peers by index.
  let graph: DirectedGraph
  /// Entries that name a peer which does not live.
  private(set) var deadEntries = 0

  init<P: Participant>(of network: borrowing BroadcastRun<P>.Network, among counted: [Bool]) {
    var offsets = [0]
    offsets.reserveCapacity(counted.count + 1)
    var targets: [UInt32] = []
    targets.reserveCapacity(
      counted.indices.reduce(0) {
        $0 + (counted[$1] ? network[Peer($1)].member.overlay.partialView.count : 0)
      })
    for i in counted.indices {
      if counted[i] {
        let view = network[Peer(i)].member.overlay.partialView
        sizes.append(view.count)
        for neighbour in view.members {
          if Int(neighbour.index) < counted.count, counted[Int(neighbour.index)] {
            targets.append(neighbour.index)
          } else if !network.isLive(neighbour) {
            deadEntries += 1
          }
        }
      }
      offsets.append(targets.count)
    }
    graph = DirectedGraph(offsets: offsets, targets: targets)
  }
}
