import StarlingBroadcast
import StarlingCore
import StarlingSimulator
import StarlingTestSupport
import Testing

@Suite("Erdős–Rényi Gossip")
struct GossipValidityTests {
  @Test("A correct sender delivers its own batch at once, whomever it sampled")
  func validity() {
    typealias Gossip = ErdosRenyiGossip<IdealSecureAuthenticator, NumberedMembership>
    for number in 0..<100 {
      var effects = RecordingEffects(Gossip.self, random: Xoshiro256(seed: testSeed &+ UInt64(number)))
      var gossip = Gossip(
        identity: Peer(7), auth: IdealSecureAuthenticator(owner: Peer(7)),
        oracle: NumberedMembership(population: 50), expectedSample: 1)
      gossip.start(at: .zero, into: &effects)
      gossip.handle(
        .broadcast(SyntheticBatch(number: 1, byteCount: 10), sequence: 0), at: .zero, into: &effects)
      let delivered = effects.indications.filter {
        if case .delivered(let batch) = $0 { batch.identifier.origin == Peer(7) } else { false }
      }
      #expect(delivered.count == 1, "\(replay)")
    }
  }
}
