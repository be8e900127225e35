import StarlingCore
import StarlingLedger

/// Why there is no certificate.
public enum CertificateFailure: Error, Hashable, Sendable {
  /// This node has not applied the transfer.
  case notFinal
  /// So many members signed in time, and so many must.
  case tooFew(signed: Int, needed: Int)
  /// Too many are being collected.
  case overloaded

  /// One sentence that says what is wrong and what to do.
  public var sentence: String {
    switch self {
    case .notFinal: "The transfer is not final at this node: wait until it is, or ask another node."
    case .tooFew(let signed, let needed):
      "Of the members \(signed) signed in time, and \(needed) must: try again when more of them are up."
    case .overloaded: "The node is collecting too many certificates: try again in a second."
    }
  }
}

/// The certificates that a member of a ledger collects: b + 1 signatures that a transfer is final, its own among them, since one
/// of so many is a correct member's.
struct CertificateDesk {
  private struct Collecting {
    let transfer: SignedTransfer
    var signatures: [PublicKey: Ed25519Signature]
    let deadline: Instant
  }

  /// How many may be collected at once (a guess).
  static let limit = 64
  /// For how long it is tried, and how often the members are asked meanwhile (guesses).
  static let patience = Interval.seconds(10)

  /// Those whose transfers are being read, and until when they may be.
  private var reading: Set<TransferNumber> = []
  private var collecting: [TransferNumber: Collecting] = [:]
  let genesis: Genesis

  init(genesis: Genesis) { self.genesis = genesis }

  /// Begins a certificate.
  ///
  /// - Returns: whether the transfer is to be read, for ``begin(_:signature:by:at:)``; if not, it is already.
  mutating func open(_ number: TransferNumber) throws(CertificateFailure) -> Bool {
    if collecting[number] != nil || reading.contains(number) { return false }
    guard reading.count + collecting.count < CertificateDesk.limit else { throw .overloaded }
    reading.insert(number)
    return true
  }

  /// Gives one up whose transfer is not here.
  mutating func forget(_ number: TransferNumber) { reading.remove(number) }

  /// Takes the transfer, and this node's own signature.
  ///
  /// - Returns: the certificate, if that is enough.
  mutating func begin(
    _ transfer: SignedTransfer, signature: Ed25519Signature, by key: PublicKey, at now: Instant
  ) -> Certificate? {
    let number = transfer.transfer.number
    reading.remove(number)
    collecting[number] = Collecting(
      transfer: transfer, signatures: [key: signature], deadline: now + CertificateDesk.patience)
    return finish(number)
  }

  /// Takes a member's signature; `isForged` is set if it is none.
  mutating func take(
    _ signature: Ed25519Signature, of number: TransferNumber, by key: PublicKey, isForged: inout Bool
  ) -> Certificate? {
    guard let collected = collecting[number], collected.signatures[key] == nil else { return nil }
    guard Certificate.isSigned(signature, of: collected.transfer, in: genesis.hash, by: key) else {
      isForged = true
      return nil
    }
    collecting[number]?.signatures[key] = signature
    return finish(number)
  }

  private mutating func finish(_ number: TransferNumber) -> Certificate? {
    guard let collected = collecting[number], collected.signatures.count > genesis.byzantine else {
      return nil
    }
    collecting[number] = nil
    return Certificate(
      ledger: genesis.hash, transfer: collected.transfer, signatures: collected.signatures)
  }

  /// Gives up what takes too long.
  mutating func expire(at now: Instant) -> [(TransferNumber, CertificateFailure)] {
    let late = collecting.filter { $0.value.deadline <= now }
    for number in late.keys { collecting[number] = nil }
    return late.map {
      ($0.key, .tooFew(signed: $0.value.signatures.count, needed: genesis.byzantine + 1))
    }
  }

  /// Of which a member's signature is wanted still, some more than once.
  var wanted: [TransferNumber] { Array(collecting.keys) }

  /// Whether a member has signed.
  func hasSigned(_ number: TransferNumber, _ key: PublicKey) -> Bool {
    collecting[number]?.signatures[key] != nil
  }
}
