import StarlingCore

@testable import StarlingNode
@testable import StarlingTransport

let transportTargets = [
  FuzzTarget("datagram") {
    let id = ConnectionID(0x0102_0304_0506_0708)
    return [
      HandshakeDatagram.initiate(
        from: id, ephemeral: [UInt8](repeating: 9, count: 32), tag: [UInt8](repeating: 1, count: 16),
        byteCount: 1_200),
      HandshakeDatagram.message(.respond, to: id, [1, 2, 3]), HandshakeDatagram.refuse(to: id, .version),
      HandshakeDatagram.refuse(to: id, .network),
      Packet.seal([1], to: id, number: 7, with: fuzzKey),
    ]
  } run: { bytes in
    _ = HandshakeDatagram.receiver(of: bytes)
    _ = HandshakeDatagram.parseRefuse(bytes)
    if let initiate = HandshakeDatagram.parseInitiate(bytes) {
      promise(
        initiate.ephemeral.count == 32 && initiate.tag.count == 16, "an initiate's fields have a length")
    }
    if let number = Packet.number(of: bytes) { _ = Packet.open(bytes, number: number, with: fuzzKey) }
  },
  FuzzTarget("frames") {
    var writer = WireWriter()
    writer.write(Frame.Kind.ping)
    Acknowledgement.encode([90...100, 7...8, 0...0], delayMicroseconds: 300, into: &writer)
    Fragment.encode(message: 3, index: 1, of: [UInt8](repeating: 5, count: 1_200), into: &writer)
    writer.write(Frame.Kind.close)
    writer.write(UInt8(2))
    var acknowledgement = WireWriter()
    Acknowledgement.encode([(1 << 61)...(1 << 62 - 1)], delayMicroseconds: 0, into: &acknowledgement)
    return [writer.bytes, acknowledgement.bytes, [1, 1, 1]]
  } run: { bytes in
    var reader = WireReader(bytes)
    while reader.remaining > 0, let frame = try? Frame.decode(from: &reader) { checkFrame(frame) }
  },
  FuzzTarget("handshake") {
    guard var initiator = fuzzHandshake(isInitiator: true), let first = try? initiator.write(payload: [])
    else {
      return []
    }
    return [[0] + first, [1] + [UInt8](repeating: 7, count: 200), [2] + [UInt8](repeating: 1, count: 108)]
  } run: { bytes in
    var program = FuzzProgram(bytes)
    let kind = program.number(below: 3)
    let rest = bytes.dropFirst()
    if kind == 2 { return _ = HandshakePayload(Array(rest), staticKey: [UInt8](repeating: 3, count: 32)) }
    guard var state = fuzzHandshake(isInitiator: kind == 1) else { return }
    if kind == 1 { _ = try? state.write(payload: []) }
    let before = state.hash
    if (try? state.read(rest)) == nil {
      promise(state.hash == before, "a message that cannot be read leaves the handshake as it was")
    }
  },
  FuzzTarget("hostframe") {
    [HostFrame.introduction(port: 4_400), [1, 1, 0]]
  } run: { bytes in
    var reader = WireReader(bytes)
    guard (try? HostFrame.readKind(from: &reader)) == .introduction else { return }
    guard let port = try? reader.read(UInt16.self), (try? reader.finish()) != nil else { return }
    promise(HostFrame.introduction(port: port) == bytes, "an introduction encodes to what it came from")
  },
]

private let fuzzKey: AEADKey = {
  guard let state = fuzzHandshake(isInitiator: true), var initiator = Optional(state),
    var responder = fuzzHandshake(isInitiator: false)
  else { preconditionFailure("secrets of 32 bytes make a handshake") }
  do {
    _ = try responder.read(try initiator.write(payload: [])[...])
    _ = try initiator.read(try responder.write(payload: [])[...])
    _ = try responder.read(try initiator.write(payload: [])[...])
  } catch {
    preconditionFailure("an honest handshake succeeds")
  }
  return initiator.split().sending
}()

private func fuzzHandshake(isInitiator: Bool) -> NoiseHandshake? {
  let pairs = isInitiator ? fuzzPairs.initiator : fuzzPairs.responder
  return NoiseHandshake(isInitiator: isInitiator, prologue: [1], ownStatic: pairs.0, ephemeral: pairs.1)
}

private let fuzzPairs:
  (initiator: (X25519KeyPair, X25519KeyPair), responder: (X25519KeyPair, X25519KeyPair)) = {
    func pair(_ byte: UInt8) -> X25519KeyPair {
      guard let pair = X25519KeyPair(secret: [UInt8](repeating: byte, count: 32)) else {
        preconditionFailure("32 bytes are a secret")
      }
      return pair
    }
    return ((pair(1), pair(2)), (pair(3), pair(4)))
  }()

private func checkFrame(_ frame: Frame) {
  var writer = WireWriter()
  switch frame {
  case .ping, .close: return
  case .acknowledgement(let acknowledgement):
    let ranges = acknowledgement.ranges
    promise(!ranges.isEmpty, "an acknowledgement is of something")
    for i in ranges.indices.dropFirst() {
      promise(ranges[i].upperBound + 1 < ranges[i - 1].lowerBound, "ranges neither touch nor overlap")
    }
    Acknowledgement.encode(
      ranges, delayMicroseconds: acknowledgement.delayMicroseconds, into: &writer)
    // The encoder leaves the oldest ranges out when they do not fit.
    guard writer.bytes.count <= Acknowledgement.maximumByteCount else {
      preconditionFailure("an acknowledgement of \(writer.bytes.count) bytes")
    }
    var reader = WireReader(writer.bytes)
    guard case .acknowledgement(let again)? = try? Frame.decode(from: &reader) else {
      preconditionFailure("an acknowledgement decodes")
    }
    promise(Array(ranges.prefix(again.ranges.count)) == again.ranges, "an acknowledgement keeps its ranges")
  case .data(let fragment):
    promise(fragment.total <= Fragment.maximumMessageBytes, "a message is not too large")
    promise(fragment.index < Fragment.count(total: fragment.total), "a part is one of its message")
    promise(
      fragment.bytes.count == Fragment.range(fragment.index, total: fragment.total).count,
      "a part has its length")
    promise(fragment.bytes.count <= Fragment.byteCount, "a part is not too long")
  }
}
