import StarlingApps
import StarlingBroadcast
import StarlingOverlay

/// The kind of process that a node runs.
public typealias NodeProcess = GroupMember<Scamp<KeyAdmission>, NodeBroadcast>

/// The kinds of messages that a node counts apart.
public enum NodeTraffic: Int, CaseIterable, Sendable {
  /// The membership's.
  case membership = 0
  /// The broadcast's without a payload: announcements, grafts and prunes.
  case control = 1
  /// A broadcast that carries a manifest.
  case manifest = 2
  /// A broadcast that carries a chunk.
  case chunk = 3
  /// A broadcast that carries something else.
  case otherPayload = 4
  /// A secure broadcast's without a batch: subscriptions and votes.
  case vote = 5
  /// A secure broadcast's that carries a batch.
  case batch = 6

  /// The class of a message.
  static func of(_ message: NodeProcess.Message) -> NodeTraffic {
    if case .overlay = message { return .membership }
    if case .diffusion(.secure(let message)) = message { return message.carriesBatch ? .batch : .vote }
    if case .diffusion(.ledger(let message)) = message {
      if case .batches = message { return .batch } else { return .control }
    }
    guard let broadcast = message.carriedBroadcast else { return .control }
    return ofPayload(FileMessage.kind(of: broadcast.payload))
  }

  /// The class of a broadcast with a payload of this kind.
  static func ofPayload(_ kind: FileMessage.Kind?) -> NodeTraffic {
    switch kind {
    case .manifest: .manifest
    case .chunk: .chunk
    case nil: .otherPayload
    }
  }
}

extension ProcessHooks where P == NodeProcess {
  /// What the host needs to know of a node's process.
  static var node: ProcessHooks {
    var hooks = ProcessHooks()
    hooks.trafficClass = { NodeTraffic.of($0).rawValue }
    hooks.forEachPeer = { member, body in
      member.overlay.forEachPeer(body)
      member.diffusion.forEachPeer(body)
      member.conduct.forEachPeer(body)
    }
    hooks.admits = { member, peer in member.overlay.admits(peer) }
    hooks.blame = { .blame($0, .malformed) }
    hooks.doubt = { .doubt($0) }
    // A member's samples may hold itself.
    hooks.isHeardByItself = { if case .diffusion(.secure) = $0 { true } else { false } }
    return hooks
  }
}
