import StarlingCore

/// How many messages a process sends for one broadcast, on average, subscriptions not counted: they are sent once.
public enum BroadcastCost {
  /// How many distinct processes of `nodes` are expected in a sample of `draws` with replacement; by symmetry, how
  /// many subscribers a process has.
  static func subscribers(nodes: Int, draws: Int) -> Double {
    let n = Double(nodes)
    return n * -exponentialLessOne(Double(draws) * logarithmOfOnePlus(-1 / n))
  }

  /// Of gossip: to everyone in the gossip sample and everyone who subscribed.
  public static func gossip(nodes: Int, sample: Int) -> Double {
    let inclusion = min(1, Double(sample) / Double(nodes))
    return Double(nodes - 1) * (1 - (1 - inclusion) * (1 - inclusion))
  }

  /// Of probabilistic secure broadcast. A ready message answers a subscription of both samples at once.
  public static func secure(nodes: Int, _ parameters: SecureBroadcastParameters) -> Double {
    gossip(nodes: nodes, sample: parameters.gossip)
      + subscribers(nodes: nodes, draws: parameters.echo)
      + subscribers(nodes: nodes, draws: parameters.ready + parameters.delivery)
  }

  /// Of Bracha's broadcast (1987): one process sends, and each sends one echo and one ready message to all others.
  public static func bracha(nodes: Int) -> Double {
    let others = Double(nodes - 1)
    return 2 * others + others / Double(nodes)
  }

  /// How many times as many messages Bracha's broadcast may take and still be the one to recommend: it never fails, and
  /// withstands a third of liars whatever was believed of them. A guess at what that is worth.
  public static var worthOfCertainty: Double { 2 }

  /// Whether Bracha's quorums hold among `nodes` processes of which `byzantine` may lie: fewer than a third.
  public static func brachaIsPossible(nodes: Int, byzantine: Int) -> Bool { 3 * byzantine < nodes }
}
