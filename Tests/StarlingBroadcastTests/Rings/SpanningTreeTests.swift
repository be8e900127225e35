import StarlingCore
import Testing

@testable import StarlingBroadcast

@Suite("The k-ary spanning tree of a ring")
struct SpanningTreeTests {
  @Test("The seed's example: ten nodes and k = 2")
  func example() {
    let tree = SpanningTree(arity: 2, count: 10)
    let children = (0..<10).map { tree.children(of: $0) }
    #expect(children == [[1, 2, 4, 8], [3, 5, 9], [6], [7], [], [], [], [], [], []])
  }

  @Test(
    "Whatever k and n are, each node but the root has one parent, from which it is reached", arguments: 2...6)
  func onceEach(arity: Int) {
    for count in 1...70 {
      let tree = SpanningTree(arity: arity, count: count)
      var parents = [[Int]](repeating: [], count: count)
      for node in 0..<count { for child in tree.children(of: node) { parents[child].append(node) } }
      #expect(parents[0].isEmpty)
      for node in 1..<max(1, count) {
        #expect(parents[node] == [tree.parent(of: node)] && parents[node][0] < node, "\(node) of \(count)")
      }
    }
  }

  @Test("A ring's members are reached once each from all roots together, wherever the tree begins")
  func together() {
    for message in 0..<50 as Range<UInt64> {
      let places = (0..<17).map { RingView.Place(peer: Peer($0), branch: 0, isContact: $0 % 6 == 1) }
      let view = RingView(identifier: 77, fingerprint: 1, places: places)
      let route = RingRoute(ring: 77, fingerprint: 1, arity: UInt8(2 + message % 3), roots: .contacts)
      let tree = RingTree(view, route, for: MessageIdentifier(origin: Peer(99), sequence: message))
      var (pushed, told): ([Peer: Int], [Peer: Int]) = ([:], [:])
      for place in places {
        let duties = tree.duties(of: place.peer)
        for number in duties.pushes { pushed[tree.member(number), default: 0] += 1 }
        for number in duties.tells { told[tree.member(number), default: 0] += 1 }
      }
      #expect(pushed.count == 14 && pushed.values.allSatisfy { $0 == 1 })
      // Whom one contact pushes to the two others tell.
      #expect(!told.isEmpty && told.values.allSatisfy { $0 == 2 })
      #expect(pushed.keys.allSatisfy { $0.index % 6 != 1 })
    }
  }
}
