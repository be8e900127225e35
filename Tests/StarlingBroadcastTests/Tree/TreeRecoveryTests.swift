import StarlingBroadcast
import StarlingCore
import StarlingTestSupport
import Testing

@Suite("The broadcast tree: missed messages")
struct TreeRecoveryTests {
  private let missed = signed(by: 9, 4)

  @Test(
    "An announced message that stays away is asked of its announcer, whose link becomes eager, and delivered")
  func graft() {
    var tree = LoneTree(neighbours: 1...3)
    tree.receive(.prune, from: 2)
    tree.receive(.announce(missed.identifier), from: 2)
    #expect(tree.effects.sent.isEmpty, "it may yet come by itself")
    #expect(tree.awaited.map(\.identifier) == [missed.identifier])
    #expect(tree.awaited.map(\.at) == [Instant.zero + TimeoutEstimator.initial])
    tree.expire(.missing(missed.identifier))
    #expect(tree.effects.sent.isEmpty, "a timer that comes too early is of no interest")
    tree.expireAwaited(missed.identifier)
    #expect(tree.grafted() == [2] && tree.eager == [1, 2, 3])
    tree.receive(.push(missed), from: 2)
    #expect(tree.deliveries.map(\.identifier) == [missed.identifier])
    tree.effects.clear()
    tree.expire(.missing(missed.identifier))
    #expect(tree.effects.sent.isEmpty && tree.effects.timers.isEmpty, "what came is not asked for")
  }

  @Test("The other end of a graft sends the message from its history and pushes from then on")
  func grafted() {
    var tree = LoneTree(neighbours: 1...3)
    tree.receive(.prune, from: 3)
    tree.receive(.push(missed), from: 1)
    #expect(tree.announced() == [3])
    tree.effects.clear()
    tree.receive(.graft(missed.identifier), from: 3)
    #expect(tree.pushed() == [3] && tree.eager == [1, 2, 3])
    #expect(tree.effects.sent.compactMap(\.message.carriedBroadcast).map(\.hops) == [2])
    tree.effects.clear()
    tree.receive(.graft(signed(by: 9, 77).identifier), from: 2)
    #expect(tree.pushed().isEmpty && tree.toldGone() == [2], "what is not kept cannot be sent: that is said")
  }

  @Test("An origin answers a graft for its own message")
  func originGrafted() {
    var tree = LoneTree(neighbours: [1])
    tree.handle(.broadcast(SyntheticPayload(number: 1, byteCount: 5)))
    tree.effects.clear()
    tree.receive(.graft(MessageIdentifier(origin: Peer(0), sequence: 0)), from: 1)
    #expect(tree.pushed() == [1])
  }

  @Test("An announcement of a message that is there already does nothing")
  func stale() {
    var tree = LoneTree(neighbours: 1...2)
    tree.receive(.push(missed), from: 1)
    tree.effects.clear()
    tree.receive(.announce(missed.identifier), from: 2)
    #expect(tree.effects.timers.isEmpty && tree.effects.sent.isEmpty)
  }

  @Test(
    "While it stays away each announcer is asked in turn, until the attempts are used up; then it may be announced anew"
  )
  func retries() {
    var tree = LoneTree(neighbours: 1...5)
    for announcer in [2, 3, 2, 5] { tree.receive(.announce(missed.identifier), from: announcer) }
    #expect(tree.effects.timers.count == 1, "one timer, however many announce")
    for _ in 0..<40 {
      guard let timer = tree.effects.timers.last else { break }
      tree.effects.timers.removeAll()
      tree.now = max(tree.now, timer.at)
      tree.expire(timer.timer)
    }
    #expect(tree.missed.isEmpty, "nobody said that it is gone")
    let attempts = Int(BroadcastTreeConfiguration.graftAttempts)
    #expect(tree.grafted() == (0..<attempts).map { [2, 3, 5][$0 % 3] })
    tree.effects.clear()
    tree.receive(.announce(missed.identifier), from: 4)
    #expect(tree.effects.timers.count == 1)
  }

  @Test("No more announcers are remembered for a message than the bound says")
  func announcerBound() {
    var tree = LoneTree(neighbours: 1...100)
    for announcer in 1...100 { tree.receive(.announce(missed.identifier), from: announcer) }
    for _ in 0..<100 { tree.expireAwaited(missed.identifier) }
    #expect(Set(tree.grafted()).count == BroadcastTreeConfiguration.announcersPerMessage)
  }

  @Test("No more messages are waited for than the table takes, and a place that is free again is used")
  func missingBound() {
    var tree = LoneTree(neighbours: 1...50) { $0.missingLimit = 10 }
    for sequence in UInt64(0)..<50 {
      tree.receive(.announce(signed(by: 9, sequence).identifier), from: Int(sequence) + 1)
    }
    #expect(tree.awaited.map(\.identifier.sequence) == Array(0..<10))
    tree.receive(.push(signed(by: 9, 3)), from: 2)
    tree.receive(.announce(signed(by: 9, 60).identifier), from: 40)
    tree.receive(.announce(signed(by: 9, 61).identifier), from: 41)
    #expect(tree.awaited.map(\.identifier.sequence).suffix(1) == [60] && tree.awaited.count == 11)
  }

  @Test("A neighbour that announces what does not exist fills its share of the table, and no more")
  func missingShare() {
    var tree = LoneTree(neighbours: 1...2) { $0.missingLimit = 80 }
    for sequence in UInt64(0)..<50 { tree.receive(.announce(signed(by: 9, sequence).identifier), from: 1) }
    #expect(tree.awaited.count == 10)
    tree.receive(.announce(signed(by: 9, 99).identifier), from: 2)
    #expect(tree.awaited.count == 11)
    #expect(tree.process.counters.missingTableFull == 40 && tree.accused.isEmpty)
  }

  @Test("The wait before a graft follows how long announced messages take")
  func waits() throws {
    var tree = LoneTree(neighbours: 1...2)
    for sequence in UInt64(0)..<40 {
      tree.receive(.announce(signed(by: 9, sequence).identifier), from: 1)
      tree.now = tree.now + .milliseconds(120)
      tree.receive(.push(signed(by: 9, sequence)), from: 2)
    }
    tree.effects.clear()
    tree.receive(.announce(signed(by: 9, 99).identifier), from: 1)
    let wait = try #require(tree.awaited.first).at - tree.now
    #expect(wait >= .milliseconds(120) && wait <= .milliseconds(480), "\(wait.inMilliseconds) ms")
  }

  @Test("Old messages leave the history by number and by size, the newest never")
  func historyBounds() {
    for (messages, bytes, expected) in [(4, 1 << 20, 4), (100, 350, 3), (100, 50, 1)] {
      var tree = LoneTree(neighbours: 1...2) {
        $0.historyMessages = UInt16(messages)
        $0.historyBytes = UInt32(bytes)
      }
      for sequence in UInt64(0)..<20 { tree.receive(.push(signed(by: 9, sequence)), from: 1) }
      tree.effects.clear()
      for sequence in UInt64(0)..<20 { tree.receive(.graft(signed(by: 9, sequence).identifier), from: 2) }
      let kept = tree.effects.sent.compactMap(\.message.carriedBroadcast).map(\.identifier.sequence)
      #expect(kept == Array(UInt64(20 - expected)..<20))
    }
  }
}

@Suite("MessageHistory")
struct MessageHistoryTests {
  @Test("It keeps the newest messages that fit both bounds, as a plain list would")
  func model() {
    var random = testRandom()
    for _ in 0..<20 {
      var history = MessageHistory<IdealAuthenticator>()
      var model: [Copy] = []
      // Small histories are searched one by one, large ones have an index.
      let scale = random.oneIn(2) ? 1 : 16
      let (messages, bytes) = (1 + random.uniform(below: 20 * scale), random.uniform(below: 3_000 * scale))
      for sequence in UInt64(0)..<UInt64(scale == 1 ? 200 : 800) {
        let copy = signed(by: 1, sequence, byteCount: random.uniform(below: 500))
        var evicted = [history.keep(copy, messageLimit: messages)].compactMap(\.self)
        while let next = history.trim(byteLimit: bytes) { evicted.append(next) }
        model.append(copy)
        while model.count > messages
          || model.count > 1 && model.reduce(0, { $0 + $1.payload.byteCount }) > bytes
        {
          #expect(evicted.first == model.removeFirst().identifier, "\(replay)")
          if !evicted.isEmpty { evicted.removeFirst() }
        }
        #expect(history.count == model.count && evicted.isEmpty, "\(replay)")
        #expect(history.summary.fingerprint == model.reduce(0) { $0 &+ $1.signature }, "\(replay)")
        let oldest = model[0].identifier.sequence
        #expect(history.message(model[0].identifier)?.payload == model[0].payload, "\(replay)")
        #expect(history.message(copy.identifier)?.payload == copy.payload, "\(replay)")
        let middle = model[random.uniform(below: model.count)]
        #expect(history.message(middle.identifier)?.payload == middle.payload, "\(replay)")
        #expect(oldest == 0 || history.message(signed(by: 1, oldest - 1).identifier) == nil, "\(replay)")
      }
    }
  }
}

@Suite("TimeoutEstimator")
struct TimeoutEstimatorTests {
  @Test("Before anything is measured it waits a second, after one sample six times as long as that took")
  func first() {
    var estimator = TimeoutEstimator()
    #expect(estimator.timeout == .seconds(1))
    estimator.measure(.milliseconds(50))
    // 2·(SRTT + 4·RTTVAR), RTTVAR being half the first sample.
    #expect(estimator.timeout == .milliseconds(300))
  }

  @Test("Steady samples bring it down towards twice their length, a jump up again, and bounds hold")
  func learning() {
    var estimator = TimeoutEstimator()
    for _ in 0..<100 { estimator.measure(.milliseconds(200)) }
    #expect(estimator.timeout >= .milliseconds(400) && estimator.timeout < .milliseconds(420))
    estimator.measure(.milliseconds(600))
    #expect(estimator.timeout > .milliseconds(1_000))
    for _ in 0..<100 { estimator.measure(.microseconds(10)) }
    #expect(estimator.timeout == TimeoutEstimator.shortest)
    for _ in 0..<100 { estimator.measure(.seconds(3_600)) }
    #expect(estimator.timeout == TimeoutEstimator.longest)
  }

  @Test("No sample traps, negative and endless ones included")
  func extremes() {
    var random = testRandom()
    var estimator = TimeoutEstimator()
    for _ in 0..<2_000 {
      let shift = Int64(random.uniform(below: 64))
      estimator.measure(Interval(nanoseconds: Int64(truncatingIfNeeded: random.next()) >> shift))
      #expect(estimator.timeout >= TimeoutEstimator.shortest && estimator.timeout <= TimeoutEstimator.longest)
    }
    for extreme in [Int64.min, .max, 0, -1] { estimator.measure(Interval(nanoseconds: extreme)) }
  }
}
