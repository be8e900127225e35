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

    /// An account in some state.
    public init(balance: UInt64, next: UInt64, credits: UInt64 = 0) {
      self.balance = balance
      self.next = next
      self.credits = credits
    }

    /// What has happened to it so far is numbered up to below this.
    var eventCount: UInt64 { next + credits }
  }

  /// Something that happened to an account: it paid, or it was paid.
  public struct Event: Hashable, Sendable {
    /// The account.
    public let account: PublicKey
    /// Its place among all that happened to the account, from 0 on, at this node.
    public let position: UInt64
    /// How many transfers the account had made before.
    public let paymentsBefore: UInt64
    /// What the account held afterwards.
    public let balance: UInt64
  }

  /// A transfer that was applied, and what it did.
  public struct Applied: Hashable, Sendable {
    /// The transfer.
    public let transfer: SignedTransfer
    /// What happened to the account that is debited, and then to each destination in order.
    public let events: [Event]
  }

  /// Every account that ever was credited.
  public private(set) var accounts: [PublicKey: Account]
  /// Transfers that were delivered and wait for an earlier one, or for credits that they depend on (Algorithm 5: toValidate).
  /// The broadcast bounds how many of one account there are.
  private var waiting: [PublicKey: [UInt64: SignedTransfer]] = [:]

  /// A ledger as it begins.
  public init(_ genesis: Genesis) { accounts = genesis.balances.mapValues { Account(balance: $0, next: 0) } }

  /// A ledger as an earlier life of a node had it.
  ///
  /// - Parameters:
  ///   - accounts: whose balances add up to the supply.
  ///   - waiting: delivered and not applied.
  public init(accounts: [PublicKey: Account], waiting: [SignedTransfer]) {
    self.accounts = accounts
    for transfer in waiting { hold(transfer) }
  }

  /// An account; one that nobody has credited holds nothing.
  public subscript(key: PublicKey) -> Account { accounts[key] ?? Account(balance: 0, next: 0) }

  /// The sum of all balances.
  public var total: UInt64 { accounts.values.reduce(0) { $0 + $1.balance } }

  /// The transfers that were delivered and are not applied, in the order of their numbers for each account.
  public var held: [SignedTransfer] {
    waiting.sorted { $0.key < $1.key }.flatMap { $0.value.sorted { $0.key < $1.key }.map(\.value) }
  }

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
    events.append(
      change(transfer.account) {
        $0.balance -= total
        $0.next += 1
      })
    for destination in transfer.destinations {
      events.append(
        change(destination.account) {
          $0.balance += destination.amount
          $0.credits += 1
        })
    }
    return Applied(transfer: signed, events: events)
  }

  /// Changes an account by its next event.
  private mutating func change(_ key: PublicKey, by body: (inout Account) -> Void) -> Event {
    // In place: an account is looked for once.
    func change(_ account: inout Account) -> Event {
      let (position, payments) = (account.eventCount, account.next)
      body(&account)
      return Event(account: key, position: position, paymentsBefore: payments, balance: account.balance)
    }
    return change(&accounts[key, default: Account(balance: 0, next: 0)])
  }
}

extension Ledger {
  /// The hash of all accounts and of what waits: equal at nodes that were delivered the same.
  public var stateHash: SHA256Digest {
    var hash = SHA256()
    for (key, account) in accounts.sorted(by: { $0.key < $1.key }) {
      var writer = WireWriter(capacity: 48)
      writer.write(raw: key.bytes)
      writer.write(integer: account.balance)
      writer.write(integer: account.next)
      hash.update(writer.bytes)
    }
    // Not the signature: an owner can make several of one transfer.
    for transfer in held {
      var writer = WireWriter(capacity: transfer.encodedByteCount)
      transfer.transfer.encode(into: &writer)
      hash.update(writer.bytes)
    }
    return hash.finish()
  }
}
