import StarlingCore

/// The rule by which all decide alike whether a signature counts, and whether this machine's library keeps it.
///
/// Implementations of Ed25519 disagree about signatures that are made for it. A ledger takes those for which the equation of
/// RFC 8032, section 5.1.7, holds without its cofactor, where neither the key nor the signature's point R is of small order
/// or in non-canonical form, and S is below the group's order. libsodium 1.0.18 decides so; newer ones multiply by the
/// cofactor, and take signatures that others refuse.
public enum SignatureRule {
  /// Whether libsodium decides by the rule, as far as two of the published edge cases tell (C2SP/CCTV, ed25519, 7 and 51).
  public static let isKept =
    verifies(
      "36684ea91032ba5b1dbab2d02f4debc74c3327f2b3802e2e4d371aa42b12b56bbbfd00bd9c259d8d222d15e67a3d8228585050dbb9b9585be20d8fadc721da03",
      of: "ed25519vectors")
    && !verifies(
      "b62cf890de42c413b11b1411c9f01f1c4d77aa87ef182258d1251f69af2a3506030b03796b78f7afeadfccaedc9d09ce6d487d1ece1f16b1ae2b59b7e5c40603",
      of: "ed25519vectors 3")

  /// What to tell the user if it does not; one sentence.
  public static let warning =
    "This machine's libsodium decides otherwise than version 1.0.18, by which ledgers are kept, about signatures that are"
    + " made to divide them: use that version."

  private static func verifies(_ signature: String, of message: String) -> Bool {
    let key = PublicKey(hexadecimal: "10eb7c3acfb2bed3e0d6ab89bf5a3d6afddd1176ce4812e38d9fd485058fdb1f".utf8)
    guard let key, let bytes = bytes(hexadecimal: signature.utf8), let signature = Ed25519Signature(bytes)
    else {
      return false
    }
    return key.verifies(signature, of: Array(message.utf8))
  }
}
