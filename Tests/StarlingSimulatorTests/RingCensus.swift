import StarlingCore
import StarlingOverlay

/// The rings of a network as its peers know them.
struct RingCensus: Sendable {
  /// A ring, by what its members say.
  struct Ring: Sendable {
    /// Names it.
    let identifier: UInt64
    /// Its level.
    let level: Int
    /// Who says that it is in it.
    fileprivate(set) var members: [Peer] = []
    /// How many of these know just those.
    fileprivate(set) var agreeing = 0
    fileprivate var views: [[Peer]] = []
  }

  /// All rings, by level and name.
  private(set) var rings: [Ring] = []

  /// Looks at what peers know.
  ///
  /// - Parameter members: the live ones.
  init(_ members: [Rings]) {
    var indices: [UInt64: Int] = [:]
    for member in members {
      for state in member.rings {
        let key = SplitMix64.mix(state.identifier) ^ UInt64(state.level)
        let i = indices[key] ?? rings.count
        if i == rings.count {
          indices[key] = i
          rings.append(Ring(identifier: state.identifier, level: Int(state.level)))
        }
        rings[i].members.append(member.identity)
        rings[i].views.append(state.seats.map(\.peer).sorted())
      }
    }
    for i in rings.indices {
      rings[i].members.sort()
      rings[i].agreeing = rings[i].views.count { $0 == rings[i].members }
      rings[i].views = []
    }
    rings.sort { ($0.level, $0.identifier) < ($1.level, $1.identifier) }
  }

  /// How many rings of a level there are, of which sizes, and how many members know all of theirs.
  var summary: String {
    Set(rings.map(\.level)).sorted().map { level in
      let those = rings.filter { $0.level == level }
      let sizes = those.map(\.members.count)
      return "level \(level): \(those.count) rings of \(sizes.min() ?? 0) to \(sizes.max() ?? 0), "
        + "\(sizes.reduce(0, +)) members of whom \(those.reduce(0) { $0 + $1.agreeing }) know just the others"
    }.joined(separator: "\n")
  }
}
