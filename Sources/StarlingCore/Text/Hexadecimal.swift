/// The bytes that hexadecimal digits stand for, two a byte and in either case; `nil` for anything else.
public func bytes(hexadecimal digits: some Collection<UInt8>) -> [UInt8]? {
  guard digits.count.isMultiple(of: 2) else { return nil }
  var bytes: [UInt8] = []
  bytes.reserveCapacity(digits.count / 2)
  var high: UInt8?
  for digit in digits {
    guard let value = PublicKey.value(ofDigit: digit) else { return nil }
    if let known = high {
      bytes.append(known << 4 | value)
      high = nil
    } else {
      high = value
    }
  }
  return bytes
}

extension SHA256Digest {
  /// The digest with these 64 hexadecimal digits, in either case; `nil` for anything else.
  public init?(hexadecimal digits: some Collection<UInt8>) {
    guard digits.count == 2 * SHA256Digest.byteCount, let bytes = StarlingCore.bytes(hexadecimal: digits)
    else {
      return nil
    }
    self.init(bytes)
  }
}
