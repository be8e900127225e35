import StarlingBroadcast
import StarlingCore
import StarlingOverlay

@testable import StarlingNode

/// A member whose messages are those of a node but for the signatures, which are short.
typealias FuzzMember = GroupMember<Scamp<FuzzDoor>, BroadcastTree<FuzzAuthenticator>>

let messageTargets = [
  FuzzTarget("record") {
    [4, 6, 0].map { family in
      [UInt8](repeating: 3, count: 32) + [UInt8(family)] + [UInt8](repeating: 9, count: family == 6 ? 18 : 6)
    }
  } run: { bytes in
    var table = PeerTable(own: PeerRecord(key: FuzzDirectory.key(0), address: nil), capacity: 16)
    var reader = WireReader(bytes)
    for _ in 0..<20 {
      guard let peer = try? reader.readPeer(into: &table) else { break }
      promise(table.count <= 16, "the table is bounded")
      var writer = WireWriter()
      writer.write(peer, from: table)
      var again = WireReader(writer.bytes)
      promise((try? again.readPeer(into: &table)) == peer, "a record that was read can be written and read")
    }
  },
  FuzzTarget("scamp") {
    scampSeeds
  } run: {
    checkRoundTrip(of: Scamp<FuzzDoor>.Message.self, $0)
  },
  FuzzTarget("tree") {
    treeSeeds
  } run: {
    checkRoundTrip(of: BroadcastTree<FuzzAuthenticator>.Message.self, $0)
  },
  FuzzTarget("election") {
    electionSeeds
  } run: { bytes in
    checkRoundTrip(of: BeaconShare<KeyTickets>.self, bytes)
    checkRoundTrip(of: ContactTicket<KeyTickets>.self, bytes)
    var (reader, directory) = (WireReader(bytes), FuzzDirectory())
    guard let share = try? BeaconShare<KeyTickets>.decode(from: &reader, peers: &directory) else { return }
    promise(share.encodedByteCount == bytes.count - reader.remaining, "a share knows its size")
    guard let key = PublicKey(bytes.prefix(32)) else { return }
    if let output = key.output(of: share.proof, for: reader.readRest()) {
      promise(share.proof.claimedOutput == output, "a proof that holds claims its output")
    }
  },
  FuzzTarget("coordinate") {
    [[UInt8](repeating: 0, count: 20), [66, 200, 0, 0] + [UInt8](repeating: 63, count: 16)]
  } run: { bytes in
    var reader = WireReader(bytes)
    guard let coordinate = try? reader.readCoordinate() else { return }
    var (random, peer) = (Xoshiro256(seed: 1), Vivaldi(from: coordinate))
    let other = (try? reader.readCoordinate()) ?? .origin
    for milliseconds in [1, 60_000, 1] {
      peer.observe(.milliseconds(milliseconds), to: Peer(1), at: other, random: &random)
      let moved = peer.coordinate
      promise(
        NetworkCoordinate(position: moved.position, height: moved.height, error: moved.error) == moved,
        "who moves stays in the space")
    }
    var writer = WireWriter()
    coordinate.encode(into: &writer)
    promise(writer.bytes == Array(bytes.prefix(20)), "a coordinate has one encoded form")
  },
  FuzzTarget("seen") {
    let key = [UInt8](repeating: 2, count: 32)
    let newest: [UInt8] = [0, 0, 0, 0, 0, 0, 3, 0]
    let range: [UInt8] = [0, 0, 0, 0, 0, 0, 2, 200, 0, 0, 0, 0, 0, 0, 2, 210]
    return [[0, 0], [0, 1] + key + newest + [0, 0], [0, 1] + key + newest + [0, 1] + range]
  } run: { bytes in
    checkRoundTrip(of: SeenMessages.self, bytes)
  },
  FuzzTarget("member") {
    scampSeeds.map { [0] + $0 } + treeSeeds.map { [1] + $0 }
  } run: {
    checkRoundTrip(of: FuzzMember.Message.self, $0)
    checkTable($0)
  },
]

/// A share with a proof that holds for its key and no input, and a ticket.
private var electionSeeds: [[UInt8]] {
  guard let identity = try? Identity(seed: [UInt8](repeating: 1, count: 32)) else { return [] }
  let numbers = [UInt8](repeating: 0, count: 16)
  let share = identity.publicKey.bytes + numbers + identity.prove([]).bytes
  return [
    share, identity.publicKey.bytes + numbers + [UInt8](repeating: 0, count: 8) + identity.prove([1]).bytes,
  ]
}

/// What decodes encodes to bytes that decode to the same again.
func checkRoundTrip<Message: WireMessage>(of type: Message.Type, _ bytes: [UInt8]) {
  var directory = FuzzDirectory()
  func encoded(_ bytes: [UInt8]) -> [UInt8]? {
    var reader = WireReader(bytes)
    guard let message = try? Message.decode(from: &reader, peers: &directory), (try? reader.finish()) != nil
    else { return nil }
    var writer = WireWriter()
    message.encode(into: &writer, peers: directory)
    return writer.bytes
  }
  guard let once = encoded(bytes) else { return }
  guard let twice = encoded(once) else { preconditionFailure("an encoded message does not decode") }
  promise(once == twice, "a message changes when it is encoded")
}

/// A message of a node interns no more than its table takes, and what does not decode leaves nothing behind.
private func checkTable(_ bytes: [UInt8]) {
  var table = PeerTable(own: PeerRecord(key: FuzzDirectory.key(0), address: nil), capacity: 16)
  var reader = WireReader(bytes)
  table.beginDecoding()
  if (try? NodeProcess.Message.decode(from: &reader, peers: &table)) == nil {
    table.undoDecoding()
    promise(table.count == 1, "what does not decode leaves nothing behind")
  }
}

private func encoded(_ message: some WireMessage) -> [UInt8] {
  var writer = WireWriter()
  message.encode(into: &writer, peers: FuzzDirectory())
  return writer.bytes
}

/// One input for each kind byte, long enough for the fields of any: what a kind does not read is left over, and
/// the fuzzer cuts it off.
private func kindSeeds(_ count: Int) -> [[UInt8]] {
  (0..<count).flatMap { kind in
    [12, 60, 140].map { length in
      [UInt8(kind)] + (0..<(length - 1)).map { UInt8(truncatingIfNeeded: $0 % 5) }
    }
  }
}

private let scampSeeds: [[UInt8]] = {
  typealias Message = Scamp<FuzzDoor>.Message
  let peer = Peer(3)
  let messages: [Message] = [
    .subscribe(number: 7, FuzzSignature(value: 1)), .refused(number: 7), .dropped, .probe,
    .present(GroupSize.News()),
    .release(successor: nil), .release(successor: peer), .donation(peer), .returned(peer),
  ]
  return messages.map { encoded($0) } + kindSeeds(16)
}()

private let treeSeeds: [[UInt8]] = {
  typealias Message = BroadcastTree<FuzzAuthenticator>.Message
  let identifier = MessageIdentifier(origin: Peer(2), sequence: 5)
  let broadcast = Broadcast<FuzzAuthenticator>(
    identifier: identifier, hops: 1, payload: [1, 2, 3], signature: FuzzSignature(value: 1))
  let ranges = [SequenceRange(3, 5), SequenceRange(7, 7)]
  let digests = [
    Digest(origin: Peer(2), ranges: ranges, wantsAnswer: true), Digest(origin: Peer(2)),
  ]
  return [encoded(Message.push(broadcast)), encoded(Message.announce(identifier)), encoded(Message.prune)]
    + kindSeeds(12) + digests.map { encoded(Message.digest($0)) }
}()
