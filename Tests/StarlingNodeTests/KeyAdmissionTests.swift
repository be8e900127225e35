import StarlingBroadcast
import StarlingCore
import StarlingOverlay
import Testing

@testable import StarlingNode

@Suite struct KeyAdmissionTests {
  /// Admissions of three nodes; each knows the two others as handles 1 and 2, in a circle.
  private struct Group {
    var doors: [KeyAdmission] = []
    var records: [AdmissionRecord] = []
    var keys: [PublicKey] = []
    var tables: [SharedPeerTable] = []

    init(networks: [[UInt8]] = [[1], [1], [1]], policy: any AdmissionPolicy = OpenPolicy()) throws {
      let identities = try (0..<3).map { try Identity(seed: seedBytes(2, $0)) }
      keys = identities.map(\.publicKey)
      for own in 0..<3 {
        let table = SharedPeerTable(PeerTable(own: PeerRecord(key: keys[own], address: nil), capacity: 16))
        for n in 1...2 {
          _ = try table.table.intern(PeerRecord(key: keys[(own + n) % 3], address: nil))
        }
        tables.append(table)
        records.append(AdmissionRecord())
        doors.append(
          KeyAdmission(
            identity: identities[own], network: networks[own], peers: table, policy: policy,
            record: records[own]))
      }
    }

    /// The handle of a member as another knows it.
    func peer(_ member: Int, seenBy own: Int) -> Peer { Peer(UInt32((member - own + 3) % 3)) }

    /// A subscription of member 0 through member 1, as a member writes it.
    func statement(_ number: UInt64 = 7, contact: Int? = nil, seenBy own: Int) -> SubscriptionStatement {
      SubscriptionStatement(
        subscriber: peer(0, seenBy: own), number: number, contact: contact.map { peer($0, seenBy: own) })
    }
  }

  @Test("what a subscriber and its contact sign, anybody can check, and it means nothing else")
  func signatures() throws {
    let group = try Group()
    let own = group.doors[0].sign(group.statement(seenBy: 0))
    let vouched = group.doors[1].sign(group.statement(contact: 1, seenBy: 1))
    let reader = group.doors[2]
    let (plain, full) = (group.statement(seenBy: 2), group.statement(contact: 1, seenBy: 2))
    let (subscriber, contact) = (group.peer(0, seenBy: 2), group.peer(1, seenBy: 2))
    #expect(reader.verifies(own, of: plain, by: subscriber))
    #expect(reader.verifies(vouched, of: full, by: contact))
    // Another number, the other role, another signer.
    #expect(!reader.verifies(own, of: group.statement(8, seenBy: 2), by: subscriber))
    #expect(!reader.verifies(vouched, of: group.statement(8, contact: 1, seenBy: 2), by: contact))
    #expect(!reader.verifies(own, of: full, by: contact))
    #expect(!reader.verifies(vouched, of: plain, by: subscriber))
    #expect(!reader.verifies(own, of: plain, by: contact))
    #expect(!reader.verifies(vouched, of: group.statement(contact: 2, seenBy: 2), by: PeerTable.own))
  }

  @Test("a signature of another network is no signature")
  func otherNetwork() throws {
    let group = try Group(networks: [[1], [1], [2]])
    let own = group.doors[0].sign(group.statement(seenBy: 0))
    #expect(!group.doors[2].verifies(own, of: group.statement(seenBy: 2), by: group.peer(0, seenBy: 2)))
  }

  @Test("a contact signs in its own name only, whatever contact is claimed")
  func ownNameOnly() throws {
    let group = try Group()
    let signature = group.doors[1].sign(group.statement(contact: 2, seenBy: 1))
    #expect(
      !group.doors[0].verifies(
        signature, of: group.statement(contact: 2, seenBy: 0), by: group.peer(2, seenBy: 0)))
    #expect(
      group.doors[0].verifies(
        signature, of: group.statement(contact: 1, seenBy: 0), by: group.peer(1, seenBy: 0)))
  }

  @Test("the copies of a subscription cost one check, forged ones one each, and memory is bounded")
  func cache() throws {
    let group = try Group()
    let signature = group.doors[0].sign(group.statement(seenBy: 0))
    let (statement, signer) = (group.statement(seenBy: 2), group.peer(0, seenBy: 2))
    for _ in 0..<20 { #expect(group.doors[2].verifies(signature, of: statement, by: signer)) }
    #expect(group.records[2].checks == 1)
    var bytes = signature.bytes
    bytes[0] ^= 1
    let forged = try #require(Ed25519Signature(bytes))
    for _ in 0..<3 { #expect(!group.doors[2].verifies(forged, of: statement, by: signer)) }
    #expect(group.records[2].checks == 4)
    #expect(group.records[2].verified.count == 1)
    var digests = RecentElements<SHA256Digest>(limit: 3)
    for n in 0..<5 { digests.insert(SHA256.hash([UInt8(n)])) }
    #expect((0..<5).map { digests.contains(SHA256.hash([UInt8($0)])) } == [false, false, true, true, true])
    #expect(digests.count == 3)
  }

  @Test("the policy is asked about the subscriber and its contact; too many of one contact are a flood")
  func judged() throws {
    let keys = try Group().keys
    let stranger = try Identity(seed: seedBytes(2, 9)).publicKey
    var group = try Group(
      policy: AllOfPolicies([KeyList(keys[0...1] + [stranger]), ContactLimit(count: 1, per: .seconds(60))]))
    let handle = try group.tables[2].table.intern(PeerRecord(key: stranger, address: nil))
    func judge(_ subscriber: Int, _ contact: Int) -> Misbehaviour? {
      if subscriber == 3 {
        return group.doors[2].judge(subscriber: handle, contact: group.peer(contact, seenBy: 2), at: .zero)
      }
      return group.doors[2].judge(
        subscriber: group.peer(subscriber, seenBy: 2), contact: group.peer(contact, seenBy: 2), at: .zero)
    }
    // The copies of one subscription count once; others allow twice the contact's limit.
    for _ in 0..<10 { #expect(judge(0, 1) == nil) }
    #expect(judge(1, 1) == nil)
    #expect(judge(3, 1) == .subscriptionFlood)
    #expect(judge(0, 1) == nil)
    #expect(judge(1, 2) == .inadmissible)
    #expect(judge(2, 1) == .inadmissible)
    #expect(group.records[2].admitted == 2)
    #expect(group.records[2].refusals == 3)
    #expect(group.records[2].lastRefusal == .notListed)
    #expect((0..<3).map { group.doors[2].admits(group.peer($0, seenBy: 2)) } == [true, true, false])
  }

  @Test("a node does not start with a key that its own policy would not let in")
  func ownKey() throws {
    #expect {
      _ = try TestNode(1, contacts: [], seed: 1) { $0.admission = KeyPuzzle(bits: 60) }
    } throws: {
      "\($0)".contains("own policy keeps its key")
    }
  }

  @Test("nodes with a list of keys find each other")
  func listedNodes() throws {
    let keys = try (1...3).map { try Identity(seed: seedBytes(1, $0)).publicKey }
    let nodes = try (1...3).map { n in
      try TestNode(n, contacts: n == 1 ? [] : [try address(1)], seed: 1) { $0.admission = KeyList(keys) }
    }
    let network = NodeNetwork(nodes, seed: 1)
    nodes.forEach { network.start($0) }
    network.run(for: .seconds(20)) { nodes.allSatisfy { !$0.isAlone } }
    #expect(nodes.allSatisfy { !$0.isAlone })
    #expect(nodes.allSatisfy { $0.status.shunned.isEmpty })
  }

  @Test("a node whose key is on nobody's list gets no neighbour, and the others count its attempts")
  func stranger() throws {
    let keys = try (1...3).map { try Identity(seed: seedBytes(1, $0)).publicKey }
    let nodes = try (1...4).map { n in
      try TestNode(n, contacts: n == 1 ? [] : [try address(1)], seed: 1) {
        $0.admission = n == 4 ? OpenPolicy() : KeyList(keys)
      }
    }
    let network = NodeNetwork(nodes, seed: 1)
    nodes.forEach { network.start($0) }
    network.run(for: .seconds(60))
    #expect(nodes[3].isAlone)
    for node in nodes[..<3] {
      #expect(!node.status.neighbours.contains { $0.key == nodes[3].key })
      #expect(!node.isAlone)
    }
    #expect(nodes[..<3].reduce(0) { $0 + $1.status.counters.host.connectionsRefused } > 0)
  }
}

@Suite("Who may speak in a network")
struct AdmittedSpeakersTests {
  @Test("A key that the policy keeps out is no origin, however well it signs, and nobody is blamed")
  func origins() throws {
    let (member, stranger) = (try identity(1), try identity(2))
    let peers = SharedPeerTable(PeerTable(own: PeerRecord(key: member.publicKey, address: nil)))
    let outsider = try peers.table.intern(PeerRecord(key: stranger.publicKey, address: nil))
    let list = KeyList([member.publicKey])
    let auth = KeyAuthenticator(identity: member, network: [], peers: peers, policy: list)
    var gate = MessageGate(identity: PeerTable.own, auth: auth, firstSequence: 0)
    let theirs = KeyAuthenticator(identity: stranger, network: [], peers: peers)
    let identifier = MessageIdentifier(origin: outsider, sequence: 1)
    let message = Broadcast<KeyAuthenticator>(
      identifier: identifier, hops: 1, payload: [1], signature: theirs.sign([1], as: identifier))
    #expect(gate.admit(message) == .unwelcome && !gate.hasSeen(identifier))
    var open = MessageGate(
      identity: PeerTable.own, auth: KeyAuthenticator(identity: member, network: [], peers: peers),
      firstSequence: 0)
    #expect(open.admit(message) == .new)
  }

  private func identity(_ n: UInt8) throws -> Identity {
    try Identity(seed: [UInt8](repeating: n, count: 32))
  }
}
