/// How much a drawing may show, so that a page stays small enough for a telephone.
public struct DrawingLimits: Hashable, Sendable {
  /// The most vertices; of a larger graph a sample is drawn.
  public var vertices: Int
  /// The most links outside the tree; of more than that every so manieth is drawn.
  public var links: Int

  /// Limits that keep a page under 2 MB unless told otherwise.
  ///
  /// - Parameters:
  ///   - vertices: at least 1.
  ///   - links: at least 0.
  public init(vertices: Int = 2_000, links: Int = 12_000) {
    precondition(vertices >= 1 && links >= 0, "limits of \(vertices) vertices and \(links) links")
    self.vertices = vertices
    self.links = links
  }
}
