/// The tree's links grouped by how many peers they feed, to be drawn the wider the more those are.
struct TreeBranches {
  /// Links of one width.
  struct Level {
    /// The lower ends of the links.
    let children: [Int]
    let width: Double
    let opacity: Double
  }

  /// From the thinnest to the widest.
  let levels: [Level]

  /// - Parameters:
  ///   - tree: the tree drawn.
  ///   - count: how many vertices the drawing has.
  init(_ tree: RootedTree, count: Int) {
    let thinnest = count > 400 ? 0.8 : count > 100 ? 1.6 : 2.6
    let total = Double(max(tree.reached, 2)).squareRoot()
    let faintest = count > 400 ? 0.4 : count > 100 ? 0.6 : 0.85
    var groups = [[Int]](repeating: [], count: 12)
    for child in tree.walk.order.dropFirst() {
      // By the root of the branch's size, as the area of a river's bed grows with what it carries.
      let share = Double(tree.branchSizes[child] - 1).squareRoot() / total
      groups[min(Int(share * 12), 11)].append(child)
    }
    levels = groups.enumerated().map { index, children in
      let share = Double(index) / 11
      return Level(
        children: children, width: thinnest + share * 5, opacity: faintest + (0.95 - faintest) * share)
    }
  }
}
