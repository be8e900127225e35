import Foundation
import Testing

@Suite struct KeysTests {
  @Test("a key that was searched for solves its puzzle, and `keys show` says so")
  func puzzle() throws {
    let folder = try TemporaryFolder()
    let path = folder.path("a.key")
    let made = try CommandRun(["keys", "new", "--out", path, "--puzzle", "8", "--json"])
    #expect(made.exitCode == 0)
    #expect((try made.json()["puzzle_bits"] as? Int ?? 0) >= 8)
    let shown = try CommandRun(["keys", "show", path, "--json"])
    #expect(try shown.json()["key"] as? String == made.json()["key"] as? String)
    #expect(try shown.json()["puzzle_bits"] as? Int == made.json()["puzzle_bits"] as? Int)
  }

  @Test("a search ends when its time is up, says what to do, and leaves no file")
  func timeLimit() throws {
    let folder = try TemporaryFolder()
    let path = folder.path("a.key")
    let run = try CommandRun(["keys", "new", "--out", path, "--puzzle", "64", "--time-limit", "1s"])
    #expect(run.exitCode == 1)
    #expect(run.messages.contains("longer --time-limit or fewer bits"))
    #expect(!FileManager.default.fileExists(atPath: path))
  }
}
