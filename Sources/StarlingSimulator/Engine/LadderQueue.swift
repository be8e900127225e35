import StarlingCore

/// A priority queue of events in constant amortised time: the ladder queue of Tang, Goh and Thng ("Ladder
/// queue: an O(1) priority queue structure for large-scale discrete event simulation", ACM TOMACS 15(3),
/// 2005), which adapts the bucket width of a calendar queue by itself.
///
/// Events far ahead wait unsorted at the *top*. When the rest is used up the top is spread over the buckets
/// of a *rung*; a bucket that is still too full is spread over a finer rung; one that is not is sorted into
/// the *bottom*, from which events are taken. Events of one instant come out in the order they went in.
@usableFromInline
struct LadderQueue: ~Copyable {
  /// A row of buckets that divide a stretch of time evenly.
  @usableFromInline
  struct Rung {
    @usableFromInline let start: UInt64
    @usableFromInline let width: UInt64
    /// The first bucket that was not emptied yet.
    @usableFromInline var current: Int
    /// Events before this instant no longer belong here.
    @usableFromInline var currentStart: UInt64
    @usableFromInline var buckets: [EventList]

    @inlinable
    init(start: UInt64, width: UInt64, count: Int) {
      self.start = start
      self.width = width
      current = 0
      currentStart = start
      buckets = [EventList](repeating: EventList(), count: count)
    }

    /// Goes on to the next bucket.
    @inlinable
    mutating func advance() {
      current += 1
      let (next, overflow) = currentStart.addingReportingOverflow(width)
      currentStart = overflow ? .max : next
    }
  }

  @usableFromInline var pool = EventPool()
  @usableFromInline var bottom: [Event] = []
  @usableFromInline var head = 0
  /// From the coarsest to the finest.
  @usableFromInline var rungs: [Rung] = []
  @usableFromInline var top = EventList()
  @usableFromInline var topStart: UInt64 = 0
  @usableFromInline var topEarliest: UInt64 = .max
  @usableFromInline var topLatest: UInt64 = 0
  @usableFromInline var counts: [Int] = []

  /// How many events are waiting.
  @usableFromInline var count = 0

  /// The bucket size that a new rung aims at. Measured: 32 to 128 are alike.
  @inlinable
  static var bucketTarget: Int { 64 }
  /// A bucket of at most this many events is sorted rather than spread.
  @inlinable
  static var sortLimit: Int { 512 }

  @inlinable
  init() {}

  @inlinable
  mutating func push(_ event: Event) {
    count += 1
    if event.time >= topStart {
      topEarliest = min(topEarliest, event.time)
      topLatest = max(topLatest, event.time)
      pool.append(event, to: &top)
      return
    }
    var i = 0
    while i < rungs.count {
      if event.time >= rungs[i].currentStart, rungs[i].current < rungs[i].buckets.count {
        let bucket = Int((event.time - rungs[i].start) / rungs[i].width)
        pool.append(event, to: &rungs[i].buckets[bucket])
        return
      }
      i += 1
    }
    insertIntoBottom(event)
  }

  /// The instant of the next event; `nil` if none waits.
  @inlinable
  mutating func nextTime() -> UInt64? {
    if head == bottom.count && !refill() { return nil }
    return bottom[head].time
  }

  /// An event that comes so many after the next; `nil` if that is not known without work.
  @inlinable
  func upcoming(_ distance: Int) -> Event? {
    head + distance < bottom.count ? bottom[head + distance] : nil
  }

  /// Takes the next event out.
  @inlinable
  mutating func pop() -> Event? {
    if head == bottom.count && !refill() { return nil }
    let event = bottom[head]
    head += 1
    count -= 1
    return event
  }

  /// Sorted insertion behind all events of the same instant. The shorter side makes room: in front of the head
  /// there are the places of the events that were taken.
  @usableFromInline
  mutating func insertIntoBottom(_ event: Event) {
    let start = head
    let count = bottom.count
    let position = bottom.withUnsafeMutableBufferPointer { bottom in
      var low = start
      var high = count
      while low < high {
        let middle = (low + high) / 2
        if bottom[middle].time <= event.time { low = middle + 1 } else { high = middle }
      }
      return low
    }
    if start > 0, position - start < count - position {
      head = start - 1
      bottom.withUnsafeMutableBufferPointer { bottom in
        guard let base = bottom.baseAddress else { return }
        (base + start - 1).update(from: base + start, count: position - start)
        base[position - 1] = event
      }
    } else {
      bottom.append(event)
      bottom.withUnsafeMutableBufferPointer { bottom in
        guard let base = bottom.baseAddress else { return }
        (base + position + 1).update(from: base + position, count: count - position)
        base[position] = event
      }
    }
    if bottom.count - head > 2 * LadderQueue.sortLimit { spreadBottom() }
  }

  /// Turns an overfull bottom into a rung: a sparse stretch of time was sorted, and then a burst fell into
  /// it. Insertion would cost a move of half the burst each.
  private mutating func spreadBottom() {
    let start = bottom[head].time
    let end = rungs.last?.currentStart ?? topStart
    let latest = bottom[bottom.count - 1].time
    guard end > start, latest > start else { return }
    var events = EventList()
    for i in head..<bottom.count { pool.append(bottom[i], to: &events) }
    bottom.removeAll(keepingCapacity: true)
    head = 0
    // At the far end of time `end` is no bound.
    spread(events, start: start, span: max(end - 1, latest) - start)
  }

  /// Fills the empty bottom with the next events; false if there are none.
  @usableFromInline
  mutating func refill() -> Bool {
    bottom.removeAll(keepingCapacity: true)
    head = 0
    while true {
      if rungs.isEmpty {
        if top.count == 0 { return false }
        spreadTop()
      }
      let last = rungs.count - 1
      while rungs[last].current < rungs[last].buckets.count,
        rungs[last].buckets[rungs[last].current].count == 0
      {
        rungs[last].advance()
      }
      if rungs[last].current == rungs[last].buckets.count {
        rungs.removeLast()
        continue
      }
      let start = rungs[last].currentStart
      let span = rungs[last].width - 1
      let bucket = rungs[last].buckets[rungs[last].current]
      rungs[last].buckets[rungs[last].current] = EventList()
      rungs[last].advance()
      if bucket.count <= LadderQueue.sortLimit || span == 0 {
        sortIntoBottom(bucket, start: start, span: span)
        return true
      }
      spread(bucket, start: start, span: span)
    }
  }

  private mutating func spreadTop() {
    let span = topLatest - topEarliest
    let events = top
    let start = topEarliest
    top = EventList()
    topEarliest = .max
    topLatest = 0
    spread(events, start: start, span: span)
    // At the far end of time the sum could pass 2^64; then nothing is later than this rung.
    let last = rungs[rungs.count - 1]
    let (length, isBeyond) = last.width.multipliedReportingOverflow(by: UInt64(last.buckets.count))
    let (end, overflow) = start.addingReportingOverflow(length)
    topStart = isBeyond || overflow ? .max : end
  }

  /// How wide cells must be for so many to cover a stretch of time, which ends `span` after it starts.
  private static func cellWidth(span: UInt64, cells: UInt64) -> UInt64 {
    let (width, overflow) = (span / cells).addingReportingOverflow(1)
    return overflow ? .max : width
  }

  /// Spreads the events of a stretch of time over a new, finer rung.
  private mutating func spread(_ events: EventList, start: UInt64, span: UInt64) {
    let wanted = UInt64(min(max(events.count / LadderQueue.bucketTarget, 1), 1 << 18))
    let bucketWidth = LadderQueue.cellWidth(span: span, cells: wanted)
    let count = Int(span / bucketWidth) + 1
    var rung = Rung(start: start, width: bucketWidth, count: count)
    pool.drain(events) { event, pool in
      pool.append(event, to: &rung.buckets[Int((event.time - start) / bucketWidth)])
    }
    rungs.append(rung)
  }

  /// Sorts by counting into as many slots as there are events, then by insertion: linear when times are
  /// spread, and stable.
  private mutating func sortIntoBottom(_ events: EventList, start: UInt64, span: UInt64) {
    let n = events.count
    if span == 0 || n == 1 {
      pool.drain(events) { event, _ in bottom.append(event) }
      return
    }
    counts.removeAll(keepingCapacity: true)
    counts.append(contentsOf: repeatElement(0, count: n + 1))
    bottom.append(contentsOf: repeatElement(Event(time: 0, target: 0, slot: 0), count: n))
    let slotWidth = LadderQueue.cellWidth(span: span, cells: UInt64(n))
    // Out of `self` for as long as the pool, which is in it too, is read beside them.
    var (slots, sorted) = ([Int](), [Event]())
    swap(&counts, &slots)
    swap(&bottom, &sorted)
    slots.withUnsafeMutableBufferPointer { counts in
      pool.forEach(events) { counts[Int(($0.time - start) / slotWidth) + 1] += 1 }
      for i in 1...n { counts[i] += counts[i - 1] }
      sorted.withUnsafeMutableBufferPointer { bottom in
        pool.drain(events) { event, _ in
          let slot = Int((event.time - start) / slotWidth)
          bottom[counts[slot]] = event
          counts[slot] += 1
        }
        for i in 1..<n {
          let event = bottom[i]
          var j = i
          while j > 0, bottom[j - 1].time > event.time {
            bottom[j] = bottom[j - 1]
            j -= 1
          }
          bottom[j] = event
        }
      }
    }
    swap(&counts, &slots)
    swap(&bottom, &sorted)
  }
}
