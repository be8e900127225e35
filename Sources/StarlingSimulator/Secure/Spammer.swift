import StarlingBroadcast
import StarlingCore

/// What a Byzantine process says that wants to fill others' memory and use up their time. It signs in its own name and
/// in the other Byzantine processes', who are of one mind with it, and forges what it cannot sign.
struct Spammer<Inner: AttackedBroadcast>: Sendable {
  typealias Batch = SignedBatch<IdealSecureAuthenticator>

  let identity: Peer
  /// The correct processes are 0 ..< `correct`; the others up to `nodes` lie.
  let correct: Int
  let nodes: Int
  /// How many instances of its own it opens inside of the window.
  let inside: Int
  /// Messages a second.
  let rate: Int
  /// How many instances it has opened, and how many of them inside of the window.
  private(set) var opened: UInt64 = 0
  private(set) var openedInside = 0
  /// How many messages it has sent.
  private(set) var sent: UInt64 = 0
  private var owed = 0

  init(identity: Peer, correct: Int, nodes: Int, inside: Int, rate: Int) {
    self.identity = identity
    self.correct = correct
    self.nodes = nodes
    self.inside = inside
    self.rate = rate
  }

  /// How often it speaks.
  static var tick: Interval { .milliseconds(10) }

  /// Says what is due in one tick.
  mutating func spam<P: Process>(into effects: inout some Effects<P> & ~Copyable)
  where P.Message == Inner.Message {
    owed += rate
    // One instance inside a tick at most, for everybody works for it.
    if owed >= 100, openedInside < inside { openInside(into: &effects) }
    while owed >= 100 {
      owed -= 100
      sent += 1
      effects.send(message(&effects), to: Peer(effects.uniform(below: correct)))
    }
  }

  /// Gives every correct process another batch of one instance, so that it is never delivered and holds its place.
  private mutating func openInside<P: Process>(into effects: inout some Effects<P> & ~Copyable)
  where P.Message == Inner.Message {
    let instance = MessageIdentifier(origin: identity, sequence: UInt64(openedInside))
    openedInside += 1
    opened += 1
    for number in 0..<correct {
      sent += 1
      effects.send(Inner.giving(batch(of: instance, random: &effects)), to: Peer(number))
    }
  }

  private mutating func message(_ random: inout some RandomSource & ~Copyable) -> Inner.Message {
    let choice = random.uniform(below: 16)
    switch choice {
    case 0..<6: return Inner.giving(batch(of: newInstance(&random), random: &random))
    case 6..<10:
      let batch = batch(of: newInstance(&random), random: &random)
      return word(for: batch, refused: [], &random)
    case 10..<12:
      // Votes that are counted, for a batch of any liar that nobody else votes for.
      let origin = Peer(correct + random.uniform(below: nodes - correct))
      let instance = MessageIdentifier(
        origin: origin, sequence: UInt64(random.uniform(below: max(1, inside))))
      return word(
        for: batch(of: instance, random: &random), refused: choice == 10 ? SpamTables.everyEntry : [], &random
      )
    case 12:
      let subscriptions = Inner.subscriptions
      if subscriptions.isEmpty { return Inner.giving(batch(of: newInstance(&random), random: &random)) }
      return subscriptions[random.uniform(below: subscriptions.count)]
    case 13: return unlawful(&random)
    case 14: return forged(&random)
    default: return unasked(&random)
    }
  }

  /// One that is far ahead, at the end of all numbers, or anywhere.
  private mutating func newInstance(_ random: inout some RandomSource & ~Copyable) -> MessageIdentifier {
    opened += 1
    let sequence = [1 << 40 + opened, .max - opened, random.next() | 1 << 41][Int(opened % 3)]
    return MessageIdentifier(origin: identity, sequence: sequence)
  }

  /// A batch like no other, with entries of authors that it invents, signed by the instance's sender.
  private func batch(
    of instance: MessageIdentifier, entries: Int = 4, byteCount: Int = 1_024,
    random: inout some RandomSource & ~Copyable
  ) -> Batch {
    let author = UInt32(truncatingIfNeeded: random.next()) | SpamTables.invented
    let payload = SyntheticBatch(
      number: UInt32(truncatingIfNeeded: random.next()) | SpamTables.invented, byteCount: byteCount,
      entries: (0..<entries).map { BatchEntry(author: author &+ UInt32($0), sequence: 1, contents: 1) })
    let auth = IdealSecureAuthenticator(owner: instance.origin)
    return Batch(
      identifier: instance, payload: payload, signature: auth.sign(auth.digest(of: payload), as: instance),
      hops: 1)
  }

  /// An echo, or that it is ready.
  private func word(
    for batch: Batch, refused: [UInt16], _ random: inout some RandomSource & ~Copyable
  ) -> Inner.Message {
    let vote = Vote<IdealSecureAuthenticator>(
      identifier: batch.identifier, digest: batch.digest, signature: batch.signature, refused: refused,
      hops: 2)
    return random.uniform(below: 2) == 0 ? Inner.echo(vote) : Inner.ready(vote) ?? Inner.echo(vote)
  }

  /// What is too large, or names positions that no batch has.
  private func unlawful(_ random: inout some RandomSource & ~Copyable) -> Inner.Message {
    let instance = MessageIdentifier(origin: identity, sequence: UInt64(random.uniform(below: 64)))
    switch random.uniform(below: 3) {
    case 0:
      return Inner.giving(batch(of: instance, entries: BatchLimits.entries + 1, random: &random))
    case 1:
      return Inner.giving(batch(of: instance, byteCount: SyntheticBatch.byteLimit + 1, random: &random))
    default:
      return word(for: batch(of: instance, random: &random), refused: SpamTables.malformed, &random)
    }
  }

  /// A batch or a vote in the name of a correct process.
  private func forged(_ random: inout some RandomSource & ~Copyable) -> Inner.Message {
    let own = batch(of: MessageIdentifier(origin: identity, sequence: 0), random: &random)
    let victim = MessageIdentifier(
      origin: Peer(random.uniform(below: correct)), sequence: UInt64(random.uniform(below: 64)))
    let forged = Batch(
      identifier: victim, payload: own.payload, signature: own.signature, hops: 1)
    return random.uniform(below: 2) == 0 ? Inner.giving(forged) : word(for: forged, refused: [], &random)
  }

  /// A request for a batch of a correct process, or a batch that nobody asked for.
  private func unasked(_ random: inout some RandomSource & ~Copyable) -> Inner.Message {
    let number = random.uniform(below: 8)
    let instance = MessageIdentifier(origin: Peer(number), sequence: 0)
    let wanted = IdealSecureAuthenticator(owner: identity).digest(
      of: SpamTables.lawful(UInt32(number), byteCount: 1_024))
    let batch = batch(
      of: MessageIdentifier(origin: identity, sequence: UInt64(random.uniform(below: 64))), random: &random)
    return
      (random.uniform(below: 2) == 0 ? Inner.fetch(wanted, of: instance) : Inner.supply(batch))
      ?? Inner.giving(batch)
  }
}

/// What is the same for all who spam.
enum SpamTables {
  /// Numbers of batches and authors that no correct process uses.
  static let invented: UInt32 = 1 << 31
  /// The longest lawful list of refusals, and one that is not.
  static let everyEntry = (0..<UInt16(BatchLimits.entries)).map { $0 }
  static let malformed = [UInt16](repeating: 7, count: 4_096)

  /// The batch of that number that a correct process broadcasts: its one entry is of an author of its own.
  static func lawful(_ number: UInt32, byteCount: Int) -> SyntheticBatch {
    SyntheticBatch(
      number: number, byteCount: byteCount, entries: [BatchEntry(author: number, sequence: 1, contents: 1)])
  }
}
