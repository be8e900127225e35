import StarlingCore

/// How much an operator wants to know of an event.
public enum LogLevel: String, CaseIterable, Comparable, Sendable {
  /// Something does not work, and somebody has to do something.
  case error
  /// Something does not work now, and the node goes on without it.
  case warning
  /// What happens in daily life.
  case info
  /// What helps to find out why.
  case debug

  /// The more urgent is the smaller.
  public static func < (a: LogLevel, b: LogLevel) -> Bool { a.rank < b.rank }

  private var rank: Int { LogLevel.allCases.firstIndex(of: self) ?? 0 }
}

/// How a line of the log is written.
public enum LogFormat: String, CaseIterable, Sendable {
  /// `key=value` pairs, with quotation marks where a value has spaces.
  case logfmt
  /// A JSON object.
  case json
}

/// What is known of an event under one name.
public enum LogValue: Hashable, Sendable, ExpressibleByStringLiteral {
  /// Words. Whatever is in them is escaped when the line is written.
  case text(String)
  /// A count, a size in bytes, or a time in the unit that its name says: a number in JSON too.
  case number(UInt64)

  /// Words that are written in the program.
  public init(stringLiteral text: String) { self = .text(text) }

  /// A length of time in whole milliseconds, 0 if it is negative.
  static func milliseconds(_ interval: Interval) -> LogValue {
    .number(UInt64(max(0, interval.nanoseconds / 1_000_000)))
  }
}

/// One event, as a line of the log tells it. It never holds a secret: nothing that is logged is made from one.
public struct LogEntry: Sendable {
  /// How urgent it is.
  public let level: LogLevel
  /// What kind of event it is, in snake case: what a machine looks for, and what is limited in its rate.
  public let event: String
  /// One sentence for people.
  public let message: String
  /// What else is known, in order; the names are in snake case.
  public let fields: [(name: String, value: LogValue)]

  /// An event.
  public init(
    _ level: LogLevel, _ event: String, _ message: String, _ fields: [(name: String, value: LogValue)] = []
  ) {
    self.level = level
    self.event = event
    self.message = message
    self.fields = fields
  }

  /// The line, without its end: one line whatever the texts hold.
  ///
  /// - Parameters:
  ///   - format: how it is written.
  ///   - milliseconds: the wall clock's time, in milliseconds since 1970.
  ///   - suppressed: how many events of this kind were left out since the last one that was told.
  public func line(_ format: LogFormat, at milliseconds: UInt64, suppressed: UInt64 = 0) -> String {
    var pairs: [(String, LogValue)] = [
      ("time", .text(WallClock.text(milliseconds: milliseconds))), ("level", .text(level.rawValue)),
      ("event", .text(event)), ("msg", .text(message)),
    ]
    pairs += fields.map { ($0.name, $0.value) }
    if suppressed > 0 { pairs.append(("suppressed", .number(suppressed))) }
    switch format {
    case .logfmt: return pairs.map { "\($0.0)=\(LogEntry.word($0.1))" }.joined(separator: " ")
    case .json: return JSONValue.object(pairs.map { ($0.0, LogEntry.json($0.1)) }).text(indented: false)
    }
  }

  private static func word(_ value: LogValue) -> String {
    switch value {
    case .text(let text): quoted(text)
    case .number(let number): String(number)
    }
  }

  private static func json(_ value: LogValue) -> JSONValue {
    switch value {
    case .text(let text): .string(escaped(text))
    case .number(let number): .unsigned(number)
    }
  }

  /// A value of logfmt: as it is if it is a plain word, otherwise in quotation marks.
  private static func quoted(_ value: String) -> String {
    let text = escaped(value)
    let isPlain = text.utf8.allSatisfy { $0 > 0x20 && $0 != UInt8(ascii: "\"") && $0 != UInt8(ascii: "=") }
    guard !isPlain || text.isEmpty else { return text }
    var quoted = "\""
    for character in text.unicodeScalars {
      if character == "\"" { quoted.append("\\") }
      quoted.unicodeScalars.append(character)
    }
    return quoted + "\""
  }

  /// A text without anything that commands a terminal: such scalars are written as `\u{202e}`, and a
  /// backslash twice, so that nothing looks like what it is not.
  private static func escaped(_ text: String) -> String {
    guard text.unicodeScalars.contains(where: { $0.isDisplayControl || $0 == "\\" }) else { return text }
    var escaped = ""
    for scalar in text.unicodeScalars {
      if scalar == "\\" {
        escaped += "\\\\"
      } else if scalar.isDisplayControl {
        escaped += "\\u{\(String(scalar.value, radix: 16))}"
      } else {
        escaped.unicodeScalars.append(scalar)
      }
    }
    return escaped
  }
}
