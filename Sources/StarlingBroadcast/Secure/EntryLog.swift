/// Which entry a process has echoed for each (author, sequence number): it never echoes another for the same.
///
/// An author may have so many entries under way at once; what is settled is remembered by one number an author. When
/// there is no room the entry is refused, which is always safe: it only delays its author.
@frozen
public struct EntryLog<Author: Hashable & Sendable, Contents: Hashable & Sendable>: Sendable {
  @usableFromInline
  struct Window: Sendable {
    /// Everything below is settled.
    @usableFromInline var floor: UInt64 = 0
    @usableFromInline var echoed: [UInt64: Contents] = [:]

    @inlinable
    init() {}
  }

  @usableFromInline var windows: [Author: Window] = [:]
  /// How many authors are remembered.
  @usableFromInline let authorLimit: Int
  /// How many entries of an author may be under way.
  @usableFromInline let windowLimit: Int

  /// - Parameters:
  ///   - authorLimit: how many authors are remembered, 1 or more.
  ///   - windowLimit: how many entries of one author may be echoed and not settled, 1 or more.
  @inlinable
  public init(authorLimit: Int, windowLimit: Int) {
    self.authorLimit = authorLimit
    self.windowLimit = windowLimit
  }

  /// Whether the entry may be echoed: it was before, or nothing was for its author and number. It then counts as
  /// echoed.
  @inlinable
  public mutating func admits(_ entry: BatchEntry<Author, Contents>) -> Bool {
    guard windows[entry.author] != nil || windows.count < authorLimit else { return false }
    return windows[entry.author, default: Window()].admit(entry, limit: windowLimit)
  }

  /// Forgets what an author has echoed up to a number: entries of that number and below are refused from now on.
  @inlinable
  public mutating func settle(_ author: Author, through sequence: UInt64) {
    guard var window = windows[author], sequence < .max, sequence + 1 > window.floor else { return }
    window.floor = sequence + 1
    window.echoed = window.echoed.filter { $0.key > sequence }
    windows[author] = window
  }
}

extension EntryLog.Window {
  @inlinable
  mutating func admit(_ entry: BatchEntry<Author, Contents>, limit: Int) -> Bool {
    if entry.sequence < floor { return false }
    if let contents = echoed[entry.sequence] { return contents == entry.contents }
    guard echoed.count < limit else { return false }
    echoed[entry.sequence] = entry.contents
    return true
  }
}
