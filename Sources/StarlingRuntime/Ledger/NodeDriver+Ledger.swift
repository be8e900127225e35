import StarlingCore
import StarlingLedger
import StarlingNode

/// A page of a history that a client waits for.
struct HistoryQuestion {
  let account: PublicKey
  let before: UInt64?
  let limit: Int
  let reply: LedgerReply<LedgerHistory>
}

/// What a node answers about its ledger.
extension NodeDriver {
  /// Sends an answer, or says why there is none.
  func answer<Answer>(_ reply: LedgerReply<Answer>, _ answer: Answer?) {
    if let answer { reply.send(answer) } else { reply.refuse(404, "This node keeps no ledger.") }
  }

  /// The ledger as a whole. It is looked at anew only when something was applied since.
  var ledgerStatus: LedgerStatus? {
    let applied = node.transfersApplied
    if let known = knownLedgerStatus, known.transfers == applied,
      known.waiting == node.ledger?.ledger.heldCount
    {
      return known
    }
    guard let genesis = node.genesis, let hash = node.ledgerDigest(), let ledger = node.ledger?.ledger else {
      return nil
    }
    let status = LedgerStatus(
      ledger: genesis.hash.description, network: genesis.network, members: genesis.members.map(\.description),
      byzantine: genesis.byzantine, supply: LedgerAmount(genesis.supply), total: LedgerAmount(ledger.total),
      accounts: ledger.accounts.count, transfers: applied, stateHash: hash.description,
      waiting: ledger.heldCount)
    knownLedgerStatus = status
    return status
  }

  /// An account.
  func ledgerAccount(_ key: PublicKey) -> LedgerAccount? {
    guard let keeper = node.ledger else { return nil }
    let (account, expected) = (keeper.ledger[key], keeper.expected(of: key))
    return LedgerAccount(
      account: key.description, balance: LedgerAmount(account.balance), next: account.next,
      expectedBalance: LedgerAmount(expected.balance), expectedNext: expected.next,
      pending: Int(clamping: expected.next - account.next), known: keeper.ledger.accounts[key] != nil)
  }

  /// A page of what happened to an account, as soon as there is time for it.
  func history(of key: PublicKey, before: UInt64?, limit: Int, _ reply: LedgerReply<LedgerHistory>) {
    guard historyQuestions.count < NodeDriver.historyQuestionLimit else {
      return reply.refuse(503, "Too many ask for histories: ask again in a few seconds.")
    }
    historyQuestions.append(HistoryQuestion(account: key, before: before, limit: limit, reply: reply))
  }

  /// Answers the next question for a history, if it is time. A page is thousands of readings, so whoever asks for many must not
  /// keep the node from carrying payments: no more than a fifth of its time goes into them.
  func answerHistory() {
    guard nextHistory <= now, !historyQuestions.isEmpty else { return }
    let question = historyQuestions.removeFirst()
    let start = ContinuousClock.now
    history(of: question.account, before: question.before, limit: question.limit, now: question.reply)
    let spent = Interval(nanoseconds: Int64((ContinuousClock.now - start) / .nanoseconds(1)))
    nextHistory = now + spent * 5
  }

  /// How many questions for histories may wait (a guess: some seconds' worth).
  private static let historyQuestionLimit = 64

  private func history(
    of key: PublicKey, before: UInt64?, limit: Int, now reply: LedgerReply<LedgerHistory>
  ) {
    do throws(HostError) {
      let state = node.ledger?.ledger[key] ?? Ledger.Account(balance: 0, next: 0)
      let entries = try readLedger { read throws(WireError) in
        try LedgerQuestion.events(of: key, state, before: before, limit: limit, reading: read)
      }.map { LedgerEntry($0.event, of: $0.transfer.transfer) }
      let next = entries.last.flatMap { entries.count == limit && $0.position > 0 ? $0.position : nil }
      reply.send(LedgerHistory(account: key.description, entries: entries, next: next))
    } catch {
      diskRefused(error)
      reply.refuse(503, error.description)
    }
  }

  /// Takes transfers from a client.
  func submit(
    _ transfers: [SignedTransfer], waitingFor patience: Interval?,
    _ reply: LedgerReply<[LedgerSubmissionResult]>
  ) {
    do throws(HostError) {
      guard !isStopping else { throw HostError("The node is stopping.") }
      guard let refusals = try? node.submit(transfers, at: now, into: &actions) else {
        return reply.refuse(404, "This node keeps no ledger.")
      }
      keepWrites()
      if let failure { throw failure }
      var results: [LedgerSubmissionResult] = []
      for (transfer, refusal) in zip(transfers, refusals) {
        let number = transfer.transfer.number
        var outcome = refusal.map { LedgerSubmissionResult.Outcome.refused($0) } ?? .pending
        var isUsed = (node.ledger?.ledger[number.account].next ?? 0) > number.sequence
        if case .numberUsed = refusal { isUsed = true } else if refusal != nil { isUsed = false }
        if isUsed {
          // A client that asks again has perhaps not heard the answer; and an owner may have signed two.
          let isSame = try self.transfer(number)?.transfer == transfer.transfer
          outcome = isSame ? .final : .refused(refusal ?? .numberUsed(next: number.sequence + 1))
        }
        results.append(LedgerSubmissionResult(number: number, outcome: outcome))
      }
      guard let patience else { return reply.send(results) }
      transferWatch.add(reply, for: transfers, results, until: now + patience)
    } catch {
      reply.refuse(503, error.description)
    }
  }

  /// A transfer.
  func transfer(_ number: TransferNumber, _ reply: LedgerReply<LedgerTransfer>) {
    let id = number.description
    guard let keeper = node.ledger else { return reply.refuse(404, "This node keeps no ledger.") }
    do throws(HostError) {
      if let final = try transfer(number) {
        reply.send(LedgerTransfer(id: id, state: .final, signed: final))
      } else if let pending = keeper.carried(number)
        ?? keeper.ledger.held(of: number.account, number.sequence)
      {
        reply.send(LedgerTransfer(id: id, state: .pending, signed: pending))
      } else if transferWatch.wasAbandoned(number) {
        reply.send(LedgerTransfer(id: id, state: .refused, reason: TransferWatch.reason))
      } else {
        reply.send(LedgerTransfer(id: id, state: .unknown))
      }
    } catch {
      diskRefused(error)
      reply.refuse(503, error.description)
    }
  }

  /// This node's own word that a transfer is final.
  func confirmation(of number: TransferNumber, _ reply: LedgerReply<LedgerConfirmation>) {
    do throws(HostError) {
      guard let final = try transfer(number), let signature = node.confirm(final) else {
        return reply.refuse(409, "The transfer is not final here: wait until it is.")
      }
      reply.send(
        LedgerConfirmation(
          member: node.key.description, signature: signature.description, transfer: hexadecimal(final.encoded)
        ))
    } catch {
      diskRefused(error)
      reply.refuse(503, error.description)
    }
  }

  /// The word of enough members that a transfer is final.
  func certificate(of number: TransferNumber, _ reply: LedgerReply<Certificate>) {
    guard certificateReplies.values.reduce(0, { $0 + $1.count }) < NodeDriver.certificateReplyLimit else {
      return reply.refuse(503, "Too many certificates are being collected: ask again in a few seconds.")
    }
    certificateReplies[number, default: []].append(reply)
    do {
      try node.certify(number, at: now, into: &actions)
    } catch {
      for reply in certificateReplies.removeValue(forKey: number) ?? [] {
        reply.refuse(404, "This node keeps no ledger.")
      }
    }
  }

  /// How many clients may wait for certificates (a guess).
  private static let certificateReplyLimit = 64

  /// A certificate is there, or will not be.
  func tellCertified(_ number: TransferNumber, _ outcome: Result<Certificate, CertificateFailure>) {
    for reply in certificateReplies.removeValue(forKey: number) ?? [] {
      switch outcome {
      case .success(let certificate): reply.send(certificate)
      case .failure(let failure): reply.refuse(failure == .notFinal ? 409 : 503, failure.sentence)
      }
    }
  }

  /// A transfer that was applied; `nil` if none of its number was.
  private func transfer(_ number: TransferNumber) throws(HostError) -> SignedTransfer? {
    guard let ledger = node.ledger?.ledger, number.sequence < ledger[number.account].next else { return nil }
    let state = ledger[number.account]
    return try readLedger { read throws(WireError) in
      try LedgerQuestion.transfer(number, state, reading: read)
    }
  }

  /// Asks for what is kept, all that was applied included.
  private func readLedger<Answer>(
    _ question: ((StableQuery) -> [StableValue]) throws(WireError) -> Answer
  ) throws(HostError) -> Answer {
    guard let stable else { throw HostError("The node keeps no history: start it with --data DIR.") }
    node.keepLedger(into: &actions)
    keepWrites()
    if let failure { throw failure }
    var refusal: HostError?
    let answer: Answer
    do throws(WireError) {
      answer = try question { query in
        do throws(HostError) { return try stable.values(query) } catch { refusal = error }
        return []
      }
    } catch {
      throw refusal ?? HostError("What the node keeps of the account cannot be read.")
    }
    if let refusal { throw refusal }
    return answer
  }

  /// Tells those who wait for a transfer, or follow an account, that it was applied.
  func tell(_ applied: Ledger.Applied) {
    let transfer = applied.transfer.transfer
    transferWatch.applied(transfer)
    for (index, event) in applied.events.enumerated() {
      let credit = index == 0 ? nil : transfer.destinations[index - 1].amount
      server?.publish(
        account: event.account,
        .applied(LedgerEntry(AccountEvent(event, of: transfer, credit: credit), of: transfer)))
    }
  }

  /// Tells them that a transfer was given up.
  func tellAbandoned(_ transfer: SignedTransfer) {
    let number = transfer.transfer.number
    transferWatch.abandoned(number)
    server?.publish(
      account: number.account,
      .refused(LedgerRefusal(id: number.description, reason: TransferWatch.reason)))
  }
}

extension LedgerEntry {
  /// An event of an account, and the transfer that it is of.
  fileprivate init(_ event: AccountEvent, of transfer: Transfer) {
    self.init(
      position: event.position, id: transfer.number.description, direction: event.credit == nil ? .out : .in,
      account: transfer.account.description, sequence: transfer.sequence,
      amount: LedgerAmount(event.credit ?? transfer.total ?? 0),
      destinations: transfer.destinations.map(LedgerDestination.init),
      memo: String(decoding: transfer.memo, as: UTF8.self), balance: LedgerAmount(event.balance))
  }
}
