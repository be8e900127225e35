/// A first-in, first-out list of events in an ``EventPool``.
@frozen @usableFromInline
struct EventList {
  @usableFromInline var first: UInt32 = .max
  @usableFromInline var last: UInt32 = .max
  @usableFromInline var count = 0

  @inlinable
  init() {}
}

/// Storage for many lists of events, in chunks of 15, so that a list costs little however short it is and is
/// read in the order of memory however long.
@usableFromInline
struct EventPool: ~Copyable {
  /// 248 bytes: 15 events, how many are there, and the next chunk.
  @frozen @usableFromInline
  struct Chunk {
    @usableFromInline var events: InlineArray<15, Event>
    @usableFromInline var count: UInt32
    @usableFromInline var next: UInt32

    @inlinable
    init() {
      events = InlineArray(repeating: Event(time: 0, target: 0, slot: 0))
      count = 0
      next = .max
    }
  }

  /// Chunks are allocated in blocks that never move: doubling one array would hold it three times over.
  @usableFromInline var blocks: [UnsafeMutablePointer<Chunk>] = []
  @usableFromInline var used: UInt32 = 0
  @usableFromInline var free: UInt32 = .max

  /// 65 MB of address space a block, of which only what is used takes memory: a block must be large enough for
  /// every allocator to give it back to the system when it is freed.
  @inlinable
  static var blockBits: UInt32 { 18 }

  @inlinable
  init() {}

  @inlinable
  deinit { for block in blocks { block.deallocate() } }

  @inlinable
  func chunk(_ index: UInt32) -> UnsafeMutablePointer<Chunk> {
    blocks[Int(index >> EventPool.blockBits)] + Int(index & (1 << EventPool.blockBits - 1))
  }

  @inlinable
  mutating func append(_ event: Event, to list: inout EventList) {
    if list.last == .max {
      list.first = newChunk()
      list.last = list.first
    }
    var chunk = chunk(list.last)
    if chunk.pointee.count == 15 {
      let next = newChunk()
      chunk.pointee.next = next
      list.last = next
      chunk = self.chunk(next)
    }
    chunk.pointee.events[Int(chunk.pointee.count)] = event
    chunk.pointee.count += 1
    list.count += 1
  }

  @usableFromInline
  mutating func newChunk() -> UInt32 {
    let index: UInt32
    if free != .max {
      index = free
      free = chunk(index).pointee.next
    } else {
      if used & (1 << EventPool.blockBits - 1) == 0 {
        blocks.append(.allocate(capacity: 1 << Int(EventPool.blockBits)))
      }
      index = used
      used += 1
    }
    chunk(index).initialize(to: Chunk())
    return index
  }

  @inlinable
  func forEach(_ list: EventList, _ body: (Event) -> Void) {
    var index = list.first
    while index != .max {
      let chunk = chunk(index)
      for i in 0..<Int(chunk.pointee.count) { body(chunk.pointee.events[i]) }
      index = chunk.pointee.next
    }
  }

  /// Gives each event of a list to `body`, which may append it elsewhere, and takes the list apart.
  @inlinable
  mutating func drain(_ list: EventList, _ body: (Event, inout EventPool) -> Void) {
    var index = list.first
    while index != .max {
      let chunk = chunk(index)
      for i in 0..<Int(chunk.pointee.count) { body(chunk.pointee.events[i], &self) }
      let next = chunk.pointee.next
      chunk.pointee.next = free
      free = index
      index = next
    }
  }
}
