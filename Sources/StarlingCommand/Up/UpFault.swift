import StarlingCore

/// Something bad that `starling up` does to its nodes, at a time counted from the first file.
struct UpFault: Equatable {
  /// What is done.
  enum Kind: Equatable {
    /// `kill -9`.
    case kill
    /// Those that were killed are started again, with what they had on the disk.
    case restart
    /// SIGSTOP, and SIGCONT at a later time.
    case stop(until: Interval)
  }

  let kind: Kind
  /// How many nodes it befalls.
  let count: Int
  let time: Interval

  /// Understands `10@5s`, what `--kill` and `--restart` take.
  static func point(_ kind: Kind) -> (String) throws -> UpFault {
    { text in
      let (count, time) = try parts(of: text, example: "10@5s")
      return UpFault(kind: kind, count: count, time: try Quantity.duration(time))
    }
  }

  /// Understands `3@8s..38s`, what `--stop` takes.
  static func span(_ text: String) throws -> UpFault {
    let (count, times) = try parts(of: text, example: "3@8s..38s")
    guard let dots = times.firstRange(of: ".."), dots.lowerBound > times.startIndex else {
      throw QuantityError("\(quoted(text)) does not say until when; write it like 3@8s..38s.")
    }
    let start = try Quantity.duration(String(times[..<dots.lowerBound]))
    let end = try Quantity.duration(String(times[dots.upperBound...]))
    guard start < end else { throw QuantityError("\(quoted(text)) ends before it begins.") }
    return UpFault(kind: .stop(until: end), count: count, time: start)
  }

  private static func parts(of text: String, example: String) throws -> (Int, String) {
    guard let at = text.firstIndex(of: "@"), let count = Int(text[..<at]),
      (1...UpOptions.nodesLimit).contains(count)
    else {
      throw QuantityError("\(quoted(text)) must say how many nodes, and when: write it like \(example).")
    }
    return (count, String(text[text.index(after: at)...]))
  }
}

extension Arguments {
  /// All faults, in the order of their times.
  func faults() throws(CommandError) -> [UpFault] {
    let all =
      try all("kill", UpFault.point(.kill)) + all("restart", UpFault.point(.restart))
      + all("stop", UpFault.span)
    return all.sorted { $0.time < $1.time }
  }
}
