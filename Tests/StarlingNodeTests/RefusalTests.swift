import StarlingCore
import StarlingOverlay
import Testing

@testable import StarlingNode

/// What a node that is kept out is told, and what its contact says.
@Suite struct RefusalTests {
  private struct ShutDoor: AdmissionPolicy {
    let isContactLimit: Bool
    let insiders: Set<PublicKey>

    func refusal(of key: PublicKey) -> AdmissionRefusal? {
      isContactLimit || insiders.contains(key) ? nil : .notListed
    }

    mutating func refusal(of introduction: Introduction, at now: Instant) -> AdmissionRefusal? {
      isContactLimit ? .contactOverLimit : nil
    }
  }

  private func joining(isContactLimit: Bool) throws -> (contact: TestNode, joiner: TestNode) {
    let insider = try Identity(seed: seedBytes(3, 1)).publicKey
    let contact = try TestNode(1, contacts: [], seed: 3) {
      $0.admission = ShutDoor(isContactLimit: isContactLimit, insiders: [insider])
    }
    let joiner = try TestNode(2, contacts: [contact.address], seed: 3)
    let network = NodeNetwork([contact, joiner], seed: 3)
    network.nodes.forEach { network.start($0) }
    network.run(for: .seconds(60))
    #expect(joiner.isAlone)
    return (contact, joiner)
  }

  @Test("a node whose key is not admitted is told so, asks seldom, and its contact says whom it turned away")
  func inadmissible() throws {
    let (contact, joiner) = try joining(isContactLimit: false)
    let refusal = try #require(joiner.status.joinRefusal).description
    #expect(refusal.contains("\(contact.address)") && refusal.contains("does not admit this node's key"))
    #expect(contact.sink.events.contains(.turnedAway(joiner.key, because: .notListed)))
    #expect(contact.status.counters.host.connectionsRefused <= 4)
    let isReported = joiner.sink.events.contains {
      guard case .contactUnreachable(contact.address, let reason, _) = $0 else { return false }
      return reason.contains("admit")
    }
    #expect(isReported)
  }

  @Test("a node whose contact introduces nobody now is told so")
  func notNow() throws {
    let (contact, joiner) = try joining(isContactLimit: true)
    #expect(joiner.sink.events.contains(.joinRefused(by: contact.key)))
    #expect(joiner.status.joinRefusal?.description.contains("\(contact.key.short) answered") == true)
  }

  @Test("a node that is let in has no refusal to tell of")
  func letIn() throws {
    let nodes = try (1...2).map { try TestNode($0, contacts: $0 == 1 ? [] : [try address(1)], seed: 3) }
    let network = NodeNetwork(nodes, seed: 3)
    nodes.forEach { network.start($0) }
    network.run(for: .seconds(10))
    #expect(nodes.allSatisfy { !$0.isAlone && $0.status.joinRefusal == nil })
  }

  @Test("two nodes with one key are told apart from a node that is its own contact")
  func oneKey() throws {
    let seed = seedBytes(3, 1)
    let contact = try TestNode(1, contacts: [], seed: 3)
    let double = try TestNode(2, contacts: [contact.address], seed: 3)
    double.node = try Node(
      identity: try Identity(seed: seed), configuration: double.node.configuration, seed: seedBytes(3, 99),
      firstSequence: 1)
    let network = NodeNetwork([contact, double], seed: 3)
    network.nodes.forEach { network.start($0) }
    network.run(for: .seconds(10))
    let refusal = try #require(double.status.joinRefusal).description
    #expect(refusal.contains("this node's key") && refusal.contains("keys new"))
  }
}
