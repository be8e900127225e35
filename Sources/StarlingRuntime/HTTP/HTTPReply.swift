import Synchronization

/// Where the answer to one request is left, by any thread and once. The server does not wait for it: the
/// connection sleeps until the answer is there.
final class HTTPReply: Sendable {
  private enum State {
    case waiting
    case suspended(HTTPConnection)
    case answered(HTTPResponse)
  }

  private let state = Mutex(State.waiting)

  /// Leaves the answer; only the first counts.
  func send(_ response: HTTPResponse) {
    state.withLock { state in
      switch state {
      case .waiting: state = .answered(response)
      case .suspended(let connection):
        state = .answered(response)
        connection.resume()
      case .answered: return
      }
    }
  }

  /// The answer if it is there; otherwise puts the connection to sleep until it is. Called on the server's
  /// thread. The lock makes sure that nobody wakes the connection before it sleeps.
  func takeOrSuspend(_ connection: HTTPConnection) -> HTTPResponse? {
    state.withLock { state in
      if case .answered(let response) = state { return response }
      connection.suspend()
      state = .suspended(connection)
      return nil
    }
  }
}
