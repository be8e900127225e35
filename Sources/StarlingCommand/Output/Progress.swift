/// How far something is, on standard error: a bar that is redrawn on a terminal, a line now and then
/// elsewhere.
struct Progress {
  private let isOnTerminal: Bool
  private let clock = ContinuousClock()
  private var last: (instant: ContinuousClock.Instant, stage: String, counts: String)?
  private var isLineOpen = false

  /// - Parameter isOnTerminal: whether lines can be redrawn.
  init(isOnTerminal: Bool = Messages.areOnTerminal) { self.isOnTerminal = isOnTerminal }

  /// Says that `done` of `total` are done in a stage of the work. Calls that come too fast to be read are
  /// left out, except the first and the last of each stage.
  ///
  /// - Parameters:
  ///   - stage: what is being done.
  ///   - done: how much of it is done.
  ///   - total: how much there is to do.
  ///   - counts: both in words; `3 of 7` if `nil`.
  ///   - isOver: whether this is the last word on the stage; when all is done if `nil`.
  mutating func report(
    _ stage: String, _ done: Int, of total: Int, counts: String? = nil, isOver: Bool? = nil
  ) {
    let isLast = isOver ?? (done >= total)
    let now = clock.now
    let pause: Duration = isOnTerminal ? .milliseconds(100) : .seconds(2)
    // The end is told at once, but only once.
    let counts = counts ?? "\(done) of \(total)"
    let isNew = last?.counts != counts
    if let last, last.stage == stage, now - last.instant < pause, !isLast || !isNew { return }
    guard isNew || isOnTerminal || last?.stage != stage else { return }
    if let last, last.stage != stage { finish() }
    last = (now, stage, counts)
    let share = total > 0 ? min(1, max(0, Double(done) / Double(total))) : 1
    guard isOnTerminal else { return Messages.write(line: "\(stage): \(counts)") }
    // A line that is broken cannot be redrawn, so the bar gives way.
    let width = max(5, min(30, 79 - stage.count - counts.count - 4))
    let filled = Int(share * Double(width))
    let bar = String(repeating: "#", count: filled) + String(repeating: ".", count: width - filled)
    Messages.write("\r\u{1B}[K\(stage) [\(bar)] \(counts)")
    isLineOpen = true
  }

  /// Ends the bar's line, so that other text can follow.
  mutating func finish() {
    if isLineOpen { Messages.write("\n") }
    isLineOpen = false
  }
}
