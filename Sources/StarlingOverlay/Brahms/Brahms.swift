import StarlingCore

/// Brahms: samples of the peers of an open network that liars cannot make theirs (E. Bortnikov, M. Gurevich, I. Keidar,
/// G. Kliot, A. Shraer, "Brahms: Byzantine resilient random membership sampling", Computer Networks 53(13), 2009).
///
/// Views spread names by pushes and pulls; ``MinWiseSampler``s keep of every name that was ever heard one each, uniformly.
/// The README says against whom this holds.
public struct Brahms: Process {
  /// What peers send each other.
  public enum Message: Sendable {
    /// The sender's own name.
    case push
    /// The receiver's view is wanted.
    case pullRequest
    /// The view that was wanted.
    case pullReply([Peer])
    /// Whether the receiver lives.
    case probe
    /// The sender lives.
    case alive
  }

  /// What it waits for.
  public enum Timer: Sendable {
    /// The end of a round.
    case round
  }

  /// What it can be asked for.
  public enum Request: Sendable {
    /// Know these peers: a first contact, or a way back for one that was left alone.
    case meet([Peer])
  }

  /// What it tells the layer above.
  public enum Indication: Sendable {
    /// A peer did what no correct peer does. What it sent was dropped.
    case misbehaved(Peer, Misbehaviour)
  }

  private let identity: Peer
  private let configuration: BrahmsConfiguration
  /// 𝒱.
  public private(set) var view: [Peer]
  private var samplers: [MinWiseSampler] = []
  // Of this round:
  private var pushed = PeerSet()
  private var pulled: [Peer] = []
  private var asked = PeerSet()
  private var answered = PeerSet()
  /// Whom the samplers keep and who has not answered yet, with the number of questions.
  private var probed: [(peer: Peer, questions: Int)] = []
  /// The sampler that is looked at next.
  private var nextProbed = 0
  /// How many rounds left the view as it was, because too many pushes came, or no push or no pull.
  public private(set) var blockedRounds = 0
  /// How many rounds there were.
  public private(set) var rounds = 0

  /// - Parameters:
  ///   - identity: the process's own handle.
  ///   - contacts: peers to begin with; some of them correct.
  ///   - configuration: the parameters.
  public init(identity: Peer, contacts: [Peer], configuration: BrahmsConfiguration) {
    self.identity = identity
    self.configuration = configuration
    view = Array(contacts.filter { $0 != identity }.prefix(configuration.viewSize))
  }

  /// 𝒮: what the samplers keep, one each; a multiset, as are samples that are drawn with replacement.
  public var samples: [Peer] { samplers.compactMap(\.peer) }

  /// How many peers there are, by how early in their orders the samplers found theirs: k − 1 over the sum of k ranks
  /// (F. Giroire, "Order statistics and estimating cardinalities of massive data sets", Discrete Applied Mathematics 157,
  /// 2009). Its deviation is about N/√k.
  public var populationEstimate: Double {
    let sum = samplers.reduce(0) { $0 + $1.rank }
    return sum > 0 ? Double(samplers.count - 1) / sum : 1
  }

  /// Begins the rounds, at a random moment of the first.
  public mutating func start(at now: Instant, into effects: inout some Effects<Self> & ~Copyable) {
    samplers = (0..<configuration.sampleSize).map { _ in MinWiseSampler(random: &effects) }
    show(identity)
    for peer in view { show(peer) }
    ask(into: &effects)
    let first = Double(configuration.round.nanoseconds) * effects.unit()
    effects.schedule(.round, at: now + Interval(nanoseconds: Int64(first)))
  }

  /// Takes peers to begin with, or to begin again with.
  public mutating func handle(
    _ request: Request, at now: Instant, into effects: inout some Effects<Self> & ~Copyable
  ) {
    switch request {
    case .meet(let peers):
      for peer in peers where peer != identity {
        show(peer)
        if view.count < configuration.viewSize, !view.contains(peer) { view.append(peer) }
      }
    }
  }

  /// Takes a name, a view, or a question.
  public mutating func receive(
    _ message: Message, from sender: Peer, at now: Instant, into effects: inout some Effects<Self> & ~Copyable
  ) {
    switch message {
    case .push:
      // One more than are allowed is enough to know that it is too many.
      if pushed.count <= configuration.pushes { pushed.insert(sender) }
      show(sender)
    case .pullRequest:
      // Each once a round, and an end to them: a view is much longer than the question.
      guard answered.count < 8 * configuration.viewSize, answered.insert(sender) else { return }
      effects.send(.pullReply(view), to: sender)
    case .pullReply(let peers):
      guard peers.count <= configuration.viewSize else {
        return effects.indicate(.misbehaved(sender, .unsolicited))
      }
      // One answer to each question, in its round. What is late is nobody's fault.
      guard asked.remove(sender) != nil else { return }
      for peer in peers where peer != identity {
        pulled.append(peer)
        show(peer)
      }
    case .probe: effects.send(.alive, to: sender)
    case .alive: probed.removeAll { $0.peer == sender }
    }
  }

  /// Ends a round and begins the next.
  public mutating func expire(
    _ timer: Timer, at now: Instant, into effects: inout some Effects<Self> & ~Copyable
  ) {
    renewView(&effects)
    probe(into: &effects)
    (pushed, pulled, asked, answered) = (PeerSet(), [], PeerSet(), PeerSet())
    ask(into: &effects)
    effects.schedule(.round, at: now + configuration.round)
  }

  /// Rounds go on whatever else waits.
  public static func isEssential(_ timer: Timer) -> Bool { true }

  private mutating func show(_ peer: Peer) {
    for index in samplers.indices { samplers[index].show(peer) }
  }

  /// A view of what was pushed, what was pulled and what is remembered; unless there were too many pushes, as there are
  /// when somebody is under attack.
  private mutating func renewView(_ random: inout some RandomSource & ~Copyable) {
    rounds += 1
    guard !pushed.isEmpty, pushed.count <= configuration.pushes, !pulled.isEmpty else {
      blockedRounds += 1
      return
    }
    var next = PeerSet()
    func add(_ count: Int, of peers: [Peer]) {
      for index in random.sample(min(count, peers.count), below: peers.count) { next.insert(peers[index]) }
    }
    add(configuration.pushes, of: pushed.members)
    add(configuration.pulls, of: pulled)
    add(configuration.kept, of: samples.filter { $0 != identity })
    view = next.members
  }

  /// Pushes the own name to some of the view, and asks some for theirs.
  private mutating func ask(into effects: inout some Effects<Self> & ~Copyable) {
    let push = effects.prepare(.push)
    for index in effects.sample(min(configuration.pushes, view.count), below: view.count) {
      effects.send(push, to: view[index])
    }
    let request = effects.prepare(.pullRequest)
    for index in effects.sample(min(configuration.pulls, view.count), below: view.count) {
      asked.insert(view[index])
      effects.send(request, to: view[index])
    }
  }

  /// Asks some of those that the samplers keep whether they live, and lets go of those that did not answer.
  private mutating func probe(into effects: inout some Effects<Self> & ~Copyable) {
    for (peer, questions) in probed where questions >= configuration.patience {
      for index in samplers.indices where samplers[index].peer == peer {
        samplers[index].reset(random: &effects)
      }
    }
    probed.removeAll { $0.questions >= configuration.patience }
    guard !samplers.isEmpty else { return }
    for _ in 0..<max(1, samplers.count / configuration.probedPart) {
      nextProbed = (nextProbed + 1) % samplers.count
      guard let peer = samplers[nextProbed].peer, peer != identity,
        !probed.contains(where: { $0.peer == peer })
      else { continue }
      probed.append((peer, 0))
    }
    let question = effects.prepare(.probe)
    for index in probed.indices {
      probed[index].questions += 1
      effects.send(question, to: probed[index].peer)
    }
  }
}
