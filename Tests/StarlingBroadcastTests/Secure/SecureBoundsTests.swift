import StarlingCore
import StarlingTestSupport
import Testing

@testable import StarlingBroadcast

private typealias IdealBatch = SignedBatch<IdealSecureAuthenticator>
private typealias IdealVote = Vote<IdealSecureAuthenticator>
private typealias OrderedBracha = OrderedBroadcast<IdealBracha>

/// An ideal scheme in which entries of odd authors are never their authors'.
private struct StrictAuthenticator: SecureAuthenticator {
  typealias Payload = SyntheticBatch
  typealias Digest = UInt64
  typealias Signature = UInt64

  let ideal: IdealSecureAuthenticator
  static var digestByteCount: Int { 32 }
  static var signatureByteCount: Int { 64 }

  static func digest(of payload: SyntheticBatch) -> UInt64 { IdealSecureAuthenticator.digest(of: payload) }
  func sign(_ digest: UInt64, as identifier: MessageIdentifier) -> UInt64 {
    ideal.sign(digest, as: identifier)
  }
  func admits(_ sender: Peer) -> Bool { sender.index < 100 }
  func verifies(_ signature: UInt64, of digest: UInt64, as identifier: MessageIdentifier) -> Bool {
    ideal.verifies(signature, of: digest, as: identifier)
  }
  func admits(entryAt position: Int, of batch: SignedBatch<StrictAuthenticator>) -> Bool {
    batch.payload.entry(at: position).author % 2 == 0
  }
}

/// What liars among the members can make a process keep or do has an end.
@Suite("Secure broadcast: bounds")
struct SecureBoundsTests {
  private static let population = NumberedMembership(population: 16)

  private func ready(_ echo: Int = 40) -> (IdealReady, RecordingEffects<IdealReady>) {
    let parameters = SecureBroadcastParameters(
      gossip: 16, echo: echo, echoThreshold: 30, ready: 40, readyThreshold: 15, delivery: 40,
      deliveryThreshold: 25)
    var process = IdealReady(
      identity: Peer(0), auth: IdealSecureAuthenticator(owner: Peer(0)), oracle: Self.population,
      parameters: parameters, entries: EntryLog(authorLimit: 100, windowLimit: 16))
    var effects = RecordingEffects(IdealReady.self, random: testRandom())
    process.start(at: .zero, into: &effects)
    effects.clear()
    return (process, effects)
  }

  private func bracha() -> (IdealBracha, RecordingEffects<IdealBracha>) {
    let process = IdealBracha(
      identity: Peer(0), auth: IdealSecureAuthenticator(owner: Peer(0)),
      members: MultisetSample(all: Self.population), byzantine: 5,
      entries: EntryLog(authorLimit: 100, windowLimit: 16))
    return (process, RecordingEffects(IdealBracha.self, random: testRandom()))
  }

  private func batch(
    _ number: UInt32, by sender: Int = 15, sequence: UInt64 = 0, byteCount: Int = 100, entries: Int = 0
  ) -> IdealBatch {
    let auth = IdealSecureAuthenticator(owner: Peer(sender))
    let identifier = MessageIdentifier(origin: Peer(sender), sequence: sequence)
    let payload = SyntheticBatch(
      number: number, byteCount: byteCount,
      entries: (0..<entries).map { BatchEntry(author: UInt32($0), sequence: 1, contents: 1) })
    return IdealBatch(
      identifier: identifier, payload: payload,
      signature: auth.sign(auth.digest(of: payload), as: identifier), hops: 1)
  }

  private func vote(_ batch: IdealBatch, refused: [UInt16] = []) -> IdealVote {
    IdealVote(
      identifier: batch.identifier, digest: batch.digest, signature: batch.signature, refused: refused,
      hops: 2)
  }

  private func accused(_ indications: [SecureIndication<IdealSecureAuthenticator>]) -> [Misbehaviour] {
    indications.compactMap { if case .misbehaved(_, let what) = $0 { what } else { nil } }
  }

  // MARK: Sizes

  @Test("A batch with too many entries or bytes is not kept, passed on or delivered, and is told")
  func oversized() {
    let lawful = batch(1, entries: BatchLimits.entries)
    for large in [
      batch(1, entries: BatchLimits.entries + 1), batch(1, byteCount: SyntheticBatch.byteLimit + 1),
    ] {
      var (process, effects) = ready()
      process.receive(.echo(.gossip(.gossip(large))), from: Peer(15), at: .zero, into: &effects)
      #expect(accused(effects.indications) == [.malformed] && effects.sent.isEmpty)
      #expect(process.liveInstances == 0 && process.signatureChecks == 0)
      var (quorum, quorumEffects) = bracha()
      quorum.receive(.send(large), from: Peer(15), at: .zero, into: &quorumEffects)
      #expect(accused(quorumEffects.indications) == [.malformed] && quorumEffects.sent.isEmpty)
      // Though everybody else were ready for it.
      for peer in 1...12 {
        quorum.receive(.ready(vote(large)), from: Peer(peer), at: .zero, into: &quorumEffects)
      }
      quorum.receive(.supply(large), from: Peer(1), at: .zero, into: &quorumEffects)
      #expect(unlogged(quorumEffects.indications).count == 1, "the accusation")
      quorum.receive(.send(lawful), from: Peer(15), at: .zero, into: &quorumEffects)
      #expect(quorumEffects.sent.contains { if case .echo = $0.message { true } else { false } })
    }
  }

  @Test(
    "What a vote refuses are positions of a batch, ascending, or the vote is dropped and told",
    arguments: [[1, 0], [3, 3], [1_024], [0, 1, 65_535], [UInt16](repeating: 0, count: 5_000)] as [[UInt16]])
  func refusals(refused: [UInt16]) throws {
    let batch = batch(1)
    let bad = vote(batch, refused: refused)
    var (process, effects) = ready()
    let member = try #require(process.readySample).members[0]
    process.receive(.ready(bad), from: member, at: .zero, into: &effects)
    let echoer = try #require(process.echo.sample).members[0]
    process.receive(.echo(.echo(bad)), from: echoer, at: .zero, into: &effects)
    #expect(accused(effects.indications) == [.malformed, .malformed] && process.liveInstances == 0)
    var (quorum, quorumEffects) = bracha()
    quorum.receive(.echo(bad), from: Peer(3), at: .zero, into: &quorumEffects)
    #expect(accused(quorumEffects.indications) == [.malformed] && quorum.liveInstances == 0)
    let most = vote(batch, refused: (0..<UInt16(BatchLimits.entries)).map { $0 })
    quorum.receive(.echo(most), from: Peer(3), at: .zero, into: &quorumEffects)
    #expect(quorumEffects.indications.count == 1 && quorum.liveInstances == 1, "as many as there can be")
  }

  @Test("What a vote refuses takes 128 bytes at most, and comes back as it was")
  func entrySets() {
    for positions in [[], [0], [63], [64, 1_023], (0..<1_024).map { UInt16($0) }] as [[UInt16]] {
      let set = EntrySet(positions)
      #expect(set.positions == positions && set.count == positions.count && set.words.count <= 16)
    }
  }

  // MARK: Votes and signatures

  @Test("One who votes for batch after batch of a liar is counted and checked for the votes that it has")
  func checks() throws {
    var (process, effects) = ready()
    let echoer = try #require(process.echo.sample).members[0]
    for number in 0..<200 as Range<UInt32> {
      process.receive(.echo(.echo(vote(batch(number)))), from: echoer, at: .zero, into: &effects)
    }
    #expect(process.signatureChecks == 1 && effects.indications.isEmpty)
    #expect(process.echo.instances.values.first?.replies.candidates.count == 1)
    let member = try #require(process.readySample).members[0]
    for number in 0..<200 as Range<UInt32> {
      process.receive(.ready(vote(batch(number))), from: member, at: .zero, into: &effects)
    }
    #expect(process.signatureChecks == 3)
    #expect(process.instances.values.first?.readyReplies.candidates.count == 2)
    var (quorum, quorumEffects) = bracha()
    for number in 0..<200 as Range<UInt32> {
      quorum.receive(.echo(vote(batch(number))), from: Peer(3), at: .zero, into: &quorumEffects)
      quorum.receive(.ready(vote(batch(number))), from: Peer(3), at: .zero, into: &quorumEffects)
    }
    #expect(quorum.signatureChecks <= 2)
  }

  @Test("Each bad signature is told, so that whoever keeps budgets ends it, and opens nothing")
  func badSignatures() throws {
    var (process, effects) = ready()
    let echoer = try #require(process.echo.sample).members[0]
    for number in 0..<50 as Range<UInt64> {
      let bad = IdealVote(
        identifier: MessageIdentifier(origin: Peer(14), sequence: number), digest: number, signature: number,
        refused: [], hops: 1)
      process.receive(.echo(.echo(bad)), from: echoer, at: .zero, into: &effects)
    }
    #expect(accused(effects.indications) == [Misbehaviour](repeating: .badSignature, count: 50))
    #expect(process.liveInstances == 0)
  }

  @Test("Whoever is in no sample is not heard, and costs no check")
  func strangers() {
    var (process, effects) = ready()
    for number in 0..<50 {
      let vote = vote(batch(1, sequence: UInt64(number)))
      process.receive(.ready(vote), from: Peer(1_000), at: .zero, into: &effects)
      process.receive(.echo(.echo(vote)), from: Peer(1_000), at: .zero, into: &effects)
    }
    #expect(process.signatureChecks == 0 && process.liveInstances == 0)
    var (quorum, quorumEffects) = bracha()
    quorum.receive(.ready(vote(batch(1))), from: Peer(1_000), at: .zero, into: &quorumEffects)
    #expect(quorum.signatureChecks == 0 && quorum.liveInstances == 0)
  }

  // MARK: Subscriptions

  @Test(
    "A subscription is answered, and sent again, once more in five seconds; and there is an end to subscribers"
  )
  func subscriptions() throws {
    var (process, effects) = ready()
    process.receive(.echo(.gossip(.gossip(batch(1)))), from: Peer(15), at: .zero, into: &effects)
    for member in try #require(process.echo.sample).members {
      process.receive(.echo(.echo(vote(batch(1)))), from: member, at: .zero, into: &effects)
    }
    #expect(process.isReady(for: batch(1).identifier))
    for subscription in [
      IdealReady.Message.echo(.gossip(.subscribe)), .echo(.subscribe), .subscribe,
    ] {
      // The gossip sample holds everybody here: a subscriber is a stranger to it.
      for peer in [Peer(50), Peer(50), Peer(50)] {
        process.receive(subscription, from: peer, at: .zero, into: &effects)
      }
    }
    let answers = effects.sent.filter { $0.to == Peer(50) }.map(\.message)
    var kinds: [String] = []
    for answer in answers {
      switch answer {
      case .echo(.gossip(.gossip)): kinds.append("gossip")
      case .echo(.echo): kinds.append("echo")
      case .ready: kinds.append("ready")
      default: kinds.append("other")
      }
    }
    // Of three at once the third has to wait.
    #expect(kinds == ["gossip", "gossip", "echo", "echo", "ready", "ready"])
    // Twice the population: those who join may be members for others first.
    var set = SubscriptionSet(population: 3)
    let taken = (0..<10).map { set.insert(Peer($0), at: .zero) }
    #expect(
      taken == [SubscriptionSet.Answer](repeating: .first, count: 6)
        + [SubscriptionSet.Answer](repeating: .none, count: 4))
    #expect(set.members.count == 6)
  }

  @Test("The gossip sample includes each process by itself: its size varies as a binomial number does")
  func gossipSample() {
    var random = testRandom()
    let oracle = NumberedMembership(population: 50)
    var members = [Int](repeating: 0, count: 50)
    let sizes = (0..<4_000).map { _ in
      let sample = oracle.independentSample(probability: 0.5, random: &random)
      for peer in sample { members[Int(peer.index)] += 1 }
      #expect(Set(sample).count == sample.count)
      return Double(sample.count)
    }
    let mean = sizes.reduce(0, +) / 4_000
    let variance = sizes.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / 4_000
    // 12.5; that of Poisson(25) would be 25, that of a fixed size 0. Its standard error is .28.
    #expect(abs(mean - 25) < 0.4 && abs(variance - 12.5) < 1.7, "\(mean), \(variance); \(replay)")
    // Each is in 2,000 samples, with a standard deviation of 32.
    #expect(members.allSatisfy { abs($0 - 2_000) < 170 }, "\(members); \(replay)")
  }

  // MARK: Instances

  @Test("What is known of instances that are over is given back")
  func forgotten() {
    var (process, effects) = ready()
    for sequence in 0..<2_000 as Range<UInt64> {
      let batch = batch(1, sequence: sequence)
      process.receive(.echo(.gossip(.gossip(batch))), from: Peer(15), at: .zero, into: &effects)
      process.receive(.ready(vote(batch)), from: Peer(1), at: .zero, into: &effects)
      process.handle(.forget(batch.identifier), at: .zero, into: &effects)
      effects.clear()
    }
    #expect(process.liveInstances == 0)
    #expect(process.order.count < 40 && process.echo.order.count < 40)
    #expect(process.echo.gossip.order.count < 40)
  }

  @Test(
    "A window begins at the next batch of a sender, and what is over is kept for so long, to the instance")
  func window() {
    var configuration = OrderedBroadcastConfiguration()
    (configuration.window, configuration.kept) = (4, 2)
    let (inner, _) = bracha()
    var process = OrderedBracha(
      identity: Peer(0), auth: IdealSecureAuthenticator(owner: Peer(0)), inner: inner,
      nextDelivered: [Peer(15): 10], configuration: configuration)
    var effects = RecordingEffects(OrderedBracha.self, random: testRandom())
    func isHeard(_ sequence: UInt64) -> Bool {
      let before = process.dropped
      process.receive(
        .echo(vote(batch(1, sequence: sequence))), from: Peer(3), at: .zero, into: &effects)
      return process.dropped == before
    }
    let heard = ([0, .max] + Array(6...16)).filter { isHeard($0) }
    #expect(heard == [8, 9, 10, 11, 12, 13])
    #expect(process.inner.liveInstances == 6)
  }

  @Test("Instances are forgotten when they are no longer kept, and their batches with them")
  func kept() {
    var configuration = OrderedBroadcastConfiguration()
    (configuration.window, configuration.kept) = (4, 2)
    let (inner, _) = bracha()
    var process = OrderedBracha(
      identity: Peer(0), auth: IdealSecureAuthenticator(owner: Peer(0)), inner: inner,
      configuration: configuration)
    var effects = RecordingEffects(OrderedBracha.self, random: testRandom())
    for sequence in 0..<50 as Range<UInt64> {
      let batch = batch(UInt32(sequence), sequence: sequence)
      process.receive(.send(batch), from: Peer(15), at: .zero, into: &effects)
      for peer in 1...12 {
        process.receive(.ready(vote(batch)), from: Peer(peer), at: .zero, into: &effects)
      }
      #expect(process.nextDelivered(of: Peer(15)) == sequence + 1)
      #expect(process.inner.liveInstances <= 2)
    }
  }

  // MARK: Entries

  @Test(
    "A vote that refuses what no batch has an entry for changes nothing: a batch is delivered once, and whole"
  )
  func refusedBeyond() {
    for entries in [0, 3] {
      let batch = batch(1, entries: entries)
      var (bracha, effects) = bracha()
      bracha.receive(.send(batch), from: Peer(15), at: .zero, into: &effects)
      for peer in 1...15 {
        bracha.receive(
          .ready(vote(batch, refused: peer == 1 ? [1_000] : [])), from: Peer(peer), at: .zero, into: &effects)
      }
      #expect(refusals(effects.indications) == [[]])
      var (ready, told) = ready()
      ready.receive(.echo(.gossip(.gossip(batch))), from: Peer(15), at: .zero, into: &told)
      for peer in 1...15 {
        ready.receive(
          .ready(vote(batch, refused: peer < 4 ? [1_000] : [])), from: Peer(peer), at: .zero, into: &told)
      }
      ready.receive(.supply(batch), from: Peer(2), at: .zero, into: &told)
      #expect(refusals(told.indications) == [[]])
      var (echo, heard) = echo()
      echo.receive(.gossip(.gossip(batch)), from: Peer(15), at: .zero, into: &heard)
      for peer in 1...15 {
        echo.receive(
          .echo(vote(batch, refused: peer < 4 ? [7, 1_000] : [])), from: Peer(peer), at: .zero, into: &heard)
      }
      #expect(refusals(heard.indications) == [[]])
    }
  }

  private func refusals(_ indications: [SecureIndication<IdealSecureAuthenticator>]) -> [[UInt16]] {
    indications.compactMap { if case .delivered(_, let refused) = $0 { refused } else { nil } }
  }

  private func echo() -> (IdealEcho, RecordingEffects<IdealEcho>) {
    let parameters = SecureBroadcastParameters(
      gossip: 16, echo: 40, echoThreshold: 25, ready: 1, readyThreshold: 1, delivery: 1, deliveryThreshold: 1)
    var process = IdealEcho(
      identity: Peer(0), auth: IdealSecureAuthenticator(owner: Peer(0)), oracle: Self.population,
      parameters: parameters, entries: EntryLog(authorLimit: 100, windowLimit: 16))
    var effects = RecordingEffects(IdealEcho.self, random: testRandom())
    process.start(at: .zero, into: &effects)
    return (process, effects)
  }

  @Test("One content is echoed for each author and number, in whatever batch, and none below what is settled")
  func entryLog() {
    var log = EntryLog<UInt32, UInt32>(authorLimit: 10, windowLimit: 3)
    func admits(_ sequence: UInt64, _ contents: UInt32, author: UInt32 = 1, from sender: Int = 1) -> Bool {
      log.admits(BatchEntry(author: author, sequence: sequence, contents: contents), from: Peer(sender))
    }
    let one = [admits(5, 1), admits(5, 1), admits(5, 1, from: 2), admits(5, 2), admits(5, 2, from: 2)]
    #expect(one == [true, true, true, false, false])
    let underWay = [admits(6, 2), admits(7, 3), admits(8, 4)]
    #expect(underWay == [true, true, false], "three at most")
    log.settle(1, through: 6)
    let settled = [admits(5, 1), admits(6, 2), admits(7, 3), admits(8, 4)]
    #expect(settled == [false, false, true, true])
    log.settle(1, through: 3)
    let old = admits(6, 2)
    #expect(!old, "it never goes back")
    log.settle(1, through: .max)
    let last = admits(8, 4)
    #expect(last, "no number is the last")
  }

  @Test("Who invents authors without end fills its own share, and other senders' authors are still heard")
  func authors() {
    var log = EntryLog<UInt32, UInt32>(authorLimit: 10, windowLimit: 3)
    let admitted = (0..<10_000 as Range<UInt32>).count { author in
      log.admits(BatchEntry(author: author, sequence: 0, contents: 0), from: Peer(666))
    }
    #expect(admitted == 10 && log.authors == 10)
    let others = (0..<10 as Range<UInt32>).count { author in
      log.admits(BatchEntry(author: 1 << 20 + author, sequence: 0, contents: 0), from: Peer(author % 2))
    }
    #expect(others == 10)
    let known = log.admits(BatchEntry(author: 1 << 20, sequence: 1, contents: 0), from: Peer(666))
    #expect(known, "an author that is known is nobody's share")
  }

  @Test("An author of whom something is settled is in nobody's share, and its old numbers stay refused")
  func settledAuthors() {
    var log = EntryLog<UInt32, UInt32>(authorLimit: 1, windowLimit: 3)
    func admits(_ author: UInt32, _ sequence: UInt64) -> Bool {
      log.admits(BatchEntry(author: author, sequence: sequence, contents: 0), from: Peer(1))
    }
    let share = [admits(1, 0), admits(2, 0)]
    #expect(share == [true, false])
    log.settle(1, through: 0)
    log.settle(1, through: 1)
    let next = [admits(2, 0), admits(3, 0), admits(1, 1), admits(1, 2)]
    #expect(next == [true, false, false, true], "one place is free, not two")
    // What was settled before anything was heard of the author here.
    log.settle(4, through: 7)
    let settled = [admits(4, 7), admits(4, 8), admits(3, 0)]
    #expect(settled == [false, true, false])
  }

  @Test("An entry that is not its author's is refused, and uses up no number of the author's")
  func foreignEntries() {
    let auth = StrictAuthenticator(ideal: IdealSecureAuthenticator(owner: Peer(0)))
    var process = BrachaBroadcast(
      identity: Peer(0), auth: auth, members: MultisetSample(all: Self.population), byzantine: 5,
      entries: EntryLog<UInt32, UInt32>(authorLimit: 100, windowLimit: 16))
    var effects = RecordingEffects(
      BrachaBroadcast<StrictAuthenticator>.self, random: testRandom())
    let liar = StrictAuthenticator(ideal: IdealSecureAuthenticator(owner: Peer(15)))
    let identifier = MessageIdentifier(origin: Peer(15), sequence: 0)
    let payload = SyntheticBatch(
      number: 1, byteCount: 100,
      entries: (4...7).map { BatchEntry(author: $0, sequence: 1, contents: 1) })
    let batch = SignedBatch<StrictAuthenticator>(
      identifier: identifier, payload: payload,
      signature: liar.sign(liar.digest(of: payload), as: identifier), hops: 1)
    process.receive(.send(batch), from: Peer(15), at: .zero, into: &effects)
    guard case .echo(let vote) = effects.sent.first?.message else {
      Issue.record("no echo")
      return
    }
    #expect(vote.refused == [1, 3] && process.entries.authors == 2)
    // A sender that is no member is not heard at all.
    effects.clear()
    let stranger = StrictAuthenticator(ideal: IdealSecureAuthenticator(owner: Peer(200)))
    let foreign = MessageIdentifier(origin: Peer(200), sequence: 0)
    process.receive(
      .send(
        SignedBatch<StrictAuthenticator>(
          identifier: foreign, payload: payload,
          signature: stranger.sign(stranger.digest(of: payload), as: foreign), hops: 1)),
      from: Peer(200), at: .zero, into: &effects)
    #expect(effects.sent.isEmpty && process.liveInstances == 1)
  }
}
