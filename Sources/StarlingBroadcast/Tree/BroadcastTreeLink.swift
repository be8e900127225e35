import StarlingCore

extension BroadcastTree {
  /// What is known of a link to a neighbour: four bytes, since a peer has twenty links and a million peers are
  /// simulated.
  @frozen
  public struct Link: Sendable {
    /// The four flags, and above them how many pulses in a row the link has been silent.
    @usableFromInline var state: UInt8 = Link.inTree
    /// Duplicates in a row since the neighbour's last first copy.
    @usableFromInline var duplicates: UInt8 = 0
    /// Eight bits of a hash of each of the last two messages whose first copy came over this link.
    @usableFromInline var lastFirst: UInt8 = 0
    @usableFromInline var firstBeforeLast: UInt8 = 0

    @inlinable static var outgoing: UInt8 { 1 }
    @inlinable static var incoming: UInt8 { 2 }
    @inlinable static var inTree: UInt8 { 4 }
    @inlinable static var owesSign: UInt8 { 8 }
    @inlinable static var pushed: UInt8 { 16 }
    @inlinable static var silentPulse: UInt8 { 32 }

    @inlinable
    init() {}

    @inlinable
    func has(_ flag: UInt8) -> Bool { state & flag != 0 }

    @inlinable
    mutating func set(_ flag: UInt8, _ value: Bool) {
      if value { state |= flag } else { state &= ~flag }
    }

    /// Whether the link belongs to the tree as far as this end knows: messages are pushed over it at once
    /// (eager push), not announced (lazy push).
    @inlinable
    public var isEager: Bool { has(Link.inTree) }

    /// Whether the neighbour is in our partial view.
    @inlinable var isOutgoing: Bool {
      get { has(Link.outgoing) }
      set { set(Link.outgoing, newValue) }
    }
    /// Whether we are in the neighbour's partial view.
    @inlinable var isIncoming: Bool {
      get { has(Link.incoming) }
      set { set(Link.incoming, newValue) }
    }
    /// Whether the link belongs to the tree: we push to the neighbour; otherwise we announce.
    @inlinable var isInTree: Bool {
      get { has(Link.inTree) }
      set { set(Link.inTree, newValue) }
    }
    /// Whether the neighbour pushed to us since we last let it know that we are alive.
    @inlinable var owesSign: Bool {
      get { has(Link.owesSign) }
      set { set(Link.owesSign, newValue) }
    }
    /// Whether we pushed to the neighbour since we last heard from it.
    @inlinable var isPushed: Bool {
      get { has(Link.pushed) }
      set { set(Link.pushed, newValue) }
    }

    /// Something came from the neighbour.
    @inlinable
    mutating func heard() { state &= Link.pushed - 1 }

    /// A pulse went by. Counts those in a row at which the neighbour, pushed to, has said nothing.
    ///
    /// - Returns: how many.
    @inlinable
    mutating func countSilence() -> Int {
      guard isPushed, isInTree else { return 0 }
      state &+= Link.silentPulse
      return Int(state / Link.silentPulse)
    }

    /// A first copy came over the link: it belongs to the tree.
    @inlinable
    mutating func brought(_ identifier: MessageIdentifier) {
      duplicates = 0
      isInTree = true
      firstBeforeLast = lastFirst
      lastFirst = Link.hash(identifier)
    }

    /// Whether a duplicate looks like one that the network made, of a message that this very link brought.
    @inlinable
    func broughtLately(_ identifier: MessageIdentifier) -> Bool {
      let hash = Link.hash(identifier)
      return hash == lastFirst || hash == firstBeforeLast
    }

    /// Never zero, which stands for no message.
    @inlinable
    static func hash(_ identifier: MessageIdentifier) -> UInt8 {
      UInt8(truncatingIfNeeded: SplitMix64.mix(identifier.sequence ^ UInt64(identifier.origin.index) << 40))
        | 1
    }
  }
}
