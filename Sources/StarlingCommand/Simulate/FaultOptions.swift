import StarlingCore
import StarlingSimulator

/// The options of `starling simulate` that say what goes wrong. Each may be given more than once.
enum FaultOptions {
  static let options: [Option] = [
    Option(
      "churn", "SHARE/min[@FROM..TO]",
      "so many peers leave every minute, half of them by crashing, and as many join", repeats: true),
    Option("hours", "H", "simulated hours of churn between settling and the first message (default 0)"),
    Option(
      "partition", "SHARE@FROM..TO", "a share of the peers is cut off from the others: 50%@10s..10min",
      repeats: true),
    Option(
      "one-way", "SHARE@FROM..TO", "what a share of the peers sends to the others is lost: 20%@10s..60s",
      repeats: true),
    Option(
      "restart", "SHARE@FROM..TO", "a share of the peers crashes at FROM and comes back at TO with its disk",
      repeats: true),
    Option("restart-empty", "SHARE@FROM..TO", "the same without a disk", repeats: true),
    Option(
      "slow", "SHARE:TIME[@FROM..TO]", "what a share of the peers sends takes longer: 10%:3s", repeats: true),
    Option("duplicate", "SHARE[@FROM..TO]", "of the messages come twice", repeats: true),
    Option(
      "bursts", "SHARE:TIME[@FROM..TO]",
      "every peer loses what is sent to it for a share of the time, in bursts of this mean length: 2%:5s",
      repeats: true),
    Option(
      "fast-clocks", "SHARE:GAIN[@FROM]", "a share of the peers has clocks that gain this much: 10%:20%",
      repeats: true),
    Option("byzantine", "SHARE", "a share of the peers are adversaries (default 0); senders never are"),
    Option("adversary", "NAME", "what those do: \(conducts); to secure broadcasts \(attacks)"),
  ]

  /// All conducts in words.
  private static let conducts = inWords(
    Conduct.allCases.map { $0 == .mute ? "mute (default)" : $0.rawValue })
  /// All that may be done to secure broadcasts.
  static let attacks = inWords(SecureConduct.allCases.map { $0 == .mute ? "mute (default)" : $0.rawValue })

  static func inWords(_ names: [String]) -> String {
    names.dropLast().joined(separator: ", ") + " or " + (names.last ?? "")
  }

  /// What the options ask for, in the order of ``options``.
  static func faults(_ arguments: Arguments) throws(CommandError) -> [Fault] {
    var faults: [Fault] = []
    faults += try arguments.all("churn", churn)
    faults += try arguments.all("partition") { try Spell($0, needs: .span).fault(.partition) }
    faults += try arguments.all("one-way") { try Spell($0, needs: .span).fault(.oneWay) }
    faults += try arguments.all("restart") { try Spell($0, needs: .span).fault(.restart(keepsDisk: true)) }
    faults += try arguments.all("restart-empty") {
      try Spell($0, needs: .span).fault(.restart(keepsDisk: false))
    }
    faults += try arguments.all("slow") { text in
      let spell = try Spell(text, needs: .parameter)
      return spell.fault(.slow(try limited(spell.parameter)))
    }
    faults += try arguments.all("duplicate") { try Spell($0).fault(.duplicate) }
    faults += try arguments.all("bursts", bursts)
    faults += try arguments.all("fast-clocks") { text in
      let spell = try Spell(text, needs: .parameter)
      guard spell.end == nil else {
        throw QuantityError("\(quoted(text)): fast clocks stay fast; leave out what follows the two dots.")
      }
      return spell.fault(.fastClocks(gain: try Quantity.share(spell.parameter)))
    }
    return faults
  }

  private static func churn(_ text: String) throws -> Fault {
    let parts = text.split(separator: "/min", maxSplits: 1, omittingEmptySubsequences: false)
    guard parts.count == 2, parts[1].isEmpty || parts[1].hasPrefix("@") else {
      throw QuantityError("\(quoted(text)) is not a churn; write it like 1%/min.")
    }
    return try Spell(String(parts[0] + parts[1])).fault(.churn)
  }

  private static func bursts(_ text: String) throws -> Fault {
    let spell = try Spell(text, needs: .parameter)
    let length = try limited(spell.parameter)
    guard length > .zero, spell.share < 1 else {
      throw QuantityError("\(quoted(text)) is not bursts of loss; write a share below 1 and a length: 2%:5s.")
    }
    return spell.fault(.bursts(meanLength: length))
  }

  private static func limited(_ text: String) throws -> Interval {
    let duration = try Quantity.duration(text)
    guard duration <= .seconds(3_600) else {
      throw QuantityError("\(quoted(text)) is out of range; it may be up to 1h.")
    }
    return duration
  }
}

/// `SHARE[:PARAMETER][@FROM[..TO]]`, the form that all faults have.
private struct Spell {
  enum Need { case span, parameter }

  let share: Double
  let parameter: String
  let start: Interval?
  let end: Interval?

  init(_ text: String, needs need: Need? = nil) throws {
    let parts = text.split(separator: "@", omittingEmptySubsequences: false).map(String.init)
    let amount = parts[0].split(separator: ":", omittingEmptySubsequences: false).map(String.init)
    let example = need == .span ? "20%@10s..60s" : need == .parameter ? "10%:3s@10s..60s" : "5%@10s..60s"
    guard parts.count <= 2, amount.count == (need == .parameter ? 2 : 1), need != .span || parts.count == 2
    else { throw QuantityError("\(quoted(text)) cannot be understood; write it like \(example).") }
    share = try Quantity.share(amount[0])
    parameter = amount.count == 2 ? amount[1] : ""
    guard parts.count == 2 else {
      (start, end) = (nil, nil)
      return
    }
    let ends = parts[1].split(separator: "..", maxSplits: 1, omittingEmptySubsequences: false).map(
      String.init)
    guard ends.count == 2 || need != .span else {
      throw QuantityError("\(quoted(text)) needs a beginning and an end; write it like \(example).")
    }
    let begin = try Spell.instant(ends[0])
    start = begin
    end = ends.count == 2 ? try Spell.instant(ends[1]) : nil
    if let end, end <= begin {
      throw QuantityError("\(quoted(text)) ends before it begins; write it like \(example).")
    }
  }

  private static func instant(_ text: String) throws -> Interval {
    let duration = try Quantity.duration(text)
    guard duration <= .seconds(366 * 24 * 3_600) else {
      throw QuantityError("\(quoted(text)) is out of range; it may be up to a year.")
    }
    return duration
  }

  func fault(_ kind: Fault.Kind) -> Fault { Fault(kind, share: share, from: start, to: end) }
}
