/// Storage for values that are addressed by a 32-bit slot and live until released: the one place that may
/// hold values which cannot be copied, and that hands out slots without allocating in the steady state.
public struct Slab<Element: ~Copyable>: ~Copyable {
  @usableFromInline var storage: UnsafeMutablePointer<Element>
  @usableFromInline var capacity: Int
  /// Slots below this have been in use at some time.
  @usableFromInline var used: Int
  /// Released slots, the next to be used last.
  @usableFromInline var free: [UInt32]

  /// An empty slab.
  @inlinable
  public init() {
    capacity = 16
    storage = .allocate(capacity: 16)
    used = 0
    free = []
  }

  /// Stores a value.
  ///
  /// - Returns: its slot.
  @inlinable
  public mutating func insert(_ element: consuming Element) -> UInt32 {
    if let slot = free.popLast() {
      (storage + Int(slot)).initialize(to: element)
      return slot
    }
    if used == capacity { grow() }
    (storage + used).initialize(to: element)
    used += 1
    return UInt32(used - 1)
  }

  /// The value in a slot that is in use.
  @inlinable
  public subscript(slot: UInt32) -> Element {
    _read {
      precondition(slot < used, "slot \(slot) of a slab that has used \(used)")
      yield storage[Int(slot)]
    }
    _modify {
      precondition(slot < used, "slot \(slot) of a slab that has used \(used)")
      yield &storage[Int(slot)]
    }
  }

  /// Where a slot lies, to have it fetched ahead of its use.
  @inlinable
  public func address(of slot: UInt32) -> UnsafeRawPointer { UnsafeRawPointer(storage + Int(slot)) }

  /// Takes the value out of a slot, which may then be given out again.
  @inlinable @discardableResult
  public mutating func remove(_ slot: UInt32) -> Element {
    precondition(slot < used, "slot \(slot) of a slab that has used \(used)")
    free.append(slot)
    return (storage + Int(slot)).move()
  }

  /// How many slots are in use.
  @inlinable
  public var count: Int { used - free.count }

  @usableFromInline
  mutating func grow() {
    let larger = UnsafeMutablePointer<Element>.allocate(capacity: capacity * 2)
    larger.moveInitialize(from: storage, count: used)
    storage.deallocate()
    storage = larger
    capacity *= 2
  }

  @inlinable
  deinit {
    var isFree = [Bool](repeating: false, count: used)
    for slot in free { isFree[Int(slot)] = true }
    for slot in 0..<used where !isFree[slot] { (storage + slot).deinitialize(count: 1) }
    storage.deallocate()
  }
}
