import CMicrohttpd
import CStarlingShims
import Glibc
import StarlingCore
import Synchronization

/// An HTTP server on GNU libmicrohttpd with a thread of its own. Requests are routed there; who answers them
/// may live on another thread.
final class HTTPServer: Sendable {
  /// The most connections at once: all that can be held, which is 32 without a request, 16 uploads, 24 that wait for a
  /// transfer and three times 32 event streams, and 88 for questions.
  static let connectionLimit: UInt32 = 256
  /// How long a client may be silent in the middle of a request whose head has come, in seconds.
  static let timeoutSeconds: UInt32 = 30

  private struct State {
    var daemon: Daemon?
    var isStopping = false
    var replies: [ObjectIdentifier: HTTPReply] = [:]
    var uploads = HTTPUploads()
  }

  /// The library's handle, which only ``init(listeningOn:route:)`` and ``stop()`` use.
  private struct Daemon: @unchecked Sendable {
    let pointer: OpaquePointer
    let context: Unmanaged<HTTPContext>
  }

  /// Where the server listens; its port is never 0.
  let local: SocketAddress
  private let route: @Sendable (HTTPRequest) -> HTTPHandling
  private let state = Mutex(State())

  /// Starts the server.
  ///
  /// - Parameters:
  ///   - address: where to listen; port 0 takes any free port.
  ///   - route: says what to do about a request, from its head; called on the server's thread.
  init(
    listeningOn address: SocketAddress, route: @escaping @Sendable (HTTPRequest) -> HTTPHandling
  ) throws(HostError) {
    // A client that goes away while it is answered must not end the process.
    signal(SIGPIPE, SIG_IGN)
    self.route = route
    let context = Unmanaged.passRetained(HTTPContext())
    var code: Int32 = 0
    let started = starling_http_start(
      address.host, UInt8(address.host.count), address.port, HTTPServer.connectionLimit,
      HTTPIdleConnections.timeoutSeconds, handleRequest, completeRequest, noticeConnection,
      context.toOpaque(), &code)
    guard let started else {
      context.release()
      if code == EADDRINUSE {
        throw HostError(
          "The control address \(address) is already in use; choose another port, or 0 for any free one.")
      }
      throw HostError("The control server cannot listen on \(address)", errno: code)
    }
    guard let local = SocketAddress(host: address.host, port: starling_http_port(started)) else {
      throw HostError("The control server's own address could not be read.")
    }
    self.local = local
    state.withLock { $0.daemon = Daemon(pointer: started, context: context) }
    context.takeUnretainedValue().server.withLock { $0 = WeakServer(server: self) }
  }

  deinit { stop() }

  /// Answers everybody who still waits, closes all connections and ends the server's thread. The caller ends
  /// the event streams first.
  func stop() {
    let (daemon, replies) = state.withLock { state in
      state.isStopping = true
      let result = (state.daemon, state.replies.values.map(\.self))
      state.daemon = nil
      return result
    }
    for reply in replies { reply.send(HTTPServer.stopping) }
    // Stopping closes connections at once: give the answers half a second to leave.
    for _ in 0..<500 where !state.withLock({ $0.replies.isEmpty }) { usleep(1_000) }
    guard let daemon else { return }
    MHD_stop_daemon(daemon.pointer)
    daemon.context.release()
  }

  fileprivate static let stopping = HTTPResponse(status: 503, error: "The node is stopping.")

  /// Routes a new request, and keeps account of who still waits for an answer.
  fileprivate func begin(_ request: HTTPRequest) -> HTTPExchange {
    let isStopping = state.withLock { $0.isStopping }
    let handling = isStopping ? .answer(HTTPServer.stopping) : route(request)
    let exchange = HTTPExchange(handling)
    guard case .receive(let upload) = handling else { return exchange }
    let descriptor = starling_http_socket(request.connection.pointer)
    let (isTaken, displaced) = state.withLock {
      $0.uploads.add(ObjectIdentifier(exchange), descriptor: descriptor, at: .now)
    }
    // The library sees the end of what it reads, and closes it.
    if let displaced { shutdown(displaced, Int32(SHUT_RDWR)) }
    if isTaken { return exchange }
    upload.cancel()
    return HTTPExchange(
      .answer(
        HTTPResponse(
          status: 503,
          error: "\(HTTPUploads.limit) uploads are arriving already; try again in a moment.")))
  }

  /// Some of an upload has come.
  fileprivate func received(_ bytes: Int, of exchange: HTTPExchange) {
    state.withLock { $0.uploads.received(bytes, of: ObjectIdentifier(exchange)) }
  }

  /// An upload is over, one way or the other.
  fileprivate func endUpload(_ exchange: HTTPExchange) {
    state.withLock { $0.uploads.remove(ObjectIdentifier(exchange)) }
  }

  /// Whether the server will see to it that the reply comes even when it stops.
  fileprivate func register(_ reply: HTTPReply) -> Bool {
    state.withLock { state in
      guard !state.isStopping else { return false }
      state.replies[ObjectIdentifier(reply)] = reply
      return true
    }
  }

  fileprivate func unregister(_ reply: HTTPReply) {
    state.withLock { _ = $0.replies.removeValue(forKey: ObjectIdentifier(reply)) }
  }
}

/// What the library's callbacks are given: it outlives the server by the last callback.
private final class HTTPContext: Sendable {
  let server = Mutex<WeakServer?>(nil)
  let idle = HTTPIdleConnections()
}

/// The connections on which no request is being handled: new ones, and those whose last was answered. Whoever opens
/// many and sends half a request on each must not keep others out, so they are few, and the one that has been
/// here longest gives way: whoever means to ask something asks at once.
private final class HTTPIdleConnections: Sendable {
  /// The most of them. A guess: an eighth of all connections.
  static let limit = 32
  /// How long they may be silent, in seconds.
  static let timeoutSeconds: UInt32 = 5

  private struct Entry: @unchecked Sendable {
    let connection: OpaquePointer
    let descriptor: Int32
  }

  private let entries = Mutex<[Entry]>([])

  /// A connection is there, or its request was answered.
  func add(_ connection: OpaquePointer) {
    let entry = Entry(connection: connection, descriptor: starling_http_socket(connection))
    starling_http_patience(connection, HTTPIdleConnections.timeoutSeconds)
    let surplus = entries.withLock { entries -> Entry? in
      entries.removeAll { $0.connection == entry.connection }
      entries.append(entry)
      return entries.count > HTTPIdleConnections.limit ? entries.removeFirst() : nil
    }
    // The library sees the end of what it reads, and closes it.
    if let surplus { shutdown(surplus.descriptor, Int32(SHUT_RDWR)) }
  }

  /// A request's head has come, or the connection is gone.
  func remove(_ connection: OpaquePointer) {
    entries.withLock { $0.removeAll { $0.connection == connection } }
  }
}

private struct WeakServer: Sendable { weak let server: HTTPServer? }

/// One request on its way, on the server's thread.
private final class HTTPExchange {
  private let handling: HTTPHandling
  private let reply = HTTPReply()
  private var isAsked = false
  private var failure: HostError?

  init(_ handling: HTTPHandling) { self.handling = handling }

  /// The request's head was routed.
  func start(on connection: HTTPConnection) -> MHD_Result {
    switch handling {
    case .answer(let response): return answer(response, on: connection)
    case .stream(let stream): return answer(with: stream, on: connection)
    case .ask, .receive: return .YES
    }
  }

  /// A piece of the body has come.
  func receive(_ bytes: UnsafeRawBufferPointer) {
    guard case .receive(let upload) = handling, failure == nil else { return }
    do {
      try upload.write(bytes)
    } catch {
      failure = error
      upload.cancel()
    }
  }

  /// The body is complete, or the answer has come.
  func finish(on connection: HTTPConnection, of server: HTTPServer) -> MHD_Result {
    if !isAsked {
      isAsked = true
      // What has come whole holds no place, however long its answer takes.
      if case .receive = handling { server.endUpload(self) }
      if let failure {
        reply.send(HTTPResponse(status: 507, error: failure.description))
      } else if server.register(reply) {
        ask()
      } else {
        reply.send(HTTPServer.stopping)
      }
    }
    guard let response = reply.takeOrSuspend(connection) else { return .YES }
    return answer(response, on: connection)
  }

  /// The library is done with the request, one way or the other.
  func complete(of server: HTTPServer?) {
    if isAsked { server?.unregister(reply) }
    if case .receive = handling { server?.endUpload(self) }
    guard !isAsked, case .receive(let upload) = handling, failure == nil else { return }
    upload.cancel()
  }

  private func ask() {
    switch handling {
    case .ask(let work): work(reply)
    case .receive(let upload): upload.finish(reply)
    case .answer, .stream: break
    }
  }

  private func answer(_ response: HTTPResponse, on connection: HTTPConnection) -> MHD_Result {
    var body = response.body
    guard let handle = MHD_create_response_from_buffer(body.count, &body, .RESPMEM_MUST_COPY) else {
      return .NO
    }
    defer { MHD_destroy_response(handle) }
    MHD_add_response_header(handle, "Content-Type", response.contentType)
    MHD_add_response_header(handle, "Cache-Control", "no-store")
    // A browser must not take text for a page, nor show another page's reader what is in it.
    MHD_add_response_header(handle, "X-Content-Type-Options", "nosniff")
    MHD_add_response_header(handle, "Cross-Origin-Resource-Policy", "same-origin")
    for (name, value) in response.headers { MHD_add_response_header(handle, name, value) }
    return MHD_queue_response(connection.pointer, response.status, handle)
  }

  private func answer(with stream: EventStream, on connection: HTTPConnection) -> MHD_Result {
    stream.attach(connection)
    let handle = MHD_create_response_from_callback(
      .max, 4_096, readEvents, Unmanaged.passRetained(stream).toOpaque(), closeEvents)
    guard let handle else {
      Unmanaged.passUnretained(stream).release()
      return .NO
    }
    defer { MHD_destroy_response(handle) }
    MHD_add_response_header(handle, "Content-Type", "text/event-stream")
    MHD_add_response_header(handle, "Cache-Control", "no-store")
    return MHD_queue_response(connection.pointer, 200, handle)
  }
}

private func idleConnections(of context: UnsafeMutableRawPointer) -> HTTPIdleConnections {
  Unmanaged<HTTPContext>.fromOpaque(context).takeUnretainedValue().idle
}

private func noticeConnection(
  context: UnsafeMutableRawPointer?, connection: OpaquePointer?,
  slot: UnsafeMutablePointer<UnsafeMutableRawPointer?>?, code: MHD_ConnectionNotificationCode
) {
  guard let context, let connection else { return }
  let idle = idleConnections(of: context)
  if code == .CONNECTION_NOTIFY_STARTED { idle.add(connection) } else { idle.remove(connection) }
}

private func serverOf(_ context: UnsafeMutableRawPointer) -> HTTPServer? {
  Unmanaged<HTTPContext>.fromOpaque(context).takeUnretainedValue().server.withLock { $0?.server }
}

private func handleRequest(
  context: UnsafeMutableRawPointer?, connection: OpaquePointer?, path: UnsafePointer<CChar>?,
  method: UnsafePointer<CChar>?, version: UnsafePointer<CChar>?, upload: UnsafePointer<CChar>?,
  uploadCount: UnsafeMutablePointer<Int>?, slot: UnsafeMutablePointer<UnsafeMutableRawPointer?>?
) -> MHD_Result {
  guard let context, let connection, let uploadCount, let slot,
    let server = serverOf(context)
  else { return .NO }
  let handle = HTTPConnection(pointer: connection)
  guard let opaque = slot.pointee else {
    guard let path, let method else { return .NO }
    // What is not UTF-8 is no path of ours, and answered like any other that is not.
    idleConnections(of: context).remove(connection)
    starling_http_patience(connection, HTTPServer.timeoutSeconds)
    let exchange = server.begin(
      HTTPRequest(method: String(cString: method), path: String(cString: path), connection: handle))
    slot.pointee = Unmanaged.passRetained(exchange).toOpaque()
    return exchange.start(on: handle)
  }
  let exchange = Unmanaged<HTTPExchange>.fromOpaque(opaque).takeUnretainedValue()
  if uploadCount.pointee > 0 {
    exchange.receive(UnsafeRawBufferPointer(start: upload, count: uploadCount.pointee))
    server.received(uploadCount.pointee, of: exchange)
    uploadCount.pointee = 0
    return .YES
  }
  return exchange.finish(on: handle, of: server)
}

private func completeRequest(
  context: UnsafeMutableRawPointer?, connection: OpaquePointer?,
  slot: UnsafeMutablePointer<UnsafeMutableRawPointer?>?, reason: MHD_RequestTerminationCode
) {
  if let context, let connection { idleConnections(of: context).add(connection) }
  guard let slot, let opaque = slot.pointee else { return }
  slot.pointee = nil
  Unmanaged<HTTPExchange>.fromOpaque(opaque).takeRetainedValue().complete(of: context.flatMap(serverOf))
}

private func readEvents(
  stream: UnsafeMutableRawPointer?, position: UInt64, buffer: UnsafeMutablePointer<CChar>?, count: Int
) -> Int {
  guard let stream else { return -1 }
  return Unmanaged<EventStream>.fromOpaque(stream).takeUnretainedValue()
    .read(into: UnsafeMutableRawBufferPointer(start: buffer, count: count))
}

private func closeEvents(stream: UnsafeMutableRawPointer?) {
  guard let stream else { return }
  Unmanaged<EventStream>.fromOpaque(stream).takeRetainedValue().close()
}
