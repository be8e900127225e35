import StarlingCore

/// Samples of a network's peers by random walks over its links, uniform among correct peers whatever their numbers of
/// neighbours (N. Metropolis et al., "Equation of state calculations by fast computing machines", Journal of Chemical
/// Physics 21, 1953; W. Hastings, Biometrika 57, 1970).
///
/// A step to a neighbour with more neighbours than the peer before is refused with the probability that makes up for how
/// often steps lead there. Against liars a walk is worth nothing: see the README.
public struct RandomWalk: Process {
  /// What neighbours and origins are told.
  public enum Message: Sendable {
    /// A walk wants to step to the receiver, from a peer with so many neighbours.
    case step(Walk, degree: UInt16)
    /// It does not: the walk stays where it was.
    case refused(Walk)
    /// The walk of that number ends at the sender.
    case arrived(UInt64)
  }

  /// A walk on its way.
  @frozen
  public struct Walk: Hashable, Sendable {
    /// Whose it is.
    public let origin: Peer
    /// The origin's number for it, random.
    public let number: UInt64
    /// How many steps are left.
    public var steps: UInt16

    /// A walk.
    @inlinable
    public init(origin: Peer, number: UInt64, steps: UInt16) {
      self.origin = origin
      self.number = number
      self.steps = steps
    }
  }

  /// What it waits for.
  public enum Timer: Sendable {
    /// A walk that should have arrived.
    case walk(UInt64)
  }

  /// What it can be asked for.
  public enum Request: Sendable {
    /// These are the neighbours from now on; each has this peer for a neighbour.
    case neighbours([Peer])
    /// A sample.
    case sample
  }

  /// What it tells the layer above.
  public enum Indication: Sendable, Equatable {
    /// A walk ended at this peer.
    case sampled(Peer)
    /// A walk did not arrive, or there are too many.
    case failed
    /// A peer did what no correct peer does. What it sent was dropped.
    case misbehaved(Peer, Misbehaviour)
  }

  private let identity: Peer
  private let configuration: RandomWalkConfiguration
  private var neighbours = PeerSet()
  /// Own walks that have not arrived.
  private var expected: Set<UInt64> = []
  /// Since when steps are counted, and how many there were.
  private var counted = (since: Instant.zero, steps: 0)
  /// How many steps were dropped because there were too many.
  public private(set) var dropped: UInt64 = 0

  /// - Parameters:
  ///   - identity: the process's own handle.
  ///   - configuration: the parameters.
  public init(identity: Peer, configuration: RandomWalkConfiguration = RandomWalkConfiguration()) {
    self.identity = identity
    self.configuration = configuration
  }

  /// Takes new neighbours, or sends a walk out.
  public mutating func handle(
    _ request: Request, at now: Instant, into effects: inout some Effects<Self> & ~Copyable
  ) {
    switch request {
    case .neighbours(let peers):
      neighbours = PeerSet()
      for peer in peers where peer != identity { neighbours.insert(peer) }
    case .sample:
      guard !neighbours.isEmpty, expected.count < configuration.walks else {
        return effects.indicate(.failed)
      }
      let number = effects.next()
      expected.insert(number)
      effects.schedule(.walk(number), at: now + configuration.timeout)
      walk(Walk(origin: identity, number: number, steps: configuration.steps), into: &effects)
    }
  }

  /// Takes a walk that steps here or stays, or the end of an own one.
  public mutating func receive(
    _ message: Message, from sender: Peer, at now: Instant, into effects: inout some Effects<Self> & ~Copyable
  ) {
    switch message {
    case .arrived(let number):
      if expected.remove(number) != nil { effects.indicate(.sampled(sender)) }
    case .step(let walk, let degree):
      guard isTaken(walk, from: sender, at: now, into: &effects) else { return }
      if effects.chance(Double(degree) / Double(neighbours.count)) {
        self.walk(walk, into: &effects)
      } else {
        effects.send(.refused(walk), to: sender)
      }
    case .refused(let walk):
      guard isTaken(walk, from: sender, at: now, into: &effects) else { return }
      self.walk(walk, into: &effects)
    }
  }

  /// Gives a walk up.
  public mutating func expire(
    _ timer: Timer, at now: Instant, into effects: inout some Effects<Self> & ~Copyable
  ) {
    switch timer {
    case .walk(let number): if expected.remove(number) != nil { effects.indicate(.failed) }
    }
  }

  /// Whether a walk comes from a neighbour, is no longer than walks are, and not one too many.
  private mutating func isTaken(
    _ walk: Walk, from sender: Peer, at now: Instant, into effects: inout some Effects<Self> & ~Copyable
  ) -> Bool {
    // Neighbourhoods change: a stranger's walk is no offence.
    guard neighbours.contains(sender) else { return false }
    guard walk.steps < configuration.steps else {
      effects.indicate(.misbehaved(sender, .unsolicited))
      return false
    }
    if now >= counted.since + .seconds(1) { counted = (now, 0) }
    counted.steps += 1
    guard counted.steps <= configuration.stepsPerSecond else {
      dropped += 1
      return false
    }
    return true
  }

  /// Lets a walk that is here go on, or end.
  private mutating func walk(_ walk: Walk, into effects: inout some Effects<Self> & ~Copyable) {
    guard walk.steps > 0, let next = neighbours.random(from: &effects) else {
      if walk.origin == identity {
        if expected.remove(walk.number) != nil { effects.indicate(.sampled(identity)) }
      } else {
        effects.send(.arrived(walk.number), to: walk.origin)
      }
      return
    }
    var further = walk
    further.steps -= 1
    effects.send(.step(further, degree: UInt16(clamping: neighbours.count)), to: next)
  }
}

/// The parameters of ``RandomWalk``.
@frozen
public struct RandomWalkConfiguration: Sendable {
  /// How many steps a walk makes, refused ones included (a guess: several times the logarithm of N, for the graphs that
  /// memberships here make).
  public var steps: UInt16 = 64
  /// How many own walks may be on their way (a guess).
  public var walks = 1_024
  /// After how long a walk is given up (a guess).
  public var timeout = Interval.seconds(60)
  /// How many steps of others' walks are taken in a second (a guess).
  public var stepsPerSecond = 10_000

  /// The defaults.
  @inlinable
  public init() {}
}
