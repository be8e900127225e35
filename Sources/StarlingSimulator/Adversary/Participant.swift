import StarlingBroadcast
import StarlingCore
import StarlingNode
import StarlingOverlay

/// A peer of a scenario: a member of the group, or an adversary around one.
protocol Participant: Process
where Message == Member.Message, Request == Member.Request, Indication == Member.Indication {
  /// The membership that it runs.
  associatedtype Overlay: SimulatedOverlay
  /// The broadcast that it runs.
  associatedtype Diffusion: BroadcastProcess
  where Diffusion.Auth == IdealAuthenticator, Diffusion.Message: Falsifiable
  typealias Member = GroupMember<Overlay, Diffusion>

  /// The member, as it stands.
  var member: Member { get }
  /// A peer that breaks the rules, or, without a plot, one that does not.
  init(_ member: Member, plot: Plot?)
}

extension GroupMember: Participant
where
  Overlay: SimulatedOverlay, Diffusion.Auth == IdealAuthenticator, Diffusion.Message: Falsifiable
{
  var member: GroupMember { _read { yield self } }

  init(_ member: GroupMember, plot: Plot?) {
    precondition(plot == nil, "a member of the group has no plot")
    self = member
  }
}

/// The meter of a scenario's peers, whatever surrounds their members.
struct ParticipantMeter<P: Participant>: SimulationObserver {
  typealias Observed = P

  var meter: BroadcastMeter<P.Overlay, P.Diffusion>
  var hasSeenEnough: Bool { meter.hasSeenEnough }

  mutating func sent(_ message: P.Message, from sender: Peer, to receiver: Peer, at now: Instant) {
    meter.sent(message, from: sender, to: receiver, at: now)
  }

  mutating func indicated(_ indication: P.Indication, by peer: Peer, at now: Instant) {
    meter.indicated(indication, by: peer, at: now)
  }
}
