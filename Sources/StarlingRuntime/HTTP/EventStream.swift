import Synchronization

/// One client's stream of server-sent events (HTML Living Standard, section 9.2): bytes that wait to be sent,
/// bounded. A client that reads too slowly is cut off rather than waited for.
final class EventStream: Sendable {
  /// The most bytes that may wait.
  static let limit = 256 << 10
  /// MHD_CONTENT_READER_END_OF_STREAM, a cast that Swift does not import.
  private static let endOfStream = -1

  private struct State {
    var connection: HTTPConnection?
    var isSuspended = false
    var isFinished = false
    var isClosed = false
    var bytes: [UInt8] = []
  }

  /// Whose events the client wants; all of them if `nil`.
  let topic: String?
  private let state = Mutex(State())

  /// An empty stream.
  init(topic: String?) { self.topic = topic }

  /// Whether nobody reads any more.
  var isClosed: Bool { state.withLock { $0.isClosed } }

  /// Ties the stream to the connection that it is sent on.
  func attach(_ connection: HTTPConnection) { state.withLock { $0.connection = connection } }

  /// Appends bytes; from any thread.
  func push(_ bytes: [UInt8]) {
    state.withLock { state in
      guard !state.isClosed, !state.isFinished else { return }
      if state.bytes.count + bytes.count > EventStream.limit {
        state.isFinished = true
      } else {
        state.bytes += bytes
      }
      EventStream.wake(&state)
    }
  }

  /// Ends the stream when what waits has been sent; from any thread.
  func finish() {
    state.withLock { state in
      state.isFinished = true
      EventStream.wake(&state)
    }
  }

  /// The connection is gone.
  func close() {
    state.withLock { state in
      state.isClosed = true
      state.isSuspended = false
      state.connection = nil
      state.bytes = []
    }
  }

  /// Moves waiting bytes into the server's buffer, or puts the connection to sleep. Called on its thread.
  ///
  /// - Returns: how many bytes were moved, 0 when asleep, and −1 at the end, as libmicrohttpd wants it.
  func read(into buffer: UnsafeMutableRawBufferPointer) -> Int {
    state.withLock { state in
      if state.bytes.isEmpty {
        if state.isFinished || state.connection == nil { return EventStream.endOfStream }
        state.isSuspended = true
        state.connection?.suspend()
        return 0
      }
      let count = min(buffer.count, state.bytes.count)
      buffer.copyBytes(from: state.bytes[..<count])
      state.bytes.removeFirst(count)
      return count
    }
  }

  private static func wake(_ state: inout State) {
    guard state.isSuspended else { return }
    state.isSuspended = false
    state.connection?.resume()
  }
}

/// All the event streams of a server.
final class EventHub: Sendable {
  /// The most clients that may listen at once.
  static let limit = 32

  private struct State {
    var streams: [EventStream] = []
    var isFinished = false
  }

  private let state = Mutex(State())

  /// Adds a stream; false if there are too many, or the end has come.
  func add(_ stream: EventStream) -> Bool {
    state.withLock { state in
      state.streams.removeAll { $0.isClosed }
      guard !state.isFinished, state.streams.count < EventHub.limit else { return false }
      state.streams.append(stream)
      return true
    }
  }

  /// Whether there is anybody to send to.
  var hasListeners: Bool { !current.isEmpty }

  /// Sends an event to everybody who wants the topic; `nil` is wanted by all.
  func publish(_ bytes: [UInt8], topic: String?) {
    for stream in current where topic == nil || stream.topic == nil || stream.topic == topic {
      stream.push(bytes)
    }
  }

  /// Ends all streams and takes no more: a server with a sleeping connection cannot be stopped.
  func finish() {
    state.withLock { $0.isFinished = true }
    for stream in current { stream.finish() }
  }

  private var current: [EventStream] {
    state.withLock { state in
      state.streams.removeAll { $0.isClosed }
      return state.streams
    }
  }
}
