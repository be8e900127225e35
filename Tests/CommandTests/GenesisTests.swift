import Foundation
import StarlingCore
import StarlingLedger
import Testing

@Suite("Genesis files") struct GenesisCommandTests {
  private let key = String(repeating: "ab", count: 32)

  @Test("Members come from a list, or from a directory of identities and public keys")
  func members() throws {
    let folder = try TemporaryFolder()
    let directory = folder.path("keys")
    try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: false)
    var keys: [String] = []
    for name in ["a", "b", "c"] {
      let made = try CommandRun(["keys", "new", "--out", "\(directory)/\(name)", "--json"]).json()
      keys.append(try #require(made["key"] as? String))
    }
    keys.append(String(repeating: "cd", count: 32))
    _ = try folder.write("keys/d.pub", "# a friend's\n\(keys[3])\n")
    let list = try folder.write(
      "members", keys.enumerated().map { "\($1) 127.0.0.1:\(4_400 + $0)" }.joined(separator: "\n"))
    var ledgers: Set<String> = []
    for (source, name) in [(directory, "one"), (list, "two")] {
      let words = [
        "genesis", "new", "--members", source, "--account", "\(key)=18446744073709551615", "--out",
        folder.path(name),
        "--json",
      ]
      let run = try CommandRun(words)
      #expect(run.exitCode == 0, "\(run.messages)")
      let result = try run.json()
      #expect(result["byzantine"] as? Int == 1 && result["supply"] as? String == "18446744073709551615")
      #expect(result["members"] as? [String] == keys.sorted())
      let text = try String(contentsOfFile: folder.path(name), encoding: .utf8)
      #expect(try Genesis(parsing: text).hash.description == result["ledger"] as? String)
      ledgers.insert(try #require(result["ledger"] as? String))
      let again = try CommandRun(words)
      #expect(again.exitCode == 1 && again.messages.contains("not overwritten"), "\(again.messages)")
      #expect(try String(contentsOfFile: folder.path(name), encoding: .utf8) == text)
    }
    #expect(ledgers.count == 1)
    // An account may be named as the wallet names it.
    let wallet = folder.path("wallet")
    let made = try CommandRun(["wallet", "new", "bob", "--dir", wallet, "--json"]).json()
    let run = try CommandRun([
      "genesis", "new", "--members", list, "--account", "bob=7", "--byzantine", "0", "--network", "birds",
      "--dir",
      wallet, "--out", folder.path("three"),
    ])
    #expect(run.exitCode == 0 && run.messages.isEmpty, "\(run.messages)")
    let genesis = try Genesis(parsing: try String(contentsOfFile: folder.path("three"), encoding: .utf8))
    #expect(genesis.balances.map(\.key.description) == [made["account"] as? String])
    #expect(genesis.byzantine == 0 && genesis.network == "birds" && genesis.supply == 7)
  }
}
