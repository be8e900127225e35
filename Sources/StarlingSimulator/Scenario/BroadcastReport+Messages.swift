import StarlingCore

extension BroadcastReport {
  /// What became of one message.
  struct JudgedMessage {
    /// When it left; `nil` if it never did.
    let sentAt: Instant?
    let sender: Peer?
    /// The share of judged peers that delivered it, ever and within ten seconds; `nil` if it never left.
    let reliability: (ever: Double, soon: Double)?
    let redundancy: Double?
    let lastHop: Int
    let deliveries: Int
    let catchUps: Int
    /// Without those that were catching up.
    let meanDelay: Interval?
    /// Without those that were catching up.
    let longestDelay: Interval?

    /// - Parameters:
    ///   - record: what was seen of it.
    ///   - members: for each peer, whether it counts: it was correct and a member from the sending to the end.
    init(record: MessageRecord, members: [Bool]) {
      (sentAt, sender) = (record.sentAt, record.sender)
      reliability = record.reliability(among: members)
      (redundancy, lastHop) = (record.redundancy, record.lastHop)
      (deliveries, catchUps) = (record.deliveries, record.catchUps)
      (meanDelay, longestDelay) = (record.meanDelay, record.longestDelay)
    }
  }

  /// How many messages a report tells of one by one; of more it tells of as many, spread evenly. Some 250 bytes each.
  static var listedMessages: Int { 1_000 }

  /// The numbers of the messages that the report tells of one by one, ascending; the first is among them.
  var listedNumbers: [Int] {
    let count = min(judged.count, BroadcastReport.listedMessages)
    return (0..<count).map { $0 * judged.count / count }
  }

  /// Each message, or an even selection of many.
  var perMessage: JSONValue {
    .array(
      listedNumbers.map { number in
        let message = judged[number]
        return .object([
          ("message", .integer(number)), ("sender", message.sender.map { .integer(Int($0.index)) } ?? .null),
          ("sent_seconds", .optional(message.sentAt.map(seconds(at:)))),
          ("reliability", .optional(message.reliability?.ever)), ("rmr", .optional(message.redundancy)),
          ("deliveries", .integer(message.deliveries)), ("catch_up_deliveries", .integer(message.catchUps)),
          ("latency_mean_ms", .optional(message.meanDelay?.inMilliseconds)),
          ("latency_max_ms", .optional(message.longestDelay?.inMilliseconds)),
          ("last_hop", message.reliability == nil ? .null : .integer(message.lastHop)),
        ])
      })
  }
}
