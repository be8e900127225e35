import Foundation
import StarlingCore
import StarlingLedger
import Synchronization

@testable import StarlingRuntime

/// The tests' stand-in for a node with a ledger: the paths of the ledger's part of the control interface over a keeper that
/// delivers to itself what it takes. No broadcast, no other members; the wallet's side is what is tested.
final class LedgerDouble: Sendable {
  /// How it behaves.
  enum Mode { case honest, holding, deaf, refusing, lying }

  struct State {
    var keeper: LedgerKeeper
    var mode = Mode.honest
    /// Every transfer that ever came, refused ones too.
    var received: [SignedTransfer] = []
    /// What was applied, in order.
    var applied: [SignedTransfer] = []
    /// What it says its ledger is, if that is not the truth.
    var lie: String?
    /// The next number that it tells of every account, if that is not the truth.
    var expectedNext: UInt64?
    /// What is added to the total that it tells.
    var excess: UInt64 = 0
    /// Called when a transfer is about to come: its request's head is here.
    var onSubmission: (@Sendable () -> Void)?
  }

  let genesis: Genesis
  let member: Identity
  let state: Mutex<State>
  private let server: HTTPServer

  /// `ADDR:PORT`.
  var address: String { "\(server.local)" }
  var url: String { "http://\(server.local)/" }

  init(_ balances: [PublicKey: UInt64], network: String = "test") throws {
    member = try Identity(seed: [UInt8](repeating: 7, count: 32))
    genesis = try Genesis(network: network, members: [member.publicKey], byzantine: 0, balances: balances)
    state = Mutex(State(keeper: LedgerKeeper(Ledger(genesis))))
    let shared = Shared()
    guard let loopback = SocketAddress("127.0.0.1:0") else { throw HostError("no loopback") }
    server = try HTTPServer(listeningOn: loopback) { request in
      guard let double = shared.double else { return .answer(HTTPResponse(status: 503, error: "Not yet.")) }
      return double.route(request)
    }
    shared.set(self)
  }

  deinit { server.stop() }

  func with<Result>(_ body: (inout State) throws -> Result) rethrows -> Result {
    try state.withLock { state in try body(&state) }
  }

  /// Ends it, as if its machine were switched off.
  func stop() { server.stop() }

  private func route(_ request: HTTPRequest) -> HTTPHandling {
    let parts = request.path.split(separator: "/").dropFirst(2).map(String.init)
    do {
      switch (request.method, parts.first, parts.count) {
      case ("GET", "ledger", 1): return try answer(status())
      case ("GET", "ledger", 2): return .answer(HTTPResponse(json: Array(genesis.text.utf8)))
      case ("GET", "accounts", 2): return try account(parts[1]).map { try answer($0) } ?? bad("No such key.")
      case ("GET", "accounts", 3):
        return try history(
          parts[1], before: request.query("before").flatMap(UInt64.init),
          limit: request.query("limit").flatMap(Int.init) ?? 50
        ).map { try answer($0) } ?? bad("No such key.")
      case ("POST", "transfers", 1):
        with { $0.onSubmission }?()
        return .receive(Submission(self))
      case ("GET", "transfers", 2): return try answer(transfer(parts[1]))
      case ("GET", "transfers", 3): return certificate(parts[1])
      default: return .answer(HTTPResponse(status: 404, error: "Nothing here."))
      }
    } catch {
      return .answer(HTTPResponse(status: 500, error: "\(error)"))
    }
  }

  private func answer(_ value: some Encodable) throws -> HTTPHandling {
    .answer(HTTPResponse(json: try ControlCoding.encode(value)))
  }

  private func bad(_ sentence: String) -> HTTPHandling { .answer(HTTPResponse(status: 400, error: sentence)) }

  private func status() -> LedgerStatus {
    with { state in
      let ledger = state.keeper.ledger
      return LedgerStatus(
        ledger: state.lie ?? genesis.hash.description, network: genesis.network,
        members: genesis.members.map(\.description), byzantine: genesis.byzantine,
        supply: LedgerAmount(genesis.supply), total: LedgerAmount(ledger.total + state.excess),
        accounts: ledger.accounts.count, transfers: UInt64(state.applied.count),
        stateHash: ledger.stateHash.description, waiting: ledger.held.count)
    }
  }

  private func account(_ text: String) -> LedgerAccount? {
    PublicKey(hexadecimal: text.utf8).map { key in
      with { state in
        let (now, expected) = (state.keeper.ledger[key], state.keeper.expected(of: key))
        return LedgerAccount(
          account: text, balance: LedgerAmount(now.balance), next: now.next,
          expectedBalance: LedgerAmount(expected.balance), expectedNext: state.expectedNext ?? expected.next,
          pending: Int(expected.next - now.next), known: state.keeper.ledger.accounts[key] != nil)
      }
    }
  }

  private func history(_ text: String, before: UInt64?, limit: Int) -> LedgerHistory? {
    guard let key = PublicKey(hexadecimal: text.utf8) else { return nil }
    return with { state in
      var ledger = Ledger(genesis)
      var entries: [LedgerEntry] = []
      for (position, signed) in state.applied.enumerated() {
        _ = ledger.deliver(signed)
        let transfer = signed.transfer
        guard transfer.account == key || transfer.destinations.contains(where: { $0.account == key }) else {
          continue
        }
        let isOut = transfer.account == key
        let amount =
          isOut
          ? transfer.total ?? 0
          : transfer.destinations.filter { $0.account == key }.reduce(0) { $0 + $1.amount }
        entries.append(
          LedgerEntry(
            position: UInt64(position), id: signed.transfer.number.description,
            direction: isOut ? .out : .in,
            account: transfer.account.description, sequence: transfer.sequence, amount: LedgerAmount(amount),
            destinations: transfer.destinations.map(LedgerDestination.init),
            memo: String(decoding: transfer.memo, as: UTF8.self), balance: LedgerAmount(ledger[key].balance)))
      }
      let page = entries.reversed().filter { entry in before.map { entry.position < $0 } ?? true }
      let shown = Array(page.prefix(limit))
      return LedgerHistory(
        account: text, entries: shown, next: page.count > shown.count ? shown.last?.position : nil)
    }
  }

  private func transfer(_ id: String) -> LedgerTransfer {
    with { state in
      if let signed = state.applied.first(where: { $0.transfer.number.description == id }) {
        return LedgerTransfer(id: id, state: .final, signed: signed)
      }
      let pending = state.received.first { $0.transfer.number.description == id }
      return LedgerTransfer(id: id, state: pending == nil ? .unknown : .pending, signed: pending)
    }
  }

  private func certificate(_ id: String) -> HTTPHandling {
    let signed = with { state in
      state.applied.first { $0.transfer.number.description == id }
    }
    guard let signed else {
      return .answer(HTTPResponse(status: 409, error: "The transfer is not final here."))
    }
    let certificate = Certificate(
      ledger: genesis.hash, transfer: signed,
      signatures: [member.publicKey: Certificate.sign(signed, in: genesis.hash, by: member)])
    return .answer(HTTPResponse(json: Array(certificate.text.utf8)))
  }

  fileprivate func submit(_ body: [UInt8]) -> HTTPResponse {
    guard let submission = try? ControlCoding.decode(LedgerSubmission.self, from: body),
      let signed = submission.signed
    else { return HTTPResponse(status: 400, error: "This is no transfer.") }
    return with { state in
      guard state.mode != .deaf else {
        return HTTPResponse(status: 503, error: "The node has too much to do.")
      }
      state.received.append(signed)
      let id = signed.transfer.number.description
      if state.mode == .refusing { return receipt(id, .refused) }
      if state.mode == .lying { return receipt(id, .final) }
      if state.applied.contains(signed) { return receipt(id, .final) }
      let refusal = state.keeper.submit(signed) { $0.isSigned(in: genesis.hash) }
      switch refusal {
      case nil: break
      case .unsigned?: return HTTPResponse(status: 403, error: refusal?.sentence ?? "")
      case .fault?: return HTTPResponse(status: 400, error: refusal?.sentence ?? "")
      case .accountBusy?: return HTTPResponse(status: 429, error: refusal?.sentence ?? "")
      case .overloaded?: return HTTPResponse(status: 503, error: refusal?.sentence ?? "")
      default: return HTTPResponse(status: 409, error: refusal?.sentence ?? "")
      }
      guard state.mode == .honest else { return receipt(id, .pending) }
      deliver(&state)
      return receipt(id, .final)
    }
  }

  /// Applies what it holds.
  func deliver(_ state: inout State) {
    while true {
      let batch = state.keeper.takeBatch(entryLimit: 1_024, byteLimit: 1 << 20)
      if batch.isEmpty { return }
      state.applied += state.keeper.deliver(batch, refused: [], isOwn: true).applied.map(\.transfer)
    }
  }

  private func receipt(_ id: String, _ state: LedgerTransferState) -> HTTPResponse {
    HTTPResponse(
      status: state == .final ? 200 : 202,
      json: (try? ControlCoding.encode(LedgerReceipt(id: id, state: state))) ?? [])
  }

  private final class Submission: HTTPUpload {
    private let double: LedgerDouble
    private var bytes: [UInt8] = []

    init(_ double: LedgerDouble) { self.double = double }

    func write(_ piece: UnsafeRawBufferPointer) { bytes += piece }

    func finish(_ reply: HTTPReply) { reply.send(double.submit(bytes)) }

    func cancel() {}
  }

  private struct WeakDouble: Sendable { weak let double: LedgerDouble? }

  /// What the server's thread finds the double by, which is made after the server.
  private final class Shared: Sendable {
    private let box = Mutex<WeakDouble?>(nil)

    var double: LedgerDouble? { box.withLock { $0?.double } }

    func set(_ double: LedgerDouble) { box.withLock { $0 = WeakDouble(double: double) } }
  }
}
