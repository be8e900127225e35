import StarlingCore
import StarlingLedger

/// Algorithm 2 of the thesis: consensus among k processes from one account that they share, and registers. Code for
/// process p. Whose transfer succeeds is elected, and what it leaves on the account is its number.
public struct ConsensusByTransfer<Value: Hashable & Sendable, Transfers: AssetTransferProcess>: Participant {
  /// R: what each process proposes, nil being ⊥.
  public typealias Proposals = [any AtomicRegister<Value?>]

  /// The account that the k share.
  public static var shared: AssetTransferObject.Account { AssetTransferObject.Account(0) }
  /// Where they try to transfer from it.
  public static var sink: AssetTransferObject.Account { AssetTransferObject.Account(1) }

  private let proposals: Proposals
  private var transfers: Transfers
  private let process: SteppingProcess

  /// AT: an account with 2k that processes 0 to k − 1 own, and one of nobody's.
  public static func object(among k: Int) throws(AssetSupplyOverflow) -> AssetTransferObject {
    try AssetTransferObject([
      AssetTransferObject.Opening(balance: 2 * UInt64(k), owners: (0..<k).map { Peer($0) }),
      AssetTransferObject.Opening(balance: 0, owners: []),
    ])
  }

  /// R, in which nothing is proposed.
  public static func proposals(among k: Int, in memory: some SharedMemory) -> Proposals {
    (0..<k).map { memory.makeRegister(Value?.none, writer: Peer($0)) }
  }

  /// A process that has not proposed.
  ///
  /// - Parameters:
  ///   - proposals: R, a register for each of the k.
  ///   - transfers: the process's part in AT.
  ///   - process: p, one of the k.
  public init(_ proposals: Proposals, _ transfers: Transfers, _ process: SteppingProcess) {
    self.proposals = proposals
    self.transfers = transfers
    self.process = process
  }

  /// What its part in AT remembers.
  public var variables: Transfers.Variables { transfers.variables }

  /// What process p, counted from 1, withdraws: 2k − p.
  public static func withdrawal(_ process: Peer, among k: Int) -> UInt64 {
    2 * UInt64(k) - (UInt64(process.index) + 1)
  }

  /// propose(v), once for each process.
  ///
  /// - Returns: the value that is decided, which somebody proposed.
  public mutating func perform(_ value: Value) throws(ProcessStopped) -> Value {
    let k = proposals.count
    try proposals[process.index].write(value, by: process)
    let credit = AssetTransferObject.Credit(Self.withdrawal(process.peer, among: k), to: Self.sink)
    _ = try transfers.transfer(from: Self.shared, to: [credit])
    let left = try transfers.read(Self.shared)
    precondition(
      (1...UInt64(k)).contains(left), "\(left) is left of \(2 * k), which names none of \(k) processes")
    guard let decided = try proposals[Int(left) - 1].read(by: process) else {
      preconditionFailure("process \(left) withdrew before it proposed")
    }
    return decided
  }
}
