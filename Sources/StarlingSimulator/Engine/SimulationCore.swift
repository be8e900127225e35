import StarlingCore

/// Everything of a simulation but the processes: what their effects act upon.
@usableFromInline
struct SimulationCore<P: Process, Network: NetworkModel & ~Copyable, Observer: SimulationObserver>: ~Copyable
where Observer.Observed == P {
  /// A message on its way to any number of peers, kept once.
  @usableFromInline
  struct Parcel {
    @usableFromInline let message: P.Message
    @usableFromInline let sender: Peer
    @usableFromInline var deliveries: UInt32

    @inlinable
    init(message: P.Message, sender: Peer) {
      self.message = message
      self.sender = sender
      deliveries = 0
    }
  }

  /// Set in an event's target when the event is a timer.
  @inlinable
  static var timerFlag: UInt32 { 1 << 31 }

  @usableFromInline var now = Instant.zero
  @usableFromInline var queue = LadderQueue()
  @usableFromInline var parcels = Slab<Parcel>()
  @usableFromInline var timers = Slab<P.Timer>()
  /// Parcels that the running handler prepared.
  @usableFromInline var prepared: [UInt32] = []
  @usableFromInline var random: Xoshiro256
  /// Apart from the rest, so that it can be read while the generator is drawn from.
  @usableFromInline let network: UnsafeMutablePointer<Network>
  @usableFromInline var observer: Observer
  @usableFromInline var traceHash: UInt64 = 0
  @usableFromInline var eventCount: UInt64 = 0

  @inlinable
  init(network: consuming Network, observer: Observer, seed: UInt64) {
    self.network = .allocate(capacity: 1)
    self.network.initialize(to: network)
    self.observer = observer
    random = Xoshiro256(seed: seed)
  }

  @inlinable
  deinit {
    network.deinitialize(count: 1)
    network.deallocate()
  }

  /// One step of an FNV-like hash over 64-bit words: two multiplications an event.
  @inlinable
  mutating func trace(time: UInt64, target: UInt32, source: UInt32) {
    traceHash = (traceHash ^ time) &* 0x9E37_79B9_7F4A_7C15
    traceHash =
      (traceHash ^ (traceHash >> 29) ^ (UInt64(target) << 32 | UInt64(source)))
      &* 0xBF58_476D_1CE4_E5B9
  }

  /// The message of a parcel that arrives, which lets go of it after the last arrival.
  @inlinable
  mutating func takeParcel(_ slot: UInt32) -> (P.Message, Peer) {
    let message = parcels[slot].message
    let sender = parcels[slot].sender
    parcels[slot].deliveries -= 1
    if parcels[slot].deliveries == 0 { parcels.remove(slot) }
    return (message, sender)
  }

  /// Lets go of parcels that a handler prepared and no network carries.
  @inlinable
  mutating func releaseUnsent() {
    while let slot = prepared.popLast() {
      if parcels[slot].deliveries == 0 { parcels.remove(slot) }
    }
  }

  /// Becomes a copy of another core, which stays as it is.
  @usableFromInline
  mutating func take(copyOf other: inout SimulationCore) {
    now = other.now
    random = other.random
    traceHash = other.traceHash
    eventCount = other.eventCount
    var events: [Event] = []
    while let event = other.queue.pop() { events.append(event) }
    other.queue = LadderQueue()
    var copied: [UInt32: UInt32] = [:]
    for event in events {
      other.queue.push(event)
      let slot: UInt32
      if event.target & SimulationCore.timerFlag != 0 {
        slot = timers.insert(other.timers[event.slot])
      } else if let known = copied[event.slot] {
        slot = known
      } else {
        slot = parcels.insert(other.parcels[event.slot])
        copied[event.slot] = slot
      }
      queue.push(Event(time: event.time, target: event.target, slot: slot))
    }
  }
}

/// The simulator's sink: puts effects into the event queue.
@frozen @usableFromInline
struct SimulatedEffects<P: Process, Network: NetworkModel & ~Copyable, Observer: SimulationObserver>: Effects,
  ~Copyable
where Observer.Observed == P {
  @usableFromInline typealias Owner = P

  @usableFromInline let core: UnsafeMutablePointer<SimulationCore<P, Network, Observer>>
  @usableFromInline let owner: Peer

  @inlinable
  init(core: UnsafeMutablePointer<SimulationCore<P, Network, Observer>>, owner: Peer) {
    self.core = core
    self.owner = owner
  }

  @inlinable
  mutating func next() -> UInt64 { core.pointee.random.next() }

  @inlinable
  mutating func prepare(_ message: P.Message) -> UInt32 {
    let slot = core.pointee.parcels.insert(.init(message: message, sender: owner))
    core.pointee.prepared.append(slot)
    return slot
  }

  @inlinable
  mutating func send(_ parcel: UInt32, to peer: Peer) {
    let now = core.pointee.now
    core.pointee.observer.sent(core.pointee.parcels[parcel].message, from: owner, to: peer, at: now)
    guard
      let delay = core.pointee.network.pointee.delay(from: owner, to: peer, random: &core.pointee.random)
    else { return }
    core.pointee.parcels[parcel].deliveries += 1
    core.pointee.queue.push(
      Event(time: (now + delay).nanoseconds, target: peer.index, slot: parcel))
  }

  @inlinable
  mutating func schedule(_ timer: P.Timer, at instant: Instant) {
    let slot = core.pointee.timers.insert(timer)
    let time = max(instant, core.pointee.now).nanoseconds
    core.pointee.queue.push(
      Event(
        time: time, target: owner.index | SimulationCore<P, Network, Observer>.timerFlag, slot: slot))
  }

  @inlinable
  mutating func indicate(_ indication: P.Indication) {
    core.pointee.observer.indicated(indication, by: owner, at: core.pointee.now)
  }
}
