import StarlingCore

/// By which tree a message goes through a ring.
@frozen
public struct RingRoute: Sendable, Equatable {
  /// Who has the message before the tree begins, and is its root together.
  @frozen
  public enum Roots: Sendable, Equatable {
    /// The message's origin, alone.
    case origin
    /// The ring's contacts: the message comes from above.
    case contacts
    /// The members that are contacts of this ring below: the message comes from there.
    case branch(UInt64)
  }

  /// The ring.
  public let ring: UInt64
  /// What the ring looked like to whoever sent the message: by another look the tree would be another.
  public let fingerprint: UInt64
  /// k: how wide the tree is, 2 or more.
  public let arity: UInt8
  /// Where the tree begins.
  public let roots: Roots

  /// A route.
  @inlinable
  public init(ring: UInt64, fingerprint: UInt64, arity: UInt8, roots: Roots) {
    (self.ring, self.fingerprint, self.arity, self.roots) = (ring, fingerprint, arity, roots)
  }
}

/// The k-ary distributed spanning tree of HGFRR (section 3.1.1) over 0 ..< n, of which 0 is the root: the children of i are
/// i + d·kʲ for d = 1 ... k − 1 and each j with kʲ > i. As the seed prints it, with d = 1 alone and each j, most are reached
/// several times for k = 2 and some not at all for k > 2.
@frozen
public struct SpanningTree: Sendable {
  /// k.
  public let arity: Int
  /// n.
  public let count: Int

  /// - Parameters:
  ///   - arity: k, at least 2.
  ///   - count: n.
  @inlinable
  public init(arity: Int, count: Int) { (self.arity, self.count) = (max(2, arity), count) }

  /// The children of a node, ascending.
  @inlinable
  public func children(of node: Int) -> [Int] {
    var children: [Int] = []
    var power = 1
    while power <= node { power *= arity }
    while power < count {
      for d in 1..<arity where node + d * power < count { children.append(node + d * power) }
      power *= arity
    }
    return children
  }

  /// The parent of a node other than 0.
  @inlinable
  public func parent(of node: Int) -> Int {
    var power = 1
    while power * arity <= node { power *= arity }
    return node % power
  }
}

/// One message's tree through one ring: who pushes to whom.
@usableFromInline
struct RingTree {
  /// Who has the message already, in the order of the ring.
  @usableFromInline var roots: [Peer] = []
  /// The others; the one at 0 is number 1 in the tree.
  @usableFromInline var others: [Peer] = []
  @usableFromInline let tree: SpanningTree

  /// - Parameters:
  ///   - view: the ring.
  ///   - route: the tree's parameters.
  ///   - identifier: names the message: trees of different messages begin at different members.
  @usableFromInline
  init(_ view: RingView, _ route: RingRoute, for identifier: MessageIdentifier) {
    for place in view.places {
      let isRoot =
        switch route.roots {
        case .origin: place.peer == identifier.origin
        case .contacts: place.isContact
        case .branch(let branch): place.branch == branch
        }
      if isRoot { roots.append(place.peer) } else { others.append(place.peer) }
    }
    // What all know alike: the number, and not the origin's handle, which each node has its own of.
    let turn = SplitMix64.mix(identifier.sequence ^ view.identifier)
    if !others.isEmpty {
      let first = Int(turn % UInt64(others.count))
      others = Array(others[first...] + others[..<first])
    }
    if roots.count > 1 {
      let first = Int((turn >> 32) % UInt64(roots.count))
      roots = Array(roots[first...] + roots[..<first])
    }
    tree = SpanningTree(arity: Int(route.arity), count: others.count + 1)
  }

  /// To whom a member pushes, and to whom it only tells of the message because another root pushes to them.
  @usableFromInline
  func duties(of peer: Peer) -> (pushes: [Int], tells: [Int]) {
    if let own = roots.firstIndex(of: peer) {
      let first = tree.children(of: 0)
      return (
        first.indices.filter { $0 % roots.count == own }.map { first[$0] },
        first.indices.filter { $0 % roots.count != own }.map { first[$0] }
      )
    }
    guard let place = others.firstIndex(of: peer) else { return ([], []) }
    return (tree.children(of: place + 1), [])
  }

  /// The member with a number of the tree, 1 or more.
  @usableFromInline
  func member(_ number: Int) -> Peer { others[number - 1] }
}
