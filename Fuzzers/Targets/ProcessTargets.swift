import StarlingBroadcast
import StarlingCore
import StarlingNode
import StarlingOverlay

/// Whole processes, fed with programs of messages, timers, requests and lost links, in virtual time.
let processTargets = [
  FuzzTarget("scamp-process") {
    processSeeds
  } run: { bytes in
    var process = Scamp(identity: Peer(0), door: FuzzDoor())
    drive(&process, with: bytes, request: membershipRequest) { process, _ in
      checkViews(process)
    }
  },
  FuzzTarget("tree-process") {
    processSeeds
  } run: { bytes in
    var process = BroadcastTree(identity: Peer(0), auth: FuzzAuthenticator())
    var delivered: Set<MessageIdentifier> = []
    drive(&process, with: bytes, request: broadcastRequest) { process, indications in
      for case .delivered(let broadcast, _) in indications { checkDelivery(broadcast, &delivered) }
      promise(!process.links.keys.contains(Peer(0)), "no peer has a link to itself")
    }
  },
  FuzzTarget("member-process") {
    processSeeds
  } run: { bytes in
    var delivered: Set<MessageIdentifier> = []
    var process = FuzzMember(
      overlay: Scamp(identity: Peer(0), door: FuzzDoor()),
      diffusion: BroadcastTree(identity: Peer(0), auth: FuzzAuthenticator()))
    drive(&process, with: bytes, request: memberRequest) { process, indications in
      for case .delivered(let broadcast, _) in indications { checkDelivery(broadcast, &delivered) }
      checkViews(process.overlay)
      promise(!process.diffusion.links.keys.contains(Peer(0)), "no peer has a link to itself")
      for peer in process.diffusion.links.keys.members {
        promise(
          process.overlay.partialView.contains(peer) || process.overlay.inView.contains(peer),
          "a link belongs to a view")
      }
    }
  },
]

/// Runs a program on a process.
private func drive<P: Process>(
  _ process: inout P, with bytes: [UInt8], request: (inout FuzzProgram) -> P.Request,
  checking check: (borrowing P, [P.Indication]) -> Void
) where P.Message: WireMessage {
  var program = FuzzProgram(bytes)
  var directory = FuzzDirectory()
  var effects = FuzzEffects(owner: P.self, seed: UInt64(program.byte()))
  var now = Instant.zero
  process.start(at: now, into: &effects)
  for _ in 0..<400 where !program.isAtEnd {
    let before = effects.sendCount
    switch program.number(below: 6) {
    case 0, 1:
      let sender = Peer(1 + program.number(below: FuzzDirectory.peerCount - 1))
      var reader = WireReader(program.counted())
      guard let message = try? P.Message.decode(from: &reader, peers: &directory) else { break }
      process.receive(message, from: sender, at: now, into: &effects)
    case 2: now = now + .milliseconds(Int(program.byte()) * 50)
    case 3:
      // The next timer, when it is due.
      guard let next = effects.nextTimer() else { break }
      now = max(now, next.at)
      process.expire(next.timer, at: now, into: &effects)
    case 4: process.handle(request(&program), at: now, into: &effects)
    default:
      process.disconnect(
        from: Peer(1 + program.number(below: FuzzDirectory.peerCount - 1)), at: now, into: &effects)
    }
    // A recovery may answer with all that a history holds.
    promise(effects.sendCount - before <= 20_000, "one input makes a bounded number of messages")
    check(process, effects.takeIndications())
  }
}

/// A message is delivered once, and only if its origin signed it.
private func checkDelivery(
  _ broadcast: Broadcast<FuzzAuthenticator>, _ delivered: inout Set<MessageIdentifier>
) {
  promise(broadcast.signature.value != 255, "nothing forged is delivered")
  promise(delivered.insert(broadcast.identifier).inserted, "a message is delivered once")
}

private func checkViews(_ scamp: Scamp<FuzzDoor>) {
  promise(!scamp.partialView.contains(Peer(0)), "no peer is in its own partial view")
  promise(!scamp.inView.contains(Peer(0)), "no peer is in its own in-view")
  promise(scamp.partialView.count <= Int(scamp.configuration.viewLimit), "the partial view is bounded")
  promise(!scamp.acquaintances.contains(Peer(0)), "no peer is its own acquaintance")
  promise(scamp.acquaintances.count <= 2 * Int(scamp.configuration.viewLimit) + 64, "memory is bounded")
  promise(scamp.estimatedSize >= 0 && scamp.estimatedSize.isFinite, "the group has a size")
}

private func membershipRequest(_ program: inout FuzzProgram) -> MembershipRequest {
  let peer = Peer(program.number(below: FuzzDirectory.peerCount))
  return switch program.number(below: 5) {
  case 0: .leave
  case 1: .shun(peer)
  default: .join(contact: peer)
  }
}

private func broadcastRequest(_ program: inout FuzzProgram) -> BroadcastRequest<[UInt8]> {
  let peer = Peer(program.number(below: FuzzDirectory.peerCount))
  return switch program.number(below: 5) {
  case 0: .broadcast(program.counted())
  case 1: .linkUp(peer, .incoming)
  case 2: .linkDown(peer, .outgoing)
  case 3: .linkDown(peer, .incoming)
  default: .linkUp(peer, .outgoing)
  }
}

private func memberRequest(_ program: inout FuzzProgram) -> FuzzMember.Request {
  let peer = Peer(program.number(below: FuzzDirectory.peerCount))
  return switch program.number(below: 8) {
  case 0: .leave
  case 1: .blame(peer, .malformed)
  case 2, 3, 4: .broadcast(program.counted())
  default: .join(contact: peer)
  }
}

/// A sink that keeps timers and counts everything else.
struct FuzzEffects<Owner: Process>: Effects {
  typealias Parcel = Owner.Message
  private var random: Xoshiro256
  private var timers: [(at: Instant, order: Int, timer: Owner.Timer)] = []
  private var order = 0
  private(set) var sendCount = 0
  private var indications: [Owner.Indication] = []

  init(owner: Owner.Type, seed: UInt64) { random = Xoshiro256(seed: seed) }

  mutating func prepare(_ message: Owner.Message) -> Owner.Message { message }
  mutating func send(_ parcel: Owner.Message, to peer: Peer) { sendCount += 1 }
  mutating func indicate(_ indication: Owner.Indication) { indications.append(indication) }

  /// What was indicated since the last time.
  mutating func takeIndications() -> [Owner.Indication] {
    defer { indications = [] }
    return indications
  }

  mutating func next() -> UInt64 { random.next() }

  mutating func schedule(_ timer: Owner.Timer, at instant: Instant) {
    order += 1
    timers.append((instant, order, timer))
    // An input is short, so a process that sets ever more timers shows here.
    promise(timers.count <= 4_096, "timers are bounded")
  }

  /// Takes the timer that is due first.
  mutating func nextTimer() -> (at: Instant, timer: Owner.Timer)? {
    guard
      let i = timers.indices.min(by: { (timers[$0].at, timers[$0].order) < (timers[$1].at, timers[$1].order) }
      )
    else { return nil }
    let next = timers.remove(at: i)
    return (next.at, next.timer)
  }
}

/// Programs in which every kind of step occurs.
private let processSeeds: [[UInt8]] = {
  func record(_ peer: UInt8) -> [UInt8] {
    [UInt8](repeating: peer, count: 32) + [4, 10, 0, 0, peer, 15, 160]
  }
  func message(_ bytes: [UInt8], from peer: UInt8) -> [UInt8] { [0, peer - 1, UInt8(bytes.count)] + bytes }
  let joins: [UInt8] = [1, 4, 2, 2, 2, 20, 3, 3, 3, 3]
  let tree = (0..<10).flatMap { kind in
    message([UInt8(kind)] + [UInt8](repeating: 2, count: 48), from: UInt8(1 + kind))
  }
  let range = [0, 0, 0, 0, 0, 0, 0, 2] + [0, 0, 0, 0, 0, 0, 0, 9] as [UInt8]
  let digest = message([9, 1] + [UInt8](repeating: 2, count: 32) + [1] + range, from: 3)
  let scamp = (0..<15).flatMap { kind in message([UInt8(kind)] + record(UInt8(1 + kind % 9)), from: 3) }
  let member = (0..<15).flatMap { kind in message([0, UInt8(kind)] + record(4), from: 5) }
  return [
    joins, joins + tree + digest + [3, 3, 5, 2], joins + scamp + [3, 3, 3, 4, 1, 0],
    joins + member + [3, 2, 9, 3],
  ]
}()
