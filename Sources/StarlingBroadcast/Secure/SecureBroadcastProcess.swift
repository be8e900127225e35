import StarlingCore

/// A broadcast that liars cannot split, for many senders and many batches of each: Echo Broadcast, Ready Broadcast, and
/// Bracha's, with one interface.
public protocol SecureBroadcastProcess<Auth>: Process
where
  Request == SecureRequest<Auth.Payload>, Indication == SecureIndication<Auth>, Message: InstanceMessage
{
  /// How batches are signed.
  associatedtype Auth: SecureAuthenticator

  /// How many instances take memory.
  var liveInstances: Int { get }
  /// Whether this process depends on what a peer says: it is in one of the samples.
  func listens(to peer: Peer) -> Bool
  /// How many signatures it has checked.
  var signatureChecks: UInt64 { get }
  /// Whether, when all these peers say the same, a correct process says it: as surely as the thresholds of the broadcast
  /// are.
  func includesCorrect(_ peers: [Peer]) -> Bool
  /// The layer above is done with an author's entries up to a number: no other is accepted under these numbers, and
  /// what was remembered of them is forgotten.
  mutating func settle(_ author: Auth.Payload.Author, through sequence: UInt64)
  /// Takes what an earlier life of the process told by ``SecureIndication/logged(_:)`` or delivered, before the start: of
  /// each instance its echo first.
  mutating func recall(_ step: LoggedStep<Auth>)
  /// Whether this process has echoed the batch of this digest, so that its log has the batch.
  func hasEchoed(_ digest: Auth.Digest, of instance: MessageIdentifier) -> Bool
}

/// What a process has said or done in an instance, and its next life must know so as not to contradict it. On stable storage
/// it makes of a process that crashes one that is merely slow (C. Cachin, R. Guerraoui, L. Rodrigues, "Introduction to
/// Reliable and Secure Distributed Programming", section 2.2.4: the crash-recovery model, and its *logged* algorithms).
@frozen
public enum LoggedStep<Auth: SecureAuthenticator>: Sendable {
  /// It echoed a batch, but for the entries at these positions (ascending).
  case echoed(SignedBatch<Auth>, refused: [UInt16])
  /// It became ready for a batch, or for more of it than before.
  case ready(Vote<Auth>)
  /// It delivered a batch, but for the entries at these positions (ascending). Not told as such: the delivery tells it.
  case delivered(SignedBatch<Auth>, refused: [UInt16])
  /// It is about to forget a batch of which it echoed this entry, and the entry is not settled.
  case retained(BatchEntry<Auth.Payload.Author, Auth.Payload.Contents>)
}

/// A secure broadcast that judges by samples, which can be drawn anew: Echo Broadcast and Ready Broadcast. Bracha's
/// quorums are of one membership.
public protocol SamplingBroadcast<Auth>: SecureBroadcastProcess {
  /// Ω.
  associatedtype Oracle: SamplingOracle

  /// How many epochs have samples: 1 at rest, 4 at most.
  var liveEpochs: Int { get }

  /// Begins an epoch: draws new samples and subscribes to them, for the instances that this process has not heard of
  /// yet. Those that it has heard of keep their samples.
  ///
  /// Each draw is a new chance for the adversary (README): for when the membership changes, not for every minute.
  ///
  /// - Parameters:
  ///   - oracle: the membership from now on.
  ///   - parameters: sizes and thresholds from now on.
  /// - Returns: whether it was done. It is not, and nothing changes, within 30 seconds of the last epoch's begin or end,
  ///   or while instances need the samples of three past epochs, but for an hour at most: try again later.
  mutating func resample(
    from oracle: Oracle, parameters: SecureBroadcastParameters, at now: Instant,
    into effects: inout some Effects<Self> & ~Copyable
  ) -> Bool
}

/// A message that belongs to one instance, or to none.
public protocol InstanceMessage: Sendable {
  /// The instance; `nil` for what concerns all of them, such as a subscription.
  var instance: MessageIdentifier? { get }
  /// Whether only a process says this that takes part in the instance: the last kind of vote of the broadcast.
  var isFinalVote: Bool { get }
}

/// What a secure broadcast can be asked for.
@frozen
public enum SecureRequest<Payload> {
  /// Bring this batch to every process, under that number of this process's own.
  case broadcast(Payload, sequence: UInt64)
  /// An instance is done with; whatever else comes of it is nobody's concern. The layer above takes care that nothing
  /// of it is passed down again.
  case forget(MessageIdentifier)
  /// The link to a peer was lost, with what was on its way, and may be whole again: ask the peer to repeat what it said.
  case renew(Peer)
  /// Something on its way to a peer was lost, and the peer does not know: repeat to it what this process said, after a
  /// while.
  case `repeat`(Peer)
}

/// What a secure broadcast tells the layer above.
@frozen
public enum SecureIndication<Auth: SecureAuthenticator>: Sendable {
  /// A batch is delivered, but for the entries at the positions `refused` (ascending). What was refused may be told as
  /// delivered later, with `refused` naming fewer positions.
  case delivered(SignedBatch<Auth>, refused: [UInt16])
  /// What its next life must know (``SecureBroadcastProcess/recall(_:)``). Whoever wants one keeps this on stable storage before
  /// anything leaves that is sent by the same call or a later one.
  case logged(LoggedStep<Auth>)
  /// A peer did what no correct peer does. What it sent was dropped.
  case misbehaved(Peer, Misbehaviour)
}
