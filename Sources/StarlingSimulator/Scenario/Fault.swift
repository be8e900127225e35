import StarlingCore

/// Something that goes wrong in a scenario: what, for which part of the network, and from when till when.
public struct Fault: Hashable, Sendable {
  /// What goes wrong.
  public enum Kind: Hashable, Sendable {
    /// The share of the peers crashes at the start, for good.
    case crash
    /// The share of the peers crashes at the start and runs again at the end, with what its disk kept or with
    /// nothing.
    case restart(keepsDisk: Bool)
    /// This share of the peers leaves every minute, half of them in good order and half by crashing, and as many
    /// new ones join, each through a random live peer; all spread evenly.
    case churn
    /// The share of the peers and all others cannot reach each other.
    case partition
    /// What the share of the peers sends to all others is lost.
    case oneWay
    /// What the share of the peers sends takes longer by this.
    case slow(Interval)
    /// The share of the messages comes twice.
    case duplicate
    /// Every peer is for this share of the time in a burst, in which all that is sent to it is lost.
    case bursts(meanLength: Interval)
    /// The clocks of the share of the peers gain this share of the time, 0 ... 1, from the start on for ever.
    case fastClocks(gain: Double)
  }

  /// What goes wrong.
  public var kind: Kind
  /// How much of it, 0 ... 1; see ``Kind``.
  public var share: Double
  /// When it begins, after the first message; `nil` for as soon as the overlay has settled.
  public var start: Interval?
  /// When it ends, after the first message; `nil` for never.
  public var end: Interval?

  /// - Parameters:
  ///   - kind: what goes wrong.
  ///   - share: how much of it, 0 ... 1.
  ///   - start: when it begins, after the first message; `nil` for as soon as the overlay has settled.
  ///   - end: when it ends, after the first message; `nil` for never.
  public init(_ kind: Kind, share: Double, from start: Interval? = nil, to end: Interval? = nil) {
    self.kind = kind
    self.share = share
    self.start = start
    self.end = end
  }
}

extension Fault.Kind {
  /// The name on the command line and in reports.
  public var name: String {
    switch self {
    case .crash: "crash"
    case .restart(keepsDisk: true): "restart"
    case .restart(keepsDisk: false): "restart-empty"
    case .churn: "churn"
    case .partition: "partition"
    case .oneWay: "one-way"
    case .slow: "slow"
    case .duplicate: "duplicate"
    case .bursts: "bursts"
    case .fastClocks: "fast-clocks"
    }
  }
}

/// A fault as it happened.
public struct FaultRecord: Hashable, Sendable {
  /// What was planned.
  public let fault: Fault
  /// When it began and ended, in virtual time; the end is `nil` if it lasted to the end of the run.
  public internal(set) var begin: Instant
  /// When it ended; `nil` if it lasted to the end of the run.
  public internal(set) var end: Instant?
  /// How many peers it struck; 0 for one of the network as a whole.
  public internal(set) var peers = 0
}
