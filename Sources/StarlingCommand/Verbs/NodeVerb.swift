import StarlingCore
import StarlingLedger
import StarlingOverlay
import StarlingRuntime

extension Verb {
  /// `starling node`
  static let node = Verb(
    "node", "run one peer until it is interrupted",
    options: [
      Option(
        "listen", "ADDR:PORT", "where other peers reach it, over UDP (default 127.0.0.1 and any free port)",
        readsEnvironment: true),
      Option(
        "join", "ADDR:PORT", "a member of the network to join through", repeats: true, readsEnvironment: true),
      Option(
        "join-timeout", "TIME", "give up if no contact answers for this long (default 15s; 0 is never)",
        readsEnvironment: true),
      Option(
        "data", "DIR", "where files, the key and what it remembers are kept (default a temporary folder)",
        readsEnvironment: true),
      Option(
        "identity", "FILE",
        "the key file that `starling keys new` made (default identity.key in the data folder, made if missing)",
        readsEnvironment: true),
      Option(
        "control", "ADDR:PORT", "where it takes orders, over HTTP and without a password (default nowhere)",
        readsEnvironment: true),
      Option(
        "advertise", "ADDR:PORT", "where others are told to find it (default where it listens)",
        readsEnvironment: true),
      Option(
        "network", "NAME", "only peers of the same network connect (default starling)", readsEnvironment: true
      ),
      Option(
        "broadcast", "NAME", "how it broadcasts: tree, secure, consistent, bracha or auto (default tree)",
        readsEnvironment: true),
      Option(
        "members", "FILE", "with a secure broadcast: who takes part, a key and an address a line",
        readsEnvironment: true),
      Option(
        "genesis", "FILE", "keep the ledger that begins so; its members are those of --members",
        readsEnvironment: true),
      Option(
        "demo-wallet", "DIR",
        "give this wallet's keys to whoever asks: for demonstration",
        readsEnvironment: true),
      Option(
        "admit", "RULES", "who may join; the same at every node of a network (default open)",
        readsEnvironment: true),
      Option("delay", "MODEL", "hold every sent datagram back (default not at all)", readsEnvironment: true),
      Option("loss", "SHARE", "lose this share of the sent datagrams (default 0)", readsEnvironment: true),
      Option("seed", "N", "make delays and losses follow from N (default random)", readsEnvironment: true),
      Option(
        "connections-per-host", "N", "how many connections one host may open (default no limit of its own)",
        readsEnvironment: true),
      Option(
        "log-level", "LEVEL", "log what is as urgent as error, warning, info or debug (default info)",
        readsEnvironment: true),
      Option(
        "log-format", "FORMAT", "write the log as logfmt or json (default logfmt)", readsEnvironment: true),
      Option("config", "FILE", "read options from a JSON5 file", readsEnvironment: true),
      .json,
    ] + SecureNodeOptions.safety,
    notes: """
      It prints its key and addresses once it listens, and then what happens, on standard error, one
      event a line. Started again with the same --data it keeps its key and finds the peers it knew. Flags
      win over the environment, and the environment over the file, which has the options' names:
      { listen: "192.0.2.7:4400", join: ["192.0.2.1:4400"], data: "starling", "accept-weak": false }
      RULES, parted by commas, must all let a peer in: open, keys:FILE (one key a line), puzzle:BITS,
      limit:COUNT/TIME (so many introduced by one contact, as in limit:10/min). SIGHUP has the node read
      those files again. A secure broadcast is one that liars cannot split (docs/guide-secure.md): all
      members start with the same --broadcast, --byzantine and --members. Addresses are numbers, as in
      192.0.2.7:4400 or [2001:db8::7]:4400, not names.
      """
  ) { given throws(CommandError) in
    let arguments = try given.withConfiguration()
    let configuration = try HostConfiguration(arguments)
    let host = try explaining { try NodeHost(configuration) { Messages.write(line: $0) } }
    if let secure = configuration.secure { Messages.write(line: secure.summary) }
    if configuration.secure?.genesis != nil, !SignatureRule.isKept {
      Messages.write(line: "note: " + SignatureRule.warning)
    }
    if let note = host.placeNote(configuration) { Messages.write(line: note) }
    try Output.standard.write(host.description, json: arguments.has("json"), text: host.text)
    try explaining { try host.run() }
  }
}

extension HostConfiguration {
  fileprivate init(_ arguments: Arguments) throws(CommandError) {
    self.init()
    if let address = try arguments.address("listen") { listen = address }
    advertise = try arguments.address("advertise")
    contacts = try arguments.all("join") { text in
      let address = try Arguments.address(text)
      guard address.port > 0 else {
        throw QuantityError("\(quoted(text)) has port 0, where no peer can be; give the peer's port.")
      }
      return address
    }
    let longest = Interval.seconds(86_400)
    let patience = try arguments.duration("join-timeout", in: .zero...longest) ?? .seconds(15)
    joinTimeout = patience > .zero ? patience : nil
    dataDirectory = arguments.text("data")
    identityFile = arguments.text("identity")
    demoWallet = arguments.text("demo-wallet")
    control = try arguments.address("control")
    if let name = try arguments.value("network", HostConfiguration.checkNetwork) { network = name }
    if let rules = try arguments.value("admit", { try AdmissionRule.parse($0) }) { admission = rules }
    delay = try arguments.delayModel()
    loss = try arguments.share("loss", default: 0)
    seed = try arguments.value("seed") { _ in try arguments.seed() }
    logLevel = try arguments.choice("log-level", default: .info)
    logFormat = try arguments.choice("log-format", default: .logfmt)
    let share = try arguments.integer("connections-per-host", in: 0...256, default: 0)
    connectionsPerHost = share > 0 ? share : nil
    version = StarlingCommand.version
    secure = try HostConfiguration.secure(arguments)
    if let genesis = secure?.genesis {
      guard arguments.text("network") == nil else {
        throw .usage("--network and --genesis exclude each other: the genesis names the network.")
      }
      network = genesis.networkName
    }
  }

  private static func secure(_ arguments: Arguments) throws(CommandError) -> SecureBroadcastSettings? {
    let genesis: Genesis?
    if let path = arguments.text("genesis") {
      genesis = try explaining { try SecureBroadcastSettings.readGenesis(path) }
    } else {
      genesis = nil
    }
    let broadcast = try arguments.choice(
      "broadcast", default: genesis == nil ? SecureNodeOptions.Broadcast.tree : .auto)
    if genesis != nil, broadcast == .tree || broadcast == .consistent {
      throw .usage(
        "--genesis needs a broadcast that all deliver or none: give --broadcast secure, bracha or auto.")
    }
    let options = try SecureNodeOptions(arguments, broadcast)
    guard options.isSecure else {
      guard arguments.text("members") == nil else {
        throw .usage(
          "--members goes with --broadcast secure, consistent, bracha or auto: give both or neither.")
      }
      return nil
    }
    guard let path = arguments.text("members") else {
      throw .usage(
        "--broadcast \(broadcast.rawValue) needs --members FILE: who takes part, a key and an address a line."
      )
    }
    guard arguments.text("data") != nil else {
      throw .usage(
        "--broadcast \(broadcast.rawValue) needs --data DIR: a member that forgot what it broadcast would contradict"
          + " itself when it is started again.")
    }
    let members = try explaining { try SecureBroadcastSettings.readMembers(path) }
    if let genesis, genesis.members.count != members.count {
      throw .failed(
        "The list of --members has \(members.count) members, and the genesis \(genesis.members.count): name the same in both."
      )
    }
    let chosen = try SecureNodeOptions.settings(
      arguments, broadcast, among: members.count,
      byzantine: genesis.map { Double($0.byzantine) / Double($0.members.count) } ?? 0.1)
    return SecureBroadcastSettings(
      broadcast: chosen.broadcast, members: members, epsilon: chosen.epsilon, summary: chosen.why,
      genesis: genesis)
  }

  private static func checkNetwork(_ name: String) throws -> String {
    guard (1...255).contains(name.utf8.count) else {
      throw QuantityError("\(quoted(name)) must have 1 to 255 bytes.")
    }
    return name
  }
}

extension NodeHost {
  /// What to know where the list of members tells the others another port than this node has; `nil` if it does not.
  fileprivate func placeNote(_ configuration: HostConfiguration) -> String? {
    guard let address = configuration.secure?.members.first(where: { $0.key == key })?.address else {
      return nil
    }
    let place = configuration.advertise ?? listen
    guard place.port != address.port else { return nil }
    return
      "note: The list of members says that this node is at \(address), where the others look for it, and it is at"
      + " \(place): correct the list, or --listen; --advertise names the address that a router passes on."
  }

  /// The key and addresses, for programs.
  fileprivate var description: JSONValue {
    .object([
      ("key", .string(key.description)), ("listen", .string(listen.description)),
      ("control", control.map { .string($0.description) } ?? .null), ("data", .string(dataDirectory)),
      ("broadcast", .string(secure?.broadcast.name ?? "tree")),
      ("epsilon", secure.map { .number($0.epsilon) } ?? .null),
    ])
  }

  /// The same for people.
  fileprivate var text: String {
    var lines = ["key     \(key)", "listen  \(listen)"]
    if let control {
      lines.append(
        "control \(control)"
          + (control.isLoopback ? "" : " (open to other machines, without a password: see SECURITY.md)"))
    }
    if let secure { lines.append("epsilon \(EpsilonAnswer.text(secure.epsilon)) (\(secure.broadcast.name))") }
    return (lines + ["data    \(dataDirectory)"]).joined(separator: "\n")
  }
}
