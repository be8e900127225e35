import StarlingCore
import StarlingTestSupport
import Testing

@testable import StarlingOverlay

private typealias GuardedScamp = Scamp<Guarded>

/// The ideal signatures, and a list of peers that are not let in.
private struct Guarded: Admission {
  let ideal: IdealAdmission
  var refused: Set<UInt32> = []
  /// Whether contacts have introduced as many as they may.
  var isOverLimit = false

  init(_ owner: Int, refusing refused: Set<UInt32> = []) {
    ideal = IdealAdmission(owner: Peer(owner))
    self.refused = refused
  }

  static var signatureByteCount: Int { IdealAdmission.signatureByteCount }
  func sign(_ statement: SubscriptionStatement) -> UInt64 { ideal.sign(statement) }
  func verifies(_ signature: UInt64, of statement: SubscriptionStatement, by signer: Peer) -> Bool {
    ideal.verifies(signature, of: statement, by: signer)
  }
  mutating func judge(subscriber: Peer, contact: Peer, at now: Instant) -> Misbehaviour? {
    admits(subscriber) ? isOverLimit ? .subscriptionFlood : nil : .inadmissible
  }
  func admits(_ peer: Peer) -> Bool { !refused.contains(peer.index) }
}

@Suite("SCAMP: who may join")
struct ScampAdmissionTests {
  private typealias Group = (scamp: GuardedScamp, effects: RecordingEffects<GuardedScamp>)

  private func peer(_ identity: Int, refusing refused: Set<UInt32> = []) -> Group {
    var configuration = ScampConfiguration()
    configuration.walkLength = 0
    return (
      Scamp(
        identity: Peer(identity), door: Guarded(identity, refusing: refused), configuration: configuration),
      RecordingEffects(GuardedScamp.self, random: testRandom())
    )
  }

  private func statement(_ subscriber: Int, contact: Int? = nil) -> SubscriptionStatement {
    SubscriptionStatement(subscriber: Peer(subscriber), number: 7, contact: contact.map { Peer($0) })
  }

  /// A copy of peer 1's subscription through contact 2, signed by those that are given.
  private func copy(signedBy subscriber: Int = 1, and contact: Int = 2, naming: Int = 2)
    -> GuardedScamp.Message
  {
    let subscription = Subscription(
      subscriber: Peer(1), contact: Peer(naming), number: 7,
      signature: Guarded(subscriber).sign(statement(1)),
      countersignature: Guarded(contact).sign(statement(1, contact: naming)))
    return .subscription(subscription, hopsLeft: 0, GroupSize.News())
  }

  private func accusations(_ effects: RecordingEffects<GuardedScamp>) -> [Misbehaviour] {
    effects.indications.compactMap { if case .misbehaved(_, let what) = $0 { what } else { nil } }
  }

  @Test("A subscription counts only with the subscriber's signature and its contact's, which are two peers")
  func signatures() {
    for (message, isGood) in [
      (copy(), true), (copy(signedBy: 3), false), (copy(and: 3), false), (copy(and: 1, naming: 1), false),
    ] {
      var (scamp, effects) = peer(0)
      scamp.receive(message, from: Peer(9), at: .zero, into: &effects)
      #expect(scamp.partialView.members == (isGood ? [Peer(1)] : []))
      #expect(accusations(effects) == (isGood ? [] : [.badSignature]))
      #expect(effects.sent.count == (isGood ? 1 : 0), "what is forged is neither kept nor passed on")
    }
  }

  @Test(
    "A walk with a bad signature that comes from the very peer it names blames nobody: others may have made it up"
  )
  func walkThroughItsRequester() {
    var (scamp, effects) = peer(2)
    scamp.receive(copy(), from: Peer(9), at: .zero, into: &effects)
    effects.clear()
    let walk = GuardedScamp.Walk(
      .contact(number: 3, Guarded(5).sign(statement(4))), for: Peer(4), hopsLeft: 0)
    scamp.receive(.walk(walk), from: Peer(4), at: .zero, into: &effects)
    #expect(effects.sent.isEmpty && accusations(effects).isEmpty)
  }

  @Test(
    "Walks and copies in a joiner's name, which it did not sign or which others repeat, leave it its own requests"
  )
  func othersRequests() {
    var (scamp, effects) = peer(2)
    scamp.receive(copy(), from: Peer(9), at: .zero, into: &effects)
    func walk(signedBy signer: Int) -> GuardedScamp.Message {
      .walk(
        GuardedScamp.Walk(.contact(number: 7, Guarded(signer).sign(statement(4))), for: Peer(4), hopsLeft: 0))
    }
    let forgedCopy = Subscription(
      subscriber: Peer(4), contact: Peer(3), number: 7, signature: Guarded(5).sign(statement(4)),
      countersignature: Guarded(3).sign(statement(4, contact: 3)))
    // A step takes 20 ms, so that the budget for what is done for others is never used up.
    var now = Instant.zero
    func receive(_ message: GuardedScamp.Message, from sender: Int) {
      now = now + .milliseconds(20)
      scamp.receive(message, from: Peer(sender), at: now, into: &effects)
    }
    for _ in 0..<1_000 {
      receive(walk(signedBy: 5), from: 9)
      receive(.subscription(forgedCopy, hopsLeft: 0, GroupSize.News()), from: 9)
    }
    effects.clear()
    receive(walk(signedBy: 4), from: 9)
    #expect(effects.sent.count > 0, "what the joiner did not sign does not count")
    for _ in 0..<1_000 { receive(walk(signedBy: 4), from: 9) }
    effects.clear()
    receive(.subscribe(number: 7, Guarded(4).sign(statement(4))), from: 4)
    #expect(
      effects.sent.count == 1 && accusations(effects).isEmpty, "what others repeat is not its own request")
  }

  @Test("A contact asks for the joiner's signature, adds its own, and tells who it let in")
  func introduction() {
    var (scamp, effects) = peer(2)
    scamp.receive(copy(), from: Peer(9), at: .zero, into: &effects)
    effects.clear()
    scamp.receive(
      .subscribe(number: 7, Guarded(5).sign(statement(4))), from: Peer(4), at: .zero, into: &effects)
    #expect(effects.sent.isEmpty && accusations(effects) == [.badSignature])
    effects.clear()
    scamp.receive(
      .subscribe(number: 7, Guarded(4).sign(statement(4))), from: Peer(4), at: .zero, into: &effects)
    guard case .subscription(let subscription, _, _) = effects.sent.first?.message,
      case .admitted(Peer(4), Peer(2)) = effects.indications.first
    else {
      Issue.record("a contact introduces")
      return
    }
    #expect(subscription.isAuthentic(to: Guarded(8)))
  }

  @Test("A joiner believes a welcome only with its contact's signature")
  func forgedWelcome() {
    var (scamp, effects) = peer(1)
    scamp.handle(.join(contact: Peer(2)), at: .zero, into: &effects)
    let number = scamp.requestNumber
    let introduction = SubscriptionStatement(subscriber: Peer(1), number: number, contact: Peer(2))
    for (signer, isBelieved) in [(3, false), (2, true)] {
      scamp.receive(
        .welcome(number: number, Guarded(signer).sign(introduction), GroupSize.News()), from: Peer(2),
        at: .zero, into: &effects)
      #expect((scamp.subscription != nil) == isBelieved)
      #expect(scamp.partialView.count == (isBelieved ? 1 : 0))
    }
  }

  @Test(
    "Introductions beyond a contact's limit are refused, and nobody is blamed: they may be old ones, sent again"
  )
  func replayedIntroduction() {
    var (scamp, effects) = peer(0)
    scamp.door.isOverLimit = true
    for sender in [Peer(9), Peer(2)] { scamp.receive(copy(), from: sender, at: .zero, into: &effects) }
    #expect(scamp.partialView.members.isEmpty && accusations(effects).isEmpty && effects.sent.isEmpty)
    scamp.receive(
      .subscribe(number: 7, Guarded(4).sign(statement(4))), from: Peer(4), at: .zero, into: &effects)
    #expect(effects.sent.map(\.message) == [.refused(number: 7)] && accusations(effects).isEmpty)
  }

  @Test("Who is not admitted comes into no view by any way, and is told so")
  func refusal() {
    var (scamp, effects) = peer(0, refusing: [4])
    scamp.receive(copy(), from: Peer(9), at: .zero, into: &effects)
    effects.clear()
    scamp.receive(
      .subscribe(number: 7, Guarded(4).sign(statement(4))), from: Peer(4), at: .zero, into: &effects)
    #expect(effects.sent.map(\.message) == [.refused(number: 7)])
    #expect(accusations(effects) == [.inadmissible])
    effects.clear()
    scamp.receive(.kept(GroupSize.News()), from: Peer(4), at: .zero, into: &effects)
    scamp.receive(.heartbeat(GroupSize.News()), from: Peer(4), at: .zero, into: &effects)
    #expect(
      scamp.inView.count == 0
        && effects.sent.map(\.message) == Array(repeating: .release(successor: nil), count: 2))
    scamp.expire(.round(count: 0), at: .zero, into: &effects)
    scamp.receive(.donation(Peer(4)), from: Peer(1), at: .zero, into: &effects)
    scamp.receive(.release(successor: Peer(4)), from: Peer(1), at: .zero, into: &effects)
    #expect(!scamp.partialView.contains(Peer(4)))
  }
}
