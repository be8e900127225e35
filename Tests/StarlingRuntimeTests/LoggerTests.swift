import StarlingCore
import StarlingNode
import Synchronization
import Testing

@testable import StarlingRuntime

@Suite("The log")
struct LoggerTests {
  private final class Lines {
    var all: [String] = []
  }

  private let lines = Lines()

  private func logger(_ level: LogLevel = .info, _ format: LogFormat = .logfmt) -> Logger {
    Logger(level: level, format: format) { [lines] in lines.all.append($0) }
  }

  @Test("an event is one line of key=value pairs, or one JSON object")
  func formats() {
    let entry = LogEntry(
      .warning, "queue_full", "It is full.", [("peer", "ab12"), ("note", "a \"b\"=c"), ("bytes", .number(7))])
    #expect(
      entry.line(.logfmt, at: 1_763_717_400_125)
        == #"time=2025-11-21T09:30:00.125Z level=warning event=queue_full msg="It is full." peer=ab12 "#
        + #"note="a \"b\"=c" bytes=7"#)
    #expect(
      entry.line(.json, at: 951_782_400_000, suppressed: 3)
        == #"{"time":"2000-02-29T00:00:00.000Z","level":"warning","event":"queue_full","msg":"It is full.","#
        + #""peer":"ab12","note":"a \"b\"=c","bytes":7,"suppressed":3}"#)
  }

  @Test("events of a node name peers by the first 16 digits of their keys, and never by all of them")
  func shortKeys() throws {
    let key = try #require(PublicKey((0..<32).map { UInt8($0) }))
    let events: [NodeEvent] = [
      .joinRefused(by: key), .turnedAway(key, because: .notListed), .neighbourUp(key), .neighbourDown(key),
      .violation(key, "x"), .shunned(key, for: .subscriptionFlood, lasting: .seconds(1)), .missed(key, 3),
      .queueFull(key),
    ]
    for event in events {
      let line = event.logEntry.line(.json, at: 0)
      #expect(line.contains("0001020304050607") && !line.contains("08090a"), "\(line)")
    }
    #expect(events[5].logEntry.line(.json, at: 0).contains("\"for_ms\":1000"))
    #expect(events[6].logEntry.line(.json, at: 0).contains("\"sequence\":3"))
  }

  @Test("nothing in an event commands a terminal, ends the line, or turns the text around")
  func escaping() {
    let entry = LogEntry(.info, "x", "m", [("name", "a\nlevel=error\u{1B}[2J\u{202E}gpj.exe\\")])
    for format in LogFormat.allCases {
      let line = entry.line(format, at: 0)
      let commands = line.unicodeScalars.filter(\.isDisplayControl)
      #expect(commands.isEmpty, "\(line)")
    }
    #expect(entry.line(.logfmt, at: 0).hasSuffix(#"name="a\u{a}level=error\u{1b}[2J\u{202e}gpj.exe\\""#))
  }

  @Test("what is less urgent than the level is not told")
  func levels() {
    var logger = logger(.warning)
    for level in LogLevel.allCases { logger.log(LogEntry(level, level.rawValue, "m"), at: .zero) }
    #expect(lines.all.count == 2 && lines.all[1].contains("level=warning"))
  }

  @Test("each kind of event is limited by itself; what was left out is counted and told")
  func limits() {
    var logger = logger()
    for _ in 0..<1_000 { logger.log(LogEntry(.info, "flood", "m"), at: .zero) }
    #expect(lines.all.count == Int(Logger.burst))
    logger.log(LogEntry(.info, "other", "m"), at: .zero)
    #expect(lines.all.last?.contains("event=other") == true)
    logger.log(LogEntry(.info, "flood", "m"), at: .zero + .seconds(4))
    #expect(lines.all.last?.hasSuffix("suppressed=980") == true, "\(lines.all.last ?? "")")
    for _ in 0..<10 { logger.log(LogEntry(.info, "flood", "m"), at: .zero + .seconds(4)) }
    logger.tellSuppressed()
    #expect(lines.all.last?.contains("event=flood") == true)
    #expect(lines.all.last?.hasSuffix("suppressed=9") == true, "\(lines.all.last ?? "")")
    let count = lines.all.count
    logger.tellSuppressed()
    #expect(lines.all.count == count)
  }
}
