import StarlingBroadcast
import StarlingCore
import StarlingNode
import StarlingOverlay
import StarlingSimulator

/// The graph of partial views that SCAMP builds, in compressed sparse rows.
struct FloodGraph {
  let peers: Int
  var offsets = [0]
  var neighbours: [UInt32] = []

  /// Runs SCAMP's joins in the simulator.
  init(peers: Int, seed: UInt64) {
    self.peers = peers
    var scenario = BroadcastScenario()
    scenario.nodes = peers
    scenario.messages = 0
    scenario.drain = .zero
    scenario.broadcast = .flood
    scenario.seed = seed
    let report = scenario.run()
    for peer in 0..<peers {
      neighbours += report.overlay.neighbors(of: peer)
      offsets.append(neighbours.count)
    }
  }
}

/// Counts deliveries and does nothing else, as the baseline does.
struct DeliveryCounter: SimulationObserver {
  typealias Observed = Flood<IdealAuthenticator>
  var firstDeliveries = 0

  @inlinable
  mutating func sent(
    _ message: Broadcast<IdealAuthenticator>, from sender: Peer, to receiver: Peer, at now: Instant
  ) {}

  @inlinable
  mutating func indicated(
    _ indication: BroadcastIndication<IdealAuthenticator>, by peer: Peer, at now: Instant
  ) {
    if case .delivered = indication { firstDeliveries += 1 }
  }
}

/// The same flood with the protocol code that ships, in the simulator that ships: signed messages, duplicate
/// detection for any number of senders, a trace hash.
struct StarlingFlood: ~Copyable {
  var network: Simulation<Flood<IdealAuthenticator>, LossyNetwork, DeliveryCounter>

  init(graph: FloodGraph, delays: DelaySampler, seed: UInt64) {
    network = Simulation(
      capacity: graph.peers, network: LossyNetwork(delays: delays, loss: 0), observer: DeliveryCounter(),
      seed: seed)
    for i in 0..<graph.peers {
      let peer = network.add { Flood(identity: $0, auth: IdealAuthenticator(owner: $0)) }
      for neighbour in graph.neighbours[graph.offsets[i]..<graph.offsets[i + 1]] {
        network.request(.linkUp(Peer(neighbour), .outgoing), of: peer)
      }
    }
  }

  var deliveries: Int { Int(network.eventCount) }
  var firstDeliveries: Int { network.observer.firstDeliveries }

  /// Floods one message to the end.
  mutating func flood(_ number: UInt32, from root: Int) {
    network.request(.broadcast(SyntheticPayload(number: number, byteCount: 1_024)), of: Peer(root))
    network.runToQuiet(atMost: .distantFuture)
  }
}
