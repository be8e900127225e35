import StarlingCore
import StarlingNode

extension NodeEvent {
  /// The event as the log tells it.
  var logEntry: LogEntry {
    let text = description
    let message = text.prefix(1).uppercased() + text.dropFirst() + "."
    let (level, event, fields) = logFields
    return LogEntry(level, event, message, fields)
  }

  private var logFields: (LogLevel, String, [(name: String, value: String)]) {
    switch self {
    case .joined: (.info, "joined", [])
    case .isolated: (.warning, "isolated", [])
    case .contactUnreachable(let address, let reason, let wait):
      (
        .warning, "contact_unreachable",
        [
          ("address", address.description), ("reason", reason),
          ("retry_in_ms", "\(Int(wait.inMilliseconds))"),
        ]
      )
    case .joinRefused(let key): (.warning, "join_refused", [("peer", key.short)])
    case .turnedAway(let key, let refusal):
      (
        .warning, "turned_away",
        [("peer", key.short)] + (refusal.map { [("reason", $0.description)] } ?? [])
      )
    case .neighbourUp(let key): (.info, "neighbour_up", [("peer", key.short)])
    case .neighbourDown(let key): (.info, "neighbour_down", [("peer", key.short)])
    case .violation(let key, let fault): (.warning, "violation", [("peer", key.short), ("fault", fault)])
    case .shunned(let key, let what, let interval):
      (
        .warning, "shunned",
        [("peer", key.short), ("fault", what.name), ("for_ms", "\(Int(interval.inMilliseconds))")]
      )
    case .missed(let key, let number):
      (.warning, "missed", [("origin", key.short), ("sequence", "\(number)")])
    case .spokenFor(let number): (.error, "spoken_for", [("sequence", "\(number)")])
    case .queueFull(let key): (.warning, "queue_full", [("peer", key.short)])
    case .peerTableFull: (.error, "peer_table_full", [])
    case .tooManyTimers: (.error, "too_many_timers", [])
    case .published(let file): (.info, "published", [("file", file.description)])
    case .publishedAlone(let file): (.warning, "published_alone", [("file", file.description)])
    case .publicationFailed(let file): (.error, "publication_failed", [("file", file.description)])
    case .fileAbandoned(let file): (.warning, "file_abandoned", [("file", file.description)])
    case .fileCrowdedOut(let file): (.warning, "file_crowded_out", [("file", file.description)])
    }
  }
}

extension PublicKey {
  /// The first 16 digits: enough to tell peers apart, and short enough to be read.
  var short: String { String(description.prefix(16)) }
}
