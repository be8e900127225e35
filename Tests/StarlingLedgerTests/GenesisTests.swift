import StarlingCore
import StarlingLedger
import Testing

@Suite("Genesis")
struct GenesisTests {
  private static func genesis() throws -> Genesis {
    try Genesis(
      network: "birds", members: (1...4).map(key), byzantine: 1, balances: [key(9): 5, key(8): .max - 5])
  }

  @Test("A genesis survives its file, and the order of its lines changes nothing")
  func file() throws {
    let genesis = try GenesisTests.genesis()
    #expect(genesis.supply == .max)
    #expect(try Genesis(parsing: genesis.text) == genesis)
    let lines = genesis.text.split(separator: "\n")
    let shuffled = lines[...3] + lines[4...].reversed() + ["", "  # a remark"]
    let again = try Genesis(parsing: shuffled.joined(separator: "\n"))
    #expect(again.hash == genesis.hash)
  }

  @Test("Whatever differs in a ledger's beginning differs in its hash")
  func hash() throws {
    let members = (1...4).map(key)
    let balances = [key(9): UInt64(5)]
    let all = [
      try Genesis(network: "birds", members: members, byzantine: 1, balances: balances),
      try Genesis(network: "bird", members: members, byzantine: 1, balances: balances),
      try Genesis(network: "birds", members: members, byzantine: 0, balances: balances),
      try Genesis(network: "birds", members: members + [key(5)], byzantine: 1, balances: balances),
      try Genesis(network: "birds", members: members, byzantine: 1, balances: [key(9): 6]),
      try Genesis(network: "birds", members: members, byzantine: 1, balances: [key(7): 5]),
      try Genesis(network: "birds", members: members, byzantine: 1, balances: [:]),
    ]
    #expect(Set(all.map(\.hash)).count == all.count)
  }

  @Test("What does not fit is refused")
  func refusals() {
    for (network, members, byzantine, balances) in [
      ("", [1], 0, [:]), ("two words", [1], 0, [:]), (String(repeating: "a", count: 65), [1], 0, [:]),
      ("n", [], 0, [:]), ("n", [1, 1], 0, [:]), ("n", [1, 2, 3], 1, [:]), ("n", [1], -1, [:]),
      ("n", [1], 0, [1: 0]), ("n", [1], 0, [1: .max, 2: 1]),
    ] as [(String, [Int], Int, [Int: UInt64])] {
      #expect(throws: QuantityError.self, "\(network) \(members) \(byzantine) \(balances)") {
        try Genesis(
          network: network, members: members.map(key), byzantine: byzantine,
          balances: Dictionary(uniqueKeysWithValues: balances.map { (key($0.key), $0.value) }))
      }
    }
  }

  @Test("A file that is none names the line, or what it lacks")
  func parsing() {
    let head = "starling-genesis 1\nnetwork n\nbyzantine 0\n"
    let member = "member \(key(1))\n"
    for (text, part) in [
      ("", "lacks the line 'network"), ("network n", "begins with the line"),
      ("starling-genesis 2", "use a newer program"),
      ("starling-genesis 1\nbyzantine 0", "lacks the line 'network"),
      ("starling-genesis 1\nnetwork n\n", "lacks the line 'byzantine"), (head, "one member or more"),
      (head + "member xyz", "Line 4 is no member"), (head + member + member, "Line 5 is no member"),
      (head + "account \(key(1)) -1", "Line 4 is no account"),
      (head + "account \(key(1)) 18446744073709551616", "Line 4 is no account"),
      (head + "network m", "Line 4 of the genesis"), (head + "miner 7", "\"miner\""),
    ] {
      let error = #expect(throws: QuantityError.self) { try Genesis(parsing: text) }
      #expect(error?.description.contains(part) == true, "\(text): \(error?.description ?? "")")
    }
  }
}
