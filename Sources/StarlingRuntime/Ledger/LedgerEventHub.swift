import StarlingCore
import Synchronization

/// The event streams of those who follow an account, by account.
final class LedgerEventHub: Sendable {
  /// The most streams at once, of all accounts.
  static let limit = 32

  private struct State {
    var streams: [PublicKey: [EventStream]] = [:]
    var isFinished = false

    mutating func forgetClosed() {
      streams = streams.mapValues { $0.filter { !$0.isClosed } }.filter { !$0.value.isEmpty }
    }
  }

  private let state = Mutex(State())

  /// Adds a stream; false if there are too many, or the end has come.
  func add(_ stream: EventStream, for account: PublicKey) -> Bool {
    state.withLock { state in
      state.forgetClosed()
      let count = state.streams.values.reduce(0) { $0 + $1.count }
      guard !state.isFinished, count < LedgerEventHub.limit else { return false }
      state.streams[account, default: []].append(stream)
      return true
    }
  }

  /// Tells everybody who follows the account; without anybody, what is told is not even made.
  func publish(_ account: PublicKey, _ bytes: () -> [UInt8]) {
    guard let streams = state.withLock({ $0.streams[account] }) else { return }
    let bytes = bytes()
    for stream in streams { stream.push(bytes) }
  }

  /// Sends a comment on every stream: a client that is gone shows only when something is sent.
  func keepAlive() { for stream in all() { stream.push(Array(": alive\n\n".utf8)) } }

  /// Ends all streams and takes no more: a server with a sleeping connection cannot be stopped.
  func finish() {
    state.withLock { $0.isFinished = true }
    for stream in all() { stream.finish() }
  }

  private func all() -> [EventStream] {
    state.withLock { state in
      state.forgetClosed()
      return state.streams.values.flatMap(\.self)
    }
  }
}
