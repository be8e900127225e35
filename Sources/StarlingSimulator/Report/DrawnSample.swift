import StarlingCore

/// The part of a graph that a drawing shows: all of it, or a sample of a large one.
///
/// A sample holds peers drawn at random, each with its whole path to the tree's root, so that the tree stays in one
/// piece.
struct DrawnSample {
  /// The vertices drawn, ascending, by their numbers in the whole graph.
  let originals: [Int]
  /// How many there are in the whole graph.
  let total: Int

  var isWhole: Bool { originals.count == total }

  /// - Parameters:
  ///   - limit: how many vertices to draw at most; at least 1.
  ///   - tree: the tree whose paths are kept whole.
  init(limit: Int, tree: RootedTree?, total: Int, seed: UInt64) {
    self.total = total
    guard total > limit else {
      originals = Array(0..<total)
      return
    }
    var kept = [Bool](repeating: false, count: total)
    var count = 0
    if let root = tree?.root {
      kept[root] = true
      count = 1
    }
    var everyone = Array(0..<total)
    var random = Xoshiro256(seed: seed)
    random.shuffle(&everyone)
    for vertex in everyone {
      var path: [Int] = []
      var next: Int? = vertex
      while let here = next, !kept[here] {
        path.append(here)
        next = tree?.walk.parents[here] ?? nil
      }
      if count + path.count > limit { break }
      for step in path { kept[step] = true }
      count += path.count
    }
    originals = kept.indices.filter { kept[$0] }
  }
}
