import Dispatch
import Glibc
import StarlingApps
import StarlingCore
import Synchronization
import Testing

@testable import StarlingRuntime

/// Answers with fixed things, on another thread, and keeps what is uploaded.
private final class FakeService: ControlService {
  let uploads = Mutex<[String: [UInt8]]>([:])
  let cancelled = Mutex(0)
  let unanswered = Mutex<[HTTPReply]>([])

  func status(_ reply: HTTPReply) {
    // Not a task: the tests' own blocking calls may occupy all the threads that tasks have.
    DispatchQueue.global().async {
      var status = ControlStatus()
      status.key = "abc"
      status.uptimeMs = 7
      status.counters = ["payload_chunks": 3]
      reply.send(status)
    }
  }

  func peers(_ reply: HTTPReply) { unanswered.withLock { $0.append(reply) } }

  func members(_ reply: HTTPReply) { reply.send(ControlMembers(members: [])) }

  func files(_ reply: HTTPReply) { reply.send(HTTPResponse(status: 503, error: "Too busy.")) }

  func posts(batchLimit: Int) -> any HTTPUpload { Upload(self, "posts|\(batchLimit)") }

  func upload(name: String, topic: String) throws(HostError) -> any HTTPUpload {
    guard name != "bad" else { throw HostError("A bad name.") }
    return Upload(self, name + "|" + topic)
  }

  final class Upload: HTTPUpload {
    private let service: FakeService
    private let label: String
    private var bytes: [UInt8] = []

    init(_ service: FakeService, _ label: String) {
      self.service = service
      self.label = label
    }

    func write(_ piece: UnsafeRawBufferPointer) throws(HostError) {
      guard !label.hasPrefix("full") else { throw HostError("The disk is full.") }
      bytes += piece
    }

    func finish(_ reply: HTTPReply) {
      service.uploads.withLock { $0[label] = bytes }
      reply.send(ControlPublication(file: "f", digest: "d", bytes: UInt64(bytes.count)))
    }

    func cancel() { service.cancelled.withLock { $0 += 1 } }
  }
}

@Suite struct ControlServerTests {
  private let service = FakeService()
  private let server: ControlServer
  private let client: ControlClient
  private let directory: TemporaryDirectory

  init() throws {
    let loopback = try #require(SocketAddress("127.0.0.1:0"))
    server = try ControlServer(listeningOn: loopback, service: service)
    var client = ControlClient(server.local)
    // Less than the patience with any connection: nobody waits for another's to run out.
    client.timeout = .seconds(4)
    self.client = client
    directory = try TemporaryDirectory()
  }

  /// Sends a request as it is and answers with the status and all that came back.
  private func raw(_ text: String) throws -> (status: Int, body: String) {
    var http = try HTTPClient(connectingTo: server.local, timeout: .seconds(10))
    _ = try http.send(Array(text.utf8)[...])
    let status = try http.readStatus()
    return (status, String(decoding: try http.readBody(), as: UTF8.self))
  }

  private func event(_ topic: String, _ name: String) -> ControlEvent {
    ControlEvent(
      event: .completed, file: "f", name: name, topic: topic, bytes: 5, digest: "d", path: "/x",
      publisher: "p", time: 1_700_000_000_000)
  }

  @Test("an answer that another thread gives comes back as it was, in snake case")
  func status() throws {
    let status = try client.status()
    #expect(status.key == "abc" && status.uptimeMs == 7 && status.counters == ["payload_chunks": 3])
    let json = try client.json("status")
    #expect(json.contains("\"uptime_ms\":7") && json.contains("\"counters\":{\"payload_chunks\":3}"))
  }

  @Test("an uploaded file arrives byte for byte, with its name and topic as they were")
  func upload() throws {
    let bytes = (0..<700_000).map { UInt8(truncatingIfNeeded: SplitMix64.mix($0)) }
    let path = directory.write(bytes, to: "my file+ü&#.txt")
    let publication = try client.publish(file: path, topic: "a b/c?=&%")
    #expect(publication == ControlPublication(file: "f", digest: "d", bytes: 700_000))
    #expect(service.uploads.withLock { $0["my file+ü&#.txt|a b/c?=&%"] } == bytes)
    _ = try client.publish(file: directory.write([], to: "empty"))
    #expect(service.uploads.withLock { $0["empty|"] } == [])
  }

  @Test("what cannot be published is refused with the sentence that says why")
  func refusedUploads() throws {
    func refusal(_ work: () throws -> Void) -> String {
      do {
        try work()
        return "none"
      } catch {
        return "\(error)"
      }
    }
    let path = directory.write([1, 2, 3], to: "file")
    #expect(refusal { _ = try client.publish(file: path, name: "bad") } == "A bad name.")
    #expect(refusal { _ = try client.publish(file: path, name: "full") } == "The disk is full.")
    #expect(refusal { _ = try client.publish(file: directory("none")) }.contains("could not be read"))
    #expect(refusal { _ = try client.publish(file: directory.path) }.contains("is not a file"))
    let head = "Host: localhost\r\nConnection: close\r\n"
    let post = "POST /api/v1/files"
    #expect(try raw("\(post)?name=x HTTP/1.1\r\n\(head)Transfer-Encoding: chunked\r\n\r\n").status == 411)
    #expect(try raw("\(post)?name=x HTTP/1.1\r\n\(head)Content-Length: 88473601\r\n\r\n").status == 413)
    for query in ["", "?topic=x", "?name"] {
      #expect(try raw("\(post)\(query) HTTP/1.1\r\n\(head)Content-Length: 3\r\n\r\nabc").status == 400)
    }
    // What is not UTF-8 comes through as a NUL, which no name may hold, and not as if it were not there.
    _ = try raw("\(post)?name=a&topic=%ff HTTP/1.1\r\n\(head)Content-Length: 3\r\n\r\nabc")
    #expect(service.uploads.withLock { $0["a|"] == nil && $0["a|\u{0}"] != nil })
    // A NUL does not cut the name short, so that it is refused as the impossible name it is.
    _ = try raw("\(post)?name=a%00b HTTP/1.1\r\n\(head)Content-Length: 3\r\n\r\nabc")
    #expect(service.uploads.withLock { $0["a|"] == nil && $0["a\u{0}b|"] != nil })
  }

  @Test("an upload that breaks off is cancelled")
  func brokenUpload() throws {
    do {
      let http = try HTTPClient(connectingTo: server.local, timeout: .seconds(10))
      try http.sendHead("POST", "/api/v1/files?name=x", contentLength: 100_000)
      _ = try http.send([UInt8](repeating: 1, count: 50_000)[...])
    }
    for _ in 0..<500 where service.cancelled.withLock({ $0 }) == 0 { usleep(10_000) }
    #expect(service.cancelled.withLock { $0 } == 1)
    #expect(service.uploads.withLock { $0.isEmpty })
  }

  @Test("an unknown path, a wrong method and a busy node are answered with a JSON sentence")
  func errors() throws {
    let head = "HTTP/1.1\r\nHost: 127.0.0.1:1\r\nConnection: close\r\n\r\n"
    for (request, status) in [
      ("GET / ", 404), ("GET /api/v2/status ", 404), ("DELETE /api/v1/files ", 405),
      ("POST /api/v1/status ", 405), ("GET /api/v1/%ff ", 404), ("GET /api/v1/files ", 503),
    ] {
      let answer = try raw(request + head)
      #expect(answer.status == status)
      #expect(answer.body.hasPrefix("{\"error\":\"") && answer.body.hasSuffix(".\"}"))
    }
  }

  @Test("a web page can neither read nor publish: an Origin, or a Host that is a name, is refused")
  func pages() throws {
    let rest = "Content-Length: 1\r\nConnection: close\r\n\r\nx"
    let post = "POST /api/v1/files?name=x HTTP/1.1\r\n"
    #expect(try raw("\(post)Host: localhost\r\nOrigin: https://a.example\r\n\(rest)").status == 403)
    #expect(try raw("\(post)Host: localhost\r\nOrigin: null\r\n\(rest)").status == 403)
    #expect(try raw("\(post)Host: localhost\r\nHost: 127.0.0.1\r\n\(rest)").status == 400)
    for site in ["cross-site", "same-site", "same-origin"] {
      #expect(try raw("\(post)Host: localhost\r\nSec-Fetch-Site: \(site)\r\n\(rest)").status == 403)
    }
    #expect(try raw("\(post)Host: localhost\r\nContent-Length: 9\r\n\(rest)").status == 400)
    #expect(try raw("\(post)Host: localhost\r\nTransfer-Encoding: chunked\r\n\(rest)").status == 400)
    #expect(try raw("\(post)Host: rebound.example:80\r\n\(rest)").status == 403)
    #expect(try raw("\(post)\(rest)").status == 400)
    #expect(service.uploads.withLock { $0.isEmpty })
    for host in ["localhost", "localhost:1", "127.0.0.1", "10.0.0.1:80", "[::1]", "[::1]:80"] {
      #expect(ControlServer.isAddress(host), "\(host)")
    }
    for host in ["", "a.example", "localhost.example:1", "127.0.0.1.example", "1", "::1", "[::1", ":80"] {
      #expect(!ControlServer.isAddress(host), "\(host)")
    }
  }

  @Test("events of the wanted topic stream to the client as they happen, and those of others do not")
  func events() throws {
    var seen: [ControlEvent] = []
    try client.events(
      topic: "news", timeout: .seconds(10),
      opened: {
        server.publish(event("other", "1"))
        server.publish(event("news", "2"))
      },
      each: { event in
        seen.append(event)
        if seen.count == 1 {
          server.keepAlive()
          server.publish(self.event("news", "3\n\u{2028}"))
        }
        return seen.count < 2
      })
    #expect(seen == [event("news", "2"), event("news", "3\n\u{2028}")])
  }

  @Test("a listener's time runs out although the stream is kept alive")
  func listenerTimeout() throws {
    #expect {
      try client.events(timeout: .milliseconds(50), each: { _ in true })
    } throws: { error in
      "\(error)".contains("in time")
    }
  }

  @Test("a listener that does not read is cut off, and the others still hear")
  func slowListener() throws {
    let slow = EventStream(topic: nil)
    let hub = EventHub()
    #expect(hub.add(slow))
    let piece = [UInt8](repeating: 0, count: 1_000)
    for _ in 0..<300 { hub.publish(piece, topic: nil) }
    var buffer = [UInt8](repeating: 0, count: 1 << 20)
    let count = buffer.withUnsafeMutableBytes { slow.read(into: $0) }
    #expect(count <= EventStream.limit && count > EventStream.limit - 1_000)
    #expect(buffer.withUnsafeMutableBytes { slow.read(into: $0) } == -1)
  }

  @Test("only so many may listen, and those that are gone make room")
  func tooManyListeners() throws {
    let hub = EventHub()
    let streams = (0..<EventHub.limit).map { _ in EventStream(topic: nil) }
    for stream in streams { #expect(hub.add(stream)) }
    #expect(!hub.add(EventStream(topic: nil)))
    streams[3].close()
    #expect(hub.add(EventStream(topic: nil)))
    for stream in streams { stream.close() }
    hub.finish()
    #expect(!hub.add(EventStream(topic: nil)))
  }

  @Test("stopping answers those who wait and ends the event streams")
  func stopping() throws {
    let (client, server, service) = (client, server, service)
    let results = Mutex<[String]>([])
    let group = DispatchGroup()
    func run(_ work: @escaping @Sendable () throws -> String) {
      DispatchQueue.global().async(group: group) {
        let result = Result { try work() }
        results.withLock { $0.append("\(result)") }
      }
    }
    let opened = DispatchSemaphore(value: 0)
    run { "\(try client.peers())" }
    run {
      try client.events(timeout: .seconds(10), opened: { opened.signal() }, each: { _ in true })
      return "ended"
    }
    opened.wait()
    while service.unanswered.withLock({ $0.isEmpty }) { usleep(1_000) }
    server.stop()
    group.wait()
    let all = results.withLock { $0.sorted() }
    #expect(all.count == 2)
    #expect(all.first?.contains("The node is stopping.") == true && all.last == "success(\"ended\")")
    #expect {
      try client.status()
    } throws: { error in
      "\(error)".contains("starling node --control")
    }
  }

  @Test("half-sent requests, however many, keep no good one waiting")
  func halfSent() throws {
    let heads = [
      "GET /api/v1/status HTTP/1.1\r\nHost: loc", "GET /api/v1/files HTTP/1.1\r\nHost: localhost\r\n\r\n",
      "POST /api/v1/files?name=x HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\nx", "",
    ]
    for head in heads {
      var crowd: [Crowd] = []
      for _ in 0..<300 { crowd.append(try Crowd(at: server.local, saying: head)) }
      let start = ContinuousClock.now
      #expect(try client.status().key == "abc", "\(head)")
      let waited = ContinuousClock.now - start
      print("behind 300 half-sent requests: \(waited)")
      crowd.removeAll()
    }
  }

  /// A connection on which something was said and no more comes.
  private final class Crowd {
    private let client: HTTPClient

    init(at address: SocketAddress, saying text: String) throws {
      client = try HTTPClient(connectingTo: address, timeout: .seconds(10))
      _ = try client.send(Array(text.utf8)[...])
    }
  }

  @Test("a taken control address is refused with a sentence that names it")
  func takenAddress() throws {
    #expect {
      try ControlServer(listeningOn: server.local, service: service)
    } throws: { error in
      "\(error)".contains("\(server.local) is already in use")
    }
  }
}
