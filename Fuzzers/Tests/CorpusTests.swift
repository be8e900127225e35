import Foundation
import Testing

@Suite struct CorpusTests {
  /// Where the inputs are that are kept.
  private static let corpus = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .appending(path: "Corpus")

  private func inputs(of target: FuzzTarget) throws -> [URL] {
    let folder = CorpusTests.corpus.appending(path: target.name)
    return try FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil)
      .sorted { $0.path < $1.path }
  }

  @Test("every input that is kept goes through its target", arguments: FuzzTarget.all.map(\.name))
  func kept(name: String) throws {
    let target = try #require(FuzzTarget.all.first { $0.name == name })
    let inputs = try inputs(of: target)
    #expect(!inputs.isEmpty)
    for input in inputs { target.run(Array(try Data(contentsOf: input))) }
  }

  @Test("what our own encoders write goes through every target, whole and cut short")
  func seeds() {
    for target in FuzzTarget.all {
      for seed in target.seeds() {
        target.run(seed)
        target.run(Array(seed.prefix(seed.count / 2)))
      }
      target.run([])
    }
  }

  @Test("there is no folder of inputs without a target")
  func folders() throws {
    let folders = try FileManager.default.contentsOfDirectory(atPath: CorpusTests.corpus.path)
    #expect(Set(folders) == Set(FuzzTarget.all.map(\.name)))
  }

  @Test(
    "inputs to begin with are written when a folder is named",
    .enabled(if: ProcessInfo.processInfo.environment["STARLING_FUZZ_SEEDS"] != nil))
  func written() throws {
    let root = URL(filePath: try #require(ProcessInfo.processInfo.environment["STARLING_FUZZ_SEEDS"]))
    for target in FuzzTarget.all {
      let folder = root.appending(path: target.name)
      try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
      for (i, seed) in target.seeds().enumerated() {
        try Data(seed).write(to: folder.appending(path: "seed-\(i)"))
      }
    }
  }
}
