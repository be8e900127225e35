import StarlingCore

/// Noise_XX_25519_ChaChaPoly_SHA256: the Noise specification's HandshakeState (revision 34, section 5.3) for
/// the pattern XX, in which both ends learn each other's static key.
///
///     → e
///     ← e, ee, s, es
///     → s, se
///
/// A pure value: secrets are handed in. A message that cannot be read leaves the state as it was, so one may
/// wait for the true one after a forgery.
struct NoiseHandshake: Sendable {
  private enum Token { case e, s, ee, es, se }
  private static let pattern: [[Token]] = [[.e], [.e, .ee, .s, .es], [.s, .se]]

  private var symmetric: SymmetricState
  private let isInitiator: Bool
  private let ownStatic: X25519KeyPair
  private let ownEphemeral: X25519KeyPair
  private var remoteEphemeral: [UInt8] = []
  private var step = 0

  /// The peer's static key, once it has been read.
  private(set) var remoteStatic: [UInt8] = []

  /// - Parameters:
  ///   - prologue: bytes on which both ends must agree for the handshake to succeed.
  ///   - ephemeral: a pair made for this handshake and used for no other.
  init(isInitiator: Bool, prologue: [UInt8], ownStatic: X25519KeyPair, ephemeral: X25519KeyPair) {
    symmetric = SymmetricState(protocolName: "Noise_XX_25519_ChaChaPoly_SHA256")
    symmetric.mix(hash: prologue)
    self.isInitiator = isInitiator
    self.ownStatic = ownStatic
    ownEphemeral = ephemeral
  }

  /// Whether all three messages are through.
  var isComplete: Bool { step == NoiseHandshake.pattern.count }

  /// The hash of the whole handshake, which names this session and no other.
  var hash: [UInt8] { symmetric.hash }

  /// WriteMessage.
  mutating func write(payload: [UInt8]) throws(NoiseError) -> [UInt8] {
    precondition(isInitiator == (step % 2 == 0) && !isComplete, "it is the peer's turn in the handshake")
    var next = self
    var message: [UInt8] = []
    for token in NoiseHandshake.pattern[step] {
      switch token {
      case .e:
        message += ownEphemeral.publicKey
        next.symmetric.mix(hash: ownEphemeral.publicKey)
      case .s: message += try next.symmetric.encryptAndHash(ownStatic.publicKey)
      case .ee, .es, .se: try next.mixSharedSecret(token)
      }
    }
    message += try next.symmetric.encryptAndHash(payload)
    next.step += 1
    self = next
    return message
  }

  /// ReadMessage: the payload.
  mutating func read(_ message: ArraySlice<UInt8>) throws(NoiseError) -> [UInt8] {
    precondition(isInitiator == (step % 2 == 1) && !isComplete, "it is this end's turn in the handshake")
    var next = self
    var rest = message
    for token in NoiseHandshake.pattern[step] {
      switch token {
      case .e:
        next.remoteEphemeral = Array(try NoiseHandshake.take(X25519KeyPair.byteCount, from: &rest))
        next.symmetric.mix(hash: next.remoteEphemeral)
      case .s:
        let length = X25519KeyPair.byteCount + (next.symmetric.hasKey ? AEADKey.tagByteCount : 0)
        next.remoteStatic = try next.symmetric.decryptAndHash(NoiseHandshake.take(length, from: &rest))
      case .ee, .es, .se: try next.mixSharedSecret(token)
      }
    }
    let payload = try next.symmetric.decryptAndHash(rest)
    next.step += 1
    self = next
    return payload
  }

  /// The keys of what this end sends and of what it receives.
  func split() -> (sending: AEADKey, receiving: AEADKey) {
    precondition(isComplete, "the handshake is not done")
    let (initiator, responder) = symmetric.split()
    return isInitiator ? (initiator, responder) : (responder, initiator)
  }

  /// A two-letter token names the initiator's key first: `es` is its ephemeral and the responder's static.
  private mutating func mixSharedSecret(_ token: Token) throws(NoiseError) {
    let (own, remote): (X25519KeyPair, [UInt8])
    switch (token, isInitiator) {
    case (.es, true), (.se, false): (own, remote) = (ownEphemeral, remoteStatic)
    case (.es, false), (.se, true): (own, remote) = (ownStatic, remoteEphemeral)
    default: (own, remote) = (ownEphemeral, remoteEphemeral)
    }
    guard let shared = own.agree(with: remote) else { throw .weakKey }
    symmetric.mix(key: shared)
  }

  private static func take(
    _ count: Int, from bytes: inout ArraySlice<UInt8>
  ) throws(NoiseError) -> ArraySlice<UInt8> {
    guard bytes.count >= count else { throw .truncated }
    defer { bytes = bytes.dropFirst(count) }
    return bytes.prefix(count)
  }
}
