import StarlingCore
import StarlingTransport

/// What an endpoint told the layer above.
enum Heard: Equatable {
  case connected(ConnectionID, PublicKey, initiated: Bool)
  case received([UInt8], ConnectionID)
  case writable(ConnectionID)
  case closed(ConnectionID, CloseReason)
}

/// Notes down what an endpoint wants done.
struct Notes: TransportSink {
  var datagrams: [(bytes: [UInt8], to: SocketAddress)] = []
  var heard: [Heard] = []

  mutating func transmit(_ datagram: [UInt8], to address: SocketAddress) {
    datagrams.append((datagram, address))
  }
  mutating func connected(
    _ connection: ConnectionID, to key: PublicKey, at address: SocketAddress, initiated: Bool
  ) { heard.append(.connected(connection, key, initiated: initiated)) }
  mutating func received(_ message: [UInt8], on connection: ConnectionID) {
    heard.append(.received(message, connection))
  }
  mutating func writable(_ connection: ConnectionID) { heard.append(.writable(connection)) }
  mutating func closed(_ connection: ConnectionID, _ reason: CloseReason) {
    heard.append(.closed(connection, reason))
  }
}

/// Endpoints joined by a network that loses, delays, reorders and duplicates as one seed says, under virtual
/// time.
struct VirtualNetwork {
  /// What befalls datagrams.
  struct Weather {
    var delay = Interval.milliseconds(20)
    /// Added to the delay, uniformly: reorders once it exceeds the distance between datagrams.
    var jitter = Interval.zero
    var loss = 0.0
    var duplication = 0.0

    static let clear = Weather()
  }

  private struct Flight {
    let at: Instant
    let to: Int
    let from: SocketAddress
    let bytes: [UInt8]
  }

  var endpoints: [Endpoint]
  var heard: [[Heard]]
  var now = Instant.zero
  var weather: Weather
  /// Every datagram that was handed to the network, in order.
  private(set) var sent: [(bytes: [UInt8], from: Int)] = []
  /// Endpoints that neither hear nor say anything any more.
  var dead: Set<Int> = []
  /// May change a datagram on its way, or drop it by answering `nil`.
  var meddle: ((_ datagram: [UInt8], _ from: Int) -> [UInt8]?)?
  private var random: Xoshiro256
  /// In the order of arrival.
  private var flights: [Flight] = []

  init(
    _ count: Int = 2, seed: UInt64, weather: Weather = .clear,
    configure: (Int, inout TransportConfiguration) -> Void = { _, _ in }
  ) throws {
    random = Xoshiro256(seed: seed)
    self.weather = weather
    heard = Array(repeating: [], count: count)
    endpoints = []
    for i in 0..<count {
      var configuration = TransportConfiguration(network: Array("test".utf8))
      configure(i, &configuration)
      endpoints.append(
        Endpoint(
          identity: try testIdentity(i), configuration: configuration,
          random: try testRandom(seed &* 1_000 &+ UInt64(i))))
    }
  }

  static func address(_ i: Int) -> SocketAddress {
    guard let address = SocketAddress(host: [10, 0, 0, UInt8(i + 1)], port: 4_000) else {
      preconditionFailure("four bytes are an IPv4 address")
    }
    return address
  }

  func key(_ i: Int) -> PublicKey { endpoints[i].publicKey }

  /// Lets an endpoint do something, and puts what it says on the way.
  mutating func with<Result, Failure: Error>(
    _ i: Int, _ body: (inout Endpoint, Instant, inout Notes) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    var notes = Notes()
    defer {
      heard[i] += notes.heard
      for (bytes, to) in notes.datagrams { carry(bytes, from: i, to: to) }
    }
    return try body(&endpoints[i], now, &notes)
  }

  mutating func connect(_ from: Int, to: Int, expecting key: PublicKey? = nil) throws -> ConnectionID {
    try with(from) { endpoint, now, sink throws(ConnectError) in
      try endpoint.connect(to: VirtualNetwork.address(to), expecting: key, at: now, into: &sink)
    }
  }

  mutating func send(_ message: [UInt8], from i: Int, on connection: ConnectionID) throws(SendError) {
    try with(i) { endpoint, now, sink throws(SendError) in
      try endpoint.send(message, on: connection, at: now, into: &sink)
    }
  }

  mutating func close(_ connection: ConnectionID, by i: Int) {
    with(i) { $0.close(connection, at: $1, into: &$2) }
  }

  /// Hands a datagram to an endpoint at once.
  mutating func inject(_ datagram: [UInt8], to i: Int, from address: SocketAddress) {
    with(i) { $0.receive(datagram, from: address, at: $1, into: &$2) }
  }

  /// Lets time pass.
  mutating func run(_ interval: Interval) { run(until: now + interval) { _ in false } }

  /// Lets time pass until something is so, or some instant has come.
  ///
  /// - Returns: whether it is so.
  @discardableResult
  mutating func run(until end: Instant, or isDone: (VirtualNetwork) -> Bool) -> Bool {
    while !isDone(self) {
      let alive = endpoints.indices.filter { !dead.contains($0) }
      let deadline = alive.map { endpoints[$0].nextDeadline }.min() ?? .distantFuture
      let next = min(deadline, flights.first?.at ?? .distantFuture)
      guard next <= end else {
        now = end
        return isDone(self)
      }
      now = max(now, next)
      if let flight = flights.first, flight.at <= now {
        flights.removeFirst()
        if !dead.contains(flight.to) { inject(flight.bytes, to: flight.to, from: flight.from) }
      } else {
        for i in alive where endpoints[i].nextDeadline <= now { with(i) { $0.expire(at: $1, into: &$2) } }
      }
    }
    return true
  }

  /// What an endpoint was given, in order.
  func messages(_ i: Int) -> [[UInt8]] {
    heard[i].compactMap { if case .received(let message, _) = $0 { message } else { nil } }
  }

  /// The connections of an endpoint that came up, in order.
  func connected(_ i: Int) -> [ConnectionID] {
    heard[i].compactMap { if case .connected(let id, _, _) = $0 { id } else { nil } }
  }

  /// Why the connections of an endpoint ended, in order.
  func closes(_ i: Int) -> [CloseReason] {
    heard[i].compactMap { if case .closed(_, let reason) = $0 { reason } else { nil } }
  }

  private mutating func carry(_ bytes: [UInt8], from: Int, to address: SocketAddress) {
    guard !dead.contains(from) else { return }
    sent.append((bytes, from))
    guard let to = endpoints.indices.first(where: { VirtualNetwork.address($0) == address }),
      let bytes = meddle == nil ? bytes : meddle?(bytes, from)
    else { return }
    let copies = random.chance(weather.duplication) ? 2 : 1
    for _ in 0..<copies where !random.chance(weather.loss) {
      let extra = Int64(random.unit() * Double(weather.jitter.nanoseconds))
      let at = now + weather.delay + Interval(nanoseconds: extra)
      let flight = Flight(at: at, to: to, from: VirtualNetwork.address(from), bytes: bytes)
      // Behind all that arrive no later, so that ties keep the order of sending.
      var place = flights.count
      while place > 0, flights[place - 1].at > at { place -= 1 }
      flights.insert(flight, at: place)
    }
  }
}
