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

  /// The drawing of a report: what was wrong when, and how long each file took to reach the last survivor.
  ///
  /// - Parameter last: how long that was for a file, in milliseconds; `nil` if it reached none.
  func drawing(_ last: (NetworkResult.File) -> Double?) -> FaultTimeline {
    var bands: [FaultTimeline.Band] = []
    for (i, entry) in timeline.enumerated() where entry.event == "killed" || entry.event == "stopped" {
      // Each comes back by itself: a band for every moment at which some did, and one for those that never did.
      let undoing = entry.event == "killed" ? "restarted" : "continued"
      var left = entry.nodes
      var ends: [(time: Double, count: Int)] = []
      for later in timeline[i...] where later.event == undoing {
        let back = left.filter(later.nodes.contains)
        if back.isEmpty { continue }
        ends.append((later.time.inSeconds, back.count))
        left.removeAll(where: back.contains)
      }
      if !left.isEmpty { ends.append((seconds, left.count)) }
      for end in ends {
        let until = end.time < seconds ? ", then \(undoing)" : ""
        let span = entry.time.inSeconds...max(end.time, entry.time.inSeconds)
        bands.append(
          FaultTimeline.Band("\(Quantity.count(end.count, "node")) \(entry.event)\(until)", span))
      }
    }
    let points = zip(publishedAt, files).compactMap { published, file in
      last(file).map { Curve.Sample(x: published, y: $0 / 1_000) }
    }
    let track = FaultTimeline.Track("seconds until the last survivor has the file", .dots, points: points)
    var drawing = FaultTimeline(span: 0...max(seconds, 1), bands: bands, tracks: [track])
    drawing.noun = "file"
    return drawing
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
    return lines + sentences
  }

  /// What restarted nodes caught up with, and what the survivors have open.
  var sentences: [String] {
    var lines: [String] = []
    if restarted.expected > 0 {
      lines.append(
        "\(caughtUp.nodes) of \(caughtUp.of) restarted nodes have caught up; together they hold \(restarted.held) of"
          + " \(Quantity.count(restarted.expected, "file")).")
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
