import StarlingCore
import StarlingTestSupport
import Testing

@testable import StarlingOverlay

@Suite("SCAMP: thin views")
struct ScampDonationTests {
  /// Thirty peers with eleven members each and two or three of ten others, which know one and are known by eight: as
  /// many as keep them from asking for more.
  private func group(_ random: inout Xoshiro256) -> SmallGroup {
    let views = (0..<40).map { i -> [Int] in
      if i >= 30 { return [i - 30] }
      return random.sample(11, below: 29).map { (i + 1 + $0) % 30 }
        + (0..<10).filter { (i + 30 - 3 * $0) % 30 < 8 }.map { 30 + $0 }
    }
    return SmallGroup(views: views, size: 100, configuration: ScampConfiguration(), random: &random)
  }

  @Test("Donations fill thin views to their minimum and leave the number of arcs as it was")
  func conservation() {
    var random = testRandom()
    var group = group(&random)
    let minimum = Int(ScampConfiguration().minimumView)
    #expect(group.viewsMirrorEachOther)
    let before = group.arcs
    for round in 0..<20 {
      for i in 30..<40 {
        group.peers[i].expire(.round(count: UInt8(round % 3)))
        group.collect(from: i)
        group.deliverAll()
        #expect(group.arcs == before, "\(replay)")
      }
    }
    #expect((30..<40).allSatisfy { group.peers[$0].members.count >= minimum }, "\(replay)")
    #expect((0..<30).allSatisfy { group.peers[$0].members.count >= minimum }, "\(replay)")
    #expect(group.viewsMirrorEachOther, "\(replay)")
    #expect(group.peers.indices.allSatisfy { !group.peers[$0].members.contains($0) })
  }

  @Test("Only a peer with more than the minimum gives a member away; it tells the member and the requester")
  func donor() {
    let minimum = Int(ScampConfiguration().minimumView)
    var walk = OpenScamp.Walk.donation(for: Peer(500))
    walk.isReturned = true
    for size in [minimum, minimum + 1] {
      var donor = LonePeer(members: 1...size, random: testRandom())
      donor.receive(.walk(walk), from: 1)
      guard size > minimum else {
        #expect(donor.members.count == minimum && donor.effects.sent.isEmpty)
        continue
      }
      let lost = Set(1...size).subtracting(donor.members)
      #expect(lost.count == 1 && donor.members.count == minimum)
      let sent = donor.takeSent()
      #expect(sent.map(\.message) == [.dropped, .donation(Peer(lost.first ?? 0))])
      #expect(sent.map(\.to) == [Peer(lost.first ?? 0), Peer(500)])
    }
  }

  @Test("A donation that cannot be used or was not asked for goes back, and its giver takes it again")
  func returned() {
    var requester = LonePeer(0, members: [7], random: testRandom())
    requester.receive(.donation(Peer(8)), from: 3)
    #expect(requester.takeSent().map(\.message) == [.returned(Peer(8))] && requester.members == [7])
    requester.expire(.round(count: 0))
    _ = requester.takeSent()
    for unusable in [0, 7] {
      requester.receive(.donation(Peer(unusable)), from: 3)
      let sent = requester.takeSent()
      #expect(sent.map(\.message) == [.returned(Peer(unusable))] && sent.map(\.to) == [Peer(3)])
    }
    requester.receive(.donation(Peer(8)), from: 3)
    #expect(requester.members == [7, 8])

    let size = Int(ScampConfiguration().minimumView) + 1
    var donor = LonePeer(500, members: 1...size, random: testRandom())
    donor.receive(.returned(Peer(9)), from: 0)
    #expect(donor.members.count == size && donor.takeSent().isEmpty, "what was not given cannot come back")
    var walk = OpenScamp.Walk.donation(for: Peer(400))
    walk.isReturned = true
    donor.receive(.walk(walk), from: 1)
    let given = Set(1...size).subtracting(donor.members).first ?? 0
    _ = donor.takeSent()
    for _ in 0..<2 { donor.receive(.returned(Peer(given)), from: 400) }
    #expect(Set(donor.members) == Set(1...size))
    #expect(donor.takeSent().map(\.to) == [Peer(given)], "the member hears that it is kept again, once")
  }

  @Test("A thin peer asks for just as many members as it lacks, and a full one for none")
  func requests() {
    let minimum = Int(ScampConfiguration().minimumView)
    for size in 1...(minimum + 1) {
      var peer = LonePeer(members: 1...size, random: testRandom())
      peer.expire(.round(count: 0))
      let walks = peer.effects.sent.filter { if case .walk = $0.message { true } else { false } }
      #expect(walks.count == max(0, minimum - size))
    }
  }

  @Test(
    "A peer whom few keep sends as many more copies as its in-view lacks of the law, none if it lacks little")
  func renewal() {
    var random = testRandom()
    var many = GroupSize.News()
    for _ in 0..<2_000 { many.sketch.merge(SizeSketch(drawnFrom: &random)) }
    for keepers in [2, 5, 30] {
      var peer = LonePeer(random: random)
      peer.join(through: 9, welcomedBy: 1)
      for member in 2...8 { peer.give(member) }
      peer.effects.clear()
      for i in 1...keepers { peer.receive(.kept(many), from: 100 + i) }
      let law = 2 * naturalLogarithm(peer.scamp.estimatedSize)
      #expect(law > 12 && law < 18, "two thousand peers were heard of; \(replay)")
      peer.expire(.round(count: 0))
      let copies = peer.effects.sent.filter {
        if case .subscription = $0.message { true } else { false }
      }
      let isThin = Double(keepers) < law * ScampConfiguration.thinInView
      let missing = Int(law * ScampConfiguration.renewedInView) - keepers
      #expect(copies.count == (isThin ? missing : 0) && isThin == (keepers < 10), "\(keepers); \(replay)")
    }
  }

  @Test("Rounds grow longer up to a bound")
  func rounds() {
    var peer = LonePeer(random: testRandom())
    peer.scamp.start(at: .zero, into: &peer.effects)
    var longest = Interval.zero
    for count in 0..<UInt8.max {
      let wait = (peer.effects.timers.last?.at ?? .zero) - .zero
      #expect(peer.effects.timers.count == 1 && wait >= ScampConfiguration.firstRound)
      #expect(wait <= ScampConfiguration.longestRound * 3 / 2)
      longest = max(longest, wait)
      peer.effects.clear()
      peer.expire(.round(count: count))
    }
    #expect(longest >= ScampConfiguration.longestRound)
  }
}

extension OpenScamp.Walk {
  /// A walk for a donation that is at its end.
  fileprivate static func donation(for requester: Peer) -> OpenScamp.Walk {
    OpenScamp.Walk(.donation, for: requester, hopsLeft: 0)
  }
}
