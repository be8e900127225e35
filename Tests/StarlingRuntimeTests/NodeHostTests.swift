import Glibc
import StarlingCore
import Testing

@testable import StarlingRuntime

@Suite(.serialized) struct NodeHostTests {
  private let directory: TemporaryDirectory

  init() throws { directory = try TemporaryDirectory() }

  private func bytes(_ count: Int, salt: UInt64 = 0) -> [UInt8] {
    (0..<count).map { UInt8(truncatingIfNeeded: SplitMix64.mix(UInt64($0) &+ salt)) }
  }

  private func complete(_ name: String, on node: RunningHost) throws -> ControlFile? {
    try node.client.files().first { $0.name == name && $0.state == .complete }
  }

  private func refusal(_ change: (inout HostConfiguration) -> Void) -> String {
    var configuration = HostConfiguration()
    change(&configuration)
    do {
      _ = try NodeHost(configuration)
      return "none"
    } catch {
      return error.description
    }
  }

  @Test(
    "a file published on one node arrives on all, byte for byte, over a slow network that loses datagrams")
  func delivery() throws {
    let delay = DelayModel.gaussian(mean: .milliseconds(5), deviation: .milliseconds(2))
    var nodes: [RunningHost] = []
    for _ in 0..<4 {
      nodes.append(
        try RunningHost { configuration in
          configuration.contacts = nodes.first.map { [$0.host.listen] } ?? []
          configuration.delay = delay
          configuration.loss = 0.03
        })
    }
    for node in nodes {
      #expect(try eventually { try node.client.status().neighbours > 0 }, "\(node.log)")
    }
    let contents = bytes(400_000)
    let path = directory.write(contents, to: "murmuration.bin")
    let publication = try nodes[3].client.publish(file: path, topic: "birds")
    #expect(publication.digest == SHA256.hash(contents).description && publication.bytes == 400_000)
    for node in nodes[..<3] {
      #expect(try eventually { try complete("murmuration.bin", on: node) != nil }, "\(node.log)")
      let file = try #require(try complete("murmuration.bin", on: node))
      #expect(file.topic == "birds" && file.publisher == nodes[3].host.key.description)
      #expect(file.chunksDone == file.chunks && file.digest == publication.digest)
      #expect(StarlingRuntimeTests.contents(try #require(file.path)) == contents)
    }
    #expect(try eventually { try nodes[3].client.files().first?.state == .published })
    let status = try nodes[0].client.status()
    #expect(status.key == nodes[0].host.key.description && status.network == "test")
    #expect(status.listen == nodes[0].host.listen.description && status.uptimeMs > 0)
    #expect(status.counters["chunks_stored"] == 9)
    #expect(try #require(status.counters["datagrams_impaired"]) > 0)
    let peers = try nodes[0].client.peers()
    let others = Set(nodes[1...].map(\.host.key.description))
    #expect(!peers.isEmpty && peers.allSatisfy { others.contains($0.key) })
  }

  @Test("a node that stops tells its neighbours, answers nobody any more, and removes its temporary files")
  func stopping() throws {
    let first = try RunningHost()
    let second = try RunningHost { $0.contacts = [first.host.listen] }
    #expect(try eventually { try first.client.status().neighbours == 1 })
    let folder = second.host.dataDirectory
    #expect(access(folder, F_OK) == 0)
    second.host.stop()
    if case .success? = second.waitForEnd() {} else { Issue.record("it did not end") }
    #expect(access(folder, F_OK) != 0)
    #expect(throws: HostError.self) { try second.client.status() }
    // Far sooner than any silence would tell.
    #expect(try eventually { try first.client.status().neighbours == 0 })
    #expect(first.log.contains { $0.contains("Lost the last neighbour") })
  }

  @Test("events tell when a file is announced and when it is here, and where")
  func events() throws {
    let first = try RunningHost()
    let second = try RunningHost { $0.contacts = [first.host.listen] }
    #expect(try eventually { try first.client.status().neighbours == 1 })
    let path = directory.write(bytes(60_000), to: "a")
    var seen: [ControlEvent] = []
    try second.client.events(
      timeout: .seconds(10), opened: { _ = try? first.client.publish(file: path) },
      each: {
        seen.append($0)
        return seen.count < 2
      })
    #expect(seen.map(\.event) == [.announced, .completed])
    #expect(seen[0].path == nil && seen[0].name == "a" && seen[0].bytes == 60_000)
    #expect(contents(try #require(seen[1].path)) == bytes(60_000))
    #expect(seen[1].time >= seen[0].time && seen[0].time > 1_600_000_000_000)
  }

  @Test("a node that comes back with its key is heard again by those who stayed")
  func restart() throws {
    let key = directory("id")
    let identity = try IdentityFile.create(at: key)
    let stayed = try RunningHost()
    for name in ["before", "after"] {
      let node = try RunningHost { configuration in
        configuration.identityFile = key
        configuration.contacts = [stayed.host.listen]
        configuration.dataDirectory = directory("data")
      }
      #expect(node.host.key == identity.publicKey)
      #expect(try eventually { try stayed.client.status().neighbours == 1 })
      let path = directory.write(bytes(10_000, salt: UInt64(name.count) << 32), to: name)
      _ = try node.client.publish(file: path)
      #expect(try eventually { try complete(name, on: stayed) != nil }, "\(stayed.log)")
      node.host.stop()
      _ = node.waitForEnd()
      #expect(try eventually { try stayed.client.status().neighbours == 0 })
    }
    #expect(contents(directory("data/files/before")) == bytes(10_000, salt: 6 << 32))
  }

  @Test("a disk that refuses costs the file, in one sentence, and not the node")
  func diskErrors() throws {
    let first = try RunningHost()
    let second = try RunningHost { configuration in
      configuration.contacts = [first.host.listen]
      configuration.dataDirectory = directory("data")
    }
    #expect(try eventually { try first.client.status().neighbours == 1 })
    rmdir(directory("data/incoming"))
    directory.write([], to: "data/incoming")
    _ = try first.client.publish(file: directory.write(bytes(150_000), to: "lost"))
    #expect(try eventually { try second.client.files().first?.state == .failed })
    #expect(second.log.count { $0.contains("could not be kept") } == 1)
    unlink(directory("data/incoming"))
    // What was lost comes when it is published again, and the folder is made anew.
    for name in ["kept", "lost"] {
      let contents = bytes(150_000, salt: name == "kept" ? 1 << 40 : 0)
      #expect(try eventually { try first.client.files().allSatisfy { $0.state == .published } })
      _ = try first.client.publish(file: directory.write(contents, to: name))
      #expect(try eventually { try complete(name, on: second) != nil }, "\(second.log)")
    }
    #expect(second.log.count { $0.contains("event=disk_works") } == 1)
    #expect(try #require(try second.client.status().counters["disk_errors"]) > 0)
  }

  @Test("a node started again in its directory keeps its key, its numbers and files, and finds its network")
  func memory() throws {
    let first = try RunningHost()
    var earlier: PublicKey?
    var path = ""
    for contacts in [[first.host.listen], []] {
      let node = try RunningHost { configuration in
        configuration.dataDirectory = directory("data")
        configuration.contacts = contacts
      }
      if let earlier { #expect(node.host.key == earlier) }
      earlier = node.host.key
      #expect(try eventually { try node.client.status().neighbours == 1 }, "\(node.log)")
      if contacts.isEmpty {
        #expect(try node.client.files().map(\.path) == [path] && node.client.files()[0].state == .complete)
        // Published once more it is known; another one of the same publisher comes.
        _ = try first.client.publish(file: directory.write(bytes(70_000), to: "once"))
        _ = try first.client.publish(file: directory.write(bytes(9_000), to: "next"))
        #expect(try eventually { try complete("next", on: node) != nil }, "\(node.log)")
        #expect(try node.client.status().counters["chunks_stored"] == 1)
        // Its own messages count as new.
        _ = try node.client.publish(file: directory.write(bytes(8_000, salt: 1), to: "own"))
        #expect(try eventually { try complete("own", on: first) != nil }, "\(first.log)")
      } else {
        _ = try first.client.publish(file: directory.write(bytes(70_000), to: "once"))
        #expect(try eventually { try complete("once", on: node) != nil }, "\(node.log)")
        path = try #require(try complete("once", on: node)?.path)
      }
      node.host.stop()
      _ = node.waitForEnd()
      #expect(try eventually { try first.client.status().neighbours == 0 })
    }
  }

  @Test("a damaged state costs a node what it remembered, not its key, and is told and kept")
  func damagedState() throws {
    var node: RunningHost? = try RunningHost { $0.dataDirectory = directory("data") }
    let key = try #require(node?.host.key)
    node = nil
    directory.write(Array(repeating: 0x55, count: 9_000), to: "data/state.sqlite")
    let again = try RunningHost { $0.dataDirectory = directory("data") }
    #expect(again.host.key == key)
    #expect(contents(directory("data/state.sqlite.damaged-1")) == Array(repeating: 0x55, count: 9_000))
    #expect(eventually { again.log.contains { $0.contains("event=state_damaged") } }, "\(again.log)")
  }

  @Test("SIGTERM ends a node as cleanly as a request does, even where it was blocked")
  func signals() throws {
    // New threads inherit the mask, as new processes do: those of a task that started the node, for example.
    var stopping = sigset_t()
    var earlier = sigset_t()
    sigemptyset(&stopping)
    sigaddset(&stopping, SIGTERM)
    pthread_sigmask(SIG_BLOCK, &stopping, &earlier)
    let node = try RunningHost { $0.handlesSignals = true }
    pthread_sigmask(SIG_SETMASK, &earlier, nil)
    #expect(try eventually { try node.client.status().neighbours == 0 })
    kill(getpid(), SIGTERM)
    if case .success? = node.waitForEnd() {} else { Issue.record("it did not end") }
  }

  @Test("a node ends with its lifeline: no supervisor, however it dies, leaves nodes behind")
  func lifeline() throws {
    var ends: [Int32] = [0, 0]
    #expect(pipe(&ends) == 0)
    let node = try RunningHost { $0.lifeline = ends[0] }
    #expect(try node.client.status().neighbours == 0)
    close(ends[1])
    if case .success? = node.waitForEnd() {} else { Issue.record("it did not end") }
    close(ends[0])
  }

  @Test("a contact that does not answer within the patience ends the node with a sentence that names it")
  func silentContact() throws {
    let silent = try UDPSocket(listeningOn: HostConfiguration.loopback)
    let node = try RunningHost { configuration in
      configuration.contacts = [silent.local]
      configuration.joinTimeout = .milliseconds(200)
    }
    guard case .failure(let error)? = node.waitForEnd() else {
      Issue.record("it did not fail")
      return
    }
    #expect(error.description.contains("\(silent.local)"))
  }

  @Test("nodes of different networks do not connect")
  func networks() throws {
    let first = try RunningHost()
    let second = try RunningHost { configuration in
      configuration.contacts = [first.host.listen]
      configuration.network = "another"
      configuration.joinTimeout = .milliseconds(500)
    }
    if case .failure? = second.waitForEnd() {} else { Issue.record("it joined") }
    #expect(try first.client.status().neighbours == 0)
  }

  @Test("what a node cannot start with is refused with one sentence, and nothing is left behind")
  func refusals() throws {
    let taken = try UDPSocket(listeningOn: HostConfiguration.loopback)
    #expect(refusal { $0.listen = taken.local }.contains("already in use"))
    #expect(refusal { $0.identityFile = directory("none") }.contains("starling keys new"))
    #expect(refusal { $0.network = String(repeating: "x", count: 256) }.contains("255"))
    #expect(refusal { $0.loss = 1.5 }.contains("0 to 1"))
    #expect(refusal { $0.dataDirectory = directory("no/such/parent") }.contains("could not be made"))
    let node = try RunningHost { $0.dataDirectory = directory("data") }
    #expect(refusal { $0.dataDirectory = directory("data") }.contains("another node"))
    #expect(refusal { $0.control = node.host.control }.contains("already in use"))
  }

  @Test("a file with an impossible name, and one that is being published already, are refused")
  func refusedPublications() throws {
    let node = try RunningHost()
    let path = directory.write(bytes(10), to: "x")
    #expect(throws: HostError.self) { try node.client.publish(file: path, name: "../x") }
    #expect(throws: HostError.self) {
      try node.client.publish(file: path, topic: String(repeating: "x", count: 65))
    }
    #expect(throws: Never.self) { try node.client.publish(file: path) }
    #expect(throws: HostError.self) { try node.client.publish(file: path) }
  }
}
