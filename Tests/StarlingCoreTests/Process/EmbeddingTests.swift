import StarlingCore
import StarlingTestSupport
import Testing

/// Echoes a number back, counted up, and reports it; sets a timer when started; tells the layer above of a
/// lost link.
struct Echo: Process {
  enum Indication: Hashable { case heard(Int), alone, drawn(UInt64) }
  enum Request { case call(Peer) }

  var calls = 0

  mutating func start(at now: Instant, into effects: inout some Effects<Self> & ~Copyable) {
    effects.schedule("wake", at: now + .seconds(1))
    effects.indicate(.drawn(effects.next()))
  }

  mutating func handle(
    _ request: Request, at now: Instant, into effects: inout some Effects<Self> & ~Copyable
  ) {
    guard case .call(let peer) = request else { return }
    calls += 1
    let parcel = effects.prepare(0)
    effects.send(parcel, to: peer)
    effects.send(parcel, to: Peer(peer.index + 1))
  }

  mutating func receive(
    _ message: Int, from sender: Peer, at now: Instant, into effects: inout some Effects<Self> & ~Copyable
  ) {
    effects.indicate(.heard(message))
    effects.send(message + 1, to: sender)
  }

  mutating func expire(
    _ timer: String, at now: Instant, into effects: inout some Effects<Self> & ~Copyable
  ) {
    effects.schedule(timer + "!", at: now)
  }

  mutating func disconnect(
    from peer: Peer, at now: Instant, into effects: inout some Effects<Self> & ~Copyable
  ) {
    effects.indicate(.alone)
  }
}

/// Contains an echo on each of two floors, so that a message has to find its way. Hears `alone` and `drawn`
/// itself; `heard` goes straight up.
struct House: Process {
  enum Message: Hashable { case attic(Int), cellar(Int) }
  enum Timer: Hashable { case attic(String), cellar(String) }
  enum Indication: Hashable { case heard(Int, inAttic: Bool) }

  var attic = Echo()
  var cellar = Echo()
  var kept: [Echo.Indication] = []

  enum Attic: Embedding {
    static func message(_ message: Int) -> Message { .attic(message) }
    static func timer(_ timer: String) -> Timer { .attic(timer) }
    static func indication(_ indication: Echo.Indication) -> Indication? {
      if case .heard(let number) = indication { .heard(number, inAttic: true) } else { nil }
    }
    typealias Outer = House
    typealias Inner = Echo
  }

  enum Cellar: Embedding {
    static func message(_ message: Int) -> Message { .cellar(message) }
    static func timer(_ timer: String) -> Timer { .cellar(timer) }
    static func indication(_ indication: Echo.Indication) -> Indication? {
      if case .heard(let number) = indication { .heard(number, inAttic: false) } else { nil }
    }
    typealias Outer = House
    typealias Inner = Echo
  }

  mutating func start(at now: Instant, into effects: inout some Effects<Self> & ~Copyable) {
    kept += effects.embedding(Attic.self) { attic.start(at: now, into: &$0) }
    kept += effects.embedding(Cellar.self) { cellar.start(at: now, into: &$0) }
  }

  mutating func handle(
    _ request: Echo.Request, at now: Instant, into effects: inout some Effects<Self> & ~Copyable
  ) {
    kept += effects.embedding(Attic.self) { attic.handle(request, at: now, into: &$0) }
  }

  mutating func receive(
    _ message: Message, from sender: Peer, at now: Instant,
    into effects: inout some Effects<Self> & ~Copyable
  ) {
    switch message {
    case .attic(let number):
      kept += effects.embedding(Attic.self) { attic.receive(number, from: sender, at: now, into: &$0) }
    case .cellar(let number):
      kept += effects.embedding(Cellar.self) { cellar.receive(number, from: sender, at: now, into: &$0) }
    }
  }

  mutating func expire(_ timer: Timer, at now: Instant, into effects: inout some Effects<Self> & ~Copyable) {
    switch timer {
    case .attic(let word):
      kept += effects.embedding(Attic.self) { attic.expire(word, at: now, into: &$0) }
    case .cellar(let word):
      kept += effects.embedding(Cellar.self) { cellar.expire(word, at: now, into: &$0) }
    }
  }

  mutating func disconnect(
    from peer: Peer, at now: Instant, into effects: inout some Effects<Self> & ~Copyable
  ) {
    kept += effects.embedding(Cellar.self) { cellar.disconnect(from: peer, at: now, into: &$0) }
  }
}

@Suite("Embedding")
struct EmbeddingTests {
  @Test("Messages of each inner process are wrapped as its own and go where it sent them")
  func messages() {
    var house = House()
    var effects = RecordingEffects(House.self, random: Xoshiro256(seed: 1))
    house.receive(.cellar(4), from: Peer(9), at: .zero, into: &effects)
    house.receive(.attic(7), from: Peer(8), at: .zero, into: &effects)
    #expect(effects.sent.map(\.message) == [.cellar(5), .attic(8)])
    #expect(effects.sent.map(\.to) == [Peer(9), Peer(8)])
  }

  @Test("A parcel that an inner process sends to two peers is made ready once")
  func parcels() {
    var house = House()
    var effects = RecordingEffects(House.self, random: Xoshiro256(seed: 1))
    house.handle(.call(Peer(3)), at: .zero, into: &effects)
    #expect(effects.prepared == 1 && effects.sent.map(\.message) == [.attic(0), .attic(0)])
    #expect(effects.sent.map(\.to) == [Peer(3), Peer(4)])
    #expect(house.attic.calls == 1 && house.cellar.calls == 0)
  }

  @Test("Timers are wrapped, keep their instant, and come back to the process that set them")
  func timers() {
    var house = House()
    var effects = RecordingEffects(House.self, random: Xoshiro256(seed: 1))
    house.start(at: .zero + .seconds(5), into: &effects)
    #expect(effects.timers.map(\.timer) == [.attic("wake"), .cellar("wake")])
    #expect(effects.timers.map(\.at) == [.zero + .seconds(6), .zero + .seconds(6)])
    effects.clear()
    house.expire(.cellar("wake"), at: .zero + .seconds(6), into: &effects)
    #expect(effects.timers.map(\.timer) == [.cellar("wake!")])
  }

  @Test("An indication goes up or is kept, as the wiring says, never both")
  func indications() {
    var house = House()
    var effects = RecordingEffects(House.self, random: Xoshiro256(seed: 1))
    house.receive(.attic(7), from: Peer(8), at: .zero, into: &effects)
    house.receive(.cellar(2), from: Peer(8), at: .zero, into: &effects)
    #expect(effects.indications == [.heard(7, inAttic: true), .heard(2, inAttic: false)])
    #expect(house.kept.isEmpty)
    house.disconnect(from: Peer(8), at: .zero, into: &effects)
    #expect(effects.indications.count == 2 && house.kept == [.alone])
  }

  @Test("An inner process draws from the outer sink, so that no two draws are the same words")
  func randomness() {
    var house = House()
    var effects = RecordingEffects(House.self, random: Xoshiro256(seed: 5))
    house.start(at: .zero, into: &effects)
    var same = Xoshiro256(seed: 5)
    #expect(house.kept == [.drawn(same.next()), .drawn(same.next())])
    #expect(effects.next() == same.next())
  }
}
