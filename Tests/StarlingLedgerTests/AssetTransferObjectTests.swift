import StarlingCore
import StarlingLedger
import StarlingTestSupport
import Testing

typealias Account = AssetTransferObject.Account
typealias Credit = AssetTransferObject.Credit
typealias Opening = AssetTransferObject.Opening

@Suite("The asset-transfer object type")
struct AssetTransferObjectTests {
  private let owner = Peer(0)
  private let other = Peer(1)
  private let a = Account(0)
  private let b = Account(1)
  private let c = Account(2)

  /// a has 5 and one owner, b 1 and two, c nothing and nobody.
  private func object() throws -> AssetTransferObject {
    try AssetTransferObject([
      Opening(balance: 5, owners: [owner]), Opening(balance: 1, owners: [owner, other]),
      Opening(balance: 0, owners: []),
    ])
  }

  private func expect(
    _ operation: AssetTransferObject.Operation, by process: Peer, is response: AssetTransferObject.Response,
    leaving balances: [UInt64], _ location: SourceLocation = #_sourceLocation
  ) throws {
    let object = try object()
    var state = object.initialBalances
    #expect(object.apply(operation, by: process, to: &state) == response, sourceLocation: location)
    #expect(state == balances, sourceLocation: location)
  }

  @Test("A transfer succeeds for an owner if the source has enough, to the last unit")
  func transfers() throws {
    try expect(.transfer(3, from: a, to: b), by: owner, is: .transferred(true), leaving: [2, 4, 0])
    try expect(.transfer(5, from: a, to: c), by: owner, is: .transferred(true), leaving: [0, 1, 5])
    try expect(.transfer(6, from: a, to: c), by: owner, is: .transferred(false), leaving: [5, 1, 0])
    try expect(.transfer(0, from: a, to: b), by: owner, is: .transferred(true), leaving: [5, 1, 0])
  }

  @Test("A transfer fails for whoever does not own the source, even of nothing")
  func owners() throws {
    try expect(.transfer(1, from: a, to: b), by: other, is: .transferred(false), leaving: [5, 1, 0])
    try expect(.transfer(0, from: a, to: b), by: other, is: .transferred(false), leaving: [5, 1, 0])
    try expect(.transfer(0, from: c, to: b), by: owner, is: .transferred(false), leaving: [5, 1, 0])
    for process in [owner, other] {
      try expect(.transfer(1, from: b, to: c), by: process, is: .transferred(true), leaving: [5, 0, 1])
    }
  }

  @Test("A transfer from an account to itself needs the amount and changes nothing")
  func toItself() throws {
    try expect(.transfer(5, from: a, to: a), by: owner, is: .transferred(true), leaving: [5, 1, 0])
    try expect(.transfer(6, from: a, to: a), by: owner, is: .transferred(false), leaving: [5, 1, 0])
  }

  @Test("Anybody reads a balance, which changes nothing")
  func reads() throws {
    try expect(.read(a), by: other, is: .balance(5), leaving: [5, 1, 0])
    try expect(.read(c), by: Peer(9), is: .balance(0), leaving: [5, 1, 0])
  }

  @Test("A transfer to several destinations pays all or none, from the sum on")
  func severalDestinations() throws {
    let all = [Credit(2, to: b), Credit(1, to: c), Credit(1, to: b), Credit(1, to: a)]
    try expect(.transfer(from: a, to: all), by: owner, is: .transferred(true), leaving: [1, 4, 1])
    try expect(
      .transfer(from: a, to: all + [Credit(1, to: c)]), by: owner, is: .transferred(false),
      leaving: [5, 1, 0])
    try expect(.transfer(from: a, to: []), by: owner, is: .transferred(true), leaving: [5, 1, 0])
    let tooMuch = [Credit(.max, to: b), Credit(6, to: c)]
    try expect(.transfer(from: a, to: tooMuch), by: owner, is: .transferred(false), leaving: [5, 1, 0])
  }

  @Test("Initial balances may sum to 2^64 - 1 and not to 2^64; the whole supply fits into one account")
  func supply() throws {
    let most = try AssetTransferObject([
      Opening(balance: .max - 1, owners: [owner]), Opening(balance: 1, owners: [owner]),
    ])
    var balances = most.initialBalances
    #expect(most.apply(.transfer(1, from: b, to: a), by: owner, to: &balances) == .transferred(true))
    #expect(balances == [.max, 0])
    #expect(throws: AssetSupplyOverflow()) {
      try AssetTransferObject([Opening(balance: .max, owners: []), Opening(balance: 1, owners: [])])
    }
  }

  @Test("No sequence of operations changes the supply")
  func conservation() throws {
    var random = testRandom()
    for _ in 0..<100 {
      var left = UInt64.max
      let openings = (0..<4).map { _ in
        let balance = random.oneIn(2) ? UInt64(random.uniform(below: 9)) : random.next() % (left / 2)
        left -= balance
        return Opening(balance: balance, owners: random.sample(2, below: 3).map { Peer($0) })
      }
      let object = try AssetTransferObject(openings)
      var balances = object.initialBalances
      let supply = balances.reduce(0, +)
      for _ in 0..<100 {
        let credits = (0..<random.uniform(below: 4)).map { _ in
          Credit(random.next() >> UInt64(random.uniform(below: 64)), to: Account(random.uniform(below: 4)))
        }
        let source = Account(random.uniform(below: 4))
        _ = object.apply(
          .transfer(from: source, to: credits), by: Peer(random.uniform(below: 3)), to: &balances)
        #expect(balances.reduce(0, +) == supply, "\(replay)")
      }
    }
  }

  @Test("Operations say what they are in few words")
  func descriptions() {
    #expect("\(AssetTransferObject.Operation.transfer(3, from: a, to: b))" == "transfer 3 to 1 from 0")
    #expect(
      "\(AssetTransferObject.Operation.transfer(from: a, to: [Credit(3, to: b), Credit(4, to: c)]))"
        == "transfer 3 to 1, 4 to 2 from 0")
    #expect(
      "\(AssetTransferObject.Operation.read(b)) → \(AssetTransferObject.Response.balance(4))" == "read 1 → 4")
  }
}
