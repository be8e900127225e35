import StarlingCore

/// Computes the probability with which probabilistic broadcast fails, and the parameters that make it small enough.
///
/// The bounds are those of Guerraoui, Kuznetsov, Monti, Pavlovič and Seredinschi, "Scalable Byzantine Reliable
/// Broadcast" (2019), on which chapter 4 of the thesis stands. They hold for the model of the thesis's section 4.2:
/// the adversary schedules the network, and does not see whom correct processes sampled. This folder's README.md
/// derives what is computed here in another way than printed.
public struct EpsilonCalculator: Sendable {
  /// N: the number of processes.
  public let nodes: Int
  /// N − C: how many of them are Byzantine.
  public let byzantine: Int

  /// For `nodes` processes (2 or more) of which the share `byzantine` (0 up to, not including, 1) may lie: C is
  /// ⌊(1 − f)·N⌋.
  public init(nodes: Int, byzantine: Double) {
    precondition(
      nodes >= 2 && byzantine >= 0 && byzantine < 1, "\(nodes) processes, \(byzantine) of them Byzantine")
    self.nodes = nodes
    // A share such as .9 is no sum of powers of two; what is missing must not make one more process Byzantine.
    let correct = Int((1 - byzantine) * Double(nodes) + 1e-9)
    self.byzantine = nodes - max(1, min(nodes, correct))
  }

  /// C.
  public var correct: Int { nodes - byzantine }

  /// The share of Byzantine processes among all, which the samples are drawn from: f, or a little above where f·N is
  /// no whole number.
  var share: Double { Double(byzantine) / Double(nodes) }

  /// Whether the bounds are evaluated exactly as printed. Above, upper bounds take the place of long sums.
  public var isExact: Bool { nodes <= ReadyBound.exactNodes }

  /// ε of the totality of Erdős–Rényi Gossip.
  public func gossipTotality(_ sample: Int) -> Double {
    GossipBound(correct: correct, nodes: nodes).totality(expected: Double(sample))
  }

  /// ε of the total validity of Echo Broadcast, `gossip` being that of the totality of the layer below.
  public func echoTotalValidity(_ sample: Int, threshold: Int, gossip: Double) -> Double {
    min(1, echo(sample, threshold).totalValidity(gossip: gossip))
  }

  /// ε of the consistency of Echo Broadcast.
  public func echoConsistency(_ sample: Int, threshold: Int) -> Double {
    echo(sample, threshold).consistency()
  }

  private func echo(_ sample: Int, _ threshold: Int) -> EchoBound {
    EchoBound(correct: correct, byzantine: share, sample: sample, threshold: threshold)
  }

  func ready(_ sample: Int, _ threshold: Int, _ delivery: Int, _ deliveryThreshold: Int) -> ReadyBound {
    ReadyBound(
      nodes: nodes, correct: correct, byzantine: share, ready: sample, readyThreshold: threshold,
      delivery: delivery,
      deliveryThreshold: deliveryThreshold)
  }

  /// What Ready Broadcast adds to the layers below.
  public struct ReadyFailure: Hashable, Sendable {
    /// The probability that a correct sender does not deliver its own message.
    public var validity: Double
    /// μ: the probability that a correct process delivers what none pcb.Delivered.
    public var consistency: Double
    /// ε_b: the probability that some correct processes deliver and others never do.
    public var division: Double
  }

  /// What Ready Broadcast adds, with the parameters' R, R̂, D and D̂.
  public func readyFailure(_ parameters: SecureBroadcastParameters) -> ReadyFailure {
    let bound = ready(
      parameters.ready, parameters.readyThreshold, parameters.delivery, parameters.deliveryThreshold)
    return ReadyFailure(validity: bound.deafSender, consistency: bound.spurious, division: bound.divisible)
  }

  /// Every ε of the whole broadcast.
  public func failures(_ parameters: SecureBroadcastParameters) -> SecureBroadcastFailures {
    let gossip = gossipTotality(parameters.gossip)
    return SecureBroadcastFailures(
      gossipTotality: gossip,
      echoTotalValidity: echoTotalValidity(
        parameters.echo, threshold: parameters.echoThreshold, gossip: gossip),
      echoConsistency: echoConsistency(parameters.echo, threshold: parameters.echoThreshold),
      added: readyFailure(parameters))
  }
}

/// The ε of each property: the probability that a broadcast fails to have it, at most.
public struct SecureBroadcastFailures: Hashable, Sendable {
  /// Erdős–Rényi Gossip leaves a correct process out.
  public let gossipTotality: Double
  /// Echo Broadcast, of a correct sender, leaves a correct process out.
  public let echoTotalValidity: Double
  /// Echo Broadcast delivers different messages to correct processes.
  public let echoConsistency: Double
  /// Ready Broadcast, of a correct sender, is not delivered by the sender.
  public let readyValidity: Double
  /// Ready Broadcast delivers different messages to correct processes.
  public let readyConsistency: Double
  /// Ready Broadcast is delivered by some correct processes and not by all.
  public let readyTotality: Double

  init(
    gossipTotality: Double, echoTotalValidity: Double, echoConsistency: Double,
    added: EpsilonCalculator.ReadyFailure
  ) {
    self.gossipTotality = gossipTotality
    self.echoTotalValidity = echoTotalValidity
    self.echoConsistency = echoConsistency
    readyValidity = min(1, echoTotalValidity + (1 - echoTotalValidity) * added.validity)
    readyConsistency = min(1, echoConsistency + (1 - echoConsistency) * added.consistency)
    readyTotality = min(1, echoConsistency + added.consistency + added.division)
  }

  /// ε: the largest that the whole broadcast can fail with.
  public var epsilon: Double { max(readyValidity, readyConsistency, readyTotality) }
}
