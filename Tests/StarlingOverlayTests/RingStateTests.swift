import StarlingCore
import StarlingTestSupport
import Testing

@testable import StarlingOverlay

@Suite("What a member knows of its ring")
struct RingStateTests {
  private func seat(_ peer: Int, stamp: UInt32 = 1, branch: UInt64 = 0, at x: Float = 0) -> RingSeat {
    RingSeat(
      peer: Peer(peer), tag: SplitMix64.mix(UInt64(peer)), stamp: stamp, since: 0,
      position: RingPosition(x, 0, 0), branch: branch)
  }

  private func ring(_ seats: [RingSeat], level: UInt8 = 0) -> RingState {
    RingState(identifier: 5, level: level, seats: seats)
  }

  @Test("Whoever heard the same, in whatever order and however often, knows the same")
  func order() {
    var random = testRandom()
    for _ in 0..<100 {
      // What was ever said: seats that were taken and left, some of them again.
      var taken: [RingSeat] = []
      var left: [LeftSeat] = []
      for peer in 0..<12 {
        for stamp in 1...UInt32(1 + random.uniform(below: 3)) {
          taken.append(seat(peer, stamp: 2 * stamp, branch: UInt64(random.uniform(below: 3))))
          if random.oneIn(2) { left.append(LeftSeat(peer: Peer(peer), stamp: 2 * stamp + 1)) }
        }
      }
      var fingerprints: Set<UInt64> = []
      for _ in 0..<4 {
        var state = ring([])
        var said = taken.indices.map { $0 } + left.indices.map { -1 - $0 }
        said += said
        random.shuffle(&said)
        for i in said { if i >= 0 { state.add(taken[i]) } else { state.remove(left[-1 - i]) } }
        fingerprints.insert(state.fingerprint)
      }
      #expect(fingerprints.count == 1, "\(replay)")
    }
  }

  @Test("Two that merge what they know come to the same")
  func merge() {
    var random = testRandom()
    for _ in 0..<100 {
      var states = [ring((0..<6).map { seat($0) }), ring((3..<9).map { seat($0, stamp: 2) })]
      for i in states.indices {
        for _ in 0..<4 {
          states[i].remove(
            LeftSeat(peer: Peer(random.uniform(below: 9)), stamp: UInt32(1 + random.uniform(below: 3))))
        }
        states[i].epoch = UInt32(random.uniform(below: 3))
        states[i].parent = (UInt64(random.uniform(below: 3)), UInt32(random.uniform(below: 3)))
      }
      let (a, b) = (states[0], states[1])
      states[0].merge(b)
      states[1].merge(a)
      #expect(states[0].fingerprint == states[1].fingerprint, "\(replay)")
      #expect(!states[0].merge(b) && !states[1].merge(a))
    }
  }

  @Test("What was said before a split does not count")
  func generations() throws {
    var state = ring((0..<22).map { seat($0, at: Float($0)) })
    let before = state
    let (near, far) = try #require(state.split(naming: 9))
    #expect(near.identifier == 5 && far.identifier == 9)
    // By locality, and in halves.
    #expect(near.seats.map(\.peer.index).sorted() == Array(0..<11))
    #expect(far.seats.map(\.peer.index).sorted() == Array(11..<22))
    state = near
    #expect(!state.merge(before) && state.count == 11)
    var behind = before
    #expect(behind.merge(near) && behind.count == 11)
  }

  @Test("A split leaves the contacts of a ring below together")
  func branches() throws {
    let seats = (0..<21).map { seat($0, branch: UInt64(11 + 2 * ($0 / 3)), at: Float($0 / 3 * 5 % 7)) }
    let (near, far) = try #require(ring(seats, level: 1).split(naming: 9))
    #expect(near.count + far.count == 21 && min(near.count, far.count) >= 9)
    #expect(Set(near.seats.map(\.branch)).isDisjoint(with: far.seats.map(\.branch)))
    #expect(ring(Array(seats.prefix(3)), level: 1).split(naming: 9) == nil)
  }

  @Test("Contacts are the same for all, others in another epoch, and none that came after the draw")
  func contacts() {
    var state = ring((0..<15).map { seat($0) })
    state.epoch = 1
    let first = state.contacts(3).map(\.peer)
    for peer in 100..<140 {
      var late = seat(peer)
      late.since = 1
      state.add(late)
    }
    #expect(state.contacts(3).map(\.peer) == first)
    // Who is left takes the place of a contact at once.
    state.remove(LeftSeat(peer: first[1], stamp: 9))
    let second = state.contacts(3).map(\.peer)
    #expect(second.count == 3 && second.prefix(2) == [first[0], first[2]])
    state.epoch = 2
    #expect(state.contacts(3).map(\.peer) != second)
  }
}
