import Glibc
import StarlingCore
import Testing

@testable import StarlingRuntime

@Suite("A node's state on disk")
struct StateStoreTests {
  private let directory: TemporaryDirectory
  private let path: String
  private let key: PublicKey

  init() throws {
    directory = try TemporaryDirectory()
    path = directory("state.sqlite")
    key = try #require(PublicKey([UInt8](repeating: 7, count: 32)))
  }

  private func peer(_ n: Int) throws -> RememberedPeer {
    let key = try #require(PublicKey((0..<32).map { UInt8(truncatingIfNeeded: n >> ($0 % 2 * 8)) }))
    return RememberedPeer(
      key: key,
      address: try #require(SocketAddress(host: [10, 0, UInt8(n / 256), UInt8(n % 256)], port: 4_000)))
  }

  private func file(_ n: Int) -> ControlFile {
    let digits = String(repeating: "0", count: 60) + String(1_000 + n)
    return ControlFile(
      file: digits, name: "f\(n)", topic: "", bytes: UInt64(n), digest: digits, publisher: key.description,
      state: n % 2 == 0 ? .complete : .published, chunksDone: 1, chunks: 1, path: "/f\(n)", parent: nil)
  }

  @Test("numbers are reserved once, whatever the clock says, and each key has its own")
  func sequence() throws {
    for expected in [1_000, 1_050, 1_100] as [UInt64] {
      // Opened anew each time, as after a kill: nothing but the file carries it over.
      let store = try StateStore(at: path)
      #expect(try store.reserveSequence(50, atLeast: expected == 1_000 ? 1_000 : 3, for: key) == expected)
    }
    let store = try StateStore(at: path)
    #expect(try store.reserveSequence(50, atLeast: 9_000, for: key) == 9_000)
    let other = try #require(PublicKey([UInt8](repeating: 8, count: 32)))
    #expect(try store.reserveSequence(50, atLeast: 5, for: other) == 5)
  }

  @Test("peers come back, the last seen first, and the longest unseen are forgotten")
  func peers() throws {
    var store: StateStore? = try StateStore(at: path)
    let all = try (0..<300).map(peer)
    for (i, peer) in all.enumerated() { try store?.remember([peer], at: UInt64(i)) }
    try store?.remember([all[100]], at: 1_000)
    store = nil
    let known = try StateStore(at: path).peers()
    #expect(known.count == StateStore.peerLimit)
    #expect(known.first == all[100] && known[1] == all[299] && !known.contains(all[43]))
  }

  @Test("finished files come back, the oldest first")
  func files() throws {
    let store = try StateStore(at: path)
    for n in 0..<5 { try store.remember(file(n), at: UInt64(n)) }
    try store.remember(file(1), at: 9)
    #expect(try StateStore(at: path).files() == [0, 2, 3, 4, 1].map(file))
    #expect(try store.memory("seen") == nil)
    try store.remember([], as: "seen")
    #expect(try store.memory("seen") == [])
    try store.remember([1, 2], as: "seen")
    #expect(try StateStore(at: path).memory("seen") == [1, 2])
  }

  @Test("a store of each older version is brought forward with what it holds")
  func migration() throws {
    for version in 0..<StateSchema.version {
      let path = directory("old-\(version)")
      do {
        let database = try Database(path)
        for step in StateSchema.steps[..<version] { for statement in step { try database.run(statement) } }
        if version > 0 {
          try database.run("PRAGMA application_id = \(StateSchema.application)")
          try database.run("INSERT INTO sequence VALUES (?, 77)", [.blob(key.bytes)])
        }
        try database.run("PRAGMA user_version = \(version)")
      }
      let store = try StateStore(at: path)
      #expect(store.movedAside == nil)
      #expect(try store.reserveSequence(1, atLeast: 1, for: key) == (version > 0 ? 77 : 1))
      try store.remember(file(1), at: 1)
      #expect(try Database(path).run("PRAGMA user_version") == [[.integer(Int64(StateSchema.version))]])
    }
  }

  @Test("a store of a newer version is refused with what to upgrade, and left alone")
  func newer() throws {
    _ = try StateStore(at: path).reserveSequence(1, atLeast: 41, for: key)
    try Database(path).run("PRAGMA user_version = 99")
    #expect {
      _ = try StateStore(at: path)
    } throws: { error in
      "\(error)".contains("version 99") && "\(error)".contains("upgrade starling")
    }
    try Database(path).run("PRAGMA user_version = \(StateSchema.version)")
    #expect(try StateStore(at: path).reserveSequence(1, atLeast: 1, for: key) == 42)
  }

  @Test("a damaged store, and what is no store, is kept under another name, and a new one begins")
  func damage() throws {
    var store: StateStore? = try StateStore(at: path)
    for n in 0..<200 { try store?.remember([peer(n)], at: 1) }
    store = nil
    var pages = try #require(contents(path))
    for i in 4_096..<pages.count { pages[i] = 0xA5 }
    for (n, bytes) in [pages, Array("a poem, not a database, and long enough to be read as one".utf8)]
      .enumerated()
    {
      directory.write(bytes, to: "state.sqlite")
      let fresh = try StateStore(at: path)
      let aside = try #require(fresh.movedAside)
      #expect(aside.path == path + ".damaged-\(n + 1)")
      #expect(contents(aside.path) == bytes)
      #expect(try fresh.peers().isEmpty)
      unlink(path)
      unlink(path + "-wal")
      unlink(path + "-shm")
    }
    for harm in ["DROP TABLE sequence", "PRAGMA user_version = 0"] {
      var whole: StateStore? = try StateStore(at: path)
      try whole?.database.run(harm)
      whole = nil
      #expect(try StateStore(at: path).movedAside != nil, "\(harm)")
      unlink(path)
      unlink(path + "-wal")
      unlink(path + "-shm")
    }
    let foreign = try Database(path)
    try foreign.run("CREATE TABLE mine (x)")
    try foreign.run("PRAGMA user_version = 1")
    #expect(try StateStore(at: path).movedAside != nil)
  }

  @Test(
    "a large state is not looked through at the start: what is damaged of its history is told of when it is read"
  )
  func damagedHistory() throws {
    var store: StateStore? = try StateStore(at: path)
    try store?.remember([peer(1)], at: 1)
    var stable: StableStorage? = try StableStorage(at: path, for: key, in: "n")
    for n in 0..<100 {
      try stable?.commit(
        (0..<100).map { .put(key: [1, UInt8(n), UInt8($0)], value: [UInt8](repeating: 7, count: 64)) })
    }
    stable = nil
    store = nil
    // The last page is a leaf of what must not be forgotten.
    var pages = try #require(contents(path))
    for i in pages.count - 4_096..<pages.count { pages[i] = 0xA5 }
    directory.write(pages, to: "state.sqlite")
    #expect(StateSchema.prepare(try Database(path), wholeCheckLimit: 0) == nil)
    let again = try StableStorage(at: path, for: key, in: "n")
    #expect(try again.values(StableQuery(from: [1, 0], below: [1, 1])).count == 100)
    #expect(throws: HostError.self) { try again.values(StableQuery(from: [1], below: [2])) }
    // A small one is, and is put aside.
    #expect(StateSchema.prepare(try Database(path)) != nil)
    // Nor is anything else of a large one trusted.
    for i in 4_096..<pages.count { pages[i] = 0xA5 }
    directory.write(pages, to: "state.sqlite")
    unlink(path + "-wal")
    unlink(path + "-shm")
    #expect(StateSchema.prepare(try Database(path), wholeCheckLimit: 0) != nil)
  }

  @Test("a folder that cannot be written is one sentence")
  func refusal() throws {
    #expect {
      _ = try StateStore(at: directory("none/state.sqlite"))
    } throws: { error in
      "\(error)".contains("could not be opened")
    }
  }
}
