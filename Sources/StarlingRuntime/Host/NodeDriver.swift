import Dispatch
import Glibc
import StarlingApps
import StarlingCore
import StarlingLedger
import StarlingNode

/// Runs a ``Node`` on one thread: feeds it datagrams and time, and does what it wants done.
///
/// All of the node's state lives here and is touched by the thread in ``run()`` only. Others leave work in
/// the mailbox.
final class NodeDriver {
  /// How often the event streams are kept alive.
  private static let keepAlive = Interval.seconds(15)
  /// How often the known peers are written down, and what the log left out is told. A guess.
  private static let savingInterval = Interval.seconds(30)
  /// How long a node that leaves waits for its neighbours to hear of it.
  private static let leavingPatience = Interval.seconds(1)
  /// How many batches of datagrams are taken before timers get their turn.
  private static let batchesPerTurn = 4

  let mailbox: Mailbox<NodeDriver>
  let socket: UDPSocket
  let store: FileStore
  let configuration: HostConfiguration
  /// What is kept from run to run; `nil` for a node in a temporary directory.
  let memory: NodeMemory?
  /// Where is kept what must not be forgotten; `nil` without a secure broadcast, or in a temporary directory.
  let stable: StableStorage?
  /// Why the node stops, if it has to.
  private(set) var failure: HostError?
  var server: ControlServer?
  var node: Node
  var catalogue = FileCatalogue()
  var impairment: Impairment
  /// How often the disk, or the kernel's network, refused something.
  var diskErrors: UInt64 = 0
  private let loop: EventLoop
  private var logger: Logger
  var actions = NodeActions()
  /// Clients that wait for their transfers.
  var transferWatch = TransferWatch()
  /// Clients that wait for certificates.
  var certificateReplies: [TransferNumber: [LedgerReply<Certificate>]] = [:]
  /// Clients that wait for pages of histories, and when the next is answered.
  var historyQuestions: [HistoryQuestion] = []
  var nextHistory = Instant.zero
  /// The ledger as it was counted last.
  var knownLedgerStatus: LedgerStatus?
  private let files: DispatchQueue
  private var nextKeepAlive = Instant.zero
  private var nextSaving = Instant.zero + NodeDriver.savingInterval
  private var lastPeers: [RememberedPeer] = []
  private var isDiskRefusing = false
  private var network = NetworkWatch()
  /// The chunk that the node asked for: one a turn, so that a file without listeners cannot hold up the rest.
  private var requested: (index: Int, file: FileIdentifier)?
  /// What the node wants read: after what it wants kept is, and a few each turn, so that a disk that others keep busy does not
  /// hold up the rest.
  private var recalls: [StableRecall] = []
  private static let recallsPerTurn = 8
  private(set) var isStopping = false
  /// When there must be a neighbour; the end of time once there was one.
  private var joinDeadline = Instant.distantFuture
  private var isWatchingWrites = false
  /// What becomes readable when the node is to stop, and when it is to read again who may join.
  private var (stopSignal, hangupSignal): (Int32, Int32) = (-1, -1)
  /// Who may join, where lists of keys say so; `nil` where nothing can be read again.
  private let policy: ReplaceablePolicy?

  init(
    node: consuming Node, socket: UDPSocket, store: FileStore, memory: NodeMemory?, stable: StableStorage?,
    files: DispatchQueue,
    mailbox: Mailbox<NodeDriver>, impairment: Impairment, policy: ReplaceablePolicy?,
    configuration: HostConfiguration, log: @escaping (String) -> Void
  ) throws(HostError) {
    self.node = node
    self.socket = socket
    self.store = store
    self.mailbox = mailbox
    self.impairment = impairment
    self.policy = policy
    self.configuration = configuration
    self.memory = memory
    self.stable = stable
    self.files = files
    logger = Logger(level: configuration.logLevel, format: configuration.logFormat, write: log)
    loop = try EventLoop()
    try loop.watch(socket.descriptor)
    try loop.watch(mailbox.descriptor)
    if let lifeline = configuration.lifeline { try loop.watch(lifeline) }
    for file in memory?.recollection.files ?? [] { catalogue.recall(file) }
  }

  /// The time since the driver was made in which the process ran.
  var now: Instant { loop.now }

  /// Ends ``run()`` after the current turn.
  func stop() { isStopping = true }

  /// Runs until ``stop()``, a signal on `stop`, or the end of the lifeline; then tells the peers. A signal on
  /// `hangup` has it read again who may join.
  func run(until stop: borrowing FileDescriptor, hangup: borrowing FileDescriptor) throws(HostError) {
    try loop.watch(stop.number)
    try loop.watch(hangup.number)
    (stopSignal, hangupSignal) = (stop.number, hangup.number)
    warnOfOpenControl()
    if let (path, reason) = memory?.movedAside {
      log(
        .error, "state_damaged",
        "The node's state could not be used and was moved aside; it starts anew with its old key.",
        [("moved_to", .text(path)), ("reason", .text(reason))])
    }
    // One that was in the network before finds it again some day.
    let isNew = memory?.recollection.peers.isEmpty ?? true
    if let patience = configuration.joinTimeout, !configuration.contacts.isEmpty, isNew {
      joinDeadline = now + patience
    }
    log(
      .info, "started", "The node runs.",
      [
        ("peer", .text(node.key.short)), ("listen", .text(socket.local.description)),
        ("version", .text(configuration.version)),
      ])
    node.start(at: now, into: &actions)
    while !isStopping { try turn() }
    log(.info, "stopping", "The node says farewell to its peers.")
    // Whoever leaves has no neighbours any more, and looks for these the next time.
    lastPeers = rememberedPeers
    node.leave(at: now, into: &actions)
    let patience = now + NodeDriver.leavingPatience
    repeat { try turn() } while node.hasUnsentMessages && now < patience
    shutDown()
  }

  /// Does what is to be done, waits until there is more, and takes it in.
  private func turn() throws(HostError) {
    perform()
    try flush()
    let events = try loop.wait(until: nextDeadline)
    if let pause = loop.takePause() { resume(after: pause) }
    for event in events { try handle(event) }
    supplyRequested()
    supplyRecalled()
    answerHistory()
    if node.nextDeadline <= now { node.expire(at: now, into: &actions) }
    if transferWatch.nextDeadline <= now { transferWatch.expire(at: now) }
    if isOutOfContacts { throw unreachableContacts() }
    if nextKeepAlive <= now {
      nextKeepAlive = now + NodeDriver.keepAlive
      server?.keepAlive()
    }
    if nextSaving <= now {
      nextSaving = now + NodeDriver.savingInterval
      logger.tellSuppressed()
      save()
    }
    memory?.reserveIfNeeded(from: node.nextSequence, for: mailbox)
  }

  /// The work that was posted and not done, so that nobody waits for it in vain.
  func finish() {
    for work in mailbox.close() { work(self) }
    memory?.close(lastPeers.isEmpty ? rememberedPeers : lastPeers, node.memory)
    logger.tellSuppressed()
    transferWatch.finish()
    for question in historyQuestions { question.reply.refuse(503, "The node is stopping.") }
    for reply in certificateReplies.values.joined() { reply.refuse(503, "The node is stopping.") }
    server?.stop()
    server = nil
  }

  private var nextDeadline: Instant {
    if requested != nil || !recalls.isEmpty { return .zero }
    var next = min(node.nextDeadline, min(impairment.nextDeadline, joinDeadline))
    if server != nil { next = min(next, nextKeepAlive, transferWatch.nextDeadline) }
    if !historyQuestions.isEmpty { next = min(next, nextHistory) }
    if isStopping { next = min(next, now + .milliseconds(20)) }
    return next
  }

  /// Whether it is time to give the contacts up: nobody has let the node in for too long, or all have said that they
  /// will not.
  private var isOutOfContacts: Bool {
    guard joinDeadline != .distantFuture, !isStopping else { return false }
    return joinDeadline <= now || node.isRefusedByAll
  }

  private func unreachableContacts() -> HostError {
    if let refusal = node.status.joinRefusal { return HostError("The node was not let in: \(refusal).") }
    let names = configuration.contacts.map(\.description).joined(separator: ", ")
    return HostError(
      "No contact answered: \(names); check the address, and that a node of the network "
        + "\"\(configuration.network)\" runs there.")
  }

  private func handle(_ event: EventLoop.Event) throws(HostError) {
    switch event.descriptor {
    case socket.descriptor where event.isReadable: receive()
    case mailbox.descriptor: for work in mailbox.take() { work(self) }
    case stopSignal, configuration.lifeline:
      // It stays readable, and would wake the loop for nothing.
      try loop.forget(event.descriptor)
      stop()
    case hangupSignal:
      FileDescriptor.reset(hangupSignal)
      readPolicyAgain()
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
    if let failure { throw failure }
    while let datagram = impairment.release(at: now) { socket.send(datagram) }
    socket.flush()
    noteNetwork()
    guard socket.isBlocked != isWatchingWrites else { return }
    isWatchingWrites = socket.isBlocked
    try loop.watch(socket.descriptor, writable: isWatchingWrites)
  }
}

// MARK: - What an operator is to know, or changes

extension NodeDriver {
  private func warnOfOpenControl() {
    guard let control = server?.local, !control.isLoopback else { return }
    log(
      .warning, "control_open",
      "The control interface has no password: whoever reaches it publishes in this node's name; give it an"
        + " address of this machine alone, such as 127.0.0.1.", [("control", .text(control.description))])
  }

  /// Reads the lists of keys again, and keeps the old ones if they cannot be used.
  private func readPolicyAgain() {
    guard let policy else {
      return log(.info, "hangup", "Nothing to read again: no list of keys says who may join.")
    }
    do {
      try policy.replace(by: AdmissionFiles.policy(of: configuration.admission), keeping: node.key)
      log(.info, "policy_read", "Read again who may join.")
    } catch {
      log(.error, "policy_refused", "\(error.description) The node goes on with the lists that it had.")
    }
  }
}

// MARK: - When the machine does not play along

extension NodeDriver {
  func log(
    _ level: LogLevel, _ event: String, _ message: String, _ fields: [(name: String, value: LogValue)] = []
  ) {
    logger.log(LogEntry(level, event, message, fields), at: now)
  }

  /// The process did not run for a while. Its clock stood still, so nothing is due that was not; but its peers may
  /// have given it up.
  private func resume(after pause: RunningClock.Pause) {
    log(
      .warning, "paused", "The node did not run for a while, and asks its neighbours whether they are there.",
      [
        ("stalled_ms", .milliseconds(pause.stalled)), ("slept_ms", .milliseconds(pause.slept)),
      ])
    node.awaken(at: now, into: &actions)
  }

  private func noteNetwork() {
    switch network.note(accepted: socket.accepted, refused: socket.refused, at: now) {
    case .lost:
      let error = HostError("Nothing can be sent; the node goes on trying", errno: socket.lastRefusal)
      log(.error, "network_lost", error.description)
    case .back:
      log(.info, "network_back", "Datagrams leave again.")
      node.noteNetworkIsBack(at: now, into: &actions)
      perform()
      socket.flush()
    case nil: return
    }
  }

  /// The disk refused something: told once, until it works again, and counted.
  func diskRefused(_ error: HostError) {
    diskErrors += 1
    log(isDiskRefusing ? .debug : .error, isDiskRefusing ? "disk_error" : "disk_refuses", error.description)
    isDiskRefusing = true
  }

  /// The disk took something.
  func diskWorked() {
    guard isDiskRefusing else { return }
    isDiskRefusing = false
    log(.info, "disk_works", "The disk takes files again.")
  }

  private var rememberedPeers: [RememberedPeer] {
    node.rememberedPeers.compactMap { record in
      record.address.map { RememberedPeer(key: record.key, address: $0) }
    }
  }

  private func save() {
    memory?.save(rememberedPeers, node.memory, for: mailbox)
  }

  /// Writes down that a file is here.
  private func save(_ identifier: FileIdentifier) {
    guard let file = catalogue.file(identifier), file.path != nil else { return }
    memory?.write(for: mailbox) { store throws(HostError) in
      try store.remember(file, at: WallClock.milliseconds())
    }
  }
}

// MARK: - What the node wants done

extension NodeDriver {
  private func perform() {
    keepWrites()
    // Nothing may leave that could be forgotten.
    if failure != nil { while actions.popFirst() != nil {} }
    while let action = actions.popFirst() {
      switch action {
      case .transmit(let datagram): transmit(datagram)
      case .requestChunk(let index, let file): requested = (index, file)
      case .announced(let manifest, let publisher): announced(manifest, by: publisher)
      case .arrived(let index, let file, let neighbour):
        catalogue.noteArrival(of: index, of: file, from: neighbour)
      case .store(let chunk, let index, let file): keep(chunk, index: index, of: file)
      case .completed(let file): completed(file)
      case .deliverPosts(let posts, let author): tell(posts, by: author)
      case .applied(let applied): tell(applied)
      case .abandoned(let transfer): tellAbandoned(transfer)
      case .certified(let number, let result): tellCertified(number, result)
      case .recall(let recall): recalls.append(recall)
      case .report(let event): report(event)
      }
    }
  }

  /// Keeps what must not be forgotten before anything of this turn leaves, or is told: one transaction for all of it. A node
  /// that cannot would contradict itself after a crash, so it stops here.
  func keepWrites() {
    let writes = actions.takeWrites()
    guard let stable, !writes.isEmpty, failure == nil else { return }
    do {
      try stable.commit(writes)
    } catch {
      diskRefused(error)
      log(.error, "not_kept", "The node stops, for it must not send what it could forget.")
      failure = error
      stop()
    }
  }

  private func tell(_ posts: [Post], by author: PublicKey) {
    guard let server, server.hasPostListeners else { return }
    for post in posts {
      server.publish(
        ControlPost(
          author: author.description, number: post.number,
          text: String(decoding: post.contents, as: UTF8.self), time: WallClock.milliseconds()))
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
      log(.error, "file_unreadable", error.description, [("file", .text(file.description))])
      node.supply([], index: index, of: file, at: now, into: &actions)
    }
  }

  /// Reads what the node asked for. All that it wanted kept before is on disk: a turn begins with that.
  private func supplyRecalled() {
    let due = recalls.prefix(NodeDriver.recallsPerTurn)
    recalls.removeFirst(due.count)
    for recall in due {
      let values = recall.values { query in
        do throws(HostError) {
          return try stable?.values(query) ?? []
        } catch {
          diskRefused(error)
          return []
        }
      }
      node.supply(values, for: recall.token, at: now, into: &actions)
    }
  }

  private func announced(_ manifest: FileManifest, by publisher: PublicKey) {
    guard catalogue.add(manifest, by: publisher, state: .receiving, path: nil) else {
      node.giveUp(manifest.identifier)
      return log(
        .warning, "file_refused",
        "A file cannot arrive, because \(FileCatalogue.limit) others are on their way; if it is wanted, have it"
          + " published again.",
        [("name", .text(manifest.name)), ("file", .text(manifest.identifier.description))])
    }
    log(
      .info, "receiving", "A file is arriving.",
      [
        ("name", .text(manifest.name)), ("bytes", .number(manifest.byteCount)),
        ("publisher", .text(publisher.short)), ("file", .text(manifest.identifier.description)),
      ])
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

  /// The chunks are all there. Hashing them once more takes long enough to be another thread's work. As the file keeps
  /// its place meanwhile, no more wait there than the node has places.
  private func completed(_ file: FileIdentifier) {
    guard let manifest = catalogue.manifest(of: file), let assembly = store.assembly(of: manifest) else {
      return node.giveUp(file)
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
      diskWorked()
      catalogue.finish(manifest.identifier, state: .complete, path: path)
      save(manifest.identifier)
      node.assembled(manifest.identifier, at: now, into: &actions)
      log(
        .info, "received", "A file is here.",
        [
          ("name", .text(manifest.name)), ("path", .text(path)),
          ("file", .text(manifest.identifier.description)),
        ])
      tell(.completed, of: manifest.identifier)
    case .failure(let error): fail(manifest.identifier, because: error)
    }
  }

  private func report(_ event: NodeEvent) {
    logger.log(event.logEntry, at: now)
    switch event {
    case .joined:
      joinDeadline = .distantFuture
      save()
    case .neighbourUp: nextSaving = min(nextSaving, now + .seconds(5))
    case .published(let file):
      store.finishPublishing(file)
      catalogue.finish(file, state: .published)
      save(file)
    case .publicationFailed(let file):
      store.finishPublishing(file)
      catalogue.finish(file, state: .failed)
      tell(.failed, of: file)
    case .fileAbandoned(let file):
      if let manifest = catalogue.manifest(of: file) { store.abandon(manifest) }
      catalogue.finish(file, state: .failed)
      tell(.failed, of: file)
    default: return
    }
  }

  private func fail(_ file: FileIdentifier, because error: HostError) {
    diskRefused(error)
    if let manifest = catalogue.manifest(of: file) { store.abandon(manifest) }
    // What was stored of it is gone; it may come again.
    node.giveUp(file)
    catalogue.finish(file, state: .failed)
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
  /// Broadcasts posts.
  func post(_ posts: [[UInt8]], batchLimit: Int, reply: HTTPReply) {
    guard !isStopping else { return reply.send(HTTPResponse(status: 503, error: "The node is stopping.")) }
    guard memory?.mayNumber(posts.count, from: node.nextSequence) ?? true else {
      return reply.send(
        HTTPResponse(
          status: 507,
          error: "The node's state cannot be written, so it cannot number more posts; mend its disk first."))
    }
    do {
      let first = try node.post(posts, batchLimit: batchLimit, at: now, into: &actions)
      keepWrites()
      if let failure {
        return reply.send(
          HTTPResponse(
            status: 507, error: "The posts could not be kept, and none was broadcast: \(failure.description)")
        )
      }
      reply.send(ControlPosting(first: first, posts: posts.count))
    } catch {
      reply.send(
        HTTPResponse(
          status: error == .notSecure ? 409 : 503, error: NodeDriver.sentence(error.description)))
    }
  }

  /// Publishes a file that lies in its place already.
  func publish(_ manifest: FileManifest, at path: String, reply: HTTPReply) {
    guard !isStopping else { return reply.send(HTTPResponse(status: 503, error: "The node is stopping.")) }
    // The manifest, the chunks, and those of the files before it.
    guard memory?.mayNumber(1 + manifest.chunkCount + node.unsentChunkCount, from: node.nextSequence) ?? true
    else {
      return reply.send(
        HTTPResponse(
          status: 507,
          error: "The node's state cannot be written, so it cannot number more messages; mend its disk first."
        ))
    }
    guard catalogue.add(manifest, by: node.key, state: .publishing, path: path) else {
      let error = "\(FileCatalogue.limit) files are on their way already; wait until one is done."
      return reply.send(HTTPResponse(status: 409, error: error))
    }
    store.publish(manifest, at: path)
    do {
      try node.publish(manifest, at: now, into: &actions)
    } catch {
      if error != .alreadyPublishing {
        store.finishPublishing(manifest.identifier)
        catalogue.finish(manifest.identifier, state: .failed)
      }
      let status: UInt32 = error == .undeliverable ? 503 : 409
      return reply.send(HTTPResponse(status: status, error: NodeDriver.sentence(error.description)))
    }
    reply.send(
      ControlPublication(
        file: manifest.identifier.description, digest: manifest.digest.description,
        bytes: manifest.byteCount))
  }
}
