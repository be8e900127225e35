/// A change of what a process keeps on stable storage: values under keys, which are in the order of their bytes (*store*
/// in C. Cachin, R. Guerraoui, L. Rodrigues, "Introduction to Reliable and Secure Distributed Programming", section
/// 2.2.4). The process's next life is given what is there, and so is the same process.
public enum StableWrite: Hashable, Sendable {
  /// Keep a value under a key, instead of what was there.
  case put(key: [UInt8], value: [UInt8])
  /// Forget what is under the keys from the first one to below the second.
  case remove(from: [UInt8], below: [UInt8])
}

/// A value that is kept on stable storage, with its key.
public struct StableValue: Hashable, Sendable {
  /// Under what it is kept.
  public let key: [UInt8]
  /// What is kept.
  public let value: [UInt8]

  /// A value and its key.
  public init(key: [UInt8], value: [UInt8]) {
    self.key = key
    self.value = value
  }
}
