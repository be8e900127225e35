import StarlingCore

/// What happens at some instant to some target. 16 bytes: a million-peer flood has tens of millions waiting.
@frozen @usableFromInline
struct Event {
  /// Nanoseconds.
  @usableFromInline let time: UInt64
  /// The peer to which it happens, in the lowest 24 bits; above them the number of the peer's life that it is
  /// meant for, and in the highest bit whether it is a timer.
  @usableFromInline let target: UInt32
  /// Where the message or the timer is kept.
  @usableFromInline let slot: UInt32

  @inlinable
  init(time: UInt64, target: UInt32, slot: UInt32) {
    self.time = time
    self.target = target
    self.slot = slot
  }

  /// - Parameter life: the peer's present life, or its next if it has crashed.
  @inlinable
  init(time: UInt64, peer: Peer, isTimer: Bool = false, life: UInt8, slot: UInt32) {
    let flag: UInt32 = isTimer ? Event.timerFlag : 0
    self.init(time: time, target: peer.index | UInt32(life & ~Event.crashed) << 24 | flag, slot: slot)
  }

  /// How many peers there can be.
  @inlinable
  static var peerLimit: Int { 1 << 24 }
  @inlinable
  static var timerFlag: UInt32 { 1 << 31 }
  /// Set in the number of a life while the peer does not live it. Lives are numbered modulo 128: an event would
  /// have to wait for as many crashes of one peer to reach the wrong one.
  @inlinable
  static var crashed: UInt8 { 0x80 }

  /// To whom it happens.
  @inlinable
  var peer: Peer { Peer(target & (1 << 24 - 1)) }
  /// The life that it is meant for.
  @inlinable
  var life: UInt8 { UInt8(truncatingIfNeeded: target >> 24) & 0x7F }
  @inlinable
  var isTimer: Bool { target & Event.timerFlag != 0 }
}
