import StarlingBroadcast
import StarlingCore
import StarlingSimulator

/// Runs secure broadcasts on simulated processes and writes the report.
func simulate(_ options: SecureOptions, output: Output) throws(CommandError) {
  var bar = Progress()
  let start = ContinuousClock().now
  let messages = options.scenario.messages
  let report = options.scenario.run { bar.report("broadcasting", $0, of: messages) }
  bar.finish()
  let cost = BroadcastReport.Cost(since: start)
  try output.write(report.json(options, cost), json: options.json, text: report.text(options, cost))
}

extension SecureReport {
  fileprivate func json(_ options: SecureOptions, _ cost: BroadcastReport.Cost) -> JSONValue {
    // What other broadcasts report, and nothing measures here: there is no overlay, and sizes are not counted.
    let absent = [
      "coverage_10s", "rmr", "rmr_first", "last_delivery_hop", "view_size", "components", "strong_components",
      "bytes_per_node",
    ].map { ($0, JSONValue.null) }
    return .object(
      [
        ("nodes", .integer(scenario.nodes)), ("messages", .integer(scenario.messages)),
        ("senders", .integer(scenario.senders)), ("payload", .integer(scenario.payload)),
        ("broadcast", .string(scenario.broadcast.name)), ("chosen", .bool(options.reason != nil)),
        ("byzantine", .number(scenario.byzantine)), ("byzantine_processes", .integer(scenario.liars)),
        ("adversary", scenario.liars > 0 ? .string(scenario.adversary.rawValue) : .null),
        ("delay", .string(scenario.delay.description)), ("seed", .unsigned(scenario.seed)),
        ("epsilon", .optional(options.answer?.epsilon)),
        ("parameters", options.answer?.parameterFields ?? .null),
        ("reliability", .optional(reliability)), ("reliability_min", .optional(reliabilityMinimum)),
        ("consistency_violations", .unsigned(consistencyViolations)),
        ("totality_violations", .integer(totalityViolations)),
        ("validity_violations", .integer(validityViolations)),
        ("delivered_instances", .integer(deliveredInstances)), ("accusations", .integer(accusations)),
        ("spam_messages", spam.map { .unsigned($0.messages) } ?? .null),
        ("spam_instances", spam.map { .unsigned($0.instances) } ?? .null),
        ("dropped", spam.map { .unsigned($0.dropped) } ?? .null),
        ("live_instances_max", spam.map { .integer($0.liveInstances) } ?? .null),
        ("live_instances_limit", spam.map { .integer($0.liveInstanceLimit) } ?? .null),
        ("latency_ms", latencies.json),
        ("latency_hops", .summary(latencyHops, fields: ["mean", "p50", "p99", "max"])),
        ("messages_per_process", .summary(messagesPerProcess, fields: ["mean", "max"])),
        ("subscriptions_per_process", .summary(subscriptionsPerProcess, fields: ["mean", "max"])),
        ("messages_per_node", .summary(messagesPerNode, fields: ["mean", "p99", "max"])),
        ("signature_checks_per_process", .number(signatureChecksPerProcess)),
        ("trace_hash", .hash(traceHash)),
        ("events", .unsigned(events)), ("simulated_seconds", .number(simulated.inSeconds)),
        ("cpu_seconds", .number(cost.cpuSeconds)), ("wall_seconds", .number(cost.wallSeconds)),
        ("events_per_cpu_second", .number(Double(events) / max(cost.cpuSeconds, 1e-9))),
        ("peak_bytes_per_node", .number(Double(cost.peakBytes) / Double(scenario.nodes))),
      ] + absent)
  }

  fileprivate func text(_ options: SecureOptions, _ cost: BroadcastReport.Cost) -> String {
    func figure(_ value: Double?, _ decimals: Int) -> String {
      value.map { Readable.decimal($0, decimals) } ?? "-"
    }
    var people = Quantity.count(scenario.nodes, "process", "processes")
    if scenario.liars > 0 {
      people += ", \(Quantity.grouped(scenario.liars)) of them Byzantine (\(scenario.adversary.rawValue))"
    }
    var lines = [
      "\(people), \(Quantity.count(scenario.messages, "broadcast")) by \(scenario.broadcast.title)"
        + ", seed \(scenario.seed)"
    ]
    if let reason = options.reason { lines.append("chosen         \(reason)") }
    if let reliability { lines.append("reliability    \(figure(reliability, 6))") }
    if let answer = options.answer, let epsilon = answer.epsilon {
      lines.append("fails          with a probability of at most \(EpsilonAnswer.text(epsilon))")
    }
    lines += [
      "violations     \(consistencyViolations) of consistency, \(totalityViolations) of totality,"
        + " \(validityViolations) of validity, in \(Quantity.count(judged, "instance"))",
      "latency        p50 \(figure(latencies.percentile(50)?.inMilliseconds, 1)) ms,"
        + " p99 \(figure(latencies.percentile(99)?.inMilliseconds, 1)) ms,"
        + " \(figure(latencyHops?.p50, 0)) hops, \(figure(latencyHops?.max, 0)) at most",
      "sent           \(figure(messagesPerProcess?.mean, 1)) messages a process and broadcast,"
        + " \(figure(messagesPerProcess?.max, 0)) at most; \(figure(subscriptionsPerProcess?.mean, 0)) subscriptions once",
      "checked        \(figure(signatureChecksPerProcess, 2)) signatures a process and broadcast",
    ]
    if reliability == nil, judged > 0 {
      lines.insert(
        "delivered      something in \(deliveredInstances) of \(Quantity.count(judged, "instance"))",
        at: lines.count - 3)
    }
    lines.append("accused        \(Quantity.count(accusations, "time"))")
    if let spam {
      lines += [
        "spam           \(Quantity.count(Int(clamping: spam.messages), "message")) that opened"
          + " \(Quantity.count(Int(clamping: spam.instances), "instance")); \(Quantity.grouped(Int(clamping: spam.dropped))) dropped",
        "memory         \(Quantity.count(spam.liveInstances, "instance")) in one process at most, of"
          + " \(Quantity.grouped(spam.liveInstanceLimit)) that may be",
      ]
    }
    lines.append(
      "\(Quantity.count(Int(clamping: events), "event")) in \(figure(cost.cpuSeconds, 1)) s of processor time"
    )
    return lines.joined(separator: "\n")
  }
}

extension SecureScenario.Broadcast {
  /// The name on the command line.
  var name: String {
    switch self {
    case .secure: "secure"
    case .consistent: "consistent"
    case .gossip: "gossip"
    case .bracha: "bracha"
    }
  }

  /// The name for people.
  var title: String {
    switch self {
    case .secure: "Ready Broadcast"
    case .consistent: "Echo Broadcast"
    case .gossip: "Erdős–Rényi Gossip"
    case .bracha: "Bracha's broadcast"
    }
  }
}
