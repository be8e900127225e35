import Testing

@Suite("The sources keep the rules")
struct TidyTests {
  @Test("Modules import only those above them, and stay pure below the runtime")
  func sources() throws {
    let files = try Repository.swiftFiles(in: "Sources")
    #expect(!files.isEmpty, "the sources were not found from \(Repository.root.path)")
    let offences = files.flatMap(Rules.offences)
    #expect(offences.isEmpty, "\(offences.joined(separator: "\n"))")
  }

  @Test("No file is longer than 600 lines")
  func lengths() throws {
    let files = try ["Sources", "Tests", "Benchmarks"].flatMap(Repository.swiftFiles)
    let offences = files.flatMap(Rules.length)
    #expect(offences.isEmpty, "\(offences.joined(separator: "\n"))")
  }

  @Test("No text names the folders of one machine")
  func machinePaths() throws {
    let places = [
      "Sources", "Tests", "Benchmarks", "docs", "scripts", ".ci", "Package.swift", "Makefile", "README.md",
      "CHANGELOG.md",
    ]
    let offences = try places.flatMap(Repository.files).flatMap(Rules.machinePaths)
    #expect(offences.isEmpty, "\(offences.joined(separator: "\n"))")
  }
}

@Suite("Each rule catches its offender")
struct RuleTests {
  private func offences(_ text: String, in module: String = "StarlingOverlay") -> [String] {
    Rules.offences(in: Repository.File(path: "Sources/\(module)/File.swift", text: text))
  }

  @Test(
    "An import that the graph does not have is caught",
    arguments: [
      ("StarlingOverlay", "import StarlingBroadcast"),
      ("StarlingCore", "import StarlingTransport"),
      ("StarlingSimulator", "@testable import StarlingRuntime"),
      ("StarlingCore", "import FoundationEssentials"),
      ("StarlingBroadcast", "@preconcurrency import Glibc"),
      ("StarlingNode", "import struct Foundation.Data"),
      ("StarlingTransport", "public import Dispatch"),
      ("StarlingCommand", "import StarlingTransport"),
      ("StarlingLedger", "import Synchronization"),
      ("StarlingLedger", "import StarlingSharedMemory"),
      ("StarlingSharedMemory", "import Dispatch"),
    ])
  func imports(module: String, text: String) {
    #expect(offences("\n\(text)\n", in: module).count == 1)
  }

  @Test("A module that is not in the table is caught")
  func unknownModule() {
    #expect(!offences("", in: "StarlingNovelty").isEmpty)
    #expect(offences("import StarlingCore", in: "StarlingOverlay").isEmpty)
  }

  @Test("Every banned token is caught in pure modules, and allowed in the runtime")
  func pureBans() {
    for token in Rules.bansInPureModules.flatMap(\.tokens) {
      let text = token.hasPrefix(".") ? "let x = y\(token)" : "let x = \(token)"
      #expect(offences(text).count == 1, "\(token)")
      for module in Rules.pureModules { #expect(!offences(text, in: module).isEmpty, "\(token)") }
      #expect(offences(text, in: "StarlingRuntime").isEmpty, "\(token)")
    }
  }

  @Test("What may trap is caught in every module")
  func bansEverywhere() {
    for token in Rules.bansEverywhere.flatMap(\.tokens) {
      for module in Rules.imports.keys { #expect(offences("x = \(token) y", in: module).count == 1) }
    }
  }

  @Test("Code interpolated into a string is seen; comments, strings and longer words are not")
  func scanning() {
    #expect(offences(#"let a = "now \(ContinuousClock()) then""#).count == 1)
    #expect(offences("let a = \"\"\"\n  try! x\n  \\(try! f(\")\"))\n  \"\"\"").count == 1)
    #expect(offences("let a = #\"a \" try! \\(try! b) \"#; let c = try! d").count == 1)
    #expect(offences("// try! x\n/* try! x\n try! */ /// Date(\nlet a = \"try! \\\" Date(\"").isEmpty)
    #expect(offences("blueprint(x); lastUpDate(y); generator.shuffle(&z)").isEmpty)
  }

  @Test("An offence names its line")
  func lineNumbers() {
    let text = "/* a\n b */\nlet s = \"\"\"\n  one\n  two\n  \"\"\"\nprint(s)"
    #expect(offences(text).first?.hasPrefix("Sources/StarlingOverlay/File.swift:7:") == true)
  }

  @Test("A path of one machine and a file that is too long are caught")
  func texts() {
    for path in Rules.machinePaths {
      #expect(Rules.machinePaths(in: Repository.File(path: "a", text: "see \(path)x")).count == 1)
    }
    let line = "let a = 1\n"
    let fits = Repository.File(path: "a", text: String(repeating: line, count: 600))
    let exceeds = Repository.File(path: "a", text: String(repeating: line, count: 601))
    #expect(Rules.length(of: fits).isEmpty)
    #expect(Rules.length(of: exceeds).count == 1)
  }
}
