import StarlingCore

extension BroadcastReport {
  /// The faults over time, with what they did to messages and views; `nil` without faults.
  public var faultTimeline: FaultTimeline? {
    let begins = timeline.map(\.begin) + (mischief.map { [$0.begin] } ?? [])
    guard let begin = series.first?.at ?? begins.min(), !begins.isEmpty else { return nil }
    let start = min(seconds(at: begin), 0)
    let end = max(seconds(at: .zero + simulated), start + 1)
    var bands = timeline.map { record in
      let from = seconds(at: record.begin)
      let share = NumberText.percent(record.fault.share)
      let rate = record.fault.kind == .churn ? " a minute" : ""
      return FaultTimeline.Band(
        "\(record.fault.kind.name) \(share)\(rate)", from...max(from, record.end.map(seconds(at:)) ?? end))
    }
    if let mischief {
      let from = max(seconds(at: mischief.begin), start)
      let adversaries = Quantity.count(isAdversary.count { $0 }, "adversary", "adversaries")
      bands.append(
        FaultTimeline.Band(
          "\(scenario.adversary.rawValue): \(adversaries)", from...max(from, seconds(at: mischief.end)),
          isMischief: true))
    }
    let sent = judged.compactMap { message in
      message.sentAt.flatMap { at in message.reliability.map { (seconds(at: at), $0, message.meanDelay) } }
    }
    let samples = series.map { (seconds(at: $0.at), $0) }
    return FaultTimeline(
      span: start...end, bands: bands,
      tracks: [
        .init(
          "delivered in the end, share of peers", .dots, scale: .percent,
          points: sent.map { .init(x: $0.0, y: $0.1.ever) }),
        .init(
          "mean time to delivery, s, without catch-up", .dots,
          points: sent.compactMap { at, _, delay in delay.map { .init(x: at, y: $0.inSeconds) } }),
        .init("mean partial view", .line, points: samples.map { .init(x: $0.0, y: $0.1.meanView) }),
        .init(
          "entries of views that name the dead", .line,
          points: samples.map { .init(x: $0.0, y: Double($0.1.deadEntries)) }),
        .init("components", .line, points: samples.map { .init(x: $0.0, y: Double($0.1.components)) }),
      ])
  }
}
