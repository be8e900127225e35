import Glibc
import StarlingCore
import Testing

@testable import StarlingRuntime

@Suite struct TemporaryFolderTests {
  @Test("folders of dead owners are taken away, those of living ones and of others are not")
  func stale() throws {
    let prefix = "starling-trial-\(try SystemEntropy.word())-"
    let living = try TemporaryFolder(prefix: prefix)
    // What a killed owner leaves: a lock that nobody holds.
    let dead = try DataDirectory.makeTemporary(prefix: prefix)
    let held = try DataDirectory.makeTemporary(prefix: prefix)
    let bare = try DataDirectory.makeTemporary(prefix: prefix)
    for folder in [dead, held] { close(open(folder + "/lock", O_CREAT | O_WRONLY, 0o600)) }
    mkdir(dead + "/node", 0o700)
    close(open(dead + "/node/lock", O_CREAT | O_WRONLY, 0o600))
    // Its owner is dead, but a node in it is still about to stop.
    let node = try DataDirectory(held + "/node")
    TemporaryFolder.removeStale(prefix: prefix)
    #expect(access(dead, F_OK) == 0, "one that is young may be in the making")
    TemporaryFolder.removeStale(prefix: prefix, olderThan: 0)
    #expect(access(dead, F_OK) != 0)
    #expect(access(living.path, F_OK) == 0 && access(node.path, F_OK) == 0 && access(bare, F_OK) == 0)
    living.remove()
    for folder in [held, bare] { DataDirectory.removeTree(folder) }
  }
}
