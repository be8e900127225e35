/// How an inner process's messages, timers and indications are carried by the outer process that contains
/// it: the wiring of a layer, without any state.
///
/// The outer process holds the inner one as a stored property and runs its handlers through
/// ``Effects/embedding(_:_:)``.
public protocol Embedding {
  /// The containing process.
  associatedtype Outer: Process
  /// The contained process.
  associatedtype Inner: Process

  /// Wraps a message of the inner process in one of the outer.
  static func message(_ message: Inner.Message) -> Outer.Message
  /// Wraps a timer of the inner process in one of the outer.
  static func timer(_ timer: Inner.Timer) -> Outer.Timer
  /// Passes an indication straight up, or answers `nil` to keep it for the outer process itself, which
  /// finds it in what ``Effects/embedding(_:_:)`` returns.
  static func indication(_ indication: Inner.Indication) -> Outer.Indication?
}

/// The sink of an inner process: wraps each effect and pushes it into the outer process's sink.
@frozen
public struct EmbeddedEffects<Base: Effects & ~Copyable, Layer: Embedding>: Effects, ~Copyable
where Base.Owner == Layer.Outer {
  /// The process whose effects these are.
  public typealias Owner = Layer.Inner
  /// The outer sink's parcel.
  public typealias Parcel = Base.Parcel

  @usableFromInline var base: Base
  /// Indications kept for the outer process. An empty array costs no allocation, and most handlers keep
  /// none.
  @usableFromInline var kept: [Layer.Inner.Indication] = []

  @inlinable
  init(base: consuming Base) { self.base = base }

  /// Makes a message of the inner process ready to be sent.
  @inlinable
  public mutating func prepare(_ message: Layer.Inner.Message) -> Base.Parcel {
    base.prepare(Layer.message(message))
  }

  /// Sends a prepared message.
  @inlinable
  public mutating func send(_ parcel: Base.Parcel, to peer: Peer) { base.send(parcel, to: peer) }

  /// Sets a timer of the inner process.
  @inlinable
  public mutating func schedule(_ timer: Layer.Inner.Timer, at instant: Instant) {
    base.schedule(Layer.timer(timer), at: instant)
  }

  /// Passes an indication up, or keeps it for the outer process.
  @inlinable
  public mutating func indicate(_ indication: Layer.Inner.Indication) {
    if let outer = Layer.indication(indication) {
      base.indicate(outer)
    } else {
      kept.append(indication)
    }
  }

  /// Draws from the outer sink.
  @inlinable
  public mutating func next() -> UInt64 { base.next() }
}

extension Effects where Self: ~Copyable {
  /// Runs a handler of an inner process with a sink that wraps its effects for this one.
  ///
  /// - Parameters:
  ///   - layer: how the inner process is wired into the outer.
  ///   - handler: calls one handler of the inner process.
  /// - Returns: the indications that the wiring keeps for the outer process, oldest first.
  @inlinable
  public mutating func embedding<Layer: Embedding>(
    _ layer: Layer.Type, _ handler: (inout EmbeddedEffects<Self, Layer>) -> Void
  ) -> [Layer.Inner.Indication] where Layer.Outer == Owner {
    var inner = EmbeddedEffects<Self, Layer>(base: self)
    handler(&inner)
    let kept = inner.kept
    self = inner.base
    return kept
  }
}
