import Glibc
import StarlingSharedMemory
import Synchronization

/// Many histories of one subject. Some run at the same time: the threads of one often wait for each other, and meet more
/// often when a processor has others to run.
final class Tally: Sendable {
  private struct Sums {
    var completed = 0
    var overlapping = 0
    var stopped = 0
    var histories = 0
  }

  private static let workers = 16

  private let subject: HistoryTrial.Subject
  private let histories: Int
  private let seed: UInt64
  private let next = Atomic(0)
  private let sums = Mutex(Sums())

  init(_ subject: HistoryTrial.Subject, histories: Int, seed: UInt64) {
    self.subject = subject
    self.histories = histories
    self.seed = seed
  }

  /// The sums as a row of a table.
  var row: String {
    sums.withLock {
      "| \(subject.rawValue) | \($0.histories) | 2 to 8 | \($0.completed) | \($0.overlapping) | \($0.stopped) |"
    }
  }

  /// Runs all histories, and ends the program at the first that is not linearizable.
  func run() {
    var threads: [pthread_t] = []
    for _ in 0..<Tally.workers {
      var thread = pthread_t()
      let result = pthread_create(
        &thread, nil,
        { context in
          guard let context else { return nil }
          Unmanaged<Tally>.fromOpaque(context).takeUnretainedValue().work()
          return nil
        }, Unmanaged.passUnretained(self).toOpaque())
      precondition(result == 0, "no thread could be started: error \(result)")
      threads.append(thread)
    }
    for thread in threads { pthread_join(thread, nil) }
  }

  private func work() {
    while true {
      let number = next.add(1, ordering: .relaxed).oldValue
      guard number < histories else { return }
      let trial = HistoryTrial(subject, number: number, seed: seed)
      add(trial.run(), of: trial, number)
    }
  }

  private func add(_ result: HistoryTrial.Result, of trial: HistoryTrial, _ number: Int) {
    sums.withLock { sums in
      if let violation = result.violation {
        say("\(subject.rawValue), history \(number) of seed \(seed), \(trial.threads) threads:\n\(violation)")
        exit(1)
      }
      sums.completed += result.completed
      sums.overlapping += result.overlapping
      sums.stopped += result.stopped
      sums.histories += 1
      if sums.histories.isMultiple(of: max(1, histories / 10)) {
        say(
          "\(subject.rawValue): \(sums.histories) of \(histories) histories are linearizable",
          to: STDERR_FILENO)
      }
    }
  }
}
