import StarlingBroadcast
import StarlingCore

/// Secure broadcasts among a known membership, of which some are Byzantine.
public struct SecureScenario: Sendable {
  /// Which broadcast runs.
  public enum Broadcast: Hashable, Sendable {
    /// Ready Broadcast: probabilistic secure broadcast.
    case secure(SecureBroadcastParameters)
    /// Echo Broadcast: consistency without totality. R, R̂, D and D̂ are not looked at.
    case consistent(SecureBroadcastParameters)
    /// Erdős–Rényi Gossip alone, with an expected sample of so many: totality, and no defence against two batches.
    case gossip(Int)
    /// Bracha's reliable broadcast.
    case bracha
  }

  /// N, 2 or more.
  public var nodes = 1_000
  /// f: the share of Byzantine processes, below 1; for Bracha's below a third.
  public var byzantine = 0.0
  /// What they do.
  public var adversary = SecureConduct.mute
  /// The broadcast.
  public var broadcast = Broadcast.bracha
  /// How many batches are broadcast, by correct senders, or by Byzantine ones where the adversary makes the batches.
  public var messages = 100
  /// How many senders take turns.
  public var senders = 1
  /// The size of a batch in bytes.
  public var payload = 1_024
  /// How long messages take.
  public var delay = DelayModel.gaussian(mean: .milliseconds(50), deviation: .milliseconds(10))
  /// The time between two broadcasts of correct senders.
  public var interval = Interval.seconds(1)
  /// How long after a broadcast, or after the end of an attack, it is judged.
  public var drain = Interval.seconds(10)
  /// How many messages each Byzantine process sends a second where they spam.
  public var spamRate = 100
  /// Decides every random choice.
  public var seed: UInt64 = 1

  /// The defaults.
  public init() {}

  /// For how many liars Bracha's thresholds are computed; `nil` for as many as there are. Fewer show what happens when
  /// there are more than was believed.
  public var liarsBelieved: Int?

  /// How many processes are Byzantine.
  public var liars: Int { EpsilonCalculator(nodes: nodes, byzantine: byzantine).byzantine }

  /// Runs it.
  ///
  /// - Parameter progress: called after each broadcast with how many are judged.
  public func run(progress: (Int) -> Void = { _ in }) -> SecureReport {
    let oracle = NumberedMembership(population: nodes)
    switch broadcast {
    case .secure(let parameters):
      return run(committing: parameters.echoShare, progress: progress) {
        ReadyBroadcast(
          identity: $0, auth: IdealSecureAuthenticator(owner: $0), oracle: oracle, parameters: parameters,
          entries: $1)
      }
    case .consistent(let parameters):
      return run(committing: parameters.echoShare, progress: progress) {
        EchoBroadcast(
          identity: $0, auth: IdealSecureAuthenticator(owner: $0), oracle: oracle, parameters: parameters,
          entries: $1)
      }
    case .gossip(let expectedSample):
      return run(committing: 0, progress: progress) { peer, _ in
        GossipAlone(
          identity: peer, auth: IdealSecureAuthenticator(owner: peer), oracle: oracle,
          expectedSample: expectedSample)
      }
    case .bracha:
      let everybody = MultisetSample(all: oracle)
      let believed = liarsBelieved ?? liars
      return run(committing: (1 + Double(believed) / Double(nodes)) / 2, progress: progress) {
        BrachaBroadcast(
          identity: $0, auth: IdealSecureAuthenticator(owner: $0), members: everybody, byzantine: believed,
          entries: $1)
      }
    }
  }

  private func run<Inner: AttackedBroadcast>(
    committing: Double, progress: (Int) -> Void, make: (Peer, EntryLog<UInt32, UInt32>) -> Inner
  ) -> SecureReport {
    if adversary == .spam, liars > 0 {
      // A batch of a correct sender has one entry, of an author that nobody heard of before.
      let entries = EntryLog<UInt32, UInt32>(authorLimit: max(64, messages), windowLimit: 1)
      var run = SpamRun<Inner>(self) { make($0, entries) }
      return run.report(progress: progress)
    }
    // Batches without entries: none is ever refused.
    let entries = EntryLog<UInt32, UInt32>(authorLimit: 1, windowLimit: 1)
    var run = SecureRun<Inner>(self, committing: committing) { make($0, entries) }
    return run.report(progress: progress)
  }
}

extension SecureBroadcastParameters {
  /// Ê/E: the share of echoes by which a process commits.
  var echoShare: Double { Double(echoThreshold) / Double(echo) }
}
