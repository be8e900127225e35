import StarlingCore

/// Which entry a process has echoed for each (author, sequence number): it never echoes another for the same.
///
/// An author may have so many entries under way at once; what is settled is remembered by one number an author. When
/// there is no room the entry is refused, which is always safe: it only delays its author. Authors are never forgotten,
/// since what they said would be forgotten with them; so each sender has a share of its own in those of whom nothing was
/// settled yet, and one that invents authors leaves the others' shares alone.
@frozen
public struct EntryLog<Author: Hashable & Sendable, Contents: Hashable & Sendable>: Sendable {
  @usableFromInline
  struct Window: Sendable {
    /// Everything below is settled.
    @usableFromInline var floor: UInt64 = 0
    @usableFromInline var echoed: [UInt64: Contents] = [:]
    /// In whose batches it was first heard of; `nil` once something of it was settled, or when it was known from the start.
    @usableFromInline var introducer: Peer?

    @inlinable
    init(introducer: Peer? = nil) { self.introducer = introducer }
  }

  @usableFromInline var windows: [Author: Window] = [:]
  /// How many authors of whom nothing is settled yet were first heard of in each sender's batches.
  @usableFromInline var introduced: [Peer: Int] = [:]
  /// How many authors are remembered for each sender.
  @usableFromInline let authorLimit: Int
  /// How many entries of an author may be under way.
  @usableFromInline let windowLimit: Int

  /// - Parameters:
  ///   - authorLimit: how many authors of whom nothing is settled are remembered of those first heard of in one sender's
  ///     batches, 1 or more.
  ///   - windowLimit: how many entries of one author may be echoed and not settled, 1 or more.
  @inlinable
  public init(authorLimit: Int, windowLimit: Int) {
    self.authorLimit = authorLimit
    self.windowLimit = windowLimit
  }

  /// How many authors are remembered.
  public var authors: Int { windows.count }

  /// Whether the entry may be echoed: it was before, or nothing was for its author and number. It then counts as
  /// echoed.
  ///
  /// - Parameters:
  ///   - entry: the entry.
  ///   - sender: in whose batch it came.
  @inlinable
  public mutating func admits(_ entry: BatchEntry<Author, Contents>, from sender: Peer) -> Bool {
    if let known = windows.index(forKey: entry.author) {
      return windows.values[known].admit(entry, limit: windowLimit)
    }
    guard introduced[sender, default: 0] < authorLimit else { return false }
    introduced[sender, default: 0] += 1
    var window = Window(introducer: sender)
    defer { windows[entry.author] = window }
    return window.admit(entry, limit: windowLimit)
  }

  /// The positions of a batch's entries that may not be echoed, ascending. The others then count as echoed.
  @inlinable
  mutating func refusals<Auth: SecureAuthenticator>(in batch: SignedBatch<Auth>, auth: Auth) -> [UInt16]
  where Auth.Payload.Author == Author, Auth.Payload.Contents == Contents {
    var refused: [UInt16] = []
    for position in 0..<batch.payload.entryCount {
      let isAdmitted =
        auth.admits(entryAt: position, of: batch)
        && admits(batch.payload.entry(at: position), from: batch.identifier.origin)
      if !isAdmitted { refused.append(UInt16(position)) }
    }
    return refused
  }

  /// Takes an entry that an earlier life of the process echoed.
  ///
  /// - Parameters:
  ///   - entry: the entry.
  ///   - sender: in whose batch it came; `nil` if that is not known any more.
  @inlinable
  mutating func recall(_ entry: BatchEntry<Author, Contents>, from sender: Peer?) {
    if windows[entry.author] == nil, let sender { introduced[sender, default: 0] += 1 }
    windows[entry.author, default: Window(introducer: sender)].recall(entry)
  }

  /// Takes what an earlier life of the process echoed of a batch: all but what it refused (ascending).
  @inlinable
  mutating func recall<Auth: SecureAuthenticator>(_ batch: SignedBatch<Auth>, refused: [UInt16])
  where Auth.Payload.Author == Author, Auth.Payload.Contents == Contents {
    forEachPosition(of: batch, besides: refused) {
      recall(batch.payload.entry(at: $0), from: batch.identifier.origin)
    }
  }

  /// What was echoed of a batch and is not settled: of all but what was refused (ascending).
  @inlinable
  func unsettled<Auth: SecureAuthenticator>(
    in batch: SignedBatch<Auth>, besides refused: [UInt16]
  ) -> [BatchEntry<Author, Contents>]
  where Auth.Payload.Author == Author, Auth.Payload.Contents == Contents {
    var unsettled: [BatchEntry<Author, Contents>] = []
    forEachPosition(of: batch, besides: refused) { position in
      let (author, sequence) = batch.payload.name(ofEntryAt: position)
      if let contents = windows[author]?.echoed[sequence] {
        unsettled.append(BatchEntry(author: author, sequence: sequence, contents: contents))
      }
    }
    return unsettled
  }

  @inlinable
  func forEachPosition<Auth: SecureAuthenticator>(
    of batch: SignedBatch<Auth>, besides refused: [UInt16], _ body: (Int) -> Void
  ) {
    var remaining = refused[...]
    for position in 0..<batch.payload.entryCount {
      if remaining.first == UInt16(position) { remaining.removeFirst() } else { body(position) }
    }
  }

  /// Forgets what an author has echoed up to a number: entries of that number and below are refused from now on.
  @inlinable
  public mutating func settle(_ author: Author, through sequence: UInt64) {
    guard sequence < .max else { return }
    if let introducer = windows[author, default: Window()].settle(through: sequence) {
      introduced[introducer, default: 1] -= 1
    }
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

  @inlinable
  mutating func recall(_ entry: BatchEntry<Author, Contents>) {
    if entry.sequence >= floor { echoed[entry.sequence] = entry.contents }
  }

  /// - Returns: whose share of authors it leaves, if it does.
  @inlinable
  mutating func settle(through sequence: UInt64) -> Peer? {
    guard sequence >= floor else { return nil }
    floor = sequence + 1
    // Of most authors nothing is left.
    echoed = echoed.keys.allSatisfy { $0 <= sequence } ? [:] : echoed.filter { $0.key > sequence }
    defer { introducer = nil }
    return introducer
  }
}
