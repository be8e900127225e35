import CStarlingShims
import Dispatch
import Glibc
import StarlingApps
import StarlingCore
import StarlingNode
import StarlingOverlay
import Synchronization

/// A running peer: a ``Node`` with a socket, a disk, a clock and a control interface.
///
/// It listens from the moment it is made, so that its addresses can be told, and takes part from ``run()``.
public final class NodeHost: Sendable {
  /// The driver on its way from the thread that makes the host to the one that runs it, which is its owner
  /// from then on.
  private struct Handover: @unchecked Sendable { let driver: NodeDriver }

  /// The node's public key.
  public let key: PublicKey
  /// Where the node's socket listens; the port is never 0.
  public let listen: SocketAddress
  /// Where the control interface listens, if there is one; the port is never 0.
  public let control: SocketAddress?
  /// The secure broadcast that the node takes part in, if any.
  public let secure: SecureBroadcastSettings?
  /// Where the node's files are.
  public var dataDirectory: String { directory.path }
  private let directory: DataDirectory
  private let handlesSignals: Bool
  private let mailbox: Mailbox<NodeDriver>
  private let handover: Mutex<Handover?>

  /// Makes a host, which listens at once.
  ///
  /// - Parameters:
  ///   - configuration: what the user set.
  ///   - log: is called with lines for an operator, each one event without a line's end, on the thread that calls
  ///     ``run()``.
  /// - Throws: ``HostError`` when an address is taken, or a file or directory cannot be used.
  public init(
    _ configuration: HostConfiguration, log: @escaping @Sendable (String) -> Void = { _ in }
  ) throws(HostError) {
    guard configuration.network.utf8.count <= 255 else {
      throw HostError("A network's name has at most 255 bytes.")
    }
    guard (0...1).contains(configuration.loss) else {
      throw HostError("The share of lost datagrams must be 0 to 1.")
    }
    try NodeHost.checkDescriptors()
    // A file beyond the process's limit is an error of the call, not the end of the process.
    signal(SIGXFSZ, SIG_IGN)
    let directory = try DataDirectory(configuration.dataDirectory)
    var isMade = false
    defer { if !isMade { directory.remove() } }
    let identity = try NodeHost.identity(configuration, in: directory)
    let files = DispatchQueue(label: "starling.files")
    let memory = try NodeHost.memory(of: identity, configuration, in: directory, queue: files)
    let socket = try UDPSocket(listeningOn: configuration.listen)
    let mailbox = try Mailbox<NodeDriver>()
    let seed: UInt64
    if let chosen = configuration.seed { seed = chosen } else { seed = try SystemEntropy.word() }
    let policy = try AdmissionFiles.replaceablePolicy(of: configuration.admission)
    let stable =
      configuration.secure == nil || memory == nil
      ? nil
      : try StableStorage(at: directory.state, for: identity.publicKey, in: configuration.network)
    let driver = try NodeDriver(
      node: try NodeHost.node(
        identity, configuration, memory?.recollection, stable, policy,
        at: socket.local),
      socket: socket,
      store: FileStore(directory), memory: memory, stable: stable, files: files, mailbox: mailbox,
      impairment: Impairment(
        delay: configuration.delay, loss: configuration.loss, local: socket.local, seed: seed),
      policy: policy, configuration: configuration, log: log)
    if let address = configuration.control {
      driver.server = try ControlServer(
        listeningOn: address, service: NodeControl(mailbox: mailbox, directory: directory),
        ledger: try NodeHost.ledger(configuration, mailbox))
    }
    key = identity.publicKey
    secure = configuration.secure
    listen = socket.local
    control = driver.server?.local
    self.directory = directory
    handlesSignals = configuration.handlesSignals
    self.mailbox = mailbox
    handover = Mutex(Handover(driver: driver))
    isMade = true
  }

  /// Takes part in the network until SIGINT, SIGTERM or ``stop()``; then tells the peers, stops the control
  /// interface and removes a temporary data directory. At SIGHUP it reads the lists of keys again that say who may
  /// join. Blocks meanwhile; can be called once.
  ///
  /// - Throws: ``HostError`` when the operating system denies what the node cannot do without.
  public func run() throws(HostError) {
    let handover = self.handover.withLock { value in
      defer { value = nil }
      return value
    }
    guard let driver = handover?.driver else { preconditionFailure("a host runs once") }
    let stop = try FileDescriptor.counter()
    let hangup = try FileDescriptor.counter()
    if handlesSignals { starling_watch_signals(stop.number, hangup.number) }
    defer {
      if handlesSignals { starling_default_signals(stop.number) }
      driver.finish()
      directory.remove()
    }
    try driver.run(until: stop, hangup: hangup)
  }

  /// How many files and sockets a node has open at the very least, and some for what it does now and then. A guess.
  private static let leastDescriptors: UInt = 48

  /// Refuses to begin with so few descriptors that nobody could even be told of it later.
  private static func checkDescriptors() throws(HostError) {
    var limit = rlimit()
    guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0,
      limit.rlim_cur < leastDescriptors
    else { return }
    throw HostError(
      "A node needs \(leastDescriptors) open files or more, and this process may have \(limit.rlim_cur): raise the limit,"
        + " for example with `ulimit -n 1024`.")
  }

  /// Ends ``run()``; from any thread.
  public func stop() { _ = mailbox.post { $0.stop() } }

  private static func identity(
    _ configuration: HostConfiguration, in directory: DataDirectory
  ) throws(HostError) -> Identity {
    if let path = configuration.identityFile { return try IdentityFile.read(path) }
    if !directory.isTemporary { return try IdentityFile.readOrCreate(directory.identity) }
    do {
      return try Identity(seed: try SystemEntropy.bytes(Identity.seedByteCount))
    } catch {
      throw HostError("An identity could not be made: \(error).")
    }
  }

  /// What is kept of earlier runs; `nil` if nothing is to be kept.
  private static func memory(
    of identity: Identity, _ configuration: HostConfiguration, in directory: DataDirectory,
    queue: DispatchQueue
  ) throws(HostError) -> NodeMemory? {
    guard !directory.isTemporary else { return nil }
    // The clock stands in for a store that is new to this key; a clock that was set back changes nothing.
    return try NodeMemory(
      in: directory, for: identity.publicKey, sequenceAtLeast: WallClock.microseconds(),
      ledger: configuration.secure?.genesis?.hash, queue: queue)
  }

  /// Who answers for the ledger, if the node keeps one.
  private static func ledger(
    _ configuration: HostConfiguration, _ mailbox: Mailbox<NodeDriver>
  ) throws(HostError) -> NodeLedger? {
    guard let genesis = configuration.secure?.genesis else { return nil }
    var demoWallet: LedgerDemoWallet?
    if let path = configuration.demoWallet { demoWallet = try LedgerDemoWallet(ofWalletAt: path) }
    return NodeLedger(mailbox: mailbox, genesis: genesis, demoWallet: demoWallet)
  }

  private static func node(
    _ identity: Identity, _ configuration: HostConfiguration, _ memory: NodeMemory.Recollection?,
    _ stable: StableStorage?, _ policy: ReplaceablePolicy?, at local: SocketAddress
  ) throws(HostError) -> Node {
    // The address of all interfaces is nobody's: peers then go by where the datagrams come from.
    let isConcrete = local.host.contains { $0 != 0 }
    let listen = configuration.advertise ?? (isConcrete ? local : nil)
    var settings = NodeConfiguration(
      network: configuration.network, listen: listen, contacts: configuration.contacts)
    if let policy {
      settings.admission = policy
    } else if configuration.admission.isEmpty, let secure = configuration.secure {
      settings.admission = KeyList(secure.members.map(\.key))
    } else {
      settings.admission = try AdmissionFiles.policy(of: configuration.admission)
    }
    if let secure = configuration.secure {
      var part = SecureConfiguration(secure.broadcast, among: secure.members)
      part.genesis = secure.genesis
      settings.secure = part
      secure.makeRoom(in: &settings)
      if settings.contacts.isEmpty { settings.contacts = secure.contacts(besides: identity.publicKey) }
    }
    settings.transport.maximumConnectionsPerHost = configuration.connectionsPerHost
    settings.remembered = memory?.peers.map(\.address) ?? []
    settings.memory = memory?.seen ?? []
    settings.finishedFiles = memory?.files.compactMap { FileIdentifier($0.file) } ?? []
    // A key that is used again must go on above the numbers that it has used. Without a store the clock sees to
    // it: it has moved on by more microseconds than messages were sent.
    let first = memory?.firstSequence ?? (configuration.identityFile == nil ? 1 : WallClock.microseconds())
    var failure: HostError?
    let node: Node
    do {
      node = try Node(
        identity: identity, configuration: settings, seed: try SystemEntropy.bytes(32), firstSequence: first,
        reading: { query in
          do throws(HostError) { return try stable?.values(query) ?? [] } catch { failure = error }
          return []
        })
    } catch {
      throw failure ?? HostError("The node could not be made: \(error).")
    }
    // What could not be read must not be taken for nothing.
    if let failure { throw failure }
    return node
  }
}
