import StarlingApps
import StarlingBroadcast
import StarlingCore
import StarlingNode

/// A member of a secure network that lies: under each of its numbers it gives one batch to some members and another to
/// the rest, signed well, and tells each that it echoes the batch that the member was given, and is ready for it. The
/// posts in both have the same numbers. Otherwise it is silent: it echoes nobody else's batches.
struct Equivocator: Process {
  typealias Message = NodeProcess.Message
  typealias Auth = KeySecureAuthenticator

  /// The next attack.
  enum Timer { case attack }
  typealias Request = Never
  typealias Indication = Never

  let members: [Peer]
  let key: PublicKey
  let auth: KeySecureAuthenticator
  /// Whether the members run Bracha's broadcast, and not Ready Broadcast.
  let isBracha: Bool
  private(set) var attacks: UInt64 = 0
  /// After how long it attacks again. Two a second, for longer than any trial lasts.
  private static let pause = Interval.milliseconds(500)
  /// Beyond so many instances that are not delivered nobody listens.
  private static let limit: UInt64 = 60

  init(members: [Peer], key: PublicKey, auth: KeySecureAuthenticator, isBracha: Bool) {
    (self.members, self.key, self.auth, self.isBracha) = (members, key, auth, isBracha)
  }

  mutating func start(at now: Instant, into effects: inout some Effects<Self> & ~Copyable) {
    effects.schedule(.attack, at: now + .seconds(3))
  }

  mutating func handle(
    _ request: Never, at now: Instant, into effects: inout some Effects<Self> & ~Copyable
  ) {}

  /// Hears nothing: what the others say does not matter to it.
  mutating func receive(
    _ message: Message, from sender: Peer, at now: Instant, into effects: inout some Effects<Self> & ~Copyable
  ) {}

  mutating func expire(_ timer: Timer, at now: Instant, into effects: inout some Effects<Self> & ~Copyable) {
    guard attacks < Equivocator.limit else { return }
    attack(into: &effects)
    attacks += 1
    effects.schedule(.attack, at: now + Equivocator.pause)
  }

  private func attack(into effects: inout some Effects<Self> & ~Copyable) {
    // From a fair split to one that leaves the second batch hardly anybody.
    let share = 2 + Int(attacks % 4)
    let instance = MessageIdentifier(origin: PeerTable.own, sequence: attacks)
    var victims: [[Peer]] = [[], []]
    for peer in members { victims[effects.uniform(below: share) == 0 ? 1 : 0].append(peer) }
    for (number, text) in ["for some", "for others"].enumerated() {
      let post = Post(number: attacks, contents: Array("\(text) \(attacks)".utf8))
      guard let payload = try? NodeBatch(encoded: PostBatch(author: key, posts: [post]).encoded) else {
        continue
      }
      let signature = auth.sign(Auth.digest(of: payload), as: instance)
      let batch = SignedBatch<Auth>(identifier: instance, payload: payload, signature: signature, hops: 1)
      let vote = Vote<Auth>(
        identifier: instance, digest: batch.digest, signature: signature, refused: [], hops: 2)
      for message in lies(batch, vote) {
        let parcel = effects.prepare(.diffusion(.secure(message)))
        for peer in victims[number] { effects.send(parcel, to: peer) }
      }
    }
  }

  private func lies(_ batch: SignedBatch<Auth>, _ vote: Vote<Auth>) -> [SecureMember.Message] {
    isBracha
      ? [.bracha(.send(batch)), .bracha(.echo(vote)), .bracha(.ready(vote))]
      : [.ready(.echo(.gossip(.gossip(batch)))), .ready(.echo(.echo(vote))), .ready(.ready(vote))]
  }
}
