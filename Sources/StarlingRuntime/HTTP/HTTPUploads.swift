/// The uploads that are arriving: so many at once. When one more comes, the slowest gives way if it is slower than any
/// program of the same machine: whoever drips sixteen of them must not keep others out.
struct HTTPUploads {
  /// The most uploads at once: with the event streams and the connections without a request they leave room for
  /// the questions, which are answered at once.
  static let limit = 16
  /// Bytes a second that no upload must reach while nobody else is waiting. A guess.
  static let leastRate = 64.0 * 1_024
  /// How long an upload may be slow. A guess.
  static let patience = Duration.seconds(2)

  private struct Entry {
    let key: ObjectIdentifier
    let descriptor: Int32
    let begunAt: ContinuousClock.Instant
    var bytes = 0
  }

  private var entries: [Entry] = []

  var count: Int { entries.count }

  /// Takes an upload in, if there is room or one that gives way.
  ///
  /// - Parameters:
  ///   - key: what stands for it.
  ///   - descriptor: its connection's.
  ///   - now: the time.
  /// - Returns: whether it was taken in, and the connection that is to be closed for it.
  mutating func add(
    _ key: ObjectIdentifier, descriptor: Int32, at now: ContinuousClock.Instant
  ) -> (isTaken: Bool, displaced: Int32?) {
    var displaced: Int32?
    if entries.count >= HTTPUploads.limit {
      let rates = entries.map { entry -> Double in
        let age = now - entry.begunAt
        return age < HTTPUploads.patience ? .infinity : Double(entry.bytes) / (age / .seconds(1))
      }
      guard let slowest = rates.indices.min(by: { rates[$0] < rates[$1] }),
        rates[slowest] < HTTPUploads.leastRate
      else { return (false, nil) }
      displaced = entries.remove(at: slowest).descriptor
    }
    entries.append(Entry(key: key, descriptor: descriptor, begunAt: now))
    return (true, displaced)
  }

  /// Some of it has come.
  mutating func received(_ bytes: Int, of key: ObjectIdentifier) {
    if let i = entries.firstIndex(where: { $0.key == key }) { entries[i].bytes += bytes }
  }

  /// It is over, one way or the other.
  mutating func remove(_ key: ObjectIdentifier) { entries.removeAll { $0.key == key } }
}
