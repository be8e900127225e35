import StarlingCore

@testable import StarlingRuntime

/// What a node finds on its disk when it starts. Nobody else should have written there, and yet a disk errs, a
/// backup is half a file, and an operator tries things out.
let diskTargets = [
  FuzzTarget("identity") {
    let digits = String(repeating: "0a", count: 32)
    return ["\(IdentityFile.header)\n\(digits)\n", "starling-identity 2\n\(digits)\n"].map { Array($0.utf8) }
  } run: { bytes in
    guard let seed = try? IdentityFile.seed(in: bytes[...], path: "identity.key") else { return }
    promise(seed.count == Identity.seedByteCount, "a seed has its length")
    let written = Array("\(IdentityFile.header)\n\(hexadecimal(seed))\n".utf8)
    let capitals = UInt8(ascii: "A")...UInt8(ascii: "F")
    promise(bytes.map { capitals.contains($0) ? $0 | 0x20 : $0 } == written, "a key is read as it is written")
  },
  FuzzTarget("state") {
    let key = [UInt8](repeating: 7, count: 32)
    return [
      [0, 32] + key + [14] + Array("127.0.0.1:4000".utf8) + [9],
      [1, 2, 65, 66, 1, 67, 1, 68, 8] + [UInt8](repeating: 0, count: 8) + [
        1, 69, 1, 70, 0, 1, 3, 1, 71, 1, 5,
      ],
      [2, 3, 1, 2, 3, 3, 8, 0, 0, 0, 0, 0, 0, 1, 0, 4],
      [3, 8, 255, 255, 255, 255, 255, 255, 255, 255, 4, 3, 8, 127, 255, 255, 255, 255, 255, 255, 255, 4],
    ]
  } run: {
    runState(FuzzProgram($0))
  },
]

/// An input fills the tables of a store with rows as they may be in a file that somebody else has written; then
/// everything is read as a node reads it.
private func runState(_ program: FuzzProgram) {
  var program = program
  guard let store = try? StateStore(at: ":memory:"), let own = PublicKey([UInt8](repeating: 1, count: 32))
  else { preconditionFailure("a new store can be used") }
  while !program.isAtEnd {
    switch program.number(below: 5) {
    case 0: insert("INSERT OR REPLACE INTO peers VALUES (?, ?, ?)", "btn")
    case 1: insert("INSERT OR REPLACE INTO files VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", "tttnttnntn")
    case 2: insert("INSERT OR REPLACE INTO memory VALUES ('seen messages', ?)", "b")
    case 3:
      let number = integer()
      _ = try? store.database.run(
        "INSERT OR REPLACE INTO sequence VALUES (?, ?)", [.blob(own.bytes), .integer(number)])
    default: read()
    }
  }
  read()

  func integer() -> Int64 {
    Int64(bitPattern: program.counted().prefix(8).reduce(0) { $0 << 8 | UInt64($1) })
  }

  func insert(_ statement: String, _ kinds: String) {
    let values = kinds.map { kind -> Database.Value in
      switch kind {
      case "b": .blob(program.counted())
      case "t": .text(String(decoding: program.counted(), as: UTF8.self))
      default: .integer(integer())
      }
    }
    _ = try? store.database.run(statement, values)
  }

  func read() {
    promise((try? store.peers()) != nil, "peers that make no sense are left out")
    guard let files = try? store.files() else { preconditionFailure("files that make no sense are left out") }
    var catalogue = FileCatalogue()
    for file in files {
      _ = NodeMemory.isThere(file)
      catalogue.recall(file)
    }
    do { _ = try store.memory("seen messages") } catch { preconditionFailure("a memory can be read") }
    guard let first = try? store.reserveSequence(NodeMemory.block, atLeast: 5, for: own) else { return }
    promise(first >= 5, "numbers are not below what they must not be")
    // As the node's own limit is computed.
    let limit = first + NodeMemory.block
    if let next = try? store.reserveSequence(NodeMemory.block, atLeast: 5, for: own) {
      promise(next >= limit, "a number is given out once")
    }
  }
}
