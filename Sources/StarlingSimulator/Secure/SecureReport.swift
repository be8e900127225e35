import StarlingBroadcast
import StarlingCore

/// What became of the broadcasts of a ``SecureScenario``.
public struct SecureReport: Sendable {
  /// What was run.
  public let scenario: SecureScenario
  /// How many instances were judged.
  public private(set) var judged = 0
  /// Pairs of correct processes that delivered differently for one (sender, sequence number), over all instances.
  public private(set) var consistencyViolations: UInt64 = 0
  /// Instances that some correct processes delivered and others did not.
  public private(set) var totalityViolations = 0
  /// Batches of correct senders that some correct process did not deliver.
  public private(set) var validityViolations = 0
  /// Instances that broke consistency.
  public private(set) var inconsistentInstances = 0
  /// Instances of which some batch was delivered.
  public private(set) var deliveredInstances = 0
  /// The shares of the correct processes that delivered each batch of a correct sender.
  public private(set) var shares: [Double] = []
  /// From a broadcast, or the beginning of an attack, to each delivery.
  public internal(set) var latencies = LatencyHistogram()
  /// The longest chain of messages that led to each delivery.
  public internal(set) var latencyHops: Distribution?
  /// Messages of each correct process in the whole run, subscriptions not counted ...
  public internal(set) var messagesPerNode: Distribution?
  /// ... and for a broadcast ...
  public internal(set) var messagesPerProcess: Distribution?
  /// ... and of subscriptions, which are sent once.
  public internal(set) var subscriptionsPerProcess: Distribution?
  /// Signatures that a correct process checked for a broadcast, on average.
  public internal(set) var signatureChecksPerProcess = 0.0
  /// How often a correct process found that another had done what no correct process does.
  public internal(set) var accusations = 0
  /// What spam came to; `nil` without any.
  public internal(set) var spam: Spam?
  /// A hash over every event, in order.
  public internal(set) var traceHash: UInt64 = 0
  /// Deliveries and timers.
  public internal(set) var events: UInt64 = 0
  /// The simulated time.
  public internal(set) var simulated = Interval.zero

  init(scenario: SecureScenario) { self.scenario = scenario }

  /// The share of correct processes that delivered a correct sender's batch, on average; `nil` without such a sender.
  public var reliability: Double? {
    shares.isEmpty ? nil : shares.reduce(0, +) / Double(shares.count)
  }

  /// What Byzantine processes sent to fill others' memory, and what came of it.
  public struct Spam: Sendable {
    /// Messages of theirs.
    public internal(set) var messages: UInt64 = 0
    /// How many different instances they signed something for.
    public internal(set) var instances: UInt64 = 0
    /// Messages that correct processes dropped because their instances were over or too far ahead.
    public internal(set) var dropped: UInt64 = 0
    /// The most instances that took memory in one correct process at the end of a second.
    public internal(set) var liveInstances = 0
    /// The most that may: a window, and what is kept, of each process.
    public internal(set) var liveInstanceLimit = 0
  }

  /// The least of these shares.
  public var reliabilityMinimum: Double? { shares.min() }

  /// Takes in how many correct processes delivered each batch of an instance.
  mutating func judge(_ deliverers: [UInt32: Int], correct: Int, isOfCorrectSender: Bool) {
    judged += 1
    let counts = deliverers.values.sorted()
    let all = counts.reduce(0, +)
    deliveredInstances += all > 0 ? 1 : 0
    // Pairs of different batches: all pairs less those of one batch.
    let pairs = (UInt64(all) * UInt64(all) - counts.reduce(0) { $0 + UInt64($1) * UInt64($1) }) / 2
    consistencyViolations += pairs
    inconsistentInstances += pairs > 0 ? 1 : 0
    totalityViolations += all > 0 && all < correct ? 1 : 0
    guard isOfCorrectSender else { return }
    validityViolations += all < correct ? 1 : 0
    shares.append(Double(all) / Double(correct))
  }
}
