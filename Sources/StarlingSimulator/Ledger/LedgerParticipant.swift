import StarlingCore
import StarlingLedger

/// A correct process of a ledger, or a Byzantine one that leads two lives: each life is a correct process with the same
/// keys, which half of the others see. So it votes for two batches of one number, sends different ones under one number, and
/// does all this in the protocol's own words, whichever protocol it is (Bano et al., "Twins: BFT systems made robust",
/// OPODIS 2021).
struct LedgerParticipant<Member: LedgerReplica>: Process {
  typealias Message = Member.Message
  typealias Indication = Member.Indication

  enum Request {
    /// A client's transfer.
    case submit(SignedTransfer)
    /// A Byzantine process broadcasts a batch in one of its lives, or in both, whatever is in it.
    case bring([SignedTransfer], Lives)
  }

  /// Lives of a Byzantine process.
  enum Lives { case first, second, both }

  enum Timer {
    case first(Member.Timer)
    case second(Member.Timer)
  }

  /// A correct process's only life.
  private(set) var first: Member?
  private var second: Member?
  private let isByzantine: Bool
  /// What a correct process's balances must add up to.
  private let supply: UInt64
  /// After how many of its inputs they were looked at ...
  private(set) var looks: UInt64 = 0
  /// ... and did not.
  private(set) var supplyViolations = 0

  init(correct: Member, supply: UInt64) {
    first = correct
    isByzantine = false
    self.supply = supply
  }

  /// - Parameter lives: `nil` of a process that says nothing.
  init(byzantine lives: (Member, Member)?) {
    first = lives?.0
    second = lives?.1
    isByzantine = true
    supply = 0
  }

  mutating func start(at now: Instant, into effects: inout some Effects<Self> & ~Copyable) {
    live(.both, into: &effects) { $0.start(at: now, into: &$1) }
  }

  mutating func handle(
    _ request: Request, at now: Instant, into effects: inout some Effects<Self> & ~Copyable
  ) {
    switch request {
    case .submit(let transfer):
      live(.both, into: &effects) { $0.handle(Member.submitting(transfer), at: now, into: &$1) }
    case .bring(let transfers, let lives):
      live(lives, into: &effects) { $0.handle(Member.bringing(transfers), at: now, into: &$1) }
    }
  }

  mutating func receive(
    _ message: Message, from sender: Peer, at now: Instant, into effects: inout some Effects<Self> & ~Copyable
  ) {
    live(lives(for: sender), into: &effects) { $0.receive(message, from: sender, at: now, into: &$1) }
  }

  mutating func expire(
    _ timer: Timer, at now: Instant, into effects: inout some Effects<Self> & ~Copyable
  ) {
    switch timer {
    case .first(let timer): live(.first, into: &effects) { $0.expire(timer, at: now, into: &$1) }
    case .second(let timer): live(.second, into: &effects) { $0.expire(timer, at: now, into: &$1) }
    }
  }

  mutating func disconnect(
    from peer: Peer, at now: Instant, into effects: inout some Effects<Self> & ~Copyable
  ) {
    live(lives(for: peer), into: &effects) { $0.disconnect(from: peer, at: now, into: &$1) }
  }

  /// Which lives a peer sees.
  private func lives(for peer: Peer) -> Lives {
    if !isByzantine { return .first }
    return peer.index % 2 == 0 ? .first : .second
  }

  private mutating func live<Base: Effects<Self> & ~Copyable>(
    _ lives: Lives, into effects: inout Base,
    _ body: (inout Member, inout LifeEffects<Base, Member>) -> Void
  ) {
    if lives != .second, first != nil {
      var own = LifeEffects<Base, Member>(base: effects, isFirst: true, parity: isByzantine ? 0 : nil)
      if var member = first.take() {
        body(&member, &own)
        if !isByzantine {
          looks += 1
          if member.keeper.ledger.total != supply { supplyViolations += 1 }
        }
        first = member
      }
      effects = own.base
    }
    if lives != .first, second != nil {
      var own = LifeEffects<Base, Member>(base: effects, isFirst: false, parity: 1)
      if var member = second.take() {
        body(&member, &own)
        second = member
      }
      effects = own.base
    }
  }
}

/// The sink of one life: what it sends reaches those who see it.
struct LifeEffects<Base: Effects & ~Copyable, Member: LedgerReplica>: Effects, ~Copyable
where Base.Owner == LedgerParticipant<Member> {
  typealias Owner = Member
  typealias Parcel = Base.Parcel

  var base: Base
  let isFirst: Bool
  /// Of the peers that see it; `nil` if all do.
  let parity: UInt32?

  init(base: consuming Base, isFirst: Bool, parity: UInt32?) {
    self.base = base
    self.isFirst = isFirst
    self.parity = parity
  }

  mutating func next() -> UInt64 { base.next() }
  mutating func prepare(_ message: Member.Message) -> Base.Parcel { base.prepare(message) }
  mutating func send(_ parcel: Base.Parcel, to peer: Peer) {
    if let parity, peer.index % 2 != parity { return }
    base.send(parcel, to: peer)
  }
  mutating func schedule(_ timer: Owner.Timer, at instant: Instant) {
    base.schedule(isFirst ? .first(timer) : .second(timer), at: instant)
  }
  mutating func indicate(_ indication: Owner.Indication) {
    // What a Byzantine process believes is nobody's concern.
    if parity == nil { base.indicate(indication) }
  }
}
