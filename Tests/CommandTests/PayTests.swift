import Foundation
import StarlingCore
import StarlingLedger
import Testing

@testable import StarlingRuntime

/// Paying with the real command through a stand-in of a node.
@Suite("Paying") struct PayTests {
  private let folder: TemporaryFolder
  private let wallet: String
  private let owner: PublicKey
  private let node: LedgerDouble
  private let to = String(repeating: "ab", count: 32)

  init() throws {
    folder = try TemporaryFolder()
    wallet = folder.path("wallet")
    let made = try CommandRun(["wallet", "new", "--dir", wallet, "--json"]).json()
    owner = try #require((made["account"] as? String).flatMap { PublicKey(hexadecimal: $0.utf8) })
    node = try LedgerDouble([owner: 1_000])
  }

  private func pay(_ words: [String] = []) -> [String] {
    ["pay", "--node", node.url, "--dir", wallet] + words
  }

  /// That every transfer which ever came had a number of its own.
  private func checkNumbers(_ comment: Comment = "") {
    let received = node.with { $0.received }
    for (sequence, transfers) in Dictionary(grouping: received, by: \.transfer.sequence) {
      #expect(Set(transfers).count == 1, "two transfers of number \(sequence) were signed \(comment)")
    }
  }

  @Test("A payment arrives, and history, transfer and certificate tell of it")
  func flow() throws {
    let genesis = try folder.write("genesis", node.genesis.text)
    let paid = try CommandRun(
      pay([
        "--to", to, "--amount", "5", "--to", "default", "--amount", "2", "--memo", "for seeds", "--wait",
        "--json",
        "--genesis", genesis,
      ]))
    #expect(paid.exitCode == 0 && paid.messages.isEmpty, "\(paid.messages)")
    let payment = try paid.json()
    #expect(payment["state"] as? String == "final" && payment["total"] as? String == "7")
    #expect(payment["sequence"] as? Int == 0 && payment["funds"] as? String == "1000")
    let id = try #require(payment["id"] as? String)
    let node = ["--node", node.address, "--genesis", genesis, "--dir", wallet, "--json"]
    let balance = try CommandRun(["balance"] + node).json()
    #expect(balance["balance"] as? String == "995" && balance["next"] as? Int == 1)
    #expect(try CommandRun(["balance", to] + node.dropLast()).output == "5\n")
    let history = try CommandRun(["history", "--limit", "1"] + node).json()
    let entries = try #require(history["entries"] as? [[String: Any]])
    #expect(entries.count == 1 && entries[0]["memo"] as? String == "for seeds")
    #expect(try CommandRun(["transfer", id] + node).json()["state"] as? String == "final")
    let certificate = folder.path("certificate")
    #expect(try CommandRun(["certificate", id, "--out", certificate] + node.dropLast()).exitCode == 0)
    let verify = ["certificate", "--verify", certificate, "--genesis"]
    let proven = try CommandRun(verify + [genesis, "--json"])
    #expect(proven.exitCode == 0, "\(proven.messages)")
    #expect(try proven.json()["id"] as? String == id)
    let other = try LedgerDouble([owner: 999])
    let foreign = try CommandRun(verify + [try folder.write("other", other.genesis.text)])
    #expect(foreign.exitCode == 1 && foreign.messages.contains("another ledger"))
    let listed = try CommandRun(["wallet", "show", "--dir", wallet, "--json"]).json()
    #expect(listed["signed"] as? Int == 1 && listed["unfinished"] as? Int == 0)
  }

  @Test("Pages of a history are put together, and no page is asked for twice")
  func pages() throws {
    for _ in 0..<3 { #expect(try CommandRun(pay(["--to", to, "--amount", "1"])).exitCode == 0) }
    let history = try CommandRun(["history", "--node", node.url, "--dir", wallet, "--json"]).json()
    #expect((history["entries"] as? [Any])?.count == 3)
  }

  @Test("A wallet that is killed before the node has heard signs nothing else under the number")
  func killed() throws {
    let process = try CommandRun.process(pay(["--to", to, "--amount", "5", "--memo", "first"]))
    process.standardError = FileHandle.nullDevice
    // The request's head is there, and nothing of the transfer: it is signed, and nobody has it.
    let victim = Victim(process)
    node.with {
      $0.onSubmission = { victim.kill() }
      $0.mode = .deaf
    }
    try CommandRun.start(process)
    process.waitUntilExit()
    #expect(process.terminationReason == .uncaughtSignal)
    node.with {
      $0.onSubmission = nil
      $0.mode = .honest
    }
    let second = try CommandRun(pay(["--to", to, "--amount", "7", "--memo", "second", "--wait"]))
    #expect(second.exitCode == 0, "\(second.messages)")
    #expect(
      node.with { $0.applied }.map { String(decoding: $0.transfer.memo, as: UTF8.self) } == [
        "first", "second",
      ])
    #expect(node.with { $0.applied }.map(\.transfer.funds) == [1_000, 995])
    checkNumbers()
  }

  @Test("Wallets that are killed at any moment and run beside each other never sign a number twice")
  func killedAnywhere() throws {
    // Milliseconds, some before the process has begun and some after its end.
    for delay in stride(from: 0, to: 120, by: 6) {
      let processes = try (0..<2).map { index in
        try CommandRun.process(pay(["--to", to, "--amount", "1", "--memo", "\(delay) \(index)"]))
      }
      for process in processes {
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        try CommandRun.start(process)
      }
      usleep(UInt32(delay) * 1_000)
      kill(processes[0].processIdentifier, SIGKILL)
      for process in processes { process.waitUntilExit() }
    }
    let resend = try CommandRun(pay(["--resend", "--wait"]))
    #expect(resend.exitCode == 0, "\(resend.messages)")
    checkNumbers()
    let shown = try CommandRun(["wallet", "show", "--dir", wallet, "--json"]).json()
    let applied = node.with { $0.applied }
    #expect(applied.map(\.transfer.sequence) == (0..<UInt64(applied.count)).map { $0 })
    #expect(shown["signed"] as? Int == applied.count && shown["unfinished"] as? Int == 0)
    // Those that were not killed have all been taken.
    #expect(applied.count >= 20)
    #expect(Set(applied.map(\.transfer.memo)).count == applied.count)
  }

  @Test("Many wallets' processes at once pay one after the other")
  func together() throws {
    let processes = try (0..<10).map { index in
      try CommandRun.process(pay(["--to", to, "--amount", "1", "--memo", "\(index)", "--wait"]))
    }
    for process in processes {
      process.standardOutput = FileHandle.nullDevice
      process.standardError = FileHandle.nullDevice
      try CommandRun.start(process)
    }
    for process in processes {
      process.waitUntilExit()
      #expect(process.terminationStatus == 0)
    }
    checkNumbers()
    let applied = node.with { $0.applied }
    #expect(applied.map(\.transfer.sequence) == (0..<10).map { $0 })
    #expect(Set(applied.map(\.transfer.memo)).count == 10)
  }

  @Test("What is not final is waited for in vain with exit code 1, and is sent again as it was signed")
  func waiting() throws {
    node.with { $0.mode = .holding }
    let words = ["--to", to, "--amount", "1"]
    #expect(try CommandRun(pay(words)).exitCode == 0)
    let waiting = try CommandRun(pay(words + ["--wait", "--timeout", "300ms"]))
    #expect(
      waiting.exitCode == 1 && waiting.messages.contains("not final after 300ms"), "\(waiting.messages)")
    node.with {
      $0.mode = .honest; node.deliver(&$0)
    }
    let resent = try CommandRun(pay(["--resend", "--wait", "--json"]))
    #expect(resent.exitCode == 0, "\(resent.messages)")
    #expect(try (resent.json()["resent"] as? [Any])?.count == 2)
    #expect(try CommandRun(pay(["--resend"])).output.contains("all that was signed is final"))
    checkNumbers()
  }

  @Test("A second copy of a wallet whose number was used is told so, and goes on")
  func copies() throws {
    let copy = folder.path("copy")
    try FileManager.default.copyItem(atPath: wallet, toPath: copy)
    let words = ["pay", "--node", node.url, "--dir", copy, "--to", to, "--amount", "2"]
    node.with { $0.mode = .deaf }
    let unsent = try CommandRun(words + ["--timeout", "300ms"])
    #expect(
      unsent.exitCode == 1 && unsent.messages.contains("--resend` sends it again"), "\(unsent.messages)")
    node.with { $0.mode = .honest }
    #expect(try CommandRun(pay(["--to", to, "--amount", "1", "--wait"])).exitCode == 0)
    let second = try CommandRun(words + ["--wait"])
    #expect(
      second.exitCode == 0 && second.messages.contains("Number 0 of the account is used"),
      "\(second.messages)")
    #expect(node.with { $0.applied }.map(\.transfer.total) == [1, 2])
    checkNumbers()
  }

  @Test("A node is believed about its ledger once, and never again something else")
  func trust() throws {
    let words = ["--to", to, "--amount", "1"]
    let first = try CommandRun(pay(words))
    #expect(first.exitCode == 0 && first.messages.contains("note: Believing the node"), "\(first.messages)")
    #expect(try CommandRun(pay(words)).messages.isEmpty)
    let other = try LedgerDouble([owner: 1], network: "other")
    node.with { $0.lie = other.genesis.hash.description }
    let changed = try CommandRun(pay(words))
    #expect(
      changed.exitCode == 1 && changed.messages.contains("when this wallet first asked it"),
      "\(changed.messages)")
    let read = try CommandRun(["balance", "--node", node.url, "--dir", wallet])
    #expect(read.exitCode == 1 && read.messages.contains("when this wallet first asked it"))
    node.with { $0.lie = nil }
    let genesis = try folder.write("other", other.genesis.text)
    let wrong = try CommandRun(pay(words + ["--genesis", genesis]))
    #expect(wrong.exitCode == 1 && wrong.messages.contains("keeps another ledger"), "\(wrong.messages)")
    #expect(node.with { $0.received }.count == 2)
  }

  @Test("Who has too little, or asks a node that is none, is told so, and nothing is signed")
  func refusals() throws {
    let poor = try CommandRun(pay(["--to", to, "--amount", "1001"]))
    #expect(
      poor.exitCode == 1 && poor.messages.contains("holds 1000, less than the 1001"), "\(poor.messages)")
    node.with { $0.mode = .refusing }
    let refused = try CommandRun(pay(["--to", to, "--amount", "1", "--timeout", "300ms"]))
    #expect(
      refused.exitCode == 1 && refused.messages.contains("does not take number 0"), "\(refused.messages)")
    node.with { $0.mode = .honest }
    node.with { $0.excess = 1 }
    let audit = ["ledger", "audit", "--node", node.url]
    let unsound = try CommandRun(audit)
    #expect(unsound.exitCode == 1 && unsound.messages.contains("add up to 1001"), "\(unsound.messages)")
    node.with { $0.excess = 0 }
    let second = try LedgerDouble([owner: 1_000])
    let sound = try CommandRun(audit + ["--node", second.url, "--json"])
    #expect(sound.exitCode == 0, "\(sound.messages)")
    #expect(try sound.json()["agreeing"] as? Bool == true)
  }

  @Test("What a node called final and never passed on is sent again to one that has not heard of it")
  func lies() throws {
    node.with { $0.mode = .lying }
    let first = try CommandRun(pay(["--to", to, "--amount", "1", "--wait", "--json"]))
    #expect(first.exitCode == 0, "\(first.messages)")
    node.with { $0.mode = .honest }
    let second = try CommandRun(pay(["--to", to, "--amount", "2", "--wait"]))
    #expect(second.exitCode == 0, "\(second.messages)")
    #expect(node.with { $0.applied }.map(\.transfer.total) == [1, 2])
    checkNumbers()
  }

  @Test("With several nodes the least of their balances is relied on, and different ledgers are refused")
  func severalNodes() throws {
    let boast = try LedgerDouble([owner: 999])
    let both = try CommandRun(pay(["--node", boast.url, "--to", to, "--amount", "1"]))
    #expect(both.exitCode == 1 && both.messages.contains("different ledgers"), "\(both.messages)")
    // Two nodes of one ledger, of which one has heard of a credit, or made it up.
    let rich = try Identity(seed: [UInt8](repeating: 9, count: 32))
    let nodes = try (0..<2).map { _ in try LedgerDouble([owner: 1_000, rich.publicKey: 50]) }
    let credit = SignedTransfer(
      Transfer(
        account: rich.publicKey, sequence: 0, funds: 50, destinations: [.init(account: owner, amount: 50)]),
      in: nodes[0].genesis.hash, by: rich)
    nodes[0].with { state in
      #expect(state.keeper.submit(credit) { _ in true } == nil)
      nodes[0].deliver(&state)
    }
    let words = [
      "pay", "--dir", wallet, "--node", nodes[0].url, "--node", nodes[1].url, "--to", to, "--amount",
    ]
    let boasted = try CommandRun(words + ["1050"])
    #expect(boasted.exitCode == 1 && boasted.messages.contains("holds 1000"), "\(boasted.messages)")
    let paid = try CommandRun(words + ["1", "--json"])
    #expect(paid.exitCode == 0, "\(paid.messages)")
    #expect(try paid.json()["funds"] as? String == "1000")
    #expect(nodes[0].with { $0.received }.count == 1 && nodes[1].with { $0.received }.isEmpty)
    // What the wallet signed is taken into account where a node has not heard of it; what it did not sign is not.
    #expect(try CommandRun(words + ["1"]).exitCode == 0)
    nodes[1].with { $0.expectedNext = 7 }
    let apart = try CommandRun(words + ["1"])
    #expect(apart.exitCode == 1 && apart.messages.contains("2 or 7"), "\(apart.messages)")
  }

  @Test("The load generator funds its accounts, pays, and reports; a second run needs no funds")
  func load() throws {
    let words = [
      "load", "--node", node.url, "--dir", wallet, "--accounts", "4", "--rate", "40", "--seconds", "1",
      "--json",
    ]
    let unfunded = try CommandRun(words)
    #expect(unfunded.exitCode == 1 && unfunded.messages.contains("--from NAME"), "\(unfunded.messages)")
    for run in [words + ["--from", "default"], words] {
      let report = try CommandRun(run)
      #expect(report.exitCode == 0, "\(report.messages)")
      let result = try report.json()
      #expect(result["final"] as? Int == 40 && result["unsent"] as? Int == 0)
      #expect((result["refusals"] as? [String: Any])?.isEmpty == true)
      #expect(try #require(result["latency_ms"] as? [String: Any])["p99"] is Double)
    }
    // One that funds and two times forty.
    #expect(node.with { $0.applied }.count == 81)
    #expect(node.with { $0.keeper.ledger.total } == 1_000)
    for owner in Set(node.with { $0.received }.map(\.transfer.account)) {
      let numbers = node.with { $0.received }.filter { $0.transfer.account == owner }.map(\.transfer.sequence)
      #expect(numbers == numbers.sorted())
    }
  }

  /// A process that is to die.
  private final class Victim: @unchecked Sendable {
    private let process: Foundation.Process

    init(_ process: Foundation.Process) { self.process = process }

    func kill() { _ = Foundation.kill(process.processIdentifier, SIGKILL) }
  }
}
