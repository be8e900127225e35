import StarlingCore

/// The accounts of a ledger, as one node has applied the transfers that its secure broadcast delivered (thesis,
/// Algorithm 5, from line 8 on).
///
/// Whatever the order in which transfers are delivered, nodes that were given the same ones have the same accounts in the
/// end. History is no part of it: an account takes the same memory after its first transfer as after its millionth.
public struct Ledger: Sendable {
  /// What an account holds.
  public struct Account: Hashable, Sendable {
    /// In the smallest unit.
    public internal(set) var balance: UInt64
    /// The number of its next transfer (Algorithm 5: seq[q]).
    public internal(set) var next: UInt64
    /// How many credits it was given.
    public internal(set) var credits: UInt64
    /// Which of the transfers that this node applied changed it last, counted from 1; 0 while none has. Nodes differ in this.
    public internal(set) var latest: UInt64

    /// An account in some state.
    public init(balance: UInt64, next: UInt64, credits: UInt64 = 0, latest: UInt64 = 0) {
      self.balance = balance
      self.next = next
      self.credits = credits
      self.latest = latest
    }

    /// What has happened to it so far is numbered up to below this.
    public var eventCount: UInt64 { next + credits }
  }

  /// Something that happened to an account: it paid, or it was paid.
  public struct Event: Hashable, Sendable {
    /// The account.
    public let account: PublicKey
    /// Its place among all that happened to the account, from 0 on, at this node.
    public let position: UInt64
    /// What the account held afterwards.
    public let balance: UInt64
    /// The number of its next transfer afterwards.
    public let next: UInt64
    /// Which of the transfers that this node applied changed it last before, counted from 1; 0 if none had. So an account's
    /// history is a chain, and nothing of it is kept here.
    public let previous: UInt64

    /// Something that happened.
    public init(account: PublicKey, position: UInt64, balance: UInt64, next: UInt64, previous: UInt64) {
      self.account = account
      self.position = position
      self.balance = balance
      self.next = next
      self.previous = previous
    }
  }

  /// A transfer that was applied, and what it did.
  public struct Applied: Hashable, Sendable {
    /// The transfer.
    public let transfer: SignedTransfer
    /// Which it is of the transfers that this node applied, counted from 1.
    public let number: UInt64
    /// What happened to the account that is debited, and then to each destination in order.
    public let events: [Event]
  }

  /// Every account that ever was credited. Only `store(_:as:)` changes one.
  public private(set) var accounts: [PublicKey: Account]
  /// The sum of all balances, which follows each change of one.
  public private(set) var total: UInt64
  /// How many transfers this node has applied.
  public private(set) var applied: UInt64
  /// Transfers that were delivered and wait for an earlier one, or for credits that they depend on (Algorithm 5: toValidate).
  /// The broadcast bounds how many of one account there are.
  private var waiting: [PublicKey: [UInt64: SignedTransfer]] = [:]
  /// The hash of the accounts as they were when ``digest()`` was asked for; `nil` before.
  private var summary: SetHash?
  /// Those that changed since, as they were then; `nil` those that were not there.
  private var unsummed: [PublicKey: Account?] = [:]

  /// How many changed accounts may wait to be hashed, where somebody asks for the hash (a guess: it takes some 3 µs each).
  private static let unsummedLimit = 4_096

  /// A ledger as it begins.
  public init(_ genesis: Genesis) {
    self.init(accounts: genesis.balances.mapValues { Account(balance: $0, next: 0) }, waiting: [])
  }

  /// A ledger as an earlier life of a node had it.
  ///
  /// - Parameters:
  ///   - accounts: whose balances add up to the supply.
  ///   - waiting: delivered and not applied.
  ///   - applied: how many transfers the earlier lives applied.
  public init(accounts: [PublicKey: Account], waiting: [SignedTransfer], applied: UInt64 = 0) {
    self.accounts = accounts
    self.applied = applied
    total = accounts.values.reduce(0) { $0 + $1.balance }
    for transfer in waiting { hold(transfer) }
  }

  /// An account; one that nobody has credited holds nothing.
  public subscript(key: PublicKey) -> Account { accounts[key] ?? Account(balance: 0, next: 0) }

  /// The transfers that were delivered and are not applied, in the order of their numbers for each account.
  public var held: [SignedTransfer] {
    waiting.sorted { $0.key < $1.key }.flatMap { $0.value.sorted { $0.key < $1.key }.map(\.value) }
  }

  /// How many were delivered and are not applied.
  public var heldCount: Int { waiting.values.reduce(0) { $0 + $1.count } }

  /// A transfer that was delivered and is not applied.
  public func held(of account: PublicKey, _ sequence: UInt64) -> SignedTransfer? {
    waiting[account]?[sequence]
  }

  /// Takes a transfer that the secure broadcast delivered, and applies what has become valid by it.
  ///
  /// - Parameter transfer: well-formed and signed; for one account and number it is always the same.
  /// - Returns: what was applied, in order.
  public mutating func deliver(_ transfer: SignedTransfer) -> [Applied] {
    let (account, state) = (transfer.transfer.account, self[transfer.transfer.account])
    guard transfer.transfer.fault == nil, transfer.transfer.sequence >= state.next else { return [] }
    var applied: [Applied] = []
    var changed: [PublicKey] = []
    // Most need not wait, and are not held meanwhile.
    if Ledger.isValid(transfer, at: state) {
      apply(transfer, into: &applied, changed: &changed)
    } else {
      hold(transfer)
    }
    if waiting.isEmpty { return applied }
    changed.append(account)
    while let account = changed.popLast() {
      while let next = nextValid(of: account) { apply(next, into: &applied, changed: &changed) }
    }
    return applied
  }

  /// - Parameter changed: is added the accounts that were credited and have something that waits.
  private mutating func apply(
    _ transfer: SignedTransfer, into applied: inout [Applied], changed: inout [PublicKey]
  ) {
    if let done = apply(transfer) { applied.append(done) }
    if waiting.isEmpty { return }
    changed += transfer.transfer.destinations.lazy.map(\.account).filter { waiting[$0] != nil }
  }

  private mutating func hold(_ transfer: SignedTransfer) {
    waiting[transfer.transfer.account, default: [:]][transfer.transfer.sequence] = transfer
  }

  /// Algorithm 5, Valid: the next in number, and the account holds what the transfer depends on. That it is the owner's was
  /// seen before it was voted for, and that its amount is covered then is part of being well-formed.
  private static func isValid(_ transfer: SignedTransfer, at account: Account) -> Bool {
    transfer.transfer.sequence == account.next && account.balance >= transfer.transfer.funds
  }

  private func nextValid(of key: PublicKey) -> SignedTransfer? {
    guard let held = waiting[key] else { return nil }
    let account = self[key]
    guard let next = held[account.next], Ledger.isValid(next, at: account) else { return nil }
    return next
  }

  private mutating func apply(_ signed: SignedTransfer) -> Applied? {
    let transfer = signed.transfer
    guard let total = transfer.total else { return nil }
    var events: [Event] = []
    events.reserveCapacity(1 + transfer.destinations.count)
    if !waiting.isEmpty {
      waiting[transfer.account]?[transfer.sequence] = nil
      if waiting[transfer.account]?.isEmpty == true { waiting[transfer.account] = nil }
    }
    // What is taken is at most the balance, and what is given was taken: no sum passes the supply.
    applied += 1
    var account = self[transfer.account]
    account.balance -= total
    account.next += 1
    events.append(store(&account, as: transfer.account))
    for destination in transfer.destinations {
      var account = self[destination.account]
      account.balance += destination.amount
      account.credits += 1
      events.append(store(&account, as: destination.account))
    }
    return Applied(transfer: signed, number: applied, events: events)
  }

  /// Keeps an account as the transfer that is being applied has left it.
  private mutating func store(_ account: inout Account, as key: PublicKey) -> Event {
    let event = Event(
      account: key, position: account.eventCount - 1, balance: account.balance, next: account.next,
      previous: account.latest)
    account.latest = applied
    let old = accounts.updateValue(account, forKey: key)
    total = total - (old?.balance ?? 0) + account.balance
    if summary != nil {
      if unsummed[key] == nil { unsummed[key] = .some(old) }
      if unsummed.count >= Ledger.unsummedLimit { summarise() }
    }
    return event
  }
}

// MARK: - What nodes compare

extension Ledger {
  /// The hash of all accounts and of what waits: equal at nodes that were delivered the same, and a function of these alone.
  ///
  /// The accounts are hashed as a set (``SetHash``), so that it follows their changes; all of them are looked at only where
  /// ``digest()`` was never asked for.
  public var stateHash: SHA256Digest {
    var copy = self
    return copy.digest()
  }

  /// The same. The next time costs only what has changed until then.
  public mutating func digest() -> SHA256Digest {
    summarise()
    var hash = SHA256()
    hash.update((summary ?? SetHash()).bytes)
    // Not the signature: an owner can make several of one transfer.
    for transfer in held {
      var writer = WireWriter(capacity: transfer.encodedByteCount)
      transfer.transfer.encode(into: &writer)
      hash.update(writer.bytes)
    }
    return hash.finish()
  }

  private mutating func summarise() {
    var hash = summary ?? SetHash()
    if summary == nil {
      for (key, account) in accounts { hash.insert(Ledger.encoded(key, account)) }
    }
    // So that the sum is not copied.
    summary = nil
    for (key, old) in unsummed {
      if let old { hash.remove(Ledger.encoded(key, old)) }
      hash.insert(Ledger.encoded(key, self[key]))
    }
    unsummed = [:]
    summary = hash
  }

  private static func encoded(_ key: PublicKey, _ account: Account) -> [UInt8] {
    var writer = WireWriter(capacity: 48)
    writer.write(key)
    writer.write(integer: account.balance)
    writer.write(integer: account.next)
    return writer.bytes
  }
}
