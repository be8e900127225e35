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
  /// How many peers there can be.
  @usableFromInline let capacity: Int
  /// For each peer, the number of its life, with ``Event/crashed`` set while it does not live. An event belongs
  /// to the life that it was meant for.
  @usableFromInline let lives: UnsafeMutablePointer<UInt8>
  /// The clocks of the peers; `nil` while all show virtual time.
  @usableFromInline var clocks: UnsafeMutablePointer<FastClock>?

  @inlinable
  init(capacity: Int, network: consuming Network, observer: Observer, seed: UInt64) {
    self.capacity = capacity
    lives = .allocate(capacity: capacity)
    // A peer that was not added yet is as good as crashed.
    lives.initialize(repeating: Event.crashed, count: capacity)
    self.network = .allocate(capacity: 1)
    self.network.initialize(to: network)
    self.observer = observer
    random = Xoshiro256(seed: seed)
  }

  @inlinable
  deinit {
    network.deinitialize(count: 1)
    network.deallocate()
    lives.deallocate()
    clocks?.deallocate()
  }

  /// What a peer takes for now.
  @usableFromInline
  func localTime(of peer: Peer) -> Instant {
    clocks.map { $0[Int(peer.index)].shows(at: now) } ?? now
  }

  /// When a peer's clock will show an instant.
  @usableFromInline
  func virtualTime(_ instant: Instant, of peer: Peer) -> Instant {
    clocks.map { $0[Int(peer.index)].time(when: instant) } ?? instant
  }

  @usableFromInline
  mutating func speedUpClock(of peer: Peer, gain: UInt64, offset: UInt64) {
    if clocks == nil {
      let fresh = UnsafeMutablePointer<FastClock>.allocate(capacity: capacity)
      fresh.initialize(repeating: FastClock(), count: capacity)
      clocks = fresh
    }
    clocks?[Int(peer.index)].speedUp(gain: gain, offset: offset, at: now)
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
    if prepared.isEmpty { return }
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
    lives.update(from: other.lives, count: capacity)
    if let theirs = other.clocks {
      let mine = UnsafeMutablePointer<FastClock>.allocate(capacity: capacity)
      mine.initialize(from: theirs, count: capacity)
      clocks = mine
    }
    var events: [Event] = []
    while let event = other.queue.pop() { events.append(event) }
    other.queue = LadderQueue()
    var copied: [UInt32: UInt32] = [:]
    for event in events {
      other.queue.push(event)
      let slot: UInt32
      if event.isTimer {
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
    // A handle from a faulty message may name nobody.
    guard peer.index < core.pointee.capacity else { return }
    guard
      let delay = core.pointee.network.pointee.delay(
        from: owner, to: peer, at: now, random: &core.pointee.random)
    else { return }
    push(parcel, to: peer, at: now + delay)
    let again = core.pointee.network.pointee.delayOfSecondCopy(
      from: owner, to: peer, at: now, random: &core.pointee.random)
    if let again { push(parcel, to: peer, at: now + again) }
  }

  @inlinable
  mutating func push(_ parcel: UInt32, to peer: Peer, at instant: Instant) {
    core.pointee.parcels[parcel].deliveries += 1
    core.pointee.queue.push(
      Event(
        time: instant.nanoseconds, peer: peer, life: core.pointee.lives[Int(peer.index)], slot: parcel))
  }

  @inlinable
  mutating func schedule(_ timer: P.Timer, at instant: Instant) {
    let slot = core.pointee.timers.insert(timer)
    let due =
      core.pointee.clocks == nil ? instant : core.pointee.virtualTime(instant, of: owner)
    core.pointee.queue.push(
      Event(
        time: max(due, core.pointee.now).nanoseconds, peer: owner, isTimer: true,
        life: core.pointee.lives[Int(owner.index)], slot: slot))
  }

  @inlinable
  mutating func indicate(_ indication: P.Indication) {
    core.pointee.observer.indicated(indication, by: owner, at: core.pointee.now)
  }
}
