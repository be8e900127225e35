import StarlingBroadcast
import StarlingCore
import StarlingLedger

@testable import StarlingNode

/// Remembers, whatever becomes of the nodes, what each of them sent and told its clients, and finds what it takes back.
struct Witness {
  /// A batch: whose it is, and its number.
  private struct Instance: Hashable {
    let origin: PublicKey
    let sequence: UInt64
  }

  /// What a node said of a batch.
  private struct Word: Hashable {
    var digest: SHA256Digest
    var refused: [UInt16]
  }

  private struct Voice {
    var batches: [UInt64: SHA256Digest] = [:]
    var echoes: [Instance: Word] = [:]
    var readies: [Instance: Word] = [:]
    var deliveries: [Instance: Word] = [:]
    var progress: [UInt16: UInt64] = [:]
    /// What it stood for under each number of an account, by its echoes.
    var entries: [TransferNumber: SIMD4<UInt64>] = [:]
    /// How many transfers of each account it told its clients, or other members, to be final.
    var final: [PublicKey: UInt64] = [:]
    /// How many of each account it took from clients.
    var taken: [PublicKey: UInt64] = [:]
  }

  /// The members in the order of their keys.
  private let places: [PublicKey]
  private var voices: [PublicKey: Voice] = [:]
  private var payloads: [SHA256Digest: NodeBatch] = [:]
  /// Transfers that some node told final.
  private(set) var final: [TransferNumber: SignedTransfer] = [:]
  /// Of owners who sign one transfer under each number: what some node took is final one day.
  private(set) var taken: [TransferNumber: SignedTransfer] = [:]
  /// What does not hold, a sentence each.
  private(set) var faults: [String] = []
  private(set) var sent = 0
  /// Transfers that no comparison has seen yet.
  private var unchecked: Set<TransferNumber> = []

  init(_ members: [PublicKey]) { places = members.sorted() }

  mutating func fault(_ sentence: String) { if faults.count < 20 { faults.append(sentence) } }

  // MARK: - To members

  /// A message leaves a node, which is known to itself by the table.
  mutating func sends(_ message: SecurePart.Message, _ node: PublicKey, _ peers: SharedPeerTable) {
    sent += 1
    var voice = voices[node] ?? Voice()
    voices[node] = nil
    defer { voices[node] = voice }
    func instance(_ identifier: MessageIdentifier) -> Instance {
      Instance(origin: peers.table.record(of: identifier.origin).key, sequence: identifier.sequence)
    }
    switch message {
    case .member(.bracha(.send(let batch))):
      payloads[batch.digest] = batch.payload
      let before = voice.batches.updateValue(batch.digest, forKey: batch.identifier.sequence)
      if let before, before != batch.digest {
        fault("\(node.short) sent two batches under its number \(batch.identifier.sequence)")
      }
    case .member(.bracha(.echo(let vote))):
      let (instance, word) = (instance(vote.identifier), Word(digest: vote.digest, refused: vote.refused))
      if let before = voice.echoes.updateValue(word, forKey: instance) {
        if before != word { fault("\(node.short) echoed \(instance) as \(before) and as \(word)") }
        return
      }
      guard let payload = payloads[vote.digest] else {
        return fault("\(node.short) echoed a batch that nobody sent")
      }
      for position in 0..<payload.entryCount where !vote.refused.contains(UInt16(position)) {
        let entry = payload.entry(at: position)
        let number = TransferNumber(account: entry.author, sequence: entry.sequence)
        let before = voice.entries.updateValue(entry.contents, forKey: number)
        if let before, before != entry.contents { fault("\(node.short) echoed two transfers \(number)") }
      }
    case .member(.bracha(.ready(let vote))):
      Witness.note(vote, of: instance(vote.identifier), in: &voice.readies).map {
        fault("\(node.short) was ready for \(instance(vote.identifier)) and took it back: \($0)")
      }
    case .ledger(.words(let sender, let first, let next, let words)):
      for (offset, word) in words.enumerated() {
        let instance = Instance(origin: places[Int(sender)], sequence: first + UInt64(offset))
        let word = Word(digest: word.digest, refused: word.refused)
        Witness.note(word, of: instance, in: &voice.deliveries).map {
          fault("\(node.short) delivered \(instance) and took it back: \($0)")
        }
      }
      progressed(to: next, with: sender, &voice, node)
    case .ledger(.progress(let first, let numbers)):
      for (offset, next) in numbers.enumerated() {
        progressed(to: next, with: first + UInt16(offset), &voice, node)
      }
    case .ledger(.confirmation(let number, _)):
      voice.final[number.account] = max(voice.final[number.account] ?? 0, number.sequence + 1)
    default: return
    }
  }

  private mutating func progressed(
    to next: UInt64, with sender: UInt16, _ voice: inout Voice, _ node: PublicKey
  ) {
    let before = voice.progress[sender] ?? 0
    if next < before { fault("\(node.short) had delivered \(before) batches of \(sender), and then \(next)") }
    voice.progress[sender] = max(before, next)
  }

  private static func note(
    _ vote: Vote<KeySecureAuthenticator>, of instance: Instance, in words: inout [Instance: Word]
  ) -> String? { note(Word(digest: vote.digest, refused: vote.refused), of: instance, in: &words) }

  /// What was refused before may be accepted later, and not the other way round.
  private static func note(_ word: Word, of instance: Instance, in words: inout [Instance: Word]) -> String? {
    let before = words.updateValue(word, forKey: instance)
    guard let before, before.digest != word.digest || !Set(word.refused).isSubset(of: before.refused) else {
      return nil
    }
    return "\(before), then \(word)"
  }

  // MARK: - To clients

  /// A node takes a transfer of an owner who signs one under each number.
  mutating func takes(_ transfer: SignedTransfer, _ node: PublicKey) {
    let number = transfer.transfer.number
    if taken.updateValue(transfer, forKey: number) == nil { unchecked.insert(number) }
    let before = voices[node]?.taken[number.account] ?? 0
    voices[node, default: Voice()].taken[number.account] = max(before, number.sequence + 1)
  }

  /// A node tells that a transfer is final.
  mutating func tellsFinal(_ transfer: SignedTransfer, _ node: PublicKey) {
    let number = transfer.transfer.number
    if let before = final.updateValue(transfer, forKey: number), before.transfer != transfer.transfer {
      fault("two transfers \(number) are final")
    }
    unchecked.insert(number)
    let before = voices[node]?.final[number.account] ?? 0
    voices[node, default: Voice()].final[number.account] = max(before, number.sequence + 1)
  }

  // MARK: - After a crash

  /// A node begins its next life: it must know at once what it told and took.
  mutating func begins(_ node: PublicKey, knowing keeper: LedgerKeeper?) {
    guard let voice = voices[node] else { return }
    guard let keeper else { return fault("\(node.short) has no ledger") }
    for (account, count) in voice.final where keeper.ledger[account].next < count {
      fault(
        "\(node.short) told \(count) transfers of \(account.short) final, and knows \(keeper.ledger[account].next)"
      )
    }
    for (account, count) in voice.taken where keeper.expected(of: account).next < count {
      fault(
        "\(node.short) took \(count) transfers of \(account.short), and knows \(keeper.expected(of: account).next)"
      )
    }
  }

  /// Takes what was told or taken since the last time: all nodes must have it.
  mutating func takeUnchecked() -> [SignedTransfer] {
    defer { unchecked = [] }
    return unchecked.compactMap { final[$0] ?? taken[$0] }
  }

  /// A node lost its disk: it knows nothing of what it said, and is one of those that may lie for a while.
  mutating func lost(_ node: PublicKey) { voices[node] = nil }
}
