import StarlingCore
import Testing

@testable import starling

@Suite("Command lines")
struct ArgumentParserTests {
  static let verb = Verb(
    "keys show", "show", operands: [Operand(name: "FILE", summary: "a file")],
    options: [
      .json, Option("join", "ADDR:PORT", "join", repeats: true, readsEnvironment: true),
      Option("loss", "SHARE", "loss", readsEnvironment: true),
    ], run: { _ in })

  private func arguments(
    _ words: [String], environment: [String: String] = [:]
  ) throws -> Arguments {
    let request = try ArgumentParser.parse(
      ["keys", "show"] + words, verbs: [Self.verb], environment: environment)
    guard case .run(_, let arguments) = request else { throw CommandError.usage("asked for help") }
    return arguments
  }

  @Test("Options may follow or precede operands, with an equals sign or without")
  func forms() throws {
    let given = try arguments(["--loss=5%", "key", "--join", "a", "--json", "--join=b=c"])
    #expect(given.operands == ["key"])
    #expect(given.text("loss") == "5%")
    #expect(given.values("join").map(\.text) == ["a", "b=c"])
    #expect(given.has("json"))
    #expect(try arguments(["-"]).operands == ["-"])
    #expect(try arguments(["--", "--json"]).operands == ["--json"])
    #expect(try !arguments(["--", "--json"]).has("json"))
  }

  @Test("The command line wins over the environment, and the environment over the file")
  func precedence() throws {
    let file = try ConfigurationFile(
      Array("{ loss: 0.25, join: ['c', 'd'] } // JSON5".utf8), path: "f", for: Self.verb)
    var given = try arguments(["x", "--loss", "1%"], environment: ["STARLING_LOSS": "2%"])
    given.file = file
    #expect(try given.share("loss", default: 0) == 0.01)
    given = try arguments(["x"], environment: ["STARLING_LOSS": "2%", "STARLING_JOIN": "a b"])
    given.file = file
    #expect(try given.share("loss", default: 0) == 0.02)
    #expect(given.values("join").map(\.text) == ["a", "b"])
    given = try arguments(["x"])
    given.file = file
    #expect(try given.share("loss", default: 0) == 0.25)
    #expect(given.values("join").map(\.text) == ["c", "d"])
    #expect(try arguments(["x"]).share("loss", default: 0.125) == 0.125)
  }

  @Test("A configuration file sets flags with true, and leaves them with false", arguments: [true, false])
  func flags(isSet: Bool) throws {
    var given = try arguments(["x"])
    given.file = try ConfigurationFile(Array("{ json: \(isSet) }".utf8), path: "f", for: Self.verb)
    #expect(given.has("json") == isSet)
  }

  @Test(
    "A configuration file that is not one is refused in a sentence",
    arguments: [
      "[1]", "{ loss: ", "", "{ loss: { a: 1 } }", "{ lost: 1 }", "{ loss: [1, 2] }", "{ json: 1 }",
      "{ json: [true, true] }", "{ loss: true }", "{ join: [true] }",
    ])
  func configurationErrors(text: String) {
    let error = #expect(throws: CommandError.self) {
      try ConfigurationFile(Array(text.utf8), path: "f", for: Self.verb)
    }
    #expect(error?.exitCode == 2)
  }

  @Test("A slip of the finger is recognised, another word is not")
  func suggestions() {
    let words = ["nodes", "broadcast", "loss", "up"]
    #expect(Suggestion.nearest(to: "ndoes", among: words) == "nodes")
    #expect(Suggestion.nearest(to: "broadcats", among: words) == "broadcast")
    #expect(Suggestion.nearest(to: "elephant", among: words) == nil)
    #expect(Suggestion.nearest(to: String(repeating: "x", count: 1 << 20), among: words) == nil)
    #expect(Suggestion.distance(Array("abc".utf8), Array("acb".utf8)) == 1)
    #expect(Suggestion.distance(Array("".utf8), Array("abc".utf8)) == 3)
  }

  @Test("Every verb's help names each of its options, and every option is known once")
  func help() {
    for verb in StarlingCommand.verbs {
      let text = Help.text(on: [verb], among: StarlingCommand.verbs)
      #expect(Set(verb.options.map(\.name)).count == verb.options.count)
      for option in verb.options { #expect(text.contains("--" + option.name), "\(verb.name)") }
      #expect(text.split(separator: "\n").allSatisfy { $0.count <= 100 }, "\(verb.name)")
    }
  }

  @Test("A crash is a share and a moment")
  func crashes() throws {
    #expect(
      try SimulateOptions.Crash(parsing: "50%@60s") == .init(share: 0.5, moment: .at(.seconds(60))))
    #expect(
      try SimulateOptions.Crash(parsing: "0.3@broadcast") == .init(share: 0.3, moment: .broadcast))
    for text in ["", "50%", "@60s", "50%@", "150%@60s", "50%@60", "1%@1s@2s"] {
      #expect(throws: (any Error).self, "\(text)") { try SimulateOptions.Crash(parsing: text) }
    }
  }

  @Test("What comes from outside is shown short and without control characters")
  func quoting() {
    #expect(quoted(String(repeating: "x", count: 500)).count < 100)
    #expect(printable("a\u{1B}[31m\nb\u{9B}c") == "a?[31m?b?c")
  }
}
