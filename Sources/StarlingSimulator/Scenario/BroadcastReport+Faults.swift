import StarlingCore

extension BroadcastReport {
  /// The fields on faults, and on what the network went through.
  var faultFields: [(String, JSONValue)] {
    [
      ("hours", .number(scenario.hours.inSeconds / 3_600)),
      ("byzantine", .number(scenario.byzantine)),
      ("adversary", scenario.byzantine > 0 ? .string(scenario.adversary.rawValue) : .null),
      ("adversaries", .integer(isAdversary.count { $0 })),
      ("arcs", .integer(overlay.edgeCount)),
      ("arcs_per_node", .number(Double(overlay.edgeCount) / Double(max(viewSizes.count, 1)))),
      ("dead_entries", .integer(deadEntries)), ("live", .integer(viewSizes.count)),
      ("joined", .integer(joined)), ("departed", .integer(departed)),
      ("waiting_events", .integer(waitingEvents)),
      ("duplicate_deliveries", .integer(duplicateDeliveries)),
      ("forged_deliveries", .integer(forgedDeliveries)),
      ("missed", .integer(missed)), ("accusations", json(of: accusations)),
      ("false_accusations", json(of: falseAccusations)),
      ("shunned_adversaries", .integer(shunnedAdversaries)), ("shunned_correct", .integer(shunnedCorrect)),
      ("checked", .array(checkedPromises.map { .string($0.rawValue) })), ("held", .bool(violations.isEmpty)),
      ("refused_relays", .integer(refusedRelays)),
      ("violations", .array(violations.map { .string($0.description) })),
      ("timeline", .array(timeline.map(json(of:)))), ("series", .array(series.map(json(of:)))),
    ]
  }

  private func json(of counts: [(Misbehaviour, count: Int)]) -> JSONValue {
    .object(counts.filter { $0.count > 0 }.map { ($0.0.name, .integer($0.count)) })
  }

  /// Seconds after the first message.
  func seconds(at instant: Instant) -> Double { (instant - firstMessageAt).inSeconds }

  private func json(of record: FaultRecord) -> JSONValue {
    .object([
      ("fault", .string(record.fault.kind.name)), ("share", .number(record.fault.share)),
      ("peers", .integer(record.peers)), ("start_seconds", .number(seconds(at: record.begin))),
      ("end_seconds", .optional(record.end.map(seconds(at:)))),
    ])
  }

  private func json(of sample: NetworkSample) -> JSONValue {
    .object([
      ("seconds", .number(seconds(at: sample.at))), ("live", .integer(sample.live)),
      ("view_mean", .number(sample.meanView)), ("view_p1", .number(sample.p1View)),
      ("view_min", .number(sample.leastView)), ("arcs", .integer(sample.arcs)),
      ("dead_entries", .integer(sample.deadEntries)), ("components", .integer(sample.components)),
      ("waiting_events", .integer(sample.waitingEvents)),
    ])
  }
}
