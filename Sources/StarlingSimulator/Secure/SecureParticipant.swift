import StarlingBroadcast
import StarlingCore

/// A correct process whose messages the adversary may hold up, or a Byzantine one that does what it is told.
struct SecureParticipant<Inner: AttackedBroadcast>: Process {
  enum Request {
    case broadcast(SyntheticBatch, sequence: UInt64)
    /// From now on batches that correct processes pass on are on their way for as long as the adversary likes ...
    case hold
    /// ... which is over: links are reliable.
    case release
    /// An instance is over.
    case forget(MessageIdentifier)
    /// What a Byzantine process says.
    case say(Inner.Message, to: [Peer])
  }
  typealias Message = Inner.Message
  typealias Timer = Inner.Timer
  typealias Indication = Inner.Indication

  private enum Whole: Embedding {
    typealias Outer = SecureParticipant
    static func message(_ message: Inner.Message) -> Inner.Message { message }
    static func timer(_ timer: Inner.Timer) -> Inner.Timer { timer }
    static func indication(_ indication: Inner.Indication) -> Inner.Indication? { indication }
  }

  /// `nil` of a Byzantine process.
  private(set) var correct: Inner?
  /// Who lies: what these send is not held up.
  private let liars: ClosedRange<UInt32>?
  private var held: [(Message, Peer)] = []
  private var isHolding = false
  /// Which correct processes asked this Byzantine one for its echoes, and for its readiness.
  private(set) var echoSubscribers: [Peer] = []
  private(set) var readySubscribers: [Peer] = []

  init(correct: Inner?, liars: ClosedRange<UInt32>?) {
    self.correct = correct
    self.liars = liars
  }

  mutating func start(at now: Instant, into effects: inout some Effects<Self> & ~Copyable) {
    _ = effects.embedding(Whole.self) { correct?.start(at: now, into: &$0) }
  }

  mutating func handle(
    _ request: Request, at now: Instant, into effects: inout some Effects<Self> & ~Copyable
  ) {
    switch request {
    case .broadcast(let batch, let sequence):
      _ = effects.embedding(Whole.self) {
        correct?.handle(.broadcast(batch, sequence: sequence), at: now, into: &$0)
      }
    case .hold: isHolding = true
    case .release:
      isHolding = false
      let late = held
      held = []
      for (message, sender) in late { receive(message, from: sender, at: now, into: &effects) }
    case .forget(let instance):
      _ = effects.embedding(Whole.self) { correct?.handle(.forget(instance), at: now, into: &$0) }
    case .say(let message, let peers):
      let parcel = effects.prepare(message)
      for peer in peers { effects.send(parcel, to: peer) }
    }
  }

  mutating func receive(
    _ message: Message, from sender: Peer, at now: Instant, into effects: inout some Effects<Self> & ~Copyable
  ) {
    let isLiar = liars?.contains(sender.index) ?? false
    if correct == nil {
      let asks = Inner.asks(message)
      if asks.echoes, !isLiar { echoSubscribers.append(sender) }
      if asks.readiness, !isLiar { readySubscribers.append(sender) }
    } else if isHolding, !isLiar, Inner.passesOn(message) {
      held.append((message, sender))
    } else {
      _ = effects.embedding(Whole.self) { correct?.receive(message, from: sender, at: now, into: &$0) }
    }
  }

  mutating func expire(_ timer: Timer, at now: Instant, into effects: inout some Effects<Self> & ~Copyable) {
    _ = effects.embedding(Whole.self) { correct?.expire(timer, at: now, into: &$0) }
  }

  mutating func disconnect(
    from peer: Peer, at now: Instant, into effects: inout some Effects<Self> & ~Copyable
  ) {}
}
