import StarlingCore

/// A peer's share of the beacon: its ticket for the value of an epoch.
@frozen
public struct BeaconShare<Source: TicketSource>: Hashable, Sendable {
  /// Whose share it is.
  public let peer: Peer
  /// The epoch whose value it would be.
  public let epoch: UInt64
  /// The first 64 bits of the value of the epoch before, under which it was drawn: tells a share of peers that missed one
  /// from a forged one.
  public let previous: UInt64
  /// Shows what its number is.
  public let proof: Source.Proof

  /// - Parameters:
  ///   - peer: whose share it is.
  ///   - epoch: the epoch whose value it would be.
  ///   - previous: the first 64 bits of the value of the epoch before.
  ///   - proof: shows what its number is.
  @inlinable
  public init(peer: Peer, epoch: UInt64, previous: UInt64, proof: Source.Proof) {
    self.peer = peer
    self.epoch = epoch
    self.previous = previous
    self.proof = proof
  }
}

extension BeaconShare: SizedMessage {
  /// Key, epoch, the value before, proof.
  @inlinable
  public var encodedByteCount: Int { PublicKey.byteCount + 8 + 8 + Source.proofByteCount }
}

extension BeaconShare: WireMessage where Source.Proof: WireBytes {
  /// Appends key, epoch, the value before, and proof.
  public func encode(into writer: inout WireWriter, peers: borrowing some PeerDirectory) {
    writer.write(keyOf: peer, from: peers)
    writer.write(integer: epoch)
    writer.write(integer: previous)
    writer.write(raw: proof.bytes)
  }

  /// Takes a share apart.
  public static func decode(
    from reader: inout WireReader, peers: inout some PeerDirectory
  ) throws(WireError) -> BeaconShare {
    let peer = try reader.readPeerKey(into: &peers)
    let epoch = try reader.read(UInt64.self)
    return BeaconShare(
      peer: peer, epoch: epoch, previous: try reader.read(), proof: try reader.read(Source.Proof.self))
  }
}

/// When shares of the beacon are revealed within an epoch.
public struct BeaconSchedule: Hashable, Sendable {
  /// How long a share takes to reach everybody: the time from one reveal to the next.
  public let step: Interval
  /// When the revealing of the next epoch's value begins, after the epoch's start.
  public let opening: Interval
  /// When it ends: later shares are dropped. The value is known then, and in force from the next epoch's start on.
  public let deadline: Interval

  /// - Parameters:
  ///   - step: how long a share takes to reach everybody, more than nothing.
  ///   - opening: when the revealing begins, after the epoch's start.
  ///   - steps: how many steps later it ends, 2 or more. That no correct peer reveals anything in time has
  ///     probability e^(1 − steps). The default is a guess.
  public init(step: Interval, opening: Interval = .zero, steps: Int = 20) {
    precondition(step > .zero && opening >= .zero && steps >= 2, "a schedule of \(steps) steps of \(step)")
    self.step = step
    self.opening = opening
    deadline = opening + step * steps
  }

  /// When a peer reveals its share, after the epoch's start, unless it has heard a lower one by then; `nil` if never.
  ///
  /// The delay is proportional to the share's number and such that among `peers` peers one reveals in each step: whoever
  /// comes second has mostly heard the first. Nobody reveals in the last step, because what it says would reach some
  /// peers after the deadline.
  ///
  /// - Parameters:
  ///   - value: the share's number.
  ///   - peers: about how many peers there are. With too few, more of them speak; with too many, they speak later.
  public func revealing(_ value: some TicketValue, peers: Double) -> Interval? {
    let steps = max(1, peers) * Double(value.prefix) * 0x1p-64
    let limit = Double((deadline - opening - step).nanoseconds)
    let delay = steps * Double(step.nanoseconds)
    return delay <= limit ? opening + Interval(nanoseconds: Int64(delay)) : nil
  }
}

/// The beacon: a value for each epoch that nobody can foresee or choose, agreed upon by everybody who hears everything.
///
/// The value of an epoch is the lowest ticket, over all peers, for ``Draw/beacon(epoch:previous:)``: a chain, as
/// Algorand's seeds are made of the lowest outputs of a sortition (Y. Gilad, R. Hemo, S. Micali, G. Vlachos,
/// N. Zeldovich, "Algorand: Scaling Byzantine Agreements for Cryptocurrencies", SOSP 2017, section 5.2).
public struct Beacon<Source: TicketSource>: Sendable {
  /// The epoch whose value is known.
  public private(set) var epoch: UInt64
  /// Its value.
  public private(set) var value: Source.Value
  /// The lowest share of the next epoch that was shown so far.
  public private(set) var lowest: BeaconShare<Source>?
  private var lowestValue: Source.Value?

  /// A beacon that continues from a value: that which a network begins with, or which most of those have that a newcomer,
  /// or a peer that finds itself with another value than its neighbours, asks.
  ///
  /// - Parameters:
  ///   - epoch: the epoch whose value it is.
  ///   - value: its value.
  public init(epoch: UInt64, value: Source.Value) {
    self.epoch = epoch
    self.value = value
  }

  /// What a peer draws for the next epoch.
  public var nextDraw: Draw<Source.Value> { .beacon(epoch: epoch &+ 1, previous: value) }

  /// A peer's own share of the next epoch: to be kept to itself until ``BeaconSchedule/revealing(_:peers:)``, and then
  /// handed to ``receive(_:since:after:on:from:)`` and, if it counts, to everybody.
  public func share(of peer: Peer, from source: Source) -> BeaconShare<Source> {
    BeaconShare(peer: peer, epoch: epoch &+ 1, previous: value.prefix, proof: source.draw(nextDraw))
  }

  /// Takes a share, this peer's own or one that it was sent.
  ///
  /// - Parameters:
  ///   - share: what was shown.
  ///   - since: the epoch in which its owner became a member of the network; `nil` if it is none.
  ///   - elapsed: the time since the current epoch began.
  ///   - schedule: when shares are revealed.
  ///   - source: checks proofs.
  /// - Returns: ``TicketVerdict/counts`` if it is the lowest so far, and worth passing on.
  public mutating func receive(
    _ share: BeaconShare<Source>, since: UInt64?, after elapsed: Interval, on schedule: BeaconSchedule,
    from source: Source
  ) -> TicketVerdict {
    guard share.epoch == epoch &+ 1 else { return .elsewhere }
    guard elapsed <= schedule.deadline else { return .late }
    guard share.previous == value.prefix else { return .otherBeacon }
    guard let since, Seniority.isReached(since: since, underValueOf: epoch) else { return .ineligible }
    guard let claim = source.claim(of: share.proof) else { return .forged }
    if let lowestValue, claim >= lowestValue { return .old }
    guard source.verifies(share.proof, of: nextDraw, by: share.peer) else { return .forged }
    (lowest, lowestValue) = (share, claim)
    return .counts
  }

  /// Begins the next epoch with the lowest share's number as its value; without any share, with a hash of the old value.
  public mutating func advance() {
    epoch &+= 1
    value = lowestValue ?? value.successor(in: epoch)
    (lowest, lowestValue) = (nil, nil)
  }
}
