import StarlingApps
import StarlingCore
import StarlingNode

/// Who answers the control server's questions, from any thread and in its own time.
protocol ControlService: Sendable {
  /// Answers with a ``ControlStatus``.
  func status(_ reply: HTTPReply)
  /// Answers with ``ControlPeers``.
  func peers(_ reply: HTTPReply)
  /// Answers with ``ControlMembers``.
  func members(_ reply: HTTPReply)
  /// Answers with ``ControlFiles``.
  func files(_ reply: HTTPReply)
  /// Takes in posts, a line each, that are to be broadcast.
  ///
  /// - Parameter batchLimit: how many travel together at most.
  func posts(batchLimit: Int) -> any HTTPUpload
  /// Takes in a file that is to be published.
  ///
  /// - Throws: ``HostError`` when it cannot be, which is the user's doing.
  func upload(name: String, topic: String) throws(HostError) -> any HTTPUpload
}

/// The node's control interface, under `/api/v1`: for programs and users of the same machine.
///
/// A page in the user's browser must not be able to publish in the user's name. So a request that carries an
/// Origin, or a Sec-Fetch-Site other than `none`, is refused, and so is one whose Host is neither an address nor `localhost`: a name that a stranger
/// made point here. The page that the ledger serves may use the ledger's paths, and no others: its Origin is this server, which
/// no stranger's page can say in a browser.
final class ControlServer: Sendable {
  /// The longest topic in a query, in bytes.
  private static let topicLimit = 64

  private let http: HTTPServer
  private let hub: EventHub
  private let postHub: EventHub
  private let ledger: LedgerServer?

  /// Starts the server.
  ///
  /// - Parameters:
  ///   - address: where to listen; port 0 takes any free port.
  ///   - service: who answers.
  ///   - ledger: who answers for the ledger; `nil` when the node keeps none.
  init(
    listeningOn address: SocketAddress, service: some ControlService, ledger: (any LedgerService)? = nil
  ) throws(HostError) {
    let (hub, postHub, ledger) = (EventHub(), EventHub(), ledger.map(LedgerServer.init))
    self.hub = hub
    self.postHub = postHub
    self.ledger = ledger
    http = try HTTPServer(listeningOn: address) { request in
      if let path = LedgerPath(request.path) { return ControlServer.route(request, path, to: ledger) }
      return ControlServer.route(request, service: service, hub: hub, postHub: postHub)
    }
  }

  deinit { stop() }

  /// Where the server listens; its port is never 0.
  var local: SocketAddress { http.local }

  /// Tells everybody who listens for the event's topic.
  func publish(_ event: ControlEvent) {
    guard let data = try? ControlCoding.encode(event) else { return }
    hub.publish(
      Array("event: \(event.event.rawValue)\ndata: ".utf8) + data + Array("\n\n".utf8), topic: event.topic)
  }

  /// Whether somebody listens for posts.
  var hasPostListeners: Bool { postHub.hasListeners }

  /// Tells everybody who listens for posts.
  func publish(_ post: ControlPost) {
    guard let data = try? ControlCoding.encode(post) else { return }
    postHub.publish(Array("event: post\ndata: ".utf8) + data + Array("\n\n".utf8), topic: nil)
  }

  /// Tells everybody who follows the account; without anybody, the event is not even made.
  func publish(account: PublicKey, _ event: @autoclosure () -> LedgerEvent) {
    ledger?.publish(account: account, event)
  }

  /// Sends a comment on all event streams: a client that is gone shows only when something is sent.
  func keepAlive() {
    for hub in [hub, postHub] { hub.publish(Array(": alive\n\n".utf8), topic: nil) }
    ledger?.keepAlive()
  }

  /// Ends the event streams, answers whoever still waits, and stops.
  func stop() {
    hub.finish()
    postHub.finish()
    ledger?.finish()
    http.stop()
  }

  private static func route(
    _ request: HTTPRequest, service: some ControlService, hub: EventHub, postHub: EventHub
  ) -> HTTPHandling {
    if let refusal = refusal(of: request) { return .answer(refusal) }
    switch (request.method, request.path) {
    case ("GET", "/api/v1/status"): return .ask(service.status)
    case ("GET", "/api/v1/peers"): return .ask(service.peers)
    case ("GET", "/api/v1/members"): return .ask(service.members)
    case ("GET", "/api/v1/files"): return .ask(service.files)
    case ("POST", "/api/v1/files"): return upload(request, to: service)
    case ("GET", "/api/v1/events"): return events(request, hub: hub)
    case ("GET", "/api/v1/posts"): return events(request, hub: postHub)
    case ("POST", "/api/v1/posts"): return posts(request, to: service)
    case (_, "/api/v1/members"), (_, "/api/v1/posts"), (_, "/api/v1/status"), (_, "/api/v1/peers"),
      (_, "/api/v1/files"),
      (_, "/api/v1/events"):
      return refuse(405, "\(request.path) does not take \(request.method).")
    default: return refuse(404, "There is nothing at this path; the interface is under /api/v1.")
    }
  }

  private static func route(
    _ request: HTTPRequest, _ path: LedgerPath, to ledger: LedgerServer?
  ) -> HTTPHandling {
    let visitor: Visitor = path == .page ? .browser : .ownPage
    if let refusal = refusal(of: request, allowing: visitor) { return .answer(refusal) }
    guard let ledger else {
      return refuse(404, "This node keeps no ledger; start it with --genesis FILE.")
    }
    return ledger.handle(request, path)
  }

  /// Who may ask, apart from programs that are no browsers and what a user types into one.
  private enum Visitor {
    /// Nobody.
    case program
    /// The page that this server serves.
    case ownPage
    /// That, and whoever follows a link here from anywhere: it shows the page, which does nothing by itself.
    case browser
  }

  /// Whether a web page is behind a request that may not be.
  private static func isForeign(_ request: HTTPRequest, allowing visitor: Visitor) -> Bool {
    guard request.headerCount("Origin") <= 1, request.headerCount("Sec-Fetch-Site") <= 1 else { return true }
    if let origin = request.header("Origin") {
      guard visitor != .program, let host = request.header("Host"), origin == "http://" + host else {
        return true
      }
    }
    // A browser sends no Origin with some requests of a page, such as that for an image, and yet says whose they are.
    switch request.header("Sec-Fetch-Site") {
    case nil, "none": return false
    case "same-origin": return visitor == .program
    default:
      return visitor != .browser || request.header("Sec-Fetch-Mode") != "navigate"
        || request.header("Sec-Fetch-Dest") != "document"
    }
  }

  private static func refusal(
    of request: HTTPRequest, allowing visitor: Visitor = .program
  ) -> HTTPResponse? {
    guard !isForeign(request, allowing: visitor) else {
      return HTTPResponse(status: 403, error: "Web pages may not use this interface.")
    }
    // Whoever stands between might see another request begin where this one ends (RFC 9112, section 6.3).
    guard request.headerCount("Content-Length") <= 1 else {
      return HTTPResponse(status: 400, error: "The request states more than one Content-Length.")
    }
    guard request.header("Content-Length") == nil || request.header("Transfer-Encoding") == nil else {
      return HTTPResponse(status: 400, error: "The request states its length in two ways.")
    }
    // A body that never comes would hold the connection among the busy ones.
    if request.method != "POST",
      request.header("Content-Length") ?? "0" != "0" || request.header("Transfer-Encoding") != nil
    {
      return HTTPResponse(status: 400, error: "Only POST takes a body here.")
    }
    guard let host = request.header("Host") else {
      return HTTPResponse(status: 400, error: "The request names no host.")
    }
    // Whoever stands between might look at the one and this server at the other (RFC 9112, section 3.2).
    guard request.headerCount("Host") == 1 else {
      return HTTPResponse(status: 400, error: "The request names more than one host.")
    }
    guard isAddress(host) else {
      return HTTPResponse(status: 403, error: "The host must be an IP address or localhost.")
    }
    return nil
  }

  /// Whether a Host header holds an IP address or `localhost`, with or without a port.
  static func isAddress(_ host: String) -> Bool {
    let hasPort = host.hasPrefix("[") ? !host.hasSuffix("]") : host.contains(":")
    return SocketAddress(hasPort ? host : host + ":80") != nil
  }

  private static func upload(_ request: HTTPRequest, to service: some ControlService) -> HTTPHandling {
    guard let length = request.header("Content-Length") else {
      return refuse(411, "The request must state the file's size as its Content-Length.")
    }
    guard let byteCount = UInt64(length), byteCount <= FileManifest.byteLimit else {
      return refuse(413, "A file of at most \(FileManifest.byteLimit) bytes can be published.")
    }
    guard let name = request.query("name") else {
      return refuse(400, "The query must name the file, as in ?name=notes.txt.")
    }
    do {
      return .receive(try service.upload(name: name, topic: request.query("topic") ?? ""))
    } catch {
      return refuse(400, error.description)
    }
  }

  private static func posts(_ request: HTTPRequest, to service: some ControlService) -> HTTPHandling {
    guard let length = request.header("Content-Length") else {
      return refuse(411, "The request must state the posts' size as its Content-Length.")
    }
    guard let byteCount = Int(length), byteCount <= PostUpload.byteLimit else {
      return refuse(413, "At most \(PostUpload.byteLimit) bytes of posts can be handed in at once.")
    }
    let limit = request.query("batch") ?? "\(NodeBatch.entryLimit)"
    guard let batchLimit = Int(limit), (1...NodeBatch.entryLimit).contains(batchLimit) else {
      return refuse(400, "A batch has 1 to \(NodeBatch.entryLimit) posts.")
    }
    return .receive(service.posts(batchLimit: batchLimit))
  }

  private static func events(_ request: HTTPRequest, hub: EventHub) -> HTTPHandling {
    let topic = request.query("topic")
    guard topic?.utf8.count ?? 0 <= topicLimit else {
      return refuse(400, "A topic has at most \(topicLimit) bytes.")
    }
    let stream = EventStream(topic: topic)
    guard hub.add(stream) else {
      return refuse(503, "\(EventHub.limit) clients are listening for events already; end one of them.")
    }
    // Something must be sent for the client to see that it is being served.
    stream.push(Array(": listening\n\n".utf8))
    return .stream(stream)
  }

  private static func refuse(_ status: UInt32, _ sentence: String) -> HTTPHandling {
    .answer(HTTPResponse(status: status, error: sentence))
  }
}

extension HTTPReply {
  /// Answers with an object as JSON.
  func send(_ value: some Encodable, status: UInt32 = 200) { send(HTTPResponse(status: status, value)) }
}
