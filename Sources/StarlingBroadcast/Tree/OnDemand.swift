import StarlingCore

/// A value that is made when it is first changed, and takes eight bytes until then: for what most of a million
/// peers never need.
@frozen
public struct OnDemand<Value> {
  /// Empty, or the value: an array, and not a class, so that a copy of the whole is a copy of this too.
  @usableFromInline var storage: [Value] = []

  @inlinable
  init() {}

  /// The value, if it was ever changed.
  @inlinable
  public var ifNeeded: Value? { storage.first }

  /// Whether there is a value.
  @inlinable
  public var isNeeded: Bool { !storage.isEmpty }

  /// Changes the value, which is made first if there is none.
  @inlinable
  mutating func change<Result>(from initial: @autoclosure () -> Value, _ body: (inout Value) -> Result)
    -> Result
  {
    if storage.isEmpty { storage.appendTightly(initial()) }
    return body(&storage[0])
  }

  /// Lets go of the value.
  @inlinable
  mutating func release() { storage = [] }
}

extension OnDemand: Sendable where Value: Sendable {}
