import StarlingCore

/// A key of its own for each number; nobody has its secret.
func key(_ number: Int) -> PublicKey {
  guard let key = PublicKey(SHA256.hash(Array("key \(number)".utf8)).bytes) else { preconditionFailure() }
  return key
}

/// In the place of a signature that nobody looks at.
let noSignature: Ed25519Signature = {
  guard let signature = Ed25519Signature([UInt8](repeating: 0, count: Ed25519Signature.byteCount)) else {
    preconditionFailure()
  }
  return signature
}()
