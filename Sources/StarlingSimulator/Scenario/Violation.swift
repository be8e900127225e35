import StarlingCore

/// A broken promise: what, who, and when.
public struct Violation: Hashable, Sendable {
  /// What a run is held to.
  public enum Promise: String, Hashable, Sendable, CaseIterable {
    /// No peer delivers a message twice.
    case noDuplicate = "no-duplicate-delivery"
    /// Whatever is delivered in a correct peer's name, that peer broadcast.
    case noForgery = "no-forged-delivery"
    /// What a peer broadcasts that is correct and lives to the end is delivered, by the end, to every peer that is
    /// a member from then to the end.
    case delivery = "eventual-delivery"
    /// The peers that live are one component in the end.
    case connected = "connectedness"
    /// Views, and what is due in the future, stay within their bounds.
    case boundedState = "bounded-state"
    /// In the end the mean view is near SCAMP's law.
    case law = "arcs-near-law"
    /// Once nothing goes wrong any more, the tree brings a message to most peers but once.
    case tree = "pruned-tree"

    /// Those that every run is held to, at every delivery.
    static var alwaysChecked: [Promise] { [.noDuplicate, .noForgery] }
  }

  /// What was promised.
  public let promise: Promise
  /// When it was seen to be broken, in virtual time.
  public let at: Instant
  /// By whom, or at whom; `nil` if it concerns the whole network.
  public let peer: Peer?
  /// What happened: half a sentence.
  public let detail: String

  /// How many violations of a run are told one by one.
  static var limit: Int { 16 }
}

extension Violation: CustomStringConvertible {
  /// For example `no-duplicate-delivery at 71.5 s: peer 7 delivered message 3 twice`.
  public var description: String {
    "\(promise.rawValue) at \(Quantity.text(of: .milliseconds(Int((at - .zero).inMilliseconds)))): \(detail)"
  }
}
