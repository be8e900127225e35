import StarlingBroadcast
import StarlingSimulator

/// A network with samples so small that broadcasts fail often enough to be counted.
struct Setting {
  let nodes: Int
  let byzantine: Double
  let parameters: SecureBroadcastParameters

  var calculator: EpsilonCalculator { EpsilonCalculator(nodes: nodes, byzantine: byzantine) }

  /// A layer of secure broadcast.
  enum Layer: String, CaseIterable { case gossip, echo, ready }

  /// Six settings of a layer, each with bounds between .01 and .5 for what `judgements` judges.
  static func all(of layer: Layer) -> [Setting] {
    switch layer {
    case .gossip:
      [(32, 0.2, 4), (50, 0.1, 4), (64, 0.15, 4), (100, 0.1, 4), (150, 0.15, 5), (200, 0.1, 5)].map {
        Setting(nodes: $0, byzantine: $1, gossip: $2, echo: (1, 1), ready: (1, 1, 1, 1))
      }
    case .echo:
      [
        (20, 0.1, 3, (77, 62)), (24, 0.15, 4, (166, 125)), (28, 0.2, 4, (322, 233)), (32, 0.1, 3, (91, 72)),
        (40, 0.15, 4, (156, 119)), (48, 0.1, 5, (113, 90)),
      ].map { Setting(nodes: $0, byzantine: $1, gossip: $2, echo: $3, ready: (1, 1, 1, 1)) }
    case .ready:
      [
        (20, 0.1, 3, (77, 62), (18, 8, 20, 14)), (24, 0.15, 4, (166, 125), (32, 14, 56, 39)),
        (28, 0.2, 4, (322, 233), (70, 28, 102, 69)), (32, 0.1, 4, (107, 84), (27, 11, 26, 18)),
        (40, 0.15, 4, (156, 119), (36, 15, 44, 30)), (48, 0.1, 5, (113, 90), (26, 11, 32, 22)),
      ].map { Setting(nodes: $0, byzantine: $1, gossip: $2, echo: $3, ready: $4) }
    }
  }

  private init(
    nodes: Int, byzantine: Double, gossip: Int, echo: (Int, Int), ready: (Int, Int, Int, Int)
  ) {
    (self.nodes, self.byzantine) = (nodes, byzantine)
    parameters = SecureBroadcastParameters(
      gossip: gossip, echo: echo.0, echoThreshold: echo.1, ready: ready.0, readyThreshold: ready.1,
      delivery: ready.2, deliveryThreshold: ready.3)
  }

  /// A property of a layer, the adversary that attacks it, and the probability with which it fails at most.
  struct Judgement {
    let property: String
    let adversary: SecureConduct
    let bound: Double
    let failures: (AttackTally) -> Int
  }

  func judgements(of layer: Layer) -> [Judgement] {
    switch layer {
    case .gossip:
      return [
        Judgement(
          property: "totality", adversary: .mute, bound: calculator.gossipTotality(parameters.gossip)
        ) { $0.invalid }
      ]
    case .echo:
      let failures = calculator.failures(parameters)
      return [
        Judgement(property: "total validity", adversary: .mute, bound: failures.echoTotalValidity) {
          $0.invalid
        },
        Judgement(property: "consistency", adversary: .equivocate, bound: failures.echoConsistency) {
          $0.inconsistent
        },
      ]
    case .ready:
      let failures = calculator.failures(parameters)
      return [
        // The sender's batch fails to reach everybody: the sender does not deliver, or not all others do.
        Judgement(
          property: "validity and totality", adversary: .mute,
          bound: min(1, failures.readyValidity + failures.readyTotality)
        ) { $0.invalid },
        Judgement(property: "consistency", adversary: .equivocate, bound: failures.readyConsistency) {
          $0.inconsistent
        },
        Judgement(property: "totality", adversary: .partial, bound: failures.readyTotality) { $0.divided },
      ]
    }
  }

  /// What runs it message by message.
  func scenario(_ layer: Layer, _ adversary: SecureConduct, seed: UInt64) -> SecureScenario {
    var scenario = SecureScenario()
    (scenario.nodes, scenario.byzantine) = (nodes, byzantine)
    (scenario.adversary, scenario.seed) = (adversary, seed)
    scenario.broadcast =
      switch layer {
      case .gossip: .gossip(parameters.gossip)
      case .echo: .consistent(parameters)
      case .ready: .secure(parameters)
      }
    return scenario
  }

  /// The parameters of the layer, for people.
  func text(_ layer: Layer) -> String {
    let p = parameters
    switch layer {
    case .gossip: return "G \(p.gossip)"
    case .echo: return "E \(p.echo)/\(p.echoThreshold)"
    case .ready:
      return
        "E \(p.echo)/\(p.echoThreshold), R \(p.ready)/\(p.readyThreshold), D \(p.delivery)/\(p.deliveryThreshold)"
    }
  }
}
