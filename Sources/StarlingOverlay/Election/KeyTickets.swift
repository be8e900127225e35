import StarlingCore

extension VRFOutput: TicketValue {
  /// The value that a network's chain of beacons begins with: two halves of SHA-256 of its name.
  ///
  /// Everybody who knows the name knows it. Where founders might choose keys that suit them, the name should hold
  /// something that was not known before their keys were.
  public init(beginningOf network: [UInt8]) { self.init("starling beacon 1", network) }

  /// A hash of value and epoch.
  public func successor(in epoch: UInt64) -> VRFOutput {
    var writer = WireWriter(capacity: 72)
    writer.write(raw: bytes)
    writer.write(integer: epoch)
    return VRFOutput("starling silent beacon 1", writer.bytes)
  }

  private init(_ label: String, _ content: [UInt8]) {
    let halves = [UInt8(0), 1].flatMap { half in
      var writer = WireWriter(capacity: 128)
      writer.write(text: label)
      writer.write(half)
      writer.write(counted: content)
      return SHA256.hash(writer.bytes).bytes
    }
    guard let value = VRFOutput(halves) else { preconditionFailure("twice 32 bytes are 64") }
    self = value
  }
}

/// Tickets that are outputs of the verifiable random function of each peer's key (``VRFProof``).
public struct KeyTickets: TicketSource {
  /// An output.
  public typealias Value = VRFOutput
  /// Its proof.
  public typealias Proof = VRFProof

  private let identity: Identity
  private let network: [UInt8]
  private let key: @Sendable (Peer) -> PublicKey?

  /// The tickets of one node.
  ///
  /// - Parameters:
  ///   - identity: draws the node's own tickets.
  ///   - network: the network's name: a ticket counts in no other.
  ///   - key: the key behind a peer's handle, the node's own included; `nil` if the handle is unknown.
  public init(identity: Identity, network: [UInt8], key: @escaping @Sendable (Peer) -> PublicKey?) {
    self.identity = identity
    self.network = network
    self.key = key
  }

  /// The bytes of a proof.
  public static var proofByteCount: Int { VRFProof.byteCount }

  /// Draws with the node's own identity.
  public func draw(_ draw: Draw<VRFOutput>) -> VRFProof { identity.prove(input(draw)) }

  /// The output that the proof claims.
  public func claim(of proof: VRFProof) -> VRFOutput? { proof.claimedOutput }

  /// Whether the proof holds for the key behind `peer`.
  public func verifies(_ proof: VRFProof, of draw: Draw<VRFOutput>, by peer: Peer) -> Bool {
    key(peer)?.output(of: proof, for: input(draw)) != nil
  }

  /// The function's input. The label and the network keep a ticket from meaning anything elsewhere.
  private func input(_ draw: Draw<VRFOutput>) -> [UInt8] {
    var writer = WireWriter(capacity: 160)
    writer.write(text: "starling election 1")
    writer.write(counted: network)
    switch draw {
    case .contact(let ring, let epoch, let beacon):
      writer.write(text: "contact")
      writer.write(integer: ring)
      writer.write(integer: epoch)
      writer.write(raw: beacon.bytes)
    case .beacon(let epoch, let previous):
      writer.write(text: "beacon")
      writer.write(integer: epoch)
      writer.write(raw: previous.bytes)
    }
    return writer.bytes
  }
}
