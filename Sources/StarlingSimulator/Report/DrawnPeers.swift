/// How drawings and graphs call the peers, and which of them they mark.
public struct DrawnPeers: Sendable {
  /// What one of them is called, such as `peer` or `node`.
  public var noun: String
  /// The number under which each is known elsewhere; those beyond its end go by their place.
  public var numbers: [Int]
  /// A name for each, such as its address; may be empty.
  public var names: [String]
  /// For each whether it is an adversary; those beyond its end are none.
  public var adversaries: [Bool]

  /// Peers that are called by their places, unless told otherwise.
  ///
  /// - Parameters:
  ///   - noun: what one of them is called.
  ///   - numbers: the number under which each is known elsewhere.
  ///   - names: a name for each, such as its address.
  ///   - adversaries: for each whether it is an adversary.
  public init(
    noun: String = "peer", numbers: [Int] = [], names: [String] = [], adversaries: [Bool] = []
  ) {
    self.noun = noun
    self.numbers = numbers
    self.names = names
    self.adversaries = adversaries
  }

  /// The number under which a vertex is known.
  public func number(_ vertex: Int) -> Int { numbers.indices.contains(vertex) ? numbers[vertex] : vertex }

  /// Whether a vertex is an adversary.
  public func isAdversary(_ vertex: Int) -> Bool {
    adversaries.indices.contains(vertex) && adversaries[vertex]
  }

  /// What a sentence calls a vertex, such as `peer 7`.
  func title(_ vertex: Int) -> String { "\(noun) \(number(vertex))" }

  /// What is written on a vertex: its name, or its number if the name is longer than the four letters it has
  /// room for.
  func label(_ vertex: Int) -> String {
    names.indices.contains(vertex) && (1...4).contains(names[vertex].count)
      ? names[vertex] : String(number(vertex))
  }

  /// What a reader is told who points at a vertex.
  func tip(_ vertex: Int, hop: Int?, isTreeShown: Bool, sizes: VertexSizes?) -> String {
    var text = title(vertex)
    if names.indices.contains(vertex) && names[vertex] != String(number(vertex)) {
      text += ", \(names[vertex])"
    }
    if isAdversary(vertex) { text += ", an adversary" }
    if let sizes { text += ", view \(sizes.outDegrees[vertex]), in \(sizes.inDegrees[vertex])" }
    if let hop {
      text += hop == 0 ? ", the sender" : hop == 1 ? ", 1 hop" : ", \(hop) hops"
    } else if isTreeShown {
      text += ", not on the tree"
    }
    return text
  }
}
