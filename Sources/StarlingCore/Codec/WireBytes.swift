/// A value whose encoded form has a fixed number of bytes, such as a signature or a digest.
public protocol WireBytes {
  /// The encoded form.
  var bytes: [UInt8] { get }
  /// How many bytes it has.
  static var byteCount: Int { get }
  /// The value with these bytes; `nil` for a wrong number of them.
  init?(_ bytes: [UInt8])
}

extension WireReader {
  /// Takes a value of a fixed number of bytes.
  public mutating func read<Value: WireBytes>(_ type: Value.Type = Value.self) throws(WireError) -> Value {
    guard let value = Value(try read(count: Value.byteCount)) else {
      throw .invalid("\(Value.byteCount) bytes that are no \(Value.self)")
    }
    return value
  }
}
