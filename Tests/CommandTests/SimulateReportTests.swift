import Foundation
import StarlingCore
import StarlingSimulator
import Testing

@testable import starling

@Suite("Reports of simulations")
struct SimulateReportTests {
  @Test("Graphs and drawings show the living alone, under their own numbers, with adversaries marked")
  func living() throws {
    let folder = try TemporaryFolder()
    for name in ["overlay.graphml", "overlay.dot", "overlay.svg"] {
      let path = folder.path(name)
      let run = try CommandRun([
        "simulate", "--nodes", "60", "--messages", "5", "--crash", "50%@1s", "--byzantine", "10%",
        "--adversary",
        "mute", "--json", "--graph", path,
      ])
      #expect(run.exitCode == 0, "\(run.messages)")
      let live = try #require(try run.json()["live"] as? Int)
      let text = try String(contentsOfFile: path, encoding: .utf8)
      if name.hasSuffix(".graphml") {
        let adversaries = text.components(separatedBy: "<data key=\"adversary\">true").count - 1
        #expect(text.components(separatedBy: "<node ").count - 1 == live + adversaries)
        #expect(live + adversaries == 30 && adversaries > 0)
        let last = try #require(text.components(separatedBy: "<node id=\"n").last?.prefix { $0.isNumber })
        #expect(try #require(Int(last)) > 30, "the last of 30 that live among 60 has kept its number")
      } else if name.hasSuffix(".dot") {
        #expect(text.contains("adversary=true"))
      } else {
        #expect(text.contains("All 30 peers") && text.contains("Diamonds are adversaries."))
      }
    }
  }

  @Test(
    "A run that was checked says what held, in its text and beside its object, and others say nothing of it")
  func verdict() throws {
    let words = ["simulate", "--nodes", "30", "--messages", "2"]
    let text = try CommandRun(words + ["--check"])
    #expect(
      text.output.contains("checked and held: no-duplicate-delivery, no-forged-delivery, eventual-delivery"))
    let object = try CommandRun(words + ["--check", "--json"])
    #expect(object.messages.contains("checked and held: no-duplicate-delivery"))
    #expect(try object.json()["held"] as? Bool == true)
    #expect(try #require(try object.json()["checked"] as? [String]).contains("connectedness"))
    let plain = try CommandRun(words)
    #expect(!plain.output.contains("held") && !plain.messages.contains("held"))
  }

  @Test("Among the cities of the Earth messages take as long as their way is, whatever the broadcast")
  func geography() throws {
    for extra in [[], ["--broadcast", "bracha"]] {
      let words = ["simulate", "--nodes", "40", "--messages", "2", "--json"] + extra
      let world = try CommandRun(words + ["--geography", "world"])
      #expect(world.exitCode == 0, "\(world.messages)")
      let report = try world.json()
      #expect(report["delay"] as? String == "world" && report["reliability"] as? Double == 1)
      // Half of the pairs are farther apart than 60 ms, and more than one way is needed.
      let latency = try #require(report["latency_ms"] as? [String: Any])
      #expect(try #require(latency["max"] as? Double) > 150)
    }
  }

  @Test("A run's progress is virtual time that passes, and its last word is the whole")
  func progress() throws {
    let run = try CommandRun(["simulate", "--nodes", "30", "--messages", "2"])
    let lines = run.messages.split(separator: "\n")
    #expect(lines.first?.hasPrefix("simulating: 0 s of 121 s simulated, 0 events, join") == true)
    #expect(lines.last?.hasPrefix("simulating: 121 s simulated, ") == true)
  }

  @Test("The page tells what its figures count: the living, the adversaries, and who came too late")
  func page() {
    var scenario = BroadcastScenario()
    scenario.nodes = 60
    scenario.messages = 8
    scenario.drain = .seconds(30)
    scenario.byzantine = 0.05
    scenario.adversary = .censor
    scenario.faults = [Fault(.restart(keepsDisk: false), share: 0.2, from: .seconds(1), to: .seconds(6))]
    let report = scenario.run()
    let html = report.page(commandLine: "starling simulate --nodes 60").html()
    for fragment in [
      "How the last message spread", "<dt>Adversaries</dt>", "of kind censor", "censor: 3 adversaries",
      "<dt>Median latency</dt>", " deliveries of all messages, without ", "sent it, the last of 8;",
      "Diamonds are adversaries", "without catch-up",
    ] { #expect(html.contains(fragment), "\(fragment)") }
    let text = report.text(cost: .init(cpuSeconds: 1, wallSeconds: 1, peakBytes: 1))
    #expect(text.contains("60 peers, 3 of them adversaries (censor), 8 messages by tree"))
    #expect(text.contains("catch-up "))
    scenario.byzantine = 0.01
    scenario.messages = 1
    let one = scenario.run().text(cost: .init(cpuSeconds: 1, wallSeconds: 1, peakBytes: 1))
    #expect(one.contains("60 peers, 1 of them an adversary (censor), 1 message by tree"))
  }

  @Test("The page counts the views that the object counts, and says of which N the law is")
  func views() throws {
    var scenario = BroadcastScenario()
    scenario.nodes = 80
    scenario.messages = 3
    scenario.byzantine = 0.4
    scenario.crash = .once(share: 0.2, after: .seconds(1))
    let report = scenario.run()
    let mean = Double(report.viewSizes.reduce(0, +)) / Double(report.viewSizes.count)
    #expect(report.json().text(indented: false).contains("\"view_size\":{\"mean\":\(mean),"))
    #expect(report.lawNodes == 64 && abs(report.viewLaw - 2 * 4.1589) < 0.001)
    let html = report.page(commandLine: "starling simulate").html()
    let figure = try #require(
      html.components(separatedBy: "<h3>Partial views</h3>").last?.components(separatedBy: "</figure>").first)
    #expect(
      figure.contains("<b>\(Readable.decimal(mean, 2))</b>") && figure.contains("(c+1)·ln N = 8.3"),
      "\(mean), \(figure.suffix(600))")
    #expect(html.contains("N is the 64 peers that live at the end, adversaries among them"))
  }

  @Test("Help on a group of verbs shows each of them, and the list leaves none out")
  func help() throws {
    let list = try CommandRun(["help"]).output
    for verb in StarlingCommand.verbs { #expect(list.contains("starling \(verb.name) "), "\(verb.name)") }
    for words in [["help", "keys"], ["keys", "--help"]] {
      let text = try CommandRun(words).output
      #expect(text.contains("usage: starling keys new") && text.contains("usage: starling keys show"))
    }
    let simulate = try CommandRun(["help", "simulate"]).output.split(whereSeparator: \.isWhitespace).joined(
      separator: " ")
    for conduct in Conduct.allCases { #expect(simulate.contains(conduct.rawValue)) }
  }

  @Test(
    "A secure broadcast reports every field that simulations do, null where nothing measures it, and its spam"
  )
  func secureFields() throws {
    let words = [
      "simulate", "--broadcast", "bracha", "--nodes", "12", "--byzantine", "15%", "--messages", "2",
      "--drain",
      "2s",
    ]
    let quiet = try CommandRun(words + ["--json"]).json()
    for name in [
      "coverage_10s", "rmr", "rmr_first", "last_delivery_hop", "view_size", "components", "strong_components",
      "bytes_per_node", "spam_messages", "spam_instances", "dropped", "live_instances_max",
    ] {
      #expect(quiet[name] is NSNull, "\(name)")
    }
    #expect(quiet["reliability"] as? Double == 1 && quiet["reliability_min"] as? Double == 1)
    #expect(quiet["accusations"] as? Int == 0)
    #expect((quiet["messages_per_node"] as? [String: Any])?["p99"] is Double)
    let run = try CommandRun(words + ["--adversary", "spam", "--spam-rate", "200", "--json"])
    let spam = try run.json()
    #expect(spam["reliability"] as? Double == 1, "\(run.messages)")
    #expect(try #require(spam["spam_instances"] as? Int) > 300)
    #expect(try #require(spam["dropped"] as? Int) > 300 && (spam["accusations"] as? Int ?? 0) > 10)
    let most = try #require(spam["live_instances_max"] as? Int)
    #expect(most > 0 && most <= 12 * 128)
  }
}
