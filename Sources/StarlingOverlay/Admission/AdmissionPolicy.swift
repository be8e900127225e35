import StarlingCore

/// Why a network's policy keeps a key out.
public enum AdmissionRefusal: Error, Hashable, Sendable, CustomStringConvertible {
  /// The key is not on the list of those that may join.
  case notListed
  /// The key does not solve the network's puzzle.
  case puzzleUnsolved(bits: Int, needed: Int)
  /// Its contact has introduced as many as it may for now.
  case contactOverLimit
  /// Another reason, of a policy that a user wrote: part of a sentence, such as "the invitation has expired".
  case other(String)

  /// Part of a sentence, as it follows "because".
  public var description: String {
    switch self {
    case .notListed: "its key is not on the list of keys that may join"
    case .puzzleUnsolved(let bits, let needed):
      "its key solves the network's puzzle to \(bits) bits of \(needed); make one with: starling keys new --puzzle \(needed)"
    case .contactOverLimit: "its contact has introduced as many peers as it may for now"
    case .other(let reason): reason
    }
  }
}

/// A subscription as a policy sees it. Its signatures are good.
public struct Introduction: Hashable, Sendable {
  /// Who wants to join.
  public let subscriber: PublicKey
  /// Who introduces it.
  public let contact: PublicKey
  /// Whether the peer that asks is itself the contact, and not one that the subscription passes.
  public let isOwn: Bool

  /// - Parameters:
  ///   - subscriber: who wants to join.
  ///   - contact: who introduces it.
  ///   - isOwn: whether the peer that asks is the contact.
  public init(subscriber: PublicKey, contact: PublicKey, isOwn: Bool) {
    self.subscriber = subscriber
    self.contact = contact
    self.isOwn = isOwn
  }
}

/// Who may join a network: what its users plug in. Every node has the same policy, and each judges for itself;
/// nobody needs to be trusted with it.
///
/// A policy is two questions. The first is about a key alone, and every peer must answer it alike at any time: a
/// peer that passes on a key which it should have refused is blamed for it. The second may remember what
/// happened, and peers may answer it differently; nobody is blamed.
public protocol AdmissionPolicy: Sendable {
  /// Why this key may not be in the network at all, whoever introduces it; `nil` if it may.
  func refusal(of key: PublicKey) -> AdmissionRefusal?

  /// Why this introduction does not count now; `nil` if it does. Asked once for each subscription, and only
  /// about keys that the first question lets in.
  mutating func refusal(of introduction: Introduction, at now: Instant) -> AdmissionRefusal?
}

extension AdmissionPolicy {
  /// Every introduction counts.
  public mutating func refusal(of introduction: Introduction, at now: Instant) -> AdmissionRefusal? { nil }
}

/// Everybody may join.
public struct OpenPolicy: AdmissionPolicy {
  /// The open policy.
  public init() {}
  /// `nil`.
  public func refusal(of key: PublicKey) -> AdmissionRefusal? { nil }
}

/// Who passes every one of several policies may join. The first that refuses is the last that is asked.
public struct AllOfPolicies: AdmissionPolicy {
  private var policies: [any AdmissionPolicy]

  /// - Parameter policies: in the order in which they are asked; none at all is an open door.
  public init(_ policies: [any AdmissionPolicy]) { self.policies = policies }

  /// The first refusal.
  public func refusal(of key: PublicKey) -> AdmissionRefusal? {
    for policy in policies {
      if let refusal = policy.refusal(of: key) { return refusal }
    }
    return nil
  }

  /// The first refusal.
  public mutating func refusal(of introduction: Introduction, at now: Instant) -> AdmissionRefusal? {
    for i in policies.indices {
      if let refusal = policies[i].refusal(of: introduction, at: now) { return refusal }
    }
    return nil
  }
}
