import StarlingLedger

/// What one process knows and does in an implementation of a sequential type: an algorithm's "code for process p".
///
/// It is a value with the process's local variables; whatever it shares is a reference into a memory.
public protocol Participant<Operation, Response>: SendableMetatype {
  /// What the process may be asked to do.
  associatedtype Operation: Hashable & Sendable
  /// What it answers.
  associatedtype Response: Hashable & Sendable
  /// Its local variables.
  associatedtype Variables: Hashable

  /// What the process remembers from one operation to the next: two processes of the same number with equal variables do
  /// the same from there on.
  var variables: Variables { get }

  /// Performs an operation, step by step.
  mutating func perform(_ operation: Operation) throws(ProcessStopped) -> Response
}

/// A process of a snapshot object.
public struct SnapshotParticipant<Element: Hashable & Sendable>: Participant {
  private let object: any SnapshotObject<Element>
  private let process: SteppingProcess

  /// A process that uses that object.
  public init(_ object: any SnapshotObject<Element>, _ process: SteppingProcess) {
    self.object = object
    self.process = process
  }

  /// Nothing is remembered.
  public var variables: Bool { true }

  /// Updates the process's entry or takes a snapshot.
  public mutating func perform(
    _ operation: SnapshotType<Element>.Operation
  ) throws(ProcessStopped) -> SnapshotType<Element>.Response {
    switch operation {
    case .update(let element):
      try object.update(element, by: process)
      return .done
    case .snapshot:
      return .view(try object.snapshot(by: process))
    }
  }
}

/// A process of an implementation of the asset-transfer type.
public protocol AssetTransferProcess: Participant
where Operation == AssetTransferObject.Operation, Response == AssetTransferObject.Response {
  /// transfer(a, b, x), to any number of destinations.
  ///
  /// - Returns: whether it succeeded.
  mutating func transfer(
    from source: AssetTransferObject.Account, to credits: [AssetTransferObject.Credit]
  ) throws(ProcessStopped) -> Bool

  /// read(a): the account's balance.
  mutating func read(_ account: AssetTransferObject.Account) throws(ProcessStopped) -> UInt64
}

extension AssetTransferProcess {
  /// Performs a transfer or a read.
  public mutating func perform(
    _ operation: AssetTransferObject.Operation
  ) throws(ProcessStopped) -> AssetTransferObject.Response {
    switch operation {
    case .transfer(let source, let credits): .transferred(try transfer(from: source, to: credits))
    case .read(let account): .balance(try read(account))
    }
  }
}
