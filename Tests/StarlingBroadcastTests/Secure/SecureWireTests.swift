import StarlingCore
import StarlingTestSupport
import Testing

@testable import StarlingBroadcast

/// Batches of bytes, with digests and signatures of eight.
private struct ByteAuthenticator: SecureAuthenticator {
  struct Payload: EncodedBatch, Hashable {
    let encoded: [UInt8]
    init(encoded: [UInt8]) { self.encoded = encoded }
    var byteCount: Int { encoded.count }
    static var byteLimit: Int { 100 }
    var entryCount: Int { 0 }
    func entry(at position: Int) -> BatchEntry<UInt8, UInt8> {
      BatchEntry(author: 0, sequence: 0, contents: 0)
    }
  }
  static var digestByteCount: Int { 8 }
  static var signatureByteCount: Int { 8 }
  static func digest(of payload: Payload) -> EightBytes {
    EightBytes(Array((payload.encoded + [UInt8](repeating: 0, count: 8)).prefix(8))) ?? EightBytes.none
  }
  func sign(_ digest: EightBytes, as identifier: MessageIdentifier) -> EightBytes { digest }
  func admits(_ sender: Peer) -> Bool { true }
  func verifies(_ signature: EightBytes, of digest: EightBytes, as identifier: MessageIdentifier) -> Bool {
    true
  }
}

extension EightBytes {
  fileprivate static var none: EightBytes {
    guard let value = EightBytes([UInt8](repeating: 0, count: 8)) else { preconditionFailure("eight bytes") }
    return value
  }
}

@Suite("The wire form of secure broadcasts")
struct SecureWireTests {
  private typealias Ready = ReadyBroadcast<ByteAuthenticator, NumberedMembership>.Message
  private typealias Bracha = BrachaBroadcast<ByteAuthenticator>.Message

  private let instance = MessageIdentifier(origin: Peer(3), sequence: 1 << 40)

  private func vote(refusing refused: [UInt16]) -> Vote<ByteAuthenticator> {
    Vote(identifier: instance, digest: .none, signature: .none, refused: refused, hops: 513)
  }

  private var batch: SignedBatch<ByteAuthenticator> {
    SignedBatch(identifier: instance, payload: .init(encoded: Array(0..<90)), signature: .none, hops: 7)
  }

  private func encoded(_ message: some WireMessage) -> [UInt8] {
    var writer = WireWriter()
    message.encode(into: &writer, peers: NumberedDirectory())
    return writer.bytes
  }

  private func again<Message: WireMessage>(_ message: Message) throws -> Message {
    let bytes = encoded(message)
    #expect(bytes.count == message.encodedByteCount)
    var reader = WireReader(bytes)
    var peers = NumberedDirectory()
    let result = try Message.decode(from: &reader, peers: &peers)
    try reader.finish()
    #expect(encoded(result) == bytes)
    return result
  }

  @Test("Every message is read as it was written, and has the size that is accounted for")
  func roundTrips() throws {
    let votes = [vote(refusing: []), vote(refusing: [0, 5, 1_023])]
    for vote in votes {
      guard case .ready(let result) = try again(Ready.ready(vote)) else { return #expect(Bool(false)) }
      #expect(result.refused == vote.refused && result.hops == 513 && result.identifier == instance)
      _ = try again(Ready.echo(.echo(vote)))
      _ = try again(Bracha.echo(vote))
      _ = try again(Bracha.ready(vote))
    }
    guard case .supply(let result) = try again(Ready.supply(batch)) else { return #expect(Bool(false)) }
    #expect(result.payload == batch.payload && result.hops == 7 && result.digest == batch.digest)
    for message: Ready in [
      .subscribe, .echo(.subscribe), .echo(.gossip(.subscribe)), .echo(.gossip(.renew)),
      .echo(.gossip(.gossip(batch))), .fetch(instance, .none),
    ] { _ = try again(message) }
    for message: Bracha in [.send(batch), .supply(batch), .fetch(instance, .none), .renew] {
      _ = try again(message)
    }
  }

  @Test("A vote whose refused entries do not ascend, are beyond a batch or too many is no message")
  func refusals() {
    for refused: [UInt16] in [[2, 2], [3, 1], [1_024], Array(0...1_024)] {
      var reader = WireReader(encoded(Bracha.echo(vote(refusing: refused))))
      var peers = NumberedDirectory()
      #expect(throws: WireError.self) { _ = try Bracha.decode(from: &reader, peers: &peers) }
    }
  }

  @Test("A batch beyond the limit, a count beyond what is there and an unknown kind are no messages")
  func bounds() {
    let large = SignedBatch<ByteAuthenticator>(
      identifier: instance, payload: .init(encoded: [UInt8](repeating: 1, count: 101)), signature: .none,
      hops: 1)
    var truncated = encoded(Bracha.echo(vote(refusing: [1, 2])))
    truncated.removeLast()
    for bytes in [encoded(Bracha.send(large)), truncated, [9], []] {
      var reader = WireReader(bytes)
      var peers = NumberedDirectory()
      #expect(throws: WireError.self) { _ = try Bracha.decode(from: &reader, peers: &peers) }
    }
  }
}
