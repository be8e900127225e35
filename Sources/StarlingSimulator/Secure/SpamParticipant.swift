import StarlingBroadcast
import StarlingCore

/// A correct process as it is run outside of attacks on one instance, which is with source order on top; or one that
/// spams.
struct SpamParticipant<Inner: AttackedBroadcast>: Process {
  typealias Ordered = OrderedBroadcast<Inner>
  typealias Message = Inner.Message
  /// A batch counts as delivered when all of it is.
  typealias Indication = SecureIndication<IdealSecureAuthenticator>

  enum Request {
    /// What a correct process broadcasts.
    case broadcast(SyntheticBatch)
    /// Has a Byzantine process spam from now on.
    case spam
    /// Has it end.
    case stop
  }

  enum Timer {
    case ordered(OrderedBroadcast<Inner>.Timer)
    /// The next few messages of a Byzantine process.
    case spam
  }

  private enum Whole: Embedding {
    typealias Outer = SpamParticipant
    typealias Inner = Ordered
    static func message(_ message: Ordered.Message) -> Message { message }
    static func timer(_ timer: Ordered.Timer) -> Timer { .ordered(timer) }
    static func indication(_ indication: Ordered.Indication) -> SpamParticipant.Indication? {
      switch indication {
      case .delivered(let batch, let refused), .completed(let batch, let refused):
        refused.isEmpty ? .delivered(batch, refused: []) : nil
      case .misbehaved(let peer, let what): .misbehaved(peer, what)
      case .overloaded, .missed, .behind, .broadcasting, .logged: nil
      }
    }
  }

  /// `nil` of a Byzantine process.
  private(set) var correct: Ordered?
  /// `nil` of a correct process.
  private(set) var spammer: Spammer<Inner>?

  init(correct: Ordered) { self.correct = correct }

  init(spammer: Spammer<Inner>) { self.spammer = spammer }

  mutating func start(at now: Instant, into effects: inout some Effects<Self> & ~Copyable) {
    _ = effects.embedding(Whole.self) { correct?.start(at: now, into: &$0) }
  }

  mutating func handle(
    _ request: Request, at now: Instant, into effects: inout some Effects<Self> & ~Copyable
  ) {
    switch request {
    case .broadcast(let batch):
      _ = effects.embedding(Whole.self) { correct?.handle(.broadcast(batch), at: now, into: &$0) }
    case .spam: effects.schedule(.spam, at: now)
    case .stop: spammer = nil
    }
  }

  mutating func receive(
    _ message: Message, from sender: Peer, at now: Instant, into effects: inout some Effects<Self> & ~Copyable
  ) {
    _ = effects.embedding(Whole.self) { correct?.receive(message, from: sender, at: now, into: &$0) }
  }

  mutating func expire(_ timer: Timer, at now: Instant, into effects: inout some Effects<Self> & ~Copyable) {
    switch timer {
    case .ordered(let timer):
      _ = effects.embedding(Whole.self) { correct?.expire(timer, at: now, into: &$0) }
    case .spam:
      guard spammer != nil else { return }
      spammer?.spam(into: &effects)
      effects.schedule(.spam, at: now + Spammer<Inner>.tick)
    }
  }

  mutating func disconnect(
    from peer: Peer, at now: Instant, into effects: inout some Effects<Self> & ~Copyable
  ) {}
}
