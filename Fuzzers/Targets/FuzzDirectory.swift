import StarlingBroadcast
import StarlingCore
import StarlingOverlay

/// A directory in which every key is one of a few peers, so that arbitrary keys meet each other again.
struct FuzzDirectory: PeerDirectory {
  static let peerCount = 12

  static func key(_ peer: Int) -> PublicKey {
    guard let key = PublicKey([UInt8](repeating: UInt8(peer), count: 32)) else {
      preconditionFailure("32 bytes are a key")
    }
    return key
  }

  func record(of peer: Peer) -> PeerRecord {
    let address = SocketAddress(host: [10, 0, 0, UInt8(truncatingIfNeeded: peer.index)], port: 4_000)
    return PeerRecord(key: FuzzDirectory.key(Int(peer.index)), address: address)
  }

  mutating func intern(_ record: PeerRecord) throws(WireError) -> Peer {
    Peer(Int(record.key.bytes[0]) % FuzzDirectory.peerCount)
  }
}

/// A signature of one byte, good unless it is 255: so that both branches are found.
struct FuzzSignature: WireBytes, Hashable, Sendable {
  let value: UInt8
  var bytes: [UInt8] { [value] }
  static var byteCount: Int { 1 }
  init(value: UInt8) { self.value = value }
  init?(_ bytes: [UInt8]) {
    guard bytes.count == 1 else { return nil }
    value = bytes[0]
  }
}

struct FuzzAuthenticator: Authenticator {
  static var signatureByteCount: Int { 1 }
  func sign(_ payload: [UInt8], as identifier: MessageIdentifier) -> FuzzSignature { FuzzSignature(value: 1) }
  func verifies(_ signature: FuzzSignature, of payload: [UInt8], as identifier: MessageIdentifier) -> Bool {
    signature.value != 255
  }
}

struct FuzzDoor: Admission {
  static var signatureByteCount: Int { 1 }
  func sign(_ statement: SubscriptionStatement) -> FuzzSignature { FuzzSignature(value: 1) }
  func verifies(_ signature: FuzzSignature, of statement: SubscriptionStatement, by signer: Peer) -> Bool {
    signature.value != 255
  }
  mutating func judge(subscriber: Peer, contact: Peer, at now: Instant) -> Misbehaviour? {
    switch subscriber.index {
    case 10: .inadmissible
    case 11: .subscriptionFlood
    default: nil
    }
  }
  func admits(_ peer: Peer) -> Bool { peer.index != 10 }
}
