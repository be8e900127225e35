import StarlingBroadcast
import StarlingCore

/// How a member of a ledger that was away, or is new, gets what the others delivered meanwhile, and which of them it believes.
///
/// It asks every other member for its word of what it delivered, and for the batches whoever gave a word that is confirmed. A
/// word is confirmed when b + 1 members give it, one more than may lie: then a correct one gives it, and by the broadcast's
/// agreement every correct member delivers the same under that number. The same goes for each entry. See StarlingLedger's README.
///
/// A value that sends nothing itself: what it wants done it returns.
struct CatchUp {
  typealias Batch = SignedBatch<KeySecureAuthenticator>

  /// What is to be done.
  enum Act {
    case ask(LedgerMessage, Peer)
    /// The next batch of its sender, but for the entries at these positions.
    case deliver(Batch, refused: [UInt16])
    /// A member gave what no correct one does.
    case blame(Peer)
    /// It has come as far as the others with a sender.
    case arrived
    /// It became ready for more of a batch whose instance is over.
    case vouch(Vote<KeySecureAuthenticator>)
    /// More of a batch whose instance is over is delivered: all but these.
    case complete(MessageIdentifier, refused: [UInt16])
    /// Nothing of a batch is open any more.
    case settled(MessageIdentifier)
  }

  struct Word {
    let word: DeliveryWord
    /// Whether the member will not deliver more of the batch: its instance is over there.
    let isFinal: Bool
    /// Whether it is to be asked again.
    var isStale = false
  }

  struct Number {
    /// What members said, by their places.
    var words: [Int: Word] = [:]
    /// The digest that b + 1 of them give, and since when.
    var confirmed: SHA256Digest?
    var confirmedAt = Instant.zero
    var batch: Batch?
  }

  struct Source {
    /// The number that is delivered next here.
    var next: UInt64 = 0
    /// How far other members are, by their places, where that is further.
    var reported: [Int: UInt64] = [:]
    /// How far one correct member is at least.
    var target: UInt64 = 0
    var numbers: [UInt64: Number] = [:]
    /// Since when it stands where it stands.
    var standsSince = Instant.zero
    /// What was next when others were first seen to be further, and when that was.
    var gap: (next: UInt64, since: Instant)?
  }

  struct Ask {
    let range: HistoryRange
    let isForBatches: Bool
    let sentAt: Instant
  }

  /// How many numbers are looked ahead: words, and batches (guesses: a round trip's worth of small batches; 4 MB of large ones).
  static let (wordWindow, batchWindow): (UInt64, UInt64) = (128, 64)
  /// How many batches are asked for at once.
  static let rangeLimit: UInt64 = 16
  /// How many questions of each kind a member is asked at once (a guess: its link stays busy).
  static let openLimit = 4
  /// With how many senders it catches up at once.
  static let activeLimit = 4
  /// How long an answer may take (a guess).
  static let patience = Interval.seconds(3)
  /// For how long a member is not asked that said nothing, or that it cannot now (guesses). Its word may be needed.
  static let (silenceRest, busyRest): (Interval, Interval) = (.seconds(5), .milliseconds(500))
  /// For how long a member is not asked for batches that gave a wrong one, nor one that gave none in time unless all that have
  /// the batch were so: they may all have lost power (a guess).
  static let passingOver = Interval.seconds(60)
  /// For how long entries may be completed that some members refuse (a guess: many round trips).
  static let disputePatience = Interval.seconds(5)
  /// After how long what is disputed is asked for again, and at last (guesses: what others lack is told within seconds).
  static let (firstDisputeInterval, lastDisputeInterval): (Interval, Interval) = (.seconds(1), .seconds(64))
  /// How many batches may be disputed: some 3 MB. Each takes two transfers under one number, from an account that is blocked by
  /// them, or a sender that lies.
  static let disputeLimit = 16_384
  /// For how long it may stand still with a sender where others are further, before it asks for history: a broadcast takes less.
  static let standstill = Interval.seconds(3)
  /// How far others may be ahead without that: half of the broadcast's window.
  let slack: UInt64
  /// How many delivered instances of a sender live on at a member.
  let kept: UInt64
  /// b.
  let byzantine: Int
  /// All members in the order of the genesis, and which of them this is.
  let members: [Peer]
  let own: Int
  private let places: [Peer: Int]
  private(set) var sources: [Source]
  /// With which senders it is behind, in turn.
  private var lagging: [Int] = []
  /// What each member was asked and has not answered.
  private(set) var asks: [[Ask]]
  /// Until when members are not asked for anything.
  private(set) var rests: [Int: Instant] = [:]
  /// Until when members are not asked for batches, and until when only if no other is left.
  private var (passedOver, silent): ([Int: Instant], [Int: Instant]) = ([:], [:])
  /// Who has told how far it is.
  private var heard: Set<Int> = []
  /// What was delivered here without some of its entries.
  var disputes: [MessageIdentifier: Dispute] = [:]
  /// The size of batches lately, so that no more are asked for than fit an answer.
  private var batchBytes = 1
  private var nextProgress = Instant.zero
  private var progressInterval = CatchUp.firstProgressInterval
  /// How often members are asked how far they are: soon at first, or after something was missed; at last now and then, lest
  /// a loss goes unnoticed while nobody says anything (guesses).
  private static let (firstProgressInterval, lastProgressInterval): (Interval, Interval) = (
    .seconds(2), .seconds(30)
  )

  /// - Parameters:
  ///   - members: all, in the order of the genesis.
  ///   - own: this one's place.
  ///   - byzantine: b, how many may lie.
  ///   - ordered: the broadcast's bounds.
  init(members: [Peer], own: Int, byzantine: Int, ordered: OrderedBroadcastConfiguration) {
    self.members = members
    self.own = own
    self.byzantine = byzantine
    slack = UInt64(ordered.window / 2)
    kept = UInt64(ordered.kept)
    places = Dictionary(uniqueKeysWithValues: members.enumerated().map { ($0.element, $0.offset) })
    sources = Array(repeating: Source(), count: members.count)
    asks = Array(repeating: [], count: members.count)
  }

  /// A member's place.
  func place(of member: Peer) -> Int? { places[member] }

  /// How far correct members are with this one's own batches, at least.
  var ownTarget: UInt64 { sources[own].target }

  /// Whether it is catching up.
  var isBehind: Bool { !lagging.isEmpty }

  /// What is delivered next of a sender now.
  mutating func passed(_ sender: Int, to next: UInt64, at now: Instant) {
    guard next > sources[sender].next else { return }
    for number in sources[sender].numbers.keys where number < next { sources[sender].numbers[number] = nil }
    sources[sender].next = next
    sources[sender].standsSince = now
  }

  /// Something was missed: others are asked soon how far they are.
  mutating func noteBehind() {
    progressInterval = CatchUp.firstProgressInterval
    nextProgress = .zero
  }
}

// MARK: - What members say

extension CatchUp {
  /// Takes how far a member is.
  mutating func take(progress numbers: [UInt64], from first: Int, of member: Peer) {
    guard let place = places[member], place != own, first + numbers.count <= sources.count else { return }
    for (offset, next) in numbers.enumerated() { report(next, of: first + offset, by: place) }
    heard.insert(place)
  }

  private mutating func report(_ next: UInt64, of sender: Int, by place: Int) {
    sources[sender].reported[place] = next > sources[sender].next ? next : nil
    if lagging.contains(sender) { sources[sender].target = max(sources[sender].target, target(of: sender)) }
  }

  /// The number that b + 1 members have reached.
  private func target(of sender: Int) -> UInt64 {
    let reports = sources[sender].reported.values.sorted(by: >)
    return reports.count > byzantine ? reports[byzantine] : 0
  }

  /// Takes what a member says that it delivered. What was not asked for is dropped.
  mutating func take(
    words: [DeliveryWord], of sender: UInt16, from first: UInt64, next: UInt64, by member: Peer,
    at now: Instant
  ) {
    guard let (place, ask) = answered(by: member, sender, first, isForBatches: false) else { return }
    report(next, of: Int(sender), by: place)
    if words.isEmpty { rest(place, for: CatchUp.busyRest, at: now) }
    for (offset, word) in words.prefix(Int(ask.range.count)).enumerated() {
      let number = first + UInt64(offset)
      guard number < next else { continue }
      note(word, of: MessageIdentifier(origin: members[Int(sender)], sequence: number), by: place)
      guard number >= sources[Int(sender)].next else { continue }
      var entry = sources[Int(sender)].numbers[number] ?? Number()
      entry.words[place] = Word(word: word, isFinal: next - number > kept)
      if entry.confirmed == nil,
        entry.words.values.count(where: { $0.word.digest == word.digest }) > byzantine
      {
        entry.confirmed = word.digest
        entry.confirmedAt = now
      }
      sources[Int(sender)].numbers[number] = entry
    }
  }

  /// Takes batches. One that is not what is confirmed makes its giver a liar.
  mutating func take(
    batches: [CarriedBatch], of sender: UInt16, from first: UInt64, by member: Peer, at now: Instant,
    isSigned: (Batch) -> Bool
  ) -> [Act] {
    guard let (place, ask) = answered(by: member, sender, first, isForBatches: true) else { return [] }
    if batches.isEmpty { rest(place, for: CatchUp.busyRest, at: now) }
    for (offset, carried) in batches.prefix(Int(ask.range.count)).enumerated() {
      let number = first + UInt64(offset)
      guard let entry = sources[Int(sender)].numbers[number], let confirmed = entry.confirmed else {
        continue
      }
      if entry.batch != nil { continue }
      let identifier = MessageIdentifier(origin: members[Int(sender)], sequence: number)
      guard SHA256.hash(carried.encoded) == confirmed, let payload = try? NodeBatch(encoded: carried.encoded)
      else { return lied(place, at: now) }
      let batch = Batch(identifier: identifier, payload: payload, signature: carried.signature, hops: 1)
      guard isSigned(batch) else { return lied(place, at: now) }
      batchBytes = max(carried.encoded.count, batchBytes / 2)
      sources[Int(sender)].numbers[number]?.batch = batch
    }
    return []
  }

  private mutating func lied(_ place: Int, at now: Instant) -> [Act] {
    passedOver[place] = now + CatchUp.passingOver
    return [.blame(members[place])]
  }

  private mutating func rest(_ place: Int, for interval: Interval, at now: Instant) {
    rests[place] = max(rests[place] ?? .zero, now + interval)
  }

  private mutating func answered(
    by member: Peer, _ sender: UInt16, _ first: UInt64, isForBatches: Bool
  ) -> (place: Int, ask: Ask)? {
    guard let place = places[member],
      let index = asks[place].firstIndex(where: {
        $0.range.sender == sender && $0.range.from == first && $0.isForBatches == isForBatches
      })
    else { return nil }
    return (place, asks[place].remove(at: index))
  }
}

// MARK: - What is done

extension CatchUp {
  /// Does what is due: once a second.
  mutating func tick(at now: Instant) -> [Act] {
    for place in members.indices {
      let late = asks[place].filter { now - $0.sentAt >= CatchUp.patience }
      if late.isEmpty { continue }
      asks[place].removeAll { now - $0.sentAt >= CatchUp.patience }
      rest(place, for: CatchUp.silenceRest, at: now)
      if late.contains(where: \.isForBatches) { silent[place] = now + CatchUp.passingOver }
    }
    for sender in sources.indices { evaluate(sender, at: now) }
    for sender in active { askDisputedAgain(of: sender, at: now) }
    // One that does not get on makes room for another.
    if lagging.count > CatchUp.activeLimit,
      let index = lagging.prefix(CatchUp.activeLimit).firstIndex(where: {
        now - sources[$0].standsSince >= CatchUp.disputePatience * 2
      })
    {
      let sender = lagging.remove(at: index)
      sources[sender].numbers = [:]
      lagging.append(sender)
    }
    return askProgress(at: now)
  }

  private mutating func askProgress(at now: Instant) -> [Act] {
    guard nextProgress <= now else { return [] }
    nextProgress = now + progressInterval
    let isSure = heard.count >= members.count - 1 - byzantine && !isBehind
    progressInterval = min(
      progressInterval * 2, isSure ? CatchUp.lastProgressInterval : CatchUp.firstProgressInterval * 2)
    var acts: [Act] = []
    for (place, member) in members.enumerated() where place != own {
      for first in stride(from: 0, to: members.count, by: LedgerMessage.progressLimit) {
        acts.append(.ask(.askProgress(from: UInt16(first)), member))
      }
    }
    return acts
  }

  /// Sees whether it is behind with a sender: by more than votes will make good, or standing still.
  private mutating func evaluate(_ sender: Int, at now: Instant) {
    if sources[sender].reported.isEmpty { return }
    let next = sources[sender].next
    sources[sender].reported = sources[sender].reported.filter { $0.value > next }
    sources[sender].target = max(sources[sender].target, target(of: sender))
    guard !lagging.contains(sender), sources[sender].target > next else { return }
    if sources[sender].gap?.next != next { sources[sender].gap = (next, now) }
    let standsFor = now - (sources[sender].gap?.since ?? now)
    if sources[sender].target > next + slack || standsFor >= CatchUp.standstill {
      lagging.append(sender)
      sources[sender].standsSince = now
    }
  }

  private var active: ArraySlice<Int> { lagging.prefix(CatchUp.activeLimit) }

  /// Entries that some refuse may be completed there meanwhile.
  private mutating func askDisputedAgain(of sender: Int, at now: Instant) {
    let next = sources[sender].next
    guard let first = sources[sender].numbers[next], first.batch != nil else { return }
    for number in next..<next + CatchUp.batchWindow {
      guard var entry = sources[sender].numbers[number] else { continue }
      for (place, word) in entry.words where !word.isFinal && !word.word.refused.isEmpty {
        entry.words[place]?.isStale = true
      }
      sources[sender].numbers[number] = entry
    }
  }

  /// Delivers what can be, and asks for more.
  ///
  /// - Parameter isApplied: whether the transfer of an account with a number was applied here: then what becomes of it
  ///   elsewhere does not matter.
  mutating func proceed(at now: Instant, isApplied: (PublicKey, UInt64) -> Bool) -> [Act] {
    var acts: [Act] = []
    for sender in active {
      while let (batch, refused) = takeNext(of: sender, at: now, isApplied: isApplied) {
        acts.append(.deliver(batch, refused: refused))
      }
    }
    let arrived = lagging.filter { sources[$0].next >= sources[$0].target }
    for sender in arrived { sources[sender].numbers = [:] }
    if !arrived.isEmpty {
      lagging.removeAll { arrived.contains($0) }
      acts.append(.arrived)
      noteBehind()
    }
    for place in members.indices where place != own && (rests[place] ?? .zero) <= now {
      acts += askWords(of: place, at: now)
    }
    return acts + askBatches(at: now)
  }

  private mutating func takeNext(
    of sender: Int, at now: Instant, isApplied: (PublicKey, UInt64) -> Bool
  ) -> (Batch, [UInt16])? {
    let next = sources[sender].next
    guard next < sources[sender].target, let number = sources[sender].numbers[next], let batch = number.batch,
      let refused = refusals(in: batch, number, at: now, isApplied: isApplied)
    else { return nil }
    passed(sender, to: next + 1, at: now)
    return (batch, refused)
  }

  /// Which entries are not delivered; `nil` while that is not known.
  ///
  /// b + 1 members that delivered an entry include a correct one, so all correct ones will. b + 1 that never will include a
  /// correct one too. Who may yet deliver it is asked again, for a while; what is completed after that is told by votes, since
  /// the instance lives on. An entry that was applied here was delivered in another batch, which everybody delivers.
  private func refusals(
    in batch: Batch, _ number: Number, at now: Instant, isApplied: (PublicKey, UInt64) -> Bool
  ) -> [UInt16]? {
    let words = number.words.values.filter { $0.word.digest == batch.digest }
    if words.count(where: \.word.refused.isEmpty) > byzantine { return [] }
    var against: [UInt16: (all: Int, final: Int)] = [:]
    for word in words {
      for position in word.word.refused where position < batch.payload.entryCount {
        let before = against[position] ?? (0, 0)
        against[position] = (before.all + 1, before.final + (word.isFinal ? 1 : 0))
      }
    }
    var refused: [UInt16] = []
    let isWaitOver = now - number.confirmedAt >= CatchUp.disputePatience
    for (position, count) in against where words.count - count.all <= byzantine {
      let name = batch.payload.name(ofEntryAt: Int(position))
      guard
        count.final > byzantine || (isWaitOver && count.all > byzantine)
          || isApplied(name.author, name.sequence)
      else { return nil }
      refused.append(position)
    }
    return words.count > byzantine ? refused.sorted() : nil
  }

  private mutating func askWords(of place: Int, at now: Instant) -> [Act] {
    var acts: [Act] = []
    for sender in active {
      let mine = asks[place].filter { !$0.isForBatches }
      guard mine.count < CatchUp.openLimit else { break }
      guard !mine.contains(where: { Int($0.range.sender) == sender }),
        let reported = sources[sender].reported[place]
      else { continue }
      let next = sources[sender].next
      let end = min(reported, next + CatchUp.wordWindow)
      guard next < end,
        let first = (next..<end).first(where: { number in
          sources[sender].numbers[number]?.words[place].map(\.isStale) ?? true
        })
      else { continue }
      acts.append(ask(sender, first..<end, of: place, isForBatches: false, at: now))
    }
    return acts
  }

  private mutating func askBatches(at now: Instant) -> [Act] {
    var acts: [Act] = []
    var open = asks.map { $0.count(where: \.isForBatches) }
    let range = max(1, min(CatchUp.rangeLimit, UInt64(LedgerMessage.answerBytes / batchBytes)))
    for sender in active {
      var number = sources[sender].next
      let end = min(sources[sender].target, number + CatchUp.batchWindow)
      let asked = asks.joined().filter { $0.isForBatches && Int($0.range.sender) == sender }
      func isWanted(_ number: UInt64) -> Bool {
        guard let entry = sources[sender].numbers[number], entry.confirmed != nil, entry.batch == nil else {
          return false
        }
        return !asked.contains { number >= $0.range.from && number - $0.range.from < UInt64($0.range.count) }
      }
      while number < end {
        guard isWanted(number), let entry = sources[sender].numbers[number],
          let giver = givers(of: entry, at: now)
            .filter({ open[$0] < CatchUp.openLimit && (rests[$0] ?? .zero) <= now })
            .min(by: { open[$0] < open[$1] })
        else {
          number += 1
          continue
        }
        var last = number + 1
        while last < end, last - number < range, isWanted(last),
          let next = sources[sender].numbers[last], next.words[giver]?.word.digest == next.confirmed
        { last += 1 }
        open[giver] += 1
        acts.append(ask(sender, number..<last, of: giver, isForBatches: true, at: now))
        number = last
      }
    }
    return acts
  }

  /// Who may be asked for a batch.
  private func givers(of entry: Number, at now: Instant) -> [Int] {
    let all = members.indices.filter {
      $0 != own && entry.words[$0]?.word.digest == entry.confirmed && (passedOver[$0] ?? .zero) <= now
    }
    let prompt = all.filter { (silent[$0] ?? .zero) <= now }
    return prompt.isEmpty ? all : prompt
  }

  mutating func ask(
    _ sender: Int, _ numbers: Range<UInt64>, of place: Int, isForBatches: Bool, at now: Instant
  ) -> Act {
    let range = HistoryRange(
      sender: UInt16(sender), from: numbers.lowerBound, count: UInt16(numbers.count))
    asks[place].append(Ask(range: range, isForBatches: isForBatches, sentAt: now))
    return .ask(isForBatches ? .askBatches(range) : .askWords(range), members[place])
  }
}
