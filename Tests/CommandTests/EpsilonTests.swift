import Foundation
import StarlingBroadcast
import Testing

@testable import starling

/// `starling epsilon` as a user runs it.
@Suite("starling epsilon")
struct EpsilonTests {
  @Test("JSON has every field, with null for what was not asked")
  func fields() throws {
    let run = try CommandRun(["epsilon", "--nodes", "1000", "--gossip", "17", "--json"])
    #expect(run.exitCode == 0)
    let object = try #require(JSONSerialization.jsonObject(with: Data(run.output.utf8)) as? [String: Any])
    let gossip = try #require(object["gossip_totality"] as? Double)
    #expect(gossip > 3e-11 && gossip < 4e-11)
    #expect((object["parameters"] as? [String: Any])?["gossip"] as? Int == 17)
    #expect(object["byzantine"] as? Double == 0.1 && object["byzantine_processes"] as? Int == 100)
    for name in [
      "echo_total_validity", "echo_consistency", "ready_validity", "epsilon", "messages_per_process",
    ] {
      #expect(object[name] is NSNull, "\(name)")
    }
  }

  @Test("A target finds parameters that hold it, and says which broadcast it would take")
  func target() throws {
    let run = try CommandRun(["epsilon", "--nodes", "48", "--target", "1e-2", "--json"])
    #expect(run.exitCode == 0)
    let object = try #require(JSONSerialization.jsonObject(with: Data(run.output.utf8)) as? [String: Any])
    #expect((object["epsilon"] as? Double).map { $0 > 0 && $0 <= 1e-2 } == true)
    #expect(object["recommended"] as? String == "bracha")
    let given = try #require(object["parameters"] as? [String: Int])
    // Given back, they are judged alike.
    let words = [
      "gossip", "echo", "echo_threshold", "ready", "ready_threshold", "delivery", "delivery_threshold",
    ]
    let options = words.flatMap { ["--" + $0.replacing("_", with: "-"), "\(given[$0] ?? 0)"] }
    let again = try CommandRun(["epsilon", "--nodes", "48", "--json"] + options)
    let judged = try #require(JSONSerialization.jsonObject(with: Data(again.output.utf8)) as? [String: Any])
    #expect(judged["epsilon"] as? Double == object["epsilon"] as? Double)
  }

  @Test(
    "What cannot be had ends with a sentence that says what could",
    arguments: [
      ("--byzantine 31% --target 1e-12", "fewer liars."), ("--gossip 1 --target 1e-2", "may be greater."),
    ])
  func impossible(options: String, end: String) throws {
    let words = options.split(separator: " ").map(String.init)
    let run = try CommandRun(["epsilon", "--nodes", "48"] + words)
    #expect(run.exitCode == 1 && run.output.isEmpty)
    #expect(run.messages.split(separator: "\n").last?.hasSuffix(end) == true, "\(run.messages)")
  }

  @Test("A sample larger than the network is explained, and so is what a third of liars does to given ones")
  func explanations() throws {
    let small = try CommandRun(["epsilon", "--nodes", "10", "--target", "1e-10"])
    #expect(
      small.output.contains("with replacement: among the E = 314 are the 10 processes"), "\(small.output)")
    let large = try CommandRun(["epsilon", "--nodes", "1000", "--echo", "100", "--echo-threshold", "70"])
    #expect(!large.output.contains("replacement") && !large.output.contains("third"))
    let liars = try CommandRun([
      "epsilon", "--nodes", "1000", "--byzantine", "40%", "--echo", "100", "--echo-threshold", "70",
    ])
    #expect(liars.exitCode == 0 && liars.output.contains("a third of the processes or more may lie"))
  }

  @Test(
    "Probabilities are read at a glance",
    arguments: [
      (0.0, "0"), (0.25, "0.2500"), (0.00099, "9.9e-4"), (9.96e-11, "1.0e-10"), (3.2e-16, "3.2e-16"),
    ])
  func text(probability: Double, text: String) {
    #expect(EpsilonAnswer.text(probability) == text)
  }

  @Test(
    "Secure broadcasts are simulated: the cheaper kind is chosen, and weak samples run only when that is accepted"
  )
  func simulated() throws {
    func report(_ options: String) throws -> [String: Any] {
      let run = try CommandRun(["simulate", "--json"] + options.split(separator: " ").map(String.init))
      #expect(run.exitCode == 0, "\(run.messages)")
      return try #require(JSONSerialization.jsonObject(with: Data(run.output.utf8)) as? [String: Any])
    }
    let chosen = try report("--broadcast auto --nodes 40 --byzantine 10% --messages 2")
    #expect(chosen["broadcast"] as? String == "bracha" && chosen["chosen"] as? Bool == true)
    #expect(chosen["reliability"] as? Double == 1 && chosen["epsilon"] is NSNull)
    let weak =
      "--broadcast consistent --nodes 40 --byzantine 20% --adversary equivocate --messages 3"
      + " --gossip 12 --echo 20 --echo-threshold 10 --ready 20 --ready-threshold 7 --delivery 20 --delivery-threshold 12"
    let broken = try report(weak + " --accept-weak")
    #expect((broken["consistency_violations"] as? Int).map { $0 > 0 } == true)
    #expect((broken["epsilon"] as? Double).map { $0 > 0.1 } == true)
    for (options, end) in [
      (weak, "or accept it with --accept-weak."), ("--broadcast secure --loss 5%", "leave it out."),
      ("--echo 30", "give both or neither."), ("--broadcast bracha --byzantine 40%", "33% or less."),
    ] {
      let run = try CommandRun(["simulate"] + options.split(separator: " ").map(String.init))
      #expect(run.exitCode != 0 && run.messages.hasSuffix(end + "\n"), "\(run.messages)")
    }
  }

  @Test("What auto takes is said with the true reason and with what both broadcasts cost")
  func reasons() throws {
    let samples =
      " --accept-weak --gossip 4 --echo 9 --echo-threshold 5 --ready 6 --ready-threshold 2 --delivery 9"
      + " --delivery-threshold 5"
    for (line, picked, reason) in [
      (
        "simulate --nodes 12 --messages 1", "Bracha's broadcast",
        "because it never fails and sends at most twice as"
      ),
      (
        "simulate --nodes 12 --messages 1\(samples)", "Bracha's broadcast",
        "because it never fails, and Ready Broadcast with these"
      ),
      (
        "simulate --nodes 400 --messages 1 --epsilon 1e-3", "Ready Broadcast",
        "because Bracha's broadcast would send more than twice"
      ),
      (
        "simulate --nodes 12 --messages 1 --byzantine 40%\(samples)", "Ready Broadcast",
        "because Bracha's broadcast is not possible where a third"
      ),
      (
        "simulate ledger --transfers 5", "Bracha's broadcast",
        "because it never fails and sends at most twice as"
      ),
    ] {
      let run = try CommandRun((line + " --broadcast auto").split(separator: " ").map(String.init))
      #expect(run.output.contains("by \(picked), seed 1"), "\(run.output)\(run.messages)")
      #expect(run.output.contains("chosen         \(reason)"), "\(run.output)")
      #expect(reason.contains("possible") || run.output.contains(" against "), "\(run.output)")
    }
  }

  @Test("A simulation that is larger than the memory is refused; one that fits is not")
  func memory() throws {
    let sizes = SecureBroadcastParameters(
      gossip: 20, echo: 500, echoThreshold: 390, ready: 150, readyThreshold: 53, delivery: 235,
      deliveryThreshold: 168)
    let secure = MemoryEstimate(.secure(sizes), nodes: 1_000_000)
    #expect((40e9...60e9).contains(secure.bytes))
    #expect(throws: CommandError.self) { try secure.check(memory: 32e9) }
    #expect(throws: Never.self) { try secure.check(memory: 64e9) }
    #expect(MemoryEstimate(.bracha, nodes: 10_000).bytes == 2.4e9)
    #expect(MemoryEstimate(.bracha, nodes: 10_000, runs: 4).bytes == 9.6e9)
    #expect((1e8...1e13).contains(MemoryEstimate.machineBytes))
  }

  @Test("Attacks are counted beside the bound, message by message and by samples")
  func attack() throws {
    let samples =
      "--gossip 16 --echo 40 --echo-threshold 22 --ready 40 --ready-threshold 14 --delivery 40 --delivery-threshold 28"
    for (how, runs) in [("--estimate", 500), ("--jobs 2", 4)] {
      let words =
        "simulate attack --nodes 64 --byzantine 10% --adversary equivocate --broadcast consistent"
        + " --accept-weak --runs \(runs) --json \(how) \(samples)"
      let run = try CommandRun(words.split(separator: " ").map(String.init))
      #expect(run.exitCode == 0, "\(run.messages)")
      let object = try #require(
        JSONSerialization.jsonObject(with: Data(run.output.utf8)) as? [String: Any])
      #expect(object["attacks"] as? Int == runs && object["estimate"] as? Bool == (how == "--estimate"))
      let consistency = try #require(object["consistency"] as? [String: Any])
      #expect((consistency["frequency"] as? Double).map { $0 > 0.9 } == true)
      #expect((consistency["bound"] as? Double).map { $0 > 0.9 && $0 <= 1 } == true)
      #expect((consistency["interval"] as? [Double])?.count == 2)
      // Its sender lies, so nobody promised that all deliver.
      #expect(object["validity"] == nil)
    }
  }
}
