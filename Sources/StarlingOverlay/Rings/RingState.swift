import StarlingCore

/// A ring as one of its members knows it. Two that know the same members, whoever told them, have the same state: seats are
/// added and left, and of what is said of one seat the newest counts, so states can be merged in any order.
public struct RingState: Sendable, Equatable {
  /// Names the ring; not 0.
  public let identifier: UInt64
  /// 0 for leaf rings; a ring of level n + 1 is made of the contacts of rings of level n.
  public let level: UInt8
  /// How often it was split: what was said before does not count.
  public var generation: UInt32
  /// How often contacts were drawn.
  public var epoch: UInt32
  /// The ring that its contacts are in, one level above; 0 for the top ring. Of two parents that with the greater stamp counts.
  public var parent: (identifier: UInt64, stamp: UInt32)
  /// Ascending by their tags.
  public internal(set) var seats: [RingSeat]
  /// What was left lately, so that it is not taken back.
  public internal(set) var left: [LeftSeat] = []

  /// How many left seats are remembered.
  static let leftLimit = 48

  /// A ring.
  public init(
    identifier: UInt64, level: UInt8, generation: UInt32 = 0, epoch: UInt32 = 0,
    parent: (identifier: UInt64, stamp: UInt32) = (0, 0), seats: [RingSeat]
  ) {
    (self.identifier, self.level, self.generation) = (identifier, level, generation)
    (self.epoch, self.parent) = (epoch, parent)
    self.seats = seats.sorted { $0.tag < $1.tag }
  }

  /// Whether two know the same.
  public static func == (a: RingState, b: RingState) -> Bool { a.fingerprint == b.fingerprint }

  /// The same for two members if they know the same.
  public var fingerprint: UInt64 {
    var hash = SplitMix64.mix(identifier ^ UInt64(generation) << 32 ^ UInt64(epoch))
    hash = SplitMix64.mix(hash ^ parent.identifier ^ UInt64(parent.stamp) << 17)
    for seat in seats {
      hash = SplitMix64.mix(hash ^ seat.tag ^ SplitMix64.mix(seat.branch ^ UInt64(seat.stamp) << 32))
    }
    return hash
  }

  /// How many seats there are.
  public var count: Int { seats.count }

  /// The position of a peer in the order of the ring.
  public func position(of peer: Peer) -> Int? { seats.firstIndex { $0.peer == peer } }

  /// Whether a peer has a seat.
  public func contains(_ peer: Peer) -> Bool { position(of: peer) != nil }

  /// The seats' middle.
  public var centre: RingPosition {
    seats.isEmpty ? .zero : seats.reduce(RingPosition.zero) { $0 + $1.position } / Float(seats.count)
  }

  // MARK: - Contacts

  /// What decides whether a seat is a contact's: the lowest are drawn.
  func ticket(of seat: RingSeat) -> UInt64 {
    SplitMix64.mix(seat.tag ^ SplitMix64.mix(identifier ^ UInt64(epoch)))
  }

  /// The seats of the contacts: of those that were taken before this epoch, the ones with the lowest tickets; then of the others.
  ///
  /// - Parameter count: how many there are.
  public func contacts(_ count: Int) -> [RingSeat] {
    Array(
      seats.map { (isNew: $0.since >= epoch && epoch > 0, ticket: ticket(of: $0), seat: $0) }
        .sorted { (($0.isNew ? 1 : 0), $0.ticket) < (($1.isNew ? 1 : 0), $1.ticket) }
        .prefix(count).map(\.seat))
  }

  // MARK: - Changes

  /// Takes a seat, or what is newer of one.
  ///
  /// - Returns: whether anything changed.
  @discardableResult
  mutating func add(_ seat: RingSeat) -> Bool {
    if let gone = left.first(where: { $0.peer == seat.peer }), gone.stamp >= seat.stamp { return false }
    if let i = position(of: seat.peer) {
      guard seat.stamp > seats[i].stamp else { return false }
      seats.remove(at: i)
    }
    seats.insert(seat, at: seats.firstIndex { $0.tag > seat.tag } ?? seats.count)
    left.removeAll { $0.peer == seat.peer }
    return true
  }

  /// Takes that a seat was left.
  ///
  /// - Returns: whether anything changed.
  @discardableResult
  mutating func remove(_ gone: LeftSeat) -> Bool {
    if let i = left.firstIndex(where: { $0.peer == gone.peer }) {
      guard left[i].stamp < gone.stamp else { return false }
      left.remove(at: i)
    }
    left.append(gone)
    if left.count > RingState.leftLimit { left.removeFirst() }
    guard let i = position(of: gone.peer), seats[i].stamp <= gone.stamp else { return false }
    seats.remove(at: i)
    return true
  }

  /// Takes what another member knows of the same ring.
  ///
  /// - Returns: whether anything changed.
  @discardableResult
  mutating func merge(_ other: RingState) -> Bool {
    guard other.identifier == identifier, other.generation >= generation else { return false }
    if other.generation > generation {
      self = other
      return true
    }
    var isChanged = false
    for gone in other.left where remove(gone) { isChanged = true }
    for seat in other.seats where add(seat) { isChanged = true }
    if other.epoch > epoch {
      epoch = other.epoch
      isChanged = true
    }
    if (other.parent.stamp, other.parent.identifier) > (parent.stamp, parent.identifier) {
      parent = other.parent
      isChanged = true
    }
    return isChanged
  }

  // MARK: - Splitting

  /// The two rings that this one becomes: the seats are parted where they are farthest apart, along the axis on which they
  /// differ most, into halves; branches of an upper ring are kept whole.
  ///
  /// - Parameter identifier: names the second; the first keeps this one's.
  /// - Returns: the halves; `nil` if there is only one branch.
  func split(naming identifier: UInt64) -> (RingState, RingState)? {
    // What is parted: seats of a leaf ring, or all of one branch.
    var groups: [(position: RingPosition, key: UInt64, seats: [RingSeat])] = []
    for seat in seats {
      let key = level == 0 ? seat.tag : seat.branch
      if let i = groups.firstIndex(where: { $0.key == key }) {
        groups[i].seats.append(seat)
      } else {
        groups.append((seat.position, key, [seat]))
      }
    }
    guard groups.count > 1 else { return nil }
    let centre = groups.reduce(RingPosition.zero) { $0 + $1.position } / Float(groups.count)
    let spread = groups.reduce(RingPosition.zero) { sum, group in
      let offset = group.position - centre
      return sum + offset * offset
    }
    let axis = spread.x >= spread.y && spread.x >= spread.z ? 0 : spread.y >= spread.z ? 1 : 2
    groups.sort { ($0.position[axis], $0.key) < ($1.position[axis], $1.key) }
    var (first, second): ([RingSeat], [RingSeat]) = ([], [])
    for group in groups {
      if first.isEmpty || 2 * (first.count + group.seats.count) <= seats.count + group.seats.count / 2 {
        first += group.seats
      } else {
        second += group.seats
      }
    }
    guard !second.isEmpty else { return nil }
    func half(_ identifier: UInt64, _ seats: [RingSeat]) -> RingState {
      RingState(
        identifier: identifier, level: level, generation: generation + 1, epoch: epoch + 1, parent: parent,
        seats: seats)
    }
    return (half(self.identifier, first), half(identifier, second))
  }

  /// The branch whose centre is nearest to a position, but for one; `nil` if there is none.
  func nearestBranch(
    to position: RingPosition, besides branch: UInt64 = 0
  ) -> (identifier: UInt64, centre: RingPosition, contacts: [Peer])? {
    branches.filter { $0.identifier != branch }.min {
      ($0.centre.distance(to: position), $0.identifier) < ($1.centre.distance(to: position), $1.identifier)
    }
  }

  /// The branches of an upper ring with their centres and contacts.
  var branches: [(identifier: UInt64, centre: RingPosition, contacts: [Peer])] {
    var branches: [(identifier: UInt64, centre: RingPosition, contacts: [Peer])] = []
    for seat in seats {
      if let i = branches.firstIndex(where: { $0.identifier == seat.branch }) {
        branches[i].contacts.append(seat.peer)
      } else {
        branches.append((seat.branch, seat.position, [seat.peer]))
      }
    }
    return branches
  }
}

extension RingPosition {
  /// The square of the distance to another.
  func distance(to other: RingPosition) -> Float {
    let offset = self - other
    return (offset * offset).sum()
  }
}
