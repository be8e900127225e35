import StarlingApps
import StarlingBroadcast
import StarlingCore
import StarlingOverlay
import StarlingTransport

/// Everything that can be set of a node.
public struct NodeConfiguration: Sendable {
  /// Where the node's socket listens, for its own records and reports; `nil` if it is not known.
  public var listen: SocketAddress?
  /// Where to find members of the network. A node without contacts waits to be found.
  public var contacts: [SocketAddress]
  /// Where peers were that the node knew in an earlier run, the likeliest first: tried as well when it is alone.
  public var remembered: [SocketAddress] = []
  /// What ``Node/memory`` was in an earlier run; empty if there was none. What cannot be read is left out.
  public var memory: [UInt8] = []
  /// The files that were finished in earlier runs, and that need not come again.
  public var finishedFiles: [FileIdentifier] = []
  /// The transport's limits, and the network's name.
  public var transport: TransportConfiguration
  /// The process host's limits. The default closes connections to peers that are not neighbours after a
  /// minute of silence (a guess): SCAMP's walks lead to many peers that are met only once.
  public var host: ProcessHostConfiguration
  /// The membership's parameters.
  public var membership: ScampConfiguration
  /// Who may join the network: the same at every node of it.
  public var admission: any AdmissionPolicy
  /// The broadcast tree's parameters.
  public var broadcast: BroadcastTreeConfiguration
  /// The secure broadcast that takes the tree's place, if any.
  public var secure: SecureConfiguration?
  /// The bounds of file sharing.
  public var files: FileSharingConfiguration
  /// How many peers can be remembered at once.
  public var peerLimit: Int
  /// The next chunk of a file is sent when no connection has more bytes than this waiting. A guess: one
  /// chunk on its way and one behind it keep a connection busy.
  public var lowWaterBytes: Int
  /// A neighbour that acknowledges nothing for so long is not waited for. A guess: long against a round trip and
  /// a few retransmissions.
  public static let hangingNeighbourPatience = Interval.seconds(2)

  /// The defaults.
  ///
  /// - Parameters:
  ///   - network: the network's name, 0 ... 255 bytes of UTF-8; nodes of different networks do not connect.
  ///   - listen: where the node's socket listens.
  ///   - contacts: where to find members of the network.
  public init(network: String, listen: SocketAddress? = nil, contacts: [SocketAddress] = []) {
    self.listen = listen
    self.contacts = contacts
    transport = TransportConfiguration(network: Array(network.utf8))
    host = ProcessHostConfiguration()
    host.idleLimit = .seconds(60)
    membership = ScampConfiguration()
    admission = OpenPolicy()
    broadcast = BroadcastTreeConfiguration()
    files = FileSharingConfiguration()
    peerLimit = 65_536
    lowWaterBytes = 64 << 10
  }
}
