import StarlingCore

/// The asset-transfer object type of the thesis (section 2.2.2): accounts with balances, of which the owners may give
/// away what is there and everybody may read. It is a sequential type, the specification that algorithms implement.
///
/// No balance can overflow: transfers move amounts and make none, so every balance stays within the sum of the initial
/// ones, which fits into 64 bits or there is no such object.
public struct AssetTransferObject: Sendable {
  /// One of the object's accounts, 𝒜.
  public struct Account: Hashable, Comparable, Sendable, CustomStringConvertible {
    /// The account's place in the list that the object was made of.
    public let index: Int

    /// Names the account at that place.
    public init(_ index: Int) { self.index = index }

    /// Orders by place.
    public static func < (a: Account, b: Account) -> Bool { a.index < b.index }

    /// For example `account 3`.
    public var description: String { "account \(index)" }
  }

  /// What an account is at first.
  public struct Opening: Hashable, Sendable {
    /// q₀ of the account: how much is there at first.
    public let balance: UInt64
    /// μ of the account: the processes that may give from it, each named once. Nobody need own an account.
    public let owners: [Peer]

    /// An account with so much, owned by these.
    public init(balance: UInt64, owners: [Peer]) {
      self.balance = balance
      self.owners = owners
    }
  }

  /// One destination of a transfer, and how much it gets.
  public struct Credit: Hashable, Sendable {
    /// The account that gets it.
    public let account: Account
    /// How much it gets; nothing is allowed.
    public let amount: UInt64

    /// So much for that account.
    public init(_ amount: UInt64, to account: Account) {
      self.account = account
      self.amount = amount
    }
  }

  /// O: what a process may ask for. The accounts in it must be the object's.
  public enum Operation: Hashable, Sendable {
    /// Take the sum of the credits from an account and pay each of them, or do nothing.
    case transfer(from: Account, to: [Credit])
    /// Tell the balance of an account.
    case read(Account)

    /// transfer(a, b, x).
    public static func transfer(_ amount: UInt64, from source: Account, to destination: Account) -> Operation
    {
      .transfer(from: source, to: [Credit(amount, to: destination)])
    }
  }

  /// R: what a process is told.
  public enum Response: Hashable, Sendable {
    /// Whether a transfer succeeded.
    case transferred(Bool)
    /// The balance that was read.
    case balance(UInt64)
  }

  /// q: the balance of every account, in their order.
  public typealias Balances = [UInt64]

  /// What the accounts are at first, in their order.
  public let openings: [Opening]

  /// An object of these accounts.
  ///
  /// - Throws: `AssetSupplyOverflow` if their balances sum to 2⁶⁴ or more.
  public init(_ openings: [Opening]) throws(AssetSupplyOverflow) {
    var supply: UInt64 = 0
    for opening in openings {
      let (sum, overflow) = supply.addingReportingOverflow(opening.balance)
      if overflow { throw AssetSupplyOverflow() }
      supply = sum
    }
    self.openings = openings
  }

  /// Every account there is, in order.
  public var accounts: [Account] { openings.indices.map(Account.init) }

  /// q₀: the balances at first.
  public var initialBalances: Balances { openings.map(\.balance) }

  /// Whether p ∈ μ(a): the process may give from the account.
  public func owns(_ process: Peer, _ account: Account) -> Bool {
    openings[account.index].owners.contains(process)
  }

  /// The sum of the credits; nil if it is 2⁶⁴ or more, which no account ever has.
  public static func total(of credits: [Credit]) -> UInt64? {
    var total: UInt64 = 0
    for credit in credits {
      let (sum, overflow) = total.addingReportingOverflow(credit.amount)
      if overflow { return nil }
      total = sum
    }
    return total
  }

  /// Δ, which is a function here: what an operation of a process does to the balances, and what the process is told.
  public func apply(
    _ operation: Operation, by process: Peer, to balances: inout Balances
  ) -> Response {
    switch operation {
    case .read(let account):
      return .balance(balances[account.index])
    case .transfer(let source, let credits):
      guard owns(process, source), let total = AssetTransferObject.total(of: credits),
        balances[source.index] >= total
      else { return .transferred(false) }
      // What the source pays to itself comes back, so a transfer from an account to itself changes nothing.
      balances[source.index] -= total
      for credit in credits { balances[credit.account.index] += credit.amount }
      return .transferred(true)
    }
  }
}

/// The initial balances of an asset-transfer object do not fit into 64 bits.
public struct AssetSupplyOverflow: Error, Equatable, CustomStringConvertible {
  /// The balances do not fit.
  public init() {}

  /// What was wrong, and what to do.
  public var description: String {
    "The initial balances of all accounts sum to 2^64 or more: give the accounts less, or count in larger units."
  }
}

extension AssetTransferObject.Operation: CustomStringConvertible {
  /// For example `transfer 3 to 1, 4 to 2 from 0` or `read 1`.
  public var description: String {
    switch self {
    case .read(let account): return "read \(account.index)"
    case .transfer(let source, let credits):
      let paid = credits.map { "\($0.amount) to \($0.account.index)" }.joined(separator: ", ")
      return "transfer \(paid) from \(source.index)"
    }
  }
}

extension AssetTransferObject.Response: CustomStringConvertible {
  /// `true`, `false` or the balance.
  public var description: String {
    switch self {
    case .transferred(let isDone): "\(isDone)"
    case .balance(let balance): "\(balance)"
    }
  }
}
