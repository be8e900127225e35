import Dispatch
import Glibc
import StarlingApps
import StarlingCore
import StarlingNode

/// Runs a ``Node`` on one thread: feeds it datagrams and time, and does what it wants done.
///
/// All of the node's state lives here and is touched by the thread in ``run()`` only. Others leave work in
/// the mailbox.
final class NodeDriver {
  /// How often the event streams are kept alive.
  private static let keepAlive = Interval.seconds(15)
  /// How many batches of datagrams are taken before timers get their turn.
  private static let batchesPerTurn = 4

  let mailbox: Mailbox<NodeDriver>
  let socket: UDPSocket
  let store: FileStore
  let configuration: HostConfiguration
  var server: ControlServer?
  var node: Node
  var catalogue = FileCatalogue()
  var impairment: Impairment
  private let loop: EventLoop
  private let log: (String) -> Void
  private var actions = NodeActions()
  private let files = DispatchQueue(label: "starling.files")
  private var nextKeepAlive = Instant.zero
  /// The chunk that the node asked for: one a turn, so that a file without listeners cannot hold up the rest.
  private var requested: (index: Int, file: FileIdentifier)?
  private var isStopping = false
  /// When there must be a neighbour; the end of time once there was one.
  private var joinDeadline = Instant.distantFuture
  private var isWatchingWrites = false

  init(
    node: consuming Node, socket: UDPSocket, store: FileStore, mailbox: Mailbox<NodeDriver>,
    impairment: Impairment, configuration: HostConfiguration, log: @escaping (String) -> Void
  ) throws(HostError) {
    self.node = node
    self.socket = socket
    self.store = store
    self.mailbox = mailbox
    self.impairment = impairment
    self.configuration = configuration
    self.log = log
    loop = try EventLoop()
    try loop.watch(socket.descriptor)
    try loop.watch(mailbox.descriptor)
    if let lifeline = configuration.lifeline { try loop.watch(lifeline) }
  }

  /// The time since the driver was made.
  var now: Instant { loop.now }

  /// Ends ``run()`` after the current turn.
  func stop() { isStopping = true }

  /// Runs until ``stop()``, a signal on `signals`, or the end of the lifeline; then tells the peers.
  func run(until signals: borrowing FileDescriptor) throws(HostError) {
    try loop.watch(signals.number)
    let stopSignal = signals.number
    if let patience = configuration.joinTimeout, !configuration.contacts.isEmpty {
      joinDeadline = now + patience
    }
    node.start(at: now, into: &actions)
    while !isStopping {
      perform()
      try flush()
      let events = try loop.wait(until: isStopping ? .zero : nextDeadline)
      for event in events { handle(event, stopSignal: stopSignal) }
      supplyRequested()
      if node.nextDeadline <= now { node.expire(at: now, into: &actions) }
      if joinDeadline <= now { throw unreachableContacts() }
      if nextKeepAlive <= now {
        nextKeepAlive = now + NodeDriver.keepAlive
        server?.keepAlive()
      }
    }
    shutDown()
  }

  /// The work that was posted and not done, so that nobody waits for it in vain.
  func finish() {
    for work in mailbox.close() { work(self) }
    server?.stop()
    server = nil
  }

  private var nextDeadline: Instant {
    if requested != nil { return .zero }
    var next = min(node.nextDeadline, min(impairment.nextDeadline, joinDeadline))
    if server != nil { next = min(next, nextKeepAlive) }
    return next
  }

  private func unreachableContacts() -> HostError {
    let names = configuration.contacts.map(\.description).joined(separator: ", ")
    return HostError(
      "No contact answered: \(names); check the address, and that a node of the network "
        + "\"\(configuration.network)\" runs there.")
  }

  private func handle(_ event: EventLoop.Event, stopSignal: Int32) {
    switch event.descriptor {
    case socket.descriptor where event.isReadable: receive()
    case mailbox.descriptor: for work in mailbox.take() { work(self) }
    case stopSignal, configuration.lifeline: stop()
    default: return
    }
  }

  private func receive() {
    for _ in 0..<NodeDriver.batchesPerTurn {
      let batch = socket.receive()
      for datagram in batch {
        node.receive(datagram.bytes, from: datagram.address, at: now, into: &actions)
      }
      if batch.isEmpty { return }
      perform()
    }
  }

  private func shutDown() {
    node.shutDown(at: now, into: &actions)
    // The peers are told at once: what was to be delayed is too late now.
    while let action = actions.popFirst() {
      if case .transmit(let datagram) = action { socket.send(datagram) }
    }
    socket.flush()
  }

  private func flush() throws(HostError) {
    while let datagram = impairment.release(at: now) { socket.send(datagram) }
    socket.flush()
    guard socket.isBlocked != isWatchingWrites else { return }
    isWatchingWrites = socket.isBlocked
    try loop.watch(socket.descriptor, writable: isWatchingWrites)
  }
}

// MARK: - What the node wants done

extension NodeDriver {
  private func perform() {
    while let action = actions.popFirst() {
      switch action {
      case .transmit(let datagram): transmit(datagram)
      case .requestChunk(let index, let file): requested = (index, file)
      case .announced(let manifest, let publisher): announced(manifest, by: publisher)
      case .arrived(let index, let file, let neighbour):
        catalogue.noteArrival(of: index, of: file, from: neighbour)
      case .store(let chunk, let index, let file): keep(chunk, index: index, of: file)
      case .completed(let file): completed(file)
      case .report(let event): report(event)
      }
    }
  }

  private func transmit(_ datagram: Datagram) {
    if impairment.isNone { socket.send(datagram) } else { impairment.accept(datagram, at: now) }
  }

  private func supplyRequested() {
    guard let (index, file) = requested else { return }
    requested = nil
    do {
      node.supply(try store.chunk(index, of: file), index: index, of: file, at: now, into: &actions)
    } catch {
      log(error.description)
      node.supply([], index: index, of: file, at: now, into: &actions)
    }
  }

  private func announced(_ manifest: FileManifest, by publisher: PublicKey) {
    catalogue.add(manifest, by: publisher, state: .receiving, path: nil)
    log("Receiving \"\(manifest.name)\", \(manifest.byteCount) bytes, published by \(publisher).")
    tell(.announced, of: manifest.identifier)
  }

  private func keep(_ chunk: [UInt8], index: Int, of file: FileIdentifier) {
    guard let manifest = catalogue.manifest(of: file) else { return }
    do {
      try store.store(chunk, index: index, of: manifest)
    } catch {
      fail(file, because: error)
    }
  }

  /// The chunks are all there. Hashing them once more takes long enough to be another thread's work.
  private func completed(_ file: FileIdentifier) {
    guard let manifest = catalogue.manifest(of: file), let assembly = store.assembly(of: manifest) else {
      return
    }
    let mailbox = mailbox
    files.async {
      let result = Result { () throws(HostError) in try assembly.run() }
      let work: Mailbox<NodeDriver>.Work = { $0.assembled(manifest, result) }
      // Work that is refused is lost only if the node is stopping: a full mailbox is emptied in a moment.
      while !mailbox.post(work), !mailbox.isClosed { usleep(1_000) }
    }
  }

  private func assembled(_ manifest: FileManifest, _ result: Result<String, HostError>) {
    switch result {
    case .success(let path):
      catalogue.finish(manifest.identifier, state: .complete, path: path)
      log("Received \"\(manifest.name)\": \(path)")
      tell(.completed, of: manifest.identifier)
    case .failure(let error): fail(manifest.identifier, because: error)
    }
  }

  private func report(_ event: NodeEvent) {
    log(NodeDriver.sentence(event.description))
    switch event {
    case .joined: joinDeadline = .distantFuture
    case .published(let file):
      store.finishPublishing(file)
      catalogue.finish(file, state: .published)
    case .publicationFailed(let file):
      store.finishPublishing(file)
      catalogue.finish(file, state: .failed)
    case .fileAbandoned(let file):
      if let manifest = catalogue.manifest(of: file) { store.abandon(manifest) }
      catalogue.finish(file, state: .failed)
      tell(.failed, of: file)
    default: return
    }
  }

  private func fail(_ file: FileIdentifier, because error: HostError) {
    catalogue.finish(file, state: .failed)
    log(error.description)
    tell(.failed, of: file)
  }

  private func tell(_ kind: ControlEvent.Kind, of identifier: FileIdentifier) {
    guard let server, let file = catalogue.file(identifier) else { return }
    server.publish(
      ControlEvent(
        event: kind, file: file.file, name: file.name, topic: file.topic, bytes: file.bytes,
        digest: file.digest, path: file.path, publisher: file.publisher,
        time: WallClock.milliseconds()))
  }

  private static func sentence(_ text: String) -> String {
    text.prefix(1).uppercased() + text.dropFirst() + "."
  }
}

// MARK: - What users want done

extension NodeDriver {
  /// Publishes a file that lies in its place already.
  func publish(_ manifest: FileManifest, at path: String, reply: HTTPReply) {
    guard !isStopping else { return reply.send(HTTPResponse(status: 503, error: "The node is stopping.")) }
    store.publish(manifest, at: path)
    catalogue.add(manifest, by: node.key, state: .publishing, path: path)
    do {
      try node.publish(manifest, at: now, into: &actions)
    } catch {
      if error != .alreadyPublishing {
        store.finishPublishing(manifest.identifier)
        catalogue.finish(manifest.identifier, state: .failed)
      }
      return reply.send(HTTPResponse(status: 409, error: NodeDriver.sentence(error.description)))
    }
    reply.send(
      ControlPublication(
        file: manifest.identifier.description, digest: manifest.digest.description,
        bytes: manifest.byteCount))
  }
}
