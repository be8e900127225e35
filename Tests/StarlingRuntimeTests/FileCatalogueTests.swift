import StarlingApps
import StarlingCore
import Testing

@testable import StarlingRuntime

@Suite struct FileCatalogueTests {
  private func manifest(_ name: String) throws -> FileManifest {
    try FileManifest(name: name, topic: "", contents: [1], chunkBytes: 1)
  }

  @Test("the catalogue never forgets a file that is on its way: when all are, a new one is refused")
  func neverForgetsArriving() throws {
    let publisher = try #require(PublicKey([UInt8](repeating: 1, count: 32)))
    var catalogue = FileCatalogue()
    func add(_ name: String) throws -> Bool {
      catalogue.add(try manifest(name), by: publisher, state: .receiving, path: nil)
    }
    let limit = FileCatalogue.limit
    for n in 0..<limit { #expect(try add("file \(n)")) }
    #expect(try !add("one more"))
    #expect(catalogue.files.map(\.name) == (0..<limit).map { "file \($0)" })
    // One that is known already needs no room.
    #expect(try add("file 0") && catalogue.files.count == limit)
    // One that is done gives way, in the midst of those that are not.
    catalogue.finish(try manifest("file 7").identifier, state: .complete, path: "/7")
    #expect(try add("one more") && catalogue.files.count == limit)
    #expect(catalogue.file(try manifest("file 7").identifier) == nil)
    #expect(try !add("and another") && catalogue.manifest(of: try manifest("file 1").identifier) != nil)
    // It is when it was done that counts, not when it was announced.
    catalogue.finish(try manifest("file 9").identifier, state: .complete, path: "/9")
    catalogue.finish(try manifest("file 1").identifier, state: .complete, path: "/1")
    #expect(try add("and another") && catalogue.file(try manifest("file 1").identifier)?.state == .complete)
    #expect(catalogue.file(try manifest("file 9").identifier) == nil)
  }
}
