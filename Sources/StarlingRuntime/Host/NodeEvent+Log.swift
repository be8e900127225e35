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

  private var logFields: (LogLevel, String, [(name: String, value: LogValue)]) {
    switch self {
    case .joined: (.info, "joined", [])
    case .isolated: (.warning, "isolated", [])
    case .contactUnreachable(let address, let reason, let wait):
      (
        .warning, "contact_unreachable",
        [
          ("address", .text(address.description)), ("reason", .text(reason)),
          ("retry_in_ms", .milliseconds(wait)),
        ]
      )
    case .joinRefused(let key): (.warning, "join_refused", [("peer", .text(key.short))])
    case .turnedAway(let key, let refusal):
      (
        .warning, "turned_away",
        [("peer", .text(key.short))] + (refusal.map { [("reason", .text($0.description))] } ?? [])
      )
    case .neighbourUp(let key): (.info, "neighbour_up", [("peer", .text(key.short))])
    case .neighbourDown(let key): (.info, "neighbour_down", [("peer", .text(key.short))])
    case .violation(let key, let fault):
      (.warning, "violation", [("peer", .text(key.short)), ("fault", .text(fault))])
    case .shunned(let key, let what, let interval):
      (
        .warning, "shunned",
        [("peer", .text(key.short)), ("fault", .text(what.name)), ("for_ms", .milliseconds(interval))]
      )
    case .missed(let key, let number):
      (.warning, "missed", [("origin", .text(key.short)), ("sequence", .number(number))])
    case .missedBroadcasts(let key, let first, let next):
      (
        .warning, "missed",
        [("origin", .text(key.short)), ("sequence", .number(first)), ("count", .number(next - first))]
      )
    case .unnumbered: (.info, "unnumbered", [])
    case .forgotten(let first): (.warning, "forgotten", [("next", .number(first))])
    case .spokenFor(let number): (.error, "spoken_for", [("sequence", .number(number))])
    case .queueFull(let key): (.warning, "queue_full", [("peer", .text(key.short))])
    case .peerTableFull: (.error, "peer_table_full", [])
    case .tooManyTimers: (.error, "too_many_timers", [])
    case .published(let file): (.info, "published", [("file", .text(file.description))])
    case .publishedAlone(let file): (.warning, "published_alone", [("file", .text(file.description))])
    case .publicationFailed(let file): (.error, "publication_failed", [("file", .text(file.description))])
    case .fileAbandoned(let file): (.warning, "file_abandoned", [("file", .text(file.description))])
    case .fileCrowdedOut(let file): (.warning, "file_crowded_out", [("file", .text(file.description))])
    }
  }
}
