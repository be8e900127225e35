import StarlingCore
import StarlingSimulator

extension FileStream.Outcome {
  /// What `--json` prints of the faults.
  var json: JSONValue {
    .object([
      (
        "timeline",
        .array(
          timeline.map { entry in
            .object([
              ("time_ms", .number(entry.time.inMilliseconds.rounded())), ("event", .string(entry.event)),
              ("nodes", .array(entry.nodes.map { .integer($0) })),
            ])
          })
      ),
      ("survivors", .integer(survivors.count)),
      ("restarted", .integer(caughtUp.of)), ("restarted_caught_up", .integer(caughtUp.nodes)),
      ("restarted_files_held", .integer(restarted.held)),
      ("restarted_files_expected", .integer(restarted.expected)),
      ("usage_before", usageBefore?.json ?? .null), ("usage_after", usageAfter?.json ?? .null),
    ])
  }

  /// The drawing of a report: what was wrong when, and how long each file took to reach the last node.
  var drawing: FaultTimeline {
    var bands: [FaultTimeline.Band] = []
    for (i, entry) in timeline.enumerated() where entry.event != "continued" {
      let resumed = timeline[i...].first { $0.event == "continued" && $0.nodes == entry.nodes }
      let end = entry.event == "stopped" ? resumed?.time.inSeconds ?? seconds : seconds
      let span = entry.time.inSeconds...max(end, entry.time.inSeconds)
      bands.append(FaultTimeline.Band("\(entry.event) \(entry.nodes.count)", span))
    }
    let points = zip(publishedAt, files).compactMap { published, file in
      file.received.max().map { Curve.Sample(x: published, y: $0 / 1_000) }
    }
    let track = FaultTimeline.Track("until the last node has it, in s", .dots, points: points)
    return FaultTimeline(span: 0...max(seconds, 1), bands: bands, tracks: [track])
  }

  /// The time-line of a report as a table.
  var table: ReportTable {
    ReportTable(
      "What happened to the nodes", columns: ["after the first file", "event", "nodes"],
      rows: timeline.map { entry in
        [
          Readable.decimal(entry.time.inSeconds, 1) + " s", entry.event,
          entry.nodes.map(String.init).joined(separator: ", "),
        ]
      })
  }

  /// The same for people.
  var lines: [String] {
    var lines = [""]
    for entry in timeline {
      lines.append(
        "  \(Readable.decimal(entry.time.inSeconds, 1)) s  \(entry.event) \(FaultInjector.list(entry.nodes))")
    }
    if restarted.expected > 0 {
      lines.append(
        "\(caughtUp.nodes) of \(caughtUp.of) restarted nodes have caught up; together they hold \(restarted.held) of"
          + " \(restarted.expected) files.")
    }
    if let before = usageBefore, let after = usageAfter {
      lines.append(
        "Each survivor had \(Readable.decimal(before.descriptors.mean, 1)) open files and"
          + " \(Readable.size(Int(before.memory.mean))) before, and \(Readable.decimal(after.descriptors.mean, 1))"
          + " and \(Readable.size(Int(after.memory.mean))) after.")
    }
    return lines
  }
}
