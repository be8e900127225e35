import StarlingCore

/// The bounds and waits of a process host. All of them are guesses.
public struct ProcessHostConfiguration: Sendable {
  /// The UDP port that this host listens at, as it tells the peers to which it opens a connection; `nil` if
  /// it sends from the port that it listens at, as a node with one socket does.
  public var listenPort: UInt16?
  /// After so long without a message a connection is closed, unless its peer is retained; see
  /// ``ProcessHost/retain(_:)``. `nil` keeps every connection until the transport ends it: right for a
  /// process that takes the end of a connection for the end of its peer.
  public var idleLimit: Interval?
  /// A connection that another one to the same peer has replaced is closed after so long without a message.
  public var redundantLimit: Interval = .seconds(5)
  /// How long the older of two connections to one peer may take to show that it works (a guess: some round trips).
  public var proofPatience: Interval = .seconds(2)
  /// For so long nothing is sent to a peer to which a connection has failed, so that a process that tries
  /// again at once cannot keep the node busy.
  public var avoidance: Interval = .seconds(1)
  /// How many connections may be on their way at once to addresses that are hearsay: in all, and to one host.
  /// What else is to be sent waits for them, or is dropped and counted. A network on one machine has but one host,
  /// where a handshake takes a millisecond.
  public var hearsayOpenings = 32
  /// See ``hearsayOpenings``.
  public var hearsayOpeningsPerHost = 8
  /// How many opening datagrams go to an address that is hearsay, before its peer is taken for lost. They are a
  /// second apart, and the last has two seconds to be answered.
  public var hearsayDatagrams = 2
  /// For so long nothing is sent to a peer that was not to be found at an address that is hearsay, or that does not
  /// admit this end's key; unless it comes by itself.
  public var longAvoidance: Interval = .seconds(30)
  /// How many timers can be set.
  public var timerLimit = 65_536

  /// The defaults.
  public init() {}
}

/// What a process host needs to know of a process beyond the contract.
public struct ProcessHooks<P: Process>: Sendable {
  /// Sorts messages for the counters: 0 ..< ``ProcessHostCounters/classCount``. Out of that range counts as
  /// the last class.
  public var trafficClass: @Sendable (P.Message) -> Int = { _ in 0 }
  /// Calls the function that it is given with every peer that the process remembers, so that the handles of
  /// the others can be freed. `nil` if the process cannot tell: then no handle is ever freed, and peers
  /// beyond the table's capacity are refused.
  public var forEachPeer: (@Sendable (P, (Peer) -> Void) -> Void)?
  /// The request with which the process is told that a peer sent what cannot be read, if it keeps budgets for its
  /// peers. `nil` if it does not: then the first such message closes the connection.
  public var blame: (@Sendable (Peer) -> P.Request)?
  /// The request with which the process is told that what was on its way to or from a peer may be lost though there is a
  /// link: a queue was full, or the peer has come back as a new process. `nil` if it need not be told.
  public var doubt: (@Sendable (Peer) -> P.Request)?

  /// Whether a peer may be connected at all; others are turned away when their key is known. `nil`: everybody may.
  public var admits: (@Sendable (P, Peer) -> Bool)?

  /// Whether what the process sends to itself comes back to it; it is dropped otherwise.
  public var isHeardByItself: @Sendable (P.Message) -> Bool = { _ in false }

  /// All messages in one class, and no handle is ever freed, and what cannot be read closes a connection.
  public init() {}
}
