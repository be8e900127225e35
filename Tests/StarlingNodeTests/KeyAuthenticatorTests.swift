import StarlingBroadcast
import StarlingCore
import Testing

@testable import StarlingNode

@Suite struct KeyAuthenticatorTests {
  /// Two nodes' authenticators; each knows the other's key as handle 1.
  private func pair(networks: ([UInt8], [UInt8]) = ([1], [1])) throws -> (KeyAuthenticator, KeyAuthenticator)
  {
    let identities = [try Identity(seed: seedBytes(1, 1)), try Identity(seed: seedBytes(1, 2))]
    func authenticator(_ own: Int, _ network: [UInt8]) throws -> KeyAuthenticator {
      let table = SharedPeerTable(
        PeerTable(own: PeerRecord(key: identities[own].publicKey, address: nil), capacity: 16))
      _ = try table.table.intern(PeerRecord(key: identities[1 - own].publicKey, address: nil))
      return KeyAuthenticator(identity: identities[own], network: network, peers: table)
    }
    return (try authenticator(0, networks.0), try authenticator(1, networks.1))
  }

  private let own = MessageIdentifier(origin: PeerTable.own, sequence: 5)
  private let others = MessageIdentifier(origin: Peer(UInt32(1)), sequence: 5)

  @Test("a signature is good for its payload, number, origin and network, and for nothing else")
  func signatures() throws {
    let (signer, checker) = try pair()
    let signature = signer.sign([1, 2, 3], as: own)
    #expect(checker.verifies(signature, of: [1, 2, 3], as: others))
    #expect(signer.verifies(signature, of: [1, 2, 3], as: own))
    #expect(!checker.verifies(signature, of: [1, 2, 4], as: others))
    #expect(
      !checker.verifies(signature, of: [1, 2, 3], as: MessageIdentifier(origin: others.origin, sequence: 6)))
    #expect(!checker.verifies(signature, of: [1, 2, 3], as: own))
    let (_, foreign) = try pair(networks: ([1], [2]))
    #expect(!foreign.verifies(signature, of: [1, 2, 3], as: others))
  }

  @Test("a node signs in its own name only, whatever origin is claimed")
  func ownNameOnly() throws {
    let (signer, checker) = try pair()
    let signature = signer.sign([1], as: others)
    #expect(!signer.verifies(signature, of: [1], as: others))
    #expect(checker.verifies(signature, of: [1], as: others))
  }

  @Test("a signature that was changed anywhere is refused")
  func changed() throws {
    let (signer, checker) = try pair()
    let bytes = signer.sign([1], as: own).bytes
    for i in bytes.indices {
      var changed = bytes
      changed[i] ^= 1
      let signature = try #require(Ed25519Signature(changed))
      #expect(!checker.verifies(signature, of: [1], as: others))
    }
  }
}
