import CPrefetch
import StarlingCore

/// A network of processes in virtual time: one event queue, one seed, no threads. The same seed and the same
/// calls make the same trace on any machine.
///
/// The fidelity is that of messages: typed values between processes over a network that delays, loses and
/// repeats them. A crashed peer's messages are still delivered; what is sent to it vanishes.
public struct Simulation<P: Process, Network: NetworkModel & ~Copyable, Observer: SimulationObserver>:
  ~Copyable
where Observer.Observed == P {
  @usableFromInline let core: UnsafeMutablePointer<SimulationCore<P, Network, Observer>>
  @usableFromInline var processes: UnsafeMutablePointer<P>
  /// How many peers there can be.
  public let capacity: Int
  @usableFromInline var storedCount = 0

  /// An empty network.
  ///
  /// - Parameters:
  ///   - capacity: how many peers there will be at most, 0 ... 2²⁴.
  ///   - network: delays and loses messages.
  ///   - observer: watches.
  ///   - seed: decides every random choice of the network and of the processes.
  @inlinable
  public init(capacity: Int, network: consuming Network, observer: Observer, seed: UInt64) {
    precondition((0...Event.peerLimit).contains(capacity), "a simulation of \(capacity) peers")
    self.capacity = capacity
    processes = .allocate(capacity: capacity)
    core = .allocate(capacity: 1)
    core.initialize(
      to: SimulationCore(capacity: capacity, network: network, observer: observer, seed: seed))
  }

  @inlinable
  deinit {
    processes.deinitialize(count: count)
    processes.deallocate()
    core.deinitialize(count: 1)
    core.deallocate()
  }

  /// How many peers there are, crashed ones included.
  @inlinable
  public var count: Int { storedCount }
  /// The current instant.
  @inlinable
  public var now: Instant { core.pointee.now }
  /// The observer, to read what it saw or to tell it of a new phase.
  @inlinable
  public var observer: Observer {
    _read { yield core.pointee.observer }
    _modify { yield &core.pointee.observer }
  }
  /// The generator, for choices that belong to the scenario.
  @inlinable
  public var random: Xoshiro256 {
    _read { yield core.pointee.random }
    _modify { yield &core.pointee.random }
  }
  /// Deliveries and timers that happened so far.
  @inlinable
  public var eventCount: UInt64 { core.pointee.eventCount }
  /// A hash over every event so far, in order.
  @inlinable
  public var traceHash: UInt64 { SplitMix64.mix(core.pointee.traceHash) }

  /// The process of a peer.
  @inlinable
  public subscript(peer: Peer) -> P {
    _read {
      precondition(peer.index < count, "\(peer) of \(count)")
      yield processes[Int(peer.index)]
    }
  }

  /// The network, to change what it does to messages from now on.
  @inlinable
  public var network: Network {
    _read { yield core.pointee.network.pointee }
    _modify { yield &core.pointee.network.pointee }
  }
  /// How many events are due in the future, those of crashed peers included.
  public var waitingEvents: Int { core.pointee.queue.count }

  /// Whether a peer has not crashed.
  @inlinable
  public func isLive(_ peer: Peer) -> Bool {
    Int(peer.index) < count && core.pointee.lives[Int(peer.index)] & Event.crashed == 0
  }

  /// Adds a peer and starts its process.
  ///
  /// - Parameter make: makes the process for its handle, which is the number of peers before it.
  /// - Returns: the handle.
  @inlinable @discardableResult
  public mutating func add(_ make: (Peer) -> P) -> Peer {
    precondition(count < capacity, "the simulation was made for \(capacity) peers")
    let peer = Peer(count)
    (processes + count).initialize(to: make(peer))
    core.pointee.lives[count] = 0
    storedCount += 1
    handle(peer) { $0.start(at: $1, into: &$2) }
    return peer
  }

  /// Hands a request to a peer's process, unless it has crashed.
  @inlinable
  public mutating func request(_ request: P.Request, of peer: Peer) {
    guard isLive(peer) else { return }
    handle(peer) { $0.handle(request, at: $1, into: &$2) }
  }

  /// Crashes a peer, silently: nothing happens to it any more, unless it is restarted.
  @inlinable
  public mutating func crash(_ peer: Peer) {
    precondition(peer.index < count, "\(peer) of \(count)")
    guard isLive(peer) else { return }
    let next = (core.pointee.lives[Int(peer.index)] + 1) & ~Event.crashed
    core.pointee.lives[Int(peer.index)] = next | Event.crashed
  }

  /// Runs a crashed peer again. What was sent to it before it crashed, and its timers of then, never reach
  /// it; messages sent to it since, and still under way, do. A peer that has not crashed crashes first.
  ///
  /// - Parameters:
  ///   - peer: the peer.
  ///   - process: what it begins with, such as what its disk kept.
  @inlinable
  public mutating func restart(_ peer: Peer, with process: P) {
    crash(peer)
    processes[Int(peer.index)] = process
    core.pointee.lives[Int(peer.index)] &= ~Event.crashed
    handle(peer) { $0.start(at: $1, into: &$2) }
  }

  /// Makes a peer's clock run faster than virtual time from now on: what it sees as now, and when its timers
  /// expire, are by its own clock. Clocks never run slower than virtual time, and never slow down again:
  /// timers set before would expire too early.
  ///
  /// - Parameters:
  ///   - peer: the peer.
  ///   - gain: how many microseconds it gains in a second, 0 ... 10⁶; not below its clock's gain so far.
  ///   - offset: how far to set it forward now, not negative.
  public mutating func speedUpClock(of peer: Peer, gain: Int, offset: Interval = .zero) {
    precondition(peer.index < count, "\(peer) of \(count)")
    core.pointee.speedUpClock(of: peer, gain: UInt64(gain), offset: UInt64(offset.nanoseconds))
  }

  /// Lets everything happen that is due up to an instant, and makes it the current one.
  @inlinable
  public mutating func run(until end: Instant) {
    while !observer.hasSeenEnough, let time = core.pointee.queue.nextTime(), time <= end.nanoseconds {
      step()
    }
    if core.pointee.now < end { core.pointee.now = end }
  }

  /// Ends the network: forgets what is still due, and gives back the memory that the queue had taken. To be
  /// called before the network's state is examined.
  public mutating func end() { core.pointee.queue = LadderQueue() }

  /// Lets everything happen until nothing is due any more, or until an instant.
  @inlinable
  public mutating func runToQuiet(atMost end: Instant) {
    while let time = core.pointee.queue.nextTime(), time <= end.nanoseconds {
      step()
    }
  }

  @inlinable
  mutating func step() {
    guard let event = core.pointee.queue.pop() else { return }
    prefetch()
    core.pointee.now = Instant(nanoseconds: event.time)
    core.pointee.eventCount += 1
    let peer = event.peer
    if event.isTimer {
      let timer = core.pointee.timers.remove(event.slot)
      core.pointee.trace(time: event.time, target: event.target, source: peer.index)
      guard core.pointee.lives[Int(peer.index)] == event.life else { return }
      handle(peer) { $0.expire(timer, at: $1, into: &$2) }
    } else {
      let (message, sender) = core.pointee.takeParcel(event.slot)
      core.pointee.trace(time: event.time, target: event.target, source: sender.index)
      guard core.pointee.lives[Int(peer.index)] == event.life else { return }
      handle(peer) { $0.receive(message, from: sender, at: $1, into: &$2) }
    }
  }

  /// Has what an event soon to come will touch fetched while others happen: its process and its message are
  /// nowhere near what was touched last, and a large network spends most of its time waiting for memory.
  @inlinable
  func prefetch() {
    // Four events take longer than memory does, and a larger process is seldom touched all over.
    guard let event = core.pointee.queue.upcoming(4) else { return }
    let process = UnsafeRawPointer(processes + Int(event.peer.index))
    let byteCount = min(MemoryLayout<P>.stride, 768)
    var offset = 0
    while offset < byteCount {
      starling_prefetch(process + offset)
      offset += 64
    }
    if !event.isTimer { starling_prefetch(core.pointee.parcels.address(of: event.slot)) }
  }

  @inlinable
  mutating func handle(
    _ peer: Peer, _ body: (inout P, Instant, inout SimulatedEffects<P, Network, Observer>) -> Void
  ) {
    var effects = SimulatedEffects(core: core, owner: peer)
    let now = core.pointee.clocks == nil ? core.pointee.now : core.pointee.localTime(of: peer)
    body(&processes[Int(peer.index)], now, &effects)
    core.pointee.releaseUnsent()
  }
}

extension Simulation where Network: ~Copyable {
  /// An independent copy of the whole network at this instant: what the copy does, this one does not see.
  public mutating func copy() -> Simulation {
    var copy = Simulation(
      capacity: capacity, network: core.pointee.network.pointee.copy(), observer: core.pointee.observer,
      seed: 0)
    copy.processes.initialize(from: processes, count: count)
    copy.storedCount = count
    copy.core.pointee.take(copyOf: &core.pointee)
    return copy
  }
}
