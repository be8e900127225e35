import Dispatch
import StarlingCore
import StarlingLedger
import Synchronization

@testable import StarlingRuntime

/// A node with a ledger of its own: one member, which delivers what it is given at once, unless it is told to hold it.
final class LedgerServiceDouble: LedgerService {
  private struct Waiter {
    let transfers: [SignedTransfer]
    let reply: LedgerReply<[LedgerSubmissionResult]>
  }

  private struct State {
    var keeper: LedgerKeeper
    var balances: [PublicKey: UInt64]
    var final: [TransferNumber: SignedTransfer] = [:]
    var abandoned: [TransferNumber: SignedTransfer] = [:]
    var pending: [TransferNumber: SignedTransfer] = [:]
    var history: [PublicKey: [LedgerEntry]] = [:]
    var isHolding = false
    var isMute = false
    var waiters: [Waiter] = []
    var events: [(PublicKey, LedgerEvent)] = []
  }

  let genesis: Genesis
  let demoWallet: LedgerDemoWallet?
  /// Owners of the accounts that the ledger begins with: a million each.
  let owners: [Identity]
  private let member: Identity
  private let state: Mutex<State>
  private let server = Mutex<ControlServer?>(nil)

  init(owners count: Int = 3, isDemo: Bool = true) throws {
    let seeds = (0..<count).map { [UInt8](repeating: UInt8($0 + 1), count: 32) }
    owners = try seeds.map { try Identity(seed: $0) }
    member = try Identity(seed: [UInt8](repeating: 200, count: 32))
    genesis = try Genesis(
      network: "demo-net", members: [member.publicKey], byzantine: 0,
      balances: Dictionary(uniqueKeysWithValues: owners.map { ($0.publicKey, 1_000_000) }))
    let names = ["Ada", "Bohr", "Curie", "Dirac", "Euler", "Fermi", "Gauss", "Hilbert"]
    demoWallet =
      isDemo
      ? LedgerDemoWallet(
        keys: zip(zip(names, owners), seeds).map {
          LedgerDemoKey(name: $0.0, account: $0.1.publicKey.description, seed: hexadecimal($1))
        }) : nil
    state = Mutex(State(keeper: LedgerKeeper(Ledger(genesis)), balances: genesis.balances))
  }

  /// Where events are told.
  func attach(_ server: ControlServer) { self.server.withLock { $0 = server } }

  /// Breaks the circle with the server.
  func detach() { server.withLock { $0 = nil } }

  /// Whether what is handed in stays under way.
  func hold(_ isHolding: Bool) {
    state.withLock { $0.isHolding = isHolding }
    if !isHolding { flush() }
  }

  /// Never answers from now on.
  func fallMute() { state.withLock { $0.isMute = true } }

  /// Gives up what is under way.
  func abandon() {
    state.withLock { state in
      var keeper = LedgerKeeper(state.keeper.ledger)
      swap(&keeper, &state.keeper)
      state.abandoned.merge(state.pending) { $1 }
      for number in state.pending.keys {
        state.events.append(
          (
            number.account,
            .refused(LedgerRefusal(id: number.description, reason: LedgerServiceDouble.refusal))
          ))
      }
      state.pending = [:]
    }
    flush()
  }

  static let refusal = "Others know another transfer of this number: ask for the account and sign anew."

  /// A transfer of an owner, numbered and funded as the ledger expects it next.
  func payment(
    from owner: Int = 0, to account: PublicKey, _ amount: UInt64, memo: String = "", after offset: UInt64 = 0
  ) -> SignedTransfer {
    let key = owners[owner].publicKey
    let expected = state.withLock { $0.keeper.expected(of: key) }
    return SignedTransfer(
      Transfer(
        account: key, sequence: expected.next + offset, funds: expected.balance - amount * offset,
        destinations: [Transfer.Destination(account: account, amount: amount)], memo: Array(memo.utf8)),
      in: genesis.hash, by: owners[owner])
  }

  // MARK: answers

  func status(_ reply: LedgerReply<LedgerStatus>) {
    let (ledger, transfers) = state.withLock { ($0.isMute ? nil : $0.keeper.ledger, UInt64($0.final.count)) }
    guard let ledger else { return }
    // As a node does: another thread.
    DispatchQueue.global().async { [genesis] in
      reply.send(
        LedgerStatus(
          ledger: genesis.hash.description, network: genesis.network,
          members: genesis.members.map(\.description),
          byzantine: genesis.byzantine, supply: LedgerAmount(genesis.supply),
          total: LedgerAmount(ledger.total),
          accounts: ledger.accounts.count, transfers: transfers,
          stateHash: ledger.stateHash.description, waiting: ledger.held.count))
    }
  }

  func account(_ key: PublicKey, _ reply: LedgerReply<LedgerAccount>) {
    reply.send(
      state.withLock { state in
        let account = state.keeper.ledger[key]
        let expected = state.keeper.expected(of: key)
        return LedgerAccount(
          account: key.description, balance: LedgerAmount(account.balance), next: account.next,
          expectedBalance: LedgerAmount(expected.balance), expectedNext: expected.next,
          pending: Int(expected.next - account.next), known: state.keeper.ledger.accounts[key] != nil)
      })
  }

  func history(of key: PublicKey, before: UInt64?, limit: Int, _ reply: LedgerReply<LedgerHistory>) {
    let all = state.withLock { $0.history[key] ?? [] }
    let page = all.filter { entry in before.map { entry.position < $0 } ?? true }.suffix(limit)
    let first = page.first?.position ?? 0
    reply.send(
      LedgerHistory(account: key.description, entries: page.reversed(), next: first > 0 ? first : nil))
  }

  func submit(
    _ transfers: [SignedTransfer], waitingFor patience: Interval?,
    _ reply: LedgerReply<[LedgerSubmissionResult]>
  ) {
    let refusals: [SubmissionRefusal?] = state.withLock { state in
      transfers.map { transfer in
        let number = transfer.transfer.number
        if let known = state.final[number], known.transfer == transfer.transfer { return nil }
        let refusal = state.keeper.submit(transfer) { $0.isSigned(in: genesis.hash) }
        if refusal == nil {
          state.pending[number] = transfer
          state.abandoned[number] = nil
        }
        return refusal
      }
    }
    flush()
    let results = state.withLock { self.results(of: transfers, refusals, in: $0) }
    guard let patience, results.contains(where: { $0.outcome == .pending }) else {
      reply.send(results)
      return
    }
    state.withLock { $0.waiters.append(Waiter(transfers: transfers, reply: reply)) }
    DispatchQueue.global().asyncAfter(deadline: .now() + .nanoseconds(Int(patience.nanoseconds))) { [self] in
      reply.send(state.withLock { self.results(of: transfers, refusals, in: $0) })
    }
  }

  func transfer(_ number: TransferNumber, _ reply: LedgerReply<LedgerTransfer>) {
    let id = number.description
    reply.send(
      state.withLock { state in
        if let signed = state.final[number] { return LedgerTransfer(id: id, state: .final, signed: signed) }
        if let signed = state.pending[number] {
          return LedgerTransfer(id: id, state: .pending, signed: signed)
        }
        guard let signed = state.abandoned[number] else { return LedgerTransfer(id: id, state: .unknown) }
        return LedgerTransfer(
          id: id, state: .refused, reason: LedgerServiceDouble.refusal, signed: signed)
      })
  }

  func confirmation(of number: TransferNumber, _ reply: LedgerReply<LedgerConfirmation>) {
    guard let signed = state.withLock({ $0.final[number] }) else {
      return reply.refuse(409, "The transfer is not final at this node: ask again when it is.")
    }
    reply.send(
      LedgerConfirmation(
        member: member.publicKey.description,
        signature: Certificate.sign(signed, in: genesis.hash, by: member).description,
        transfer: hexadecimal(signed.encoded)))
  }

  func certificate(of number: TransferNumber, _ reply: LedgerReply<Certificate>) {
    guard let signed = state.withLock({ $0.final[number] }) else {
      return reply.refuse(409, "The transfer is not final at this node: ask again when it is.")
    }
    reply.send(
      Certificate(
        ledger: genesis.hash, transfer: signed,
        signatures: [member.publicKey: Certificate.sign(signed, in: genesis.hash, by: member)]))
  }

  private func results(
    of transfers: [SignedTransfer], _ refusals: [SubmissionRefusal?], in state: State
  ) -> [LedgerSubmissionResult] {
    zip(transfers, refusals).map { transfer, refusal in
      let number = transfer.transfer.number
      if let refusal { return LedgerSubmissionResult(number: number, outcome: .refused(refusal)) }
      if state.final[number] != nil { return LedgerSubmissionResult(number: number, outcome: .final) }
      let isGone = state.abandoned[number] != nil
      return LedgerSubmissionResult(
        number: number, outcome: isGone ? .abandoned(LedgerServiceDouble.refusal) : .pending)
    }
  }

  // MARK: applying

  /// Delivers what waits, unless it is held, answers those who wait for it, and tells who follows.
  private func flush() {
    let (done, events) = state.withLock { state in
      while !state.isHolding {
        let batch = state.keeper.takeBatch(entryLimit: 256, byteLimit: 1 << 20)
        if batch.isEmpty { break }
        for signed in state.keeper.deliver(batch, refused: [], isOwn: true).applied.map(\.transfer) {
          apply(signed, to: &state)
        }
      }
      var done: [(Waiter, [LedgerSubmissionResult])] = []
      let snapshot = state
      state.waiters.removeAll { waiter in
        let nothing = [SubmissionRefusal?](repeating: nil, count: waiter.transfers.count)
        let results = self.results(of: waiter.transfers, nothing, in: snapshot)
        guard !results.contains(where: { $0.outcome == .pending }) else { return false }
        done.append((waiter, results))
        return true
      }
      defer { state.events = [] }
      return (done, state.events)
    }
    for (waiter, results) in done { waiter.reply.send(results) }
    let server = server.withLock { $0 }
    for (account, event) in events { server?.publish(account: account, event) }
  }

  private func apply(_ signed: SignedTransfer, to state: inout State) {
    let transfer = signed.transfer
    state.pending[transfer.number] = nil
    state.final[transfer.number] = signed
    enter(signed, of: transfer.account, .out, transfer.total ?? 0, into: &state)
    for destination in transfer.destinations {
      enter(signed, of: destination.account, .in, destination.amount, into: &state)
    }
  }

  private func enter(
    _ signed: SignedTransfer, of account: PublicKey, _ direction: LedgerEntry.Direction, _ amount: UInt64,
    into state: inout State
  ) {
    let before = state.balances[account] ?? 0
    let balance = direction == .out ? before - amount : before + amount
    state.balances[account] = balance
    let entry = LedgerEntry(
      position: UInt64(state.history[account]?.count ?? 0), id: signed.transfer.number.description,
      direction: direction, account: signed.transfer.account.description,
      sequence: signed.transfer.sequence, amount: LedgerAmount(amount),
      destinations: signed.transfer.destinations.map(LedgerDestination.init),
      memo: String(decoding: signed.transfer.memo, as: UTF8.self), balance: LedgerAmount(balance))
    state.history[account, default: []].append(entry)
    state.events.append((account, .applied(entry)))
  }
}
