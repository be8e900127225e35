import StarlingCore
import StarlingOverlay
import StarlingTestSupport
import Testing

@Suite struct BeaconTests {
  private typealias Share = BeaconShare<IdealTickets>
  private let schedule = BeaconSchedule(step: .seconds(2), opening: .seconds(10), steps: 20)

  private func shares(of beacon: Beacon<IdealTickets>, peers: Int) -> [Share] {
    (0..<peers).map { beacon.share(of: Peer($0), from: IdealTickets(owner: Peer($0))) }
  }

  private func value(_ share: Share) throws -> IdealTicketValue {
    try #require(IdealTickets(owner: share.peer).claim(of: share.proof))
  }

  @Test("The lowest share wins in whatever order shares come, and only those that are lower are passed on")
  func lowest() throws {
    var random = testRandom()
    let beacon = Beacon<IdealTickets>(epoch: 4, value: IdealTicketValue(random.next()))
    var shares = shares(of: beacon, peers: 50)
    let least = try shares.map(value).min()
    for _ in 0..<20 {
      random.shuffle(&shares)
      var copy = beacon
      var known = IdealTicketValue(.max)
      for share in shares {
        let verdict = copy.receive(
          share, since: 0, after: .seconds(50), on: schedule, from: IdealTickets(owner: Peer(0)))
        #expect(verdict == (try value(share) < known ? .counts : .old))
        known = min(known, try value(share))
      }
      copy.advance()
      #expect(copy.epoch == 5)
      #expect(copy.value == least)
      #expect(copy.lowest == nil)
    }
  }

  @Test("Shares that are not what they should be do not count, and it is told whose fault it is")
  func verdicts() {
    var beacon = Beacon<IdealTickets>(epoch: 10, value: IdealTicketValue(77))
    let source = IdealTickets(owner: Peer(1))
    let good = beacon.share(of: Peer(1), from: source)
    let late = schedule.deadline + Interval(nanoseconds: 1)
    let cases: [(Share, since: UInt64?, after: Interval, TicketVerdict)] = [
      (Share(peer: Peer(1), epoch: 10, previous: 77, proof: good.proof), 0, .zero, .elsewhere),
      (Share(peer: Peer(1), epoch: 12, previous: 77, proof: good.proof), 0, .zero, .elsewhere),
      (Share(peer: Peer(1), epoch: 11, previous: 78, proof: good.proof), 0, .zero, .otherBeacon),
      (Share(peer: Peer(2), epoch: 11, previous: 77, proof: good.proof), 0, .zero, .forged),
      (good, nil, .zero, .ineligible), (good, 8, .zero, .ineligible), (good, 7, late, .late),
      (good, 7, schedule.deadline, .counts), (good, 7, .zero, .old),
    ]
    for (i, (share, since, elapsed, verdict)) in cases.enumerated() {
      #expect(
        beacon.receive(share, since: since, after: elapsed, on: schedule, from: source) == verdict,
        "case \(i)")
    }
    #expect(beacon.lowest == good)
  }

  @Test("Without any share the chain goes on, with another value each epoch")
  func silence() {
    var beacon = Beacon<IdealTickets>(epoch: 4, value: IdealTicketValue(1))
    var real = Beacon<KeyTickets>(epoch: 4, value: VRFOutput(beginningOf: [1]))
    var values: Set<IdealTicketValue> = []
    var outputs: Set<VRFOutput> = [VRFOutput(beginningOf: [2])]
    for _ in 0..<50 {
      values.insert(beacon.value)
      outputs.insert(real.value)
      beacon.advance()
      real.advance()
    }
    #expect(values.count == 50)
    #expect(outputs.count == 51)
  }

  /// Everybody hears of a share one step after it is revealed. The lowest of 500 comes after a step on average, and within
  /// a step after it another: two are revealed on average, with a variance of two. Of 200 epochs the mean is within .4.
  @Test("Most peers keep silent because they heard a lower share, and the lowest is always revealed in time")
  func silentMajority() throws {
    var random = testRandom()
    var beacon = Beacon<IdealTickets>(epoch: 4, value: IdealTicketValue(random.next()))
    var reveals = 0
    for _ in 0..<200 {
      let shares = shares(of: beacon, peers: 500)
      let due = try shares.compactMap { share in
        schedule.revealing(try value(share), peers: 500).map { (at: $0, share: share) }
      }.sorted { $0.at < $1.at }
      let first = try #require(due.first)
      for (at, share) in due where at < first.at + schedule.step {
        reveals += 1
        #expect(at >= schedule.opening && at + schedule.step <= schedule.deadline)
        _ = beacon.receive(
          share, since: 0, after: at + schedule.step, on: schedule, from: IdealTickets(owner: Peer(0)))
      }
      let least = try shares.map(value).min()
      beacon.advance()
      #expect(beacon.value == least)
    }
    #expect(abs(Double(reveals) / 200 - 2) < 0.4, "\(reveals); \(replay)")
  }

  /// What a share does that is shown to some before the deadline and reaches the others after it; see the README.
  @Test(
    "Who missed a share tells others' shares and tickets from forged ones, and catches up by beginning anew")
  func splitViews() {
    let beacon = Beacon<IdealTickets>(epoch: 4, value: IdealTicketValue(1))
    var (told, untold) = (beacon, beacon)
    let source = IdealTickets(owner: Peer(1))
    let share = beacon.share(of: Peer(1), from: source)
    #expect(told.receive(share, since: 0, after: schedule.deadline, on: schedule, from: source) == .counts)
    let after = schedule.deadline + .seconds(1)
    #expect(untold.receive(share, since: 0, after: after, on: schedule, from: source) == .late)
    told.advance()
    untold.advance()
    #expect(told.value != untold.value)
    let ticket = ContactElection<IdealTickets>(ring: 1, beacon: told, seats: 3).ticket(
      of: Peer(1), from: source)
    var election = ContactElection<IdealTickets>(ring: 1, beacon: untold, seats: 3)
    #expect(election.receive(ticket, since: 0, from: source) == .otherBeacon)
    let next = told.share(of: Peer(1), from: source)
    #expect(untold.receive(next, since: 0, after: .zero, on: schedule, from: source) == .otherBeacon)
    untold = Beacon(epoch: told.epoch, value: told.value)
    #expect(untold.receive(next, since: 0, after: .zero, on: schedule, from: source) == .counts)
  }

  @Test("A share has the size it says, decodes to what it was, and refuses every other length")
  func wire() throws {
    let identity = try Identity(seed: [UInt8](repeating: 1, count: 32))
    let source = KeyTickets(identity: identity, network: []) { _ in identity.publicKey }
    let share = Beacon<KeyTickets>(epoch: 10, value: VRFOutput(beginningOf: [])).share(
      of: Peer(7), from: source)
    let bytes = encoded(share)
    #expect(bytes.count == share.encodedByteCount)
    #expect(bytes.count == 32 + 8 + 8 + 80)
    #expect(try decoded(BeaconShare<KeyTickets>.self, from: bytes) == share)
    for count in 0..<bytes.count {
      #expect(throws: WireError.self) {
        try decoded(BeaconShare<KeyTickets>.self, from: Array(bytes.prefix(count)))
      }
    }
    #expect(throws: WireError.trailing(1)) { try decoded(BeaconShare<KeyTickets>.self, from: bytes + [0]) }
  }
}
