import StarlingCore
import StarlingOverlay
import StarlingTestSupport
import Testing

@Suite struct ContactElectionTests {
  /// Counts how often each honest member of a ring is elected, and the variance that this should have.
  private struct Tally {
    var counts: [Peer: Int] = [:]
    var variance = 0.0

    mutating func add(_ contacts: [Peer], honest: [Peer]) {
      let elected = contacts.filter { honest.contains($0) }
      for peer in elected { counts[peer, default: 0] += 1 }
      let p = Double(elected.count) / Double(honest.count)
      variance += p * (1 - p)
    }

    func statistic(_ honest: [Peer]) -> Double {
      chiSquareWithoutReplacement(honest.map { counts[$0, default: 0] }, variance: variance)
    }
  }

  /// 20 runs of 10,000 elections; a uniform law exceeds the quantile at .99 in .2 of them on average, and in three or more
  /// once in a thousand times.
  @Test("Honest members of a ring are elected equally often, whatever colluders among them withhold")
  func uniformity() {
    var random = testRandom()
    var exceptions = 0
    for run in 0..<20 {
      // Every other ring has two colluders, who choose among the values that they can bring about.
      var network = ElectoralNetwork(
        rings: 1, ringSize: 15, seats: 3, colluders: run % 2 == 0 ? 0 : 2, random: &random)
      let honest = network.peers.filter { !network.colluders.contains($0) }
      var tally = Tally()
      for _ in 0..<10_000 {
        for contacts in network.advance() { tally.add(contacts, honest: honest) }
      }
      let limit = chiSquareLimit(degreesOfFreedom: honest.count - 1, deviations: 2.326)
      if tally.statistic(honest) > limit { exceptions += 1 }
    }
    #expect(exceptions <= 2, "\(replay)")
  }

  /// Withholding is worth .002 of the seats here; see the README. Over 10,050 elections of three a share has a
  /// standard error of .002.
  @Test("15% colluders who withhold what does not suit them win at most 16% of the seats")
  func withholding() {
    var random = testRandom()
    var network = ElectoralNetwork(rings: 67, ringSize: 15, seats: 3, colluders: 151, random: &random)
    var won = 0
    for _ in 0..<150 { won += network.seatsWon(network.advance()) }
    let share = Double(won) / Double(150 * 67 * 3)
    #expect((0.14...0.16).contains(share), "\(share); \(replay)")
  }

  /// Each ring takes in a newcomer every epoch, whose key is the best of 32: chosen when the beacon's value is known, or
  /// early enough to count, and then for the value that was known.
  @Test("15% colluders who choose keys win at most 16% of the seats", arguments: [UInt64(0), 1, 2, 3])
  func grinding(age: UInt64) {
    var random = testRandom()
    var network = ElectoralNetwork(rings: 67, ringSize: 15, seats: 3, colluders: 146, random: &random)
    var newcomers: [[Peer]] = []
    var won = 0
    var elected = 0
    for _ in 0..<150 {
      _ = network.advance()
      let epoch = network.beacon.epoch
      // Whom the colluders bring into each ring now, for the election `age` epochs later.
      var keys: [Peer] = []
      for ring in 0..<network.rings {
        let election = ContactElection<IdealTickets>(ring: UInt64(ring), beacon: network.beacon, seats: 3)
        guard case .contact(let ring, _, let beacon) = election.draw else { continue }
        keys.append(
          network.groundKey(for: .contact(ring: ring, epoch: epoch + age, beacon: beacon), tries: 32))
      }
      newcomers.append(keys)
      guard newcomers.count > Int(age) else { continue }
      let due = newcomers[newcomers.count - 1 - Int(age)]
      for ring in 0..<network.rings {
        var election = ContactElection<IdealTickets>(ring: UInt64(ring), beacon: network.beacon, seats: 3)
        let newcomer = due[ring]
        for peer in network.members(of: ring) + [newcomer] {
          let source = IdealTickets(owner: peer)
          let since = peer == newcomer ? epoch - age : 0
          _ = election.receive(election.ticket(of: peer, from: source), since: since, from: source)
        }
        won += election.contacts.count { network.colluders.contains($0) || $0 == newcomer }
        elected += election.contacts.count
      }
    }
    // 146 of 1,005 are 14.5%. A newcomer who counts makes them 16 members, of whom it is one: 19.9% of them collude then,
    // by joining and not by choosing; without its seats the colluders' share of the others is as it was.
    let share = Double(won) / Double(elected)
    let limit = age < Seniority.epochs ? 0.16 : 0.21
    #expect(share <= limit, "\(share); \(replay)")
  }

  @Test("Tickets that are not what they should be do not count, and it is told whose fault it is")
  func verdicts() {
    let beacon = Beacon<IdealTickets>(epoch: 10, value: IdealTicketValue(77))
    var election = ContactElection<IdealTickets>(ring: 5, beacon: beacon, seats: 3)
    let source = IdealTickets(owner: Peer(1))
    let good = election.ticket(of: Peer(1), from: source)
    typealias Ticket = ContactTicket<IdealTickets>
    let cases: [(Ticket, since: UInt64?, TicketVerdict)] = [
      (Ticket(peer: Peer(1), ring: 6, epoch: 10, beacon: 77, proof: good.proof), 0, .elsewhere),
      (Ticket(peer: Peer(1), ring: 5, epoch: 11, beacon: 77, proof: good.proof), 0, .elsewhere),
      (Ticket(peer: Peer(1), ring: 5, epoch: 10, beacon: 78, proof: good.proof), 0, .otherBeacon),
      (Ticket(peer: Peer(2), ring: 5, epoch: 10, beacon: 77, proof: good.proof), 0, .forged),
      (good, nil, .ineligible), (good, 11, .ineligible), (good, 10, .ineligible), (good, 8, .ineligible),
      (good, 7, .counts), (good, 7, .old),
    ]
    for (i, (ticket, since, verdict)) in cases.enumerated() {
      #expect(election.receive(ticket, since: since, from: source) == verdict, "case \(i)")
    }
    #expect(election.contacts == [Peer(1)])
  }

  @Test("Members that show each other all tickets have the same contacts; who leaves makes room for the next")
  func order() throws {
    var random = testRandom()
    let beacon = Beacon<IdealTickets>(epoch: 10, value: IdealTicketValue(random.next()))
    let election = ContactElection<IdealTickets>(ring: 1, beacon: beacon, seats: 3)
    var tickets = (0..<15).map { election.ticket(of: Peer($0), from: IdealTickets(owner: Peer($0))) }
    var results: Set<[Peer]> = []
    var last = election
    for _ in 0..<20 {
      random.shuffle(&tickets)
      last = election
      for ticket in tickets {
        #expect(last.receive(ticket, since: 1, from: IdealTickets(owner: Peer(0))) == .counts)
      }
      results.insert(last.tickets.map(\.peer))
    }
    #expect(results.count == 1)
    let ranking = try #require(results.first)
    #expect(last.contacts == Array(ranking.prefix(3)))
    last.remove(ranking[1])
    #expect(last.contacts == [ranking[0], ranking[2], ranking[3]])
  }

  /// 240 elections of 2 among 8.
  @Test("Real tickets elect as evenly as ideal ones, and every one of them is checked")
  func realTickets() throws {
    let identities = try (0..<8).map { try Identity(seed: [UInt8](repeating: UInt8($0 + 1), count: 32)) }
    let keys = identities.map(\.publicKey)
    let sources = identities.map { identity in
      KeyTickets(identity: identity, network: [1, 2, 3]) { $0.index < 8 ? keys[Int($0.index)] : nil }
    }
    var beacon = Beacon<KeyTickets>(epoch: Seniority.firstEpoch, value: VRFOutput(beginningOf: [1, 2, 3]))
    var counts = [Int](repeating: 0, count: 8)
    for round in 0..<240 {
      let owner = Peer(round % 8)
      let share = beacon.share(of: owner, from: sources[round % 8])
      #expect(beacon.receive(share, since: 0, after: .zero, on: anySchedule, from: sources[0]) == .counts)
      beacon.advance()
      var election = ContactElection<KeyTickets>(ring: 9, beacon: beacon, seats: 2)
      for i in 0..<8 {
        let ticket = election.ticket(of: Peer(i), from: sources[i])
        #expect(election.receive(ticket, since: 0, from: sources[(i + 1) % 8]) == .counts)
      }
      for peer in election.contacts { counts[Int(peer.index)] += 1 }
    }
    let statistic = chiSquareWithoutReplacement(counts, variance: 240 * 0.25 * 0.75)
    #expect(statistic < chiSquareLimit(degreesOfFreedom: 7), "\(counts)")
    // Another's ticket, one of another network, and one of an unknown key prove nothing.
    let election = ContactElection<KeyTickets>(ring: 9, beacon: beacon, seats: 2)
    let good = election.ticket(of: Peer(0), from: sources[0])
    let foreign = KeyTickets(identity: identities[0], network: [1, 2]) { _ in keys[0] }
    #expect(sources[1].verifies(good.proof, of: election.draw, by: Peer(0)))
    #expect(!sources[1].verifies(good.proof, of: election.draw, by: Peer(1)))
    #expect(!sources[1].verifies(good.proof, of: election.draw, by: Peer(8)))
    #expect(!foreign.verifies(good.proof, of: election.draw, by: Peer(0)))
    #expect(!sources[1].verifies(good.proof, of: beacon.nextDraw, by: Peer(0)))
  }

  @Test("A ticket has the size it says, decodes to what it was, and refuses every other length")
  func wire() throws {
    let identity = try Identity(seed: [UInt8](repeating: 1, count: 32))
    let source = KeyTickets(identity: identity, network: []) { _ in identity.publicKey }
    let beacon = Beacon<KeyTickets>(epoch: 10, value: VRFOutput(beginningOf: []))
    let election = ContactElection<KeyTickets>(ring: .max, beacon: beacon, seats: 1)
    let ticket = election.ticket(of: Peer(7), from: source)
    let bytes = encoded(ticket)
    #expect(bytes.count == ticket.encodedByteCount)
    #expect(try decoded(ContactTicket<KeyTickets>.self, from: bytes) == ticket)
    for count in 0..<bytes.count {
      #expect(throws: WireError.self) {
        try decoded(ContactTicket<KeyTickets>.self, from: Array(bytes.prefix(count)))
      }
    }
    #expect(throws: WireError.trailing(1)) { try decoded(ContactTicket<KeyTickets>.self, from: bytes + [0]) }
  }
}
