import StarlingCore
import Testing

@testable import StarlingNode

private let peer = Peer(UInt32(5))

extension Conduct {
  fileprivate mutating func charge(_ peer: Peer, for what: Misbehaviour, at now: Instant) -> Bool {
    charge(peer, for: what, price: Conduct.price(of: what), at: now)
  }
}

@Suite struct ConductTests {
  @Test("a peer is shunned when its budget is spent, and not before")
  func spent() {
    var conduct = Conduct()
    for _ in 0..<7 { #expect(conduct.charge(peer, for: .badSignature, at: .zero) == false) }
    #expect(!conduct.isShunned(peer, at: .zero))
    #expect(conduct.charge(peer, for: .badSignature, at: .zero) == true)
    #expect(conduct.isShunned(peer, at: .zero))
    #expect(!conduct.isShunned(Peer(UInt32(6)), at: .zero))
    // Told once.
    #expect(conduct.charge(peer, for: .badSignature, at: .zero + .seconds(1)) == false)
  }

  @Test("time gives the budget back: what costs a point a second is never punished")
  func refilled() {
    var conduct = Conduct()
    for second in 0..<10_000 {
      #expect(conduct.charge(peer, for: .replay, at: .zero + .seconds(second)) == false)
    }
    for second in 0..<10_000 {
      #expect(conduct.charge(peer, for: .malformed, at: .zero + .seconds(20_000 + 8 * second)) == false)
    }
    for n in 0..<64 {
      let now = Instant.zero + .seconds(200_000) + .milliseconds(500 * n)
      #expect(conduct.charge(peer, for: .replay, at: now) == false)
    }
  }

  @Test("a peer is shunned for a minute, then twice as long each time, up to a day")
  func sentences() {
    var conduct = Conduct()
    var now = Instant.zero
    for n in 0..<14 {
      while !conduct.charge(peer, for: .malformed, at: now) {}
      let length = Interval.seconds(min(60 << n, 86_400))
      #expect(conduct.end(ofShunning: peer, at: now) == now + length)
      #expect(conduct.isShunned(peer, at: now + length + .milliseconds(-1)))
      #expect(!conduct.isShunned(peer, at: now + length))
      now = now + length + .seconds(1)
    }
  }

  @Test("a peer that behaves for long enough is forgotten, and begins anew")
  func forgiven() {
    var conduct = Conduct()
    while !conduct.charge(peer, for: .malformed, at: .zero) {}
    let later = Instant.zero + .seconds(100_000)
    _ = conduct.charge(Peer(UInt32(1)), for: .replay, at: later)
    #expect(conduct.records.map(\.peer) == [Peer(UInt32(1))])
    while !conduct.charge(peer, for: .malformed, at: later) {}
    #expect(conduct.end(ofShunning: peer, at: later) == later + Conduct.firstSentence)
  }

  @Test("memory is bounded: the peers that are shunned are forgotten last")
  func bounded() {
    var conduct = Conduct()
    for n in 0..<10 {
      while !conduct.charge(Peer(n), for: .malformed, at: .zero) {}
    }
    for n in 10..<5_000 { _ = conduct.charge(Peer(n), for: .replay, at: .zero + .milliseconds(n)) }
    #expect(conduct.records.count == Conduct.recordLimit)
    #expect((0..<10).allSatisfy { conduct.isShunned(Peer($0), at: .zero + .seconds(5)) })
    #expect(conduct.shunned(at: .zero + .seconds(5)).map(\.peer) == (0..<10).map { Peer($0) })
    // Full of peers that are shunned: the one with the least time left goes.
    var full = Conduct()
    for n in 0...Conduct.recordLimit {
      while !full.charge(Peer(n), for: .malformed, at: .zero + .milliseconds(n)) {}
    }
    #expect(full.records.count == Conduct.recordLimit)
    #expect(!full.isShunned(Peer(0), at: .zero + .seconds(1)))
    #expect(full.isShunned(Peer(1), at: .zero + .seconds(1)))
  }

  @Test("a member that nobody has wronged spends 24 bytes on it")
  func size() { #expect(MemoryLayout<Conduct>.size == 24) }

  @Test("a copy of a process keeps its own budgets")
  func copied() {
    var one = Conduct()
    _ = one.charge(peer, for: .malformed, at: .zero)
    var other = one
    while !other.charge(peer, for: .malformed, at: .zero) {}
    #expect(other.isShunned(peer, at: .zero))
    #expect(!one.isShunned(peer, at: .zero))
  }
}

@Suite struct MessagePaceTests {
  @Test("who sends too much in one second is noticed, whatever others send, and nobody else is")
  func flood() {
    var pace = MessagePace()
    var (blamed, others) = (0, 0)
    for n in 0..<200_000 {
      if pace.count(1, from: peer, at: .zero + .microseconds(4 * n)) { blamed += 1 }
      if pace.count(1, from: Peer(100 + n % 50), at: .zero + .microseconds(4 * n)) { others += 1 }
    }
    #expect(blamed >= 3, "200,000 messages where 32,768 are too many")
    #expect(others == 0)
  }

  @Test("no peer is blamed while none sends too much, however much all together do")
  func crowd() {
    var pace = MessagePace()
    for n in 0..<200_000 {
      #expect(pace.count(16, from: Peer(n % 1_000), at: .zero + .microseconds(4 * n)) == false)
    }
    for second in 1..<10 {
      for _ in 0..<Int(MessagePace.limit) {
        #expect(pace.count(1, from: peer, at: .zero + .seconds(second)) == false)
      }
    }
  }

  @Test("few peers are told apart at once, and the frequent one is among them")
  func bounded() {
    var pace = MessagePace()
    var blamed = false
    for n in 0..<400_000 {
      blamed = pace.count(1, from: n % 2 == 0 ? peer : Peer(n), at: .zero) || blamed
      if pace.watched.count > MessagePace.peersWatched { Issue.record("\(pace.watched.count) peers") }
    }
    #expect(blamed)
  }
}
