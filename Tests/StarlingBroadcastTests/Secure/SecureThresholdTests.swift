import StarlingCore
import StarlingTestSupport
import Testing

@testable import StarlingBroadcast

private typealias IdealVote = Vote<IdealSecureAuthenticator>
private typealias IdealBatch = SignedBatch<IdealSecureAuthenticator>

/// Every threshold is met by just as many votes as it says, and not by one fewer; and each rule of counting holds.
@Suite("Secure broadcast: thresholds, one vote at a time")
struct SecureThresholdTests {
  /// So many processes that samples of ten are of distinct ones, and different from each other.
  private static let nodes = 1_000_000
  private static let parameters = SecureBroadcastParameters(
    gossip: 1, echo: 10, echoThreshold: 7, ready: 10, readyThreshold: 4, delivery: 10, deliveryThreshold: 6)
  private static let own = Peer(1_000)
  private static let sender = Peer(2_000)
  private static let subscriber = Peer(3_000)

  private func batch(_ number: UInt32, sequence: UInt64 = 0, entries: [BatchEntry<UInt32, UInt32>] = [])
    -> IdealBatch
  {
    let auth = IdealSecureAuthenticator(owner: Self.sender)
    let identifier = MessageIdentifier(origin: Self.sender, sequence: sequence)
    let payload = SyntheticBatch(number: number, byteCount: 100, entries: entries)
    return IdealBatch(
      identifier: identifier, payload: payload,
      signature: auth.sign(auth.digest(of: payload), as: identifier), hops: 1)
  }

  private func vote(_ batch: IdealBatch, refused: [UInt16] = []) -> IdealVote {
    IdealVote(
      identifier: batch.identifier, digest: batch.digest, signature: batch.signature, refused: refused,
      hops: 2)
  }

  private func oneEntryEach(_ count: Int) -> [BatchEntry<UInt32, UInt32>] {
    (0..<UInt32(count)).map { BatchEntry(author: $0, sequence: 1, contents: 1) }
  }

  private func delivered(_ indications: [SecureIndication<IdealSecureAuthenticator>]) -> [UInt32] {
    indications.compactMap { if case .delivered(let batch, _) = $0 { batch.payload.number } else { nil } }
  }

  private func accused(_ indications: [SecureIndication<IdealSecureAuthenticator>]) -> [Misbehaviour] {
    indications.compactMap { if case .misbehaved(_, let what) = $0 { what } else { nil } }
  }

  // MARK: Echo Broadcast

  private func echo(_ parameters: SecureBroadcastParameters = Self.parameters, of nodes: Int = Self.nodes)
    -> (IdealEcho, RecordingEffects<IdealEcho>)
  {
    var process = IdealEcho(
      identity: Self.own, auth: IdealSecureAuthenticator(owner: Self.own),
      oracle: NumberedMembership(population: nodes), parameters: parameters,
      entries: EntryLog(authorLimit: 100, windowLimit: 16))
    var effects = RecordingEffects(IdealEcho.self, random: testRandom())
    process.start(at: .zero, into: &effects)
    effects.clear()
    return (process, effects)
  }

  @Test("Ê echoes deliver and Ê − 1 do not; those of strangers and of other batches count for nothing")
  func echoThreshold() throws {
    var (process, effects) = echo()
    let batch = batch(1)
    let sample = try #require(process.sample).members
    #expect(sample.count == 10, "\(replay)")
    process.receive(.gossip(.gossip(batch)), from: Self.sender, at: .zero, into: &effects)
    for stranger in 0..<20 {
      process.receive(.echo(vote(batch)), from: Peer(5_000 + stranger), at: .zero, into: &effects)
    }
    for member in sample[7...] {
      process.receive(.echo(vote(self.batch(2))), from: member, at: .zero, into: &effects)
    }
    for count in 1...7 {
      #expect(delivered(effects.indications) == [], "after \(count - 1)")
      process.receive(.echo(vote(batch)), from: sample[count - 1], at: .zero, into: &effects)
      // Saying it again is saying it once.
      process.receive(.echo(vote(batch)), from: sample[0], at: .zero, into: &effects)
      // Nor may one who echoed it echo another.
      process.receive(.echo(vote(self.batch(2))), from: sample[count - 1], at: .zero, into: &effects)
    }
    #expect(delivered(effects.indications) == [1])
  }

  @Test("Nothing is delivered that this process did not echo itself")
  func echoOwn() throws {
    var (process, effects) = echo()
    let sample = try #require(process.sample).members
    for member in sample {
      process.receive(.echo(vote(batch(1))), from: member, at: .zero, into: &effects)
    }
    #expect(delivered(effects.indications) == [])
    process.receive(.gossip(.gossip(batch(2))), from: Self.sender, at: .zero, into: &effects)
    process.receive(.gossip(.gossip(batch(1))), from: Self.sender, at: .zero, into: &effects)
    #expect(delivered(effects.indications) == [], "it echoed the other")
    var (other, others) = echo()
    for member in sample { other.receive(.echo(vote(batch(1))), from: member, at: .zero, into: &others) }
    other.receive(.gossip(.gossip(batch(1))), from: Self.sender, at: .zero, into: &others)
    #expect(delivered(others.indications) == [1], "echoes that came before the batch count")
  }

  @Test("Who was drawn twice counts twice")
  func multiplicity() throws {
    var (process, effects) = echo(of: 4)
    let sample = try #require(process.sample)
    let batch = batch(1)
    #expect(sample.members.indices.reduce(0) { $0 + sample.multiplicity(at: $1) } == 10)
    process.receive(.gossip(.gossip(batch)), from: Self.sender, at: .zero, into: &effects)
    var weight = 0
    for (position, member) in sample.members.enumerated() {
      #expect(delivered(effects.indications).isEmpty == (weight < 7), "\(weight); \(replay)")
      process.receive(.echo(vote(batch)), from: member, at: .zero, into: &effects)
      weight += sample.multiplicity(at: position)
    }
    #expect(delivered(effects.indications) == [1])
  }

  @Test("An entry is delivered when Ê echoes accept it, and by one fewer it is not")
  func entryThreshold() throws {
    var (process, effects) = echo()
    let sample = try #require(process.sample).members
    let batch = batch(1, entries: oneEntryEach(3))
    process.receive(.gossip(.gossip(batch)), from: Self.sender, at: .zero, into: &effects)
    for member in sample[..<7] {
      process.receive(
        .echo(vote(batch, refused: member == sample[0] ? [1] : [])), from: member, at: .zero, into: &effects)
    }
    guard case .delivered(_, let refused) = effects.indications.last else {
      Issue.record("not delivered")
      return
    }
    #expect(refused == [1], "six accept it")
    process.receive(.echo(vote(batch, refused: [1])), from: sample[7], at: .zero, into: &effects)
    #expect(unlogged(effects.indications).count == 1, "six still")
    // Who has refused may accept later, and whoever then refuses more is not heard.
    process.receive(.echo(vote(batch)), from: sample[7], at: .zero, into: &effects)
    guard case .delivered(_, let now) = effects.indications.last else { return }
    #expect(now == [] && unlogged(effects.indications).count == 2)
    process.receive(.echo(vote(batch, refused: [0, 1, 2])), from: sample[7], at: .zero, into: &effects)
    #expect(unlogged(effects.indications).count == 2)
  }

  @Test("A batch's own conflicts are refused though everybody else accepts them, and told in the echo")
  func ownConflicts() throws {
    var (process, effects) = echo()
    let sample = try #require(process.sample).members
    process.receive(.subscribe, from: Self.subscriber, at: .zero, into: &effects)
    let first = batch(1, sequence: 0, entries: [BatchEntry(author: 7, sequence: 1, contents: 1)])
    let second = batch(
      2, sequence: 1,
      entries: [
        BatchEntry(author: 8, sequence: 1, contents: 1), BatchEntry(author: 7, sequence: 1, contents: 2),
      ])
    process.receive(.gossip(.gossip(first)), from: Self.sender, at: .zero, into: &effects)
    process.receive(.gossip(.gossip(second)), from: Self.sender, at: .zero, into: &effects)
    let told = effects.sent.compactMap { message, _ in
      if case .echo(let vote) = message { vote.refused } else { nil }
    }
    #expect(told == [[], [1]])
    for member in sample { process.receive(.echo(vote(second)), from: member, at: .zero, into: &effects) }
    guard case .delivered(_, let refused) = effects.indications.last else {
      Issue.record("not delivered")
      return
    }
    #expect(refused == [1])
  }

  // MARK: Ready Broadcast

  private func ready(_ parameters: SecureBroadcastParameters = Self.parameters) throws -> (
    process: IdealReady, effects: RecordingEffects<IdealReady>, ready: [Peer], delivery: [Peer]
  ) {
    var process = IdealReady(
      identity: Self.own, auth: IdealSecureAuthenticator(owner: Self.own),
      oracle: NumberedMembership(population: Self.nodes), parameters: parameters,
      entries: EntryLog(authorLimit: 100, windowLimit: 16))
    var effects = RecordingEffects(IdealReady.self, random: testRandom())
    process.start(at: .zero, into: &effects)
    process.receive(.subscribe, from: Self.subscriber, at: .zero, into: &effects)
    effects.clear()
    let ready = try #require(process.readySample).members
    let delivery = try #require(process.deliverySample).members
    #expect(ready.count == 10 && delivery.count == 10 && Set(ready).isDisjoint(with: delivery), "\(replay)")
    return (process, effects, ready, delivery)
  }

  private func told(_ effects: RecordingEffects<IdealReady>) -> [UInt64] {
    effects.sent.compactMap { message, peer in
      if case .ready(let vote) = message, peer == Self.subscriber { vote.digest } else { nil }
    }
  }

  @Test("R̂ who are ready make ready and R̂ − 1 do not, once; those of the delivery sample alone do not")
  func readyThreshold() throws {
    var (process, effects, ready, delivery) = try ready()
    let (batch, other) = (batch(1), batch(2))
    for member in delivery { process.receive(.ready(vote(batch)), from: member, at: .zero, into: &effects) }
    #expect(told(effects) == [])
    for member in ready[..<3] {
      process.receive(.ready(vote(batch)), from: member, at: .zero, into: &effects)
      process.receive(.ready(vote(batch)), from: member, at: .zero, into: &effects)
    }
    #expect(told(effects) == [], "three of four")
    #expect(!process.isReady(for: batch.identifier))
    for member in ready[3...] {
      process.receive(.ready(vote(batch)), from: member, at: .zero, into: &effects)
      #expect(told(effects) == [batch.digest], "with the fourth, and never again")
    }
    // The thesis's line 52 without "and not already ready for it": pcb.Deliver finds it ready.
    let echoes = try #require(process.echo.sample).members
    process.receive(.echo(.gossip(.gossip(batch))), from: Self.sender, at: .zero, into: &effects)
    for member in echoes {
      process.receive(.echo(.echo(vote(batch))), from: member, at: .zero, into: &effects)
    }
    #expect(told(effects) == [batch.digest])
    // It may become ready for another: else who pcb.Delivered one would stop the contagion of the other.
    for member in ready[..<4] {
      process.receive(.ready(vote(other)), from: member, at: .zero, into: &effects)
    }
    #expect(told(effects) == [batch.digest, other.digest])
  }

  @Test("Who pcb.Delivers a batch is ready for it, and is not made ready again by others")
  func readyByDelivery() throws {
    var (process, effects, ready, _) = try ready()
    let batch = batch(1)
    let echoes = try #require(process.echo.sample).members
    process.receive(.echo(.gossip(.gossip(batch))), from: Self.sender, at: .zero, into: &effects)
    for member in echoes[..<6] {
      process.receive(.echo(.echo(vote(batch))), from: member, at: .zero, into: &effects)
    }
    #expect(told(effects) == [])
    process.receive(.echo(.echo(vote(batch))), from: echoes[6], at: .zero, into: &effects)
    #expect(told(effects) == [batch.digest])
    for member in ready { process.receive(.ready(vote(batch)), from: member, at: .zero, into: &effects) }
    #expect(told(effects) == [batch.digest])
    #expect(delivered(effects.indications) == [], "echoes do not deliver")
  }

  @Test("D̂ who are ready deliver and D̂ − 1 do not: the batch that met the threshold, not the one it echoed")
  func deliveryThreshold() throws {
    var (process, effects, ready, delivery) = try ready()
    let (echoed, chosen) = (batch(1), batch(2))
    process.receive(.echo(.gossip(.gossip(echoed))), from: Self.sender, at: .zero, into: &effects)
    for member in try #require(process.echo.sample).members {
      process.receive(.echo(.echo(vote(echoed))), from: member, at: .zero, into: &effects)
    }
    for member in ready { process.receive(.ready(vote(chosen)), from: member, at: .zero, into: &effects) }
    for member in delivery[..<5] {
      process.receive(.ready(vote(chosen)), from: member, at: .zero, into: &effects)
    }
    #expect(effects.timers.isEmpty, "five of six choose nothing")
    process.receive(.supply(chosen), from: delivery[0], at: .zero, into: &effects)
    #expect(delivered(effects.indications) == [])
    process.receive(.ready(vote(chosen)), from: delivery[5], at: .zero, into: &effects)
    #expect(effects.timers.count == 1, "the sixth does, and the batch is fetched")
    process.receive(.supply(echoed), from: delivery[0], at: .zero, into: &effects)
    #expect(delivered(effects.indications) == [])
    process.receive(.supply(chosen), from: delivery[0], at: .zero, into: &effects)
    #expect(delivered(effects.indications) == [2])
    // The first stays: another batch that meets the threshold later is not delivered.
    for member in delivery {
      process.receive(.ready(vote(echoed)), from: member, at: .zero, into: &effects)
    }
    #expect(delivered(effects.indications) == [2])
  }

  @Test("An entry is delivered by D̂ who are ready for it, and makes ready by R̂, and not by one fewer")
  func readyEntries() throws {
    var (process, effects, ready, delivery) = try ready()
    let batch = batch(1, entries: oneEntryEach(2))
    for member in ready[..<4] {
      process.receive(
        .ready(vote(batch, refused: member == ready[0] ? [1] : [])), from: member, at: .zero, into: &effects)
    }
    for member in delivery[..<6] {
      process.receive(
        .ready(vote(batch, refused: member == delivery[0] ? [0] : [])), from: member, at: .zero,
        into: &effects)
    }
    process.receive(.supply(batch), from: delivery[0], at: .zero, into: &effects)
    func refusals() -> [[UInt16]] {
      effects.sent.compactMap { message, _ in if case .ready(let vote) = message { vote.refused } else { nil }
      }
    }
    func lacking() -> [[UInt16]] {
      effects.indications.compactMap { if case .delivered(_, let refused) = $0 { refused } else { nil } }
    }
    #expect(refusals() == [[1]] && lacking() == [[0]])
    process.receive(.ready(vote(batch)), from: ready[0], at: .zero, into: &effects)
    process.receive(.ready(vote(batch)), from: delivery[0], at: .zero, into: &effects)
    #expect(refusals() == [[1], []] && lacking() == [[0], []], "ready for more, and said again")
  }

  @Test("A member's readiness is recorded for two batches, and its third is not even checked")
  func twoBatches() throws {
    var (process, effects, ready, _) = try ready()
    for number in 1...3 as ClosedRange<UInt32> {
      for member in ready[..<3] {
        process.receive(.ready(vote(batch(number))), from: member, at: .zero, into: &effects)
      }
    }
    #expect(process.signatureChecks == 2)
    for number in 1...3 as ClosedRange<UInt32> {
      process.receive(.ready(vote(batch(number))), from: ready[3], at: .zero, into: &effects)
    }
    #expect(told(effects) == [batch(1).digest, batch(2).digest])
  }

  @Test("A request for a batch is answered to subscribers alone, and to each once")
  func fetchOnce() throws {
    var (process, effects, _, _) = try ready()
    let batch = batch(1)
    process.receive(.echo(.gossip(.gossip(batch))), from: Self.sender, at: .zero, into: &effects)
    for member in try #require(process.echo.sample).members {
      process.receive(.echo(.echo(vote(batch))), from: member, at: .zero, into: &effects)
    }
    effects.clear()
    for peer in [Peer(9), Self.subscriber, Self.subscriber] {
      process.receive(.fetch(batch.identifier, batch.digest), from: peer, at: .zero, into: &effects)
    }
    #expect(effects.sent.map(\.to) == [Self.subscriber])
  }

  // MARK: Bracha's broadcast

  private func bracha(byzantine: Int = 5) -> (IdealBracha, RecordingEffects<IdealBracha>) {
    let process = IdealBracha(
      identity: Peer(0), auth: IdealSecureAuthenticator(owner: Peer(0)),
      members: MultisetSample(all: NumberedMembership(population: 16)), byzantine: byzantine,
      entries: EntryLog(authorLimit: 100, windowLimit: 16))
    return (process, RecordingEffects(IdealBracha.self, random: testRandom()))
  }

  private func quorumBatch(_ number: UInt32, entries: [BatchEntry<UInt32, UInt32>] = []) -> IdealBatch {
    let auth = IdealSecureAuthenticator(owner: Peer(15))
    let identifier = MessageIdentifier(origin: Peer(15), sequence: 0)
    let payload = SyntheticBatch(number: number, byteCount: 100, entries: entries)
    return IdealBatch(
      identifier: identifier, payload: payload,
      signature: auth.sign(auth.digest(of: payload), as: identifier), hops: 1)
  }

  private func readies(_ effects: RecordingEffects<IdealBracha>) -> Int {
    effects.sent.count { if case .ready = $0.message { true } else { false } }
  }

  @Test("⌈(N + f + 1)/2⌉ echoes make ready, and one fewer do not", arguments: [(5, 11), (4, 11), (3, 10)])
  func brachaEchoes(byzantine: Int, threshold: Int) {
    var (process, effects) = bracha(byzantine: byzantine)
    let batch = quorumBatch(1)
    for peer in 1..<threshold {
      process.receive(.echo(vote(batch)), from: Peer(peer), at: .zero, into: &effects)
      process.receive(.echo(vote(batch)), from: Peer(peer), at: .zero, into: &effects)
    }
    #expect(readies(effects) == 0)
    process.receive(.echo(vote(batch)), from: Peer(threshold), at: .zero, into: &effects)
    #expect(readies(effects) == 15)
    process.receive(.echo(vote(batch)), from: Peer(15), at: .zero, into: &effects)
    #expect(readies(effects) == 15)
  }

  @Test("f + 1 who are ready make ready, 2f + 1 deliver, and one fewer do not; the own voice counts")
  func brachaReadies() {
    var (process, effects) = bracha()
    let batch = quorumBatch(1)
    for peer in 1...5 {
      process.receive(.ready(vote(batch)), from: Peer(peer), at: .zero, into: &effects)
      process.receive(.ready(vote(batch)), from: Peer(peer), at: .zero, into: &effects)
    }
    #expect(readies(effects) == 0)
    process.receive(.ready(vote(batch)), from: Peer(6), at: .zero, into: &effects)
    #expect(readies(effects) == 15)
    // Seven with its own; eleven are needed.
    for peer in 7...9 { process.receive(.ready(vote(batch)), from: Peer(peer), at: .zero, into: &effects) }
    #expect(effects.timers.isEmpty, "ten choose nothing")
    process.receive(.ready(vote(batch)), from: Peer(10), at: .zero, into: &effects)
    #expect(effects.timers.count == 1)
    process.receive(.supply(quorumBatch(2)), from: Peer(3), at: .zero, into: &effects)
    #expect(delivered(effects.indications) == [])
    process.receive(.supply(batch), from: Peer(3), at: .zero, into: &effects)
    #expect(delivered(effects.indications) == [1])
    #expect(readies(effects) == 15, "once")
  }

  @Test("A process echoes the first batch of an instance alone, from its sender alone, and is ready for one")
  func brachaOnce() {
    var (process, effects) = bracha()
    func echoes() -> Int { effects.sent.count { if case .echo = $0.message { true } else { false } } }
    process.receive(.send(quorumBatch(1)), from: Peer(14), at: .zero, into: &effects)
    #expect(echoes() == 0)
    process.receive(.send(quorumBatch(1)), from: Peer(15), at: .zero, into: &effects)
    process.receive(.send(quorumBatch(2)), from: Peer(15), at: .zero, into: &effects)
    #expect(echoes() == 15)
    for number in [1, 2] as [UInt32] {
      for peer in (number == 1 ? 1...6 : 7...12) {
        process.receive(.ready(vote(quorumBatch(number))), from: Peer(peer), at: .zero, into: &effects)
      }
    }
    #expect(readies(effects) == 15)
    // One voice each: those who were ready for the first are not heard for the second.
    for peer in 1...6 {
      process.receive(.ready(vote(quorumBatch(2))), from: Peer(peer), at: .zero, into: &effects)
    }
    #expect(effects.timers.isEmpty)
    for peer in 1...10 {
      process.receive(.echo(vote(quorumBatch(1))), from: Peer(peer), at: .zero, into: &effects)
      process.receive(.echo(vote(quorumBatch(2))), from: Peer(peer), at: .zero, into: &effects)
    }
    let checks = process.signatureChecks
    process.receive(.echo(vote(quorumBatch(3))), from: Peer(1), at: .zero, into: &effects)
    #expect(process.signatureChecks == checks, "a vote that it has not is not checked")
  }

  @Test("A request for a batch is answered to members alone, and to each once")
  func brachaFetchOnce() {
    var (process, effects) = bracha()
    let batch = quorumBatch(1)
    process.receive(.send(batch), from: Peer(15), at: .zero, into: &effects)
    effects.clear()
    for peer in [Peer(99), Peer(3), Peer(3), Peer(4)] {
      process.receive(.fetch(batch.identifier, batch.digest), from: peer, at: .zero, into: &effects)
    }
    #expect(effects.sent.map(\.to) == [Peer(3), Peer(4)])
  }

  @Test("An entry is delivered by 2f + 1 who accept it, and not by one fewer")
  func brachaEntries() {
    var (process, effects) = bracha()
    let batch = quorumBatch(1, entries: oneEntryEach(2))
    process.receive(.send(batch), from: Peer(15), at: .zero, into: &effects)
    for peer in 1...10 {
      process.receive(
        .ready(vote(batch, refused: peer == 1 ? [1] : [])), from: Peer(peer), at: .zero, into: &effects)
    }
    guard case .delivered(_, let refused) = effects.indications.last else {
      Issue.record("not delivered")
      return
    }
    #expect(refused == [1])
    process.receive(.ready(vote(batch, refused: [1])), from: Peer(11), at: .zero, into: &effects)
    #expect(delivered(effects.indications).count == 1)
    process.receive(.ready(vote(batch)), from: Peer(11), at: .zero, into: &effects)
    guard case .delivered(_, let now) = effects.indications.last else { return }
    #expect(now == [])
  }

  // MARK: Signatures and messages

  @Test("Votes for one message count together however often its sender signed it")
  func signatures() {
    let sample = MultisetSample(all: NumberedMembership(population: 10))
    var tally = VoteTally<IdealSecureAuthenticator>()
    let identifier = MessageIdentifier(origin: Self.sender, sequence: 0)
    for member in 0..<4 {
      let vote = IdealVote(
        identifier: identifier, digest: 5, signature: UInt64(member), refused: [], hops: 1)
      #expect(tally.outcome(of: 5, threshold: member + 1) == nil)
      let isCounted = tally.take(vote, from: member, in: sample)
      #expect(isCounted)
      #expect(tally.outcome(of: 5, threshold: member + 1) != nil)
    }
    #expect(tally.voters(of: 5, in: sample) == (0..<4).map { Peer($0) })
  }

  @Test("A signature is good for its sender, number and message alone, and a bad one is told each time")
  func replays() throws {
    var (process, effects) = echo()
    let (batch, later) = (batch(1, sequence: 0), batch(2, sequence: 1))
    let member = try #require(process.sample).members[0]
    for (identifier, digest) in [
      (later.identifier, batch.digest), (batch.identifier, later.digest),
      (MessageIdentifier(origin: member, sequence: 0), batch.digest),
    ] {
      let vote = IdealVote(
        identifier: identifier, digest: digest, signature: batch.signature, refused: [], hops: 1)
      process.receive(.echo(vote), from: member, at: .zero, into: &effects)
    }
    let replayed = IdealBatch(
      identifier: later.identifier, payload: batch.payload, signature: batch.signature, hops: 1)
    process.receive(.gossip(.gossip(replayed)), from: member, at: .zero, into: &effects)
    #expect(accused(effects.indications) == [.badSignature, .badSignature, .badSignature, .badSignature])
    #expect(process.liveInstances == 0 && effects.sent.isEmpty)
  }

  @Test("Ready Broadcast and Bracha's check what votes and senders sign, and tell of what is forged")
  func forgeries() throws {
    var (process, effects, ready, _) = try ready()
    let forged = IdealVote(
      identifier: batch(1).identifier, digest: 5, signature: 6, refused: [], hops: 1)
    process.receive(.ready(forged), from: ready[0], at: .zero, into: &effects)
    #expect(accused(effects.indications) == [.badSignature] && process.liveInstances == 0)
    var (quorum, told) = bracha()
    quorum.receive(.echo(forged), from: Peer(3), at: .zero, into: &told)
    let foreign = IdealBatch(
      identifier: quorumBatch(1).identifier, payload: quorumBatch(1).payload, signature: 6, hops: 1)
    quorum.receive(.send(foreign), from: Peer(15), at: .zero, into: &told)
    #expect(accused(told.indications) == [.badSignature, .badSignature])
    #expect(quorum.liveInstances == 0 && told.sent.isEmpty)
  }

  @Test("A second batch of an instance is not even checked, and a number is broadcast once")
  func secondBatch() {
    var (process, effects) = echo()
    for number in 1...5 as ClosedRange<UInt32> {
      process.receive(.gossip(.gossip(batch(number))), from: Self.sender, at: .zero, into: &effects)
    }
    #expect(process.signatureChecks == 1)
    process.receive(.gossip(.subscribe), from: Self.subscriber, at: .zero, into: &effects)
    effects.clear()
    for number in 1...2 as ClosedRange<UInt32> {
      process.handle(
        .broadcast(SyntheticBatch(number: number, byteCount: 1), sequence: 0), at: .zero, into: &effects)
    }
    let passedOn = effects.sent.count { $0.to == Self.subscriber }
    #expect(passedOn == 1)
  }

  @Test("Who was drawn twice refuses twice, and who would refuse more than before is not heard")
  func refusalsOfMultiplicity() throws {
    var random = testRandom()
    let sample = MultisetSample(size: 40, from: NumberedMembership(population: 8), random: &random)
    let twice = try #require(sample.members.indices.first { sample.multiplicity(at: $0) > 1 })
    var tally = VoteTally<IdealSecureAuthenticator>()
    for member in sample.members.indices {
      _ = tally.take(vote(batch(1), refused: member == twice ? [3] : []), from: member, in: sample)
    }
    let accepting = 40 - sample.multiplicity(at: twice)
    #expect(tally.outcome(of: batch(1).digest, threshold: accepting)?.lacking == [])
    #expect(tally.outcome(of: batch(1).digest, threshold: accepting + 1)?.lacking == [3])
    let isHeard = tally.take(vote(batch(1), refused: [3, 4]), from: twice, in: sample)
    #expect(!isHeard && tally.outcome(of: batch(1).digest, threshold: accepting + 1)?.lacking == [3])
  }

  @Test("Readiness by pcb.Deliver for some entries and by contagion for others adds up")
  func readinessGrows() throws {
    var (process, effects, ready, _) = try ready()
    let batch = batch(1, entries: oneEntryEach(2))
    process.receive(.echo(.gossip(.gossip(batch))), from: Self.sender, at: .zero, into: &effects)
    for member in try #require(process.echo.sample).members {
      process.receive(.echo(.echo(vote(batch, refused: [0]))), from: member, at: .zero, into: &effects)
    }
    for member in ready[..<4] {
      process.receive(.ready(vote(batch, refused: [1])), from: member, at: .zero, into: &effects)
    }
    let told = effects.sent.compactMap { message, _ in
      if case .ready(let vote) = message { vote.refused } else { nil }
    }
    #expect(told == [[0], []])
  }

  @Test("The chosen batch stays chosen while entries of it are lacking, and fetching asks one after another")
  func chosen() throws {
    var (process, effects, _, delivery) = try ready()
    let (first, second) = (batch(1, entries: oneEntryEach(2)), batch(2))
    for member in delivery[..<6] {
      process.receive(.ready(vote(first, refused: [0])), from: member, at: .zero, into: &effects)
    }
    for _ in 0..<5 { process.expire(.fetch(first.identifier), at: .zero, into: &effects) }
    let asked = effects.sent.compactMap { message, peer in
      if case .fetch = message { peer } else { nil }
    }
    #expect(asked.count == 6 && Set(asked) == Set(delivery[..<6]), "\(asked)")
    for number in 3...50 as ClosedRange<UInt32> {
      process.receive(.supply(batch(number)), from: delivery[0], at: .zero, into: &effects)
    }
    #expect(
      process.instances.values.allSatisfy { $0.delivery.batches.isEmpty }, "only what is wanted is kept")
    process.receive(.supply(first), from: delivery[0], at: .zero, into: &effects)
    for member in delivery {
      process.receive(.ready(vote(second)), from: member, at: .zero, into: &effects)
    }
    process.receive(.supply(second), from: delivery[0], at: .zero, into: &effects)
    #expect(delivered(effects.indications) == [1])
  }

  @Test("Who is ready for some of a batch is not ready for another under Bracha's")
  func brachaReadyForOne() {
    var (process, effects) = bracha()
    let (first, second) = (quorumBatch(1, entries: oneEntryEach(2)), quorumBatch(2))
    for peer in 1...6 {
      process.receive(.ready(vote(first, refused: [0])), from: Peer(peer), at: .zero, into: &effects)
    }
    for peer in 7...13 {
      process.receive(.ready(vote(second)), from: Peer(peer), at: .zero, into: &effects)
    }
    #expect(readies(effects) == 15)
  }
}
