/// A value for each of a small set of peers, in the order of ``PeerSet``.
@frozen
public struct PeerMap<Value> {
  @usableFromInline var storedKeys: PeerSet
  @usableFromInline var values: [Value]

  /// An empty map.
  @inlinable
  public init() {
    storedKeys = PeerSet()
    values = []
  }

  /// The peers that have a value.
  @inlinable
  public var keys: PeerSet { _read { yield storedKeys } }
  /// How many peers have a value.
  @inlinable
  public var count: Int { keys.count }

  /// The position of a peer's value; `nil` if it has none.
  @inlinable
  public func position(of peer: Peer) -> Int? { keys.position(of: peer) }

  /// The value at a position, 0 ..< `count`. Read in its place: copying one that holds an array would count its
  /// references up and down.
  @inlinable
  public subscript(position: Int) -> Value {
    _read { yield values[position] }
    _modify { yield &values[position] }
  }

  /// The value of a peer; `nil` if it has none.
  @inlinable
  public subscript(peer: Peer) -> Value? { keys.position(of: peer).map { values[$0] } }

  /// Gives a peer that has no value yet one; otherwise changes nothing.
  ///
  /// - Returns: the position of the peer's value, and whether it is new.
  @inlinable @discardableResult
  public mutating func insert(
    _ value: @autoclosure () -> Value, for peer: Peer
  ) -> (position: Int, isNew: Bool) {
    if let position = keys.position(of: peer) { return (position, false) }
    storedKeys.insert(peer)
    values.appendTightly(value())
    return (values.count - 1, true)
  }

  /// Takes a peer and its value out, moving the last into the gap.
  @inlinable @discardableResult
  public mutating func remove(_ peer: Peer) -> Value? {
    guard let gap = storedKeys.remove(peer) else { return nil }
    let value = values[gap]
    let last = values.removeLast()
    if gap < values.count { values[gap] = last }
    return value
  }
}

extension PeerMap: Sendable where Value: Sendable {}
