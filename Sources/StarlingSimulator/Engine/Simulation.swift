import StarlingCore

/// A network of processes in virtual time: one event queue, one seed, no threads. The same seed and the same
/// calls make the same trace on any machine.
///
/// The fidelity is that of messages: typed values between processes over a network that delays and loses
/// them. A crashed peer's messages are still delivered; what is sent to it vanishes.
public struct Simulation<P: Process, Network: NetworkModel & ~Copyable, Observer: SimulationObserver>:
  ~Copyable
where Observer.Observed == P {
  @usableFromInline let core: UnsafeMutablePointer<SimulationCore<P, Network, Observer>>
  @usableFromInline var processes: UnsafeMutablePointer<P>
  @usableFromInline var live: UnsafeMutablePointer<Bool>
  /// How many peers there can be.
  public let capacity: Int
  @usableFromInline var storedCount = 0

  /// An empty network.
  ///
  /// - Parameters:
  ///   - capacity: how many peers there will be at most, 0 ... 2³¹ − 1.
  ///   - network: delays and loses messages.
  ///   - observer: watches.
  ///   - seed: decides every random choice of the network and of the processes.
  @inlinable
  public init(capacity: Int, network: consuming Network, observer: Observer, seed: UInt64) {
    precondition((0...Int(Int32.max)).contains(capacity), "a simulation of \(capacity) peers")
    self.capacity = capacity
    processes = .allocate(capacity: capacity)
    live = .allocate(capacity: capacity)
    core = .allocate(capacity: 1)
    core.initialize(to: SimulationCore(network: network, observer: observer, seed: seed))
  }

  @inlinable
  deinit {
    processes.deinitialize(count: count)
    processes.deallocate()
    live.deallocate()
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

  /// Whether a peer has not crashed.
  @inlinable
  public func isLive(_ peer: Peer) -> Bool { Int(peer.index) < count && live[Int(peer.index)] }

  /// Adds a peer and starts its process.
  ///
  /// - Parameter make: makes the process for its handle, which is the number of peers before it.
  /// - Returns: the handle.
  @inlinable @discardableResult
  public mutating func add(_ make: (Peer) -> P) -> Peer {
    precondition(count < capacity, "the simulation was made for \(capacity) peers")
    let peer = Peer(count)
    (processes + count).initialize(to: make(peer))
    (live + count).initialize(to: true)
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

  /// Crashes a peer for good, silently.
  @inlinable
  public mutating func crash(_ peer: Peer) {
    precondition(peer.index < count, "\(peer) of \(count)")
    live[Int(peer.index)] = false
  }

  /// Lets everything happen that is due up to an instant, and makes it the current one.
  @inlinable
  public mutating func run(until end: Instant) {
    while let time = core.pointee.queue.nextTime(), time <= end.nanoseconds {
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
    core.pointee.now = Instant(nanoseconds: event.time)
    core.pointee.eventCount += 1
    if event.target & SimulationCore<P, Network, Observer>.timerFlag != 0 {
      let index = event.target & ~SimulationCore<P, Network, Observer>.timerFlag
      let timer = core.pointee.timers.remove(event.slot)
      core.pointee.trace(time: event.time, target: event.target, source: index)
      guard live[Int(index)] else { return }
      handle(Peer(index)) { $0.expire(timer, at: $1, into: &$2) }
    } else {
      let (message, sender) = core.pointee.takeParcel(event.slot)
      core.pointee.trace(time: event.time, target: event.target, source: sender.index)
      guard isLive(Peer(event.target)) else { return }
      handle(Peer(event.target)) { $0.receive(message, from: sender, at: $1, into: &$2) }
    }
  }

  @inlinable
  mutating func handle(
    _ peer: Peer, _ body: (inout P, Instant, inout SimulatedEffects<P, Network, Observer>) -> Void
  ) {
    var effects = SimulatedEffects(core: core, owner: peer)
    body(&processes[Int(peer.index)], core.pointee.now, &effects)
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
    copy.live.initialize(from: live, count: count)
    copy.storedCount = count
    copy.core.pointee.take(copyOf: &core.pointee)
    return copy
  }
}
