import StarlingCore

/// A member's ticket in the election of a ring's contacts.
@frozen
public struct ContactTicket<Source: TicketSource>: Hashable, Sendable {
  /// Whose ticket it is.
  public let peer: Peer
  /// The ring's identifier.
  public let ring: UInt64
  /// The epoch in which the contacts serve.
  public let epoch: UInt64
  /// The first 64 bits of the beacon's value of the epoch, under which it was drawn.
  public let beacon: UInt64
  /// Shows what its number is.
  public let proof: Source.Proof

  /// - Parameters:
  ///   - peer: whose ticket it is.
  ///   - ring: the ring's identifier.
  ///   - epoch: the epoch in which the contacts serve.
  ///   - beacon: the first 64 bits of the beacon's value of the epoch.
  ///   - proof: shows what its number is.
  @inlinable
  public init(peer: Peer, ring: UInt64, epoch: UInt64, beacon: UInt64, proof: Source.Proof) {
    self.peer = peer
    self.ring = ring
    self.epoch = epoch
    self.beacon = beacon
    self.proof = proof
  }
}

extension ContactTicket: SizedMessage {
  /// Key, ring, epoch, the beacon's value, proof.
  @inlinable
  public var encodedByteCount: Int { PublicKey.byteCount + 8 + 8 + 8 + Source.proofByteCount }
}

extension ContactTicket: WireMessage where Source.Proof: WireBytes {
  /// Appends key, ring, epoch, the beacon's value, and proof.
  public func encode(into writer: inout WireWriter, peers: borrowing some PeerDirectory) {
    writer.write(keyOf: peer, from: peers)
    writer.write(integer: ring)
    writer.write(integer: epoch)
    writer.write(integer: beacon)
    writer.write(raw: proof.bytes)
  }

  /// Takes a ticket apart.
  public static func decode(
    from reader: inout WireReader, peers: inout some PeerDirectory
  ) throws(WireError) -> ContactTicket {
    let peer = try reader.readPeerKey(into: &peers)
    let ring = try reader.read(UInt64.self)
    let epoch = try reader.read(UInt64.self)
    return ContactTicket(
      peer: peer, ring: ring, epoch: epoch, beacon: try reader.read(),
      proof: try reader.read(Source.Proof.self))
  }
}

/// The election of a ring's contacts for an epoch: the members with the lowest tickets are elected.
///
/// It keeps a ticket of each member that showed one. Tickets prove themselves, so members that show each other all they
/// have end with the same contacts, in whatever order they hear of them; whoever holds its ticket back is not elected,
/// and another is.
public struct ContactElection<Source: TicketSource>: Sendable {
  private struct Entry: Sendable {
    let ticket: ContactTicket<Source>
    let value: Source.Value
  }

  /// The ring's identifier.
  public let ring: UInt64
  /// The epoch in which the contacts serve.
  public let epoch: UInt64
  /// How many contacts a ring has.
  public let seats: Int
  private let beacon: Source.Value
  /// In the order of their numbers.
  private var entries: [Entry] = []

  /// An election under the beacon's present value.
  ///
  /// - Parameters:
  ///   - ring: the ring's identifier.
  ///   - beacon: knows the epoch and its value.
  ///   - seats: how many contacts the ring has, 1 or more.
  public init(ring: UInt64, beacon: Beacon<Source>, seats: Int) {
    precondition(seats >= 1, "an election of \(seats) contacts")
    self.ring = ring
    self.seats = seats
    (epoch, self.beacon) = (beacon.epoch, beacon.value)
  }

  /// What members draw.
  public var draw: Draw<Source.Value> { .contact(ring: ring, epoch: epoch, beacon: beacon) }

  /// A member's own ticket: to be handed to ``receive(_:since:from:)`` and to the ring's other members.
  public func ticket(of peer: Peer, from source: Source) -> ContactTicket<Source> {
    ContactTicket(
      peer: peer, ring: ring, epoch: epoch, beacon: beacon.prefix, proof: source.draw(draw))
  }

  /// Takes a ticket, this peer's own or one that it was sent.
  ///
  /// - Parameters:
  ///   - ticket: what was shown.
  ///   - since: the epoch in which its owner became a member of this ring, or of the one that this was split off from;
  ///     `nil` if it is none. Not that in which it came into the network: it might have chosen the ring since.
  ///   - source: checks proofs.
  /// - Returns: ``TicketVerdict/counts`` if it is valid and new.
  public mutating func receive(
    _ ticket: ContactTicket<Source>, since: UInt64?, from source: Source
  ) -> TicketVerdict {
    guard ticket.ring == ring, ticket.epoch == epoch else { return .elsewhere }
    guard ticket.beacon == beacon.prefix else { return .otherBeacon }
    guard let since, Seniority.isReached(since: since, underValueOf: epoch) else { return .ineligible }
    guard !entries.contains(where: { $0.ticket.peer == ticket.peer }) else { return .old }
    guard let value = source.claim(of: ticket.proof), source.verifies(ticket.proof, of: draw, by: ticket.peer)
    else { return .forged }
    // The same number twice comes up in ideal tickets only, and once in 2⁶⁴ pairs.
    let place = entries.firstIndex { (value, ticket.peer) < ($0.value, $0.ticket.peer) } ?? entries.count
    entries.insert(Entry(ticket: ticket, value: value), at: place)
    return .counts
  }

  /// Forgets a member that left the ring: whoever comes next moves up.
  public mutating func remove(_ peer: Peer) { entries.removeAll { $0.ticket.peer == peer } }

  /// Who is elected by the tickets shown so far, the lowest first: fewer than ``seats`` if fewer tickets were.
  public var contacts: [Peer] { entries.prefix(seats).map(\.ticket.peer) }

  /// All tickets that count, the lowest first: to show to a member that has not seen them.
  public var tickets: [ContactTicket<Source>] { entries.map(\.ticket) }
}
