/// A signature with an encoded form of fixed length.
public protocol WireSignature {
  /// The encoded form.
  var bytes: [UInt8] { get }
  /// How many bytes it has.
  static var byteCount: Int { get }
  /// The signature with these bytes; `nil` for a wrong number of them.
  init?(_ bytes: [UInt8])
}
