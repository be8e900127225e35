import StarlingBroadcast
import StarlingCore
import StarlingLedger
import StarlingTestSupport
import Testing

@testable import StarlingNode

/// Seven members, of whom two may lie; this is the last of them, and the first is the sender.
@Suite("What a member that catches up believes")
struct CatchUpTests {
  private typealias Batch = CatchUp.Batch
  private var catchUp = CatchUp(
    members: (1...6).map { Peer($0) } + [PeerTable.own], own: 6, byzantine: 2,
    ordered: OrderedBroadcastConfiguration())
  private let owners: [Identity]
  private let payloads: [NodeBatch]

  init() throws {
    owners = try (0..<3).map { try Identity(seed: seedBytes(5, $0)) }
    let genesis = SHA256.hash([])
    let owners = owners
    payloads = (0..<200).map { number in
      NodeBatch(
        transfers: owners.map {
          SignedTransfer(
            Transfer(
              account: $0.publicKey, sequence: UInt64(number), funds: 9,
              destinations: [.init(account: owners[0].publicKey, amount: 1)]), in: genesis, by: $0)
        })
    }
  }

  private func word(_ number: UInt64, refusing refused: [UInt16] = []) -> DeliveryWord {
    DeliveryWord(
      digest: KeySecureAuthenticator.digest(of: payloads[Int(number)]), refused: refused, unready: refused)
  }

  private func carried(_ number: UInt64) -> CarriedBatch {
    CarriedBatch(
      signature: owners[0].sign([1]), encoded: payloads[Int(number)].encoded)
  }

  /// Runs what it wants done, as members would that answer at once.
  ///
  /// - Parameters:
  ///   - next: how far each member of 1 ... 6 is with the sender; one that is not named says nothing.
  ///   - say: what a member says of a number; `nil` for nothing from there on.
  ///   - give: the batch that a member gives.
  /// - Returns: what is delivered, and who is blamed.
  private mutating func run(
    next: [Int: UInt64], until end: Instant, applied: Set<PublicKey> = [], at start: Instant = .zero,
    say: ((Int, UInt64) -> DeliveryWord?)? = nil, give: ((Int, UInt64) -> CarriedBatch?)? = nil
  ) -> (delivered: [(number: UInt64, refused: [UInt16])], blamed: Set<Peer>) {
    var (delivered, blamed): ([(number: UInt64, refused: [UInt16])], Set<Peer>) = ([], [])
    var now = start
    while now <= end {
      var acts = catchUp.tick(at: now)
      acts += catchUp.proceed(at: now) { account, _ in applied.contains(account) }
      // One that went on for ever would be a mistake of its own.
      var steps = 0
      while !acts.isEmpty, steps < 10_000 {
        steps += 1
        switch acts.removeFirst() {
        case .deliver(let batch, let refused): delivered.append((batch.identifier.sequence, refused))
        case .blame(let peer): blamed.insert(peer)
        case .arrived, .vouch, .complete, .settled: break
        case .ask(.askProgress, let peer):
          guard let next = next[Int(peer.index)] else { continue }
          catchUp.take(progress: [next, 0, 0, 0, 0, 0, 0], from: 0, of: peer)
        case .ask(.askWords(let range), let peer):
          guard let end = next[Int(peer.index)] else { continue }
          let numbers = range.from..<min(end, range.from + UInt64(range.count))
          var words: [DeliveryWord] = []
          for number in numbers {
            guard let word = say.map({ $0(Int(peer.index), number) }) ?? word(number) else { break }
            words.append(word)
          }
          catchUp.take(words: words, of: range.sender, from: range.from, next: end, by: peer, at: now)
        case .ask(.askBatches(let range), let peer):
          let numbers = range.from..<range.from + UInt64(range.count)
          var batches: [CarriedBatch] = []
          for number in numbers {
            guard let batch = give.map({ $0(Int(peer.index), number) }) ?? carried(number) else { break }
            batches.append(batch)
          }
          // Silence.
          if batches.isEmpty { continue }
          acts += catchUp.take(
            batches: batches, of: range.sender, from: range.from, by: peer, at: now, isSigned: { _ in true })
        case .ask: break
        }
        if acts.isEmpty { acts = catchUp.proceed(at: now) { account, _ in applied.contains(account) } }
      }
      now = now + CatchUp.tickForTests
    }
    return (delivered, blamed)
  }

  private func all(_ next: UInt64, _ members: ClosedRange<Int> = 1...6) -> [Int: UInt64] {
    Dictionary(uniqueKeysWithValues: members.map { ($0, next) })
  }

  @Test("It delivers what three of seven say, in order, and what two say it does not")
  mutating func enough() {
    let second = run(next: all(150, 1...2), until: .zero + .seconds(60))
    #expect(second.delivered.isEmpty && !catchUp.isBehind)
    let third = run(next: all(150, 1...3), until: .zero + .seconds(90), at: .zero + .seconds(61))
    #expect(third.delivered.map(\.number) == Array(0..<150) && third.blamed.isEmpty)
    #expect(third.delivered.allSatisfy { $0.refused.isEmpty })
  }

  @Test("Two liars who say alike that another batch was delivered, or less of it, are not believed")
  mutating func liars() {
    let outcome = run(next: all(150), until: .zero + .seconds(30)) { [self] member, number in
      if member == 1 || member == 2 {
        return number % 2 == 0 ? word(number + 1) : word(number, refusing: [0, 1, 2])
      }
      return word(number)
    }
    #expect(outcome.delivered.map(\.number) == Array(0..<150))
    #expect(outcome.delivered.allSatisfy { $0.refused.isEmpty })
  }

  @Test("Two liars who say that they are further make it wait for nothing")
  mutating func further() {
    let next: [Int: UInt64] = [1: 5_000, 2: 5_000, 3: 100, 4: 100, 5: 100, 6: 90]
    let outcome = run(next: next, until: .zero + .seconds(30))
    #expect(outcome.delivered.map(\.number) == Array(0..<100))
    #expect(!catchUp.isBehind)
  }

  @Test(
    "Who gives another batch than the one that is confirmed is told, and no more is asked of it for a while")
  mutating func garbage() {
    var asked: [Int: Int] = [:]
    let outcome = run(
      next: all(150), until: .zero + .seconds(30),
      give: { [self] member, number in
        asked[member, default: 0] += 1
        return member == 1 ? carried((number + 1) % 200) : carried(number)
      })
    #expect(outcome.delivered.map(\.number) == Array(0..<150))
    #expect(outcome.blamed == [Peer(1)])
    #expect(asked[1, default: 0] <= CatchUp.openLimit * Int(CatchUp.rangeLimit))
  }

  @Test("Who gives no batch in time is passed over")
  mutating func silence() {
    // What is asked of two of them is lost.
    let outcome = run(
      next: all(150), until: .zero + .seconds(30),
      give: { [self] member, number in
        member <= 2 ? nil : carried(number)
      })
    #expect(outcome.delivered.map(\.number) == Array(0..<150))
  }

  @Test("When all that have a batch gave none in time, as when all lost power, they are asked again soon")
  mutating func allSilent() {
    var asked: [Int: Int] = [:]
    let outcome = run(
      next: all(150), until: .zero + .seconds(40),
      give: { [self] member, number in
        asked[member, default: 0] += 1
        return asked[member, default: 0] <= CatchUp.openLimit ? nil : carried(number)
      })
    #expect(outcome.delivered.map(\.number) == Array(0..<150))
  }

  @Test("An entry that is refused for good is refused; one that three delivered is delivered")
  mutating func refusals() {
    // Far back: what a member has not delivered of it, it never will.
    let outcome = run(next: all(150), until: .zero + .seconds(1)) { [self] member, number in
      if number == 3 { return word(3, refusing: [1]) }
      if number == 4 { return word(4, refusing: member <= 3 ? [1] : []) }
      // Two liars say that they delivered what no correct member did.
      if number == 5 { return word(5, refusing: member <= 2 ? [] : [2]) }
      return word(number)
    }
    #expect(outcome.delivered.prefix(6).map(\.refused) == [[], [], [], [1], [], [2]])
  }

  @Test("What may yet be completed is asked for again, and for so long the rest waits")
  mutating func completed() {
    // Near: three have it, as they say at last.
    var asked = 0
    let next = all(40)
    let early = run(next: next, until: .zero + .seconds(3)) { [self] _, number in
      if number == 9 { asked += 1 }
      return word(number, refusing: number == 9 ? [1] : [])
    }
    #expect(early.delivered.map(\.number) == Array(0..<9))
    #expect(asked > 6, "they are asked again")
    let late = run(next: next, until: .zero + .seconds(6), at: .zero + .seconds(4)) { [self] member, number in
      word(number, refusing: number == 9 && member > 3 ? [1] : [])
    }
    #expect(late.delivered.map(\.number) == Array(9..<40) && late.delivered.first?.refused == [])
  }

  @Test("What stays refused holds nothing up for long, and what was applied by another batch for no time")
  mutating func disputed() throws {
    var fresh = self
    let outcome = fresh.run(next: all(40), until: .zero + .seconds(12)) { [self] _, number in
      word(number, refusing: number % 4 == 1 ? [1] : [])
    }
    #expect(outcome.delivered.map(\.number) == Array(0..<40))
    #expect(outcome.delivered[1].refused == [1] && outcome.delivered[2].refused == [])
    let quick = run(next: all(40), until: .zero + .seconds(1), applied: [owners[1].publicKey]) {
      [self] _, number in word(number, refusing: number % 4 == 1 ? [1] : [])
    }
    #expect(quick.delivered.map(\.number) == Array(0..<40))
  }

  @Test("A small gap is left to the votes, unless it stays")
  mutating func gap() {
    let early = run(next: all(20), until: .zero + .seconds(2))
    #expect(early.delivered.isEmpty)
    let late = run(next: all(20), until: .zero + .seconds(8), at: .zero + .seconds(3))
    #expect(late.delivered.map(\.number) == Array(0..<20))
  }
}

extension CatchUp {
  fileprivate static var tickForTests: Interval { SecurePart.tickInterval }
}
