import StarlingCore
import StarlingOverlay

/// Shares of the beacon are taken at the epoch's start where time does not matter.
let anySchedule = BeaconSchedule(step: .seconds(1))

/// A network of rings with ideal tickets, all of whose members are founders. Some collude: they know everybody's
/// tickets, reveal the beacon's shares last, and only those that suit them.
struct ElectoralNetwork {
  let rings: Int
  let ringSize: Int
  let seats: Int
  let colluders: Set<Peer>
  var beacon: Beacon<IdealTickets>
  /// The next key that was not used for trying.
  private var freshKey = 1 << 24

  /// - Parameters:
  ///   - colluders: how many of the peers collude: the first after a shuffle.
  ///   - random: chooses colluders and the value the beacon begins with.
  init(rings: Int, ringSize: Int, seats: Int, colluders: Int, random: inout Xoshiro256) {
    (self.rings, self.ringSize, self.seats) = (rings, ringSize, seats)
    self.colluders = Set(random.sample(colluders, below: rings * ringSize).map { Peer($0) })
    beacon = Beacon(epoch: Seniority.firstEpoch, value: IdealTicketValue(random.next()))
  }

  var peers: [Peer] { (0..<rings * ringSize).map { Peer($0) } }

  func members(of ring: Int) -> [Peer] { (ring * ringSize..<(ring + 1) * ringSize).map { Peer($0) } }

  /// The contacts of every ring under a beacon's value.
  func contacts(under beacon: Beacon<IdealTickets>) -> [[Peer]] {
    (0..<rings).map { ring in
      var election = ContactElection<IdealTickets>(ring: UInt64(ring), beacon: beacon, seats: seats)
      for peer in members(of: ring) {
        let source = IdealTickets(owner: peer)
        let verdict = election.receive(election.ticket(of: peer, from: source), since: 0, from: source)
        precondition(verdict == .counts, "a founder's ticket: \(verdict)")
      }
      return election.contacts
    }
  }

  func seatsWon(_ contacts: [[Peer]]) -> Int { contacts.joined().count { colluders.contains($0) } }

  /// Goes on to the next epoch, by the value among those that the colluders can bring about that wins them most seats:
  /// all others have revealed their shares, and the colluders show none of theirs or any one of them.
  ///
  /// - Returns: the contacts of every ring.
  mutating func advance() -> [[Peer]] {
    var honest = beacon
    for peer in peers where !colluders.contains(peer) { reveal(peer, to: &honest) }
    var best: (beacon: Beacon<IdealTickets>, contacts: [[Peer]], seats: Int)?
    var tried: Set<IdealTicketValue> = []
    for shown in [nil] + peers.filter({ colluders.contains($0) }) {
      var next = honest
      if let shown { reveal(shown, to: &next) }
      next.advance()
      guard tried.insert(next.value).inserted else { continue }
      let contacts = contacts(under: next)
      let seats = seatsWon(contacts)
      if best.map({ seats > $0.seats }) ?? true { best = (next, contacts, seats) }
    }
    if let best { beacon = best.beacon }
    return best?.contacts ?? []
  }

  private func reveal(_ peer: Peer, to other: inout Beacon<IdealTickets>) {
    let source = IdealTickets(owner: peer)
    let share = beacon.share(of: peer, from: source)
    _ = other.receive(share, since: 0, after: .zero, on: anySchedule, from: source)
  }

  /// A key that was not there before: of so many that are tried, the one with the lowest ticket for a draw.
  mutating func groundKey(for draw: Draw<IdealTicketValue>, tries: Int) -> Peer {
    var best = (peer: Peer(freshKey), value: UInt64.max)
    for _ in 0..<tries {
      let source = IdealTickets(owner: Peer(freshKey))
      let value = source.claim(of: source.draw(draw))?.prefix ?? .max
      if value < best.value { best = (Peer(freshKey), value) }
      freshKey += 1
    }
    return best.peer
  }
}

/// Pearson's statistic of how often each of the equals among a ring's members was elected, for drawing without replacement:
/// chi-square with one degree of freedom less than there are members.
///
/// In an election that gives k of its seats to n equals, each is elected with p = k/n: a variance of p(1 − p), and, because
/// the counts add up to k, a covariance of −p(1 − p)/(n − 1) between two. Over elections these add up: with V = Σ p(1 − p)
/// the counts' covariances are V·n/(n − 1)·(I − J/n), J all ones, so that Σ (X − mean)² is V·n/(n − 1) times chi-square with
/// n − 1 degrees. With k = c in all of E elections that is Pearson's Σ (X − Ec/n)²/(Ec/n) divided by (n − c)/(n − 1):
/// drawing without replacement shrinks the multinomial's variance by that.
///
/// - Parameters:
///   - counts: how often each was elected.
///   - variance: V.
func chiSquareWithoutReplacement(_ counts: [Int], variance: Double) -> Double {
  let n = Double(counts.count)
  let mean = Double(counts.reduce(0, +)) / n
  let squares = counts.reduce(0) { $0 + (Double($1) - mean) * (Double($1) - mean) }
  return squares * (n - 1) / (variance * n)
}
