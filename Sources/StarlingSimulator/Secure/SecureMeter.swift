import StarlingBroadcast
import StarlingCore

/// What correct processes delivered, instance by instance, and how many messages each sent.
struct SecureMeter<Observed: Process>: SimulationObserver
where Observed.Indication == SecureIndication<IdealSecureAuthenticator> {
  struct Instance {
    /// How many correct processes delivered each batch.
    var deliverers: [UInt32: Int] = [:]
    var broadcastAt: Instant
  }

  private(set) var instances: [MessageIdentifier: Instance] = [:]
  private(set) var messages: [UInt32]
  /// How many each had sent before the first broadcast.
  private(set) var subscriptions: [UInt32] = []
  private(set) var latencies = LatencyHistogram()
  private(set) var hops: [UInt16] = []
  private(set) var accusations = 0

  init(processes: Int) { messages = [UInt32](repeating: 0, count: processes) }

  mutating func began(_ instance: MessageIdentifier, at now: Instant) {
    instances[instance] = Instance(broadcastAt: now)
  }

  /// Ends an instance.
  ///
  /// - Returns: how many correct processes delivered each of its batches.
  mutating func conclude(_ instance: MessageIdentifier) -> [UInt32: Int] {
    instances.removeValue(forKey: instance)?.deliverers ?? [:]
  }

  /// What was sent so far were subscriptions, which are sent once and not for each broadcast.
  mutating func forgetMessages() {
    subscriptions = messages
    messages = [UInt32](repeating: 0, count: messages.count)
  }

  mutating func sent(_ message: Observed.Message, from sender: Peer, to receiver: Peer, at now: Instant) {
    messages[Int(sender.index)] += 1
  }

  mutating func indicated(
    _ indication: SecureIndication<IdealSecureAuthenticator>, by peer: Peer, at now: Instant
  ) {
    switch indication {
    case .misbehaved: accusations += 1
    case .logged: break
    case .delivered(let batch, _):
      guard let instance = instances[batch.identifier] else { return }
      instances[batch.identifier]?.deliverers[batch.payload.number, default: 0] += 1
      latencies.record(now - instance.broadcastAt)
      hops.append(batch.hops)
    }
  }
}
