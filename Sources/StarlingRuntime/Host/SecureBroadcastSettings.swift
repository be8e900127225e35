import StarlingCore
import StarlingLedger
import StarlingNode

/// The secure broadcast that a node takes part in, as its operator set it.
public struct SecureBroadcastSettings: Sendable {
  /// Which broadcast runs.
  public var broadcast: SecureConfiguration.Broadcast
  /// All members with their addresses, this node among them.
  public var members: [PeerRecord]
  /// The probability that a broadcast fails though its adversary does what it can: 0 for Bracha's.
  public var epsilon: Double
  /// The same for people: a sentence without a full stop.
  public var summary: String
  /// How the ledger begins that the members keep; `nil` if they keep none.
  public var genesis: Genesis?

  /// - Parameters:
  ///   - broadcast: which broadcast runs.
  ///   - members: all members with their addresses, this node among them.
  ///   - epsilon: with what probability it fails, 0 to 1.
  ///   - summary: the same for people, a sentence without a full stop.
  ///   - genesis: how the ledger begins that the members keep, if they do.
  public init(
    broadcast: SecureConfiguration.Broadcast, members: [PeerRecord], epsilon: Double, summary: String,
    genesis: Genesis? = nil
  ) {
    self.broadcast = broadcast
    self.members = members
    self.epsilon = epsilon
    self.summary = summary
    self.genesis = genesis
  }

  /// Reads a file of members.
  ///
  /// - Throws: ``HostError`` when it cannot be read, or has a wrong line.
  public static func readMembers(_ path: String) throws(HostError) -> [PeerRecord] {
    let text = try AdmissionFiles.read(path, what: "The list of members")
    do {
      return try MemberList(parsing: text).members
    } catch {
      throw HostError("The list of members \"\(path)\" cannot be used: \(error.description)")
    }
  }

  /// Reads the file by which a ledger begins.
  ///
  /// - Throws: ``HostError`` when it cannot be read, or has a wrong line.
  public static func readGenesis(_ path: String) throws(HostError) -> Genesis {
    let text = try AdmissionFiles.read(path, what: "The genesis")
    do {
      return try Genesis(parsing: text)
    } catch {
      throw HostError("The genesis \"\(path)\" cannot be used: \(error.description)")
    }
  }

  /// How many members are tried to join the overlay through. A guess.
  private static let contactLimit = 8

  /// Allows the connections that members have with each other: with every one, and for a while two.
  func makeRoom(in settings: inout NodeConfiguration) {
    let connections = 2 * members.count + 64
    settings.transport.maximumConnections = max(settings.transport.maximumConnections, connections)
    settings.transport.maximumOutgoingConnections = max(
      settings.transport.maximumOutgoingConnections, connections)
    settings.transport.maximumHandshakesPerHost = max(
      settings.transport.maximumHandshakesPerHost, connections)
    settings.transport.maximumHandshakes = max(settings.transport.maximumHandshakes, connections)
  }

  /// Other members' addresses, some of them: those after this node in the list, so that not all ask the same.
  func contacts(besides own: PublicKey) -> [SocketAddress] {
    let position = members.firstIndex { $0.key == own } ?? 0
    let others = members[position...].dropFirst() + members[..<position]
    return Array(others.compactMap(\.address).prefix(SecureBroadcastSettings.contactLimit))
  }
}
