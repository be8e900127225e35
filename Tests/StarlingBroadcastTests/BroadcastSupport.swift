import StarlingBroadcast
import StarlingCore
import StarlingTestSupport

typealias Copy = Broadcast<IdealAuthenticator>

/// A broadcast as its origin signs it.
func signed(
  by origin: Int, _ sequence: UInt64 = 0, number: Int = 1, byteCount: Int = 100, hops: UInt16 = 1
) -> Copy {
  let identifier = MessageIdentifier(origin: Peer(origin), sequence: sequence)
  let payload = SyntheticPayload(number: UInt32(number), byteCount: byteCount)
  let signature = IdealAuthenticator(owner: Peer(origin)).sign(payload, as: identifier)
  return Copy(identifier: identifier, hops: hops, payload: payload, signature: signature)
}

/// Every way to change a broadcast that its origin's signature covers, and one that another peer signed.
func forgeries(of copy: Copy) -> [Copy] {
  func changed(
    origin: Int? = nil, sequence: UInt64? = nil, number: UInt32? = nil, byteCount: Int? = nil,
    signature: UInt64? = nil
  ) -> Copy {
    Copy(
      identifier: MessageIdentifier(
        origin: origin.map { Peer($0) } ?? copy.identifier.origin,
        sequence: sequence ?? copy.identifier.sequence),
      hops: copy.hops,
      payload: SyntheticPayload(
        number: number ?? copy.payload.number, byteCount: byteCount ?? copy.payload.byteCount),
      signature: signature ?? copy.signature)
  }
  let forged = IdealAuthenticator(owner: Peer(666)).sign(copy.payload, as: copy.identifier)
  return [
    changed(origin: 665), changed(sequence: copy.identifier.sequence &+ 1),
    changed(number: copy.payload.number + 1), changed(byteCount: copy.payload.byteCount + 1),
    changed(signature: copy.signature ^ 1), changed(signature: forged),
  ]
}

/// One process of a broadcast, with a sink that writes down what it does.
struct Lone<Diffusion: BroadcastProcess> where Diffusion.Auth == IdealAuthenticator {
  var process: Diffusion
  var effects: RecordingEffects<Diffusion>
  var now = Instant.zero

  init(_ process: Diffusion, neighbours: some Sequence<Int> = [Int]()) {
    self.process = process
    effects = RecordingEffects(Diffusion.self, random: Xoshiro256(seed: testSeed))
    for neighbour in neighbours { handle(.linkUp(Peer(neighbour), .outgoing)) }
  }

  mutating func handle(_ request: Diffusion.Request) { process.handle(request, at: now, into: &effects) }

  mutating func receive(_ message: Diffusion.Message, from sender: Int) {
    process.receive(message, from: Peer(sender), at: now, into: &effects)
  }

  mutating func expire(_ timer: Diffusion.Timer) { process.expire(timer, at: now, into: &effects) }

  /// The peers to which messages of a kind were sent.
  func receivers(_ isOfKind: (Diffusion.Message) -> Bool) -> [Int] {
    effects.sent.filter { isOfKind($0.message) }.map { Int($0.to.index) }
  }

  /// What was delivered, and over the link from whom.
  var deliveries: [(identifier: MessageIdentifier, from: Int)] {
    effects.indications.compactMap {
      if case .delivered(let copy, let sender) = $0 { (copy.identifier, Int(sender.index)) } else { nil }
    }
  }

  /// Who was reported for a bad signature.
  var refusals: [Int] {
    effects.indications.compactMap {
      if case .misbehaved(let peer, .badSignature) = $0 { Int(peer.index) } else { nil }
    }
  }
}

typealias LoneTree = Lone<BroadcastTree<IdealAuthenticator>>

extension Lone where Diffusion == BroadcastTree<IdealAuthenticator> {
  /// Peer 0 of a tree, whose links all begin eager.
  init(
    neighbours: some Sequence<Int>, pruneThreshold: Int = 1,
    _ configure: (inout BroadcastTreeConfiguration) -> Void = { _ in }
  ) {
    var configuration = BroadcastTreeConfiguration(pruneThreshold: pruneThreshold)
    configure(&configuration)
    self.init(
      BroadcastTree(
        identity: Peer(0), auth: IdealAuthenticator(owner: Peer(0)), configuration: configuration),
      neighbours: neighbours)
  }

  /// The timers of missing messages.
  var awaited: [(identifier: MessageIdentifier, at: Instant)] {
    effects.timers.compactMap {
      if case .missing(let identifier) = $0.timer { (identifier, $0.at) } else { nil }
    }
  }

  /// Lets the last timer of a missing message expire, at its time.
  mutating func expireAwaited(_ identifier: MessageIdentifier) {
    if let timer = awaited.last(where: { $0.identifier == identifier }) { now = max(now, timer.at) }
    expire(.missing(identifier))
  }

  /// Lets everything expire that is due until an instant, in order.
  mutating func run(until end: Instant) {
    while let i = effects.timers.indices.min(by: { effects.timers[$0].at < effects.timers[$1].at }),
      effects.timers[i].at <= end
    {
      let timer = effects.timers.remove(at: i)
      now = max(now, timer.at)
      expire(timer.timer)
    }
    now = end
  }

  /// Who was reported for what, but for bad signatures.
  var accused: [Misbehaviour] {
    effects.indications.compactMap { if case .misbehaved(_, let what) = $0 { what } else { nil } }
  }

  /// What was missed for good.
  var missed: [MessageIdentifier] {
    effects.indications.compactMap { if case .missed(let identifier) = $0 { identifier } else { nil } }
  }

  func pushed() -> [Int] { receivers { if case .push = $0 { true } else { false } } }
  func announced() -> [Int] { receivers { if case .announce = $0 { true } else { false } } }
  func grafted() -> [Int] { receivers { if case .graft = $0 { true } else { false } } }
  func pruned() -> [Int] { receivers { if case .prune = $0 { true } else { false } } }

  func fetched() -> [Int] { receivers { if case .fetch = $0 { true } else { false } } }
  func supplied() -> [Int] { receivers { if case .supply = $0 { true } else { false } } }
  func toldGone() -> [Int] { receivers { if case .gone = $0 { true } else { false } } }
  func summarised() -> [Int] { receivers { if case .summary = $0 { true } else { false } } }
  func livened() -> [Int] { receivers { if case .alive = $0 { true } else { false } } }

  /// The digests that were sent.
  var digests: [(digest: Digest, to: Int)] {
    effects.sent.compactMap {
      if case .digest(let digest) = $0.message { (digest, Int($0.to.index)) } else { nil }
    }
  }

  /// The neighbours over whose links messages are pushed.
  var eager: [Int] {
    let links = process.links
    return (0..<links.count).filter { links[$0].isEager }.map { Int(links.keys[$0].index) }
  }
}
