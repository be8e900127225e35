/// A peer as protocols see it: a 32-bit handle, cheap to copy, compare and store.
///
/// In a simulation it is an index. In a node, the edge interns each 32-byte public key as a handle and the
/// codec translates, so protocol code is the same in both and never hashes a key on a hot path.
@frozen
public struct Peer: Hashable, Comparable, Sendable, CustomStringConvertible {
  /// The handle's number; meaningful only to the driver that gave it out.
  public let index: UInt32

  /// Names the peer with the given index.
  @inlinable
  public init(_ index: UInt32) { self.index = index }

  /// Names the peer with the given index, 0 ... 2³² − 1.
  @inlinable
  public init(_ index: Int) { self.index = UInt32(index) }

  /// Orders by index, so that ties can be broken the same way on every run.
  @inlinable
  public static func < (a: Peer, b: Peer) -> Bool { a.index < b.index }

  /// For example `peer 7`.
  public var description: String { "peer \(index)" }
}
