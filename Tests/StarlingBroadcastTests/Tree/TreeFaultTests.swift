import StarlingBroadcast
import StarlingCore
import StarlingTestSupport
import Testing

@Suite("The broadcast tree: faults")
struct TreeFaultTests {
  @Test(
    "After a partition every message of either side comes to everybody, once, each over few links more than a tree's"
  )
  func partition() {
    var group = TreeOfPeers(count: 60, seed: testSeed)
    group.warmUp()
    group.faults.cut = 30
    for second in 0..<300 {
      group.broadcast(by: 3)
      group.broadcast(by: second % 2 == 0 ? 55 : 40)
      group.run(seconds: 1)
    }
    let crossed = group.lacking
    #expect(crossed == 600, "the partition must have been one; \(replay)")
    group.faults.cut = 0
    group.run(seconds: 60)
    #expect(group.lacking == 0 && group.doubles == 0, "\(group.lacking) lacking; \(replay)")
    #expect(group.redundancy(of: 20..<600) < 0.1, "\(group.redundancy(of: 20..<600)); \(replay)")
    #expect(group.accusations == 0 && group.missed == 0, "\(replay)")
  }

  @Test("Links that fall and come back after a partition compare what they have at once")
  func rejoinedLinks() {
    var group = TreeOfPeers(count: 40, seed: testSeed)
    group.warmUp()
    group.faults.cut = 20
    group.unlink { ($0 < 20) != ($1 < 20) }
    for peer in 21..<40 { group.link(peer, peer - 1) }
    for _ in 0..<100 {
      group.broadcast(by: 3)
      group.broadcast(by: 33)
      group.run(seconds: 1)
    }
    group.run(seconds: 300)
    group.faults.cut = 0
    group.link(5, 25)
    group.run(seconds: 40)
    #expect(group.lacking == 0 && group.doubles == 0, "\(group.lacking) lacking; \(replay)")
  }

  @Test("While messages go one way only, and after, no message is lost, and nobody is accused")
  func oneWay() {
    var group = TreeOfPeers(count: 60, seed: testSeed)
    group.warmUp()
    group.faults.cut = 30
    group.faults.isOneWay = true
    for _ in 0..<90 {
      group.broadcast(by: 3)
      group.broadcast(by: 55)
      group.run(seconds: 1)
    }
    group.faults.cut = 0
    group.run(seconds: 60)
    #expect(group.lacking == 0 && group.doubles == 0 && group.accusations == 0, "\(group.lacking); \(replay)")
  }

  @Test(
    "With 10% of the peers several seconds late, 5% of all messages doubled and bursts of loss nothing is lost"
  )
  func slowDoubledBursts() {
    var group = TreeOfPeers(count: 60, seed: testSeed)
    group.faults.isSlow = true
    group.faults.doubling = 0.05
    group.warmUp()
    for second in 0..<120 {
      // Nine tenths of everything are lost for five seconds in thirty.
      group.faults.loss = second % 30 < 5 ? 0.9 : 0.01
      group.broadcast(by: second % 5 * 7)
      group.run(seconds: 1)
    }
    group.faults.loss = 0
    group.run(seconds: 150)
    #expect(group.lacking == 0 && group.doubles == 0, "\(group.lacking) lacking; \(replay)")
    #expect(group.accusations == 0 && group.missed == 0, "\(replay)")
  }

  @Test(
    "When half the peers crash the next message reaches all survivors in 30 s, and soon nobody pushes to the dead"
  )
  func crash() {
    var group = TreeOfPeers(count: 200, degree: 9, seed: testSeed)
    group.warmUp()
    group.broadcast(by: 3)
    group.run(milliseconds: 60)
    for peer in 0..<200 where peer % 2 == 0 { group.crash(peer) }
    for _ in 0..<30 {
      group.broadcast(by: 3)
      group.run(seconds: 1)
    }
    #expect(group.lacking == 0, "\(group.lacking) lacking; \(replay)")
    let messages = group.messageCount
    for _ in 0..<10 {
      group.broadcast(by: 3)
      group.run(seconds: 1)
    }
    #expect(group.redundancy(of: messages..<(messages + 10)) < 0.05, "\(replay)")
  }

  @Test("A newcomer gets what its neighbours still have, and the others get nothing again")
  func newcomer() {
    var group = TreeOfPeers(count: 30, linked: 29, seed: testSeed)
    group.warmUp()
    for _ in 0..<150 {
      group.broadcast(by: 3)
      group.run(seconds: 1)
    }
    #expect(group.lacking == group.messageCount)
    group.link(29, 4)
    group.link(29, 11)
    group.run(seconds: 30)
    #expect(group.lacking == 0 && group.doubles == 0, "\(group.lacking) lacking; \(replay)")
    #expect(group.redundancy(of: 20..<150) < 0.05, "\(group.redundancy(of: 20..<150)); \(replay)")
  }
}
