import CSodium

/// libsodium, made ready once per process, whoever comes first.
@usableFromInline
enum Sodium {
  /// True once the library has chosen its implementations; false only if the system gives it no entropy.
  static let isReady: Bool = sodium_init() >= 0
}

/// A copy of a secret in memory that is kept out of swap and core dumps, guarded by inaccessible pages and
/// wiped when the last reference goes (libsodium's `sodium_malloc`).
final class GuardedBytes: @unchecked Sendable {
  // Written in `init` only, so sharing between threads is safe.
  private let memory: UnsafeMutableRawPointer
  let count: Int

  /// - Returns: `nil` when the system has no memory left to guard.
  init?(_ bytes: [UInt8]) {
    guard Sodium.isReady, let memory = sodium_malloc(bytes.count) else { return nil }
    self.memory = memory
    count = bytes.count
    memory.copyMemory(from: bytes, byteCount: bytes.count)
    sodium_mprotect_readonly(memory)
  }

  deinit { sodium_free(memory) }

  /// Lends the secret to a function of libsodium.
  func withBytes<Result>(_ body: (UnsafePointer<UInt8>) -> Result) -> Result {
    body(UnsafePointer(memory.assumingMemoryBound(to: UInt8.self)))
  }
}
