import StarlingCore
import StarlingOverlay

/// What a user may set of a node. Every setting has a default.
public struct HostConfiguration: Sendable {
  /// Where the UDP socket listens; port 0 takes any free port.
  public var listen: SocketAddress
  /// Where others are told to find the node, if that differs: behind a router, or when it listens on all of
  /// the machine's addresses.
  public var advertise: SocketAddress?
  /// Members of the network through which to join it. Without any the node waits to be found.
  public var contacts: [SocketAddress] = []
  /// How long to wait for the first neighbour, if there are contacts, before the host gives up; it tries for
  /// ever if `nil`.
  public var joinTimeout: Interval?
  /// The directory for files, the identity and what else the node remembers; a temporary one, gone with the
  /// node, if `nil`.
  public var dataDirectory: String?
  /// Where the control interface listens, port 0 taking any free port; there is none if `nil`.
  public var control: SocketAddress?
  /// The file with the node's identity; if `nil`, `identity.key` in the data directory, made when it is missing,
  /// or without a data directory a new identity, never written.
  public var identityFile: String?
  /// How long every outgoing datagram is held back, to try the node under a network that is slower.
  public var delay: DelayModel?
  /// The probability that an outgoing datagram is lost, 0 ... 1, likewise.
  public var loss = 0.0
  /// The network's name, at most 255 bytes; nodes of different networks do not connect.
  public var network = "starling"
  /// Who may join: all rules must let a peer in, and everybody may if there are none. The same at every node.
  public var admission: [AdmissionRule] = []
  /// The secure broadcast that the node takes part in; it broadcasts by its tree if `nil`.
  public var secure: SecureBroadcastSettings?
  /// The directory of a wallet whose keys the node gives to whoever asks, for demonstration; none if `nil`.
  public var demoWallet: String?
  /// What the delays and losses follow from; the system's entropy if `nil`.
  public var seed: UInt64?
  /// The least urgent events that are logged.
  public var logLevel = LogLevel.info
  /// How the log is written.
  public var logFormat = LogFormat.logfmt
  /// How many connections that one host opened may be up; as many as there is room for if `nil`.
  public var connectionsPerHost: Int?
  /// The program's version, for the status.
  public var version = ""
  /// Whether SIGINT and SIGTERM end ``NodeHost/run()``; a second one ends the process; and whether SIGHUP
  /// has it read the lists of keys again. For one node of a process only.
  public var handlesSignals = true
  /// A descriptor that other processes hold open as long as they want the node to live: when it can be read
  /// or its other end is closed, the node stops. By default the number in STARLING_LIFELINE, through which
  /// `starling up` makes sure that its nodes never outlive it.
  public var lifeline: Int32?

  /// The defaults, listening on any free port of the loopback interface.
  public init() {
    listen = HostConfiguration.loopback
    lifeline = HostConfiguration.lifelineOfEnvironment()
  }

  /// 127.0.0.1 with any free port.
  public static var loopback: SocketAddress {
    guard let address = SocketAddress(host: [127, 0, 0, 1], port: 0) else {
      preconditionFailure("four bytes are an address")
    }
    return address
  }
}
